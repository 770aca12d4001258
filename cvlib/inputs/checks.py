"""What every contract needs: the right column, its numbers, and an error that names the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from cvlib.inputs import text
from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.readers import Table, from_frame, left_out
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False)
class Checked:
    """A table that keeps its contract.

    Attributes
    ----------
    data : DataFrame
        The columns the contract promises, cleaned.
    left_out : DataFrame
        column, reason, count, share: rows or cells that were set aside.
    warnings : tuple of str
        What had to be assumed, and what the analyst should look at.
    """

    data: pd.DataFrame
    left_out: pd.DataFrame
    warnings: tuple[str, ...] = ()


def as_table(table: Table | pd.DataFrame, file: str = "") -> Table:
    """Accept a DataFrame where a Table is expected; `file` names it in error messages."""
    return table if isinstance(table, Table) else from_frame(table, file or "table in memory")


def left_out_of(
    table: Table, columns: Sequence[str], rows: Sequence[tuple[str, str, int]], total: int
) -> pd.DataFrame:
    """What the reader left out of these columns, then what the contract did."""
    read = table.left_out[table.left_out["column"].isin([*columns, "(all)"])]
    parts = [part for part in (read, left_out(rows, total)) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else left_out([], 0)


def column_of(table: Table, name: str) -> pd.Series:
    """A column of a table by its name.

    Parameters
    ----------
    table : Table
        As `read_table` gives it.
    name : str
        The column.

    Returns
    -------
    Series
        Its values, at least one of them there.

    Raises
    ------
    InputError
        There is no such column (with the nearest name), or it is empty.
    """
    if name not in table.data.columns:
        raise table.lacking(name)
    values = table.data[name]
    if values.isna().all():
        raise InputError(
            table.place(name),
            message("refusals.is_empty"),
            message("refusals.fill_it_in_or_leave_it_out"),
        )
    return values


def fault(table: Table, column: str, bad: pd.Series, wrong: str, remedy: str) -> InputError:
    """An error at the first True of `bad`; ``{value}`` in `wrong` is what the cell holds."""
    row = bad.idxmax()
    value = table.data.at[row, column]
    error = InputError(table.place(column, row), of_cell(wrong, value, int(bad.sum())), remedy)
    error.rows = list(bad.index[bad])
    return error


def of_cell(wrong: str, value: object, count: int) -> str:
    """What is wrong with what a cell holds, and how many rows are like it.

    Parameters
    ----------
    wrong : str
        A message with a slot ``value``, or text with ``{value}`` in it; or neither.
    value : object
        What the first of the cells holds.
    count : int
        Rows at fault.
    """
    shown = f"{value:.10g}" if isinstance(value, (int, float, np.number)) else shorten(value)
    if not isinstance(wrong, Message):
        wrong = wrong.replace("{value}", shown)
    elif "value" in wrong.values:
        wrong = message(wrong.id, **{**wrong.values, "value": shown})
    return message("refusals.more_rows", text=wrong, more=count - 1) if count > 1 else wrong


def of_one(wrong: str) -> str:
    """What is wrong, without the number of rows like it."""
    if isinstance(wrong, Message) and wrong.id == "refusals.more_rows":
        found: str = wrong.values["text"]
        return found
    return wrong


def numeric(
    table: Table, column: str, codes: Sequence[object] = (), unread: tuple[str, str] | None = None
) -> tuple[pd.Series, list[Any]]:
    """A column as floats, "don't know" codes as missing, and (code, count) of those.

    `unread` is what is said of text, and what to do, where "don't know" is no possible answer.
    """
    values = column_of(table, column)
    counted = []
    if is_datetime64_any_dtype(values.dtype):
        raise InputError(
            table.place(column),
            message("refusals.holds_dates_not_numbers"),
            message("refusals.name_another_column"),
        )
    coded = is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype)
    values = values.astype(float) if coded else values.astype("str").str.strip()
    for code in codes:
        spelt = str(code).strip()
        if coded:
            number = pd.to_numeric(pd.Series([spelt]), errors="coerce").iloc[0]
            hit = values == number
        else:
            hit = values.str.casefold() == spelt.casefold()
        counted.append((spelt, int(hit.sum())))
        values = values.mask(hit)
    if coded:
        return values, counted
    present = values.dropna()
    fits = text.rules(present)
    if "plain" in fits or len(fits) == 1:
        rule = "plain" if "plain" in fits else fits.pop()
        return text.to_numbers(values, rule).astype(float), counted
    if fits:
        raise fault(
            table, column, values.notna() & ~values.str.fullmatch(text.NUMBERS["plain"]),
            message("refusals.value_could_have_a_decimal_comma_or", value="{value}"),
            message("refusals.write_numbers_without_separators_or_give_decimal"),
        )  # fmt: skip
    bad = values.notna() & ~values.str.fullmatch(text.NUMBERS["plain"]).fillna(False).astype(bool)
    wrong, remedy = unread or (
        message("refusals.value_is_text_in_a_numeric_column", value="{value}"),
        message("refusals.write_a_number_leave_the_cell_empty_2"),
    )
    raise fault(table, column, bad, wrong, remedy)
