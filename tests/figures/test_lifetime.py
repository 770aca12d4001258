"""Charts show the numbers they are given, under the house style, without a window manager."""

import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from cvlib.figures import lifetime as figures
from cvlib.figures import segments
from cvlib.figures.style import house_style, words

TRACKING = pd.DataFrame(
    {
        "period": [1, 2, 3, 4],
        "sample": ["calibration"] * 2 + ["holdout"] * 2,
        "actual": [5, 4, 3, 3],
        "expected": [5.2, 4.1, 3.3, 2.9],
        "cumulative_actual": [5, 9, 12, 15],
        "cumulative_expected": [5.2, 9.3, 12.6, 15.5],
    }
)
BY = pd.DataFrame(
    {
        "frequency": ["0", "1"] * 2,
        "customers": [10, 5] * 2,
        "actual": [0.2, 1.0] * 2,
        "model": ["bg_nbd"] * 2 + ["nbd"] * 2,
        "expected": [0.25, 0.9, 0.5, 2.0],
    }
)
CALIBRATION = pd.DataFrame(
    {
        "model": ["bg_nbd"] * 2,
        "bin": [1, 2],
        "n": [10, 10],
        "mean_probability": [0.2, 0.7],
        "observed": [0.1, 0.8],
        "ci_low": [0.02, 0.5],
        "ci_high": [0.4, 0.95],
    }
)
VALIDATION = pd.DataFrame(
    {
        "model": ["bg_nbd", "bg_nbd_p_alive", "recency"],
        "metric": ["auc"] * 3,
        "value": [0.757, 0.316, 0.771],
        "ci_low": [0.73, 0.29, None],
        "ci_high": [0.78, 0.34, None],
    }
)
PROFIT = pd.DataFrame(
    {
        "model": ["bg_nbd", "bg_nbd", "oracle", "oracle"],
        "share": [0, 1, 0, 1],
        "profit": [0, 5, 0, 5],
    }
)
GAIN = pd.DataFrame(
    {
        "discount_rate": [0.1, 0.1],
        "retention": [0.8, 0.9],
        "retention_after": [0.85, 0.95],
        "gain": [0.275, 0.407],
    }
)
CURVES = pd.DataFrame(
    {
        "cohort": ["high_end", "high_end", "regular", "regular"],
        "model": ["sbg"] * 4,
        "period": [1, 2, 1, 2],
        "actual": [0.87, 0.74, 0.63, 0.47],
        "survival": [0.86, 0.75, 0.64, 0.46],
    }
)
SHARES = pd.DataFrame(
    {"group": ["vip", "small"], "share_of_customers": [0.01, 0.99], "share_of_value": [0.2, 0.8]}
)
MOVES = pd.DataFrame(
    {"from_segment": ["a", "a", "new"], "to_segment": ["a", "b", "a"], "share": [0.4, 0.6, 1.0]}
)

DRAWN = {
    "tracking": lambda **said: figures.tracking_plot(TRACKING, language=said.get("language", "en")),
    "frequency": lambda **said: figures.conditional_expectation_plot(BY, **said),
    "calibration": lambda **said: figures.calibration_plot(CALIBRATION, **said),
    "scores": lambda **said: figures.score_plot(VALIDATION, **said),
    "profit": lambda **said: figures.profit_plot(PROFIT, **said),
    "retention": lambda **said: segments.retention_gain_plot(
        GAIN, language=said.get("language", "en")
    ),
    "survival": lambda **said: figures.survival_plot(CURVES, "cohort", observed_until=1, **said),
    "survival_one": lambda **said: figures.survival_plot(
        CURVES.query("cohort == 'regular'"), **said
    ),
    "shares": lambda **said: segments.share_plot(SHARES, **said),
    "moves": lambda **said: segments.transition_plot(MOVES, ["a", "b"], **said),
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_chart_can_be_saved_twice_alike(name, tmp_path):
    pictures = []
    for turn in (1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # missing glyphs, layouts that do not fit
            figure = DRAWN[name]()
            assert isinstance(figure, Figure)
            path = tmp_path / f"{turn}.png"
            with house_style():
                figure.savefig(path, metadata={"Software": None})
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1]
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_tracking_shades_the_holdout_and_draws_both_lines():
    left, right = DRAWN["tracking"]().axes
    lines = {line.get_label(): line.get_ydata() for line in left.get_lines()}
    np.testing.assert_array_equal(lines["actual"], TRACKING["actual"])
    np.testing.assert_array_equal(lines["expected"], TRACKING["expected"])
    assert [text.get_text() for text in left.texts] == ["holdout"]
    assert right.get_lines()[0].get_ydata()[-1] == 15


def test_scores_are_sorted_and_written():
    axis = DRAWN["scores"]().axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()][-1] == "recency"
    assert {text.get_text() for text in axis.texts} == {"0.757", "0.316", "0.771"}


