"""The page over all runs: reports/index.html, with each run's headlines and first figure."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cvlib.study.render.page import page
from cvlib.study.render.report import shown_parameters
from cvlib.words.language import translate

_LONGEST_TEXT = 500
_TABLES = '\n "tables": '
_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError)


def write_gallery(root: Path) -> tuple[Path, list[Path]]:
    """Write ``index.html`` over every finished run below a reports folder.

    Parameters
    ----------
    root : Path
        The reports folder: runs in ``<notebook>/<run id>/``, studies in ``studies/<study>/``.

    Returns
    -------
    tuple of Path and list of Path
        The page, and the run folders that could not be read (they are left as they are).
    """
    root = root.resolve()
    runs, unreadable = [], []
    for manifest in sorted(root.glob("*/*/manifest.json")):
        if "." in manifest.parent.name:  # half-written, failed, or set aside
            continue
        try:
            runs.append(_run(manifest.parent, root))
        except _DAMAGED:
            unreadable.append(manifest.parent)
    runs.sort(key=lambda run: run["started"], reverse=True)
    runs.sort(key=lambda run: run["notebook"])
    text = page(
        "gallery.html",
        runs=runs,
        data=[{key: run[key] for key in ("notebook", "about", "words", "facts")} for run in runs],
        notebooks=sorted({run["notebook"] for run in runs}),
        studies=_studies(root),
    )
    aside = root / f".index.{os.getpid()}.html"
    aside.write_text(text, encoding="utf-8", newline="\n")
    aside.replace(root / "index.html")
    return root / "index.html", unreadable


def _run(folder: Path, root: Path) -> dict[str, Any]:
    """What the page shows of a run, and the facts by which two runs are compared."""
    manifest = _read(folder / "manifest.json")
    results = _read(folder / "results.json")
    notebook, language = manifest["notebook"], manifest["parameters"].get("language", "en")
    title = translate(manifest["title"], language)
    changed = shown_parameters(manifest, "changed")
    settings = [f"{name} = {_value(value)}" for name, value in changed.items()]
    sentences = [headline["sentence"] for headline in results["headlines"].values()]
    started = manifest["started"][:16].replace("T", " ")
    name, figure = next(iter(results["figures"].items()), ("", {"alt": ""}))
    thumbnail = folder / "figures" / f"{name}.svg"
    return {
        "notebook": notebook,
        "title": _short(title),
        "language": language,
        "href": _link(folder / "report.html", root),
        "formats": {
            ending: _link(file, root)
            for ending in ("pdf", "docx", "pptx", "xlsx")
            if (file := folder / f"report.{ending}").is_file()
        },
        "settings": _short(" · ".join(settings) or "default settings"),
        "headlines": [_short(sentence) for sentence in sentences],
        "started": started,
        "warnings": len(manifest["warnings"]),
        "thumbnail": _link(thumbnail, root) if name and thumbnail.is_file() else "",
        "alt": _short(figure["alt"]),
        "about": _short(f"{title}, {started}, run {folder.name}"),
        "words": "\n".join(
            [notebook, manifest["title"], folder.name, title, *settings, *sentences]
        ),
        "facts": {
            "Headline numbers": {
                name: headline["value"] for name, headline in results["headlines"].items()
            },
            "Parameters": {k: _value(v) for k, v in shown_parameters(manifest).items()},
            "Inputs": {
                name: f"{entry['file']} (SHA-256 {entry['sha256'][:12]})"
                for name, entry in manifest["inputs"].items()
            },
            "Versions": manifest["versions"],
            "Warnings": {"number of warnings": len(manifest["warnings"])},
        },
    }


def _studies(root: Path) -> list[dict[str, Any]]:
    """The combined reports of whole studies."""
    found = []
    for path in sorted(root.glob("studies/*/report.html")):
        try:
            study = _read(path.with_name("study.json"))
            entry = {"title": _short(study["title"]), "failed": len(study["failures"])}
        except _DAMAGED:
            entry = {"title": path.parent.name, "failed": 0}
        found.append(entry | {"href": _link(path, root)})
    return found


def _read(path: Path) -> dict[str, Any]:
    """A JSON file of a run up to its tables, which come last and are most of it."""
    text = path.read_text(encoding="utf-8")
    head, tables, _ = text.partition(_TABLES)
    if tables and text.endswith("\n}\n"):
        text = head.rstrip(",") + "}"
    return json.loads(text)


def _link(path: Path, root: Path) -> str:
    return quote(path.relative_to(root).as_posix())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _value(value: Any) -> str:
    """A parameter's value as a reader writes it."""
    if isinstance(value, dict):
        value = [f"{name}: {_value(inner)}" for name, inner in value.items()]
    text = ", ".join(map(_value, value)) if isinstance(value, list) else str(value)
    return text or "(empty)"
