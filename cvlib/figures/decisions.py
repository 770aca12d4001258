"""Charts of service and decisions: estimates with intervals, maps of points, chains, networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cvlib.figures.highlights import (
    chain_finding,
    corner_finding,
    curve_finding,
    ends_finding,
    network_finding,
)
from cvlib.figures.names import name_points
from cvlib.figures.style import (
    FAINT,
    INK,
    PALETTE,
    Label,
    both_grids,
    house_style,
    new_figure,
    plain,
    short,
    two_lines,
    words,
)

_NAMED = 14  # points that can bear their names without covering each other


def interval_chart(
    table: pd.DataFrame,
    name: str,
    value: str,
    axis: str,
    *,
    limits: tuple[str, str] = ("ci_low", "ci_high"),
    by: str = "",
    language: str = "en",
    label: Label = plain,
) -> Figure:
    """Estimates as points with their intervals, one row a name, groups in colours.

    Parameters
    ----------
    table : DataFrame
        `name`, `value`, the two `limits` and, with groups, `by`.
    name, value, by : str
        Columns.
    axis : str
        Which words stand on the axis.
    limits : pair of str
        Columns of the limits; those the table lacks are not drawn.
    language, label
        Of the words, and what names are called.
    """
    text = words("decisions", language)
    names = list(dict.fromkeys(table[name]))
    groups = list(dict.fromkeys(table[by])) if by else [""]
    with house_style():
        figure, axes = new_figure(6.8, 1.2 + 0.34 * len(names) * max(1, 0.6 * len(groups)))
        for k, group in enumerate(groups):
            rows = table[table[by] == group] if by else table
            shift = (k - (len(groups) - 1) / 2) * 0.22
            at = np.array([len(names) - 1 - names.index(each) for each in rows[name]]) - shift
            if set(limits) <= set(rows.columns):
                axes.hlines(at, rows[limits[0]], rows[limits[1]], color=PALETTE[k], lw=1.8)
            axes.plot(rows[value], at, "osD^v"[k % 5], color=PALETTE[k], ms=5,
                      label=label(str(group)))  # fmt: skip
        axes.axvline(0, color=FAINT, lw=1)
        axes.set_yticks(range(len(names)), [short(label(str(each))) for each in names[::-1]])
        axes.set_xlabel(text[axis])
        if by:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        else:
            figure.finding = ends_finding(table, name, value, label)
        return figure


def point_map(
    table: pd.DataFrame,
    name: str,
    across: str,
    up: str,
    *,
    line: tuple[str, str] | None = None,
    equal: bool = False,
    language: str = "en",
    label: Label = plain,
) -> Figure:
    """Named points on a plane.

    Parameters
    ----------
    table : DataFrame
        `name`, `across`, `up` and the columns of `line`.
    name, across, up : str
        Columns; the axes bear the words of the columns.
    line : pair of str, optional
        Columns of a line to draw beneath.
    equal : bool
        Whether the line across = up is drawn.
    language, label
        Of the words, and what names are called.
    """
    text = words("decisions", language)
    with house_style():
        figure, axes = new_figure(6.4, 4.2)
        if line:
            ordered = table.sort_values(line[0])
            axes.plot(ordered[line[0]], ordered[line[1]], color=FAINT, lw=1.4, label=text["line"])
            axes.legend(loc="best")
        if equal:
            ends = [table[[across, up]].min().min(), table[[across, up]].max().max()]
            axes.plot(ends, ends, color=FAINT, lw=1, ls="--")
        axes.plot(table[across], table[up], "o", color=PALETTE[0], ms=7)
        named = table if len(table) <= _NAMED else table.head(0)
        axes.margins(0.16)
        axes.set(xlabel=text[across], ylabel=text[up])
        shown = [short(label(str(each)), 24) for each in named[name]]
        name_points(axes, table[across].to_numpy(float), table[up].to_numpy(float), shown, size=8.5)
        both_grids(axes)
        said = (text[across], text[up])
        figure.finding = corner_finding(table, name, (across, up), said, label)
        return figure


def chain_map(
    links: pd.DataFrame, codes: pd.DataFrame, language: str = "en", label: Label = plain
) -> Figure:
    """Hierarchical value map: attributes below, consequences, values on top; width counts links.

    Parameters
    ----------
    links : DataFrame
        from_code, to_code, direct, shown.
    codes : DataFrame
        code, level (A, C, V), in the order in which they are drawn.
    language, label
        Of the words, and what codes are called.
    """
    text = words("decisions", language)
    kept = links[links["shown"]]
    used = codes[codes["code"].isin({*kept["from_code"], *kept["to_code"]})]
    place: dict[str, tuple[float, float]] = {}
    for height, level in enumerate("ACV"):
        row = used[used["level"] == level]["code"].tolist()
        place |= {code: ((k + 0.5) / len(row), height) for k, code in enumerate(row)}
    most = max(int(kept["direct"].max()) if len(kept) else 1, 1)
    with house_style():
        figure, axes = new_figure(7.4, 4.4)
        for row in kept.itertuples():
            (x0, y0), (x1, y1) = place[row.from_code], place[row.to_code]
            axes.plot([x0, x1], [y0 + 0.06, y1 - 0.06], color=PALETTE[0], alpha=0.75,
                      lw=0.8 + 5 * row.direct / most, solid_capstyle="round")  # fmt: skip
            # a third of the way up: in the middle lines cross
            axes.text(
                x0 + (x1 - x0) / 3,
                y0 + (y1 - y0) / 3,
                str(row.direct),
                fontsize=8,
                ha="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
        for code, (x, y) in place.items():
            axes.text(
                x,
                y,
                short(label(code), 22),
                ha="center",
                va="center",
                fontsize=9,
                bbox={"facecolor": "white", "edgecolor": INK, "boxstyle": "round"},
            )
        axes.set_yticks(range(3), [text["attributes"], text["consequences"], text["values"]])
        axes.set(xlim=(0, 1), ylim=(-0.3, 2.3), xticks=[])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.grid(False)
        figure.finding = chain_finding(links, label)
        return figure


def network_chart(
    nodes: pd.DataFrame, edges: pd.DataFrame, language: str = "en", label: Label = plain
) -> Figure:
    """Customers and their ties: size is network value, colour Burt's constraint.

    Parameters
    ----------
    nodes : DataFrame
        customer, x, y, network_value, constraint; the first ten are named.
    edges : DataFrame
        from_code, to_code.
    language, label
        Of the words, and what customers are called.
    """
    text = words("decisions", language)
    place = nodes.set_index("customer")[["x", "y"]]
    with house_style():
        figure, axes = new_figure(7.2, 5.0)
        for row in edges.itertuples():
            ends = place.loc[[row.from_code, row.to_code]]
            axes.plot(ends["x"], ends["y"], color=FAINT, lw=0.8, zorder=1)
        size = 30 + 600 * nodes["network_value"] / nodes["network_value"].max()
        dots = axes.scatter(nodes["x"], nodes["y"], s=size, c=nodes["constraint"], cmap="cividis",
                            edgecolor="white", zorder=2)  # fmt: skip
        figure.colorbar(dots, ax=axes, label=text["constraint"], shrink=0.8)
        axes.margins(0.1)
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        axes.spines[:].set_visible(False)
        shown = [short(label(each), 22) for each in nodes["customer"].head(10)]
        name_points(axes, nodes["x"].to_numpy(float), nodes["y"].to_numpy(float), shown, size=8)
        figure.finding = network_finding(nodes, label)
        return figure


def bar_groups(
    table: pd.DataFrame,
    name: str,
    columns: Sequence[str],
    axis: str,
    *,
    language: str = "en",
    label: Label = plain,
) -> Figure:
    """Several numbers of each name as bars side by side.

    Parameters
    ----------
    table : DataFrame
        `name` and the columns.
    name : str
        Column of names, first on top.
    columns : sequence of str
        One bar each.
    axis : str
        Which words stand on the axis.
    language, label
        Of the words, and what names and columns are called.
    """
    text = words("decisions", language)
    height = 0.8 / len(columns)
    with house_style():
        figure, axes = new_figure(6.8, 1.2 + 0.24 * len(table) * (1 + len(columns)))
        at = np.arange(len(table))[::-1].astype(float)
        for k, column in enumerate(columns):
            shift = ((len(columns) - 1) / 2 - k) * height
            axes.barh(at + shift, table[column].fillna(0), height * 0.92, color=PALETTE[k],
                      label=text.get(column, label(column)))  # fmt: skip
        axes.set_yticks(at, [two_lines(label(str(each))) for each in table[name]])
        axes.set_xlabel(text[axis])
        if len(columns) > 1:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        first, second = columns[0], columns[min(1, len(columns) - 1)]
        said = (text.get(first, label(first)), text.get(second, label(second)))
        figure.finding = (
            ends_finding(table, name, first, label)
            if len(columns) == 1
            else corner_finding(table, name, (first, second), said, label)
        )
        return figure


def curve_chart(
    table: pd.DataFrame, across: str, lines: Sequence[str], up: str, *, language: str = "en"
) -> Figure:
    """Lines over one judged number.

    Parameters
    ----------
    table : DataFrame
        `across` and the lines.
    across : str
        Column of the judged number.
    lines : sequence of str
        Columns, one line each.
    up : str
        Which words stand on the vertical axis.
    language : str
        Of the words.
    """
    text = words("decisions", language)
    with house_style():
        figure, axes = new_figure(6.4, 3.6)
        for k, column in enumerate(lines):
            axes.plot(table[across], table[column], "o-", color=PALETTE[k], ms=4,
                      label=text[column])  # fmt: skip
        axes.set(xlabel=text[across], ylabel=text[up])
        if len(lines) > 1:
            axes.legend(loc="best")
        both_grids(axes)
        figure.finding = curve_finding(table, across, lines[0], text[lines[0]])
        return figure
