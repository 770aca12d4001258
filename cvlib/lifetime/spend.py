"""Gamma-Gamma: what a customer spends per purchase, shrunk towards what customers spend."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import digamma, gammaln

from cvlib.inputs.errors import InputError, reason_of
from cvlib.lifetime.maximise import Maximum, fit_table, maximise, newton, parameter_table
from cvlib.results import Result
from cvlib.words.message import Message, message

# limits of log p, log q, log v
_LOWER, _UPPER = np.full(3, -14.0), np.array([14.0, 14.0, 30.0])


@dataclass(frozen=True, eq=False, repr=False)
class SpendFit(Result):
    """A fitted Gamma-Gamma model.

    Attributes
    ----------
    parameters : DataFrame
        model, parameter, kind, estimate, std_error, ci_low, ci_high (p, q, v, mean_spend).
    fit : DataFrame
        model, measure, value.
    independence : DataFrame
        measure (pearson, spearman), estimate, p: frequency against mean spend, which the model
        takes to be independent.
    left_out : DataFrame
        reason, count, share of customers.
    warnings : tuple of str
    reason : Message or None
        Why spend is not modelled, where it could not be and a study goes on without: the tables
        are then empty, or describe a fit whose mean spend is infinite.
    """

    parameters: pd.DataFrame
    fit: pd.DataFrame
    independence: pd.DataFrame
    left_out: pd.DataFrame
    _maximum: Maximum | None
    warnings: tuple[str, ...] = ()
    reason: Message | None = None
    headline_tables = ("parameters", "independence")
    told_by = "cvlib.words.usual:estimates"

    def expected_spend(self, x: Any, mean_repeat_spend: Any) -> np.ndarray:
        """E[Z | x, mean]: p(v + x mean) / (px + q - 1); with x = 0 the mean of all customers.

        Raises
        ------
        InputError
            When q <= 1: spend then has no finite mean.
        """
        if self._maximum is None:
            raise InputError(
                "Gamma-Gamma model", str(self.reason), message("refusals.forecast_purchases_only")
            )
        p, q, v = np.exp(self._maximum.at)
        if q <= 1:
            raise InputError(
                "Gamma-Gamma model",
                message("refusals.is_not_above_so_that", q=q),
                message("refusals.check_for_extreme_amounts_or"),
            )
        x = np.asarray(x, dtype=float)
        # the mean of no purchases is no information, whatever stands in its place
        mean = np.where(x > 0, np.asarray(mean_repeat_spend, dtype=float), 0.0)
        return p * (v + x * mean) / (p * x + q - 1)

    def forecast(self, customers: pd.DataFrame) -> np.ndarray | None:
        """Expected spend per purchase of every customer; None where spend is not modelled."""
        if self.reason is not None:
            return None
        return self.expected_spend(customers["x"], customers["mean_repeat_spend"])


def fit_spend(data: Any, *, level: float = 0.95, required: bool = True) -> SpendFit:
    """Fit the Gamma-Gamma model of spend by maximum likelihood.

    Parameters
    ----------
    data : PurchaseSummary or DataFrame
        Customers with ``x`` repeat purchases and ``mean_repeat_spend`` over them. Customers
        without a repeat purchase, or whose repeats were free, are left out and counted.
    level : float
        Confidence of the intervals (symmetric in logs).
    required : bool
        False: where spend cannot be modelled the result says why instead, and what needs no
        amounts can go on.

    Returns
    -------
    SpendFit
        Parameters with intervals, fit, and expected spend per purchase.

    Raises
    ------
    InputError
        Negative or missing means, or fewer than two customers with repeat purchases.

    References
    ----------
    Colombo & Jiang (1999), J. Interactive Marketing 13(3); Fader, Hardie & Lee (2005), J. Marketing
    Research 42, 415-430; Fader & Hardie (2013), brucehardie.com/notes/025.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.fit_spend(p).parameters["parameter"].tolist()
    ['p', 'q', 'v', 'mean_spend']
    """
    if required:
        return _fitted(data, level)
    try:
        found = _fitted(data, level)
    except (InputError, ArithmeticError, np.linalg.LinAlgError) as error:
        why = message("lifetime.spend_left_out", reason=reason_of(error))
        empty = [pd.DataFrame() for _ in range(4)]
        return SpendFit(empty[0], empty[1], empty[2], empty[3], None, (why,), why)
    infinite = [
        said
        for said in found.warnings
        if isinstance(said, Message) and said.id == "lifetime.spend_infinite"
    ]
    return replace(found, reason=next(iter(infinite), None))


def _fitted(data: Any, level: float) -> SpendFit:
    frame = data if isinstance(data, pd.DataFrame) else data.customers
    if frame is None:
        raise InputError(
            "customers",
            message("refusals.were_written_to_a_file"),
            message("refusals.read_that_file_and_pass"),
        )
    x_all = frame["x"].to_numpy(dtype=float)
    mean_all = frame["mean_repeat_spend"].to_numpy(dtype=float)
    bad = np.flatnonzero((x_all > 0) & ~(np.isfinite(mean_all) & (mean_all >= 0)))
    if bad.size:
        raise InputError(
            f"customers, row {int(bad[0])}",
            message("refusals.mean_repeat_spend_is_negative", size=bad.size),
            message("refusals.give_the_mean_amount_per"),
        )
    use = (x_all > 0) & (mean_all > 0)
    if use.sum() < 2:
        raise InputError(
            "customers",
            message("lifetime.spend_few" if mean_all.any() else "lifetime.spend_unpaid"),
            message("lifetime.spend_few_remedy"),
        )
    x, mean = x_all[use], mean_all[use]
    # in units of the mean amount every start is near enough, whatever the currency
    unit = float(np.average(mean, weights=x))
    begin = [np.log([p, q, (q - 1) / p]) for p, q in ((6.0, 4.0), (1.0, 2.0), (30.0, 3.0))]
    found = maximise(_objective(x, mean / unit), begin, _LOWER, _UPPER)
    # the density of amounts, not of amounts in those units
    value = found.value - x.size * math.log(unit)
    found = replace(found, at=found.at + np.log([1.0, 1.0, unit]), value=value)
    independence = _independence(x, mean)
    left_out = pd.DataFrame(
        {
            "reason": ["no repeat purchase", "repeat purchases free of charge"],
            "count": [int((x_all == 0).sum()), int(((x_all > 0) & (mean_all == 0)).sum())],
        }
    )
    left_out["share"] = left_out["count"] / len(frame)
    return SpendFit(
        parameter_table("gamma_gamma", found, _values, ("p", "q", "v"), level),
        fit_table("gamma_gamma", found, x.size),
        independence,
        left_out,
        found,
        tuple(_warnings(found, independence)),
    )


def _objective(x: np.ndarray, mean: np.ndarray, count: np.ndarray | None = None) -> Any:
    """Log-likelihood and gradient; gamma functions once per distinct x, rows weighted by `count`.

    The sums over customers of what depends on x alone are sums over distinct x.
    """
    w = np.ones_like(x) if count is None else count
    total = x * mean
    values, place = np.unique(x, return_inverse=True)
    people = np.bincount(place, w)
    log_mean, log_total = float(w @ np.log(mean)), float(w @ np.log(total))
    number, bought = float(w.sum()), w * x

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        p, q, v = np.exp(point)
        px = p * values
        # p x log(x mean) - (px + q) log(v + x mean) + q log v, without its large parts
        over = np.log1p(v / total)
        by_x, rest = float(bought @ over), float(w @ over)
        part = log_total - number * point[2] + rest
        value = people @ (gammaln(px + q) - gammaln(px)) - number * gammaln(q)
        both = digamma(px + q)
        by_p = people @ (values * (both - digamma(px))) - by_x
        by_q = people @ both - number * digamma(q) - part
        by_v = float((w * (q * total - p * x * v) / (v + total)).sum())
        gradient = np.array([p * by_p, q * by_q, by_v])
        return float(value - log_mean - p * by_x - q * part), gradient

    return objective


class SpendRefits:
    """The same customers' spend fitted again to other numbers of each, from the estimate on.

    Parameters
    ----------
    fit : SpendFit
        Of the customers.
    customers : DataFrame
        x and mean_repeat_spend, one row each.
    """

    def __init__(self, fit: SpendFit, customers: pd.DataFrame) -> None:
        assert fit._maximum is not None
        x = customers["x"].to_numpy(dtype=float)
        mean = customers["mean_repeat_spend"].to_numpy(dtype=float)
        self.use = np.flatnonzero((x > 0) & (mean > 0))
        self.x, self.mean = x[self.use], mean[self.use]
        self.unit = float(np.average(self.mean, weights=self.x))
        self.shift = np.log([1.0, 1.0, self.unit])
        self.at, self.hessian = fit._maximum.at - self.shift, fit._maximum.hessian

    def refit(self, count: np.ndarray) -> Maximum:
        """The maximum where each customer stands for so many."""
        drawn = count[self.use]
        there = np.flatnonzero(drawn)
        objective = _objective(
            self.x[there], self.mean[there] / self.unit, drawn[there].astype(float)
        )
        found = newton(objective, self.at, _LOWER, _UPPER, self.hessian, refresh=False)
        return replace(found, at=found.at + self.shift)


def _independence(x: np.ndarray, mean: np.ndarray) -> pd.DataFrame:
    from scipy.stats import pearsonr, spearmanr

    rows = []
    if np.ptp(x) > 0 and np.ptp(mean) > 0:
        for name, test in (("pearson", pearsonr), ("spearman", spearmanr)):
            result = test(x, mean)
            rows.append((name, float(result.statistic), float(result.pvalue)))
    return pd.DataFrame(rows, columns=["measure", "estimate", "p"])


def _values(point: np.ndarray) -> dict[str, float]:
    p, q, v = (float(value) for value in np.exp(point))
    values = {"p": p, "q": q, "v": v}
    return values | ({"mean_spend": p * v / (q - 1)} if q > 1 else {})


def _warnings(found: Maximum, independence: pd.DataFrame) -> list[str]:
    warnings: list[str] = []
    named: dict[str, Any] = {"model": "gamma_gamma"}
    q = float(np.exp(found.at[1]))
    if not found.converged:
        warnings.append(message("lifetime.fit_not_converged", decrement=found.decrement, **named))
    if q <= 1:
        warnings.append(message("lifetime.spend_infinite", q=q, **named))
    if found.held.any() or (np.diag(found.covariance()) > 4).any():
        warnings.append(message("lifetime.spend_ridge", **named))
    if (independence["p"] < 0.05).any():
        said = [
            message("lifetime.correlated", measure=row.measure, estimate=row.estimate, p=row.p)
            for row in independence.itertuples()
        ]
        warnings.append(message("lifetime.spend_correlated", correlations=said, **named))
    return warnings
