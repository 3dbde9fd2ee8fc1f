"""
Attention in a model of your own
================================

An LSTM reads a noisy series in which one step, another in each sample, holds the answer. A
`TemporalAttention` layer between the LSTM and the output shows whether the model found it.
"""

# %%
# The data: 20 steps of two channels. The second channel marks the step whose first channel is
# the label.
import keras

import attention_zoo as az

keras.utils.set_random_seed(0)
task = az.tasks.get("moving_step")
x, y, _ = task.sample(3000)

# %%
# The model is ordinary Keras. The layer weighs the LSTM's states and keeps their shape; with
# `score="additive"` the weights come from what each state holds, whatever the length.
inputs = keras.Input((None, 2))
states = keras.layers.LSTM(16, return_sequences=True)(inputs)
weighed = az.layers.TemporalAttention(shared=True, score="additive", name="attention")(states)
context = az.layers.TimePooling("sum")(weighed)
outputs = keras.layers.Dense(1, activation="sigmoid")(context)
model = keras.Model(inputs, outputs)

model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=64, epochs=5, validation_split=0.1, verbose=0)
print("validation accuracy after each epoch:")
print([round(value, 3) for value in history.history["val_accuracy"]])

# %%
# Nothing has to be switched on to look into it, and what is seen is what `predict` uses.
x, y, truth = task.sample(40, split="test")
explanation = az.explain(model, x, y=y, truth=truth)
scores = explanation.profile()
print("attention on the marked step:", az.metrics.relevance_mass_accuracy(scores, truth).mean())

# %%
# A row for each sample. What spills to the right of the truth is no mistake of the picture: the
# LSTM's next states carry the answer on, and attention is on states.
rows = explanation.plot(kind="rows", title="Attention on the states of the LSTM")
rows.savefig("own_model.png")

# %%
# The model is saved and loaded like any other, with no `custom_objects`.
model.save("own_model.keras")
again = keras.models.load_model("own_model.keras")
print("largest difference:", abs(again.predict(x, verbose=0) - explanation.predictions).max())
