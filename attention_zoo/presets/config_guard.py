"""What a config from outside may describe: attention_zoo's classes and Keras's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras

from attention_zoo.catalog import LAYERS
from attention_zoo.presets.card import PresetError

#: Values that Keras writes in a config as if they were classes.
_PLAIN = {"__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__"}
#: Those of them that are arrays, and the dtypes that take no more room than what is written.
_ARRAYS = {"__numpy__", "__tensor__"}
_DTYPES = """
bool float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64
"""
#: The argument of Keras's own layers that is a list of words, or the name of a file of words.
_WORDS = "vocabulary"
_OURS = "attention_zoo>"
#: Keras's own classes that a preset may name, those that make a model of plain values: none of
#: them runs code of the config or reads a file that the config names. All others are refused.
_LAYERS = """
Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D
AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization Bidirectional
CategoryEncoding CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D
Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D
DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU
GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D
GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity InputLayer IntegerLookup
LSTM LSTMCell LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MaxPool1D MaxPool2D
MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MixUp MultiHeadAttention Multiply
Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness
RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear
RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding
SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN
SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D
SpectralNormalization StackedRNNCells StringLookup Subtract TextVectorization TimeDistributed
UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
_INITIALIZERS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal
LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal
VarianceScaling Zeros constant glorot_normal glorot_uniform he_normal he_uniform identity
lecun_normal lecun_uniform ones orthogonal random_normal random_uniform truncated_normal
variance_scaling zeros
"""
_POLICIES = """
AWQDTypePolicy DTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy
QuantizedDTypePolicy QuantizedFloat8DTypePolicy
"""
_QUANTIZERS = """
AbsMaxQuantizer Float8QuantizationConfig Int4QuantizationConfig Int8QuantizationConfig
"""
_REGULARIZERS = "L1 L1L2 L2 OrthogonalRegularizer l1 l1_l2 l2 orthogonal_regularizer"
_CONSTRAINTS = "MaxNorm MinMaxNorm NonNeg UnitNorm max_norm min_max_norm non_neg unit_norm"

KERAS_CLASSES = {
    "keras.layers": frozenset(_LAYERS.split()),
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset(_REGULARIZERS.split()),
    "keras.constraints": frozenset(_CONSTRAINTS.split()),
    "keras.dtype_policies": frozenset(_POLICIES.split()),
    "keras.quantizers": frozenset(_QUANTIZERS.split()),
    "keras.models": frozenset({"Model", "Sequential"}),
    "keras": frozenset({"Model", "Sequential", "DTypePolicy", "FloatDTypePolicy"}),
    "keras.src.models.functional": frozenset({"Functional"}),
}


def check_config(value: Any, path: Path) -> None:
    """Refuse a config that names any class but attention_zoo's and Keras's own, at any depth.

    A class is named by a dictionary with `class_name`, or by a string that Keras would look up
    among the classes that somebody registered, such as `"userlib>Thing"` for an initializer.

    Raises:
        PresetError: which says what was named.
    """
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_config(item, path)
    elif isinstance(value, dict):
        if "class_name" in value:
            _check_class(value, path)
        if isinstance(value.get(_WORDS), str):
            raise PresetError(
                f"{path} names the file {value[_WORDS]!r} for `{_WORDS}`. A preset reads no file "
                "but its own: pass the words as a list."
            )
        for key, item in value.items():
            check_config(key, path)
            check_config(item, path)


def _is_ours(value: Any) -> bool:
    return getattr(value, "__module__", "").startswith("attention_zoo.")


def _check_text(text: str, path: Path) -> None:
    """Refuse a string under which another package registered a class or function with Keras.

    All strings are checked, since each class decides which of its arguments it looks up.
    """
    registered = keras.saving.get_registered_object(text)
    if registered is not None and not _is_ours(registered):
        raise PresetError(
            f"{path} names the class {text!r}, registered by the module "
            f"{getattr(registered, '__module__', None)!r}. A preset may name attention_zoo's and "
            "Keras's own classes only."
        )


def _check_class(value: dict[str, Any], path: Path) -> None:
    name, module = value["class_name"], value.get("module")
    registered = value.get("registered_name")
    strings = all(isinstance(text, (str, type(None))) for text in (module, registered))
    if isinstance(name, str) and strings:
        if name in _PLAIN and module in (None, "builtins", "keras"):
            _check_array(name, value.get("config"), path)
            return
        if _is_allowed(name, module, registered):
            return
    raise PresetError(
        f"{path} names the class {name!r}"
        + (f" of the module {module!r}" if module is not None else "")
        + (f", registered as {registered!r}" if registered not in (None, name) else "")
        + ". A preset may name attention_zoo's and Keras's own classes only, and none that runs "
        "code."
    )


def _is_allowed(name: str, module: str | None, registered: str | None) -> bool:
    ours = [text for text in (name, registered) if text is not None and text.startswith(_OURS)]
    if ours:
        # Keras looks up the registered name first: that must be one of ours as well
        both = registered is None or registered.startswith(_OURS)
        return both and all(_is_ours(keras.saving.get_registered_object(text)) for text in ours)
    if registered not in (None, name):
        return False
    if module is None:
        return name in LAYERS or any(name in names for names in KERAS_CLASSES.values())
    return name in KERAS_CLASSES.get(module, ()) or _is_operation(name, module)


def _check_array(name: str, config: Any, path: Path) -> None:
    dtype = config.get("dtype") if isinstance(config, dict) else None
    if name in _ARRAYS and dtype not in _DTYPES.split():
        raise PresetError(
            f"{path} has an array of dtype {dtype!r}. It must be one of: "
            f"{', '.join(sorted(_DTYPES.split()))}."
        )


def _is_operation(name: str, module: str) -> bool:
    """Return True for one of Keras's operations, in the module that defines it."""
    kind = getattr(sys.modules.get(module), name, None)
    return (
        module.startswith("keras.src.ops.")
        and isinstance(kind, type)
        and issubclass(kind, keras.Operation)
        and kind.__module__ == module
    )
