"""Charts of comparisons: models, groups and waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cvlib.figures.findings import pairs_finding
from cvlib.figures.highlights import (
    decomposition_finding,
    league_finding,
    models_finding,
    trend_finding,
)
from cvlib.figures.matrix import matrix_chart
from cvlib.figures.style import FAINT, INK, PALETTE, house_style, new_figure, two_lines, words

MOST_NAMED = 8


def models_chart(
    index: pd.DataFrame,
    losses: Mapping[str, pd.DataFrame],
    *,
    language: str = "en",
    level: float = 0.95,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Models side by side: their index, and how much worse than the best they predict.

    Parameters
    ----------
    index : DataFrame
        model, index and, with draws, ci_low and ci_high of one construct.
    losses : mapping
        Label of an outcome to a table model, best, difference, ci_low, ci_high.
    language : str
        Of the words.
    level : float
        Of the intervals.
    titles : mapping, optional
        Name of a model to the title shown.
    """
    text, names = words("groups", language), list(index["model"])
    rows = np.arange(len(names))[::-1].astype(float)
    interval = text["interval"].format(name=text["index"], level=level)
    with house_style():
        figure, axes = new_figure(
            9.0, 0.42 * len(names) + 1.9, columns=1 + len(losses), sharey=True, squeeze=False
        )
        first, *others = axes[0]
        _points(first, rows, index, "index", PALETTE[0])
        first.set_yticks(rows, [two_lines((titles or {}).get(name, name)) for name in names])
        first.set(xlabel=interval, title=text["level"])
        for panel, (outcome, table) in zip(others, losses.items(), strict=True):
            place = [rows[names.index(name)] for name in table["model"]]
            _points(panel, np.array(place), table, "difference", PALETTE[1])
            best = table["best"].iloc[0]
            panel.plot(0, rows[names.index(best)], "D", color=PALETTE[2], ms=7, gid="best")
            panel.axvline(0, color=INK, lw=0.8)
            panel.set_title(outcome)
            panel.set(xlabel=text["loss"])
        for panel in axes[0]:
            _plain_rows(panel)
        first.set_ylim(-0.6, len(names) - 0.4)
        if losses:
            figure.legend(handles=_signs(text, level), loc="outside lower center", ncols=2,
                          fontsize=8.5)  # fmt: skip
        figure.finding = models_finding(index, losses)
    return figure


def league_chart(
    league: pd.DataFrame, group: str, *, language: str = "en", level: float = 0.95
) -> Figure:
    """Groups from the highest index down, by pooled and own weights, with rank and letters.

    Parameters
    ----------
    league : DataFrame
        weights, the column `group`, index, rank, rank_ci_low, rank_ci_high and, where known,
        ci_low, ci_high and letters.
    group : str
        The column with the groups' names.
    language : str
        Of the words.
    level : float
        Of the intervals.
    """
    text = words("groups", language)
    pooled = league[league["weights"] == "pooled"]
    names = [str(name) for name in pooled[group]]
    rows = np.arange(len(names))[::-1].astype(float)
    with house_style():
        figure, axes = new_figure(7.4, 0.4 * len(names) + 1.7)
        for shift, (weights, colour) in zip(
            (0.13, -0.13), (("pooled", PALETTE[0]), ("own", PALETTE[4])), strict=True
        ):
            own = league[league["weights"] == weights]
            place = np.array([rows[names.index(str(name))] for name in own[group]])
            _points(axes, place + shift, own, "index", colour, text[weights])
        axes.set_yticks(rows, names)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel(text["interval"].format(name=text["index"], level=level))
        ranks = [_rank(a, b) for a, b in
                 zip(pooled["rank_ci_low"], pooled["rank_ci_high"], strict=True)]  # fmt: skip
        letters = pooled.get("letters", pd.Series("", index=pooled.index))
        letters = letters.mask(pooled["index"].isna(), "")
        at = axes.get_yaxis_transform()
        axes.text(1.03, 1.01, text["rank"], transform=axes.transAxes, va="bottom", weight="bold")
        for row, rank, letter in zip(rows, ranks, letters, strict=True):
            axes.text(1.03, row, rank, transform=at, va="center", gid="rank")
            axes.text(1.13, row, letter, transform=at, va="center", gid="letters")
        if "letters" in pooled:
            axes.text(1.13, 1.01, "abc", transform=axes.transAxes, va="bottom", weight="bold")
            figure.supxlabel(text["letters"], fontsize=8, x=0.99, ha="right")
        figure.legend(loc="outside upper left", ncols=2)
        _plain_rows(axes)
        figure.finding = league_finding(league, group)
    return figure


