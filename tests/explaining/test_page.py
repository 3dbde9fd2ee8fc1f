"""The page is one file that asks nobody, and nothing a user writes becomes code."""

import re

import keras
import numpy as np
import pytest

import attention_zoo as az

HOSTILE = "</script><img src=x onerror=document.title='broken'>"
X = np.random.default_rng(0).normal(size=(11, 7, 3)).astype("float32")


@pytest.fixture(scope="module")
def explanation():
    inputs = keras.Input((7, 3))
    x = az.layers.MultiHeadAttention(2, key_dim=3, name="heads")(inputs)
    x = az.layers.AttentionPooling(name="pooling")(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    names = [HOSTILE, "$b$", "c" * 200, "d", "e", "f", "g"]
    return az.explain(model, X, y=np.arange(11) % 2, step_names=names)


def test_one_file_without_network_or_code_of_strangers(explanation, tmp_path):
    path = explanation.to_html(tmp_path / "page.html", title=HOSTILE)
    text = path.read_text("utf-8")
    assert HOSTILE not in text and "<img" not in text
    assert "default-src 'none'" in text and "unsafe" not in text
    assert not re.search(r"(src|href)\s*=\s*[\"']?http|@import|url\(http", text)
    assert len(text) < 60_000
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_are_there_are_kept(explanation, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists and is kept"):
        explanation.to_html(path)
    assert path.read_text() == "mine"
    explanation.to_html(path, overwrite=True)
    assert path.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("path", "arguments", "error", "message"),
    [
        ("page.pdf", {}, ValueError, "must end in .html"),
        ("page.html", {"samples": 0}, ValueError, "`samples` must be a positive integer"),
        ("page.html", {"title": 3}, TypeError, "`title` must be a string"),
        ("page.html", {"trust": "yes"}, TypeError, "`trust` must be what az.trust returns"),
    ],
)
def test_bad_arguments(explanation, tmp_path, path, arguments, error, message):
    with pytest.raises(error, match=message):
        explanation.to_html(tmp_path / path, **arguments)
    assert not list(tmp_path.iterdir())


def test_many_samples_stay_small(tmp_path):
    model = az.load("lstm_after")
    x = az.tasks.get("planted_step").sample(3000, split="test").x
    path = az.explain(model, x).to_html(tmp_path / "page.html", samples=50)
    assert path.stat().st_size < 100_000
    assert '"total":3000' in path.read_text()
