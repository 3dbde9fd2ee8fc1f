"""The page in Chromium: every control does what it says, by mouse and by keyboard."""

import keras
import numpy as np
import pytest

import attention_zoo as az

LEFT, UP, RIGHT, DOWN = "\ue012\ue013\ue014\ue015"
HOSTILE = "</script><img src=x onerror=document.title='broken'>"
X = np.random.default_rng(0).normal(size=(11, 7, 3)).astype("float32")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    inputs = keras.Input((7, 3))
    x = az.layers.MultiHeadAttention(2, key_dim=3, name="heads")(inputs)
    x = az.layers.AttentionPooling(name="pooling")(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    y = np.arange(11) % 2
    seen = az.explain(model, X, y=y, step_names=[HOSTILE, *"bcdefg"])
    trust = az.trust(model, X, y, layer="pooling", samples=11)
    path = tmp_path_factory.mktemp("page") / "page.html"
    seen.to_html(path, title=HOSTILE, trust=trust)
    return seen, trust, path


@pytest.fixture
def opened(in_chromium, page, request):
    in_chromium.open(page[2], *getattr(request, "param", ()))
    return in_chromium


def test_titles_and_names_are_text(opened):
    assert opened.text("title") == HOSTILE
    assert opened.driver.title == HOSTILE
    assert opened.driver.find_elements("tag name", "img") == []


def test_samples_by_buttons_keys_and_number(opened):
    assert opened.find("number").get_attribute("value") == "0"
    opened.find("next").click()
    assert opened.find("number").get_attribute("value") == "1"
    opened.press_anywhere(RIGHT)
    assert opened.find("number").get_attribute("value") == "2"
    opened.find("previous").click()
    assert opened.find("number").get_attribute("value") == "1"
    number = opened.find("number")
    number.clear()
    number.send_keys("7\n")
    assert "Sample\n7" in opened.text("prediction")
    assert "Label\n1" in opened.text("prediction")


def test_values_under_the_keys_are_those_of_the_layer(opened, page):
    select = opened.find("layer")
    select.find_elements("tag name", "option")[1].click()
    bars = opened.find("bars")
    bars.send_keys(RIGHT)
    bars.send_keys(RIGHT)
    # Steps from 0: the second press is at step 1, which is called b
    said = opened.text("value")
    score = page[0].scores["pooling"][0, 1]
    assert "b" in said and f"{score:.3f}"[:4] in said


def test_the_pointer_shows_a_value_too(opened):
    before = opened.text("value")
    opened.point_at("bars")
    assert opened.text("value") != before


def test_heads_can_be_chosen(opened):
    head = opened.find("pick-head")
    options = [option.text for option in head.find_elements("tag name", "option")]
    assert options[-2:] == ["0", "1"]
    picture = opened.driver.execute_script("return document.getElementById('bars').toDataURL()")
    head.find_elements("tag name", "option")[-1].click()
    other = opened.driver.execute_script("return document.getElementById('bars').toDataURL()")
    assert picture != other


def test_the_page_of_trust_is_there(opened, page):
    shown = opened.text("trust")
    for row in page[1].rows:
        assert row.name in shown
        assert row.sentence in shown and row.interval in shown
        assert row.value is None or f"{row.verdict.capitalize()}. {row.sentence}" in shown
    assert "No single row decides" in shown
    lines = """const found = document.createRange();
    return [...document.querySelectorAll("#trust-rows thead th")].map((head) => {
      found.selectNodeContents(head);
      return found.getClientRects().length;
    });"""
    assert opened.driver.execute_script(lines) == [1, 1, 1, 1]


def test_a_picture_promises_no_keys_that_do_nothing(opened):
    opened.choose("layer", "heads")
    assert "between rows" in opened.find("bars").get_attribute("aria-label")
    opened.choose("layer", "pooling")
    assert "between rows" not in opened.find("bars").get_attribute("aria-label")


@pytest.mark.parametrize("opened", [(390, 844), (360, 640)], indirect=True)
def test_on_a_phone_nothing_is_cut_off(opened):
    wide, window = opened.driver.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= window


def test_every_mean_is_said_and_drawn_on_its_own_scale(opened, page):
    heads = page[0].scores["heads"]
    assert opened.text("bars-caption") == ("Attention per key, mean over the heads and the queries")
    assert "mean over the heads;" in opened.text("map-caption")
    ends = opened.texts("bars")
    assert float(ends[0]) == pytest.approx(heads.mean((1, 2)).max(), rel=0.01)
    assert float(opened.text("largest").split(",")[0]) == pytest.approx(
        heads.mean(1).max(), rel=0.01
    )
    assert "the largest mean" in opened.text("largest")
    opened.press("map", RIGHT)
    assert opened.text("value").endswith("mean over the heads and the queries")
    opened.find("mean").click()
    assert "the heads, the queries and the samples" in opened.text("bars-caption")
    assert "mean over the samples" in opened.text("input-caption")
    ends = opened.texts("bars")
    assert float(ends[0]) == pytest.approx(heads.mean((0, 1, 2)).max(), rel=0.01)


def test_rows_can_be_left_again(opened):
    opened.press("map", DOWN, DOWN)
    assert "query b" in opened.text("bars-caption")
    assert "query b" in opened.text("value")
    opened.press("map", UP, UP, UP)
    assert "queries" in opened.text("bars-caption")
    for chosen in (True, False):
        opened.point_at("map", click=True)
        assert (", query d" in opened.text("bars-caption")) == chosen


def test_arrow_keys_while_the_mean_is_shown_move_along_it(opened):
    mean = opened.find("mean")
    mean.click()
    assert "move along the pictures" in opened.text("hint")
    mean.send_keys(RIGHT + RIGHT)
    assert opened.text("value").startswith("key b: attention")
    opened.press_anywhere(LEFT)
    assert not opened.text("value").startswith("key b: attention")
    assert "Mean over\n11 samples" in opened.text("prediction")
    # The box keeps the focus, and the keys go on to the samples
    mean.click()
    mean.send_keys(RIGHT)
    assert opened.find("number").get_attribute("value") == "1"
    assert "change the sample" in opened.text("hint")
