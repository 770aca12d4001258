"""Charts of the satisfaction pillar: index, importance and performance, validity, estimators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cvlib.figures.findings import (
    estimators_finding,
    htmt_finding,
    index_finding,
    loadings_finding,
    priorities_finding,
)
from cvlib.figures.names import name_points
from cvlib.figures.style import FAINT, HEAT, INK, PALETTE, PAPER, house_style, new_figure, words

Labels = Mapping[str, str]

_FAR = 3.0  # intervals beyond it would squeeze the coefficients on a linear axis


def index_chart(
    index: pd.DataFrame,
    labels: Labels | None = None,
    *,
    highlight: str = "",
    language: str = "en",
    level: float = 0.95,
) -> Figure:
    """The index of every construct as bars with their intervals.

    Parameters
    ----------
    index : DataFrame
        construct, index and, where there are draws, ci_low and ci_high.
    labels : mapping, optional
        Construct name to the label shown.
    highlight : str
        The construct drawn in the strong colour.
    language : str
        Of the words on the axes.
    level : float
        Confidence level of the intervals.
    """
    text = words("satisfaction", language)
    names = [(labels or {}).get(name, name) for name in index["construct"]]
    rows = np.arange(len(names))[::-1]
    strong = index["construct"].to_numpy() == highlight
    colours = np.where(strong | ~strong.any(), PALETTE[0], "#9DB9D1")
    with house_style():
        figure, axes = new_figure(6.8, 0.42 * len(names) + 1.1)
        axes.barh(rows, index["index"], height=0.62, color=list(colours))
        reach = index["index"].to_numpy(float)
        if "ci_high" in index and index["ci_high"].notna().any():
            _whiskers(axes, rows, index["ci_low"], index["ci_high"], INK)
            reach = np.fmax(reach, index["ci_high"].to_numpy(float))
        for row, value, end in zip(rows, index["index"], reach, strict=True):
            axes.text(end + 1.2, row, f"{value:.1f}", va="center", gid="value")
        label = text["index"]
        if "ci_high" in index:
            label = text["interval"].format(name=label, level=level)
        axes.set(yticks=rows, yticklabels=names, xlim=(0, max(104.0, reach.max() + 8)))
        axes.set_xlabel(label)
        axes.set_xticks(range(0, 101, 20))
        plain_rows(axes)
    figure.finding = index_finding(index, _said(labels))
    return figure


def importance_performance_map(
    table: pd.DataFrame,
    labels: Labels | None = None,
    *,
    target: str = "",
    language: str = "en",
    name: str = "construct",
) -> Figure:
    """Drivers of one construct by importance (across) and performance (up).

    The lines are the means; each of the four fields between them bears its name.

    Parameters
    ----------
    table : DataFrame
        construct (or what `name` says), importance, performance, of one target and, with draws,
        ci_low and ci_high of the importance, performance_low and performance_high.
    labels : mapping, optional
        Construct name to the label shown.
    target : str
        The construct the importance refers to.
    language : str
        Of the words on the axes.
    name : {"construct", "item"}
        Column of what is drawn.
    """
    text = words("satisfaction", language)
    known = labels or {}
    across, up = table["importance"].to_numpy(float), table["performance"].to_numpy(float)
    bars: list[tuple[float, float, float, float]] = []
    with house_style():
        figure, axes = new_figure(6.4, 4.6)
        axes.axvline(across.mean(), color=FAINT, lw=1, ls=(0, (4, 3)), zorder=1)
        axes.axhline(up.mean(), color=FAINT, lw=1, ls=(0, (4, 3)), zorder=1)
        if "ci_low" in table and table["ci_low"].notna().any():
            axes.hlines(up, table["ci_low"], table["ci_high"], color="#9DB9D1", lw=1.6, zorder=2)
            across_ends = np.r_[across, table["ci_low"].dropna(), table["ci_high"].dropna()]
            bars += zip(table["ci_low"], up, table["ci_high"], up, strict=True)
        else:
            across_ends = across
        ends = up
        if "performance_low" in table and table["performance_low"].notna().any():
            axes.vlines(across, table["performance_low"], table["performance_high"],
                        color="#9DB9D1", lw=1.6, zorder=2)  # fmt: skip
            ends = np.r_[up, table["performance_low"].dropna(), table["performance_high"].dropna()]
            lower, upper = table["performance_low"], table["performance_high"]
            bars += zip(across, lower, across, upper, strict=True)
        axes.scatter(across, up, s=75, color=PALETTE[0], edgecolor=PAPER, zorder=3)
        room = 0.22 * max(np.ptp(across), 0.05), 0.22 * max(np.ptp(up), 2.0)
        axes.set_xlim(min(across_ends.min() - room[0], 0), across_ends.max() + room[0])
        axes.set_ylim(ends.min() - room[1], ends.max() + room[1])
        axes.set_xlabel(text["importance"].format(target=known.get(target, target)))
        axes.set_ylabel(text["performance"])
        if len(table) > 1:  # a single driver has no others to compare with
            _name_fields(axes, text)
        name_points(axes, across, up, [known.get(each, each) for each in table[name]], bars=bars)
    drawn = table if name == "construct" else table.assign(construct=table[name])
    figure.finding = priorities_finding(drawn, _said(labels))
    return figure


def htmt_chart(
    htmt: pd.DataFrame,
    labels: Labels | None = None,
    *,
    threshold: float = 0.9,
    language: str = "en",
) -> Figure:
    """Heat map of the heterotrait-monotrait ratios; pairs above the threshold are framed.

    Parameters
    ----------
    htmt : DataFrame
        construct_1, construct_2, htmt.
    labels : mapping, optional
        Construct name to the label shown.
    threshold : float
        0.90 for related concepts, 0.85 otherwise (Henseler, Ringle & Sarstedt 2015).
    language : str
        Of the words on the axes.
    """
    text = words("satisfaction", language)
    known = htmt.dropna(subset="htmt")  # formative constructs have no ratios
    htmt = known if len(known) else htmt
    names = list(dict.fromkeys([*htmt["construct_2"], *htmt["construct_1"]]))
    shown = [(labels or {}).get(name, name) for name in names]
    values = np.full((len(names), len(names)), np.nan)
    for row in htmt.itertuples(index=False):
        at = sorted((names.index(row.construct_1), names.index(row.construct_2)))
        values[at[1], at[0]] = row.htmt
    with house_style():
        size = 0.72 * len(names)
        figure, axes = new_figure(size + 1.9, 0.62 * size + 1.5)
        image = axes.imshow(values[1:, :-1], cmap=HEAT, vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(values[1:, :-1]):
            if np.isfinite(value):
                over = value > threshold
                axes.text(
                    column,
                    row,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    color=PAPER if value < 0.55 else INK,
                    bbox={"facecolor": "none", "edgecolor": PALETTE[1], "lw": 1.6}
                    if over
                    else None,
                    gid="value",
                )
        axes.set_xticks(range(len(names) - 1), shown[:-1], rotation=35, ha="right")
        axes.set_yticks(range(len(names) - 1), shown[1:])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        bar = figure.colorbar(image, ax=axes, shrink=0.9, aspect=22)
        bar.set_label(text["htmt"])
        bar.outline.set_visible(False)
        bar.ax.axhline(threshold, color=PALETTE[1], lw=1.6)
    figure.finding = htmt_finding(htmt, threshold, _said(labels))
    return figure


def estimator_chart(
    path_coefficients: pd.DataFrame,
    labels: Labels | None = None,
    *,
    language: str = "en",
    level: float = 0.95,
) -> Figure:
    """Path coefficients of several estimators (or models) side by side, with intervals.

    Parameters
    ----------
    path_coefficients : DataFrame
        estimator, source, target, estimate and, where known, ci_low and ci_high.
    labels : mapping, optional
        Construct name to the label shown.
    language : str
        Of the words on the axes.
    level : float
        Confidence level of the intervals.

    Notes
    -----
    Every interval is shown whole. Where some are many times wider than the estimates reach, the
    axis is linear up to 1 and logarithmic beyond.
    """
    text = words("satisfaction", language)
    known = labels or {}
    pairs = list(
        dict.fromkeys(zip(path_coefficients["source"], path_coefficients["target"], strict=True))
    )
    estimators = list(dict.fromkeys(path_coefficients["estimator"]))
    low, high = _reach(path_coefficients)
    with house_style():
        figure, axes = new_figure(7.2, 0.36 * len(pairs) + 1.3)
        for number, estimator in enumerate(estimators):
            own = path_coefficients[path_coefficients["estimator"] == estimator]
            shift = 0.17 * (number - (len(estimators) - 1) / 2)
            rows = np.array([
                len(pairs) - 1 - pairs.index(pair) - shift
                for pair in zip(own["source"], own["target"], strict=True)
            ])  # fmt: skip
            colour = PALETTE[number % len(PALETTE)]
            if "ci_low" in own:
                _whiskers(axes, rows, own["ci_low"], own["ci_high"], colour)
            axes.plot(
                own["estimate"], rows, "os^Dv"[number % 5], color=colour, ms=6,
                label=text.get(estimator, estimator), gid="estimate",
            )  # fmt: skip
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(
            range(len(pairs))[::-1],
            [f"{known.get(a, a)} → {known.get(b, b)}" for a, b in pairs],
        )
        label = text["interval"].format(name=text["path_coefficient"], level=level)
        if max(-low, high) > _FAR:
            axes.set_xscale("symlog", linthresh=1, linscale=3)
            axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(
                FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−"))
            )
            label = f"{label}\n{text['compressed']}"
        axes.set_xlim(low, high)
        axes.set_xlabel(label)
        axes.tick_params(axis="y", pad=9)
        figure.legend(loc="outside upper right", ncols=len(estimators))
        plain_rows(axes)
    figure.finding = estimators_finding(path_coefficients, _said(labels))
    return figure


def loadings_chart(
    loadings: pd.DataFrame,
    labels: Labels | None = None,
    *,
    threshold: float = 0.7,
    language: str = "en",
) -> Figure:
    """Loadings of all items, construct by construct, with intervals where there are draws.

    Parameters
    ----------
    loadings : DataFrame
        construct, item, loading and, where there are draws, ci_low and ci_high.
    labels : mapping, optional
        Construct name to the label shown.
    threshold : float
        Items below it share less than about half of their variance with the construct.
    language : str
        Of the words on the axes.
    """
    text = words("satisfaction", language)
    constructs = list(dict.fromkeys(loadings["construct"]))
    gap = np.array([constructs.index(name) for name in loadings["construct"]]) * 0.7
    rows = -(np.arange(len(loadings)) + gap)
    values = loadings["loading"].to_numpy(float)
    with house_style():
        figure, axes = new_figure(6.8, 0.2 * (len(loadings) + 0.7 * len(constructs)) + 1.0)
        axes.axvline(threshold, color=FAINT, lw=1, ls=(0, (4, 3)))
        low = values
        if "ci_low" in loadings and loadings["ci_low"].notna().any():
            _whiskers(axes, rows, loadings["ci_low"], loadings["ci_high"], "#7F9FBA")
            low = np.fmin(low, loadings["ci_low"].to_numpy(float))
        colours = np.where(values < threshold, PALETTE[1], PALETTE[0])
        axes.scatter(values, rows, s=30, c=list(colours), zorder=3)
        axes.set_yticks(rows, list(loadings["item"]), fontsize=8)
        axes.set_xlim(min(0.0, low.min() - 0.05), 1.02)
        for name in constructs:
            own = rows[(loadings["construct"] == name).to_numpy()]
            axes.text(
                1.02, own.mean(), (labels or {}).get(name, name), va="center", ha="left",
                transform=axes.get_yaxis_transform(), color=INK, gid="construct",
            )  # fmt: skip
        axes.set_xlabel(text["threshold"].format(name=text["loading"], value=threshold))
        axes.margins(y=0.02)
        plain_rows(axes)
    figure.finding = loadings_finding(loadings, threshold)
    return figure


def _said(labels: Labels | None) -> Callable[[str], str]:
    return lambda name: (labels or {}).get(name, name)


def _reach(table: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis that shows every estimate and every interval whole."""
    shown = [table[name] for name in ("estimate", "ci_low", "ci_high") if name in table]
    ends = pd.concat(shown).to_numpy(dtype=float)
    ends = ends[np.isfinite(ends)]
    low, high = min(0.0, *ends), max(1.0, *ends)
    room = 0.05 if max(-low, high) <= _FAR else 0.2
    return low - room * max(1.0, -low), high + room * max(1.0, high) * (high > 1)


