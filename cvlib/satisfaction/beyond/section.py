"""One further section of a report: its tables, what they say, its charts, or why it is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure to be drawn: the function of `cvlib.figures` and what it is called with."""

    function: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Section:
    """What one section found.

    Attributes
    ----------
    name : str
        By which it is asked for.
    tables : mapping of str to DataFrame
        By the name they are recorded under.
    sentences : tuple of str
        Made from the numbers.
    charts : mapping of str to Chart
        By the name they are recorded under.
    reason : str
        Why there is nothing; empty where there is something.
    """

    name: str
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    charts: Mapping[str, Chart] = field(default_factory=dict)
    reason: str = ""
