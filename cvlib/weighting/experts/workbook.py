"""The expert's questionnaire as a spreadsheet: written from a tree, read back as judgements.

Consistency is live in the sheet: each node's matrix is iterated from its row geometric means
towards the principal eigenvector in a hidden sheet, so the ratio is that of `ahp.consistency`.
"""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvlib.inputs.errors import InputError
from cvlib.weighting.experts.ahp import acceptable_ratio, random_index
from cvlib.weighting.experts.judgements import words
from cvlib.weighting.tree import Tree
from cvlib.words.message import message

# openpyxl is loaded where it is used: most who weight read no workbook
if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

KEY = "_cvlib"  # the hidden sheet that says which cell is which comparison
_CALC = "_calc"
_ITERATIONS = 20
_FIRST_PAIR = 8
_NAME_CELL = "B3"


def scale_options(language: str) -> dict[str, float]:
    """The 17 answers of the drop-down, left extremely to right extremely, and their values."""
    said = words(language)
    left = {said["left"].format(value=v, words=w): float(v) for v, w in said["scale"].items()}
    right = {said["right"].format(value=v, words=w): 1 / v for v, w in said["scale"].items()}
    return {**left, said["same"]: 1.0, **dict(reversed(right.items()))}


def write_workbook(
    tree: Tree,
    path: str | Path,
    *,
    language: str = "en",
    table: str = "alonso_lamata",
) -> Path:
    """Write an expert questionnaire: one sheet for every node with two children or more.

    Parameters
    ----------
    tree : Tree
        The indicator tree.
    path : str or Path
        The ``.xlsx`` file to write.
    language : {"en", "zh"}
        Language of the questions and labels.
    table : str
        Random-index table of the live consistency ratio.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        The tree has nothing to compare, or the file is not an .xlsx.

    Examples
    --------
    >>> import cvlib as cv
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     cv.weighting.workbook(cv.weighting.load_tree("rfm"), f"{folder}/experts.xlsx").name
    'experts.xlsx'
    """
    from openpyxl import Workbook

    path = Path(path)
    groups = {node: below for node, below in tree.compared.items() if len(below) > 1}
    if not groups:
        raise InputError(
            f"tree {tree.name!r}",
            message("refusals.has_nothing_to_compare"),
            message("refusals.choose_another_tree"),
        )
    for node, below in groups.items():
        labels = [tree.label(child, language) for child in below]
        if twice := {label for label in labels if labels.count(label) > 1}:
            raise InputError(
                f"tree {tree.name!r}, node {node!r}",
                message("refusals.two_of_its_items_are", value=min(twice)),
                message("refusals.give_each_its_own_label", language=language),
            )
    if path.suffix != ".xlsx":
        raise InputError(
            str(path),
            message("refusals.is_not_an_xlsx_file"),
            message("refusals.end_the_name_with_xlsx"),
        )
    said = words(language)["workbook"]
    book = Workbook()
    start, key, calc = book.active, book.create_sheet(KEY), book.create_sheet(_CALC)
    start.title = said["start"]
    _write_start(start, tree, said, language)
    key.append(["tree", tree.name])
    key.append(["language", language])
    key.append(["name", said["start"], _NAME_CELL])
    key.append(["sheet", "row", "left", "right"])
    for position, (text, value) in enumerate(scale_options(language).items(), start=1):
        key[f"H{position}"], key[f"I{position}"] = text, value
    used = 1
    for number, (node, below) in enumerate(groups.items(), start=1):
        # a sheet name has at most 31 characters and none of these
        label = re.sub(r"[\[\]:*?/\\']", " ", tree.label(node, language))
        sheet = book.create_sheet(f"{number} {label}"[:31].strip())
        pairs = list(combinations(below, 2))
        ratio = _write_calculation(calc, used, sheet.title, len(below), table)
        used += len(below) + _ITERATIONS + 2
        _write_node(sheet, tree, node, pairs, ratio, said, language, len(below))
        for row, (left, right) in enumerate(pairs, start=_FIRST_PAIR):
            key.append([sheet.title, row, left, right])
    key.sheet_state = calc.sheet_state = "hidden"
    book.move_sheet(key, len(groups))
    book.move_sheet(calc, len(groups))
    book.save(path)
    return path


