"""
Attention that counts, and attention that decorates
===================================================

Two models answer the same question equally well, and both have an attention layer to look at.
In one the answer depends on where it looks; in the other it does not. A picture alone cannot
tell them apart. Figures beside controls can.
"""

# %%
# The question: which class is written into one of 32 columns of noise.
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
# Two questions, each beside a control, on samples that neither has seen: how many answers are
# right when the model attends to all columns alike, and how far an answer moves when its scores
# change places.
x, y, truth = task.sample(200, split="test")
models = {"through attention": through, "attention beside a shortcut": beside}
right = {}
for name, model in models.items():
    as_it_is, alike = model.predict(x, verbose=0), az.metrics.predict_uniform(model, x)
    right[name] = [float(((p[:, 0] > 0.5) == y).mean()) for p in (as_it_is, alike)]
    moved = az.metrics.permutation_test(model, x).mean()
    print(f"{name}: accuracy {right[name][0]:.3f}, attending to all alike {right[name][1]:.3f};")
    print(f"    an answer moves by {moved:.3f} when its scores are permuted")

# %%
# The first model is lost without its attention. The second does not care: its attention is
# decoration, wherever it falls.
figure = Figure(figsize=(8, 5), layout="constrained")
for (left, bars), (name, model) in zip(
    figure.subplots(2, 2, width_ratios=[2, 1], sharex="col"), models.items(), strict=True
):
    scores = az.attention_scores(model, x)["attention"].mean(0)
    colours = ["#E69F00" if column == task.index else "#0072B2" for column in range(32)]
    left.bar(range(32), scores, color=colours)
    left.set_title(name, loc="left", fontsize=10)
    left.set_ylabel("mean attention")
    left.set_xlabel("column; the answer is in the orange one")
    bars.barh(["as it is", "all alike"], right[name], color=["#BDBDBD", "#0072B2"])
    bars.invert_yaxis()
    bars.set_xlabel("accuracy")
figure.savefig("trust.png")

# %%
# `az.trust(model, x, y, truth=truth)` asks these and a dozen more questions, with an interval, a
# verdict and a sentence for each figure. Of the second model, uniform attention says that its
# scores are not needed, and yet its answer goes with the inputs it attends to: by the shortcut.
page = az.trust(beside, x, y, truth=truth, samples=100)
for row in page.rows:
    if row.verdict in ("for", "against"):
        print(f"{row.verdict:>8}: {row.question} {row.name} {row.value:.3f}; {row.interval}")

# %%
# One that it cannot ask by itself: would the same model, *trained* with its attention
# frozen uniform, answer as well? The cards of the pretrained models say so for each of them; here,
# for the first model:
study = az.presets.read_card("dense").study
print("accuracy, trained with uniform attention:", study["uniform"]["median"]["accuracy"])

# %%
# It would. This model needs its attention now; the question does not need attention at all. The
# picture says how *this model* comes to its answers, and nothing about how one has to.
