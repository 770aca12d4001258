import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import docx.shared
import numpy as np
import openpyxl
import pandas as pd
import pptx
import pptx.util
import pypandoc
import pypdf
import pytest
from PIL import Image

from cvlib.study.notebook import read_notebook
from cvlib.study.render.finished import FORMATS
from cvlib.study.render.fitting import fitted
from cvlib.study.render.formats import WRITERS
from cvlib.study.render.latex import write_latex
from cvlib.study.render.slides import write_pptx
from cvlib.study.render.word_tables import column_widths
from cvlib.study.render.workbook import write_xlsx
from cvlib.study.run import run_notebook

NASTY = """import cvlib, pandas as pd
from cvlib.figures.style import house_style, new_figure
record = cvlib.Record("little", out=out, seed=seed)
names = ["<script>alert(1)</script>", "=HYPERLINK('x')", "مرحبا", "🙂", "顾客满意度"]
names += ["x" * 10000, "a_b & 5%"]
table = pd.DataFrame({"name": names, "value": [1 / 3] * 7, "p": [1e-9] * 7})
record.show("numbers", table, title="Numbers & <signs>", note="A note")
with house_style():
    figure, axes = new_figure(3, 2)
    axes.plot([1, 2, 3])
record.show("nothing", pd.DataFrame(), title="Nothing at all")
record.show("line", figure, title="A <line>", alt='A "rising" line')
from cvlib.words.answer import Answer, Tile
record.methods(pd.DataFrame([{"method": "m", "sentence": "We counted <b>all</b> =1+1.",
    "references": "", "software": ""}]))
record.answer(Answer(
    question="=1+1 or <b>what</b>?",
    verdict=["Loyalty is 5% & \\\\rising_now.", "总体满意度为 70。"],
    tiles=[Tile("满意度", "70.1", "69.0 – 71.2"), Tile("-2+3", "12 %")], hero="line",
    advice=["=cmd|' /C calc'!A0"], doubts=["Few {answers} $x$ #1 ~ ^"]))
record.close()"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_notebook: Callable[..., Path]) -> Path:
    at = tmp_path_factory.mktemp("formats")
    notebook = read_notebook(write_notebook(at / "little.ipynb", code=NASTY))
    formats = ("html", "docx", "pptx", "pdf", "xlsx", "latex")
    return run_notebook(notebook, {}, at / "reports", formats=formats).folder


def test_no_format_tells_where_the_folder_lies(folder: Path) -> None:
    for path in folder.rglob("*"):
        parts = [path.read_bytes()] if path.is_file() else []
        if path.suffix in (".docx", ".pptx", ".xlsx"):
            with zipfile.ZipFile(path) as package:
                parts = [package.read(name) for name in package.namelist()]
        assert not [path.name for part in parts if str(folder.parent).encode() in part]


def test_docx_has_a_real_table_a_caption_and_the_figure(folder: Path) -> None:
    document = docx.Document(str(folder / "report.docx"))
    tables = {table.rows[0].cells[0].text: table for table in document.tables}
    assert tables["name"].rows[1].cells[0].text == "<script>alert(1)</script>"
    assert tables["name"].rows[1].cells[1].text == "0.333"
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "Numbers & <signs>" in text and "A <line>" in text
    assert len(document.inline_shapes) == 1
    image = next(p for p in document.part.package.iter_parts() if "image" in p.content_type)
    assert image.blob == (folder / "png" / "line.png").read_bytes()


def test_documents_set_the_interval_of_a_key_figure_in_brackets(folder: Path) -> None:
    document = docx.Document(str(folder / "report.docx"))
    told = [p.text for p in document.paragraphs if p.style and p.style.name == "Definition"]
    assert told == ["70.1 (69.0 – 71.2)", "12 %"]
    assert "(69.0" not in (folder / "report.html").read_text()


def test_sheets_are_printed_as_wide_as_the_paper_under_their_heads(folder: Path) -> None:
    for sheet in openpyxl.load_workbook(folder / "report.xlsx").worksheets:
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
        assert sheet.page_setup.orientation == "landscape"
    assert openpyxl.load_workbook(folder / "report.xlsx")["numbers"].print_title_rows == "$1:$2"


def test_pictures_for_print_are_the_figures_at_300_dpi(folder: Path) -> None:
    print_, screen = (Image.open(folder / place / "line.png") for place in ("png", "figures"))
    assert print_.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert print_.width / screen.width == pytest.approx(300 / 110, rel=0.01)
    seen, drawn = (
        np.asarray(each.convert("L").resize((33, 22), Image.Resampling.BOX), float).ravel()
        for each in (screen, print_)
    )
    assert np.corrcoef(seen, drawn)[0, 1] > 0.8  # the same lines, smoothed by another program
    assert np.corrcoef(seen, drawn[::-1])[0, 1] < 0.5


def test_word_documents_have_the_page_and_styles_of_the_template(folder: Path) -> None:
    document = docx.Document(str(folder / "report.docx"))
    section = document.sections[0]
    assert round(section.page_width.mm) == 210 and round(section.left_margin.mm) == 20
    table = document.styles["Table"].element
    borders = {side.tag.rpartition("}")[2] for side in table.xpath("w:tblPr/w:tblBorders/*")}
    assert borders == {"top", "bottom"}
    assert table.xpath("w:tblStylePr[@w:type='firstRow']/w:tcPr/w:tcBorders/w:bottom")
    assert {each.style.name for each in document.tables} == {"Table"}


def test_every_format_has_its_writer() -> None:
    assert ("html", *WRITERS) == FORMATS


def test_columns_share_the_page_without_breaking_a_number() -> None:
    narrow = [["n", "mean"], ["150", "1.250"]]
    size, widths = column_widths(narrow, 170)
    assert size == 8
    assert sum(widths) < 60
    many = [["p"] * 14, ["-123.456"] * 14]
    size, widths = column_widths(many, 170)
    assert size < 8
    assert sum(widths) <= 170
    assert min(widths) == pytest.approx(max(widths))
    prose = [["name", "meaning"], ["abc", "a long sentence " * 20]]
    size, widths = column_widths(prose, 170)
    assert size == 8
    assert sum(widths) == pytest.approx(170)
    assert widths[1] > 3 * widths[0]


def test_docx_tables_stay_on_the_page_and_repeat_their_head(folder: Path) -> None:
    for table in docx.Document(str(folder / "report.docx")).tables:
        assert sum(column.width for column in table.columns) <= docx.shared.Mm(170.1)
        assert table._tbl.tr_lst[0].xpath("w:trPr/w:tblHeader")


def test_notes_stand_below_in_smaller_type(folder: Path) -> None:
    document = docx.Document(str(folder / "report.docx"))
    notes = [p for p in document.paragraphs if p.style and p.style.name == "Table Note"]
    note = next(p for p in notes if "A note" in p.text)
    assert note.style and note.style.font.size == docx.shared.Pt(8.5)
    sizes: dict[str, float] = {}

    def seen(text: str, _cm: object, _tm: object, _font: object, size: float) -> None:
        sizes[text.strip()] = size

    for page in pypdf.PdfReader(folder / "report.pdf").pages:
        page.extract_text(visitor_text=seen)
    assert next(size for text, size in sizes.items() if "A note" in text) == pytest.approx(8.5)


def test_pdf_has_the_text_in_both_languages(folder: Path) -> None:
    text = "".join(page.extract_text() for page in pypdf.PdfReader(folder / "report.pdf").pages)
    assert "顾客满意度" in text and "Numbers & <signs>" in text and "0.333" in text
    assert not list(folder.glob("*.typ"))


def test_xlsx_has_numbers_as_numbers_and_no_formulas(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "report.xlsx")
    sheet = book["numbers"]
    assert sheet["B3"].value == 1 / 3 and sheet["B3"].number_format == "#,##0.000"
    assert sheet["C3"].value == 1e-9 and "<.001" in sheet["C3"].number_format
    assert sheet["A4"].value == "'=HYPERLINK('x')" and sheet["A4"].data_type == "s"
    cells = [cell for each in book for row in each.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type not in ("s", "n")]


def test_xlsx_begins_with_the_answer_and_a_list_that_leads_to_every_sheet(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "report.xlsx")
    assert book.sheetnames == ["Answer", "Contents", "numbers"]
    rows = list(book["Answer"].iter_rows(values_only=True))
    assert ("满意度", "70.1", "69.0 – 71.2") in rows
    assert ("What to do", "'=cmd|' /C calc'!A0", None) in rows
    assert [row[0] for row in rows if row[0] in ("Answer", "What to do", "What to doubt")] == [
        "Answer", "What to do", "What to doubt",
    ]  # fmt: skip
    listed = list(book["Contents"].iter_rows(min_row=2, values_only=True))
    assert listed[0] == ("numbers", "Numbers & <signs>", 7, "A note")
    assert "header=1" in listed[-1][1]
    assert book["Contents"]["A2"].hyperlink.location or book["Contents"]["A2"].hyperlink.target


def test_a_sheet_reads_for_people_and_for_programs(tmp_path: Path) -> None:
    table = pd.DataFrame({
        "indicator": ["recency", "#N/A"], "n": [12000, 3], "p_value": [0.2, 0.00001],
        "value": [0.25, 1200.0],
    })  # fmt: skip
    about = {"title": "T", "note": "", "decimals": 2}
    results = {
        "notebook": "mine", "figures": {}, "headlines": {}, "warnings": ["-2 % is a warning"],
        "tables": {"a" * 40: table.to_dict("records"), "a" * 41: [{"x": 1}], "answer": []},
        "captions": dict.fromkeys(("a" * 40, "a" * 41, "answer"), about),
        "names": {"recency": "最近一次购买"},
    }  # fmt: skip
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    path = write_xlsx(tmp_path, "", "A title", "zh")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[:2] == ["结论", "目录"] and len(set(book.sheetnames)) == 5
    sheet = book["a" * 31]
    assert [cell.value for cell in sheet["A"]][2:] == ["最近一次购买", "#N/A"]
    assert sheet["B1"].value == f"{sheet['A1'].value}（代码）"
    formats = {sheet.cell(2, c).value: sheet.cell(3, c).number_format for c in range(1, 6)}
    assert formats["n"] == "#,##0" and formats["value"] == "#,##0.00"
    assert sheet.cell(4, 5).number_format == "#,##0"
    read = pd.read_excel(path, sheet_name="a" * 31, header=1, keep_default_na=False)
    assert read.drop(columns="indicator_label").equals(table)


def test_csv_has_no_formulas_and_json_keeps_the_text(folder: Path) -> None:
    assert "'=HYPERLINK" in (folder / "tables" / "numbers.csv").read_text(encoding="utf-8")
    assert '"=HYPERLINK' in (folder / "results.json").read_text(encoding="utf-8")


def test_latex_has_booktabs_and_escaped_text(folder: Path) -> None:
    text = (folder / "latex" / "numbers.tex").read_text(encoding="utf-8")
    assert r"\toprule" in text and r"a\_b \& 5\%" in text and "0.333" in text
    assert r"\caption{Numbers \& <signs>}" in text
    assert r"{\footnotesize \textit{Note.} A note}" in text


def test_latex_figures_are_pdf_without_fonts(folder: Path) -> None:
    (page,) = pypdf.PdfReader(folder / "latex" / "line.pdf").pages
    assert float(page.mediabox.width) == pytest.approx(3 * 72)
    assert not page.get("/Resources", {}).get("/Font")
    assert not list(folder.glob(".*.typ"))


def test_html_is_inert_and_self_contained(folder: Path) -> None:
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert (
        html.count("<script>") == html.count("<script") == 2
        and "<script>alert" not in html
        and 'src="http' not in html
    )
    assert "x" * 400 not in html
    assert 'alt="A &quot;rising&quot; line"' in html


def _texts(slide: Any) -> list[str]:
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


def test_pptx_tells_the_answer_in_five_slides(folder: Path) -> None:
    first, hero, evidence, do, how = pptx.Presentation(str(folder / "report.pptx")).slides
    assert first.shapes.title.text == "=1+1 or <b>what</b>?"
    said = _texts(first)
    assert "Loyalty is 5% & \\rising_now.\n总体满意度为 70。" in said
    assert {"满意度", "70.1", "69.0 – 71.2", "-2+3", "12 %"} <= set(said)
    (picture,) = [shape for shape in hero.shapes if shape.shape_type == 13]
    assert picture.image.blob == (folder / "png" / "line.png").read_bytes()
    assert picture._element.nvPicPr.cNvPr.get("descr") == 'A "rising" line'
    (table,) = [shape.table for shape in evidence.shapes if shape.has_table]
    assert [cell.text for cell in table.rows[0].cells] == ["name", "value", "p"]
    assert [cell.text for cell in table.rows[1].cells] == [
        "<script>alert(1)</script>", "0.333", "<.001",
    ]  # fmt: skip
    assert {"What to do", "What to doubt", "• =cmd|' /C calc'!A0"} <= set(_texts(do))
    assert any(text.startswith("We counted <b>all</b> =1+1.") for text in _texts(how))


def test_pptx_keeps_everything_on_the_slide_and_links_nowhere(folder: Path) -> None:
    deck = pptx.Presentation(str(folder / "report.pptx"))
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width
            assert shape.top >= 0 and shape.top + shape.height <= deck.slide_height
        assert not [r for r in slide.part.rels.values() if r.is_external]


def test_pptx_names_a_chinese_font_and_the_house_colours(folder: Path) -> None:
    with zipfile.ZipFile(folder / "report.pptx") as package:
        theme = package.read("ppt/theme/theme1.xml").decode()
        slides = [package.read(n).decode() for n in package.namelist() if "slides/slide" in n]
    assert theme.count('<a:ea typeface="Microsoft YaHei"/>') == 2
    assert '<a:accent1><a:srgbClr val="0072B2"/></a:accent1>' in theme
    runs = [run for text in slides for run in re.findall(r"<a:r>.*?</a:r>", text, re.DOTALL)]
    assert runs and all('<a:ea typeface="Microsoft YaHei"/>' in run for run in runs)


def test_type_on_a_slide_gets_smaller_with_more_and_wider_text() -> None:
    assert fitted(["short"], 300, 100, (26, 9)) == 26
    latin, chinese = (fitted([letter * 1500], 300, 100, (26, 9)) for letter in ("a", "汉"))
    assert 9 <= chinese < latin < 26
    assert fitted(["a" * 99999], 300, 100, (26, 9)) == 9


def test_a_table_of_long_texts_stays_on_its_slide(tmp_path: Path) -> None:
    for language, sentence in (("en", "many words in a cell " * 9), ("zh", "很长的说明文字" * 20)):
        results = {
            "notebook": "mine", "answer": {}, "figures": {}, "headlines": {}, "warnings": [],
            "names": {}, "tables": {"t": [dict.fromkeys("abcdefgh", sentence)] * 12 + [{"i": 1}]},
            "captions": {"t": {"title": "T", "note": "", "decimals": 3}},
        }  # fmt: skip
        (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
        slides = pptx.Presentation(str(write_pptx(tmp_path, "", "A", language))).slides
        (shape,) = [shape for shape in slides[1].shapes if shape.has_table]
        rows = shape.table.rows
        assert 2 <= len(rows) < 13 and sum(row.height for row in rows) <= pptx.util.Mm(121)
        said = " ".join(_texts(slides[1]))
        assert f"{len(rows) - 1} " in said and "13" in said and "8" in said and "9" in said


def test_pptx_of_a_run_without_answer_tells_its_headlines(folder: Path, tmp_path: Path) -> None:
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    results["headlines"] = {"a": {"value": 1, "sentence": "One is 1."}}
    bare = results | {"answer": {}, "figures": {}, "tables": {}, "methods": "x" * 20000}
    (tmp_path / "results.json").write_text(json.dumps(bare), encoding="utf-8")
    path = write_pptx(tmp_path, "", "A title", "en")
    answer, methods = pptx.Presentation(str(path)).slides
    assert answer.shapes.title.text == "Answer" and "One is 1." in _texts(answer)
    assert max(map(len, _texts(methods))) < 20000
    assert "x" * 20000 in methods.notes_slide.notes_text_frame.text


def test_latex_main_has_the_answer_and_every_table_and_figure(folder: Path) -> None:
    text = (folder / "latex" / "main.tex").read_text(encoding="utf-8")
    assert r"\documentclass[11pt,a4paper]{article}" in text and "xeCJK" not in text
    assert text.count(r"\input{numbers.tex}") == 1 and text.count("{line.pdf}") == 1
    assert r"\item {}Few \{answers\} \$x\$ \#1 \textasciitilde  \textasciicircum " in text
    assert r"Loyalty is 5\% \& \textbackslash rising\_now." in text
    for path in (folder / "latex").glob("*.tex"):
        read = pypandoc.convert_text(path.read_text(encoding="utf-8"), "plain", format="latex")
        assert read.strip(), path  # unbalanced braces or environments would raise


def _latex(folder: Path, tables: dict[str, pd.DataFrame], language: str) -> Path:
    about = {"title": "A [title]", "note": "", "decimals": 2}
    results = {
        "notebook": "mine", "figures": {}, "headlines": {}, "warnings": [], "names": {},
        "tables": {name: table.to_dict("records") for name, table in tables.items()},
        "captions": dict.fromkeys(tables, about),
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return write_latex(folder, "", "标题", language)


def test_latex_tables_turn_where_wide_and_break_where_long(tmp_path: Path) -> None:
    wide = pd.DataFrame([{f"a_long_name_{n}": 1234.5678 for n in range(14)}])
    long, longer = (pd.DataFrame({"a": range(rows)}) for rows in (50, 500))
    short = pd.DataFrame({"a": ["[0, 1)"]})
    tables = {"main": short, "wide": wide, "long": long, "longer": longer}
    at = _latex(tmp_path, tables, "zh")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in at.glob("*.tex")}
    assert "xeCJK" in texts["main"] and r"\input{main_.tex}" in texts["main"]
    assert "\n{}[0, 1)" in texts["main_"] and "landscape}" not in texts["main_"]
    assert r"\begin{landscape}" in texts["wide"] and r"\begin{tabular}" in texts["wide"]
    assert r"\begin{longtable}" in texts["long"] and texts["long"].count(r"\toprule") == 2
    assert "500" in texts["longer"] and "\n60 " not in texts["longer"]  # cut, and says so


def _has_package(file: str) -> bool:
    found = subprocess.run(["kpsewhich", file], capture_output=True, text=True)
    return bool(found.stdout.strip())


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="no XeLaTeX on this machine")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_latex_compiles(folder: Path, language: str, tmp_path: Path) -> None:
    if language == "zh" and not _has_package("xeCJK.sty"):
        pytest.skip("this TeX lacks xeCJK (Debian: texlive-lang-chinese)")
    for name in ("results.json", "figures"):
        kept = folder / name
        (shutil.copytree if kept.is_dir() else shutil.copy)(kept, tmp_path / name)
    at = write_latex(tmp_path, "", "标题", language)
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:]
    assert len(pypdf.PdfReader(at / "main.pdf").pages) >= 1


def test_chinese_labels_are_not_broken_to_single_characters() -> None:
    heads = ["顾客满意度", "感知质量", "转换成本", *["均值"] * 6]
    for columns in (heads, heads + ["标准误差"] * 4):
        cells = [columns, ["企业形象与声誉"] + ["-123.456"] * (len(columns) - 1)]
        size, widths = column_widths(cells, 170)
        assert sum(widths) <= 170.1
        room = [(width - 2.4) / (size * 0.245) for width in widths]
        assert all(r >= min(8, 2 * len(head)) - 1e-9 for r, head in zip(room, columns, strict=True))
        assert min(room) >= len("-123.456") - 1e-9 or columns[room.index(min(room))] == heads[0]
    _, (short, long) = column_widths([["名称", "说明"], ["满意", "很长的说明" * 60]], 170)
    assert (short - 2.4) / (8 * 0.245) >= 4 and long > 5 * short


def test_the_answer_sheet_has_a_chart_of_the_table_the_notebook_names(tmp_path: Path) -> None:
    rows = [{"model": m, "construct": c, "index": 70.0 + n}
            for m in ("a", "b") for n, c in enumerate(("image", "loyalty"))]  # fmt: skip
    results = {
        "notebook": "01_satisfaction_index", "names": {"image": "Image"}, "figures": {},
        "tables": {"index": rows},
        "captions": {"index": {"title": "Index", "note": "", "decimals": 1}},
        "headlines": {}, "warnings": [],
    }  # fmt: skip
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    book = openpyxl.load_workbook(write_xlsx(tmp_path, "", "Satisfaction", "en"))
    (chart,) = book.worksheets[0]._charts
    series = chart.series[0]
    assert series.val.numRef.f == "'index'!$D$3:$D$4"  # of the first model alone
    assert series.cat.numRef.f == "'index'!$B$3:$B$4"  # by label
