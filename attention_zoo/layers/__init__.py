"""Attention layers for Keras 3, registered under `attention_zoo>ClassName`."""

from attention_zoo.layers import score_model as score_model  # known to load_model
from attention_zoo.layers.attention_cell import AttentionCell as AttentionCell
from attention_zoo.layers.attention_decoder import AttentionDecoder as AttentionDecoder
from attention_zoo.layers.bahdanau import BahdanauAttention as BahdanauAttention
from attention_zoo.layers.base import AttentionLayer as AttentionLayer
from attention_zoo.layers.conjunctive import ConjunctivePooling as ConjunctivePooling
from attention_zoo.layers.cross_attention import CrossAttention as CrossAttention
from attention_zoo.layers.feature import FeatureAttention as FeatureAttention
from attention_zoo.layers.hierarchical import HierarchicalAttention as HierarchicalAttention
from attention_zoo.layers.luong import LuongAttention as LuongAttention
from attention_zoo.layers.masked_conv1d import MaskedConv1D as MaskedConv1D
from attention_zoo.layers.multi_head import MultiHeadAttention as MultiHeadAttention
from attention_zoo.layers.pooling import AttentionPooling as AttentionPooling
from attention_zoo.layers.position_embedding import PositionEmbedding as PositionEmbedding
from attention_zoo.layers.positional_encoding import PositionalEncoding as PositionalEncoding
from attention_zoo.layers.quantile_output import PinballLoss as PinballLoss
from attention_zoo.layers.quantile_output import QuantileOutput as QuantileOutput
from attention_zoo.layers.register import describe as describe
from attention_zoo.layers.register import get as get
from attention_zoo.layers.register import register as register
from attention_zoo.layers.retain import RetainAttention as RetainAttention
from attention_zoo.layers.self_attention import SelfAttention as SelfAttention
from attention_zoo.layers.sharpening import EntropyRegularizer as EntropyRegularizer
from attention_zoo.layers.temporal import TemporalAttention as TemporalAttention
from attention_zoo.layers.time_pooling import TimePooling as TimePooling
from attention_zoo.layers.variable_selection import VariableSelection as VariableSelection