def test_claimed_range_is_marked():
    axis = DRAWN["retention"]().axes[0]
    assert [text.get_text() for text in axis.texts] == ["claim 25%–85%"]
    assert axis.get_ylabel() == "gain in value of 5 points"


def test_panels_by_cohort_and_the_end_of_the_fit():
    axes = DRAWN["survival"]().axes
    assert [axis.get_title(loc="left") for axis in axes] == ["high end", "regular"]
    assert all("fitted up to here" in [t.get_text() for t in axis.texts] for axis in axes)


def test_bars_carry_both_shares():
    axis = DRAWN["shares"]().axes[0]
    assert {text.get_text() for text in axis.texts} == {"1.0%", "99.0%", "20.0%", "80.0%"}


def test_movement_rows_and_empty_cells():
    axis = DRAWN["moves"]().axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "new"]
    assert [text.get_text() for text in axis.texts] == ["40%", "60%", "100%"]


def chinese(name: str) -> str:
    return f"模型{name}"


@pytest.mark.parametrize("name", DRAWN)
def test_chinese_words_stand_on_every_chart_and_have_glyphs(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = DRAWN[name](language="zh", label=chinese)
        with house_style():
            figure.savefig(tmp_path / "x.png")
    said = [text.get_text() for text in figure.findobj(Text) if text.get_text()]
    english = set(words("lifetime", "en").values())
    assert not english & set(said)
    assert any("\u4e00" <= sign <= "\u9fff" for text in said for sign in text)
    if name not in ("tracking", "retention"):
        assert any("模型" in text for text in said)


def test_words_are_the_same_in_both_languages_and_all_are_used():
    english, translated = words("lifetime", "en"), words("lifetime", "zh")
    assert set(english) == set(translated)
    for key, text in english.items():
        slots = re.findall(r"\{(\w+)", text)
        assert slots == re.findall(r"\{(\w+)", translated[key]), key


def test_groups_too_small_to_publish_keep_their_place_without_numbers():
    hidden = SHARES.assign(share_of_customers=[np.nan, 0.99], share_of_value=[np.nan, 0.8])
    shown = {text.get_text() for text in segments.share_plot(hidden).axes[0].texts}
    assert shown == {"–", "99.0%", "80.0%"}
    moves = MOVES.assign(share=[np.nan, 0.6, 1.0])
    shown = [text.get_text() for text in segments.transition_plot(moves, ["a", "b"]).axes[0].texts]
    assert shown == ["–", "60%", "100%"]
    numbers = ["customers", "actual", "expected"]
    by = BY.astype({"customers": float})
    by.loc[by["frequency"] == "1", numbers] = np.nan
    axis = figures.conditional_expectation_plot(by).axes[0]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0\nn 10", "1\nn –"]
    numbers = [name for name in CALIBRATION if name != "model"]
    bins = CALIBRATION.astype({"bin": float, "n": float})
    bins.loc[0, numbers] = np.nan
    figures.calibration_plot(bins)


def test_value_is_shown_with_what_the_best_tenth_hold() -> None:
    customers = pd.DataFrame({"lifetime_value": [100.0] * 10 + [1.0] * 89 + [0.0]})
    figure = figures.value_plot(customers)
    assert figure is not None
    held = 1000 / 1089
    assert any(text.get_text() == f"the best 10% hold {held:.0%}" for text in figure.axes[1].texts)
    assert figures.value_plot(customers * 0) is None
    assert figures.value_plot(pd.DataFrame({"x": [1.0]})) is None


ALIVE = CALIBRATION.assign(model="bg_nbd_p_alive", mean_probability=[0.4, 1.0])


@pytest.mark.parametrize(
    ("table", "noted"),
    [
        (ALIVE, True),
        (ALIVE.assign(mean_probability=[0.4, 0.999]), False),
        (ALIVE.assign(mean_probability=1.0), False),  # nobody leaves, whoever came back
        (ALIVE.assign(model="mbg_nbd_p_alive"), False),  # there one may leave after the first
    ],
)
def test_sure_survivors_of_bg_nbd_are_explained_only_where_there_are_any(table, noted):
    figure = figures.calibration_plot(table)
    said = [t.get_text() for t in figure.axes[0].texts if t.get_gid() == "never-left"]
    assert bool(said) == noted
    if noted:
        assert "never came back" in said[0] and "80% did buy" in said[0]


def test_groups_by_recency_read_as_periods():
    by = BY.rename(columns={"frequency": "recency"}).replace({"0": "[0.0, 14.1]", "1": "(14.1, 9]"})
    axis = figures.conditional_expectation_plot(by, "recency", unit="week").axes[0]
    names = [tick.get_text().split("\n")[0] for tick in axis.get_xticklabels()]
    assert names == ["0.0–14.1", "14.1–9"]
    assert axis.get_xlabel() == "time since the last purchase, weeks"
    axis = figures.conditional_expectation_plot(by, "recency", language="zh").axes[0]
    assert axis.get_xlabel() == "距末次购买的时间（期）"


def test_profit_marks_the_optimum_of_each_ranking():
    curve = pd.DataFrame(
        {
            "model": ["bg_nbd"] * 3 + ["oracle"] * 3,
            "share": [0, 0.5, 1] * 2,
            "profit": [0, 3000.0, 1000, 0, np.nan, 4000],
        }
    )
    figure = figures.profit_plot(curve, currency="EUR")
    dots = [line for line in figure.axes[0].lines if line.get_gid() == "optimum"]
    assert [(d.get_xdata()[0], d.get_ydata()[0]) for d in dots] == [(0.5, 3000), (1, 4000)]
    said = [t.get_text() for t in figure.legends[0].get_texts()]
    assert said[:2] == ["bg nbd: most at 50%", "best possible: most at 100%"]
    assert said[2:] == ["contacting everybody"]
    assert figure.axes[0].get_ylabel() == "profit in the holdout, EUR"
    figures.profit_plot(curve.assign(profit=np.nan))


def test_survival_shows_differences_from_the_observed_and_joins_equal_curves():
    period = np.arange(13)
    parts = {"kaplan_meier": 0.0, "cox": 0.001, "sbg": 0.0010001, "weibull": -0.002}
    curves = pd.concat(
        pd.DataFrame({"model": m, "period": period, "survival": 0.97**period + d * period})
        for m, d in parts.items()
    )
    ended = (curves["model"] == "kaplan_meier") & (curves["period"] > 10)
    figure = figures.survival_plot(curves[~ended])
    left, right = figure.axes
    lines = [line for line in right.lines if line.get_gid() == "difference"]
    assert [line.get_label() for line in lines] == ["cox, sbg", "weibull"]
    np.testing.assert_allclose(lines[1].get_ydata(), -0.2 * period[:11], atol=1e-9)
    assert 0.4 < left.get_ylim()[0] < 0.97**12 - 0.024  # not from 0: all lie high
    low = figures.survival_plot(CURVES, "cohort").axes[0]
    assert low.get_ylim()[0] == 0


def test_dashes_are_explained_only_where_there_are_any():
    hidden = SHARES.assign(share_of_customers=[np.nan, 0.99])
    for table, draw in (
        (hidden, lambda t: segments.share_plot(t, fewest=5)),
        (
            MOVES.assign(share=[np.nan, 0.6, 1.0]),
            lambda t: segments.transition_plot(t, ["a", "b"], fewest=5),
        ),
    ):
        said = [t.get_text() for t in draw(table).legends[0].get_texts()]
        assert said[-1] == "fewer than 5 customers, not published"
    figure = segments.transition_plot(MOVES.assign(share=[0.0, 0.6, 1.0]), ["a", "b"], fewest=5)
    assert not figure.legends and figure.axes[0].texts[0].get_text() == "0%"
    said = [t.get_text() for t in segments.share_plot(SHARES, fewest=5).legends[0].get_texts()]
    assert said == ["share of customers", "share of value"]
