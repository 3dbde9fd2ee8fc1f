"""LSTM and GRU models with attention before, after or both: `rnn`, and the names of its forms."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import keras

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of
from attention_zoo.layers.positional_encoding import PositionalEncoding
from attention_zoo.layers.time_pooling import REDUCTIONS
from attention_zoo.models import parts
from attention_zoo.models.register import register_model

_CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


@register_model("rnn")
def rnn(
    input_shape: Any,
    attention: Any = "temporal",
    *,
    cell: str = "lstm",
    attention_before: Any = None,
    units: int = 32,
    depth: int = 1,
    bidirectional: bool = False,
    pooling: str | None = None,
    normalize: bool | None = None,
    positions: bool | None = None,
    outputs: int = 1,
    activation: Any = None,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    return_sequences: bool = False,
    mask_value: float | None = None,
    standardize: bool = False,
    _name: str = "rnn",
) -> keras.Model:
    """A model for sequences: LSTM or GRU layers, with attention after them, before them, or both.

    ```
    x -> attention_before -> LSTM(units) or GRU(units) ... -> normalize, positions -> attention
      -> pooling over time -> Dense(outputs)
    ```

    Attention before the recurrent layers weighs what was measured; after them, it weighs their
    states. Both together are the two stages of Qin et al., 2017 (arXiv:1704.02971), such as
    `attention_before="feature"` and `attention="temporal"`: first which features, then which steps.

    `lstm_after`, `gru_after` (also called `gru`), `lstm_before` and `gru_before` are the forms
    with one attention layer.

    Args:
        input_shape: `(time, features)`; time is None where the attention layer takes any length.
        attention: the attention over the states: a name, config or layer that takes `(batch, time,
            units)`; None for the mean over time.
        cell: `"lstm"` or `"gru"`.
        attention_before: the attention over the inputs: a name, config or layer that keeps
            `(batch, time, features)`; None for none.
        units: the width of each recurrent layer, in each direction.
        depth: the number of recurrent layers.
        bidirectional: whether each reads the sequence both ways.
        pooling: how one vector comes from the attended states, if the attention layer has not
            made one: `"sum"`, the context vector, by default after a layer that weighs the steps;
            `"mean"`, by default after all others; `"flatten"`, which gives each step its own
            weights in the answer; `"last"`, the last state, which needs `attention=None`.
        normalize: a `keras.layers.LayerNormalization` of the states before the attention, which
            then learns where to look in fewer epochs. None: where there is attention.
        positions: put each step's place beside the state that attention sees, a
            `PositionalEncoding`. None: where there is attention that does not know places by its
            weights, as `temporal` with `score="location"` does.
        outputs, activation: 1 and None for regression, 1 and `"sigmoid"` for two classes, the
            number of classes and `"softmax"` for more.
        dropout: the fraction of the inputs of each recurrent layer and of the output dropped in
            training.
        recurrent_dropout: the fraction of the recurrent state dropped in training.
        return_sequences: one answer for each step, `(batch, time, outputs)`, instead of one for
            the sequence. The attention layers must keep the steps.
        mask_value: a step whose features all have this value is padding; None for no padding.
        standardize: begin with a `keras.layers.Normalization`, to be adapted to the data.

    Returns:
        A functional model `(batch, time, features) -> (batch, outputs)`, or `(batch, time,
        outputs)` with `return_sequences`. Its attention layers are called `"attention_before"` and
        `"attention"` unless they have names.

    Raises:
        ValueError: for an argument out of its range, an attention layer that does not fit its
            place, or arguments that exclude each other.
        TypeError: for a flag that is neither True nor False.

    Example:

    >>> model = az.build("rnn", input_shape=(20, 3), cell="gru", attention_before="feature")
    >>> scores = az.attention_scores(model, np.zeros((2, 20, 3)))
    >>> {name: array.shape for name, array in scores.items()}
    {'attention_before': (2, 20, 3), 'attention': (2, 20, 32)}
    """
    checks.positive_int("units", units)
    checks.positive_int("depth", depth)
    checks.boolean("bidirectional", bidirectional)
    checks.rate("dropout", dropout)
    checks.rate("recurrent_dropout", recurrent_dropout)
    checks.boolean("return_sequences", return_sequences)
    if cell not in _CELLS:
        raise one_of("cell", cell, _CELLS)
    if pooling is not None and pooling not in (*REDUCTIONS, "last"):
        raise one_of("pooling", pooling, (*REDUCTIONS, "last"))
    if pooling == "last" and (attention is not None or normalize or positions):
        raise ValueError(
            "`pooling='last'` is the last state as it is: it needs `attention=None`, and neither "
            "`normalize` nor `positions`. Attention over the inputs is `attention_before`."
        )
    if pooling is not None and return_sequences:
        raise ValueError(
            "`pooling` makes one vector of the steps, which `return_sequences=True` keeps: give "
            f"one of the two. Received: pooling={pooling!r}"
        )
    if attention is not None and attention is attention_before:
        raise ValueError("`attention` and `attention_before` must be two layers, not the same one.")
    inputs, x = parts.entry(input_shape, ("time", "features"), standardize, mask_value)
    # In a form with one attention layer, the layer before is its `attention`
    argument = "attention_before" if _name == "rnn" else "attention"
    x = parts.attend(attention_before, x, argument)
    for level in range(1, depth + 1):
        layer = _CELLS[cell](
            units,
            return_sequences=pooling != "last" or level < depth,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            name=cell if depth == 1 else f"{cell}_{level}",
        )
        if bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bi_{layer.name}")
        x = layer(x)
    x = _described(attention, x, normalize, positions)
    if return_sequences:
        x = parts.attend(attention, x)
    elif pooling != "last":
        x = parts.attend_and_pool(attention, x, pooling)
    return keras.Model(inputs, parts.head(x, outputs, activation, dropout), name=_name)


def _described(attention: Any, states: Any, normalize: bool | None, positions: bool | None) -> Any:
    """The states, normalized and with their places; None is where that helps.

    States are small at first, and so would be the logits and the gradients of the scores. Attention
    by location has the places in its weights.
    """
    checks.boolean("normalize", normalize, none=True)
    checks.boolean("positions", positions, none=True)
    attended = attention is not None
    by_location = getattr(attention, "score", None) == "location"
    if normalize or (normalize is None and attended):
        states = keras.layers.LayerNormalization(name="normalize")(states)
    if positions or (positions is None and attended and not by_location):
        states = PositionalEncoding(name="positions")(states)
    return states


_rnn = inspect.unwrap(rnn)

#: By the place of the one attention layer: its line, and the arguments of `rnn` that it excludes.
_FORMS = {
    "before": (
        "A model for sequences: attention over the inputs, then {} layers.",
        ("cell", "attention", "pooling", "normalize", "positions"),
    ),
    "after": (
        "A model for sequences: {} layers, then attention over their states.",
        ("cell", "attention_before", "return_sequences"),
    ),
}
_FORM_DOC = """{line}

