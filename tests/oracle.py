"""What each layer computes, in float64 NumPy, sharing no code with the package.

An oracle takes the built layer (for its arguments and its weights by name), the inputs and the
masks by name, and returns the outputs and the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def weights(layer: Any) -> dict[str, np.ndarray]:
    """The layer's own weights by name, in float64."""
    return {v.name: np.asarray(_numpy(v), "float64") for v in layer.weights}


def _numpy(value: Any) -> np.ndarray:
    import keras

    return keras.ops.convert_to_numpy(value)


def _simplex(z: np.ndarray, alpha: float) -> np.ndarray:
    """alpha-entmax of one vector by plain bisection on its threshold."""
    z = (alpha - 1) * z
    low, high = z.max() - 1.0, z.max()
    for _ in range(200):
        tau = (low + high) / 2
        mass = (np.maximum(z - tau, 0) ** (1 / (alpha - 1))).sum()
        low, high = (tau, high) if mass >= 1 else (low, tau)
    return np.maximum(z - low, 0) ** (1 / (alpha - 1))


def one(name: Any, z: np.ndarray) -> np.ndarray:
    """The scores of one vector of visible logits."""
    options = {} if isinstance(name, str) else name
    name = options.get("name", name)
    if name == "softmax":
        return np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    if name == "uniform":
        return np.full(len(z), 1 / len(z))
    if name in ("sigmoid", "normalized_sigmoid"):
        p = 1 / (1 + np.exp(-z))
        return p if name == "sigmoid" else p / p.sum()
    return _simplex(z, {"sparsemax": 2.0, "entmax15": 1.5}.get(name) or options["alpha"])


def normalize(layer: Any, logits: np.ndarray, mask: np.ndarray | None, axis: int) -> np.ndarray:
    """Every vector of logits along `axis`, visible cells only; zeros elsewhere."""
    z = np.moveaxis(logits / layer.temperature, axis, -1)
    seen = np.ones(z.shape, bool)
    if mask is not None:
        seen = np.moveaxis(np.broadcast_to(mask, logits.shape), axis, -1)
    scores = np.zeros(z.shape)
    for at in np.ndindex(z.shape[:-1]):
        if seen[at].any():
            scores[at][seen[at]] = one(layer.normalizer, z[at][seen[at]])
    return np.moveaxis(scores, -1, axis)


