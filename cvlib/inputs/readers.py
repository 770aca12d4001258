"""One way to read a table: csv and other text, xlsx, SPSS .sav, Stata .dta, parquet, feather."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from pandas.api.types import is_numeric_dtype, is_string_dtype

from cvlib.inputs import datasets, text
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.formats import (
    kind_of,
    read_arrow,
    read_statistics,
    read_text,
    read_workbook,
    unique_names,
)
from cvlib.inputs.second_header import below_the_names
from cvlib.words.message import Message, joined, message

LEFT_OUT = ["column", "reason", "count", "share"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was read.

    Attributes
    ----------
    data : DataFrame
        Numbers, text (missing cells as NaN) and dates. The index is the 0-based place of the row in
        the file: index 4 is data row 5, the header not counted.
    labels, value_labels : dict
        Column to its label (question wording), and to {code: label}, where the file has them.
    left_out : DataFrame
        column, reason, count, share: what the reader turned into missing values or skipped.
    source : str
        The name of the file, without its folder.
    sha256 : str
        Of the file; empty for a table that came from memory.
    warnings : tuple of str
        What the reader had to assume.
    files : tuple of (str, int)
        For a table put together from several files: each name and the index of its first row.
    heads : dict
        Column to its head in the file, where it is another.
    """

    data: pd.DataFrame
    labels: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, dict[Any, str]] = field(default_factory=dict)
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LEFT_OUT))
    source: str = "table in memory"
    sha256: str = ""
    warnings: tuple[str, ...] = ()
    files: tuple[tuple[str, int], ...] = ()
    heads: dict[str, str] = field(default_factory=dict)

    def place(self, column: str, row: int | None = None) -> str:
        """Say where a column, or the cell of it at this index, stands in the user's file."""
        column = self.heads.get(column, column)
        if row is None:
            return message("refusals.at_column", file=self.source, column=column)
        name, first = ([(self.source, 0)] + [file for file in self.files if file[1] <= row])[-1]
        return message("refusals.at_cell", file=name, column=column, row=row - first + 1)

    def lacking(self, column: str, remedy: str = "") -> InputError:
        """An error that the column is not there: the nearest name, and other sheets there are."""
        known = [self.heads.get(str(one), str(one)) for one in self.data.columns]
        return InputError(
            self.place(column), message("refusals.there_is_no_such_column"),
            joined([nearest(column, known), self.elsewhere, remedy]),
        )  # fmt: skip

    @property
    def elsewhere(self) -> str:
        """Where else a column may stand, as the end of a remedy: in another sheet; mostly empty."""
        sheets = [note.values for note in self.warnings
                  if isinstance(note, Message) and note.id == "inputs.first_sheet"]  # fmt: skip
        names = ", ".join(sheets[0]["others"][:10]) if sheets else ""
        return message("refusals.other_sheets", others=names) if names else ""


def left_out(rows: Sequence[tuple[str, str, int]], total: int) -> pd.DataFrame:
    """Build a `left_out` table from (column, reason, count) rows; share is of `total` rows."""
    kept = [(*row, row[2] / total if total else 0.0) for row in rows if row[2]]
    frame = pd.DataFrame(kept, columns=LEFT_OUT)
    # a column of text would forget how other languages word the reasons
    return frame.assign(reason=pd.Series([row[1] for row in kept], dtype=object))


