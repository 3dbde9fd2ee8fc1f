"""A scikit-learn classifier that shows where it attends."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from attention_zoo.estimators.base import AttentionEstimator


class AttentionClassifier(ClassifierMixin, AttentionEstimator):
    """A classifier of tables and series with attention, for scikit-learn's tools.

    It trains a model of `az.build` with Adam on the log loss. It works in pipelines, grid search
    and cross-validation, and can be pickled and copied. NaN is refused.

    Args:
        architecture: a name from `az.list_models()`, or `"auto"`: `"dense"` for tables; for series
            `"conv_after"`, or `"gru"` where `units`, `depth` or `options` are none of its arguments
            (docs/which.md). All but `"dense"` read the rows of a table as series of one feature.
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
        batch_size: how many samples an update of the weights sees; None for 32, of `"conv_after"`
            16.
        learning_rate: of Adam; None for .001, of `"conv_after"` .005 at the highest.
        early_stopping: whether some samples are held out, training ends when the loss on them no
            longer falls, and the weights of the lowest are restored. Else all samples train.
        validation_fraction: the share that `early_stopping` holds out, of each class.
        n_iter_no_change: so many epochs without a lower loss end the training.
        class_weight: how much each class counts, `{label: weight}`; `"balanced"` for the inverse of
            its frequency; None if all count the same.
        random_state: an integer for the same result again.
        verbose: as in `keras.Model.fit`: 0 prints nothing.

    Attributes:
        classes_: the labels, sorted.
        model_: the trained `keras.Model`, for `az.save`, `az.export`, `az.trust` and the like.
        history_: `{name: one value an epoch}`.
        n_iter_: the number of epochs of the training.
        recipe_: the `az.training.Recipe` of what was trained.
        layout_: how inputs become what the model takes.
        n_features_in_, feature_names_in_: as everywhere in scikit-learn; of series, those of a
            step.

    Example:

    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> clf = az.AttentionClassifier(epochs=20, random_state=0).fit(X, y)
    >>> bool(clf.score(X, y) > 0.9)
    True
    >>> clf.attention_scores(X)["attention"].shape
    (178, 13)
    >>> clf.explain(X, y).feature_names[:2]
    ['alcohol', 'malic_acid']
    """

    _parameter_constraints = {
        **AttentionEstimator._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        architecture: str = "auto",
        attention: Any = "auto",
        *,
        units: int | None = None,
        depth: int | None = None,
        dropout: float | None = None,
        options: dict[str, Any] | None = None,
        standardize: bool = True,
        mask_value: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        class_weight: Any = None,
        random_state: Any = None,
        verbose: Any = 0,
    ):
        super().__init__(
            architecture,
            attention,
            units=units,
            depth=depth,
            dropout=dropout,
            options=options,
            standardize=standardize,
            mask_value=mask_value,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def predict(self, X: Any) -> np.ndarray:
        """The label of each sample."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, `(samples, classes)`, in the order of `classes_`."""
        predictions = self._predictions(X)
        if predictions.shape[1] == 1:
            return np.hstack([1 - predictions, predictions])
        return predictions / predictions.sum(axis=1, keepdims=True)

    def _read_target(self, y: Any) -> tuple[np.ndarray, str, list[Any]]:
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        if y.dtype == object and any(label is None for label in y):
            raise ValueError("`y` has missing labels: leave their samples out. Received: None")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            only = self.classes_.tolist()[0]
            raise ValueError(f"`y` has one class only ({only!r}): there is nothing to learn.")
        kind = "binary" if len(self.classes_) == 2 else "multiclass"
        return codes.astype("float32"), kind, self.classes_.tolist()

    def _weights(self, sample_weight: Any, y: np.ndarray) -> np.ndarray | None:
        weights = super()._weights(sample_weight, y)
        if self.class_weight is None:
            return weights
        labels = self.classes_[y.astype(int)]
        by_class = compute_sample_weight(self.class_weight, labels).astype("float32")
        return by_class if weights is None else by_class * weights
