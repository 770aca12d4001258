"""A table of numbers as a coloured grid, each cell with its number: one look for every matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cvlib.figures.style import INK, PAPER, PageFigure, house_style, new_figure

_DARK = 0.55  # of the scale: beyond it, ink is white


def matrix_chart(
    grid: pd.DataFrame,
    written: pd.DataFrame,
    *,
    colours: str = "Blues",
    reach: tuple[float, float] = (0.0, 1.0),
    axes_named: tuple[str, str] = ("", ""),
    title: str = "",
    note: str = "",
    names: tuple[Sequence[str], Sequence[str]] | None = None,
) -> PageFigure:
    """Draw a grid.

    Parameters
    ----------
    grid : DataFrame
        Numbers that colour the cells; missing ones stay white.
    written : DataFrame
        Of the same shape: what stands in each cell.
    colours : str
        Colour map of matplotlib.
    reach : pair of float
        Numbers at its ends.
    axes_named : pair of str
        What goes across, and what goes down.
    title, note : str
        Above, and below.
    names : pair of sequence of str, optional
        Of columns and rows; their own names where not given.
    """
    columns, rows = names or ([str(c) for c in grid.columns], [str(r) for r in grid.index])
    values = grid.to_numpy(dtype=float)
    size = np.array([len(columns), len(rows)])
    with house_style():
        wide = 1.9 + max(0.52 * size[0], 2.4)
        figure, axis = new_figure(min(wide, 9.4), 1.4 + 0.36 * size[1] + (0.3 if note else 0.0))
        axis.imshow(
            np.ma.masked_invalid(values), cmap=colours, vmin=reach[0], vmax=reach[1], aspect="auto"
        )
        middle = sum(reach) / 2 if reach[0] < 0 else reach[0]
        for (row, column), word in np.ndenumerate(written.to_numpy(dtype=object)):
            if word:
                far = abs(values[row, column] - middle) / max(reach[1] - middle, 1e-12)
                axis.text(
                    column, row, word, ha="center", va="center", gid="value",
                    fontsize=8.5 if size[0] < 14 else 7.0, color=PAPER if far > _DARK else INK,
                )  # fmt: skip
        turned = sum(len(name) for name in columns) > 60
        axis.set_xticks(
            range(len(columns)), columns, rotation=35 if turned else 0,
            ha="right" if turned else "center",
        )  # fmt: skip
        axis.set_yticks(range(len(rows)), rows)
        axis.set(xlabel=axes_named[0], ylabel=axes_named[1])
        axis.set_title(title, fontsize=9)
        axis.grid(False)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        if note:
            figure.text(0.01, 0.0, note, ha="left", va="bottom", fontsize=8)
            figure.set_layout_engine("constrained", rect=(0, 0.08, 1, 0.92))
    return figure
