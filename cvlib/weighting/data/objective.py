"""Objective weights: what the spread of the data says. Dispersion, not importance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.weighting.data.importance import (
    METHODS,
    ON_UNIT_SCALE,
    importance,
    indistinguishable,
    shares,
)
from cvlib.weighting.scale import raw_bounds, unit_scale
from cvlib.weighting.table import Indicators
from cvlib.weighting.tree import Tree
from cvlib.words.message import Message, message

# Proposed: a column this skewed, holding this share of the weight, is worth a warning.
SKEWED = 2.0


@dataclass(frozen=True, eq=False, repr=False)
class ObjectiveWeights(Result):
    """Objective weights of a tree.

    Attributes
    ----------
    weights : pandas.DataFrame
        indicator, parent, method, local_weight, global_weight, ci_low, ci_high (percentile
        bootstrap of the global weight over customers; absent without draws).
    details : pandas.DataFrame
        indicator, method, customers (with a value), importance (1 − entropy, CRITIC's C, ...:
        the weight before it is divided by the sum) and, for sum entropy, cv_squared_weight: the
        squared coefficient of variation as a share, which the weight approaches when the number
        of customers is large.
    columns : pandas.DataFrame
        indicator, customers, missing, negative, zero, constant, variation (coefficient of),
        skewness.
    alternatives : pandas.DataFrame
        indicator, method, global_weight of sum entropy as is, winsorised (1 and 99 per cent) and
        on log(1 + x); empty unless a skewed column takes the weight.
    left_out : pandas.DataFrame
        method, reason, count: methods that do not apply to these data.
    settings : dict
        ``methods`` (those that apply), ``epsilon, draws, level, seed``.
    warnings : tuple of str
    indicators : Indicators or None
        The customers the weights came from.
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("weights", "left_out")
    told_by: ClassVar[str] = "cvlib.words.usual:heaviest"
    charts: ClassVar[dict[str, str]] = {"weights": "cvlib.figures.weighting:weight_chart"}

    weights: pd.DataFrame
    details: pd.DataFrame
    columns: pd.DataFrame
    alternatives: pd.DataFrame
    left_out: pd.DataFrame
    settings: dict[str, Any]
    warnings: tuple[str, ...]
    indicators: Indicators | None = None


def objective_weights(
    indicators: Indicators,
    methods: Sequence[str] = ("entropy_sum", "entropy_minmax"),
    *,
    epsilon: float = 0.002,
    draws: int = 0,
    level: float = 0.95,
    seed: int = resample.SEED,
    required: bool = True,
) -> ObjectiveWeights:
    """Objective weights by several methods, with bootstrap intervals over customers.

    Leaf weights are found over all leaves at once; an inner node weighs the sum of its leaves
    (hierarchical entropy pools 1 − entropy), so the tree adds up.

    Parameters
    ----------
    indicators : Indicators
        Checked customers of a tree.
    methods : sequence of str
        Of `METHODS`. A method that does not apply (negative values under sum entropy, ...) goes
        to ``left_out`` with the reason; if none applies the call is refused.
    epsilon : float
        Shift of ``entropy_shifted``: z' = (1 − epsilon) z + epsilon.
    draws : int
        Bootstrap draws; bounds and normalisation are found anew in each.
    level : float
        Confidence level.
    seed : int
        Seed of the bootstrap.
    required : bool
        Whether the call is refused where no method applies; else the tables of weights are empty.

    Returns
    -------
    ObjectiveWeights

    References
    ----------
    Hwang & Yoon (1981), ch. 3 (entropy). Diakoulaki, Mavrotas & Papayannakis (1995), Computers &
    Operations Research 22, 763 (CRITIC). Keshavarz-Ghorabaee et al. (2021), Symmetry 13, 525
    (MEREC).
    """
    for method in methods:
        one_of("weighting method", method, METHODS)
    tree = indicators.tree
    settings = {"methods": [], "epsilon": epsilon, "draws": 0, "level": level, "seed": seed}
    if len(tree.weighted) < 2 and not required:
        reason = message("weighting.one_item", tree=tree.name)
        return _none(settings, [(m, reason, 0) for m in methods], indicators.warnings)
    if len(tree.weighted) < 2:
        raise InputError(
            f"tree {tree.name!r}",
            message("refusals.has_fewer_than_two_weight"),
            message("refusals.score_it_with_notebook_05"),
        )
    x = indicators.values.to_numpy()
    raw, z = _raw_and_scaled(indicators, x, methods)
    columns = _columns(tree.weighted, raw)
    same = indistinguishable(raw) if "critic" in methods else None
    refused = [(m, *why) for m in methods if (why := _why_not(m, columns, indicators))]
    point = {
        m: importance(m, raw, z, indicators.is_cost, epsilon, same=same)
        for m in methods
        if m not in {row[0] for row in refused}
    }
    refused += [(m, _undefined(m, columns), 0) for m, found in point.items() if not found.any()]
    used = [m for m in point if point[m].any()]
    if not used and not required:
        return _none(settings, refused, indicators.warnings, columns)
    if not used:
        raise InputError(
            f"weighting method {methods[0]!r}",
            refused[0][1],
            message("refusals.weigh_by_experts_or_equally"),
        )
    warnings: list[str] = [
        message("weighting.left_out", method=name, reason=reason) for name, reason, _ in refused
    ]
    warnings += [*indicators.warnings, *_degenerate(columns)]
    weight = {m: shares(point[m]) for m in used}
    bootstrap = _bootstrap(indicators, x, used, epsilon, draws, seed, same)
    tables, details = [], []
    for m in used:
        table = expand_weights(tree, pd.Series(weight[m], index=tree.weighted), m)
        if draws:
            nodes = np.column_stack(
                [
                    bootstrap[m][:, members].sum(axis=1)
                    for members in _members(tree, table["indicator"])
                ]
            )
            table["ci_low"], table["ci_high"] = resample.percentile_limits(nodes, level)
        tables.append(table)
        detail = pd.DataFrame({"indicator": tree.weighted, "method": m})
        detail["customers"] = columns["customers"]
        detail["importance"] = point[m]
        if m == "entropy_sum":
            detail["cv_squared_weight"] = shares(columns["variation"].to_numpy() ** 2)
        details.append(detail)
    alternatives, notice = _skewed(indicators, raw, z, columns, weight.get("entropy_sum"))
    return ObjectiveWeights(
        pd.concat(tables, ignore_index=True),
        pd.concat(details, ignore_index=True),
        columns,
        alternatives,
        pd.DataFrame(refused, columns=["method", "reason", "count"]),
        {"methods": used, "epsilon": epsilon, "draws": draws, "level": level, "seed": seed},
        tuple(warnings) + notice,
        indicators,
    )