def read_table(
    path: str | Path,
    *,
    sheet: str | None = None,
    header_row: int = 1,
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    columns: Sequence[str] | None = None,
    dates: Mapping[str, str] | None = None,
) -> Table:
    """Read one table, whatever its format.

    Parameters
    ----------
    path : str or Path
        csv, txt, tsv, xlsx, sav, dta, parquet or feather, by its ending.
    sheet : str, optional
        The sheet of a workbook, by name or number; the first one otherwise.
    header_row : int
        Row of a text table or a workbook that names the columns, counted from 1; an empty row
        stands for the next one that is not. Rows above it are left out.
    encoding : str, optional
        Of a text table or an old SPSS file; recognised otherwise.
    separator : str, optional
        Of a text table: a character or ``whitespace``; recognised otherwise.
    decimal : {".", ","}, optional
        The decimal mark of a text table, for columns such as ``1,234`` that could be either.
    columns : sequence of str, optional
        Names to use in place of the file's header line.
    dates : mapping, optional
        Column to the strftime pattern of its dates.

    Returns
    -------
    Table
        User-missing codes (SPSS) and extended missing values (Stata) have become missing values and
        are counted in `left_out`.

    Raises
    ------
    InputError
        No such file, not what its ending says, empty, a header only, duplicate or missing column
        names, lines of unequal length, an unreadable encoding.

    Notes
    -----
    Text columns become numbers when every value is one. Decimal commas and thousands separators are
    recognised where only one reading is possible. Codes with leading zeros or more than 15 digits
    stay text, because a number could not give them back.
    """
    if not Path(path).is_file():
        raise InputError(
            str(path), message("refusals.there_is_no_such_file"), message("refusals.check_the_path")
        )
    path = Path(path)
    name = path.name
    kind = kind_of(path, name)
    _check_reading(name, kind, sheet, header_row, decimal)
    labels: dict[str, str] = {}
    value_labels: dict[str, dict[Any, str]] = {}
    notes: list[str] = []
    skipped: list[tuple[str, str, int]] = []
    # A damaged binary file makes the library that reads it raise nearly anything.
    unreadable = (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError, ValueError)
    damaged = unreadable if kind == "text" else Exception
    try:
        if kind == "text":
            frame = read_text(path, name, encoding, separator, header_row, notes)
        elif kind == "xlsx":
            frame = read_workbook(path, name, sheet, header_row, notes)
        elif kind in ("sav", "dta"):
            frame, labels, value_labels = read_statistics(path, kind, encoding, skipped)
        else:
            frame = read_arrow(path, name, kind)
    except InputError:
        raise
    except damaged as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(
            name,
            message(
                "refusals.cannot_be_read_as",
                kind=message(f"inputs.kind_{kind}"),
                reason=reason[:200] or type(error).__name__,
            ),
            message("refusals.mend_the_line_it_names_or_save"),
        ) from error
    if columns is not None:
        if len(columns) != frame.shape[1]:
            raise InputError(
                name,
                message("refusals.has_columns_were_named", shape=frame.shape[1], n=len(columns)),
                message("refusals.check_columns"),
            )
        frame.columns = pd.Index(columns)
    frame = _named(frame, name, kind, notes)
    if kind in ("text", "xlsx"):
        frame, labels = below_the_names(frame, name, notes)
    spaces = {column: int(frame[column].isna().sum()) for column in frame}
    frame = _plain_columns(frame)
    skipped += [
        (column, "cell of blanks read as missing", int(frame[column].isna().sum()) - before)
        for column, before in spaces.items()
    ]
    blank = frame.isna().all(axis=1)
    if blank.all():
        wrong = "holds column names but no rows" if len(frame.columns) else "is empty"
        raise InputError(name, wrong, message("refusals.check_that_the_right_file_was_saved"))
    if kind in ("text", "xlsx"):
        skipped.append(("(all)", "empty row", int(blank.sum())))
        frame = text.numbers(frame[~blank] if blank.any() else frame, decimal, notes)
        pyarrow.default_memory_pool().release_unused()  # of the cells as text
    for column, pattern in (dates or {}).items():
        try:
            frame[column] = pd.to_datetime(frame[column].astype("str"), format=pattern)
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{name}, column {column}", str(error), message("refusals.check_dates")
            ) from error
    return Table(
        frame, labels, value_labels, left_out(skipped, len(blank)), name, datasets.sha256(path),
        tuple(notes),
    )  # fmt: skip


