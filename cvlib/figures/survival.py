"""Charts of survival: curves, and how far models lie from Kaplan-Meier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cvlib.figures.findings import projection_finding
from cvlib.figures.highlights import distance_finding
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

OBSERVED = "kaplan_meier"
_ALIKE = 0.02  # curves nowhere further apart than this part of what is shown are one line


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
        if not panel and OBSERVED in set(curves["model"]) and curves["model"].nunique() > 2:
            return _against_observed(curves, time, text, label)
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
                steps = "steps-post" if model == OBSERVED else "default"
                axis.plot(
                    rows[time], rows["survival"], color=PALETTE[number % len(PALETTE)], lw=1.7,
                    ls=LINES[number % len(LINES)], drawstyle=steps, label=label(model),
                )  # fmt: skip
                _band(axis, rows, time, PALETTE[number % len(PALETTE)])
            if observed_until is not None:
                axis.axvline(observed_until, color=INK, lw=0.9, ls=":")
                early = observed_until < part[time].mean()
                axis.annotate(
                    text["fitted"], (observed_until, 0.02), xytext=(4 if early else -4, 0),
                    ha="left" if early else "right", xycoords=("data", "axes fraction"),
                    textcoords="offset points", fontsize=8,
                )  # fmt: skip
            axis.set(title=label(str(name)), xlabel=text.get(time, time))
            both_grids(axis)
        _shares(axes[0][0], curves, text)
        axes[0][-1].legend(loc="upper right" if panel else "lower left")
        figure.finding = projection_finding(curves, time, observed_until, label)
        return figure


def _against_observed(
    curves: pd.DataFrame, time: str, text: dict[str, str], label: Label
) -> Figure:
    """Left what was observed within the range of all models, right each model's difference."""
    wide = curves.pivot_table(index=time, columns="model", values="survival", sort=False)
    observed, models = wide[OBSERVED], wide.drop(columns=OBSERVED)
    figure, (left, right) = new_figure(9.4, 4.2, 1, 2)
    left.fill_between(
        wide.index, models.min(axis=1), models.max(axis=1), color=FAINT, alpha=0.35, lw=0,
        label=text["all_models"],
    )  # fmt: skip
    rows = curves[curves["model"] == OBSERVED]
    _band(left, rows, time, INK)
    left.plot(
        rows[time], rows["survival"], color=INK, lw=1.8, drawstyle="steps-post",
        label=label(OBSERVED),
    )  # fmt: skip
    left.set_title(text["subscribed"])
    left.legend(loc="upper right")
    _shares(left, curves, text)
    left.set_ylabel("")
    right.axhline(0, color=INK, lw=1.8)
    differences = 100 * models.sub(observed, axis=0)[observed.notna()]
    for number, group in enumerate(_together(differences)):
        right.plot(
            differences.index, differences[group[0]], color=PALETTE[number % len(PALETTE)],
            ls=LINES[(number + number // len(PALETTE)) % len(LINES)], lw=1.7,
            label=", ".join(label(model) for model in group), gid="difference",
        )  # fmt: skip
    right.set_title(text["difference"].format(name=label(OBSERVED)))
    right.yaxis.set_major_locator(MaxNLocator(6))
    for axis in (left, right):
        axis.set_xlabel(text.get(time, time))
    both_grids(left, right)
    handles, names = right.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8.5)
    figure.finding = distance_finding(differences, OBSERVED, label)
    return figure


def _together(curves: pd.DataFrame) -> list[list[str]]:
    """Models whose curves nobody could tell apart, each group led by its first."""
    values = curves.to_numpy(dtype=float)
    alike = _ALIKE * (np.nanmax(values) - np.nanmin(values))
    groups: list[list[str]] = []
    for model in curves:
        for group in groups:
            if (curves[model] - curves[group[0]]).abs().max() <= alike:
                group.append(model)
                break
        else:
            groups.append([model])
    return groups


def _band(axis: Axes, rows: pd.DataFrame, time: str, color: str) -> None:
    if "ci_low" in rows and rows["ci_low"].notna().any():
        low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
        axis.fill_between(rows[time], low, high, step="post", color=color, alpha=0.18, lw=0)


def _shares(axis: Axes, curves: pd.DataFrame, text: dict[str, str]) -> None:
    """The axis of shares: from 0, or from below the lowest where all lie in the upper half."""
    shown: Any = curves[[n for n in ("survival", "actual", "ci_low") if n in curves]]
    least = float(np.nanmin(shown.to_numpy(dtype=float)))
    bottom = np.floor(10 * least - 0.2) / 10 if least > 0.5 else 0.0
    axis.set(ylim=(bottom, 1 + 0.02 * (1 - bottom)), ylabel=text["subscribed"])
    axis.yaxis.set_major_formatter(PercentFormatter(1))