{what}

Args:
{arguments}
Returns:
    A functional model `(batch, time, features) -> (batch, outputs)`{each}.

Raises:
    ValueError: for an argument out of its range, or an attention layer that does not fit.
    TypeError: for a flag that is neither True nor False.

Example:

>>> model = az.build("{name}", input_shape=(20, 2), attention="temporal", outputs=1)
>>> model.output_shape
(None, 1)
"""


def _form(name: str, cell: str, place: str) -> Callable[..., keras.Model]:
    """Register `rnn` with a fixed cell and one attention layer, called `attention`."""
    line, without = _FORMS[place]
    before = place == "before"

    def form(input_shape: Any, attention: Any, **config: Any) -> keras.Model:
        if not before:
            return _rnn(input_shape, attention, cell=cell, _name=name, **config)
        config["pooling"] = None if config["return_sequences"] else "last"
        config["attention_before"] = attention
        return _rnn(input_shape, None, cell=cell, _name=name, **config)

    form.__name__ = form.__qualname__ = name
    known = dict(inspect.signature(rnn).parameters)
    entries = re.findall(
        r"^    (\w[\w, ]*)(:.*\n(?:        .*\n)*)", inspect.getdoc(rnn) or "", re.M
    )
    shown = [(n, text) for n, text in entries if n.split(",")[0] in known and n not in without]
    if before:
        shown = [("attention" if n == "attention_before" else n, text) for n, text in shown]
        what = f'`rnn` with `cell="{cell}"`, this layer as `attention_before`, and no other.'
    else:
        what = f'`rnn` with `cell="{cell}"` and no attention before.'
    arguments = "".join(f"    {n}{text}" for n, text in shown)
    each = ", or `(batch, time,\n    outputs)` with `return_sequences`" if before else ""
    line = line.format(cell.upper())
    form.__doc__ = _FORM_DOC.format(line=line, what=what, name=name, arguments=arguments, each=each)
    left = [
        p for n, p in known.items() if n == "attention" or n not in (*without, "attention_before")
    ]
    return register_model(name, inspect.Signature(left))(form)


lstm_before = _form("lstm_before", "lstm", "before")
lstm_after = _form("lstm_after", "lstm", "after")
gru_before = _form("gru_before", "gru", "before")
gru_after = _form("gru_after", "gru", "after")
gru = _form("gru", "gru", "after")
