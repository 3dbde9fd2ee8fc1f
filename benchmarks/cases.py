"""What is measured, against what, and what it must reach: data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Side:
    """One contestant: a function of `work.py`, its arguments, and the environment it runs in."""

    work: str
    environment: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Two sides of one race.

    Attributes:
        name: unique.
        group: the row of the table it belongs to.
        ours, peer: who runs; without a peer, what ours takes is the result.
        faster: how many times faster than the peer ours must be, or None; below 1 it may be
            slower.
        memory: at most this fraction of the peer's memory, or None.
        gigabytes: at most this much memory, or None.
        limit: the arithmetic of one step, for the physical limit: see `work.limits`.
        floor: what ours would take if its own part cost nothing.
        why: what decides the case where its goal is missed.
    """

    name: str
    group: str
    ours: Side
    peer: Side | None = None
    faster: float | None = None
    memory: float | None = None
    gigabytes: float | None = None
    limit: dict[str, float] = field(default_factory=dict)
    floor: Side | None = None
    why: str = ""


BACKENDS = ("tensorflow", "jax", "torch")
WIDTH, HEADS = 64, 4


def _additive(batch: int, length: int) -> dict[str, float]:
    # The pairs' hidden layer twice (again for the gradients); its products with the vector, with
    # the values, and the five products of the gradients
    pairs = batch * length**2
    return {"tanh": 2 * pairs * WIDTH, "exp": 2 * pairs, "flops": 2 * pairs * WIDTH * 8,
            "floats": 3 * batch * length * WIDTH + 2 * WIDTH**2}  # fmt: skip


def _heads(batch: int, length: int) -> dict[str, float]:
    pairs = batch * length**2
    return {"exp": 2 * pairs * HEADS, "flops": 2 * pairs * WIDTH * 7,
            "floats": 3 * batch * length * WIDTH + 4 * WIDTH**2}  # fmt: skip


def _step(subject: str, environment: str, batch: int, length: int, **more: Any) -> Side:
    return Side("step", environment, {"subject": subject, "batch": batch, "length": length, **more})


