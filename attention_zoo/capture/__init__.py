"""From a model and data to its attention scores, and from scores to predictions."""

from attention_zoo.capture.replacement import predict_with_scores as predict_with_scores
from attention_zoo.capture.scores import attention_scores as attention_scores
