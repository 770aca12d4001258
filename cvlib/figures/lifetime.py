"""Charts of lifetime models: tracking, calibration, targeting, spread of value."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter, StrMethodFormatter

from cvlib.figures.findings import (
    calibration_finding,
    closest_finding,
    concentration_finding,
    profit_finding,
    score_finding,
    tracking_finding,
)
from cvlib.figures.style import (
    FAINT,
    INK,
    LINES,
    PALETTE,
    Label,
    both_grids,
    house_style,
    new_figure,
    plain,
    words,
)
from cvlib.figures.survival import survival_plot

__all__ = [
    "calibration_plot", "conditional_expectation_plot", "profit_plot", "score_plot",
    "survival_plot", "tracking_plot", "value_plot",
]  # fmt: skip

_MARKERS = "osD^vPX*"


def _drawn(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """The models asked for that the table has, or all of them."""
    present = list(table["model"].unique())
    return [model for model in models if model in present] or present


def _span(group: object) -> str:
    """A group's name; an interval such as (14.1, 30.2] reads 14.1–30.2."""
    return re.sub(r"^[\[(]([^,]+), ([^\])]+)[\])]$", r"\1–\2", str(group))


def tracking_plot(tracking: pd.DataFrame, unit: str = "week", language: str = "en") -> Figure:
    """Repeat purchases per period and cumulated, actual against expected, holdout shaded.

    Parameters
    ----------
    tracking : DataFrame
        period, sample, actual, expected, cumulative_actual, cumulative_expected.
    unit : str
        Name of a period.
    language : str
        Of the words on the axes.
    """
    text = words("lifetime", language)
    unit = text.get(unit, unit)
    with house_style():
        figure, axes = new_figure(8.0, 3.4, 1, 2)
        holdout = tracking.loc[tracking["sample"] == "holdout", "period"]
        for axis, start, title in (
            (axes[0], "", text["per_period"].format(unit=unit)),
            (axes[1], "cumulative_", text["cumulated"]),
        ):
            period = tracking["period"]
            axis.plot(period, tracking[f"{start}actual"], color=INK, lw=1.4, label=text["actual"])
            axis.plot(
                period, tracking[f"{start}expected"], "--", color=PALETTE[1], lw=2,
                label=text["expected"],
            )  # fmt: skip
            if len(holdout):
                axis.axvspan(holdout.min() - 0.5, holdout.max() + 0.5, color="#F1F1F1", zorder=0)
                axis.text(
                    holdout.mean(), 0.02, text["holdout"], transform=axis.get_xaxis_transform(),
                    color="#5F6368", ha="center",
                )  # fmt: skip
            axis.set(title=title, xlabel=unit, ylim=(0, None))
            axis.legend(loc="upper left" if start else "upper right")
            both_grids(axis)
        figure.finding = tracking_finding(tracking)
        return figure


def conditional_expectation_plot(
    table: pd.DataFrame,
    by: str = "frequency",
    models: Sequence[str] = (),
    language: str = "en",
    label: Label = plain,
    unit: str = "",
) -> Figure:
    """Mean purchases in the holdout by what was seen before, actual against each model.

    Parameters
    ----------
    table : DataFrame
        `by`, customers, actual, model, expected.
    by : str
        "frequency" or "recency".
    models : sequence of str
        Which to draw; empty = all.
    language, label
        Of the words on the axes, and what models are called.
    unit : str
        Of the time since the last purchase: day, week, month, year; empty: periods.
    """
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        chosen = _drawn(table, models)
        first = table[table["model"] == chosen[0]].reset_index(drop=True)
        axis.plot(first.index, first["actual"], color=INK, marker="o", lw=2.2, label=text["actual"])
        for number, model in enumerate(chosen):
            rows = table[table["model"] == model].reset_index(drop=True)
            axis.plot(
                rows.index, rows["expected"], color=PALETTE[number], lw=1.5,
                marker=_MARKERS[number + 1], ls=LINES[(number + 1) % len(LINES)],
                label=label(model),
            )  # fmt: skip
        # a group too small to be published keeps its place without numbers
        counts = [f"n {n:,.0f}" if n == n else "n –" for n in first["customers"]]
        labels = [f"{_span(g)}\n{n}" for g, n in zip(first[by], counts, strict=True)]
        axis.set_xticks(first.index, labels)
        units = text.get(f"{unit}s", unit) if unit else text["periods"]
        across = text.get(by, by).format(unit=units)
        axis.set(ylabel=text["holdout_mean"], xlabel=across, ylim=(0, None))
        axis.legend(loc="best")
        both_grids(axis)
        figure.finding = closest_finding(table, by, chosen, label)
        return figure