def _none(
    settings: dict[str, Any],
    refused: Sequence[tuple[str, Message, int]],
    warnings: tuple[str, ...],
    columns: pd.DataFrame | None = None,
) -> ObjectiveWeights:
    """The result where no method applies: every method left out with its reason."""
    names = ["indicator", "parent", "method", "local_weight", "global_weight"]
    told = [message("weighting.left_out", method=m, reason=why) for m, why, _ in refused]
    return ObjectiveWeights(
        pd.DataFrame(columns=names).astype({"local_weight": float, "global_weight": float}),
        pd.DataFrame(columns=["indicator", "method", "customers", "importance"]),
        pd.DataFrame(columns=["indicator", "customers"]) if columns is None else columns,
        pd.DataFrame(columns=["indicator", "method", "global_weight"]),
        pd.DataFrame(refused, columns=["method", "reason", "count"]),
        settings,
        (*told, *warnings),
    )


def expand_weights(tree: Tree, leaf_weights: pd.Series, method: str) -> pd.DataFrame:
    """Weights of every node from the global weights of the items: parents are sums.

    Parameters
    ----------
    tree : Tree
        The tree whose nodes are wanted.
    leaf_weights : pandas.Series
        Global weight of each of ``tree.weighted``, summing to 1.
    method : str
        Name for the method column.

    Returns
    -------
    pandas.DataFrame
        indicator, parent, method, local_weight, global_weight. Children of a node whose weight
        is 0 have the local weight 0. A root that takes the minimum is one row of weight 1.
    """
    names = ["indicator", "parent", "method", "local_weight", "global_weight"]
    if not tree.compared:
        return pd.DataFrame([(tree.name, "", method, 1.0, 1.0)], columns=names)
    weight = {str(name): float(value) for name, value in leaf_weights.items()}

    def total(node: str) -> float:
        if node not in weight:
            weight[node] = sum(total(child) for child in tree.compared[node])
        return weight[node]

    total(tree.name)
    rows = [
        (child, node, method, weight[child] / weight[node] if weight[node] else 0.0, weight[child])
        for node, below in tree.compared.items()
        for child in below
    ]
    return pd.DataFrame(rows, columns=names)


