"""What the README and the docstrings show runs, and prints what they say."""

import doctest
import importlib
import importlib.util
import json
import pkgutil
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import attention_zoo as az

README = Path(__file__).parent.parent / "README.md"
PAGES = (README, *sorted((README.parent / "docs").glob("*.md")))


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for info in pkgutil.walk_packages(az.__path__, "attention_zoo."):
        if info.name.endswith("__main__"):
            continue
        ending = info.name.rpartition("_")[2]
        if ending in ("jax", "tensorflow", "torch") and keras.backend.backend() != ending:
            continue
        module = importlib.import_module(info.name)
        for test in finder.find(module, info.name, extraglobs={"az": az, "np": np}):
            if test.examples and test.name.startswith(info.name):
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("example", list(examples()))
def test_docstring(example, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    example.globs["az"], example.globs["np"] = az, np
    printed = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=printed.append)
    for name in ("mine",):
        az.layers.register.__globals__["LAYERS"]._entries.pop(name, None)
    assert runner.failures == 0, "".join(printed)


def blocks():
    for page in PAGES:
        found = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S)
        for number, block in enumerate(found, start=1):
            name = f"{page.name}-{number}"
            yield pytest.param(name, block, id=name)


def the_first_lesson(names):
    """The answer stands in step 7: the model finds it, and the explanation shows it."""
    assert names["result"].score["accuracy"] >= 0.9
    scores = names["explanation"].scores["attention"]
    assert scores.mean(axis=(0, *range(2, scores.ndim))).argmax() == 7


#: What a page's code teaches, beyond that it runs.
TAUGHT = {"start.md-1": the_first_lesson}


@pytest.mark.parametrize("name, block", list(blocks()))
def test_the_pages_code(name, block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(block, "page", "exec"), names)
    TAUGHT.get(name, lambda names: None)(names)


def test_what_is_taught_stands_on_a_page():
    assert set(TAUGHT) <= {parameters.id for parameters in blocks()}


def test_the_page_on_learning_is_that_of_its_results():
    from benchmarks import learning

    results = json.loads(learning.RESULTS.read_text("utf-8"))
    assert learning.page(results) == learning.PAGE.read_text("utf-8")


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) < 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """As a repository's host follows them; the site's own are checked when it is built."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, part = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        heads = re.findall(r"^#+ (.*)", linked.read_text("utf-8"), re.M) if part else []
        assert not part or part in [re.sub(r"[^\w -]", "", h).lower().replace(" ", "-")
                                    for h in heads], target  # fmt: skip


def test_generated_tables_are_up_to_date():
    path = README.parent / "docs" / "make_tables.py"
    spec = importlib.util.spec_from_file_location("make_tables", path)
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for page in (README, tables.TUNING_PAGE):
        assert tables.filled(page.read_text("utf-8")) == page.read_text("utf-8")
    assert tables.zoo_page() == tables.ZOO_PAGE.read_text("utf-8")
    assert tables.layers_page() == tables.LAYERS_PAGE.read_text("utf-8")


def test_the_page_of_the_benchmarks_is_that_of_their_results():
    from benchmarks import report

    results = json.loads((README.parent / "benchmarks" / "results.json").read_text("utf-8"))
    page = (README.parent / "docs" / "benchmarks.md").read_text("utf-8")
    assert report.page(results) == page


def test_the_page_on_deploying_is_that_of_its_results():
    from benchmarks import export_matrix

    results = json.loads(export_matrix.RESULTS.read_text("utf-8"))
    assert export_matrix.page(results) == export_matrix.PAGE.read_text("utf-8")


def test_the_page_of_searches_is_that_of_its_results():
    from benchmarks import searches

    assert searches.page(searches.stored()) == searches.PAGE.read_text("utf-8")


def test_the_page_on_saliency_is_that_of_its_results():
    from benchmarks import saliency

    assert saliency.page_of_results() == saliency.PAGE.read_text("utf-8")