def calibration_plot(
    table: pd.DataFrame,
    models: Sequence[str] = (),
    language: str = "en",
    label: Label = plain,
) -> Figure | None:
    """Observed share against mean probability with Wilson intervals; the diagonal is perfect.

    Parameters
    ----------
    table : DataFrame
        model, bin, n, mean_probability, observed, ci_low, ci_high.
    models : sequence of str
        Which to draw; empty = all.
    language, label
        Of the words on the axes, and what models are called.

    Returns
    -------
    Figure or None
        None where nobody has a probability.
    """
    if not len(table):
        return None
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(5.2, 4.4)
        axis.plot([0, 1], [0, 1], color=FAINT, lw=1, label=text["perfect"])
        for number, model in enumerate(_drawn(table, models)):
            rows = table[table["model"] == model]
            bars = rows["observed"] - rows["ci_low"], rows["ci_high"] - rows["observed"]
            axis.errorbar(
                rows["mean_probability"], rows["observed"], yerr=np.maximum(bars, 0), lw=1.2,
                ls=":", color=PALETTE[number], marker=_MARKERS[number], ms=5, label=label(model),
                capsize=2,
            )  # fmt: skip
            # BG/NBD lets a customer leave only at a purchase: without one, P(alive) is exactly 1.
            sure = rows[rows["mean_probability"] >= 1 - 1e-9]
            if model == "bg_nbd_p_alive" and 0 < len(sure) < len(rows):
                bought = float(np.average(sure["observed"], weights=sure["n"]))
                axis.annotate(
                    text["never_left"].format(observed=bought), (1, bought), (0.52, 0.04),
                    textcoords="data", fontsize=8, ha="center", va="bottom",
                    arrowprops={"arrowstyle": "->", "color": INK},
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85}, zorder=5,
                    gid="never-left",
                )  # fmt: skip
        axis.set(xlabel=text["forecast"], ylabel=text["observed"], xlim=(-0.02, 1.02))
        axis.set_ylim(-0.02, 1.02)
        axis.legend(loc="upper left")
        both_grids(axis)
        figure.finding = calibration_finding(table, _drawn(table, models), label)
        return figure


def score_plot(
    validation: pd.DataFrame,
    metric: str = "auc",
    reference: float | None = 0.5,
    language: str = "en",
    label: Label = plain,
) -> Figure | None:
    """One metric of every model with its interval, best on top.

    Parameters
    ----------
    validation : DataFrame
        model, metric, value, ci_low, ci_high.
    metric : str
        Which metric.
    reference : float, optional
        A line to compare with (.5: a coin).
    language, label
        Of the words on the axes, and what models are called.

    Returns
    -------
    Figure or None
        None where no model has the metric.
    """
    text = words("lifetime", language)
    rows = validation[validation["metric"] == metric].sort_values("value")
    if not len(rows):
        return None
    with house_style():
        figure, axis = new_figure(6.8, 0.9 + 0.3 * len(rows))
        place = np.arange(len(rows))
        low, high = (
            rows[name].astype(float).fillna(rows["value"]) for name in ("ci_low", "ci_high")
        )
        axis.hlines(place, low, high, color=PALETTE[0], lw=2)
        axis.plot(rows["value"], place, "o", color=PALETTE[0], ms=6)
        for at, value, right in zip(place, rows["value"], high, strict=True):
            axis.annotate(
                f"{value:.3f}", (right, at), xytext=(5, 0), textcoords="offset points", va="center"
            )
        if reference is not None:
            axis.axvline(reference, color=PALETTE[1], ls="--", lw=1)
        axis.set_yticks(place, [label(model) for model in rows["model"]])
        axis.set_xlabel(text.get(metric, label(metric)))
        axis.margins(x=0.12)
        figure.finding = score_finding(rows, reference, label)
        return figure


