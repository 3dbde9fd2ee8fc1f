"""A search over many processes: what is lost, what is found again, and that nothing hangs."""

import contextlib
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from keras_tuner.errors import FatalError

import attention_zoo as az
from attention_zoo.core import files
from attention_zoo.tuning import Spectator, TuningError, assignment, client, crew, desk
from attention_zoo.tuning import work as run_worker
from attention_zoo.tuning.folder import TRIALS
from attention_zoo.tuning.place import Place, find_place

SPACE = {"dense/units": [16, 32], "dense/depth": [1, 2]}
OPTIONS = {"max_trials": 4, "epochs": 1, "samples": 50, "space": SPACE}
VARIABLES = {
    "KERASTUNER_TUNER_ID": "chief", "KERASTUNER_ORACLE_IP": "10.0.0.1",
    "KERASTUNER_ORACLE_PORT": "5000",
}  # fmt: skip


def search(**more):
    return az.tune("dense", "planted_feature", **{**OPTIONS, **more})


def points(found):
    return [(one.values, one.figures, one.status) for one in found.trials]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("role, address, variables, match", [
    ("boss", "a:1", {}, "Unknown role.*Known: chief, worker"),
    (None, "a:1", {}, "`address` needs `role`"),
    ("worker", None, {}, "A worker needs `address`"),
    ("worker", "host", {}, "must be HOST:PORT"),
    ("worker", "host:", {}, "must be HOST:PORT"),
    ("worker", "host:http", {}, "must be HOST:PORT"),
    ("worker", "host:70000", {}, "the port must be 1 to 65535"),
    ("chief", "host:0", {}, "the port must be 1 to 65535"),
    ("worker", "host:1", VARIABLES, "'chief' is the name of a chief"),
    *((None, None, {k: v for k, v in VARIABLES.items() if k != name}, f"but not {name}")
      for name in VARIABLES),
    (None, None, {"KERASTUNER_TUNER_ID": "w"}, "Set all three"),
])  # fmt: skip
def test_a_place_that_is_none_is_told_with_the_cure(role, address, variables, match):
    with pytest.raises(ValueError, match=match):
        find_place(role, address, variables)


def test_keras_tuners_variables_are_understood():
    assert find_place(None, None, {}) is None
    assert find_place(None, None, VARIABLES) == Place("chief", "10.0.0.1", 5000, "chief")
    named = {**VARIABLES, "KERASTUNER_TUNER_ID": "tuner1"}
    assert find_place(None, None, named).role == "worker"
    assert find_place("worker", "[::1]:7", {}).address == "[::1]:7"


@pytest.mark.parametrize("wrong, match", [
    ({"workers": 0}, "`workers` must be a positive integer"),
    ({"workers": 1000}, "`workers` must be at most .*cores"),
    ({"workers": 2, "role": "chief", "address": "a:1"}, "Give one or the other"),
    ({"role": "worker", "address": "a:1"}, "A worker needs `out`"),
    ({"wait": 0}, "`wait` must be a finite number > 0"),
    ({"role": "worker", "address": "no.such.host.invalid:1", "out": "s"}, "there is no host"),
    ({"role": "chief", "address": "no.such.host.invalid:1", "out": "s"}, "there is no host"),
    ({"role": "chief", "address": "192.0.2.1:5000", "out": "s"}, "no address of this machine"),
])  # fmt: skip
def test_bad_arguments_are_told_at_once(quick, tmp_path, monkeypatch, wrong, match):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=match):
        search(**wrong)


class Chief:
    """The chief of a search in this process, in a thread; its workers are clients, which train
    nothing."""

    def __init__(self, folder, *, resume=False, port=None, **more):
        self.folder, self.port, self.error = folder, port or free_port(), None
        self.seen = []
        options = {"role": "chief", "address": f"127.0.0.1:{self.port}", "out": folder}
        options |= {"resume": resume, "wait": 20, "spectator": self._told(), **more}

        def run():
            try:
                self.search = search(**options)
            except Exception as error:  # for whoever joins
                self.error = error

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def _told(self):
        seen = self.seen

        class Told(Spectator):
            def trial_begins(self, trial, values):
                seen.append(("begins", trial))

            def trial_ends(self, trial):
                seen.append(("ends", trial))

        return Told()

    def worker(self, name, wait=5):
        while not assignment.assigned(self.folder):
            time.sleep(0.05)
        line = client.Line(
            Place("worker", "127.0.0.1", self.port, name),
            assignment.read_assignment(self.folder).token, wait,
        )  # fmt: skip
        return client.Client(None, line)

    def end(self):
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.error:
            raise self.error


