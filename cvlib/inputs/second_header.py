"""A second header: the questions' wording below the columns' names, as survey programs write it."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from cvlib.inputs import text
from cvlib.words.message import message

_FEWEST = 3  # columns of numbers that begin with words, each with its own
_MARK = re.compile(r'\{\s*"ImportId"\s*:')  # how Qualtrics numbers its columns below the wording


def below_the_names(
    frame: pd.DataFrame, name: str, notes: list[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """A table without the wording below its columns' names, and the wording.

    Parameters
    ----------
    frame : DataFrame
        Cells as they stand in the file, below the names of the columns.
    name : str
        What the file is called.
    notes : list of Message
        Gains which rows were taken for wording.

    Returns
    -------
    frame : DataFrame
        The rows that are left, with the places they have in the file.
    labels : dict
        Column to its wording.

    Notes
    -----
    A row is taken for wording where it is followed by a row of import ids (Qualtrics), or where
    every column of numbers begins with words, three at least and no two alike: nobody answers so.
    """
    rows = _rows(frame)
    if not rows:
        return frame, {}
    first = frame.iloc[0]
    labels = {str(c): str(first[c]).strip() for c in frame if not pd.isna(first[c])}
    notes.append(
        message("inputs.second_header", file=name, count=rows, rows=list(range(1, rows + 1)))
    )
    return frame.iloc[rows:], labels


def _rows(frame: pd.DataFrame) -> int:
    """How many rows at the top are no rows of the table: 0, 1, or 2 with import ids."""
    head = frame.head(3).map(_written)
    for row in range(min(2, len(head))):
        if head.iloc[row].str.match(_MARK).any():
            return row + 1
    if len(head) < 2:
        return 0
    filled = [at for at in range(frame.shape[1]) if head.iat[0, at]]
    in_words = [at for at in filled if not _number(head.iat[0, at])]
    if len(in_words) < _FEWEST:
        return 0
    of_numbers = [at for at in filled
                  if _number(head.iat[1, at]) and _all_numbers(frame.iloc[1:, at])]  # fmt: skip
    found = [head.iat[0, at] for at in of_numbers]
    own = len(set(found)) == len(found) >= _FEWEST
    return int(own and set(of_numbers) <= set(in_words))


def _all_numbers(cells: pd.Series) -> bool:
    distinct = pd.unique(cells.dropna())
    return all(_number(_written(cell)) for cell in distinct)


def _written(cell: Any) -> str:
    return "" if pd.isna(cell) else str(cell).strip()


def _number(written: str) -> bool:
    return any(re.fullmatch(pattern, written) for pattern in text.NUMBERS.values())
