"""The user's own files are read whole and checked, or refused with the place of what is wrong."""

import numpy as np
import pandas as pd
import pytest

import attention_zoo as az
from attention_zoo.core import memory
from attention_zoo.data.padding import PADDING
from attention_zoo.data.scaling import scaled
from attention_zoo.data.splitting import folds, split
from attention_zoo.training import from_arrays, read

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5)).astype("float32")
Y = np.arange(20) % 2


def csv(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_gives_names_numbers_and_classes(tmp_path):
    rows = "\r\n".join(
        f"{a},{b},{'yes' if a > 2 else 'no'}" for a, b in zip(range(6), range(6), strict=True)
    )
    data = read(csv(tmp_path / "a.csv", "\ufeffage,size,label\r\n" + rows + "\r\n"), target="label")
    assert data.names == ["age", "size"]
    assert data.x.shape == (6, 2)
    assert (data.kind, data.classes) == ("binary", ["no", "yes"])
    np.testing.assert_array_equal(data.y, [0, 0, 0, 1, 1, 1])


def test_an_npz_gives_arrays_and_padding(tmp_path):
    x = RNG.normal(size=(6, 4, 2))
    mask = np.ones((6, 4), bool)
    mask[0, 2:] = False
    x[0, 3] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=RNG.normal(size=6), mask=mask)
    data = read(tmp_path / "a.npz")
    assert (data.kind, data.mask_value) == ("regression", PADDING)
    assert np.all(data.x[0, 2:] == PADDING)
    assert data.visible().shape == (1, 22, 2)


@pytest.mark.parametrize(
    ("y", "kind", "classes"),
    [
        (Y, "binary", [0, 1]),
        (Y * 1.0, "binary", [0.0, 1.0]),
        (np.arange(20) % 3 - 5, "multiclass", [-5, -4, -3]),
        (np.array(["b", "a"] * 10), "binary", ["a", "b"]),
        (np.linspace(0, 1, 20), "regression", None),
        (Y.reshape(-1, 1), "binary", [0, 1]),
        (np.array(["b", "a"] * 10, object), "binary", ["a", "b"]),
        (["b", "a"] * 10, "binary", ["a", "b"]),
        (pd.Series(["b", "a"] * 10), "binary", ["a", "b"]),
        (pd.Series(["b", "a"] * 10, dtype="category"), "binary", ["a", "b"]),
        (pd.DataFrame({"y": ["b", "a"] * 10}), "binary", ["a", "b"]),
        (pd.Series([2, 1] * 10, dtype="Int64"), "binary", [1, 2]),
        (np.array([np.int64(2), 1] * 10, object), "binary", [1, 2]),
        (np.linspace(0, 1, 20).astype(object), "regression", None),
    ],
)
def test_what_y_is(y, kind, classes):
    data = from_arrays(X, y)
    assert (data.kind, data.classes) == (kind, classes)
    assert data.y.dtype == np.float32


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (["a", None], r"all text or all numbers, without gaps. Received: None at y\[1\]"),
        (["a", np.nan], r"Received: nan at y\[1\]"),
        (["a", 1], r"Received: 1 at y\[1\]"),
        ([1, "a"], r"Received: 'a' at y\[1\]"),
        ([None, None], r"Received: None at y\[0\]"),
        ([1, 2**70], "64 bits"),
        ([1.0, np.nan], "`y` must be finite"),
    ],
)
def test_objects_that_are_no_targets(first, message):
    for y in (first * 10, np.array(first * 10, object)):
        with pytest.raises(ValueError, match=message):
            from_arrays(X, y)


def test_masked_values_are_refused_not_unmasked():
    hidden = np.ma.masked_greater(X, 1)
    message = rf"`x` must have no masked values.*x.filled.*`mask=`.*{(X > 1).sum()} of 100 values"
    for x in (hidden, list(hidden)):
        with pytest.raises(ValueError, match=message if x is hidden else "masked values"):
            from_arrays(x, Y)
    with pytest.raises(ValueError, match="`y` must have no masked values"):
        from_arrays(X, np.ma.masked_equal(Y, 1))
    np.testing.assert_array_equal(from_arrays(np.ma.array(X), Y).x, X)


