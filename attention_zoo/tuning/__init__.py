"""Searches over attention and the models around it, by KerasTuner and Optuna, here or on Dask."""

from attention_zoo.tuning.folder import TrialResult as TrialResult
from attention_zoo.tuning.folder import TuningError as TuningError
from attention_zoo.tuning.folder import read_trials as read_trials
from attention_zoo.tuning.hypermodel import HyperAttention as HyperAttention
from attention_zoo.tuning.loop import SearchCallback as SearchCallback
from attention_zoo.tuning.objectives import OBJECTIVES as OBJECTIVES
from attention_zoo.tuning.results import Search as Search
from attention_zoo.tuning.results import best_values as best_values
from attention_zoo.tuning.searching import tune as tune
