"""
A table: which measurements decide
==================================

Scikit-learn's breast cancer data, 30 measurements of 569 tumours, by a small dense model whose
attention weighs the measurements of each patient.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import attention_zoo as az

table = load_breast_cancer()
x, x_test, y, y_test = train_test_split(table.data, table.target, random_state=0)

# %%
# The model begins with a layer that standardizes its inputs: the measurements have very different
# scales. The result says how it does on other patients, beside a baseline.

result = az.train("dense", x, y, test_data=(x_test, y_test), verbose=0)
print(result)

# %%
# Where it attends, on other patients: the mean, and how much patients differ.

names = [str(name) for name in table.feature_names]
explanation = az.explain(result.model, x_test, y=y_test, feature_names=names)
ranked = np.argsort(-explanation.profile().mean(0))
print("Attended most:", [names[i] for i in ranked[:3]])

# %%
# Attention to a measurement does not show that the prediction depends on it. `az.trust` tests, for
# instance, whether uniform attention makes the predictions worse.

page = az.trust(result.model, x_test, y_test, samples=50)
print(page)

# %%

figure = explanation.plot(title="Attention on the measurements of a tumour")
figure.savefig("breast_cancer.png")
