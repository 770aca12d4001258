"""Do groups lose customers by a reason at the same pace? Gray's test of cumulative incidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cvlib.inputs.errors import InputError
from cvlib.results import Finding
from cvlib.statistics.multiple import adjusted
from cvlib.words.message import message

Array = np.ndarray
_GROUPS = 10  # more levels than this are no groups


def gray_test(
    duration: ArrayLike, reason: pd.Series, group: ArrayLike, *, level: float = 0.95
) -> Finding:
    """Gray's test that the cumulative incidence of each reason is the same in all groups.

    Parameters
    ----------
    duration : array, shape (customers,)
        Whole periods.
    reason : Series
        Why each left; missing for those still there.
    group : array, shape (customers,)
        Of each customer: two to ten values.
    level : float
        Its complement is the level of the sentence, adjusted by Holm over the reasons.

    Returns
    -------
    Finding
        gray_test: reason, chi_square, df, p, p_adjusted. The sentence names the reasons whose
        incidence differs, or that none does.

    Raises
    ------
    InputError
        One group only, or more than ten.

    References
    ----------
    Gray (1988) Annals of Statistics 16:1141-1154 (weights 1).

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> why = pd.Series(["price", "moved", None, "price"] * 10)
    >>> cv.lifetime.gray_test(range(1, 41), why, [0, 1] * 20)["gray_test"]["df"].tolist()
    [1, 1]
    """
    time = np.asarray(duration, dtype=float)
    code, names = pd.factorize(pd.Series(np.asarray(group)))
    if not 2 <= len(names) <= _GROUPS or (code < 0).any():
        raise InputError(
            "group",
            message("refusals.has_values_or_empty_cells", n=len(names)),
            message("refusals.give_two_to_groups", groups=_GROUPS),
        )
    rows = []
    for name in reason.value_counts().index:
        kind = np.where(reason.isna(), 0, np.where(reason == name, 1, 2))
        value = _statistic(time, kind, code)
        rows.append((str(name), value, len(names) - 1, float(chdtrc(len(names) - 1, value))))
    table = pd.DataFrame(rows, columns=["reason", "chi_square", "df", "p"])
    table["p_adjusted"] = adjusted(table["p"].to_numpy(float))
    differ = table.loc[table["p_adjusted"] < 1 - level, "reason"].tolist()
    said = message("lifetime.gray_differ", reasons=differ) if differ else None
    return Finding({"gray_test": table}, said or message("lifetime.gray_alike"), (), {})


def _statistic(time: Array, kind: Array, code: Array) -> float:
    """Gray's statistic of kind 1 (2: other reasons, 0: still there) over groups."""
    groups = int(code.max()) + 1
    at_risk = np.bincount(code, minlength=groups).astype(float)
    before, own, after = np.ones(groups), np.zeros(groups), np.ones(groups)  # S(t-), F(t-), S(t)
    score, spread = np.zeros(groups), np.zeros((groups, groups))
    shared, single, mixed = np.zeros_like(spread), np.zeros(groups), np.zeros_like(spread)
    pooled = 0.0
    steps, place = np.unique(time, return_inverse=True)
    counts = np.zeros((steps.size, 3, groups))
    np.add.at(counts, (place, kind, code), 1.0)
    for lost in counts:
        some, total, others = at_risk > 0, float(lost[1].sum()), lost[2]
        if total or others.any():
            gone = (lost[1] + others)[some]
            after[some] = before[some] * (at_risk[some] - gone) / at_risk[some]
            size = np.where(some, at_risk / np.where(before > 0, before, 1.0), 0.0)
            whole, left = size.sum(), size * (1 - own)
            grown = pooled + total / whole
            lean = np.diag(size) - np.outer(size, size) / whole
            shared += lean * total / (whole * (1 - pooled))
            score += np.where(some, lost[1] - total * left / left.sum(), 0.0)
            kept = np.divide(1 - grown, after, out=np.zeros(groups), where=after > 0)
            for k in np.flatnonzero(some) if total else ():
                ties = 1 - (total - 1) / (whole * before[k] - 1) if total > 1 else 1.0
                weight = ties * before[k] * total / (whole * at_risk[k])
                share, column = 1 - kept[k], lean[:, k] - (1 - kept[k]) * shared[:, k]
                single[k] += share**2 * weight
                mixed[:, k] += column * share * weight
                spread += np.outer(column, column) * weight
            for k in np.flatnonzero((after > 0) & (others > 0)):
                ties = 1 - (others[k] - 1) / (at_risk[k] - 1) if others[k] > 1 else 1.0
                weight = ties * before[k] ** 2 * others[k] / at_risk[k] ** 2
                column = kept[k] * shared[:, k]
                single[k] += kept[k] ** 2 * weight
                mixed[:, k] -= column * kept[k] * weight
                spread += np.outer(column, column) * weight
            own = np.where(some, own + before * lost[1] / np.where(some, at_risk, 1.0), own)
            pooled, before = grown, after.copy()
        at_risk = at_risk - lost.sum(axis=0)
    spread += (shared * single) @ shared.T + shared @ mixed.T + mixed @ shared.T
    first = score[:-1]
    return float(first @ np.linalg.pinv(spread[:-1, :-1]) @ first)
