"""The old packages' names and saved models, on this library's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attention_zoo.core.lazy import lazy_attributes as _lazy_attributes

if TYPE_CHECKING:
    from attention_zoo.compat.attention import Attention as Attention
    from attention_zoo.compat.keras_multi_head import MultiHead as MultiHead
    from attention_zoo.compat.keras_multi_head import MultiHeadAttention as MultiHeadAttention
    from attention_zoo.compat.keras_self_attention import SeqSelfAttention as SeqSelfAttention
    from attention_zoo.compat.keras_self_attention import (
        SeqWeightedAttention as SeqWeightedAttention,
    )
    from attention_zoo.compat.migrating import Migrated as Migrated
    from attention_zoo.compat.migrating import migrate as migrate
    from attention_zoo.compat.tensorflow_addons import BahdanauAttention as BahdanauAttention
    from attention_zoo.compat.tensorflow_addons import LuongAttention as LuongAttention

_LAZY = {
    "Attention": "attention",
    "BahdanauAttention": "tensorflow_addons",
    "LuongAttention": "tensorflow_addons",
    "MultiHead": "keras_multi_head",
    "MultiHeadAttention": "keras_multi_head",
    "SeqSelfAttention": "keras_self_attention",
    "SeqWeightedAttention": "keras_self_attention",
    "Migrated": "migrating",
    "migrate": "migrating",
}
__getattr__ = _lazy_attributes(__name__, _LAZY)

__all__ = [*_LAZY]


def __dir__() -> list[str]:
    return sorted(__all__)