def _check_reading(
    name: str, kind: str, sheet: str | None, header_row: int, decimal: str | None
) -> None:
    """Refuse ways of reading that a file of this kind has no use for."""
    if header_row < 1:
        raise InputError("header_row", message("refusals.is_not_a_row", header_row=header_row),
                         message("refusals.rows_are_counted_from"))  # fmt: skip
    if header_row > 1 and kind not in ("text", "xlsx"):
        raise InputError("header_row", message("refusals.names_its_columns_itself", name=name),
                         message("refusals.leave_header_row_at"))  # fmt: skip
    if sheet is not None and kind != "xlsx":
        raise InputError("sheet", message("refusals.has_no_sheets", file=name),
                         message("refusals.leave_sheet_empty"))  # fmt: skip
    if decimal not in (None, ".", ","):
        raise InputError(
            "decimal", message("refusals.is_no_decimal_mark", decimal=decimal),
            message("refusals.give_a_point_or_a"),
        )  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """How a file is read where it does not say it itself; blank means that it does.

    Parameters
    ----------
    sheet : str
        The sheet of a workbook, by name or number.
    header_row : int
        Row that names the columns, counted from 1.
    encoding : str
        Of a text file, such as ``cp1252``.
    decimal : {"", ".", ","}
        Decimal mark of a text file.

    Raises
    ------
    InputError
        When a file is read that has no use for what is given.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.load("mobi", **vars(cv.Reading())).data.shape
    (250, 24)
    """

    sheet: str = ""
    header_row: int = 1
    encoding: str = ""
    decimal: str = ""


AS_IT_IS = Reading()


