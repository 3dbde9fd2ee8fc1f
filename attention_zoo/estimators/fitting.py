"""From a recipe and data to a trained model, with weights of samples and an early end."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np

from attention_zoo import models
from attention_zoo.training import Dataset, Recipe
from attention_zoo.training.compiling import AT_ONCE, WORTH_XLA
from attention_zoo.data.dataset import PADDING
from attention_zoo.training.early_end import EarlyEnd
from attention_zoo.training.fit import History, StopAtNaN, build_model
from attention_zoo.training.compiled_cache import CompiledModelCache, trained_layers
from attention_zoo.data.scaling import adapt, standardized
from attention_zoo.training.seeding import seeded

#: Cross-validation and grid search fit one model many times.
SHELF = CompiledModelCache()


def fit(
    recipe: Recipe,
    data: Dataset,
    weights: np.ndarray | None,
    held: np.ndarray | None,
    *,
    any_length: bool,
    verbose: Any,
) -> tuple[keras.Model, History]:
    """Train the recipe's model.

    Args:
        recipe: what to train, of one phase; `patience` needs samples that are held out.
        data: what to train on.
        weights: one a sample, or None.
        held: the numbers of the samples that validate instead; None for none.
        any_length: whether the model takes series of any length.
        verbose: as in `keras.Model.fit`.

    Returns:
        The model, not compiled, and its history.

    Raises:
        TrainingError: if the loss becomes NaN or infinite.
    """
    shape = (None, *data.input_shape[1:]) if any_length else data.input_shape
    more: dict[str, Any] = {} if data.mask_value is None else {"mask_value": data.mask_value}
    train = np.arange(len(data.x)) if held is None else np.setdiff1d(range(len(data.x)), held)
    epochs, steps = recipe.phases[0].epochs, math.ceil(len(train) / recipe.batch_size)
    with seeded(recipe.seed):
        model = build_model(recipe, shape, data.outputs, **more)
        adapt(model, data.take(train).visible())
        x = standardized(model, data)
        # Its data come standardized: each part has a mean of its own
        plain = recipe.changed(config={**recipe.config, "standardize": False})
        padded = {name: PADDING for name in more if recipe.config.get("standardize")} or more
        held_model = SHELF.take(
            model, recipe.kind, recipe.phases[0].learning_rate, steps,
            xla=epochs * steps >= WORTH_XLA,
            build=lambda: build_model(plain, shape, data.outputs, **padded),
        )  # fmt: skip
        trained = held_model.model
        with warnings.catch_warnings():
            # Nothing trains the weights of an attention that is frozen uniform
            warnings.filterwarnings("ignore", "Gradients do not exist")
            options: dict[str, Any] = {"callbacks": [StopAtNaN(0)]}
            if held is not None:
                options["callbacks"].append(EarlyEnd(recipe.patience or epochs))
                options["validation_data"] = _part(x, data.y, weights, held)
                options["validation_batch_size"] = 1000
            done = trained.fit(
                **_batches(recipe, *_part(x, data.y, weights, train)),
                epochs=epochs,
                verbose=verbose,
                **options,
            )
        for layer, source in zip(trained_layers(model), trained_layers(trained), strict=True):
            models.copy_weights(source.get_weights(), layer)
        SHELF.leave(held_model)
    return model, {k: [float(v) for v in values] for k, values in done.history.items()}


def _part(x: Any, y: Any, weights: Any, rows: np.ndarray) -> tuple:
    part = (x[rows], y[rows])
    return part if weights is None else (*part, weights[rows])


def _batches(recipe: Recipe, *samples: np.ndarray) -> dict[str, Any]:
    """The data as arguments of `keras.Model.fit`, shuffled anew in each epoch."""
    size = recipe.batch_size
    steps = math.ceil(len(samples[0]) / size)
    if keras.backend.backend() != "tensorflow" or steps > AT_ONCE:
        names = ("x", "y", "sample_weight")
        return {"batch_size": size, **dict(zip(names, samples, strict=False))}
    # To begin an epoch over arrays takes TensorFlow longer than many steps of a small model
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(samples)
    data = data.shuffle(len(samples[0]), seed=recipe.seed).batch(size).repeat()
    return {"x": data, "steps_per_epoch": steps, "shuffle": False}


def held_out(labels: np.ndarray | None, n: int, share: float, seed: int) -> np.ndarray:
    """The numbers of a share of the samples, where there are classes the same share of each.

    Raises:
        ValueError: where that would leave none on either side.
    """
    rng = np.random.default_rng(seed)
    labels = np.zeros(n) if labels is None else labels
    held = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held.append(members[: min(round(share * len(members)), len(members) - 1)])
    chosen = np.sort(np.concatenate(held))
    if len(chosen) == 0:
        raise ValueError(
            f"`patience` needs samples to validate on: `validation` of {share} is none of the "
            f"{n} samples of X. Give more of them, a larger share, or patience=None."
        )
    return chosen
