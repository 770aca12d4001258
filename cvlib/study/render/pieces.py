"""A run's notebook taken apart for its report: the pieces of evidence, and the rest by section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

import nbformat

from cvlib.words.exhibits import exhibits
from cvlib.words.safe import page_text


@dataclass(frozen=True)
class Piece:
    """A table or a figure as the report shows it.

    Attributes
    ----------
    kind : str
        "table" or "figure".
    name : str
        Its name in the run folder.
    title : str
        Its caption in the language of the report.
    html : str
        Caption and table, or caption and picture.
    """

    kind: str
    name: str
    title: str
    html: str


@dataclass
class Section:
    """A section of the notebook: its heading, its subheadings and its cells."""

    heading: str
    cells: list[Any] = field(default_factory=list)


def links(kind: str, name: str) -> str:
    """Where the numbers of a table, or a figure as a file, stand in the run folder."""
    folder, endings = ("tables", ["csv"]) if kind == "table" else ("figures", ["svg", "png"])
    made = [f'<a href="{folder}/{escape(name)}.{e}">{e.upper()}</a>' for e in endings]
    return f'<p class="files">{" · ".join(made)}</p>'


def _about(output: Any) -> dict[str, Any]:
    found: dict[str, Any] = output.get("metadata", {}).get("cvlib", {})
    return found


def _picture(output: Any) -> str:
    about = output["metadata"].get("image/png", {})
    data = "".join(output["data"]["image/png"].split())
    width, alt = about.get("width", 700), escape(about.get("alt", ""))
    drawing = _about(output).get("page", "")
    if drawing:  # on paper the picture from the run folder takes its place
        still = f'<!-- still <img src="" alt="{alt}"> -->'
        return f"<!-- drawing -->{drawing}<!-- end of drawing -->{still}"
    return f'<img src="data:image/png;base64,{data}" width="{width}" alt="{alt}">'


def _html(output: Any) -> str:
    return "".join(output.get("data", {}).get("text/html", ""))


def answer_of(content: Any) -> dict[str, Any]:
    """The answer that an executed notebook states; empty where it states none."""
    for cell in content.cells:
        for output in cell.get("outputs", []):
            if _about(output).get("kind") == "answer":
                found: dict[str, Any] = _about(output)["answer"]
                return found
    return {}


def what_if_of(content: Any) -> dict[str, Any]:
    """What an executed notebook lets its reader move; taken out of it, empty where nothing."""
    found: dict[str, Any] = {}
    for cell in content.cells:
        for output in cell.get("outputs", []):
            if _about(output).get("kind") == "what_if":
                found = _about(output)["what_if"]
                cell.outputs = [other for other in cell.outputs if other is not output]
    return found


def take(content: Any, notebook: str, hero: str) -> dict[str, Piece]:
    """Take the hero figure and the pieces of evidence out of an executed notebook.

    A link stays where each of them stood. Every other table and figure gets the links to its
    files. The outputs are changed in place.

    Parameters
    ----------
    content : NotebookNode
        The executed notebook.
    notebook : str
        Its name, under which the exhibits say what is evidence.
    hero : str
        Figure of the answer; empty where there is none.
    """
    known = exhibits(notebook)
    wanted = {name for name, exhibit in known.items() if exhibit.evidence} | {hero}
    taken: dict[str, Piece] = {}
    for cell in content.cells:
        kept: list[Any] = []
        caption = ""
        for output in cell.get("outputs", []):
            about = _about(output)
            kind, name = about.get("kind", ""), about.get("name", "")
            if kind == "answer":
                continue
            if kind == "caption":
                caption = _html(output)
            if kind not in ("table", "figure") or name not in wanted:
                if kind in ("table", "figure"):
                    output = _with_links(output, kind, name)
                kept += output if isinstance(output, list) else [output]
                continue
            title = about.get("printed") or name
            html = _notes_together(_html(output)) if kind == "table" else caption + _picture(output)
            taken[name] = Piece(kind, name, title, html + links(kind, name))
            kept = kept[:-1] if kind == "figure" and caption else kept
            kept.append(_moved(f"{kind}-{name}", title))
            caption = ""
        if cell.cell_type == "code":
            cell.outputs = kept
    return taken


def without_repeated(html: str, verdict: list[str]) -> str:
    """A figure whose title does not say once more what stands above it."""
    for sentence in verdict:
        html = html.replace(f"<b>{escape(sentence)}</b> ", "").replace(
            f"<b>{page_text(escape(sentence, quote=False))}</b> ", ""
        )
    return html


def _notes_together(html: str) -> str:
    """A table's notes in one box, which stays in sight while the rows scroll."""
    table, note, rest = html.partition('<p class="note">')
    if not note:
        return html
    return f'{table}<div class="notes">{note}{rest.rstrip().removesuffix("</div>")}</div></div>'


def _with_links(output: Any, kind: str, name: str) -> Any:
    if kind == "table":
        output["data"]["text/html"] = _notes_together(_html(output)) + links(kind, name)
        return output
    return [output, _shown(links(kind, name))]


def _shown(html: str) -> Any:
    return nbformat.v4.new_output("display_data", {"text/html": html})


def _moved(anchor: str, title: str) -> Any:
    return _shown(f'<p class="moved">↑ <a href="#{escape(anchor)}">{escape(title)}</a></p>')


def sections(content: Any) -> Iterator[Section]:
    """The notebook's cells by their second-level headings, the first one under its title."""
    section = Section("")
    for cell in content.cells:
        lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
        heading = next((line[3:].strip() for line in lines if line.startswith("## ")), "")
        if heading:
            if section.cells and section.heading:
                yield section
                section = Section("")
            section.heading = heading
            cell.source = "\n".join(
                line for line in lines if not line.startswith(("# ", "## "))
            ).strip()
        section.cells.append(cell)
    if section.cells:
        yield section
