"""The list of customers with forecast and value, without their names."""

from __future__ import annotations

import pandas as pd

from cvlib.lifetime.holdout.forecast import customer_rows
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.lifetime.units import DAYS
from cvlib.lifetime.value import LifetimeValue
from cvlib.statistics import disclosure, resample


def customer_list(
    summary: PurchaseSummary,
    fit: RepeatBuyingFit,
    value: LifetimeValue,
    *,
    pseudonymise: bool = True,
    seed: int = resample.SEED,
    folder: str = "",
) -> pd.DataFrame:
    """Every customer with history, forecast and lifetime value, most valuable first.

    Parameters
    ----------
    summary : PurchaseSummary
        The customers.
    fit : RepeatBuyingFit
        How often they buy.
    value : LifetimeValue
        What each is worth.
    pseudonymise : bool
        Replace ids by pseudonyms.
    seed : int
        Of the pseudonyms.
    folder : str
        Where the key of the pseudonyms is kept; empty: nowhere.

    Returns
    -------
    DataFrame
        customer, x, t_x, T, p_alive, probability_of_purchase and expected_purchases (both over a
        time as long as the holdout, or a year), expected_spend, lifetime_value; without the last
        two, and by expected purchases, where spend is not modelled.

    Raises
    ------
    InputError
        A summary whose customers were written to a file.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> model, money = cv.lifetime.bg_nbd(p), cv.lifetime.spend(p)
    >>> worth = cv.lifetime.lifetime_value(model.fit, money, p.customers, annual_rate=0.1)
    >>> people = cv.lifetime.customer_list(p, model.fit, worth)
    >>> people["lifetime_value"].is_monotonic_decreasing
    True
    """
    customers = customer_rows(summary)
    ahead = summary.holdout or 365.25 / DAYS[summary.unit]
    predicted = fit.predict(customers, ahead).merge(
        value.customers.drop(columns="p_alive"), on="customer_id", validate="one_to_one"
    )
    table = customers[["customer_id", "x", "t_x", "T"]].merge(predicted, on="customer_id")
    names = disclosure.pseudonyms(
        table["customer_id"], seed, folder=folder, pseudonymise=pseudonymise
    )
    columns = ["x", "t_x", "T", "p_alive", "probability_of_purchase", "expected_purchases"]
    if value.reason is not None:  # nothing in money: the best are those who buy most
        return disclosure.listed(table[columns], names, "expected_purchases")
    columns += ["expected_spend", "lifetime_value"]
    return disclosure.listed(table[columns], names, "lifetime_value")
