"""The suite's own texts in another language.

``columns.csv`` has the heads and meanings of tables' columns, ``terms.csv`` the words within
tables, ``messages`` the sentences (see `cvlib.words.message`), ``catalogues`` (gettext PO files)
the prose of the notebooks and of report pages, each text whole. What none of them knows is shown
as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

from cvlib.words.said import Said, spaced

# Signs between two constructs, and as they are printed.
_PAIRS = {" × ": " × ", " -> ": " → "}
FOLDER = Path(__file__).with_name("catalogues")


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every text known in a language: prose of notebooks, texts of templates.

    Raises
    ------
    ValueError
        When two files translate one text differently.
    """
    known: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            entries = [m for m in read_po(file) if m.id and m.string and not m.fuzzy]
        for entry in entries:
            if known.setdefault(str(entry.id), str(entry.string)) != entry.string:
                raise ValueError(f"{path.name}: {entry.id!r} is translated in two ways")
    return known


@cache
def columns() -> dict[tuple[str, str], dict[str, str]]:
    """Head and meaning of every known column, by table (blank = any) and column."""
    return _rows("columns.csv", "table", "column")


@cache
def terms() -> dict[str, dict[str, str]]:
    """Every known word within a table, by language."""
    return {term: row for (term,), row in _rows("terms.csv", "term").items()}


def _rows(name: str, *keys: str) -> dict[Any, dict[str, str]]:
    """Rows of a file of words by their keys; what stands twice would say one of two things."""
    found: dict[Any, dict[str, str]] = {}
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = tuple(row.pop(part) for part in keys)
            if found.setdefault(key, row) is not row:
                raise ValueError(f"{name}: {key} stands twice")
    return found


@cache
def forms() -> dict[tuple[str, str], dict[str, str]]:
    """Names made of names: what stands before and after the inner one, and the wordings."""
    made = {name: entry for name, entry in terms().items() if "…" in name}
    return {(name.partition("…")[0], name.partition("…")[2]): made[name] for name in made}


def translate(text: str, language: str) -> str:
    """A text of the suite in a language; as it is where no catalogue knows it.

    Parameters
    ----------
    text : str
        Prose in English, whole, or a text that words itself.
    language : str
        Language of the reader.
    """
    if isinstance(text, Said):
        return text.worded(language, {})
    return catalogue(language).get(text, text)


def _filled(form: str, inner: str, language: str) -> str:
    before, _, after = form.partition("…")
    return spaced([before, inner, after]) if language == "zh" else f"{before}{inner}{after}"


@dataclass(frozen=True)
class Words:
    """How a report words things: its language, and what a model's or a tree's names are called.

    Parameters
    ----------
    language : str
        Language of the reader.
    names : dict
        Label of every construct, item or indicator that has one.
    """

    language: str = "en"
    names: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """Prose, a caption, a note, a sentence."""
        if isinstance(text, Said):
            return text.worded(self.language, self.names)
        return translate(text, self.language)

    def cell(self, text: str) -> str:
        """A word within a table."""
        if isinstance(text, Said):
            return text.worded(self.language, self.names)
        known = self.names.get(text) or terms().get(text, {}).get(self.language)
        return known or self._pair(text) or self._made_of_names(text) or text

    def _pair(self, text: str) -> str:
        """Two named ones, such as ``quality -> value``; empty for others."""
        for sign, printed in _PAIRS.items():
            ends = text.split(sign)
            if len(ends) > 1 and all(end in self.names for end in ends):
                return printed.join(self.names[end] for end in ends)
        return ""

    def _made_of_names(self, name: str) -> str:
        """The wording of a name that holds another's, such as ``spend_rmse``; empty for others.

        ``terms.csv`` has these with … where the other stands; it must be a number or known too,
        unless a blank parts the two.
        """
        for (before, after), worded in forms().items():
            if not (name.startswith(before) and name.endswith(after)):
                continue
            inner = name[len(before) : len(name) - len(after)]
            said = self.cell(inner) if inner else ""
            apart = before.endswith(" ") or inner.replace(".", "", 1).isdecimal()
            if inner and (apart or inner in self.names or inner in terms()):
                return _filled(worded[self.language], said, self.language)
        return ""

    def head(self, column: str, table: str = "") -> str:
        """What a column is called in print: in this table, where it says so, or in any."""
        if column in self.names:
            return self.names[column]
        own, known = (columns().get((place, column), {}) for place in (table, ""))
        said = f"head_{self.language}"
        return own.get(said) or known.get(said) or column.replace("_", " ")

    def meaning(self, table: str, column: str) -> str:
        """What a column of a table holds; empty where nothing says."""
        known = columns().get(("", column), {}).get(f"meaning_{self.language}", "")
        return self.specific(table, column) or known

    def specific(self, table: str, column: str) -> str:
        """What a column holds in this table and means otherwise elsewhere."""
        return columns().get((table, column), {}).get(f"meaning_{self.language}", "")

    def heads(self, columns: Iterable[str], table: str = "") -> list[str]:
        """The heads of a table's columns; their own names where two would read alike."""
        names = list(columns)
        heads = [self.head(name, table) for name in names]
        return [
            name if heads.count(head) > 1 else head for name, head in zip(names, heads, strict=True)
        ]
