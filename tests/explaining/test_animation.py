"""The animation shows training and does not disturb it."""

import keras
import numpy as np
import pytest
from PIL import Image

import attention_zoo as az

X, Y, RELEVANCE = az.tasks.get("planted_step").sample(60)


def model():
    keras.utils.set_random_seed(1)
    attention = {"class_name": "temporal", "config": {"dropout": 0.2, "seed": 3}}
    built = az.build("gru", input_shape=(20, 2), units=2, attention=attention, outputs=1)
    built.compile("adam", "mse")
    return built


def test_a_frame_for_each_look_and_the_same_training(tmp_path):
    plain = model().fit(X, Y, epochs=3, batch_size=20, verbose=0).history
    path = tmp_path / "attention.gif"
    watching = az.TrainingAnimation(path, X[:7], truth=RELEVANCE[:7], every=2)
    watched = model().fit(X, Y, epochs=3, batch_size=20, verbose=0, callbacks=[watching]).history
    np.testing.assert_allclose(watched["loss"], plain["loss"], rtol=1e-6)
    assert watching.epochs == [0, 2]
    assert [profile.shape for profile in watching.profiles] == [(20,), (20,)]
    np.testing.assert_allclose(np.sum(watching.profiles, 1), 1, atol=1e-5)
    with Image.open(path) as gif:
        assert gif.n_frames == 2


def test_files_that_are_there_are_kept(tmp_path):
    path = tmp_path / "attention.gif"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="exists and is kept"):
        az.TrainingAnimation(path, X)
    assert path.read_bytes() == b"mine"
    with pytest.raises(ValueError, match="must end in .gif"):
        az.TrainingAnimation(tmp_path / "a.png", X)
    with pytest.raises(ValueError, match="`every` must be a positive integer"):
        az.TrainingAnimation(tmp_path / "a.gif", X, every=0)
