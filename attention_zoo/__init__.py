"""attention_zoo: attention for Keras 3 that you can see, measure and trust.

Importing it imports no Keras. As soon as Keras is imported, before or after, every layer here is
known to `keras.models.load_model` with no custom_objects.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import wrapt

from attention_zoo.catalog import LAYERS as _LAYERS
from attention_zoo.catalog import MODELS as _MODELS
from attention_zoo.version import __version__ as __version__

if TYPE_CHECKING:
    from attention_zoo import capture as capture
    from attention_zoo import layers as layers
    from attention_zoo import metrics as metrics
    from attention_zoo import models as models
    from attention_zoo import plots as plots
    from attention_zoo import presets as presets
    from attention_zoo import tasks as tasks
    from attention_zoo import training as training
    from attention_zoo import tuning as tuning
    from attention_zoo.capture import attention_scores as attention_scores
    from attention_zoo.capture import predict_with_scores as predict_with_scores
    from attention_zoo.capture import with_scores as with_scores
    from attention_zoo.data.windowing import windows as windows
    from attention_zoo.estimators import AttentionClassifier as AttentionClassifier
    from attention_zoo.estimators import AttentionRegressor as AttentionRegressor
    from attention_zoo.explaining import Explanation as Explanation
    from attention_zoo.explaining import TrainingAnimation as TrainingAnimation
    from attention_zoo.explaining import explain as explain
    from attention_zoo.exporting import export as export
    from attention_zoo.models import build as build
    from attention_zoo.presets import PresetError as PresetError
    from attention_zoo.presets import add_preset_folder as add_preset_folder
    from attention_zoo.presets import list_presets as list_presets
    from attention_zoo.presets.load import load as load
    from attention_zoo.presets.save import save as save
    from attention_zoo.training import evaluate as evaluate
    from attention_zoo.training import train as train
    from attention_zoo.trusting import Trust as Trust
    from attention_zoo.trusting import trust as trust
    from attention_zoo.tuning import tune as tune

# The module of each public name, which is imported when the name is first used
_LAZY = {
    "capture": "capture",
    "layers": "layers",
    "metrics": "metrics",
    "models": "models",
    "plots": "plots",
    "presets": "presets",
    "tasks": "tasks",
    "training": "training",
    "tuning": "tuning",
    "AttentionClassifier": "estimators",
    "AttentionRegressor": "estimators",
    "Explanation": "explaining",
    "TrainingAnimation": "explaining",
    "Trust": "trusting",
    "attention_scores": "capture",
    "build": "models",
    "PresetError": "presets",
    "add_preset_folder": "presets",
    "evaluate": "training",
    "explain": "explaining",
    "export": "exporting",
    "list_presets": "presets",
    "load": "presets.load",
    "predict_with_scores": "capture",
    "save": "presets.save",
    "train": "training",
    "trust": "trusting",
    "tune": "tuning",
    "windows": "data.windowing",
    "with_scores": "capture",
}
__all__ = ["__version__", "list_layers", "list_models", *_LAZY]


def __getattr__(name: str) -> Any:
    package = sys.modules[__name__]
    if name not in _LAZY:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=package)  # Python suggests the nearest name
    module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
    value = module if _LAZY[name] == name else getattr(module, name)
    setattr(package, name, value)
    return value


def list_layers(pattern: str = "*") -> list[str]:
    """Return the names of the registered attention layers that match a shell pattern.

    Args:
        pattern: a pattern such as `"*attention*"`.

    Returns:
        The sorted names, each of which stands for a layer in `attention=` of a model.

    Raises:
        TypeError: if the pattern is no string.

    Example:

    >>> az.list_layers("*attention")
    ['cross_attention', 'self_attention']
    """
    return _LAYERS.names(pattern)


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the model factories that match a shell pattern.

    Args:
        pattern: a pattern such as `"lstm*"`.

    Returns:
        The sorted names, each of which `build` takes.

    Raises:
        TypeError: if the pattern is no string.

    Example:

    >>> az.list_models("dense*")
    ['dense', 'dense_after']
    """
    return _MODELS.names(pattern)


def __dir__() -> list[str]:
    return sorted(__all__)


def _register_layers(keras: ModuleType) -> None:
    """Import the layers, which makes them known to Keras. ImportError for a Keras that is older
    than 3.15: they would fail over something that it lacks, and not say so."""
    from packaging.version import Version

    importlib.import_module("keras")  # waits for a thread that is about to import it
    found = str(getattr(keras, "__version__", "3.15"))
    if Version(found) < Version("3.15"):
        raise ImportError(
            f"attention_zoo needs keras 3.15 or newer. {found} is installed: "
            "pip install -U 'keras>=3.15'"
        )
    # A thread that is importing them waits for Keras, which must not wait for it
    if "attention_zoo.layers" not in sys.modules:
        importlib.import_module("attention_zoo.layers")


def _after_keras(keras: ModuleType) -> None:
    try:
        _register_layers(keras)
    except BaseException:
        # The import of Keras fails with this one, and the next is to try again
        sys.modules.pop("keras", None)
        wrapt.register_post_import_hook(_after_keras, "keras")
        raise


if "keras" in sys.modules:
    _register_layers(sys.modules["keras"])
else:
    wrapt.register_post_import_hook(_after_keras, "keras")
