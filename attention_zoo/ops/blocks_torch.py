"""What torch's autograd needs to hold one block at a time. Imported where torch is the backend."""

from __future__ import annotations

from typing import Any

import torch


class Blocks(torch.autograd.Function):
    """`map_blocks` on torch: the gradients of each block are added up as it is evaluated again."""

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
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Any) -> tuple:
        tensors, first = ctx.saved_tensors, ctx.first
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
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Any) -> tuple:
        query, key, vector = ctx.saved_tensors
        to_query, to_key = torch.empty_like(query), torch.zeros_like(key)
        to_vector = torch.zeros_like(vector)
        for at, pairs in _tiles(query, key, ctx.rows):
            weights = upstream[..., at, :]
            to_vector += weights.reshape(1, -1).matmul(pairs.reshape(-1, len(vector)))[0]
            slopes = pairs.square_().neg_().add_(1).mul_(weights.unsqueeze(-1))
            to_query[..., at, :] = slopes.sum(-2)
            to_key += slopes.sum(-3)
        return to_query.mul_(vector), to_key.mul_(vector), to_vector, None


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
