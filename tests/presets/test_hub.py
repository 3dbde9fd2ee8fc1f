"""Presets on a Hub: sent, fetched, kept in its cache, refused; against a server of our own."""

import os
import subprocess
import sys

import pytest
from huggingface_hub import constants

import attention_zoo as az
from attention_zoo.presets import hub
from attention_zoo.presets.folder import CARD, VOUCHED
from tests.presets.hub_server import Hub

START = "import keras, numpy as np, attention_zoo as az\nkeras.utils.set_random_seed(3)\n"
SAVE = START + (
    "print(az.save(az.build('dense', input_shape=(4,), units=3), 'hf://owner/name',\n"
    "              overwrite=__import__('sys').argv[1:] == ['over']))\n"
)
LOAD = START + (
    "import sys\n"
    "m = az.load(sys.argv[1], verify=True)\n"
    "print('sum', float(np.abs(m.get_weights()[0]).sum()))\n"
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
    at(server.url, monkeypatch)
    return server


def at(url, monkeypatch):
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + template)
    monkeypatch.setattr(constants, "ENDPOINT", url)


def python(server, code, *arguments, **environment):
    """A fresh process whose Hub is the server; its status, last line and errors."""
    more = {"HF_ENDPOINT": server.url, "HF_HOME": str(server.home), "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_TOKEN": "hf_x", **environment}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True,
                          env={**os.environ, **more}, check=False, timeout=120)  # fmt: skip
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode, lines[-1] if lines else ""


def test_there_and_back_and_offline(server):
    assert python(server, SAVE) == (0, "hf://owner/name")
    assert sorted(server.files) == sorted([CARD, *VOUCHED])
    status, message = python(server, SAVE)
    assert status == 1
    assert "exists and is kept" in message
    assert python(server, SAVE, "over")[0] == 0

    first = python(server, LOAD, "hf://owner/name")
    assert first[0] == 0
    fetched = [line for line in server.asked if line.startswith("GET /owner")]
    assert len(fetched) == 4
    # By its revision it is in the cache, and nothing is fetched again
    assert python(server, LOAD, f"hf://owner/name@{server.commit}") == first
    assert [line for line in server.asked if line.startswith("GET /owner")] == fetched
    asked = len(server.asked)
    assert python(server, LOAD, "hf://owner/name", HF_HUB_OFFLINE="1") == first
    assert len(server.asked) == asked


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