def test_a_mask_without_any_real_step_is_refused_but_a_sample_without_is_not():
    x, mask = X[..., None], np.zeros((20, 5), bool)
    with pytest.raises(ValueError, match="`mask` must be True where a step is real"):
        from_arrays(x, Y, mask)
    mask[1:] = True
    assert from_arrays(x, Y, mask).mask_value == PADDING


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_gives_the_names(library):
    frame = pytest.importorskip(library).DataFrame
    data = from_arrays(frame({"age": X[:, 0], "size": X[:, 1]}), Y)
    assert data.names == ["age", "size"]
    np.testing.assert_array_equal(data.x, X[:, :2])
    assert data.take(np.arange(3)).names == data.names
    assert from_arrays(X, Y).names is None


@pytest.mark.parametrize("kind", ["regresion", "", 1, ["binary"]])
def test_an_unknown_kind(tmp_path, kind):
    with pytest.raises(ValueError, match="Unknown kind.*Known: binary, multiclass, regression"):
        from_arrays(X, Y, kind=kind)
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    with pytest.raises(ValueError, match="Did you mean 'regression'"):
        read(tmp_path / "a.npz", kind="regresion")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b,y\n", "a header and at least one row"),
        ("\n\n", "a header and at least one row"),
        ("a,b,y\n1,2,0\n1,x,1\n", "row 3, column 'b': the text 'x'"),
        ("a,b,y\n1,2,0\n1,1_000,1\n", "row 3, column 'b': the text '1_000'"),
        ("a,b,y\n1,2,0\n1,\u0661,1\n", "row 3, column 'b': the text '\u0661'"),
        ("a,b,y\n1,2,0\n\n1,1e999,1\n", "row 3, column 'b': '1e999' where a finite number"),
        ("a,b,y\n1,2,0\n1,2,1_000\n", "row 3, column 'y': '1_000' is written as no number"),
        ("a,b,y\n1,2,0,4\n1,2,1,4\n", "row 2: 4 cells where the header has 3"),
        ("a,b,y\n1,,0\n1,2,1\n", "row 2, column 'b': an empty cell"),
        ("a,b,y\n1,2,0\n1,2\n", "row 3: 2 cells where the header has 3"),
        ("a,a,y\n1,2,0\n1,2,1\n", "the column 'a' more than once"),
        ("a,b,Y\n1,2,0\n1,2,1\n", "no column 'y'. Did you mean 'Y'"),
        ("a,b,y\n1,2,0\n1,nan,1\n", "row 3, column 'b': 'nan' where a finite number is needed"),
        ("a;b;y\n1;2;0\n1;2;1\n", "must be separated by commas. Received: ';' in its header"),
        ("a,b,y\n1,2,\n1,2,1\n", "the target is empty"),
        ("y\n1\n2\n", "no column but the target"),
        (f"a,y\n1,1\n2,{10**20}\n", "row 3, column 'y': the integer 1000.* beyond 64 bits"),
    ],
)
def test_a_csv_that_does_not_fit(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(csv(tmp_path / "a.csv", text), target="y")


def test_a_csv_without_a_target_names_the_columns_and_large_decimals_are_numbers(tmp_path):
    path = csv(tmp_path / "a.csv", f"a,y\n1,{10**20}\n2,0.5\n")
    with pytest.raises(ValueError, match="`target` is missing.*Its columns: a, y"):
        read(path)
    assert read(path, target="y").kind == "regression"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": Y}, "no array 'x'. It holds: y"),
        ({"x": X}, "no array 'y'"),
        ({"x": X, "y": Y[:5]}, "one value for each of the 20 samples"),
        ({"x": np.array([{}], dtype=object), "y": Y}, "no valid .npz file"),
        ({"x": X[:0], "y": Y[:0]}, "`x` has no samples"),
        ({"x": np.where(X > 1, np.inf, X), "y": Y}, "`x` must be finite"),
        ({"x": X[:, 0], "y": Y}, "`x` must be"),
        ({"x": np.array(["a"] * 20), "y": Y}, "array of numbers"),
        ({"x": X, "y": np.where(Y == 1, np.nan, 0)}, "`y` must be finite"),
        ({"x": X, "y": Y, "mask": np.ones((20, 5), bool)}, "`mask` must be boolean"),
    ],
)
def test_an_npz_that_does_not_fit(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(20, int), r"one class only \(0\)"),
        (np.full(20, 0.5), r"is constant \(0.5\)"),
        (np.arange(20), "20 classes in 20 samples"),
    ],
)
def test_what_nothing_can_be_learned_from_is_data_but_is_not_trained_on(y, message):
    data = from_arrays(X, y)
    assert len(data.x) == 20
    with pytest.raises(ValueError, match=message):
        az.train("dense", data)
    with pytest.raises(ValueError, match=message):
        az.tune("dense", data=data)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read(tmp_path / "no.npz")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "a.txt").write_text("1")
    with pytest.raises(ValueError, match="must end with .npz or .csv. Received: .txt"):
        read(tmp_path / "a.txt")
    (tmp_path / "b.npz").write_text("no zip")
    with pytest.raises(ValueError, match="no valid .npz file"):
        read(tmp_path / "b.npz")


