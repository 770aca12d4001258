"""Integrals over the time of dropout for all histories at once, on one grid of distinct times.

Every row integrates the same function of age (for its x) between two times of the log. The grid
holds all distinct times with five Gauss nodes between neighbours; sums from the right give every
row as a difference of two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying.special import gauss

_NODES = 5
# Five nodes integrate what falls by no more than this many e-folds per interval to 1e-13.
_STEEP = 0.8
# The odds of having dropped out are small where the sum is so many times the difference.
_KEPT = 1e5
_INTERVALS = 20_000
_GONE = -600.0  # log of a mass of which too little is left above underflow


@dataclass(frozen=True)
class Grid:
    """Distinct times of the histories and where in them each row begins and ends.

    Attributes
    ----------
    times : ndarray, shape (m + 1,)
    begin, end : ndarray of int
        Of t_x and T in `times`.
    x : ndarray of int
        Row of each history's x among the distinct ones.
    widest : ndarray
        Widest interval between t_x and T, row by row.
    """

    times: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    x: np.ndarray
    widest: np.ndarray

    @property
    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Ages and weights, interval by interval, shape (m, 5)."""
        at, weight = gauss(_NODES)
        width = np.diff(self.times)[:, None]
        return self.times[:-1, None] + width * at, width * weight


def grid_of(data: Histories) -> Grid | None:
    """The grid; None where times are so many that row by row is cheaper."""
    times, begin, end = data.times
    size = data.x.size
    x = np.repeat(np.arange(data.x_values.size), np.diff(data.x_start, append=size))
    if not 2 <= times.size <= _INTERVALS or data.x_values.size * times.size > 8 * size + 10_000:
        return None
    width = np.append(np.diff(times), 0.0)  # the widest to come, which is rarely far from its own
    widest = np.maximum.accumulate(width[::-1])[::-1][begin]
    return Grid(times, begin, end, x, widest)


def between(
    grid: Grid, log_mass: np.ndarray, functions: list[np.ndarray], steep: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integrals of exp(log_mass) and means of functions of age under it, row by row.

    Parameters
    ----------
    grid : Grid
        See `grid_of`.
    log_mass : ndarray, shape (distinct x, m, 5)
        Log of the integrand at the nodes.
    functions : list of ndarray, shape (m, 5)
        Functions of age.
    steep : ndarray, shape (rows,)
        e-folds per unit of time by which the integrand of a row falls at most.

    Returns
    -------
    integral : ndarray, shape (rows,)
    means : ndarray, shape (functions, rows)
    doubtful : ndarray of bool
        Rows without twelve digits, to be integrated singly.
    """
    _, weight = grid.nodes
    with np.errstate(under="ignore"):
        mass = np.exp(log_mass) * weight

    def rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sums = np.zeros((values.shape[0], values.shape[1] + 1))
        sums[:, :-1] = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
        first = sums[grid.x, grid.begin]
        return first, first - sums[grid.x, grid.end]

    whole, integral = rows(mass.sum(axis=2))
    lowest = log_mass[:, :, -1][grid.x, np.maximum(grid.end - 1, 0)]
    doubtful = (
        (whole > _KEPT * integral) | (steep * grid.widest > _STEEP) | ~(lowest > _GONE)
    )  # fmt: skip
    safe = np.where(integral > 0, integral, 1.0)
    means = [rows(np.einsum("xmn,mn->xm", mass, f))[1] / safe for f in functions]
    return integral, np.array(means), doubtful
