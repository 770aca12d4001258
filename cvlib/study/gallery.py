"""The page over all runs: reports/index.html, by question, each with its verdict and downloads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cvlib.study.render.finished import THUMBNAIL, answer_in
from cvlib.study.render.page import page
from cvlib.study.render.report import FILES, LANGUAGES, shown_parameters
from cvlib.words.language import Words, translate
from cvlib.words.message import message

_LONGEST_TEXT = 500
_TABLES = '\n "tables": '
# Notebooks by the question they answer; a notebook of the user's own stands under the last.
QUESTIONS = {
    "How satisfied are customers, and why?": (
        "01_satisfaction_index", "02_models_compared", "03_groups_and_waves",
        "11_service_and_needs",
    ),
    "How much should each indicator count?": ("04_indicator_weights", "05_customer_scores"),
    "What are customers worth, and do they stay?": (
        "06_lifetime_and_churn", "07_subscription_churn", "08_segments_and_economics",
        "10_decisions",
    ),
    "What is a point of satisfaction worth?": ("09_customer_study",),
    "Notebooks of your own": (),
}  # fmt: skip
_DOWNLOADS = FILES | {"notebook": "notebook.ipynb", "JSON": "results.json"}
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
    runs.sort(key=lambda run: (run["question"], run["notebook"]))
    for place, run in enumerate(runs):
        run["place"] = place
    languages = {run["language"] for run in runs}
    words = Words(languages.pop() if len(languages) == 1 else "en")
    kept = ("notebook", "language", "files", "about", "words", "facts")
    text = page(
        "gallery.html",
        words.language,
        runs=runs,
        groups=[
            {"question": question, "runs": asked}
            for number, question in enumerate(QUESTIONS)
            if (asked := [run for run in runs if run["question"] == number])
        ],
        data=[{key: run[key] for key in kept} for run in runs],
        notebooks=sorted({run["notebook"] for run in runs}),
        studies=_studies(root),
        said=_said(words),
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
    answer = answer_in(results)
    started = manifest["started"][:16].replace("T", " ")
    figures = results["figures"]
    name = answer["hero"] or next(iter(figures), "")
    drawn = figures.get(name, {"alt": ""})
    pictures = (folder / THUMBNAIL, folder / "figures" / f"{name}.svg")
    thumbnail = next((file for file in pictures if name and file.is_file()), None)
    files = sorted(
        {file for entry in manifest["inputs"].values() for file in entry["file"].split(", ")}
    )
    captions = [
        about["title"] for about in (*results.get("captions", {}).values(), *figures.values())
    ]
    return {
        "question": _question(notebook),
        "notebook": notebook,
        "title": _short(title),
        "language": language,
        "href": _link(folder / "report.html", root),
        "downloads": {
            ending: _link(file, root)
            for ending, name in _DOWNLOADS.items()
            if (file := folder / name).is_file()
        },
        "settings": _short(" · ".join(settings) or Words(language).text("default settings")),
        "verdict": [_short(sentence) for sentence in answer["verdict"]],
        "tiles": [
            {part: _short(text) for part, text in tile.items()} for tile in answer["tiles"][:2]
        ],
        "started": started,
        "warnings": [_short(warning) for warning in manifest["warnings"]],
        "thumbnail": _link(thumbnail, root) if thumbnail else "",
        "alt": _short(drawn.get("finding") or drawn["alt"]),
        "files": files,
        "about": _short(f"{title}, {started}, {folder.name}"),
        "words": "\n".join(
            [
                notebook,
                manifest["title"],
                folder.name,
                title,
                answer["question"],
                *files,
                *settings,
                *answer["verdict"],
                *sentences,
                *captions,
                results.get("methods", ""),
                *results.get("references", []),
            ]
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


def _said(words: Words) -> dict[str, Any]:
    """What the page's script says, its slots left open."""
    names = ("Headline numbers", "Parameters", "Inputs", "Versions", "Warnings")
    kept = {
        "one": message("study.runs", n=1),
        "runs": message("study.several_runs", n="{a}"),
        "some": message("study.some_of_runs", some="{a}", runs="{b}"),
        "differ": message("study.runs_differ", listed="{a}"),
        "differing": message("study.differing", n="{a}", group="{b}"),
        "alone": message("study.not_in_both", n="{a}"),
        "all": "all",
        "any": "any",
        "same": "Nothing differs: same parameters, inputs, versions and headline numbers.",
        "different": "The runs are of different notebooks.",
        "third": "Two runs can be compared at a time, and two are chosen. "
        "Untick one of them, or end the comparison, to choose another.",
        "opened": "Two runs are compared below the one chosen last.",
        "chosen": "One run chosen. Choose a second to compare them.",
    }
    return {name: words.text(text) for name, text in kept.items()} | {
        "groups": {name: words.text(name) for name in names},
        "names": LANGUAGES,
        "comma": "、" if words.language == "zh" else ", ",
    }


def _question(notebook: str) -> int:
    """The place among `QUESTIONS` of the one that a notebook answers."""
    asked = (place for place, names in enumerate(QUESTIONS.values()) if notebook in names)
    return next(asked, len(QUESTIONS) - 1)


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
