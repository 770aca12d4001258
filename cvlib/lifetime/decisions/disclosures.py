"""The value of a firm's customers from what it discloses by quarter: gained, lost, at the end"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvlib.inputs.choices import number, whole
from cvlib.inputs.columns import enough_rows, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.lifetime.decisions.growth import growth_table
from cvlib.results import Finding
from cvlib.words.message import message

Array = NDArray[np.float64]
_LEAST, _AHEAD = 8, 400  # quarters that five parameters take; quarters summed ahead
_EDGE = 8.0  # logs of the parameters


def disclosed_value(
    data: Any,
    quarter_margin: float,
    annual_rate: float,
    *,
    pool: float,
    cost: float = 0.0,
    other_assets: float = 0.0,
    debt: float = 0.0,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Acquisition and retention fitted to quarterly disclosures, and what the customers are worth.

    Prospects of a pool become customers at gamma-distributed rates, customers leave at others, so
    that both slow down as the quickest have gone. The model is fitted by least squares to the
    customers gained and lost in each quarter and carried on for a century. Customers there before
    the first quarter are taken as new in it.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        One row per quarter, in order: added, lost, customers (at the end).
    quarter_margin : float
        Of a customer and quarter, after variable cost.
    annual_rate : float
        Discount rate per year.
    pool : float
        Prospects at the start who may ever become customers.
    cost : float
        Of winning one customer.
    other_assets, debt : float
        Non-operating assets and debt; equity is what customers are worth plus the one less the
        other.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        disclosed_parameters: parameter, estimate. disclosed_fit: quarter, added, added_fitted,
        lost, lost_fitted. disclosed_value: part (present and future customers, acquisition, other
        assets, debt, equity), value. disclosed_growth: the reading by one retention rate and a
        logistic curve of customers (`growing_base`), which needs no pool; left out, with a warning,
        where customers follow no such curve.

    Raises
    ------
    InputError
        Fewer than eight quarters, customers that do not add up, more customers than prospects.

    References
    ----------
    McCarthy, Fader & Hardie (2017) J. Marketing 81(1):17-35, without covariates and with one pool;
    recalled, not checked against its tables [M].

    Examples
    --------
    >>> import cvlib as cv, numpy as np, pandas as pd
    >>> t = np.arange(12)
    >>> q = pd.DataFrame({"added": 90 - 4 * t, "lost": 20 + t})
    >>> q["customers"] = 400 + (q["added"] - q["lost"]).cumsum()
    >>> found = cv.lifetime.disclosed_value(q, 10.0, 0.1, pool=3000)
    >>> found["disclosed_value"]["part"].tolist()[-1]
    'equity'
    """
    from scipy.optimize import least_squares

    number("quarter_margin", quarter_margin, 0, ends="()")
    number("annual_rate", annual_rate, 0, 1, ends="()")
    number("pool", pool, 0, ends="()")
    table = opened(data, reading)
    added, lost, end = (
        within(table, name, 0).to_numpy(float) for name in ("added", "lost", "customers")
    )
    enough_rows(table, len(end), _LEAST, "quarters")
    gap = np.abs(np.diff(end) - (added - lost)[1:])
    if (gap > 0.005 * end[1:] + 1).any():
        row = int(np.argmax(gap)) + 1
        raise InputError(
            f"{table.source}, quarter {row + 1}",
            message("refusals.customers_are_not_those_before"),
            message("refusals.restate_the_quarter_or_book"),
        )
    start = end[0] - added[0] + lost[0]
    if pool <= added.sum():
        raise InputError(
            "pool",
            message("refusals.prospects_are_fewer_than_were", pool=pool),
            message("refusals.give_more"),
        )
    scale = np.array([max(added.std(), 1e-9), max(lost.std(), 1e-9)])

    def errors(theta: Array) -> Array:
        gains, losses, _ = _course(theta, pool, start, len(end))
        return np.concatenate([(gains - added) / scale[0], (losses - lost) / scale[1]])

    begin = [np.array([a, 0.0, b, 0.0, 0.5]) for a in (-3.0, -1.0) for b in (-3.0, -1.0)]
    fits = [least_squares(errors, b, bounds=(-_EDGE, _EDGE), x_scale=1.0) for b in begin]
    best = min(fits, key=lambda fit: fit.cost).x
    gains, losses, _ = _course(best, pool, start, len(end))
    worth = _worth(best, pool, start, len(end), end[-1], quarter_margin, annual_rate)
    parts = {
        "present_customers": worth[0], "future_customers": worth[1],
        "acquisition": -cost * worth[2], "other_assets": other_assets, "debt": -debt,
    }  # fmt: skip
    parts["equity"] = sum(parts.values())
    quarters = {"quarter": np.arange(1, len(end) + 1), "added": added, "added_fitted": gains}
    quarters |= {"lost": lost, "lost_fitted": losses}
    tables = {
        "disclosed_parameters": _parameters(best),
        "disclosed_fit": pd.DataFrame(quarters),
        "disclosed_value": pd.DataFrame({"part": list(parts), "value": list(parts.values())}),
    }
    off = [float(np.abs(f - o).sum() / o.sum()) for f, o in ((gains, added), (losses, lost))]
    grown, warned = growth_table(end, lost, quarter_margin, annual_rate, cost)
    if grown is not None:
        tables["disclosed_growth"] = grown
    kind = "present" if parts["present_customers"] >= parts["future_customers"] else "future"
    said = message(
        f"decisions.disclosed_{kind}", present=parts["present_customers"],
        future=parts["future_customers"], equity=parts["equity"], added=off[0], lost=off[1],
    )  # fmt: skip
    return Finding(tables, said, (message("decisions.disclosed_pool", pool=pool), *warned), parts)


