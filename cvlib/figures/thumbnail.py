"""A figure drawn anew for a small card: its marks, without what is too small to read there."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, MaxNLocator

from cvlib.figures.style import house_style, short

SIZE, DPI = (3.4, 1.9), 200  # inches; twice the pixels of the place they stand in
_LETTERS = 7.5
_MOST_NAMES, _LONGEST_NAME = 6, 12


def write_thumbnail(figures: Mapping[str, Figure], hero: str, target: Path) -> None:
    """Write a figure as a PNG made for a card; the figure itself stays as it is.

    Legends, titles, notes and labels go, ticks become few; names beside an axis stay where they are
    few. Nothing is written where there is no figure.

    Parameters
    ----------
    figures : mapping of str to Figure
        Figures of the house by name.
    hero : str
        The one to draw; without a name, the first.
    target : Path
        The file to write.
    """
    if not figures:
        return
    with house_style():
        small: Figure = pickle.loads(pickle.dumps(figures[hero or next(iter(figures))]))
        _plain(small)
        small.savefig(target, dpi=DPI, metadata={"Software": None})


def _plain(small: Figure) -> None:
    small.set_size_inches(*SIZE)
    for child in [*small.texts, *small.legends]:
        child.remove()
    for axes in small.axes:
        _plain_axes(axes)


def _plain_axes(axes: Axes) -> None:
    legend = axes.get_legend()
    if legend is not None:
        legend.remove()
    for text in [child for child in axes.get_children() if isinstance(child, Text)]:
        text.set_text("")  # axes own their titles: they cannot be removed
    axes.set_xlabel("")
    axes.set_ylabel("")
    for axis in (axes.xaxis, axes.yaxis):
        if isinstance(axis.get_major_formatter(), FixedFormatter | StrCategoryFormatter):
            names = [label.get_text() for label in axis.get_ticklabels()]
            few = len(names) <= _MOST_NAMES
            axis.set_ticks(axis.get_ticklocs() if few else [])
            axis.set_ticklabels([short(name, _LONGEST_NAME) for name in names] if few else [])
        elif axis.get_scale() == "linear":
            axis.set_major_locator(MaxNLocator(3))
    axes.tick_params(labelsize=_LETTERS, length=2)
