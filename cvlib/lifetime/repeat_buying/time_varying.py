"""Pareto/NBD with covariates that change by calendar week: seasons, campaigns, prices.

Customers buy at λ exp(γ'x(t)) and drop out at μ exp(δ'z(t)), constant within a period of the
covariates. With A(t) = ∫ exp(γ'x) and C(t) = ∫ exp(δ'z) since the first purchase the likelihood is
that of the Pareto/NBD in A and C; the integral over the time of dropout is taken piece by piece.

References
----------
Bachmann, Meierer & Näf (2021) Marketing Science 40:783-809.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc, digamma, expit, exprel, gammaln

from cvlib.inputs.errors import InputError
from cvlib.lifetime.maximise import Maximum, Objective, maximise
from cvlib.lifetime.repeat_buying.special import gauss
from cvlib.results import Result
from cvlib.statistics.resample import reach
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
_NODES = 8


@dataclass(frozen=True)
class _Paths:
    """Customers by periods of the covariates; times in periods since the first purchase."""

    ids: pd.Index
    x: Array
    z: Array  # (customers, periods, covariates)
    lived: Array  # part of each period between first purchase and T
    offset: Array  # where in it t_x lies, when it does
    open: Array  # part of each period between t_x and T
    bought: Array  # Σ of covariates at repeat purchases, (customers, covariates)
    count: Array  # customers each row stands for

    def distinct(self) -> _Paths:
        """Customers who came, bought last and bought alike as one row: their terms are equal."""
        own = self.z[:, 0, :]
        spans = [self.lived.sum(axis=1), self.open.sum(axis=1)]
        key = np.column_stack([*spans, self.x, self.bought, own])
        _, rows, count = np.unique(key, axis=0, return_index=True, return_counts=True)
        parts = (self.z, self.lived, self.offset, self.open, self.bought)
        z, lived, offset, opened, bought = (part[rows] for part in parts)
        return _Paths(
            self.ids[rows], self.x[rows], z, lived, offset, opened, bought, count.astype(float)
        )


@dataclass(frozen=True, eq=False, repr=False)
class TimeVaryingFit(Result):
    """A fitted Pareto/NBD with covariates by period.

    Attributes
    ----------
    parameters : DataFrame
        parameter (r, alpha, s, beta, purchase:…, dropout:…), kind, estimate, std_error, ci_low,
        ci_high; times in periods of the covariates.
    effects : DataFrame
        covariate, process, effect (share by which one unit changes the rate), ci_low, ci_high,
        chi_square, p (likelihood ratio against the model without the covariate, both processes).
    customers : DataFrame
        customer_id, x, log_likelihood, p_alive, purchase_time (A(T)), dropout_time (C(T)).
    log_likelihood : float
    warnings : tuple of str
    """

    parameters: pd.DataFrame
    effects: pd.DataFrame
    customers: pd.DataFrame
    log_likelihood: float
    until: pd.Timestamp
    _theta: Array
    _season: pd.DataFrame
    _static: pd.DataFrame
    warnings: tuple[Message, ...] = ()
    headline_tables = ("parameters", "effects")
    told_by = "cvlib.words.usual:estimates"

    def expected_purchases(self, periods: int) -> Array:
        """Expected purchases of every customer in the next `periods` periods.

        Parameters
        ----------
        periods : int
            Periods after the cut, whose covariates must be known.

        Returns
        -------
        ndarray, shape (customers,)

        Raises
        ------
        InputError
            Covariates that end before.
        """
        step = self._season.index[1] - self._season.index[0]
        ends = self.until + periods * step
        if self._season.index[-1] + step < ends:
            raise InputError(
                "covariates",
                message("refusals.end_before_the_end_of", ends=ends),
                message(
                    "refusals.give_of_the_periods_to_2",
                    names=", ".join(map(str, self._season.columns)),
                ),
            )
        r, alpha, s, beta = np.exp(self._theta[:4])
        k = (self._theta.size - 4) // 2
        known = self.customers
        A, C, x = (known[n].to_numpy() for n in ("purchase_time", "dropout_time", "x"))
        start = ((self._season.index - self.until) / step).to_numpy()
        part = np.clip(np.minimum(start + 1, periods) - np.maximum(start, 0), 0, None)
        z = _design(self._season, self._static)
        up, down = np.exp(z @ self._theta[4 : 4 + k]), np.exp(z @ self._theta[4 + k :])
        after = beta + C[:, None] + np.cumsum(down * part, axis=1)
        before = after - down * part
        length = np.log(after / before)  # ∫ ((β+C)/(β+C+cy))^s dy over a piece, also at s = 1
        survive = ((beta + C[:, None]) / before) ** s * before / down * length
        survive = survive * exprel((1 - s) * length)
        mean = (r + x) / (alpha + A) * (up * survive).sum(axis=1)
        return np.asarray(known["p_alive"].to_numpy() * mean)


def fit_time_varying(
    purchases: pd.DataFrame,
    covariates: pd.DataFrame,
    until: str,
    *,
    static: pd.DataFrame | None = None,
    level: float = 0.95,
) -> TimeVaryingFit:
    """Fit the Pareto/NBD with covariates by calendar period.

    Parameters
    ----------
    purchases : DataFrame
        customer_id and date, one row per purchase; those of one day are one.
    covariates : DataFrame
        Indexed by the first day of each period, periods of equal length without gaps, from the
        first purchase to `until` at least, and beyond for forecasts.
    until : str
        Last day of the calibration.
    static : DataFrame, optional
        Indexed by customer_id: covariates that do not change.
    level : float
        Of the intervals.

    Returns
    -------
    TimeVaryingFit
        Parameters, effects, customers; forecasts by its method.

    Raises
    ------
    InputError
        Missing columns, periods that leave a gap or end early, customers without covariates.

    References
    ----------
    Bachmann, Meierer & Näf (2021) Marketing Science 40:783-809.

    Examples
    --------
    >>> import cvlib as cv, numpy as np, pandas as pd
    >>> weeks = pd.date_range("2023-01-01", periods=40, freq="7D")
    >>> season = pd.DataFrame({"sale": np.arange(40) % 4 == 0}, index=weeks) * 1.0
    >>> day = [3, 31, 59, 10, 38, 20, 90, 5, 33, 61, 117, 40]
    >>> log = pd.DataFrame({"customer_id": [1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5]})
    >>> log["date"] = weeks[0] + pd.to_timedelta(day, unit="D")
    >>> fit = cv.lifetime.fit_time_varying(log, season, "2023-07-01")
    >>> fit.effects["process"].tolist()
    ['purchase', 'dropout']
    """
    season = covariates.astype(float)
    fixed = pd.DataFrame(index=pd.Index([])) if static is None else static.astype(float)
    paths, fixed = _paths(purchases, season, pd.Timestamp(until), fixed)
    names = [*map(str, season.columns), *map(str, fixed.columns)]
    few = paths.distinct()
    found = _climb(few)
    k, z = len(names), reach(level)
    errors = np.sqrt(np.diag(found.covariance()))
    at, low, high = found.at, found.at - z * errors, found.at + z * errors
    logs = np.arange(at.size) < 4
    labels = [f"{what}:{name}" for what in ("purchase", "dropout") for name in names]

    def natural(values: Array) -> Array:
        return np.where(logs, np.exp(np.where(logs, values, 0.0)), values)

    parameters = pd.DataFrame(
        {
            "parameter": ["r", "alpha", "s", "beta", *labels],
            "kind": ["parameter"] * 4 + ["covariate"] * (2 * k),
            "estimate": natural(at),
            "std_error": errors * np.where(logs, natural(at), 1.0),
            "ci_low": natural(low),
            "ci_high": natural(high),
        }
    )
    rows, said = [], []
    for column, name in enumerate(names):
        near = np.delete(found.at, [4 + column, 4 + k + column])
        gained = max(2 * (found.value - _climb(_without(few, column), near).value), 0.0)
        for process, place in (("purchase", 4 + column), ("dropout", 4 + k + column)):
            known = bool(z * errors[place] < 5 and not found.held[place])
            if not known:
                said.append(
                    message("lifetime.covariate_not_identified", covariate=f"{process}:{name}")
                )
            edges = np.expm1([low[place], high[place]]) if known else [np.nan, np.nan]
            rows.append((name, process, np.expm1(at[place]), *edges, gained, chdtrc(2, gained)))
    heads = ["covariate", "process", "effect", "ci_low", "ci_high", "chi_square", "p"]
    return TimeVaryingFit(
        parameters,
        pd.DataFrame(rows, columns=heads),
        customer_table(paths, at),
        found.value,
        pd.Timestamp(until),
        at,
        season,
        fixed,
        tuple(said),
    )


def customer_table(paths: _Paths, theta: Array) -> pd.DataFrame:
    """Likelihood and life of every customer at given parameters (see `TimeVaryingFit`)."""
    value, log_odds, A, C, _ = _rows(paths, theta)
    return pd.DataFrame(
        {
            "customer_id": paths.ids,
            "x": paths.x,
            "log_likelihood": value,
            "p_alive": expit(-log_odds),
            "purchase_time": A,
            "dropout_time": C,
        }
    )


def _climb(paths: _Paths, near: Array | None = None) -> Maximum:
    k = paths.z.shape[2]
    lived = paths.count @ paths.lived.sum(axis=1)
    rate, length = paths.count @ paths.x / lived, lived / paths.count.sum()
    starts = [
        np.array([*np.log([r, r / (rate * f), s, s * length * lives]), *[0.0] * (2 * k)])
        for r, f, s, lives in ((0.5, 1.5, 0.6, 0.5), (1.5, 2.0, 1.5, 1.0))
    ]
    edge = np.array([12.0, 20.0, 12.0, 20.0, *[30.0] * (2 * k)])

    def objective(theta: Array) -> tuple[float, Array]:
        value, *_, slope = _rows(paths, theta, slopes=True)
        return float(paths.count @ value), slope

    whole: Objective = objective
    return maximise(whole, starts if near is None else [near], -edge, edge)


def _rows(
    paths: _Paths, theta: Array, slopes: bool = False
) -> tuple[Array, Array, Array, Array, Array]:
    """Log-likelihood, log-odds of having dropped out, A(T), C(T); slopes of the sum."""
    r, alpha, s, beta = np.exp(theta[:4])
    k, x, z, n = paths.z.shape[2], paths.x, paths.z, paths.count
    gamma, delta = theta[4 : 4 + k], theta[4 + k :]
    up, down = np.exp(z @ gamma), np.exp(z @ delta)
    dA, dC = up * paths.lived, down * paths.lived
    A, C = dA.sum(axis=1), dC.sum(axis=1)
    at, weight = gauss(_NODES)
    part = paths.offset[..., None] + paths.open[..., None] * at  # since the period's own start
    a = alpha + (np.cumsum(dA, axis=1) - dA)[..., None] + up[..., None] * part
    c = beta + (np.cumsum(dC, axis=1) - dC)[..., None] + down[..., None] * part
    p = (r + x)[:, None, None]
    # relative to the survivors' term, which keeps exponents small
    log_mass = (
        p * np.log((alpha + A)[:, None, None] / a)
        + s * np.log((beta + C)[:, None, None] / c)
        - np.log(c)
    )
    mass = np.exp(log_mass) * (s * down * paths.open)[..., None] * weight
    odds = mass.sum(axis=(1, 2))
    with np.errstate(divide="ignore"):
        log_odds = np.log(odds)
    value = (
        paths.bought @ gamma + gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        - (r + x) * np.log(alpha + A) - s * np.log(beta + C) + np.log1p(odds)
    )  # fmt: skip
    if not slopes:
        return value, log_odds, A, C, np.empty(0)
    share = mass / (1 + odds)[:, None, None]
    gone = share.sum(axis=(1, 2))
    per_a, per_c = share / a, share / c
    # sums of 1/a within a period, and of the time in it
    inner_a, inner_c = per_a.sum(axis=2), per_c.sum(axis=2)
    timed_a, timed_c = (per_a * part).sum(axis=2), (per_c * part).sum(axis=2)
    later_a = np.cumsum(inner_a[:, ::-1], axis=1)[:, ::-1] - inner_a
    later_c = np.cumsum(inner_c[:, ::-1], axis=1)[:, ::-1] - inner_c
    q = r + x
    left_a, left_c = (1 - gone) / (alpha + A), (1 - gone) / (beta + C)
    by_r = digamma(q) - digamma(r) + np.log(alpha) - np.log(alpha + A)
    by_r = by_r + (share * np.log((alpha + A)[:, None, None] / a)).sum(axis=(1, 2))
    by_s = np.log(beta) - np.log(beta + C) + gone / s
    by_s = by_s + (share * np.log((beta + C)[:, None, None] / c)).sum(axis=(1, 2))
    by_alpha = r / alpha - q * (left_a + inner_a.sum(axis=1))
    by_beta = s / beta - s * left_c - (s + 1) * inner_c.sum(axis=1)
    # what one more unit of A in a period does: to survivors and to all who drop out later
    weight_a = -q[:, None] * (dA * (left_a[:, None] + later_a) + up * timed_a)
    weight_c = -(s * dC * left_c[:, None] + (s + 1) * (dC * later_c + down * timed_c))
    weight_c = weight_c + share.sum(axis=2)
    slope = [
        r * (n @ by_r),
        alpha * (n @ by_alpha),
        s * (n @ by_s),
        beta * (n @ by_beta),
        *(np.einsum("nw,nwk->k", n[:, None] * weight_a, z) + n @ paths.bought),
        *np.einsum("nw,nwk->k", n[:, None] * weight_c, z),
    ]
    return value, log_odds, A, C, np.array(slope)


def _without(paths: _Paths, column: int) -> _Paths:
    z, bought = np.delete(paths.z, column, axis=2), np.delete(paths.bought, column, axis=1)
    rest = (paths.lived, paths.offset, paths.open, bought, paths.count)
    return _Paths(paths.ids, paths.x, z, *rest)


def _design(season: pd.DataFrame, static: pd.DataFrame) -> Array:
    """Covariates by customer and period, shape (customers, periods, k)."""
    by_period = np.broadcast_to(season.to_numpy(), (len(static), *season.shape))
    shape = (len(static), len(season), static.shape[1])
    own = np.broadcast_to(static.to_numpy()[:, None, :], shape)
    return np.concatenate([by_period, own], axis=2)


def _paths(
    purchases: pd.DataFrame, season: pd.DataFrame, until: pd.Timestamp, static: pd.DataFrame
) -> tuple[_Paths, pd.DataFrame]:
    for name in ("customer_id", "date"):
        if name not in purchases:
            raise InputError(
                "purchases",
                message("refusals.have_no_column", name=name),
                message("refusals.rename_it"),
            )
    log = purchases[["customer_id", "date"]].drop_duplicates()
    log = log.assign(date=pd.to_datetime(log["date"])).query("date <= @until")
    log = log.sort_values(["customer_id", "date"])
    starts = pd.DatetimeIndex(season.index)
    steps = np.diff(starts.to_numpy())
    if len(starts) < 2 or (steps != steps[0]).any():
        raise InputError(
            "covariates",
            message("refusals.leave_gaps_or_periods_of"),
            message("refusals.give_one_row_per_period"),
        )
    step = pd.Timedelta(steps[0])
    if log.empty or starts[0] > log["date"].min() or starts[-1] + step < until:
        raise InputError(
            "covariates",
            message("refusals.do_not_reach_from_the"),
            message("refusals.add_those_periods"),
        )
    if not np.isfinite(season.to_numpy()).all() or not np.isfinite(static.to_numpy()).all():
        raise InputError(
            "covariates", message("refusals.have_missing_values"), message("refusals.fill_them_in")
        )
    groups = log.groupby("customer_id")["date"]
    first, last, x = groups.min(), groups.max(), groups.size().to_numpy() - 1.0
    if static.shape[1]:
        missing = first.index.difference(static.index)
        if len(missing):
            raise InputError(
                "static",
                message("refusals.has_no_row_of_customer", missing=missing[0]),
                message("refusals.add_it"),
            )
    own = static.reindex(first.index) if static.shape[1] else pd.DataFrame(index=first.index)
    z = _design(season, own)
    spread = z[:, starts <= until].reshape(-1, z.shape[2])
    design = np.column_stack([np.ones(len(spread)), spread])
    if np.linalg.matrix_rank(design) <= z.shape[2]:
        raise InputError(
            "covariates",
            message("refusals.are_constant_or_repeat_one"),
            message("refusals.leave_some_out"),
        )
    begin = ((starts - starts[0]) / step).to_numpy()
    born, latest = (((d - starts[0]) / step).to_numpy()[:, None] for d in (first, last))
    end = (until - starts[0]) / step
    left = np.maximum(begin, born)
    right = np.minimum(begin + 1, end)
    opened = np.maximum(left, latest)
    place = {customer: row for row, customer in enumerate(first.index)}
    repeats = log[groups.cumcount() > 0]
    row = repeats["customer_id"].map(place).to_numpy()
    period = starts.searchsorted(repeats["date"], side="right") - 1
    bought = np.zeros((len(first), z.shape[2]))
    np.add.at(bought, row, z[row, period])
    lived, open_ = np.maximum(right - left, 0), np.maximum(right - opened, 0)
    used = begin < end
    return (
        _Paths(first.index, x, z[:, used], lived[:, used],
               np.where(open_ > 0, opened - left, 0)[:, used], open_[:, used], bought,
               np.ones(len(first))),
        own,
    )  # fmt: skip
