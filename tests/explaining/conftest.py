"""Chromium, for the tests of the page; they are skipped where there is none."""

import shutil

import pytest

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
#: Draws all pictures again, and says what was given to one call of the canvas.
SPY = """const found = [], kept = CanvasRenderingContext2D.prototype[arguments[0]];
CanvasRenderingContext2D.prototype[arguments[0]] = function (...given) {
  found.push([this.canvas.id, ...given]);
  return kept.apply(this, given);
};
window.dispatchEvent(new Event("resize"));
CanvasRenderingContext2D.prototype[arguments[0]] = kept;
return found;"""


class Page:
    """A page in the browser, its parts by their ids."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, width=1280, height=900):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        self.driver.get(path.as_uri())

    def find(self, name):
        return self.driver.find_element("id", name)

    def text(self, name):
        return self.find(name).text

    def press(self, name, *keys):
        for key in keys:
            self.find(name).send_keys(key)

    def press_anywhere(self, key):
        self.driver.find_element("tag name", "body").send_keys(key)

    def point_at(self, name, *, click=False):
        from selenium.webdriver import ActionChains

        moved = ActionChains(self.driver).move_to_element(self.find(name))
        (moved.click() if click else moved).perform()

    def choose(self, name, text):
        from selenium.webdriver.support.select import Select

        Select(self.find(name)).select_by_visible_text(text)

    def drawn(self, call, canvas):
        return [each[1:] for each in self.driver.execute_script(SPY, call) if each[0] == canvas]

    def texts(self, canvas):
        return [each[0] for each in self.drawn("fillText", canvas)]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="drives the browser")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("needs Debian's chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield driver
    driver.quit()


@pytest.fixture
def in_chromium(chromium):
    """A page to open; nothing in it may be reported to the console."""
    yield Page(chromium)
    assert chromium.get_log("browser") == []
