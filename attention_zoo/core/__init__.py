"""Plain Python that knows neither Keras nor the rest of the package."""
