"""What torch needs beyond `backend`, imported where torch is the backend: blocks, pairs in tiles
and its fused kernel, each differentiable twice."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention


class Blocks(torch.autograd.Function):
    """`map_blocks` on torch: the gradients of each block are added up as it is evaluated again.

    Where the gradients are to be differentiated (`create_graph=True`), what is inside the blocks
    is remembered.
    """

    @staticmethod
    def forward(ctx: Any, function: Any, first: int, *tensors: Any) -> Any:
        ctx.function, ctx.first = function, first
        ctx.save_for_backward(*tensors)
        whole, outputs = tensors[first:], None
        for i in range(len(tensors[0])):
            block = function(*(x[i] for x in tensors[:first]), *whole)
            if outputs is None:
                outputs = block.new_empty((len(tensors[0]), *block.shape))
            outputs[i] = block
        return outputs

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> tuple:
        tensors, first = ctx.saved_tensors, ctx.first
        if torch.is_grad_enabled():

            def everything(*given: Any) -> Any:
                blocks = zip(*given[:first], strict=True)
                return torch.stack([ctx.function(*block, *given[first:]) for block in blocks])

            return None, None, *_remembered(everything, tensors, upstream, ctx.needs_input_grad[2:])
        wanted = [j for j in range(len(tensors)) if ctx.needs_input_grad[j + 2]]
        found = {j: torch.zeros_like(tensors[j]) for j in wanted}
        for i in range(len(tensors[0])):
            given = [(x[i] if j < first else x).detach() for j, x in enumerate(tensors)]
            for j in wanted:
                given[j].requires_grad_()
            with torch.enable_grad():
                outputs = ctx.function(*given)
            new = torch.autograd.grad(
                outputs, [given[j] for j in wanted], upstream[i], allow_unused=True
            )
            for j, gradient in zip(wanted, new, strict=True):
                if gradient is not None:
                    (found[j][i] if j < first else found[j]).add_(gradient)
        return None, None, *(found.get(j) for j in range(len(tensors)))


class Additive(torch.autograd.Function):
    """v . tanh(q + k), some queries at a time in one buffer that is used again and again.

    Left to autograd, torch takes five buffers of that size for each block from the system and
    gives them back, which costs more than the arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, query: Any, key: Any, vector: Any, rows: int) -> Any:
        ctx.save_for_backward(query, key, vector)
        ctx.rows = rows
        logits = query.new_empty((*query.shape[:-1], key.shape[-2]))
        for at, pairs in _tiles(query, key, rows):
            logits[..., at, :] = pairs @ vector
        return logits

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> tuple:
        query, key, vector = ctx.saved_tensors
        if torch.is_grad_enabled():

            def everything(query: Any, key: Any, vector: Any) -> Any:
                return torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3)) @ vector

            needed = ctx.needs_input_grad[:3]
            return *_remembered(everything, ctx.saved_tensors, upstream, needed), None
        to_query, to_key = torch.empty_like(query), torch.zeros_like(key)
        to_vector = torch.zeros_like(vector)
        for at, pairs in _tiles(query, key, ctx.rows):
            weights = upstream[..., at, :]
            to_vector += weights.reshape(1, -1).matmul(pairs.reshape(-1, len(vector)))[0]
            weighted = pairs.square_().neg_().add_(1).mul_(weights.unsqueeze(-1))
            to_query[..., at, :] = weighted.sum(-2)
            to_key += weighted.sum(-3)
        return to_query.mul_(vector), to_key.mul_(vector), to_vector, None


class Kernel(torch.autograd.Function):
    """A function of tensors that autograd differentiates once, by another that it does twice."""

    @staticmethod
    def forward(ctx: Any, once: Any, twice: Any, *tensors: Any) -> Any:
        ctx.twice, ctx.needed = twice, [x.requires_grad for x in tensors]
        ctx.save_for_backward(*tensors)
        given = [x.detach().requires_grad_(x.requires_grad) for x in tensors]
        with torch.enable_grad():
            outputs = once(*given)
        ctx.once = given, outputs
        return outputs.detach()

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> tuple:
        if torch.is_grad_enabled():
            found = _remembered(ctx.twice, ctx.saved_tensors, upstream, ctx.needed)
            return None, None, *found
        given, outputs = ctx.once
        wanted = [x for x in given if x.requires_grad]
        new = iter(torch.autograd.grad(outputs, wanted, upstream, retain_graph=True))
        return None, None, *(next(new) if x.requires_grad else None for x in given)


def fused_attention(query: Any, key: Any, value: Any, mask: Any, causal: bool, scale: float) -> Any:
    """The softmax attention of torch's kernel; `(batch, heads, time, width)` each."""

    def kernel(query: Any, key: Any, value: Any) -> Any:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=causal, scale=scale
        )

    def plain(query: Any, key: Any, value: Any) -> Any:
        # The same in operations that have second derivatives, as the kernel has not
        with sdpa_kernel(SDPBackend.MATH):
            return kernel(query, key, value)

    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        return Kernel.apply(kernel, plain, query, key, value)
    return kernel(query, key, value)


def _remembered(function: Any, tensors: Any, upstream: Any, needed: Any) -> list:
    """The gradients of the function, to be differentiated in their turn."""
    given = [x.view_as(x) for x in tensors]
    wanted = [x for x, need in zip(given, needed, strict=True) if need]
    new = iter(
        torch.autograd.grad(
            function(*given), wanted, upstream, create_graph=True, allow_unused=True
        )
    )
    return [next(new) if need else None for need in needed]


def _tiles(query: Any, key: Any, rows: int) -> Any:
    """Slices of the queries, and tanh(q + k) of each in the same memory."""
    count = query.shape[-2]
    shape = (*query.shape[:-2], min(rows, count), key.shape[-2], key.shape[-1])
    buffer = query.new_empty(shape)
    for start in range(0, count, rows):
        at = slice(start, min(start + rows, count))
        pairs = buffer[..., : at.stop - start, :, :]
        torch.add(query[..., at, None, :], key[..., None, :, :], out=pairs)
        yield at, pairs.tanh_()
