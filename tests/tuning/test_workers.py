"""A search on a Dask cluster: what is lost, what is found again, and that nothing hangs."""

import json
import os
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
        scheduler_kwargs={"allowed_failures": 2},
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


def end_process(*arguments):
    os._exit(3)


def test_a_trial_that_kills_three_workers_fails_with_its_cause(client, monkeypatch, tmp_path):
    monkeypatch.setattr("attention_zoo.tuning.workers.run_trial", end_process)
    with pytest.raises(TuningError, match="All 1 trials failed.*3 workers died in it, the last at"):
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


def test_workers_of_this_machine_are_processes_of_one_thread(monkeypatch):
    seen = {}

    def look(data):
        def inside():
            return os.getpid(), keras.backend.backend(), os.environ.get("OMP_NUM_THREADS")

        with open_workers(1, None, data, lambda *told: None) as pool:
            assert isinstance(pool, Cluster) and pool.capacity == 1
            seen.update(pool.client.run(inside))
            assert pool.client.nthreads() == dict.fromkeys(seen, 1)

    look(None)
    ((process, backend, threads),) = seen.values()
    assert (process != os.getpid(), backend) == (True, keras.backend.backend())
    assert threads == "1"


CODE = """
import sys, attention_zoo as az
class Told(az.tuning.SearchCallback):
    def on_trial_end(self, result):
        print("ended", flush=True)
az.tune("dense", "planted_feature", max_trials=4, epochs=1, samples=50, out=sys.argv[1], seed=3,
        space={"dense/units": [16, 32], "dense/depth": [1, 2]}, resume=True, callback=Told())
"""


def test_a_search_killed_three_times_goes_on_with_the_same_trials(tmp_path):
    folder = tmp_path / "s"
    for ends in (1, 1, 1):  # so many trials of a session that is then killed
        with subprocess.Popen(
            [sys.executable, "-c", CODE, str(folder)], stdout=subprocess.PIPE, text=True,
            env=VARIABLES,
        ) as process:  # fmt: skip
            for _ in range(ends):
                assert process.stdout.readline() == "ended\n"
            process.kill()
        assert process.returncode == -signal.SIGKILL
    again = search(seed=3, out=folder, resume=True)
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
