"""The expressions from transactions to purchase days, customers and histories, for any database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cvlib.lifetime.units import DAYS, DECIMALS, MONEY


def purchase_days(rows: Any, free_orders: str) -> Any:
    """One row per customer and day, with the rule that says whether it is a purchase."""
    days = rows.group_by("customer_id", "day").agg(
        net=rows.amount.sum().round(DECIMALS),
        transactions=rows.count(),
        returned=(rows.amount < 0).any(),
    )
    paid = days.net > 0
    if free_orders == "count":
        paid = paid | ((days.net == 0) & ~days.returned)
    return days.mutate(purchase=paid)


def per_customer(days: Any, cut: dt.date) -> Any:
    """One row per customer: what was bought up to the cut, and after it."""
    import ibis

    before = days.purchase & (days.day <= cut)
    after = days.purchase & (days.day > cut)
    at = ibis.literal(cut)
    return (
        days.group_by("customer_id")
        .agg(
            first_purchase=days.day.min(where=days.purchase),
            last_purchase=days.day.max(where=before),
            frequency=days.count(where=before),
            monetary=days.net.sum(where=before).round(DECIMALS),
            first_net=days.net.argmin(days.day, where=days.purchase),
            holdout_purchases=days.count(where=after),
            holdout_spend=days.net.sum(where=after).round(DECIMALS).fill_null(0.0),
        )
        .mutate(
            x=lambda t: t.frequency - 1,
            since_first=lambda t: at.delta(t.first_purchase, unit="day"),
            recency=lambda t: at.delta(t.last_purchase, unit="day").cast("int64"),
        )
    )


def counts_of(days: Any, everyone: Any) -> dict[str, Any]:
    """Sums over purchase days and over customers, in two passes."""
    loss, known = days.net < 0, everyone.frequency > 0
    late = ~known & (everyone.holdout_purchases > 0)
    # decimals: a sum of floats would depend on the order in which the threads add
    net = days.net.cast(MONEY)
    past, later = everyone.monetary.cast(MONEY), everyone.holdout_spend.cast(MONEY)
    by_day = days.agg(
        purchase_days=days.count(),
        rows_used=days.transactions.sum(),
        used_amount=net.sum(),
        loss=loss.sum(),
        loss_amount=net.sum(where=loss),
        zero=(~days.purchase & (days.net == 0)).sum(),
    )
    by_customer = everyone.agg(
        everyone=everyone.count(),
        customers=known.sum(),
        late=late.sum(),
        late_amount=later.sum(where=late),
        repeat_customers=(everyone.x > 0).sum(),
        repeat_purchases=everyone.x.sum(where=known),
        calibration_spend=past.sum(where=known),
        holdout_purchases=everyone.holdout_purchases.sum(where=known),
        holdout_active=(known & (everyone.holdout_purchases > 0)).sum(),
        holdout_spend=later.sum(where=known),
    )
    both = {**by_day.to_pandas().iloc[0].to_dict(), **by_customer.to_pandas().iloc[0].to_dict()}
    return {
        key: (float if key.endswith(("amount", "spend")) else int)(0 if pd.isna(value) else value)
        for key, value in both.items()
    }


def histories_of(customers: Any, unit: str) -> Any:
    """Distinct histories and how many customers share each."""
    grouped = customers.group_by("x", "since_first", "recency").agg(customers=customers.count())
    return grouped.select(
        x=grouped.x,
        t_x=(grouped.since_first - grouped.recency) / DAYS[unit],
        T=grouped.since_first / DAYS[unit],
        customers=grouped.customers,
    ).order_by("x", "t_x", "T")


def customers_of(customers: Any, unit: str) -> Any:
    """One row per customer, as `PurchaseSummary.customers` has them."""
    repeats = (customers.monetary - customers.first_net) / customers.x
    return customers.select(
        "customer_id",
        first_purchase=customers.first_purchase.cast("timestamp"),
        last_purchase=customers.last_purchase.cast("timestamp"),
        x=customers.x,
        t_x=(customers.since_first - customers.recency) / DAYS[unit],
        T=customers.since_first / DAYS[unit],
        mean_repeat_spend=(customers.x > 0).ifelse(repeats, 0.0),
        recency=customers.recency,
        frequency=customers.frequency,
        monetary=customers.monetary,
        holdout_purchases=customers.holdout_purchases,
        holdout_spend=customers.holdout_spend,
    ).order_by("customer_id")
