"""Names beside points: near their own, clear of other points and of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from cvlib.figures.style import FAINT

# where a name may stand, in points from the middle of its own: close by first
_SIDES = [(9, 0, "left", "center"), (-9, 0, "right", "center"), (0, 9, "center", "bottom"),
          (0, -9, "center", "top"), (7, 7, "left", "bottom"), (7, -7, "left", "top"),
          (-7, 7, "right", "bottom"), (-7, -7, "right", "top")]  # fmt: skip
_FARTHER = (2.2, 3.4, 4.8)  # times as far, with a line to the point, where near by is no room


def name_points(
    axes: Any,
    across: np.ndarray,
    up: np.ndarray,
    names: list[str],
    *,
    size: float | None = None,
    bars: Sequence[tuple[float, float, float, float]] = (),
) -> None:
    """Write each name beside its point where it covers neither a point nor another name.

    Parameters
    ----------
    axes : Axes
        With its limits as they shall stay; the figure's layout is fixed first.
    across, up : ndarray
        Where the points are, those without a name after the named ones.
    names : list of str
        Of the first points.
    size : float, optional
        Of the letters.
    bars : sequence of (x0, y0, x1, y1)
        What else the names shall not lie on, in the units of the axes.
    """
    axes.figure.draw_without_rendering()
    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    points = axes.transData.transform(np.column_stack([across, up]))
    frame = axes.get_window_extent(renderer)
    taken: list[Any] = [(x - 7, y - 7, x + 7, y + 7) for x, y in points]
    ends = np.asarray(bars, float).reshape(-1, 2, 2)
    taken += [(*(low - 1), *(high + 1)) for low, high in map(axes.transData.transform, ends)]
    fields = [text for text in axes.texts if text.get_gid() == "field"]
    taken += [tuple(text.get_window_extent(renderer).extents) for text in fields]
    for number, name in enumerate(names):
        best, least = None, np.inf
        for times in (1.0, *_FARTHER):
            line = {"arrowstyle": "-", "color": FAINT, "lw": 0.7} if times > 1 else None
            for dx, dy, ha, va in _SIDES:
                label = axes.annotate(
                    name, (across[number], up[number]), (dx * times, dy * times),
                    textcoords="offset points", ha=ha, va=va, gid="construct", zorder=4,
                    fontsize=size, arrowprops=line,
                )  # fmt: skip
                # the box of the letters: that of an annotation holds its line as well
                label.update_positions(renderer)
                box = Text.get_window_extent(label, renderer)
                hidden = sum(
                    _overlap(box.extents, other) for at, other in enumerate(taken) if at != number
                )
                hidden += 5 * (box.width * box.height - _overlap(box.extents, frame.extents))
                if hidden < least - 1e-6:
                    if best is not None:
                        best.remove()
                    best, least, kept = label, hidden, box.extents
                else:
                    label.remove()
            if least < 1e-6:
                break
        if best is not None:
            taken.append(tuple(kept))


def _overlap(a: Any, b: Any) -> float:
    """Area two boxes (x0, y0, x1, y1) have in common."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(high, 0.0)
