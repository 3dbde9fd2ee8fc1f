"""A run that is shared, interrupted and gone on with: `distributed_job.py RECIPE OUT HISTORY`."""

import json
import os
import sys
from pathlib import Path

import keras

from attention_zoo.training import TrainingError, is_first, make_recipe, run_recipe


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise TrainingError("interrupted")


if __name__ == "__main__":
    if keras.backend.backend() == "tensorflow" and "TF_CONFIG" not in os.environ:
        import tensorflow as tf

        processor = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(processor, two)
    recipe, out, history = make_recipe(json.loads(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
    try:
        run_recipe(recipe, out=out, distribute=True, callbacks=lambda phase: [Interrupt()][:phase])
    except TrainingError:
        run = run_recipe(recipe, out=out, distribute=True, resume=True)
        if is_first():
            Path(history).write_text(json.dumps([run.history.history, run.score, str(run.path)]))
