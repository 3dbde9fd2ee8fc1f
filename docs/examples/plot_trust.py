"""
Attention that counts, and attention that decorates
===================================================

Two models solve the same task equally well, and both have an attention layer.
The predictions of one depend on where it attends, those of the other do not. A picture alone cannot
tell them apart. Tests with controls can.
"""

# %%
# The task: which class is written into one of 32 columns of noise.
import keras
from matplotlib.figure import Figure

import attention_zoo as az

keras.utils.set_random_seed(0)
task = az.tasks.get("planted_feature")

# %%
# The first model is pretrained: attention over the columns, then dense layers that see nothing
# but what was attended to.
through = az.load("dense")

# %%
# In the second the dense layers see the columns themselves as well, beside the attention: a
# shortcut, as residual connections are.
inputs = keras.Input((32,))
attended = az.layers.FeatureAttention(name="attention")(inputs)
hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()([inputs, attended]))
beside = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden), name="beside")
beside.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
x, y, _ = task.sample(2000)
beside.fit(x, y, batch_size=64, epochs=5, verbose=0)

# %%
# Two tests on samples that neither model has seen: the accuracy with uniform attention, and how far
# a prediction changes when the scores are permuted.
x, y, truth = task.sample(200, split="test")
models = {"through attention": through, "attention beside a shortcut": beside}
right = {}
for name, model in models.items():
    as_it_is, uniform = model.predict(x, verbose=0), az.metrics.predict_uniform(model, x)
    right[name] = [float(((p[:, 0] > 0.5) == y).mean()) for p in (as_it_is, uniform)]
    moved = az.metrics.permutation_test(model, x).mean()
    print(f"{name}: accuracy {right[name][0]:.3f}, with uniform attention {right[name][1]:.3f};")
    print(f"    a prediction changes by {moved:.3f} when the scores are permuted")

# %%
# The first model fails without its attention. The second does not need it.
figure = Figure(figsize=(8, 5), layout="constrained")
for (left, bars), (name, model) in zip(
    figure.subplots(2, 2, width_ratios=[2, 1], sharex="col"), models.items(), strict=True
):
    scores = az.attention_scores(model, x)["attention"].mean(0)
    colours = ["#E69F00" if column == task.index else "#0072B2" for column in range(32)]
    left.bar(range(32), scores, color=colours)
    left.set_title(name, loc="left", fontsize=10)
    left.set_ylabel("mean attention")
    left.set_xlabel("column; the relevant one is orange")
    bars.barh(["as it is", "uniform"], right[name], color=["#BDBDBD", "#0072B2"])
    bars.invert_yaxis()
    bars.set_xlabel("accuracy")
figure.savefig("trust.png")

# %%
# `az.trust(model, x, y, truth=truth)` runs these and a dozen more tests, each with an interval, a
# verdict and a sentence. The second model does not need its scores, and yet its prediction follows
# the attended inputs: by the shortcut.
page = az.trust(beside, x, y, truth=truth, samples=100)
for row in page.rows:
    if row.verdict in ("for", "against"):
        print(f"{row.verdict:>8}: {row.question} {row.name} {row.value:.3f}; {row.interval}")

# %%
# One test needs another training: would the same model, *trained* with uniform attention, predict
# as well? The cards of the pretrained models have the result. Here is that of the first model:
study = az.presets.read_card("dense").study
print("accuracy, trained with uniform attention:", study["uniform"]["median"]["accuracy"])

# %%
# It would. This model needs its attention, but the task does not. The picture says how *this model*
# predicts, and nothing about how the task must be solved.
