"""Whatever the bytes are, a reader answers with data or with our own error.

The examples are few, so that they take seconds, and the same in every run. To search longer, raise
`max_examples` and leave `derandomize` out.
"""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention_zoo import Explanation
from attention_zoo.core import foreign, npz, strict_json
from attention_zoo.data.files import read_arrays
from attention_zoo.training import read
from tests.untrusted_input import archive, arrays

few = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner,
                                                                 max_size=4),
    max_leaves=12,
)  # fmt: skip


@st.composite
def damaged(draw, whole):
    """Bytes with some of them cut, exchanged or put in."""
    data = bytearray(draw(whole) if isinstance(whole, st.SearchStrategy) else whole)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["cut", "change", "insert", "drop"]))
        if kind == "cut":
            del data[at:]
        elif kind == "change":
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=9))
        else:
            del data[at : at + draw(st.integers(1, 40))]
    return bytes(data)


@few
@given(VALUES)
def test_json_that_python_writes_is_read_as_it_was(value):
    assert strict_json.parse(json.dumps(value).encode()) == value


@few
@given(damaged(VALUES.map(lambda value: json.dumps(value).encode())) | st.binary(max_size=60))
def test_json(tmp_path, data):
    path = tmp_path / "a.json"
    path.write_bytes(data)
    try:
        found = foreign.read_json(path)
    except foreign.Refused as error:
        assert str(error).startswith(f"{path} is no valid JSON: ")
        return
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")


CELLS = st.one_of(
    st.floats(), st.integers(-99, 99), st.sampled_from(["", " ", "1_0", "a", '"1"', '"', "1e999"]),
    st.text(st.characters(codec="utf-8"), max_size=3),
).map(str)  # fmt: skip
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5).map(
    lambda rows: "\n".join(",".join(row) for row in [["a", "b", "y"], *rows]).encode("utf-8")
)


@few
@given(TABLES | damaged(b"a,b,y\n1,2,0\n3,4.5,1\n") | st.binary(max_size=60))
def test_csv(tmp_path, data):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    try:
        x, y, mask, names = read_arrays(path, target="y")
    except foreign.Refused as error:
        assert str(path) in str(error)
        assert str(error).isprintable()
        return
    assert x.shape == (len(y), len(names)) and mask is None
    assert np.isfinite(x).all()


@few
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_table_is_read_as_python_reads_its_numbers(tmp_path, numbers):
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "".join(f"{number!r}\n" for number in numbers))
    x, y, _, names = read_arrays(path)
    assert y is None and names == ["a"]
    np.testing.assert_array_equal(x[:, 0], numbers)


HEADERS = st.builds(
    lambda head, rest: b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + rest,
    st.one_of(
        st.text("{}()[]:,' 'descrfotan_shpe<f8T0123456789L\n\\\"#", max_size=60).map(str.encode),
        damaged(b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }         \n"),
        st.binary(max_size=60),
    ),
    st.binary(max_size=40),
)


@few
@given(HEADERS.map(lambda data: archive({"x.npy": data})) | damaged(arrays(x=np.ones((2, 1)))))
def test_npz(tmp_path, data):
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    try:
        with foreign.opened(path, what=".npz file") as file:
            found = npz.read(file, limit=10**6)
    except foreign.Refused as error:
        assert str(path) in str(error)
        return
    assert sum(array.nbytes for array in found.values()) <= 10**6
    assert all(array.dtype.kind in "fiub" for array in found.values())


META = {
    "format": 1, "axes": {"a": ["step"]}, "attended": {"a": "step"}, "step_names": None,
    "feature_names": None, "x": 0, "predictions": 1, "scores": {"a": 2}, "masks": {},
    "truth": None, "y": None,
}  # fmt: skip


@few
@given(st.fixed_dictionaries({}, optional={name: VALUES for name in META if name != "format"}))
def test_explanations(tmp_path, changed):
    text = np.frombuffer(json.dumps({**META, **changed}).encode(), "uint8")
    path = tmp_path / "e.npz"
    path.write_bytes(
        arrays(meta=text, a0=np.zeros((3, 2)), a1=np.zeros((3, 1)), a2=np.zeros((3, 2)))
    )
    try:
        found = Explanation.load(path)
    except foreign.Refused as error:
        assert str(path) in str(error)
        return
    assert {len(scores) for scores in found.scores.values()} == {3}
    assert repr(found).startswith("<Explanation of 3 samples")


def _hdf5():
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["a/b"] = np.arange(6.0)
    return memory.getvalue()


@few
@given(damaged(_hdf5()))
def test_hdf5(tmp_path, data):
    path = tmp_path / "a.h5"
    path.write_bytes(data)
    try:
        with foreign.opened(path, what="HDF5 file") as file, h5py.File(file, "r") as found:
            found.visititems(lambda name, item: None)
    except foreign.Refused as error:
        assert str(error).startswith(f"{path} is no valid HDF5 file: ")


@few
@given(st.binary(max_size=200))
def test_data_of_any_bytes(tmp_path, data):
    for name in ("a.npz", "a.csv"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError) as raised:
            read(tmp_path / name)
        raw = (UnicodeError, zipfile.BadZipFile, json.JSONDecodeError)
        assert not isinstance(raised.value, raw)