def difference_matrix(pairwise: pd.DataFrame, *, language: str = "en") -> Figure | None:
    """Every group against every other: row less column, in colour where they are told apart.

    Parameters
    ----------
    pairwise : DataFrame
        group_1, group_2, weights, difference (first less second) and different; pooled weights
        are drawn.
    language : str
        Of the words.

    Returns
    -------
    Figure or None
        None where there are fewer than three groups.
    """
    own = pairwise[pairwise["weights"] == "pooled"] if len(pairwise) else pairwise
    if len(own) < 3:
        return None
    text = words("groups", language)
    names = list(dict.fromkeys([*own["group_1"], *own["group_2"]]))
    grid = pd.DataFrame(np.nan, index=names, columns=names)
    written = pd.DataFrame("", index=names, columns=names, dtype=object)
    for row in own.itertuples(index=False):
        for a, b, gap in (
            (row.group_1, row.group_2, row.difference), (row.group_2, row.group_1, -row.difference),
        ):  # fmt: skip
            grid.loc[a, b] = gap if row.different else 0.0
            sign = f"{gap:+.1f}"
            written.loc[a, b] = sign if row.different else f"({sign})"
    written = written.map(lambda cell: cell.replace("-", "−"))
    most = max(float(grid.abs().max(axis=None)), 1e-9)
    figure = matrix_chart(
        grid, written, colours="PuOr", reach=(-most, most), title=text["row_less_column"],
        note=text["not_apart"], names=([str(n) for n in names], [str(n) for n in names]),
    )  # fmt: skip
    figure.finding = pairs_finding(own["different"].to_numpy(bool))
    return figure


def trend_chart(
    series: pd.DataFrame, *, everybody: str = "(all)", language: str = "en", level: float = 0.95
) -> Figure:
    """An index over the waves: everybody in ink, groups in colour (faint where there are many).

    Parameters
    ----------
    series : DataFrame
        group, wave, index and, with draws, ci_low and ci_high; one kind of series.
    everybody : str
        The group that stands for all respondents.
    language : str
        Of the words.
    level : float
        Of the intervals.
    """
    text = words("groups", language)
    waves = list(dict.fromkeys(series["wave"]))
    groups = [name for name in dict.fromkeys(series["group"]) if name != everybody]
    few = len(groups) <= MOST_NAMED
    with house_style():
        figure, axes = new_figure(7.4, 4.2)
        for number, name in enumerate([*groups, everybody]):
            own = series[series["group"] == name]
            if own.empty:
                continue
            whole = name == everybody
            colour = INK if whole else PALETTE[number % len(PALETTE)] if few else FAINT
            shift = 0.0 if whole else 0.05 * (number - (len(groups) - 1) / 2) * few
            at = np.array([waves.index(wave) for wave in own["wave"]]) + shift
            label = text["everybody"] if whole else name
            axes.plot(
                at, own["index"], "o-", color=colour, lw=2.4 if whole else 1.4, ms=5,
                label=label if whole or few else None, gid="series", zorder=3 if whole else 2,
            )  # fmt: skip
            if "ci_low" in own and (few or whole):
                axes.vlines(at, own["ci_low"], own["ci_high"], color=colour, lw=1.2)
        axes.set_xticks(range(len(waves)), [str(wave) for wave in waves])
        axes.set_xlim(-0.35, len(waves) - 0.65)
        axes.set_ylabel(text["interval"].format(name=text["index"], level=level))
        axes.grid(visible=False, axis="x")
        figure.legend(loc="outside right upper")
        figure.finding = trend_finding(series, everybody)
    return figure


def decomposition_chart(
    decomposition: pd.DataFrame, *, everybody: str = "(all)", language: str = "en"
) -> Figure:
    """The last change of every group's index: what answers and what weights contributed.

    Parameters
    ----------
    decomposition : DataFrame
        group, from_wave, to_wave, component (change, answers, weights), estimate and, with draws,
        ci_low and ci_high.
    everybody : str
        The group that stands for all respondents.
    language : str
        Of the words.
    """
    text = words("groups", language)
    last = decomposition[decomposition["to_wave"] == decomposition["to_wave"].iloc[-1]]
    names = list(dict.fromkeys(last["group"]))
    rows = np.arange(len(names))[::-1].astype(float)
    with house_style():
        figure, axes = new_figure(7.4, 0.5 * len(names) + 1.5)
        for shift, component, colour in (
            (0.18, "answers", PALETTE[0]), (-0.18, "weights", PALETTE[4]),
        ):  # fmt: skip
            own = last[last["component"] == component]
            axes.barh(rows + shift, own["estimate"], height=0.34, color=colour,
                      label=text[component])  # fmt: skip
        whole = last[last["component"] == "change"]
        _points(axes, rows, whole, "estimate", INK, text["whole"])
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(rows, [text["everybody"] if n == everybody else n for n in names])
        row = last.iloc[0]
        axes.set_xlabel(text["change"].format(from_wave=row["from_wave"], to_wave=row["to_wave"]))
        figure.legend(loc="outside upper left", ncols=3)
        _plain_rows(axes)
        figure.finding = decomposition_finding(last, everybody)
    return figure


def _signs(text: Mapping[str, str], level: float) -> list[Line2D]:
    """Entries of a legend: the best model, and how much worse another predicts."""
    return [
        Line2D([], [], color=PALETTE[2], marker="D", ls="", ms=7, label=text["best"]),
        Line2D([], [], color=PALETTE[1], marker="o", lw=1.6,
               label=text["interval"].format(name=text["worse"], level=level)),
    ]  # fmt: skip


def _rank(low: float, high: float) -> str:
    """A rank or a range of ranks; nothing where it is not published."""
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


def _points(
    axes: Any, rows: np.ndarray, table: pd.DataFrame, value: str, colour: str, label: str = ""
) -> None:
    if "ci_low" in table:
        axes.hlines(rows, table["ci_low"], table["ci_high"], color=colour, lw=1.6)
    axes.plot(table[value], rows, "o", color=colour, ms=6, label=label or None, gid="value")


def _plain_rows(axes: Any) -> None:
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
