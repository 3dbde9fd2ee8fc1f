"""The names of the built-in layers and models, readable without importing Keras."""

from attention_zoo.core.registry import Registry

LAYERS = Registry("layer")
MODELS = Registry("model")

for _name, _class, _summary in [
    ("feature", "FeatureAttention", "weighs the features of a table or of each time step"),
    ("temporal", "TemporalAttention", "weighs the time steps of a sequence, shared or per feature"),
]:
    LAYERS.declare(_name, f"attention_zoo.layers.{_name}:{_class}", _summary)

for _name, _summary in [
    ("dense", "attention over the features of a table, then dense layers"),
    ("lstm_before", "attention over the input sequence, then an LSTM"),
    ("lstm_after", "an LSTM, then attention over its states"),
    ("gru", "a GRU, then attention over its states"),
    ("gru_before", "attention over the input sequence, then a GRU"),
]:
    MODELS.declare(_name, f"attention_zoo.models.{_name}:{_name}", _summary)
