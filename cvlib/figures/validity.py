"""Charts of how well scores order customers by a later outcome, against equal weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cvlib.figures.findings import capture_finding
from cvlib.figures.highlights import validity_finding
from cvlib.figures.style import INK, PALETTE, house_style, new_figure, short, words

Labels = Mapping[str, str]

BETTER, WORSE, ALIKE = PALETTE[0], PALETTE[1], "#7A7F85"


def capture_chart(
    capture: pd.DataFrame,
    labels: Labels | None = None,
    language: str = "en",
    *,
    baseline: str = "equal",
    contacted: tuple[float, ...] = (0.1, 0.2),
) -> Figure:
    """How much more of the outcome the best-scored customers hold than under equal weights.

    Parameters
    ----------
    capture : DataFrame
        method, share_of_customers, share_of_outcome; the last method is the outcome itself, the
        most that can be reached.
    labels, language
        As every chart takes them.
    baseline : str
        The method the others are compared with; where the table lacks it, chance.
    contacted : tuple of float
        Shares of customers, a panel each.
    """
    text = words("weighting", language)
    if capture.empty:
        return nothing(text["no_outcome"])
    held = pd.DataFrame({
        method: np.interp(contacted, rows["share_of_customers"], rows["share_of_outcome"])
        for method, rows in capture.groupby("method", sort=False)
    }, index=list(contacted))  # fmt: skip
    ideal = held.columns[-1]
    against = held[baseline] if baseline in held else pd.Series(contacted, index=held.index)
    gain = 100 * held.drop(columns=[n for n in (baseline, ideal) if n in held]).sub(against, axis=0)
    gain = gain.sort_values(contacted[0], axis=1)
    place = np.arange(gain.shape[1])
    with house_style():
        figure, axes = new_figure(
            3.2 + 2.4 * len(contacted), 1.7 + 0.26 * len(place), 1, len(contacted),
            squeeze=False, sharex=True, sharey=True,
        )  # fmt: skip
        for axis, share in zip(axes[0], contacted, strict=True):
            points = gain.loc[share].to_numpy(float)
            colors = np.where(points > 0.05, BETTER, np.where(points < -0.05, WORSE, ALIKE))
            axis.hlines(place, 0, points, colors=list(colors), lw=2)
            axis.scatter(points, place, c=list(colors), s=34, zorder=3, gid="gain")
            for at, value, color in zip(place, points, colors, strict=True):
                axis.annotate(
                    f"{value:+.1f}".replace("-", "−"), (value, at), (6 if value >= 0 else -6, 0),
                    fontsize=8, textcoords="offset points", va="center",
                    ha="left" if value >= 0 else "right", color=color, gid="gain",
                )  # fmt: skip
            axis.axvline(0, color=INK, lw=0.9)
            key = "reached" if baseline in held else "reached_by_chance"
            axis.set_title(text["best_tenth"].format(share=share))
            axis.set_xlabel(
                text[key].format(
                    baseline=_name(baseline, labels), base=against[share],
                    best=held.loc[share, ideal],
                ),
                fontsize=8.5,
            )  # fmt: skip
            axis.margins(x=0.3)
        axes[0, 0].set_yticks(place, [_name(method, labels) for method in gain.columns])
        for axis in axes[0]:
            axis.tick_params(axis="y", length=0)
            axis.grid(visible=False, axis="y")
        figure.supxlabel(text["points_more"], fontsize=9.5)
        figure.finding = capture_finding(
            gain.loc[contacted[0]], contacted[0], lambda name: _name(name, labels), baseline
        )
        return figure


def validity_chart(
    validity: pd.DataFrame,
    learned: tuple[str, ...] = (),
    labels: Labels | None = None,
    language: str = "en",
    *,
    baseline: str = "equal",
    level: float = 0.95,
) -> Figure:
    """Each metric of each method with its interval, methods in the order of the first metric.

    A line stands at the baseline; the colour says whether a method is told apart from it.

    Parameters
    ----------
    validity : DataFrame
        method, metric, estimate and, if known, ci_low, ci_high, difference_ci_low,
        difference_ci_high and p_holm (adjusted p of no difference from the baseline).
    learned : tuple of str
        Methods drawn hollow because they were fitted to the outcome.
    labels, language
        As every chart takes them.
    baseline : str
        The method the others are compared with.
    level : float
        Confidence of the comparisons.
    """
    text = words("weighting", language)
    if validity.empty:
        return nothing(text["no_outcome"])
    with house_style():
        metrics = list(validity["metric"].unique())
        first = validity[validity["metric"] == metrics[0]].sort_values("estimate")
        order = list(first["method"])
        figure, axes = new_figure(
            3.0 + 2.3 * len(metrics), 1.6 + 0.24 * len(order), 1, len(metrics), squeeze=False
        )
        place = np.arange(len(order))
        used: set[str] = set()
        told: list[str] = []
        for k, (axis, metric) in enumerate(zip(axes[0], metrics, strict=True)):
            rows = validity[validity["metric"] == metric].set_index("method").reindex(order)
            colors = _against(rows, level)
            used |= set(colors)
            told = told or [c for m, c in zip(order, colors, strict=True) if m not in learned]
            if "ci_low" in rows:
                axis.hlines(place, rows["ci_low"], rows["ci_high"], color=colors, lw=2)
            inside = [
                "white" if method in learned else color
                for method, color in zip(order, colors, strict=True)
            ]
            axis.scatter(rows["estimate"], place, c=inside, edgecolors=colors, s=34, zorder=3)
            if baseline in order:
                at = rows.loc[baseline, "estimate"]
                axis.axvline(at, color=INK, lw=1, ls="--", zorder=1.5, gid="baseline")
            axis.set_yticks(place, ["" if k else _name(method, labels) for method in order])
            axis.tick_params(axis="y", length=0)
            axis.set_title(_name(metric, labels))
            axis.xaxis.set_major_locator(MaxNLocator(4))
        _explain(figure, text, used, any(method in order for method in learned),
                 _name(baseline, labels) if baseline in order else "")  # fmt: skip
        if baseline in order and "difference_ci_low" in validity:
            figure.finding = validity_finding(
                told, BETTER, WORSE, _name(metrics[0], labels), _name(baseline, labels)
            )
        return figure


def _against(rows: pd.DataFrame, level: float) -> list[str]:
    """The colour of each method: told apart from the baseline upwards, downwards, or not."""
    if "difference_ci_low" not in rows:
        return [ALIKE] * len(rows)
    surely = np.ones(len(rows), dtype=bool)
    if "p_holm" in rows:
        surely = (rows["p_holm"].isna() | (rows["p_holm"] <= 1 - level)).to_numpy()
    above = surely & (rows["difference_ci_low"] > 0).to_numpy()
    below = surely & (rows["difference_ci_high"] < 0).to_numpy()
    return [str(c) for c in np.where(above, BETTER, np.where(below, WORSE, ALIKE))]


def _explain(
    figure: Figure, text: Mapping[str, str], used: set[str], hollow: bool, baseline: str
) -> None:
    """A legend of the colours that occur, the hollow circles and the line."""
    entries = []
    if baseline:
        entries.append(Line2D([], [], color=INK, lw=1, ls="--", label=baseline))
        told = {BETTER: "told_better", WORSE: "told_worse", ALIKE: "told_alike"}
        entries += [
            Line2D([], [], color=color, marker="o", lw=2, label=text[key].format(name=baseline))
            for color, key in told.items()
            if color in used
        ]
    if hollow:
        entries.append(
            Line2D([], [], color=ALIKE, marker="o", ls="", mfc="white", label=text["fitted"])
        )
    if entries:
        figure.legend(
            handles=entries, loc="outside lower center", ncols=2 if len(entries) > 2 else 3,
            fontsize=8.5,
        )  # fmt: skip


def nothing(text: str) -> Figure:
    """A small figure that says why it is empty."""
    with house_style():
        figure, axis = new_figure(4.0, 0.6)
        axis.set_axis_off()
        axis.text(0, 0.5, text, va="center")
        return figure


def _name(key: object, labels: Labels | None) -> str:
    return short((labels or {}).get(str(key), str(key).replace("_", " ")))
