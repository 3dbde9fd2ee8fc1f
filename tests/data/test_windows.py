"""Windows of a frame: what is in them, what is refused, and that they take no memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import attention_zoo as az
from attention_zoo.data.shuffling import shuffled

DAYS = pd.date_range("2024-02-01", periods=40, freq="D")
SIZES = {"length": 7, "horizon": 3}


def frame(**columns):
    given = {
        "day": DAYS, "y": np.arange(40.0), "z": -np.arange(40.0), "open": np.arange(40) % 7 < 5
    }  # fmt: skip
    return pd.DataFrame({**given, **columns})


def one(data=None, **options):
    return az.windows(frame() if data is None else data, **{"target": "y", **SIZES, **options})


def test_a_window_has_what_was_known_and_what_came():
    data = one(past="z", known=["open"], time="day", calendar=("weekday", "month"))
    x, y = data.take(np.array([4]))
    assert data.names == ["y", "z", "open", "weekday_sin", "weekday_cos", "month_sin", "month_cos"]
    np.testing.assert_array_equal(x[0, :7, 0], np.arange(4, 11))
    np.testing.assert_array_equal(x[0, :7, 1], -np.arange(4.0, 11))
    assert np.all(x[0, 7:, :2] == data.mask_value)
    np.testing.assert_array_equal(x[0, :, 2], frame()["open"][4:14])
    weekday = DAYS[4:14].day_of_week.to_numpy()
    np.testing.assert_allclose(x[0, :, 3], np.sin(2 * np.pi * weekday / 7), atol=1e-6)
    np.testing.assert_allclose(x[0, :, 6], np.cos(np.pi / 6), atol=1e-6)
    np.testing.assert_array_equal(y, [[11, 12, 13]])
    assert data.count == 31 and len(data) == 1
    np.testing.assert_array_equal(data.times([4])[0], DAYS[11:14])


def test_without_what_is_known_ahead_x_is_the_past():
    x, y = one(target=["y", "z"], stride=2)[0]
    assert x.shape == (16, 7, 2) and y.shape == (16, 3, 2)
    np.testing.assert_array_equal(x[1, :, 0], np.arange(2, 9))


def test_frames_arrays_and_files_are_read_alike(tmp_path):
    whole = frame()
    whole.assign(open=whole.open.astype(int)).to_csv(tmp_path / "f.csv", index=False)
    options = {"past": "z", "known": "open", "time": "day", "calendar": "weekday"}
    wanted = one(whole, **options)[0]
    others = [tmp_path / "f.csv", {name: whole[name].to_numpy() for name in whole}]
    try:
        import polars
    except ImportError:
        pass
    else:
        others.append(polars.DataFrame({name: whole[name].to_numpy() for name in whole}))
    for other in others:
        for got, part in zip(one(other, **options)[0], wanted, strict=True):
            np.testing.assert_allclose(got, part, atol=1e-5)
    array = whole[["y", "z"]].to_numpy()
    got = az.windows(array, target=0, past=1, **SIZES)[0]
    np.testing.assert_array_equal(got[0], one(past="z")[0][0])


def test_missing_cells_are_masked(tmp_path):
    values = np.arange(40.0)
    values[[5, 12]] = np.nan
    data = one(frame(y=values))
    x, y = data.take(np.array([0, 5]))
    assert data.missing and x[0, 5, 0] == data.mask_value and x[0, 4, 0] == 4
    np.testing.assert_array_equal(y, [[7, 8, 9], [np.nan, 13, 14]])
    frame(y=values).drop(columns="open").to_csv(tmp_path / "f.csv", index=False)
    np.testing.assert_array_equal(one(tmp_path / "f.csv")[0][0], data[0][0])
    assert not one().missing


def test_many_series_share_no_window():
    two = pd.concat([frame(g="a"), frame(g="b", y=np.arange(100.0, 140))])
    apart = one(two, time="day", group="g")
    mixed = one(two.sort_values(["day", "g"]), time="day", group="g")
    assert apart.count == mixed.count == 2 * 31
    for number in (0, 30, 31, 61):
        for part, other in zip(apart.take([number]), mixed.take([number]), strict=True):
            np.testing.assert_array_equal(part, other)
    assert np.ptp(apart.take(np.arange(62))[0], axis=1).max() < 100


@pytest.mark.parametrize("gaps, count", [("mask", 31), ("cut", 31 - 10)])
def test_missing_rows_are_missing_cells_or_cut_the_series(gaps, count):
    data = one(frame().drop(index=20), time="day", gaps=gaps)
    assert data.count == count and data.missing == (gaps == "mask")
    for number in range(count):
        rows = np.concatenate([part.ravel() for part in data.take([number])])
        rows = np.where((rows == data.mask_value) | np.isnan(rows), 20, rows)
        np.testing.assert_array_equal(np.diff(rows), 1)


@pytest.mark.parametrize("freq", ["MS", "ME", "QS", "YS"])
def test_months_quarters_and_years_are_steps(freq):
    days = pd.date_range("2000-01-31", periods=40, freq=freq)
    assert one(frame(day=days), time="day").count == 31


def test_a_split_in_time_leaks_nothing():
    data = one(time="day", known="open")
    train, validation, test = data.split(validation=8, test="2024-03-01", gap=2)
    ahead = [part.take(np.arange(part.count))[1] for part in (train, validation, test)]
    seen = train.take(np.arange(train.count))[0][..., 0].max()
    assert ahead[2].min() == 29  # 1 March, after a leap day
    assert ahead[1].max() < 29 - 2 and ahead[1].min() == 29 - 2 - 8
    assert max(ahead[0].max(), seen) < ahead[1].min() - 2
    assert np.concatenate(list(train.rows()))[:, 0].max() == ahead[0].max()
    shares = data.split(validation=0.25, test=0.25, stride=3)
    assert [part.stride for part in shares] == [1, 3, 3]


def test_each_epoch_has_each_window_once():
    for count in (1, 2, 7, 1000):
        assert sorted(shuffled(np.arange(count), count, 3)) == list(range(count))
    data = one(batch_size=10).scaled(np.asarray, shuffle=True)
    orders = []
    for _ in range(2):
        data.on_epoch_begin()
        orders.append(np.concatenate([data[i][1][:, 0] for i in range(len(data))]))
        np.testing.assert_array_equal(np.sort(orders[-1]), np.arange(7, 38))
    assert np.any(orders[0] != orders[1])


def test_memory_does_not_grow_with_the_rows():
    peaks = []
    for count in (2**19, 2**21):
        columns = {"t": np.arange(count).astype("datetime64[m]"), "y": np.arange(float(count))}
        tracemalloc.start()
        data = one(columns, time="t", calendar="hour").scaled(np.asarray, shuffle=True)
        data.on_epoch_begin()
        data[7]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] < 2**24


TEXT = np.array([f"a{i}" for i in range(40)], object)


@pytest.mark.parametrize("columns, options, message", [
    ({}, {"horizon": 34}, "series of at least 41 steps. Received: 40"),
    ({}, {"past": "x"}, "Unknown column.*'x'"),
    ({"z": TEXT}, {"past": "z"}, "'z' is text.*'a0' in row 0.*`group`"),
    ({}, {"past": "day"}, "'day' is of dtype.*name it as `time`"),
    ({}, {"known": "y"}, "`known`: the column 'y' is named as target.*not known ahead"),
    ({}, {"past": ["z", "z"]}, "'z' is named as past already"),
    ({"y": np.ones(40)}, {}, "'y' is constant"),
    ({}, {"static": "z"}, "`static`: 'z' changes within a series"),
    ({"y": np.where(DAYS.day == 9, np.inf, 1)}, {}, "'y' must be finite.*inf in row 8"),
    ({"day": DAYS[::-1]}, {"time": "day"}, "row 1 .*is before the row above it: sort"),
    ({"day": DAYS[[*range(20), *range(19, 39)]]}, {"time": "day"}, "row 20 .*has the time of"),
    ({"day": DAYS.tz_localize("UTC")}, {"time": "day"}, "no time zone.*Received: times in UTC"),
    ({"day": DAYS.astype(str) + "T00:00Z"}, {"time": "day"}, "no time zone.*in row 0"),
    ({"day": DAYS.where(DAYS.day != 9)}, {"time": "day"}, "'day' has no time in row 8"),
    ({"day": DAYS.strftime("%d/%m/%Y")}, {"time": "day"}, "row 0, is no time in ISO 8601"),
    ({"day": [*DAYS[:5], DAYS[5] + pd.Timedelta("1h"), *DAYS[6:]]}, {"time": "day"},
     "row 5.*resample"),
    ({"day": np.arange(40) / 3}, {"time": "day"}, "numbers must be whole.*row 1"),
    ({"day": DAYS[[*range(20), *range(21, 40), 39]]}, {"time": "day"},
     r"1 row of 'day' missing before row 20 \(2024-02-22.*gaps='mask'"),
    ({}, {"time": "z"}, "`time`"),
    ({}, {"calendar": "hour"}, "`calendar` needs `time`"),
    ({}, {"time": "day", "calendar": "week"}, "Did you mean 'weekday'"),
    ({}, {"length": 0}, "`length` must be a positive integer"),
    ({}, {"gaps": "fill", "time": "day"}, "Unknown gaps.*'fill'"),
    ({}, {"target": None}, "`target` is missing"),
])  # fmt: skip
def test_bad_input(columns, options, message):
    with pytest.raises(ValueError, match=message):
        one(frame(**columns), **options)


@pytest.mark.parametrize("options, message", [
    ({"test": 40}, "`train` has no window"),
    ({"test": 2}, "`test` has no window: its steps must be at least the horizon, 3"),
    ({"test": "soon"}, "`test` must be a share"),
    ({"test": 1.5}, r"`test` must be a number in \[0, 1\)"),
])  # fmt: skip
def test_bad_splits(options, message):
    with pytest.raises(ValueError, match=message):
        one(time="day").split(**options)


@pytest.mark.parametrize("cell, message", [("red", "row 3, column 'y': the text 'red'"),
                                           ("1_0", "row 3, column 'y'")])  # fmt: skip
def test_a_wrong_cell_of_a_file_is_named(tmp_path, cell, message):
    (tmp_path / "f.csv").write_text(f"y,g\n1,a\n{cell},a\n")
    with pytest.raises(ValueError, match=message):
        one(tmp_path / "f.csv")
