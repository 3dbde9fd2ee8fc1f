"""
A table: which measurements decide
==================================

Scikit-learn's breast cancer data, 30 measurements of 569 tumours, by a small dense model whose
attention weighs the measurements of each patient anew.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

import attention_zoo as az

table = load_breast_cancer()
data = az.training.from_arrays(table.data, table.target)

# %%
# `az.train` holds 15 % of the patients out for testing and 15 % for validation. The model begins
# with a layer that standardizes its inputs: the measurements have very different scales.

run = az.train("dense", data=data)
print({name: round(value, 3) for name, value in run.scores.items()})

# %%
# Where it looks, on the patients it has not seen: the mean, and how much patients differ.

names = [str(name) for name in table.feature_names]
explanation = az.explain(run.model, run.test.x, y=run.test.y, feature_names=names)
ranked = np.argsort(-explanation.profile().mean(0))
print("Looked at most:", [names[i] for i in ranked[:3]])

# %%
# Attention to a measurement does not show that the answer hangs on it. `az.trust` asks, for
# instance, whether the answers get worse when the model attends to all measurements alike.

page = az.trust(run.model, run.test.x, run.test.y, samples=50)
print(page)

# %%

figure = explanation.plot(title="Attention on the measurements of a tumour")
figure.savefig("breast_cancer.png")
