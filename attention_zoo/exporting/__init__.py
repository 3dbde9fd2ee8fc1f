"""A model, with its attention scores, in the formats of other runtimes."""

from attention_zoo.exporting.writing import Exported as Exported
from attention_zoo.exporting.writing import export as export