def run_trial(worker, trial):
    """What a worker does with a trial, but that the figure is made up."""
    figure = 1 / 3 + int(trial.trial_id)
    worker.update_trial(trial.trial_id, {"log_loss": figure})
    trial.status = "COMPLETED"
    worker.end_trial(trial)


def run_all(worker):
    while (trial := worker.create_trial("any")).status != "STOPPED":
        if trial.status == "RUNNING":
            run_trial(worker, trial)


@pytest.fixture
def hasty(quick, monkeypatch):
    """Clients that die soon, and a search without models, tables or pictures."""
    monkeypatch.setattr(client, "BEAT", 0.1)
    monkeypatch.setattr(client, "PAUSE", 0.05)
    monkeypatch.setattr(desk, "LEASE", 0.6)
    monkeypatch.setattr(desk, "OPENING", 0.5)
    monkeypatch.setattr("attention_zoo.tuning.searching.finish", finish)


def finish(plan, folder, kept):
    from keras_tuner.engine.trial import Trial

    return [Trial.load(str(path)) for path in sorted(folder.glob(f"{TRIALS}/*/trial.json"))]


def test_the_trial_of_a_worker_that_vanished_is_given_to_another(hasty, tmp_path):
    first = Chief(tmp_path / "s")
    lost, other = first.worker("a"), first.worker("b")
    trial = lost.create_trial("any")
    assert lost.create_trial("any").trial_id == trial.trial_id  # asked twice it is the same
    lost.line.close()
    run_all(other)
    other.line.close()
    first.end()
    assert [one.status for one in first.search] == ["COMPLETED"] * 4
    # Not rounded to float32, as KerasTuner's messages are
    assert [one.score for one in first.search] == [1 / 3 + n for n in range(4)]
    assert first.seen.count(("begins", trial.trial_id)) == 2
    assert first.seen.count(("ends", trial.trial_id)) == 1


@pytest.mark.parametrize("names, why", [("abc", "not heard of"), ("aaa", "it began anew")])
def test_a_trial_that_kills_its_workers_fails_in_the_end(hasty, tmp_path, names, why):
    first = Chief(tmp_path / "s", max_trials=1)
    for name in names:
        worker = first.worker(name)
        while worker.create_trial("any").status != "RUNNING":
            pass
        worker.line.close()
    last = first.worker(names[-1] if why == "it began anew" else "d")
    run_all(last)
    last.line.close()
    first.end()
    assert [one.status for one in first.search] == ["FAILED"]
    assert first.search[0].message.startswith(f"3 workers died in it, the last: {why}")


def test_the_slower_of_two_workers_at_one_trial_does_no_harm(hasty, tmp_path):
    first = Chief(tmp_path / "s")
    slow, fast = first.worker("a"), first.worker("b")
    trial = slow.create_trial("any")
    slow.line._closed.set()  # it lives, but the chief does not hear it
    while (again := fast.create_trial("any")).trial_id != trial.trial_id:
        if again.status == "RUNNING":
            run_trial(fast, again)
    run_trial(fast, again)
    trial.message = "it should not count"
    run_trial(slow, trial)
    for worker in (slow, fast):
        run_all(worker)
        worker.line.close()
    first.end()
    assert [one.message for one in first.search] == [None] * 4


def test_an_error_of_a_trial_reaches_the_chief(hasty, tmp_path):
    first = Chief(tmp_path / "s")
    worker = first.worker("a")
    trial = worker.create_trial("any")
    trial.status, trial.message = "FAILED", "ValueError: schön " + 3000 * "x"
    worker.end_trial(trial)
    run_all(worker)
    worker.line.close()
    first.end()
    assert first.search[0].message.startswith("ValueError: schön xxx")
    assert [one.status for one in first.search] == ["FAILED"] + ["COMPLETED"] * 3


