"""The table of hyperparameters: what can be searched in every layer and factory, as data.

Each default is the layer's or factory's own. 0 and "none" stand for None, which KerasTuner does not
know: a width of 0 is the layer's own choice, usually that of its input.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from attention_zoo.tuning.hyperparameters import Hyperparameter

#: As KerasTuner's users call it.
_hp = Hyperparameter

_WIDTHS = (0, 8, 16, 32, 64)
_WINDOWS = (0, 2, 4, 8)
_SCORES = ("additive", "general", "scaled_dot", "dot")
_RECURRENT = ("lstm", "gru")
_SHARPENING = (0.0, 0.01, 0.05)


class LayerSpace(NamedTuple):
    """A layer's own hyperparameters, and the places in a factory that it can take.

    `"table"` is over the features of a table, `"before"` over a sequence that goes on as one,
    `"after"` over states that become one vector, `"ahead"` over the past for each step ahead.
    """

    hyperparameters: tuple[Hyperparameter, ...] = ()
    places: tuple[str, ...] = ()
    #: Those that not every factory can leave at None, with the value that they start from.
    needed: dict[str, int] = {}
    #: By name, the values whose weights are of one length of the series.
    one_length: dict[str, tuple[str, ...]] = {}

    @property
    def names(self) -> list[str]:
        """The names of its own hyperparameters."""
        return [one.name for one in self.hyperparameters]


class FactorySpace(NamedTuple):
    """A factory's own hyperparameters, and the place in it that attention takes."""

    hyperparameters: tuple[Hyperparameter, ...]
    place: str


def _units(default: int = 0, *, when: tuple[str, tuple[str, ...]] | None = None) -> Hyperparameter:
    return _hp("units", default, _WIDTHS, when=when, none=0)


def _flag(name: str, default: bool = False, **facts: Any) -> Hyperparameter:
    return _hp(name, default, (False, True), **facts)


_WINDOW = _hp("window", 0, _WINDOWS, none=0)
_ADDITIVE = ("score", ("additive",))
_GATED = ("form", ("conjunctive", "additive"))
_ENCODED = ("encoder", _RECURRENT)

#: What every attention layer has that has no hyperparameter of the same name in its own row.
ATTENTION: tuple[Hyperparameter, ...] = (
    _hp(
        "normalizer",
        "softmax",
        ("softmax", "entmax15", "sparsemax", "normalized_sigmoid"),
        also=("sigmoid", "uniform"),
    ),
    _hp("temperature", 1.0, (0.5, 1.0, 2.0)),
    _hp("dropout", 0.0, (0.0, 0.1, 0.2), below=1.0),
    # The strength of an entropy penalty on the scores, and the share of the epochs before it: from
    # the first epoch on it can keep a model from learning at all
    _hp("sharpening", 0.0, _SHARPENING),
    _hp("fit_first", 0.5, (0.25, 0.5, 0.75), below=1.0, when=("sharpening", _SHARPENING[1:])),
)

