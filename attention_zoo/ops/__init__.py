"""Stateless functions on `keras.ops`: no weights, no classes."""
