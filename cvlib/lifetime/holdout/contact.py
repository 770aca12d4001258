"""Whom to contact: the profit of every ranking of customers, and lists without their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cvlib.lifetime.holdout.forecast import Forecast, customer_rows
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.lifetime.units import DAYS
from cvlib.lifetime.value import LifetimeValue
from cvlib.statistics import disclosure, resample


def profit_curve(
    spend: ArrayLike,
    scores: Mapping[str, NDArray[np.float64]],
    *,
    margin: float,
    contact_cost: float,
) -> pd.DataFrame:
    """Profit in the holdout of contacting the best k % of customers by each score.

    Profit = margin · their spend − contact cost · their number: what contacting only them would
    have kept, were a contact what it takes to keep the spend [P]. Ties share places evenly.

    Parameters
    ----------
    spend : array, shape (customers,)
        Spent in the holdout.
    scores : mapping of name to array
        High is contacted first. An `oracle` that knows the spend is added.
    margin : float
        Share of spend that is margin.
    contact_cost : float
        Per customer contacted.

    Returns
    -------
    DataFrame
        model, share, customers, profit, regret (best possible profit minus this).

    Examples
    --------
    >>> import cvlib as cv
    >>> spend = [30.0, 0.0, 10.0, 0.0]
    >>> curve = cv.lifetime.profit_curve(spend, {"recency": [4.0, 3.0, 2.0, 1.0]}, margin=0.5,
    ...                                  contact_cost=2.0)
    >>> float(curve["profit"].max())
    16.0
    """
    spent = np.maximum(np.asarray(spend, dtype=float), 0)
    parts = []
    for name, score in {**scores, "oracle": spent}.items():
        order = pd.DataFrame({"score": score, "spend": spent}).sort_values("score", ascending=False)
        shared = order.groupby("score", sort=False)["spend"].transform("mean").to_numpy()
        cumulated = np.concatenate(([0], np.cumsum(shared)))
        share = np.linspace(0, 1, 101)
        chosen = np.ceil(share * len(spent) - 1e-9).astype(int)
        profit = margin * cumulated[chosen] - contact_cost * chosen
        parts.append(
            pd.DataFrame({"model": name, "share": share, "customers": chosen, "profit": profit})
        )
    table = pd.concat(parts, ignore_index=True)
    best = table.loc[table["model"] == "oracle", "profit"].max()
    return table.assign(regret=best - table["profit"])


def best_contact(curve: pd.DataFrame) -> pd.DataFrame:
    """The most profitable share to contact by each score, in hindsight; most profitable first.

    Parameters
    ----------
    curve : DataFrame
        As `profit_curve` gives it.

    Returns
    -------
    DataFrame
        The row of `curve` with the largest profit, for each score.

    Examples
    --------
    >>> import cvlib as cv
    >>> spend = [30.0, 0.0, 10.0, 0.0]
    >>> curve = cv.lifetime.profit_curve(spend, {"recency": [4.0, 3.0, 2.0, 1.0]}, margin=0.5,
    ...                                  contact_cost=2.0)
    >>> cv.lifetime.best_contact(curve)["model"].tolist()
    ['oracle', 'recency']
    """
    best = curve.loc[curve.groupby("model", sort=False)["profit"].idxmax()]
    return best.sort_values("profit", ascending=False, ignore_index=True)


def rankings(forecasts: Sequence[Forecast]) -> dict[str, NDArray[np.float64]]:
    """One score per model to rank customers: expected spend, else purchases, else what it has.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Those to rank by.

    Returns
    -------
    dict of str to array, shape (customers,)
        High is contacted first.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> own = cv.lifetime.model_forecasts(cv.lifetime.bg_nbd(p).fit, p)
    >>> list(cv.lifetime.rankings(own))
    ['bg_nbd', 'bg_nbd_p_alive']
    """
    found = {}
    for forecast in forecasts:
        choices = (forecast.spend, forecast.expected, forecast.probability, forecast.score)
        found[forecast.model] = next(score for score in choices if score is not None)
    return found


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
