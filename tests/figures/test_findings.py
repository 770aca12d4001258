# ruff: noqa: E501
"""Titles of figures follow their numbers: what contradicts one changes it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cvlib.figures import findings
from cvlib.figures.cohorts import retention_map
from cvlib.figures.groups import difference_matrix
from cvlib.figures.weighting import movement_chart

SAID = str
INDEX = pd.DataFrame({"construct": ["a", "b"], "index": [70.0, 60.0]})
LOADINGS = pd.DataFrame({"item": ["x", "y"], "loading": [0.9, 0.5]})
HTMT = pd.DataFrame({"construct_1": ["a", "a"], "construct_2": ["b", "c"], "htmt": [0.95, 0.5]})
MAP = pd.DataFrame({"construct": ["a", "b"], "importance": [0.6, 0.1], "performance": [50.0, 80.0]})
PATHS = pd.DataFrame(
    {"source": "a", "target": "b", "estimator": ["pls", "sem"], "estimate": [0.5, -0.1]}
)
WEIGHTS = pd.DataFrame({
    "indicator": ["a", "b"] * 2, "method": ["m", "m", "n", "n"],
    "global_weight": [0.7, 0.3, 0.4, 0.6],
})  # fmt: skip
SWEEP = pd.DataFrame(
    {"alpha": [0, 0, 1, 1], "indicator": ["a", "b"] * 2, "global_weight": [0.7, 0.3, 0.2, 0.8]}
)
STABLE = pd.DataFrame({"grade": ["v", "s"], "from_90": [0.1, 0.2], "from_99": [0.1, 0.7]})
TRACK = pd.DataFrame(
    {"sample": ["calibration", "holdout"], "actual": [9.0, 10.0], "expected": [9.0, 8.0]}
)
GROUPS = pd.DataFrame({
    "frequency": [0, 0, 1, 1], "model": ["m", "n"] * 2, "actual": [1.0, 1.0, 2.0, 2.0],
    "expected": [1.1, 2.0, 2.1, 3.0],
})  # fmt: skip
CALIBRATION = pd.DataFrame(
    {"model": ["m", "n"], "n": 10, "mean_probability": [0.5, 0.9], "observed": 0.5}
)
SCORES = pd.DataFrame({"model": ["m", "n"], "value": [0.8, 0.3]})
PROFIT = pd.DataFrame(
    {"model": ["m", "m", "oracle"], "share": [0.1, 0.5, 0.2], "profit": [5.0, 9.0, 99.0]}
)
CURVES = pd.DataFrame({
    "period": [1, 2, 1, 2], "model": ["m", "m", "n", "n"], "actual": [0.9, 0.8] * 2,
    "survival": [0.9, 0.8, 0.9, 0.5],
})  # fmt: skip
SHARES = pd.DataFrame(
    {"group": ["v", "s"], "share_of_customers": [0.1, 0.9], "share_of_value": [0.5, 0.5]}
)
GRID = pd.DataFrame([[0.9, 0.1], [0.5, 0.5]], index=["u", "v"], columns=["u", "v"])
LATER = pd.DataFrame({1: [0.5, 0.4], 2: [0.3, np.nan]}, index=["c1", "c2"])

Case = tuple[Callable[[pd.DataFrame], str | None], pd.DataFrame, pd.DataFrame]
CASES: list[Case] = [
    (lambda t: findings.index_finding(t, SAID), INDEX, INDEX.assign(index=[1.0, 2.0])),
    (lambda t: findings.loadings_finding(t, 0.7), LOADINGS, LOADINGS.assign(loading=0.8)),
    (lambda t: findings.htmt_finding(t, 0.9, SAID), HTMT, HTMT.assign(htmt=[0.4, 0.5])),
    (lambda t: findings.priorities_finding(t, SAID), MAP, MAP.assign(performance=[80.0, 50.0])),
    (lambda t: findings.estimators_finding(t, SAID), PATHS, PATHS.assign(estimate=[0.5, 0.4])),
    (lambda t: findings.weights_finding(t, None), WEIGHTS, WEIGHTS.assign(global_weight=[0.7, 0.3, 0.6, 0.4])),
    (lambda t: findings.ranks_finding(t, None), WEIGHTS, WEIGHTS.assign(global_weight=[0.3, 0.7, 0.4, 0.6])),
    (lambda t: findings.alpha_finding(t, None), SWEEP, SWEEP.assign(global_weight=[0.7, 0.3, 0.7, 0.3])),
    (lambda t: findings.stability_finding(t, SAID), STABLE, STABLE.assign(from_99=[0.9, 0.1])),
    (findings.tracking_finding, TRACK, TRACK.assign(expected=[9.0, 12.0])),
    (lambda t: findings.closest_finding(t, "frequency", ["m", "n"], SAID), GROUPS,
     GROUPS.assign(expected=[5.0, 1.0, 5.0, 2.0])),
    (lambda t: findings.calibration_finding(t, ["m", "n"], SAID), CALIBRATION,
     CALIBRATION.assign(mean_probability=[0.9, 0.5])),
    (lambda t: findings.score_finding(t, 0.5, SAID), SCORES, SCORES.assign(value=[0.8, 0.6])),
    (lambda t: findings.profit_finding(t, ["m", "oracle"], SAID), PROFIT, PROFIT.assign(profit=-1.0)),
    (lambda t: findings.projection_finding(t, "period", 1, SAID), CURVES,
     CURVES.assign(survival=[0.9, 0.5, 0.9, 0.8])),
    (lambda t: findings.shares_finding(t, "group", SAID), SHARES,
     SHARES.assign(share_of_value=[0.05, 0.95])),
    (lambda t: findings.staying_finding(t, SAID), GRID, GRID.iloc[::-1, ::-1].set_axis(["u", "v"]).set_axis(["u", "v"], axis=1)),
    (lambda t: findings.retention_finding(t, SAID), LATER, LATER.assign(**{"1": 0}).rename(index={"c1": "c2", "c2": "c1"})[[1, 2]]),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_title_changes_with_its_numbers(case: int) -> None:
    finding, table, opposite = CASES[case]
    said = [finding(each) for each in (table, opposite)]
    assert all(said) and said[0] != said[1]


def test_what_titles_say() -> None:
    said = [str(finding(table)) for finding, table, _ in CASES]
    assert said[0] == "a is rated highest (70.0), b lowest (60.0)"
    assert said[1] == "1 of 2 items loads below 0.7: y"
    assert (
        said[4]
        == "1 of 1 paths change their sign with the estimator; furthest apart is a → b (0.60)"
    )
    assert said[9] == (
        "Counted from first purchases alone, the model runs 20.0% below the repeat purchases of the "
        "holdout"
    )
    assert said[13] == "m earns most: 9 when 50% of the customers are contacted"
    assert said[17] == "After 1 period 40% (c2) to 50% (c1) of a cohort are there"


def test_too_little_to_say_is_no_title() -> None:
    assert findings.index_finding(INDEX.head(1), SAID) is None
    assert findings.score_finding(SCORES.head(1), 0.5, SAID) is None
    assert findings.tracking_finding(TRACK.head(1)) is None
    assert findings.shares_finding(SHARES.assign(share_of_value=np.nan), "group", SAID) is None


def test_groups_that_are_not_told_apart_stand_in_brackets() -> None:
    pairs = pd.DataFrame({
        "group_1": ["a", "a", "b"], "group_2": ["b", "c", "c"], "weights": "pooled",
        "difference": [2.0, 5.0, 3.0], "different": [False, True, True],
    })  # fmt: skip
    figure = difference_matrix(pairs)
    assert figure is not None and str(figure.finding) == "2 of 3 pairs of groups are told apart"
    cells = [text.get_text() for text in figure.axes[0].texts if text.get_gid() == "value"]
    assert cells == ["(+2.0)", "+5.0", "(−2.0)", "+3.0", "−5.0", "−3.0"]
    assert difference_matrix(pairs.head(1)) is None


def test_movement_is_counted_and_blank_cells_hide_the_total() -> None:
    moves = pd.DataFrame({
        "grade_a": ["u", "u", "v", "v"], "grade_b": ["u", "v"] * 2, "customers": [30.0, 10.0, 0.0, 60.0],
    })  # fmt: skip
    figure = movement_chart(moves, "one", "other")
    assert str(figure.finding) == "10% of the customers change grade between one and other"
    assert [t.get_text() for t in figure.axes[0].texts if t.get_gid() == "value"] == [
        "30",
        "10",
        "60",
    ]
    hidden = movement_chart(moves.assign(customers=[30.0, np.nan, 0.0, 60.0]), "one", "other")
    assert hidden.finding is None and "–" in [t.get_text() for t in hidden.axes[0].texts]


def test_a_map_of_cohorts_needs_a_later_period() -> None:
    table = pd.DataFrame({"cohort": "c", "period": [0, 1], "share": [1.0, 0.25]})
    figure = retention_map(table, unit="month")
    assert figure is not None and str(figure.finding).startswith("After 1 period 25%")
    left = pd.DataFrame({"cohort": "c", "period": [0, 1], "customers": [8, 2]})
    assert str(retention_map(left).finding) == str(figure.finding)
    assert retention_map(table.head(1)) is None and retention_map(table.head(0)) is None
