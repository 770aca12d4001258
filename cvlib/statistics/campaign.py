"""What a campaign that contacts the likeliest leavers earns: EMP, MP, and contacting everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.words.message import message

Array = np.ndarray


@dataclass(frozen=True)
class Campaign:
    """What contacting a customer costs and brings.

    Parameters
    ----------
    value : float
        What keeping a customer who would have left is worth, in currency.
    incentive : float
        Cost of the incentive, taken by every contacted stayer and by leavers who respond.
    contact : float
        Cost of contacting one customer.
    response : float
        Mean share of would-be leavers whom contact keeps, between 0 and 1.
    certainty : float
        How surely that share is known: it is Beta(response x certainty, (1 - response) x
        certainty), by default Beta(6, 14).

    Raises
    ------
    InputError
        A negative cost, a value that is not positive, a share outside 0 and 1.

    References
    ----------
    Verbraken, Verbeke & Baesens (2013) IEEE TKDE 25:961-973.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.Campaign(value=150.0, contact=0.5).beta
    (6.0, 14.0)
    """

    value: float = 200.0
    incentive: float = 10.0
    contact: float = 1.0
    response: float = 0.3
    certainty: float = 20.0

    def __post_init__(self) -> None:
        number("value", self.value, 0, ends="()", remedy="It is what a kept customer is worth.")
        number("incentive", self.incentive, 0, remedy="0: no incentive.")
        number("contact", self.contact, 0, remedy="0: contact is free.")
        number("response", self.response, 0, 1, ends="()", remedy="0.3 is usual.")
        number("certainty", self.certainty, 0, ends="()", remedy="20 is usual.")

    @property
    def beta(self) -> tuple[float, float]:
        """Parameters of the beta distribution of the response."""
        return self.response * self.certainty, (1 - self.response) * self.certainty


@dataclass(frozen=True)
class MaximumProfit:
    """Profit per customer of contacting the best part of a list, and of contacting all.

    Attributes
    ----------
    emp, emp_fraction : float
        Expected maximum profit per customer over the response, and the expected share contacted.
    mp, mp_fraction : float
        The same at the mean response.
    everybody : float
        Profit per customer of contacting everybody, at the mean response: without it a measure
        that cannot fall below it flatters any score.
    """

    emp: float
    emp_fraction: float
    mp: float
    mp_fraction: float
    everybody: float


def roc_hull(score: ArrayLike, left: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Upper convex hull of the ROC curve of a score for leaving.

    Parameters
    ----------
    score : array_like (n,)
        High is contacted first; equal scores are one point.
    left : array_like (n,)
        1 for who left, 0 for who stayed.
    weights : array_like (n,), optional
        Of each customer; 1 where not given.

    Returns
    -------
    ndarray (k, 2)
        Share of leavers and share of stayers contacted, from (0, 0) to (1, 1).
    """
    s, y = np.asarray(score, dtype=float), np.asarray(left, dtype=float)
    w = np.ones_like(s) if weights is None else np.asarray(weights, dtype=float)
    _check(s, y, w)
    _, group = np.unique(-s, return_inverse=True)
    leavers, stayers = np.bincount(group, w * y), np.bincount(group, w * (1 - y))
    leavers, stayers = (np.append(0.0, np.cumsum(v)) for v in (leavers, stayers))
    leavers, stayers = _corners(leavers / leavers[-1], stayers / stayers[-1])
    hull: list[int] = []
    for at in range(leavers.size):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            turn = (stayers[b] - stayers[a]) * (leavers[at] - leavers[a])
            if turn < (leavers[b] - leavers[a]) * (stayers[at] - stayers[a]):
                break
            hull.pop()
        hull.append(at)
    return np.column_stack([leavers[hull], stayers[hull]])


def _corners(leavers: Array, stayers: Array) -> tuple[Array, Array]:
    """The points that may be on the hull: none on or below the line between its neighbours."""
    moved = (np.diff(leavers, prepend=-1.0) > 0) | (np.diff(stayers, prepend=-1.0) > 0)
    leavers, stayers, before = leavers[moved], stayers[moved], np.inf
    while 2 < leavers.size < 0.9 * before:
        before, up, along = leavers.size, np.diff(leavers), np.diff(stayers)
        above = along[:-1] * up[1:] < up[:-1] * along[1:]
        kept = np.concatenate([[True], above, [True]])
        leavers, stayers = leavers[kept], stayers[kept]
    return leavers, stayers


