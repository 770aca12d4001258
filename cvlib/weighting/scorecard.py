"""Scorecards: how far targets were attained, capped and weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table, load_table
from cvlib.results import Result
from cvlib.weighting.table import Indicators
from cvlib.words.message import Message, message

CAP = 1.2  # proposed: what is beyond target counts up to a fifth more
FULL = 100 - 1e-9  # the score of who meets every target exactly, but for rounding errors


@dataclass(frozen=True, eq=False, repr=False)
class Scorecard(Result):
    """Attainment of targets.

    Attributes
    ----------
    scores : pandas.DataFrame
        unit, score (100 when every target is met exactly), capped (indicators cut at the cap),
        below (indicators below target).
    attainment : pandas.DataFrame
        unit, indicator, actual, target, attainment (capped), weight, points.
    verdict : Message
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("scores", "attainment")

    scores: pd.DataFrame
    attainment: pd.DataFrame
    verdict: Message


def attained(
    actual: np.ndarray, target: np.ndarray, is_cost: np.ndarray, cap: float = CAP
) -> np.ndarray:
    """Attainment: actual over target, for a cost target over actual, at most the cap.

    Parameters
    ----------
    actual, target : ndarray
        Non-negative values; positive targets.
    is_cost : ndarray of bool
        Where less is better.
    cap : float
        Largest attainment that counts.

    Returns
    -------
    ndarray
    """
    with np.errstate(divide="ignore"):
        ratio = np.where(is_cost, target / actual, actual / target)
    return np.asarray(np.clip(ratio, 0, cap))


def scorecard(
    indicators: Indicators, targets: pd.DataFrame | Table | str, weights: pd.Series, *,
    cap: float = CAP,
) -> Scorecard:  # fmt: skip
    """Score units by how far they reach their targets: 100 Σ weight × attainment.

    Parameters
    ----------
    indicators : Indicators
        One row of actual values per unit (branch, region, month).
    targets : DataFrame, Table or str
        Columns indicator, target and, where units have targets of their own, unit.
    weights : pandas.Series
        Weight of each benefit and cost leaf; their sum is 1.
    cap : float
        Largest attainment that counts.

    Returns
    -------
    Scorecard
        Scores of all units, best first, and the attainment of every indicator.

    Raises
    ------
    InputError
        A target that is missing, zero or negative, with its row; an actual value below zero; a
        leaf that is neither benefit nor cost.

    References
    ----------
    Kaplan, R. S. & Norton, D. P. (1992). The balanced scorecard. Harvard Business Review 70(1),
    71-79. The cap is a proposal [P].

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> w, frame = cv.weighting, pd.DataFrame({"visits": [92, 130], "sales": [48, 60]})
    >>> shops = w.indicators(frame, w.flat_tree(["visits", "sales"]))
    >>> goals = pd.DataFrame({"indicator": ["visits", "sales"], "target": [100, 60]})
    >>> equal = pd.Series(0.5, index=["visits", "sales"])
    >>> w.scorecard(shops, goals, equal).scores["score"].tolist()
    [110.0, 86.0]
    """
    number("cap", cap, 1)
    items = list(indicators.items)
    odd = [n for n, plain in zip(items, indicators.ratio_scaled, strict=True) if not plain]
    if odd:
        raise InputError(
            f"indicator {odd[0]!r}", message("refusals.has_no_target_to_attain"),
            message("refusals.use_a_tree_of_benefits"),
        )  # fmt: skip
    goal = _targets(load_table(targets), items, list(map(str, indicators.values.index)))
    actual = indicators.values[items].to_numpy(float)
    if (actual < 0).any():
        i, j = map(int, np.argwhere(actual < 0)[0])
        raise InputError(
            f"unit {indicators.values.index[i]!r}, {items[j]!r}",
            message("refusals.holds_2", actual=actual[i, j]),
            message("refusals.attainment_is_a_ratio_give"),
        )
    share = attained(actual, goal, indicators.is_cost, cap)
    w = weights.reindex(items).to_numpy(float)
    units = np.repeat(indicators.values.index.to_numpy(), len(items))
    table = pd.DataFrame({"unit": units, "indicator": items * len(actual)})
    table["actual"], table["target"] = actual.ravel(), goal.ravel()
    table["attainment"], table["weight"] = share.ravel(), np.tile(w, len(actual))
    table["points"] = 100 * table["weight"] * table["attainment"]
    scores = pd.DataFrame({"unit": indicators.values.index, "score": 100 * share @ w})
    scores["capped"], scores["below"] = (share >= cap).sum(axis=1), (share < 1).sum(axis=1)
    scores = scores.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)
    return Scorecard(scores, table, _verdict(scores, table))


def _targets(table: Table, items: list[str], units: list[str]) -> np.ndarray:
    """Targets, units by items."""
    data = table.data
    for column in ("indicator", "target"):
        if column not in data:
            raise InputError(
                table.source,
                message("refusals.has_no_column_2", column=column),
                message("refusals.name_it_so"),
            )
    values = pd.to_numeric(data["target"], errors="coerce").to_numpy(float)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        at = int(bad.argmax())
        raise InputError(
            table.place("target", at), message("refusals.holds", value=data['target'].iloc[at]),
            message("refusals.a_target_is_a_positive"),
        )  # fmt: skip
    given = data.assign(indicator=data["indicator"].astype(str), target=values)
    if "unit" in given:
        keys = given.assign(unit=given["unit"].astype(str)).set_index(["unit", "indicator"])
        wanted = pd.MultiIndex.from_product([units, items])
    else:
        keys, wanted = given.set_index("indicator"), pd.Index(items)
    if keys.index.has_duplicates:
        twice = keys.index[keys.index.duplicated()][0]
        raise InputError(
            table.source,
            message("refusals.has_two_targets", twice=twice),
            message("refusals.keep_one"),
        )
    found = keys["target"].reindex(wanted)
    if found.isna().any():
        raise InputError(
            table.source,
            message("refusals.has_no_target_of", value=found.index[found.isna()][0]),
            message("refusals.add_its_row"),
        )
    shape = (len(units), len(items)) if "unit" in given else (1, len(items))
    return np.broadcast_to(found.to_numpy(float).reshape(shape), (len(units), len(items)))


def _verdict(scores: pd.DataFrame, table: pd.DataFrame) -> Message:
    met = int((scores["score"] >= FULL).sum())
    short = table[table["attainment"] < 1]
    facts = {"met": met, "count": len(scores), "best": float(scores["score"].iloc[0])}
    if short.empty:
        return message("weighting.scorecard_met", **facts)
    lost = (short["weight"] * (1 - short["attainment"])).groupby(short["indicator"]).sum()
    return message(
        "weighting.scorecard_short", indicator=lost.idxmax(),
        points=float(100 * lost.max() / len(scores)), **facts,
    )  # fmt: skip
