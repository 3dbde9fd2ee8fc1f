"""Names are chosen by hand: a taken one is refused, an unknown one answered with the nearest."""

import pytest

from attention_zoo.core.registry import Registry


def thing():
    """What it is."""


def other():
    """Another."""


def test_a_taken_name_is_refused_and_keeps_its_entry():
    registry = Registry("thing")
    registry.add("one", thing)
    with pytest.raises(ValueError, match="The thing name 'one' is taken"):
        registry.add("one", other)
    assert registry.get("one") is thing


def test_a_declared_name_is_refused_to_all_but_its_target():
    registry = Registry("thing")
    registry.declare("one", f"{thing.__module__}:thing", "declared")
    with pytest.raises(ValueError, match="'one' is taken"):
        registry.add("one", other)
    registry.add("one", thing)
    assert registry.get("one") is thing
    assert registry.summary("one") == "declared"


def test_an_unknown_name_gets_the_nearest_and_the_list():
    registry = Registry("thing")
    registry.add("luong", thing)
    registry.add("bahdanau", other)
    with pytest.raises(ValueError, match="Did you mean 'luong'.*Known: bahdanau, luong") as caught:
        registry.get("loung")
    assert "'loung'" in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "../x", "a.b", 3, None, "-x"])
def test_a_name_must_be_an_identifier(name):
    with pytest.raises(ValueError, match="must be an identifier"):
        Registry("thing").add(name, thing)


def test_names_match_a_shell_pattern():
    registry = Registry("thing")
    registry.add("lstm_after", thing)
    registry.add("gru", other)
    assert registry.names("lstm*") == ["lstm_after"]
    assert registry.names() == ["gru", "lstm_after"]
    assert registry.summary("gru") == "Another."


def test_a_very_long_unknown_name_is_cut_in_the_message():
    with pytest.raises(ValueError) as caught:
        Registry("thing").get("x" * 10_000)
    assert len(str(caught.value)) < 300
