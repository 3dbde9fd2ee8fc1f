"""From a model and data to its attention, what it shows, and how far that can be believed."""

import sys
from types import ModuleType

from attention_zoo.core.lazy import door as _door
from attention_zoo.explain.explaining import explain as explain
from attention_zoo.explain.explanation import Explanation as Explanation
from attention_zoo.explain.replacing import predict_with_scores as predict_with_scores
from attention_zoo.explain.scores import attention_scores as attention_scores

# Measures and pictures are imported when they are first used
_HOMES = {
    "auprc": "localisation",
    "false_discovery_rate": "localisation",
    "pointing_game": "localisation",
    "relevance_mass_accuracy": "localisation",
    "relevance_rank_accuracy": "localisation",
    "true_positive_rate": "localisation",
    "area_under_precision": "thresholds",
    "area_under_recall": "thresholds",
    "gradients": "slopes",
    "saliency": "attribution",
    "gradient_times_input": "attribution",
    "integrated_gradients": "attribution",
    "random_attribution": "attribution",
    "completeness_gap": "attribution",
    "erase": "perturbing",
    "replacement_values": "perturbing",
    "occlusion": "leaving_out",
    "temporal_saliency_rescaling": "rescaling",
    "comprehensiveness": "erasure",
    "sufficiency": "erasure",
    "deletion": "erasure",
    "insertion": "erasure",
    "interchange": "interventions",
    "bootstrap_interval": "bootstrap",
    "kendall_tau": "ranks",
    "spearman_rho": "ranks",
    "agreement": "agreeing",
    "permutation_test": "counterfactual",
    "predict_uniform": "counterfactual",
    "adversarial_attention": "adversarial",
    "jensen_shannon_divergence": "divergence",
    "divergence_over_seeds": "divergence",
    "conicity": "states",
    "attended_states": "states",
    "parameter_randomization": "sanity",
    "trust": "trusting",
    "Trust": "trust_page",
    "TrainingAnimation": "animation",
    "plots": "plots",
}
__getattr__ = _door(__name__, _HOMES)


class _CallableRoom(ModuleType):
    # Importing this room sets `attention_zoo.explain` to it, where users expect the function
    __call__ = staticmethod(explain)


sys.modules[__name__].__class__ = _CallableRoom
