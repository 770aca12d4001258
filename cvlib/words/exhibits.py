"""What the tables and figures of a notebook are called, noted and rounded to, by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from cvlib.inputs.shipped import shipped_yaml
from cvlib.words.message import Label

DECIMALS, ROWS = 3, 60


@dataclass(frozen=True)
class Exhibit:
    """How one table or figure is presented.

    Attributes
    ----------
    title, note : str
        Caption above, note below.
    alt : str
        What a figure shows, in a sentence, for those who cannot see it.
    decimals : int
        Decimals printed.
    rows : int
        Rows printed of a long table.
    evidence : bool
        Whether it carries the answer; what does not stands in the report's appendix.
    marks : mapping of str to str
        Column to the values that are marked in it, such as ``{"ave": "< 0.5"}``.
    chart : sequence of str
        Of the table that a workbook draws on its first sheet: columns of names and of numbers.
    """

    title: str = ""
    note: str = ""
    alt: str = ""
    decimals: int = DECIMALS
    rows: int = ROWS
    evidence: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)
    chart: Sequence[str] = ()


@cache
def exhibits(notebook: str) -> Mapping[str, Exhibit]:
    """The tables and figures of a notebook by name; empty for a notebook of the user's own."""
    file = resources.files("cvlib.words") / "exhibits" / f"{notebook}.yaml"
    if not file.is_file():
        return {}
    entries: dict[str, dict[str, Any]] = shipped_yaml(file.read_text("utf-8"))
    return {
        name: Exhibit(**{key: _labelled(key, value) for key, value in entry.items()})
        for name, entry in entries.items()
    }


def _labelled(key: str, value: Any) -> Any:
    return Label(value) if key in ("title", "note", "alt") else value
