"""A search on a Dask cluster: what is lost, what is found again, and that nothing hangs."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import pytest

import attention_zoo as az
from attention_zoo.tuning import SearchCallback, TuningError, read_trials, trials
from attention_zoo.tuning.workers import Cluster, check_workers, open_workers

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]
SPACE = {"dense/units": [16, 32], "dense/depth": [1, 2]}
VARIABLES = {**os.environ, "KERAS_BACKEND": keras.backend.backend(), "PYTHONPATH": str(ROOT)}
OPTIONS = {"max_trials": 4, "epochs": 1, "samples": 50, "space": SPACE}


def search(**more):
    return az.tune("dense", "planted_feature", **{**OPTIONS, **more})


def points(found):
    return [(one.values, one.metrics, one.status) for one in found.trials]


@pytest.mark.parametrize("wrong, error, match", [
    ({"workers": 0}, ValueError, "`workers` must be a positive integer"),
    ({"workers": 1000}, ValueError, "`workers` must be at most .*cores"),
    ({"workers": 2, "scheduler": "tcp://a:1"}, ValueError, "give one of them"),
    ({"scheduler": 3}, TypeError, "`scheduler` must be the address.*Received: 3"),
])  # fmt: skip
def test_bad_arguments_are_told_at_once(monkeypatch, wrong, error, match):
    monkeypatch.setattr(trials, "fit", None)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with pytest.raises(error, match=match):
        search(**wrong)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'attention-zoo\[cluster\]'"):
        check_workers(1, None)


def test_a_scheduler_that_is_not_there_is_named(monkeypatch, quick, tmp_path):
    monkeypatch.setattr("attention_zoo.tuning.workers._CONNECT", 0.5)
    with pytest.raises(TuningError, match="No Dask scheduler answers at tcp://127.0.0.1:9:"):
        search(scheduler="tcp://127.0.0.1:9", out=tmp_path / "s")


# Processes of Dask are started once for all of these


@pytest.fixture(scope="module")
def client():
    """A cluster that exists: its scheduler and its worker are processes in folders of theirs."""
    with distributed.LocalCluster(
        n_workers=0,
        dashboard_address=None,
        silence_logs=50,
        scheduler_kwargs={"allowed_failures": 1},
    ) as cluster:
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address,
             "--nthreads", "1", "--no-dashboard"],
            env=VARIABLES, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        try:
            with distributed.Client(cluster) as found:
                yield found
        finally:
            worker.terminate()
            worker.wait(20)


class KillWorker(SearchCallback):
    """Kills the process of every worker as a trial begins."""

    def __init__(self, client, trial):
        self.client, self.trial, self.killed = client, trial, []

    def on_trial_begin(self, trial, values):
        if trial == self.trial and not self.killed:
            self.killed = list(self.client.run(os.getpid).values())
            for process in self.killed:
                os.kill(process, signal.SIGKILL)


def test_a_worker_that_is_killed_loses_its_trial_only_and_the_trials_are_those_of_one_process(
    client, tmp_path
):
    callback = KillWorker(client, 1)
    found = search(scheduler=client, callback=callback, out=tmp_path / "s")
    assert len(callback.killed) == 1
    assert points(found) == points(search())
    assert az.load(tmp_path / "s" / "best", verify=True).count_params()
    # A finished search needs no worker, and the worker's folder is not the search's
    assert points(search(out=tmp_path / "s", resume=True)) == points(found)


def test_dask_does_not_draw_from_what_a_trial_is_seeded_by(monkeypatch):
    # Its other threads estimate the size of each message, such as a heartbeat, by draws
    from dask.sizeof import sizeof

    monkeypatch.setattr(trials, "execute", lambda *arguments: [])
    assert trials.run_trial(None, None, ()) == []
    before = random.getstate()
    assert sizeof([{str(n): n for n in range(50)}] * 50) > 50
    assert random.getstate() == before


def end_process(*arguments):
    os._exit(3)


def test_a_trial_that_kills_as_many_workers_as_may_die_fails_with_its_cause(
    client, monkeypatch, tmp_path
):
    monkeypatch.setattr("attention_zoo.tuning.workers.run_trial", end_process)
    with pytest.raises(TuningError, match="All 1 trials failed.*2 workers died in it, the last at"):
        search(scheduler=client, max_trials=1, out=tmp_path / "s")
    assert [one.status for one in read_trials(tmp_path / "s")] == ["FAILED"]


def test_a_worker_with_other_versions_ends_the_search(client, monkeypatch, tmp_path):
    monkeypatch.setattr("attention_zoo.tuning.plan.versions", lambda: "attention_zoo 0")
    with pytest.raises(TuningError, match="A worker has attention_zoo .*the search has.*Give all"):
        search(scheduler=client, max_trials=1, out=tmp_path / "s")


def test_a_scheduler_that_goes_ends_the_search_in_seconds(tmp_path):
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port",
         "0", "--no-dashboard", "--scheduler-file", str(tmp_path / "address.json")],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        limit = time.monotonic() + 60
        while not (tmp_path / "address.json").exists() and time.monotonic() < limit:
            time.sleep(0.05)
        address = json.loads((tmp_path / "address.json").read_text())["address"]

        class Kill(SearchCallback):
            def on_trial_begin(self, trial, values):
                threading.Timer(0.5, scheduler.kill).start()

        # No worker has come, so that the trial waits for one
        with pytest.raises(TuningError, match=f"The Dask scheduler at {address} is gone.*resume"):
            search(scheduler=address, callback=Kill(), out=tmp_path / "s")
    finally:
        scheduler.kill()
        scheduler.wait(20)
    assert [one.status for one in read_trials(tmp_path / "s")] == ["RUNNING"]


def test_workers_of_this_machine_are_processes_of_one_thread():
    def inside():
        names = ("KERAS_BACKEND", "OMP_NUM_THREADS")
        return os.getpid(), *(os.environ.get(name) for name in names)

    with open_workers(1, None, None, lambda *told: None) as pool:
        assert isinstance(pool, Cluster) and pool.capacity == 1
        ((address, (process, *variables)),) = pool.client.run(inside).items()
        assert pool.client.nthreads() == {address: 1}
        # A trial has failed when three of them have died in it
        assert pool.client.cluster.scheduler.allowed_failures == 2
    assert process != os.getpid() and variables == [keras.backend.backend(), "1"]


#: Forks sessions of a search, so that what they import is imported once; each is killed by a signal
#: in its second trial.
CODE = """
import os, signal, sys, attention_zoo as az
class Killed(az.tuning.SearchCallback):
    ended = 0
    def on_trial_end(self, result):
        self.ended += 1
    def on_epoch_end(self, *epoch):
        if self.ended:
            os.kill(os.getpid(), signal.SIGKILL)
