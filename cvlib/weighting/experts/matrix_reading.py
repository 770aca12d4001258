"""A plain matrix of judgements on a sheet: found by its names, wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cvlib.inputs.errors import InputError, shorten
from cvlib.weighting.experts.judgements import Pair, named_by, resolve
from cvlib.weighting.tree import Tree
from cvlib.words.message import message

Grid = list[list[Any]]


def cell_of(path: Path, sheet: str, row: int, column: int) -> str:
    """Where a cell stands, as an error names it."""
    from openpyxl.utils import get_column_letter

    at = f"{get_column_letter(column + 1)}{row + 1}"
    return f"{path.name}, sheet {sheet!r}, cell {at}" if sheet else f"{path.name}, cell {at}"


def blank(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or not str(value).strip()


def read_matrix(path: Path, sheet: str, rows: Grid, tree: Tree) -> list[Pair]:
    """A plain matrix: item names above it and to its left, in any order.

    The names stand in the first row and the first column that hold names of the tree; a title
    above them and blank rows and columns are passed over. Every cell belongs to the names that
    stand at the head of its row and of its column.

    Parameters
    ----------
    path : Path
        The file, for the errors.
    sheet : str
        Its sheet; empty for a text file.
    rows : list of list
        The cells.
    tree : Tree
        Whose nodes are compared.

    Returns
    -------
    list of Pair

    Raises
    ------
    InputError
        A name that the tree does not have, other names in rows than in columns, a judgement
        without a name.
    """
    top, left = _corner(rows, tree)
    head = rows[top]
    across = [(c, name) for c, name in enumerate(head) if c > left and not blank(name)]
    body = [(r, row) for r, row in enumerate(rows) if r > top and not all(map(blank, row))]
    columns = [resolve(tree, name, cell_of(path, sheet, top, c)) for c, name in across]
    items = []
    for r, row in body:
        if left >= len(row) or blank(row[left]):
            raise InputError(
                cell_of(path, sheet, r, left), message("refusals.judgement_row_without_name"),
                message("refusals.judgement_row_without_name_remedy"),
            )  # fmt: skip
        items.append(resolve(tree, row[left], cell_of(path, sheet, r, left)))
    if sorted(items) != sorted(columns) or len(set(items)) != len(items):
        raise InputError(
            cell_of(path, sheet, top, left),
            message("refusals.judgement_names_differ", rows=", ".join(items),
                    columns=", ".join(columns)),
            message("refusals.judgement_names_differ_remedy"),
        )  # fmt: skip
    known = {c for c, _ in across}
    for r, row in body:
        for c, value in enumerate(row):
            if c > left and c not in known and not blank(value):
                raise InputError(
                    cell_of(path, sheet, r, c),
                    message("refusals.judgement_column_without_name", cell=shorten(value)),
                    message("refusals.judgement_column_without_name_remedy"),
                )
    return [
        Pair(item, other, row[c] if c < len(row) else None, cell_of(path, sheet, r, c))
        for item, (r, row) in zip(items, body, strict=True)
        for other, (c, _) in zip(columns, across, strict=True)
    ]


def _corner(rows: Grid, tree: Tree) -> tuple[int, int]:
    """Row of the names above the matrix, and column of those to its left."""
    for top, row in enumerate(rows):
        named = [c for c, value in enumerate(row) if named_by(tree, value)]
        if len(named) < 2:
            continue
        for left in range(named[0]):
            if any(named_by(tree, _at(below, left)) for below in rows[top + 1 :]):
                return top, left
    filled = next((r for r, row in enumerate(rows) if not all(map(blank, row))), 0)
    return filled, 0


def _at(row: Sequence[Any], column: int) -> Any:
    return row[column] if column < len(row) else None
