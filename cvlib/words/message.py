"""Sentences by id and values: written in code as facts, worded once per language from a catalogue.

A catalogue is ``messages/<room>.yaml``: per id a wording in every language with slots for values.
Beside the format of Python (``{n:,}``, ``{share:.1%}``) a slot may say

- ``{model!n}``: print the name of an id (``bg_nbd``) as the language calls it;
- ``{n:plural customer|customers}``: one word or the other, by the number;
- ``{names:or}``: a list is joined by "or" instead of "and";
- ``{p:p}``: a p value as journals print it, ``.002`` or ``<.001``;
- ``{bias:off}``: an error of a forecast in words, ``12.1% too low``;
- ``{gap:abs.1%}``: a number without its sign;
- ``{equity:money,.0f}``: an amount, in the currency of the reader.
"""

from __future__ import annotations

import datetime as dt
import math
import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Any

from cvlib.inputs.shipped import shipped_yaml
from cvlib.words.language import Words
from cvlib.words.money import in_money
from cvlib.words.said import Label, Said, spaced

__all__ = [
    "Label", "Message", "Said", "in_language", "joined", "message", "restored", "stored",
    "wordings",
]  # fmt: skip

ROOMS = (
    "common", "inputs", "satisfaction", "further", "service", "weighting", "lifetime", "decisions",
    "customer", "study", "figures", "refusals",
)  # fmt: skip
_JOINED = "common.joined"
_LISTS = {
    "en": (", ", {"and": " and ", "or": " or "}),
    "zh": ("、", {"and": "和", "or": "或"}),
}


@cache
def wordings() -> dict[str, dict[str, str]]:
    """Every message's wording by id and language.

    Raises
    ------
    ValueError
        When an id does not begin with the name of its room's file.
    """
    return {name: entry for room in ROOMS for name, entry in _room(room).items()}


@cache
def _room(room: str) -> dict[str, dict[str, str]]:
    """The wordings of one room, read when the first of them is needed."""
    if room not in ROOMS:
        return {}
    file = resources.files("cvlib.words") / "messages" / f"{room}.yaml"
    found: dict[str, dict[str, str]] = shipped_yaml(file.read_text("utf-8")) or {}
    for name in found:
        if not name.startswith(f"{room}."):
            raise ValueError(f"messages/{room}.yaml: {name} should begin with {room}.")
    return found


class Message(Said):
    """A sentence: its id and its values. As a string it is English."""

    id: str
    values: dict[str, Any]

    def __new__(cls, id: str, values: Mapping[str, Any]) -> Message:
        kept = {name: _plain(value) for name, value in values.items()}
        text = super().__new__(cls, _worded(id, kept, "en", {}))
        text.id, text.values = id, kept
        return text

    def __getnewargs__(self) -> tuple[str, dict[str, Any]]:  # type: ignore[override]
        return (self.id, self.values)

    def worded(self, language: str, names: Mapping[str, str]) -> str:
        return _worded(self.id, self.values, language, names)


def _plain(value: Any) -> Any:
    """What can be kept, sent to another process and told again: errors and paths by their text."""
    if isinstance(value, BaseException | PurePath):
        return str(value)
    return value.tolist() if isinstance(value, Iterable) and hasattr(value, "tolist") else value


def message(id: str, /, **values: Any) -> Message:
    """A sentence of the suite.

    Parameters
    ----------
    id : str
        Id of the wording in ``words/messages``, beginning with its room's name.
    **values
        What fills the slots: numbers, dates, texts, messages, or lists of these. Numbers are
        formatted by the wording, not here.

    Raises
    ------
    KeyError
        When no catalogue has the id, or a slot has no value.
    """
    return Message(id, values)


def joined(messages: Iterable[str]) -> Message:
    """Several sentences as one text, divided as the language divides sentences."""
    return Message(_JOINED, {"parts": [text for text in messages if text]})


def of_input(said: str) -> bool:
    """Whether a text is about what came in (a catalogue's ``inputs.``), not about an estimate."""
    return isinstance(said, Message) and said.id.startswith("inputs.")


