"""Five slides of a finished run: answer, hero figure, evidence, what to do and doubt, methods."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.figures.style import FAINT, INK, PALETTE
from cvlib.study.render.finished import answer_in, evidence_in, library, results_of
from cvlib.study.render.fitting import cut, fitted, heights_of
from cvlib.study.render.pictures import pictures
from cvlib.study.render.word_tables import column_widths
from cvlib.words.language import Words
from cvlib.words.message import message
from cvlib.words.safe import without_controls
from cvlib.words.tables import printed

_WIDE, _HIGH, _MARGIN = 338.7, 190.5, 14.0  # mm; the common 16:9 slide
_TEXT = _WIDE - 2 * _MARGIN
_TOP, _BOTTOM = 38.0, 176.0  # mm; between them stands what a slide holds
_LATIN, _EAST_ASIAN = "Calibri", "Microsoft YaHei"  # both come with PowerPoint
_ROWS, _COLUMNS = 12, 8  # of a table on a slide


def write_pptx(folder: Path, page: str, title: str, language: str) -> Path:
    """Slides with editable text; a slide with nothing to hold is left out."""
    deck = _Deck(library("pptx", "pptx"), title, language)
    results = results_of(folder)
    answer, words = answer_in(results), Words(language, results["names"])
    hero = answer["hero"] or next(iter(results["figures"]), "")
    rest = [name for name in evidence_in(results) if name != hero]
    deck.answer(answer, words)
    if hero:
        deck.figure(folder, hero, results["figures"][hero])
    drawn = [name for name in rest if name in results["figures"]]
    for name in (drawn or rest)[:1]:
        if name in results["figures"]:
            deck.figure(folder, name, results["figures"][name])
        else:
            rows = pd.DataFrame(results["tables"][name])
            deck.table(name, rows, results["captions"][name], words)
    deck.columns(answer, words)
    if results.get("methods"):
        deck.slide(words.text("Methods"))
        deck.text([results["methods"]], (_MARGIN, _TOP, _TEXT, _BOTTOM - _TOP), (16, 9))
    return deck.save(folder / "report.pptx")


def _line(text: str) -> str:
    """Text as one line of a slide."""
    return " ".join(without_controls(text).split())


class _Deck:
    """A presentation in the house style, filled from above."""

    def __init__(self, pptx: Any, title: str, language: str) -> None:
        import pptx.dml.color
        import pptx.enum.shapes
        import pptx.enum.text
        import pptx.util

        self.pptx, self.title = pptx, _line(title)
        self.language = {"zh": "zh-CN"}.get(language, "en-US")
        self.deck = pptx.Presentation()
        self.deck.slide_width, self.deck.slide_height = self._mm(_WIDE), self._mm(_HIGH)
        about = self.deck.core_properties
        about.title, about.language = self.title, self.language
        about.author = about.last_modified_by = "cvlib"
        about.created = about.modified = datetime.now(UTC)
        self._theme()
        self.now: Any = None

    def _mm(self, value: float) -> Any:
        return self.pptx.util.Mm(value)

    def _colour(self, code: str) -> Any:
        return self.pptx.dml.color.RGBColor.from_string(code.removeprefix("#"))

    def _theme(self) -> None:
        """House colours and fonts in the theme, so that what a user adds looks the same."""
        from lxml import etree

        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/theme"
        part = self.deck.slide_master.part.part_related_by(kind)
        space = {"a": "http://schemas.openxmlformats.org/drawingml/2006/main"}
        root = etree.fromstring(part.blob)
        for number, colour in enumerate(PALETTE[:6], 1):
            (place,) = root.findall(f".//a:clrScheme/a:accent{number}/a:srgbClr", space)
            place.set("val", colour.removeprefix("#"))
        for fonts in ("majorFont", "minorFont"):
            for tag, name in (("latin", _LATIN), ("ea", _EAST_ASIAN)):
                (place,) = root.findall(f".//a:{fonts}/a:{tag}", space)
                place.set("typeface", name)
        part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)

    def slide(self, head: str) -> None:
        """A new slide with a title, and the report's name and the number at its foot."""
        layout = self.deck.slide_layouts.get_by_name("Title Only")
        self.now = self.deck.slides.add_slide(layout)
        place = self.now.shapes.title
        place.left, place.top = self._mm(_MARGIN), self._mm(9)
        place.width, place.height = self._mm(_TEXT), self._mm(24)
        self._fill(place.text_frame, [head or self.title], (_TEXT, 24.0), (28, 16), bold=True)
        foot = f"{self.title}  ·  {len(self.deck.slides)}"
        self.text([foot], (_MARGIN, 180.0, _TEXT, 7.0), (10, 8), colour=FAINT)

    def text(
        self,
        texts: list[str],
        box: tuple[float, float, float, float],
        sizes: tuple[int, int],
        **how: Any,
    ) -> None:
        """Paragraphs in a box (left, top, width and height in mm)."""
        shape = self.now.shapes.add_textbox(*map(self._mm, box))
        self._fill(shape.text_frame, texts, box[2:], sizes, **how)

    def _fill(
        self,
        frame: Any,
        texts: list[str],
        room: tuple[float, float],
        sizes: tuple[int, int],
        **how: Any,
    ) -> None:
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = self._mm(1)
        frame.margin_top = frame.margin_bottom = self._mm(0.5)
        frame.vertical_anchor = how.get("anchor", self.pptx.enum.text.MSO_ANCHOR.TOP)
        whole = [_line(text) for text in texts]
        size = fitted(whole, room[0], room[1], sizes)
        shown = [cut(text, room[0], room[1] / len(texts), size) for text in whole]
        if size > sizes[1]:
            shown = whole
        if shown != whole:  # what does not fit stands in the notes
            notes = self.now.notes_slide.notes_text_frame
            notes.text = "\n".join([*notes.text.splitlines(), *whole])
        for position, text in enumerate(shown):
            paragraph = frame.paragraphs[0] if position == 0 else frame.add_paragraph()
            paragraph.alignment = self.pptx.enum.text.PP_ALIGN.LEFT
            paragraph.space_after = self.pptx.util.Pt(size * 0.4)
            self._run(paragraph, text, size, how.get("bold", False), how.get("colour", INK))

    def _run(self, paragraph: Any, text: str, size: float, bold: bool, colour: str) -> None:
        from pptx.oxml.ns import qn

        run = paragraph.add_run()
        run.text = text
        run.font.size, run.font.bold = self.pptx.util.Pt(size), bold
        run.font.color.rgb = self._colour(colour)
        run.font.name = _LATIN
        properties = run._r.get_or_add_rPr()
        properties.set("lang", self.language)
        # without it PowerPoint shows Chinese in whatever font stands in for the Latin one
        font = properties.makeelement(qn("a:ea"), {"typeface": _EAST_ASIAN})
        properties.find(qn("a:latin")).addnext(font)

    def answer(self, answer: dict[str, Any], words: Words) -> None:
        """Question, verdict and tiles."""
        self.slide(answer["question"] or words.text("Answer"))
        tiles, top = answer["tiles"][:5], 118.0
        bottom = top - 6 if tiles else _BOTTOM
        if answer["verdict"]:
            box = (_MARGIN, _TOP, _TEXT, bottom - _TOP)
            self.text(answer["verdict"], box, (26, 11), colour=PALETTE[0], bold=True)
        gap = 6.0
        wide = (_TEXT - gap * (len(tiles) - 1)) / max(len(tiles), 1)
        for number, tile in enumerate(tiles):
            left = _MARGIN + number * (wide + gap)
            self._panel((left, top, wide, _BOTTOM - top))
            inner = wide - 8
            self.text([tile["label"]], (left + 4, top + 3, inner, 18.0), (14, 9))
            value = (left + 4, top + 21, inner, 17.0)
            self.text([tile["value"]], value, (30, 12), colour=PALETTE[0], bold=True)
            if tile["interval"]:
                self.text([tile["interval"]], (left + 4, top + 39, inner, 16.0), (13, 9))

    def _panel(self, box: tuple[float, float, float, float]) -> None:
        rectangle = self.pptx.enum.shapes.MSO_SHAPE.RECTANGLE
        shape = self.now.shapes.add_shape(rectangle, *map(self._mm, box))
        shape.fill.solid()
        shape.fill.fore_color.rgb = self._colour("#F3F6F9")
        shape.line.fill.background()
        shape.shadow.inherit = False

    def figure(self, folder: Path, name: str, about: dict[str, str]) -> None:
        """A figure of the run, as large as the slide allows, with its description."""
        self.slide(about.get("finding") or about["title"] or name.replace("_", " "))
        picture = self.now.shapes.add_picture(str(pictures(folder, "pptx") / f"{name}.png"), 0, 0)
        scale = min(self._mm(_TEXT) / picture.width, self._mm(_BOTTOM - _TOP) / picture.height)
        picture.width, picture.height = int(picture.width * scale), int(picture.height * scale)
        picture.left = int((self._mm(_WIDE) - picture.width) / 2)
        picture.top = self._mm(_TOP)
        picture._element.nvPicPr.cNvPr.set("descr", _line(about["alt"]))

    def table(self, name: str, rows: pd.DataFrame, caption: dict[str, Any], words: Words) -> None:
        """The first rows and columns of a table, as the report prints them."""
        self.slide(caption["title"] or name.replace("_", " "))
        part = rows.iloc[:_ROWS, :_COLUMNS]
        text, kinds = printed(part, caption["decimals"], words, name)
        cells = [words.heads(map(str, text.columns), name), *text.to_numpy().tolist()]
        cells = [[cut(_line(cell), 70, 12, 12) for cell in row] for row in cells]
        if not rows.shape[1]:
            self.text([words.text("None.")], (_MARGIN, _TOP, _TEXT, 20.0), (16, 10))
            return
        size, widths = column_widths(cells, _TEXT, (14.0, 13.0, 12.0, 11.0, 10.0, 9.0, 8.0))
        heights = heights_of(cells, size, widths, _BOTTOM - 18 - _TOP)
        cells, count = cells[: len(heights)], len(heights) - 1
        notes = [caption["note"]] if caption["note"] else []
        if count < len(rows):
            said = message("common.rows_shown", rows=count, all=len(rows), name=name)
            notes.append(words.text(said))
        if part.shape[1] < rows.shape[1]:
            said = message("study.columns_shown", columns=part.shape[1], all=rows.shape[1])
            notes.append(words.text(said))
        box = map(self._mm, (_MARGIN, _TOP, sum(widths), sum(heights)))
        table = self.now.shapes.add_table(len(cells), len(widths), *box).table
        table.horz_banding = False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = self._mm(width)
        for row, line in enumerate(cells):
            table.rows[row].height = self._mm(heights[row])
            for column, cell in enumerate(line):
                self._cell(table.cell(row, column), cell, size, kinds[column], row == 0)
        if notes:
            self.text(notes, (_MARGIN, _BOTTOM - 14, _TEXT, 14.0), (11, 7))

    def _cell(self, cell: Any, text: str, size: float, kind: str, head: bool) -> None:
        cell.fill.solid()
        cell.fill.fore_color.rgb = self._colour(PALETTE[0] if head else "#FFFFFF")
        cell.margin_left = cell.margin_right = self._mm(1.2)
        cell.margin_top = cell.margin_bottom = self._mm(0.4)
        paragraph = cell.text_frame.paragraphs[0]
        sides = self.pptx.enum.text.PP_ALIGN
        paragraph.alignment = sides.RIGHT if kind == "number" else sides.LEFT
        self._run(paragraph, text, size, head, "#FFFFFF" if head else INK)

    def columns(self, answer: dict[str, Any], words: Words) -> None:
        """What to do on the left, what to doubt on the right."""
        heads = [("advice", "What to do"), ("doubts", "What to doubt")]
        parts = [(words.text(head), answer[key]) for key, head in heads if answer[key]]
        if not parts:
            return
        self.slide(" · ".join(head for head, _ in parts))
        wide = (_TEXT - 12) / 2
        for number, (head, texts) in enumerate(parts):
            left = _MARGIN + number * (wide + 12)
            self.text([head], (left, _TOP, wide, 12.0), (20, 14), bold=True, colour=PALETTE[number])
            box = (left, _TOP + 14, wide, _BOTTOM - _TOP - 14)
            self.text([f"• {text}" for text in texts], box, (18, 10))

    def save(self, target: Path) -> Path:
        self.deck.save(str(target))
        return target
