"""Columns of small tables: numbers within a range, names that are there, each refused by its row"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.checks import column_of, fault, numeric
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading, Table, load_table
from cvlib.words.message import message


def opened(data: Any, reading: Reading = AS_IT_IS) -> Table:
    """A table from a name of the catalogue, a file or a frame, its rows counted from the top.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        What to open.
    reading : Reading
        How a file is read; blank settings where the data are no file.
    """
    if isinstance(data, pd.DataFrame | Table):
        return load_table(data)
    return load_table(data, **vars(reading))


def within(
    table: Table,
    column: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    whole: bool = False,
    missing: bool = False,
) -> pd.Series:
    """A column of numbers in a range.

    Parameters
    ----------
    table : Table
        As `opened` gives it.
    column : str
        Its name.
    low, high : float
        Ends of the range, both allowed.
    whole : bool
        Whether only whole numbers are.
    missing : bool
        Whether cells may be empty.

    Returns
    -------
    Series of float

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    values, _ = numeric(table, column)
    bad = values.notna() & ~(values.between(low, high) & np.isfinite(values))
    if whole:
        bad |= values.notna() & (values != values.round())
    if bad.any():
        span = "_to" if high < math.inf else ""
        span = ("_from" if low > -math.inf else "") + span
        wanted = message(
            f"refusals.cell_{'whole' if whole else 'number'}{span}", low=low, high=high
        )
        raise fault(
            table, column, bad, message("refusals.value_is_not", value="{value}", wanted=wanted),
            message("refusals.mend_the_cell"),
        )  # fmt: skip
    if not missing and values.isna().any():
        raise fault(
            table,
            column,
            values.isna(),
            message("refusals.is_empty"),
            message("refusals.fill_it_in_or_leave_the_row"),
        )
    return values


def labels(table: Table, column: str) -> pd.Series:
    """A column of names as text, none of them missing.

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    values = column_of(table, column)
    if values.isna().any():
        raise fault(
            table,
            column,
            values.isna(),
            message("refusals.is_empty"),
            message("refusals.fill_it_in_or_leave_the_row"),
        )
    return values.astype(str)


def once(table: Table, columns: Sequence[str]) -> None:
    """Refuse a second row of the same names.

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    for column in columns:
        if column not in table.data:
            raise table.lacking(column)
    twice = table.data.duplicated(list(columns))
    if twice.any():
        said = " and ".join(columns)
        raise fault(
            table,
            columns[0],
            twice,
            message("refusals.value_stands_twice", columns=said, value="{value}"),
            message("refusals.keep_one_row"),
        )


def enough_rows(table: Table, rows: int, least: int, what: str) -> None:
    """Refuse a table of too few rows to say anything.

    Raises
    ------
    InputError
        Naming the file and how many it needs.
    """
    if rows < least:
        raise InputError(table.source, message("refusals.has_few_rows", rows=rows, what=what),
                         message("refusals.that_many_are_needed", least=least))  # fmt: skip
