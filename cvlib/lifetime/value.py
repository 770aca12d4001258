"""Customer lifetime value: margin times expected spend times discounted expected purchases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.lifetime.spend import SpendFit
from cvlib.lifetime.units import DAYS
from cvlib.results import Result
from cvlib.words.message import Message, message

SHORTEST = 28  # days of a log below which no lifetime is foretold from it [P]


@dataclass(frozen=True, eq=False, repr=False)
class LifetimeValue(Result):
    """What customers are worth from the cut on.

    Attributes
    ----------
    customers : DataFrame
        customer_id (when known), p_alive, discounted_expected_purchases, expected_spend,
        lifetime_value.
    value : DataFrame
        model, measure, value: customer_equity (the sum), mean, median, the share of the top tenth,
        and the assumptions (annual_rate, margin, horizon; NaN = without end).
    warnings : tuple of str
    reason : Message or None
        Why there are no values in money: the customers then have neither expected_spend nor
        lifetime_value, and `value` only the assumptions.
    """

    customers: pd.DataFrame
    value: pd.DataFrame
    warnings: tuple[str, ...] = ()
    reason: Message | None = None
    headline_tables = ("value",)

    def measure(self, name: str) -> float:
        """One row of `value`."""
        return float(self.value.set_index("measure")["value"][name])

    @property
    def equity(self) -> float | None:
        """Customer equity: the sum of all lifetime values; None without values in money."""
        return self.measure("customer_equity") if self.reason is None else None

    @property
    def sentence(self) -> Message:
        """The customer equity and what it assumes, or why there is none."""
        if self.reason is not None:
            return message("lifetime.value_left_out", reason=self.reason)
        facts = {name: self.measure(name) for name in ("annual_rate", "margin")}
        customers = int(self.measure("customers"))
        return message("lifetime.customer_equity", equity=self.equity, customers=customers, **facts)


def without_value(fit: RepeatBuyingFit, spend: SpendFit, customers: pd.DataFrame) -> Message | None:
    """Why customers have no value in money: spend is not modelled, or the log is of a few days."""
    if spend.reason is not None:
        return spend.reason
    if fit.unit is None or str(fit.unit) not in DAYS:
        return None
    days = round(float(customers["T"].max()) * DAYS[str(fit.unit)]) + 1
    if days < SHORTEST:
        return message("lifetime.too_short_to_value", days=days, fewest=SHORTEST)
    return None


def lifetime_value(
    fit: RepeatBuyingFit,
    spend: SpendFit,
    customers: pd.DataFrame,
    *,
    annual_rate: float,
    margin: float = 1.0,
    horizon: float | None = None,
    periods_per_year: float | None = None,
) -> LifetimeValue:
    """Value of every customer: margin x E[Z] x discounted expected purchases.

    Parameters
    ----------
    fit : RepeatBuyingFit
        How often and how long they buy.
    spend : SpendFit
        How much each time.
    customers : DataFrame
        x, t_x, T, mean_repeat_spend, the fit's covariates, and customer_id if wanted.
    annual_rate : float
        The discount rate per year, the same for every model: 0.15 for 15 %.
    margin : float
        Share of spend that is contribution, 0 to 1 [assumed constant].
    horizon : float, optional
        Periods ahead in the fit's unit; None counts all the future.
    periods_per_year : float, optional
        From the fit's unit when known.

    Returns
    -------
    LifetimeValue
        Value by customer and in total.

    Raises
    ------
    InputError
        A rate or margin out of range, no finite mean spend (q <= 1), an unknown time unit.

    References
    ----------
    Fader, Hardie & Lee (2005), J. Marketing Research 42, 415-430.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> model, money = cv.lifetime.bg_nbd(p), cv.lifetime.spend(p)
    >>> worth = cv.lifetime.lifetime_value(model.fit, money, p.customers, annual_rate=0.1)
    >>> len(worth.customers)
    2357
    """
    if not 0 < margin <= 1:
        raise InputError(
            "margin",
            message("refusals.is_not_in", margin=margin),
            message("refusals.give_a_share_of_spend"),
        )
    columns = ["x", "t_x", "T", *fit.covariates]
    missing = [name for name in [*columns, "mean_repeat_spend"] if name not in customers.columns]
    if missing:
        raise InputError(
            "customers",
            message("refusals.has_no_column_2", column=missing[0]),
            message("refusals.see_summarise_purchases"),
        )
    rows = customers[columns].drop_duplicates()
    x, t_x, T = (rows[name].to_numpy(dtype=float) for name in ("x", "t_x", "T"))
    z = rows[list(fit.covariates)].to_numpy(dtype=float) if fit.covariates else None
    rows = rows.assign(
        p_alive=fit.p_alive(x, t_x, T, z),
        discounted_expected_purchases=fit.discounted_expected_purchases(
            annual_rate,
            x,
            t_x,
            T,
            horizon=horizon,
            periods_per_year=periods_per_year,
            covariates=z,
        ),
    )
    table = customers[columns].merge(rows, on=columns, how="left", validate="many_to_one")
    table = table.drop(columns=columns)
    if "customer_id" in customers.columns:
        table.insert(0, "customer_id", customers["customer_id"].to_numpy())
    measures: dict[str, float] = {}
    reason = without_value(fit, spend, customers)
    if reason is None:
        table["expected_spend"] = spend.expected_spend(
            customers["x"].to_numpy(), customers["mean_repeat_spend"].to_numpy()
        )
        table["lifetime_value"] = (
            margin * table["expected_spend"] * table["discounted_expected_purchases"]
        )
        each = np.sort(table["lifetime_value"].to_numpy())[::-1]
        top = max(round(each.size / 10), 1)
        measures = {
            "customer_equity": each.sum(),
            "mean": each.mean(),
            "median": np.median(each),
            "top_tenth_share": each[:top].sum() / each.sum() if each.sum() > 0 else 0.0,
        }
    measures |= {
        "customers": len(table),
        "annual_rate": annual_rate,
        "margin": margin,
        "horizon": np.nan if horizon is None else horizon,
    }
    value = pd.DataFrame(
        {
            "model": fit.model if reason else f"{fit.model} x gamma_gamma",
            "measure": list(measures),
            "value": [float(number) for number in measures.values()],
        }
    )
    return LifetimeValue(table, value, fit.warnings + spend.warnings, reason)