def _cases() -> list[Case]:
    cases = []
    for backend in BACKENDS:
        cases.append(Case(
            f"additive-2048-{backend}", "additive self-attention, B=4, T=2048, training step",
            _step("az_additive", backend, 4, 2048, steps=2),
            _step("keras_additive", backend, 4, 2048, steps=2),
            faster=3.0 if backend == "torch" else 4.0, memory=1 / 20, limit=_additive(4, 2048),
        ))  # fmt: skip
        cases.append(Case(
            f"additive-16384-{backend}", "additive self-attention, B=1, T=16384, training step",
            _step("az_additive", backend, 1, 16384, steps=1), gigabytes=4.0,
            limit=_additive(1, 16384),
        ))  # fmt: skip
        for length in (512, 1024, 2048):
            cases.append(Case(
                f"multi_head-{length}-{backend}",
                f"multi-head 4 x 16, B=4, T={length}, training step",
                _step("az_multi_head", backend, 4, length, steps=20),
                _step("keras_multi_head", backend, 4, length, steps=20),
                faster=1 / 0.6 if length == 2048 and backend != "torch" else 1.0,
                limit=_heads(4, length),
                why="Keras's layer runs the same fused kernel" if backend == "torch" else
                "the products and exponentials of the limit are most of Keras's own time",
            ))  # fmt: skip
        for length in (4096, 8192):
            cases.append(Case(
                f"multi_head-{length}-{backend}",
                f"multi-head 4 x 16, B=4, T={length}, training step",
                _step("az_multi_head", backend, 4, length, steps=3), limit=_heads(4, length),
            ))  # fmt: skip
        for kind in ("additive", "multi_head"):
            cases.append(Case(
                f"band-{kind}-{backend}",
                f"band of 64, {kind.replace('_', '-')}, B=1, T=8192, training step",
                _step(f"az_band_{kind}", backend, 1, 8192),
                _step(f"az_{kind}", backend, 1, 8192, steps=2), faster=20.0,
                why="full attention is so much faster since its scores are products, or a fused "
                "kernel's, that the projections and the cutting into windows come to count",
            ))  # fmt: skip
        for kind in ("pooling", "temporal"):
            cases.append(Case(
                f"share-{kind}-{backend}",
                f"a fit step of LSTM(64) with {kind} attention, T=200, against mean pooling",
                _step(f"az_lstm_{kind}", backend, 64, 200, steps=40),
                _step("az_lstm_mean", backend, 64, 200, steps=40), faster=1 / 1.1,
                why="the peer does nothing after the LSTM; a projection of every step, its tanh "
                "and their gradients are what attention is",
            ))  # fmt: skip
        cases.append(Case(
            f"scores-{backend}", "attention_scores of 10,000 samples, against predict",
            Side("scores", backend), Side("predict", backend), faster=1 / 1.15,
        ))  # fmt: skip
        cases.append(Case(
            f"explaining-{backend}", "explain of 10,000 samples, against predict",
            Side("explaining", backend), Side("predict", backend), faster=1 / 1.15,
        ))  # fmt: skip
        cases.append(Case(
            f"load-{backend}", "load(\"lstm_after\"), against building and reading by hand",
            Side("load", backend), Side("load_by_hand", backend), faster=1 / 1.3,
        ))  # fmt: skip
        cases.append(Case(
            f"accuracy-{backend}",
            "from process start to 99.9 % on planted_step, lstm_after",
            Side("accuracy", backend, {"recipe": "ours"}),
            Side("accuracy", backend, {"recipe": "ancestor"}), faster=3.0,
            floor=Side("command", backend, {"run": "import"}),
            why="both begin with the import of Keras and end within seconds of training",
        ))  # fmt: skip
    for kind in ("luong", "bahdanau"):
        for length in (20, 500):
            cases.append(Case(
                f"{kind}-{length}", f"{kind} after LSTM(64), B=64, T={length}, fit step",
                _step(f"az_lstm_{kind}", "tensorflow", 64, length, steps=40),
                _step(f"peer_lstm_{kind}", "tf_keras", 64, length, steps=40), faster=1.5,
                floor=_step("az_lstm_mean", "tensorflow", 64, length, steps=40),
                why="both run the same LSTM, which takes most of the step",
            ))  # fmt: skip
    for length in (256, 1024):
        cases.append(Case(
            f"self-{length}",
            f"additive self-attention beside keras-self-attention, B=4, T={length}",
            _step("az_self", "tensorflow", 4, length, steps=40),
            _step("peer_self", "tf_keras", 4, length, steps=40), faster=2.0, memory=1 / 4,
            why="the peer computes the same tanh; at 256 steps the memory is XLA's compiler's",
        ))  # fmt: skip
    cases.append(Case(
        "explain", "attention-zoo explain lstm_after to the picture, against import keras",
        Side("command", "tensorflow", {"run": "explain"}),
        Side("command", "tensorflow", {"run": "import"}), faster=1 / 1.2,
        floor=Side("command", "tensorflow", {"run": "libraries"}),
        why="Matplotlib and Typer are imported too, and TensorFlow traces the model once",
    ))  # fmt: skip
    return cases


CASES = {case.name: case for case in _cases()}

#: How cost grows: subject, and the most time steps that a peer's T x T (x U) tensors leave memory
#: for.
GROWTH: dict[str, dict[str, Any]] = {
    "additive": {"ours": "az_additive", "peer": "keras_additive", "most": 2**11},
    "multi-head": {"ours": "az_multi_head", "peer": "keras_multi_head", "most": 2**12},
}


@dataclass(frozen=True)
class Axis:
    """What one plot of growth varies, and what it holds."""

    values: tuple[int, ...]
    fixed: dict[str, int]
    kinds: tuple[str, ...] = tuple(GROWTH)


#: By the name of the argument of `work.step`.
AXES = {
    "length": Axis(tuple(2**i for i in (6, 8, 10, 11, 12, 13, 14)), {"batch": 1}),
    "batch": Axis((1, 4, 16), {"length": 512}),
    "heads": Axis((1, 4, 16), {"length": 512, "batch": 4}, ("multi-head",)),
}
