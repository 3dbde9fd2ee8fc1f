"""A forecaster trains on windows, in the user's units, and is measured beside simple forecasts."""

import keras
import numpy as np
import pytest

import attention_zoo as az

HOURS = np.arange("2024-01-01", "2024-01-15", dtype="datetime64[h]")
VALUES = 1e4 + 1e3 * np.sin(np.arange(len(HOURS)) * np.pi / 12)
SMALL = {"epochs": 1, "units": 4, "encoder": "conv"}


def windows(**columns):
    frame = {"t": HOURS, "y": VALUES, "z": VALUES[::-1] / 1e6, **columns}
    return az.windows(frame, target="y", past="z", time="t", length=24, horizon=6, stride=8,
                      calendar="hour", batch_size=8)  # fmt: skip


def test_windows_train_a_forecaster_that_is_saved_and_explained(tmp_path):
    values = VALUES.copy()
    values[[30, 200]] = np.nan
    train, validation, test = windows(y=values).split(validation=0.2, test=0.2)
    result = az.train(
        "forecaster", train, validation_data=validation, test_data=test, out=tmp_path / "preset",
        quantiles=(0.1, 0.5, 0.9), attention_before="variable_selection", **SMALL,
    )  # fmt: skip
    rows = np.concatenate(list(train.rows()))
    found = result.model.get_layer("standardize")
    np.testing.assert_allclose(np.ravel(found.adapt_mean), np.nanmean(rows, 0), rtol=1e-4)
    np.testing.assert_allclose(np.ravel(found.adapt_variance), np.nanvar(rows, 0), rtol=1e-3)
    x, y = test[0]
    again = az.load(tmp_path / "preset", verify=True)
    forecasts = again.predict(x, verbose=0)
    np.testing.assert_array_equal(forecasts, result.model.predict(x, verbose=0))
    assert forecasts.shape == (*y.shape, 3) and np.all(np.diff(forecasts) > 0)
    assert np.all(np.abs(forecasts - 1e4) < 1e4)
    seen = az.explain(result.model, x)
    assert seen.scores["attention"].shape == (len(x), 6, 24)
    chosen = seen.scores["attention_before"]
    assert np.all(chosen[x == train.mask_value] == 0)
    np.testing.assert_allclose(chosen.sum(-1), 1, atol=1e-5)
    assert set(result.score) >= {"mae", "rmse", "mase", "smape", "pinball", "coverage_80"}
    assert result.baseline.name == "value 24 steps before" and result.baseline.score["mae"] < 1


def test_a_recurrent_model_takes_windows_that_are_complete():
    past = az.windows(VALUES, length=24, horizon=6, stride=8)
    train, test = past.split(test=0.3)
    result = az.train("gru", train, test_data=test, epochs=1, units=4)
    assert result.model.output_shape == (None, 6) and result.score["mae"] < 5e3
    with pytest.raises(ValueError, match="'gru' takes no windows with columns that are known ahea"):
        az.train("gru", windows())
    with pytest.raises(ValueError, match="`test_data` must be windows like those that train"):
        az.train("gru", train, test_data=windows())


def test_missing_targets_count_for_nothing():
    loss = az.layers.PinballLoss((0.1, 0.9))
    y, forecasts = np.array([[1.0, np.nan], [np.nan, np.nan]]), np.ones((2, 2, 2))
    forecasts[0, 1] = 7
    np.testing.assert_allclose(np.asarray(loss(y, forecasts)), 0)
    assert np.isfinite(np.asarray(loss(y, forecasts + 1)))


def test_forecasts_are_measured_by_step():
    y = np.random.default_rng(0).normal(size=(50, 3))
    off = np.array([0.5, -2.0, 0.0])
    found = az.metrics.forecast_metrics(y, y + off, scale=2.0)
    np.testing.assert_allclose(found["mae"], [0.5, 2, 0], atol=1e-12)
    np.testing.assert_allclose(found["mase"], [0.25, 1, 0], atol=1e-12)
    fan = y[..., None] + np.array([-1.0, 0, 1])
    found = az.metrics.forecast_metrics(y, fan + off[:, None], quantiles=(0.1, 0.5, 0.9))
    np.testing.assert_array_equal(found["coverage"], [1, 0, 1])
    np.testing.assert_allclose(found["pinball"][2], (0.1 + 0.1) / 3)
    with pytest.raises(ValueError, match=r"`forecasts` must have the shape \(50, 3, 2\)"):
        az.metrics.forecast_metrics(y, y, quantiles=(0.1, 0.9))


def test_cells_that_are_hidden_from_the_selection_of_columns():
    keras.utils.set_random_seed(0)
    layer = az.layers.VariableSelection(units=5)
    x = np.random.default_rng(0).normal(size=(4, 7, 3)).astype("float32")
    mask = np.random.default_rng(1).random(x.shape) < 0.6
    clean, scores = layer(np.where(mask, x, 0), mask=mask, return_attention_scores=True)
    noisy, _ = layer(np.where(mask, x, np.nan), mask=mask, return_attention_scores=True)
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(one) for one in (clean, noisy)))
    scores = keras.ops.convert_to_numpy(scores)
    assert np.all(scores[~mask] == 0)
    np.testing.assert_allclose(scores.sum(-1), mask.any(-1), atol=1e-5)
