"""Cohorts of customers over time: what share of each is there after one, two, three periods."""

from __future__ import annotations

import pandas as pd

from cvlib.figures.findings import retention_finding
from cvlib.figures.matrix import matrix_chart
from cvlib.figures.style import Label, PageFigure, plain, words


def retention_map(
    table: pd.DataFrame, language: str = "en", label: Label = plain, unit: str = ""
) -> PageFigure | None:
    """Cohorts down, periods since their start across, the share that is there as colour.

    Parameters
    ----------
    table : DataFrame
        cohort, period (0, 1, …), share, or customers (left); a missing share was not published.
    language, label
        Of the words on the axes, and what cohorts are called.
    unit : str
        Of a period (week, month, quarter, year); empty: periods.

    Returns
    -------
    PageFigure or None
        None without cohorts that are followed beyond their first period.
    """
    if len(table) and "share" not in table:
        first = table.groupby("cohort")["customers"].transform("first")
        table = table.assign(share=table["customers"] / first)
    later = table[table["period"] > 0] if len(table) else table
    if not len(later):
        return None
    text = words("cohorts", language)
    grid = later.pivot(index="cohort", columns="period", values="share")
    grid = grid.loc[list(dict.fromkeys(later["cohort"]))]
    met = later.assign(met=1.0).pivot(index="cohort", columns="period", values="met")
    blank = met.reindex_like(grid).notna() & grid.isna()
    written = grid.map(lambda share: "" if share != share else f"{100 * share:.0f}")
    written = written.mask(blank, "–")
    top = float(grid.max(axis=None)) if grid.notna().any(axis=None) else 1.0
    figure = matrix_chart(
        grid, written, reach=(0.0, max(top, 1e-9)), title=text["title"],
        axes_named=(text["since"].format(unit=text.get(unit, text["periods"])), text["cohort"]),
        note=text["blank"] if blank.any(axis=None) else "",
        names=([str(period) for period in grid.columns], [label(str(n)) for n in grid.index]),
    )  # fmt: skip
    figure.finding = retention_finding(grid, label)
    return figure
