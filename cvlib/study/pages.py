"""The documentation: a page per notebook and a gallery of figures, from the notebooks themselves.

Nothing is typed twice: the prose is the notebook's, tables and figures are its stored outputs,
what a column holds is told by the catalogues, the works by the bibliography.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import yaml
from jinja2 import Environment, PackageLoader

from cvlib.inputs.errors import InputError
from cvlib.study.notebook import read_notebook, shipped
from cvlib.words.language import Words
from cvlib.words.message import message, restored

FOLDER = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = {"en": "", "zh": "zh"}
_OFTEN = 3
_PAGES, _FIGURES = "[0-9][0-9]_*.md", "figures/*/*.png"  # what is written here, and nothing else
_LEAD = re.compile(r"^\*\*[^*]+\*\*\s*")  # the page has a heading in place of the bold word
_TEMPLATES = Environment(
    loader=PackageLoader("cvlib.study.render"),
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
)


@dataclass(frozen=True)
class Shown:
    """A table or figure of a notebook as its stored output shows it."""

    kind: str
    name: str
    title: str
    heading: str
    note: str = ""
    columns: tuple[str, ...] = ()
    alt: str = ""
    image: bytes = b""


@dataclass
class Told:
    """What a notebook's page needs from its cells."""

    question: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    methods: str = ""
    references: str = ""

    def recurring(self) -> list[str]:
        """Columns that several tables share: what they mean is told once."""
        count = Counter(column for shown in self.shown for column in set(shown.columns))
        listed = dict.fromkeys(column for shown in self.shown for column in shown.columns)
        return [column for column in listed if count[column] >= _OFTEN]


def _text(node: Any) -> str:
    return " ".join(node.get_text(" ", strip=True).split()) if node else ""


@dataclass(frozen=True)
class _Parsed:
    """What the HTML of an output is: ids of its table and of its first paragraph, if any."""

    table: str
    caption: str
    columns: tuple[str, ...]
    figure: str


@cache
def _parsed(html: str) -> _Parsed:
    """Parsed once for the pages of both languages."""
    from bs4 import BeautifulSoup

    page = BeautifulSoup(html, "html.parser")
    table, figure = page.find("div", class_="cvlib-table"), page.find("p", id=True)
    heads = page.find_all("th", attrs={"data-column": True}) if table else []
    divided = page.find("table", attrs={"data-blocks": True})
    blocks = str(divided["data-blocks"]).split() if divided else []
    return _Parsed(
        table=str(table["id"]) if table else "",
        caption=_text(table.find("caption")) if table else "",
        columns=(*blocks, *(str(head["data-column"]) for head in heads)),
        figure=str(figure["id"]) if figure else "",
    )


def _outputs(cell: Any, heading: str, told: Told) -> None:
    caption: dict[str, Any] = {}
    for output in cell.get("outputs", []):
        data, texts = output.get("data", {}), output.get("metadata", {}).get("cvlib", {})
        found = _parsed(data.get("text/html", ""))
        if found.table and found.table not in (
            "table-record",
            "table-what_if",
            "table-what_if_value",
        ):
            told.shown.append(
                Shown(
                    "table",
                    found.table.removeprefix("table-"),
                    restored(texts.get("title", "")) or found.caption,
                    heading,
                    note=restored(texts.get("note", "")),
                    columns=found.columns,
                )
            )
        elif found.figure.startswith("figure-"):
            caption = {"name": found.figure.removeprefix("figure-"), **texts}
        elif "image/png" in data and caption:
            image = base64.b64decode(data["image/png"])
            title, alt = restored(caption.get("title", "")), restored(caption.get("alt", ""))
            told.shown.append(
                Shown("figure", caption["name"], title, heading, alt=alt, image=image)
            )
            caption = {}
        prose = data.get("text/markdown", "")
        if prose.startswith("### Methods"):
            told.methods = prose.split("\n", 1)[1].strip()
        elif prose.startswith("### References"):
            told.references = prose.split("\n", 1)[1].strip()


def read_told(path: Path, words: Words) -> Told:
    """A notebook's prose in a language, and its stored tables and figures."""
    told, section, heading = Told(), "", ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "markdown":
            _outputs(cell, heading, told)
            continue
        prose = words.text(cell.source)
        section = next(iter(cell.metadata.get("tags", [])), section)
        for line in prose.splitlines():
            if line.startswith("## "):
                heading = ""
            elif line.startswith("### "):
                heading = line[4:]
        if section == "question":
            told.question.append(re.sub(r"^#{1,2} .*\n?", "", prose, flags=re.MULTILINE).strip())
        elif section == "answer" and "**" in prose:
            limits = re.sub(r"^#+ .*\n?", "", prose, flags=re.MULTILINE).strip()
            told.limits.append(_LEAD.sub("", limits))
    return told


def _cell(text: str) -> str:
    """Text that does not break a Markdown table."""
    return " ".join(text.replace("|", r"\|").split())


def citation(root: Path) -> dict[str, Any]:
    """How to cite the suite, from CITATION.cff."""
    found: dict[str, Any] = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    return found


def write_pages(folder: Path = FOLDER) -> list[Path]:
    """Write the documentation of every shipped notebook, in every language.

    Parameters
    ----------
    folder : Path
        Where to; pages and figures of notebooks that are no longer there are removed, other files
        left alone.

    Returns
    -------
    list of Path
        The files written.
    """
    if not (folder.parent / "CITATION.cff").is_file():
        raise InputError(
            str(folder.parent),
            message("refusals.is_not_a_checkout_of"),
            message("refusals.write_the_pages_from_a"),
        )
    notebooks = [read_notebook(path) for path in shipped()]
    written: dict[Path, bytes] = {}
    for language, below in LANGUAGES.items():
        words = Words(language)
        told = {notebook.name: read_told(notebook.path, words) for notebook in notebooks}
        home = folder / below
        common = {"words": words, "t": words.text, "cell": _cell, "told": told, "below": below}
        for notebook in notebooks:
            page = _render("page.md", notebook=notebook, page=told[notebook.name], **common)
            written[home / f"{notebook.name}.md"] = page
        pages = {"notebooks": notebooks, "citation": citation(folder.parent), **common}
        written[home / "README.md"] = _render("documentation.md", **pages)
        written[home / "figures.md"] = _render("figures.md", **pages)
    for notebook in notebooks:
        for shown in read_told(notebook.path, Words()).shown:
            if shown.image:
                written[folder / "figures" / notebook.name / f"{shown.name}.png"] = shown.image
    for left in [*folder.rglob(_PAGES), *folder.glob(_FIGURES)]:
        if left not in written:
            left.unlink()
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(written)


def _render(template: str, **content: Any) -> bytes:
    text = _TEMPLATES.get_template(template).render(**content)
    return (re.sub(r"\n{3,}", "\n\n", text).strip() + "\n").encode("utf-8")
