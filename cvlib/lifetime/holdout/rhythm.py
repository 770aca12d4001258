"""Do customers buy at regular intervals, and does a model that knows it forecast better?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.database import SHARE
from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.baselines import Forecast, customer_rows
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying.regular import RegularFit, fit_regular, regularity_table
from cvlib.lifetime.units import DAYS
from cvlib.results import Result
from cvlib.words.message import Message, message

Array = np.ndarray

_PAIRS = f"""
WITH gaps AS (
    SELECT customer_id, day, day - lag(day) OVER own AS gap FROM days
    WHERE purchase AND day <= $1 WINDOW own AS (PARTITION BY customer_id ORDER BY day)),
pairs AS (
    SELECT customer_id, day, gap, lag(gap) OVER own AS before FROM gaps
    WINDOW own AS (PARTITION BY customer_id ORDER BY day)),
shares AS (
    SELECT customer_id, day, pow(before / (before + gap)::DOUBLE - 0.5, 2) AS square FROM pairs
    WHERE before IS NOT NULL)
SELECT customer_id, arg_max(square, day) AS last, arg_min(square, day) AS first,
       count(*) AS pairs, sum(square::{SHARE})::DOUBLE AS total
FROM shares GROUP BY customer_id ORDER BY customer_id
"""
_LOGS = f"""
SELECT customer_id, coalesce(sum(ln(gap)::{SHARE}), 0)::DOUBLE AS litt, count(gap) AS gaps FROM (
    SELECT customer_id, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
    FROM days WHERE purchase AND day <= $1)
GROUP BY customer_id ORDER BY customer_id
"""


@dataclass(frozen=True, eq=False, repr=False)
class BuyingRhythm(Result):
    """How regular purchases are, and the model of regular buyers where they are.

    Attributes
    ----------
    regularity : DataFrame
        pairs (last, first, all), customers, k, std_error, ci_low, ci_high; no columns where too few
        customers bought three times.
    by_k : DataFrame
        k, log_likelihood of MBG/CNBD-k; no columns where purchases are not regular.
    parameters : DataFrame
        Of the best k.
    forecasts : tuple of Forecast
        For the race; empty where purchases are not regular or the best k is 1.
    sentence : Message
        What was found.
    fit : RegularFit or None
    """

    regularity: pd.DataFrame
    by_k: pd.DataFrame
    parameters: pd.DataFrame
    forecasts: tuple[Forecast, ...]
    sentence: Message
    fit: RegularFit | None = None
    headline_tables = ("regularity", "by_k")

    def sentences(self) -> list[str]:
        said = [self.sentence]
        return [*said, self.fit.sentence] if self.fit is not None else [*said]


def buying_rhythm(
    summary: PurchaseSummary, expected_spend: Array | None = None, *, level: float = 0.95
) -> BuyingRhythm:
    """Regularity of purchases up to the cut; MBG/CNBD-k joins the race where it is above chance.

    Parameters
    ----------
    summary : PurchaseSummary
        The split, whose log is still open.
    expected_spend : array, shape (customers,), optional
        Expected spend per purchase; gives the forecast of money.
    level : float
        Of the intervals: the model is fitted where that of the last two gaps lies above 1.

    Returns
    -------
    BuyingRhythm
        Regularity, the model by k, and its forecast of the holdout by the exact series.

    Raises
    ------
    InputError
        A summary without the gaps between purchases.

    References
    ----------
    Wheat & Morrison (1990) J. Marketing Research 27:87-93; Reutterer, Platzer & Schröder (2021)
    Int. J. Research in Marketing 38:194-215.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.buying_rhythm(p).forecasts
    ()
    """
    none = pd.DataFrame()
    pairs = summary.log.query(_PAIRS, summary.cut)
    try:
        found = regularity_table(
            *(pairs[name].to_numpy(float) for name in ("last", "first", "total", "pairs")),
            level=level,
        )
    except InputError:
        few = message("lifetime.regularity_few", customers=len(pairs))
        return BuyingRhythm(none, none, none, (), few)
    if found.regularity["ci_low"].iloc[0] <= 1:
        return BuyingRhythm(found.regularity, none, none, (), found.sentence)
    people = customer_rows(summary)
    logs = summary.log.query(_LOGS, summary.cut).set_index("customer_id").loc[people["customer_id"]]
    unit = np.log(DAYS[summary.unit])
    rows = people[["x", "t_x", "T"]].reset_index(drop=True)
    rows["litt"] = (logs["litt"] - logs["gaps"] * unit).to_numpy(float)
    fit = fit_regular(rows, level=level)
    history = [rows[name].to_numpy(float) for name in ("x", "t_x", "T")]
    forecasts: tuple[Forecast, ...] = ()
    if summary.holdout > 0 and fit.k > 1:  # with k = 1 it is the MBG/NBD
        expected = fit.expected_purchases(summary.holdout, *history)
        own = Forecast(
            "mbg_cnbd_k",
            expected=expected,
            probability=fit.probability_of_purchase(summary.holdout, *history),
            spend=None if expected_spend is None else expected * expected_spend,
        )
        forecasts = (own, Forecast("mbg_cnbd_k_p_alive", probability=fit.p_alive(*history)))
    return BuyingRhythm(found.regularity, fit.by_k, fit.parameters, forecasts, found.sentence, fit)
