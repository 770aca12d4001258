"""sBG and BdW with covariates: chances of leaving that differ, in part by what is known

The first parameter of the beta distribution is multiplied by exp(β'z): γ_i = γ exp(β'z), so that
one unit more of a covariate multiplies the odds γ/δ of leaving in the first period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.lifetime.maximise import Maximum, Objective, maximise
from cvlib.lifetime.repeat_buying.special import digamma_rising, log_rising
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
MODELS = {"sbg": ("gamma", "delta"), "bdw": ("gamma", "delta", "c")}
_FAR, _STEEPEST, _WIDE = 15.0, 30.0, 5.0


@dataclass(frozen=True, eq=False, repr=False)
class DifferingFit(Result):
    """A fitted sBG or BdW with covariates.

    Attributes
    ----------
    parameters : DataFrame
        parameter (gamma, delta, c of BdW, covariates), kind, estimate, std_error, ci_low, ci_high.
    effects : DataFrame
        covariate, effect (share by which one unit changes the odds of leaving in the first
        period), ci_low, ci_high, chi_square, p (likelihood ratio against the model without it).
    fit : DataFrame
        measure, value: log_likelihood, aic, bic, customers, lost.
    warnings : tuple of str
    """

    model: str
    parameters: pd.DataFrame
    effects: pd.DataFrame
    fit: pd.DataFrame
    covariates: tuple[str, ...]
    _at: Array
    warnings: tuple[Message, ...] = ()
    headline_tables = ("parameters", "effects")
    told_by = "cvlib.words.usual:estimates"

    def survival(self, t: ArrayLike, z: ArrayLike) -> Array:
        """Share still under contract after t periods, shape (customers, periods)."""
        rows, at = np.asarray(z, dtype=float), np.asarray(t, dtype=float)
        size = len(MODELS[self.model])
        gamma = np.exp(self._at[0] + rows @ self._at[size:])[:, None]
        c = np.exp(self._at[2]) if size == 3 else 1.0
        return np.exp(_log_survival(gamma, np.exp(self._at[1]), at**c))


def fit_differing(
    duration: ArrayLike,
    event: ArrayLike,
    covariates: pd.DataFrame,
    model: str = "sbg",
    *,
    entry: ArrayLike | None = None,
    level: float = 0.95,
) -> DifferingFit:
    """Fit sBG or BdW with covariates by maximum likelihood.

    Parameters
    ----------
    duration : array of int, shape (customers,)
        Whole periods; who left counts the period of leaving.
    event : array of bool
        Left.
    covariates : DataFrame
        Numbers, one row per customer.
    model : {"sbg", "bdw"}
        Whether a customer's own chance of leaving stays (sBG) or changes with time (BdW).
    entry : array of int, optional
        Periods already served when observation began: terms are divided by the survival to then.
    level : float
        Of the intervals.

    Returns
    -------
    DifferingFit
        Parameters, effects, fit, and the survival they imply.

    Raises
    ------
    InputError
        No loss, periods below 1, an entry at or after the end, covariates that cannot be told
        apart.

    References
    ----------
    Fader & Hardie (2007) J. Interactive Marketing 21:76-90; Fader, Hardie, Liu, Davin &
    Steenburgh (2018) J. Interactive Marketing 43:1-16. The covariates are ours [P].

    Examples
    --------
    >>> import cvlib as cv
    >>> data = cv.lifetime.contracts(cv.lifetime.simulated_subscriptions(400, seed=1)).data
    >>> found = cv.lifetime.fit_differing(
    ...     data["duration"], data["event"], data[["Contract: Two year"]])
    >>> bool(found.effects["effect"][0] < 0)
    True
    """
    one_of("model", model, MODELS)
    until, lost = np.asarray(duration, dtype=float), np.asarray(event).astype(bool)
    began = np.zeros(until.size) if entry is None else np.asarray(entry, dtype=float)
    z, names = covariates.to_numpy(dtype=float), [str(name) for name in covariates.columns]
    _check(until, lost, began, z)
    scale = z.std(axis=0)
    found = _climb(model, until, lost, began, z / scale)
    own = list(MODELS[model])
    size, reach = len(own), resample.reach(level)
    units = np.concatenate([np.ones(size), scale])
    at, error = found.at / units, np.sqrt(np.diag(found.covariance())) / units
    low, high = at - reach * error, at + reach * error
    logs = np.arange(at.size) < size

    def natural(values: Array) -> Array:
        return np.where(logs, np.exp(np.where(logs, values, 0.0)), values)

    said: list[Message] = []
    if found.held[:size].any() or 2 * reach * error[:size].max() > 3 * np.log(10):
        said.append(message("lifetime.cohort_ridge", model=model))
        error[:size] = low[:size] = high[:size] = np.nan
    parameters = pd.DataFrame(
        {
            "parameter": [*own, *names],
            "kind": ["parameter"] * size + ["covariate"] * len(names),
            "estimate": natural(at),
            "std_error": error * np.where(logs, natural(at), 1.0),
            "ci_low": natural(low),
            "ci_high": natural(high),
        }
    )
    rows = []
    for column, name in enumerate(names):
        rest = np.delete(z / scale, column, axis=1)
        gained = max(2 * (found.value - _climb(model, until, lost, began, rest).value), 0.0)
        place = size + column
        known = bool(reach * error[place] * scale[column] < _WIDE and not found.held[place])
        if not known:
            said.append(message("lifetime.covariate_not_identified", covariate=name))
        edges = np.expm1([low[place], high[place]]) if known else [np.nan, np.nan]
        chance = float(special.chdtrc(1, gained))
        rows.append((name, float(np.expm1(at[place])), *edges, gained, chance))
    measures = {
        "log_likelihood": found.value,
        "aic": 2 * at.size - 2 * found.value,
        "bic": at.size * np.log(until.size) - 2 * found.value,
        "customers": float(until.size),
        "lost": float(lost.sum()),
    }
    heads = ["covariate", "effect", "ci_low", "ci_high", "chi_square", "p"]
    return DifferingFit(
        model,
        parameters,
        pd.DataFrame(rows, columns=heads),
        pd.DataFrame({"measure": list(measures), "value": list(measures.values())}),
        tuple(names),
        at,
        tuple(said),
    )


def _check(until: Array, lost: NDArray[np.bool_], began: Array, z: Array) -> None:
    if not (np.isfinite(until) & (until >= 1)).all() or not lost.any():
        raise InputError(
            "duration",
            message("refusals.needs_periods_from_and_at"),
            message("refusals.check_the_table"),
        )
    if not ((began >= 0) & (began < until)).all():
        raise InputError(
            "entry",
            message("refusals.is_not_before_the_end"),
            message("refusals.leave_such_rows_out"),
        )
    if not np.isfinite(z).all():
        raise InputError(
            "covariates", message("refusals.have_missing_values"), message("refusals.fill_them_in")
        )
    if np.linalg.matrix_rank(np.column_stack([np.ones(len(z)), z])) <= z.shape[1]:
        raise InputError(
            "covariates",
            message("refusals.are_constant_or_repeat_one"),
            message("refusals.leave_the_surplus_ones_out"),
        )


def _log_survival(gamma: Array, delta: float, power: Array) -> Array:
    """ln B(γ, δ + p)/B(γ, δ), p = t or t^c."""
    return np.asarray(log_rising(delta, power) - log_rising(gamma + delta, power))


def _climb(model: str, until: Array, lost: NDArray[np.bool_], began: Array, z: Array) -> Maximum:
    size, k = len(MODELS[model]), z.shape[1]
    starts = [
        np.concatenate([np.array([a, b, 0.0])[:size], np.zeros(k)])
        for a, b in ((0.0, 1.5), (-0.5, 3.0))
    ]
    edge = np.concatenate([np.full(size, _FAR), np.full(k, _STEEPEST)])
    return maximise(_objective(model, until, lost, began, z), starts, -edge, edge)


def _objective(
    model: str, until: Array, lost: NDArray[np.bool_], began: Array, z: Array
) -> Objective:
    size = len(MODELS[model])

    def curve(theta: Array, t: Array) -> tuple[Array, Array]:
        """ln S(t) of every row, with slopes in ln γ, ln δ and ln c."""
        gamma = np.exp(np.clip(theta[0] + z @ theta[size:], -_STEEPEST, _STEEPEST))
        delta, c = np.exp(theta[1]), np.exp(theta[2]) if size == 3 else 1.0
        power = t**c
        both = digamma_rising(gamma + delta, power)
        slopes = [-gamma * both, delta * (digamma_rising(delta, power) - both)]
        if size == 3:
            by_power = special.digamma(delta + power) - special.digamma(gamma + delta + power)
            slopes.append(by_power * special.xlogy(power, t) * c)
        return _log_survival(gamma, delta, power), np.array(slopes)

    def objective(theta: Array) -> tuple[float, Array]:
        start, at_start = curve(theta, began)
        before, at_before = curve(theta, until - 1)
        after, at_after = curve(theta, until)
        share = np.where(lost, after - before, -1.0)
        value = np.where(lost, before + np.log(-np.expm1(share)), after) - start
        ratio = 1 / np.expm1(-share)
        slope = np.where(lost, at_before - (at_after - at_before) * ratio, at_after) - at_start
        return float(value.sum()), np.concatenate([slope.sum(axis=1), slope[0] @ z])

    return objective
