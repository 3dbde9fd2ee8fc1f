"""A run that is shared by two devices or processes is the run of one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import attention_zoo as az
from attention_zoo.training import make_recipe, run_recipe

BACKEND = keras.backend.backend()

#: 31 samples: the last of the batches has 7, which two do not share equally.
RECIPE = {
    "architecture": "dense_after",
    "task": "planted_step",
    "task_config": {"steps": 5, "index": 3},
    "config": {"units": 4, "attention": {"class_name": "temporal", "config": {"shared": True}}},
    "samples": 31,
    "validation": 21,
    "batch_size": 8,
    "patience": 2,
    "phases": [
        {"epochs": 2, "learning_rate": 0.01},
        {"epochs": 2, "attention": {"scores_regularizer": {
            "class_name": "attention_zoo>EntropyRegularizer", "config": {"strength": 0.05}}}},
    ],
}  # fmt: skip


def start(folder, launcher=(), **environment):
    folder.mkdir(exist_ok=True)
    script = [str(Path(__file__).parent / "distributed_job.py"), json.dumps(RECIPE)]
    words = [*(launcher or [sys.executable]), *script, str(folder / "m"), str(folder / "h.json")]
    paths = {"PYTHONPATH": str(Path(az.__file__).parents[1]), "KERAS_BACKEND": BACKEND}
    return subprocess.Popen(
        words, env={**os.environ, **paths, **environment}, text=True, stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
    )  # fmt: skip


def jobs(folder):
    """By name, the processes of each way to share a run that the backend has."""
    if BACKEND == "torch":
        words = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port"]
        launcher = [sys.executable, *words, str(free_ports(1)[0])]
        return {"processes": [start(folder / "processes", launcher, OMP_NUM_THREADS="1")]}
    # On a machine that is held up for a while the devices wait for each other longer than 40 s
    flags = "--xla_force_host_platform_device_count=2"
    if BACKEND == "jax":
        flags += " --xla_cpu_collective_call_terminate_timeout_seconds=300"
    found = {"devices": [start(folder / "devices", XLA_FLAGS=flags)]}
    if BACKEND == "tensorflow":
        workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
        tasks = [
            {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            for index in range(2)
        ]
        found["processes"] = [
            start(folder / "processes", TF_CONFIG=json.dumps(task)) for task in tasks
        ]
    return found


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def test_shared_it_is_the_run_of_one_and_goes_on_after_an_interruption(tmp_path):
    running = jobs(tmp_path)
    every = [process for some in running.values() for process in some]
    try:
        alone = run_recipe(make_recipe(RECIPE))
        said = [process.communicate(timeout=400)[0] for process in every]
    finally:
        for process in every:
            process.kill()
    assert [process.returncode for process in every] == [0] * len(every), said
    for name in running:
        folder = tmp_path / name
        history, scores, path = json.loads((folder / "h.json").read_text())
        for figure, values in alone.history.history.items():
            assert history[figure] == pytest.approx(values, rel=2e-5), (name, figure)
        assert scores == pytest.approx(alone.score, abs=1e-4)
        assert sorted(p.name for p in folder.iterdir()) == ["h.json", "m"]
        az.load(path, verify=True)


@pytest.mark.parametrize("changes, options, match", [
    ({}, {}, "two devices or more|a process for each device"),
    ({}, {"seeds": 2}, "leave `seeds` or `distribute` out"),
    ({}, {"distribute": "yes"}, "`distribute` must be True or False"),
])  # fmt: skip
def test_what_cannot_be_shared_is_told(changes, options, match):
    with pytest.raises((ValueError, TypeError), match=match):
        run_recipe(make_recipe({**RECIPE, **changes}), **{"distribute": True, **options})


def test_a_batch_that_two_cannot_share_is_told():
    from attention_zoo.training.distribution import SingleDevice

    two = SingleDevice()
    two.replicas = 2
    with pytest.raises(ValueError, match=r"multiple of the 2 devices.*Received: 7. Near it: 6, 8"):
        two.check(count=31, batch_size=7)
    with pytest.raises(ValueError, match="at most the 31 training samples.*Near it: 30"):
        two.check(count=31, batch_size=32)
    two.check(count=31, batch_size=8)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TF_CONFIG is TensorFlow's")
@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": {"worker": ["a:1", "b:2"]}}'])
def test_a_cluster_that_is_none_is_told(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG must"):
        run_recipe(make_recipe(RECIPE), distribute=True)
