"""From answers to an optimum one can trust: checked moments, several starts, diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.covariance_fit import (
    Moments,
    Solution,
    implied,
    minimise,
    moments_of,
    starting_values,
)
from cvlib.satisfaction.covariance_inference import standardised
from cvlib.satisfaction.covariance_specification import (
    ARROW,
    COVARIANCE,
    Floats,
    Layout,
    saturated,
)

AGREEMENT = 1e-6  # two optima are the same when their objectives differ by less
_RELATEDNESS = (1.0, 0.5, 0.0)


@dataclass(frozen=True, eq=False)
class Problem:
    """A model and the answers it is fitted to.

    Attributes
    ----------
    layout : Layout
        Repeated over groups (or patterns of missing answers).
    moments : Moments
        Of one problem.
    rows : list of array (n_g, p)
        Answers by group or pattern; absent ones are 0.
    n : int
        Respondents.
    groups : int
        Groups of respondents (patterns are not groups).
    complete : bool
        No answer missing.
    """

    layout: Layout
    moments: Moments
    rows: list[Floats]
    n: int
    groups: int
    complete: bool

    @property
    def df(self) -> int:
        """Moments less free parameters."""
        p = len(self.layout.observed)
        per_group = p * (p + 1) // 2 + p * self.layout.has_means
        return self.groups * per_group - self.layout.parameters

    @cached_property
    def _saturated(self) -> tuple[float, Moments]:
        if self.complete:
            logs = np.linalg.slogdet(self.moments.covariance[0])[1]
            p = len(self.layout.observed)
            return float(self.moments.share[0] @ (logs + p)), self.moments
        full, start = saturated(repeat(self.layout, 1)), _starting_moments(self)
        found = minimise(
            repeat(full, len(self.rows)), self.moments, starting_values(full, start, 1.0)
        )
        if not found.converged[0]:
            raise InputError(
                "missing answers",
                "means and covariances could not be estimated from the incomplete answers",
                "Too few respondents answered some items together; use missing='listwise'.",
            )
        model = implied(full, found.theta, start)
        return float(found.objective[0]), replace(start, covariance=model.sigma, mean=model.mu)

    @property
    def saturated_objective(self) -> float:
        """The objective of the saturated model, in closed form where nothing is missing."""
        return self._saturated[0]

    @property
    def saturated_moments(self) -> Moments:
        """Its moments: the sample's or, with answers missing, their maximum-likelihood estimate."""
        return self._saturated[1]


def complete_problem(
    layout: Layout, groups: list[Floats], names: list[str] | None = None
) -> Problem:
    """A problem with complete answers, refusing those whose covariance matrix is singular."""
    labels = names or [""] * len(groups)
    for label, rows in zip(labels, groups, strict=True):
        _refuse_singular(layout, rows, f"group {label}" if label else "data")
    problem = Problem(
        layout, moments_of(groups), groups, sum(map(len, groups)), len(groups), complete=True
    )
    if problem.df < 0:
        raise InputError(
            "model",
            f"{layout.parameters} parameters from {problem.df + layout.parameters} moments",
            "Simplify the model or measure more items.",
        )
    return problem


def incomplete_problem(layout: Layout, values: Floats) -> Problem:
    """Full information: one set of moments per pattern of missing answers; means in the model."""
    present = ~np.isnan(values)
    patterns, which = np.unique(present, axis=0, return_inverse=True)
    rows = [
        np.where(pattern, values[which.ravel() == i], 0.0) for i, pattern in enumerate(patterns)
    ]
    p = values.shape[1]
    pairs = present.T.astype(float) @ present
    if pairs.min() < 3:
        a, b = np.unravel_index(int(pairs.argmin()), pairs.shape)
        raise InputError(
            f"items {layout.observed[a]} and {layout.observed[b]}",
            f"were answered together by {int(pairs.min())} respondents only",
            "Leave one of them out: their covariance is not in the data.",
        )
    moments = Moments(
        np.stack([np.cov(part, rowvar=False, ddof=0).reshape(p, p) for part in rows])[None],
        np.stack([part.mean(axis=0) for part in rows])[None],
        np.array([[len(part) / len(values) for part in rows]]),
        patterns.astype(float),
    )
    return Problem(repeat(layout, len(rows)), moments, rows, len(values), 1, complete=False)


def repeat(layout: Layout, count: int) -> Layout:
    """The same parameters in `count` blocks."""
    return replace(
        layout,
        parameter=np.repeat(layout.parameter[:1], count, axis=0),
        value=np.repeat(layout.value[:1], count, axis=0),
    )


