"""Why customers leave: cumulative incidence by reason, where all reasons compete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.results import Result
from cvlib.statistics.resample import reach
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class Incidence(Result):
    """Share of customers lost by reason and period.

    Attributes
    ----------
    incidence : DataFrame
        reason, period, lost (in the period), incidence, std_error, ci_low, ci_high. The incidences
        of all reasons and the survival add up to one. Without columns when no reason is known.
    sentence : Message or None
        The share lost by each reason at the end.
    level : float
        Of the intervals (log-log).
    """

    incidence: pd.DataFrame
    sentence: Message | None
    level: float

    def sentences(self) -> list[str]:
        return [self.sentence] if self.sentence is not None else []


def cumulative_incidence(
    duration: ArrayLike, reason: pd.Series | None, level: float = 0.95
) -> Incidence:
    """Aalen-Johansen estimate of the share lost by each reason up to each period.

    F_k(t) = Σ_{s ≤ t} S(s−) d_k(s) / n(s), where S is Kaplan-Meier of leaving for whatever reason:
    one minus Kaplan-Meier of a single reason would count as still to be lost by it those who are
    gone for another. Losses come before censorings of the same period.

    Parameters
    ----------
    duration : array, shape (customers,)
        Whole periods.
    reason : Series or None
        Why each left, missing for those still there; None: nothing is estimated.
    level : float
        Of the intervals.

    Returns
    -------
    Incidence
        Share lost by reason and period with interval; a sentence.

    References
    ----------
    Aalen & Johansen (1978) Scandinavian J. Statistics 5:141-150; variance by the delta method,
    Marubini & Valsecchi (1995) Analysing Survival Data, section 10.4.

    Examples
    --------
    >>> import cvlib as cv
    >>> import pandas as pd
    >>> reason = pd.Series(["price", None, "moved", None])
    >>> lost = cv.lifetime.cumulative_incidence([1, 2, 2, 3], reason).incidence
    >>> sorted(lost["reason"].unique())
    ['moved', 'price']
    """
    if reason is None:
        return Incidence(pd.DataFrame(), None, level)
    time = np.asarray(duration, dtype=float)
    left = reason.notna().to_numpy()
    steps = np.unique(time[left])
    at_risk = np.array([(time >= t).sum() for t in steps], dtype=float)
    lost = np.array([(left & (time == t)).sum() for t in steps], dtype=float)
    before = np.concatenate([[1.0], np.cumprod(1 - lost / at_risk)[:-1]])
    z = reach(level)
    parts, ends = [], {}
    for name in reason.value_counts().index:
        own = np.array(
            [((reason == name).to_numpy() & (time == t)).sum() for t in steps], dtype=float
        )
        total = np.cumsum(before * own / at_risk)
        error = np.sqrt(_variance(total, before, own, lost, at_risk))
        with np.errstate(divide="ignore", invalid="ignore"):
            wide = z * error / (total * np.log(total))  # of ln(−ln F)
            low, high = total ** np.exp(-wide), total ** np.exp(wide)
        known = (total > 0) & (total < 1)
        parts.append(
            pd.DataFrame(
                {
                    "reason": str(name),
                    "period": steps,
                    "lost": own,
                    "incidence": total,
                    "std_error": error,
                    "ci_low": np.where(known, np.minimum(low, high), np.nan),
                    "ci_high": np.where(known, np.maximum(low, high), np.nan),
                }
            )
        )
        ends[str(name)] = float(total[-1])
    shares = [message("lifetime.share_by_reason", reason=name, share=s) for name, s in ends.items()]
    said = message("lifetime.incidence", period=steps[-1], shares=shares)
    return Incidence(pd.concat(parts, ignore_index=True), said, level)


def _variance(
    total: np.ndarray, before: np.ndarray, own: np.ndarray, lost: np.ndarray, n: np.ndarray
) -> np.ndarray:
    """Variance of F_k at every step, by the delta method."""
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        risk = np.where(n > lost, lost / (n * (n - lost)), 0.0)  # nothing comes after the last one
    for last in range(total.size):
        upto = slice(0, last + 1)
        ahead = total[last] - total[upto]
        found.append(
            (ahead**2 * risk[upto]).sum()
            + (before[upto] ** 2 * own[upto] * (n[upto] - own[upto]) / n[upto] ** 3).sum()
            - 2 * (ahead * before[upto] * own[upto] / n[upto] ** 2).sum()
        )
    return np.maximum(np.array(found), 0.0)
