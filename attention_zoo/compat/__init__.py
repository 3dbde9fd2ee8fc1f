"""The old packages' names and saved models, on this library's layers."""

from attention_zoo.compat.attention import Attention as Attention
from attention_zoo.compat.keras_multi_head import MultiHead as MultiHead
from attention_zoo.compat.keras_multi_head import MultiHeadAttention as MultiHeadAttention
from attention_zoo.compat.keras_self_attention import SeqSelfAttention as SeqSelfAttention
from attention_zoo.compat.keras_self_attention import SeqWeightedAttention as SeqWeightedAttention
from attention_zoo.compat.migrating import Migrated as Migrated
from attention_zoo.compat.migrating import migrate as migrate
from attention_zoo.compat.tensorflow_addons import BahdanauAttention as BahdanauAttention
from attention_zoo.compat.tensorflow_addons import LuongAttention as LuongAttention
