"""Charts of lifetime models: tracking, calibration, targeting, retention, survival, segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cvlib.figures.style import FAINT, INK, PALETTE, house_style, new_figure

_MARKERS = "osD^vPX*"
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


def _both_grids(*axes: Axes) -> None:
    for axis in axes:
        axis.grid(True, axis="both")


def tracking_plot(tracking: pd.DataFrame, unit: str = "week") -> Figure:
    """Repeat purchases per period and cumulated, actual against expected, holdout shaded.

    Parameters
    ----------
    tracking : DataFrame
        period, sample, actual, expected, cumulative_actual, cumulative_expected.
    unit : str
        Name of a period.
    """
    with house_style():
        figure, axes = new_figure(8.0, 3.4, 1, 2)
        holdout = tracking.loc[tracking["sample"] == "holdout", "period"]
        for axis, start, title in (
            (axes[0], "", f"Repeat purchases per {unit}"),
            (axes[1], "cumulative_", "Cumulated repeat purchases"),
        ):
            period = tracking["period"]
            axis.plot(period, tracking[f"{start}actual"], color=INK, lw=1.4, label="actual")
            axis.plot(
                period, tracking[f"{start}expected"], "--", color=PALETTE[1], lw=2, label="expected"
            )
            if len(holdout):
                axis.axvspan(holdout.min() - 0.5, holdout.max() + 0.5, color="#F1F1F1", zorder=0)
                axis.text(
                    holdout.mean(), 0.02, "holdout", transform=axis.get_xaxis_transform(),
                    color="#5F6368", ha="center",
                )  # fmt: skip
            axis.set(title=title, xlabel=unit, ylim=(0, None))
            axis.legend(loc="upper left" if start else "upper right")
            _both_grids(axis)
        return figure


def conditional_expectation_plot(
    table: pd.DataFrame, by: str = "frequency", models: Sequence[str] = ()
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
    """
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        chosen = list(models) or list(table["model"].unique())
        first = table[table["model"] == chosen[0]].reset_index(drop=True)
        axis.plot(first.index, first["actual"], color=INK, marker="o", lw=2.2, label="actual")
        for number, model in enumerate(chosen):
            rows = table[table["model"] == model].reset_index(drop=True)
            axis.plot(
                rows.index, rows["expected"], color=PALETTE[number], lw=1.5,
                marker=_MARKERS[number + 1], ls=_LINES[(number + 1) % len(_LINES)], label=model,
            )  # fmt: skip
        labels = [f"{g}\nn {n:,}" for g, n in zip(first[by], first["customers"], strict=True)]
        axis.set_xticks(first.index, labels)
        names = {
            "frequency": "repeat purchases in the calibration period",
            "recency": "time since the last purchase",
        }
        axis.set(ylabel="mean purchases in the holdout", xlabel=names.get(by, by), ylim=(0, None))
        axis.legend(loc="best")
        _both_grids(axis)
        return figure


def calibration_plot(table: pd.DataFrame, models: Sequence[str] = ()) -> Figure:
    """Observed share against mean probability with Wilson intervals; the diagonal is perfect.

    Parameters
    ----------
    table : DataFrame
        model, bin, n, mean_probability, observed, ci_low, ci_high.
    models : sequence of str
        Which to draw; empty = all.
    """
    with house_style():
        figure, axis = new_figure(5.2, 4.4)
        axis.plot([0, 1], [0, 1], color=FAINT, lw=1, label="perfect")
        for number, model in enumerate(list(models) or list(table["model"].unique())):
            rows = table[table["model"] == model]
            bars = rows["observed"] - rows["ci_low"], rows["ci_high"] - rows["observed"]
            axis.errorbar(
                rows["mean_probability"], rows["observed"], yerr=np.maximum(bars, 0), lw=1.2,
                ls=":", color=PALETTE[number], marker=_MARKERS[number], ms=5, label=model,
                capsize=2,
            )  # fmt: skip
        axis.set(xlabel="forecast probability", ylabel="observed share", xlim=(-0.02, 1.02))
        axis.set_ylim(-0.02, 1.02)
        axis.legend(loc="upper left")
        _both_grids(axis)
        return figure


def score_plot(
    validation: pd.DataFrame, metric: str = "auc", reference: float | None = 0.5
) -> Figure:
    """One metric of every model with its interval, best on top.

    Parameters
    ----------
    validation : DataFrame
        model, metric, value, ci_low, ci_high.
    metric : str
        Which metric.
    reference : float, optional
        A line to compare with (.5: a coin).
    """
    with house_style():
        rows = validation[validation["metric"] == metric].sort_values("value")
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
        axis.set_yticks(place, rows["model"])
        axis.set_xlabel({"auc": "area under the ROC curve"}.get(metric, metric.replace("_", " ")))
        axis.margins(x=0.12)
        return figure


def profit_plot(curve: pd.DataFrame, models: Sequence[str] = ()) -> Figure:
    """Profit by the share of customers contacted, for each ranking and an oracle.

    Parameters
    ----------
    curve : DataFrame
        model, share, profit.
    models : sequence of str
        Which to draw; empty = all.
    """
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        for number, model in enumerate(list(models) or list(curve["model"].unique())):
            rows = curve[curve["model"] == model]
            color = FAINT if model == "oracle" else PALETTE[number % len(PALETTE)]
            axis.plot(
                rows["share"], rows["profit"], color=color, lw=1.8,
                ls=_LINES[number % len(_LINES)], label=model,
            )  # fmt: skip
        axis.axhline(0, color=INK, lw=0.8)
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.set(xlabel="customers contacted, best first", ylabel="profit in the holdout")
        axis.legend(loc="best", ncols=2)
        _both_grids(axis)
        return figure


