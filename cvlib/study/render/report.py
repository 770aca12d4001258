"""Turns a run folder into a report: the executed notebook without code, in one HTML page."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any

import nbformat
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.study.execute import RunFailed
from cvlib.study.notebook import parse_parameters
from cvlib.study.render.finished import answer_in, check_formats, results_of
from cvlib.study.render.page import page, rendered
from cvlib.study.render.pieces import (
    answer_of,
    sections,
    take,
    what_if_of,
    without_repeated,
)
from cvlib.study.render.what_if import what_if_html, without_levers
from cvlib.words.language import Words, translate
from cvlib.words.tables import table_html

# Where a page or a card of the gallery finds the other formats of a run.
FILES = {
    "PDF": "report.pdf", "DOCX": "report.docx", "PPTX": "report.pptx", "XLSX": "report.xlsx",
    "LaTeX": "latex/main.tex",
}  # fmt: skip
_LINKED = ("<!-- formats -->", "<!-- end of formats -->")
_SWITCH = ("<!-- languages -->", "<!-- end of languages -->")
LANGUAGES = {"en": "English", "zh": "中文"}  # of reports, as each is called by those who read it
_BODY = ("<!-- body -->", "<!-- end of body -->")
_EXPORTING = Lock()  # runs of a batch are threads of one process


def write_reports(folder: Path, formats: tuple[str, ...]) -> None:
    """Write the reports that a run folder does not have yet; nothing is computed again."""
    check_formats(formats)
    target = folder / "report.html"
    if not target.is_file():
        target.write_text(html_report(folder), encoding="utf-8", newline="\n")
    wanted = [name for name in formats if name != "html"]
    if not wanted:
        return
    from cvlib.study.render.formats import WRITERS  # a page alone needs none of what they load

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    body = without_levers(_written_body(folder))
    language = _language(manifest)
    title = translate(manifest["title"], language)
    content = f"<html><body><h1>{escape(title)}</h1>{body}{_foot(manifest)}</body></html>"
    for name in wanted:
        try:
            WRITERS[name](folder, content, title, language)
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            reason = str(error).splitlines()[0]
            raise RunFailed(
                f"{manifest['notebook']}: the run is complete, but its {name} report could not be "
                f"written ({reason}). Look at {folder / 'report.html'}."
            ) from error


def link_formats(folder: Path) -> None:
    """Put links to the further formats of a run that are there on top of its page."""
    there = {name: file for name, file in FILES.items() if (folder / file).is_file()}
    _put(
        folder, _LINKED, "".join(f' · <a href="{file}">{name}</a>' for name, file in there.items())
    )


def link_language(folder: Path, other: Path, language: str) -> None:
    """Put a link to the same report in another language on top of a run's page.

    Parameters
    ----------
    folder, other : Path
        Two runs of one notebook in one home.
    language : str
        Language of the other.
    """
    link = f'<a href="../{other.name}/report.html" lang="{language}">{LANGUAGES[language]}</a>'
    _put(folder, _SWITCH, f" · {link}")


def _put(folder: Path, marks: tuple[str, str], made: str) -> None:
    """Put a piece between two marks of a run's page, which appears when it is complete."""
    target = folder / "report.html"
    text = target.read_text(encoding="utf-8")
    begin, end = marks
    before, found, rest = text.partition(begin)
    if not found:  # written by an earlier version
        return
    new = before + begin + made + end + rest.partition(end)[2]
    if new != text:
        aside = folder / f".{target.name}"
        aside.write_text(new, encoding="utf-8", newline="\n")
        aside.replace(target)


def _language(manifest: dict[str, Any]) -> str:
    return manifest["parameters"].get("language", "en")


@cache
def _exporter() -> Any:
    """One exporter per process: it compiles its templates only once."""
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor
    from traitlets.config import Config

    options = Config()
    options.Exporter.default_preprocessors = [CoalesceStreamsPreprocessor]  # needs no others
    return HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        config=options,
    )


