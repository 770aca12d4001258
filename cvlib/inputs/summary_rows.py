"""Rows below a table that sum it up: means, totals and counts are nobody's answers or values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from cvlib.inputs.answers import plain
from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.readers import Table, left_out
from cvlib.inputs.shipped import shipped_yaml
from cvlib.words.message import message

LOOKED_AT = 10  # last rows of a table
_ENOUGH = 5  # rows above, where no label says what a row is
_DIGITS = 6  # decimals of a row of means, in all, that nobody hits by chance


@cache
def _labels() -> dict[str, str]:
    """What such rows are called, and the figure that the name promises."""
    file = resources.files("cvlib.inputs") / "row_labels.yaml"
    written = shipped_yaml(file.read_text(encoding="utf-8"))
    return {plain(label): figure for figure, labels in written.items() for label in labels}


@cache
def words_of_totals() -> tuple[str, ...]:
    """What stands for a name in a row of totals or means, without case and blanks."""
    named = (label for label, figure in _labels().items() if figure in ("mean", "sum"))
    return tuple(sorted({label.replace(" ", "") for label in named}))


_FIGURES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "mean": lambda rows: rows.mean(),
    "sum": lambda rows: rows.sum(),
    "deviation": lambda rows: rows.std(ddof=1),
    "deviation of all": lambda rows: rows.std(ddof=0),
    "variance": lambda rows: rows.var(ddof=1),
    "count": lambda rows: rows.count().astype(float),
    "median": lambda rows: rows.median(),
    "lowest": lambda rows: rows.min(),
    "highest": lambda rows: rows.max(),
}
_UNNAMED = ("mean", "sum", "deviation", "deviation of all", "variance")


def without_summaries(table: Table, columns: Sequence[str]) -> Table:
    """A table without the rows at its end that sum the others up.

    A row goes where its figures are the means, totals, deviations, counts or the like of the rows
    above it, in every column, to the digits it is written with: by its label, or without one where
    chance cannot have made them agree. A row below such a one that is neither is refused.

    Parameters
    ----------
    table : Table
        A row per respondent or customer.
    columns : sequence of str
        The columns with their answers or values; those that hold no numbers say nothing.

    Returns
    -------
    Table
        The rows that are left, those that went counted in `left_out` and named in `warnings`.

    Raises
    ------
    InputError
        A row called a mean or a total whose figures are not, or a row below the figures.

    Examples
    --------
    >>> import pandas as pd, cvlib as cv
    >>> from cvlib.inputs.summary_rows import without_summaries
    >>> own = pd.DataFrame({"id": ["a", "b", "c", "Mean"], "q": [1, 4, 5, 3.33], "r": [2, 2, 5, 3]})
    >>> len(without_summaries(cv.load(own), ["q", "r"]).data)
    3
    """
    there = [column for column in columns if column in table.data.columns]
    if not there or len(table.data) < 3:
        return table
    first = max(2, len(table.data) - LOOKED_AT)
    numbers = table.data[there].apply(_as_numbers)
    gone: list[int] = []
    for at in range(first, len(table.data)):
        label = _label(table, at, there)
        above = numbers.iloc[: gone[0] if gone else at]
        if _sums_up(numbers.iloc[at], above, label):
            gone.append(at)
        elif gone or len(label) > 1:
            place = table.place(str(table.data.columns[0]), _row(table, at))
            wrong = "refusals.row_sums_up" if label else "refusals.row_below_figures"
            raise InputError(
                place, message(wrong, label=label), message("refusals.row_sums_up_remedy")
            )
    if not gone:
        return table
    rows = [_row(table, at) + 1 for at in gone]
    note = message("inputs.summary_rows", file=table.source, rows=rows, count=len(rows))
    counted = left_out([("(all)", message("inputs.summary_row"), len(rows))], len(table.data))
    parts = [part for part in (table.left_out, counted) if len(part)]
    return replace(
        table, data=table.data.iloc[: gone[0]], left_out=pd.concat(parts, ignore_index=True),
        warnings=(*table.warnings, note),
    )  # fmt: skip


def _as_numbers(column: pd.Series) -> pd.Series:
    if is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype):
        return column.astype(float)
    return pd.to_numeric(column.astype("str"), errors="coerce").astype(float)


def _label(table: Table, at: int, values: Sequence[str]) -> str:
    """What the row is called: the first cell that is filled, if it names a figure nobody else has.

    A customer may be called Total: an answer beside the name is one of the row's own only where
    the name stands in the first of its cells and in no other row.
    """
    for column in table.data.columns:
        cell = table.data[column].iat[at]
        if pd.isna(cell):
            continue
        if column in values or plain(cell).rstrip(":") not in _labels():
            return ""
        same = table.data[column].iloc[:at].map(plain, na_action="ignore") == plain(cell)
        return "" if same.any() else shorten(cell).strip("'")
    return ""


def _sums_up(row: pd.Series, above: pd.DataFrame, label: str) -> bool:
    """Whether a row holds one and the same figure of the rows above it, in every column."""
    row = row.dropna()
    if not len(row) or (not label and (len(row) < 2 or len(above) < _ENOUGH)):
        return False
    named = _labels().get(plain(label).rstrip(":"), "")
    for figure, of in _FIGURES.items():
        if not figure.startswith(named) if label else figure not in _UNNAMED:
            continue
        agrees = all(
            _equal(row[c], of(above[[c]]).iloc[0]) for c in row.index
        )  # stops at the first
        if agrees and (label or _beyond_chance(row, above[row.index], figure)):
            return True
    return False


def _equal(written: float, exact: float) -> bool:
    """Whether a figure is what is written, to the digits it is written with."""
    half = 0.5 * 10.0 ** -_decimals(written)
    return bool(abs(written - exact) <= half * (1 + 1e-9) + 1e-9 * abs(exact))


def _beyond_chance(row: pd.Series, above: pd.DataFrame, figure: str) -> bool:
    """Whether nobody could have given these numbers by chance.

    A respondent near the middle may answer what the mean rounds to; so the row must be written to
    more digits than the answers above it, hold many digits, or lie beyond every answer.
    """
    if not (above.nunique() > 1).all():
        return False
    finest = {c: max(map(_decimals, above[c].dropna().unique())) for c in above}
    finer = sum(_decimals(row[c]) > finest[c] for c in above)
    beyond = (row > above.max()).all() or (row < above.min()).all()
    many = figure == "mean" and sum(map(_decimals, row)) >= _DIGITS
    return bool(beyond) or finer >= 2 or many


def _row(table: Table, at: int) -> int:
    """The 0-based row of the file at a place of the table."""
    label = table.data.index[at]
    return int(label) if isinstance(label, int | np.integer) else at


def _decimals(value: float) -> int:
    """Decimals a number is written with, at most nine."""
    written = f"{value:.9f}".rstrip("0")
    return len(re.sub(r"^.*\.", "", written))
