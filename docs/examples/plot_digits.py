"""
A series: pictures read row by row
==================================

Scikit-learn's digits are pictures of 8 by 8 pixels. Read from top to bottom they are series: 8
steps of 8 features. A GRU reads the rows, and attention chooses among its states.
"""

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import attention_zoo as az

digits = load_digits()
x, x_test, y, y_test = train_test_split(digits.images, digits.target, random_state=0)

# %%
# `shared=True` gives each step one weight instead of one for each unit of the GRU; with the
# additive score the weights depend on what the rows show.

attention = {"class_name": "temporal", "config": {"shared": True, "score": "additive"}}
result = az.train(
    "gru",
    x,
    y,
    test_data=(x_test, y_test),
    attention=attention,
    epochs=12,
    learning_rate=5e-3,
    verbose=0,
)
print(result)

# %%
# The mean attention on each row, for each digit that the model recognised. After a recurrent layer
# a step stands for what was read so far, which is why the last rows get most of it.

explanation = az.explain(result.model, x_test, y=y_test)
rows = np.stack([explanation.of_class(digit).profile().mean(0) for digit in range(10)])

# %%
# The mean picture of each digit, its rows' attention beside it.

figure = Figure(figsize=(10, 3.4), layout="constrained")
for digit, axes in enumerate(figure.subplots(2, 5).flat):
    axes.imshow(explanation.of_class(digit).x.mean(0), cmap="Greys")
    axes.barh(range(8), 6 * rows[digit] / rows.max(), left=8, color="#0072B2")
    axes.set(title=f"{digit}: row {rows[digit].argmax()}", xlim=(-0.5, 14.5), xticks=[], yticks=[])
figure.savefig("digits.png")