def _tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def notebook_body(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The report's body and its headings: the answer, the evidence, the notebook as appendix."""
    content = nbformat.read(folder / "notebook.ipynb", as_version=4)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    language = _language(manifest)
    words = Words(language)
    content.cells = [cell for cell in content.cells if "injected-parameters" not in _tags(cell)]
    for position, cell in enumerate(content.cells):
        if "parameters" in _tags(cell):
            table = _parameters(shown_parameters(manifest), cell.source, language)
            content.cells[position] = nbformat.v4.new_markdown_cell(table, id=cell.id)
        elif cell.cell_type == "markdown":
            cell.source = translate(cell.source, language)
    answer = answer_of(content) or _plain_answer(folder)
    supposed = what_if_of(content)
    taken = take(content, manifest["notebook"], answer["hero"])
    hero = taken.pop(answer["hero"], None)
    first = without_repeated(hero.html, answer["verdict"]) if hero else ""
    appendix = [
        {"heading": section.heading or words.text("Question"), "html": _converted(section.cells)}
        for section in sections(content)
    ]
    body = rendered(
        "body.html", words, answer=answer, hero=first,
        what_if=what_if_html(supposed, words) if supposed else "",
        evidence=list(taken.values()), appendix=appendix,
    )  # fmt: skip
    headings = [{"level": "2", "anchor": "answer", "text": words.text("Answer")}]
    if supposed:
        headings.append({"level": "2", "anchor": "what-if", "text": words.text("What if")})
    if taken:
        headings.append({"level": "2", "anchor": "evidence", "text": words.text("Evidence")})
    headings += [
        {"level": "3", "anchor": f"{piece.kind}-{piece.name}", "text": piece.title}
        for piece in taken.values()
    ]
    headings.append({"level": "2", "anchor": "appendix", "text": words.text("Appendix")})
    headings += [
        {"level": "3", "anchor": f"section-{number}", "text": part["heading"]}
        for number, part in enumerate(appendix, 1)
    ]
    return body, headings


def _converted(cells: list[Any]) -> str:
    """Cells of the executed notebook as HTML without code."""
    with _EXPORTING:
        html, _ = _exporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    return str(html)


def _plain_answer(folder: Path) -> dict[str, Any]:
    """The first screen of a notebook that states no answer."""
    return answer_in(results_of(folder) if (folder / "results.json").is_file() else {})


def _written_body(folder: Path) -> str:
    """The body as the run's own page has it: converted once, the same in every format."""
    report = folder / "report.html"
    text = report.read_text(encoding="utf-8") if report.is_file() else ""
    body = text.partition(_BODY[0])[2].partition(_BODY[1])[0]
    return body or notebook_body(folder)[0]


def html_report(folder: Path) -> str:
    """The report of a run folder as one self-contained HTML page."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    body, headings = notebook_body(folder)
    return page(
        "report.html",
        _language(manifest),
        manifest=manifest,
        title=translate(manifest["title"], _language(manifest)),
        body=body,
        headings=headings,
        foot=_foot(manifest),
    )


def shown_parameters(manifest: dict[str, Any], which: str = "parameters") -> dict[str, Any]:
    """Parameters of a run (all, or `changed`) as others may read them: files by name only."""

    def shown(name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [shown(name, each) for each in value]
        return Path(value).name if name in manifest["inputs"] and isinstance(value, str) else value

    return {name: shown(name, value) for name, value in manifest[which].items()}


def _parameters(used: dict[str, Any], source: str, language: str) -> str:
    """The parameters of a run with what they mean, in place of their cell."""
    words = Words(language)
    rows = [
        {"parameter": p.name, "value": str(used[p.name]), "meaning": words.text(p.help)}
        for p in parse_parameters("notebook", source)
        if p.name in used
    ]
    as_written = {cell: cell for row in rows for cell in (row["parameter"], row["value"])}
    kept = Words(language, as_written)  # names and values stay those that a user types
    table = table_html("parameters_used", pd.DataFrame(rows), words=kept)
    return table.replace("\n", "")


def _foot(manifest: dict[str, Any]) -> str:
    """How the report was made: inputs, versions."""
    inputs = pd.DataFrame(
        [
            {"input": name, "file": entry["file"], "SHA-256": entry["sha256"]}
            for name, entry in manifest["inputs"].items()
        ]
    )
    words = Words(_language(manifest))
    listed = table_html("inputs_used", inputs, "Inputs", words=words) if len(inputs) else ""
    return rendered("foot.html", words, manifest=manifest, inputs=listed)


def combined_report(
    title: str, summary: pd.DataFrame, failures: pd.DataFrame, runs: list[tuple[str, Path]]
) -> str:
    """One page over all runs of a study: headlines side by side, then every run in full."""
    sections = []
    for number, (label, folder) in enumerate(runs, 1):
        body = _written_body(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        about = {"anchor": f"run-{number}", "label": label, "language": _language(manifest)}
        sections.append(about | {"body": _lowered(body)})
    languages = {section["language"] for section in sections}
    words = Words(languages.pop() if len(languages) == 1 else "en")
    failed = table_html("failures", failures, "Runs that failed", words=words)
    return page(
        "study.html",
        words.language,
        title=title,
        summary=table_html("summary", summary, "Headline numbers by run", rows=500, words=words),
        failures=failed if len(failures) else "",
        runs=sections,
    )


def _lowered(body: str) -> str:
    # one first-level heading per page
    for level in (3, 2, 1):
        body = body.replace(f"<h{level}", f"<h{level + 1}").replace(
            f"</h{level}", f"</h{level + 1}"
        )
    return body
