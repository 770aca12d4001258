"""Tables of a Word document: columns as wide as needed; the three lines are the template's"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Chinese characters: twice as wide, and a line may break between them
_WIDE = re.compile("[\u2e80-\uffef\U00020000-\U0003ffff]")
_PIECE = re.compile(f"{_WIDE.pattern}+|(?:(?!{_WIDE.pattern})\\S)+")
_KEPT = (12, 8)  # letters' room for a Chinese word, if the type allows; a label reads in four signs
_SIZES = (8.0, 7.0, 6.0, 5.0)  # points; the largest at which no number is broken
# Heads are bold, and short ones are often capitals: wider than the rest.
_BOLD = 1.2
_PER_POINT = 0.245  # width of a character in mm, per point of its size; no common font is wider
_PADDING = 2.4  # mm, both sides of a cell together
_LONGEST = 90  # characters; longer cells are broken into lines anyway


def fit_table(table: Any, page: float) -> None:
    """Give a python-docx table its columns and type, at most ``page`` mm wide.

    The three lines are those of the style Table in templates/reference.docx. Numbers and words
    are kept whole: the columns share the page by what they hold, and the type gets smaller before
    a number would be broken.
    """
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    def element(tag: str, **values: Any) -> Any:
        made = OxmlElement(f"w:{tag}")
        for name, value in values.items():
            made.set(qn(f"w:{name}"), str(value))
        return made

    every = [list(row.tc_lst) for row in table._tbl.tr_lst]
    rows = [
        row for row in every if not any(cell.grid_span > 1 for cell in row)
    ]  # not heads of blocks
    texts = [
        ["".join(node.text or "" for node in cell.iter(qn("w:t"))) for cell in row] for row in rows
    ]
    size, widths = column_widths(texts, page)
    properties = table._tbl.tblPr
    for tag in ("tblW", "tblLayout"):
        for old in properties.findall(qn(f"w:{tag}")):
            properties.remove(old)
    total = element("tblW", w=round(Mm(sum(widths)).twips), type="dxa")
    properties.find(qn("w:tblStyle")).addnext(total)  # in the order the format demands
    properties.find(qn("w:tblLook")).addprevious(element("tblLayout", type="fixed"))
    for column, width in zip(table._tbl.tblGrid.gridCol_lst, widths, strict=True):
        column.w = Mm(width)
    for row in every:
        whole = row not in rows
        for cell, width in zip(row, [sum(widths)] if whole else widths, strict=True):
            cell.width = Mm(width)
    if rows:
        head = table._tbl.tr_lst[0].get_or_add_trPr()
        if head.find(qn("w:tblHeader")) is None:
            head.append(element("tblHeader"))  # repeated on every page
    for run in table._tbl.iter(qn("w:r")):
        run.get_or_add_rPr().sz_val = Pt(size)


def length(text: str) -> int:
    """Length of a text in letters; a Chinese character counts as two."""
    return len(text) + len(_WIDE.findall(text))


def _needed(text: str, kept: int) -> int:
    """Length of the longest piece that must not be broken; Chinese is kept up to ``kept``."""
    pieces = _PIECE.findall(text)
    return max(
        (min(length(p), kept) if _WIDE.match(p) else len(p) for p in pieces),
        default=0,
    )


def column_widths(
    texts: list[list[str]], page: float, sizes: Sequence[float] = _SIZES
) -> tuple[float, list[float]]:
    """Size of the type in points and widths of the columns in mm for the text of a table.

    Parameters
    ----------
    texts : list of list of str
        The cells by row, the heads first.
    page : float
        Width of the page in mm.
    sizes : sequence of float
        Sizes allowed, the largest first.
    """
    columns = list(zip(*texts, strict=True))
    whole = [max(min(length(text), _LONGEST) for text in column) for column in columns]
    for size, kept in [*((size, kept) for size in sizes for kept in _KEPT), (sizes[-1], 4)]:
        least = [
            max(_needed(text, kept) * (_BOLD if row == 0 else 1) for row, text in enumerate(column))
            for column in columns
        ]
        narrow = [n * size * _PER_POINT + _PADDING for n in least]
        if sum(narrow) <= page:
            break
    wide = [
        max(n * size * _PER_POINT + _PADDING, low) for n, low in zip(whole, narrow, strict=True)
    ]
    if sum(wide) <= page:
        return size, wide
    if sum(narrow) >= page:  # even the smallest type is too large: words will be broken
        return size, [width * page / sum(narrow) for width in narrow]
    share = (page - sum(narrow)) / (sum(wide) - sum(narrow))
    return size, [low + (high - low) * share for low, high in zip(narrow, wide, strict=True)]
