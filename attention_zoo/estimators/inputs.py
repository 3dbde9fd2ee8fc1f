"""The inputs of an estimator: tables, frames, series of one length or of many."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from attention_zoo.core.identity import by_identity


@by_identity
class Inputs(NamedTuple):
    """Checked inputs.

    Attributes:
        x: float32, `(samples, features)` or `(samples, time, features)`.
        mask: of series in a list, `(samples, time)`, True where a step is real.
    """

    x: np.ndarray
    mask: np.ndarray | None = None


def read(estimator: Any, X: Any, *, reset: bool) -> Inputs:
    """Check inputs as scikit-learn does, and its `n_features_in_` and `feature_names_in_`.

    Args:
        estimator: whose attributes are set, or compared with where `reset` is false.
        X: a table or a frame; an array `(samples, time, features)`; or a list of series, each an
            array or a frame `(time, features)` of its own length.
        reset: whether this is the data to fit.

    Raises:
        ValueError: for NaN, infinite values, text, no samples, or features other than in `fit`.
    """
    try:
        return _read(estimator, X, reset)
    except (ValueError, TypeError) as error:
        _refuse_text(X, error)
        raise


def _read(estimator: Any, X: Any, reset: bool) -> Inputs:
    if _is_series(X):
        return _padded(estimator, X, reset)
    if len(getattr(X, "shape", ())) > 2:
        x = check_array(X, dtype="float32", allow_nd=True, estimator=estimator, input_name="X")
        if x.ndim != 3 or x.shape[1] == 0:
            raise ValueError(
                "`X` must be (samples, features), (samples, time, features) or a list of series. "
                f"Received: shape {x.shape}"
            )
        _same_features(estimator, x.reshape(-1, x.shape[2]), reset)
        return Inputs(x)
    if isinstance(X, (list, tuple)) and len({np.size(row) for row in X}) > 1:
        raise ValueError(
            "`X` is a list of rows of unequal length. If they are series of one feature, give "
            "each as (time, 1): [np.reshape(row, (-1, 1)) for row in X]"
        )
    return Inputs(validate_data(estimator, X, reset=reset, dtype="float32"))


def _refuse_text(X: Any, error: Exception) -> None:
    """Raise what names the columns that hold no numbers, if there are such."""
    for table in X if _is_series(X) else [X]:
        columns: dict[Any, np.ndarray]
        if hasattr(table, "columns"):
            columns = {repr(name): np.asarray(table[name]) for name in table.columns}
        elif isinstance(error, ValueError) and np.asarray(table, object).ndim == 2:
            columns = dict(enumerate(np.asarray(table, object).T))
        else:
            continue
        bad = {name: column for name, column in columns.items() if not _numeric(column)}
        if bad:
            listed = ", ".join(
                f"column {name} with {_first(column)}" for name, column in bad.items()
            )
            raise ValueError(
                f"`X` must be numbers. Received: {listed}. Leave such a column out, or encode it "
                "before, as scikit-learn's OneHotEncoder and OrdinalEncoder do."
            ) from None


def _numeric(column: np.ndarray) -> bool:
    if column.dtype.kind in "mM":
        return False
    try:
        # What a column of objects holds decides, as it does for scikit-learn
        column = np.asarray(column.tolist()) if column.dtype == object else column
        return column.dtype.kind in "biufc" or bool(column.astype("float32").size)
    except (ValueError, TypeError):
        return False


def _first(column: np.ndarray) -> str:
    """The first value that is no number, as text."""
    return repr(str(next(value for value in column if not _numeric(np.asarray([value])))))


def _is_series(X: Any) -> bool:
    listed = isinstance(X, (list, tuple)) or (
        isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    )
    return listed and len(X) > 0 and all(_rank(item) == 2 for item in X)


def _rank(item: Any) -> int:
    """The number of axes; of an array or a frame without a copy of it."""
    return len(item.shape) if hasattr(item, "shape") else np.ndim(item)


def _same_features(estimator: Any, table: Any, reset: bool) -> None:
    validate_data(estimator, table, reset=reset, skip_check_array=True)


def _padded(estimator: Any, series: Any, reset: bool) -> Inputs:
    for number, one in enumerate(series):
        if hasattr(one, "columns"):
            _same_features(estimator, one, reset and number == 0)
    arrays = [np.asarray(one) for one in series]
    for number, array in enumerate(arrays):
        if len(array) == 0 or array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"Each series of `X` must be (time, {arrays[0].shape[1]}) with at least one step, "
                f"as the first one's features are. Received: X[{number}] of shape {array.shape}"
            )
    steps = check_array(
        np.concatenate(arrays), dtype="float32", estimator=estimator, input_name="X"
    )
    if not hasattr(series[0], "columns"):
        _same_features(estimator, steps, reset)
    lengths = np.array([len(array) for array in arrays])
    mask = np.arange(lengths.max()) < lengths[:, None]
    x = np.zeros((*mask.shape, steps.shape[1]), "float32")
    x[mask] = steps
    return Inputs(x, mask)
