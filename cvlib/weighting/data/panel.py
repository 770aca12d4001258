"""Entropy weights of a panel: by period, over all rows, and how each weight moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.summary_rows import without_summaries
from cvlib.weighting.data.importance import importance, shares
from cvlib.weighting.scale import normalise, raw_bounds, unit_scale
from cvlib.weighting.table import PANEL, PANEL_CUSTOMER, Indicators
from cvlib.words.message import Message, message

POOLED = "pooled"
STILL = 1e-9  # a change that is none but for rounding errors


def entropy_by_period(indicators: Indicators, period: pd.Series) -> pd.DataFrame:
    """Min–max entropy weights within each period and over all rows together.

    Parameters
    ----------
    indicators : Indicators
        One row per customer and period.
    period : pandas.Series
        Period of each of these rows; sorted, it is the order of the changes.

    Returns
    -------
    pandas.DataFrame
        indicator, period (``pooled`` for all rows), weight, change (from the period before; NaN
        for the first and the pooled). Within a period bounds and shares are its own, and the
        entropy is divided by ln of its rows; pooled, by ln of all rows.

    Raises
    ------
    InputError
        Rows without a period, or a period with one row.

    References
    ----------
    Shannon (1948); Hwang & Yoon (1981), ch. 3.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"a": [1, 4, 9, 2, 3, 8], "b": [5, 5, 6, 1, 7, 9]})
    >>> rows = cv.weighting.indicators(frame, cv.weighting.flat_tree(["a", "b"]))
    >>> year = pd.Series([2024, 2024, 2024, 2025, 2025, 2025])
    >>> found = cv.weighting.entropy_by_period(rows, year)
    >>> found["period"].unique().tolist()
    ['2024', '2025', 'pooled']
    """
    when = period.reindex(indicators.values.index) if len(period) else period
    if when.isna().any() or len(when) != len(indicators.values):
        raise InputError(
            "period", message("refusals.has_empty_cells"),
            message("refusals.give_every_row_its_period"),
        )  # fmt: skip
    x, items = indicators.values.to_numpy(), list(indicators.items)
    parts = []
    known = sorted(when.unique())
    before: np.ndarray | None = None
    for each in known:
        rows = x[(when == each).to_numpy()]
        if len(rows) < 2:
            raise InputError(
                f"period {each}",
                message("refusals.has_one_row_only"),
                message("refusals.two_or_more_are_needed"),
            )
        z = unit_scale(rows, indicators.plan, *raw_bounds(rows, indicators.plan))
        weight = shares(importance("entropy_minmax", z, z, indicators.is_cost))
        change = np.full(len(items), np.nan) if before is None else weight - before
        parts.append(_part(items, str(each), weight, change))
        before = weight
    z = normalise(indicators).values.to_numpy()
    weight = shares(importance("entropy_minmax", z, z, indicators.is_cost))
    parts.append(_part(items, POOLED, weight, np.full(len(items), np.nan)))
    return pd.concat(parts, ignore_index=True)


def panel_rows(
    customers: pd.DataFrame | Table, customer: str, period: str
) -> tuple[pd.DataFrame | Table, str]:
    """Rows of a panel named by customer and period; a table without periods passes through.

    Parameters
    ----------
    customers : pandas.DataFrame or Table
        One row per customer and period.
    customer, period : str
        Columns; an empty period: the table is no panel.

    Returns
    -------
    tuple
        The table, with a column that names every row, and the name of that column.

    Raises
    ------
    InputError
        A period column that is not there or has empty cells.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"id": ["a", "a"], "year": [2024, 2025]})
    >>> rows, name = cv.weighting.panel_rows(frame, "id", "year")
    >>> rows[name].tolist()
    ['a 2024', 'a 2025']
    """
    if not period:
        return customers, customer
    table = customers if isinstance(customers, Table) else Table(customers)
    rows = table.data
    for column, place in ((customer, "customer"), (period, "period")):
        if column not in rows:
            raise table.lacking(column, message("refusals.name_the_column_in", place=place))
    people = without_summaries(table, [c for c in rows if c not in (customer, period)])
    if people.data[period].isna().any():
        raise InputError(
            table.place(period), message("refusals.has_empty_cells"),
            message("refusals.give_every_row_its_period"),
        )  # fmt: skip
    named = rows[customer].astype(str) + " " + rows[period].map(_period)
    named[rows[period].isna()] = rows[customer]  # what sums the table up has no period
    rows = rows.assign(**{PANEL: named.to_numpy(), PANEL_CUSTOMER: rows[customer].astype(str)})
    if isinstance(customers, Table):
        return replace(table, data=rows), PANEL
    return rows, PANEL


def _period(value: object) -> str:
    """A period as written: the year 2024 that a table with gaps holds as 2024.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def panel_verdict(weights: pd.DataFrame) -> Message | None:
    """Say which weight moved most from one period to the next.

    Parameters
    ----------
    weights : pandas.DataFrame
        From `entropy_by_period`.

    Returns
    -------
    Message or None
        None where no period follows another.
    """
    moved = weights.dropna(subset=["change"])
    if moved.empty:
        return None
    row = moved.loc[moved["change"].abs().idxmax()]
    if abs(row["change"]) < STILL:
        return message("weighting.panel_still", periods=moved["period"].nunique() + 1)
    return message(
        "weighting.panel_moved", indicator=row["indicator"], period=row["period"],
        change=100 * float(row["change"]), weight=float(row["weight"]),
    )  # fmt: skip


def _part(items: list[str], period: str, weight: np.ndarray, change: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"indicator": items, "period": period, "weight": weight, "change": change})
