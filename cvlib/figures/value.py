"""Charts of lifetime value judged: forecast and outcome by tenths, equity by every model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from cvlib.figures.highlights import equity_finding, tenths_finding
from cvlib.figures.matrix import matrix_chart
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


def value_tenths_plot(table: pd.DataFrame, language: str = "en") -> Figure | None:
    """Spend forecast and realised, and churn, by tenths of lifetime value.

    Parameters
    ----------
    table : DataFrame
        tenth, realised_spend, ci_low, ci_high, churn, churn_low, churn_high and, where spend is
        modelled, forecast_spend, as `validate_value` gives them.
    language : str
        Of the words on the axes.

    Returns
    -------
    Figure or None
        None where there are fewer than two tenths.
    """
    if len(table) < 2:
        return None
    text = words("lifetime", language)
    tenth = table["tenth"].to_numpy(float)
    with house_style():
        figure, (left, right) = new_figure(8.0, 3.4, 1, 2)
        realised = table["realised_spend"].to_numpy(float)
        left.errorbar(
            tenth, realised, yerr=_reach(realised, table["ci_low"], table["ci_high"]),
            fmt="o", color=INK, label=text["actual"],
        )  # fmt: skip
        if "forecast_spend" in table:
            forecast = table["forecast_spend"].to_numpy(float)
            left.plot(tenth, forecast, "D--", color=PALETTE[1], lw=1.4, label=text["expected"])
        left.set(xlabel=text["value_tenth"], ylabel=text["spend_each"], ylim=(0, None))
        left.legend(loc="upper right")
        churn = table["churn"].to_numpy(float)
        right.errorbar(
            tenth, churn, yerr=_reach(churn, table["churn_low"], table["churn_high"]),
            fmt="o-", color=PALETTE[0],
        )  # fmt: skip
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        right.set(xlabel=text["value_tenth"], ylabel=text["inactive_share"], ylim=(0, 1))
        for axis in (left, right):
            axis.set_xticks(tenth)
        both_grids(left, right)
        figure.finding = tenths_finding(table)
        return figure


def equity_plot(table: pd.DataFrame, language: str = "en", label: Label = plain) -> Figure | None:
    """Customer equity by every model and average, with its interval.

    Parameters
    ----------
    table : DataFrame
        model, equity, ci_low, ci_high, as `equity_by_model` gives them.
    language, label
        Of the words on the axis, and what models are called.

    Returns
    -------
    Figure or None
        None where there is no equity.
    """
    if not len(table):
        return None
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(6.4, 0.9 + 0.42 * len(table))
        place = np.arange(len(table))[::-1]
        equity = table["equity"].to_numpy(float)
        known = np.isfinite(table["ci_low"].to_numpy(float))
        reach = _reach(equity, table["ci_low"], table["ci_high"])
        axis.errorbar(
            equity[known], place[known], xerr=reach[:, known], fmt="o", color=PALETTE[0],
        )  # fmt: skip
        axis.plot(equity[~known], place[~known], "o", color=PALETTE[0])
        axis.axvline(equity[0], color=FAINT, lw=1)
        axis.set_yticks(place, [label(model) for model in table["model"]])
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.xaxis.set_major_locator(MaxNLocator(6))  # long numbers would touch
        axis.set(xlabel=text["customer_equity"], xlim=(0, None))
        axis.set_ylim(-0.6, len(table) - 0.4)
        axis.grid(axis="x")
        figure.finding = equity_finding(table)
        return figure


def definitions_plot(
    table: pd.DataFrame, language: str = "en", label: Label = plain
) -> PageFigure | None:
    """Area under the ROC curve of every forecast under every definition of churn, as a grid.

    Parameters
    ----------
    table : DataFrame
        definition, model, auc, as `churn_definitions` gives them.
    language, label
        Of the words on the axes, and what models and definitions are called.

    Returns
    -------
    PageFigure or None
        None without a definition.
    """
    if not len(table):
        return None
    text = words("lifetime", language)
    grid = table.pivot(index="model", columns="definition", values="auc")
    grid = grid.loc[list(dict.fromkeys(table["model"])), list(dict.fromkeys(table["definition"]))]
    written = grid.map(lambda area: "" if area != area else f"{100 * area:.0f}")
    return matrix_chart(
        grid - 0.5, written, colours="RdBu", reach=(-0.5, 0.5), title=text["area_hundredths"],
        axes_named=(text["definition"], ""),
        names=([label(name) for name in grid.columns], [label(name) for name in grid.index]),
    )  # fmt: skip


def qini_plot(curve: pd.DataFrame, language: str = "en", label: Label = plain) -> Figure | None:
    """Customers held beyond the controls by share contacted, for each score and by chance.

    Parameters
    ----------
    curve : DataFrame
        model, share, gained, chance, as `campaign_experiment` gives them.
    language, label
        Of the words on the axes, and what scores are called.

    Returns
    -------
    Figure or None
        None without a curve.
    """
    if not len(curve):
        return None
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(6.4, 3.6)
        for number, (name, rows) in enumerate(curve.groupby("model", sort=False)):
            color, dash = PALETTE[number % len(PALETTE)], LINES[number % len(LINES)]
            axis.plot(
                rows["share"], rows["gained"], color=color, ls=dash, lw=1.6, label=label(str(name))
            )
        axis.plot(rows["share"], rows["chance"], color=FAINT, lw=1.2, label=text["chance"])
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set(xlabel=text["contacted"], ylabel=text["gained"])
        axis.legend(loc="lower right")
        both_grids(axis)
        return figure


def _reach(middle: np.ndarray, low: pd.Series, high: pd.Series) -> np.ndarray:
    """(2, n) lengths of the bars below and above."""
    ends = np.array([middle - low.to_numpy(float), high.to_numpy(float) - middle])
    return np.maximum(np.nan_to_num(ends), 0)
