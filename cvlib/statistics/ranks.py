"""Does a score put the right ones first? Ties, rank correlations, AUC, and what the top holds.

Every measure takes counts, how often each customer is in each sample (samples, customers): a row
of ones is the data as they are, rows of `resample.counts` are a bootstrap. Estimates and intervals
therefore come from the same lines, and a score is sorted once for all of its resamples.

Equal scores share their ranks and their places in a top group evenly: the mean over every order of
the tied ones, so that no result depends on the order of the rows. The top tenth of 25 customers is
2.5 customers, the third counted by half. A whole third customer would make it the top 12 per cent:
a score that knows nothing would then hold 12 per cent of the outcome and show a lift, more of it
the fewer the customers, and samples of different sizes could not be compared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Order(NamedTuple):
    """How a score orders customers.

    Attributes
    ----------
    places : ndarray of int (units,)
        Positions from the lowest score to the highest.
    starts : ndarray of int (groups,)
        Where each group of equal scores begins in `places`.
    group : ndarray of int (units,)
        The group of each customer, 0 the lowest score.
    """

    places: Array
    starts: Array
    group: Array

    @classmethod
    def of(cls, score: Array, decimals: int | None = None) -> Order:
        """Sort once; scores that are equal after rounding to `decimals`, if given, are tied."""
        x = np.asarray(score, dtype=float)
        x = x if decimals is None else np.round(x, decimals)
        places = np.argsort(x, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(x[places]) > 0))
        group = np.empty(len(x), dtype=np.int64)
        group[places] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(x))))
        return cls(places, starts, group)

    def sums(self, values: Array) -> Array:
        """(samples, groups) sums over the customers of equal score, lowest score first."""
        return np.add.reduceat(values[:, self.places], self.starts, axis=1)


class Ranked:
    """An order in samples of the customers.

    Parameters
    ----------
    order : Order
        Of the score.
    counts : ndarray (samples, units)
        How often each customer is in each sample.

    Attributes
    ----------
    size : ndarray (samples, groups)
        Customers of each group of equal scores.
    total : ndarray (samples, 1)
        Customers.
    mid_rank : ndarray (samples, groups)
        Mean rank of each group, 1 the lowest.
    """

    def __init__(self, order: Order, counts: Array) -> None:
        self.order, self.counts = order, counts
        self.size = order.sums(counts)
        self.below_or_in = np.cumsum(self.size, axis=1)
        self.total = self.below_or_in[:, -1:]
        self.mid_rank = self.below_or_in - (self.size - 1) / 2

    def deviations(self) -> Array:
        """(samples, units) mid-ranks less their mean."""
        return self.mid_rank[:, self.order.group] - (self.total + 1) / 2

    def among(self, places: Array) -> Array:
        """(samples, groups) part of each group that is among the first `places` (samples, 1)."""
        room = places - (self.total - self.below_or_in)
        return np.clip(room / np.where(self.size > 0, self.size, 1), 0, 1)

    def in_top(self, share: float) -> Array:
        """(samples, groups) part of each group that is inside the top share of customers."""
        return self.among(share * self.total)


def mid_ranks(score: Array, decimals: int | None = 12) -> Array:
    """(units,) ranks, 1 the highest score; scores equal to `decimals` share their mean rank."""
    from scipy import stats  # slow to load

    x = np.asarray(score, dtype=float)
    return stats.rankdata(-(x if decimals is None else np.round(x, decimals)))


def equal_counts(score: Array, groups: int) -> Array:
    """(units,) group of each, 0 the lowest, of groups of equal number; equal scores share one."""
    from scipy import stats  # slow to load

    place = (stats.rankdata(score) - 0.5) / len(score)
    return (place * groups).astype(np.int64)


def spearman(a: Ranked, b: Ranked) -> Array:
    """(samples,) rank correlation: Pearson's of the mid-ranks; NaN where a score does not vary."""
    x, y, w = a.deviations(), b.deviations(), a.counts
    cross, in_x, in_y = ((w * p * q).sum(axis=1) for p, q in ((x, y), (x, x), (y, y)))
    return ratio(cross, np.sqrt(in_x * in_y))


