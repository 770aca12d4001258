"""The next period: the model fitted to the whole log, and whom to contact in what comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.transactions import transaction_log
from cvlib.lifetime.holdout.forecast import customer_rows
from cvlib.lifetime.holdout.retention import campaign_scores
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import RepeatBuyingFit, fit_repeat_buying
from cvlib.lifetime.spend import SpendFit, fit_spend
from cvlib.lifetime.units import DAYS
from cvlib.lifetime.value import lifetime_value
from cvlib.results import Result
from cvlib.statistics import disclosure, resample
from cvlib.statistics.campaign import Campaign
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class NextPeriod(Result):
    """Every customer at the end of the log, and what is expected of them next.

    Attributes
    ----------
    customers : DataFrame
        customer_id, x, t_x, T, p_alive, expected_purchases, risk (no purchase in the next
        period); with values in money also lifetime_value, value_at_risk, expected_profit and
        contact (1 where that is positive). In the order of the ids.
    totals : DataFrame
        measure, value: customers, days, expected purchases, and of those to contact their number
        and expected profit.
    reason : Message or None
        Why there is nothing in money.
    fit, spend : RepeatBuyingFit, SpendFit
        The models of the whole log.
    histories : DataFrame
        x, t_x, T, mean_repeat_spend of the customers.
    """

    customers: pd.DataFrame
    totals: pd.DataFrame
    warnings: tuple[str, ...] = ()
    reason: Message | None = None
    fit: RepeatBuyingFit | None = None
    spend: SpendFit | None = None
    histories: pd.DataFrame = field(default_factory=pd.DataFrame)
    headline_tables = ("totals",)

    def measure(self, name: str) -> float:
        """One row of `totals`."""
        return float(self.totals.set_index("measure")["value"][name])

    @property
    def sentence(self) -> Message:
        """How many are expected to buy, and whom to contact."""
        facts: dict[str, Any] = {
            name: self.measure(name) for name in ("days", "expected_purchases")
        }
        facts["customers"] = int(self.measure("customers"))
        if self.reason is not None:
            return message("lifetime.next_purchases", **facts)
        chosen = int(self.measure("customers_to_contact"))
        profit = self.measure("expected_profit")
        kind = "contact" if chosen else "contact_none"
        return message(f"lifetime.next_{kind}", chosen=chosen, profit=profit, **facts)

    def published(
        self, pseudonymise: bool = True, seed: int = resample.SEED, folder: str = ""
    ) -> pd.DataFrame:
        """The list with pseudonyms, those worth most contact first.

        Parameters
        ----------
        pseudonymise : bool
            Replace ids by pseudonyms.
        seed : int
            Of the pseudonyms.
        folder : str
            Where their key is kept; empty: nowhere.
        """
        names = disclosure.pseudonyms(
            self.customers["customer_id"], seed, folder=folder, pseudonymise=pseudonymise
        )
        by = "expected_profit" if self.reason is None else "expected_purchases"
        return disclosure.listed(self.customers.drop(columns="customer_id"), names, by)


def next_period(
    transactions: Any,
    model: str = "bg_nbd",
    campaign: Campaign | None = None,
    *,
    days: float,
    unit: str = "week",
    annual_rate: float = 0.1,
    margin: float = 1.0,
) -> NextPeriod:
    """Fit a model to all of a log, without a holdout, and list customers for the next period.

    Parameters
    ----------
    transactions : TransactionLog or other source
        What `transaction_log` gives or reads.
    model : str
        See `fit_repeat_buying`.
    campaign : Campaign, optional
        Incentive, contact and response of a campaign; its value is not used.
    days : float
        Length of the next period.
    unit : str
        See `summarise_purchases`.
    annual_rate, margin : float
        As in `lifetime_value`.

    Returns
    -------
    NextPeriod
        Risk, value, value at risk and expected profit of a contact for every customer of the log.

    Raises
    ------
    InputError
        Whatever reading and fitting refuse; days that are none.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.next_period("cdnow_sample", days=91)
    >>> len(found.customers)
    2357
    """
    number("days", days, 0, ends="()", remedy="It is the length of the next period.")
    log = transaction_log(transactions)
    last = log.last_day
    summary = summarise_purchases(log, calibration_end=last, holdout_end=last, unit=unit)
    people = customer_rows(summary)
    fit = fit_repeat_buying(summary, model)
    spend = fit_spend(summary, required=False)
    value = lifetime_value(fit, spend, people, annual_rate=annual_rate, margin=margin)
    given = fit.predict(people, days / DAYS[unit])
    table = people[["customer_id", "x", "t_x", "T"]].assign(
        p_alive=given["p_alive"], expected_purchases=given["expected_purchases"]
    )
    risk = 1 - given["probability_of_purchase"].to_numpy(float)
    totals = {"customers": len(table), "days": float(days)}
    totals["expected_purchases"] = float(given["expected_purchases"].sum())
    if value.reason is None:
        worth = value.customers["lifetime_value"].to_numpy(float)
        scores = campaign_scores(risk, worth, campaign or Campaign())
        chosen = scores["expected_profit"] > 0
        table = pd.concat([table, scores.assign(contact=chosen.astype(int))], axis=1)
        totals["customers_to_contact"] = int(chosen.sum())
        totals["expected_profit"] = float(scores.loc[chosen, "expected_profit"].sum())
    else:
        table = table.assign(risk=risk)
    measures = pd.DataFrame({"measure": list(totals), "value": list(map(float, totals.values()))})
    said = (*fit.warnings, *spend.warnings)
    histories = people[["x", "t_x", "T", "mean_repeat_spend"]]
    return NextPeriod(table, measures, said, value.reason, fit, spend, histories)
