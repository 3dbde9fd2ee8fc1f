"""What a model predicts and where it attends: as an object, a table, a file, a picture, a page."""

from attention_zoo.explaining.animation import TrainingAnimation as TrainingAnimation
from attention_zoo.explaining.compute import explain as explain
from attention_zoo.explaining.explanation import Explanation as Explanation
from attention_zoo.explaining.layer_scores import LayerScores as LayerScores