def _refuse_singular(layout: Layout, rows: Floats, where: str) -> None:
    n, p = rows.shape
    if n <= p:
        raise InputError(
            where,
            f"{n} complete respondents for {p} items: their covariance matrix has no inverse",
            "Maximum likelihood needs more respondents than items; use PLS, or fewer items.",
        )
    deviation = rows.std(axis=0)
    if (deviation <= 1e-12 * np.abs(rows).max(axis=0)).any():
        item = layout.observed[int(deviation.argmin())]
        raise InputError(
            f"{where}, item {item}", "all answers are equal", "Leave the item out of the model."
        )
    values, vectors = np.linalg.eigh(np.corrcoef(rows, rowvar=False).reshape(p, p))
    if values[0] < 1e-10:
        guilty = [
            name
            for name, part in zip(layout.observed, vectors[:, 0], strict=True)
            if abs(part) > 0.05
        ]
        raise InputError(
            f"{where}, items {', '.join(guilty)}",
            "are copies or exact sums of one another: their covariance matrix has no inverse",
            "Leave one of them out of the model.",
        )


@dataclass(frozen=True, eq=False)
class Optimum:
    """The lowest objective found, and what the starts say about it.

    `discrepancy` is the likelihood discrepancy F, so that chi2 = N F. `starts` has one row per
    start: objective above the lowest, iterations, converged, gradient.
    """

    theta: Floats
    discrepancy: float
    starts: pd.DataFrame
    warnings: tuple[str, ...]


def start_values(problem: Problem, count: int, seed: int) -> Floats:
    """`count` different starts: three from the blocks, then random ones around the first."""
    source = _starting_moments(problem)
    layout = problem.layout if problem.complete else repeat(problem.layout, 1)
    starts = [starting_values(layout, source, part)[0] for part in _RELATEDNESS[:count]]
    rng = np.random.default_rng(seed)
    bounded = layout.lower == 0
    for _ in range(count - len(starts)):
        noise = rng.normal(0.0, 0.4, len(bounded))
        starts.append(np.where(bounded, starts[0] * np.exp(noise), starts[0] * (1 + noise)))
    return np.stack(starts)


def _starting_moments(problem: Problem) -> Moments:
    """The moments themselves or, with answers missing, those of the answers item by item."""
    if problem.complete:
        return problem.moments
    rows, seen = (
        np.vstack(problem.rows),
        np.repeat(problem.moments.present, [len(part) for part in problem.rows], axis=0),
    )
    mean = rows.sum(axis=0) / seen.sum(axis=0)
    gap = (rows - mean) * seen
    values, vectors = np.linalg.eigh(gap.T @ gap / (seen.T @ seen))
    covariance = vectors * np.maximum(values, 1e-3 * values[-1]) @ vectors.T
    return Moments(
        covariance[None, None], mean[None, None], np.ones((1, 1)), np.ones((1, len(mean)))
    )


def solve(problem: Problem, starts: int, seed: int) -> Optimum:
    """Minimise from several starts and keep the lowest.

    Raises
    ------
    InputError
        When no start converges, also not from twenty more: there is nothing to show then.
    """
    found = _from_starts(problem, start_values(problem, starts, seed))
    if not found.converged.any():
        found = _from_starts(problem, start_values(problem, starts + 20, seed + 1))
    if not found.converged.any():
        raise InputError(
            "covariance model",
            f"the likelihood has no interior maximum that {len(found.objective)} starts could find",
            "The model is not identified by these answers: check single and two-item constructs, "
            "or estimate it by PLS.",
        )
    objective = np.where(found.converged, found.objective, np.inf)
    best = int(objective.argmin())
    above = found.objective - objective[best]
    table = pd.DataFrame(
        {
            "start": np.arange(1, len(above) + 1),
            "objective_above_lowest": np.maximum(above, 0.0),
            "iterations": found.iterations,
            "converged": found.converged,
            "max_abs_gradient": np.abs(found.gradient).max(axis=1, initial=0.0),
            "reached_lowest": found.converged & (above < AGREEMENT),
        }
    )
    agreeing = int(table["reached_lowest"].sum())
    told = []
    if agreeing < len(table):
        told.append(
            f"{agreeing} of {len(table)} starts reached the lowest objective; the likelihood has "
            "other local maxima or flat parts."
        )
    return Optimum(
        found.theta[best], float(objective[best]) - problem.saturated_objective, table, tuple(told)
    )


