"""A trained model is a folder, `architecture.tag/`: config, weights, golden output and card.

`save` and `load` live in the modules of their names: listing presets imports no Keras.
"""

from attention_zoo.presets.card import Card as Card
from attention_zoo.presets.card import PresetError as PresetError
from attention_zoo.presets.folder import add_preset_folder as add_preset_folder
from attention_zoo.presets.folder import list_presets as list_presets
from attention_zoo.presets.folder import read_card as read_card
