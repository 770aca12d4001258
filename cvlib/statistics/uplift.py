"""Does a score find those whom a treatment holds? Qini curve and uplift of an experiment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.inputs.choices import number, one_of
from cvlib.inputs.errors import InputError
from cvlib.statistics import resample
from cvlib.statistics.ranks import Order, Ranked
from cvlib.words.message import message

Array = np.ndarray


@dataclass(frozen=True)
class Qini:
    """How much better than chance a score orders customers by the effect of a treatment.

    Attributes
    ----------
    curve : DataFrame
        share (of customers, best score first), gained (outcomes of the treated above what the
        controls say, in customers), chance (the straight line to the last point).
    coefficient : float
        Area between curve and chance, divided by that of the perfect order.
    area, perfect_area : float
        The two areas, customers x outcomes.
    ci_low, ci_high : float
        Of the coefficient; NaN without draws.
    """

    curve: pd.DataFrame
    coefficient: float
    area: float
    perfect_area: float
    ci_low: float = float("nan")
    ci_high: float = float("nan")


def qini(
    outcome: ArrayLike,
    treated: ArrayLike,
    score: ArrayLike,
    bootstrap: resample.Bootstrap | None = None,
) -> Qini:
    """Qini curve and coefficient of a score for the effect of a treatment.

    Q(k) = R_T(k) − R_C(k) N_T(k) / N_C(k) over the distinct scores from the highest down, R
    outcomes and N customers of treated (T) and controls (C). The perfect order has the treated
    with the outcome first and the controls with it last.

    Parameters
    ----------
    outcome, treated : array_like (n,)
        1 or 0: retained or not; treated or control.
    score : array_like (n,)
        High is treated first.
    bootstrap : Bootstrap, optional
        Of the customers, within each arm; without it there is no interval.

    Returns
    -------
    Qini
        Curve, coefficient, areas and interval.

    Raises
    ------
    InputError
        Lengths that differ, values other than 0 and 1, one arm only.

    References
    ----------
    Radcliffe (2007) Direct Marketing Analytics Journal 1:14-21; coefficient as in scikit-uplift.

    Examples
    --------
    >>> from cvlib.statistics.uplift import qini
    >>> qini([1, 0, 0, 1], [1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0]).coefficient
    1.0
    """
    y, t, s = _arrays(outcome, treated, score)
    ones = np.ones((1, y.size))
    order, perfect = Order.of(-s), Order.of(-(y * t - y * (1 - t)))
    people, gained = _curve(order, y, t, ones)
    area, best = _area(people, gained)[0], _area(*_curve(perfect, y, t, ones))[0]
    low = high = float("nan")
    if bootstrap is not None and bootstrap.draws:
        parts = []
        for counts in resample.counts(y.size, bootstrap.draws, bootstrap.seed, t, chunk=16):
            drawn = counts.astype(float)
            parts.append(
                _ratio(_area(*_curve(order, y, t, drawn)), _area(*_curve(perfect, y, t, drawn)))
            )
        limits = resample.percentile_limits(
            np.concatenate(parts), bootstrap.level, nan_policy="omit"
        )
        low, high = (float(v) for v in limits)
    share = people[0] / y.size
    curve = pd.DataFrame({"share": share, "gained": gained[0], "chance": share * gained[0, -1]})
    return Qini(curve, float(_ratio(area, best)), float(area), float(best), low, high)


def uplift_at(
    outcome: ArrayLike,
    treated: ArrayLike,
    score: ArrayLike,
    share: float,
    *,
    by_group: bool = False,
    ties: str = "even",
) -> float:
    """Difference of outcome rates, treated less controls, among the best share by a score.

    Parameters
    ----------
    outcome, treated, score : array_like (n,)
        As in `qini`.
    share : float
        Of the customers, between 0 and 1.
    by_group : bool
        The best of each arm by itself, instead of the best of all.
    ties : {"even", "last"}
        Equal scores at the edge share their places evenly, so that no result depends on the order
        of the rows; or the later row comes first and the number is rounded down, as scikit-uplift
        has it.

    Returns
    -------
    float
        NaN where the best of an arm are none.

    Raises
    ------
    InputError
        Lengths that differ, one arm only, or a share outside 0 to 1.

    Examples
    --------
    >>> from cvlib.statistics.uplift import uplift_at
    >>> uplift_at([1, 0, 0, 1], [1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0], 0.5)
    1.0
    """
    number("share", share, 0, 1, ends="(]")
    one_of("ties", ties, ("even", "last"))
    y, t, s = _arrays(outcome, treated, score)
    if by_group:
        chosen = np.zeros_like(s)
        for arm in (0, 1):
            chosen[t == arm] = _top(s[t == arm], share, ties)
    else:
        chosen = _top(s, share, ties)
    rates = [_ratio((chosen * part * y).sum(), (chosen * part).sum()) for part in (t, 1 - t)]
    return float(rates[0] - rates[1])


def _top(score: Array, share: float, ties: str) -> Array:
    """How far each is in the top."""
    if ties == "even":
        order = Order.of(score)
        return Ranked(order, np.ones((1, score.size))).in_top(share)[0, order.group]
    chosen = np.zeros_like(score)
    chosen[np.argsort(score, kind="mergesort")[::-1][: int(score.size * share)]] = 1.0
    return chosen


def _arrays(outcome: ArrayLike, treated: ArrayLike, score: ArrayLike) -> tuple[Array, ...]:
    y, t, s = (np.asarray(v, dtype=float) for v in (outcome, treated, score))
    if y.ndim != 1 or y.shape != t.shape or y.shape != s.shape:
        raise InputError(
            "score",
            message("refusals.differs_in_length_from_outcome"),
            message("refusals.pass_one_each"),
        )
    for name, values in (("outcome", y), ("treated", t)):
        if not np.isin(values, (0, 1)).all():
            raise InputError(
                name,
                message("refusals.holds_other_values_than_and"),
                message("refusals.code_it_as_and"),
            )
    if not y.size or t.min() == t.max():
        raise InputError(
            "treated",
            message("refusals.has_one_arm_only"),
            message("refusals.an_effect_needs_treated_and"),
        )
    if not np.isfinite(s).all():
        raise InputError(
            "score",
            message("refusals.holds_values_that_are_not"),
            message("refusals.leave_those_rows_out"),
        )
    return y, t, s


def _curve(order: Order, y: Array, t: Array, counts: Array) -> tuple[Array, Array]:
    """(samples, points) customers and gain down to each distinct score, from nobody on."""
    start = np.zeros((len(counts), 1))
    n_t, n_c, r_t, r_c = (
        np.concatenate([start, np.cumsum(order.sums(counts * part), axis=1)], axis=1)
        for part in (t, 1 - t, t * y, (1 - t) * y)
    )
    scale = np.divide(n_t, n_c, out=np.zeros_like(n_t), where=n_c > 0)
    return n_t + n_c, r_t - r_c * scale


def _area(people: Array, gained: Array) -> Array:
    """(samples,) area between the curve and the straight line to its end."""
    under = (np.diff(people, axis=1) * (gained[:, 1:] + gained[:, :-1]) / 2).sum(axis=1)
    return under - people[:, -1] * gained[:, -1] / 2


def _ratio(part: Array | float, whole: Array | float) -> Array:
    a, b = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b != 0)
