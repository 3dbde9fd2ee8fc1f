"""Attention layers for Keras 3, registered under `attention_zoo>ClassName`."""

from attention_zoo.layers.base import AttentionLayer as AttentionLayer
from attention_zoo.layers.feature import FeatureAttention as FeatureAttention
from attention_zoo.layers.register import describe as describe
from attention_zoo.layers.register import get as get
from attention_zoo.layers.register import register as register
from attention_zoo.layers.sharpening import EntropyRegularizer as EntropyRegularizer
from attention_zoo.layers.temporal import TemporalAttention as TemporalAttention