def safe(text: str) -> str:
    """A label as a cell holds it."""
    # a spreadsheet would run such text as a formula
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _write_start(sheet: Worksheet, tree: Tree, said: dict[str, Any], language: str) -> None:
    from openpyxl.styles import Alignment, Font

    sheet["A1"], sheet["A1"].font = safe(tree.label(tree.name, language)), Font(bold=True, size=14)
    sheet["A3"] = said["expert"]
    _answer_cell(sheet, _NAME_CELL)
    for row, line in enumerate(said["how"], start=5):
        sheet[f"A{row}"] = line
        sheet.merge_cells(f"A{row}:B{row}")
        sheet[f"A{row}"].alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 15 * (1 + len(line) // (60 if language == "en" else 35))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 30, 50
    _finish(sheet)


def _answer_cell(sheet: Worksheet, at: str) -> None:
    from openpyxl.styles import Border, PatternFill, Protection, Side

    sheet[at].fill = PatternFill("solid", fgColor="FFF6CC")
    sheet[at].border = Border(*[Side(style="thin", color="BFB58A")] * 4)
    sheet[at].protection = Protection(locked=False)


def _finish(sheet: Worksheet) -> None:
    """Only answers can be typed; a printed sheet is one page wide."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.protection.sheet = True
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write_node(
    sheet: Worksheet,
    tree: Tree,
    node: str,
    pairs: list[tuple[str, str]],
    ratio: str,
    said: dict[str, Any],
    language: str,
    items: int,
) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.datavalidation import DataValidation

    last = _FIRST_PAIR + len(pairs) - 1
    limit = acceptable_ratio(items)
    sheet["A1"] = safe(said["question"].format(node=tree.label(node, language)))
    sheet["A1"].font = Font(bold=True, size=12)
    answered = f"COUNT($E${_FIRST_PAIR}:$E${last})"
    sheet["A3"], sheet["B3"] = said["answered"], f'={answered}&" {said["of"]} {len(pairs)}"'
    sheet["A4"], sheet["B4"] = said["ratio"], f'=IF({answered}<{len(pairs)},"",{ratio})'
    sheet["B4"].number_format, sheet["B4"].alignment = "0.000", Alignment(horizontal="left")
    verdict = f'IF(B4<={limit},"{said["acceptable"]}","{said["reconsider"]}")'
    sheet["C4"] = f'=IF(B4="","{said["unfinished"]}",{verdict})'
    sheet["A5"], sheet["B5"] = said["limit"], limit
    sheet["B5"].number_format, sheet["B5"].alignment = "0.00", Alignment(horizontal="left")
    heads = [said["left_head"], said["answer_head"], said["right_head"], said["echo_head"]]
    for column, head in zip("ABCD", heads, strict=True):
        sheet[f"{column}{_FIRST_PAIR - 1}"] = head
        sheet[f"{column}{_FIRST_PAIR - 1}"].font = Font(bold=True)
    choice = DataValidation(
        type="list", formula1=f"'{KEY}'!$H$1:$H$17", allow_blank=True, showErrorMessage=True
    )
    choice.error = said["choose"]
    sheet.add_data_validation(choice)
    for row, (left, right) in enumerate(pairs, start=_FIRST_PAIR):
        sheet[f"A{row}"] = safe(tree.label(left, language))
        sheet[f"C{row}"] = safe(tree.label(right, language))
        _answer_cell(sheet, f"B{row}")
        choice.add(f"B{row}")
        sheet[f"E{row}"] = f'=IF(B{row}="","",VLOOKUP(B{row},\'{KEY}\'!$H$1:$I$17,2,FALSE))'
        sheet[f"D{row}"] = _echo(row, words(language))
    for column, width in zip("ABCD", (32, 46, 32, 70), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.column_dimensions["E"].hidden = True
    sheet.freeze_panes = f"A{_FIRST_PAIR}"
    _finish(sheet)


def _echo(row: int, said: dict[str, Any]) -> str:
    """The formula that says the answer in words, the more important item first."""

    def filled(template: str, first: str, second: str, value: str) -> str:
        formula = f'"{template}"'
        for name, cell in (("{row}", first), ("{column}", second), ("{value}", value)):
            formula = f'SUBSTITUTE({formula},"{name}",{cell})'
        return formula

    a, c, e = f"A{row}", f"C{row}", f"E{row}"
    equal = filled(said["equal"], a, c, '""')
    left = filled(said["more"], a, c, f"ROUND({e},0)")
    right = filled(said["more"], c, a, f"ROUND(1/{e},0)")
    return f'=IF({e}="","",IF({e}=1,{equal},IF({e}>1,{left},{right})))'


def _write_calculation(sheet: Worksheet, top: int, answers: str, n: int, table: str) -> str:
    """A node's matrix and its power iterations; returns the formula of the consistency ratio."""
    from openpyxl.utils import get_column_letter
    from openpyxl.utils.cell import absolute_coordinate

    columns = [get_column_letter(column) for column in range(1, n + 1)]
    across = [f"${columns[0]}${top + row}:${columns[-1]}${top + row}" for row in range(n)]
    pairs = {pair: row for row, pair in enumerate(combinations(range(n), 2), start=_FIRST_PAIR)}
    for i in range(n):
        for j in range(n):
            at = f"{columns[j]}{top + i}"
            if i < j:
                answer = f"'{answers}'!$E${pairs[i, j]}"
                sheet[at] = f'=IF({answer}="",1,{answer})'
            else:
                sheet[at] = 1 if i == j else f"=1/{columns[i]}{top + j}"
    for step in range(_ITERATIONS + 1):
        row, above = top + n + step, f"${columns[0]}${top + n + step - 1}"
        vector = f"{above}:{absolute_coordinate(f'{columns[-1]}{top + n + step - 1}')}"
        for i in range(n):
            product = f"=SUMPRODUCT({across[i]},{vector})/SUM({vector})"
            sheet[f"{columns[i]}{row}"] = product if step else f"=GEOMEAN({across[i]})"
    ri = random_index(n, table)
    if not ri:
        return "0"
    last = top + n + _ITERATIONS
    lambda_max = f"SUM('{_CALC}'!${columns[0]}${last}:${columns[-1]}${last})"
    return f"MAX(0,({lambda_max}-{n})/{n - 1}/{ri!r})"
