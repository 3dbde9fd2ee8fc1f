"""The names of the built-in layers and models, readable without importing Keras."""

from attention_zoo.core.registry import Registry

LAYERS = Registry("layer")
MODELS = Registry("model")

for _name, _class, _summary in [
    ("feature", "FeatureAttention", "weighs the features of a table or of each time step"),
    ("temporal", "TemporalAttention", "weighs the time steps of a sequence, shared or per feature"),
    ("pooling", "AttentionPooling", "one vector from a sequence, by one or more learned queries"),
    ("conjunctive", "ConjunctivePooling", "the gated mean of each step's logits: exact sums"),
    ("luong", "LuongAttention", "one vector from a sequence, by its last state; Luong's scores"),
    ("bahdanau", "BahdanauAttention", "one vector from a sequence, by its last state; additive"),
    ("self_attention", "SelfAttention", "each step attends to every step; band and causal masks"),
    ("cross_attention", "CrossAttention", "a query sequence attends to a memory sequence"),
    ("multi_head", "MultiHeadAttention", "heads of any normalizer, grouped or with shared values"),
    ("attention_decoder", "AttentionDecoder", "a recurrent decoder that attends to a memory"),
    ("hierarchical", "HierarchicalAttention", "words to sentences to document, steps to windows"),
    ("retain", "RetainAttention", "step and variable weights of reversed recurrent layers"),
    ("variable_selection", "VariableSelection", "weighs the columns by gated residual networks"),
]:
    LAYERS.declare(_name, f"attention_zoo.layers.{_name}:{_class}", _summary)

for _name, _module, _summary in [
    ("dense", "dense", "attention over the features of a table, then dense layers"),
    ("dense_after", "dense", "dense layers on each step, then attention over them"),
    ("conv_after", "conv", "convolutions over time, then attention over their steps"),
    ("lstm_fcn", "conv", "an LSTM with attention over its states, beside convolutions"),
    ("rnn", "rnn", "an LSTM or GRU with attention before it, after it, or both"),
    ("lstm_before", "rnn", "attention over the input sequence, then an LSTM"),
    ("lstm_after", "rnn", "an LSTM, then attention over its states"),
    ("gru_before", "rnn", "attention over the input sequence, then a GRU"),
    ("gru_after", "rnn", "a GRU, then attention over its states"),
    ("gru", "rnn", "the same as gru_after"),
    ("forecaster", "forecaster", "several steps ahead, each of which attends to the past"),
]:
    MODELS.declare(_name, f"attention_zoo.models.{_module}:{_name}", _summary)
