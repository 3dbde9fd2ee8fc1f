"""
Series of unequal length: who speaks?
=====================================

Nine men say a vowel; each recording is a series of 7 to 29 steps of 12 numbers. The data come with
the package `aeon` (`pip install aeon`).
"""

import numpy as np
from aeon.datasets import load_japanese_vowels

import attention_zoo as az

series, speakers = load_japanese_vowels(split="train")  # a list of arrays (12, steps)

# %%
# The longest decides the shape; `mask` says which steps are real. Padding gets no attention, and
# what it holds makes no difference.

steps = max(one.shape[1] for one in series)
x = np.zeros((len(series), steps, 12), "float32")
mask = np.zeros((len(series), steps), bool)
for i, one in enumerate(series):
    x[i, : one.shape[1]] = one.T
    mask[i, : one.shape[1]] = True
data = az.training.from_arrays(x, speakers, mask)

# %%

recipe = az.training.Recipe(
    architecture="lstm_after",
    config={"attention": "pooling", "standardize": True},
    kind="multiclass",
    batch_size=32,
    phases=[{"epochs": 60, "learning_rate": 3e-3}],
)
run = az.train(recipe, data=data)
print({name: round(value, 3) for name, value in run.scores.items()})

# %%
# One recording and where the model looks in it; what is grey is padding.

explanation = az.explain(run.model, run.test.x, y=run.test.y)
print(az.trust(run.model, run.test.x, run.test.y))

figure = explanation.plot(kind="heatmap", sample=0, title="A vowel, and where the model looks")
figure.savefig("japanese_vowels.png")
