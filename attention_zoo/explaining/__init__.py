"""What a model predicted and where it looked: an object, a table, a file, a picture, a page."""

from attention_zoo.explaining.animation import TrainingAnimation as TrainingAnimation
from attention_zoo.explaining.compute import explain as explain
from attention_zoo.explaining.explanation import Explanation as Explanation
