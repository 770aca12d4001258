"""Satisfaction models by covariance structure analysis (maximum likelihood), in the tables of PLS.

semopy reads the equations and places the parameters; the optimisation is our own Fisher scoring
with analytic gradient and several starts. The figures that decided, on 50 bootstrap resamples of
the mobile survey (`tests/reference/cbsem/mobi_bootstrap50_indices.csv`; CPU per resample on one
core; "worse" = more than 1e-6 above the lowest objective that any optimiser found):

| model | optimiser | CPU per resample | worse | largest excess | says so |
|-------|-----------|------------------|-------|----------------|---------|
| ACSI | semopy 2.3.11 as it comes | 61 ms | 35 of 50 | .023 | 0 |
| ACSI | semopy, ftol 1e-12 | 105 ms | 0 of 50 | 0 | - |
| ACSI | here, two starts or more | 8 ms | 0 of 50 | 0 | all starts agree on all 50 |
| ECSI | semopy 2.3.11 as it comes | 161 ms | 48 of 50 | .030 | 0 |
| ECSI | semopy, ftol 1e-12 | 177 ms | 21 of 50 | .024 | 0 |
| ECSI | here, two starts or more | 174 ms | 6 of 50 | .016 | all 6 as inadmissible |

One start of ACSI costs 5 ms here, and the gradient ends below 1e-6 (semopy as it comes: 4e-4 to
3.6). ECSI is nearly unidentified by that survey, which no optimiser mends: the diagnosis says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction import covariance_inference as inference
from cvlib.satisfaction.covariance_estimation import (
    AGREEMENT,
    check,
    complete_problem,
    incomplete_problem,
    repeat,
)
from cvlib.satisfaction.covariance_fit import Moments, implied, minimise, starting_values
from cvlib.satisfaction.covariance_general import (
    MISSING,
    STANDARD_ERRORS,
    CovarianceFit,
    delta_errors,
    finish,
    fit_covariance,
    known,
    normal_interval,
)
from cvlib.satisfaction.covariance_specification import (
    COVARIANCE,
    Floats,
    Layout,
    specify,
    with_means,
)
from cvlib.satisfaction.inference import bootstrap, routes
from cvlib.satisfaction.measurement import htmt, htmt2
from cvlib.satisfaction.missing import prepare
from cvlib.satisfaction.model import Model, load_model
from cvlib.satisfaction.result import SatisfactionResult

__all__ = ["CovarianceFit", "estimate_covariance", "fit_covariance"]


def equations(
    model: Model, *, terminal_residual_covariances: bool = True, names: bool = True
) -> str:
    """The model as equations, one per line.

    Parameters
    ----------
    model : Model
        Reflective: every construct is a common factor of its items.
    terminal_residual_covariances : bool
        Free the residual covariances of constructs that cause nothing (lavaan's convention).
    names : bool
        The model's own names; otherwise c0, c1, ... and i0, i1, ..., which any name allows.
    """
    constructs = model.construct_names if names else [f"c{j}" for j in range(len(model.constructs))]
    items = np.array(model.items if names else [f"i{j}" for j in range(len(model.items))])
    lines = [
        f"{name} =~ {' + '.join(items[model.membership[:, j]])}"
        for j, name in enumerate(constructs)
    ]
    own = model.adjacency
    lines += [
        f"{constructs[j]} ~ {' + '.join(constructs[i] for i in np.flatnonzero(own[:, j]))}"
        for j in np.flatnonzero(own.any(axis=0))
    ]
    ends = np.flatnonzero(own.any(axis=0) & ~own.any(axis=1))
    if terminal_residual_covariances:
        lines += [f"{constructs[a]} ~~ {constructs[b]}" for a in ends for b in ends if a < b]
    return "\n".join(lines)


def layout_of(
    model: Model, terminal_residual_covariances: bool, single_item_reliability: float
) -> Layout:
    """The model placed in matrices, constructs and items in the model's order and names."""
    for construct, mode in zip(model.constructs, model.modes, strict=True):
        if len(construct.items) > 1 and mode != "A":
            raise InputError(
                f"construct {construct.name}",
                f"has mode {mode}, but covariance structure analysis needs common factors",
                "Set mode: A for this construct, or estimate the model by PLS.",
            )
    if model.moderations:
        raise InputError(
            f"model {model.name}",
            "moderates a path, which covariance structure analysis does not offer here",
            "Estimate it by PLS, or give the market environment the role antecedent or group.",
        )
    if not 0 < single_item_reliability <= 1:
        raise InputError(
            "single_item_reliability", f"{single_item_reliability} is not in (0, 1]", "Use 1 or .9."
        )
    text = equations(
        model, terminal_residual_covariances=terminal_residual_covariances, names=False
    )
    layout = specify(text)
    single = np.isin(
        layout.row - layout.latent,
        np.flatnonzero(model.membership[:, model.membership.sum(axis=0) == 1].any(axis=1)),
    )
    error = (layout.matrix == COVARIANCE) & (layout.row == layout.col) & single
    return replace(
        layout,
        names=(*model.construct_names, *model.items),
        relative=np.where(error, 1.0 - single_item_reliability, 0.0),
    )


def estimate_covariance(
    data: pd.DataFrame,
    model: Model | str | Path,
    *,
    standard_errors: str = "ml",
    missing: str = "listwise",
    draws: int = 0,
    seed: int = 1,
    level: float = 0.95,
    terminal_residual_covariances: bool = True,
    single_item_reliability: float = 1.0,
    starts: int = 5,
) -> SatisfactionResult:
    """Estimate a satisfaction model by covariance structure analysis (maximum likelihood).

    Every construct is a common factor of its items; the first loading is 1; exogenous constructs
    covary. The single item of a construct has no error unless `single_item_reliability` says so.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    model : Model, name or path
        Bound to the data by `Model.map`; a model that is not bound yet is bound here.
    standard_errors : {"ml", "mlm", "mlr"}
        As in `fit_covariance`; "mlr" is the usual choice for skewed ratings.
    missing : {"listwise", "fiml"}
        Leave out respondents with a missing answer (counted in `left_out`), or full-information
        maximum likelihood under answers missing at random.
    draws : int
        Bootstrap resamples of respondents; adds bootstrap columns to the tables. Every resample
        is fitted from the full-sample optimum and from its own start, and from more where the two
        disagree. Not with "fiml".
    seed : int
        Of random starts and of the bootstrap.
    level : float
        Confidence.
    terminal_residual_covariances : bool
        Let the residuals of constructs that cause nothing covary, as lavaan's ``sem()``.
    single_item_reliability : float
        Reliability assumed of single items: their error variance is fixed at (1 - reliability)
        times their sample variance.
    starts : int
        Of the full-sample fit.

    Returns
    -------
    SatisfactionResult
        ``path_coefficients``, ``loadings`` and effects are standardised, with delta-method
        standard errors; ``unstandardised`` columns stand beside the paths and effects. The index
        weighs items by the regression score of the construct from its own items [P]; its standard
        error counts both the answers and the estimation of the weights. ``reliability`` is
        unstandardised (alpha, rho_c, ave from covariances). ``extra`` holds ``parameters``,
        ``diagnosis``, ``optimisation`` and ``factor_scores``.

    Raises
    ------
    InputError
        For a survey, model or setting that cannot be used, and where no start converges.

    References
    ----------
    Joreskog (1970), Biometrika 57, 239-251; Bollen (1989), Structural Equations with Latent
    Variables; Sobel (1982) for effects [M].

    Notes
    -----
    Checked against lavaan 0.6.14 on the ECSI mobile survey (ACSI and ECSI models).
    """
    known("standard_errors", standard_errors, STANDARD_ERRORS)
    known("missing", missing, MISSING)
    if draws < 0 or draws == 1:
        raise InputError("draws", f"{draws} resamples", "Use 0, or 2 and more (say 1000).")
    if draws and missing == "fiml":
        raise InputError(
            "draws",
            "resampling is not offered together with missing='fiml'",
            "Use draws=0 (its standard errors come from the observed information) or listwise.",
        )
    if not 0 < level < 1:
        raise InputError("level", f"{level} is not a confidence level", "Use 0.95, say.")
    bound = model if isinstance(model, Model) else load_model(model)
    if not set(bound.columns) <= set(data.columns):
        bound = bound.map(data.columns)
    layout = layout_of(bound, terminal_residual_covariances, single_item_reliability)
    survey = prepare(data, bound, missing="em" if missing == "fiml" else "listwise")
    gaps = bool(np.isnan(survey.values).any())
    if gaps and standard_errors != "ml":
        raise InputError(
            "standard_errors",
            f"{standard_errors!r} is not offered together with missing answers",
            "Use standard_errors='ml' with missing='fiml', or missing='listwise'.",
        )
    problem = (
        incomplete_problem(with_means(layout), survey.values)
        if gaps
        else complete_problem(layout, [survey.values])
    )
    fit = finish(problem, standard_errors, starts, seed, level, survey.left_out)
    quantities = Quantities(bound, repeat(problem.layout, 1))
    tables = _tables(quantities, fit, level)
    told = [*bound.notes, *bound.dropped, *survey.warnings, *fit.warnings]
    told += _unexpected(bound, tables["path_coefficients"])
    told_draws = pd.DataFrame()
    if draws:
        tables, told_draws, more = _with_bootstrap(
            quantities, fit, survey, tables, draws, seed, level
        )
        told += more
    parameters = fit.parameters
    extra = {
        "parameters": parameters,
        "diagnosis": fit.diagnosis,
        "optimisation": fit.optimisation,
    }
    if not gaps:
        extra["factor_scores"] = fit.factor_scores().set_axis(survey.index)
    audit = survey.audit
    if gaps:
        audit = audit.assign(imputed=0, treatment="full-information maximum likelihood")
    return SatisfactionResult(
        model=bound,
        estimator="covariance",
        settings={
            "standard_errors": standard_errors, "missing": missing, "draws": draws, "seed": seed,
            "level": level, "rows": problem.n, "admissible": fit.admissible, "converged": True,
            "starts": len(fit.optimisation),
            "starts_agreeing": int(fit.optimisation["reached_lowest"].sum()),
            "single_item_reliability": single_item_reliability,
            "terminal_residual_covariances": terminal_residual_covariances,
            "equations": equations(
                bound, terminal_residual_covariances=terminal_residual_covariances),
        },
        fit=fit.fit,
        draws=told_draws,
        left_out=survey.left_out,
        audit=audit,
        extra=extra,
        warnings=tuple(told),
        **tables,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Quantities:
    """Everything reported of a solution, as functions of the parameters."""

    model: Model
    layout: Layout  # of one group

    def values(self, stack: Any, moments: Moments) -> dict[str, Any]:
        """Named arrays (problems, m) for parameters (problems, k); `moments` of as many problems.

        Works with complex parameters, so that the delta method is exact.
        """
        model, layout, k = self.model, self.layout, len(self.model.constructs)
        found = implied(layout, stack, moments)
        spread = np.sqrt(np.diagonal(found.covariance[:, 0], axis1=-2, axis2=-1))
        ratio = spread[:, :k, None] / spread[:, None, :k]  # [source, target]
        direct = found.arrows[:, 0, :k, :k].swapaxes(-1, -2)
        total = found.total[:, 0, :k, :k].swapaxes(-1, -2) - np.eye(k)
        own, reach, detour, along = self.structure
        loading = found.arrows[:, 0, k + np.arange(len(model.items)), model.block]
        latent = found.covariance[:, 0, :k, :k] / (spread[:, :k, None] * spread[:, None, :k])
        disturbance = np.diagonal(found.residual[:, 0, :k, :k], axis1=-2, axis2=-1)
        endogenous = own.any(axis=0)
        weights = self.weights(found, loading)
        span = (model.maximum - model.minimum) / 100
        shares = weights * span / ((weights * span) @ model.membership)[:, model.block]
        mean = found.mu[:, 0] if layout.has_means else moments.mean[:, 0]
        items = found.covariance[:, 0, k:, k:]
        composite = np.stack(
            [
                np.einsum("bi,bij,bj->b", weights[:, on], items[:, on][:, :, on], weights[:, on])
                for on in model.membership.T
            ],
            axis=1,
        )
        deviation = np.sqrt(np.diagonal(items, axis1=-2, axis2=-1))
        return {
            "path_coefficients": (direct * ratio)[:, own],
            "path_unstandardised": direct[:, own],
            "total_effects": (total * ratio)[:, reach],
            "total_unstandardised": total[:, reach],
            "total_indirect": ((total - direct) * ratio)[:, detour],
            "total_indirect_unstandardised": (total - direct)[:, detour],
            "specific_indirect": _along(direct * ratio, along),
            "specific_indirect_unstandardised": _along(direct, along),
            "loading": loading * spread[:, model.block] / spread[:, k:],
            "weight": weights * deviation / np.sqrt(composite)[:, model.block],
            "r_squared": (1.0 - disturbance / spread[:, :k] ** 2)[:, endogenous],
            "construct_correlations": latent[:, np.tril(np.ones((k, k), dtype=bool), -1)],
            "index": (shares * (mean - model.minimum) / span) @ model.membership.astype(float),
            "index_shares": shares,
        }

    def weights(self, found: Any, loading: Any) -> Any:
        """Regression weights of each construct on its own items, Sigma_bb^-1 lambda_b [P].

        Covariance SEM has no weights of its own. Items of other constructs stay out, so that the
        index of one construct does not move with the answers about another; an item counts the
        more, the less error it has. Sigma_bb is inverted, so an item without error is no problem.
        """
        weights = np.zeros_like(loading)
        for on in self.model.membership.T:
            block = np.flatnonzero(on)
            sigma = found.sigma[:, 0][:, block[:, None], block]
            weights[:, block] = np.linalg.solve(sigma, loading[:, block, None])[..., 0]
        return weights

    @property
    def structure(self) -> tuple[Any, Any, Any, list[tuple[int, ...]]]:
        """Paths, pairs with any effect, pairs with an indirect one (k, k), and the routes."""
        own = self.model.adjacency
        along = routes(own)
        detour = np.zeros_like(own)
        for route in along:
            detour[route[0], route[-1]] = True
        return own, own | detour, detour, along

    def keys(self) -> dict[str, pd.DataFrame]:
        """The key columns of every table."""
        own, reach, detour, along = self.structure
        names = np.array(self.model.construct_names)

        def pairs(chosen: Any, first: str = "source", second: str = "target") -> pd.DataFrame:
            a, b = np.nonzero(chosen)
            return pd.DataFrame({first: names[a], second: names[b]})

        lower = np.tril(np.ones_like(own), -1)
        return {
            "path_coefficients": pairs(own).merge(self.model.paths, how="left"),
            "total_effects": pairs(reach),
            "total_indirect": pairs(detour).assign(via="(all routes)"),
            "specific_indirect": pd.DataFrame(
                {
                    "source": [names[r[0]] for r in along],
                    "target": [names[r[-1]] for r in along],
                    "via": [" > ".join(names[list(r[1:-1])]) for r in along],
                }
            ),
            "loading": pd.DataFrame(
                {"construct": names[self.model.block], "item": self.model.items}
            ),
            "r_squared": pd.DataFrame({"construct": names[own.any(axis=0)]}),
            "construct_correlations": pairs(lower, "construct_1", "construct_2"),
            "index": pd.DataFrame({"construct": names}),
        }


def _along(paths: Any, along: list[tuple[int, ...]]) -> Any:
    """Products of the coefficients along each route, (problems, routes)."""
    found = np.ones((len(paths), len(along)), dtype=paths.dtype)
    for j, route in enumerate(along):
        found[:, j] = np.prod([paths[:, a, b] for a, b in pairwise(route)], 0)
    return found


def _tables(quantities: Quantities, fit: CovarianceFit, level: float) -> dict[str, pd.DataFrame]:
    """Tables of `SatisfactionResult` with delta-method inference."""
    problem, theta = fit.problem, fit.optimum.theta
    moments, keys = problem.saturated_moments, quantities.keys()
    values = quantities.values(theta[None], moments)
    order = [name for name in values if name not in {"weight", "index", "index_shares"}]
    sizes = np.cumsum([values[name].shape[1] for name in order])[:-1]

    def stacked(stack: Any) -> Any:
        found = quantities.values(stack, moments.take(np.zeros(len(stack), dtype=np.int64)))
        return np.concatenate([found[name] for name in order], axis=1)

    errors = delta_errors(inference.derivative(stacked, theta), fit.covariance_of_estimates)
    error = dict(zip(order, np.split(errors, sizes), strict=True))
    error["index"] = _index_errors(quantities, fit)

    def table(name: str, column: str = "estimate", *, tested: bool = True) -> pd.DataFrame:
        columns = normal_interval(values[name][0], error[name], level, "t")
        if not tested:  # zero is no hypothesis about these
            columns = {c: v for c, v in columns.items() if c not in {"t", "p"}}
        raw = {}
        plain = name.replace("_coefficients", "").replace("_effects", "") + "_unstandardised"
        if plain in values:
            raw = {
                "unstandardised": values[plain][0],
                **{f"unstandardised_{c}": v
                   for c, v in normal_interval(values[plain][0], error[plain], level, "t").items()},
            }  # fmt: skip
        return keys[name].assign(**{column: values[name][0]}, **columns, **raw)

    loadings = table("loading", "loading")
    loadings.insert(3, "weight", values["weight"][0])
    r_squared = table("r_squared", "r_squared", tested=False)
    causes = quantities.model.adjacency.sum(axis=0)[quantities.model.adjacency.any(axis=0)]
    adjusted = 1 - (1 - r_squared["r_squared"]) * (problem.n - 1) / (problem.n - causes - 1)
    r_squared.insert(2, "r_squared_adjusted", adjusted)
    index = table("index", "index", tested=False)
    return {
        "path_coefficients": table("path_coefficients"),
        "loadings": loadings,
        "index": index,
        "total_effects": table("total_effects"),
        "indirect_effects": pd.concat(
            [table("total_indirect"), table("specific_indirect")], ignore_index=True
        ),
        "r_squared": r_squared,
        "construct_correlations": table("construct_correlations", "correlation"),
        **_measurement(quantities, fit, values),
    }


def _index_errors(quantities: Quantities, fit: CovarianceFit) -> Floats:
    """Standard errors of the index from each respondent's influence on weights and means.

    The influence of a respondent on the parameters is A^-1 times his casewise score, A the
    observed information; on the means of the items it is his deviation from them.
    """
    problem, theta = fit.problem, fit.optimum.theta
    layout, model, moments = problem.layout, quantities.model, problem.saturated_moments

    def index(stack: Any) -> Any:
        return quantities.values(stack, moments.take(np.zeros(len(stack), dtype=np.int64)))["index"]

    observed = inference.observed_information(layout, theta, problem.moments)
    pieces = inference.casewise_scores(layout, theta, problem.moments, problem.rows)
    bread = np.linalg.pinv(observed, rcond=1e-10, hermitian=True)
    influence = np.vstack(pieces) @ bread @ inference.derivative(index, theta).T
    if not layout.has_means:
        shares = quantities.values(theta[None], moments)["index_shares"][0]
        per_point = (shares * 100 / (model.maximum - model.minimum))[:, None] * model.membership
        influence = influence + (problem.rows[0] - moments.mean[0, 0]) @ per_point
    return np.sqrt((influence**2).sum(axis=0)) / problem.n


def _measurement(
    quantities: Quantities, fit: CovarianceFit, values: Mapping[str, Floats]
) -> dict[str, pd.DataFrame]:
    """Reliability, HTMT and the Fornell-Larcker table."""
    model, moments = quantities.model, fit.problem.saturated_moments
    member, names = model.membership.astype(float), list(model.construct_names)
    found = implied(quantities.layout, fit.optimum.theta[None], moments)
    k, sample = len(names), moments.covariance[0, 0]
    loading = found.arrows[0, 0, k + np.arange(len(model.items)), model.block]
    common = np.diagonal(found.covariance[0, 0, :k, :k])
    error = np.diagonal(found.residual[0, 0, k:, k:]) @ member
    size = member.sum(axis=0)
    blocks = np.diagonal(member.T @ sample @ member)
    alpha = size / np.maximum(size - 1, 1) * (1 - np.diag(sample) @ member / blocks)
    shared, square = (loading @ member) ** 2 * common, (loading**2 @ member) * common
    rho_c, ave = shared / (shared + error), square / (square + error)
    deviation = np.sqrt(np.diag(sample))
    items = (sample / np.outer(deviation, deviation))[None]
    arithmetic, geometric = (f(items, model.membership)[0] for f in (htmt, htmt2))
    lower = np.tril(np.ones((k, k), dtype=bool), -1)
    correlation = np.zeros((k, k))
    correlation[lower] = values["construct_correlations"][0]
    fornell = np.where(np.eye(k, dtype=bool), np.sqrt(ave), correlation)
    at = np.tril(np.ones((k, k), dtype=bool))
    label = np.array(names)

    def pairs(chosen: Any) -> dict[str, Any]:
        return dict(
            zip(("construct_1", "construct_2"), (label[i] for i in np.nonzero(chosen)), strict=True)
        )

    return {
        "reliability": pd.DataFrame(
            {
                "construct": names,
                "alpha": np.where(size == 1, rho_c, alpha),
                "rho_c": rho_c,
                "ave": ave,
            }
        ),
        "htmt": pd.DataFrame(
            {**pairs(lower), "htmt": arithmetic[lower], "htmt2": geometric[lower]}
        ),
        "fornell_larcker": pd.DataFrame({**pairs(at), "value": fornell[at]}),
    }


def _unexpected(model: Model, paths: pd.DataFrame) -> list[str]:
    """Paths whose sign is not the model's."""
    return [
        f"Path {row.source} -> {row.target} is {row.estimate:.3f}, expected {row.sign}."
        for row in paths.itertuples()
        if (row.sign == "+" and row.estimate < 0) or (row.sign == "-" and row.estimate > 0)
    ]


@dataclass(frozen=True, eq=False)
class Refits:
    """Fits of many resamples: what the bootstrap needs of them."""

    theta: Floats
    moments: Moments
    converged: npt.NDArray[np.bool_]
    degenerate: npt.NDArray[np.bool_]
    admissible: npt.NDArray[np.bool_]
    agreeing: npt.NDArray[np.int64]  # starts that reached the lowest objective


def refit(layout: Layout, covariance: Floats, mean: Floats, warm: Floats, n: int) -> Refits:
    """Fit many resamples: from the full-sample optimum and from their own start.

    Where the two end apart, or either fails, three more starts are tried; the lowest wins.

    Parameters
    ----------
    layout : Layout
        Of one group.
    covariance, mean : array (B, p, p), (B, p)
        Of the resamples, divisor n.
    warm : array (k,)
        Full-sample optimum.
    n : int
        Rows of each resample.
    """
    count = len(covariance)
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    sound = (variance > 1e-12).all(axis=1) & (n > covariance.shape[-1])
    scale = np.sqrt(np.where(sound[:, None], variance, 1.0))
    correlation = covariance / (scale[:, :, None] * scale[:, None, :])
    sound[sound] = np.linalg.eigvalsh(correlation[sound])[:, 0] > 1e-10
    ones = np.ones((count, 1))
    moments = Moments(covariance[:, None], mean[:, None], ones, np.ones((1, mean.shape[1])))
    at = np.flatnonzero(sound)
    part = moments.take(at)
    runs = [
        minimise(layout, part, np.repeat(warm[None], len(at), axis=0)),
        minimise(layout, part, starting_values(layout, part, 1.0)),
    ]
    objective = np.stack([np.where(r.converged, r.objective, np.inf) for r in runs])
    theta = np.stack([r.theta for r in runs])
    with np.errstate(invalid="ignore"):
        apart = np.flatnonzero(~(np.abs(objective[0] - objective[1]) < AGREEMENT))
    if len(apart):
        again = part.take(apart)
        for relatedness in (0.75, 0.5, 0.0):
            run = minimise(layout, again, starting_values(layout, again, relatedness))
            found = np.full(len(at), np.inf)
            found[apart] = np.where(run.converged, run.objective, np.inf)
            objective = np.vstack([objective, found])
            placed = np.zeros_like(theta[0])
            placed[apart] = run.theta
            theta = np.concatenate([theta, placed[None]])
    best = objective.argmin(axis=0)
    across = np.arange(len(at))
    lowest = objective[best, across]
    full = np.repeat(warm[None], count, axis=0)
    full[at] = theta[best, across]
    converged, agreeing = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
    converged[at] = np.isfinite(lowest)
    with np.errstate(invalid="ignore"):
        agreeing[at] = (objective - lowest < AGREEMENT).sum(axis=0)
    admissible = np.zeros(count, dtype=bool)
    admissible[at] = check(layout, full[at], part).admissible & converged[at]
    return Refits(full, moments, converged, ~sound, admissible, agreeing)


def _with_bootstrap(
    quantities: Quantities,
    fit: CovarianceFit,
    survey: Any,
    tables: dict[str, pd.DataFrame],
    draws: int,
    seed: int,
    level: float,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, list[str]]:
    """Bootstrap columns beside the others, the account of the draws, and warnings."""
    n, layout = fit.problem.n, quantities.layout

    def fitted(mean: Floats, covariance: Floats) -> Refits:
        return refit(layout, covariance * (n - 1) / n, mean, fit.optimum.theta, n)

    def measured(found: Refits) -> dict[str, Floats]:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = quantities.values(found.theta, found.moments)
        bad = (found.degenerate | ~found.converged)[:, None]
        values = {name: np.where(bad, np.nan, value) for name, value in values.items()}
        return values | {"agreeing": found.agreeing[:, None].astype(float)}

    resampled = bootstrap(
        survey.source, cast(Any, fitted), cast(Any, measured), draws=draws, seed=seed
    )
    account = resampled.table()
    used = int(account["used"].iloc[0])
    if used < 2:
        raise InputError(
            "draws",
            "fewer than two bootstrap draws could be estimated",
            "The survey is too small for this model.",
        )
    single = int((resampled.kept("agreeing")[:, 0] < 2).sum())
    account["lowest_from_one_start"] = single
    tails = [(1 - level) / 2, (1 + level) / 2]

    def widened(name: str, *parts: str) -> pd.DataFrame:
        values = np.hstack([resampled.kept(part) for part in parts])
        low, high = np.quantile(values, tails, axis=0)
        return tables[name].assign(
            bootstrap_std_error=values.std(axis=0, ddof=1),
            bootstrap_ci_low=low,
            bootstrap_ci_high=high,
        )

    row = account.iloc[0]
    told = []
    if row["failed"]:
        told.append(
            f"{row['failed']} of {draws} bootstrap draws failed (no convergence or a singular "
            "covariance matrix) and are left out of the bootstrap columns."
        )
    if row["inadmissible"]:
        told.append(
            f"{row['inadmissible']} of {draws} bootstrap draws are inadmissible (a zero variance, "
            "a loading above one, or collinear constructs); they are kept in the bootstrap columns."
        )
    if single:
        told.append(
            f"In {single} of {draws} bootstrap draws only one start reached the lowest objective."
        )
    wide = {
        "path_coefficients": widened("path_coefficients", "path_coefficients"),
        "loadings": widened("loadings", "loading"),
        "index": widened("index", "index"),
        "total_effects": widened("total_effects", "total_effects"),
        "indirect_effects": widened("indirect_effects", "total_indirect", "specific_indirect"),
        "r_squared": widened("r_squared", "r_squared"),
        "construct_correlations": widened("construct_correlations", "construct_correlations"),
    }
    return {**tables, **wide}, account, told
