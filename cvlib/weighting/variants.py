"""Variants of TOPSIS and grey relational analysis that published work uses under the same name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.statistics.ranks import kendall_tau
from cvlib.weighting.scale import Bounds, normalise, ratio_values
from cvlib.weighting.score import RHO, why_not
from cvlib.weighting.table import Indicators
from cvlib.words.message import Message, message

# Normalisations of TOPSIS; `positive` turns costs round (max − x) before the column's length.
# with `positive_sqrt` the weights enter the distances once, not squared.
TOPSIS = ("vector", "minmax", "max", "sum", "positive", "positive_sqrt")
# Of grey relations: the 0 to 1 scale, division by the reference value, by the column mean.
GREY = ("minmax", "initial", "mean")


def scoring_variants(
    indicators: Indicators, weights: pd.Series, *, bounds: Bounds | None = None, rho: float = RHO
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores by every normalisation of TOPSIS and of grey relations, with the same weights.

    Parameters
    ----------
    indicators : Indicators
        The customers.
    weights : pandas.Series
        Global weight of each item.
    bounds : Bounds, optional
        Reference bounds of the 0 to 1 values.
    rho : float
        Distinguishing coefficient of grey relations.

    Returns
    -------
    scores : pandas.DataFrame, customers by variants
        ``topsis_`` and ``grey_`` with the normalisation: 0 to 1, higher is better. Variants that
        divide by a value apply to positive benefits and costs only and are absent otherwise.
    agreement : pandas.DataFrame
        variant, kendall_tau_b (with TOPSIS by vector, or grey relations by min–max, of the same
        family), same_first (whether the same customer leads).

    Raises
    ------
    InputError
        Reference bounds of another tree.

    References
    ----------
    Hwang & Yoon (1981), ch. 3 (TOPSIS). Deng (1982), Systems & Control Letters 1, 288 (grey).

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> equal = pd.Series(1 / 3, index=customers.items)
    >>> scores, alike = cv.weighting.scoring_variants(customers, equal)
    >>> len(scores.columns)
    9
    """
    z = normalise(indicators, bounds).complete()
    raw, cost = ratio_values(indicators, z), indicators.is_cost
    w = weights.reindex(list(indicators.items)).to_numpy(float)
    positive = why_not(indicators, "weighted_product") is None
    found: dict[str, np.ndarray] = {}
    for name in TOPSIS:
        if positive or name not in ("max", "sum"):
            own = np.sqrt(w) if name.endswith("sqrt") else w
            found[f"topsis_{name}"] = _closeness(_topsis_values(name, raw, z, cost), own)
    for name in GREY:
        if positive or name == "minmax":
            found[f"grey_{name}"] = _grey_grade(_grey_differences(name, raw, z, cost), w, rho)
    scores = pd.DataFrame(found, index=indicators.values.index)
    rows = []
    for name in scores:
        base = scores["topsis_vector" if name.startswith("topsis") else "grey_minmax"]
        tau = kendall_tau(base.to_numpy(), scores[name].to_numpy())
        rows.append([name, tau, base.idxmax() == scores[name].idxmax()])
    return scores, pd.DataFrame(rows, columns=["variant", "kendall_tau_b", "same_first"])


def variants_verdict(agreement: pd.DataFrame) -> Message:
    """Say how far the choice of the normalisation turns the order of customers.

    Parameters
    ----------
    agreement : pandas.DataFrame
        From `scoring_variants`.

    Returns
    -------
    Message
    """
    known = agreement.dropna(subset=["kendall_tau_b"])
    if known.empty:
        return message("weighting.variants_nothing")
    least = known.loc[known["kendall_tau_b"].idxmin()]
    other = int((~agreement["same_first"]).sum())
    facts = {"variant": least["variant"], "tau": least["kendall_tau_b"], "count": len(agreement)}
    if least["kendall_tau_b"] >= 1 - 1e-12:
        return message("weighting.variants_alike", count=len(agreement))
    return message("weighting.variants_differ", other=other, **facts)


def _topsis_values(name: str, raw: np.ndarray, z: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Columns on which more is better, by a normalisation of `TOPSIS`."""
    if name == "minmax":
        return z
    if name == "max":
        share = raw / raw.max(axis=0)
        return np.where(cost, 1 - share, share)
    if name == "sum":
        turned = np.where(cost, 1 / np.where(cost, raw, 1), raw)
        return np.asarray(turned / turned.sum(axis=0))
    turns = name.startswith("positive")
    turned = np.where(cost, raw.max(axis=0) - raw, raw) if turns else raw
    length = np.sqrt((turned**2).sum(axis=0))
    scaled = turned / np.where(length > 0, length, 1)
    return scaled if turns else np.where(cost, -scaled, scaled)


def _closeness(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    plus = np.sqrt((((values - values.max(axis=0)) * w) ** 2).sum(axis=1))
    minus = np.sqrt((((values - values.min(axis=0)) * w) ** 2).sum(axis=1))
    total = plus + minus
    return np.divide(minus, total, out=np.full(len(values), 0.5), where=total > 0)


def _grey_differences(name: str, raw: np.ndarray, z: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Distances from the best of each column, by a normalisation of `GREY`."""
    if name == "minmax":
        return 1 - z
    best = np.where(cost, raw.min(axis=0), raw.max(axis=0))
    if name == "initial":
        return 1 - np.where(cost, best / np.where(cost, raw, 1), raw / best)
    return np.asarray(np.abs(raw - best) / raw.mean(axis=0))


def _grey_grade(difference: np.ndarray, w: np.ndarray, rho: float) -> np.ndarray:
    least, most = difference.min(), difference.max()
    if most == 0:
        return np.ones(len(difference))
    return np.asarray(((least + rho * most) / (difference + rho * most)) @ w)
