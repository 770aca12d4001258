"""A workbook of a finished run: its answer, a list of its tables, then a sheet per table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.study.render.finished import answer_in, results_of
from cvlib.study.render.word_tables import length
from cvlib.words.exhibits import exhibits
from cvlib.words.language import Words
from cvlib.words.message import message
from cvlib.words.safe import neutral
from cvlib.words.tables import amounts, cell_formats

_WIDEST = 60  # letters
_BARS = 20  # of the chart on the first sheet
# a key figure or an interval, as tiles print them: nothing that a spreadsheet would run
_FIGURE = r"[-−+]?[\d.,]+ ?%?"
_FIGURES = re.compile(rf"{_FIGURE}( – {_FIGURE})?")


def write_xlsx(folder: Path, page: str, title: str, language: str) -> Path:
    """A workbook: the answer, a sheet that lists the tables, one per table, numbers as numbers.

    Tables have two rows of heads: first as the report prints them, then the columns' names as
    in ``tables/*.csv``. ``pandas.read_excel(path, sheet_name=..., header=1)`` reads the latter.
    Words that the report prints for a code stand in a column of their own before the codes.
    """
    from openpyxl import Workbook

    results = results_of(folder)
    tables, words = results["tables"], Words(language, results["names"])
    book = Workbook()
    book.properties.title = title
    own = [words.text("Answer")[:31], words.text("Contents")[:31]]
    sheets = _names_of_sheets(list(tables), own)
    _answer(book.active, own[0], title, answer_in(results), words)
    _contents(book.create_sheet(own[1]), results, sheets, words)
    for name, rows in tables.items():
        printed = (results["captions"][name]["decimals"], name, results.get("currency", ""))
        _table(book.create_sheet(sheets[name]), pd.DataFrame(rows), printed, words)
    _chart(book, results, sheets, words)
    for sheet in book.worksheets:
        _for_paper(sheet)
    target = folder / "report.xlsx"
    book.save(target)
    return target


def _for_paper(sheet: Any) -> None:
    """Printed a sheet is as wide as the paper, and every page has its heads."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", "9"  # A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToHeight = 0  # as many pages as it takes
    if sheet.freeze_panes:
        sheet.print_title_rows = f"1:{int(sheet.freeze_panes[1:]) - 1}"


def _names_of_sheets(names: list[str], own: list[str]) -> dict[str, str]:
    """The sheet of every table: at most 31 letters, no two alike."""
    sheets: dict[str, str] = {}
    for name in names:
        sheet, taken = name[:31], {other.lower() for other in (*own, *sheets.values())}
        if sheet.lower() in taken:
            sheet = f"{sheet[:28]}_{len(taken)}"
        sheets[name] = sheet
    return sheets


def _put(sheet: Any, row: int, column: int, value: Any, **font: Any) -> Any:
    """Write a cell; text is text, whatever it looks like."""
    from openpyxl.styles import Font

    cell = sheet.cell(row, column)
    if isinstance(value, str) and value:
        cell.value = value if _FIGURES.fullmatch(value) else neutral(value)
        cell.data_type = "s"
    elif value not in (None, "") and value == value:
        cell.value = value
    if font:
        cell.font = Font(name="Calibri", **font)
    return cell


def _answer(sheet: Any, name: str, title: str, answer: dict[str, Any], words: Words) -> None:
    """The first sheet: question, verdict, key figures with intervals, advice and doubts."""
    from openpyxl.styles import Alignment

    sheet.title = name
    _put(sheet, 1, 1, title, bold=True, size=14)
    row = 2
    if answer["question"]:
        cell = _put(sheet, row, 1, answer["question"], italic=True)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=3)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 15 * (1 + length(answer["question"]) // 115)
        row += 1
    for head, key in (("Answer", "verdict"), ("What to do", "advice"), ("What to doubt", "doubts")):
        if answer[key]:
            row += 1
            cell = _put(sheet, row, 1, words.text(head), bold=True)
            cell.alignment = Alignment(vertical="top")
        for text in answer[key]:
            cell = _put(sheet, row, 2, text)
            sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=3)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            # merged cells do not grow by themselves
            sheet.row_dimensions[row].height = 15 * (1 + length(text) // 85)
            row += 1
        if key == "verdict":
            for tile in answer["tiles"]:
                _put(sheet, row, 1, tile["label"])
                _put(sheet, row, 2, tile["value"], bold=True)
                _put(sheet, row, 3, tile["interval"])
                row += 1
    for letter, width in zip("ABC", (32, 50, 40), strict=True):
        sheet.column_dimensions[letter].width = width


def _contents(sheet: Any, results: dict[str, Any], sheets: dict[str, str], words: Words) -> None:
    """The list of the tables, each with a link to its sheet."""
    heads = words.heads(["sheet", "title", "rows", "note"])
    for column, head in enumerate(heads, 1):
        _put(sheet, 1, column, head, bold=True)
    row = 1
    for row, (name, rows) in enumerate(results["tables"].items(), 2):
        caption, note = results["captions"][name], results["captions"][name]["note"]
        every = results.get("longer", {}).get(name, len(rows))
        if every > len(rows):
            cut = message("common.rows_shown", rows=len(rows), all=every, name=name)
            note = f"{note} {words.text(cut)}".strip()
        for column, value in enumerate((sheets[name], caption["title"], every, note), 1):
            _put(sheet, row, column, value)
        cell = sheet.cell(row, 1)
        cell.hyperlink, cell.style = f"#'{sheets[name]}'!A1", "Hyperlink"
    _put(sheet, row + 2, 2, words.text(message("study.second_row")), italic=True)
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCD", (32, 50, 10, 60), strict=True):
        sheet.column_dimensions[letter].width = width


def labelled(table: pd.DataFrame, words: Words, sheet: str) -> list[tuple[str, str, pd.Series]]:
    """The columns of a sheet: head, name for programs, and cells.

    Codes that the report prints in words follow a column of these words, ``<name>_label``.

    Parameters
    ----------
    table : DataFrame
        A table of the run.
    words : Words
        Language, and labels of the names in the table.
    sheet : str
        What the run calls the table.
    """
    names = [str(name) for name in table.columns]
    made = []
    for position, (name, head) in enumerate(zip(names, words.heads(names, sheet), strict=True)):
        cells = table.iloc[:, position]
        shown = cells.map(lambda cell: words.cell(cell) if isinstance(cell, str) else cell)
        if not shown.astype(object).equals(cells.astype(object)):
            label = f"{name}_label"
            while label in names:
                label += "_"
            made.append((head, label, shown))
            head = words.text(message("study.code", head=head))
        made.append((head, name, cells))
    return made


def _chart(book: Any, results: dict[str, Any], sheets: dict[str, str], words: Words) -> None:
    """Bars of the table that the notebook says to draw, beside the answer."""
    from openpyxl.chart import BarChart, Reference

    known = exhibits(results["notebook"])
    found = (name for name in results["tables"] if name in known and known[name].chart)
    name = next(found, "")
    rows = pd.DataFrame(results["tables"].get(name, []))
    if not len(rows):
        return
    named, number = known[name].chart
    first = rows.columns[0]
    alike = rows[first].eq(rows[first].iloc[0]) | (first == named)  # one model of several
    last = 2 + min(int(alike.cumprod().sum()), _BARS)
    columns = [column for _, column, _ in labelled(rows, words, name)]
    label = f"{named}_label" if f"{named}_label" in columns else named
    sheet = book[sheets[name]]
    chart = BarChart()
    chart.type, chart.legend = "bar", None
    chart.title = results["captions"][name]["title"] or name
    chart.y_axis.title = words.head(number, name)
    chart.x_axis.scaling.orientation = "maxMin"  # the first on top
    chart.y_axis.number_format = "General"  # and not the decimals of the first cell
    chart.x_axis.delete = chart.y_axis.delete = False
    at = columns.index(number) + 1
    chart.add_data(Reference(sheet, min_col=at, min_row=3, max_row=last))
    at = columns.index(label) + 1
    chart.set_categories(Reference(sheet, min_col=at, min_row=3, max_row=last))
    chart.height, chart.width = 3 + 0.6 * (last - 2), 17
    book.worksheets[0].add_chart(chart, "E2")


def _table(sheet: Any, table: pd.DataFrame, printed: tuple[int, str, str], words: Words) -> None:
    from openpyxl.utils import get_column_letter

    for position, (head, column, cells) in enumerate(labelled(table, words, printed[1]), 1):
        _put(sheet, 1, position, head, bold=True)
        _put(sheet, 2, position, column, italic=True, color="808080")
        values = cells.astype(object).tolist()
        paid = amounts(table, printed[1]) if column == "value" else []
        for row, (value, form) in enumerate(
            zip(values, cell_formats(cells, *printed, paid), strict=True), 3
        ):
            cell = _put(sheet, row, position, value)
            if form:
                cell.number_format = form
        longest = max(length(str(text)) for text in (head, column, *values[:200]))
        wide = min(max(10, longest + 2), _WIDEST)
        sheet.column_dimensions[get_column_letter(position)].width = wide
    sheet.freeze_panes = "A3"
