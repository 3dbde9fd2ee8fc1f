"""A model, with its attention, for the runtimes people deploy on."""

from attention_zoo.exporting.writing import Exported as Exported
from attention_zoo.exporting.writing import export as export
