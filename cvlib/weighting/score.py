"""Customer scores: weighted sum, TOPSIS, VIKOR, grey relational analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics.ranks import mid_ranks
from cvlib.weighting.data.objective import expand_weights
from cvlib.weighting.scale import Bounds, Normalised, normalise, ratio_column
from cvlib.weighting.table import Indicators
from cvlib.weighting.tree import Tree
from cvlib.words.message import Message, message

METHODS = ("weighted_sum", "weighted_product", "topsis", "topsis_sqrt", "vikor", "grey")
V, RHO = 0.5, 0.5  # VIKOR's weight of group utility; grey relations' distinguishing coefficient


@dataclass(frozen=True, eq=False)
class Reference:
    """Everything a score depends on besides the customer: fitted once, then frozen.

    Attributes
    ----------
    method : str
    bounds : Bounds
    table : pandas.DataFrame
        quantity, indicator ("" where it has none), value: weights and, as the method needs them,
        column norms, ideal and anti-ideal, S and R of the best and worst, smallest and largest
        difference.
    """

    method: str
    bounds: Bounds
    table: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Result):
    """Scores of customers by one method.

    Attributes
    ----------
    scores : pandas.DataFrame
        customer, method, score (0 to 1, higher is better; VIKOR 1 − Q, cut to 0 and 1 for
        customers outside the reference), rank, vetoed. A customer who fails a gate has score 0.
    details : pandas.DataFrame
        customer and the method's own quantities (d_plus and d_minus; s, r, q).
    checks : pandas.DataFrame
        condition, holds, value, threshold: VIKOR's C1 and C2; empty for the others.
    reference : Reference
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("scores", "checks")
    told_by: ClassVar[str] = "cvlib.words.usual:scored"

    scores: pd.DataFrame
    details: pd.DataFrame
    checks: pd.DataFrame
    reference: Reference
    warnings: tuple[str, ...]


def weighted_sums(normalised: Normalised, weights: pd.DataFrame) -> pd.DataFrame:
    """Weighted-sum scores of customers under every weighting.

    Parameters
    ----------
    normalised : Normalised
        The customers.
    weights : pandas.DataFrame
        Tidy weights: indicator, method, global_weight.

    Returns
    -------
    pandas.DataFrame, customers by methods
        0 to 1, higher is better; 0 for customers who fail a gate.
    """
    wide = wide_weights(weights, list(normalised.values.columns))
    scores = normalised.complete() @ wide.to_numpy()
    scores[normalised.vetoed.to_numpy()] = 0.0
    return pd.DataFrame(scores, index=normalised.values.index, columns=wide.columns)


