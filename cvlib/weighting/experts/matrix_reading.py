"""A plain matrix of judgements on a sheet: found by its names, wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.heads import spelt
from cvlib.inputs.shipped import shipped_yaml
from cvlib.inputs.summary_rows import words_of_totals
from cvlib.weighting.experts.judgements import Pair, named_by, number, resolve
from cvlib.weighting.tree import Tree
from cvlib.words.message import Message, message

_NEAR = 0.02  # printed weights are rounded
Grid = list[list[Any]]


def cell_of(path: Path, sheet: str, row: int, column: int) -> str:
    """Where a cell stands, as an error names it."""
    from openpyxl.utils import get_column_letter

    at = f"{get_column_letter(column + 1)}{row + 1}"
    return f"{path.name}, sheet {sheet!r}, cell {at}" if sheet else f"{path.name}, cell {at}"


def blank(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or not str(value).strip()


def read_matrix(path: Path, sheet: str, rows: Grid, tree: Tree, told: list[Message]) -> list[Pair]:
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
    told : list of Message
        Takes what was left out: rows and columns of weights, totals and checks beside the matrix.

    Returns
    -------
    list of Pair

    Raises
    ------
    InputError
        A name that the tree does not have, other names in rows than in columns, a judgement
        without a name, weights beside the matrix that are those of the matrix turned over.
    """
    top, left = _corner(rows, tree)
    head = rows[top]
    across = [(c, name) for c, name in enumerate(head) if c > left and not blank(name)]
    body = [(r, row) for r, row in enumerate(rows) if r > top and not all(map(blank, row))]
    beside = {c: str(name) for c, name in across if _beside(tree, name)}
    below = {r: str(_at(row, left)) for r, row in body if _beside(tree, _at(row, left))}
    if beside or below:
        told.append(message("weighting.beside_the_matrix", file=path.name,
                            names=[*beside.values(), *below.values()]))  # fmt: skip
        across = [(c, name) for c, name in across if c not in beside]
        body = [(r, row) for r, row in body if r not in below]
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
    _not_turned(path, sheet, rows, (across, body, beside, below))
    known = {c for c, _ in across} | set(beside)
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


@cache
def _called(kind: str) -> frozenset[str]:
    """What weights, or checks, beside a matrix of a spreadsheet are called, as `spelt`."""
    file = resources.files("cvlib.weighting.experts") / "beside_matrix.yaml"
    return frozenset(shipped_yaml(file.read_text(encoding="utf-8"))[kind])


def _beside(tree: Tree, name: Any) -> bool:
    """Whether a name is one of what spreadsheets show beside a matrix, and no item."""
    if blank(name) or named_by(tree, name):
        return False
    plain = spelt(name)
    return plain in _called("weights") | _called("checks") or plain in words_of_totals()


def _not_turned(path: Path, sheet: str, rows: Grid, found: tuple[Any, ...]) -> None:
    """Refuse a matrix beside which stand the weights of the same matrix turned over."""
    across, body, beside, below = found
    if not body or len(body) != len(across) or not (beside or below):
        return
    stated = [
        (cell_of(path, sheet, body[0][0], c), [_at(row, c) for _, row in body])
        for c, name in beside.items() if spelt(name) in _called("weights")
    ] + [
        (cell_of(path, sheet, r, across[0][0]), [_at(rows[r], c) for c, _ in across])
        for r, name in below.items() if spelt(name) in _called("weights")
    ]  # fmt: skip
    try:
        matrix = np.array([[number(_at(row, c), "") for c, _ in across] for _, row in body])
        given = [(place, np.array([number(v, "") for v in values])) for place, values in stated]
    except InputError:  # told where the judgements are read
        return
    np.fill_diagonal(matrix, 1.0)
    matrix = np.where(np.isnan(matrix), 1 / matrix.T, matrix)
    for place, weights in given:
        own, turned = (np.exp(np.log(each).mean(axis=1)) for each in (matrix, 1 / matrix))
        far, near = (np.abs(each / each.sum() - weights).max() for each in (own, turned))
        if near < _NEAR and far > 2 * _NEAR:
            raise InputError(place, message("refusals.weights_of_the_matrix_turned"),
                             message("refusals.weights_of_the_matrix_turned_remedy"))  # fmt: skip


def _at(row: Sequence[Any], column: int) -> Any:
    return row[column] if column < len(row) else None
