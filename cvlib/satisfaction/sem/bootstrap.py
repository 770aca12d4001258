"""Bootstrap of covariance models: many resamples fitted together, none dropped silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.pls.bootstrap import bootstrap
from cvlib.satisfaction.sem.equations import CovarianceFit
from cvlib.satisfaction.sem.layout import Floats, Layout
from cvlib.satisfaction.sem.likelihood import Moments
from cvlib.satisfaction.sem.minimise import minimise
from cvlib.satisfaction.sem.optimum import AGREEMENT, check
from cvlib.satisfaction.sem.quantities import Quantities
from cvlib.satisfaction.sem.starts import starting_values
from cvlib.satisfaction.survey.moments import Source
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

ITERATIONS = 150  # of a start of a resample: what has not ended then runs along a flat valley


@dataclass(frozen=True, eq=False)
class Refits:
    """Fits of B resamples.

    Attributes
    ----------
    theta : array (B, k)
    objective : array (B,)
    moments : Moments
    converged, degenerate, admissible : boolean array (B,)
        Degenerate: a covariance matrix without inverse, or a construct without variance.
        Admissible: as `Checks.admissible`.
    agreeing : integer array (B,)
        Starts that reached the lowest objective.
    """

    theta: Floats
    objective: Floats
    moments: Moments
    converged: npt.NDArray[np.bool_]
    degenerate: npt.NDArray[np.bool_]
    admissible: npt.NDArray[np.bool_]
    agreeing: npt.NDArray[np.int64]


def refit(layout: Layout, mean: Floats, covariance: Floats, warm: Floats) -> Refits:
    """Fit many resamples, each from its own start and from the full-sample optimum.

    Where the two end apart, or one ends in no minimum, a third starts half way between them; the
    lowest wins. Where none ends in a minimum, three more are tried.

    Parameters
    ----------
    layout : Layout
        Of one group.
    mean, covariance : array (B, p), (B, p, p)
        Of the resamples, divisor n.
    warm : array (k,)
        Full-sample optimum.
    """
    count = len(covariance)
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    sound = np.asarray((variance > 1e-12 * np.maximum(mean**2, 1e-300)).all(axis=1))
    scale = np.sqrt(np.where(sound[:, None], variance, 1.0))
    correlation = covariance / (scale[:, :, None] * scale[:, None, :])
    sound[sound] = np.linalg.eigvalsh(correlation[sound])[:, 0] > 1e-10
    moments = Moments(
        covariance[:, None], mean[:, None], np.ones((count, 1)), np.ones((1, mean.shape[1]))
    )
    theta, lowest = np.repeat(warm[None], count, axis=0), np.full(count, np.inf)
    reached: list[Floats] = []

    def attempt(at: npt.NDArray[np.int64], start: Floats) -> None:
        found = minimise(
            layout, moments.take(at), start,
            max_iterations=ITERATIONS, beaten=lowest[at] + AGREEMENT,
        )  # fmt: skip
        objective = np.full(count, np.inf)
        objective[at] = np.where(found.converged, found.objective, np.inf)
        better = objective < lowest
        theta[better] = found.theta[better[at]]
        np.minimum(lowest, objective, out=lowest)
        reached.append(objective)

    at = np.flatnonzero(sound)
    if len(at):
        own = starting_values(layout, moments.take(at), 1.0)
        attempt(at, own)
        attempt(at, np.repeat(warm[None], len(at), axis=0))
        apart = np.maximum(*reached)[at] >= lowest[at] + AGREEMENT
        at, own = at[apart], own[apart]
    if len(at):
        attempt(at, (own + warm) / 2.0)
    at = at[np.isinf(lowest[at])]
    if len(at):
        for relatedness in (0.75, 0.5, 0.0):
            attempt(at, starting_values(layout, moments.take(at), relatedness))
    converged = np.isfinite(lowest)
    checks = check(layout, theta, moments)
    # a construct without variance has no standardised loadings or paths
    undefined = ~np.isfinite(checks.largest_loading + checks.largest_path)
    agreeing = sum((o < lowest + AGREEMENT) & converged for o in reached)
    return Refits(
        theta,
        lowest,
        moments,
        converged,
        ~sound | undefined,
        checks.admissible & converged,
        np.zeros(count, dtype=int) + agreeing,
    )


def with_bootstrap(
    quantities: Quantities,
    fit: CovarianceFit,
    source: Source,
    tables: dict[str, pd.DataFrame],
    chosen: Bootstrap,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, list[str]]:
    """Bootstrap columns beside the others, the account of the draws, and warnings.

    Parameters
    ----------
    quantities : Quantities
        What is resampled.
    fit : CovarianceFit
        Of the full sample.
    source : Source
        Where the moments of resamples come from.
    tables : dict of DataFrame
        By `Quantities.tables`.
    chosen : Bootstrap
        Number of resamples, seed and confidence of percentile intervals.
    """
    n, warm = fit.problem.n, fit.optimum.theta
    draws, level = chosen.draws, chosen.level

    def fitted(mean: Floats, covariance: Floats) -> Refits:
        return refit(quantities.layout, mean, covariance * (n - 1) / n, warm)

    def measured(found: Refits) -> dict[str, Floats]:
        values = {"agreeing": found.agreeing[:, None].astype(float)}
        at = np.flatnonzero(found.converged & ~found.degenerate)
        sizes = quantities.values(warm[None], fit.problem.moments)
        part = quantities.values(found.theta[at], found.moments.take(at)) if len(at) else {}
        for name, one in sizes.items():
            values[name] = np.full((len(found.theta), one.shape[1]), np.nan)
            if len(at):
                values[name][at] = part[name]
        return values

    found = bootstrap(source, cast(Any, fitted), cast(Any, measured), draws=draws, seed=chosen.seed)
    account = found.table()
    row = account.iloc[0]
    if row["used"] < 2:
        raise InputError(
            "draws", message("refusals.fewer_than_two_bootstrap_draws"),
            message("refusals.the_survey_is_too_small"),
        )  # fmt: skip
    account["lowest_from_one_start"] = single = int((found.kept("agreeing") < 2).sum())
    told: list[str] = [
        message(f"satisfaction.refits_{kind}", number=int(number), draws=draws)
        for kind, number in (("failed", row["failed"]), ("inadmissible", row["inadmissible"]),
                             ("single", single))
        if number
    ]  # fmt: skip
    widened = dict(tables)
    for name, parts in {
        "path_coefficients": ["path_coefficients"],
        "loadings": ["loading"],
        "index": ["index"],
        "total_effects": ["total_effects"],
        "indirect_effects": ["total_indirect", "specific_indirect"],
        "r_squared": ["r_squared"],
        "construct_correlations": ["construct_correlations"],
    }.items():
        values = np.hstack([found.kept(part) for part in parts])
        low, high = resample.percentile_limits(values, level)
        widened[name] = tables[name].assign(
            bootstrap_std_error=values.std(axis=0, ddof=1),
            bootstrap_ci_low=low,
            bootstrap_ci_high=high,
        )
    return widened, account, told
