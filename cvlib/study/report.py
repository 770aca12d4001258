"""Turns a run folder into a report: the executed notebook without code, in one HTML page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from jinja2 import Environment, PackageLoader

from cvlib.inputs.errors import InputError
from cvlib.study.notebooks import Notebook
from cvlib.study.tables import table_html

FORMATS = ("html",)
_ENVIRONMENT = Environment(
    loader=PackageLoader("cvlib.study"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_HEADING = re.compile(r"<h([23]) id=\"([^\"]+)\">(.*?)</h\1>", re.DOTALL)
_TAGS = re.compile(r"<[^>]+>")


def page(template: str, **content: Any) -> str:
    """A page of the house: template, one style sheet, nothing from outside."""
    css = _ENVIRONMENT.get_template("report.css").render()
    return _ENVIRONMENT.get_template(template).render(css=css, **content)


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a report format there is none of, before anything runs."""
    for name in formats:
        if name not in FORMATS:
            raise InputError(
                f"report format {name!r}", "there is none", f"Known: {', '.join(FORMATS)}."
            )


def write_reports(folder: Path, notebook: Notebook, formats: tuple[str, ...]) -> None:
    """Write the reports that a run folder does not have yet; nothing is computed again."""
    check_formats(formats)
    target = folder / "report.html"
    if not target.is_file():
        target.write_text(html_report(folder, notebook), encoding="utf-8", newline="\n")


def html_report(folder: Path, notebook: Notebook) -> str:
    """The report of a run folder as one self-contained HTML page."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    content = nbformat.read(folder / "notebook.ipynb", as_version=4)
    options = Config()
    options.TagRemovePreprocessor.enabled = True
    options.TagRemovePreprocessor.remove_cell_tags = ["parameters", "injected-parameters"]
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        config=options,
    )
    body, _ = exporter.from_notebook_node(content)
    headings = [
        {"level": int(level), "anchor": anchor, "text": _TAGS.sub("", text).strip()}
        for level, anchor, text in _HEADING.findall(body)
    ]
    helps = {parameter.name: parameter.help for parameter in notebook.parameters}
    parameters = pd.DataFrame(
        [
            {"parameter": name, "value": str(value), "meaning": helps.get(name, "")}
            for name, value in manifest["parameters"].items()
        ]
    )
    inputs = pd.DataFrame(
        [
            {"input": name, "file": entry["file"], "SHA-256": entry["sha256"]}
            for name, entry in manifest["inputs"].items()
        ]
    )
    return page(
        "report.html",
        manifest=manifest,
        language=manifest["parameters"].get("language", "en"),
        body=body,
        headings=headings,
        parameters=table_html("parameters_used", parameters, "Parameters"),
        inputs=table_html("inputs_used", inputs, "Inputs") if len(inputs) else "",
    )
