"""Keeps small groups of people out of published tables."""

from __future__ import annotations

import numpy as np
import pandas as pd


def publishable(
    table: pd.DataFrame, counts: str, smallest_cell: int, within: str = ""
) -> tuple[pd.DataFrame, int]:
    """A table without the numbers of groups smaller than a threshold.

    A row that counts at least one person and fewer than ``smallest_cell`` keeps its names and
    loses every number but the one in the first column, which names the row. When that leaves one
    row blank, its number could be had from the total: the next smallest row is blanked with it
    (complementary suppression).

    Parameters
    ----------
    table : DataFrame
        One row per group.
    counts : str
        Column with the number of people in each row.
    smallest_cell : int
        Fewest people a published row may describe; 0 or 1 publishes everything.
    within : str
        Column whose every value has a total of its own; empty = the table has one.

    Returns
    -------
    tuple of DataFrame and int
        The table, and how many rows were blanked.

    References
    ----------
    Hundepool, A. et al. (2012). Statistical Disclosure Control. Wiley, ch. 4 (minimum frequency
    rule, secondary suppression).
    """
    people = table[counts].to_numpy(dtype=float)
    small = (people > 0) & (people < smallest_cell)
    parts = table[within].astype(str).to_numpy() if within else np.zeros(len(table))
    for part in np.unique(parts[small]):
        here = parts == part
        others = np.where(here & ~small & (people > 0), people, np.inf)
        if small[here].sum() == 1 and np.isfinite(others).any():
            small[int(np.argmin(others))] = True
    if not small.any():
        return table, 0
    blank = table.copy()
    for position in range(table.columns[0] != counts, table.shape[1]):
        column = table.iloc[:, position]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            blank.isetitem(position, column.astype(float).mask(small))
    return blank, int(small.sum())
