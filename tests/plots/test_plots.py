"""Pictures show what they say they show, at any size, and change nothing."""

import matplotlib
import matplotlib.pyplot
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import attention_zoo as az
from attention_zoo import plots
from attention_zoo.plots import style

RNG = np.random.default_rng(0)
SCORES = RNG.dirichlet(np.ones(7), size=(11, 5)).astype("float32")
X = RNG.normal(size=(7, 3)).astype("float32")
VISIBLE = np.arange(7) < 5


def everything(size=7):
    """One of each picture, of so many indices."""
    rows = RNG.dirichlet(np.ones(size), size=3)
    visible = np.arange(size) < size - 1
    yield "bars", plots.plot_profile(rows)
    yield "rows", plots.plot_rows(rows, truth=rows > 0.2, visible=np.tile(visible, (3, 1)))
    yield "heatmap", plots.plot_heatmap(rows[0], RNG.normal(size=(size, 2)), visible=visible)
    yield "wide", plots.plot_heatmap(RNG.random((size, 9)), RNG.normal(size=(size, 9)))
    yield "alignment", plots.plot_alignment(rows, visible=visible)
    yield "heads", plots.plot_heads(np.stack([rows] * 5))
    yield "hops", plots.plot_heads(rows)


@pytest.mark.parametrize("size", [1, 7, 2000])
def test_figures_of_any_size_belong_to_no_window(size):
    for name, figure in everything(size):
        assert isinstance(figure, Figure), name
        figure.canvas.draw()
        assert max(figure.get_size_inches()) <= 20, name
        for axes in figure.axes:
            labels = [t for t in axes.get_xticklabels() if t.get_text()]
            assert len(labels) <= 31, name
    assert matplotlib.pyplot.get_fignums() == []


def test_the_scale_begins_at_zero_and_padding_is_grey():
    figure = plots.plot_alignment(SCORES[0], visible=VISIBLE)
    shown = figure.axes[0].images[0]
    assert shown.get_clim() == (0, pytest.approx(SCORES[0][:, :5].max()))
    drawn = shown.to_rgba(shown.get_array())
    grey = matplotlib.colors.to_rgba(style.PADDING)
    assert (drawn[:, 5:] == grey).all()
    assert not (drawn[:, :5] == grey).all(-1).any()
    constant = plots.plot_alignment(np.zeros((3, 4)))
    assert constant.axes[0].images[0].get_clim() == (0, 1)


def test_queries_of_padding_are_grey_as_its_keys_are():
    scores = np.where(np.arange(3)[:, None] < 2, [0.25, 0.75, 0], 0.0)
    visible = [True, True, False]
    for figure in (
        plots.plot_alignment(scores, visible=visible),
        plots.plot_heads(scores[None], visible=visible),
    ):
        shown = figure.axes[0].images[0].get_array()
        grey = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 1]], "bool")
        np.testing.assert_array_equal(np.ma.getmaskarray(shown), grey)
    alone = plots.plot_alignment(scores).axes[0].images[0].get_array()
    assert not np.ma.getmaskarray(alone).any()


@pytest.mark.parametrize("size", [20, 2000])
def test_even_attention_fills_a_part_of_the_picture_at_any_size(size):
    rows = np.full((3, size), 1 / size)
    top = plots.plot_profile(rows).axes[0].get_ylim()[1]
    assert 0.1 * top < 1 / size < top


def test_values_can_be_told_apart_in_grey():
    shown = plots.plot_heatmap(SCORES[0, 0], RNG.normal(size=(7, 9))).axes[0].images[0]
    light = shown.get_cmap()(np.linspace(0, 1, 64))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(light) > 0).all() or (np.diff(light) < 0).all()


def test_the_names_of_the_series_cover_none_of_them():
    figure = plots.plot_heatmap(SCORES[0, 0], np.ones((7, 2)))
    figure.canvas.draw()
    axes = figure.axes[0]
    assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1 - 1


def test_heads_share_one_scale():
    scores = np.stack([SCORES[0], 0.1 * SCORES[1]])
    images = [axes.images[0] for axes in plots.plot_heads(scores).axes if axes.images]
    assert {image.get_clim() for image in images} == {(0, float(scores.max()))}


def test_dark_is_more_in_grey_too():
    shades = style.colours()(np.linspace(0, 1, 9))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(shades) < -0.02).all()


def test_the_truth_is_outlined():
    truth = np.zeros((5, 7))
    truth[2, 3] = 1
    lines = plots.plot_alignment(SCORES[0], truth=truth).axes[0].collections
    points = np.concatenate([path.vertices for line in lines for path in line.get_paths()])
    assert points.min(0).tolist() == [2.5, 1.5] and points.max(0).tolist() == [3.5, 2.5]


