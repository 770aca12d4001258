"""Rows of totals and means that spreadsheets leave under a table: none of them is a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cvlib.inputs.checks import fault
from cvlib.inputs.database import quoted
from cvlib.inputs.readers import Table
from cvlib.inputs.summary_rows import words_of_totals
from cvlib.words.message import message

if TYPE_CHECKING:
    from cvlib.inputs.transactions_cells import Cells

_NAMED = "lower(replace(customer_id::VARCHAR, ' ', '')) IN ({words})"
_FEWEST = 10  # rows from which one that equals all others together is no chance


def refuse_totals(table: Table, customer: str, sums: pd.Series) -> None:
    """Refuse a table of customers that holds a row of totals or means.

    Parameters
    ----------
    table : Table
        One row per customer.
    customer : str
        Column of ids; empty where there is none.
    sums : Series of float
        What a row of totals would add up.

    Raises
    ------
    InputError
        An id that is a word for a total, or a row that equals all others together.
    """
    remedy = message("refusals.delete_the_row_of_totals")
    if customer:
        names = table.data[customer].astype("str").str.lower().str.replace(r"\s", "", regex=True)
        named = names.isin(words_of_totals()) & table.data[customer].notna()
        if named.any():
            wrong = message("refusals.value_names_a_row_of_totals", value="{value}")
            raise fault(table, customer, named, wrong, remedy)
    largest = float(sums.max())
    alike = sums == largest
    if len(sums) >= _FEWEST and largest > 0 and alike.sum() == 1 and sums.sum() == 2 * largest:
        wrong = message("refusals.value_is_the_sum_of_all_other_rows", value="{value}")
        raise fault(table, str(sums.name), alike, wrong, remedy)


def called_total(cells: Cells) -> str:
    """SQL that counts the rows of a log whose customer is a word for a total."""
    if cells.types["customer"] != "VARCHAR":
        return "0"
    return f"count(*) FILTER ({_NAMED.format(words=', '.join(map(quoted, words_of_totals())))})"


def refuse_totals_of_log(cells: Cells, named: int, rows: int, total: Any, largest: Any) -> None:
    """Refuse a transaction log that holds a row of totals or means.

    Parameters
    ----------
    cells : Cells
        The log.
    named : int
        Rows counted by `called_total`.
    rows, total, largest : int, Decimal and float
        Number, sum and maximum of the amounts.

    Raises
    ------
    InputError
        A single row whose customer is a word for a total, or whose amount equals all others
        together.
    """
    remedy = message("refusals.leave_the_row_of_totals_out")
    if named:
        words = ", ".join(map(quoted, words_of_totals()))
        found = cells.connection.execute(
            f"SELECT customer_id FROM ({cells.lines()}) WHERE dropped = 0 AND "
            f"{_NAMED.format(words=words)} GROUP BY 1 HAVING count(*) = 1 ORDER BY 1 LIMIT 1"
        ).fetchone()
        if found:
            wrong = message("refusals.value_names_a_row_of_totals", value="{value}")
            same = f"customer_id::VARCHAR = {quoted(found[0])}"
            raise cells.fault("customer", same, wrong, remedy)
    if "amount" not in cells.columns or rows < _FEWEST or not largest or largest <= 0:
        return
    if abs(float(total or 0) - 2 * largest) > 0.005:
        return
    (near,) = cells.connection.execute(
        f"SELECT count(*) FROM ({cells.lines()}) WHERE dropped = 0 AND amount > ?", [largest / 3]
    ).fetchone()
    if near == 1:  # with returns in a log the sum of some equal amounts may be twice one of them
        wrong = message("refusals.value_is_the_sum_of_all_other_rows", value="{value}")
        raise cells.fault("amount", f"amount >= {largest!r}", wrong, remedy)
