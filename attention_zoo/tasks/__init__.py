"""Synthetic tasks that know where their answer is hidden."""

from attention_zoo.tasks import forecasts as forecasts
from attention_zoo.tasks import long_memory as long_memory
from attention_zoo.tasks import numbers as numbers
from attention_zoo.tasks import planted as planted
from attention_zoo.tasks import retrieval as retrieval
from attention_zoo.tasks import saliency as saliency
from attention_zoo.tasks import selection as selection
from attention_zoo.tasks import signatures as signatures
from attention_zoo.tasks.base import TASKS as TASKS
from attention_zoo.tasks.base import Sample as Sample
from attention_zoo.tasks.base import Task as Task
from attention_zoo.tasks.base import get as get
from attention_zoo.tasks.base import list_tasks as list_tasks