LAYERS: dict[str, LayerSpace] = {
    "feature": LayerSpace(places=("table", "before", "after")),
    "temporal": LayerSpace(
        (
            _flag("shared"),
            _hp("score", "location", ("location", "additive")),
            _units(when=_ADDITIVE),
        ),
        places=("before", "after"),
        one_length={"score": ("location",)},
    ),
    "pooling": LayerSpace(
        (
            _hp("score", "additive", ("additive", "dot")),
            _units(when=_ADDITIVE),
            _hp("hops", 1, (1, 2, 4)),
        ),
        places=("after",),
    ),
    "conjunctive": LayerSpace(
        (
            _units(),
            _hp("form", "conjunctive", ("conjunctive", "additive", "instance")),
            _hp("attention_units", 8, (4, 8, 16, 32), when=_GATED),
            _hp("normalizer", "sigmoid", ("sigmoid", "softmax", "entmax15"), when=_GATED),
        ),
        places=("after",),
    ),
    "luong": LayerSpace(
        (
            _hp("units", 128, (16, 32, 64, 128)),
            _hp("score", "general", ("general", "dot", "scaled_dot")),
        ),
        places=("after", "ahead"),
    ),
    "bahdanau": LayerSpace(
        (_hp("units", 128, (16, 32, 64, 128)), _hp("attention_units", 0, _WIDTHS, none=0)),
        places=("after", "ahead"),
    ),
    "self_attention": LayerSpace(
        (
            _hp("score", "additive", _SCORES),
            _units(when=_ADDITIVE),
            _WINDOW,
            _flag("use_causal_mask"),
        ),
        places=("before", "after"),
    ),
    "cross_attention": LayerSpace(
        (_hp("score", "additive", _SCORES), _units(when=_ADDITIVE)), places=("ahead",)
    ),
    "multi_head": LayerSpace(
        (
            _hp("num_heads", 4, (1, 2, 4, 8)),
            _hp("key_dim", 0, (0, 4, 8, 16, 32), none=0),
            _flag("shared_values"),
            _WINDOW,
            _flag("use_causal_mask"),
        ),
        # The layer's own is a share of the width, which not every number of heads divides
        places=("before", "after", "ahead"),
        needed={"key_dim": 8},
    ),
    "attention_decoder": LayerSpace(
        (
            _units(),
            _hp("score", "additive", _SCORES),
            _hp("attention_units", 0, _WIDTHS, when=_ADDITIVE, none=0),
            _flag("input_feeding", default=True),
        ),
    ),
    "hierarchical": LayerSpace(
        (
            _units(),
            _WINDOW,
            _hp("encoder", "none", ("none", *_RECURRENT), none="none"),
            _hp("encoder_units", 0, _WIDTHS, when=_ENCODED, none=0),
            _flag("bidirectional", default=True, when=_ENCODED),
        ),
        places=("after",),
        needed={"window": 4},
    ),
    "variable_selection": LayerSpace((_units(),), places=("table", "before", "after")),
    "retain": LayerSpace((_units(), _hp("recurrent_units", 0, _WIDTHS, none=0)), places=("after",)),
}

_DROPOUT = _hp("dropout", 0.0, (0.0, 0.1, 0.3), below=1.0)
_RECURRENT_MODEL = (
    _hp("units", 32, (8, 16, 32, 64, 128)),
    _hp("depth", 1, (1, 2)),
    _flag("bidirectional"),
    _DROPOUT,
    _hp("recurrent_dropout", 0.0, (0.0, 0.3), below=1.0),
)
_FILTERS = _hp("filters", 128, (32, 64, 128))
_DENSE_UNITS = _hp("units", 64, (16, 32, 64, 128))

FACTORIES: dict[str, FactorySpace] = {
    "dense": FactorySpace((_DENSE_UNITS, _hp("depth", 1, (1, 2, 3)), _DROPOUT), "table"),
    "dense_after": FactorySpace(
        (_DENSE_UNITS, _hp("depth", 1, (0, 1, 2)), _hp("answer_depth", 1, (0, 1, 2)), _DROPOUT),
        "after",
    ),
    "conv_after": FactorySpace((_FILTERS, _DROPOUT), "after"),
    "lstm_fcn": FactorySpace(
        (_hp("units", 8, (8, 64, 128)), _FILTERS, _hp("dropout", 0.8, (0.0, 0.5, 0.8))), "after"
    ),
    "lstm_before": FactorySpace(_RECURRENT_MODEL, "before"),
    "lstm_after": FactorySpace(_RECURRENT_MODEL, "after"),
    "gru": FactorySpace(_RECURRENT_MODEL, "after"),
    "gru_before": FactorySpace(_RECURRENT_MODEL, "before"),
    "gru_after": FactorySpace(_RECURRENT_MODEL, "after"),
    "forecaster": FactorySpace(
        (
            _hp("units", 32, (16, 32, 64)),
            _hp("depth", 1, (1, 2, 4)),
            _DROPOUT,
            _hp("encoder", "gru", (*_RECURRENT, "conv", "none"), none="none"),
            _hp("level", "none", ("none", "last", "mean"), none="none"),
        ),
        "ahead",
    ),
    "rnn": FactorySpace((_hp("cell", "lstm", _RECURRENT), *_RECURRENT_MODEL), "after"),
}

#: How the model is trained, whatever it is.
TRAINING: tuple[Hyperparameter, ...] = (
    _hp("learning_rate", 1e-3, low=1e-3, high=2e-2),
    _hp("batch_size", 32, (16, 32, 64)),
)
