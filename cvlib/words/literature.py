"""The works a report cites: one bibliography, printed in APA form and written as BibTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from cvlib.inputs.errors import nearest

FOLDER = Path(__file__).with_name("references")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@cache
def bibliography() -> dict[str, Any]:
    """Every entry by its key.

    Raises
    ------
    ValueError
        When two files hold the same key.
    """
    from pybtex.database import parse_file

    found: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.bib")):
        for key, entry in parse_file(str(path), encoding="utf-8").entries.items():
            if key in found:
                raise ValueError(f"{path.name}: {key} stands in two files")
            found[key] = entry
    return found


def bibtex(keys: Iterable[str]) -> str:
    """The works as a BibTeX file."""
    from pybtex.database import BibliographyData

    entries = {key: _entry(key) for key in sorted(set(keys))}
    return str(BibliographyData(entries).to_string("bibtex"))


def reference_list(keys: Iterable[str]) -> list[str]:
    """The works in APA form, in order of authors and year."""
    return sorted((apa(key) for key in set(keys)), key=_plain)


def _entry(key: str) -> Any:
    known = bibliography()
    if key not in known:
        raise KeyError(f"no reference {key!r}. {nearest(key, list(known))}")
    return known[key]


def _plain(text: str) -> str:
    """Text for sorting: letters without accents, so that Á stands with A."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def _name(person: Any) -> str:
    last = " ".join([*person.prelast_names, *person.last_names])
    if not (person.first_names or person.middle_names):
        return last  # an organisation, or "others"
    if _HAN.search(last):
        return last + "".join(person.first_names)
    first = [*person.first_names, *person.middle_names]
    initials = " ".join("-".join(f"{p[0]}." for p in name.split("-") if p) for name in first)
    junior = f", {' '.join(person.lineage_names)}" if person.lineage_names else ""
    return f"{last}, {initials}{junior}"


def _people(persons: list[Any]) -> str:
    names = [_name(person) for person in persons]
    if names and names[-1] == "others":
        return ", ".join(names[:-1]) + ", et al."
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + ", & " + names[-1]


def apa(key: str) -> str:
    """One work in APA form (7th edition), as plain text.

    Raises
    ------
    KeyError
        When the bibliography has no such key; the nearest is named.
    """
    entry = _entry(key)
    fields = {
        name: re.sub(r"[{}]|\\(?=&)", "", str(value)).replace("--", "–")
        for name, value in entry.fields.items()
    }
    people = _people(entry.persons.get("author") or entry.persons.get("editor", []))
    where = fields.get("journal") or fields.get("booktitle", "")
    if "booktitle" in fields:
        where = f"In {where}"
    if "volume" in fields:
        where += f", {fields['volume']}"
    if "number" in fields:
        where += f"({fields['number']})"
    if "pages" in fields:
        where += (
            f", {fields['pages']}" if "booktitle" not in fields else f" (pp. {fields['pages']})"
        )
    maker = fields.get("publisher") or fields.get("institution") or fields.get("school", "")
    note = f"[{fields['note']}]" if "note" in fields else ""
    parts = [f"{people} ({fields['year']})", fields["title"], where, maker, note]
    text = " ".join(part if part[-1] in ".?!" else f"{part}." for part in parts if part)
    return f"{text} https://doi.org/{fields['doi']}" if "doi" in fields else text
