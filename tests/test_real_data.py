"""The real data are read as their packages ship them, and the page is that of the results."""

import json

import numpy as np
import pytest

from benchmarks import real_data, real_page, real_sets

SERIES = """\
#a comment
@problemName Two
@classLabel true a b
@data
1,2,3:10,20,30:a
4,5:40,50:b
6,7:60,70:a
"""


def test_a_ts_file_is_read_padded_and_keeps_its_own_split(tmp_path, monkeypatch):
    folder = tmp_path / "shipped" / "datasets" / "data" / "Two"
    folder.mkdir(parents=True)
    (tmp_path / "shipped" / "__init__.py").write_text("raise RuntimeError('imported')")
    for part in ("TRAIN", "TEST"):
        (folder / f"Two_{part}.ts").write_text(SERIES)
    monkeypatch.syspath_prepend(tmp_path)
    train, test = real_sets.archive("Two", ("missing_package", "shipped"))
    assert train.x.shape == test.x.shape == (3, 3, 2)
    assert train.kind == "binary" and train.classes == ["a", "b"]
    np.testing.assert_array_equal(train.y, [0, 1, 0])
    np.testing.assert_array_equal(train.x[0], [[1, 10], [2, 20], [3, 30]])
    assert np.all(train.x[1:, 2] == train.mask_value)


def test_a_missing_package_is_named_with_what_installs_it():
    with pytest.raises(ImportError, match=r"missing_package or other, which.*\[real-data\]"):
        real_sets.archive("Two", ("missing_package", "other"))


def test_data_without_a_split_are_parted_by_class_and_share_nothing():
    train, test = real_sets.digits()
    assert len(train.y) + len(test.y) == 1797 and train.x.shape[1:] == (8, 8)
    shares = np.bincount(test.y.astype(int)) / np.bincount(np.append(train.y, test.y).astype(int))
    np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_a_variant_changes_only_the_attention():
    train, _ = real_sets.breast_cancer()
    usual, pooled, uniform = (real_data.recipe_of(v, train) for v in real_page.VARIANTS)
    assert pooled == usual.changed(config={**usual.config, "attention": None})
    assert uniform.config["attention"]["config"]["normalizer"] == "uniform"
    assert uniform.phases == usual.phases


def test_the_page_is_that_of_its_results():
    results = json.loads(real_data.RESULTS.read_text("utf-8"))
    assert real_page.page(results) == real_data.PAGE.read_text("utf-8")
    for name in real_page.drawn(results):
        assert (real_page.IMAGES / real_page.file_of(name)).exists()
