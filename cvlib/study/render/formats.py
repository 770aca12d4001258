"""Further formats of a finished run, from what its folder holds; nothing is computed again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cvlib.study.render.finished import library, results_of
from cvlib.study.render.latex import write_latex
from cvlib.study.render.pictures import pictures, write_png
from cvlib.study.render.slides import write_pptx
from cvlib.study.render.word_tables import fit_table
from cvlib.study.render.workbook import write_xlsx

_TEMPLATES = Path(__file__).with_name("templates")
_TEXT_WIDTH = 170  # mm, on A4, as in templates/reference.docx


def _for_print(folder: Path, page: str, kind: str) -> str:
    """The page with figures for print (kind "svg" or "png") and right-aligned number columns."""
    from bs4 import BeautifulSoup

    place = "figures" if kind == "svg" else pictures(folder, "docx").name
    soup = BeautifulSoup(page, "html.parser")
    for name, about in results_of(folder)["figures"].items():
        caption = soup.find("p", class_="cvlib-caption", id=f"figure-{name}")
        image = caption.find_next("img") if caption else None
        if caption is None or image is None:
            continue
        figure = soup.new_tag("figure", id=f"figure-{name}")  # links of the report lead here
        # within the folder: no page tells where that lies
        figure.append(soup.new_tag("img", src=f"{place}/{name}.{kind}", alt=about["alt"]))
        image.replace_with(figure)
        caption.name, caption.attrs = "figcaption", {}
        figure.append(caption.extract())
    for files in soup.find_all("p", class_="files"):
        files.decompose()
    for note in soup.find_all("p", class_="note"):
        note.name = "div"
        note.attrs = {"data-custom-style": "Table Note", "data-typst:text:size": "8.5pt"}
    for limits in soup.select(".tile dd span"):  # a page sets them smaller, a document in brackets
        limits.string = f"({limits.get_text()})"
    for sort, side in (("number", "right"), ("text", "left")):
        for cell in soup.find_all(class_=sort):
            cell.attrs = {**cell.attrs, "align": side}
    return str(soup)


def write_docx(folder: Path, page: str, title: str, language: str) -> Path:
    """A Word document: headings, real tables with three lines, captions, figures at 300 dpi.

    Page and styles are those of templates/reference.docx, which Word can edit.
    """
    pandoc = library("pypandoc", "docx")
    docx = library("docx", "docx")
    library("docx.shared", "docx")
    target = folder / "report.docx"
    pandoc.convert_text(
        _for_print(folder, page, "png"),
        "docx",
        format="html",
        outputfile=str(target),
        extra_args=[
            "--quiet",
            f"--reference-doc={_TEMPLATES / 'reference.docx'}",
            f"--metadata=lang:{language}",
            f"--resource-path={folder}",
        ],
    )
    document = docx.Document(str(target))
    document.core_properties.title = title
    for table in document.tables:
        fit_table(table, _TEXT_WIDTH)
    width = docx.shared.Mm(_TEXT_WIDTH)
    for shape in document.inline_shapes:
        if shape.width > width:
            shape.height = int(shape.height * width / shape.width)
            shape.width = width
    document.save(str(target))
    return target


def write_pdf(folder: Path, page: str, title: str, language: str) -> Path:
    """A PDF by typst, which brings its own fonts: the same pages on every machine."""
    from cvlib.figures.style import CHINESE_FONT

    pandoc = library("pypandoc", "pdf")
    typst = library("typst", "pdf")
    source = folder / ".report.typ"
    try:
        text = pandoc.convert_text(
            _for_print(folder, page, "svg"),
            "typst",
            format="html",
            extra_args=[
                "--quiet",
                f"--template={_TEMPLATES / 'report.typ'}",
                f"--metadata=title:{title}",
                f"--metadata=lang:{language}",
            ],
        )
        source.write_text(text, encoding="utf-8")
        target = folder / "report.pdf"
        typst.compile(
            str(source), output=str(target), root=str(folder), font_paths=[str(CHINESE_FONT.parent)]
        )
    finally:
        source.unlink(missing_ok=True)
    return target


WRITERS: dict[str, Callable[[Path, str, str, str], Path]] = {
    "docx": write_docx,
    "pptx": write_pptx,
    "pdf": write_pdf,
    "xlsx": write_xlsx,
    "latex": write_latex,
    "png": write_png,
}
