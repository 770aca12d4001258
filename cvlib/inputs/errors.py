"""The one error a user can mend: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cvlib.words.said import Said, spoken

_ENDS = {"en": (": ", ". "), "zh": ("：", "。")}


class InputError(ValueError):
    """Bad input, told in one paragraph, in the language of the run as far as its words have one.

    Parameters
    ----------
    where : str
        The file, column, row, cell or parameter at fault.
    wrong : str
        What is wrong with it; a message is told in the language of the run.
    remedy : str
        What the user can do; a message likewise.

    Attributes
    ----------
    rows : sequence
        Labels of all rows at fault, where a column was refused for what its cells hold.
    """

    language: str = ""
    rows: Sequence[Any] = ()

    def __init__(self, where: str, wrong: str, remedy: str) -> None:
        self.where, self.wrong, self.remedy = where, wrong, remedy
        super().__init__(where, wrong, remedy)

    def __str__(self) -> str:
        return self.told(self.language or spoken())

    def told(self, language: str = "en") -> str:
        """The paragraph in a language; what has no words in it is English."""
        where, wrong, remedy = (
            part.worded(language, {}) if isinstance(part, Said) else part
            for part in (self.where, self.wrong, self.remedy)
        )
        chinese = language == "zh" and isinstance(self.wrong, Said)
        colon, stop = _ENDS["zh" if chinese else "en"]
        return f"{where}{colon}{wrong.rstrip('.。')}{stop}{remedy}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.where, self.wrong, self.remedy), {"language": self.language})


@contextmanager
def refusing_in(language: str) -> Iterator[None]:
    """Within it an `InputError` that is raised is told in a language, wherever it is caught."""
    try:
        yield
    except InputError as error:
        error.language = error.language or language
        raise


def reason_of(error: BaseException) -> str:
    """Why something failed, as a sentence carries it: a message where the error has its parts."""
    if not isinstance(error, InputError):
        return str(error)
    return Refusal(error)


class Refusal(Said):
    """An `InputError` as a text that knows its languages."""

    error: InputError

    def __new__(cls, error: InputError) -> Refusal:
        text = super().__new__(cls, error.told("en"))
        text.error = error
        return text

    def __getnewargs__(self) -> tuple[InputError]:  # type: ignore[override]
        return (self.error,)

    def worded(self, language: str, names: Any) -> str:
        return self.error.told(language)


def nearest(name: str, known: list[str]) -> str:
    """Say which known names are closest to a mistyped one, for a remedy sentence."""
    import difflib

    from cvlib.words.message import message

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return message("refusals.did_you_mean", close=close[0])
    shown = ", ".join(known[:20])
    if len(known) > 20:
        return message("refusals.known_more", known=shown, more=len(known) - 20)
    return message("refusals.known", known=shown)


def shorten(value: object) -> str:
    """Quote what a cell holds, not more of it than an error message can carry."""
    shown = repr(str(value))
    return shown if len(shown) <= 60 else f"{shown[:56]}...'"
