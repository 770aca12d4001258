"""How much each customer moves a measure: standard errors in one pass, without resampling.

Every function gives the influence of each customer on a measure of all, an array (n,) that sums to
about nothing. The standard error of a measure is the root of the sum of squares divided by n; that
of a difference of two measures of the same customers follows from the difference of their
influences (Hampel 1974, JASA 69:383-393; Efron & Tibshirani 1993, ch. 21).
"""

from __future__ import annotations

import numpy as np

from cvlib.statistics.ranks import Order

Array = np.ndarray


def standard_error(influence: Array) -> float:
    """Of the measure, or of the difference, that the influence belongs to."""
    return float(np.sqrt(np.square(influence, dtype=float).sum()) / influence.size)


class Placed:
    """A score of all customers: its order, and each one's mid-rank as a share.

    Parameters
    ----------
    score : ndarray (n,)
        Equal scores share their rank.

    Attributes
    ----------
    share : ndarray (n,)
        Share of customers below, those equal by half.
    """

    def __init__(self, score: Array) -> None:
        self.order = Order.of(score)
        self.size = np.bincount(self.order.group).astype(float)
        upto = np.cumsum(self.size)
        self.number = float(upto[-1])
        self.share = ((upto - self.size / 2) / self.number)[self.order.group]

    def above(self, weight: Array) -> Array:
        """Mean over all of the weight of those above each customer, those equal by half."""
        held = np.bincount(self.order.group, weight)
        over = held.sum() - np.cumsum(held) + held / 2
        return np.asarray((over / self.number)[self.order.group])

    def in_top(self, share: float) -> Array:
        """How far each customer is in the top share."""
        below = np.cumsum(self.size)
        room = share * self.number - (self.number - below)
        return np.asarray(np.clip(room / self.size, 0, 1)[self.order.group])


def mean(values: Array) -> Array:
    """Influence on a mean."""
    return values - values.mean()


def ratio(part: Array, whole: Array, top: Array, bottom: Array) -> Array:
    """Influence on (mean of `top`) / (mean of `bottom`), given the influences on both."""
    a, b = float(top.mean()), float(bottom.mean())
    if b == 0:  # a ratio to nothing has no value, and nothing moves it
        return np.full(len(part), np.nan)
    return (part - a / b * whole) / b


def root_mean_square(errors: Array) -> Array:
    """Influence on the root of the mean of squares."""
    squares = errors**2
    root = float(np.sqrt(squares.mean()))
    return (squares - squares.mean()) / (2 * root) if root > 0 else np.zeros_like(errors)


def auc(placed: Placed, event: Array) -> Array:
    """Influence on the area under the ROC curve (placement values, DeLong et al. 1988)."""
    n, happened = event.size, event.mean()
    held = np.bincount(placed.order.group, event)
    none = placed.size - held
    below = (np.cumsum(none) - none / 2) / none.sum()
    over = (held.sum() - np.cumsum(held) + held / 2) / held.sum()
    area = float((held * below).sum() / held.sum())
    group = placed.order.group
    found = np.empty(n)
    yes = event == 1
    found[yes] = (below[group[yes]] - area) / happened
    found[~yes] = (over[group[~yes]] - area) / (1 - happened)
    return found


def pearson(a: Array, b: Array) -> Array:
    """Influence on the product-moment correlation."""
    a, b = (v - v.mean() for v in (a, b))
    sd_a, sd_b = np.sqrt((a * a).mean()), np.sqrt((b * b).mean())
    if not (sd_a > 0 and sd_b > 0):
        return np.full(a.size, np.nan)
    x, y = a / sd_a, b / sd_b
    r = float((x * y).mean())
    return np.asarray(x * y - r * (x * x + y * y) / 2)


def spearman(a: Placed, b: Placed) -> Array:
    """Influence on the rank correlation, ties sharing their ranks."""
    f, g = a.share - 0.5, b.share - 0.5
    h, in_a, in_b = float((f * g).mean()), float((f * f).mean()), float((g * g).mean())
    if not (in_a > 0 and in_b > 0):
        return np.full(f.size, np.nan)
    cross = f * g - h + (a.above(g) - h) + (b.above(f) - h)
    own_a = f * f - in_a + 2 * (a.above(f) - in_a)
    own_b = g * g - in_b + 2 * (b.above(g) - in_b)
    root = np.sqrt(in_a * in_b)
    return np.asarray(cross / root - h / root / 2 * (own_a / in_a + own_b / in_b))


def gini(placed: Placed, worth: Array) -> tuple[float, Array]:
    """The concentration of worth along a score (Gini coefficient) and the influence on it."""
    held = worth * placed.share
    part, whole = float(held.mean()), float(worth.mean())
    if whole == 0:  # nothing is concentrated anywhere
        return float("nan"), np.full(worth.size, np.nan)
    own = held - part + (placed.above(worth) - part)
    return 2 * part / whole - 1, 2 * (own - part / whole * (worth - whole)) / whole


def capture(placed: Placed, worth: Array, share: float) -> Array:
    """Influence on the part of all worth that the top share holds.

    The mean worth at the edge of the top is that of the group of equal scores there, or of the
    n^0.6 customers nearest to it on either side where that group is smaller.
    """
    n = worth.size
    top = placed.in_top(share)
    whole = float(worth.mean())
    if whole == 0:
        return np.full(n, np.nan)
    held = float((worth * top).sum() / worth.sum())
    edge = int(np.clip(n - np.ceil(share * n), 0, n - 1))
    places, group = placed.order.places, placed.order.group
    at = group[places[edge]]
    first = placed.order.starts[at]
    width = int(n**0.6)
    low, high = min(first, edge - width), max(first + int(placed.size[at]), edge + width + 1)
    near = worth[places[max(low, 0) : min(high, n)]]
    return np.asarray((worth * top - held * worth - near.mean() * (top - share)) / whole)


def calibration_line(
    logit: Array, happened: Array, intercept: float, slope: float
) -> tuple[Array, Array]:
    """Influences on intercept and slope of a logistic regression (the sandwich's rows)."""
    from scipy.special import expit

    fitted = expit(intercept + slope * logit)
    design = np.column_stack([np.ones_like(logit), logit])
    curve = (design * (fitted * (1 - fitted))[:, None]).T @ design / logit.size
    rows = (happened - fitted)[:, None] * design @ np.linalg.inv(curve)
    return rows[:, 0], rows[:, 1]
