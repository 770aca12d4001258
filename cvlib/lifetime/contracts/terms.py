"""What a contract pays and how it is discounted: the value of survival curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvlib.inputs.choices import number, one_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ContractTerms:
    """What a contract pays.

    Parameters
    ----------
    margin : float
        Per customer and period, in money.
    annual_rate : float
        Discount rate per year: 0.10 for 10 %.
    periods_per_year : float
        Periods of the durations in a year.
    payment : {"begin", "end"}
        When a period is paid.
    horizon : int
        Periods summed.

    Raises
    ------
    InputError
        A margin, rate or horizon outside its range.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.ContractTerms(margin=20).periods_per_year
    12.0
    """

    margin: float = 1.0
    annual_rate: float = 0.1
    periods_per_year: float = 12.0
    payment: str = "begin"
    horizon: int = 600

    def __post_init__(self) -> None:
        one_of("payment", self.payment, ("begin", "end"))
        number(
            "annual_discount_rate",
            self.annual_rate,
            0,
            1,
            remedy="0.10 is 10 % a year, 10 is 1000%.",
        )
        for name in ("margin", "periods_per_year", "horizon"):
            number(name, getattr(self, name), 0, ends="()")


def curve_value(
    survival: Callable[[ArrayLike], Array], terms: ContractTerms, *, observed: float
) -> dict[str, float]:
    """Lifetime value of a new customer from a survival curve, and how much lies beyond the data.

    Σ_t margin · S(t) / (1 + i)^(t / periods_per_year), t = 0, 1, … when a period is paid at its
    begin, t = 1, 2, … at its end.

    Parameters
    ----------
    survival : function of t
        Share still subscribed after t periods.
    terms : ContractTerms
        Margin, rate and periods.
    observed : float
        Longest period seen in the data.

    Returns
    -------
    dict
        lifetime_value, within_data, share_beyond_data, at_horizon (share still subscribed there).
    """
    t = np.arange(terms.horizon, dtype=float) + (terms.payment == "end")
    worth = terms.margin * survival(t) * (1 + terms.annual_rate) ** (-t / terms.periods_per_year)
    total, within = float(worth.sum()), float(worth[t <= observed].sum())
    return {
        "lifetime_value": total,
        "within_data": within,
        "share_beyond_data": 1 - within / total,
        "at_horizon": float(survival(np.array([terms.horizon]))[0]),
    }


def observed_survival(
    duration: ArrayLike, event: ArrayLike, times: ArrayLike, counts: Array | None = None
) -> Array:
    """Kaplan-Meier of one or several resamples of the same customers, shape (samples, times).

    Parameters
    ----------
    duration, event : array, shape (customers,)
        As observed.
    times : array, shape (times,)
        Where; beyond a resample's longest duration its last value is carried on.
    counts : array, shape (samples, customers), optional
        How often each customer was drawn; without it the sample itself.
    """
    time, left = np.asarray(duration, dtype=float), np.asarray(event, dtype=float)
    steps, place = np.unique(time, return_inverse=True)
    column = np.searchsorted(steps, np.asarray(times, dtype=float), side="right")
    curves = []
    for drawn in np.ones((1, time.size)) if counts is None else counts:
        lost = np.bincount(place, weights=drawn * left, minlength=steps.size)
        gone = np.bincount(place, weights=drawn, minlength=steps.size)
        at_risk = gone[::-1].cumsum()[::-1]
        kept = np.cumprod(1 - lost / np.maximum(at_risk, 1e-300))
        curves.append(np.concatenate([[1.0], kept])[column])
    return np.array(curves)


def lifetime_value_error(
    observed: Array, forecast: Array, terms: ContractTerms | None = None
) -> tuple[float, float]:
    """Value of a new customer that a forecast curve misses, and its share of the observed value.

    Σ_t margin · [S(t) − Ŝ(t)] / (1 + i)^(t / periods_per_year): above zero the forecast values
    customers too low. Payments and discounting are those of `curve_value`.

    Parameters
    ----------
    observed, forecast : array, shape (periods + 1,)
        S(t) and Ŝ(t) at t = 0, 1, …; the sum ends with them.
    terms : ContractTerms, optional
        See `curve_value`; the error is in the unit of the margin.
    """
    last, given = len(observed) - 1, terms or ContractTerms()
    summed = replace(given, horizon=last + (given.payment == "begin"))

    def worth(curve: Array) -> float:
        return curve_value(
            lambda t: curve[np.minimum(np.asarray(t, dtype=int), last)], summed, observed=last
        )["lifetime_value"]

    value = worth(observed)
    error = value - worth(forecast)
    return error, error / value