def _check(score: Array, left: Array, weights: Array) -> None:
    if score.ndim != 1 or score.shape != left.shape or score.shape != weights.shape:
        raise InputError(
            "score",
            message("refusals.and_outcome_differ_in_length"),
            message("refusals.pass_one_of_each_per"),
        )
    if not np.isfinite(score).all():
        raise InputError(
            "score",
            message("refusals.holds_values_that_are_not"),
            message("refusals.leave_those_rows_out"),
        )
    if not np.isin(left, (0, 1)).all() or left.min(initial=1) == left.max(initial=0):
        raise InputError(
            "left", message("refusals.must_be_and_with_both"), message("refusals.code_who_left_as")
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError(
            "weights",
            message("refusals.must_be_finite_and_not"),
            message("refusals.leave_those_rows_out"),
        )
    if not (weights[left == 1].sum() > 0 and weights[left == 0].sum() > 0):
        raise InputError(
            "weights",
            message("refusals.of_leavers_or_of_stayers"),
            message("refusals.check_the_values"),
        )


def maximum_profit(
    score: ArrayLike,
    left: ArrayLike,
    campaign: Campaign | None = None,
    weights: ArrayLike | None = None,
) -> MaximumProfit:
    """Expected maximum profit (EMP) and maximum profit (MP) of contacting by a score for leaving.

    Parameters
    ----------
    score : array_like (n,)
        High is contacted first; equal scores are contacted together.
    left : array_like (n,)
        1 for who left, 0 for who stayed.
    campaign : Campaign, optional
        Costs, value and response.
    weights : array_like (n,), optional
        Relative value of each customer; leavers and stayers are then counted by it, and incentive
        and contact cost the same share of everyone's value [P].

    Returns
    -------
    MaximumProfit
        In currency per customer.

    Raises
    ------
    InputError
        Lengths that differ, a score that is not finite, an outcome without leavers or stayers.

    References
    ----------
    Verbraken, Verbeke & Baesens (2013) IEEE TKDE 25:961-973, eq. (10)-(17) [M numbers].

    Examples
    --------
    >>> from cvlib.statistics.campaign import Campaign, maximum_profit
    >>> found = maximum_profit([0.9, 0.8, 0.3, 0.1], [1, 0, 1, 0], Campaign(value=100))
    >>> found.emp >= max(0, found.everybody)
    True
    """
    settings = campaign or Campaign()
    hull = roc_hull(score, left, weights)
    y = np.asarray(left, dtype=float)
    w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=float)
    leave = float((w * y).sum() / w.sum())
    stay, worth = 1 - leave, settings.value
    d, f = settings.incentive / worth, settings.contact / worth
    gone, kept = hull[:, 0], hull[:, 1]
    gain, loss = (1 - d) * leave * gone, f * leave * gone + (d + f) * stay * kept
    contacted = leave * gone + stay * kept
    at_mean = worth * (settings.response * gain - loss)
    best = int(at_mean.argmax())
    # the response from which each further point of the hull pays
    step_gain, step_loss = np.diff(gain), np.diff(loss)
    pays = np.divide(step_loss, step_gain, out=np.full(step_gain.size, np.inf), where=step_gain > 0)
    pays = pays[pays < 1]
    edges = np.concatenate([[0.0], np.maximum.accumulate(pays), [1.0]])
    a, b = settings.beta
    chance = np.diff(special.betainc(a, b, edges))
    part = settings.response * np.diff(special.betainc(a + 1, b, edges))
    used = slice(0, chance.size)
    return MaximumProfit(
        float(worth * (gain[used] * part - loss[used] * chance).sum()),
        float((chance * contacted[used]).sum()),
        float(at_mean[best]),
        float(contacted[best]),
        float(at_mean[-1]),
    )


def expected_profit(p_leave: ArrayLike, value: ArrayLike, campaign: Campaign) -> Array:
    """What contacting each customer is expected to earn: p γ (V − d) − (1 − p) d − f.

    Parameters
    ----------
    p_leave, value : array_like (n,)
        Chance of leaving, and what is kept when a leaver stays (`campaign.value` is not used).
    campaign : Campaign
        Incentive d, contact f, response γ.

    Returns
    -------
    ndarray (n,)
        In currency [P].

    References
    ----------
    Verbraken, Verbeke & Baesens (2013), IEEE TKDE 25(5):961-973.

    Examples
    --------
    >>> from cvlib.statistics.campaign import Campaign, expected_profit
    >>> expected_profit([0.5], [100.0], Campaign(incentive=10, contact=1, response=0.4)).tolist()
    [12.0]
    """
    p, v = np.asarray(p_leave, dtype=float), np.asarray(value, dtype=float)
    d = campaign.incentive
    return p * campaign.response * (v - d) - (1 - p) * d - campaign.contact