def plain_weights(tree: Tree) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Weightings that need neither experts nor data, to compare the others with.

    Parameters
    ----------
    tree : Tree
        The tree to weigh.

    Returns
    -------
    tuple
        Tidy weights of the method ``equal``, and of one method per item, ``only_`` and its name.
    """
    items = list(tree.weighted or (tree.name,))
    one = pd.DataFrame(np.eye(len(items)), index=items, columns=items)
    equal = expand_weights(tree, one.mean(axis=1), "equal")
    single = [expand_weights(tree, one[item], f"only_{item}") for item in items]
    return equal, pd.concat(single, ignore_index=True)


def wide_weights(weights: pd.DataFrame, items: Sequence[str]) -> pd.DataFrame:
    """Tidy global weights as a table of the weight-carrying indicators by methods."""
    wide = weights.pivot(index="indicator", columns="method", values="global_weight")
    wide = wide.reindex(index=list(items), columns=list(dict.fromkeys(weights["method"])))
    if wide.isna().to_numpy().any():
        empty = wide.index[wide.isna().any(axis=1)][0]
        raise InputError("the weights", message("refusals.has_no_weight_in_some", empty=empty),
                         message("refusals.add_it"))  # fmt: skip
    return wide


def one_weighting(wide: pd.DataFrame, method: str) -> pd.Series:
    """Weights of one method out of `wide_weights`, refused by name if it is not there."""
    wrong = message("refusals.was_not_computed")
    return wide[one_of("weighting", method, wide.columns, wrong=wrong)]


def score(
    indicators: Indicators,
    weights: pd.Series | None = None,
    method: str = "weighted_sum",
    *,
    reference: Reference | None = None,
    bounds: Bounds | None = None,
    v: float = V,
    rho: float = RHO,
) -> Scores:
    """Score customers by one method.

    Parameters
    ----------
    indicators : Indicators
        The customers.
    weights : pandas.Series, optional
        Global weight of each item; not needed with a reference, which has its own.
    method : {"weighted_sum", "weighted_product", "topsis", "topsis_sqrt", "vikor", "grey"}
        The weighted product takes ratios to the best value, x / max or min / x (Bridgman 1922):
        positive benefits and costs only. TOPSIS normalises columns by their length. Its weights
        enter the distances squared, (w z)²; ``topsis_sqrt`` uses sqrt(w), so that they enter once.
        Leaves with a target or categories, and minimum nodes, enter it by their 0 to 1 values.
    reference : Reference, optional
        A frozen reference of earlier customers (with its own weights and method): scores are
        then independent of who else is in the table.
    bounds : Bounds, optional
        Reference bounds of the 0 to 1 values alone; what else a method compares comes from the
        customers at hand.
    v : float
        VIKOR's weight of group utility against individual regret.
    rho : float
        Distinguishing coefficient of grey relational analysis.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        A method that these customers do not admit (see `why_not`).

    References
    ----------
    Bridgman (1922), Dimensional Analysis (weighted product); Hwang & Yoon (1981)
    (TOPSIS); Opricovic & Tzeng (2004), EJOR 156, 445 (VIKOR); Deng (1982),
    Systems & Control Letters 1, 288 (grey relations).
    """
    one_of("scoring method", method, METHODS)
    scaled = normalise(indicators, reference.bounds if reference else bounds)
    return _score(indicators, scaled, weights, method, reference, v, rho)


def _score(
    indicators: Indicators, normalised: Normalised, weights: pd.Series | None, method: str,
    reference: Reference | None = None, v: float = V, rho: float = RHO,
) -> Scores:  # fmt: skip
    """Score customers who stand on the 0 to 1 scale already (see `score`)."""
    items, z = list(indicators.items), normalised.complete()
    frozen: dict[str, np.ndarray] = {}
    if reference is not None:
        method = reference.method
        for name, rows in reference.table.groupby("quantity", sort=False):
            frozen[str(name)] = rows["value"].to_numpy(float)
    else:
        w = pd.Series(weights, dtype=float).reindex(items).to_numpy(float)
        if np.isnan(w).any() or (w < 0).any() or not np.isclose(w.sum(), 1, atol=1e-6):
            raise InputError("the weights", message("refusals.are_not_non_negative_with"),
                             message("refusals.weigh", names=", ".join(items)))  # fmt: skip
        frozen["weight"] = w
        if reason := why_not(indicators, method):
            raise InputError(f"scoring method {method!r}", reason,
                             message("refusals.score_by_another_method_such"))  # fmt: skip
    details: dict[str, np.ndarray] = {}
    warnings = list(normalised.warnings)
    if method == "weighted_sum":
        values = z @ frozen["weight"]
    elif method == "weighted_product":
        values = _weighted_product(indicators, z, frozen)
    elif method == "grey":
        values = _grey(z, frozen, rho)
    elif method == "vikor":
        values, details = _vikor(z, frozen, v)
    else:
        values, details = _topsis(indicators, z, frozen, method == "topsis_sqrt")
    checks = _vikor_conditions(details, len(z)) if details.get("q") is not None else pd.DataFrame()
    if len(checks) and not reference and len(z) > 100:
        warnings.append(message("weighting.vikor_c1", least=1 / (len(z) - 1), customers=len(z)))
    vetoed = normalised.vetoed.to_numpy()
    if vetoed.any():
        warnings.append(message("weighting.gate_failed", customers=int(vetoed.sum())))
    values = np.where(vetoed, 0.0, values)
    customers = normalised.values.index
    table = pd.DataFrame({"customer": customers, "method": method, "score": values})
    table["rank"], table["vetoed"] = mid_ranks(values), vetoed
    if reference is None:
        rows = [
            (name, items[j] if len(array) == len(items) else "", value)
            for name, array in frozen.items()
            for j, value in enumerate(array)
        ]
        kept = pd.DataFrame(rows, columns=["quantity", "indicator", "value"])
        reference = Reference(method, normalised.bounds, kept)
    detail = pd.DataFrame({"customer": customers, **details})
    return Scores(table, detail, checks, reference, tuple(warnings))


def why_not(indicators: Indicators, method: str) -> Message | None:
    """Reason why a scoring method does not apply to these customers; None where it does.

    Parameters
    ----------
    indicators : Indicators
        The customers.
    method : str
        Of `METHODS`.

    Returns
    -------
    Message or None
    """
    if len(indicators.values) < 2 and method != "weighted_sum":
        return message("weighting.one_to_compare")
    if method != "weighted_product":
        return None
    for j, name in enumerate(indicators.items):
        if not indicators.ratio_scaled[j]:
            return message("weighting.not_a_ratio", indicator=name)
        low = int((indicators.values[name] <= 0).sum())
        if low:
            return message("weighting.ratio_not_positive", indicator=name, count=low)
    return None


def _weighted_product(
    indicators: Indicators, z: np.ndarray, frozen: dict[str, np.ndarray]
) -> np.ndarray:
    """Product of the ratios to the best value of each item, each to the power of its weight."""
    cost, columns = indicators.is_cost, range(z.shape[1])
    if "best" not in frozen:
        low, high = indicators.plan.scale.T
        at = [indicators.plan.leaves.index(name) for name in indicators.items]
        raw = (ratio_column(indicators, z, j) for j in columns)
        observed = [values.min() if cost[j] else values.max() for j, values in enumerate(raw)]
        stated = np.where(cost, low[at], high[at])
        frozen["best"] = np.where(stated > 0, stated, observed)
    product = np.ones(len(z))
    for j in columns:
        values, best = ratio_column(indicators, z, j), frozen["best"][j]
        with np.errstate(divide="ignore"):
            ratio = best / np.maximum(values, 0) if cost[j] else values / best
        # Beyond a frozen best nobody gains, and below zero there is nothing left to lose.
        product *= np.clip(ratio, 0, 1) ** frozen["weight"][j]
    return product


def _topsis(
    indicators: Indicators, z: np.ndarray, frozen: dict[str, np.ndarray], root: bool
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    w = np.sqrt(frozen["weight"]) if root else frozen["weight"]
    if "norm" not in frozen:
        raw = (ratio_column(indicators, z, j) for j in range(z.shape[1]))
        found = [(np.sqrt(np.einsum("i,i->", x, x)), x.min(), x.max()) for x in raw]
        norm, low, high = np.array(found).T
        frozen["norm"] = norm = np.where(norm > 0, norm, 1.0)
        cost = indicators.is_cost
        frozen["ideal"] = np.where(cost, low, high) / norm
        frozen["anti_ideal"] = np.where(cost, high, low) / norm
    ideal, anti = frozen["ideal"], frozen["anti_ideal"]
    plus, minus = np.zeros(len(z)), np.zeros(len(z))
    for j in range(z.shape[1]):
        # Beyond a frozen ideal nobody is further from it.
        column = ratio_column(indicators, z, j) / frozen["norm"][j]
        column = np.clip(column, min(ideal[j], anti[j]), max(ideal[j], anti[j]))
        plus += (w[j] * (column - ideal[j])) ** 2
        minus += (w[j] * (column - anti[j])) ** 2
    plus, minus = np.sqrt(plus), np.sqrt(minus)
    total = plus + minus
    closeness = np.divide(minus, total, out=np.full(len(z), 0.5), where=total > 0)
    return closeness, {"d_plus": plus, "d_minus": minus}


def _vikor(
    z: np.ndarray, frozen: dict[str, np.ndarray], v: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    s = r = np.zeros(len(z))
    for j, weight in enumerate(frozen["weight"]):
        loss = (1 - z[:, j]) * weight
        s, r = s + loss, np.maximum(r, loss)
    if "s_range" not in frozen:
        frozen["s_range"] = np.array([s.min(), s.max()])
        frozen["r_range"] = np.array([r.min(), r.max()])
        frozen["v"] = np.array([v])
    parts = []
    for values, (best, worst) in ((s, frozen["s_range"]), (r, frozen["r_range"])):
        # All equal: nobody is ahead in this part (0/0).
        parts.append((values - best) / (worst - best) if worst > best else np.zeros(len(z)))
    share = frozen["v"][0]
    q = share * parts[0] + (1 - share) * parts[1]
    return np.clip(1 - q, 0, 1), {"s": s, "r": r, "q": q}


def vikor_conditions(
    indicators: Indicators, weights: pd.Series, normalised: Normalised | None = None
) -> pd.DataFrame:
    """Conditions C1 and C2 of VIKOR's compromise; no row where VIKOR does not apply.

    Parameters
    ----------
    indicators, weights
        See `score`.
    normalised : Normalised, optional
        The 0 to 1 values where they are at hand: of a large table no second copy is made.

    Returns
    -------
    pandas.DataFrame
        condition, holds, value, threshold.
    """
    if why_not(indicators, "vikor"):
        return pd.DataFrame(columns=["condition", "holds", "value", "threshold"])
    return _score(indicators, normalised or normalise(indicators), weights, "vikor").checks


def _vikor_conditions(details: dict[str, np.ndarray], m: int) -> pd.DataFrame:
    q, s, r = (np.round(details[name], 12) for name in ("q", "s", "r"))
    best, second = np.argsort(q, kind="stable")[:2]
    advantage, threshold = q[second] - q[best], 1 / (m - 1)
    stable = bool(s[best] == s.min() or r[best] == r.min())
    return pd.DataFrame(
        {
            "condition": ["C1 acceptable advantage", "C2 acceptable stability"],
            "holds": [bool(advantage >= threshold), stable],
            "value": [advantage, float(stable)],
            "threshold": [threshold, 1.0],
        }
    )


def _grey(z: np.ndarray, frozen: dict[str, np.ndarray], rho: float) -> np.ndarray:
    if "difference" not in frozen:
        frozen["difference"] = np.array([1 - z.max(), 1 - z.min()])
        frozen["rho"] = np.array([rho])
    least, most = frozen["difference"]
    if most == 0:
        return np.ones(len(z))
    part, total = frozen["rho"][0] * most, np.zeros(len(z))
    for j, weight in enumerate(frozen["weight"]):
        total += weight * (least + part) / (1 - z[:, j] + part)
    return total


@dataclass(frozen=True, eq=False, repr=False)
class ScoresByMethod(Result):
    """Scores of the same customers by several methods with the same weights.

    Attributes
    ----------
    scores : pandas.DataFrame, customers by methods
        0 to 1, higher is better.
    left_out : pandas.DataFrame
        method, reason: methods that these customers do not admit.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("scores", "left_out")
    told_by: ClassVar[str] = "cvlib.words.usual:scored"

    scores: pd.DataFrame
    left_out: pd.DataFrame
    warnings: tuple[str, ...]


