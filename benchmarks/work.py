"""What one process measures: `python -m benchmarks.work NAME JSON`, one line of JSON out."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WIDTH = 64


def _peak() -> float:
    """The most memory this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _times(function: Callable[[], Any], repeats: int) -> list[float]:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def _subject(name: str, length: int, heads: int) -> Any:
    """A compiled model from (batch, length, WIDTH) to the same shape, or to one number."""
    if name.startswith("peer"):
        return _old_subject(name, length)
    import keras

    import attention_zoo as az

    class KerasAdditive(keras.layers.Layer):
        """Keras's additive attention with the two projections that ours has."""

        def build(self, shape: tuple) -> None:
            self.query = keras.layers.Dense(WIDTH)
            self.key = keras.layers.Dense(WIDTH, use_bias=False)
            self.attention = keras.layers.AdditiveAttention()
            self.query.build(shape)
            self.key.build(shape)
            self.attention.build([shape, shape, shape])

        def compute_output_shape(self, shape: tuple) -> tuple:
            return shape

        def call(self, x: Any) -> Any:
            return self.attention([self.query(x), x, self.key(x)])

    layers = {
        "az_additive": lambda x: az.layers.SelfAttention(WIDTH)(x),
        "az_self": lambda x: az.layers.SelfAttention(32)(x),
        "az_multi_head": lambda x: az.layers.MultiHeadAttention(heads)(x),
        "az_band_additive": lambda x: az.layers.SelfAttention(WIDTH, window=64)(x),
        "az_band_multi_head": lambda x: az.layers.MultiHeadAttention(4, window=64)(x),
        "keras_additive": lambda x: KerasAdditive()(x),
        "keras_multi_head": lambda x: keras.layers.MultiHeadAttention(heads, WIDTH // heads)(x, x),
    }
    after = {
        "az_lstm_temporal": lambda: az.layers.TemporalAttention(),
        "az_lstm_pooling": lambda: az.layers.AttentionPooling(),
        "az_lstm_mean": lambda: None,
        "az_lstm_luong": lambda: az.layers.LuongAttention(32),
        "az_lstm_bahdanau": lambda: az.layers.BahdanauAttention(32),
    }
    keras.utils.set_random_seed(0)
    inputs = keras.Input((length, WIDTH if name in layers else 4))
    if name in layers:
        model = keras.Model(inputs, layers[name](inputs))
        model.compile("sgd", "mse")
        return model
    states = keras.layers.LSTM(64, return_sequences=True)(inputs)
    attention = after[name]()
    if attention is not None:
        states = attention(states)
    if len(states.shape) == 3:
        states = keras.layers.GlobalAveragePooling1D()(states)
    model = keras.Model(inputs, keras.layers.Dense(1)(states))
    from attention_zoo.training.compiling import compile_model

    compile_model(model, "regression", 1e-3, 20)
    return model


def _old_subject(name: str, length: int) -> Any:
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    if name == "peer_self":
        from keras_self_attention import SeqSelfAttention

        inputs = keras.Input((length, WIDTH))
        model = keras.Model(inputs, SeqSelfAttention(units=32)(inputs))
        model.compile("sgd", "mse")
        return model
    from attention import Attention

    inputs = keras.Input((length, 4))
    states = keras.layers.LSTM(64, return_sequences=True)(inputs)
    states = Attention(units=32, score=name.rpartition("_")[2])(states)
    model = keras.Model(inputs, keras.layers.Dense(1)(states))
    model.compile("adam", "mse")
    return model


def step(subject: str, batch: int, length: int, steps: int = 5, heads: int = 4) -> dict[str, Any]:
    """Seconds of a training step, of `fit` over `steps` of them, and the memory above the base."""
    import numpy as np

    model = _subject(subject, length, heads)
    width = model.input_shape[-1]
    x = np.random.default_rng(0).normal(size=(batch * steps, length, width)).astype("float32")
    y = x if len(model.output_shape) == 3 else x[:, 0, :1]
    base = _peak()

    def fit() -> None:
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0, shuffle=False)

    fit()
    times = [seconds / steps for seconds in _times(fit, 2 if steps < 10 else 4)]
    return {"times": times, "memory": _peak() - base}


def _preset_and_data(samples: int) -> tuple[Any, Any]:
    import attention_zoo as az

    model = az.load("lstm_after")
    return model, az.tasks.get("planted_step").sample(samples, split="test").x


def scores() -> dict[str, Any]:
    """Seconds of `attention_scores` over 10,000 samples."""
    import attention_zoo as az

    model, x = _preset_and_data(10_000)
    az.attention_scores(model, x)
    return {"times": _times(lambda: az.attention_scores(model, x), 7)}


def explaining() -> dict[str, Any]:
    """Seconds of `explain` of 10,000 samples: their scores and the predictions of one pass."""
    import attention_zoo as az

    model, x = _preset_and_data(10_000)
    az.explain(model, x)
    return {"times": _times(lambda: az.explain(model, x), 7)}


