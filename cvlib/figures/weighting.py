"""Charts of weightings: bars with intervals, heat map, ranks, sweeps, capture, grades.

Every chart takes ``labels``, what to print for the id of an indicator, a method or a grade (else
the id in words), and ``language``, that of the words on the axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cvlib.figures.findings import (
    alpha_finding,
    grades_finding,
    moved_finding,
    ranks_finding,
    stability_finding,
    weights_finding,
)
from cvlib.figures.highlights import heat_finding
from cvlib.figures.matrix import matrix_chart
from cvlib.figures.style import (
    CUSTOMERS,
    FAINT,
    HEAT,
    INK,
    PALETTE,
    VALUE,
    house_style,
    new_figure,
    short,
    words,
)
from cvlib.figures.systems import (
    attainment_chart,
    credit_chart,
    ledger_chart,
    maturity_chart,
    panel_chart,
    pooled_chart,
    variants_chart,
)
from cvlib.figures.validity import capture_chart, validity_chart

__all__ = [
    "alpha_chart", "attainment_chart", "capture_chart", "credit_chart", "grade_chart",
    "ledger_chart", "maturity_chart", "panel_chart", "pooled_chart", "rank_chart",
    "stability_chart", "validity_chart", "variants_chart", "weight_chart", "weight_heatmap",
]  # fmt: skip

Labels = Mapping[str, str]

_BACKGROUND: dict[str, Any] = {"color": FAINT, "lw": 1, "zorder": 2}
_MARKERS = "osD^vPX*"
_DASHES = ("-", "--", "-.", ":")
_KEPT = {
    "below_50": "#B2182B",
    "from_50": "#EF8A62",
    "from_75": "#FDDBC7",
    "from_90": "#92C5DE",
    "from_99": "#2166AC",
}


def _name(key: object, labels: Labels | None) -> str:
    return short((labels or {}).get(str(key), str(key).replace("_", " ")))


def _rows(axis: Axes, names: list[str]) -> None:
    """Name the rows of a chart, the first at 0."""
    axis.set_yticks(np.arange(len(names)), names)
    axis.tick_params(axis="y", length=0)


def _percent(*sides: Axis) -> None:
    for side in sides:
        side.set_major_formatter(PercentFormatter(1, decimals=0))


def line_of(item: object, items: Iterable[object]) -> dict[str, Any]:
    """Colour and dashes that an indicator keeps in every chart of the same indicators.

    They follow from its place among the sorted ids, so neither the order of a table nor which
    lines a chart makes stand out changes them.
    """
    number = sorted(map(str, items)).index(str(item))
    dashes = _DASHES[(number + number // len(PALETTE)) % len(_DASHES)]
    return {"color": PALETTE[number % len(PALETTE)], "ls": dashes, "lw": 2, "zorder": 3}


def weight_chart(
    weights: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure:
    """Weight of each indicator by each method, with intervals where there are any.

    Parameters
    ----------
    weights : DataFrame
        indicator, method, global_weight and, if known, ci_low, ci_high; one row per indicator
        and method.
    labels, language
        As every chart takes them.
    """
    with house_style():
        methods, items = list(weights["method"].unique()), list(weights["indicator"].unique())
        # Few indicators share one panel; many get a panel for each method.
        together = len(items) <= 8
        panels = 1 if together else len(methods)
        width = 7.4 if together else 2.6 + 1.15 * panels
        room = 0.3 * max(1.0, len(methods) / 3) if together else 0.22
        figure, axes = new_figure(
            width, 1.1 + room * len(items), 1, panels, squeeze=False, sharex=True, sharey=True
        )
        offset = np.linspace(-0.34, 0.34, len(methods)) if len(methods) > 1 else np.zeros(1)
        for k, method in enumerate(methods):
            axis = axes[0, 0 if together else k]
            rows = weights[weights["method"] == method].set_index("indicator").reindex(items)
            place = np.arange(len(items)) + (offset[k] if together else 0)
            color = PALETTE[k % len(PALETTE)]
            if {"ci_low", "ci_high"} <= set(rows) and rows["ci_low"].notna().any():
                axis.hlines(place, rows["ci_low"], rows["ci_high"], color=color, lw=1.6)
            axis.plot(
                rows["global_weight"], place, color=color, label=_name(method, labels),
                ls="", ms=5,
                marker=_MARKERS[k % len(_MARKERS)],
            )  # fmt: skip
            if not together:
                axis.set_title(_name(method, labels).replace(" ", "\n", 1), fontsize=8.5)
                axis.grid(True, axis="both")
                axis.xaxis.set_major_locator(MaxNLocator(2))
        first = axes[0, 0]
        for axis in axes[0]:
            _rows(axis, [_name(item, labels) for item in items])
        first.set(xlim=(0, None), ylim=(len(items) - 0.4, -0.6))
        figure.supxlabel(words("weighting", language)["global_weight"], fontsize=9.5)
        if together:
            for edge in np.arange(0.5, len(items) - 1):
                first.axhline(edge, color="#E6E6E6", lw=0.8)
            _legend_right(figure)
        figure.finding = weights_finding(weights, labels)
        return figure


def weight_heatmap(
    weights: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure:
    """Indicators by methods, coloured by weight, with the percentage in each cell.

    Parameters
    ----------
    weights : DataFrame
        indicator, method, global_weight.
    labels, language
        As every chart takes them.
    """
    import seaborn

    with house_style():
        wide = _wide(weights)
        figure, axis = new_figure(2.9 + 0.62 * wide.shape[1], 1.9 + 0.27 * len(wide))
        shares = wide.to_numpy()
        told = [[f"{100 * v:.0f}" if v >= 0.005 or v == 0 else "<1" for v in row] for row in shares]
        seaborn.heatmap(
            shares, annot=np.array(told), fmt="", cmap=HEAT, vmin=0, cbar=False, ax=axis,
            annot_kws={"fontsize": 8.5},
        )  # fmt: skip
        rows = [_name(item, labels) for item in wide.index]
        axis.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
        names = [_name(method, labels) for method in wide.columns]
        axis.set_xticks(np.arange(len(names)) + 0.5, names, rotation=45, ha="right")
        axis.tick_params(length=0)
        axis.grid(False)
        axis.spines[:].set_visible(False)
        axis.set_title(words("weighting", language)["weight_percent"])
        figure.finding = heat_finding(weights, lambda name: _name(name, labels))
        return figure


def rank_chart(weights: pd.DataFrame, labels: Labels | None = None, language: str = "en") -> Figure:
    """Slope graph: the rank of each indicator from method to method.

    Indicators whose rank moves by more than a tenth of the list (at least 2 places) are coloured,
    at most seven of them; the others stay grey. A method that weighs all the same has no ranks
    and is not drawn.

    Parameters
    ----------
    weights : DataFrame
        indicator, method, global_weight.
    labels, language
        As every chart takes them.
    """
    with house_style():
        wide = _wide(weights)
        wide = wide.loc[:, wide.nunique() > 1]
        # Ties keep the tree's order so that every line has a place of its own.
        rank = wide.rank(ascending=False, method="first")
        figure, axis = new_figure(
            3.6 + 0.85 * rank.shape[1], 1.6 + max(0.24 * len(rank), 0.8 + 0.2 * len(rank))
        )
        moved = rank.max(axis=1) - rank.min(axis=1)
        least = max(2.0, 0.1 * len(rank)) if len(rank) > 3 else 1.0
        told = moved[moved >= least].nlargest(len(PALETTE) - 1).index
        across = np.arange(rank.shape[1])
        for item, places in rank.iterrows():
            line = line_of(item, rank.index) if item in told else _BACKGROUND
            axis.plot(across, places, marker="o", ms=4, **line)
            for end, side, shift in ((0, "right", -7), (-1, "left", 7)):
                axis.annotate(
                    _name(item, labels), (across[end], places.iloc[end]), xytext=(shift, 0),
                    textcoords="offset points", ha=side, va="center", fontsize=8.5,
                    color=line["color"] if item in told else INK, annotation_clip=False,
                )  # fmt: skip
        axis.set_xticks(across, [_name(m, labels) for m in rank.columns], rotation=45, ha="right")
        axis.set_ylim(len(rank) + 0.6, 0.4)
        axis.yaxis.set_visible(False)
        axis.spines[["left", "bottom"]].set_visible(False)
        axis.tick_params(length=0)
        axis.set_title(words("weighting", language)["rank"])
        figure.finding = ranks_finding(weights, labels)
        return figure


def alpha_chart(
    sweep: pd.DataFrame, ranks: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure:
    """Additive combination from data (0) to experts (1): weights, and what happens to customers.

    Parameters
    ----------
    sweep : DataFrame
        alpha, indicator, global_weight. Up to eight lines are named, the heaviest.
    ranks : DataFrame
        alpha, spearman, top_decile_overlap.
    labels, language
        As every chart takes them.
    """
    text = words("weighting", language)
    with house_style():
        figure, (left, right) = new_figure(8.4, 3.8, 1, 2)
        largest = sweep.groupby("indicator", sort=False)["global_weight"].max()
        told = list(largest.nlargest(len(PALETTE)).index)
        for item, rows in sweep.groupby("indicator", sort=False):
            left.plot(
                rows["alpha"], rows["global_weight"],
                **(line_of(item, largest.index) if item in told else _BACKGROUND),
                label=_name(item, labels) if item in told else None,
            )  # fmt: skip
        left.set(title=text["weights"], ylabel=text["global_weight"], ylim=(0, None))
        handles, names = left.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8)
        # No colour of the palette: on the left those are indicators.
        right.plot(ranks["alpha"], ranks["spearman"], color=INK, lw=2, label=text["spearman"])
        right.plot(
            ranks["alpha"], ranks["top_decile_overlap"], "--", color="#7A7F85", lw=2,
            label=text["top_overlap"],
        )  # fmt: skip
        right.set(title=text["against_half"], ylim=(None, 1.02))
        right.legend(loc="best", fontsize=8)
        for axis in (left, right):
            axis.set_xlabel(text["alpha"])
            axis.grid(True, axis="both")
        figure.finding = alpha_finding(sweep, labels)
        return figure


def grade_chart(grades: pd.DataFrame, labels: Labels | None = None, language: str = "en") -> Figure:
    """Share of customers and share of value in each grade, one panel pair per method.

    Parameters
    ----------
    grades : DataFrame
        grade, share and, if known, value_share; a column method where there are several. Rows left
        blank for publication have no bars.
    labels, language
        As every chart takes them.
    """
    text = words("weighting", language)
    with house_style():
        named = "method" in grades
        methods = list(grades["method"].unique()) if named else [""]
        columns = min(3, len(methods))
        rows = -(-len(methods) // columns)
        parts = [grades[grades["method"] == m] if named else grades for m in methods]
        alike = all(list(part["grade"]) == list(parts[0]["grade"]) for part in parts)
        count = max(len(part) for part in parts)
        figure, axes = new_figure(
            2.0 + (2.5 if alike else 2.9) * columns, (0.9 + 0.36 * count) * rows + 0.4,
            rows, columns, squeeze=False, sharex=True,
        )  # fmt: skip
        for k, axis in enumerate(axes.ravel()):
            if k >= len(methods):
                axis.set_visible(False)
                continue
            table = parts[k]
            place = np.arange(len(table))
            pairs = [("share", CUSTOMERS, -0.19), ("value_share", VALUE, 0.19)]
            for column, color, shift in (pair for pair in pairs if pair[0] in table):
                bars = axis.barh(
                    place + shift, table[column], 0.36, color=color, label=text[column]
                )
                percent = ["" if np.isnan(s) else f"{100 * s:.0f}%" for s in table[column]]
                axis.bar_label(bars, percent, padding=2, fontsize=8)
            shown = not alike or k % columns == 0
            _rows(axis, [_name(g, labels) if shown else "" for g in table["grade"]])
            axis.set_ylim(len(table) - 0.5, -0.5)
            axis.set_title(_name(methods[k], labels))
            _percent(axis.xaxis)
        axes[0, 0].set_xlim(0, 1.08)
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=2)
        figure.finding = grades_finding(grades)
        return figure


def movement_chart(
    moves: pd.DataFrame, one: str, other: str, labels: Labels | None = None, language: str = "en"
) -> Figure:
    """Where the customers of each grade are by another weighting: how many in each.

    Parameters
    ----------
    moves : DataFrame
        grade_a, grade_b, customers: every pair of grades; a missing count was not published.
    one, other : str
        The weightings behind rows and columns.
    labels, language
        As every chart takes them.
    """
    text = words("weighting", language)
    grades = list(dict.fromkeys(moves["grade_a"]))
    counts = moves.pivot(index="grade_a", columns="grade_b", values="customers")
    counts = counts.reindex(index=grades, columns=grades).astype(float)
    tops = counts.max(axis=1)
    strength = counts.div(tops.where(tops > 0), axis=0)  # where a row's customers mostly are
    written = counts.map(lambda count: "" if not count > 0 else f"{count:,.0f}")
    written = written.mask(counts.isna(), "–")
    names = [_name(grade, labels) for grade in grades]
    figure = matrix_chart(
        strength, written, title=text["moved_title"], names=(names, names),
        axes_named=(_name(other, labels), _name(one, labels)),
        note=text["too_few"] if counts.isna().any(axis=None) else "",
    )  # fmt: skip
    figure.finding = moved_finding(moves, _name(one, labels), _name(other, labels))
    return figure


def stability_chart(
    stability: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure:
    """Customers of each grade by how often they keep it when the weights vary.

    Parameters
    ----------
    stability : DataFrame
        grade, and the shares below_50, from_50, from_75, from_90, from_99. Rows left blank for
        publication have no bars.
    labels, language
        As every chart takes them.
    """
    text = words("weighting", language)
    with house_style():
        figure, axis = new_figure(7.0, 3.2)
        left = np.zeros(len(stability))
        for name, color in _KEPT.items():
            share = stability[name].fillna(0).to_numpy()
            axis.barh(range(len(stability)), share, left=left, color=color, label=text[name])
            left += share
        _rows(axis, [_name(grade, labels) for grade in stability["grade"]])
        axis.invert_yaxis()
        axis.set(xlim=(0, 1), xlabel=text["of_grade"])
        _percent(axis.xaxis)
        figure.legend(loc="outside lower center", ncols=5, title=text["keeps"], fontsize=8)
        figure.finding = stability_finding(stability, lambda grade: _name(grade, labels))
        return figure


def _wide(weights: pd.DataFrame) -> pd.DataFrame:
    """Indicators by methods, both in order of appearance."""
    wide = weights.pivot(index="indicator", columns="method", values="global_weight")
    return wide.loc[weights["indicator"].unique(), list(weights["method"].unique())]


def _legend_right(figure: Figure) -> None:
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right upper", fontsize=8.5)
