"""Charts of the further sections: slopes, regions, segments, ceilings, the combined map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cvlib.figures.names import name_points
from cvlib.figures.satisfaction import plain_rows
from cvlib.figures.style import FAINT, INK, PALETTE, PAPER, house_style, new_figure, words

Labels = Mapping[str, str]
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")


def slopes_chart(
    table: pd.DataFrame, labels: Labels | None = None, *, language: str = "en", level: float = 0.95
) -> Figure:
    """Simple slopes: the effect's line at some values of the moderator, with bands.

    Parameters
    ----------
    table : DataFrame
        source, moderator, target, moderator_at, slope, ci_low, ci_high.
    labels : mapping, optional
        Construct name to the label shown.
    language : str
        Of the words on the axes.
    level : float
        Confidence of the bands.
    """
    text, known = words("further", language), labels or {}
    groups = list(table.groupby(["source", "moderator", "target"], sort=False))
    x = np.array([-2.0, 2.0])
    with house_style():
        figure, axes = new_figure(4.6 * len(groups) + 0.6, 3.9, 1, len(groups), squeeze=False)
        for axis, ((source, moderator, target), own) in zip(axes[0], groups, strict=True):
            for number, row in enumerate(own.to_dict("records")):
                colour, at = PALETTE[number], row["moderator_at"]
                name = known.get(moderator, moderator)
                said = text["at" if at else "at_mean"].format(name=name, value=at)
                axis.fill_between(x, row["ci_low"] * x, row["ci_high"] * x, color=colour,
                                  alpha=0.10, lw=0)  # fmt: skip
                axis.plot(x, row["slope"] * x, color=colour, ls=LINES[number], label=said)
            axis.set_xlabel(text["score"].format(name=known.get(source, source)))
            axis.set_ylabel(text["score"].format(name=known.get(target, target)))
            axis.legend(loc="best", title=text["bands"].format(level=level))
    return figure


def johnson_neyman_chart(
    bands: pd.DataFrame,
    regions: pd.DataFrame,
    labels: Labels | None = None,
    *,
    language: str = "en",
    level: float = 0.95,
) -> Figure:
    """The slope against the moderator, its band, and shaded where it differs from zero.

    Parameters
    ----------
    bands : DataFrame
        source, moderator, target, moderator_at, slope, ci_low, ci_high along the observed range.
    regions : DataFrame
        From `johnson_neyman`, one row per interaction.
    labels : mapping, optional
        Construct name to the label shown.
    language : str
        Of the words on the axes.
    level : float
        Confidence of the band.
    """
    text, known = words("further", language), labels or {}
    keys = ["source", "moderator", "target"]
    groups = list(bands.groupby(keys, sort=False))
    with house_style():
        figure, axes = new_figure(4.6 * len(groups) + 0.6, 3.7, 1, len(groups), squeeze=False)
        for axis, (names, own), region in zip(
            axes[0], groups, regions.to_dict("records"), strict=True
        ):
            source, moderator, target = (known.get(name, name) for name in names)
            at = own["moderator_at"].to_numpy()
            # the band touches zero at a root: the shade begins there
            clear = ((own["ci_low"] > -1e-9) | (own["ci_high"] < 1e-9)).to_numpy()
            axis.plot(at, own["slope"], color=PALETTE[0])
            axis.fill_between(at, own["ci_low"], own["ci_high"], color=PALETTE[0], alpha=0.15, lw=0)
            if clear.any():
                axis.fill_between(
                    at,
                    0,
                    1,
                    where=clear.tolist(),
                    color=PALETTE[2],
                    alpha=0.12,
                    lw=0,
                    transform=axis.get_xaxis_transform(),
                    label=text["region"],
                )
                axis.legend(loc="best")
            for root in (region["root_1"], region["root_2"]):
                if at[0] < root < at[-1]:
                    axis.axvline(root, color=INK, lw=1, ls=(0, (4, 3)))
                    axis.annotate(
                        f"{root:.2f}",
                        (root, 0.02),
                        (4, 0),
                        ha="left",
                        va="bottom",
                        xycoords=axis.get_xaxis_transform(),
                        textcoords="offset points",
                    )
            axis.axhline(0, color=INK, lw=0.8)
            axis.set_xlabel(text["score"].format(name=moderator))
            said = text["slope"].format(source=source, target=target)
            axis.set_ylabel(text["interval"].format(name=said, level=level))
    return figure


def segments_chart(
    table: pd.DataFrame, labels: Labels | None = None, *, language: str = "en"
) -> Figure:
    """Every path in every segment, beside all respondents together.

    Parameters
    ----------
    table : DataFrame
        segment, share, source, target, estimate, together.
    labels : mapping, optional
        Construct name to the label shown.
    language : str
        Of the words on the axes.
    """
    text, known = words("further", language), labels or {}
    pairs = list(table[["source", "target"]].drop_duplicates().itertuples(index=False, name=None))
    rows = {pair: len(pairs) - 1 - n for n, pair in enumerate(pairs)}
    at = np.array([rows[pair] for pair in zip(table["source"], table["target"], strict=True)])
    with house_style():
        figure, axis = new_figure(6.8, 0.42 * len(pairs) + 1.5)
        axis.axvline(0, color=INK, lw=0.8)
        low = table.groupby(["source", "target"])["estimate"].agg(["min", "max"])
        for pair, row in rows.items():
            axis.hlines(row, low.loc[pair, "min"], low.loc[pair, "max"], color=FAINT, lw=2)
        axis.scatter(table["together"], at, marker="|", s=160, color=INK, label=text["together"])
        for number, (segment, own) in enumerate(table.groupby("segment")):
            said = text["segment"].format(number=segment, share=own["share"].iloc[0])
            axis.scatter(own["estimate"], at[table.index.get_indexer(own.index)], s=48, label=said,
                         color=PALETTE[number], marker=MARKERS[number % 4], edgecolor=PAPER,
                         zorder=3)  # fmt: skip
        names = [f"{known.get(a, a)} → {known.get(b, b)}" for a, b in pairs]
        axis.set(yticks=list(rows.values()), yticklabels=names)
        axis.set_xlabel(text["path_coefficient"])
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
        plain_rows(axis)
    return figure


def necessity_chart(
    points: pd.DataFrame,
    steps: pd.DataFrame,
    labels: Labels | None = None,
    *,
    target: str = "",
    language: str = "en",
) -> Figure:
    """Scatter of the target against each driver, with both ceilings over the empty corner.

    Parameters
    ----------
    points : DataFrame
        One row per respondent: indices of the drivers and of the target.
    steps : DataFrame
        construct, x, ce_fdh, cr_fdh.
    labels : mapping, optional
        Construct name to the label shown.
    target : str
        The outcome.
    language : str
        Of the words on the axes.
    """
    text, known = words("further", language), labels or {}
    drivers = list(dict.fromkeys(steps["construct"]))
    columns = min(3, len(drivers))
    lines = -(-len(drivers) // columns)
    with house_style():
        figure, axes = new_figure(3.3 * columns + 0.6, 3.1 * lines + 0.4, lines, columns,
                                  squeeze=False, sharey=True)  # fmt: skip
        for axis, name in zip(axes.flat, drivers, strict=False):
            own = steps[steps["construct"] == name]
            axis.scatter(points[name], points[target], s=12, color="#7F9FBA", lw=0)
            axis.step(own["x"], own["ce_fdh"], where="post", color=PALETTE[1], lw=1.6,
                      label=text["ce_fdh"])  # fmt: skip
            shown = own[own["cr_fdh"].between(0, 100)]
            if len(shown) > 1:
                axis.plot(shown["x"], shown["cr_fdh"], color=PALETTE[2], ls="--", lw=1.4,
                          label=text["cr_fdh"])  # fmt: skip
            axis.set_xlabel(text["index"].format(name=known.get(name, name)))
        for axis in axes.flat[len(drivers) :]:
            axis.set_visible(False)
        for row in axes:
            row[0].set_ylabel(text["index"].format(name=known.get(target, target)))
        handles = {
            label: handle
            for axis in axes.flat[: len(drivers)]
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=2)
    return figure


def combined_map(
    table: pd.DataFrame, labels: Labels | None = None, *, target: str = "", language: str = "en"
) -> Figure:
    """Importance-performance map whose bubbles say how many respondents lie below what is needed.

    Parameters
    ----------
    table : DataFrame
        construct, importance, performance, necessary, share_below, wished.
    labels : mapping, optional
        Construct name to the label shown.
    target : str
        The construct the importance refers to.
    language : str
        Of the words on the axes.
    """
    text, known = words("further", language), labels or {}
    across, up = table["importance"].to_numpy(float), table["performance"].to_numpy(float)
    size = 60 + 500 * table["share_below"].to_numpy(float)
    needed = table["necessary"].to_numpy(bool)
    with house_style():
        figure, axis = new_figure(6.4, 4.8)
        axis.axvline(across.mean(), color=FAINT, lw=1, ls=(0, (4, 3)))
        axis.axhline(up.mean(), color=FAINT, lw=1, ls=(0, (4, 3)))
        colours: list[Any] = [PALETTE[1] if one else PAPER for one in needed]
        axis.scatter(across, up, s=size, color=colours, edgecolor=PALETTE[1], zorder=3)
        axis.margins(0.25)
        axis.set_xlabel(text["importance"].format(target=known.get(target, target)))
        axis.set_ylabel(text["performance"])
        figure.supxlabel(text["bubble"].format(wished=float(table["wished"].iloc[0])), fontsize=8)
        names = [
            f"{known.get(row['construct'], row['construct'])} ({row['share_below']:.0%})"
            if row["necessary"] else str(known.get(row["construct"], row["construct"]))
            for row in table.to_dict("records")
        ]  # fmt: skip
        name_points(axis, across, up, names)
    return figure
