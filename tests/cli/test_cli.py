"""The shell does what Python does, and says in one line what is wrong."""

import json
import os
import shlex
import subprocess
import sys

import keras
import numpy as np
import pytest

import attention_zoo as az
from attention_zoo.cli import main, progress
from attention_zoo.training.recipe import default_recipe


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path):
    """Run a command line in an empty folder: (status, printed, complained)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["attention-zoo", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def page_data(path):
    """What a page draws."""
    return json.loads(path.read_text("utf-8").split('id="data">')[1].split("</script>")[0])


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.4f},{b:.4f},{'yes' if b > 0 else 'no'}" for a, b in rng.normal(size=(90, 2))]
    path = tmp_path / "own.csv"
    path.write_text("first,second,bought\n" + "\n".join(rows) + "\n")
    return path


def test_list_names_everything_without_keras(tmp_path):
    code = (
        "import sys; sys.argv = ['attention-zoo', 'list']\n"
        "from attention_zoo.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = [*az.list_presets(), *az.list_models(), *az.list_layers(), *az.tasks.list_tasks()]
    for name in [*names, "Recipes: "]:
        assert name in done.stdout


def test_list_filters_and_speaks_json(shell):
    status, printed, _ = shell("list", "models", "--pattern", "lstm*", "--json")
    assert status == 0
    assert "lstm_after" in printed
    assert "gru" not in printed


def test_the_recipes_that_train_takes_are_listed(shell):
    status, printed, _ = shell("list", "recipes", "--json")
    assert (status, json.loads(printed)) == (0, {"recipes": az.training.list_recipes()})
    status, printed, _ = shell("list", "recipes", "--pattern", "gru.*")
    rows = [line.split() for line in printed.splitlines()[2:]]
    assert (status, [row[0] for row in rows]) == (0, ["gru.moving_step", "gru.planted_step"])
    recipe = az.training.load_recipe("gru.planted_step")
    assert rows[1][1:] == ["planted_step", str(sum(phase.epochs for phase in recipe.phases))]


def test_show_prints_the_card(shell):
    status, printed, _ = shell("show", "lstm_after")
    assert status == 0
    for words in ("lstm_after.planted_step", "relevance mass accuracy", "plain softmax", "Apache",
                  "uniform attention", "With uniform attention it predicts as well"):  # fmt: skip
        assert words in printed
    status, printed, _ = shell("show", "dense_after.find_max")
    assert status == 0
    assert "Frozen uniform" not in printed


@pytest.mark.parametrize("name", ["lstm_after", "dense"])
def test_explain_marks_the_planted_index_and_writes_the_picture(shell, tmp_path, name):
    status, printed, _ = shell("explain", name, "--samples", 50)
    assert status == 0
    marked = [line for line in printed.splitlines() if "<- relevant" in line]
    assert [line.split()[0] for line in marked] == ["10" if name == "lstm_after" else "1"]
    pictures = list(tmp_path.glob("*.png"))
    assert [p.read_bytes()[:4] for p in pictures] == [b"\x89PNG"]
    status, _, complaint = shell("explain", name)
    assert status == 2
    assert "exists and is kept" in complaint


def test_evaluate_sets_fresh_figures_beside_the_card(shell):
    status, printed, _ = shell("evaluate", "dense", "--samples", 200)
    assert status == 0
    assert "on 200 fresh samples" in printed
    status, printed, _ = shell("evaluate", "dense", "--samples", 200, "--json")
    result = json.loads(printed)
    assert result["measured"]["accuracy"] == pytest.approx(result["card"]["accuracy"], abs=0.02)


def test_evaluate_says_whose_samples_they_are(shell, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 32))
    np.savez(tmp_path / "s.npz", x=x, y=(x[:, 1] > 0).astype(int))
    status, printed, complaint = shell("evaluate", "dense", "--data", "s.npz")
    assert status == 0, complaint
    assert printed.startswith("dense on the 9 samples of s.npz\n")


def test_evaluate_asks_for_the_target_of_a_csv_before_any_work(shell, table):
    status, _, complaint = shell("evaluate", "dense", "--data", table)
    assert (status, "needs --target COLUMN" in complaint) == (2, True)
    assert "Its columns: first, second, bought" in complaint


def test_a_recipe_remakes_a_preset(shell, tmp_path):
    words = ["train", "--out", "again", "--recipe"]
    status, _, complaint = shell(*words, "dense.planted_feature", "--epochs", 1)
    assert (status, "`recipe` decides `epochs`: leave it out" in complaint) == (2, True)
    plan = az.training.load_recipe("dense.planted_feature")
    small = plan.changed(samples=100, phases=[{"epochs": 1}])
    (tmp_path / "small.json").write_text(small.model_dump_json())
    status, _, complaint = shell(*words, "small.json")
    assert status == 0, complaint
    assert az.presets.read_card("./again").recipe["task"] == "planted_feature"


def test_a_users_own_table_from_the_shell_alone(shell, table, tmp_path):
    status, printed, _ = shell("train", "dense", "--data", table, "--target", "bought", "--epochs",
                               2, "--validation-split", 0.2, "--out", "mine")  # fmt: skip
    assert status == 0, printed
    assert "accuracy" in printed and "baseline: majority class" in printed
    assert az.presets.read_card("./mine").classes == ["no", "yes"]
    status, printed, _ = shell("explain", "./mine", "--data", table, "--target", "bought")
    assert status == 0
    assert "second" in printed
    status, _, complaint = shell("explain", "./mine", "--data", table, "--out", "q.svg")
    assert status == 2 and "If it is what is predicted, name it as the target." in complaint
    numbers = table.read_text().replace("yes", "1").replace("no", "0")
    (tmp_path / "numbers.csv").write_text(numbers)
    status, _, complaint = shell("explain", "./mine", "--data", "numbers.csv", "--overwrite")
    assert status == 2 and "one column more than mine takes" in complaint
    assert "--target bought" in complaint
    model = az.load("./mine")
    model.save(tmp_path / "m.keras")
    status, printed, _ = shell("explain", "m.keras", "--data", table, "--target", "bought",
                               "--out", "p.svg")  # fmt: skip
    assert status == 0
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")


def test_the_command_to_copy_keeps_its_spaces(shell, table, tmp_path):
    text = table.read_text().replace("bought", "was bought")
    (tmp_path / "my own.csv").write_text(text)
    words = ["--data", "my own.csv", "--target", "was bought"]
    status, printed, complaint = shell("train", "dense", *words, "--epochs", 1, "--out", "a model")
    assert status == 0, complaint
    copied = shlex.split(printed.partition("See where it attends: ")[2])
    assert copied == ["attention-zoo", "explain", "./a model", *words]
    assert shell(*copied[1:])[0] == 0


def test_columns_and_labels_are_the_cards(shell, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    x = az.layers.FeatureAttention()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(x))
    about = {"kind": "multiclass", "classes": ["b", "d", "e"], "names": ["first", "second"]}
    az.save(model, tmp_path / "m", about=about)
    rows = np.random.default_rng(0).normal(size=(30, 2)).round(3)
    found = []
    for order in ("first,second,kind", "kind,second,first"):
        cells = [{"first": a, "second": b, "kind": "de"[int(a > 0)]} for a, b in rows]
        lines = [",".join(str(row[name]) for name in order.split(",")) for row in cells]
        (tmp_path / "own.csv").write_text("\n".join([order, *lines]))
        words = ["./m", "--data", "own.csv", "--target", "kind"]
        explained = shell("explain", *words, "--html", f"{order}.html")
        measured = shell("evaluate", *words, "--json")
        assert (explained[0], measured[0]) == (0, 0), explained[2] + measured[2]
        page = page_data(tmp_path / f"{order}.html")
        assert page["features"] == ["first", "second"]
        assert page["labels"] == [["de"[int(a > 0)]] for a in rows[:, 0]]
        found.append((page, json.loads(measured[1])["measured"]))
    assert found[0] == found[1]
    right = model.predict(rows, verbose=0).argmax(1) == 1 + (rows[:, 0] > 0)
    assert found[0][1]["accuracy"] == pytest.approx(right.mean())
    # The column that the preset does not know is the one to predict
    (tmp_path / "own.csv").write_text("kind,second,first\n0,1,2\n1,3,4\n")
    assert "--target kind" in shell("explain", "./m", "--data", "own.csv")[2]
    (tmp_path / "own.csv").write_text("first,third,kind\n1,2,b\n3,4,d\n")
    for command in ("explain", "evaluate"):
        status, _, complaint = shell(command, *words)
        assert (status, "Missing: 'second'. Unknown: 'third'." in complaint) == (2, True)


def test_explain_writes_one_page_instead_of_the_picture(shell, table, tmp_path):
    words = ["--data", table, "--target", "bought"]
    assert shell("train", "dense", *words, "--epochs", 1, "--out", "mine")[0] == 0
    status, printed, complaint = shell("explain", "./mine", *words, "--html", "report.html")
    assert status == 0, complaint
    assert printed.endswith("Page: report.html\n")
    shown = page_data(tmp_path / "report.html")
    assert shown["title"] == "mine: where it attends"
    assert shown["features"] == shown["layers"][0]["labels"][0] == ["first", "second"]
    wanted = [row.rpartition(",")[2] for row in table.read_text().split()[1:]]
    assert shown["labels"] == [[each] for each in wanted]
    assert shown["trust"] is None
    assert not list(tmp_path.glob("*.png"))
    status, _, complaint = shell("explain", "./mine", *words, "--html", "report.html")
    assert (status, "exists and is kept" in complaint) == (2, True)
    status, printed, _ = shell("explain", "./mine", *words, "--html", "r.html", "--out", "p.png")
    assert (status, printed.split("\n\n")[-1]) == (0, "Picture: p.png\nPage: r.html\n")


def test_the_page_holds_the_rows_of_trust(shell, tmp_path):
    words = ["explain", "dense", "--samples", 30, "--trust"]
    status, printed, complaint = shell(*words, "--html", "t.html", "--trust-out", "t.json")
    assert status == 0, complaint
    assert printed.endswith("Page: t.html\nTrust: t.json\n")
    shown = page_data(tmp_path / "t.html")["trust"]
    trust = json.loads((tmp_path / "t.json").read_text())
    assert trust["model"] == "dense.planted_feature"
    assert (shown["layer"], shown["samples"]) == ("attention", 30)
    assert [row[0] for row in shown["rows"]] == [row["name"] for row in trust["rows"]]
    assert [row[4] for row in shown["rows"]] == [row["sentence"] for row in trust["rows"]]


def test_the_page_opens_on_the_layer_that_is_asked_for(shell, tmp_path):
    inputs = keras.Input((6, 2))
    x = az.layers.SelfAttention(name="first")(inputs)
    x = az.layers.AttentionPooling(name="second")(x)
    keras.Model(inputs, keras.layers.Dense(1)(x)).save(tmp_path / "m.keras")
    np.savez(tmp_path / "s.npz", x=np.ones((4, 6, 2)))
    for words, names in (([], ["first", "second"]), (["--layer", "second"], ["second", "first"])):
        status, _, complaint = shell("explain", "m.keras", "--data", "s.npz", *words, "--html",
                                     "p.html", "--overwrite")  # fmt: skip
        assert status == 0, complaint
        assert [layer["name"] for layer in page_data(tmp_path / "p.html")["layers"]] == names


def test_columns_name_steps_and_only_the_axes_that_they_fit(shell, table, tmp_path):
    series = keras.Input((2, 1))
    keras.Model(series, az.layers.AttentionPooling()(series)).save(tmp_path / "steps.keras")
    inputs = keras.Input((2,))
    x = az.layers.FeatureAttention()(keras.layers.Dense(3)(inputs))
    keras.Model(inputs, keras.layers.Dense(1)(x)).save(tmp_path / "hidden.keras")
    for model, labels in (("steps", ["first", "second"]), ("hidden", None)):
        status, printed, complaint = shell("explain", f"{model}.keras", "--data", table, "--target",
                                           "bought", "--html", f"{model}.html")  # fmt: skip
        assert status == 0, complaint
        assert ("second" in printed) == bool(labels)
        assert page_data(tmp_path / f"{model}.html")["layers"][0]["labels"] == [labels]


def test_a_series_from_the_shell_alone(shell, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 7, 2))
    np.savez(tmp_path / "s.npz", x=x, y=x[:, 3, 0], mask=np.ones((60, 7), bool))
    status, _, complaint = shell("train", "gru", "--data", "s.npz", "--epochs", 1, "--out", "g")
    assert status == 0, complaint
    status, printed, _ = shell("explain", "./g", "--data", "s.npz")
    assert status == 0
    assert "60 samples" in printed


def test_options_change_the_recipe(shell):
    status, _, complaint = shell(
        "train", "dense", "--task", "planted_feature", "--out", "m", "--epochs", 2, "--samples",
        100, "--normalizer", "sparsemax", "--units", 3, "--seed", 5, "--batch-size", 50,
    )  # fmt: skip
    assert status == 0, complaint
    recipe = az.presets.read_card("./m").recipe
    attention = default_recipe("dense", "planted_feature").config["attention"]["config"]
    assert recipe["config"]["units"] == 3
    assert recipe["config"]["attention"]["config"] == {**attention, "normalizer": "sparsemax"}
    assert (recipe["seed"], recipe["samples"], recipe["batch_size"]) == (5, 100, 50)
    assert [p["epochs"] for p in recipe["phases"]] == [1, 1]


def test_shell_and_python_train_the_same_model(shell, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(61, 2)).round(3)
    for name, rows in (("all", x), ("held", x[:13])):
        lines = [f"{a},{b},{'yes' if a > 0 else 'no'}" for a, b in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,bought", *lines]))
    status, printed, complaint = shell(
        "train", "dense", "--data", "all.csv", "--target", "bought", "--validation-data",
        "held.csv", "--validation-split", 0, "--test-data", "held.csv", "--epochs", 2,
        "--batch-size", 16, "--learning-rate", 0.02, "--attention", "feature", "--units", 5,
        "--set", "depth=2", "--set", "dropout=0.1", "--normalizer", "sparsemax", "--class-weight",
        "yes=3", "--patience", 1, "--seed", 7, "--out", "m",
    )  # fmt: skip
    assert status == 0, complaint
    y = np.where(x[:, 0] > 0, "yes", "no")
    run = az.train(
        "dense", x, y, validation_data=(x[:13], y[:13]), test_data=(x[:13], y[:13]), epochs=2,
        batch_size=16, learning_rate=0.02, units=5, depth=2, dropout=0.1,
        attention=az.layers.FeatureAttention(normalizer="sparsemax"), class_weight={"yes": 3},
        patience=1, seed=7,
    )  # fmt: skip
    for mine, theirs in zip(az.load("./m").get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert az.presets.read_card("./m").scores == run.score
    assert "On 13 test samples" in printed and "baseline: majority class" in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lst"], "No such command 'lst'"),
        (["show"], "Missing argument 'name'. Try: attention-zoo show --help"),
        (["train", "gru", "--task", "planted_step", "--out", "m", "--patience", "0"], "`patience`"),
        (["list", "prests"], "Did you mean 'presets'"),
        (["show", "lstm_aftr"], "Did you mean 'lstm_after'"),
        (["explain", "nothing.keras"], "There is no file nothing.keras"),
        (["explain", "./nothing"], "There is no preset at nothing"),
        (["explain", "lstm_after", "--layer", "atention"], "Did you mean 'attention'"),
        (["explain", "lstm_after", "--samples", "0"], "`samples` must be a positive integer"),
        (["explain", "lstm_after", "--out", "p.xyz", "--data", "no.npz"],
         "--out must end in one of .eps"),
        (["explain", "lstm_after", "--out", "p", "--data", "no.npz"], "Received: p\n"),
        (["explain", "lstm_after", "--data", "no.npz"], "There is no file no.npz"),
        (["explain", "lstm_after", "--html", "p.pdf"], "--html must end in .html. Received: p.pdf"),
        (["explain", "dense", "--html", "p.html", "--layer", "atention"], "mean 'attention'"),
        (["explain", "dense", "--html", "p.html", "--trust-out", "t.txt"], "must end in .json"),
        (["train", "lstm_aftr", "--task", "planted_step", "--out", "m"], "mean 'lstm_after'"),
        (["train", "gru", "--task", "planted_stpe", "--out", "m"], "mean 'planted_step'"),
        (["train", "gru", "--out", "m"], "Give --task, --data or --recipe"),
        (["train", "--task", "planted_step", "--out", "m"], "Give an ARCHITECTURE or --recipe"),
        (["train", "gru", "--recipe", "dense.syn1", "--out", "m"], "Give an ARCHITECTURE or"),
        (["train", "--recipe", "dense.syn", "--out", "m"], "Did you mean 'dense.syn"),
        (["evaluate", "lstm_aftr"], "Did you mean 'lstm_after'"),
        (["evaluate", "dense", "--samples", "0"], "`samples` must be a positive integer"),
        (["train", "gru", "--task", "planted_step"], "Give --out FOLDER"),
        (["train", "gru", "--task", "planted_step", "--out", "m", "--epochs", "0"], "`epochs`"),
        (["train", "gru", "--task", "planted_step", "--out", "m", "--epochs", "x"], "epochs"),
        (["train", "gru", "--task", "planted_feature", "--out", "m"], r"(time, features)"),
        (["train", "dense", "--data", "no.csv", "--target", "y", "--out", "m"], "no file no.csv"),
        (["train", "dense", "--data", "a.csv", "--out", "m"], "needs --target COLUMN"),
        (["train", "gru", "--task", "planted_step", "--out", "m", "--normalizer", "sofmax"],
         "Did you mean 'softmax'"),
        (["train", "gru", "--task", "planted_step", "--out", "m", "--colour", "red"], "--colour"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_status_2_and_writes_nothing(shell, tmp_path, words, message):
    status, _, complaint = shell(*words)
    assert status == 2
    assert message in complaint
    assert len(complaint.strip().splitlines()) == 1
    assert "Traceback" not in complaint
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_whole_and_what_is_there_can_be_replaced(shell, tmp_path):
    status, _, complaint = shell()
    assert status == 2 and "\nCommands:\n" in complaint
    (tmp_path / "p.png").touch()
    assert "or replace it (--overwrite" in shell("explain", "lstm_after", "--out", "p.png")[2]


def test_a_keras_file_is_no_preset_and_the_way_to_one_is_told(shell, tmp_path):
    az.load("dense").save(tmp_path / "m.keras")
    for command in ("evaluate", "show"):
        status, _, complaint = shell(command, "m.keras")
        assert status == 2
        assert "A preset is a folder; m.keras is a file." in complaint
        assert "az.save(az.load('m.keras'), FOLDER)" in complaint
        assert "Keras 2" not in complaint
    az.save(az.load("m.keras"), "folder")
    assert shell("show", "folder")[0] == 0
    (tmp_path / "old.h5").touch()
    assert "attention-zoo migrate OLD NEW.keras" in shell("show", "old.h5")[2]


@pytest.mark.parametrize(("backend", "words"), [("jaxx", "jaxx"), ("nowhere", "nowhere")])
def test_a_backend_that_is_not_there_is_one_line(tmp_path, backend, words):
    code = (
        "import sys; sys.argv = ['attention-zoo', 'explain', 'lstm_after']\n"
        "from attention_zoo.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_training_says_how_to_go_on(shell, monkeypatch, tmp_path):
    def stop(epoch, logs):
        raise KeyboardInterrupt

    def interrupt(*words):
        with monkeypatch.context() as patch:
            patch.setattr(progress.EpochBar, "callbacks", lambda bar, phase: [
                keras.callbacks.LambdaCallback(on_epoch_end=stop)
            ])  # fmt: skip
            return shell(*words)

    words = ["train", "dense", "--task", "planted_feature", "--epochs", 2, "--samples", 100]
    status, printed, complaint = interrupt(*words, "--out", "a model")
    assert (status, printed) == (130, "")
    assert complaint == (
        "attention-zoo: Interrupted. The progress is saved in a model.training: go on with the "
        "same command and --resume.\n"
    )
    status, _, complaint = shell(*words, "--out", "a model", "--resume")
    assert status == 0, complaint


def test_any_other_command_that_is_interrupted_says_so(shell, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("attention_zoo.cli.list_.list_presets", stop)
    assert shell("list") == (130, "", "attention-zoo: Interrupted.\n")


def test_an_existing_output_is_kept_before_any_work(shell, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "notes.txt").write_text("mine")
    words = ["train", "dense", "--task", "planted_feature", "--epochs", 2, "--samples", 100]
    status, _, complaint = shell(*words, "--out", "m")
    assert (status, "exists and is kept" in complaint) == (2, True)
    status, _, complaint = shell(*words, "--out", "m", "--overwrite")
    assert (status, "holds other files" in complaint) == (2, True)
    assert (tmp_path / "m" / "notes.txt").read_text() == "mine"
