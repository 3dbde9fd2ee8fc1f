"""From a model and data to its attention, and how well that finds the truth."""

import sys
from types import ModuleType

from attention_zoo.explain.explanation import Explanation as Explanation
from attention_zoo.explain.explanation import explain as explain
from attention_zoo.explain.localisation import auprc as auprc
from attention_zoo.explain.localisation import false_discovery_rate as false_discovery_rate
from attention_zoo.explain.localisation import pointing_game as pointing_game
from attention_zoo.explain.localisation import relevance_mass_accuracy as relevance_mass_accuracy
from attention_zoo.explain.localisation import relevance_rank_accuracy as relevance_rank_accuracy
from attention_zoo.explain.localisation import true_positive_rate as true_positive_rate
from attention_zoo.explain.replacing import predict_with_scores as predict_with_scores
from attention_zoo.explain.scores import attention_scores as attention_scores


class _CallableRoom(ModuleType):
    # Importing this room sets `attention_zoo.explain` to it, where users expect the function
    __call__ = staticmethod(explain)


sys.modules[__name__].__class__ = _CallableRoom
