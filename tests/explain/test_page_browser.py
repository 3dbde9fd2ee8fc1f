"""The page in Chromium: every control does what it says, by mouse and by keyboard."""

import shutil

import keras
import numpy as np
import pytest

import attention_zoo as az

webdriver = pytest.importorskip("selenium.webdriver", reason="drives the browser")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's chromium and chromium-driver"
)
HOSTILE = "</script><img src=x onerror=document.title='broken'>"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
X = np.random.default_rng(0).normal(size=(11, 7, 3)).astype("float32")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


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
def opened(browser, page, request):
    width, height = getattr(request, "param", (1280, 900))
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get(page[2].as_uri())
    yield browser
    assert browser.get_log("browser") == []


def text(browser, name):
    return browser.find_element("id", name).text


def sample(browser):
    return browser.find_element("id", "number").get_attribute("value")


def test_titles_and_names_are_text(opened):
    assert text(opened, "title") == HOSTILE
    assert opened.title == HOSTILE
    assert opened.find_elements("tag name", "img") == []


def test_samples_by_buttons_keys_and_number(opened):
    assert sample(opened) == "0"
    opened.find_element("id", "next").click()
    assert sample(opened) == "1"
    opened.find_element("tag name", "body").send_keys("\ue014")
    assert sample(opened) == "2"
    opened.find_element("id", "previous").click()
    assert sample(opened) == "1"
    number = opened.find_element("id", "number")
    number.clear()
    number.send_keys("7\n")
    assert "Sample\n7" in text(opened, "answer")
    assert "Label\n1" in text(opened, "answer")


def test_values_under_the_keys_are_those_of_the_layer(opened, page):
    select = opened.find_element("id", "layer")
    select.find_elements("tag name", "option")[1].click()
    bars = opened.find_element("id", "bars")
    bars.send_keys("\ue014")
    bars.send_keys("\ue014")
    # Steps from 0: the second press is at step 1, which is called b
    said = text(opened, "value")
    score = page[0].scores["pooling"][0, 1]
    assert "b" in said and f"{score:.3f}"[:4] in said


def test_the_pointer_shows_a_value_too(opened):
    before = text(opened, "value")
    bars = opened.find_element("id", "bars")
    webdriver.ActionChains(opened).move_to_element(bars).perform()
    assert text(opened, "value") != before


def test_heads_can_be_chosen(opened):
    head = opened.find_element("id", "pick-head")
    options = [option.text for option in head.find_elements("tag name", "option")]
    assert options[-2:] == ["0", "1"]
    picture = opened.execute_script("return document.getElementById('bars').toDataURL()")
    head.find_elements("tag name", "option")[-1].click()
    other = opened.execute_script("return document.getElementById('bars').toDataURL()")
    assert picture != other


def test_the_page_of_trust_is_there(opened, page):
    shown = text(opened, "trust")
    for row in page[1].rows:
        assert row.name in shown
    assert "No figure here is a verdict" in shown


@pytest.mark.parametrize("opened", [(390, 844), (360, 640)], indirect=True)
def test_on_a_phone_nothing_is_cut_off(opened):
    wide, window = opened.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= window
