"""Each public metric and function of capture tells all that its users need."""

import inspect

import pytest

import attention_zoo as az

PUBLIC = [
    getattr(module, name)
    for module in (az.capture, az.metrics)
    for name in sorted(vars(module))
    if inspect.isfunction(getattr(module, name))
]


@pytest.mark.parametrize("function", PUBLIC, ids=lambda one: one.__name__)
def test_a_docstring_has_all_its_parts(function):
    text = inspect.getdoc(function)
    for part in ("Args:", "Returns:", "Raises:", "Example:\n\n>>>"):
        assert part in text, part
    arguments = text[text.index("Args:") : text.index("Returns:")]
    for name in inspect.signature(function).parameters:
        assert name in arguments.replace(",", ":").replace("`", ""), name


@pytest.mark.parametrize(
    "name", [n for n in vars(az.metrics) if inspect.isfunction(getattr(az.metrics, n))]
)
def test_a_metric_names_its_source(name):
    text = inspect.getdoc(getattr(az.metrics, name))
    assert any(f"{year}" in text for year in range(1900, 2030))
