"""The formats a table may come in, each read into a DataFrame with nothing assumed in silence."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs import text
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.limits import hold_table, hold_workbook
from cvlib.words.message import message

ENDINGS = {
    ".csv": "text", ".txt": "text", ".tsv": "text", ".tab": "text", ".dat": "text",
    ".xlsx": "xlsx", ".xlsm": "xlsx", ".sav": "sav", ".zsav": "sav", ".dta": "dta",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather",
}  # fmt: skip
# First bytes -> what the file really is, and whether we read that.
_MAGIC = {
    b"PK\x03\x04": "xlsx", b"$FL": "sav", b"<stata_dta>": "dta", b"PAR1": "parquet",
    b"ARROW1": "feather", b"FEA1": "feather", b"\xd0\xcf\x11\xe0": "xls", b"\x1f\x8b": "gzip",
    b"%PDF": "pdf", b"\x89PNG": "png",
}  # fmt: skip
# Endings of what is no table in a file, and how it becomes one.
_OTHERWISE = {
    ".duckdb": "duckdb_table", ".ddb": "duckdb_table",
    ".json": "json_table", ".jsonl": "json_table", ".ndjson": "json_table",
    ".zip": "packed_table", ".bz2": "packed_table", ".xz": "packed_table",
}  # fmt: skip


def kind_of(path: Path, name: str) -> str:
    """What the file is, when that is what its ending says."""
    expected = ENDINGS.get(path.suffix.lower())
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise InputError(
            name,
            message("refusals.is_empty"),
            message("refusals.check_that_the_right_file_was_saved"),
        )
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<meta")):
        found = "html"
    if found is None and head[0] in range(0x66, 0x74) and head[1:3] in (b"\x01\x01", b"\x02\x01"):
        found = "dta"  # Stata 3 to 12 starts with its version, the byte order and a 1
    found = found or "text"
    if found == expected:
        return found
    ending = path.suffix or "nothing"
    holds = message(f"inputs.kind_{found}")
    if expected is None:
        wrong = message("refusals.ends_in_and_holds", ending=ending, holds=holds)
    else:
        wrong = message("refusals.is_not_what_its_ending_says", ending=ending, holds=holds)
    mended = next((ending for ending, kind in ENDINGS.items() if kind == found), None)
    if mended and expected:
        renamed = f"{path.stem}{mended}"
        remedy = message("refusals.rename_it_or_save_it_again", renamed=renamed, ending=ending)
    elif path.suffix.lower() in _OTHERWISE:
        how = _OTHERWISE[path.suffix.lower()]
        remedy = message(f"refusals.give_{how}", file=name)
    else:
        remedy = message("refusals.open_it_and_save_it_as")
    raise InputError(name, wrong, remedy)


def read_text(
    path: Path,
    name: str,
    encoding: str | None,
    separator: str | None,
    header_row: int,
    notes: list[str],
) -> pd.DataFrame:
    """A text table, every cell as it was written.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What it is called in errors and notes.
    encoding, separator : str or None
        As given; None finds them. ``whitespace`` separates by any number of blanks.
    header_row : int
        Line of the column names, from 1.
    notes : list of Message
        Gains what was found out and is not plain from the file.

    Returns
    -------
    DataFrame
        Cells as text, missing where empty.

    Raises
    ------
    InputError
        Lines of unequal length, naming them, or a table too large to hold.
    """
    content, used = text.decode(path.read_bytes(), name, encoding)
    if encoding is None and used not in ("utf-8", "utf-8-sig", "utf-16"):
        notes.append(message("inputs.read_as", file=name, encoding=used))
    content = content.lstrip("\n")
    if (hint := content.partition("\n")[0]).startswith("sep=") and len(hint) == 5:
        separator, content = hint[4], content[6:]  # a line that Excel writes for itself
    if header_row > 1:
        *above, content = content.split("\n", header_row - 1)
        blank = len(content) - len(content.lstrip("\n"))
        content, header_row = content[blank:], len(above) + 1 + blank
    mark = r"\s+" if separator == "whitespace" else separator or text.separator(content)
    rows = (cells for _, cells in _rows(content, mark) if any(cells))
    header, first = next(rows, []), next(rows, [])
    hold_table(content.count("\n"), max(len(header), len(first)), name)
    if len(first) == len(header) + 1:  # R's write.table leaves out the name of the row names
        content = ("row_name " if mark == r"\s+" else f"row_name{mark}") + content
        notes.append(message("inputs.row_names", file=name))
    written = content.encode()  # a text stream would take four bytes a letter
    del content, rows
    try:
        frame = pd.read_csv(
            io.BytesIO(written), sep=mark, header=None, dtype="str", skip_blank_lines=False
        )
    except pd.errors.ParserError:
        _refuse_ragged(written.decode(), mark, name, header_row)
        raise
    # The parser pads short lines in silence; they can only be where the last cell is missing.
    if frame.iloc[:, -1].isna().any():
        _refuse_ragged(written.decode(), mark, name, header_row)
    return _headed(frame)


def _refuse_ragged(content: str, mark: str, name: str, header_row: int) -> None:
    """Name the first line that has more or fewer cells than the header."""
    rows = ((line + header_row - 1, cells) for line, cells in _rows(content, mark) if any(cells))
    first = list(itertools.islice(rows, 20))
    width = len(first[0][1]) if first else 0
    for line, cells in itertools.chain(first, rows):
        if len(cells) != width:
            raise InputError(
                f"{name}, line {line}",
                message("refusals.has_cells_the_header_has", cells=len(cells), width=width),
                _header_hint(first) or message("refusals.mend_that_line_the_file_may_have"),
            )


def _header_hint(rows: Sequence[tuple[int, Sequence[Any]]]) -> str:
    """Where the names of the columns seem to stand lower than they were looked for."""
    written = [
        (row, [str(cell).strip() for cell in cells if not pd.isna(cell) and str(cell).strip()])
        for row, cells in rows
    ]
    widest = max((len(words) for _, words in written), default=0)
    for row, words in written[1:-1]:
        if (
            len(words) == widest > len(written[0][1])
            and len(set(words)) == len(words)
            and not any(re.fullmatch(text.NUMBERS["plain"], word) for word in words)
        ):
            return message("refusals.names_may_stand_in_row", row=row)
    return ""


def _rows(content: str, mark: str) -> Iterator[tuple[int, list[str]]]:
    """Line number (of the last line, where text runs over several) and cells of each row."""
    if mark == r"\s+":
        yield from enumerate((line.split() for line in content.split("\n")), start=1)
        return
    reader = csv.reader(_lines(content), delimiter=mark)
    for cells in reader:
        yield reader.line_num, cells


def _lines(content: str) -> Iterator[str]:
    """The lines of a text with their ends, one at a time."""
    start = 0
    while start < len(content):
        end = content.find("\n", start) + 1 or len(content)
        yield content[start:end]
        start = end


def _headed(frame: pd.DataFrame) -> pd.DataFrame:
    """Take the first row as names (pandas would rename duplicates in silence)."""
    body = frame.iloc[1:].reset_index(drop=True)
    body.columns = pd.Index(["" if pd.isna(name) else name for name in frame.iloc[0]])
    return body


def read_workbook(
    path: Path, name: str, sheet: str | None, header_row: int, notes: list[str]
) -> pd.DataFrame:
    """One sheet of an Excel workbook.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What it is called in errors and notes.
    sheet : str or None
        Name of the sheet, or its number from 1; None takes the first.
    header_row : int
        Row of the column names, from 1; beyond 1 blank rows before them are passed over.
    notes : list of Message
        Gains which sheet was read where there are several and none was named.

    Returns
    -------
    DataFrame
        Cells with the types that Excel holds.

    Raises
    ------
    InputError
        No such sheet, nothing in it, a title in the place of the names, or too large to hold.
    """
    hold_workbook(path, name)
    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = [str(each) for each in book.sheet_names]
        if sheet is not None and sheet not in names and sheet.isdecimal():
            sheet = dict(enumerate(names, start=1)).get(int(sheet), sheet)
        if sheet is not None and sheet not in names:
            raise InputError(
                f"{name}, sheet {sheet}",
                message("refusals.there_is_no_such_sheet"),
                nearest(sheet, names),
            )
        frame = pd.read_excel(book, sheet_name=sheet or names[0], header=None, dtype=object)
    if sheet is None and len(names) > 1:
        notes.append(message("inputs.first_sheet", file=name, sheet=names[0], others=names[1:]))
    if frame.iloc[header_row - 1 :].empty:
        raise InputError(
            f"{name}, sheet {sheet or names[0]}",
            message("refusals.has_nothing_in_row_or_below", row=header_row)
            if len(frame)
            else message("refusals.is_empty"),
            message("refusals.name_the_right_sheet_sheet_and_the"),
        )
    frame = frame.iloc[header_row - 1 :].reset_index(drop=True)
    while header_row > 1 and frame.iloc[0].isna().all() and len(frame) > 1:
        frame, header_row = frame.iloc[1:].reset_index(drop=True), header_row + 1
    named = frame.iloc[0].map(lambda cell: not pd.isna(cell) and bool(str(cell).strip()))
    if (~named & frame.iloc[1:].notna().any()).any():  # values without a name above them
        hint = _header_hint(list(enumerate(frame.head(20).to_numpy().tolist(), header_row)))
        if hint:
            raise InputError(
                f"{name}, row {header_row}",
                message("refusals.holds_a_title_not_the_names_of"),
                hint,
            )
    return _headed(frame)


def read_statistics(
    path: Path, kind: str, encoding: str | None, skipped: list[tuple[str, str, int]]
) -> tuple[pd.DataFrame, dict[str, str], dict[str, dict[Any, str]]]:
    """An SPSS or Stata file, its declared missing values left out.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"sav", "dta"}
        SPSS or Stata.
    encoding : str or None
        None takes what the file says.
    skipped : list of (column, reason, cells)
        Gains the cells that the file itself declares missing.

    Returns
    -------
    frame : DataFrame
        The codes.
    labels : dict
        Column to its label, where it has one.
    value_labels : dict
        Column to its codes' labels.

    Raises
    ------
    InputError
        A table too large to hold.
    """
    import pyreadstat

    read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
    _, size = read(str(path), metadataonly=True, encoding=encoding)
    hold_table(size.number_rows or 0, size.number_columns or 0, path.name)
    frame, meta = read(str(path), user_missing=True, encoding=encoding)
    declared: dict[str, list[Any]] = meta.missing_ranges  # pyreadstat's own type hint is looser
    for column, ranges in declared.items():
        for bounds in ranges:
            ends = [f"{end:g}" if isinstance(end, float) else str(end) for end in bounds.values()]
            hit = frame[column].between(bounds["lo"], bounds["hi"])
            code = " to ".join(dict.fromkeys(ends))
            skipped.append((column, message("inputs.user_missing", code=code), int(hit.sum())))
            frame[column] = frame[column].mask(hit)
    for column, codes in meta.missing_user_values.items():
        for letter in codes:
            hit = frame[column] == letter
            skipped.append(
                (column, message("inputs.extended_missing", letter=letter), int(hit.sum()))
            )
            frame[column] = frame[column].mask(hit)
        frame[column] = pd.to_numeric(frame[column])
    labels = {column: label for column, label in meta.column_names_to_labels.items() if label}
    return frame, labels, dict(meta.variable_value_labels)


def read_arrow(path: Path, name: str, kind: str) -> pd.DataFrame:
    """A parquet or feather file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What it is called in errors.
    kind : str
        ``parquet``; anything else is read as feather.

    Returns
    -------
    DataFrame
        With its stored types; a named index becomes columns.

    Raises
    ------
    InputError
        A column name that stands twice, or a table too large to hold.
    """
    from pyarrow import default_memory_pool

    frame = _arrow_table(path, name, kind).to_pandas()
    default_memory_pool().release_unused()  # Arrow keeps what it read, which nothing else can use
    unnamed = all(level is None for level in frame.index.names)
    return frame.reset_index(drop=unnamed)


def _arrow_table(path: Path, name: str, kind: str) -> Any:
    from pyarrow import feather, parquet

    if kind == "parquet":
        file = parquet.ParquetFile(path)
        hold_table(file.metadata.num_rows, file.metadata.num_columns, name)
        table = file.read()
    else:
        table = feather.read_table(path, memory_map=True)
        hold_table(table.num_rows, table.num_columns, name)
    unique_names(table.column_names, name)
    return table


def unique_names(names: Sequence[str], name: str) -> None:
    """Refuse a table in which a column name stands twice.

    Parameters
    ----------
    names : sequence of str
        The columns.
    name : str
        What the file is called in the error.

    Raises
    ------
    InputError
        Naming the column.
    """
    seen: set[str] = set()
    for each in names:
        if each in seen:
            raise InputError(
                f"{name}, column {each}",
                message("refusals.the_name_stands_twice"),
                message("refusals.give_each_column_its_own_name"),
            )
        seen.add(each)