def _ticks(low: float, high: float) -> list[float]:
    """Ticks of an axis that is linear within ±1 and logarithmic beyond."""
    beyond = [10.0**k for k in range(1, 1 + int(np.log10(max(-low, high, 10))))]
    every = [-1.0, -0.5, 0.0, 0.5, 1.0, *beyond, *(-value for value in beyond)]
    return sorted(value for value in every if low <= value <= high)


def _whiskers(axes: Any, rows: np.ndarray, low: pd.Series, high: pd.Series, colour: str) -> None:
    axes.hlines(rows, low, high, color=colour, lw=1.6, zorder=2.5)


def plain_rows(axes: Any) -> None:
    """Rows of a chart of names: no lines across, no axis beside the names."""
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _name_fields(axes: Any, text: Mapping[str, str]) -> None:
    """Write into the corners what the four fields of an importance-performance map mean."""
    for key, x, y in (
        ("keep_up", 1, 1), ("improve_first", 1, 0), ("low_priority", 0, 0), ("overkill", 0, 1),
    ):  # fmt: skip
        axes.annotate(
            text[key], (x, y), (5 - 10 * x, 5 - 10 * y), xycoords="axes fraction",
            textcoords="offset points", ha="right" if x else "left", va="top" if y else "bottom",
            color=PALETTE[1] if key == "improve_first" else "#5F6368", style="italic",
            fontsize=8.5, gid="field",
        )  # fmt: skip