def _from_starts(problem: Problem, starts: Floats) -> Solution:
    return minimise(
        problem.layout, problem.moments.take(np.zeros(len(starts), dtype=np.int64)), starts
    )


@dataclass(frozen=True)
class Checks:
    """What can be wrong with a solution, for stacked parameters (problems,).

    `smallest_variance` is the smallest free variance as a share of its variable's variance;
    `largest_loading` and `largest_path` are standardised and absolute; `smallest_eigenvalue` is
    that of the correlations of the latent variables.
    """

    smallest_variance: Floats
    largest_loading: Floats
    smallest_eigenvalue: Floats
    largest_path: Floats

    @property
    def admissible(self) -> npt.NDArray[np.bool_]:
        """No variance at its bound, no loading above one, no two constructs as good as one."""
        return (
            (self.smallest_variance >= 1e-6)
            & (self.largest_loading <= 1 + 1e-6)
            & (self.smallest_eigenvalue >= 0.01)
        )


def check(layout: Layout, stack: Floats, moments: Moments) -> Checks:
    """Heywood cases and near-unidentification of solutions (problems, k)."""
    model = implied(layout, stack, moments)
    total = np.diagonal(model.covariance, axis1=-2, axis2=-1)
    count, groups, q = len(stack), layout.groups, layout.latent
    variance = (layout.matrix == COVARIANCE) & (layout.row == layout.col)
    own = model.residual[..., layout.row, layout.col] / np.where(
        total[..., layout.row] > 0, total[..., layout.row], 1.0
    )
    free = variance & (layout.parameter >= 0)
    smallest = np.where(free, own, np.inf).min(axis=(1, 2))
    values = np.abs(standardised(layout, stack, moments).reshape(count, groups, -1))
    loading = np.array([operator == "=~" for operator in layout.operator])
    path = (layout.matrix == ARROW) & ~loading
    eigenvalue = np.full(count, np.inf)
    if q > 1:
        spread = np.sqrt(np.maximum(total[..., :q], 1e-300))
        latent = model.covariance[..., :q, :q] / (spread[..., :, None] * spread[..., None, :])
        latent = np.where(np.isfinite(latent), latent, 0.0)
        eigenvalue = np.linalg.eigvalsh(latent)[..., 0].min(axis=1)
    return Checks(
        smallest,
        np.where(loading, values, 0.0).max(axis=(1, 2)),
        eigenvalue,
        np.where(path, values, 0.0).max(axis=(1, 2)),
    )


def diagnose(checks: Checks, information: Floats) -> tuple[pd.DataFrame, bool, tuple[str, ...]]:
    """The diagnosis table of one solution, whether it is admissible, and warnings.

    The condition number is that of the information scaled to a unit diagonal, so that it does not
    depend on the units of the items.
    """
    scale = np.sqrt(np.diag(information))
    positive = bool((scale > 0).all())
    condition = float(np.linalg.cond(information / np.outer(scale, scale))) if positive else np.inf
    rows = [
        ("smallest variance share", checks.smallest_variance[0], "below", 1e-6,
         "a variance is estimated as zero (Heywood case); standard errors and the chi-square test "
         "do not hold at that bound"),
        ("largest standardised loading", checks.largest_loading[0], "above", 1 + 1e-6,
         "a standardised loading is above one"),
        ("smallest eigenvalue of construct correlations", checks.smallest_eigenvalue[0], "below",
         0.01, "some constructs are as good as linear combinations of others, so that their "
         "separate effects cannot be told apart"),
        ("largest standardised path", checks.largest_path[0], "above", 1.0,
         "a standardised path is above one, a sign of collinear constructs"),
        ("condition number of the information", condition, "above", 1e6,
         "the parameters are nearly unidentified by these answers"),
    ]  # fmt: skip
    table = pd.DataFrame(
        [
            {
                "check": name,
                "value": value,
                "limit": limit,
                "trouble": not (value >= limit if side == "below" else value <= limit),
            }
            for name, value, side, limit, _ in rows
        ]
    )
    told = tuple(
        f"Near-unidentification: {meaning} ({name} {value:.3g})."
        for (name, value, _, _, meaning), bad in zip(rows, table["trouble"], strict=True)
        if bad
    )
    if told:
        told = (*told, "Read no structural path of this solution as a finding.")
    return table, bool(checks.admissible[0]), told
