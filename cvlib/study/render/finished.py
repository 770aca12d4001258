"""What the further formats of a finished run are made of: its results, and what carries them."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.words.exhibits import exhibits
from cvlib.words.message import message

THUMBNAIL = "thumbnail.png"  # in the folder of a run: its hero figure, drawn for a card
FORMATS = ("html", "docx", "pptx", "pdf", "xlsx", "latex", "png")


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a report format there is none of, before anything runs."""
    for name in formats:
        one_of("report format", name, FORMATS)


def results_of(folder: Path) -> dict[str, Any]:
    """The ``results.json`` of a run folder."""
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


def library(name: str, wanted: str) -> Any:
    """A package that a report format needs, or the remedy where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"report format {wanted}",
            message("refusals.needs_the_package_which_is", name=name),
            message("refusals.install_it_pip_install_cvlib_3"),
        ) from error


def answer_in(results: dict[str, Any]) -> dict[str, Any]:
    """The answer of a run; of one that states none, its headlines, and what it warns of."""
    if results.get("answer"):
        return dict(results["answer"])
    said = [entry["sentence"] for entry in results.get("headlines", {}).values()]
    few = {"verdict": said[:2], "doubts": results.get("warnings", [])[:2]}
    return {"question": "", "tiles": [], "hero": "", "advice": said[2:5], **few}


def evidence_in(results: dict[str, Any]) -> list[str]:
    """Names of the tables and figures that carry the answer, in the order of the exhibits.

    A notebook that marks none has all its tables and figures as evidence.
    """
    shown = {*results["tables"], *results["figures"]}
    marked = [name for name, about in exhibits(results["notebook"]).items() if about.evidence]
    return [name for name in marked if name in shown] or [*results["figures"], *results["tables"]]
