"""Do dropout rates rise with age, or is the GGom/NBD no more than the Pareto/NBD?"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from cvlib.lifetime.maximise import Maximum, newton
from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying import ggom_nbd
from cvlib.lifetime.repeat_buying.coordinates import bounds, log_likelihood
from cvlib.statistics import resample
from cvlib.words.message import message


def ageing(
    data: Histories, found: Maximum, level: float
) -> tuple[tuple[str, float, float, str], dict[str, tuple[float, float]], list[str]]:
    """A row of the diagnosis, intervals of b and beta where an error says nothing, and warnings.

    The test is one-sided, because b = 0 is the end of its range (twice the gain is then a half
    and half mixture of 0 and chi-square with one degree of freedom).
    """
    last, least = found.at.size - 1, ggom_nbd.LIMITS[0]
    gained = max(found.value - _pareto(data, found).value, 0.0)
    needed = float(ndtri(level) ** 2 / 2)
    verdict = "ageing visible"
    warnings: list[str] = []
    ends: dict[str, tuple[float, float]] = {}
    if found.held[last] and found.at[last] <= least:
        verdict = "collapses on the Pareto/NBD"
        b = _largest_b(data, found, resample.reach(level) ** 2 / 2)
        ends = {"b": (0.0, b), "beta": (0.0, np.inf)}
        warnings.append(message("lifetime.ggom_collapses", model="ggom_nbd", b=b))
    elif found.held[last]:
        verdict = "not identified"
        ends = dict.fromkeys(("b", "beta"), (0.0, np.inf))
        warnings.append(message("lifetime.ggom_beta", model="ggom_nbd"))
    elif gained <= needed:
        verdict = "no ageing visible"
        warnings.append(message("lifetime.ggom_no_ageing", model="ggom_nbd"))
    check = "log-likelihood gained by dropout rates that rise with age"
    return (check, float(gained), needed, verdict), ends, warnings


def _pareto(data: Histories, found: Maximum) -> Maximum:
    """The best fit with b = 0."""
    lower, upper = bounds(ggom_nbd, data)
    start = found.at.copy()
    start[-1] = lower[-1] = upper[-1] = ggom_nbd.LIMITS[0]
    return newton(log_likelihood(ggom_nbd, data), start, lower, upper)


def _largest_b(data: Histories, found: Maximum, lost: float) -> float:
    """The largest b that loses no more than `lost` of log-likelihood, the others refitted."""
    from scipy.optimize import brentq

    whole = log_likelihood(ggom_nbd, data)
    lower, upper = (edge[:4] for edge in bounds(ggom_nbd, data))
    near = [found.at[:4], found.hessian[:4, :4]]  # where the next search begins

    def excess(b: float) -> float:
        def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
            # beta goes with the scale of lifetimes B, whose log is shape - level
            beta = b * np.exp(point[3] - point[2])
            value, slope = whole(np.append(point, np.log1p(beta)))
            by_scale = slope[4] * beta / (1 + beta)
            return value, slope[:4] + np.array([0.0, 0.0, -by_scale, by_scale])

        best = newton(objective, near[0], lower, upper, near[1], refresh=False)
        near[:] = best.at, best.hessian
        return found.value - lost - best.value

    low, high = 0.0, 1 / data.T.max()
    while excess(high) < 0:
        low, high = high, 2 * high
        if high > 1e4 / data.T.max():
            return np.inf
    return float(brentq(excess, low, high, xtol=1e-4 * high))
