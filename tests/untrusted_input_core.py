"""Rows of `tests.untrusted_input` on all but presets: data, searches, old models, and so on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.untrusted_input import (
    INSIDE,
    JSON,
    NAMED,
    NPZ,
    Row,
    archive,
    arrays,
    content,
)

OLD = Path(__file__).parent / "compat" / "old"


def _rows(
    source: str, file: str, attacks: list, opens: Callable[[Path], Any], error: str = "Refused",
    prepare: Callable[[Path], Any] = lambda folder: None,
) -> list[Row]:  # fmt: skip
    """A row for each attack on a file in a folder that is otherwise sound."""

    def making(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def made(folder: Path) -> None:
            prepare(folder)
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            make(path)

        return made

    return [Row(source, name, making(m), opens, own or error, w) for name, m, own, w in attacks]


# --data


def _read(name: str) -> Callable[[Path], Any]:
    def opens(folder: Path) -> None:
        from attention_zoo.training import read

        read(folder / name, target=None if name.endswith("npz") else "y", max_bytes=10**6)

    return opens


_ROW = "a,b,y\n1,2,0\n"
CSV = [
    ("empty", content(""), None, "is empty"),
    ("no rows", content("a,b,y\n"), None, "a header and at least one row"),
    ("not UTF-8", content(b"a,b,y\n1,2,\xff\n"), None, "no valid CSV file in UTF-8.*position"),
    ("a column twice", content("a,a,y\n1,2,0\n"), None, "the column 'a' more than once"),
    ("20,000 columns, the last twice", content(
        ",".join(f"c{i}" for i in range(20_000)) + ",y,y\n"), None, "'y' more than once"),
    ("no target", content("a,b,Y\n1,2,0\n"), None, "no column 'y'. Did you mean 'Y'"),
    ("escapes in the header", content("\x1b]0;a\x07,b,Y\n1,2,0\n"), None, r"\\x1b\]0;a\\x07, b, Y"),
    ("semicolons", content("a;b;y\n1;2;0\n"), None, "must be separated by commas"),
    ("text", content(_ROW + "1,x,1\n"), None, "row 3, column 'b': the text 'x'"),
    ("an empty cell", content(_ROW + "1,,1\n"), None, "row 3, column 'b': an empty cell"),
    ("an empty target", content(_ROW + "1,2,\n"), None, "row 3, column 'y': the target is empty"),
    ("a short row", content(_ROW + "1,2\n"), None, "row 3: 2 cells where the header has 3"),
    ("a long row", content(_ROW + "1,2,3,4\n"), None, "row 3: 4 cells where the header has 3"),
    ("NaN", content(_ROW + "nan,2,1\n"), None, "row 3, column 'a': 'nan' where a finite number"),
    ("1e999", content(_ROW + "1e999,2,1\n"), None, "row 3, column 'a': '1e999' where a finite"),
    ("1_000", content(_ROW + "1_000,2,1\n"), None, "row 3, column 'a': the text '1_000'"),
    ("a target of 1_000", content(_ROW + "1,2,1_000\n"), None, "'1_000' is written as no number"),
    ("digits of another script", content(_ROW + "\u0661,2,1\n"), None, "the text '\u0661'"),
    ("a NUL", content(_ROW + "1\0,2,1\n"), None, r"the text '1\\x00'"),
    ("a quote that stays open", content(_ROW + '"1,2,1\n'), None, "row 3: 1 cells"),
    ("a name of 200,000 characters", content("a" * 200_000 + ",y\n1,0\n"), None,
     "field larger than field limit"),
    ("more cells than fit", content("a,y\n" + "1,0\n" * 80_000), None,
     "cells, which take .* bytes of memory, more than the 1,000,000 allowed.*max_bytes"),
    ("an integer beyond 64 bits", content(_ROW + f"1,2,{10**20}\n"), None, "beyond 64 bits"),
]  # fmt: skip
X = np.zeros((4, 2))
DATA = [
    *NPZ,
    ("objects", content(arrays(x=np.array([{}], object))), None, "object, which is never read"),
    ("no x", content(arrays(y=X)), None, "no array 'x'. It holds: y"),
    ("no y", content(arrays(x=X)), None, "no array 'y'"),
    ("another length of y", content(arrays(x=X, y=np.zeros(3))), None, "each of the 4 samples"),
    ("text in x", content(arrays(x=np.array([["a"]]), y=[1])), "ValueError", "array of numbers"),
    ("NaN in x", content(arrays(x=X * np.nan, y=[0, 1, 0, 1])), "ValueError", "must be finite"),
]
for _name in ("no y", "another length of y"):
    _at = next(i for i, row in enumerate(DATA) if row[0] == _name)
    DATA[_at] = (*DATA[_at][:2], "ValueError", DATA[_at][3])


# Explanation.load

_META: dict[str, Any] = {
    "format": 1, "axes": {"a": ["step"]}, "attended": {"a": "step"}, "step_names": None,
    "feature_names": None, "x": 0, "predictions": 1, "scores": {"a": 2}, "masks": {},
    "truth": None, "y": None,
}  # fmt: skip
_SCORES = {"a0": np.zeros((3, 2, 1)), "a1": np.zeros((3, 1)), "a2": np.zeros((3, 2))}


def _explanation(meta: Any = None, **changed: Any) -> Callable[[Path], Any]:
    """A saved explanation with some fields of its description, or arrays, changed."""
    kept = {k: changed.pop(k) for k in list(changed) if k in _SCORES}
    whole = {**_META, **changed} if meta is None else meta
    text = whole if isinstance(whole, bytes) else json.dumps(whole).encode()
    return content(arrays(meta=np.frombuffer(text, "uint8"), **{**_SCORES, **kept}))


def _load(folder: Path) -> None:
    from attention_zoo import Explanation

    Explanation.load(folder / "e.npz", max_bytes=10**6)


EXPLANATION = [
    *(row for row in NPZ if row[0] != "empty"),
    ("data", content(arrays(x=X)), None, "no valid saved explanation: it lacks 'meta'"),
    ("objects", content(arrays(meta=np.array([{}], object))), None, "object, which is never read"),
    ("no JSON", _explanation(b"{"), None, "no valid saved explanation: Expecting property name"),
    ("an array", _explanation([]), None, "no valid saved explanation"),
    ("a format to come", _explanation(format=2), None, "format 2, this version reads 1"),
    ("a field less", _explanation({"format": 1}), None, "it lacks 'axes'"),
    ("text scores", _explanation(a2=np.array([["a"] * 2] * 3)), None, "its scores must have numb"),
    ("text predictions", _explanation(a1=np.array(["a"] * 3)), None, "its predictions must have"),
    ("scores of no layer", _explanation(scores={}), None, "its scores must be those of layers"),
    ("scores that are a number", _explanation(a2=np.zeros(())), None, "its scores must have"),
    ("scores of other samples", _explanation(a2=np.zeros((4, 2))), None, "3 samples, its sco.* 4"),
    ("inputs of other samples", _explanation(a0=np.zeros((5, 2, 1))), None, "its x is of 5 sampl"),
    ("no inputs", _explanation(x=None), None, "its x must have .* missing"),
    ("an array that is not there", _explanation(x=9), None, "it lacks 'a9'"),
    ("an index of text", _explanation(x="0"), None, "no valid saved explanation"),
    ("axes of another rank", _explanation(axes={"a": ["step", "b"]}), None, "not those of the sc"),
    ("an unknown axis", _explanation(attended={"a": "b"}), None, "not those of the scores"),
    ("axes of no layer", _explanation(axes={"b": ["step"]}), None, "it lacks 'b'"),
    ("masks of no layer", _explanation(masks={"b": 2}), None, "masks of layers without scores"),
    ("names that are numbers", _explanation(step_names=[1, 2]), None, "names must be text"),
    ("61 levels", _explanation(b"[" * 61), None, "61 levels deep"),
]


# Recipes


def _recipe(**values: Any) -> Callable[[Path], Any]:
    def opens(folder: Path) -> None:
        from attention_zoo.training import make_recipe

        make_recipe({"architecture": "dense", "phases": [{"epochs": 1}], **values})

    return opens


RECIPES = [
    ("a learning rate of infinity", {"phases": [{"epochs": 1, "learning_rate": float("inf")}]},
     "phases.0.learning_rate.*finite number. Received: inf"),
    ("a learning rate of NaN", {"phases": [{"epochs": 1, "learning_rate": float("nan")}]},
     "phases.0.learning_rate.*Received: nan"),
    ("a learning rate of 0", {"phases": [{"epochs": 1, "learning_rate": 0}]}, "greater than 0"),
    ("a learning rate of text", {"phases": [{"epochs": 1, "learning_rate": "a"}]}, "valid number"),
    ("no phases", {"phases": []}, "at least 1 item"),
    ("half an epoch", {"phases": [{"epochs": 0.5}]}, "valid integer"),
    ("an unknown field", {"code": "1"}, "`code` of the recipe: Extra inputs"),
]  # fmt: skip


# Searches

_SEARCH = {"architecture": "dense", "seed": 0}


def _search(folder: Path) -> None:
    """A folder such as a search leaves, as far as it is read before the search goes on."""
    from attention_zoo.tuning.folder import claim

    claim(folder / "s", _SEARCH, resume=False, overwrite=False)
    trial = folder / "s" / "trials" / "trial_0"
    trial.mkdir(parents=True)
    state = {"trial": 0, "status": "COMPLETED", "error": None, "values": {}, "order": [1, 1],
             "elapsed": 1.0}  # fmt: skip
    (trial / "trial.json").write_text(json.dumps(state))
    (trial / "execution_0.json").write_text('{"metrics": {"loss": NaN}, "seconds": 1}')


def _resume(folder: Path) -> None:
    from attention_zoo.tuning import read_trials
    from attention_zoo.tuning.folder import claim, locked

    claim(folder / "s", _SEARCH, resume=True, overwrite=False)
    with locked(folder / "s"):
        read_trials(folder / "s")


def _second_name(path: Path) -> None:
    path.with_name("secret").write_text("mine")
    os.link(path.with_name("secret"), path)


_STATES = ("search.json", "trials/trial_0/trial.json", "trials/trial_0/execution_0.json")
_ARRAY = ("an array", content("[]"), None, "no valid JSON: it must be an object. (Remove|Bring)")
LOCK = [
    *INSIDE,
    ("a second name of a file", _second_name, None, "second name of another file"),
    ("a link to nothing", lambda path: path.symlink_to("nowhere"), None, "is a link"),
]
TRIAL = [
    ("no status", content('{"trial": 0}'), None, "trial_0 is no valid trial: it lacks 'stat"),
    ("a number of text", content(
        '{"trial": "x", "status": "", "error": "", "values": {}, "order": [1, 1]}'
    ), None, "no valid trial: .*Remove the folder"),
]  # fmt: skip


# Backups of trainings


def _training(folder: Path) -> Any:
    from attention_zoo.training import from_arrays, make_recipe

    recipe = make_recipe({"architecture": "dense", "phases": [{"epochs": 1}]})
    return recipe, from_arrays([[0.0], [1.0]], [0, 1])


def _begun(folder: Path) -> None:
    from attention_zoo.training.backup import Backup

    Backup(folder / "run", *_training(folder))


def _gone_on_with(folder: Path) -> None:
    from attention_zoo.training.backup import Backup

    Backup(folder / "run", *_training(folder)).rows(0)


#: Without an error of its own a folder has Python's.
_INSIDE = [
    (name, make, "IsADirectoryError" if name == "a folder" else own, words.partition(";")[0])
    for name, make, own, words in INSIDE
]
BACKUP = [("an array", content("[]"), None, "it must be an object. Begin again with --overwrite")]
FIGURES = [
    ("an object", content("{}"), None, "it must be an array. Begin again with --overwrite"),
    ("figures of text", content('[{"loss": "a"}]'), None, "not hold the metrics of epochs"),
]


# Old models


def _migrate(old: str, reference: str | None = None) -> Callable[[Path], Any]:
    def opens(folder: Path) -> None:
        from attention_zoo.compat import migrate

        path = OLD / "padded.h5" if reference else folder / old
        given = folder / reference if reference else None
        migrate(path, folder / "new.keras", reference=given)

    return opens


_NO_MODEL = "neither an HDF5 nor a .keras file"
_LAYERS = json.dumps({"class_name": "Sequential", "config": {"layers": [{}] * 1001}}).encode()
_KERAS_2 = {"metadata.json": b'{"keras_version": "2.15.0"}', "model.weights.h5": b""}
H5 = [
    ("empty", content(""), None, _NO_MODEL),
    ("text", content("hello"), None, _NO_MODEL),
    ("cut", content((OLD / "padded.h5").read_bytes()[:9000]), "PresetError", "no valid HDF5 file"),
    ("a header alone", content(b"\x89HDF\r\n\x1a\n" + bytes(90)), "PresetError", "no valid HDF5"),
]
KERAS = [
    ("no entries", content(archive({})), None, "no .keras file: it lacks"),
    ("a packed entry", content(archive({**_KERAS_2, "config.json": b" " * 9000}, 8)), "PresetError",
     "is packed"),
    ("a config that is cut", content(archive({**_KERAS_2, "config.json": b"{"})), None, "no valid"),
    ("a config of 60 levels too many", content(
        archive({**_KERAS_2, "config.json": b"[" * 120})), None, "120 levels deep"),
    ("1,001 layers", content(archive({**_KERAS_2, "config.json": _LAYERS})), None,
     "lists 1001 layers, more than the 1000"),
]  # fmt: skip
#: Whose arrays may not be packed.
REFERENCE = [r for r in NPZ if "memory" not in r[3] and "another method" not in r[0]]


# Outputs


def _write(folder: Path) -> None:
    from attention_zoo.core import files

    with files.new_file(folder / "out", overwrite=True) as scratch:
        scratch.write_text("new")


OUTPUT = [
    ("a folder", Path.mkdir, "IsADirectoryError", "is in the way: it is a folder"),
    *((name, make, "FileExistsError", "out is a (link|pipe|socket).*kept")
      for name, make, _, _ in INSIDE if name != "a folder"),
    ("a link to nothing", lambda path: path.symlink_to("nowhere"), "FileExistsError", "is a link"),
]  # fmt: skip


ROWS = [
    *_rows("--data .npz", "a.npz", [*NAMED, *DATA], _read("a.npz")),
    *_rows("--data .csv", "a.csv", [*NAMED, *CSV], _read("a.csv")),
    *_rows("Explanation.load", "e.npz", [*NAMED, *EXPLANATION], _load),
    *(Row("a recipe", name, lambda folder: None, _recipe(**values), "ValueError", words)
      for name, values, words in RECIPES),
    *(row for state in _STATES for row in _rows(
        f"a search: {state.rpartition('/')[2]}", f"s/{state}", [*INSIDE, *JSON, _ARRAY], _resume,
        "TuningError", _search)),
    *_rows("a search: trial.json", "s/trials/trial_0/trial.json", TRIAL, _resume, "TuningError",
           _search),
    *_rows("a search: search.lock", "s/search.lock", LOCK, _resume, "TuningError", _search),
    *_rows("a search: a trial's weights", "s/trials/trial_0/best.weights.h5", INSIDE[-2:], _resume,
           "TuningError", _search),
    *_rows("--resume: run.json", "run/run.json", [*_INSIDE, *JSON, *BACKUP], _gone_on_with,
           prepare=_begun),
    *_rows("--resume: figures", "run/phase_0.json", [*_INSIDE, *JSON, *FIGURES], _gone_on_with,
           prepare=_begun),
    *_rows("--resume: weights", "run/phase_0.weights.h5", INSIDE[-2:], _gone_on_with,
           prepare=_begun),
    *_rows("migrate .h5", "a.h5", [*NAMED, *H5], _migrate("a.h5")),
    *_rows("migrate .keras", "a.keras", KERAS, _migrate("a.keras")),
    *_rows("migrate --reference", "r.npz", [*NAMED, *REFERENCE], _migrate("", "r.npz")),
    *_rows("an output", "out", OUTPUT, _write),
]  # fmt: skip
