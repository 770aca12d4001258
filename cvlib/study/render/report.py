"""Turns a run folder into a report: the executed notebook without code, in one HTML page."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape
from pathlib import Path
from threading import Lock
from typing import Any

import nbformat
import pandas as pd
from jinja2 import Environment, PackageLoader

from cvlib.inputs.errors import InputError
from cvlib.study.execute import RunFailed
from cvlib.study.notebook import parse_parameters
from cvlib.study.render.formats import WRITERS
from cvlib.words.language import Words, translate
from cvlib.words.message import message
from cvlib.words.tables import table_html

FORMATS = ("html", *WRITERS)
_ENVIRONMENT = Environment(
    loader=PackageLoader("cvlib.study.render"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_HEADING = re.compile(r"<h([23])>(.*?)</h\1>", re.DOTALL)
_TAGS = re.compile(r"<[^>]+>")
_BODY = re.compile(r'<main id="content">\n(.*)\n<footer>\n', re.DOTALL)
_EXPORTING = Lock()  # runs of a batch are threads of one process


def page(template: str, language: str = "en", **content: Any) -> str:
    """A page of the house: template, one style sheet, nothing from outside; ``t`` translates."""
    css = _ENVIRONMENT.get_template("report.css").render()
    words = Words(language)
    return _ENVIRONMENT.get_template(template).render(
        css=css, language=language, t=words.text, message=message, **content
    )


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a report format there is none of, before anything runs."""
    for name in formats:
        if name not in FORMATS:
            raise InputError(
                f"report format {name!r}", "there is none", f"Known: {', '.join(FORMATS)}."
            )


def write_reports(folder: Path, formats: tuple[str, ...]) -> None:
    """Write the reports that a run folder does not have yet; nothing is computed again."""
    check_formats(formats)
    target = folder / "report.html"
    if not target.is_file():
        target.write_text(html_report(folder), encoding="utf-8", newline="\n")
    wanted = [name for name in formats if name in WRITERS]
    if not wanted:
        return
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    body = _written_body(folder)
    language = _language(manifest)
    content = f"<html><body>{body}{_foot(manifest)}</body></html>"
    title = translate(manifest["title"], language)
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
    """The executed notebook as plain HTML without code, and its headings with anchors."""
    content = nbformat.read(folder / "notebook.ipynb", as_version=4)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    language = _language(manifest)
    content.cells = [cell for cell in content.cells if "injected-parameters" not in _tags(cell)]
    for position, cell in enumerate(content.cells):
        if "parameters" in _tags(cell):
            table = _parameters(shown_parameters(manifest), cell.source, language)
            content.cells[position] = nbformat.v4.new_markdown_cell(table, id=cell.id)
        elif cell.cell_type == "markdown":
            cell.source = translate(cell.source, language)
    with _EXPORTING:
        body, _ = _exporter().from_notebook_node(content)
    headings: list[dict[str, Any]] = []

    def anchored(match: re.Match[str]) -> str:
        level, text = match.group(1), match.group(2)
        anchor = f"section-{len(headings) + 1}"
        headings.append(
            {"level": level, "anchor": anchor, "text": unescape(_TAGS.sub("", text)).strip()}
        )
        return f'<h{level} id="{anchor}">{text}</h{level}>'

    return _HEADING.sub(anchored, body), headings


def _written_body(folder: Path) -> str:
    """The body as the run's own page has it: converted once, the same in every format."""
    report = folder / "report.html"
    found = _BODY.search(report.read_text(encoding="utf-8")) if report.is_file() else None
    return found[1] if found else notebook_body(folder)[0]


def html_report(folder: Path) -> str:
    """The report of a run folder as one self-contained HTML page."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    body, headings = notebook_body(folder)
    return page(
        "report.html",
        manifest=manifest,
        language=_language(manifest),
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
    return _ENVIRONMENT.get_template("foot.html").render(
        manifest=manifest,
        t=words.text,
        message=message,
        inputs=table_html("inputs_used", inputs, "Inputs", words=words) if len(inputs) else "",
    )


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
        language=words.language,
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
