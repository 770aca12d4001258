"""Maximum likelihood in a few positive parameters: several starts, Newton's decrement, bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.optimize import minimize  # here, not in the first fit, which a user waits for
from scipy.special import expit, logit

from cvlib.statistics import resample

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]
# A decrement below this means the log-likelihood cannot rise by more than half of it.
_GOAL, ENOUGH = 1e-13, 1e-6


@dataclass(frozen=True)
class Maximum:
    """Where a log-likelihood is largest.

    Attributes
    ----------
    at : ndarray
        The maximising point.
    value : float
    hessian : ndarray
        Second derivatives of minus the log-likelihood there.
    decrement : float
        g'H⁻¹g over the coordinates that are free to move: twice what is left to gain, told down to
        1e-13; what is below is rounding.
    held : ndarray of bool
        Coordinates that rest on a bound and would go on.
    starts, agreeing : int
        Starting points tried, and those that reached this maximum.
    """

    at: np.ndarray
    value: float
    hessian: np.ndarray
    decrement: float
    held: np.ndarray
    starts: int = 1
    agreeing: int = 1

    @property
    def converged(self) -> bool:
        return self.decrement < ENOUGH

    def covariance(self) -> np.ndarray:
        """Inverse Hessian over the free coordinates, zero for those held at a bound.

        A direction in which the likelihood is flat gets a large variance, not none.
        """
        free = ~self.held
        inverse = np.zeros_like(self.hessian)
        values, vectors = np.linalg.eigh(self.hessian[np.ix_(free, free)])
        floor = max(float(np.abs(values).max(initial=0.0)) * 1e-13, 1e-12)
        inverse[np.ix_(free, free)] = (vectors / np.maximum(values, floor)) @ vectors.T
        return inverse


def maximise(
    objective: Objective,
    starts: Sequence[np.ndarray],
    lower: np.ndarray,
    upper: np.ndarray,
    rough: Objective | None = None,
) -> Maximum:
    """Climb from every start, on `rough` (a cheap stand-in) if given; finish the best by Newton."""
    scout = objective if rough is None else rough

    # the first step of L-BFGS-B is the gradient itself: scaled, it cannot jump to the bounds
    scale = -1.0 / max(abs(scout(np.clip(starts[0], lower, upper))[0]), 1.0)

    def downhill(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = scout(point)
        return scale * value, scale * gradient

    climbs = [
        minimize(
            downhill,
            np.clip(start, lower, upper),
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(lower, upper, strict=True)),
            options={"maxiter": 200, "ftol": 1e-12, "gtol": 1e-9},
        )
        for start in starts
    ]
    best = min(climbs, key=lambda climb: climb.fun)
    hessian = None if rough is None else _hessian(rough, best.x)
    found = newton(objective, best.x, lower, upper, hessian)
    # scouting stops early on purpose: a hundredth of a log-likelihood unit is the same hill
    agreeing = sum((best.fun - climb.fun) / scale < 1e-2 for climb in climbs)
    return replace(found, starts=len(climbs), agreeing=agreeing)


def newton(
    objective: Objective,
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    hessian: np.ndarray | None = None,
    limit: int = 60,
    refresh: bool = True,
    goal: float = _GOAL,
) -> Maximum:
    """Newton's method with step halving; a coordinate pushed against a bound is held there.

    A Hessian is used again while the decrement falls tenfold per step; the last one is fresh
    unless `refresh` is False (a resample, whose standard errors nobody asks for). It ends where
    the log-likelihood cannot rise by more than half of `goal`.
    """
    point = np.clip(start, lower, upper)
    value, gradient = objective(point)
    fresh = hessian is None
    if hessian is None:
        hessian = _hessian(objective, point)
    previous, iteration = np.inf, 0
    while True:
        held = ((point >= upper) & (gradient >= 0)) | ((point <= lower) & (gradient <= 0))
        free = ~held
        step = np.zeros_like(point)
        step[free] = _uphill(hessian[np.ix_(free, free)], gradient[free])
        decrement = float(gradient @ step)
        small = decrement < goal
        if ((small and refresh) or decrement > 0.1 * previous) and not fresh:
            hessian, fresh, previous = _hessian(objective, point), True, np.inf
            continue
        if small or iteration >= limit:
            break
        # two log units at most: far from the top the quadratic model is no guide
        step *= min(1.0, 2.0 / np.abs(step).max())
        length, moved = 1.0, False
        while length > 1e-6 and not moved:
            trial = np.clip(point + length * step, lower, upper)
            trial_value, trial_gradient = objective(trial)
            # noise in the sum must not stop a step that the gradient says is right
            if trial_value >= value - 1e-13 * abs(value) and np.any(trial != point):
                point, value, gradient, moved = trial, trial_value, trial_gradient, True
            length /= 2
        if not moved and fresh:
            break
        previous, fresh, iteration = decrement, not moved, iteration + 1
        if not moved:
            hessian = _hessian(objective, point)
    return Maximum(point, value, hessian, max(decrement, _GOAL), held)


def _hessian(objective: Objective, point: np.ndarray) -> np.ndarray:
    """Second derivatives of minus the objective from central differences of its gradient."""
    width = 1e-4
    rows = []
    for position in range(point.size):
        shift = np.zeros_like(point)
        shift[position] = width
        rows.append((objective(point - shift)[1] - objective(point + shift)[1]) / (2 * width))
    hessian = np.array(rows).reshape(point.size, point.size)
    return (hessian + hessian.T) / 2


def _uphill(hessian: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """H⁻¹g with the Hessian's eigenvalues made positive, so that the step always climbs."""
    # beyond the numbers a machine has there is no curvature to go by
    hessian, gradient = np.nan_to_num(hessian, posinf=0.0, neginf=0.0), np.nan_to_num(gradient)
    values, vectors = np.linalg.eigh(hessian)
    floor = max(float(np.abs(values).max(initial=0.0)) * 1e-13, 1e-300)
    return vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), floor))


