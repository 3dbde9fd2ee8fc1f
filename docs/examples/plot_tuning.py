"""
Tune attention
==============

A small search among widths and normalizers, and the pictures that come with it. Real searches take
more trials and epochs; the calls are the same.
"""

# %%
# What is not to be searched is given one value; what is, a list or a range. Here two widths and
# two normalizers are left, four points in all, so that each is tried once. The first trial is the
# plain model, so that it is known what the search gained.
#
# Right answers do not make attention lie where the answer is. On this task its place is known, so
# that it can be an aim of its own: the first of the aims decides which model is the best.
import attention_zoo as az

fixed = {
    "dense_after/depth": 1,
    "dense_after/answer_depth": 1,
    "dense_after/dropout": 0.0,
    "attention/temperature": 1.0,
    "attention/dropout": 0.0,
    "attention/sharpening": 0.0,
    "attention/pooling/score": "additive",
    "attention/pooling/units": 0,
    "attention/pooling/hops": 1,
    "learning_rate": 0.003,
    "batch_size": 64,
}
search = az.tune(
    "dense_after",
    "moving_step",
    attention="pooling",
    objective=["relevance_mass_accuracy", "log_loss"],
    space={
        **fixed,
        "dense_after/units": [16, 64],
        "attention/normalizer": ["softmax", "entmax15"],
    },
    epochs=4,
    samples=1000,
)
print(*search.notes)
for trial in search.trials:
    units, normalizer = (trial.values[n] for n in ("dense_after/units", "attention/normalizer"))
    print(trial.trial, units, normalizer, *(round(trial.metrics[n], 4) for n in search.objectives))

# %%
# The metrics above are of validation data, by which the best was chosen. These are of samples that
# no trial saw:
print({name: round(value, 4) for name, value in search.scores.items()})

# %%
# The best so far, trial by trial:
progress = search.plot("progress")

# %%
# A line for each trial through its hyperparameters, darker the better:
parallel = search.plot("parallel")

# %%
# Both aims at once: the Pareto front is joined.
pareto = search.plot("pareto")

# %%
# The best model is an ordinary Keras model, ready to look into.
x, y, truth = az.tasks.get("moving_step").sample(40, split="test")
explanation = az.explain(search.model, x, y=y, truth=truth)
rows = explanation.plot(kind="rows", title="Where the best model looks")
rows.savefig("tuning.png")
