"""Maximum likelihood of many covariance models at once: scoring far off, Newton steps near by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dposv

from cvlib.satisfaction.sem.layout import Floats, Layout
from cvlib.satisfaction.sem.likelihood import Evaluation, Moments, evaluate

_PATIENCE = 150  # iterations after which a nearly flat valley is followed less far
_NEAR = 1e-4  # decrement below which the exact curvature takes over
_BLOCK = 12  # problems evaluated together
_DAMPING = (1e-12, 1e12)  # as a share of the expected curvature


@dataclass(frozen=True)
class Solution:
    """Where the minimiser stopped, one row per problem (and start).

    `gradient` is projected: at an active bound an outward gradient counts as 0. `decrement` is
    g' H^-1 g with the exact second derivatives H of the parameters that no bound holds, twice the
    distance of the objective from its local minimum, free of units: 1e-14 is aimed at (1e-11 in
    flat valleys), and less than 1e-8 counts as converged. It is infinite where H is not positive
    definite: no minimum is there.
    """

    theta: Floats
    objective: Floats
    gradient: Floats
    decrement: Floats
    iterations: npt.NDArray[np.int64]
    converged: npt.NDArray[np.bool_]


def minimise(
    layout: Layout,
    moments: Moments,
    start: Floats,
    *,
    max_iterations: int = 500,
    beaten: Floats | None = None,
) -> Solution:
    """Damped steps within bounds: by the expected Hessian, and near the end by the exact one.

    The expected Hessian is positive definite anywhere and leads to the nearest basin, but creeps
    along valleys that are nearly flat; there the exact one takes a tenth of the steps. Variances
    stay at or above zero: one that sits at zero and would fall is left out of the step.

    Parameters
    ----------
    layout : Layout
        The model.
    moments : Moments
        Of as many problems as `start` has rows.
    start : array (problems, k)
        Where to begin; raised to the lower bounds.
    max_iterations : int
        Of each problem.
    beaten : array (problems,), optional
        Objectives known to be reached. A problem stops, unconverged, as soon as a thousand times
        the fall that its next step promises would not bring it there: it nears a worse minimum, or
        runs along a valley that has none.

    References
    ----------
    Bertsekas, D. (1982). Projected Newton methods. SIAM J. Control Optim. 20(2), 221-246 [M].
    """
    lower, theta = layout.lower, np.maximum(start, layout.lower)
    count, k = theta.shape
    gradient, scale, curve = np.zeros((count, k)), np.zeros((count, k)), np.zeros((count, k, k))
    damping, iterations = np.full(count, 1e-3), np.zeros(count, dtype=np.int64)
    harder = np.full(count, 4.0)
    objective, diagonal = np.full(count, np.inf), np.arange(k)
    near = np.zeros(count, dtype=bool)

    def note(at: npt.NDArray[np.int64], found: Evaluation) -> None:
        """Slopes and curvature of some problems, the exact one only of those near the end."""
        gradient[at], scale[at] = found.gradient, np.where(found.scale > 0, found.scale, 1.0)
        for exact in (False, True):
            which = near[at] == exact
            if which.any():
                part = found if which.all() else found.take(which)
                curve[at[which]] = part.exact if exact else part.hessian

    def proposed(i: int, floor: float) -> tuple[Floats, float, float]:
        """Step of a problem, its decrement, and the least damping that gives a way down."""
        room, relaxed = theta[i] - lower, floor
        held = (room <= 0) & (gradient[i] > 0)
        fixed = np.where(held, 0.0, np.nan)  # steps that a bound decides
        while relaxed <= _DAMPING[1]:
            bound = ~np.isnan(fixed)
            inner, right = curve[i].copy(), gradient[i]
            inner[diagonal, diagonal] += relaxed * scale[i]
            if bound.any():
                right = np.where(bound, fixed, right - inner[:, bound] @ fixed[bound])
                inner[bound] = 0.0
                inner[:, bound] = 0.0
                inner[diagonal[bound], diagonal[bound]] = 1.0
            _, step, wrong = dposv(inner.T, right, lower=1, overwrite_a=1)
            if wrong:
                relaxed = max(10.0 * relaxed, 1e-8)
                continue
            beyond = (step > room) & ~bound
            if not beyond.any():
                return step, float(np.where(held, 0.0, gradient[i]) @ step), relaxed
            fixed[beyond] = room[beyond]
        return np.zeros(k), np.inf, relaxed

    def tried(at: npt.NDArray[np.int64], proposal: Floats, decrement: Floats) -> None:
        """Go where some problems propose to, or damp their next step more."""
        with np.errstate(over="ignore", invalid="ignore"):  # a wild proposal is refused
            trial = evaluate(layout, proposal, moments.take(at))
            slack = 1e-14 * (1.0 + np.abs(objective[at]))
            better = trial.objective <= objective[at] + slack
            # of the fall that a quadratic promises
            share = 2.0 * (objective[at] - trial.objective) / decrement
        easier = np.clip(1.0 - (2.0 * share - 1.0) ** 3, 0.1, 2.0)
        damping[at] *= np.where(better, easier, harder[at])
        harder[at] = np.where(better, 4.0, 2.0 * harder[at])
        np.maximum(damping, _DAMPING[0], out=damping)
        kept = at[better]
        theta[kept], objective[kept] = proposal[better], trial.objective[better]
        if len(kept):
            note(kept, trial.take(better))

    for part in _blocks(np.arange(count)):
        state = evaluate(layout, theta[part], moments.take(part))
        objective[part], sound = state.objective, np.isfinite(state.objective)
        note(part[sound], state.take(sound))
    running = np.isfinite(objective)
    for iteration in range(max_iterations):
        at = np.flatnonzero(running)
        if not len(at):
            break
        iterations[at] += 1
        step, decrement = np.zeros((count, k)), np.zeros(count)
        for i in at:
            step[i], decrement[i], damping[i] = proposed(int(i), float(damping[i]))
        aim = 1e-14 if iteration < _PATIENCE else 1e-11
        done = (np.abs(decrement) < aim) & (damping < 1e-5) | np.isinf(decrement)
        if beaten is not None:
            done |= (objective - 1000.0 * decrement > beaten) & (damping < 1e-3)
        last = running & done & (np.abs(decrement) < aim)
        theta[last] = np.maximum(theta[last] - step[last], lower)  # too small a step to judge
        running &= ~done
        near |= running & (decrement < _NEAR)
        for part in _blocks(np.flatnonzero(running)):
            tried(part, np.maximum(theta[part] - step[part], lower), decrement[part])
        running &= damping <= _DAMPING[1]
    final = np.full(count, np.inf)
    near[:] = True
    for part in _blocks(np.flatnonzero(np.isfinite(objective))):
        found = evaluate(layout, theta[part], moments.take(part))
        objective[part] = found.objective
        note(part, found)
        for i in part:
            decrement_, least = proposed(int(i), 1e-9)[1:]
            final[i] = abs(decrement_) if least == 1e-9 else np.inf
    held = (theta <= lower) & (gradient > 0)
    return Solution(
        theta, objective, np.where(held, 0.0, gradient), final, iterations, final < 1e-8
    )


def _blocks(at: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Few problems at a time: what they need then stays in the processor's cache."""
    return [at[first : first + _BLOCK] for first in range(0, len(at), _BLOCK)]
