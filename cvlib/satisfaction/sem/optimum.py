"""From answers to an optimum one can trust: checked moments, several starts, diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from cvlib.inputs.choices import whole
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.inference import standardised
from cvlib.satisfaction.sem.layout import (
    ARROW,
    COVARIANCE,
    Floats,
    Layout,
    only_covariances,
    with_means,
)
from cvlib.satisfaction.sem.likelihood import (
    Moments,
    evaluate,
    implied,
    moments_of,
    repeated,
)
from cvlib.satisfaction.sem.minimise import Solution, minimise
from cvlib.satisfaction.sem.starts import starting_values
from cvlib.satisfaction.survey.em import EMSample
from cvlib.statistics import resample
from cvlib.words.message import message

AGREEMENT = 1e-6  # two optima are the same when their objectives differ by less
STARTS_AT_BOUND = 15  # where a variance ends at zero, optima are several
_RELATEDNESS = (1.0, 0.5, 0.0)


@dataclass(frozen=True, eq=False)
class Problem:
    """A model and the answers it is fitted to.

    Attributes
    ----------
    layout : Layout
    moments : Moments
        One problem; by group of respondents or, with answers missing, by pattern.
    rows : list of array (n_g, p)
        Answers by group or pattern; absent ones are 0.
    n : int
        Respondents.
    saturated : Moments
        Of the saturated model: the sample's or, with answers missing, their maximum-likelihood
        estimate (one group).
    saturated_objective : float
    """

    layout: Layout
    moments: Moments
    rows: list[Floats]
    n: int
    saturated: Moments
    saturated_objective: float

    @property
    def complete(self) -> bool:
        """No answer is missing."""
        return self.moments is self.saturated

    @property
    def df(self) -> int:
        """Moments less free parameters."""
        p = len(self.layout.observed)
        per_group = p * (p + 1) // 2 + p * self.layout.has_means
        return self.layout.groups * per_group - self.layout.parameters


def complete_problem(
    layout: Layout, groups: list[Floats], names: list[str] | None = None
) -> Problem:
    """A problem with complete answers, refusing those whose covariance matrix is singular."""
    for label, rows in zip(names or [""] * len(groups), groups, strict=True):
        _refuse_singular(layout, rows, f"group {label}" if label else "data")
    moments = moments_of(groups)
    logs = np.linalg.slogdet(moments.covariance[0])[1]
    objective = float(moments.share[0] @ (logs + len(layout.observed)))
    return _identified(Problem(layout, moments, groups, sum(map(len, groups)), moments, objective))


def incomplete_problem(layout: Layout, values: Floats) -> Problem:
    """Full information: one set of moments per pattern of missing answers (NaN); means modelled."""
    layout, present = with_means(layout), ~np.isnan(values)
    pairs = present.T.astype(float) @ present
    if pairs.min() < 3:
        a, b = np.unravel_index(int(pairs.argmin()), pairs.shape)
        items = dict.fromkeys(f"item {layout.observed[i]}" for i in (a, b))
        raise InputError(
            " and ".join(items),
            message("refusals.answered_together_by_respondents_only", n=int(pairs.min())),
            message("refusals.leave_one_out_its_mean"),
        )
    patterns, which = np.unique(present, axis=0, return_inverse=True)
    rows = [np.where(seen, values[which.ravel() == i], 0.0) for i, seen in enumerate(patterns)]
    moments = replace(moments_of(rows), present=patterns.astype(float))
    mean, covariance = EMSample(values).moments(np.ones((1, len(values)), dtype=np.int8))
    if np.isnan(covariance).any() or np.linalg.cond(_correlation(covariance[0])) > 1e10:
        raise InputError(
            "missing answers", message("refusals.leave_means_and_covariances_undetermined"),
            message("refusals.too_few_respondents_answered_some"),
        )  # fmt: skip
    once, p = np.ones((1, 1)), len(layout.observed)
    saturated = Moments(covariance[:, None], mean[:, None], once, np.ones((1, p)))
    variance = np.append(np.diag(covariance[0]), 0.0)[np.maximum(layout.row - layout.latent, -1)]
    layout = replace(
        layout, value=layout.value + layout.relative * variance, relative=0 * layout.relative
    )
    full = with_means(only_covariances(layout.observed, *np.triu_indices(p)))
    theta = np.concatenate([covariance[0][np.triu_indices(p)], mean[0]])
    objective = evaluate(full, theta[None], moments).objective[0]
    return _identified(Problem(layout, moments, rows, len(values), saturated, float(objective)))


def _identified(problem: Problem) -> Problem:
    if problem.df < 0:
        free = problem.layout.parameters
        raise InputError(
            "model",
            message("refusals.parameters_from_moments", free=free, value=problem.df + free),
            message("refusals.simplify_the_model_or_measure"),
        )
    return problem


def _correlation(covariance: Floats) -> Floats:
    deviation = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviation, deviation)


def _refuse_singular(layout: Layout, rows: Floats, where: str) -> None:
    n, p = rows.shape
    if n <= p:
        raise InputError(
            where,
            message("refusals.complete_respondents_for_items_their", n=n, p=p),
            message("refusals.maximum_likelihood_needs_more_respondents"),
        )  # fmt: skip
    deviation = rows.std(axis=0)
    if (deviation <= 1e-12 * np.abs(rows).max(axis=0)).any():
        item = layout.observed[int(deviation.argmin())]
        raise InputError(
            f"{where}, item {item}",
            message("refusals.all_answers_are_equal"),
            message("refusals.leave_the_item_out_of"),
        )
    values, vectors = np.linalg.eigh(_correlation(np.cov(rows, rowvar=False).reshape(p, p)))
    if values[0] < 1e-10:
        same = np.abs(vectors[:, 0]) > 0.05
        guilty = [name for name, one in zip(layout.observed, same, strict=True) if one]
        raise InputError(
            f"{where}, items {', '.join(guilty)}",
            message("refusals.are_copies_or_exact_sums"),
            message("refusals.leave_one_of_them_out"),
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
    """`count` different starts: three from the blocks, then random ones around the first.

    With answers missing the start is the optimum for the saturated model's moments, which takes
    those starts itself, and the blocks' own.
    """
    layout, source = problem.layout, problem.saturated
    starts = [starting_values(layout, source, part)[0] for part in _RELATEDNESS[:count]]
    rng, bounded = resample.generator(seed), layout.lower == 0
    for _ in range(count - len(starts)):
        noise = rng.normal(0.0, 0.4, len(bounded))
        starts.append(np.where(bounded, starts[0] * np.exp(noise), starts[0] * (1 + noise)))
    if problem.complete:
        return np.stack(starts)
    found = minimise(layout, repeated(source, len(starts)), np.stack(starts))
    best = np.where(found.converged, found.objective, np.inf).argmin()
    return np.stack([found.theta[best], starts[0]])


def solve(problem: Problem, starts: int, seed: int) -> Optimum:
    """Minimise from several starts and keep the lowest.

    Raises
    ------
    InputError
        When no start converges, also not from ten more: there is nothing to show then.
    """
    whole("starts", starts, 1)
    for count in (starts, starts + 10):
        theta = start_values(problem, count, seed)
        found = minimise(problem.layout, repeated(problem.moments, len(theta)), theta)
        if found.converged.any():
            break
    else:
        raise InputError(
            "covariance model",
            message("refusals.the_likelihood_has_no_interior", n=len(found.objective)),
            message("refusals.the_model_is_not_identified"),
        )
    found = _more_at_a_bound(problem, found, seed)
    objective = np.where(found.converged, found.objective, np.inf)
    best = int(objective.argmin())
    above = found.objective - objective[best]
    table = pd.DataFrame({
        "start": np.arange(1, len(above) + 1),
        "objective_above_lowest": np.maximum(above, 0.0),
        "iterations": found.iterations,
        "converged": found.converged,
        "max_abs_gradient": np.abs(found.gradient).max(axis=1, initial=0.0),
        "reached_lowest": found.converged & (above < AGREEMENT),
    })  # fmt: skip
    agreeing = int(table["reached_lowest"].sum())
    told: tuple[str, ...] = ()
    if agreeing < len(table):
        told = (message("satisfaction.starts_apart", agreeing=agreeing, starts=len(table)),)
    discrepancy = float(objective[best]) - problem.saturated_objective
    return Optimum(found.theta[best], discrepancy, table, told)


def polished(problem: Problem, theta: Floats) -> Floats:
    """An optimum (k,) to the last digits, by scoring steps of the parameters that no bound holds.

    Where steps lead away, as in a flat valley, it stays where it is.
    """
    layout, found = problem.layout, theta.copy()
    for _ in range(40):
        at = evaluate(layout, found[None], problem.moments)
        loose = ~((found <= layout.lower) & (at.gradient[0] > 0))
        inner = at.hessian[0][np.ix_(loose, loose)]
        step = np.linalg.pinv(inner, rcond=1e-10, hermitian=True) @ at.gradient[0][loose]
        found[loose] -= step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    away = np.abs(found - theta).max(initial=0.0) > 1e-4 or bool((found < layout.lower).any())
    return theta if away else found


def _more_at_a_bound(problem: Problem, found: Solution, seed: int) -> Solution:
    """At least fifteen starts where a variance of the best sits at zero."""
    lower = problem.layout.lower
    best = int(np.where(found.converged, found.objective, np.inf).argmin())
    count = len(found.objective)
    if not problem.complete or count >= STARTS_AT_BOUND or (found.theta[best] > lower).all():
        return found
    theta = start_values(problem, STARTS_AT_BOUND, seed)[count:]
    more = minimise(problem.layout, repeated(problem.moments, len(theta)), theta)
    return Solution(*(np.concatenate([getattr(found, f.name), getattr(more, f.name)])
                      for f in fields(found)))  # fmt: skip


@dataclass(frozen=True)
class Checks:
    """What can be wrong with a solution, for stacked parameters (problems,).

    `smallest_variance` is the smallest free variance as a share of its variable's variance;
    `largest_loading`, `largest_path` and `largest_correlation` (of residuals, or of exogenous
    variables) are standardised and absolute; `smallest_eigenvalue` is that of the correlations of
    the latent variables.
    """

    smallest_variance: Floats
    largest_loading: Floats
    smallest_eigenvalue: Floats
    largest_path: Floats
    largest_correlation: Floats

    @property
    def admissible(self) -> npt.NDArray[np.bool_]:
        """No variance at its bound, no correlation above one, no two constructs as good as one."""
        return (
            (self.smallest_variance >= 1e-6)
            & (np.maximum(self.largest_loading, self.largest_correlation) <= 1 + 1e-6)
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
    smallest = np.where(variance & (layout.parameter >= 0), own, np.inf).min(axis=(1, 2))
    if layout.unit:  # errors are what the rest leaves
        errors = np.diagonal(model.residual, axis1=-2, axis2=-1)[..., layout.latent :]
        smallest = np.minimum(smallest, errors.min(axis=(1, 2)))
    values = np.abs(standardised(layout, stack, moments).reshape(count, groups, -1))
    loading = np.array([operator == "=~" for operator in layout.operator])

    def largest(chosen: npt.NDArray[np.bool_]) -> Floats:
        return np.asarray(np.where(chosen, values, 0.0).max(axis=(1, 2)))

    eigenvalue = np.full(count, np.inf)
    if q > 1:
        spread = np.sqrt(np.where(total[..., :q] > 0, total[..., :q], np.inf))
        latent = model.covariance[..., :q, :q] / (spread[..., :, None] * spread[..., None, :])
        eigenvalue = np.linalg.eigvalsh(latent)[..., 0].min(axis=1)
    return Checks(
        smallest_variance=smallest,
        largest_loading=largest(loading),
        smallest_eigenvalue=eigenvalue,
        largest_path=largest((layout.matrix == ARROW) & ~loading),
        largest_correlation=largest((layout.matrix == COVARIANCE) & ~variance),
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
        ("smallest variance share", "zero_variance", checks.smallest_variance[0], "below", 1e-6),
        ("largest standardised loading", "loading", checks.largest_loading[0], "above", 1 + 1e-6),
        ("largest correlation of residuals or causes", "correlation",
         checks.largest_correlation[0], "above", 1 + 1e-6),
        ("smallest eigenvalue of construct correlations", "collinear",
         checks.smallest_eigenvalue[0], "below", 0.01),
        ("largest standardised path", "path", checks.largest_path[0], "above", 1.0),
        ("condition number of the information", "flat", condition, "above", 1e6),
    ]  # fmt: skip
    table = pd.DataFrame(
        [
            {
                "check": name,
                "value": value,
                "limit": limit,
                "trouble": not (value >= limit if side == "below" else value <= limit),
            }
            for name, _, value, side, limit in rows
        ]
    )
    told: tuple[str, ...] = tuple(
        message(f"satisfaction.near_{trouble}", check=name, value=float(value))
        for (name, trouble, value, *_), bad in zip(rows, table["trouble"], strict=True)
        if bad
    )
    if told:
        told = (*told, message("satisfaction.no_finding"))
    return table, bool(checks.admissible[0]), told
