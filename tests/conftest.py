"""What the backends need from the whole suite."""

import keras
import pytest

ON_JAX = keras.backend.backend() == "jax"


def pytest_addoption(parser):
    parser.addoption(
        "--all-rows", action="store_true", help="every row of tests/cases.py on JAX and TensorFlow"
    )


def pytest_collection_modifyitems(config, items):
    """torch takes every row of tests/cases.py; JAX, which compiles each operation for each shape, a
    third of each layer's, and TensorFlow half."""
    every = {"jax": 3, "tensorflow": 2}.get(keras.backend.backend(), 1)
    if every == 1 or config.getoption("--all-rows"):
        return
    rows: dict[str, list[str]] = {}
    for item in items:
        case = _case(item)
        if case is not None and case.id not in rows.setdefault(case.layer, []):
            rows[case.layer].append(case.id)
    kept = {name for names in rows.values() for name in names[::every]}
    others = [item for item in items if (case := _case(item)) and case.id not in kept]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def _case(item):
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")
    return case if hasattr(case, "layer") else None


@pytest.fixture(autouse=True, scope="module")
def forget_compiled_code():
    """JAX maps memory for each program that it compiles; the kernel allows 65,530 maps."""
    yield
    if ON_JAX:
        import jax

        jax.clear_caches()
