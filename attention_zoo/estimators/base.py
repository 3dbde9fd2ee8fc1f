"""What the classifier and the regressor share."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from attention_zoo.capture import attention_scores
from attention_zoo.data.splitting import split_off
from attention_zoo.estimators.inputs import read
from attention_zoo.estimators.layout import layout_of
from attention_zoo.estimators.plan import check_options, choose, recipe_of
from attention_zoo.explaining import Explanation, explain
from attention_zoo.models import name_classes
from attention_zoo.training import Dataset
from attention_zoo.training.compiled_cache import CompiledModelCache
from attention_zoo.training.fit import fit
from attention_zoo.training.memory import many_models
from attention_zoo.training.seeding import ONE_AT_A_TIME

#: Cross-validation and grid search fit one model many times.
CACHE = CompiledModelCache()

#: How many samples are predicted at once.
_BATCH = 1000

_COUNT = [Interval(Integral, 1, None, closed="left")]


class AttentionEstimator(BaseEstimator):
    """Parameters, training, attention, and files; see the two subclasses."""

    _parameter_constraints: dict[str, Any] = {
        "architecture": [str],
        "attention": "no_validation",
        "units": [*_COUNT, None],
        "depth": [*_COUNT, None],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
        "options": [dict, None],
        "standardize": ["boolean"],
        "mask_value": [Interval(Real, None, None, closed="neither"), None],
        "epochs": [*_COUNT, None],
        "batch_size": [*_COUNT, None],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": _COUNT,
        "random_state": ["random_state"],
        "verbose": ["verbose", StrOptions({"auto"})],
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
        random_state: Any = None,
        verbose: Any = 0,
    ):
        self.architecture = architecture
        self.attention = attention
        self.units = units
        self.depth = depth
        self.dropout = dropout
        self.options = options
        self.standardize = standardize
        self.mask_value = mask_value
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train a new model.

        Args:
            X: a table or a frame, `(samples, features)`; series, `(samples, time, features)`; or
                a list of series `(time, features)`, each of its own length.
            y: `(samples,)`.
            sample_weight: `(samples,)`, at least 0: how much each sample counts.

        Returns:
            The estimator itself.

        Raises:
            ValueError: for parameters or data that are not allowed.
            attention_zoo.training.TrainingError: if the loss becomes NaN or infinite.
        """
        self._validate_params()
        check_options(self.options)
        inputs = read(self, X, reset=True)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        y, kind, classes = self._read_target(y)
        check_consistent_length(inputs.x, y)
        architecture, config = choose(self, kind, inputs.x.shape[1:])
        layout = layout_of(architecture, inputs, self.mask_value)
        x, mask_value = layout.arrange(inputs)
        data = Dataset(
            x, y, kind, mask_value=mask_value, classes=classes, any_length=layout.any_length
        )
        weights = self._weights(sample_weight, y)
        if weights is not None:
            counted = np.flatnonzero(weights)
            weights = weights / weights[counted].mean()
            data = dataclasses.replace(data, sample_weight=weights).take(counted)
        with ONE_AT_A_TIME:  # else a fit in another thread may have seeded what is drawn from
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        recipe = recipe_of(self, layout, data, seed, config)
        train, validation = data, None
        if self.early_stopping:
            train, validation = split_off(data, self.validation_fraction, seed)
        options: dict[str, Any] = {"cache": CACHE, "endless": True, "verbose": self.verbose}
        self.model_, self.history_ = fit(recipe, train, validation, **options)
        self.recipe_, self.layout_ = recipe, layout
        self.n_iter_ = len(self.history_["loss"])
        name_classes(self.model_, classes)
        return self

    def _weights(self, sample_weight: Any, y: np.ndarray) -> np.ndarray | None:
        """How much each sample counts; None if all count the same."""
        if sample_weight is None:
            return None
        weights = _check_sample_weight(sample_weight, y, dtype="float32", ensure_non_negative=True)
        if not weights.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return weights

    def attention_scores(self, X: Any) -> dict[str, np.ndarray]:
        """Return where the model attends, as `az.attention_scores`.

        Args:
            X: as in `fit`.

        Returns:
            `{layer name: scores (samples, ...)}`, exactly 0 on padding.

        Raises:
            ValueError: if X does not fit, or the model has no attention.
        """
        x = self._read(X)
        return attention_scores(self.model_, x)

    def explain(
        self,
        X: Any,
        y: Any = None,
        *,
        truth: Any = None,
        step_names: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> Explanation:
        """Return what the model predicts and where it attends, as `az.explain`.

        Args:
            X: as in `fit`.
            y: the targets, if they are known.
            truth: 1 on the relevant inputs, if they are known.
            step_names: labels of the time steps; by default the columns in `fit`, if the rows of
                a frame are read as series.
            feature_names: labels of the features; by default the columns in `fit`.

        Returns:
            An `Explanation`, whose classes are the labels.
        """
        x = self._read(X)
        columns = getattr(self, "feature_names_in_", None)
        if self.layout_.rows_are_series:
            step_names = columns if step_names is None else step_names
        elif feature_names is None:
            feature_names = columns
        return explain(
            self.model_, x, y=y, truth=truth, step_names=step_names, feature_names=feature_names
        )

    def _read(self, X: Any) -> np.ndarray:
        """Inputs as the fitted model takes them."""
        check_is_fitted(self)
        return self.layout_.arrange(read(self, X, reset=False))[0]

    def _predictions(self, X: Any) -> np.ndarray:
        x = self._read(X)
        # Keras's `predict` takes longer to begin than a small model to predict
        parts = range(0, len(x), _BATCH)
        with many_models():
            predictions = [self.model_.predict_on_batch(x[i : i + _BATCH]) for i in parts]
        return np.concatenate(predictions).astype("float64")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            # Keras's own file, which any backend reads
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.keras"
                state["model_"].save(path)
                state["model_"] = path.read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "model_" in state:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.keras"
                path.write_bytes(state["model_"])
                state["model_"] = keras.models.load_model(path, compile=False)
            if "classes_" in state:
                name_classes(state["model_"], state["classes_"].tolist())
        super().__setstate__(state)
