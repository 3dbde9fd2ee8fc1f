"""Model parameter randomization: does the attention depend on what the model has learned?"""

from __future__ import annotations

import copy
from typing import Any

import keras
import numpy as np

from attention_zoo.capture.scores import capture_scores
from attention_zoo.core import checks
from attention_zoo.metrics.distributions import distributions
from attention_zoo.metrics.rank_correlation import spearman_rho


def parameter_randomization(
    model: keras.Model,
    x: Any,
    layer: str | None = None,
    *,
    cascading: bool = False,
    seed: int = 0,
    batch_size: int = 256,
) -> dict[str, np.ndarray]:
    """The model parameter randomization test: the rank correlation of the attention of the model
    and of a copy with random weights (Adebayo et al., 2018, arXiv:1810.03292, section 3).

    ```
    rho[i] = Spearman(scores of the model on x[i], scores of the copy on x[i])
    ```

    A picture that stays as it was when all that was learned is gone, with rho near 1, shows the
    data or the architecture and not what the model knows. That it changes is the least that can
    be asked for: it does not make the attention an explanation.

    The copy is of the same architecture, its weights drawn by the initializers of its layers; by
    Glorot's where the kernels of a layer begin at zero, since the uniform attention of such a
    layer ranks nothing. The model is left as it is.

    Args:
        model: a built functional or Sequential model with attention layers, or a subclassed one
            with `get_config`.
        x: an array `(samples, ...)`, or several for a model of several inputs.
        layer: the name of an attention layer; by default the first.
        cascading: randomize layer after layer, from the output down to the input, and measure
            after each; by default all at once.
        seed: of the initializers, in the place of the seeds that they have.
        batch_size: how many samples go through at once.

    Returns:
        `{"all": rho}`, or with `cascading` `{layer name: rho}` in the order of the layers that
        have weights, from the last: rho once this layer and all above it are randomized.
        rho is `(samples,)`, the mean over heads or queries; NaN where the attention of one of the
        two is uniform, which ranks nothing.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: as `attention_scores`, and for a model that cannot be copied.

    Example:

    >>> x = az.tasks.get("planted_feature").sample(5, split="test").x
    >>> rho = az.metrics.parameter_randomization(az.load("dense"), x)
    >>> rho["all"].shape
    (5,)
    """
    checks.boolean("cascading", cascading)
    checks.natural("seed", seed)
    own = distributions(capture_scores(model, x, batch_size), layer)
    copied = _copy(model, seed)

    def correlation() -> np.ndarray:
        other = distributions(capture_scores(copied, x, batch_size), own.name)
        rho = spearman_rho(own.rows, other.rows, own.visible)
        known = ~np.isnan(rho)
        total = np.where(known, rho, 0).sum(1)
        return np.divide(total, known.sum(1), out=np.full(len(rho), np.nan), where=known.any(1))

    if not cascading:
        return {"all": correlation()}
    fresh = {one.name: one.get_weights() for one in copied.layers if one.weights}
    copied.set_weights(model.get_weights())
    result = {}
    for one in reversed(copied.layers):
        if one.weights:
            one.set_weights(fresh[one.name])
            result[one.name] = correlation()
    return result


def _copy(model: keras.Model, seed: int) -> keras.Model:
    """A model of the same architecture with random weights, drawn from the seed."""
    rng = np.random.default_rng(seed)

    def fresh(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = copy.deepcopy(layer.get_config())
        if isinstance(getattr(layer, "kernel_initializer", None), keras.initializers.Zeros):
            drawn = keras.initializers.GlorotUniform()
            config["kernel_initializer"] = keras.saving.serialize_keras_object(drawn)
        return type(layer).from_config(_seeded(config, rng))

    try:
        if isinstance(model, keras.Sequential) or getattr(model, "inputs", None):
            return keras.models.clone_model(model, clone_function=fresh)
        copied = fresh(model)
        copied.build_from_config(model.get_build_config())
        return copied
    except (NotImplementedError, TypeError, AttributeError) as error:
        raise ValueError(
            f"The model {model.name!r} cannot be copied: a layer of it has no get_config that "
            f"makes another one ({error})"
        ) from None


def _seeded(config: Any, rng: np.random.Generator) -> Any:
    """A config whose random initializers have seeds of this generator."""
    if isinstance(config, (list, tuple)):
        return type(config)(_seeded(value, rng) for value in config)
    if not isinstance(config, dict):
        return config
    config = {key: _seeded(value, rng) for key, value in config.items()}
    if config.get("module") == "keras.initializers" and "seed" in (config["config"] or {}):
        config["config"]["seed"] = int(rng.integers(2**31))
    return config
