"""The hypermodel under KerasTuner's own tuners: what it builds, is aimed at, and is trained on."""

import itertools

import keras
import keras_tuner
import numpy as np
import pytest

from attention_zoo.training.compiling import build_model
from attention_zoo.tuning import HyperAttention, table

TABLES = [(1,), (7,)]
SERIES = [(1, 1), (2, 3), (11, 5), (None, 1), (None, 7)]
N, STEPS, WIDTH = 29, 5, 3
#: A search of one small point, for what is not about the space.
SMALL = {
    "dense/units": 16, "dense/depth": 1, "dense/dropout": 0.0, "batch_size": 16,
    "attention/normalizer": "softmax", "attention/temperature": 1.0, "attention/dropout": 0.0,
    "attention/sharpening": 0.0, "learning_rate": 1e-3,
}  # fmt: skip


EVERY = [
    (name, shape)
    for name, row in table.FACTORIES.items()
    for shape in (TABLES if row.place == "table" else SERIES)
]


@pytest.mark.parametrize("architecture, shape", EVERY)
def test_a_space_leaves_out_what_no_model_of_the_shape_can_have(architecture, shape):
    entries = HyperAttention(architecture, input_shape=shape).space.entries
    for name, entry in entries.items():
        own = name.rpartition("/")[2]
        assert entry.values == () or entry.default in entry.values
        # 0 is None, the argument's own choice, or a number of layers or a rate that may be 0
        counts = own in ("depth", "answer_depth", "dropout", "recurrent_dropout", "sharpening")
        assert 0 not in entry.values or entry.none == 0 or counts or False in entry.values
    # The layer's own width is a share of its input's, which not every number of heads divides;
    # words of one window as long as the series, and scores by location, need its length
    unfit = {"multi_head/key_dim": 0, "hierarchical/window": 0}
    if None in shape:
        unfit["temporal/score"] = "location"
    for name, value in unfit.items():
        entry = entries.get(f"attention/{name}")
        if entry is not None:
            assert value not in entry.values
            with pytest.raises(ValueError, match="must be"):
                entry.replaced([entry.none if value == 0 else value])


# A layer behaves alike in all factories of its place: one of them stands for the others
@pytest.mark.parametrize("architecture, shape", [
    ("dense", (1,)), ("lstm_before", (1, 1)), ("lstm_before", (None, 7)), ("gru", (2, 3)),
    ("gru", (None, 1)), ("dense_after", (None, 7)),
])  # fmt: skip
def test_every_layer_of_the_space_builds_with_the_least_and_the_most(architecture, shape):
    hyper = HyperAttention(architecture, input_shape=shape)
    for kind, end in itertools.product(hyper.space.entries["attention"].values, (0, -1)):
        ends = {name: one.values[end] for name, one in hyper.space.entries.items() if one.values}
        built = build_model(hyper.recipe({**ends, "attention": kind}), shape, 1)
        assert built.input_shape == (None, *shape)


@pytest.fixture
def search(tmp_path, monkeypatch):
    """The best trial's metrics after a search by KerasTuner's random search."""
    # On TensorFlow it needs the package tensorboard, for a callback that is not there
    monkeypatch.setattr(keras_tuner.Tuner, "_configure_tensorboard_dir", lambda *args: None)

    def run(hyper, objective, *args, **kwargs):
        tuner = keras_tuner.RandomSearch(
            hyper, objective=objective, max_trials=1, seed=0, directory=tmp_path
        )
        tuner.search(*args, **kwargs, epochs=2, verbose=0)
        return tuner.oracle.get_best_trials(1)[0].metrics

    return run


X = np.random.default_rng(0).normal(3, 2, (N, WIDTH)).astype("float32")
TARGETS = {
    "binary": (X[:, 0] > 3).astype("float32"),
    "multiclass": np.digitize(X[:, 0], [2, 4]).astype("float32"),
    "regression": X[:, 0],
}


@pytest.mark.parametrize("kind, objective, direction", [
    ("binary", "val_accuracy", "max"),
    ("multiclass", "val_accuracy", "max"),
    ("regression", "val_loss", "min"),
])  # fmt: skip
def test_an_objective_has_the_name_that_keras_gives_to_the_metric(
    search, kind, objective, direction
):
    hyper = HyperAttention(
        "dense", input_shape=(WIDTH,), kind=kind, outputs=3 if kind == "multiclass" else 1,
        space=SMALL,
    )  # fmt: skip
    metrics = search(hyper, objective, X, TARGETS[kind], validation_split=0.2)
    assert metrics.metrics[objective].direction == direction
    assert metrics.exists("mean_absolute_error" if kind == "regression" else "accuracy")


