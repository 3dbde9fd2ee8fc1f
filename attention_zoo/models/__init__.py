"""Factories of plain functional Keras models with attention, and `build`, which calls them."""

from attention_zoo.models.classes import class_names as class_names
from attention_zoo.models.classes import name_classes as name_classes
from attention_zoo.models.conv import conv_after as conv_after
from attention_zoo.models.conv import lstm_fcn as lstm_fcn
from attention_zoo.models.dense import dense as dense
from attention_zoo.models.dense import dense_after as dense_after
from attention_zoo.models.forecaster import forecaster as forecaster
from attention_zoo.models.register import Blueprint as Blueprint
from attention_zoo.models.register import blueprint as blueprint
from attention_zoo.models.register import build as build
from attention_zoo.models.register import takes as takes
from attention_zoo.models.rnn import gru as gru
from attention_zoo.models.rnn import gru_after as gru_after
from attention_zoo.models.rnn import gru_before as gru_before
from attention_zoo.models.rnn import lstm_after as lstm_after
from attention_zoo.models.rnn import lstm_before as lstm_before
from attention_zoo.models.rnn import rnn as rnn
from attention_zoo.models.weights import constants as constants
from attention_zoo.models.weights import copy_weights as copy_weights