def score_all(
    indicators: Indicators,
    weights: pd.Series,
    methods: Sequence[str] = METHODS,
    *,
    bounds: Bounds | None = None,
) -> ScoresByMethod:
    """Scores of customers by several of `METHODS` with the same weights (see `score`).

    Parameters
    ----------
    indicators, weights, bounds
        See `score`.
    methods : sequence of str
        Those that do not apply go to ``left_out`` with the reason.

    Returns
    -------
    ScoresByMethod

    Raises
    ------
    InputError
        An unknown method, or none that applies.
    """
    for method in methods:
        one_of("scoring method", method, METHODS)
    reasons = {method: why_not(indicators, method) for method in methods}
    used = [method for method in methods if not reasons[method]]
    if not used:
        method = next(iter(methods), "")
        raise InputError(f"parameter methods: {method}", reasons.get(method) or "is empty",
                         message("refusals.add_weighted_sum"))  # fmt: skip
    gone = [(method, reason) for method, reason in reasons.items() if reason]
    warnings: list[str] = [
        message("weighting.scoring_left_out", method=method, reason=reason)
        for method, reason in gone
    ]
    scaled, found = normalise(indicators, bounds), {}
    for method in used:
        result = _score(indicators, scaled, weights, method)
        found[method] = result.scores["score"].to_numpy()
        warnings += [text for text in result.warnings if text not in warnings]
    wide = pd.DataFrame(found, index=indicators.values.index)
    return ScoresByMethod(
        wide, pd.DataFrame(gone, columns=["method", "reason"], dtype=object), tuple(warnings)
    )
