"""A scikit-learn regressor that shows where it looks."""

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

    Its parameters and attributes are those of `AttentionClassifier`, but `classes_`. `model_`
    predicts in the units of y; the losses in `history_` are those of the scaled y.

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
        return self._target(y), "regression", None

    def _target(self, y: Any) -> np.ndarray:
        y = column_or_1d(y, warn=True)
        try:
            y = y.astype("float64")
        except (TypeError, ValueError):
            raise ValueError(
                f"`y` must be numbers. Received: dtype {y.dtype}, the first value {y[0]!r}"
            ) from None
        assert_all_finite(y, input_name="y")
        return y