def _parameters(theta: Array) -> pd.DataFrame:
    share = 1 / (1 + np.exp(-theta[4]))
    names = ["acquisition_level", "acquisition_shape", "leaving_level", "leaving_shape", "never"]
    return pd.DataFrame({"parameter": names, "estimate": [*np.exp(theta[:4]), 1 - share]})


def _course(theta: Array, pool: float, start: float, quarters: int) -> tuple[Array, Array, Array]:
    """Customers gained and lost by quarter, and the survival of customers by age."""
    t = np.arange(quarters + 1.0)
    (pace, shape, leave, slope) = np.exp(theta[:4])
    won = 1 - (1 + pace / shape * t) ** -shape  # α = shape / pace: pace is the mean rate
    stay = (1 + leave / slope * t) ** -slope
    gains = pool / (1 + np.exp(-theta[4])) * np.diff(won)
    gone = -np.diff(stay)
    # those won in a quarter are a quarter old at the end of the next; the first are there at once
    losses = start * gone + np.concatenate([[0.0], np.convolve(gains, gone)[: quarters - 1]])
    return gains, losses, stay


def _worth(
    theta: Array, pool: float, start: float, known: int, end: float, margin: float, rate: float
) -> tuple[float, float, float]:
    """Present customers, future ones, and the discounted number of those to be won."""
    whole("quarters", known, 1)
    gains, _, stay = _course(theta, pool, start, known + _AHEAD)
    pull = (1 + rate) ** (-np.arange(_AHEAD) / 4)
    ages = np.arange(known, -1, -1)
    cohorts = np.concatenate([[start], gains[:known]])
    kept = np.array([cohorts @ stay[np.minimum(ages + k, stay.size - 1)] for k in range(_AHEAD)])
    kept = kept * (end / kept[0])  # the customers disclosed, ageing as the model says
    later = np.convolve(gains[known:], stay[:_AHEAD])[:_AHEAD]
    return float(margin * kept @ pull), float(margin * later @ pull), float(gains[known:] @ pull)
