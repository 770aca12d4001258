"""The value of a growing base of customers by one retention rate and a logistic curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvlib.inputs.choices import number
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
_CLOSE = 0.05  # mean error of the curve, as a share of customers, above which it is none [P]


def growing_base(
    curve: tuple[float, float, float],
    begin: float,
    *,
    margin: float,
    retention: float,
    rate: float,
    cost: float = 0.0,
) -> dict[str, float]:
    """Value of customers there and to come where their number follows a logistic curve.

    N(t) = α / (1 + exp(−β − γt)), n(t) = N'(t). A customer won is worth
    m ∫ exp(−((1 + i − r)/r) u) du = m r / (1 + i − r), less the cost of winning; those to come
    are worth ∫ n(k) exp(−ik) [m r / (1 + i − r) − c] dk from now on.

    Parameters
    ----------
    curve : tuple of float
        α (ceiling, in customers), β, γ (per period).
    begin : float
        The present, in periods on the curve's axis.
    margin : float
        m, of a customer and period.
    retention : float
        r, share of customers kept from period to period.
    rate : float
        i, discount rate of a period.
    cost : float
        c, of winning one customer.

    Returns
    -------
    dict
        existing, future, total.

    Raises
    ------
    InputError
        A retention or rate out of range.

    References
    ----------
    Gupta, Lehmann & Stuart (2004) J. Marketing Research 41:7-18; recalled, not checked against its
    tables [M].

    Examples
    --------
    >>> from cvlib.lifetime.decisions.growth import growing_base
    >>> found = growing_base((100.0, 9.0, 1.0), 0.0, margin=10.0, retention=0.8, rate=0.1)
    >>> round(found["existing"] / 99.9877)
    27
    """
    from scipy.integrate import quad
    from scipy.special import expit

    number("retention", retention, 0, 1, ends="()")
    number("rate", rate, 0, 1, ends="()")
    ceiling, level, pace = curve
    each = margin * retention / (1 + rate - retention)

    def won(k: float) -> float:
        share = expit(level + pace * (begin + k))
        return float(ceiling * pace * share * (1 - share) * np.exp(-rate * k))

    turn = max(-level / pace - begin, 0.0) if pace > 0 else 0.0
    far = turn + 50 / max(pace, 1e-9)
    parts = [quad(won, a, b, limit=200)[0] for a, b in ((0.0, turn), (turn, far)) if b > a]
    there = ceiling * float(expit(level + pace * begin)) * each
    future = float(sum(parts)) * (each - cost)
    return {"existing": there, "future": future, "total": there + future}


def growth_table(
    customers: Array, lost: Array, margin: float, annual_rate: float, cost: float
) -> tuple[pd.DataFrame | None, list[Message]]:
    """Logistic curve and value of quarterly customers; why there is none where they follow none.

    Parameters
    ----------
    customers, lost : ndarray (quarters,)
        At the end of each quarter, and lost in it.
    margin, annual_rate, cost : float
        Per customer and quarter, per year, and of winning one.

    Returns
    -------
    DataFrame or None
        measure, value: ceiling, midpoint (quarter), pace, retention, existing, future, total.
    list of Message
        The reason.
    """
    from scipy.optimize import least_squares
    from scipy.special import expit

    t, most = np.arange(1.0, len(customers) + 1), float(customers.max())

    def errors(theta: Array) -> Array:
        return np.exp(theta[0]) * expit(np.exp(theta[2]) * (t - theta[1])) - customers / most

    starts = [np.array([a, m, g]) for a in (0.1, 1.0) for m in (t[0], t[-1]) for g in (-3.0, -1.0)]
    low, high = [-1.0, -20 * t[-1], -8.0], [np.log(50), 20 * t[-1], 3.0]
    fits = [least_squares(errors, s, bounds=(low, high), x_scale=[1, t[-1], 1]) for s in starts]
    best = min(fits, key=lambda fit: fit.cost)
    off = float(np.abs(best.fun).mean() / (customers / most).mean())
    kept = 1 - float((lost[1:] / customers[:-1]).mean())
    edge = bool((np.abs(best.x - low) < 1e-6).any() or (np.abs(best.x - high) < 1e-6).any())
    if off > _CLOSE or edge or not 0 < kept < 1:
        return None, [message("decisions.growth_left_out", off=off)]
    ceiling, pace = most * float(np.exp(best.x[0])), float(np.exp(best.x[2]))
    worth = growing_base(
        (ceiling, -pace * float(best.x[1]), pace), t[-1], margin=margin, retention=kept,
        rate=(1 + annual_rate) ** 0.25 - 1, cost=cost,
    )  # fmt: skip
    rows = {"ceiling": ceiling, "midpoint": float(best.x[1]), "pace": pace, "retention": kept}
    rows |= worth
    return pd.DataFrame({"measure": list(rows), "value": list(rows.values())}), []
