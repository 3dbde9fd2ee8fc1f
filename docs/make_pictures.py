"""The pictures of the docs, from the shipped models: `python docs/make_pictures.py`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import keras

import attention_zoo as az
from attention_zoo import training
from attention_zoo.training.compiling import compile_model

IMAGES = Path(__file__).parent / "images"


def heatmap() -> None:
    recipe = training.load_recipe("lstm_before.boxes_rare_time")
    task = az.tasks.get(recipe.task, **recipe.task_config)
    drawn = training.from_task(task, 10, 0, "test")
    seen = az.explain(az.load("lstm_before.boxes_rare_time"), drawn.x, truth=drawn.relevance)
    figure = seen.plot(kind="heatmap", sample=1, title="lstm_before.boxes_rare_time, one sample")
    figure.savefig(IMAGES / "heatmap.png", dpi=80)


def animation() -> None:
    keras.utils.set_random_seed(0)
    recipe = training.load_recipe("lstm_before.planted_step")
    x, y, relevance = az.tasks.get("planted_step").sample(2000)
    model = az.build(
        "lstm_before", input_shape=x.shape[1:], outputs=1, activation="sigmoid", **recipe.config
    )
    compile_model(model, "binary", 3e-3, 20)
    watch = az.TrainingAnimation(
        IMAGES / "training.gif", x[:500], truth=relevance[:500], overwrite=True
    )
    model.fit(x, y, epochs=20, batch_size=100, verbose=0, callbacks=[watch])


def scikit_learn() -> None:
    from sklearn.datasets import load_wine
    from sklearn.model_selection import train_test_split

    x, y = load_wine(return_X_y=True, as_frame=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
    seen = az.AttentionClassifier(random_state=0).fit(x_train, y_train).explain(x_test, y_test)
    figure = seen.plot(title="Wine: where the classifier looks")
    figure.savefig(IMAGES / "scikit_learn.png", dpi=80)


def report() -> None:
    """The page as a desktop and a phone show it; needs selenium and Debian's chromium-driver."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    words = ["explain", "lstm_before.boxes_rare_time", "--trust", "--html", "report.html"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "attention_zoo", *words], cwd=folder, check=True)
        driver = webdriver.ChromeService(shutil.which("chromedriver"))
        browser = webdriver.Chrome(options=options, service=driver)
        try:
            for name, width, height in (("desktop", 1280, 1068), ("phone", 390, 960)):
                size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                browser.get((Path(folder) / "report.html").as_uri())
                browser.save_screenshot(str(IMAGES / f"report_{name}.png"))
        finally:
            browser.quit()


def pareto() -> None:
    """A small search for models that are right, look at the right place and are fast."""
    search = az.tune(
        "dense_after", "planted_step", attention=["temporal", "pooling", "self_attention"],
        tuner="nsga2", objective=["accuracy", "relevance_mass_accuracy", "latency"],
        max_trials=30, epochs=10, samples=500, space={"learning_rate": (1e-3, 3e-2)},
    )  # fmt: skip
    search.plot("pareto").savefig(IMAGES / "pareto.png", dpi=110)


if __name__ == "__main__":
    heatmap()
    animation()
    scikit_learn()
    pareto()
    if shutil.which("chromium") and shutil.which("chromedriver"):
        report()  # without these the pictures of the page stay as they are
