"""The coordinates the optimiser moves in, and the likelihood there, block by block."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from cvlib.lifetime.maximise import ENOUGH, Maximum, Objective, maximise, newton
from cvlib.lifetime.purchases.histories import Histories

# Within a pair the optimiser moves (level, shape) = (log first - log second, log first): a ridge
# then runs along shape alone. Beyond these limits the mixture cannot be told from one value.
LEVEL, SHAPE = (-25.0, 25.0), (-14.0, math.log(1e4))
# Fits of more histories than this start from a sample of as many customers.
SCOUTS = 10_000
# A level curved less than this (a standard error of ten powers of e) is near no top.
_FLAT = 1e-2


def to_working(theta: np.ndarray) -> np.ndarray:
    """Pairs as (level, shape); a last coordinate without a partner as it is."""
    point, end = theta.copy(), theta.size // 2 * 2
    point[0:end:2], point[1:end:2] = theta[0:end:2] - theta[1:end:2], theta[0:end:2]
    return point


def to_log_parameters(point: np.ndarray, size: int) -> np.ndarray:
    """Coordinates of the family from working ones: the way back from `to_working`.

    Parameters
    ----------
    point : ndarray
        Working coordinates, coefficients of covariates behind them.
    size : int
        Number of the family's own.

    Returns
    -------
    (size,) ndarray
    """
    theta, end = np.array(point[:size]), size // 2 * 2
    theta[0:end:2], theta[1:end:2] = point[1:end:2], point[1:end:2] - point[0:end:2]
    return theta


def bounds(family: Any, data: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the working coordinates, those of the covariates' coefficients last.

    Parameters
    ----------
    family : Family
        The model.
    data : Histories
        For the number of covariates: each has a coefficient of buying and one of dropping out.

    Returns
    -------
    low, high : ndarray
        One value per coordinate.
    """
    low, high = np.transpose([LEVEL, SHAPE])
    pairs, extra = len(family.PAIRS), np.full(2 * len(data.names), 50.0)
    least, most = np.reshape(getattr(family, "LIMITS", ()), (-1, 2)).T
    return (
        np.concatenate([np.tile(low, pairs), least, -extra]),
        np.concatenate([np.tile(high, pairs), most, extra]),
    )


def log_likelihood(family: Any, data: Histories) -> Objective:
    """Log-likelihood and gradient in working coordinates."""
    blocks = list(data.blocks())
    size = len(family.PARAMETERS)

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        theta = to_log_parameters(point, size)
        extra = (point[size:],) if data.names else ()
        parts = [family.total(theta, block, *extra) for block in blocks]
        slope = np.array([math.fsum(s) for s in zip(*(part[1] for part in parts), strict=True)])
        end = size // 2 * 2
        first, second = slope[0:end:2].copy(), slope[1:end:2].copy()
        slope[0:end:2], slope[1:end:2] = -second, first + second
        return math.fsum(part[0] for part in parts), slope

    return objective


def climb(family: Any, data: Histories) -> Maximum:
    """The maximum of the likelihood from several starts."""
    scouts = data.sample(SCOUTS)
    rough = None if scouts is data else log_likelihood(family, scouts)
    none = np.zeros(2 * len(data.names))
    begin = [np.append(to_working(start), none) for start in family.starts(data)]
    objective = log_likelihood(family, data)
    found = maximise(objective, begin, *bounds(family, data), rough)
    for level in range(0, 2 * len(family.PAIRS), 2):
        # on the plateau before an end of its range a level stops where rounding lets it
        if found.held[level] or found.hessian[level, level] < _FLAT:
            found = _at_its_end(objective, found, level, *bounds(family, data))
    return found


def _at_its_end(
    objective: Objective, found: Maximum, level: int, lower: np.ndarray, upper: np.ndarray
) -> Maximum:
    """The fit with a level at its nearer end, where that loses nothing; its shape at 1 if idle."""
    end = (lower if found.at[level] < 0 else upper)[level]
    for fixed in ({level: end, level + 1: 0.0}, {level: end}):
        start, low, high = found.at.copy(), lower.copy(), upper.copy()
        for at, value in fixed.items():
            start[at] = low[at] = high[at] = value
        ended = newton(objective, start, low, high)
        if ended.value > found.value - ENOUGH and ended.converged:
            return replace(ended, starts=found.starts, agreeing=found.agreeing)
    return found