def kendall_tau(a: Array, b: Array, decimals: int | None = 12) -> float:
    """Kendall's tau-b of two scores of the same customers; NaN where one does not vary."""
    from scipy import stats  # slow to load

    x, y = mid_ranks(a, decimals), mid_ranks(b, decimals)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(stats.kendalltau(x, y).statistic)


def auc(ranked: Ranked, event: Array) -> Array:
    """(samples,) chance that who has the event is ranked above who has not, ties half.

    NaN in a sample without both. `event` is 0 or 1 for each customer (Mann & Whitney, 1947).
    """
    happened = ranked.counts * event
    n1 = happened.sum(axis=1)
    rank_sum = (ranked.order.sums(happened) * ranked.mid_rank).sum(axis=1)
    return ratio(rank_sum - n1 * (n1 + 1) / 2, n1 * (ranked.total[:, 0] - n1))


def auc_of(score: Array, event: Array) -> float:
    """AUC of one score in one sample; NaN where all or none had the event."""
    happened = np.asarray(event, dtype=bool)
    if happened.all() or not happened.any():
        return float("nan")
    return float(np.ravel(auc(Ranked(Order.of(score), np.ones((1, len(happened)))), happened))[0])


def capture(ranked: Ranked, worth: Array, share: float) -> Array:
    """(samples,) part of all worth that the top share of customers holds.

    Parameters
    ----------
    ranked : Ranked
        Customers by their score.
    worth : ndarray (units,)
        What each is worth, 0 or more.
    share : float
        Between 0 and 1; the last customer counts in part where share x customers is no whole
        number.

    Returns
    -------
    ndarray (samples,)
        NaN where nobody is worth anything. Divided by the share it is the lift.
    """
    held = ranked.order.sums(ranked.counts * worth)
    return ratio((held * ranked.in_top(share)).sum(axis=1), held.sum(axis=1))


def capture_curve(order: Order, worth: Array, at: Array) -> Array:
    """`capture` at many shares of the customers, the shape of `at`."""
    size, held = np.bincount(order.group)[::-1], np.bincount(order.group, worth)[::-1]
    share = np.append(0, np.cumsum(size)) / len(order.group)
    return np.interp(at, share, np.append(0, np.cumsum(held)) / np.sum(worth))


def hit_rate(a: Ranked, b: Ranked, share: float) -> Array:
    """(samples,) part of the top share by `b` that is found in the top share by `a`.

    Ties at the edge are broken at random in each, independently: a score that knows nothing finds
    what chance finds, and even `b` itself stays below 1 where its edge is tied. A top of 2.5
    customers is one of 2 or of 3, each half of the time.
    """
    places = share * a.total
    whole = np.floor(places + 1e-9)
    both = [
        (a.counts * (a.among(k)[:, a.order.group] * b.among(k)[:, b.order.group])).sum(axis=1)
        for k in (whole, whole + 1)
    ]
    part = np.maximum(places - whole, 0)[:, 0]
    return ((1 - part) * both[0] + part * both[1]) / places[:, 0]


def overlap(a: Order, b: Order, share: float) -> float:
    """Part of the top share that two rankings have in common; 1 for equal rankings, tied or not.

    Ties at the edges are broken by one random order for both rankings, so that a customer is in
    both tops with the smaller of its two chances.
    """
    ones = np.ones((1, len(a.group)))
    tops = [Ranked(order, ones).in_top(share)[0, order.group] for order in (a, b)]
    return float(np.minimum(*tops).sum() / (share * len(a.group)))


def gini(ranked: Ranked, worth: Array) -> Array:
    """(samples,) concentration of worth along the score, n times its Gini coefficient."""
    held = ranked.order.sums(ranked.counts * worth)
    mean_place = ratio((held * ranked.mid_rank).sum(axis=1), held.sum(axis=1))
    return 2 * mean_place - (ranked.total[:, 0] + 1)


def ratio(part: Array, whole: Array) -> Array:
    """NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
