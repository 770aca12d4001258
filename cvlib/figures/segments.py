"""Charts of segments and of what retention is worth: shares of value, movement, gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from cvlib.figures.decisions import curve_chart  # noqa: F401 beside the charts of its notebook
from cvlib.figures.findings import shares_finding, staying_finding
from cvlib.figures.style import (
    CUSTOMERS,
    INK,
    LINES,
    PALETTE,
    VALUE,
    Label,
    both_grids,
    house_style,
    new_figure,
    plain,
    words,
)


def retention_gain_plot(
    curve: pd.DataFrame, claim: tuple[float, float] = (0.25, 0.85), language: str = "en"
) -> Figure:
    """Gain in customer value of some points more retention, the claimed range shaded.

    Parameters
    ----------
    curve : DataFrame
        discount_rate, retention, retention_after, gain.
    claim : pair of float
        The claimed gains.
    language : str
        Of the words on the axes.
    """
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(7.0, 3.8)
        axis.axhspan(*claim, color="#FBE9DD", zorder=0)
        axis.text(
            curve["retention"].min(), claim[1] - 0.02,
            text["claim"].format(low=claim[0], high=claim[1]), color=PALETTE[1], va="top",
        )  # fmt: skip
        percent = 100 * curve["discount_rate"]
        for number, (rate, rows) in enumerate(curve.groupby(percent, sort=False)):
            axis.plot(
                rows["retention"], rows["gain"], color=PALETTE[number % len(PALETTE)], lw=1.8,
                ls=LINES[number % len(LINES)],
                label=text["discount_rate"].format(rate=rate),
            )  # fmt: skip
        points = (curve["retention_after"] - curve["retention"]).iloc[0]
        axis.set(
            xlabel=text["retention"],
            ylabel=text["gain"].format(points=round(100 * points, 6)),
            ylim=(0, min(1.3, 1.05 * curve["gain"].max())),
        )
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.yaxis.set_major_formatter(PercentFormatter(1))
        axis.legend(loc="upper left", bbox_to_anchor=(0.0, 0.62))
        both_grids(axis)
        return figure


def share_plot(
    shares: pd.DataFrame,
    group: str = "group",
    language: str = "en",
    label: Label = plain,
    *,
    fewest: int | None = None,
) -> Figure | None:
    """Share of customers beside share of value, for every tier or segment.

    Parameters
    ----------
    shares : DataFrame
        `group`, share_of_customers, share_of_value; first row on top.
    group : str
        Column of names.
    language, label
        Of the words on the axes, and what groups are called.
    fewest : int, optional
        Groups of fewer customers are left blank; the chart says so where there are any.

    Returns
    -------
    Figure or None
        None for a table that was left out.
    """
    if not shares.shape[1]:
        return None
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(6.8, 1.0 + 0.5 * len(shares))
        place = np.arange(len(shares))[::-1].astype(float)
        for shift, column, color, hatch in (
            (0.19, "share_of_customers", CUSTOMERS, ""),
            (-0.19, "share_of_value", VALUE, "//"),
        ):
            known = shares[column].astype(float)
            bars = axis.barh(
                place + shift, known.fillna(0.0), 0.36, color=color, hatch=hatch,
                label=text[column], edgecolor="white", lw=0,
            )  # fmt: skip
            # a group too small to be published keeps its place without numbers
            axis.bar_label(bars, [f"{v:.1%}" if v == v else "–" for v in known], padding=3)
        axis.set_yticks(place, [label(name) for name in shares[group]])
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.margins(x=0.12)
        axis.set_xlabel(text["percent_of_all"])
        handles = axis.get_legend_handles_labels()[0]
        if shares[["share_of_customers", "share_of_value"]].isna().any(axis=None):
            handles.append(_blank(text, fewest))
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        figure.finding = shares_finding(shares, group, label)
        return figure


def transition_plot(
    transitions: pd.DataFrame,
    order: Sequence[str],
    language: str = "en",
    label: Label = plain,
    *,
    fewest: int | None = None,
) -> Figure:
    """Movement between segments: share of each row's customers found in each column later.

    Parameters
    ----------
    transitions : DataFrame
        from_segment, to_segment, share.
    order : sequence of str
        Order of segments; "new" is put last among the rows.
    language, label
        Of the words on the axes, and what segments are called.
    fewest : int, optional
        Cells of fewer customers are left blank; the chart says so where there are any.
    """
    text = words("lifetime", language)
    with house_style():
        table = transitions.pivot(index="from_segment", columns="to_segment", values="share")
        rows = [name for name in [*order, "new"] if name in table.index]
        columns = [name for name in order if name in table.columns]
        met = transitions.pivot(index="from_segment", columns="to_segment", values="to_segment")
        met = met.reindex(index=rows, columns=columns).notna()
        grid = table.reindex(index=rows, columns=columns)
        blank = met & grid.isna()  # too few customers to be published
        written = grid.map(lambda share: "" if share != share else f"{share:.0%}").mask(blank, "–")
        figure, axis = new_figure(max(4.4, 2.2 + 0.85 * len(columns)), 1.9 + 0.4 * len(rows))
        axis.imshow(grid.fillna(0.0), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), word in np.ndenumerate(written.to_numpy(dtype=object)):
            if word:
                color = "white" if grid.iloc[row, column] > 0.55 else INK
                axis.text(column, row, word, ha="center", va="center", fontsize=8.5, color=color)
        axis.set_xticks(range(len(columns)), [label(c).replace(" ", "\n") for c in columns])
        axis.set_yticks(range(len(rows)), [label(r) for r in rows])
        axis.set(xlabel=text["later"], ylabel=text["before"])
        axis.set_title(text["percent_of_row"], fontsize=9)
        axis.grid(False)
        if blank.any(axis=None):
            figure.legend(handles=[_blank(text, fewest)], loc="outside lower left", fontsize=8.5)
        figure.finding = staying_finding(grid, label)
        return figure


def _blank(text: dict[str, str], fewest: int | None) -> Line2D:
    """An entry of a legend that says what a dash means."""
    said = text["too_few"] if fewest is None else text["fewer_than"].format(fewest=fewest)
    return Line2D([], [], color=INK, ls="", marker="_", ms=5, label=said)