def load_table(
    data: str | Path | Sequence[str | Path] | pd.DataFrame | Table,
    *,
    sheet: str = "",
    header_row: int = 1,
    encoding: str = "",
    decimal: str = "",
) -> Table:
    """Read what a notebook's `data` parameter names.

    Parameters
    ----------
    data : str, Path, sequence of these, DataFrame or Table
        A data set of the catalogue, a file, a pattern such as ``orders_*.csv`` or several files
        with the same columns, put one under the other. A DataFrame or Table passes through. A file
        that is one of the catalogue's (by SHA-256) is read with the catalogue's options.
    sheet, header_row, encoding, decimal
        As in `read_table`, for a file; empty where the file says it itself.

    Returns
    -------
    Table
        Data, labels, what was left out, and where it comes from.

    Raises
    ------
    InputError
        A file that is not there or cannot be read, or files that do not have the same columns.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.load("mobi").data.shape
    (250, 24)
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, pd.DataFrame):
        return from_frame(data)
    given = {"sheet": sheet, "encoding": encoding, "decimal": decimal}
    options: dict[str, Any] = {name: value for name, value in given.items() if value}
    if header_row != 1:
        options["header_row"] = header_row
    first, *more = [_load_one(path, options) for path in datasets.files(data)]
    return _joined([first, *more]) if more else first


load = load_table  # the front door's name of it


def from_frame(frame: pd.DataFrame, name: str = "table in memory") -> Table:
    """Make a Table of a DataFrame: rows numbered from 0, plain column types, names in order."""
    unique_names([str(column) for column in frame.columns], name)
    frame = frame.reset_index(drop=True)
    return Table(_plain_columns(frame), source=name)


def _load_one(path: Path, options: dict[str, Any]) -> Table:
    digest = datasets.sha256(path)
    for item in datasets.entries().values():
        if item.sha256 == digest:
            return read_table(path, **(item.read.given() | options))
    return read_table(path, **options)


def _joined(tables: Sequence[Table]) -> Table:
    """Put tables with the same columns one under the other."""
    first, *others = tables
    for table in others:
        for column in first.data.columns.symmetric_difference(table.data.columns):
            lacks = first if column in table.data.columns else table
            raise InputError(
                lacks.place(str(column)), message("refusals.there_is_no_such_column_2"),
                message("refusals.give_all_files_the_same"),
            )  # fmt: skip
        for column, dtype in first.data.dtypes.items():
            kinds = [is_string_dtype(each) for each in (dtype, table.data[column].dtype)]
            if kinds[0] != kinds[1] and not table.data[column].isna().all():
                wrong = f"refusals.holds_{'text' if kinds[1] else 'numbers'}_unlike"
                raise InputError(table.place(str(column)), message(wrong, file=first.source),
                                 message("refusals.write_the_column_alike_in"))  # fmt: skip
    starts = [0, *np.cumsum([table.data.index[-1] + 1 for table in tables[:-1]]).tolist()]
    placed = list(zip(tables, starts, strict=True))
    counts = pd.concat([table.left_out for table in tables], ignore_index=True)
    data = pd.concat([table.data.set_axis(table.data.index + start) for table, start in placed])
    return Table(
        data, first.labels, first.value_labels, counts.assign(share=counts["count"] / len(data)),
        f"{first.source} and {len(others)} more",
        hashlib.sha256("".join(table.sha256 for table in tables).encode()).hexdigest(),
        tuple(dict.fromkeys(note for table in tables for note in table.warnings)),
        tuple((table.source, start) for table, start in placed),
    )  # fmt: skip


def _named(frame: pd.DataFrame, name: str, kind: str, notes: list[str]) -> pd.DataFrame:
    """Check the column names; drop nameless columns that hold nothing."""
    names = [str(each).strip() for each in frame.columns]
    nameless = [position for position, each in enumerate(names) if not each]
    empty = [position for position in nameless if frame.iloc[:, position].isna().all()]
    if 0 in nameless and 0 not in empty:
        names[0] = "row_name"
        notes.append(message("inputs.first_column_unnamed", file=name))
        nameless.remove(0)
    for position in nameless:
        if position not in empty:
            raise InputError(
                f"{name}, column number {position + 1}", message("refusals.has_values_but_no_name"),
                message("refusals.give_every_column_a_name_or_say"),
            )  # fmt: skip
    kept = [position for position in range(len(names)) if position not in empty]
    frame = frame.iloc[:, kept]
    frame.columns = pd.Index([names[position] for position in kept])
    if (
        kind in ("text", "xlsx")
        and pd.Series(frame.columns).str.fullmatch(text.NUMBERS["plain"]).all()
    ):
        raise InputError(
            name,
            message(
                "refusals.its_first_row_holds_numbers_not_column",
                first=", ".join(frame.columns[:3]),
            ),
            message("refusals.put_the_columns_names_in_the_first"),
        )
    unique_names(list(frame.columns), name)
    return frame


def _plain_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Plain columns, each taken out of `frame`: a large table need not stand there twice."""
    columns = {str(column): _plain(frame.pop(column)) for column in list(frame.columns)}
    return pd.DataFrame(columns, index=frame.index)


def _as_text(cell: Any) -> Any:
    """A workbook cell of a column that mixes text with numbers or dates."""
    if pd.isna(cell):
        return None
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _plain(values: pd.Series) -> pd.Series:
    """Give every column a numpy type, text, or dates; cells that hold only blanks are missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype == object:
        from decimal import Decimal

        values = values.infer_objects()
        first = next(iter(values.dropna()), None)
        if isinstance(first, Decimal):
            values = values.astype(float)
        elif isinstance(first, date):
            dates = pd.to_datetime(values, errors="coerce")
            values = dates if dates.notna().sum() == values.notna().sum() else values
    if values.dtype == object:
        values = values.map(_as_text).astype("str")
    if pd.api.types.is_bool_dtype(values.dtype) and values.isna().any():
        values = values.astype(object).map(_as_text).astype("str")
    elif pd.api.types.is_extension_array_dtype(values.dtype) and is_numeric_dtype(values.dtype):
        values = values.astype(float if values.isna().any() else values.dtype.numpy_dtype)
    if is_string_dtype(values.dtype):
        values = values.astype("str").str.strip()
        values = values.mask(values == "")
    return values
