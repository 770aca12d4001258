"""Charts of lifetime models: tracking, calibration, targeting, survival, spread of value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

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

_MARKERS = "osD^vPX*"


def _drawn(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """The models asked for that the table has, or all of them."""
    present = list(table["model"].unique())
    return [model for model in models if model in present] or present


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
        return figure


def conditional_expectation_plot(
    table: pd.DataFrame,
    by: str = "frequency",
    models: Sequence[str] = (),
    language: str = "en",
    label: Label = plain,
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
        labels = [f"{group}\n{n}" for group, n in zip(first[by], counts, strict=True)]
        axis.set_xticks(first.index, labels)
        axis.set(ylabel=text["holdout_mean"], xlabel=text.get(by, by), ylim=(0, None))
        axis.legend(loc="best")
        both_grids(axis)
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
        axis.set(xlabel=text["forecast"], ylabel=text["observed"], xlim=(-0.02, 1.02))
        axis.set_ylim(-0.02, 1.02)
        axis.legend(loc="upper left")
        both_grids(axis)
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
        return figure


def profit_plot(
    curve: pd.DataFrame,
    models: Sequence[str] = (),
    language: str = "en",
    label: Label = plain,
) -> Figure:
    """Profit by the share of customers contacted, for each ranking and an oracle.

    Parameters
    ----------
    curve : DataFrame
        model, share, profit.
    models : sequence of str
        Which to draw; empty = all.
    language, label
        Of the words on the axes, and what models are called.
    """
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        for number, model in enumerate(list(models) or list(curve["model"].unique())):
            rows = curve[curve["model"] == model]
            color = FAINT if model == "oracle" else PALETTE[number % len(PALETTE)]
            axis.plot(
                rows["share"], rows["profit"], color=color, lw=1.8,
                ls=LINES[number % len(LINES)], label=label(model),
            )  # fmt: skip
        axis.axhline(0, color=INK, lw=0.8)
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.set(xlabel=text["contacted"], ylabel=text["profit"])
        axis.legend(loc="best", ncols=2)
        both_grids(axis)
        return figure


def survival_plot(
    curves: pd.DataFrame,
    panel: str | None = None,
    time: str = "period",
    observed_until: float | None = None,
    language: str = "en",
    label: Label = plain,
) -> Figure | None:
    """Share still subscribed over time: actual as points or steps, models as lines.

    Parameters
    ----------
    curves : DataFrame
        `time`, model, survival, optionally actual, `panel`, and ci_low and ci_high.
    panel : str, optional
        Column that splits the chart into panels side by side.
    time : str
        Column of the time axis.
    observed_until : float, optional
        Where the data behind the models end; a line is drawn there.
    language, label
        Of the words on the axes, and what models and panels are called.

    Returns
    -------
    Figure or None
        None without curves.
    """
    if not len(curves):
        return None
    text = words("lifetime", language)
    with house_style():
        names = list(curves[panel].unique()) if panel else [""]
        figure, axes = new_figure(
            max(6.6, 3.9 * len(names)), 3.7, 1, len(names), sharey=True, squeeze=False
        )
        for axis, name in zip(axes[0], names, strict=True):
            part = curves[curves[panel] == name] if panel else curves
            if "actual" in part:
                points = part.drop_duplicates(time)
                axis.plot(
                    points[time], points["actual"], "o", color=INK, ms=5, label=text["actual"]
                )
            for number, (model, rows) in enumerate(part.groupby("model", sort=False)):
                steps = "steps-post" if model == "kaplan_meier" else "default"
                axis.plot(
                    rows[time], rows["survival"], color=PALETTE[number % len(PALETTE)], lw=1.7,
                    ls=LINES[number % len(LINES)], drawstyle=steps, label=label(model),
                )  # fmt: skip
                if "ci_low" in rows and rows["ci_low"].notna().any():
                    low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
                    axis.fill_between(rows[time], low, high, step="post", alpha=0.18, lw=0)
            if observed_until is not None:
                axis.axvline(observed_until, color=INK, lw=0.9, ls=":")
                axis.annotate(
                    text["fitted"], (observed_until, 0.02), xytext=(-4, 0), ha="right",
                    textcoords="offset points", fontsize=8,
                )  # fmt: skip
            axis.set(title=label(str(name)), xlabel=text.get(time, time), ylim=(0, 1.02))
            axis.yaxis.set_major_formatter(PercentFormatter(1))
            both_grids(axis)
        axes[0][0].set_ylabel(text["subscribed"])
        axes[0][-1].legend(loc="upper right" if panel else "lower left")
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
        return figure
