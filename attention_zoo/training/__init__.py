"""Recipes and what they make: a trained model, its score, a preset."""

from attention_zoo.data.dataset import Dataset as Dataset
from attention_zoo.data.dataset import from_arrays as from_arrays
from attention_zoo.data.dataset import from_task as from_task
from attention_zoo.data.files import read as read
from attention_zoo.data.files import read_arrays as read_arrays
from attention_zoo.training.defaults import recipe_for as recipe_for
from attention_zoo.training.distribution import is_first as is_first
from attention_zoo.training.entry_points import run_recipe as run_recipe
from attention_zoo.training.entry_points import train as train
from attention_zoo.training.evaluation import Evaluation as Evaluation
from attention_zoo.training.evaluation import evaluate as evaluate
from attention_zoo.training.fit import TrainingError as TrainingError
from attention_zoo.training.measure import measure as measure
from attention_zoo.training.recipe import Recipe as Recipe
from attention_zoo.training.recipe import default_recipe as default_recipe
from attention_zoo.training.recipe import list_recipes as list_recipes
from attention_zoo.training.recipe import load_recipe as load_recipe
from attention_zoo.training.recipe import make_recipe as make_recipe
from attention_zoo.training.result import TrainingResult as TrainingResult
