"""Presets on a Hub: sent, fetched, kept in its cache, refused; against a server of our own."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from huggingface_hub import constants

import attention_zoo as az
from attention_zoo.presets import hub
from attention_zoo.presets.folder import CARD, VOUCHED
from tests.presets.hub_server import Hub

START = "import keras, numpy as np, attention_zoo as az\nkeras.utils.set_random_seed(3)\n"
SAVE = START + (
    "model = az.build('dense', input_shape=(4,), units=3)\n"
    "print(az.save(model, 'hf://owner/name'))\n"
    "try:\n"
    "    az.save(model, 'hf://owner/name')\n"
    "except FileExistsError as error:\n"
    "    print(error)\n"
    "print(az.save(model, 'hf://owner/name', overwrite=True))\n"
)
LOAD = START + (
    "import sys\n"
    "for address in sys.argv[1:]:\n"
    "    model = az.load(address, verify=True)\n"
    "    print(float(np.abs(model.get_weights()[0]).sum()))\n"
)


@pytest.fixture
def server(tmp_path):
    with Hub() as running:
        running.home = tmp_path / "home"
        yield running


@pytest.fixture
def here(server, monkeypatch):
    """This process's Hub is the server."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(server.home / "hub"))
    # Between its attempts it would wait for 23 seconds
    patient = "huggingface_hub.utils._http.time"
    monkeypatch.setattr(patient, SimpleNamespace(sleep=lambda seconds: None), raising=False)
    at(server.url, monkeypatch)
    return server


def at(url, monkeypatch):
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + template)
    # Before 1.0 the name was imported from there
    older = "huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE"
    monkeypatch.setattr(older, url + template, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", url)


def python(server, code, *arguments, **environment):
    """The lines that a fresh process prints, whose Hub is the server."""
    more = {"HF_ENDPOINT": server.url, "HF_HOME": str(server.home), "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_TOKEN": "hf_x", **environment}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True,
                          env={**os.environ, **more}, check=False, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


def test_there_and_back_and_offline(server):
    first, second, third = python(server, SAVE)
    assert first == third == "hf://owner/name"
    assert "exists and is kept" in second
    assert sorted(server.files) == sorted([CARD, *VOUCHED])

    # By its revision it is in the cache after the first, and nothing is fetched again
    pinned = f"hf://owner/name@{server.commit}"
    loaded = python(server, LOAD, "hf://owner/name", pinned)
    assert loaded[0] == loaded[1]
    assert len([line for line in server.asked if line.startswith("GET /owner")]) == 4
    asked = len(server.asked)
    assert python(server, LOAD, "hf://owner/name", pinned, HF_HUB_OFFLINE="1") == loaded
    assert len(server.asked) == asked


def test_a_branch_is_of_its_own(here):
    model = az.build("dense", input_shape=(4,), units=3)
    az.save(model, "hf://owner/name")
    main = dict(here.files)
    other = az.build("dense", input_shape=(4,), units=3)
    az.save(other, "hf://owner/name@draft")
    assert here.files == main
    loaded = az.load("hf://owner/name@draft")
    np.testing.assert_array_equal(loaded.get_weights()[0], other.get_weights()[0])
    with pytest.raises(FileExistsError, match="exists and is kept"):
        az.save(model, "hf://owner/name@draft")
    with pytest.raises(ValueError, match="name a branch"):
        az.save(model, f"hf://owner/name@{here.commit}")


@pytest.mark.parametrize(
    ("fault", "address", "message"),
    [
        (404, "hf://owner/name", "no such repository"),
        (500, "hf://owner/name", "could not be fetched"),
        ("half", "hf://owner/name", "could not be fetched"),
        ("huge", "hf://owner/name", "1000000000000 bytes"),
        (None, "hf://owner/name@no-such", "no revision 'no-such'"),
        (None, "hf://owner/other", "no such repository"),
        ("file", "hf://owner/name", "config.json is missing"),
        ("other", "hf://owner/name", "is damaged"),
    ],
)
def test_faults(here, tmp_path, fault, address, message):
    server = here
    folder = az.save(az.build("dense", input_shape=(4,), units=3), tmp_path / "mine")
    server.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    if fault == "file":
        del server.files["config.json"]
    elif fault == "other":
        server.files["golden.npz"] = server.files["golden.npz"][::-1]
    else:
        server.fault = fault
    with pytest.raises(az.PresetError, match=message):
        az.load(address)


def test_nobody_answers(here, monkeypatch):
    at("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(az.PresetError, match="card.json could not be fetched"):
        az.load("hf://owner/name")


@pytest.mark.parametrize(
    "address",
    ["hf://", "hf://name", "hf://a/b/c", "hf://../b", "hf://a/b@", "hf://a/b@../x", "hf://a b/c"],
)
def test_addresses(address):
    with pytest.raises(ValueError, match="must be hf://owner/name"):
        hub.parse(address)
    with pytest.raises(ValueError, match="must be hf://owner/name"):
        az.load(address)