def retention_gain_plot(curve: pd.DataFrame, claim: tuple[float, float] = (0.25, 0.85)) -> Figure:
    """Gain in customer value of some points more retention, the claimed range shaded.

    Parameters
    ----------
    curve : DataFrame
        discount_rate, retention, retention_after, gain.
    claim : pair of float
        The claimed gains.
    """
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        axis.axhspan(*claim, color="#FBE9DD", zorder=0)
        axis.text(
            curve["retention"].min(), claim[1] - 0.02, f"claim {claim[0]:.0%}–{claim[1]:.0%}",
            color=PALETTE[1], va="top",
        )  # fmt: skip
        for number, (rate, rows) in enumerate(curve.groupby("discount_rate", sort=False)):
            axis.plot(
                rows["retention"], rows["gain"], color=PALETTE[number % len(PALETTE)], lw=1.8,
                ls=_LINES[number % len(_LINES)], label=f"discount rate {rate:.0%}",
            )  # fmt: skip
        points = (curve["retention_after"] - curve["retention"]).iloc[0]
        axis.set(
            xlabel="retention before, per year",
            ylabel=f"gain in value of {100 * points:g} points",
            ylim=(0, min(1.3, 1.05 * curve["gain"].max())),
        )
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.yaxis.set_major_formatter(PercentFormatter(1))
        axis.legend(loc="upper left", bbox_to_anchor=(0.0, 0.62))
        _both_grids(axis)
        return figure


def survival_plot(
    curves: pd.DataFrame,
    panel: str | None = None,
    time: str = "period",
    observed_until: float | None = None,
) -> Figure:
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
    """
    with house_style():
        names = list(curves[panel].unique()) if panel else [""]
        figure, axes = new_figure(
            max(6.6, 3.9 * len(names)), 3.7, 1, len(names), sharey=True, squeeze=False
        )
        for axis, name in zip(axes[0], names, strict=True):
            part = curves[curves[panel] == name] if panel else curves
            if "actual" in part:
                points = part.drop_duplicates(time)
                axis.plot(points[time], points["actual"], "o", color=INK, ms=5, label="actual")
            for number, (model, rows) in enumerate(part.groupby("model", sort=False)):
                steps = "steps-post" if model == "kaplan_meier" else "default"
                axis.plot(
                    rows[time], rows["survival"], color=PALETTE[number % len(PALETTE)], lw=1.7,
                    ls=_LINES[number % len(_LINES)], drawstyle=steps, label=model,
                )  # fmt: skip
                if "ci_low" in rows and rows["ci_low"].notna().any():
                    low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
                    axis.fill_between(rows[time], low, high, step="post", alpha=0.18, lw=0)
            if observed_until is not None:
                axis.axvline(observed_until, color=INK, lw=0.9, ls=":")
                axis.annotate(
                    "fitted up to here", (observed_until, 0.02), xytext=(-4, 0), ha="right",
                    textcoords="offset points", fontsize=8,
                )  # fmt: skip
            axis.set(title=str(name).replace("_", " "), xlabel=time, ylim=(0, 1.02))
            axis.yaxis.set_major_formatter(PercentFormatter(1))
            _both_grids(axis)
        axes[0][0].set_ylabel("still subscribed")
        axes[0][-1].legend(loc="upper right" if panel else "lower left")
        return figure


def share_plot(shares: pd.DataFrame, group: str = "group") -> Figure:
    """Share of customers beside share of value, for every tier or segment.

    Parameters
    ----------
    shares : DataFrame
        `group`, share_of_customers, share_of_value; first row on top.
    group : str
        Column of names.
    """
    with house_style():
        figure, axis = new_figure(6.8, 1.0 + 0.5 * len(shares))
        place = np.arange(len(shares))[::-1].astype(float)
        for shift, column, color, hatch, label in (
            (0.19, "share_of_customers", FAINT, "", "share of customers"),
            (-0.19, "share_of_value", PALETTE[0], "//", "share of value"),
        ):
            bars = axis.barh(
                place + shift, shares[column], 0.36, color=color, hatch=hatch, label=label,
                edgecolor="white", lw=0,
            )  # fmt: skip
            axis.bar_label(bars, [f"{value:.1%}" for value in shares[column]], padding=3)
        axis.set_yticks(place, shares[group].str.replace("_", " "))
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.margins(x=0.12)
        axis.legend(loc="best")
        return figure


def transition_plot(transitions: pd.DataFrame, order: Sequence[str]) -> Figure:
    """Movement between segments: share of each row's customers found in each column later.

    Parameters
    ----------
    transitions : DataFrame
        from_segment, to_segment, share.
    order : sequence of str
        Order of segments; "new" is put last among the rows.
    """
    with house_style():
        table = transitions.pivot(index="from_segment", columns="to_segment", values="share")
        rows = [name for name in [*order, "new"] if name in table.index]
        columns = [name for name in order if name in table.columns]
        grid = table.reindex(index=rows, columns=columns).fillna(0.0)
        figure, axis = new_figure(1.9 + 0.85 * len(columns), 1.5 + 0.4 * len(rows))
        axis.imshow(grid, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(grid.to_numpy()):
            if value > 0:
                axis.text(
                    column, row, f"{value:.0%}", ha="center", va="center", fontsize=8.5,
                    color="white" if value > 0.55 else INK,
                )  # fmt: skip
        axis.set_xticks(range(len(columns)), [c.replace("_", "\n") for c in columns])
        axis.set_yticks(range(len(rows)), [r.replace("_", " ") for r in rows])
        axis.set(xlabel="later", ylabel="before")
        axis.grid(False)
        return figure
