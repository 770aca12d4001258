"""The charts of weightings draw what the tables say, at 3 and at 30 indicators."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from cvlib.figures import weighting as figures
from cvlib.figures.style import house_style, words
from cvlib.weighting.validity import criterion_validity

METHODS = ["ahp_eigenvector", "entropy_sum", "entropy_minmax", "critic", "equal"]


def table(size, methods=METHODS):
    rng = np.random.default_rng(size)
    rows = []
    for method in methods:
        w = np.full(size, 1 / size) if method == "equal" else rng.dirichlet(np.ones(size))
        rows += [(f"indicator_{i + 1}", method, w[i], w[i] * 0.8, w[i] * 1.2) for i in range(size)]
    columns = ["indicator", "method", "global_weight", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def texts(figure):
    figure.draw_without_rendering()
    axes = [t for axis in figure.axes for t in (*axis.texts, *axis.get_yticklabels())]
    return [t.get_text() for t in axes]


def overlapping(figure, axis, which):
    """Neighbouring tick labels of an axis that cover each other."""
    with house_style():
        figure.draw_without_rendering()
        boxes = [t.get_window_extent() for t in getattr(axis, f"get_{which}ticklabels")()]
    low, high = ("y0", "y1") if which == "y" else ("x0", "x1")
    spans = sorted((getattr(b, low), getattr(b, high)) for b in boxes)
    return sum(first[1] > second[0] + 0.5 for first, second in pairwise(spans))


@pytest.mark.parametrize("size", [3, 30])
def test_weight_chart_shows_every_weight_and_interval_readably(size):
    weights = table(size)
    figure = figures.weight_chart(weights, {"indicator_1": "最近购买间隔"})
    drawn = [
        line.get_xdata()
        for axis in figure.axes
        for line in axis.lines
        if len(line.get_xdata()) == size
    ]
    for k, method in enumerate(METHODS):
        expected = weights.loc[weights["method"] == method, "global_weight"]
        np.testing.assert_allclose(drawn[k], expected)
    assert len(figure.axes) == (1 if size == 3 else len(METHODS))
    assert "最近购买间隔" in texts(figure)
    assert overlapping(figure, figure.axes[0], "y") == 0
    assert max(figure.get_size_inches()) < 12


def test_heat_map_prints_the_percentages():
    weights = table(4)
    found = texts(figures.weight_heatmap(weights))
    share = weights["global_weight"].iloc[0]
    assert f"{100 * share:.0f}" in found and found.count("25") >= 4


@pytest.mark.parametrize("size", [3, 30])
def test_rank_chart_draws_places_and_leaves_out_flat_methods(size):
    weights = table(size)
    figure = figures.rank_chart(weights)
    axis = figure.axes[0]
    assert len(axis.lines) == size
    first = weights[weights["method"] == METHODS[0]].set_index("indicator")["global_weight"]
    places = [line.get_ydata()[0] for line in axis.lines]
    np.testing.assert_array_equal(places, first.rank(ascending=False))
    assert [t.get_text() for t in axis.get_xticklabels()] == [
        m.replace("_", " ") for m in METHODS[:-1]
    ]
    colored = {line.get_color() for line in axis.lines} - {figures.FAINT}
    assert len(colored) <= 7


def test_alpha_chart_names_at_most_eight_lines():
    rng = np.random.default_rng(0)
    a, b = rng.dirichlet(np.ones(30)), rng.dirichlet(np.ones(30))
    sweep = pd.DataFrame(
        [(x, f"i{j}", x * a[j] + (1 - x) * b[j]) for x in (0, 0.5, 1) for j in range(30)],
        columns=["alpha", "indicator", "global_weight"],
    )
    ranks = pd.DataFrame(
        {"alpha": [0, 0.5, 1], "spearman": [0.9, 1, 0.8], "top_decile_overlap": [0.7, 1, 0.6]}
    )
    figure = figures.alpha_chart(sweep, ranks)
    left, right = figure.axes
    assert len(left.lines) == 30 and len(figure.legends[0].get_texts()) == 8
    np.testing.assert_allclose(right.lines[1].get_ydata(), ranks["top_decile_overlap"])


SHARE = np.linspace(0, 1, 11)
CAPTURE = pd.concat(
    pd.DataFrame({"method": m, "share_of_customers": SHARE, "share_of_outcome": SHARE**p})
    for m, p in (("a", 0.5), ("b", 0.9), ("equal", 0.7), ("outcome itself", 0.1))
)
VALIDITY = pd.DataFrame(
    {
        "method": ["a", "b", "equal"] * 2,
        "metric": ["spearman"] * 3 + ["auc"] * 3,
        "estimate": [0.4, 0.2, 0.3, 0.7, 0.6, 0.65],
        "ci_low": [0.3, 0.1, 0.2, 0.6, 0.5, 0.6],
        "ci_high": [0.5, 0.3, 0.4, 0.8, 0.7, 0.7],
        "difference_ci_low": [0.05, -0.2, 0, -0.1, -0.2, 0],
        "difference_ci_high": [0.15, -0.05, 0, 0.2, 0.1, 0],
        "p_holm": [0.01, 0.01, np.nan, 0.5, 0.5, np.nan],
    }
)


def test_capture_chart_draws_the_gain_over_equal_weights():
    figure = figures.capture_chart(CAPTURE)
    for axis, share in zip(figure.axes, (0.1, 0.2), strict=True):
        gains = [100 * (share**0.9 - share**0.7), 100 * (share**0.5 - share**0.7)]
        np.testing.assert_allclose(axis.collections[1].get_offsets()[:, 0], gains)
        assert f"{share**0.7:.0%}" in axis.get_xlabel() and f"{share**0.1:.0%}" in axis.get_xlabel()
        assert "equal" in axis.get_xlabel()
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["b", "a"]
    assert "−" in texts(figure)[0]  # the loss of the worst
    alone = figures.capture_chart(CAPTURE.query("method != 'equal'"))
    assert "chance: 10%" in alone.axes[0].get_xlabel()
    np.testing.assert_allclose(
        alone.axes[0].collections[1].get_offsets()[:, 0],
        [100 * (0.1**0.9 - 0.1), 100 * (0.1**0.5 - 0.1)],
    )


def test_validity_chart_explains_line_colours_and_open_circles():
    figure = figures.validity_chart(VALIDITY, learned=("b",))
    # Best on top: the order of the first metric, rising along the axis.
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["b", "equal", "a"]
    for axis, at in zip(figure.axes, (0.3, 0.65), strict=True):
        assert [li.get_xdata() for li in axis.lines if li.get_gid() == "baseline"] == [[at, at]]
    said = " ".join(t.get_text() for t in figure.legends[0].get_texts())
    assert all(part in said for part in ("better than equal", "worse than equal", "open circle"))
    # nothing told apart, nobody fitted: nothing of it in the legend
    calm = figures.validity_chart(VALIDITY.assign(p_holm=0.5))
    said = " ".join(t.get_text() for t in calm.legends[0].get_texts())
    assert "not told apart" in said and "better" not in said and "open circle" not in said
    bare = VALIDITY[["method", "metric", "estimate"]].query("method != 'equal'")
    assert not figures.validity_chart(bare).legends
    for empty in (figures.capture_chart(CAPTURE.head(0)), figures.validity_chart(VALIDITY.head(0))):
        assert "No outcome was given." in texts(empty)


def test_an_indicator_keeps_its_colour_in_every_chart():
    weights = table(6, METHODS[:3])
    rank = figures.rank_chart(weights).axes[0]
    items = list(weights["indicator"].unique())
    in_ranks = {
        item: line.get_color() for item, line in zip(items, rank.lines, strict=True)
        if line.get_color() != figures.FAINT
    }  # fmt: skip
    sweep = weights.assign(alpha=weights["method"].map({m: k for k, m in enumerate(METHODS)}))
    ranks = pd.DataFrame({"alpha": [0, 1], "spearman": 1, "top_decile_overlap": 1})
    backwards = sweep[::-1]  # the order of a table changes nothing
    left = figures.alpha_chart(backwards, ranks).axes[0]
    in_sweep = {line.get_label().replace(" ", "_"): line.get_color() for line in left.lines}
    assert in_ranks and in_ranks.items() <= in_sweep.items()
    styles = {tuple(str(v) for v in figures.line_of(k, range(32)).values()) for k in range(32)}
    assert len(styles) == 32


def test_grade_chart_keeps_each_schemes_own_names():
    grades = pd.DataFrame(
        {
            "method": ["pyramid"] * 2 + ["abc"] * 3,
            "grade": ["VIP", "small", "A", "B", "C"],
            "share": [0.2, 0.8, 0.2, 0.3, 0.5],
            "value_share": [0.6, 0.4, 0.8, 0.15, 0.05],
        }
    )
    first, second = figures.grade_chart(grades).axes
    assert [t.get_text() for t in first.get_yticklabels()] == ["VIP", "small"]
    assert [t.get_text() for t in second.get_yticklabels()] == ["A", "B", "C"]
    assert [bar.get_width() for bar in second.containers[1]] == [0.8, 0.15, 0.05]
    single = figures.grade_chart(grades[grades["method"] == "abc"].drop(columns="method"))
    assert len(single.axes) == 1


KEPT = ["below_50", "from_50", "from_75", "from_90", "from_99"]


def test_stability_chart_shares_add_up_and_blank_rows_have_no_bars():
    rows = [["VIP", 0.5, 0.5, 0, 0, 0], ["major", *[np.nan] * 5], ["small", 0, 1 / 3, 0, 0, 2 / 3]]
    figure = figures.stability_chart(pd.DataFrame(rows, columns=["grade", *KEPT]))
    widths = np.array([[bar.get_width() for bar in group] for group in figure.axes[0].containers])
    np.testing.assert_allclose(widths.sum(axis=0), [1, 0, 1])
    np.testing.assert_allclose(widths[:, 2], [0, 1 / 3, 0, 0, 2 / 3])


def test_grade_chart_leaves_blank_rows_empty():
    grades = pd.DataFrame({"grade": ["VIP", "small"], "share": [np.nan, 0.9]})
    figure = figures.grade_chart(grades)
    assert [t.get_text() for t in figure.axes[0].texts] == ["", "90%"]


def charts(language):
    """Every chart with its words in a language."""
    labels = {"a": "甲", "VIP": "贵宾"}
    share = {"share_of_customers": [0, 1], "share_of_outcome": [0, 1]}
    sweep = pd.DataFrame({"alpha": [0, 1], "indicator": "a", "global_weight": [0.2, 0.8]})
    ranks = pd.DataFrame({"alpha": [0, 1], "spearman": [1, 1], "top_decile_overlap": [1, 1]})
    stability = pd.DataFrame([["VIP", 1, 0, 0, 0, 0]], columns=["grade", *KEPT])
    grades = pd.DataFrame({"grade": ["VIP"], "share": [1.0], "value_share": [1.0]})
    validity = pd.DataFrame({"method": ["a"], "metric": ["a"], "estimate": [0.1]})
    return {
        "weight": figures.weight_chart(table(3), labels, language),
        "heat_map": figures.weight_heatmap(table(3), labels, language),
        "rank": figures.rank_chart(table(3), labels, language),
        "alpha": figures.alpha_chart(sweep, ranks, labels, language),
        "capture": figures.capture_chart(pd.DataFrame({"method": "a", **share}), labels, language),
        "grade": figures.grade_chart(grades, labels, language),
        "stability": figures.stability_chart(stability, labels, language),
        "no_outcome": figures.capture_chart(pd.DataFrame(), labels, language),
        "validity": figures.validity_chart(validity, (), labels, language),
    }


def wording(figure):
    """All words on a figure, sorted."""
    return sorted(
        t.get_text() for t in figure.findobj(Text) if any(c.isalpha() for c in t.get_text())
    )


def test_every_chart_speaks_both_languages():
    english, chinese = charts("en"), charts("zh")
    for name, figure in english.items():
        own = wording(figure)
        assert own and (name == "validity" or own != wording(chinese[name])), name
    assert "贵宾" in texts(chinese["stability"]) and "甲" in texts(chinese["validity"])
    assert words("weighting", "en").keys() == words("weighting", "zh").keys()


def test_a_result_draws_against_its_own_baseline():
    rng = np.random.default_rng(5)
    scores = pd.DataFrame(rng.normal(size=(80, 3)), columns=["equal", "mine", "other"])
    later = (scores["mine"] + rng.normal(size=80)).clip(lower=0)
    found = criterion_validity(scores, later, baseline="mine", learned=("other",), draws=20)
    said = [t.get_text() for t in found.plot.validity().legends[0].get_texts()]
    assert said[0] == "mine" and any("open circle" in text for text in said)
    assert "mine: " in found.plot.capture().axes[0].get_xlabel()