def _raw_and_scaled(
    indicators: Indicators, x: np.ndarray, methods: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Raw values (0 to 1 values where raw ones have no ratio scale) and 0 to 1 values."""
    plan = indicators.plan
    plain = plan.items == plan.leaves and bool(indicators.ratio_scaled.all())
    if plain and not set(methods) & set(ON_UNIT_SCALE):
        return x, x
    z = unit_scale(x, plan, *raw_bounds(x, plan))
    if plain:
        return x, z
    raw = z.copy(order="F")
    for j in np.flatnonzero(indicators.ratio_scaled):
        raw[:, j] = x[:, plan.leaves.index(plan.items[j])]
    return raw, z


def _why_not(
    method: str, columns: pd.DataFrame, indicators: Indicators
) -> tuple[Message, int] | None:
    """Reason why a method does not apply and how many values are at fault."""
    if len(indicators.values) < 2:
        return message("weighting.one_customer"), 0
    if method in ("entropy_sum", "coefficient_of_variation"):
        at_fault, rule = columns["negative"], "weighting.negative_values"
    elif method == "merec":
        at_fault = columns["negative"] + columns["zero"]
        at_fault = at_fault.where(indicators.ratio_scaled, columns["customers"])
        rule = "weighting.not_positive"
    else:
        return None
    if not at_fault.any():
        return None
    first = (at_fault > 0).idxmax()
    fault = message(rule, indicator=columns.at[first, "indicator"], count=int(at_fault[first]))
    return fault, int(at_fault.sum())


def _undefined(method: str, columns: pd.DataFrame) -> Message:
    """Why a method that takes these numbers finds no importance in any of them."""
    varying = int((~columns["constant"]).sum())
    if method == "critic" and varying:
        return message("weighting.critic_no_conflict", count=varying)
    return message("weighting.nothing_varies", method=method)


def _degenerate(columns: pd.DataFrame) -> list[Message]:
    found = []
    for row in columns.itertuples():
        if row.constant:
            found.append(message("weighting.no_weight", indicator=row.indicator))
        elif row.customers - row.negative - row.zero == 1:
            found.append(message("weighting.one_positive", indicator=row.indicator))
    return found


def _bootstrap(
    indicators: Indicators,
    x: np.ndarray,
    methods: Sequence[str],
    epsilon: float,
    draws: int,
    seed: int,
    same: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Weights of each resample: draws by items, bounds found anew each time."""
    out = {m: np.empty((draws, len(indicators.items))) for m in methods}
    rows = resample.counts(len(x), draws, resample.generator(seed), chunk=1)
    for b, (counts,) in enumerate(rows):
        drawn = counts > 0
        raw, z = _raw_and_scaled(indicators, x[drawn], methods)
        c = counts[drawn].astype(float)
        for m in methods:
            out[m][b] = shares(importance(m, raw, z, indicators.is_cost, epsilon, c, same))
    return out


def _members(tree: Tree, nodes: pd.Series) -> list[list[int]]:
    """Positions of the items below each node."""

    def below(node: str) -> list[int]:
        if node in tree.weighted:
            return [tree.weighted.index(node)]
        return [j for child in tree.compared[node] for j in below(child)]

    return [below(node) for node in nodes]


def _columns(names: Sequence[str], raw: np.ndarray) -> pd.DataFrame:
    rows = []
    for name, column in zip(names, raw.T, strict=True):
        known = column[~np.isnan(column)] if np.isnan(column.sum()) else column
        constant = bool(known.min() == known.max())
        mean = known.mean()
        away = known - mean
        square = away * away
        spread = 1.0 if constant else float(np.sqrt(square.mean()))
        rows.append(
            {
                "indicator": name,
                "customers": len(known),
                "missing": len(column) - len(known),
                "negative": np.count_nonzero(known < 0),
                "zero": np.count_nonzero(known == 0),
                "constant": constant,
                "variation": 0.0 if constant or mean == 0 else spread / abs(mean),
                "skewness": 0.0 if constant else float(square @ away / len(known) / spread**3),
            }
        )
    return pd.DataFrame(rows)


def _skewed(
    indicators: Indicators,
    raw: np.ndarray,
    z: np.ndarray,
    columns: pd.DataFrame,
    weight: np.ndarray | None,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Sum entropy again, winsorised and on logarithms, when a skewed column takes the weight."""
    empty = pd.DataFrame(columns=["indicator", "method", "global_weight"])
    if weight is None:
        return empty, ()
    large = weight >= min(0.5, 3 / len(weight))
    skew = columns["skewness"].to_numpy()
    taking = np.flatnonzero(large & (skew > SKEWED))
    if not len(taking):
        return empty, ()
    low, high = np.nanquantile(raw, [0.01, 0.99], axis=0)
    versions = {
        "entropy_sum": raw,
        "entropy_sum_winsorised": np.clip(raw, low, high),
        "entropy_sum_log": np.log1p(raw),
    }
    rows = [
        (name, method, share)
        for method, values in versions.items()
        for name, share in zip(
            indicators.items,
            shares(importance("entropy_sum", values, z, indicators.is_cost)),
            strict=True,
        )
    ]
    notices = tuple(
        message(
            "weighting.skewed", indicator=indicators.items[j], skewness=skew[j], share=weight[j]
        )
        for j in taking
    )
    return pd.DataFrame(rows, columns=list(empty.columns)), notices
