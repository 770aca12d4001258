"""What a run answers, for its first screen: verdict, key figures, what to do, what to doubt."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cvlib.words.money import in_money


@dataclass(frozen=True)
class Tile:
    """One key figure.

    Attributes
    ----------
    label : str
        What the figure is, in two or three words (a message).
    value : str
        The figure as printed (a message).
    interval : str
        Its interval as printed; empty where there is none.
    """

    label: str
    value: str
    interval: str = ""


@dataclass(frozen=True)
class Answer:
    """The first screen of a report, all of it from the run's own numbers.

    Attributes
    ----------
    question : str
        The question in a line.
    verdict : tuple of str
        One or two sentences that a manager can repeat, with their uncertainty.
    tiles : tuple of Tile
        Three to five key figures.
    hero : str
        Name of the figure that shows the finding.
    advice : tuple of str
        What to do: only what the results support, at most three lines.
    doubts : tuple of str
        What could overturn it: the one or two limits that matter, at most three lines.
    """

    question: str = ""
    verdict: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    hero: str = ""
    advice: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def doubting(self, doubts: Iterable[str]) -> Answer:
        """The same answer with further doubts behind its own."""
        return replace(self, doubts=(*self.doubts, *doubts))


def number(value: float, decimals: int = 1, unit: str = "") -> str:
    """A figure as a tile prints it: thousands separated, a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    return f"{text}{unit}" if unit == "%" else f"{text} {unit}".strip()


def amount(value: float, decimals: int = 0) -> str:
    """An amount of money as a tile prints it, in the currency of the reader."""
    return in_money(number(value, decimals))


def interval(low: float, high: float, decimals: int = 1, form: Callable[..., str] = number) -> str:
    """An interval as a tile prints it; empty where a limit is missing."""
    if any(limit is None or math.isnan(limit) for limit in (low, high)):
        return ""
    return f"{form(low, decimals)} – {form(high, decimals)}"