def hidden(x: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """The input with zeros where it is masked."""
    x = x.astype("float64").copy()
    if mask is not None:
        x[~mask] = 0
    return x


def feature(layer: Any, inputs: dict, masks: dict) -> tuple:
    """softmax(x W + b) * x over the last axis."""
    mask, w = masks.get("mask"), weights(layer)
    x = hidden(inputs["inputs"], mask)
    logits = x @ w["kernel"] + w.get("bias", 0)
    seen = mask if mask is None or mask.ndim == x.ndim else mask[..., None]
    scores = normalize(layer, logits, seen, -1)
    return scores * x, scores


def variable_selection(layer: Any, inputs: dict, masks: dict) -> tuple:
    """One cell of the leading axes at a time, one column at a time."""
    mask, w = masks.get("mask"), weights(layer)
    x = hidden(inputs["inputs"], mask)
    columns = x.shape[-1]
    width = w["embedding"].shape[1]
    seen = np.ones(x.shape, bool)
    if mask is not None:
        seen = seen & (mask if mask.ndim == x.ndim else mask[..., None])

    def network(name: str, j: int, count: int, a: np.ndarray, skipped: np.ndarray) -> np.ndarray:
        def own(part: str) -> Any:
            found = w.get(f"{name}_{part}", np.zeros(count))
            size = found.shape[-1] // count
            return found[..., j * size : (j + 1) * size]

        def dense(part: str, a: np.ndarray) -> np.ndarray:
            return a @ own(part) + own(f"{part}_bias")

        h = dense("kernel", a)
        h = dense("hidden", np.where(h > 0, h, np.exp(np.minimum(h, 0)) - 1))
        total = skipped + dense("value", h) / (1 + np.exp(-dense("gate", h)))
        total = (total - total.mean()) / np.sqrt(total.var() + 1e-3)
        return total * own("scale") + own("shift")

    logits, read = np.empty(x.shape), np.empty((*x.shape, width))
    for at in np.ndindex(x.shape[:-1]):
        e = x[at][:, None] * w["embedding"] + w.get("embedding_bias", 0)
        e = e * seen[at][:, None]
        flat = e.ravel()
        logits[at] = network("weights", 0, 1, flat, flat @ w["skip_kernel"])
        read[at] = [network("columns", j, columns, e[j], e[j]) for j in range(columns)]
    scores = normalize(layer, logits, seen, -1)
    return (scores[..., None] * read).sum(-2), scores


def temporal(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Weights over time from a dense layer over time, or from each step's content."""
    mask, w = masks.get("mask"), weights(layer)
    x = hidden(inputs["inputs"], mask)
    if layer.score == "location":
        logits = np.einsum("bsf,st->btf", x, w["kernel"]) + w.get("bias", 0)
    else:
        logits = np.tanh(x @ w["kernel"] + w.get("bias", 0)) @ w["score_kernel"]
    scores = normalize(layer, logits, None if mask is None else mask[..., None], 1)
    outputs = x * scores
    if layer.shared:
        scores = scores.mean(-1)
        outputs = x * scores[..., None]
    return outputs, scores


def pooling(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Steps weighed by their fit to each learned query."""
    mask, w = masks.get("mask"), weights(layer)
    x = hidden(inputs["inputs"], mask)
    fitted = np.tanh(x @ w["kernel"] + w.get("bias", 0)) if layer.score == "additive" else x
    logits = np.einsum("btu,uh->bht", fitted, w["queries"])
    scores = normalize(layer, logits, None if mask is None else mask[:, None], -1)
    outputs = np.concatenate([(s[..., None] * x).sum(1) for s in scores.swapaxes(0, 1)], axis=-1)
    return outputs, scores[:, 0] if layer.hops == 1 else scores


def conjunctive(layer: Any, inputs: dict, masks: dict) -> tuple:
    """The logits of each visible step, weighed by its gate, sample by sample."""
    mask, w = masks.get("mask"), weights(layer)
    x, bias = hidden(inputs["inputs"], mask), w.get("bias", 0)
    seen = np.ones(x.shape[:2], bool) if mask is None else mask
    scores, outputs = np.zeros(x.shape[:2]), np.zeros((len(x), w["kernel"].shape[1]))
    for b in range(len(x)):
        steps = np.flatnonzero(seen[b])
        gate = np.full(len(steps), 1 / max(len(steps), 1))
        if layer.form != "instance":
            fitted = np.tanh(x[b, steps] @ w["gate_kernel"] + w.get("gate_bias", 0))
            gate = normalize(layer, (fitted @ w["gate_vector"])[:, 0], None, -1)
        scores[b, steps] = gate
        if layer.form != "instance" and layer.normalizer == "sigmoid":
            gate = gate / max(len(steps), 1)
        for a, t in zip(gate, steps, strict=True):
            if layer.form == "additive":
                outputs[b] += (a * x[b, t]) @ w["kernel"] + bias / len(steps)
            else:
                outputs[b] += a * (x[b, t] @ w["kernel"] + bias)
    if layer.activation == "softmax":
        outputs = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True)
    return _sigmoid(outputs) if layer.activation == "sigmoid" else outputs, scores


def many_to_one(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Luong's and Bahdanau's: one query at a time over the visible keys of its sample."""
    w, query = weights(layer), inputs["query"]
    if "value" not in inputs:
        mask = masks.get("mask")
        value = key = hidden(query, mask)
        seen = np.ones(query.shape[:2], bool) if mask is None else mask
        query = np.zeros((len(value), 1, value.shape[2]))
        for b in np.flatnonzero(seen.any(1)):
            first, *_, last = np.flatnonzero(seen[b])[[0, -1]]
            query[b, 0] = value[b, last]
            if layer.bidirectional:
                half = value.shape[2] // 2
                query[b, 0, half:] = value[b, first, half:]
        squeezed, asked = True, np.ones((len(value), 1), bool)
    else:
        value, key = inputs["value"], inputs.get("key", inputs["value"])
        seen = np.ones(value.shape[:2], bool)
        for name in ("value_mask", "key_mask"):
            seen = seen & masks[name] if masks.get(name) is not None else seen
        value, key, squeezed = hidden(value, seen), hidden(key, seen), query.ndim == 2
        query = query[:, None] if squeezed else query
        asked = masks.get("query_mask")
        asked = np.ones(query.shape[:2], bool) if asked is None else asked
        query = hidden(query, asked)
    logits = np.empty((*query.shape[:2], key.shape[1]))
    for b, i, t in np.ndindex(logits.shape):
        logits[b, i, t] = _fit(layer.score, w, query[b, i], key[b, t])
    scores = normalize(layer, logits, asked[:, :, None] & seen[:, None], -1)
    context = np.einsum("bit,btf->bif", scores, value)
    outputs = np.tanh(np.concatenate([context, query], -1) @ w["output_kernel"])
    return (outputs[:, 0], scores[:, 0]) if squeezed else (outputs, scores)


def _fit(score: str, w: dict[str, np.ndarray], q: np.ndarray, k: np.ndarray) -> float:
    """How well one query fits one key."""
    if score == "additive":
        inner = q @ w["query_kernel"] + k @ w["key_kernel"] + w.get("score_bias", 0)
        return np.tanh(inner) @ w["score_vector"]
    if score == "general":
        return q @ w["score_kernel"] @ k
    return q @ k / (np.sqrt(len(q)) if score == "scaled_dot" else 1.0)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def recurrent_step(kind: str, w: list[np.ndarray], x: np.ndarray, state: tuple) -> tuple:
    """The states of one sample after one step of Keras's GRU (reset after), LSTM or SimpleRNN."""
    kernel, recurrent, bias = w
    if kind == "SimpleRNN":
        return (np.tanh(x @ kernel + bias + state[0] @ recurrent),)
    if kind == "GRU":
        xz, xr, xh = np.split(x @ kernel + bias[0], 3)
        hz, hr, hh = np.split(state[0] @ recurrent + bias[1], 3)
        update = _sigmoid(xz + hz)
        return (update * state[0] + (1 - update) * np.tanh(xh + _sigmoid(xr + hr) * hh),)
    i, f, c, o = np.split(x @ kernel + state[0] @ recurrent + bias, 4)
    carry = _sigmoid(f) * state[1] + _sigmoid(i) * np.tanh(c)
    return _sigmoid(o) * np.tanh(carry), carry


def _start(w: list[np.ndarray]) -> tuple:
    return (np.zeros(len(w[1])), np.zeros(len(w[1])))


def _run(kind: str, sublayer: Any, x: np.ndarray, steps: Any) -> np.ndarray:
    """The states of one sample `(time, width)` along the given steps; zeros at all others."""
    w = [np.asarray(_numpy(v), "float64") for v in sublayer.trainable_variables]
    state, states = _start(w), np.zeros((len(x), len(w[1])))
    for t in steps:
        state = recurrent_step(kind, w, x[t], state)
        states[t] = state[0]
    return states


def _encode(layer: Any, sublayer: Any, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
    if sublayer is None:
        return x
    kind, steps = {"gru": "GRU", "lstm": "LSTM"}[layer.encoder], np.flatnonzero(seen)
    if not layer.bidirectional:
        return _run(kind, sublayer, x, steps)
    forward = _run(kind, sublayer.forward_layer, x, steps)
    backward = _run(kind, sublayer.backward_layer, x, steps[::-1])
    return np.concatenate([forward, backward], axis=-1)


def _level(layer: Any, name: str, x: np.ndarray, seen: np.ndarray) -> tuple:
    """One vector from `(steps, width)`, and the scores of its steps."""
    w = weights(layer)
    x = _encode(layer, getattr(layer, f"{name}_encoder"), x, seen)
    hidden_layer = np.tanh(x @ w[f"{name}_kernel"] + w.get(f"{name}_bias", 0))
    scores = normalize(layer, (hidden_layer @ w[f"{name}_vector"])[:, 0], seen, -1)
    return scores @ x, scores


def hierarchical(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Words to sentences to a document, sample by sample."""
    mask, x = masks.get("mask"), inputs["inputs"]
    seen = np.ones(x.shape[:-1], bool) if mask is None else mask
    x = hidden(x, seen)
    if layer.window is not None:
        short = -x.shape[1] % layer.window
        x = np.pad(x, [(0, 0), (0, short), (0, 0)])
        x = x.reshape(len(x), -1, layer.window, x.shape[-1])
        seen = np.pad(seen, [(0, 0), (0, short)]).reshape(x.shape[:-1])
    outputs, words, sentences = [], [], []
    for sample, visible in zip(x, seen, strict=True):
        pairs = [_level(layer, "word", s, v) for s, v in zip(sample, visible, strict=True)]
        vectors = np.stack([vector for vector, _ in pairs])
        output, scores = _level(layer, "sentence", vectors, visible.any(-1))
        outputs.append(output)
        words.append(np.stack([row for _, row in pairs]))
        sentences.append(scores)
    return np.stack(outputs), (np.stack(words), np.stack(sentences))


def retain(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Step weights and variable weights from two GRUs that read the visible steps backwards."""
    mask, w, x = masks.get("mask"), weights(layer), inputs["inputs"]
    seen = np.ones(x.shape[:2], bool) if mask is None else mask
    embedded = hidden(x, seen) @ w["embedding_kernel"]
    alpha, beta = np.zeros(x.shape[:2]), np.zeros(embedded.shape)
    for b in range(len(x)):
        steps = np.flatnonzero(seen[b])
        read = [
            _run("GRU", sublayer, embedded[b], steps[::-1])
            for sublayer in (layer.step_reader, layer.variable_reader)
        ]
        logits = (read[0] @ w["step_kernel"] + w.get("step_bias", 0))[:, 0]
        alpha[b] = normalize(layer, logits, seen[b], -1)
        beta[b, steps] = np.tanh(read[1] @ w["variable_kernel"] + w.get("variable_bias", 0))[steps]
    return (alpha[..., None] * beta * embedded).sum(1), (alpha, beta)


def expected_alignment(chosen: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """Raffel et al., 2017, equation 8: over every earlier place, the chance to pass from it."""
    result = np.zeros(len(chosen))
    for j in range(len(chosen)):
        for k in range(j + 1):
            result[j] += chosen[j] * previous[k] * np.prod(1 - chosen[k:j])
    return result


def attention_decoder(layer: Any, inputs: dict, masks: dict) -> tuple:
    """A recurrent cell that attends after each of its steps, sample by sample."""
    kind = type(layer.cell).__name__.removesuffix("Cell")
    own = {
        v.name: np.asarray(_numpy(v), "float64")
        for v in layer.weights
        if not any(v is u for u in layer.cell.weights)
    }
    inner = [np.asarray(_numpy(v), "float64") for v in layer.cell.trainable_variables]
    seen = [masks.get(f"{name}_mask") for name in ("inputs", "memory")]
    x, memory = hidden(inputs["inputs"], seen[0]), hidden(inputs["memory"], seen[1])
    steps, keys = (
        np.ones(v.shape[:2], bool) if s is None else s
        for s, v in zip(seen, (x, memory), strict=True)
    )
    width = memory.shape[2] + len(inner[1]) if layer.units is None else layer.units
    outputs, scores = np.zeros((*x.shape[:2], width)), np.zeros((*x.shape[:2], memory.shape[1]))
    for b in range(len(x)):
        state, fed = _start(inner), np.zeros(layer.units or memory.shape[2])
        place = np.eye(memory.shape[1])[0]
        for t in np.flatnonzero(steps[b]):
            step_input = np.concatenate([x[b, t], fed]) if layer.input_feeding else x[b, t]
            state = recurrent_step(kind, inner, step_input, state)
            logits = np.array([_fit(layer.score, own, state[0], key) for key in memory[b]])
            if layer.monotonic is None:
                place = normalize(layer, logits, keys[b], -1)
            else:
                logits = logits + own.get("stop", 0)
                chosen = _sigmoid(logits / layer.temperature)
                chosen = logits > 0 if layer.monotonic == "hard" else chosen
                place = expected_alignment(np.where(keys[b], chosen, 0.0), place)
            both = fed = np.concatenate([place @ memory[b], state[0]])
            if layer.units is None:
                fed = place @ memory[b]
            else:
                both = fed = np.tanh(both @ own["output_kernel"])
            outputs[b, t], scores[b, t] = both, place
    return outputs, scores


def _pairs(layer: Any, queries: int, keys: int, batch: int, query: Any, key: Any) -> np.ndarray:
    seen = np.ones((batch, queries, keys), bool)
    for b, i, j in np.ndindex(seen.shape):
        seen[b, i, j] = (
            (query is None or query[b, i])
            and (key is None or key[b, j])
            and (not getattr(layer, "use_causal_mask", False) or j <= i)
            and (getattr(layer, "window", None) is None or abs(i - j) <= layer.window)
        )
    return seen


def _pair_logits(layer: Any, w: dict, query: np.ndarray, key: np.ndarray) -> np.ndarray:
    logits = np.zeros((len(query), query.shape[1], key.shape[1]))
    for b, i, j in np.ndindex(logits.shape):
        q, k = query[b, i], key[b, j]
        if layer.score == "general":
            logits[b, i, j] = q @ w["score_kernel"] @ k
        elif layer.score == "additive":
            inner = q @ w["query_kernel"] + k @ w["key_kernel"] + w.get("score_bias", 0)
            logits[b, i, j] = np.tanh(inner) @ w["score_vector"]
        else:
            logits[b, i, j] = q @ k / (np.sqrt(len(q)) if layer.score == "scaled_dot" else 1)
    return logits


def self_attention(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Each step's mean of the steps it sees."""
    mask = masks.get("mask")
    x = hidden(inputs["inputs"], mask)
    seen = _pairs(layer, x.shape[1], x.shape[1], len(x), mask, mask)
    scores = normalize(layer, _pair_logits(layer, weights(layer), x, x), seen, -1)
    return np.einsum("bij,bjf->bif", scores, x), scores


def _query_value(inputs: dict, masks: dict) -> tuple:
    query_mask = masks.get("query_mask", masks.get("mask"))
    query = hidden(inputs["query"], query_mask)
    if "value" not in inputs:
        return query, query, query_mask, query_mask
    return (
        query,
        hidden(inputs["value"], masks.get("value_mask")),
        query_mask,
        masks.get("value_mask"),
    )


def cross_attention(layer: Any, inputs: dict, masks: dict) -> tuple:
    """Each query's mean of the memory's steps it sees."""
    query, value, query_mask, value_mask = _query_value(inputs, masks)
    seen = _pairs(layer, query.shape[1], value.shape[1], len(query), query_mask, value_mask)
    scores = normalize(layer, _pair_logits(layer, weights(layer), query, value), seen, -1)
    return np.einsum("bij,bjf->bif", scores, value), scores


def multi_head(layer: Any, inputs: dict, masks: dict) -> tuple:
    """One head after the other."""
    query, value, query_mask, value_mask = _query_value(inputs, masks)
    w = weights(layer)
    q, k, v = (
        x @ w[f"{n}_kernel"] + w.get(f"{n}_bias", 0)
        for n, x in (("query", query), ("key", value), ("value", value))
    )
    seen = _pairs(layer, query.shape[1], value.shape[1], len(query), query_mask, value_mask)
    width, per_group = (
        q.shape[2] // layer.num_heads,
        layer.num_heads // (layer.num_key_value_heads or layer.num_heads),
    )
    value_width = v.shape[2] // (1 if layer.shared_values else layer.num_heads // per_group)
    all_scores, parts = [], []
    for head in range(layer.num_heads):
        group = head // per_group
        at = slice(group * width, (group + 1) * width)
        logits = np.einsum("bid,bjd->bij", q[..., head * width : (head + 1) * width], k[..., at])
        scores = normalize(layer, logits / np.sqrt(width), seen, -1)
        start = 0 if layer.shared_values else group * value_width
        parts.append(np.einsum("bij,bjd->bid", scores, v[..., start : start + value_width]))
        all_scores.append(scores)
    joined = np.mean(parts, 0) if layer.shared_values else np.concatenate(parts, -1)
    outputs = joined @ w["output_kernel"] + w.get("output_bias", 0)
    if query_mask is not None:
        outputs[~query_mask] = 0
    return outputs, np.stack(all_scores, 1)