def test_a_table_of_many_columns_is_read_whole_and_only_below_the_limit(tmp_path):
    names = [f"c{i}" for i in range(20_011)]
    path = csv(tmp_path / "a.csv", ",".join(names) + ",y\n")
    values = RNG.normal(size=(7, 20_011)).round(3)
    with open(path, "a") as file:
        for row, label in zip(values, "ababbab", strict=True):
            file.write(",".join(map(str, row)) + f",{label}\n")
    data = read(path, target="y")
    np.testing.assert_array_equal(data.x, values.astype("float32"))
    assert data.names == names and data.classes == ["a", "b"]
    with pytest.raises(ValueError, match="more than the 1,000,000 allowed.*raise max_bytes"):
        read(path, target="y", max_bytes=10**6)


def test_arrays_may_take_a_quarter_of_the_memory_unless_told_otherwise(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1000, 101)), y=np.arange(1000) % 2)
    assert read(tmp_path / "a.npz").x.shape == (1000, 101)
    monkeypatch.setattr(memory, "total", lambda: 4 * 800_000)
    with pytest.raises(ValueError, match="take 816,256 bytes.* more than the 800,000 allowed"):
        read(tmp_path / "a.npz")
    assert read(tmp_path / "a.npz", max_bytes=820_000).x.shape == (1000, 101)
    for wrong in (0, -1, 1.5, "1 GB"):
        with pytest.raises(ValueError, match="`max_bytes` must be a positive integer or None"):
            read(tmp_path / "a.npz", max_bytes=wrong)


def test_a_users_file_may_be_a_link(tmp_path):
    path = csv(tmp_path / "real.csv", "a,y\n1,0\n2,1\n")
    (tmp_path / "a.csv").symlink_to(path)
    assert read(tmp_path / "a.csv", target="y").x.tolist() == [[1], [2]]


def test_quotes_blank_lines_and_old_line_ends(tmp_path):
    text = '"a ",b,y\r"1", 2 ,"x, ""y"""\r\r-0.5,1e3,z\r'
    data = read(csv(tmp_path / "a.csv", text), target="y")
    assert data.names == ["a", "b"]
    assert data.x.tolist() == [[1, 2], [-0.5, 1000]]
    assert data.classes == ['x, "y"', "z"]


def test_parts_are_disjoint_complete_and_keep_the_classes():
    data = from_arrays(np.arange(200.0).reshape(100, 2), np.arange(100) % 4)
    parts = split(data, seed=0)
    rows = np.concatenate([part.x[:, 0] for part in parts])
    assert sorted(rows) == sorted(data.x[:, 0])
    assert all(set(part.y) == {0, 1, 2, 3} for part in parts)
    assert [len(part.x) for part in parts] == [68, 16, 16]
    with pytest.raises(ValueError, match="Too few samples"):
        split(from_arrays(X[:4], Y[:4]), seed=0)