for session in range(3):
    process = os.fork()
    if not process:
        az.tune("dense", "planted_feature", max_trials=4, epochs=1, samples=50, out=sys.argv[1],
                seed=3, space={"dense/units": [16, 32], "dense/depth": [1, 2]}, resume=True,
                callback=Killed())
        os._exit(0)
    print(os.waitpid(process, 0)[1])
"""


def test_a_search_killed_three_times_goes_on_with_the_same_trials(tmp_path):
    command = [sys.executable, "-c", CODE, str(tmp_path / "s")]
    done = subprocess.run(command, env=VARIABLES, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(int(signal.SIGKILL))] * 3
    assert [one.status for one in read_trials(tmp_path / "s")] == ["COMPLETED"] * 3 + ["RUNNING"]
    again = search(seed=3, out=tmp_path / "s", resume=True)
    assert points(again) == points(search(seed=3))


def test_the_page_uses_options_that_there_are():
    page = (ROOT / "docs" / "distributing.md").read_text("utf-8")
    from typer.main import get_command

    from attention_zoo.cli.app import app

    there = {name for one in get_command(app).commands["tune"].params for name in one.opts}
    used = []
    for block in re.findall(r"```(?:sh|yaml)\n(.*?)```", page, re.S):
        used += re.findall(r"attention-zoo,? tune(.*?)(?:\n\n|&|$|\])", block, re.S)
    assert used and set(re.findall(r"(?<=[ \[])--[a-z-]+", "".join(used))) <= there
