# ruff: noqa: E501
"""Titles of figures of groups, values and decisions: what contradicts one changes it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cvlib.figures import highlights as h
from cvlib.words.message import in_language

TABLE = pd.DataFrame({"name": ["a", "b"], "x": [2.0, 1.0], "y": [1.0, 2.0]}, index=[7, 7])
LINKS = pd.DataFrame(
    {"from_code": ["a", "b"], "to_code": ["c", "d"], "direct": [5, 9], "shown": True}, index=[1, 1]
)
NODES = pd.DataFrame({"customer": ["a", "b"], "network_value": [3.0, 1.0]}, index=[4, 4])
CURVE = pd.DataFrame({"at": [0.0, 1.0], "line": [10.0, 20.0]})
PARTS = pd.DataFrame(
    {
        "part": ["retention", "spend", "total", "total_uncorrected"],
        "per_customer": [2.0, 1.0, 3.0, 9.0],
    }
)
DRIVERS = pd.DataFrame(
    {"driver": ["a", "b"], "money_per_point": [3.0, 1.0], "lower": [2.0, 0.0], "upper": [4.0, 2.0]}
)
THIRDS = pd.DataFrame(
    {
        "period": [12.0, 12.0],
        "satisfaction": ["low", "high"],
        "observed": [0.5, 0.9],
        "predicted": 0.7,
    }
)
ODDS = pd.DataFrame({"variable": ["a", "b"], "suspect": [True, False]})
TENTHS = pd.DataFrame(
    {
        "tenth": [1, 2],
        "realised_spend": [100.0, 1.0],
        "forecast_spend": [150.0, 1.0],
        "ci_low": [90.0, 0.0],
        "ci_high": [110.0, 2.0],
        "churn": [0.2, 0.5],
    }
)
EQUITY = pd.DataFrame({"equity": [100.0, 300.0]})
APART = pd.DataFrame({"m": [0.1, 0.2], "n": [-3.0, 1.0]})
INDEX = pd.DataFrame({"model": ["m", "n"], "index": [70.0, 72.0]})
LOSS = pd.DataFrame({"model": ["m", "n"], "best": "m", "ci_low": [0.0, 0.1]})
LEAGUE = pd.DataFrame(
    {"weights": "pooled", "brand": ["a", "b"], "index": [80.0, 70.0], "rank_ci_low": [1, 2]},
    index=[0, 0],
)
TREND = pd.DataFrame(
    {"group": ["(all)", "(all)", "g", "g"], "wave": [1, 2, 1, 2], "index": [70.0, 71.0, 60.0, 66.0]}
)
PIECES = pd.DataFrame(
    {"group": "(all)", "component": ["change", "answers", "weights"], "estimate": [2.0, 1.5, 0.5]}
)
PATHS = pd.DataFrame(
    {"source": ["a", "b"], "target": "c", "estimate": [0.2, -0.6], "p": [0.4, 0.01]}
)
WEIGHTS = pd.DataFrame(
    {
        "method": ["m", "m", "n", "n"],
        "indicator": ["i", "j"] * 2,
        "global_weight": [0.9, 0.1, 0.2, 0.8],
    }
)

Case = tuple[Callable[[pd.DataFrame], str | None], pd.DataFrame, pd.DataFrame]
CASES: list[Case] = [
    (lambda t: h.ends_finding(t, "name", "x", str), TABLE, TABLE.assign(x=[1.0, 2.0])),
    (lambda t: h.corner_finding(t, "name", ("x", "y"), ("across", "up"), str), TABLE, TABLE.assign(y=[2.0, 1.0])),
    (lambda t: h.chain_finding(t, str), LINKS, LINKS.assign(direct=[9, 5])),
    (lambda t: h.network_finding(t, str), NODES, NODES.assign(network_value=[1.0, 3.0])),
    (lambda t: h.curve_finding(t, "at", "line", "Profit"), CURVE, CURVE.assign(line=[20.0, 10.0])),
    (lambda t: h.curve_finding(t, "at", "line", "Profit"), CURVE, CURVE.assign(line=[20.0, 20.0])),
    (lambda t: h.parts_finding(t, str), PARTS, PARTS.assign(per_customer=[1.0, 2.0, 3.0, 9.0])),
    (lambda t: h.driver_finding(t, str), DRIVERS, DRIVERS.assign(lower=[0.5, 0.0])),
    (lambda t: h.driver_finding(t, str), DRIVERS, DRIVERS.assign(money_per_point=[1.0, 3.0])),
    (lambda t: h.thirds_finding(t, str), THIRDS, THIRDS.assign(observed=[0.9, 0.5])),
    (h.suspects_finding, ODDS, ODDS.assign(suspect=False)),
    (h.tenths_finding, TENTHS, TENTHS.assign(forecast_spend=[100.0, 1.0])),
    (h.tenths_finding, TENTHS, TENTHS.drop(columns="forecast_spend")),
    (h.equity_finding, EQUITY, EQUITY.assign(equity=[100.0, 200.0])),
    (lambda t: h.distance_finding(t, "km", str), APART, APART.rename(columns={"m": "n", "n": "m"})),
    (lambda t: h.models_finding(INDEX, {"loyalty": t}), LOSS, LOSS.assign(ci_low=[0.0, -0.1])),
    (lambda t: h.models_finding(INDEX, {"loyalty": t}), LOSS, LOSS.drop(columns="ci_low")),
    (lambda t: h.league_finding(t, "brand"), LEAGUE, LEAGUE.assign(rank_ci_low=1)),
    (lambda t: h.trend_finding(t, "(all)"), TREND, TREND.assign(index=[71.0, 70.0, 66.0, 60.0])),
    (lambda t: h.decomposition_finding(t, "(all)"), PIECES, PIECES.assign(estimate=[2.0, 0.5, 1.5])),
    (lambda t: h.paths_finding(t, 0.95, str), PATHS, PATHS.assign(p=0.01)),
    (lambda t: h.paths_finding(t, 0.95, str), PATHS, PATHS.drop(columns="p")),
    (lambda t: h.heat_finding(t, str), WEIGHTS, WEIGHTS.assign(global_weight=[0.9, 0.1, 0.9, 0.1])),
    (lambda t: h.validity_finding(t["colour"], "b", "w", "AUC", "equal"), pd.DataFrame({"colour": ["b", "w"]}), pd.DataFrame({"colour": ["w", "w"]})),
]  # fmt: skip


@pytest.mark.parametrize(("finding", "table", "contrary"), CASES)
def test_a_title_follows_its_numbers_in_both_languages(finding, table, contrary) -> None:
    said, other = finding(table), finding(contrary)
    for language in ("en", "zh"):
        one, two = (in_language(text, language) for text in (said, other))
        assert one and one != two
        assert "{" not in one and "nan" not in one


@pytest.mark.parametrize(
    ("finding", "table"),
    [
        (lambda t: h.ends_finding(t, "name", "x", str), TABLE.assign(x=np.nan)),
        (lambda t: h.ends_finding(t, "name", "x", str), TABLE.assign(x=1.0)),
        (lambda t: h.chain_finding(t, str), LINKS.assign(shown=False)),
        (lambda t: h.network_finding(t, str), NODES.assign(network_value=0.0)),
        (lambda t: h.parts_finding(t, str), PARTS.iloc[:2]),
        (lambda t: h.thirds_finding(t, str), THIRDS.iloc[:1]),
        (lambda t: h.trend_finding(t, "(all)"), TREND.iloc[::2]),
        (lambda t: h.league_finding(t, "brand"), LEAGUE.iloc[:1]),
        (lambda t: h.decomposition_finding(t, "nobody"), PIECES),
        (h.equity_finding, EQUITY.iloc[:1]),
    ],
)  # fmt: skip
def test_where_there_is_nothing_to_compare_there_is_no_title(finding, table) -> None:
    assert finding(table) is None


def test_the_titles_say_what_the_tables_hold() -> None:
    assert h.parts_finding(PARTS, str) == "Of the value of a point, 67% comes by retention"
    assert h.league_finding(LEAGUE, "brand") == "a leads with 80.0, and no other group may be first"
    assert "50.0% too high" in (h.tenths_finding(TENTHS) or "")
    assert h.models_finding(INDEX, {"loyalty": LOSS}) == (
        "Indices of 2 models lie within 2.0 points; 1 of 1 others predicts loyalty worse than the best"
    )
    assert h.driver_finding(DRIVERS, str) == "A point of a is worth most: 3.00 per customer"
