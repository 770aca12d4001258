"""An expert's workbook read back: every answer is found by the labels beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cvlib.inputs.errors import InputError, shorten
from cvlib.weighting.experts.judgements import Pair, excel_date, words
from cvlib.weighting.experts.workbook import KEY, safe, scale_options
from cvlib.weighting.tree import Tree
from cvlib.words.message import message

Grid = list[list[Any]]


class _Key(NamedTuple):
    """What the hidden sheet says: language, the sheet with the name, comparisons by sheet."""

    language: str
    start: str
    pairs: dict[str, list[tuple[str, str]]]


def read_workbook(
    path: Path, sheets: Mapping[str, Grid], tree: Tree
) -> tuple[str, list[Pair], dict[str, str]]:
    """Read one expert's workbook back.

    Rows may have been inserted or sorted and columns moved: an answer belongs to the two labels in
    its row, under the heads of the columns. What cannot be found so is refused.

    Parameters
    ----------
    path : Path
        The file, for the errors and for the name of an expert who gave none.
    sheets : mapping of str to list of rows
        Its cells.
    tree : Tree
        The tree it was written from.

    Returns
    -------
    expert : str
    pairs : list of Pair
        Answers given; empty cells are left out.
    places : dict of node to str
        File and sheet of every node.

    Raises
    ------
    InputError
        Naming workbook, sheet and cell: written for another tree, a sheet renamed or removed, a
        head or a comparison that is gone or stands twice, an answer beside unknown labels, one
        that is not of the list.
    """
    key = _key(path, sheets[KEY], tree)
    pairs: list[Pair] = []
    places: dict[str, str] = {}
    for title, compared in key.pairs.items():
        if title not in sheets:
            raise InputError(
                str(path),
                message("refusals.workbook_lacks_sheet", sheet=title),
                message("refusals.workbook_lacks_sheet_remedy"),
            )
        places[tree.parent(compared[0][0])] = f"{path.name}, sheet {title!r}"
        pairs += _answers(f"{path.name}, sheet {title!r}", sheets[title], compared, key, tree)
    return _name(key, sheets) or path.stem, pairs, places


def _key(path: Path, rows: Grid, tree: Tree) -> _Key:
    """The hidden sheet, checked."""
    cells = [[*row, None, None, None, None][:4] for row in [*rows, [], [], []]]
    if [row[0] for row in cells[:3]] != ["tree", "language", "name"]:
        raise InputError(
            f"{path.name}, sheet {KEY!r}",
            message("refusals.workbook_hidden_sheet"),
            message("refusals.workbook_hidden_sheet_remedy"),
        )
    if cells[0][1] != tree.name:
        raise InputError(
            str(path),
            message("refusals.judgements_of_another_tree", other=str(cells[0][1]), tree=tree.name),
            message("refusals.judgements_of_another_tree_remedy"),
        )
    known, found = set(tree.nodes["node"]), dict[str, list[tuple[str, str]]]()
    for title, row, left, right in cells[4:]:
        if title is None:
            continue
        alike = {left, right} <= known and tree.parent(str(left)) == tree.parent(str(right))
        if not alike or left == right:
            raise InputError(
                f"{path.name}, sheet {title!r}, row {row}",
                message("refusals.workbook_tree_changed", left=str(left), right=str(right)),
                message("refusals.workbook_tree_changed_remedy"),
            )
        found.setdefault(str(title), []).append((str(left), str(right)))
    return _Key(str(cells[1][1]), str(cells[2][1]), found)


def _answers(
    where: str, rows: Grid, compared: list[tuple[str, str]], key: _Key, tree: Tree
) -> list[Pair]:
    """The answers of one sheet, by the labels in their rows."""
    from openpyxl.utils import get_column_letter

    said, options = words(key.language)["workbook"], scale_options(key.language)
    heads = (said["left_head"], said["answer_head"], said["right_head"])
    top, (left, answer, right) = _heads(where, rows, heads)
    labels = _labels(compared, key.language, tree)
    seen: dict[frozenset[str], str] = {}
    found: list[Pair] = []
    for r, row in enumerate(rows[top + 1 :], start=top + 1):
        first, second = (labels.get(_text(row, column)) for column in (left, right))
        written, cell = _text(row, answer), f"{where}, cell {get_column_letter(answer + 1)}{r + 1}"
        pair = frozenset(filter(None, (first, second)))
        if first is None or second is None or len(pair) < 2:
            if written or first or second:
                raise InputError(
                    cell,
                    message(
                        "refusals.workbook_labels", left=_text(row, left), right=_text(row, right)
                    ),
                    message("refusals.workbook_labels_remedy"),
                )
            continue
        if pair in seen:
            raise InputError(
                cell,
                message("refusals.workbook_again", first=first, second=second, where=seen[pair]),
                message("refusals.workbook_again_remedy"),
            )
        seen[pair] = cell
        if not written:
            continue
        value = row[answer]
        if written not in options and not excel_date(value):
            if not re.fullmatch(r"[\d./,:]+", written):
                raise InputError(
                    cell,
                    message("refusals.workbook_not_of_list", cell=shorten(written)),
                    message("refusals.workbook_not_of_list_remedy"),
                )
            value = written
        found.append(Pair(first, second, options.get(written, value), cell))
    for one, other in compared:
        if frozenset((one, other)) not in seen:
            raise InputError(
                where,
                message(
                    "refusals.workbook_row_gone",
                    one=tree.label(one, key.language),
                    other=tree.label(other, key.language),
                ),
                message("refusals.workbook_row_gone_remedy"),
            )
    return found


def _heads(where: str, rows: Grid, heads: tuple[str, ...]) -> tuple[int, list[int]]:
    """Row of the heads, and their columns."""
    for r, row in enumerate(rows):
        texts = [_text(row, column) for column in range(len(row))]
        if set(heads) <= set(texts):
            twice = [head for head in heads if texts.count(head) > 1]
            if twice:
                raise InputError(
                    f"{where}, row {r + 1}",
                    message("refusals.head_twice", head=twice[0]),
                    message("refusals.keep_one_column"),
                )
            return r, [texts.index(head) for head in heads]
    raise InputError(
        where,
        message("refusals.workbook_heads_gone", heads=", ".join(heads)),
        message("refusals.workbook_heads_gone_remedy"),
    )


def _labels(compared: list[tuple[str, str]], language: str, tree: Tree) -> dict[str, str]:
    """Node by its label, as the sheet was written or by name."""
    nodes = list(dict.fromkeys(node for pair in compared for node in pair))
    found = {tree.label(node, language).strip(): node for node in nodes}
    return found | {safe(label): node for label, node in found.items()}


def _text(row: list[Any], column: int) -> str:
    value = row[column] if column < len(row) else None
    return "" if value is None else str(value).strip()


def _name(key: _Key, sheets: Mapping[str, Grid]) -> str:
    """The expert's name: the cell beside its label, wherever that stands on the first sheet."""
    label = words(key.language)["workbook"]["expert"]
    for row in sheets.get(key.start, []):
        texts = [_text(row, column) for column in range(len(row))]
        if label in texts:
            return next((text for text in texts[texts.index(label) + 1 :] if text), "")
    return ""
