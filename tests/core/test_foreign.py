"""What comes from outside is a regular file of a bounded size, or is refused at once."""

import errno
import json
import os
import socket
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import h5py
import pytest

from attention_zoo.core import foreign, strict_json


class Trouble(Exception):
    pass


def _socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _link(path):
    path.with_name("secret").write_text("{}")
    path.symlink_to(path.with_name("secret"))


NO_FILES = {
    "a pipe": (os.mkfifo, "is a pipe; a regular file is needed"),
    "a socket": (_socket, "is a socket; a regular file is needed"),
    "a folder": (Path.mkdir, "is a folder; a regular file is needed"),
    "a link": (_link, "is a link, which is not followed"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "is a link"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a link"),
    "a link to itself": (lambda path: path.symlink_to(path), "is a link"),
    "too many bytes": (lambda path: path.write_bytes(b" " * 12), "has 12 bytes.* 11 allowed. Cut"),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_refused(tmp_path, monkeypatch, name):
    make, message = NO_FILES[name]
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    path = Path("a.json")
    make(path)
    with pytest.raises(Trouble, match=f"a.json {message}"):
        foreign.read(path, limit=11, what="JSON", error=Trouble, hint="Cut it.")


def test_what_is_not_there_and_what_is_a_folder_have_their_own_types(tmp_path):
    terms = {"limit": 1, "what": "JSON"}
    for path in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / ("a" * 1000)):
        with pytest.raises(FileNotFoundError, match="There is no file"):
            foreign.read(path, **terms)
    with pytest.raises(IsADirectoryError, match="is a folder; a file is needed"):
        foreign.read(tmp_path, **terms)
    with pytest.raises(foreign.Refused, match=r"a\\x00b is no path"):
        foreign.read("a\0b", **terms)
    with pytest.raises(foreign.Refused, match="/dev/null is a device"):
        foreign.read("/dev/null", **terms)


def test_a_link_that_the_user_names_is_followed_to_a_regular_file_alone(tmp_path):
    (tmp_path / "real").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert foreign.read(tmp_path / "link", limit=5, what="data", links=True) == b"12345"
    (tmp_path / "null").symlink_to("/dev/null")
    with pytest.raises(foreign.Refused, match="is a device"):
        foreign.read(tmp_path / "null", limit=5, what="data", links=True)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (KeyError("meta"), "it lacks 'meta'"),
        (MemoryError(), "more memory than there is"),
        (RecursionError("maximum"), "nested too deep"),
        (tokenize.TokenError("EOF in multi-line statement", (1, 0)), "its header is cut"),
        (zlib.error("Error -3"), "Error -3"),
        (struct.error("unpack"), "unpack"),
        (zipfile.BadZipFile("Bad CRC"), "Bad CRC"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "position 0"),
        (RuntimeError("Unspecified error in H5Literate"), "H5Literate"),
        (OSError("Unable to open file"), "Unable to open file"),
        (TypeError("<class 'x'> could not be deserialized properly.\nmore"), "deserialized"),
        (ValueError("\x1b[31mred\x07"), r"\\x1b\[31mred\\x07"),
        (foreign.Refused("a is no array"), "^a is no array$"),
        (EOFError(), "EOFError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_a_parser_raises_is_translated(raised, message):
    with pytest.raises(Trouble, match=message), foreign.parsing("a", what="b", error=Trouble):
        raise raised


@pytest.mark.parametrize(
    "raised",
    [OSError(errno.ENOSPC, "full"), PermissionError("b"), FileNotFoundError("b"), Trouble("b"),
     KeyboardInterrupt(), ImportError("b")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_not_the_file_s_fault_passes(raised):
    with pytest.raises(type(raised)) as caught, foreign.parsing("a", what="b", error=Trouble):
        raise raised
    assert caught.value is raised


def test_real_parsers_in_the_block(tmp_path):
    (tmp_path / "a").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 50)
    with (
        pytest.raises(Trouble, match=r"a is no valid HDF5 file: .*\. Copy it again\.$"),
        foreign.opened(tmp_path / "a", what="HDF5 file", error=Trouble, hint="Copy it again.") as f,
    ):
        h5py.File(f, "r")


def test_a_name_is_shown_without_its_control_characters(tmp_path):
    path = tmp_path / "\x1b]0;title\x07.json"
    path.write_bytes(b"{")
    with pytest.raises(ValueError, match=r"\\x1b]0;title\\x07.json is no valid JSON: Exp.*line 1"):
        foreign.read_json(path)


@pytest.mark.parametrize("kind", ["a link", "a link to nothing", "a pipe", "a folder"])
def test_a_file_to_write_in_is_never_reached_by_a_link(tmp_path, kind):
    secret = tmp_path / "secret"
    NO_FILES[kind][0](tmp_path / "lock")
    before = secret.read_bytes() if secret.exists() else None
    with (
        pytest.raises(Trouble, match="lock is"),
        foreign.open_for_writing(tmp_path / "lock", error=Trouble),
    ):
        pass
    assert not (tmp_path / "nowhere").exists()
    assert (secret.read_bytes() if secret.exists() else None) == before


def test_a_file_to_write_in_is_no_second_name_and_is_not_emptied(tmp_path):
    (tmp_path / "secret").write_bytes(b"1")
    os.link(tmp_path / "secret", tmp_path / "lock")
    with (
        pytest.raises(Trouble, match="second name"),
        foreign.open_for_writing(tmp_path / "lock", error=Trouble),
    ):
        pass
    with foreign.open_for_writing(tmp_path / "secret_") as file:
        file.write(b"12")
    with foreign.open_for_writing(tmp_path / "secret_") as file:
        assert file.read() == b"12"


JSON = {
    "1e999": (b'{"a": 1e999}', "1e999 is no number"),
    "-1e999": (b"[-1e999]", "-1e999 is no number"),
    "NaN": (b"[NaN]", "NaN is no number"),
    "an integer of 400 digits": (b"[" + b"9" * 400 + b"]", "99999999999999999999 is no number"),
    "a key twice": (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' stands twice"),
    "10,001 keys": (json.dumps(dict.fromkeys(map(str, range(10_001)))).encode(), "10001 keys"),
    "100,002 values": (b"[" + b"1," * 100_001 + b"1]", "100001 values"),
    "61 levels": (b"[" * 61 + b"]" * 61, "61 levels deep"),
    "half a character": (rb'["\ud800"]', "surrogates not allowed"),
    "half a key": (rb'{"\ud800": 1}', "surrogates not allowed"),
    "a byte-order mark": (b"\xef\xbb\xbf{}", "byte-order mark"),
    "an open string": (b'["' + rb"\"" * 400_000, "Unterminated string"),
}


@pytest.mark.parametrize("name", JSON)
def test_json_under_limits(name):
    data, message = JSON[name]
    with pytest.raises(ValueError, match=message):
        strict_json.parse(data)


def test_json_is_read_as_python_reads_it():
    for value in ({"a": [1, -2.5, None, True, '"[{,\\', "é\U0001f600"]}, [], 10**300, "x"):
        assert strict_json.parse(json.dumps(value).encode()) == value
    assert strict_json.parse(b"[" + b"1," * 150_000 + b"1]", values=150_000)[-1] == 1
