"""Charts of a customer study: value by parts, retention by satisfaction, levels, drivers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cvlib.figures.highlights import (
    driver_finding,
    parts_finding,
    suspects_finding,
    thirds_finding,
)
from cvlib.figures.style import (
    FAINT,
    INK,
    LINES,
    PALETTE,
    Label,
    PageFigure,
    both_grids,
    house_style,
    new_figure,
    plain,
    words,
)


def value_chart(table: pd.DataFrame, language: str = "en", label: Label = plain) -> Figure | None:
    """The value of a point by part, with intervals.

    Parameters
    ----------
    table : DataFrame
        part, per_customer, lower, upper.
    language, label
        Of the words, and what parts are called.

    Returns
    -------
    Figure or None
        None without rows.
    """
    if not len(table):
        return None
    figure = _bars(table, "part", "per_customer", words("customer", language)["money"], label)
    figure.finding = parts_finding(table, label)
    return figure


def driver_chart(table: pd.DataFrame, language: str = "en", label: Label = plain) -> Figure | None:
    """What a point of each driver is worth, with intervals.

    Parameters
    ----------
    table : DataFrame
        driver, money_per_point, lower, upper.
    language, label
        Of the words, and what drivers are called.

    Returns
    -------
    Figure or None
        None without rows.
    """
    if not len(table):
        return None
    said = words("customer", language)["driver"]
    figure = _bars(table, "driver", "money_per_point", said, label)
    figure.finding = driver_finding(table, label)
    return figure


def _bars(table: pd.DataFrame, name: str, value: str, axis_title: str, label: Label) -> PageFigure:
    with house_style():
        figure, axis = new_figure(6.8, 1.3 + 0.42 * len(table))
        place = np.arange(len(table))[::-1]
        sizes = table[value].to_numpy(float)
        colours = [PALETTE[1] if "total" in str(n) else PALETTE[0] for n in table[name]]
        axis.barh(place, sizes, color=colours, height=0.62)
        known = table["lower"].notna().to_numpy()
        low, high = (table[c].to_numpy(float)[known] for c in ("lower", "upper"))
        axis.errorbar(
            sizes[known], place[known], xerr=[sizes[known] - low, high - sizes[known]], fmt="none",
            ecolor=INK, elinewidth=1.1, capsize=3,
        )  # fmt: skip
        axis.axvline(0, color=INK, lw=0.9)
        axis.set_yticks(place, [label(str(n)) for n in table[name]])
        axis.set_xlabel(axis_title)
        axis.grid(axis="y", visible=False)
        return figure


def retention_chart(
    curves: pd.DataFrame, language: str = "en", label: Label = plain
) -> Figure | None:
    """Share still there by thirds of satisfaction: observed as steps, the model as lines.

    Parameters
    ----------
    curves : DataFrame
        period, satisfaction, observed, predicted.
    language, label
        Of the words, and what thirds are called.

    Returns
    -------
    Figure or None
        None without rows.
    """
    if not len(curves):
        return None
    text = words("customer", language)
    with house_style():
        figure, axis = new_figure(6.8, 3.9)
        for number, (third, rows) in enumerate(curves.groupby("satisfaction", sort=False)):
            colour = PALETTE[number]
            axis.plot(rows["period"], rows["observed"], color=colour, lw=1.8, ds="steps-post",
                      label=f"{label(str(third))}, {text['observed']}")  # fmt: skip
            axis.plot(rows["period"], rows["predicted"], color=colour, ls=LINES[1], lw=1.3,
                      label=f"{label(str(third))}, {text['predicted']}")  # fmt: skip
        axis.set(xlabel=text["months"], ylabel=text["kept"])
        axis.set_ylim(max(0.0, float(curves[["observed", "predicted"]].min().min()) - 0.05), 1.01)
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.legend(title=text["thirds"], fontsize=8, ncols=3, loc="upper center",
                    bbox_to_anchor=(0.5, -0.16))  # fmt: skip
        both_grids(axis)
        figure.finding = thirds_finding(curves, label)
        return figure


def odds_chart(
    table: pd.DataFrame, overall: float, language: str = "en", label: Label = plain
) -> Figure | None:
    """Share that left at every level of what was asked, suspects marked.

    Parameters
    ----------
    table : DataFrame
        variable, level, share, people, suspect.
    overall : float
        Share of all who left.
    language, label
        Of the words, and what variables are called.

    Returns
    -------
    Figure or None
        None without rows.
    """
    if not len(table):
        return None
    text = words("customer", language)
    with house_style():
        names = list(dict.fromkeys(table["variable"].sort_values()))
        figure, axis = new_figure(6.8, 1.4 + 0.34 * len(names))
        for number, name in enumerate(names):
            rows = table[table["variable"] == name]
            for wrong, colour in ((False, PALETTE[0]), (True, PALETTE[1])):
                part = rows[rows["suspect"] == wrong]
                axis.scatter(part["share"], np.full(len(part), number), s=34, color=colour,
                             edgecolor="white", zorder=3)  # fmt: skip
        axis.axvline(overall, color=FAINT, lw=1.4)
        for wrong, colour in ((False, PALETTE[0]), (True, PALETTE[1])):
            axis.scatter([], [], s=34, color=colour, label=text["suspect" if wrong else "fair"])
        axis.set_yticks(range(len(names)), [label(n) for n in names])
        axis.invert_yaxis()
        axis.set(xlabel=text["left"], xlim=(-0.03, 1.03))
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))
        figure.finding = suspects_finding(table)
        return figure