def without(said: str, ids: Iterable[str]) -> str:
    """A text of several sentences without those of `ids`; as it is where nothing would be left."""
    parts = said.values.get("parts", []) if isinstance(said, Message) else []
    kept = [part for part in parts if getattr(part, "id", "") not in ids]
    return joined(kept) if kept else said


def in_language(text: str, language: str, names: Mapping[str, str] | None = None) -> str:
    """A message or a label in a language; other text as it is."""
    return text.worded(language, names or {}) if isinstance(text, Said) else str(text)


def stored(text: Any) -> Any:
    """A text as JSON keeps it, so that `restored` can word it in any language later."""
    if isinstance(text, Message):
        return {"id": text.id, "values": {name: stored(v) for name, v in text.values.items()}}
    if isinstance(text, Label):
        return {"labels": text.labels}
    if isinstance(text, list | tuple):
        return [stored(part) for part in text]
    if isinstance(text, dt.date):
        return {"date": text.isoformat()[:10]}
    return text.item() if hasattr(text, "item") else text


def restored(kept: Any) -> Any:
    """The text that `stored` kept."""
    if isinstance(kept, list):
        return [restored(part) for part in kept]
    if not isinstance(kept, dict):
        return kept
    if "labels" in kept:
        return Label(kept["labels"])
    if "date" in kept:
        return dt.date.fromisoformat(kept["date"])
    return Message(kept["id"], {name: restored(value) for name, value in kept["values"].items()})


def _worded(id: str, values: Mapping[str, Any], language: str, names: Mapping[str, str]) -> str:
    if id == _JOINED:
        words = Words(language, dict(names))
        parts = [words.text(part) for part in values["parts"]]
        return ("" if language == "zh" else " ").join(parts)
    entry = _room(id.partition(".")[0])[id]
    return _Formatter(language, names).vformat(entry.get(language, entry["en"]), (), values)


class _Formatter(string.Formatter):
    """Fills a wording's slots as its language writes values."""

    def __init__(self, language: str, names: Mapping[str, str]) -> None:
        self.language, self.names = language, names

    def vformat(self, form: str, args: Sequence[Any], values: Mapping[str, Any]) -> str:
        if self.language != "zh":
            return super().vformat(form, args, values)
        parts: list[str] = []
        for text, name, spec, conversion in self.parse(form):
            parts.append(text)
            if name is not None:
                slot = (
                    name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
                )
                parts.append(super().vformat(f"{{{slot}}}", args, values))
        return spaced(parts)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion != "n":
            return super().convert_field(value, conversion)
        words = Words(self.language, dict(self.names))
        several = isinstance(value, Sequence) and not isinstance(value, str)
        return (
            [words.cell(str(v)) for v in value]
            if several
            else words.cell(value if isinstance(value, Said) else str(value))
        )

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "p":
            return _p_value(value)
        if format_spec == "off":
            return self._off(float(value))
        if format_spec.startswith("money"):
            return in_money(self.format_field(value, format_spec.removeprefix("money")))
        if format_spec.startswith("abs"):
            return self.format_field(abs(float(value)), format_spec.removeprefix("abs"))
        if format_spec.startswith("plural "):
            one, many = format_spec.removeprefix("plural ").split("|")
            return one if value == 1 else many
        if isinstance(value, list | tuple):
            comma, last = _LISTS.get(self.language, _LISTS["en"])
            parts = [self.format_field(part, "") for part in value]
            between = last[format_spec or "and"]
            if self.language == "zh" and len(parts) > 1:
                return spaced([comma.join(parts[:-1]), between, parts[-1]])
            return comma.join([*parts[:-2], between.join(parts[-2:])])
        if isinstance(value, Said):
            return format(value.worded(self.language, self.names), format_spec)
        if isinstance(value, dt.datetime) and value.time() == dt.time():
            value = value.date()
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "–"
        return format(value, format_spec)

    def _off(self, error: float) -> str:
        if math.isnan(error):
            return "–"
        kind = "met" if round(error, 3) == 0 else "low" if error < 0 else "high"
        return _worded(f"common.off_{kind}", {"share": abs(error)}, self.language, self.names)


def _p_value(value: float | None) -> str:
    if value is None or math.isnan(known := float(value)):
        return "–"
    return "<.001" if known < 0.0005 else f"{known:.3f}".removeprefix("0")