def predict() -> dict[str, Any]:
    """Seconds of `predict` over the same samples in the same batches."""
    model, x = _preset_and_data(10_000)
    model.predict(x, batch_size=256, verbose=0)
    return {"times": _times(lambda: model.predict(x, batch_size=256, verbose=0), 7)}


def load() -> dict[str, Any]:
    """Seconds of loading a preset."""
    import attention_zoo as az

    az.load("lstm_after")
    return {"times": _times(lambda: az.load("lstm_after"), 9)}


def load_by_hand() -> dict[str, Any]:
    """Seconds of building the same model and reading its weights."""
    import attention_zoo as az
    from attention_zoo.presets.folder import find

    folder = find("lstm_after")

    def by_hand() -> None:
        config = json.loads((folder / "config.json").read_text())
        model = az.build(config["architecture"], **config["config"])
        model.load_weights(folder / "model.weights.h5")

    by_hand()
    return {"times": _times(by_hand, 9)}


def accuracy(recipe: str, started: float) -> dict[str, Any]:
    """Seconds from the process's start to 99.9 % of 2,000 held-out samples."""
    import keras

    import attention_zoo as az
    from attention_zoo.training import default_recipe
    from attention_zoo.training.compiling import compile_model

    keras.utils.set_random_seed(0)
    task = az.tasks.get("planted_step")
    held_out = task.sample(2_000, split="validation")
    if recipe == "ours":
        ours = default_recipe("lstm_after", "planted_step")
        data, batch, chunk = task.sample(ours.samples), ours.batch_size, ours.samples
        model = az.build("lstm_after", input_shape=data.x.shape[1:], outputs=1,
                         activation="sigmoid", **ours.config)  # fmt: skip
        compile_model(model, "binary", ours.phases[0].learning_rate, chunk // batch)
    else:
        # keras-attention-mechanism's attention_lstm.py: 300,000 samples, batches of 64
        data, batch, chunk = task.sample(300_000), 64, 10_000
        inputs = keras.Input(data.x.shape[1:])
        states = keras.layers.LSTM(32, return_sequences=True)(inputs)
        weights = keras.layers.Permute((2, 1))(states)
        weights = keras.layers.Dense(data.x.shape[1], activation="softmax")(weights)
        states = keras.layers.Multiply()([states, keras.layers.Permute((2, 1))(weights)])
        outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(states))
        model = keras.Model(inputs, outputs)
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    reached, seen = 0.0, 0
    while reached < 0.999 and time.time() - started < 300:
        at = seen % len(data.x)
        model.fit(data.x[at : at + chunk], data.y[at : at + chunk], batch_size=batch, verbose=0)
        seen += chunk
        reached = model.evaluate(held_out.x, held_out.y, batch_size=500, verbose=0)[1]
    return {"times": [time.time() - started], "accuracy": reached, "samples": seen}


def command(run: str, started: float) -> dict[str, Any]:
    """Seconds of a whole process, from its start."""
    if run in ("import", "libraries"):
        import keras

        if run == "libraries":
            import matplotlib.figure  # noqa: F401
            import typer  # noqa: F401
        return {"times": [time.time() - started], "version": keras.__version__}
    import contextlib
    import os

    from attention_zoo.cli import main

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.argv = ["attention-zoo", "explain", "lstm_after"]
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
            main()
        if not list(Path(folder).glob("*.png")):
            raise RuntimeError("There is no picture.")
        seconds = time.time() - started
    return {"times": [seconds]}


def limits() -> dict[str, float]:
    """What this machine does in a second: products of matrices, tanh and exp, in cache."""
    import keras
    import numpy as np
    from keras import ops

    square = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(1024, 1024)), "float32")
    if keras.backend.backend() == "jax":
        import jax

        compiled: Callable[..., Any] = jax.jit
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        compiled = tf.function
    else:
        compiled = lambda function: function  # noqa: E731

    def rate(function: Any, work: float) -> float:
        function = compiled(function)
        ops.convert_to_numpy(function(square))

        def many() -> None:
            for _ in range(20):
                last = function(square)
            ops.convert_to_numpy(last)

        return 20 * work / min(_times(many, 7))

    return {
        "flops": rate(lambda x: ops.matmul(x, x), 2 * 1024**3),
        "tanh": rate(ops.tanh, 1024**2),
        "exp": rate(ops.exp, 1024**2),
    }


WORK = {f.__name__: f for f in
        (step, scores, explaining, predict, load, load_by_hand, accuracy, command,
         limits)}  # fmt: skip


def main() -> None:
    name, arguments, started = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    if name in ("accuracy", "command"):
        arguments["started"] = started
    print(json.dumps(WORK[name](**arguments)))


if __name__ == "__main__":
    main()
