"""The one error a user can mend: what is wrong, where, and what to do about it."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, told in one paragraph.

    Parameters
    ----------
    where : str
        The file, column, row, cell or parameter at fault.
    wrong : str
        What is wrong with it.
    remedy : str
        What the user can do.
    """

    def __init__(self, where: str, wrong: str, remedy: str) -> None:
        self.where, self.wrong, self.remedy = where, wrong, remedy
        super().__init__(f"{where}: {wrong.rstrip('.')}. {remedy}".strip())

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        return (type(self), (self.where, self.wrong, self.remedy))


def nearest(name: str, known: list[str]) -> str:
    """Say which known names are closest to a mistyped one, for a remedy sentence."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return f"Known: {', '.join(known[:20])}{more}."


def shorten(value: object) -> str:
    """Quote what a cell holds, not more of it than an error message can carry."""
    shown = repr(str(value))
    return shown if len(shown) <= 60 else f"{shown[:56]}...'"
