"""Text that knows how other languages word it."""

from __future__ import annotations

from collections.abc import Mapping


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


_SPOKEN = ["en"]


def speak(language: str) -> None:
    """Say from now on in which language this process refuses bad input."""
    _SPOKEN[0] = language


def spoken() -> str:
    """The language in which this process refuses bad input."""
    return _SPOKEN[0]
