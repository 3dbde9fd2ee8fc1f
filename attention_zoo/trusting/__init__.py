"""How far the attention of a model can be trusted: tests as data, and the page that they make."""

from attention_zoo.trusting.page import Trust as Trust
from attention_zoo.trusting.page import TrustRow as TrustRow
from attention_zoo.trusting.run import trust as trust
