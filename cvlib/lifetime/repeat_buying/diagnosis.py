"""What the data can and cannot tell: ridges, bounds, the model without dropout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from cvlib.lifetime.maximise import Maximum, newton
from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying import nbd
from cvlib.lifetime.repeat_buying.ageing import ageing
from cvlib.lifetime.repeat_buying.coordinates import (
    LEVEL,
    SCOUTS,
    SHAPE,
    bounds,
    climb,
    log_likelihood,
)
from cvlib.statistics import resample
from cvlib.words.message import message

# Shapes up to 1 leave the mean of the dropout process infinite.
_MEANS = {
    "bg_nbd": ("a", "mean purchases until dropout infinite: discount"),
    "mbg_nbd": ("a", "mean purchases until dropout infinite: discount"),
    "pareto_nbd": ("s", "mean lifetime infinite: discount"),
}
# An interval wider than this says nothing about a parameter.
_POWERS = 3.0
# A loss is held against one of about 2: it need not be known to more digits than this.
_NEAR = 1e-5


def diagnose(
    model: str, family: Any, data: Histories, found: Maximum, level: float
) -> tuple[pd.DataFrame, list[str], dict[str, tuple[float, float]]]:
    """Checks, warnings, and bounds of the parameters whose interval has no end or ends at 0."""
    covariance = found.covariance()
    gain = resample.reach(level) ** 2 / 2
    verdict = "converged" if found.converged else "not converged"
    rows: list[tuple[str, float, float, str]] = [
        # in powers of ten, which a table can print
        ("newton_decrement_log10", math.log10(found.decrement), -6.0, verdict)
    ]
    warnings: list[str] = []
    profiled: dict[str, tuple[float, float]] = {}
    if not found.converged:
        warnings.append(
            message("lifetime.fit_not_converged", model=model, decrement=found.decrement)
        )
    for number, (first, second, what) in enumerate(family.PAIRS):
        level_at, at = 2 * number, 2 * number + 1
        if found.held[level_at]:
            name = f"mean_{what.removesuffix('s').replace(' ', '_')}"
            mean = expit if name in family.SHARES else np.exp
            up = found.at[level_at] < 0
            limit = float(mean(_profile_level(family, data, found, level_at, gain, up)))
            profiled[name] = (0.0, limit) if up else (limit, float(mean(math.inf)))
            profiled |= {first: (0.0, np.inf), second: (0.0, np.inf)}
            profiled["mean_purchases_until_dropout"] = (1.0, np.inf)
            check = message("lifetime.check_end", what=what)
            rows.append((check, limit, gain, "not identified"))
            kind = "open" if not math.isfinite(limit) else "most" if up else "least"
            warnings.append(
                message(
                    f"lifetime.fit_at_end_{kind}",
                    model=model,
                    what=what,
                    first=first,
                    second=second,
                    end=0.0 if up else float(mean(LEVEL[1])),
                    limit=limit,
                )
            )
            continue
        # a profile is needed only where the curvature leaves the shape in doubt
        if not (found.held[at] or found.at[at] > math.log(20) or covariance[at, at] > 1):
            continue
        lost = max(_Profile(family, data, found).lost(at, SHAPE[1]), 0.0)
        verdict = "spread not identified" if lost < gain else "spread identified"
        rows.append((message("lifetime.check_lost", what=what), lost, gain, verdict))
        if lost < gain:
            low = _profile_edge(family, data, found, at, gain)
            profiled[first] = (math.exp(low), np.inf)
            profiled[second] = (math.exp(low - found.at[level_at]), np.inf)
            if what == "purchase rates":
                profiled["purchase_rate_cv"] = (0.0, math.exp(-low / 2) if low > -700 else np.inf)
            names = {"model": model, "what": what, "first": first, "second": second}
            warnings.append(message("lifetime.fit_ridge", lost=lost, **names))
    for number, (first, second, what) in enumerate(family.PAIRS):
        part = covariance[2 * number : 2 * number + 2, 2 * number : 2 * number + 2]
        # ln second = shape - level
        largest = max(part[1, 1], part.sum() - 2 * (part[0, 1] + part[1, 0]))
        powers = 2 * resample.reach(level) * math.sqrt(max(largest, 0.0)) / math.log(10)
        if powers > _POWERS and first not in profiled:
            verdict = "spread not identified"
            rows.append((message("lifetime.check_powers", what=what), powers, _POWERS, verdict))
            names = {"model": model, "what": what, "first": first, "second": second}
            warnings.append(message("lifetime.fit_wide", powers=powers, **names))
    if model == "ggom_nbd":
        row, ends, said = ageing(data, found, level)
        rows.append(row)
        profiled |= ends
        warnings += said
    if model in _MEANS and not data.names:
        rise, needed = found.value - climb(nbd, data).value, ndtri(level) ** 2 / 2
        verdict = "dropout visible" if rise > needed else "no dropout visible"
        rows.append(("log-likelihood gained by dropout over the NBD", rise, needed, verdict))
        if rise <= needed:
            warnings.append(message("lifetime.fit_no_dropout", model=model))
    if model in _MEANS and found.at[3] <= 0:
        name, verdict = _MEANS[model]
        rows.append((name, math.exp(found.at[3]), 1.0, verdict))
    scaled = covariance[np.ix_(~found.held, ~found.held)]
    sd = np.sqrt(np.diag(scaled).clip(min=1e-300))
    condition = float(np.linalg.cond(scaled / np.outer(sd, sd)))
    verdict = "well conditioned" if condition < 1e8 else "ridge"
    rows.append(("hessian_condition_log10", math.log10(condition), 8.0, verdict))
    table = pd.DataFrame(rows, columns=["check", "value", "threshold", "verdict"])
    table["check"] = pd.Series([row[0] for row in rows], dtype=object)
    table.insert(0, "model", model)
    return table, warnings, profiled


class _Profile:
    """Log-likelihood lost when one working coordinate is held, the others refitted.

    Every fit begins where the last one ended and keeps its curvature, so that it takes a few
    evaluations and not a climb.
    """

    def __init__(self, family: Any, data: Histories, found: Maximum) -> None:
        self.objective, self.found = log_likelihood(family, data), found
        self.bounds, self.near = bounds(family, data), found
        self.known: dict[tuple[int, float], float] = {}

    def lost(self, at: int, value: float) -> float:
        if (at, value) in self.known:
            return self.known[at, value]
        lower, upper = (edge.copy() for edge in self.bounds)
        start = self.near.at.copy()
        start[at] = lower[at] = upper[at] = value
        curvature = self.near.hessian
        self.near = newton(
            self.objective, start, lower, upper, curvature, refresh=False, goal=_NEAR
        )
        self.known[at, value] = lost = self.found.value - self.near.value
        return lost


def _profiles(family: Any, data: Histories, found: Maximum) -> list[_Profile]:
    """That of all customers, before it that of a sample which says about where to look."""
    whole, scouts = _Profile(family, data, found), data.sample(SCOUTS)
    if scouts is data:
        return [whole]
    objective = log_likelihood(family, scouts)
    rough = newton(objective, found.at, *bounds(family, data), found.hessian, refresh=False)
    return [_Profile(family, scouts, rough), whole]


def _profile_level(
    family: Any, data: Histories, found: Maximum, at: int, gain: float, up: bool
) -> float:
    """Profile-likelihood bound of a level that is estimated at the other end of its range."""
    end = LEVEL[1] if up else LEVEL[0]
    step = 5.0 if up else -5.0
    return _edge(_profiles(family, data, found), at, gain, found.at[at], step, end)


def _profile_edge(family: Any, data: Histories, found: Maximum, at: int, gain: float) -> float:
    """Lower profile-likelihood bound of a shape whose upper one is infinite."""
    return _edge(_profiles(family, data, found), at, gain, found.at[at], -1.0, SHAPE[0])


def _edge(
    profiles: list[_Profile], at: int, gain: float, start: float, step: float, end: float
) -> float:
    """Where `gain` is lost on the way from `start` to `end`; infinite where it never is."""
    guess, near = start, step
    for profile in profiles:
        if profile is not profiles[0]:  # what the sample's others were there, they are about here
            profile.near = profiles[0].near
        found = _root(profile, at, gain, guess, near, end)
        guess, near = end if found is None else found, math.copysign(0.2, step)
    return math.copysign(math.inf, step) if found is None else found


def _longer(step: float) -> float:
    """Twice the step, up to five powers of e: far beyond the edge every refit is a climb."""
    return math.copysign(min(2 * abs(step), 5.0), step)


_FAR = 1e6  # log-likelihood lost where there is none


def _root(
    profile: _Profile, at: int, gain: float, guess: float, step: float, end: float
) -> float | None:
    from scipy.optimize import brentq

    seen: dict[float, float] = {}  # a refit begins where the last one ended: ask for each but once

    def excess(value: float) -> float:
        if value not in seen:
            lost = profile.lost(at, value) - gain
            seen[value] = lost if math.isfinite(lost) else _FAR  # no likelihood there at all
        return seen[value]

    origin = float(profile.found.at[at])
    inside = outside = guess
    if guess != origin and excess(guess) >= 0:
        while inside == outside or (inside != origin and excess(inside) >= 0):
            outside, inside, step = inside, inside - step, _longer(step)
            if (inside - origin) * step <= 0:
                inside = origin
                break
    else:
        while inside == outside or excess(outside) < 0:
            if outside == end:
                return None
            inside, step = outside, step if inside == outside else _longer(step)
            outside = min(outside + step, end) if step > 0 else max(outside + step, end)
    return float(brentq(excess, *sorted((inside, outside)), xtol=1e-3))