def profit_plot(
    curve: pd.DataFrame,
    models: Sequence[str] = (),
    language: str = "en",
    label: Label = plain,
    currency: str = "",
) -> Figure | None:
    """Profit by the share of customers contacted, for each ranking and the best possible one.

    A dashed line is the profit of contacting everybody, the line at nothing that of nobody.

    A dot marks the share of customers with most profit.

    Parameters
    ----------
    curve : DataFrame
        model, share, profit; model `oracle` knows the spend.
    models : sequence of str
        Which to draw; empty = all.
    language, label
        Of the words on the axes, and what models are called.
    currency : str
        Of the profit.

    Returns
    -------
    Figure or None
        None without a curve.
    """
    if not len(curve):
        return None
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        for number, model in enumerate(list(models) or list(curve["model"].unique())):
            rows = curve[curve["model"] == model]
            name = text["best_possible"] if model == "oracle" else label(model)
            color = FAINT if model == "oracle" else PALETTE[number % len(PALETTE)]
            if rows["profit"].notna().any():
                top = rows.loc[rows["profit"].idxmax()]
                axis.plot(top["share"], top["profit"], "o", color=color, ms=7, gid="optimum")
                name = text["most_at"].format(name=name, share=float(top["share"]))
            axis.plot(
                rows["share"], rows["profit"], color=color, lw=1.8, ls=LINES[number % len(LINES)],
                label=name,
            )  # fmt: skip
        axis.axhline(0, color=INK, lw=0.8)
        everybody = curve.loc[curve["share"] == 1, "profit"].dropna()
        if len(everybody):
            earned_by_all = float(everybody.iloc[0])
            axis.axhline(earned_by_all, color=INK, lw=0.8, ls=":", label=text["everybody"])
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        earned = f"{text['profit']}, {currency}" if currency else text["profit"]
        axis.set(xlabel=text["contacted"], ylabel=earned)
        figure.legend(loc="outside lower center", ncols=2, title=text["dot"], title_fontsize=8.5)
        both_grids(axis)
        figure.finding = profit_finding(curve, list(models) or list(curve["model"].unique()), label)
        return figure


def value_plot(customers: pd.DataFrame, language: str = "en") -> Figure | None:
    """How lifetime value is spread over customers, and how much of it the best hold.

    Parameters
    ----------
    customers : DataFrame
        lifetime_value, one row per customer.
    language : str
        Of the words on the axes.

    Returns
    -------
    Figure or None
        A histogram on a logarithmic scale beside the concentration curve; None where nobody has a
        value above zero.
    """
    import seaborn

    if "lifetime_value" not in customers:
        return None
    values = np.sort(customers["lifetime_value"].to_numpy(dtype=float))[::-1]
    above = values[values > 0]
    if not len(above) or not np.isfinite(values).all():
        return None
    text = words("lifetime", language)
    with house_style():
        figure, (left, right) = new_figure(8.0, 3.4, 1, 2)
        usual = above[above >= np.quantile(above, 0.01)]  # a few next to nothing stretch the axis
        seaborn.histplot(x=usual, bins=30, log_scale=True, color=PALETTE[0], ax=left)
        left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
        left.xaxis.set_minor_formatter(NullFormatter())
        left.set(xlabel=text["lifetime_value"], ylabel=text["customers_number"])
        share = np.arange(1, len(values) + 1) / len(values)
        held = np.cumsum(values) / values.sum()
        seaborn.lineplot(x=share, y=held, errorbar=None, color=PALETTE[0], lw=2, ax=right)
        right.plot([0, 1], [0, 1], color=FAINT, lw=1)
        tenth = float(np.interp(0.1, share, held))
        right.plot([0.1], [tenth], "o", color=PALETTE[1])
        right.annotate(
            text["best_tenth_holds"].format(share=tenth), (0.1, tenth), xytext=(10, -4),
            textcoords="offset points", va="top", color=INK,
        )  # fmt: skip
        for axis in (right.xaxis, right.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        right.set(xlabel=text["customers_best_first"], ylabel=text["share_of_equity"])
        right.set(xlim=(0, 1), ylim=(0, 1.02))
        both_grids(left, right)
        figure.finding = concentration_finding(tenth)
        return figure
