"""What the data can and cannot tell: ridges, bounds, the model without dropout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from cvlib.lifetime.maximise import Maximum, newton
from cvlib.lifetime.repeat_buying import nbd
from cvlib.lifetime.repeat_buying.histories import Histories
from cvlib.lifetime.repeat_buying.working import SHAPE, bounds, climb, log_likelihood

# Shapes up to 1 leave the mean of the dropout process infinite.
_MEANS = {
    "bg_nbd": ("a", "mean purchases until dropout infinite: discount"),
    "mbg_nbd": ("a", "mean purchases until dropout infinite: discount"),
    "pareto_nbd": ("s", "mean lifetime infinite: discount"),
}


def diagnose(
    model: str, family: Any, data: Histories, found: Maximum, level: float
) -> tuple[pd.DataFrame, list[str], dict[str, float]]:
    """Checks, warnings, and lower log bounds of the parameters that have no upper one."""
    covariance = found.covariance()
    gain = ndtri((1 + level) / 2) ** 2 / 2
    verdict = "converged" if found.converged else "not converged"
    rows: list[tuple[str, float, float, str]] = [
        # in powers of ten, which a table can print
        ("newton_decrement_log10", math.log10(max(found.decrement, 1e-300)), -6.0, verdict)
    ]
    warnings: list[str] = []
    loose: dict[str, float] = {}
    if not found.converged:
        warnings.append(
            f"{model}: the climb ended before the top (decrement {found.decrement:.2g}); "
            "treat the estimates as a description only."
        )
    for number, (first, second, what) in enumerate(family.PAIRS):
        at = 2 * number + 1
        # a profile is needed only where the curvature leaves the shape in doubt
        if not (found.held[at] or found.at[at] > math.log(20) or covariance[at, at] > 1):
            continue
        lost = found.value - _held_at(family, data, found, at, SHAPE[1]).value
        verdict = "spread not identified" if lost < gain else "spread identified"
        rows.append((f"{what}: log-likelihood lost when all are equal", lost, gain, verdict))
        if lost < gain:
            low = _profile_edge(family, data, found, at, gain)
            loose |= {first: low, second: low - found.at[at - 1]}
            warnings.append(
                f"{model}: {what} cannot be told from one value for all (a ridge: {first} and "
                f"{second} grow together and lose {lost:.2g} of log-likelihood in the limit). "
                "Their ratio is estimated, their size is not; predictions hardly depend on it."
            )
    if model in _MEANS and not data.names:
        rise, needed = found.value - climb(nbd, data).value, ndtri(level) ** 2 / 2
        verdict = "dropout visible" if rise > needed else "no dropout visible"
        rows.append(("log-likelihood gained by dropout over the NBD", rise, needed, verdict))
        if rise <= needed:
            warnings.append(
                f"{model}: the data show no dropout (the NBD fits as well). Extracts of active "
                "customers, short periods and logs that start late look like this."
            )
    if model in _MEANS and found.at[3] <= 0:
        name, verdict = _MEANS[model]
        rows.append((name, math.exp(found.at[3]), 1.0, verdict))
    scaled = covariance[np.ix_(~found.held, ~found.held)]
    sd = np.sqrt(np.diag(scaled).clip(min=1e-300))
    condition = float(np.linalg.cond(scaled / np.outer(sd, sd)))
    verdict = "well conditioned" if condition < 1e8 else "ridge"
    rows.append(("hessian_condition_log10", math.log10(condition), 8.0, verdict))
    table = pd.DataFrame(rows, columns=["check", "value", "threshold", "verdict"])
    table.insert(0, "model", model)
    return table, warnings, loose


def _held_at(family: Any, data: Histories, found: Maximum, at: int, value: float) -> Maximum:
    """The best fit with one working coordinate fixed."""
    lower, upper = bounds(family, data)
    start = found.at.copy()
    start[at] = lower[at] = upper[at] = value
    return newton(log_likelihood(family, data), start, lower, upper)


def _profile_edge(family: Any, data: Histories, found: Maximum, at: int, gain: float) -> float:
    """Lower profile-likelihood bound of a shape whose upper one is infinite."""
    from scipy.optimize import brentq

    def excess(shape: float) -> float:
        return found.value - gain - _held_at(family, data, found, at, shape).value

    low = found.at[at] - 1.0
    while low > SHAPE[0] + 1 and excess(low) < 0:
        low -= 1.0
    if excess(low) < 0:
        return -math.inf
    return float(brentq(excess, low, min(low + 1.0, found.at[at]), xtol=1e-3))
