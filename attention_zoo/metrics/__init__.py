"""Measures of attention and of inputs: gradients, occlusion, faithfulness, agreement and more."""

from attention_zoo.metrics.adversarial import adversarial_attention as adversarial_attention
from attention_zoo.metrics.attribution import convergence_delta as convergence_delta
from attention_zoo.metrics.attribution import gradient_times_input as gradient_times_input
from attention_zoo.metrics.attribution import integrated_gradients as integrated_gradients
from attention_zoo.metrics.attribution import random_attribution as random_attribution
from attention_zoo.metrics.attribution import saliency as saliency
from attention_zoo.metrics.bootstrap import bootstrap_interval as bootstrap_interval
from attention_zoo.metrics.counterfactual import permutation_test as permutation_test
from attention_zoo.metrics.counterfactual import predict_uniform as predict_uniform
from attention_zoo.metrics.divergence import divergence_over_seeds as divergence_over_seeds
from attention_zoo.metrics.divergence import jensen_shannon_divergence as jensen_shannon_divergence
from attention_zoo.metrics.faithfulness import comprehensiveness as comprehensiveness
from attention_zoo.metrics.faithfulness import sufficiency as sufficiency
from attention_zoo.metrics.forecasts import forecast_metrics as forecast_metrics
from attention_zoo.metrics.forecasts import simple_forecasts as simple_forecasts
from attention_zoo.metrics.input_gradients import gradients as gradients
from attention_zoo.metrics.interventions import interchange as interchange
from attention_zoo.metrics.leave_one_out import occlusion as occlusion
from attention_zoo.metrics.localization import false_discovery_rate as false_discovery_rate
from attention_zoo.metrics.localization import ndcg_at_n as ndcg_at_n
from attention_zoo.metrics.localization import pointing_game as pointing_game
from attention_zoo.metrics.localization import relevance_mass_accuracy as relevance_mass_accuracy
from attention_zoo.metrics.localization import relevance_rank_accuracy as relevance_rank_accuracy
from attention_zoo.metrics.localization import true_positive_rate as true_positive_rate
from attention_zoo.metrics.perturbation import perturb as perturb
from attention_zoo.metrics.perturbation import replacement_values as replacement_values
from attention_zoo.metrics.perturbation_curves import aopcr as aopcr
from attention_zoo.metrics.perturbation_curves import deletion as deletion
from attention_zoo.metrics.perturbation_curves import insertion as insertion
from attention_zoo.metrics.precision_recall import area_under_precision as area_under_precision
from attention_zoo.metrics.precision_recall import area_under_recall as area_under_recall
from attention_zoo.metrics.precision_recall import auprc as auprc
from attention_zoo.metrics.randomization import parameter_randomization as parameter_randomization
from attention_zoo.metrics.rank_correlation import agreement as agreement
from attention_zoo.metrics.rank_correlation import kendall_tau as kendall_tau
from attention_zoo.metrics.rank_correlation import spearman_rho as spearman_rho
from attention_zoo.metrics.rescaling import (
    temporal_saliency_rescaling as temporal_saliency_rescaling,
)
from attention_zoo.metrics.states import attended_states as attended_states
from attention_zoo.metrics.states import conicity as conicity