@pytest.mark.parametrize("tuner", ["bayesian", "hyperband"])
def test_every_tuner_serves_two_workers(hasty, tmp_path, tuner):
    first = Chief(tmp_path / "s", tuner=tuner, max_trials=9, epochs=3)
    workers = [first.worker(name) for name in "ab"]
    threads = [threading.Thread(target=run_all, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread, worker in zip(threads, workers, strict=True):
        thread.join(60)
        worker.line.close()
    first.end()
    assert [one.status for one in first.search] == ["COMPLETED"] * 9


def test_what_a_full_disk_does_to_a_chief_is_told_to_its_workers(hasty, tmp_path, monkeypatch):
    first = Chief(tmp_path / "s")
    worker = first.worker("a")
    trial = worker.create_trial("any")

    def full(path, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "new_file", full)
    with pytest.raises(FatalError, match="ended with an error: OSError.*No space left"):
        run_trial(worker, trial)
    worker.line.close()
    with pytest.raises(OSError, match="No space left"):
        first.end()


def test_only_one_chief_has_a_folder_or_a_port_and_only_its_workers(hasty, tmp_path):
    first = Chief(tmp_path / "s")
    worker = first.worker("a")
    trial = worker.create_trial("any")
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(TuningError, match="in use by another search"):
            Chief(tmp_path / "s", **options).end()
    with pytest.raises(ValueError, match="the port is in use, maybe by another chief"):
        Chief(tmp_path / "t", port=first.port).end()
    stranger = client.Line(Place("worker", "127.0.0.1", first.port, "b"), "0", 5)
    with pytest.raises(FatalError, match="refused this worker.*the same --out"):
        client.Client(None, stranger).create_trial("any")
    stranger.close()
    run_trial(worker, trial)
    run_all(worker)
    worker.line.close()
    first.end()
    assert len(first.search) == 4
    # Who comes after the end has nothing to do
    assert run_worker(tmp_path / "s", f"127.0.0.1:{first.port}", wait=0.2) == 0


def test_nobody_waits_for_ever(hasty, tmp_path):
    with pytest.raises(TuningError, match="No worker has been here.*--role worker"):
        Chief(tmp_path / "s", wait=0.3).end()
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(TuningError, match="has held no search for 0.2 s. Start the chief first"):
        run_worker(tmp_path / "t", address, wait=0.2)
    with pytest.raises(TuningError, match=f"No chief answered at {address} in 0.3 s"):
        run_worker(tmp_path / "s", address, wait=0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with pytest.raises(TuningError, match="No chief answered"):
            run_worker(tmp_path / "s", f"127.0.0.1:{deaf.getsockname()[1]}", wait=0.3)


def test_a_worker_outlives_its_chief_for_a_while(hasty, tmp_path):
    first = Chief(tmp_path / "s", wait=0.1)
    worker = first.worker("a", wait=1)
    worker.create_trial("any")
    worker.line._closed.set()
    with pytest.raises(TuningError, match="No worker has been here"):
        first.end()
    with pytest.raises(FatalError, match="has not answered for 1 s. Start it again with --resume"):
        worker.create_trial("any")
    worker.line.close()


def test_a_worker_of_another_version_is_refused(hasty, tmp_path, monkeypatch):
    with pytest.raises(TuningError, match="No worker"):
        Chief(tmp_path / "s", wait=0.1).end()
    monkeypatch.setattr(assignment, "__version__", "0.0.1")
    with pytest.raises(TuningError, match="This worker has attention_zoo 0.0.1, its chief has"):
        run_worker(tmp_path / "s", "127.0.0.1:1", wait=1)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="its epochs is 1, this one's is 2. Give a worker what"):
        search(role="worker", address="127.0.0.1:1", epochs=2, out=tmp_path / "s", wait=1)


def test_a_worker_gets_the_users_data_and_space(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 7, 3))
    data = az.training.from_arrays(x, rng.choice(["no", "yes"], 60), mask=rng.random((60, 7)) > 0.3)
    import keras_tuner

    own = keras_tuner.engine.hyperparameters.Int("any", 5, 7)
    space = {"learning_rate": (1e-4, 1e-2), "gru/units": own, "batch_size": [8, 16]}
    arguments = {"data": data, "space": space, "seed": 3}
    token = assignment.assign(tmp_path, arguments)
    told = assignment.read_assignment(tmp_path)
    assert (token, told.arguments["seed"]) == (told.token, 3)
    assert told.arguments["data"].fingerprint() == data.fingerprint()
    assert told.arguments["data"].classes == ["no", "yes"]
    assert told.arguments["data"].mask_value == data.mask_value
    read = told.arguments["space"]
    assert (read["learning_rate"], read["batch_size"]) == ((1e-4, 1e-2), [8, 16])
    assert read["gru/units"].get_config() == own.get_config()
    assert assignment.assign(tmp_path, arguments) == token  # the chief's workers know it still


@pytest.fixture
def processes(monkeypatch):
    """The workers that a chief starts."""
    started = []

    def start(*args, **kwargs):
        started.append(subprocess.Popen(*args, **kwargs))
        return started[-1]

    class Recorder:
        Popen = staticmethod(start)
        DEVNULL, TimeoutExpired = subprocess.DEVNULL, subprocess.TimeoutExpired

    monkeypatch.setattr(crew, "subprocess", Recorder)
    return started


def test_workers_end_with_their_chief(processes, monkeypatch, tmp_path):
    monkeypatch.setattr(crew, "_CODE", "import time; time.sleep(60)")
    (tmp_path / "workers").mkdir()
    with pytest.raises(KeyboardInterrupt), crew.Crew(2, tmp_path, 1):
        assert [process.poll() for process in processes] == [None, None]
        raise KeyboardInterrupt
    assert [process.returncode for process in processes] == [-signal.SIGTERM] * 2


def test_workers_that_cannot_begin_end_the_search(processes, monkeypatch, tmp_path):
    monkeypatch.setattr(crew, "_CODE", "raise SystemExit('No module named nothing')")
    with pytest.raises(TuningError, match="A worker cannot go on: No module named nothing See"):
        search(workers=2, out=tmp_path / "s")
    assert all(process.returncode is not None for process in processes)


def test_workers_have_the_dtype_policy_of_their_chief(monkeypatch, tmp_path):
    start = crew._CODE.partition("from attention_zoo")[0]
    monkeypatch.setattr(crew, "_CODE", start + "sys.exit(keras.config.dtype_policy().name)")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with pytest.raises(TuningError, match="A worker cannot go on: mixed_bfloat16 See"):
            search(workers=2, out=tmp_path / "s")
    finally:
        keras.config.set_dtype_policy(before)


def test_workers_share_the_cores_unless_the_user_says_otherwise(monkeypatch, tmp_path):
    start = crew._CODE.partition("from attention_zoo")[0]
    said = "sys.exit('threads ' + __import__('os').environ['OMP_NUM_THREADS'])"
    monkeypatch.setattr(crew, "_CODE", start + said)
    for cores, own, threads in ((6, None, 3), (1, None, 1), (6, "5", 5)):
        monkeypatch.setattr(crew, "_cores", lambda cores=cores: cores)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if own:
            monkeypatch.setenv("OMP_NUM_THREADS", own)
        with pytest.raises(TuningError, match=f"A worker cannot go on: threads {threads} See"):
            search(workers=2, out=tmp_path / f"{cores}{own}")
    monkeypatch.undo()
    assert 1 <= crew._cores() <= os.cpu_count()


def test_two_workers_find_what_one_process_finds_though_one_is_killed(processes, tmp_path):
    class Killer(Spectator):
        killed = None

        def trial_begins(self, trial, values):
            if trial == "1" and self.killed is None:
                running = [process for process in processes if process.poll() is None]
                self.killed = running[0].pid
                os.kill(self.killed, signal.SIGKILL)

    watching = Killer()
    found = search(workers=2, out=tmp_path / "s", spectator=watching)
    assert points(found) == points(search())
    assert watching.killed is not None and len(processes) == 3
    assert all(process.returncode is not None for process in processes)
    assert sorted(path.name for path in (tmp_path / "s" / "best").iterdir())
    # What is there already needs no worker
    assert points(search(workers=2, out=tmp_path / "s", resume=True)) == points(found)
    assert len(processes) == 3


def test_a_chief_that_is_killed_goes_on_and_its_worker_with_it(tmp_path):
    folder, address = tmp_path / "s", f"127.0.0.1:{free_port()}"
    here = ["--address", address, "--out", str(folder), "--wait", "120"]
    task = ["dense", "--task", "planted_feature", "--max-trials", "4", "--epochs", "1",
            "--samples", "50", "--resume", "--set", "dense/depth=[1,2]"]  # fmt: skip

    def begin(role, *more):
        command = [sys.executable, "-m", "attention_zoo", "tune", *more, "--role", role, *here]
        variables = {**os.environ, "KERAS_BACKEND": keras.backend.backend()}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables,
            cwd=Path(az.__file__).parents[1],
        )  # fmt: skip

    with contextlib.ExitStack() as stack:
        worker, first = begin("worker"), begin("chief", *task)
        for process in (worker, first):
            stack.callback(process.kill)
        limit = time.monotonic() + 300
        while not (folder / TRIALS / "trial_1").exists() and time.monotonic() < limit:
            time.sleep(0.05)
        first.kill()
        first.communicate()
        second = begin("chief", *task)
        stack.callback(second.kill)
        said, _ = second.communicate(timeout=300)
        heard, _ = worker.communicate(timeout=60)
    assert (second.returncode, worker.returncode) == (0, 0), said + heard
    assert "This worker ran 4 of its trials" in heard
    assert [one.status for one in az.tuning.read_trials(folder)] == ["COMPLETED"] * 4
    assert "4 trials" in said


def test_the_page_uses_options_that_there_are():
    page = (Path(__file__).parents[2] / "docs" / "distributing.md").read_text("utf-8")
    from typer.main import get_command

    from attention_zoo.cli.app import app

    there = {name for one in get_command(app).commands["tune"].params for name in one.opts}
    for block in re.findall(r"```(?:sh|yaml)\n(.*?)```", page, re.S):
        after = "".join(re.findall(r"attention-zoo,? tune(.*?)(?:\n\n|&|$|\])", block, re.S))
        assert after and set(re.findall(r"(?<=[ \[])--[a-z-]+", after)) <= there
