"""
A known answer: does attention find it?
=======================================

In the task `planted_step` the label is written at step 10 of a series of noise. A pretrained model
must look there, and since the truth is known, it can be checked.
"""

import attention_zoo as az

model = az.load("lstm_after")
x, y, relevance = az.tasks.get("planted_step").sample(500, split="test")

# %%
# One pass over the samples gives the answers and the attention on each step.

explanation = az.explain(model, x, y=y, truth=relevance)
print("mean attention on step 10:", explanation.profile()[:, 10].mean())

# %%
# Whether it can be believed: each figure beside its control. That attention lies on the answer is
# one thing, that the model needs it there another.

page = az.trust(model, x, y, truth=relevance, samples=50)
print(page)

# %%

figure = explanation.plot(title="lstm_after on planted_step")
figure.savefig("planted_step.png")
