"""KerasTuner searches over attention and the models around it."""

from attention_zoo.tuning.folder import TuningError as TuningError
from attention_zoo.tuning.hypermodel import HyperAttention as HyperAttention
from attention_zoo.tuning.objectives import OBJECTIVES as OBJECTIVES
from attention_zoo.tuning.results import Search as Search
from attention_zoo.tuning.results import TrialResult as TrialResult
from attention_zoo.tuning.results import best_values as best_values
from attention_zoo.tuning.results import read_trials as read_trials
from attention_zoo.tuning.searching import tune as tune
from attention_zoo.tuning.trials import Spectator as Spectator
from attention_zoo.tuning.working import work as work
