"""
Known relevant inputs: does attention find them?
================================================

In the task `planted_step` the label is written at step 10 of a series of noise. A pretrained model
must look there, and since the truth is known, it can be checked.
"""

import attention_zoo as az

model = az.load("lstm_after")
x, y, relevance = az.tasks.get("planted_step").sample(500, split="test")

# %%
# One pass over the samples gives the predictions and the attention on each step.

explanation = az.explain(model, x, y=y, truth=relevance)
print("mean attention on step 10:", explanation.profile()[:, 10].mean())

# %%
# Whether it can be trusted: each value beside its control. Attention may lie on the relevant step
# without being needed there.

page = az.trust(model, x, y, truth=relevance, samples=50)
print(page)

# %%

figure = explanation.plot(title="lstm_after on planted_step")
figure.savefig("planted_step.png")