def test_the_accuracy_of_each_kind_is_the_share_of_right_answers():
    for kind, outputs in (("binary", 1), ("multiclass", 3)):
        hyper = HyperAttention("dense", input_shape=(WIDTH,), kind=kind, outputs=outputs)
        model = hyper.build(keras_tuner.HyperParameters())
        answers = model.predict(X, verbose=0)
        chosen = answers.argmax(1) if outputs > 1 else answers[:, 0] > 0.5
        measured = model.evaluate(X, TARGETS[kind], verbose=0, return_dict=True)
        assert measured["accuracy"] == pytest.approx((chosen == TARGETS[kind]).mean())


SERIES_X = np.random.default_rng(1).normal(3, 2, (N, STEPS, WIDTH)).astype("float32")
SERIES_X[:, -1] = 0  # padding
SERIES_X[::2, -2] = 0
BATCH = 7
LIMITS = [(begin, min(begin + BATCH, N)) for begin in range(0, N, BATCH)]


class Batches(keras.utils.PyDataset):
    num_batches = len(LIMITS)

    def __getitem__(self, number):
        begin, end = LIMITS[number]
        return SERIES_X[begin:end], TARGETS["binary"][begin:end]


def generator():
    while True:
        for begin, end in LIMITS:
            yield SERIES_X[begin:end], TARGETS["binary"][begin:end]


def tf_data():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((SERIES_X, TARGETS["binary"])).batch(BATCH)


def loader():
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(
        torch.from_numpy(SERIES_X), torch.from_numpy(TARGETS["binary"])
    )
    return torch.utils.data.DataLoader(tensors, batch_size=BATCH)


Y = TARGETS["binary"]
INPUTS = {
    "arrays": (lambda: (SERIES_X, Y), {}, N),
    "arrays, some of them held out": (lambda: (SERIES_X, Y), {"validation_split": 0.31}, 20),
    "a batch size by its place": (lambda: (SERIES_X, Y, BATCH), {}, N),
    "tf.data": (lambda: (tf_data(),), {"shuffle": False}, N),
    "PyDataset": (lambda: (Batches(),), {}, N),
    "a DataLoader of torch": (lambda: (loader(),), {"shuffle": False}, N),
    "a generator": (
        lambda: (generator(),), {"shuffle": False, "steps_per_epoch": len(LIMITS)}, N,
    ),
}  # fmt: skip


@pytest.fixture
def standardizing():
    """A hypermodel whose model standardizes, the hyperparameters, and the model."""
    config = {"mask_value": 0.0, "standardize": True}
    hyper = HyperAttention("dense_after", input_shape=(STEPS, WIDTH), kind="binary", config=config)
    hp = keras_tuner.HyperParameters()
    model = hyper.build(hp)
    model.run_eagerly = True  # a few steps are not worth their compilation
    return hyper, hp, model


@pytest.mark.parametrize("kind", INPUTS)
def test_it_is_trained_on_all_that_keras_takes(standardizing, kind):
    hyper, hp, model = standardizing
    made, options, trained = INPUTS[kind]
    before = model.get_layer("y").get_weights()
    history = hyper.fit(hp, model, *made(), **options, verbose=0).history
    assert np.isfinite(history["loss"]).all() and set(history) >= {"loss", "accuracy"}
    assert np.any(before[0] != model.get_layer("y").get_weights()[0])
    layer = model.get_layer("standardize")
    real = SERIES_X[:trained][np.any(SERIES_X[:trained] != 0, axis=-1)]
    np.testing.assert_allclose(np.ravel(layer.adapt_mean), real.mean(0), rtol=1e-5)
    np.testing.assert_allclose(np.ravel(layer.adapt_variance), real.var(0), rtol=1e-5)


def test_a_generator_loses_no_batch_to_the_standardizing(standardizing):
    hyper, hp, model = standardizing

    def left(fit):
        batches = ((SERIES_X[:BATCH] + number, Y[:BATCH]) for number in range(23))
        fit(batches, steps_per_epoch=2, epochs=2, verbose=0, shuffle=False)
        return [x[0, 0, 0] for x, _ in batches]

    # Keras itself takes some ahead
    assert left(lambda *args, **kwargs: hyper.fit(hp, model, *args, **kwargs)) == left(model.fit)
