"""
Series of unequal length
========================

Padding must not count: a padded step gets a score of exactly 0, and more padding changes
neither the answer nor the picture.
"""

# %%
# Series of 5 to 20 steps. Each belongs to class 1 if its largest value, by magnitude, is positive.
import keras
import numpy as np

import attention_zoo as az

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
series = [rng.normal(size=(rng.integers(5, 21), 1)) for _ in range(2000)]
largest = [int(np.abs(one).argmax()) for one in series]
y = np.array([one[at, 0] > 0 for one, at in zip(series, largest, strict=True)], "float32")

# %%
# They are padded to one length with a value that no step has, and a `Masking` layer tells
# every layer behind it which steps are real.
PADDING = -99.0
x = keras.utils.pad_sequences(series, dtype="float32", padding="post", value=PADDING)

inputs = keras.Input((None, 1))
steps = keras.layers.Masking(PADDING)(inputs)
states = keras.layers.GRU(16, return_sequences=True)(steps)
context = az.layers.AttentionPooling(normalizer="entmax15", name="attention")(states)
model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(context))
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=64, epochs=5, validation_split=0.1, verbose=0)
print("validation accuracy:", round(history.history["val_accuracy"][-1], 3))

# %%
# The scores of padding are 0, not small:
scores = az.attention_scores(model, x)["attention"]
padding = x[..., 0] == PADDING
print("largest score of a padded step:", scores[padding].max())
print("sums of the others:", scores.sum(1).min(), "to", scores.sum(1).max())

# %%
# Ten more steps of padding leave the answers where they were:
longer = np.pad(x, ((0, 0), (0, 10), (0, 0)), constant_values=PADDING)
change = np.abs(model.predict(longer, verbose=0) - model.predict(x, verbose=0)).max()
print("largest change of an answer:", change)

# %%
# In pictures padding is grey.
truth = np.zeros(x.shape[:2])
truth[np.arange(len(x)), largest] = 1
explanation = az.explain(model, x[:40], y=y[:40], truth=truth[:40])
rows = explanation.plot(kind="rows", title="Attention, and the largest value of each series")
rows.savefig("unequal_length.png")
