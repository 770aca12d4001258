"""A retention campaign: whom to contact, and what each order of customers would have earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.forecast import Array, Forecast, customer_rows, hiatus_of
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.value import LifetimeValue
from cvlib.results import Result
from cvlib.statistics.campaign import Campaign, expected_profit, maximum_profit
from cvlib.words.message import Message, message

_DEPTHS = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False, repr=False)
class RetentionCampaign(Result):
    """What contacting customers would have earned in the holdout, were the response as assumed.

    Attributes
    ----------
    orders : DataFrame
        order (risk, value_at_risk, expected_profit, lifetime_value, recency; oracle knows who
        left; everybody, nobody), customers contacted as planned (as many as have a positive
        expected profit), profit, and best_customers and best_profit, the depth that would have
        been best.
    curve : DataFrame
        model (the order), share, customers, profit by depth.
    emp : DataFrame
        model, emp, emp_fraction, mp, mp_fraction of its score for leaving, and everybody, per
        customer, at the mean lifetime value; emp_by_value counts customers by their value.
    customers : DataFrame
        risk, lifetime_value, value_at_risk, expected_profit, in the order of the summary.
    reason : Message or None
        Why there is none.
    """

    orders: pd.DataFrame
    curve: pd.DataFrame
    emp: pd.DataFrame
    customers: pd.DataFrame
    campaign: Campaign
    warnings: tuple[str, ...] = ()
    reason: Message | None = None
    headline_tables = ("orders", "emp")
    charts: ClassVar[dict[str, str]] = {"profit": "cvlib.figures.lifetime:profit_plot"}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        return {"curve": self.curve, "language": language, "label": self._words(language).cell}

    def profit(self, order: str) -> float | None:
        """Profit of contacting as many as planned by an order; None where there is none."""
        if not len(self.orders):
            return None
        return float(self.orders.set_index("order")["profit"][order])

    @property
    def sentence(self) -> Message | None:
        """Whether the plan would have paid, beside contacting everybody and by risk alone."""
        if self.reason is not None:
            return self.reason
        own, everybody, risk = (
            self.profit(name) for name in ("expected_profit", "everybody", "risk")
        )
        if own is None or everybody is None:
            return None
        planned = int((self.customers["expected_profit"] > 0).sum())
        facts = {"customers": planned, "profit": own, "everybody": everybody, "risk": risk,
                 "response": self.campaign.response}  # fmt: skip
        if not planned:
            return message("lifetime.campaign_nobody", **facts)
        kind = "loses" if own <= 0 else "pays" if own > everybody else "everybody"
        return message(f"lifetime.campaign_{kind}", **facts)

    @property
    def assumed_sentence(self) -> Message:
        """That the response is assumed, where no experiment measures it."""
        return message("lifetime.campaign_assumed", response=self.campaign.response)

    def sentences(self) -> list[str]:
        return [self.sentence, self.assumed_sentence] if self.sentence else []


def retention_campaign(
    summary: PurchaseSummary,
    forecasts: Sequence[Forecast],
    value: LifetimeValue,
    campaign: Campaign | None = None,
) -> RetentionCampaign:
    """Judge a campaign to hold customers on those who did and did not buy in the holdout.

    Contacting customer i is expected to earn p γ (V - d) - (1 - p) d - f: p the chance that there
    is no purchase in the holdout, V the lifetime value, f the contact, d the incentive that every
    contacted stayer and every leaver who responds takes, γ the response. Realised, a leaver earns
    γ (V - d) - f and a stayer - d - f. Customers of equal score share places evenly.

    Parameters
    ----------
    summary : PurchaseSummary
        The split, with a holdout.
    forecasts : sequence of Forecast
        The model's own first: its probability says who will leave. The others are judged by what
        their scores earn at most.
    value : LifetimeValue
        Of the customers of `summary`, in their order.
    campaign : Campaign, optional
        Incentive, contact and response. Its value is not used: customers have their own.

    Returns
    -------
    RetentionCampaign
        Profit by order and depth, and expected maximum profit.

    Raises
    ------
    InputError
        A first forecast without a probability.

    Notes
    -----
    The profit of a contact [P]; the response is an assumption that only an experiment can
    test, see `campaign_experiment`.

    References
    ----------
    Verbraken, Verbeke & Baesens (2013) IEEE TKDE 25:961-973; Lemmens & Gupta (2020) Marketing
    Science 39:956-973 [M] (profit rather than risk).

    Examples
    --------
    >>> import cvlib as cv
    >>> life = cv.lifetime
    >>> p = life.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> fit, spend = life.fit_repeat_buying(p), life.fit_spend(p)
    >>> value = life.lifetime_value(fit, spend, p.customers, annual_rate=0.1, margin=0.3)
    >>> terms = life.Campaign(incentive=5, contact=2)
    >>> found = life.retention_campaign(p, life.model_forecasts(fit, p), value, terms)
    >>> found.orders["order"].tolist()[:3]
    ['expected_profit', 'value_at_risk', 'risk']
    """
    settings = campaign or Campaign()
    own = forecasts[0].probability
    people = customer_rows(summary)
    left = (people["holdout_purchases"].to_numpy(float) == 0).astype(float)
    empty = pd.DataFrame()
    if own is None and left.min() < left.max():
        raise InputError(
            "forecasts",
            message("refusals.the_first_has_no_probability"),
            message("refusals.give_the_model_own"),
        )
    reason = value.reason
    if own is None or left.min() == left.max():
        reason = message("lifetime.holdout_no_contrast")
    if reason is not None:
        why = message("lifetime.campaign_left_out", reason=reason)
        return RetentionCampaign(empty, empty, empty, empty, settings, (), why)
    assert own is not None
    risk, worth = 1 - own, value.customers["lifetime_value"].to_numpy(float)
    table = campaign_scores(risk, worth, settings)
    d, f = settings.incentive, settings.contact
    realised = np.where(left == 1, settings.response * (worth - d) - f, -d - f)
    scores = {
        "expected_profit": table["expected_profit"].to_numpy(float),
        "value_at_risk": table["value_at_risk"].to_numpy(float),
        "risk": risk,
        "lifetime_value": worth,
        "recency": hiatus_of(people),
        "oracle": realised,
    }
    planned = int((scores["expected_profit"] > 0).sum())
    best_few = int((realised > 0).sum())
    curves, rows = [], []
    for name, score in scores.items():
        sums = _cumulated(score, realised)
        depth = np.ceil(_DEPTHS * left.size - 1e-9).astype(int)
        curve = {"model": name, "share": _DEPTHS, "customers": depth, "profit": sums[depth]}
        curves.append(pd.DataFrame(curve))
        best, plan = int(sums.argmax()), best_few if name == "oracle" else planned
        rows.append([name, plan, float(sums[plan]), best, float(sums[best])])
    everybody = float(realised.sum())
    rows += [["everybody", left.size, everybody, left.size, everybody], ["nobody", 0, 0.0, 0, 0.0]]
    columns = ["order", "customers", "profit", "best_customers", "best_profit"]
    orders = pd.DataFrame(rows, columns=columns)
    earned = _maximum(forecasts, left, worth, settings)
    curve = pd.concat(curves, ignore_index=True)
    return RetentionCampaign(orders, curve, earned, table, settings)


def campaign_scores(risk: Array, worth: Array, campaign: Campaign) -> pd.DataFrame:
    """risk, lifetime_value, value_at_risk and expected_profit of every customer."""
    return pd.DataFrame(
        {
            "risk": risk,
            "lifetime_value": worth,
            "value_at_risk": risk * worth,
            "expected_profit": expected_profit(risk, worth, campaign),
        }
    )


def _cumulated(score: Array, profit: Array) -> Array:
    """Profit of contacting the first 0, 1, … by a score; equal scores share what they earn."""
    levels, place, size = np.unique(-score, return_inverse=True, return_counts=True)
    shared = np.bincount(place, profit, levels.size) / size
    return np.concatenate([[0.0], np.cumsum(np.repeat(shared, size))])


def _maximum(
    forecasts: Sequence[Forecast], left: Array, worth: Array, campaign: Campaign
) -> pd.DataFrame:
    """EMP and MP of every score for leaving, at the mean value, and with customers by value."""
    mean = float(worth.mean())
    if not mean > 0:
        return pd.DataFrame()
    at = Campaign(mean, campaign.incentive, campaign.contact, campaign.response, campaign.certainty)
    rows = []
    for forecast in forecasts:
        score = forecast.probability if forecast.probability is not None else forecast.score
        if score is None:
            continue
        found = maximum_profit(-score, left, at)
        weighed = maximum_profit(-score, left, at, worth)
        parts = [found.emp, found.emp_fraction, found.mp, found.mp_fraction, found.everybody]
        rows.append([forecast.model, *parts, weighed.emp])
    columns = ["model", "emp", "emp_fraction", "mp", "mp_fraction", "everybody", "emp_by_value"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        "emp", ascending=False, ignore_index=True, kind="stable"
    )
