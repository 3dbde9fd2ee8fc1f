"""A scikit-learn regressor that shows where it attends."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import assert_all_finite, column_or_1d

from attention_zoo.estimators.base import AttentionEstimator


class AttentionRegressor(RegressorMixin, AttentionEstimator):
    """A regressor of tables and series with attention, for scikit-learn's tools.

    As `AttentionClassifier`, for a quantity: it trains on the mean squared error, with y scaled
    to a mean of 0 and a variance of 1, which the trained model undoes.

    Its attributes are those of `AttentionClassifier`, but `classes_`. `model_`
    predicts in the units of y; the losses in `history_` are those of the scaled y.

    Args:
        architecture: a name from `az.list_models()`, or `"auto"`: `"dense"` for tables; for series
            `"gru"` (docs/which.md).
            Any other than `"dense"` reads the rows of a table as series of one feature.
        attention: an attention layer by its name, its config or itself; None for none; `"auto"`
            for the architecture's own.
        units: the width of its hidden or recurrent layers; None for the architecture's own.
        depth: their number; None for the architecture's own.
        dropout: the fraction dropped in training; None for the architecture's own.
        options: further arguments of the architecture, such as `{"bidirectional": True}`.
        standardize: whether the model scales the features, by their mean and variance in `fit`.
        mask_value: in an array of series, a step whose features all have this value is padding.
            Series in a list need none.
        epochs: how often training sees each sample; None for 30, or for so many that there are
            about 1,000 updates of the weights, whichever are more.
        batch_size: how many samples an update of the weights sees; None for 32.
        learning_rate: of Adam; None for .001.
        early_stopping: whether some samples are held out, training ends when the loss on them no
            longer falls, and the weights of the lowest are restored. Else all samples train.
        validation_fraction: the share that `early_stopping` holds out.
        n_iter_no_change: so many epochs without a lower loss end the training.
        random_state: an integer for the same result again.
        verbose: as in `keras.Model.fit`: 0 prints nothing.

    Example:

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> reg = az.AttentionRegressor(epochs=20, random_state=0).fit(X, y)
    >>> bool(reg.score(X, y) > 0.4)
    True
    """

    def predict(self, X: Any) -> np.ndarray:
        """The quantity of each sample, in the precision in which the model computes it."""
        return self._predictions(X)[:, 0].astype("float32")

    def _read_target(self, y: Any) -> tuple[np.ndarray, str, None]:
        y = column_or_1d(y, warn=True)
        try:
            y = y.astype("float64")
        except (TypeError, ValueError):
            raise ValueError(
                f"`y` must be numbers. Received: dtype {y.dtype}, the first value {y[0]!r}"
            ) from None
        assert_all_finite(y, input_name="y")
        return y, "regression", None
