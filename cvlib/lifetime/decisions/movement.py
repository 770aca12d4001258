"""Movement: from which of the four cells of current and potential margin customers came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.statistics.proportions import wilson
from cvlib.words.message import Message, message

CELLS = ("high_high", "high_low", "low_high", "low_low")
NEW = "new"  # no customer yet at the earlier cut


def cells(current: pd.Series, potential: pd.Series) -> pd.Series:
    """The cell of every customer: current and potential, high above the median, ties low.

    Parameters
    ----------
    current, potential : Series
        Margin by customer, in the same order.
    """
    sides = [np.where(v > v.median(), "high", "low") for v in (current, potential)]
    return pd.Series([f"{a}_{b}" for a, b in zip(*sides, strict=True)], index=current.index)


def movement(before: pd.Series, now: pd.Series) -> pd.DataFrame:
    """How many customers went from each cell to each.

    Parameters
    ----------
    before, now : Series of str
        Cells by customer at two cuts, by the medians of each; who has none before is new.

    Returns
    -------
    DataFrame
        from_cell, to_cell, customers, share (of the cell they came from).
    """
    came = before.reindex(now.index).fillna(NEW)
    rows = []
    for start in (*CELLS, NEW):
        here = now[came == start]
        for end in CELLS if len(here) else ():
            count = int((here == end).sum())
            rows.append((start, end, count, count / len(here)))
    return pd.DataFrame(rows, columns=["from_cell", "to_cell", "customers", "share"])


def movement_sentence(moved: pd.DataFrame, days: int, level: float) -> Message | None:
    """What became of the best cell: most stayed, most left, or the interval holds a half.

    Parameters
    ----------
    moved : DataFrame
        Of `movement`.
    days : int
        Between the two cuts.
    level : float
        Of Wilson's interval.
    """
    best = moved[moved["from_cell"] == CELLS[0]].set_index("to_cell")["customers"]
    people = int(best.sum())
    if not people:
        return None
    stayed = int(best[CELLS[0]])
    low, high = (float(limit) for limit in wilson(stayed, people, level))
    kind = "stay" if low > 0.5 else "leave" if high < 0.5 else "open"
    return message(f"decisions.movement_{kind}", people=people, stayed=stayed / people, days=days,
                   low=low, high=high, level=level)  # fmt: skip
