"""Text from data is data: no cell runs in a spreadsheet, no sentence becomes a link."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

# What a terminal, XML or a spreadsheet would act on, and halves of letters that no file can hold.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠].", re.DOTALL)
# Between cells set in one line: what may need care in any of them, found at once.
_BETWEEN = "\x1e"
_CARE = re.compile(
    r"[\x00-\x1d\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|(?:^|\x1e)\s*[=+\-@＝＋－＠]"
)
BLOCK = 50_000  # rows of a table written at a time
_MARKUP = re.compile(r"[\\`*_\[\]<>|$#~]")
# Bare addresses that a Markdown reader would make links of: one escaped sign keeps them text.
_ADDRESS = re.compile(
    r"(?i)(?:(?<=https)|(?<=http)|(?<=ftp)|(?<=mailto))(?=:)|(?<=\bwww)(?=\.)|(?<=\S)(?=@\S)"
)
_FIRST = re.compile(r"^(?=[-+=](?:\s|[-=]|$))|^(\d{1,9})(?=[.)]\s)")  # a list or an underline


def without_controls(text: str) -> str:
    """Text without control characters; tabs and line ends stay."""
    return _CONTROLS.sub("", text)


def page_text(value: Any) -> Any:
    """What a template prints: text without control characters, anything else as it is."""
    return without_controls(value) if type(value) is str else value


def neutral(value: Any) -> Any:
    """A cell that no spreadsheet runs: text that begins like a formula gets an apostrophe."""
    if not isinstance(value, str):
        return value
    value = re.sub(r"[\t\r\n]+", " ", without_controls(value))
    # a lone sign or a negative number is harmless
    if _FORMULA.match(value):
        try:
            float(value)
        except ValueError:
            return "'" + value
    return value


def neutralised(table: pd.DataFrame) -> pd.DataFrame:
    """The table, and its heads, with text that a spreadsheet would run as a formula made inert."""
    safe = table.set_axis([neutral(head) for head in table.columns], axis=1)
    for position in range(table.shape[1]):
        if not pd.api.types.is_numeric_dtype(table.dtypes.iloc[position]):
            cells = table.iloc[:, position].astype(object)
            safe.isetitem(position, cells.map(neutral) if _needs_care(cells) else cells)
    return safe


def _needs_care(cells: pd.Series) -> bool:
    """Whether a cell may have to change; most columns of text are harmless as they are."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if len(texts) + cells.isna().sum() < len(cells):  # not text alone
        return True
    line = _BETWEEN.join(texts)
    return line.count(_BETWEEN) != max(len(texts) - 1, 0) or bool(_CARE.search(line))


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write a table as the one kind of CSV this package writes: UTF-8, LF, nothing that acts.

    Parameters
    ----------
    table : DataFrame
        At full precision; the index is not written.
    path : Path
        Where to.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for start in range(0, max(len(table), 1), BLOCK):
            part = neutralised(table.iloc[start : start + BLOCK])
            part.to_csv(file, index=False, header=start == 0, lineterminator="\n")
    return path


def inert_markdown(text: str, *, links: bool = False) -> str:
    """Text as Markdown that shows as itself: no HTML, no emphasis, no list, no links.

    Parameters
    ----------
    text : str
        A sentence; line ends become blanks.
    links : bool
        Leave bare addresses as they are, for works of the suite's own bibliography.
    """
    line = " ".join(without_controls(text).split())
    line = _MARKUP.sub(lambda sign: "\\" + sign[0], line)
    line = line if links else _ADDRESS.sub(r"\\", line)
    return _FIRST.sub(lambda start: (start[1] or "") + "\\", line)