def test_where_it_is_largest():
    rows = plots.plot_rows(SCORES[:, 0]).axes[1].images[0].get_array()
    np.testing.assert_array_equal(np.asarray(rows).argmax(1), SCORES[:, 0].argmax(1))
    nothing = plots.plot_rows(np.zeros((2, 3))).axes[1].images[0].get_array()
    assert not np.asarray(nothing).any()


@pytest.mark.parametrize("size", [20, 401, 2000])
def test_one_cell_among_many_keeps_its_colour(size):
    rows = np.zeros((2, size))
    rows[:, size // 3] = 1
    figure = plots.plot_rows(rows)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    darkest = (np.array(style.colours()(1.0)[:3]) * 255).round()
    assert (np.abs(pixels - darkest).max(-1) <= 1).sum() > 50


def test_heads_and_tokens_do_not_count_what_is_hidden():
    scores = np.array([[0.1, 0.2, 9.0]])
    visible = [True, True, False]
    image = plots.plot_heads(scores[None], visible=visible).axes[0].images[0]
    assert image.get_clim() == (0, 0.2)
    texts = plots.plot_tokens("abc", scores[0], visible=visible).axes[0].texts
    assert texts[1].get_bbox_patch().get_facecolor() == style.colours()(1.0)


def test_names_are_what_they_are():
    names = ["$x_1$", "<b>", "a" * 500, "", "é\n", "_a_", "g"]
    figure = plots.plot_profile(SCORES[:, 0], names=names, title="$t$ $")
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[0] == r"\$x_1\$" and len(labels[2]) < 20
    plots.plot_tokens(names, SCORES[0, 0], title="$\\frac$").canvas.draw()


def test_tokens_can_be_read_on_dark_cells():
    scores = np.array([0, 0.2, 0.9])
    texts = plots.plot_tokens(["a", "b", "c"], scores, visible=[False, True, True]).axes[0].texts
    assert [text.get_color() for text in texts] == ["black", "black", "white"]
    grey = matplotlib.colors.to_rgba(style.PADDING)
    assert texts[0].get_bbox_patch().get_facecolor() == grey
    many = plots.plot_tokens(["word"] * 100, np.ones(100)).axes[0].texts
    assert len({text.get_position()[1] for text in many}) > 5


def test_nothing_that_is_given_is_changed():
    scores, x = SCORES[0, :1].T.copy(), X.copy()
    plots.plot_heatmap(scores, x, visible=VISIBLE)
    np.testing.assert_array_equal(scores, SCORES[0, :1].T)
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.plot_profile(SCORES), "`profile` must be .*rank 2"),
        (lambda: plots.plot_profile(SCORES[:, 0], names=["a"]), "`names` must have 7 labels"),
        (lambda: plots.plot_profile(SCORES[:0, 0]), "not empty"),
        (lambda: plots.plot_profile(SCORES[:, 0] * np.nan), "`profile` must be finite"),
        (lambda: plots.plot_profile(SCORES[:, 0], [1, 0]), r"`expected` must have the shape \(7"),
        (lambda: plots.plot_heatmap(SCORES[0, 0], X[:5]), "`x` must have 7 time steps. Rec.* 5"),
        (lambda: plots.plot_heatmap(SCORES[0, 0], X, truth=X), r"`truth` must have the shape \(7"),
        (lambda: plots.plot_heatmap(SCORES[0, 0], X, visible=[True]), "`visible` must have"),
        (lambda: plots.plot_rows(SCORES[:, 0], truth=X), "`truth` must have the shape"),
        (lambda: plots.plot_alignment(np.array([["a"]])), "array of numbers"),
        (lambda: plots.plot_heads(SCORES[0, 0]), "rank 2 or 3"),
        (lambda: plots.plot_tokens(["a"], SCORES[0, 0]), "`tokens` must be 7 texts. Received: 1"),
        (lambda: plots.plot_curves({}), "at least one curve"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_kinds_of_an_explanation():
    x, _, relevance = az.tasks.get("planted_step").sample(5, split="test")
    seen = az.explain(az.load("lstm_after"), x, truth=relevance)
    for kind in ("bars", "rows", "heatmap"):
        assert isinstance(seen.plot(kind=kind, sample=3), Figure)
    image = seen.plot(kind="heatmap", sample=3).axes[1].images[0].get_array()
    np.testing.assert_allclose(np.asarray(image)[0], seen.scores["attention"][3], atol=1e-6)
    with pytest.raises(ValueError, match="kind.*'heatmap'.*'heatmp'"):
        seen.plot(kind="heatmp")
    with pytest.raises(ValueError, match=r"alignment.*scores of 'attention' are \('step',\)"):
        seen.plot(kind="alignment")
    with pytest.raises(ValueError, match="`sample` must be below 5. Received: 5"):
        seen.plot(kind="heatmap", sample=5)
