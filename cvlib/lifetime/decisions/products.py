"""A log of products as decisions read it: usual names, amounts as written, returns matched"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from pandas.api.types import is_string_dtype

from cvlib.inputs.checks import column_of, fault
from cvlib.inputs.columns import labels, opened, within
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.inputs.transactions_columns import amounts_of, role_column, usual_columns
from cvlib.words.message import Message, message

_ROLES = (
    ("customer_id", "customer"),
    ("date", "date"),
    ("amount", "amount"),
    ("product", "product"),
)
_BETWEEN = "\x1f"  # joins the names of customer and product; stands in none of them


def read_products(data: Any, reading: Reading = AS_IT_IS) -> tuple[pd.DataFrame, Table]:
    """A log with customer, date, product, amount, checked; and the table it was read from.

    Returns are set against earlier purchases of the same customer and product, by the rule of
    transaction logs; what was bought is then one row a customer, product and day.

    Raises
    ------
    InputError
        A cell that is empty, no number or no date: with file, column, row.
    """
    from cvlib.inputs.dates import to_dates

    table = _usual(opened(data, reading))
    if "product" not in table.data:
        raise table.lacking("product", message("decisions.product_needed"))
    labels(table, "date")  # none missing
    written = column_of(table, "amount")
    if is_string_dtype(written.dtype) and written.notna().all():
        data = table.data.assign(
            amount=amounts_of(replace(table, data=table.data.copy()), "amount", [])
        )
        table = replace(table, data=data)
    frame = pd.DataFrame(
        {
            "customer": labels(table, "customer"),
            "date": to_dates(table, "date")[0].dt.normalize(),
            "product": labels(table, "product"),
            "amount": within(table, "amount"),
        }
    )
    if not (frame["amount"] < 0).any():
        return frame, table
    kept, said = _returned(frame, table)
    return kept, replace(table, warnings=(*table.warnings, said))


def _returned(frame: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, Message]:
    """What was bought once returns are taken off, and how much that was."""
    pair = frame["customer"] + _BETWEEN + frame["product"]
    log = transaction_log(frame.assign(pair=pair), LogRules("pair", "date", "amount"))
    days = log.purchase_days()
    if days.empty:
        raise fault(
            table, "amount", frame["amount"] < 0,
            message("decisions.returns_only", value="{value}"),
            message("refusals.give_the_purchases_as_positive_amounts_beside"),
        )  # fmt: skip
    names = days["customer_id"].str.split(_BETWEEN, expand=True)
    kept = pd.DataFrame(
        {"customer": names[0], "date": days["day"], "product": names[1], "amount": days["amount"]}
    )
    back = frame.loc[frame["amount"] < 0, "amount"]
    ids = [getattr(reason, "id", "") for reason in log.left_out["reason"]]
    lost = log.left_out.loc[[name == "inputs.return_unmatched" for name in ids], "amount"]
    return kept, message(
        "decisions.returns_matched", file=table.source, returns=len(back),
        money=-float(back.sum()), lost=abs(float(lost.sum())),
    )  # fmt: skip


def _usual(table: Table) -> Table:
    """The table with the names used here, where a column goes by a usual other name."""
    taken: list[str] = []
    named = {
        role_column(table, role, role, taken): name
        for role, name in _ROLES
        if name not in table.data and usual_columns([str(c) for c in table.data], role)
    }
    return replace(table, data=table.data.rename(columns=named)) if named else table
