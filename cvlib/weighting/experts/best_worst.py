"""Best-worst method: weights from the best against all and all against the worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq, linprog

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.shipped import shipped_yaml
from cvlib.results import Result
from cvlib.words.message import message

TOP = 9  # of the scale


class Vectors(NamedTuple):
    """The best and the worst item, and the two vectors of judgements over the items."""

    items: tuple[str, ...]
    best: int
    worst: int
    from_best: np.ndarray
    to_worst: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class BestWorst(Result):
    """Weights by the best-worst method.

    Attributes
    ----------
    weights : pandas.DataFrame
        item, linear (weight of the linear model), low, high (interval of the nonlinear model) and
        middle, the interval's centre divided by the sum of all centres.
    consistency : pandas.DataFrame
        linear_xi, nonlinear_xi, consistency_index, nonlinear_ratio (xi / index), input_ratio,
        threshold (of the input ratio; NaN outside the table of 3 to 9 items and 3 to 9 points)
        and acceptable.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("weights", "consistency")
    told_by: ClassVar[str] = "cvlib.words.usual:heaviest"

    weights: pd.DataFrame
    consistency: pd.DataFrame
    warnings: tuple[str, ...]


def best_worst(best_to_others: Mapping[str, Any], others_to_worst: Mapping[str, Any]) -> BestWorst:
    """Weights from 2n − 3 judgements: the best item against all, all against the worst.

    Parameters
    ----------
    best_to_others : mapping of item to number
        How many times as important the best item is as each, 1 to 9; the best itself 1.
    others_to_worst : mapping of item to number
        How many times as important each item is as the worst; the worst itself 1.

    Returns
    -------
    BestWorst
        Weights of the linear model, intervals of the nonlinear one, and consistency.

    Raises
    ------
    InputError
        Other items in the two vectors, values outside 1 to 9, no single best or worst, or two
        different judgements of the best against the worst.

    References
    ----------
    Rezaei, J. (2015). Best-worst multi-criteria decision-making method. Omega 53, 49-57; Rezaei
    (2016), Omega 64, 126-130 (linear model, intervals); Liang, Brunelli & Rezaei (2020), Omega
    96, 102175 (input-based consistency and its thresholds).

    Examples
    --------
    >>> import cvlib as cv
    >>> best = {"load": 8, "access": 2, "cost": 1}
    >>> worst = {"load": 1, "access": 5, "cost": 8}
    >>> cv.weighting.best_worst(best, worst).weights["linear"].round(4).tolist()
    [0.0714, 0.3214, 0.6071]
    """
    given = checked(best_to_others, others_to_worst, "the judgements")
    linear, xi = linear_weights(given)
    loose = nonlinear_xi(given)
    low, high = intervals(given, loose)
    middle = (low + high) / 2
    extreme = float(given.from_best[given.worst])
    index = consistency_index(extreme)
    ratio = input_ratio(given)
    limit = threshold(len(given.items), extreme)
    checks = {
        "linear_xi": xi, "nonlinear_xi": loose, "consistency_index": index,
        "nonlinear_ratio": loose / index if index > 0 else 0.0, "input_ratio": ratio,
        "threshold": limit, "acceptable": bool(np.isnan(limit) or ratio <= limit),
    }  # fmt: skip
    table = {"item": given.items, "linear": linear, "low": low, "high": high}
    warnings = []
    if ratio > limit:
        warnings.append(message("weighting.best_worst_inconsistent", ratio=ratio, limit=limit))
    if np.isnan(limit) and len(given.items) > 2 and extreme > 2:
        warnings.append(message("weighting.best_worst_no_threshold", items=len(given.items)))
    return BestWorst(
        pd.DataFrame({**table, "middle": middle / middle.sum()}),
        pd.DataFrame([checks]),
        tuple(warnings),
    )


def checked(best: Mapping[str, Any], worst: Mapping[str, Any], where: str) -> Vectors:
    """The two vectors over the same items, or an error that names what is wrong with them."""
    items = tuple(map(str, best))
    if sorted(items) != sorted(map(str, worst)) or len(items) < 2:
        odd = sorted(set(items) ^ set(map(str, worst)))
        fault = f"{odd[0]!r} stands in one vector only" if odd else "needs two items or more"
        raise InputError(where, fault, message("refusals.judge_every_item_in_both"))
    vectors = []
    for name, values in (("best_to_others", best), ("others_to_worst", worst)):
        told = {str(item): value for item, value in values.items()}
        row = np.empty(len(items))
        for j, item in enumerate(items):
            try:
                row[j] = float(told[item])
            except (TypeError, ValueError):
                row[j] = np.nan
            if not 1 <= row[j] <= TOP:
                raise InputError(
                    f"{where}, {name}: {item}",
                    message("refusals.is_not_a_number_from", told=told[item]),
                    message("refusals.the_best_is_at_least"),
                )
        vectors.append(row)
    ends = []
    for name, row, what in zip(("best", "worst"), vectors, ("best", "worst"), strict=True):
        ones = [j for j in range(len(items)) if row[j] == 1]
        other = vectors[1] if name == "best" else vectors[0]
        if not ones:
            raise InputError(
                where,
                message("refusals.no_item_is_the", what=what),
                message("refusals.give_the_item_a", what=what),
            )
        # Several ones: as good as the best; the one that is furthest from the other end.
        ends.append(max(ones, key=lambda j: (other[j], -j)))
    b, w = ends
    if vectors[0][w] != vectors[1][b]:
        raise InputError(
            where,
            message(
                "refusals.against_is_in_one_vector",
                items=items[b],
                items_2=items[w],
                value=vectors[0][w],
                value_2=vectors[1][b],
            ),
            message("refusals.it_is_one_judgement_write"),
        )
    return Vectors(items, b, w, *vectors)


