"""A model, with its attention, for the runtimes people deploy on."""

import sys
from types import ModuleType

from attention_zoo.export.writing import Exported as Exported
from attention_zoo.export.writing import export as export


class _CallableRoom(ModuleType):
    # Importing this room sets `attention_zoo.export` to it, where users expect the function
    __call__ = staticmethod(export)


sys.modules[__name__].__class__ = _CallableRoom
