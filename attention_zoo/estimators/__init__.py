"""scikit-learn's interface: fit, predict, and where the model attends."""

from attention_zoo.core.optional import require as _require

_require("sklearn", extra="sklearn")

from attention_zoo.estimators.base import AttentionEstimator as AttentionEstimator  # noqa: E402
from attention_zoo.estimators.classifier import AttentionClassifier as AttentionClassifier  # noqa: E402
from attention_zoo.estimators.regressor import AttentionRegressor as AttentionRegressor  # noqa: E402
