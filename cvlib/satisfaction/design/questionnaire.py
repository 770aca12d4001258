"""Questionnaires of a model: on paper, as a workbook, as XLSForm; data template and codebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.answers import answers
from cvlib.inputs.checks import as_table
from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.shipped import shipped_yaml
from cvlib.satisfaction.design.asked import with_further_questions
from cvlib.satisfaction.model.model import Item, Model
from cvlib.words.message import in_language, message
from cvlib.words.safe import write_csv

LANGUAGES = ("en", "zh")
DONT_KNOW = 99  # 999 where 99 is an answer
_GRID = 11  # scales with more steps are answered by writing the number


@dataclass(frozen=True)
class Question:
    """One item as it is asked: text and anchors in one language, codes of its answers."""

    number: int
    item: Item
    construct: str
    text: str
    low: str
    high: str
    dont_know: int
    complete: bool

    @property
    def answers(self) -> list[int]:
        """Codes of the possible answers, lowest first; empty where a number is written."""
        low, high = self.item.minimum, self.item.maximum
        if low % 1 or high % 1 or high - low >= _GRID:
            return []
        return list(range(int(low), int(high) + 1))


@cache
def words(language: str) -> dict[str, Any]:
    """Fixed phrases in a language."""
    one_of("language", language, LANGUAGES)
    text = Path(__file__).with_name("questionnaire_words.yaml").read_text(encoding="utf-8")
    return dict(shipped_yaml(text)[language])


def _clean(text: str, language: str = "en") -> str:
    """Without characters that files refuse, or an XLSForm reference to another question."""
    text = in_language(text, language)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", " ", text).replace("${", "$ {")


def _wording(item: Item, construct: str, language: str) -> tuple[str, bool]:
    """The question, and whether it is worded in this language."""
    text, english = item.labels.get(language, item.labels["en"]), item.labels["en"]
    if text == item.name:
        return f"{construct}: {item.name} {words(language)['wording_missing']}", False
    if language != "en" and text == english:
        return f"{text} {words(language)['translation_missing']}", False
    return text, True


def questions(model: Model, language: str = "en") -> list[Question]:
    """Every item as a question; an item without wording shows its construct, name and a mark.

    Parameters
    ----------
    model : Model
        Columns are those it is bound to.
    language : {"en", "zh"}
        Of texts and anchors.
    """
    said, found = words(language), list[Question]()
    for construct in model.constructs:
        label = _clean(construct.labels.get(language, construct.labels["en"]))
        for item in construct.items:
            text, complete = _wording(item, label, language)
            low, high = said["anchors"][item.wording]
            usual = DONT_KNOW if not item.minimum <= DONT_KNOW <= item.maximum else 999
            code = int(item.missing_codes[0]) if item.missing_codes else usual
            found.append(Question(len(found) + 1, item, label, _clean(text), low, high, code,
                                  complete))  # fmt: skip
    return found


def write_questionnaire(model: Model, path: str | Path, *, language: str = "en") -> Path:
    """Write a model's blank questionnaire, in the form its file name asks for.

    Parameters
    ----------
    model : Model
        The questions.
    path : str or Path
        ``.docx`` to print; ``.xlsx`` with sheets for the questionnaire, its codes and the data;
        ``.xlsform.xlsx`` for ODK, KoboToolbox and other tools that read XLSForm (both languages,
        `language` first); ``.csv`` the empty data table.
    language : {"en", "zh"}
        Of the questions.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        Another kind of file, a column name the form cannot have, python-docx is not installed.

    References
    ----------
    XLSForm reference table, https://xlsform.org/en/ref-table/; forms pass pyxform 4.5.0.

    Examples
    --------
    >>> import cvlib as cv, tempfile
    >>> model = cv.satisfaction.load_model("acsi")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cv.satisfaction.questionnaire(model, f"{folder}/a.xlsx").name
    'a.xlsx'
    """
    path = Path(path)
    writers = {".xlsform.xlsx": _write_xlsform, ".docx": _write_docx, ".xlsx": _write_workbook,
               ".csv": _write_template}  # fmt: skip
    for suffix, write in writers.items():
        if path.name.lower().endswith(suffix):
            write(with_further_questions(model), path, language)
            return path
    raise InputError(
        str(path), message("refusals.is_not_a_kind_of"),
        message("refusals.end_the_name_with_one", names=", ".join(writers)),
    )  # fmt: skip


def _headings(model: Model) -> list[str]:
    for column in model.columns:
        if column[:1] in ("=", "+", "-", "@", "\t", "\r"):
            raise InputError(f"column {column!r}", message("refusals.would_be_run_as_a"),
                             message("refusals.give_the_item_another_column"))  # fmt: skip
    return ["respondent", *model.columns]


def _write_template(model: Model, path: Path, language: str) -> None:
    write_csv(pd.DataFrame(columns=_headings(model)), path)


def _append(sheet: Any, values: Iterable[Any], bold: bool = False) -> None:
    """A row whose text stays text: nothing is run as a formula."""
    from openpyxl.styles import Alignment, Font

    sheet.append([""])
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(sheet.max_row, column, value)
        cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
        cell.font = Font(bold=bold)
        if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
            cell.data_type, cell.quotePrefix = "s", True


def _shape(sheet: Any, widths: Sequence[int]) -> None:
    """Column widths, and rows high enough for their text (a Chinese letter is two wide)."""
    from openpyxl.utils import get_column_letter

    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in sheet.iter_rows():
        lines = 1
        for cell, width in zip(row, widths, strict=False):
            merged = sum(widths) if cell.coordinate in sheet.merged_cells else width
            wide = sum(1 + (letter > "\u2e7f") for letter in str(cell.value or ""))
            lines = max(lines, -(-wide * 10 // (9 * merged)))
        sheet.row_dimensions[row[0].row].height = 15 * lines


def _write_workbook(model: Model, path: Path, language: str) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Border, PatternFill, Side
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    said, asked, headings = words(language), questions(model, language), _headings(model)
    book = Workbook()
    sheet, codes = book.active, book.create_sheet(said["sheets"]["codes"])
    data = book.create_sheet(said["sheets"]["data"])
    sheet.title = said["sheets"]["questionnaire"]

    def allow(where: Any, cells: str, q: Question) -> None:
        low, high = (f"{value:g}" for value in (q.item.minimum, q.item.maximum))
        rule = DataValidation(type="custom", allow_blank=True, showErrorMessage=True)
        at = cells.partition(":")[0]
        whole = "" if q.item.minimum % 1 or q.item.maximum % 1 else f",{at}=INT({at})"
        rule.formula1 = (
            f"=AND(ISNUMBER({at}),OR(AND({at}>={low},{at}<={high}{whole}),{at}={q.dont_know}))"
        )
        rule.error = said["range"].format(low=low, high=high, code=q.dont_know)
        where.add_data_validation(rule)
        rule.add(cells)

    _append(sheet, [_clean(model.title.get(language, model.title["en"]))], bold=True)
    _append(sheet, [said["introduction"]])
    for row in (1, 2):
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=4)
    for q in asked:
        if q.construct != (asked[q.number - 2].construct if q.number > 1 else None):
            _append(sheet, ["", q.construct, "", said["answer"]], bold=True)
        low, high = f"{q.item.minimum:g} = {q.low}", f"{q.item.maximum:g} = {q.high}"
        legend = f"{low}; {high}; {q.dont_know} = {said['dont_know']}"
        _append(sheet, [q.number, q.text, legend])
        answer = sheet.cell(sheet.max_row, 4)
        answer.fill = PatternFill("solid", fgColor="FFF6CC")
        answer.border = Border(*[Side(style="thin", color="BFB58A")] * 4)
        allow(sheet, answer.coordinate, q)
        allow(data, f"{get_column_letter(q.number + 1)}2:{get_column_letter(q.number + 1)}5001", q)
    _shape(sheet, (5, 60, 44, 12))
    _append(codes, said["codes"], bold=True)
    for q in asked:
        _append(codes, [q.number, q.item.column, q.construct, q.text, q.item.minimum,
                        q.item.maximum, q.low, q.high, q.item.direction, q.dont_know])  # fmt: skip
    codes.append([])
    for note in _notes(model, asked, language):
        _append(codes, ["", "", "", note])
    _shape(codes, (5, 14, 22, 60, 9, 9, 18, 18, 11, 12))
    _append(data, headings, bold=True)
    _shape(data, [12] * len(headings))
    codes.freeze_panes = data.freeze_panes = "A2"
    for each in (sheet, codes):
        each.page_setup.orientation, each.page_setup.fitToHeight = "landscape", 0
        each.sheet_properties.pageSetUpPr.fitToPage = True
    book.save(path)


def _notes(model: Model, asked: list[Question], language: str) -> list[str]:
    items = _clean(model.adapted or model.evidence.get("items", "-"), language)
    told = {"title": _clean(model.title.get(language, model.title["en"])),
            "source": _clean(model.source).rstrip("."), "items": items}  # fmt: skip
    codes = sorted({q.dont_know for q in asked if not q.item.missing_codes})
    *plain, code_note = words(language)["notes"]
    found = [*(note.format(**told) for note in plain), *(code_note.format(code=c) for c in codes)]
    return [*found, *(_clean(note, language) for note in (*model.notes, *model.dropped))]


def _write_xlsform(model: Model, path: Path, language: str) -> None:
    """Sheets survey, choices and settings, with a label for each language."""
    from openpyxl import Workbook

    order = [language, *(other for other in LANGUAGES if other != language)]
    asked = {each: questions(model, each) for each in order}
    for name in (*model.construct_names, *model.columns, model.name):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
            raise InputError(f"name {name!r}", message("refusals.cannot_be_the_name_of"),
                             message("refusals.use_letters_without_accents_digits"))  # fmt: skip
    clash = sorted({*model.construct_names} & {*model.columns})
    if clash:
        raise InputError(f"name {clash[0]!r}", message("refusals.is_both_a_construct_and"),
                         message("refusals.rename_one_names_in_xlsform"))  # fmt: skip
    labels = [f"label::{words(each)['name']}" for each in order]
    messages = [f"constraint_message::{words(each)['name']}" for each in order]
    book = Workbook()
    survey, choices = book.active, book.create_sheet("choices")
    settings = book.create_sheet("settings")
    survey.title = "survey"
    blank = [""] * len(order)
    _append(survey, ["type", "name", *labels, "required", "appearance", "constraint", *messages])
    _append(choices, ["list_name", "name", *labels])
    for kind in ("start", "end"):
        _append(survey, [kind, kind, *blank])
    _append(survey, ["note", "introduction", *(words(each)["introduction"] for each in order)])
    lists: dict[tuple[Any, ...], str] = {}
    number = 0
    for construct in (c for c in model.constructs if c.items):
        titles = [asked[each][number].construct for each in order]
        _append(survey, ["begin_group", construct.name, *titles])
        for item in construct.items:
            same = [asked[each][number] for each in order]
            first, number = same[0], number + 1
            texts = [q.text for q in same]
            low, high, code = f"{item.minimum:g}", f"{item.maximum:g}", first.dont_know
            if not first.answers:
                kind = "decimal" if item.minimum % 1 or item.maximum % 1 else "integer"
                told = [words(e)["range"].format(low=low, high=high, code=code) for e in order]
                bounds = f"(. >= {low} and . <= {high}) or . = {code}"
                _append(survey, [kind, item.column, *texts, "yes", "", bounds, *told])
                continue
            key = (first.low, low, high, code)
            if key not in lists:
                lists[key] = f"scale_{len(lists) + 1}"
                for answer in first.answers:
                    ends = [q.low if answer == first.answers[0] else q.high for q in same]
                    inner = answer not in (first.answers[0], first.answers[-1])
                    shown = [str(answer)] * len(order) if inner else [f"{answer} {e}" for e in ends]
                    _append(choices, [lists[key], answer, *shown])
                _append(choices, [lists[key], code, *(words(each)["dont_know"] for each in order)])
            appearance = "likert" if len(first.answers) > 2 else ""
            _append(survey, [f"select_one {lists[key]}", item.column, *texts, "yes", appearance])
        _append(survey, ["end_group", "", *blank])
    _append(settings, ["form_title", "form_id", "default_language"])
    title = _clean(model.title.get(language, model.title["en"]))
    _append(settings, [title, model.name, words(language)["name"]])
    book.save(path)


def _write_docx(model: Model, path: Path, language: str) -> None:
    try:
        import docx
    except ImportError as error:
        raise InputError(str(path), message("refusals.needs_the_package_python_docx"),
                         message("refusals.install_cvlib_reports_or_write")) from error  # fmt: skip
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    said = words(language)
    document = docx.Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(1.8)
    for name in ("Normal", "Title", "Heading 2"):
        style = document.styles[name]
        style.font.name = "Arial"
        # Word takes Chinese letters from a font of its own
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "SimSun")
    document.styles["Normal"].font.size = Pt(9.5)
    document.add_heading(_clean(model.title.get(language, model.title["en"])), 0)
    document.add_paragraph(said["respondent"])
    document.add_paragraph(said["introduction"])

    def put(cell: Any, text: str, size: float = 9.5, centre: bool = False) -> None:
        paragraph = cell.paragraphs[0]
        paragraph.alignment = 1 if centre else 0
        paragraph.paragraph_format.space_after = Pt(1)
        paragraph.add_run(text).font.size = Pt(size)

    asked, at = questions(model, language), 0
    for construct in (c for c in model.constructs if c.items):
        block, at = asked[at : at + len(construct.items)], at + len(construct.items)
        document.add_heading(block[0].construct, 2).paragraph_format.keep_with_next = True
        for q in block:
            options = [*q.answers, q.dont_know] if q.answers else []
            table = document.add_table(rows=1, cols=1 + max(len(options), 1))
            table.style, table.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
            table.autofit = False
            widths = [17.4 - 0.8 * len(options) - 0.7, *[0.8] * len(options)]
            widths = [*widths[:-1], 1.5] if options else [10.0, 7.4]
            for column, width in zip(table.columns, widths, strict=True):
                column.width = column.cells[0].width = Cm(width)
            row = table.rows[0]
            no_split = row._tr.get_or_add_trPr()
            no_split.append(no_split.makeelement(qn("w:cantSplit"), {}))
            put(row.cells[0], f"{q.number}. {q.text}")
            low, high = f"{q.item.minimum:g}", f"{q.item.maximum:g}"
            if options:
                hint = row.cells[0].add_paragraph()
                hint.add_run(
                    f"{low} = {q.low}, {high} = {q.high}  ({q.item.column})"
                ).font.size = Pt(7.5)
                for cell, code in zip(row.cells[1:-1], options, strict=False):
                    put(cell, f"☐\n{code}", centre=True)
                put(row.cells[-1], f"☐\n{said['dont_know']} ({q.dont_know})", 7.5, centre=True)
            else:
                put(row.cells[1], said["write"].format(low=low, high=high, code=q.dont_know))
        document.add_paragraph().paragraph_format.space_after = Pt(2)
    document.save(str(path))


def codebook(
    table: Table | pd.DataFrame,
    models: Model | Sequence[Model],
    language: str = "en",
    dont_know: Sequence[object] = (),
) -> pd.DataFrame:
    """Describe the answers that models use, item by item, as they were given.

    Parameters
    ----------
    table : Table or DataFrame
        One row per respondent; the models' columns.
    models : Model or sequence of Model
        Bound to the columns (`Model.map`); a column that several use is described once.
    language : {"en", "zh"}
        Of construct and wording.
    dont_know : sequence
        Codes that mean no answer, beside those of the model file.

    Returns
    -------
    DataFrame
        column, construct, wording, scale, direction, n (answers), missing (blank or coded), mean,
        sd, min, max, codes (missing codes met, with how often). Answers with direction - are not
        turned round here.

    Raises
    ------
    InputError
        A column is absent or holds text.

    Examples
    --------
    >>> import cvlib as cv
    >>> model = cv.satisfaction.load_model("acsi").map(cv.load("mobi").data.columns)
    >>> len(cv.satisfaction.codebook(cv.load("mobi"), model)) == len(model.items)
    True
    """
    survey = as_table(table)
    rows: dict[str, dict[str, Any]] = {}
    for model in [models] if isinstance(models, Model) else models:
        for q in questions(model, language):
            if q.item.column in rows:
                continue
            codes = [*dont_know, *(f"{code:g}" for code in q.item.missing_codes)]
            raw = survey.data.get(q.item.column)
            met: list[Any] = []
            if raw is not None and raw.isna().all():
                number = raw.astype(float)
            else:
                scale = (q.item.minimum, q.item.maximum)
                number, met, _ = answers(
                    survey, q.item.column, scale, list(dict.fromkeys(codes)), q.item.values
                )
            given = number.dropna().to_numpy()
            none = not len(given)
            rows[q.item.column] = {
                "column": q.item.column,
                "construct": q.construct,
                "wording": q.text,
                "scale": words(language)["span"].format(low=q.item.minimum, high=q.item.maximum),
                "direction": q.item.direction,
                "n": len(given),
                "missing": len(number) - len(given),
                "mean": np.nan if none else given.mean(),
                "sd": given.std(ddof=1) if len(given) > 1 else np.nan,
                "min": np.nan if none else given.min(),
                "max": np.nan if none else given.max(),
                "codes": ", ".join(f"{code}: {count}" for code, count in met if count),
            }
    return pd.DataFrame(list(rows.values()))
