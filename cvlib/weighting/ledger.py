"""Publishers' customers from a ledger: what was shipped, paid, returned, and what is still out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table, load_table
from cvlib.words.message import Message, message

KINDS = ("shipment", "receipt", "return")


def ledger_ratios(
    ledger: str | Path | pd.DataFrame | Table, valued_at: str = "", *, days: int = 365
) -> pd.DataFrame:
    """Receipt rate, return rate and stock in transit of each customer.

    Parameters
    ----------
    ledger : str, Path, DataFrame or Table
        Columns customer, date, kind (shipment, receipt, return), amount from 0.
    valued_at : str
        Day of valuation, such as 2025-12-31; later rows are not read. Empty: the last day.
    days : int
        Days over which the shipments were spread.

    Returns
    -------
    pandas.DataFrame
        customer, shipments, receipts, returns (currency), receipt_rate, return_rate (shares of
        shipments), in_transit (shipments − returns − receipts), in_transit_days (of daily
        shipments), in_transit_age (mean age in days of what is out, oldest paid first; NaN where
        nothing is).

    Raises
    ------
    InputError
        An unknown kind, an unreadable date or a negative amount, by row; a customer with nothing
        shipped.

    Notes
    -----
    The ratios are proposals [P]: the founding documents name shipments, receipts, returns and
    stock in transit without a formula.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> rows = [("b", "2025-01-01", "shipment", 100.0), ("b", "2025-03-01", "receipt", 60.0)]
    >>> log = pd.DataFrame(rows, columns=["customer", "date", "kind", "amount"])
    >>> found = cv.weighting.ledger_ratios(log, "2025-12-31")
    >>> found[["receipt_rate", "in_transit", "in_transit_age"]].iloc[0].tolist()
    [0.6, 40.0, 364.0]
    """
    table = load_table(ledger)
    log, at = _checked(table, valued_at)
    wide = log.pivot_table(index="customer", columns="kind", values="amount", aggfunc="sum")
    wide = wide.reindex(columns=list(KINDS)).fillna(0.0)
    empty = wide.index[wide["shipment"] <= 0]
    if len(empty):
        raise InputError(
            table.source,
            message("refusals.nothing_was_shipped_to", empty=empty[0]),
            message("refusals.leave_the_customer_out"),
        )
    shipped, paid, back = (wide[kind].to_numpy() for kind in KINDS)
    out = shipped - back - paid
    found = pd.DataFrame({"customer": wide.index, "shipments": shipped, "receipts": paid})
    found["returns"], found["receipt_rate"] = back, paid / shipped
    found["return_rate"], found["in_transit"] = back / shipped, out
    found["in_transit_days"] = out / (shipped / days)
    sent = log[log["kind"] == "shipment"]
    found["in_transit_age"] = [
        _age(sent[sent["customer"] == customer], settled_by, at)
        for customer, settled_by in zip(wide.index, paid + back, strict=True)
    ]
    return found


def ledger_verdict(ratios: pd.DataFrame) -> tuple[Message, ...]:
    """Say how much is out at customers, and who was paid for more than was shipped.

    Parameters
    ----------
    ratios : pandas.DataFrame
        From `ledger_ratios`.

    Returns
    -------
    tuple of Message
    """
    wrong = list(ratios.loc[ratios["in_transit"] < 0, "customer"])
    worst = ratios.loc[ratios["in_transit_days"].idxmax()]
    total = float(ratios["in_transit"].sum())
    told = [message("weighting.ledger_none", count=len(ratios))] if total <= 0 else [
        message(
            "weighting.ledger_out", total=total, count=len(ratios),
            share=total / float(ratios["shipments"].sum()), customer=str(worst["customer"]),
            days=float(worst["in_transit_days"]),
        )
    ]  # fmt: skip
    if wrong:
        told.append(message("weighting.ledger_negative", customers=list(map(str, wrong))))
    return tuple(told)


def _checked(table: Table, valued_at: str) -> tuple[pd.DataFrame, pd.Timestamp]:
    data = table.data
    for column in ("customer", "date", "kind", "amount"):
        if column not in data:
            raise InputError(
                table.source,
                message("refusals.has_no_column_2", column=column),
                message("refusals.name_it_so"),
            )
    when = pd.to_datetime(data["date"], errors="coerce", format="ISO8601")
    amount = pd.to_numeric(data["amount"], errors="coerce")
    for column, bad, remedy in (
        ("date", when.isna(), "Write dates as 2025-12-31."),
        ("amount", ~(amount >= 0), "Give amounts from 0; a return is a kind of its own."),
        ("kind", ~data["kind"].isin(KINDS), f"Known: {', '.join(KINDS)}."),
        ("customer", data["customer"].isna(), "Name the customer."),
    ):
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise InputError(
                table.place(column, row),
                message("refusals.holds", value=str(data[column].iloc[row])),
                remedy,
            )
    at = pd.to_datetime(valued_at) if valued_at else when.max()
    log = pd.DataFrame({"customer": data["customer"].astype(str), "date": when})
    log["kind"], log["amount"] = data["kind"].to_numpy(), amount.to_numpy(float)
    known = log[log["date"] <= at]
    one_of(
        "valued_at", bool(len(known)), [True], message("refusals.nothing_happened_up_to_that_day")
    )
    return known, at


def _age(sent: pd.DataFrame, settled_by: float, at: pd.Timestamp) -> float:
    """Mean age of what is unpaid when the oldest shipments are paid first."""
    sent = sent.sort_values("date", kind="stable")
    before = sent["amount"].cumsum() - sent["amount"]
    left = np.clip(sent["amount"] - np.clip(settled_by - before, 0, None), 0, None)
    if not left.sum() > 0:
        return float("nan")
    return float(np.average((at - sent["date"]).dt.days, weights=left))
