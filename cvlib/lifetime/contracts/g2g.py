"""G2G: when customers of a contract leave, with covariates that may change by period.

Each customer leaves in a period with a rate drawn from a gamma distribution, raised or lowered by
covariates and, where c differs from 1, by the time already served:
S(t | z) = (α / (α + C(t)))^r, C(t) = Σ_{j ≤ t} [j^c − (j−1)^c] exp(β'z(j)).

References
----------
Fader & Hardie (2020), brucehardie.com/notes/037.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from cvlib.inputs.errors import InputError
from cvlib.lifetime.maximise import Maximum, Objective, maximise
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
_FAR = 12.0  # logs of r and alpha beyond which customers no longer differ
_STEEPEST = 30.0
_NO_SPREAD = np.log(1e3)


@dataclass(frozen=True, eq=False, repr=False)
class GammaGeometricFit(Result):
    """A fitted G2G model.

    Attributes
    ----------
    parameters : DataFrame
        parameter (r, alpha, c where it is free, covariates), kind, estimate, std_error, ci_low,
        ci_high. Those of r, alpha and c are symmetric in logs.
    effects : DataFrame
        covariate, effect (share by which one unit changes the rate of leaving), ci_low, ci_high,
        chi_square, p (likelihood ratio against the model without it).
    fit : DataFrame
        measure, value: log_likelihood, aic, bic, customers, lost.
    warnings : tuple of str
    """

    parameters: pd.DataFrame
    effects: pd.DataFrame
    fit: pd.DataFrame
    covariates: tuple[str, ...]
    warnings: tuple[Message, ...] = ()
    headline_tables = ("parameters", "effects")
    told_by = "cvlib.words.usual:estimates"

    def survival(self, t: ArrayLike, z: ArrayLike | None = None) -> Array:
        """Share still under contract after t whole periods.

        Parameters
        ----------
        t : array of int, shape (periods,)
            Periods from 0.
        z : array, optional
            Covariates, shape (customers, k) or, by period, (customers, longest, k).

        Returns
        -------
        ndarray, shape (customers, periods)
            One row for all where the model has no covariates.
        """
        at = np.asarray(t, dtype=int)
        value = self.parameters.set_index("parameter")["estimate"]
        k, c = len(self.covariates), float(value.get("c", 1.0))
        rows = np.zeros((1, 0)) if z is None else np.asarray(z, dtype=float)
        if rows.shape[-1] != k:
            raise InputError(
                "z",
                message("refusals.the_model_needs_covariates", k=k),
                message("refusals.give_one_column_for_each"),
            )
        longest = int(at.max(initial=0))
        if rows.ndim == 3 and rows.shape[1] < longest:
            raise InputError(
                "z",
                message("refusals.ends_after_periods", shape=rows.shape[1]),
                message("refusals.give_covariates_of_every_period"),
            )
        beta = value[list(self.covariates)].to_numpy(dtype=float)
        load = rows[:, :longest] @ beta if rows.ndim == 3 else (rows @ beta)[:, None]
        j = np.arange(1, longest + 1, dtype=float)
        steps = np.exp(load) * (j**c - (j - 1) ** c)
        whole = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(steps, axis=1)], axis=1)
        return np.asarray((1 + whole[:, at] / value["alpha"]) ** -value["r"])


@dataclass(frozen=True)
class _Lives:
    """What the likelihood needs of the contracts."""

    until: Array  # periods
    lost: NDArray[np.bool_]
    entry: Array
    weight: Array
    z: Array  # (customers, k) or (customers, longest, k)

    def without(self, column: int) -> _Lives:
        return _Lives(
            self.until, self.lost, self.entry, self.weight, np.delete(self.z, column, axis=-1)
        )


def fit_g2g(
    duration: ArrayLike,
    event: ArrayLike,
    covariates: pd.DataFrame | ArrayLike | None = None,
    *,
    names: Sequence[str] = (),
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ageing: bool = False,
    level: float = 0.95,
) -> GammaGeometricFit:
    """Fit the G2G model of leaving by maximum likelihood.

    Parameters
    ----------
    duration : array of int, shape (customers,)
        Whole periods; who left counts the period of leaving.
    event : array of bool, shape (customers,)
        Left.
    covariates : DataFrame or array, optional
        Shape (customers, k), constant; or (customers, longest duration, k), by period.
    names : sequence of str
        Of the covariates of an array.
    entry : array of int, optional
        Periods already served when observation of a contract began: its terms are divided by the
        survival until then.
    weights : array, optional
        Customers each row stands for.
    ageing : bool
        Whether c is free, so that the rate changes with the time served; else 1.
    level : float
        Of the intervals.

    Returns
    -------
    GammaGeometricFit
        Parameters, effects, fit, and the survival they imply.

    Raises
    ------
    InputError
        No loss, periods below 1, an entry at or after the end, covariates that are not numbers.

    References
    ----------
    Fader & Hardie (2020), brucehardie.com/notes/037.

    Examples
    --------
    >>> import cvlib as cv
    >>> data = cv.lifetime.contracts(cv.lifetime.simulated_subscriptions(400, seed=1)).data
    >>> fit = cv.lifetime.fit_g2g(data["duration"], data["event"], data[["Contract: Two year"]])
    >>> fit.effects["covariate"].tolist()
    ['Contract: Two year']
    """
    lives, labels = _lives(duration, event, covariates, names, entry, weights)
    found = _climb(lives, ageing)
    n, k = float(lives.weight.sum()), len(labels)
    own = ["r", "alpha", *(["c"] if ageing else [])]
    z = resample.reach(level)
    said: list[Message] = []
    turned = np.eye(found.at.size)  # ln r, and ln α = ln r less the log of the mean rate
    turned[:2, :2] = [[0, 1], [-1, 1]]
    at = turned @ found.at
    errors = np.sqrt(np.diag(turned @ found.covariance() @ turned.T))
    alike = found.held[1] or found.at[1] > _NO_SPREAD
    if alike:
        said.append(message("lifetime.g2g_no_spread"))
        errors[:2] = np.nan
    logs = np.arange(at.size) < len(own)
    edges = [at - z * errors, at + z * errors]
    parameters = pd.DataFrame(
        {
            "parameter": [*own, *labels],
            "kind": ["parameter"] * len(own) + ["covariate"] * k,
            "estimate": np.where(logs, np.exp(np.where(logs, at, 0)), at),
            "std_error": np.where(logs, np.exp(np.where(logs, at, 0)), 1.0) * errors,
            "ci_low": np.where(logs, np.exp(np.where(logs, edges[0], 0)), edges[0]),
            "ci_high": np.where(logs, np.exp(np.where(logs, edges[1], 0)), edges[1]),
        }
    )
    effects = []
    for column, name in enumerate(labels):
        rest = _climb(lives.without(column), ageing)
        gained = max(2 * (found.value - rest.value), 0.0)
        place = len(own) + column
        known = bool(errors[place] * z < 5 and not found.held[place])
        if not known:
            said.append(message("lifetime.covariate_not_identified", covariate=name))
        low, high = (np.expm1(edge[place]) if known else np.nan for edge in edges)
        effects.append((name, np.expm1(at[place]), low, high, gained, chdtrc(1, gained)))
    size = at.size
    measures = {
        "log_likelihood": found.value,
        "aic": 2 * size - 2 * found.value,
        "bic": size * np.log(n) - 2 * found.value,
        "customers": n,
        "lost": float(lives.weight[lives.lost].sum()),
        "newton_decrement": found.decrement,
    }
    heads = ["covariate", "effect", "ci_low", "ci_high", "chi_square", "p"]
    return GammaGeometricFit(
        parameters,
        pd.DataFrame(effects, columns=heads),
        pd.DataFrame({"measure": list(measures), "value": list(measures.values())}),
        tuple(labels),
        tuple(said),
    )


def _climb(lives: _Lives, ageing: bool) -> Maximum:
    """Coordinates: log r/α, log r, log c where it is free, β."""
    objective = _objective(lives, ageing)
    k, extra = lives.z.shape[-1], [0.0] if ageing else []
    pace = np.log(lives.weight[lives.lost].sum() / (lives.weight @ (lives.until - lives.entry)))
    starts = [np.array([pace + p, shape, *extra, *[0.0] * k]) for p, shape in ((0.3, 0), (1, -1))]
    least = np.array([-25.0, -_FAR, *([-3.0] if ageing else []), *[-_STEEPEST] * k])
    most = np.array([25.0, _FAR, *([3.0] if ageing else []), *[_STEEPEST] * k])
    return maximise(objective, starts, least, most)


def _objective(lives: _Lives, ageing: bool) -> Objective:
    until, z, k = lives.until.astype(int), lives.z, lives.z.shape[-1]
    entry, first = lives.entry.astype(int), 3 if ageing else 2
    rows = np.arange(until.size)
    j = np.arange(1, int(until.max()) + 1, dtype=float)
    log_j = np.log(j)
    log_before = np.log(np.maximum(j - 1, 1e-300))

    def served(beta: Array, c: float) -> list[tuple[Array, Array]]:
        """C at entry, before and at the end of each row, with slopes (log c, β)."""
        up, low = j**c, np.where(j > 1, (j - 1) ** c, 0.0)
        step = up - low
        bend = c * (up * log_j - np.where(j > 1, low * log_before, 0.0))
        ends = (entry, until - 1, until)
        if z.ndim == 2:
            rate = np.exp(z @ beta)
            whole, bent = (np.concatenate([[0.0], np.cumsum(v)]) for v in (step, bend))
            found = []
            for end in ends:
                C = rate * whole[end]
                found.append((C, np.vstack([rate * bent[end], *(C * z.T)])))
            return found
        rate = np.exp(z @ beta)

        def summed(v: Array) -> Array:
            return np.concatenate([np.zeros((len(v), 1)), np.cumsum(v, axis=1)], axis=1)

        tables = [summed(rate * step), summed(rate * bend)]
        tables += [summed(rate * step * z[:, :, i]) for i in range(k)]
        return [(tables[0][rows, e], np.array([t[rows, e] for t in tables[1:]])) for e in ends]

    def objective(point: Array) -> tuple[float, Array]:
        r = np.exp(point[1])
        alpha = np.exp(point[1] - point[0])
        c = np.exp(point[2]) if ageing else 1.0
        parts = []
        for C, slope in served(point[first:], c):
            grown = np.log1p(C / alpha)  # ln S is -r times this
            by_C = -r / (alpha + C)
            by_alpha = r * C / (alpha + C)  # slope of ln S in ln α
            parts.append((-r * grown, np.vstack([-by_alpha, by_alpha - r * grown, by_C * slope])))
        (start, at_start), (before, at_before), (after, at_after) = parts
        share = np.where(lives.lost, after - before, -1.0)
        gone = before + np.log(-np.expm1(share))
        ratio = 1 / np.expm1(-share)
        value = np.where(lives.lost, gone, after) - start
        slope = np.where(lives.lost, at_before - (at_after - at_before) * ratio, at_after)
        total = (slope - at_start) @ lives.weight
        kept = [0, 1, *([2] if ageing else []), *range(3, 3 + k)]
        return float(lives.weight @ value), total[kept]

    return objective


def _lives(
    duration: ArrayLike,
    event: ArrayLike,
    covariates: pd.DataFrame | ArrayLike | None,
    names: Sequence[str],
    entry: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[_Lives, list[str]]:
    until, lost = np.asarray(duration, dtype=float), np.asarray(event).astype(bool)
    n = until.size
    if isinstance(covariates, pd.DataFrame):
        names = [str(name) for name in covariates.columns]
    try:
        z = np.zeros((n, 0)) if covariates is None else np.asarray(covariates, dtype=float)
    except (ValueError, TypeError) as error:
        raise InputError(
            "covariates",
            message("refusals.are_not_numbers"),
            message("refusals.code_groups_as_and"),
        ) from error
    labels = list(names) or [f"z{i + 1}" for i in range(z.shape[-1])]
    start = np.zeros(n) if entry is None else np.asarray(entry, dtype=float)
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if not (np.isfinite(until) & (until >= 1) & (until % 1 == 0)).all() or not lost.any():
        raise InputError(
            "duration",
            message("refusals.needs_whole_periods_from_and"),
            message("refusals.check_the_table"),
        )
    if not ((start >= 0) & (start < until) & (start % 1 == 0)).all():
        raise InputError(
            "entry",
            message("refusals.is_not_a_whole_period"),
            message("refusals.leave_such_rows_out"),
        )
    if not (np.isfinite(weight) & (weight >= 0)).all() or not weight[lost].sum() > 0:
        raise InputError(
            "weights",
            message("refusals.are_negative_missing_or_for"),
            message("refusals.check_them"),
        )
    if len(z) != n or not np.isfinite(z).all() or len(labels) != z.shape[-1]:
        raise InputError(
            "covariates",
            message("refusals.are_missing_or_not_one"),
            message("refusals.fill_in_or_drop_those"),
        )
    if z.ndim == 3 and z.shape[1] < until.max():
        raise InputError(
            "covariates",
            message("refusals.end_after_periods", shape=z.shape[1]),
            message("refusals.give_every_period_that_was"),
        )
    if z.shape[-1]:
        flat = z.reshape(-1, z.shape[-1])
        design = np.column_stack([np.ones(len(flat)), flat])
        if np.linalg.matrix_rank(design) <= flat.shape[1]:
            raise InputError(
                "covariates",
                message("refusals.are_constant_or_repeat_one"),
                message("refusals.leave_the_surplus_ones_out"),
            )
    return _Lives(
        until, lost, start, weight, z[:, : int(until.max())] if z.ndim == 3 else z
    ), labels
