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
        raise InputError(table.place(name), "is empty", "Fill it in, or leave it out.")
    return values


def fault(table: Table, column: str, bad: pd.Series, wrong: str, remedy: str) -> InputError:
    """An error at the first True of `bad`; ``{value}`` in `wrong` is what the cell holds."""
    row = bad.idxmax()
    count = int(bad.sum())
    more = f" ({count - 1} more rows like it)" if count > 1 else ""
    value = table.data.at[row, column]
    shown = f"{value:.10g}" if isinstance(value, (int, float, np.number)) else shorten(value)
    return InputError(table.place(column, row), wrong.replace("{value}", shown) + more, remedy)


def numeric(table: Table, column: str, codes: Sequence[object] = ()) -> tuple[pd.Series, list[Any]]:
    """A column as floats, "don't know" codes as missing, and (code, count) of those."""
    values = column_of(table, column)
    counted = []
    if is_datetime64_any_dtype(values.dtype):
        raise InputError(table.place(column), "holds dates, not numbers", "Name another column.")
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
            "{value} could have a decimal comma or a thousands separator",
            "Write numbers without separators, or give `decimal` when reading the file.",
        )  # fmt: skip
    bad = values.notna() & ~values.str.fullmatch(text.NUMBERS["plain"]).fillna(False).astype(bool)
    raise fault(
        table, column, bad, "{value} is text in a numeric column",
        "Write a number, leave the cell empty, or name the code as a don't-know code.",
    )  # fmt: skip
