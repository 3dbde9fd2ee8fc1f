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

result = az.train(
    "lstm_after",
    data,
    validation_split=0.3,
    attention="pooling",
    epochs=60,
    learning_rate=3e-3,
    verbose=0,
)
print(result)

# %%
# One recording and where the model attends in it; what is grey is padding.

held = result.held_out
explanation = az.explain(result.model, held.x, y=held.y)
print(az.trust(result.model, held.x, held.y))

figure = explanation.plot(kind="heatmap", sample=0, title="A vowel, and where the model attends")
figure.savefig("japanese_vowels.png")
