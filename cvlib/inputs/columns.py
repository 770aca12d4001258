"""Columns of small tables: numbers within a range, names that are there, each refused by its row"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from cvlib.inputs.answers import led_number, plain, set_of, usual_sets
from cvlib.inputs.checks import column_of, fault, numeric
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import by_usual_names
from cvlib.inputs.readers import AS_IT_IS, Reading, Table, load_table
from cvlib.inputs.text import NUMBERS
from cvlib.inputs.transactions_columns import amounts_of
from cvlib.words.message import Message, message

_NUMBER = re.compile(NUMBERS["plain"])


def opened(data: Any, reading: Reading = AS_IT_IS, wanted: Sequence[str] = ()) -> Table:
    """A table from a name of the catalogue, a file or a frame, its rows counted from the top.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        What to open.
    reading : Reading
        How a file is read; blank settings where the data are no file.
    wanted : sequence of str
        Columns that may have other names there (`heads.by_usual_names`).
    """
    own = isinstance(data, pd.DataFrame | Table)
    return by_usual_names(load_table(data) if own else load_table(data, **vars(reading)), wanted)


def within(
    table: Table,
    column: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    whole: bool = False,
    missing: bool = False,
    remedy: str = "",
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
    remedy : str
        What to do about a cell that cannot be, where it is not to mend the cell.

    Returns
    -------
    Series of float

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    try:
        values = _in_range(table, column, low, high, whole)
        return values if missing else filled(table, column, values)
    except InputError as error:
        if not remedy or not error.rows:
            raise
        raise InputError(error.where, error.wrong, remedy) from None


def _in_range(table: Table, column: str, low: float, high: float, whole: bool) -> pd.Series:
    values = _numbers(table, column)
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
    return values


def filled(table: Table, column: str, values: pd.Series, needed: Any = True) -> pd.Series:
    """Values of a column, none of which is missing where it is needed.

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    lacking = values.isna() & needed
    if lacking.any():
        raise fault(table, column, lacking, message("refusals.is_empty"),
                    message("refusals.fill_it_in_or_leave_the_row"))  # fmt: skip
    return values


def _numbers(table: Table, column: str) -> pd.Series:
    """A column of numbers; of amounts where it is written with currencies, brackets or 万."""
    try:
        unread = message("refusals.value_is_text_in_a_numeric_column", value="{value}")
        return numeric(table, column, (), (unread, message("refusals.write_a_number")))[0]
    except InputError as error:
        if not error.rows:
            raise
        try:
            return money(table, column, [])
        except InputError as other:
            raise (error if other.rows else other) from None


def money(table: Table, column: str, notes: list[str]) -> pd.Series:
    """A column of amounts written as text, as `amounts_of` reads them; blanks stay blank.

    Raises
    ------
    InputError
        Text that is no amount, more than one currency.
    """
    given = table.data[table.data[column].notna()].copy()
    return amounts_of(replace(table, data=given), column, notes).reindex(table.data.index)


def rated(
    table: Table,
    column: str,
    scale: tuple[float, float],
    words: Mapping[str, float] | None = None,
    remedy: str = "",
) -> pd.Series:
    """A column of whole answers on a scale, blank where not answered.

    Parameters
    ----------
    table : Table
        As `opened` gives it.
    column : str
        Its name.
    scale : (low, high)
        Of the answers.
    words : mapping of str to float, optional
        What answers in words stand for; else a set in general use with as many steps.
    remedy : str
        What to do about an answer that is none of them.

    Returns
    -------
    Series of float

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    written = column_of(table, column)
    if not is_numeric_dtype(written.dtype):
        cells = written.map(plain, na_action="ignore")
        told = [cell for cell in dict.fromkeys(cells.dropna()) if not _NUMBER.fullmatch(cell)]
        known = {plain(word): float(step) for word, step in (words or {}).items()}
        led = {cell: led_number(cell) for cell in told}
        if not set(told) <= set(known) and all(step is not None for step in led.values()):
            known = {cell: float(step) for cell, step in led.items() if step is not None}
        elif not set(told) <= set(known):
            name = set_of(told, int(scale[1] - scale[0]) + 1)
            known = {w: scale[0] + p - 1 for w, p in usual_sets()[name].items()} if name else known
        if told and set(told) <= set(known):
            read = pd.to_numeric(cells.map(lambda cell: known.get(cell, cell), "ignore"))
            table = replace(table, data=table.data.assign(**{column: read.astype(float)}))
        elif told and words:
            bad = cells.isin([cell for cell in told if cell not in known])
            wrong = message("refusals.value_is_no_answer_of", value="{value}")
            raise fault(table, column, bad, wrong, remedy)
    return within(table, column, *scale, whole=True, missing=True, remedy=remedy)


def labels(table: Table, column: str) -> pd.Series:
    """A column of names as text, none of them missing.

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    return filled(table, column, column_of(table, column)).astype(str)


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


def one_a_row(table: Table, columns: Sequence[str], remedy: str) -> None:
    """`once`, and what to do about a table of another shape where a column is not there.

    Parameters
    ----------
    table : Table
        As `opened` gives it.
    columns : sequence of str
        What a row is one of.
    remedy : str
        What a table of this kind holds.

    Raises
    ------
    InputError
        Naming file, column and row.
    """
    for column in columns:
        if column not in table.data:
            raise table.lacking(column, remedy)
    once(table, columns)


def answered_rows(table: Table, answers: Sequence[pd.Series]) -> tuple[Table, list[Message]]:
    """The rows in which everything was answered, and how many others there were.

    Raises
    ------
    InputError
        No row is left.
    """
    full = pd.concat(answers, axis=1).notna().all(axis=1)
    gone = int((~full).sum())
    if gone == len(full):
        raise InputError(table.source, message("refusals.no_row_is_complete"),
                         message("refusals.fill_it_in_or_leave_it_out"))  # fmt: skip
    told = [message("inputs.rows_incomplete", file=table.source, rows=gone)] if gone else []
    return replace(table, data=table.data[full]), told


def enough_rows(table: Table, rows: int, least: int, what: str) -> None:
    """Refuse a table of too few rows to say anything.

    Raises
    ------
    InputError
        Naming the file and how many it needs.
    """
    if rows < least:
        kind = message(f"refusals.too_few_{what.replace(' ', '_')}")
        raise InputError(table.source, message("refusals.has_few_rows", rows=rows, what=kind),
                         message("refusals.that_many_are_needed", least=least))  # fmt: skip
