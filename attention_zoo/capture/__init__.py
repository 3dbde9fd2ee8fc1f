"""From a model and data to its attention scores, and from scores to predictions."""

from attention_zoo.capture.intervention import predict_with_scores as predict_with_scores
from attention_zoo.capture.scores import attention_scores as attention_scores
from attention_zoo.capture.scores import with_scores as with_scores
