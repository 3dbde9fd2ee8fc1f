"""
See where a pretrained model looks
==================================

The model was trained to tell two classes of series apart. They differ inside a box of a few
time steps, whose place is known, so that what attention shows can be checked.
"""

# %%
# A pretrained model is loaded by name. Its recipe says on what it was trained; samples that it
# has never seen are drawn from the same task.
import attention_zoo as az
from attention_zoo import training

name = "lstm_before.boxes_rare_time"
model = az.load(name)

recipe = training.load_recipe(name)
task = az.tasks.get(recipe.task, **recipe.task_config)
x, y, truth = task.sample(200, split="test")
print(x.shape, "->", model.output_shape)

# %%
# One pass over the samples gives the predictions and, for each attention layer, its scores.
explanation = az.explain(model, x, y=y, truth=truth)
print(explanation)

# %%
# The share of the attention inside the box, beside that of uniform attention:
scores = explanation.profile()
inside = explanation.layer().truth
found = az.metrics.relevance_mass_accuracy(scores, inside).mean()
print("attention inside the box:", round(float(found), 3))
print("with uniform attention:  ", inside.mean())

# %%
# The mean over all samples, with the box marked:
mean = explanation.plot(title="Mean attention")

# %%
# And one series of 50 features, its attention below it. The orange line is the truth, which the
# model was never told.
heatmap = explanation.plot(kind="heatmap", sample=1, title="One sample")
heatmap.savefig("seeing.png")
