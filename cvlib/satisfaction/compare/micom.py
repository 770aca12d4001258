"""Measurement invariance of composites (MICOM): may two groups' scores be compared at all?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cvlib.satisfaction.compare.composed import Composed
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.statistics.multiple import adjusted_within

STEPS = {"composition": "2 composition", "mean": "3a mean", "log_variance": "3b variance"}


def composite_statistics(
    composed: Composed, together: PLSFit, fit: PLSFit
) -> dict[str, np.ndarray]:
    """What MICOM compares, for fits in which the rows are two groups by turns.

    Parameters
    ----------
    composed : Composed
        How k constructs are made of items; a construct of constructs counts by the weights that
        both its stages give to the items.
    together : PLSFit
        Of the two groups together (B = 1).
    fit : PLSFit
        First group, second group, first group, ... of successive label exchanges.

    Returns
    -------
    dict of ndarray (B, k)
        Each a difference of its rows two by two. composition: 1 - c in the first row and 0 in the
        second, where c is the correlation, in the pooled data, of the scores by the first and by
        the second group's weights. mean, log_variance: of the scores by the pooled weights.
    """
    member, items = composed.member, composed.items
    both = items[:, None], items
    pooled_items, own_items = composed.of_items(together), composed.of_items(fit)
    pooled = pooled_items.item_correlation[0][both]
    every = composed.weights(fit)
    first, second = (np.nan_to_num(every[at::2]) for at in (0, 1))

    def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return ((a[:, :, None] * member).swapaxes(1, 2) @ pooled * b[:, None]) @ member

    def own(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.diagonal(cross(a, b), axis1=1, axis2=2)

    length = np.sqrt(own(first, first) * own(second, second))
    composition = np.zeros((len(every), member.shape[1]))
    composition[0::2] = 1 - own(first, second) / np.where(length > 0, length, np.nan)
    weights, deviation = composed.weights(together)[0], pooled_items.standard_deviation[0, items]
    away = own_items.mean[:, items] - pooled_items.mean[0, items]
    mean = (away / deviation * weights) @ member
    scaled = weights * own_items.standard_deviation[:, items] / deviation
    within = own_items.item_correlation[:, *both]
    spread = (scaled[:, :, None] * within * scaled[:, None]) @ member
    variance = np.einsum("bpk,pk->bk", spread, member)
    return {"composition": composition, "mean": mean, "log_variance": np.log(variance)}


def invariance_table(
    exchanged: Mapping[str, pd.DataFrame], model: Model, adjustment: str, level: float
) -> pd.DataFrame:
    """MICOM step by step for every pair of groups.

    Parameters
    ----------
    exchanged : mapping
        From `differences.exchange`: composition, mean, log_variance per pair and construct.
    model : Model
        The model estimated in every group.
    adjustment : str
        As in `ranking.adjusted`; the constructs of one step and pair are one family.
    level : float
        A step holds where the adjusted p is above 1 - level.

    Returns
    -------
    DataFrame
        group_1, group_2, construct, step, statistic, p, p_adjusted, holds. Step 1 (configural: same
        items, same treatment of the data, same algorithm) holds by construction and has no row.
        Statistic: the correlation c of the scores by both groups' weights; the difference of means
        in pooled standard deviations; the log of the ratio of variances.

    References
    ----------
    Henseler, Ringle & Sarstedt (2016), International Marketing Review 33:405-431 [M].
    """
    parts = []
    for name, step in STEPS.items():
        found = exchanged[name]
        statistic = 1 - found["difference"] if name == "composition" else found["difference"]
        own = found[["group_1", "group_2", "construct"]].assign(
            step=step, statistic=statistic, p=found["p"]
        )
        # the weights of a single item are equal by construction: nothing is tested
        single = own["construct"].isin([c.name for c in model.constructs if len(c.items) == 1])
        tested = own.assign(p=own["p"].mask(single & (name == "composition")))
        own["p_adjusted"] = adjusted_within(tested, "p", ["group_1", "group_2"], adjustment)
        own["p_adjusted"] = own["p_adjusted"].fillna(1.0)
        own["holds"] = own["p_adjusted"] > 1 - level
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def gate_table(invariance: pd.DataFrame) -> pd.DataFrame:
    """What MICOM allows for each pair of groups.

    Returns
    -------
    DataFrame
        group_1, group_2, constructs, composition_holds, mean_holds, variance_holds (numbers of
        constructs), invariance: none (a composition differs: scores and paths of this pair are
        not comparable), partial (paths and indices comparable), full (data may be pooled).
    """
    pairs = ["group_1", "group_2"]
    counted = (
        invariance.assign(step=invariance["step"].str.split().str[1])
        .pivot_table(index=pairs, columns="step", values="holds", aggfunc="sum", sort=False)
        .astype(int)
    )
    total = invariance.groupby(pairs, sort=False)["construct"].nunique()
    table = pd.DataFrame({"constructs": total})
    for step in ("composition", "mean", "variance"):
        table[f"{step}_holds"] = counted[step]
    composed = table["composition_holds"] == total
    full = composed & (table["mean_holds"] == total) & (table["variance_holds"] == total)
    table["invariance"] = np.select([full, composed], ["full", "partial"], "none")
    return table.reset_index()