def linear_weights(given: Vectors) -> tuple[np.ndarray, float]:
    """Weights with the smallest xi: abs(w_B − a_Bj w_j) ≤ xi, abs(w_j − a_jW w_W) ≤ xi."""
    n = len(given.items)
    rows = _differences(given)
    upper = np.vstack([np.append(sign * row, -1.0) for row in rows for sign in (1, -1)])
    total = np.append(np.ones(n), 0.0)[None]
    found = linprog(np.append(np.zeros(n), 1.0), upper, np.zeros(len(upper)), total, [1.0])
    weights = np.clip(found.x[:n], 0, None)
    return weights / weights.sum(), max(float(found.x[n]), 0.0)


def nonlinear_xi(given: Vectors) -> float:
    """Smallest xi with abs(w_B/w_j − a_Bj) ≤ xi and abs(w_j/w_W − a_jW) ≤ xi.

    Best over worst must lie within xi of its own judgement and, for every item between, within
    the products of the two other judgements moved by xi: a condition on xi alone.
    """
    a, b, extreme = given.from_best, given.to_worst, given.from_best[given.worst]

    def excess(xi: float) -> float:
        low = np.append(np.maximum(a - xi, 0) * np.maximum(b - xi, 0), extreme - xi)
        high = np.append((a + xi) * (b + xi), extreme + xi)
        return float(low.max() - high.min())

    between = [j for j in range(len(a)) if j not in (given.best, given.worst)]
    a, b = a[between], b[between]
    if excess(0.0) <= 1e-12:
        return 0.0
    return float(brentq(excess, 0.0, float(TOP), xtol=1e-14))


def intervals(given: Vectors, xi: float) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest weight of each item that keep the nonlinear model at its xi."""
    n, slack = len(given.items), xi + 1e-10
    rows = []
    identity = np.eye(n)
    for j in range(n):
        for part, base in (
            (identity[given.best] - given.from_best[j] * identity[j], identity[j]),
            (identity[j] - given.to_worst[j] * identity[given.worst], identity[given.worst]),
        ):
            rows += [part - slack * base, -part - slack * base]
    upper, total = np.array(rows), np.ones((1, n))
    ends = []
    for sign in (1.0, -1.0):
        found = [linprog(sign * identity[j], upper, np.zeros(len(upper)), total, [1.0]).x[j]
                 for j in range(n)]  # fmt: skip
        ends.append(np.array(found))
    return ends[0], ends[1]


def consistency_index(extreme: float) -> float:
    """Largest xi there can be: root of ξ² − (1 + 2a)ξ + a² − a, a the best against the worst."""
    return float((1 + 2 * extreme - np.sqrt(1 + 8 * extreme)) / 2)


def input_ratio(given: Vectors) -> float:
    """Largest of abs(a_Bj a_jW − a_BW) / (a_BW² − a_BW); 0 where all are equal."""
    extreme = given.from_best[given.worst]
    if extreme <= 1:
        return 0.0
    apart = np.abs(given.from_best * given.to_worst - extreme) / (extreme**2 - extreme)
    inner = [j for j in range(len(apart)) if j not in (given.best, given.worst)]
    return float(apart[inner].max(initial=0.0))


@cache
def _thresholds() -> dict[int, dict[int, float]]:
    text = (resources.files("cvlib.weighting") / "best_worst_thresholds.yaml").read_text("utf-8")
    table: dict[int, dict[int, float]] = shipped_yaml(text)["values"]
    return table


def threshold(items: int, extreme: float) -> float:
    """Limit of the input ratio by number of items and best against worst; NaN outside its table."""
    return _thresholds().get(int(np.ceil(extreme)), {}).get(items, float("nan"))


def _differences(given: Vectors) -> Sequence[np.ndarray]:
    """Rows of w_B − a_Bj w_j and w_j − a_jW w_W."""
    unit = np.eye(len(given.items))
    return [
        row
        for j in range(len(given.items))
        for row in (
            unit[given.best] - given.from_best[j] * unit[j],
            unit[j] - given.to_worst[j] * unit[given.worst],
        )
        if row.any()
    ]


def group_mean(results: Mapping[str, BestWorst]) -> pd.DataFrame:
    """Mean of several experts' linear weights, with their spread.

    Parameters
    ----------
    results : mapping of expert to BestWorst
        Of the same items.

    Returns
    -------
    pandas.DataFrame
        item, mean, sd (over experts; NaN for one), smallest, largest.
    """
    wide = pd.DataFrame({name: r.weights.set_index("item")["linear"]
                         for name, r in results.items()})  # fmt: skip
    one_of("experts", bool(len(wide.columns)), [True], message("refusals.give_one_expert_or_more"))
    table = pd.DataFrame({"mean": wide.mean(axis=1), "sd": wide.std(axis=1, ddof=1)})
    table["smallest"], table["largest"] = wide.min(axis=1), wide.max(axis=1)
    return table.rename_axis("item").reset_index()