@pytest.mark.parametrize("count", [2, 5, 7])
def test_every_sample_but_those_of_the_test_validates_once(count):
    data = from_arrays(np.arange(202.0).reshape(101, 2), np.arange(101) % 3)
    pairs, whole, test = folds(data, count, seed=3)
    assert len(pairs) == count
    np.testing.assert_array_equal(np.sort(test.x[:, 0]), np.sort(split(data, 3)[2].x[:, 0]))
    for train, validation in pairs:
        both = np.concatenate([train.x[:, 0], validation.x[:, 0]])
        np.testing.assert_array_equal(np.sort(both), np.sort(whole.x[:, 0]))
        shares = [np.bincount(part.y.astype(int)) for part in (train, validation)]
        assert np.ptp(shares[1]) <= 1 and np.ptp(shares[0]) <= 4
    validated = np.concatenate([validation.x[:, 0] for _, validation in pairs])
    np.testing.assert_array_equal(np.sort(validated), np.sort(whole.x[:, 0]))
    every = np.concatenate([whole.x[:, 0], test.x[:, 0]])
    np.testing.assert_array_equal(np.sort(every), data.x[:, 0])


def test_folds_are_those_of_their_seed():
    data = from_arrays(X, np.linspace(0, 1, 20))
    first, again, other = (folds(data, 3, seed)[0][0][1].x for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_ordered_samples_are_tested_on_their_future():
    data = from_arrays(np.arange(101.0)[:, None], np.arange(101) % 2, ordered=True)
    train, validation, test = (part.x[:, 0] for part in split(data, seed=0))
    np.testing.assert_array_equal(np.concatenate([train, validation, test]), np.arange(101))
    assert len(validation) == len(test) == 15
    pairs, whole, after = folds(data, 4, seed=0)
    np.testing.assert_array_equal(after.x[:, 0], test)
    np.testing.assert_array_equal(whole.x[:, 0], np.arange(86))
    ends = [0]
    for first, second in pairs:
        np.testing.assert_array_equal(
            np.concatenate([first.x[:, 0], second.x[:, 0]]),
            np.arange(len(first.x) + len(second.x)),
        )
        ends.append(len(first.x))
    assert ends == [0, 18, 35, 52, 69] and len(first.x) + len(second.x) == 86


def test_what_cannot_be_folded_is_told():
    one_first = from_arrays(X, np.arange(20) > 15, ordered=True)
    with pytest.raises(ValueError, match=r"The first 14 samples, .* only \(False\)"):
        split(one_first, seed=0)
    with pytest.raises(ValueError, match="The first 5 samples.*fewer folds"):
        folds(from_arrays(X, np.arange(20) > 6, ordered=True), 3, seed=0)
    with pytest.raises(ValueError, match="must be less than the number of samples.*, 16"):
        folds(from_arrays(X, Y), 16, seed=0)
    with pytest.raises(TypeError, match="`ordered`"):
        from_arrays(X, Y, ordered="time")


def test_each_part_is_standardized_by_what_trains():
    x = RNG.normal(3, 5, size=(30, 7, 2)).astype("float32")
    mask = np.arange(7) < RNG.integers(1, 8, size=30)[:, None]
    data = from_arrays(x, np.arange(30) % 2, mask)
    train, other = data.take(np.arange(20)), data.take(np.arange(20, 30))
    first, second = scaled(train, other)
    real = x[:20][mask[:20]].astype("float64")
    mean, deviation = real.mean(0), real.std(0)
    for given, rows in ((first, slice(20)), (second, slice(20, 30))):
        expected = (x[rows] - mean) / deviation
        np.testing.assert_allclose(given.x[mask[rows]], expected[mask[rows]], atol=1e-5)
        assert np.all(given.x[~mask[rows]] == PADDING) and given.mask_value == PADDING