def parameter_table(
    model: str,
    found: Maximum,
    values: Callable[[np.ndarray], dict[str, float]],
    parameters: Sequence[str],
    level: float,
    shares: Sequence[str] = (),
    profiled: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Estimates with delta-method errors and intervals symmetric in logs (logits for `shares`).

    `values` gives parameters and derived quantities at a point; `profiled` the bounds of those
    that end at 0 or have no end, where an error says nothing.
    """
    z = resample.reach(level)
    covariance = found.covariance()
    rows = []
    for name, value in values(found.at).items():
        kind = "parameter" if name in parameters else "derived"
        if name in profiled:
            rows.append((model, name, kind, value, np.inf, *profiled[name]))
            continue
        forward, back, unit = (
            (logit, expit, value * (1 - value)) if name in shares else (np.log, np.exp, value)
        )
        slope = np.zeros(found.at.size)
        for i in range(found.at.size):
            up, down = found.at.copy(), found.at.copy()
            up[i], down[i] = up[i] + 1e-5, down[i] - 1e-5
            high, low = values(up), values(down)
            # a derived quantity may cease to exist a step away
            if name in high and name in low:
                slope[i] = (forward(high[name]) - forward(low[name])) / 2e-5
        spread = np.sqrt(max(slope @ covariance @ slope, 0.0))
        middle = forward(value)
        with np.errstate(over="ignore"):
            edges = back(middle - z * spread), back(middle + z * spread)
        rows.append((model, name, kind, value, spread * unit, *edges))
    columns = ["model", "parameter", "kind", "estimate", "std_error", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def fit_table(model: str, found: Maximum, customers: float, **counts: float) -> pd.DataFrame:
    """model, measure, value: the likelihood, information criteria and how the climb went."""
    size = found.at.size
    measures = {
        "log_likelihood": found.value,
        "n_parameters": size,
        "aic": 2 * size - 2 * found.value,
        "bic": size * np.log(customers) - 2 * found.value,
        "n_customers": customers,
        **counts,
        "newton_decrement": found.decrement,
        "starts": found.starts,
        "starts_agreeing": found.agreeing,
    }
    values = [float(value) for value in measures.values()]
    return pd.DataFrame({"model": model, "measure": list(measures), "value": values})
