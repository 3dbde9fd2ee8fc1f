"""How far the attention of a model can be believed: tests as data, and the page they make."""

from attention_zoo.trusting.page import Trust as Trust
from attention_zoo.trusting.run import trust as trust
