"""Charts of segments and of what retention is worth: shares of value, movement, gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

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


def share_plot(
    shares: pd.DataFrame, group: str = "group", language: str = "en", label: Label = plain
) -> Figure:
    """Share of customers beside share of value, for every tier or segment.

    Parameters
    ----------
    shares : DataFrame
        `group`, share_of_customers, share_of_value; first row on top.
    group : str
        Column of names.
    language, label
        Of the words on the axes, and what groups are called.
    """
    text = words("lifetime", language)
    with house_style():
        figure, axis = new_figure(6.8, 1.0 + 0.5 * len(shares))
        place = np.arange(len(shares))[::-1].astype(float)
        for shift, column, color, hatch in (
            (0.19, "share_of_customers", FAINT, ""),
            (-0.19, "share_of_value", PALETTE[0], "//"),
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
        axis.legend(loc="best")
        return figure


def transition_plot(
    transitions: pd.DataFrame,
    order: Sequence[str],
    language: str = "en",
    label: Label = plain,
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
    """
    text = words("lifetime", language)
    with house_style():
        table = transitions.pivot(index="from_segment", columns="to_segment", values="share")
        rows = [name for name in [*order, "new"] if name in table.index]
        columns = [name for name in order if name in table.columns]
        met = transitions.pivot(index="from_segment", columns="to_segment", values="to_segment")
        met = met.reindex(index=rows, columns=columns).notna()
        grid = table.reindex(index=rows, columns=columns).fillna(0.0)
        figure, axis = new_figure(1.9 + 0.85 * len(columns), 1.5 + 0.4 * len(rows))
        axis.imshow(grid, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(grid.to_numpy()):
            if met.iloc[row, column]:  # a group too small to be published shows a dash
                axis.text(
                    column, row, f"{value:.0%}" if value > 0 else "–", ha="center", va="center",
                    fontsize=8.5, color="white" if value > 0.55 else INK,
                )  # fmt: skip
        axis.set_xticks(range(len(columns)), [label(c).replace(" ", "\n") for c in columns])
        axis.set_yticks(range(len(rows)), [label(r) for r in rows])
        axis.set(xlabel=text["later"], ylabel=text["before"])
        axis.grid(False)
        return figure


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
