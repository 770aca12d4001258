"""Text that knows how other languages word it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Said(str):
    """Text that knows how other languages word it; as a string it is English."""

    def worded(self, language: str, names: Mapping[str, str]) -> str:
        """The text in a language, with names of ids as a report prints them."""
        raise AttributeError  # every kind of text words itself


class Label(Said):
    """A name with its wording in every language, such as a construct's.

    Parameters
    ----------
    labels : mapping of str to str
        Wording by language; English, or else the first, is what the string holds.
    """

    labels: dict[str, str]

    def __new__(cls, labels: Mapping[str, str]) -> Label:
        text = super().__new__(cls, labels.get("en") or next(iter(labels.values())))
        text.labels = dict(labels)
        return text

    def __getnewargs__(self) -> tuple[dict[str, str]]:  # type: ignore[override]
        return (self.labels,)

    def worded(self, language: str, names: Mapping[str, str]) -> str:
        return self.labels.get(language, str(self))


def spaced(parts: Iterable[str]) -> str:
    """Parts of a Chinese text as one: a blank where Han characters meet letters or digits.

    Only where two parts meet: what stands within one, such as a name from the data, stays.
    """
    text = ""
    for part in parts:
        before, after = text.rstrip(" "), part.lstrip(" ")
        kinds = {_kind(before[-1:]), _kind(after[:1])}
        if kinds == {"han", "word"}:
            text = f"{before} {after}"
        elif kinds == {"han"} or (kinds & {"mark"} and not kinds & {"", "end"}):
            text = before + after
        else:
            text += part
    return text


def _kind(letter: str) -> str:
    if not letter:
        return "end"
    if "\u3400" <= letter <= "\u9fff":
        return "han"
    if letter in "，。；：、！？（）《》“”‘’…":
        return "mark"
    return "word" if letter.isalnum() or letter == "%" else ""


_SPOKEN = ["en"]


def speak(language: str) -> None:
    """Say from now on in which language this process refuses bad input."""
    _SPOKEN[0] = language


def spoken() -> str:
    """The language in which this process refuses bad input."""
    return _SPOKEN[0]
