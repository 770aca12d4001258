"""Regular buyers: how regular gaps between purchases are, and (M)BG/CNBD-k for gaps of Erlang form.

With k = 1 purchases come at random and the models are BG/NBD and MBG/NBD; a larger k makes very
short and very long gaps rare.

References
----------
Wheat & Morrison (1990) J. Marketing Research 27:87-93; Reutterer, Platzer & Schröder (2021) Int. J.
Research in Marketing 38:194-215. The forecast is the exact series, not their approximation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, gammaln

from cvlib.inputs.errors import InputError
from cvlib.lifetime.maximise import Maximum, Objective, maximise, parameter_table
from cvlib.lifetime.purchases.histories import Histories, check_histories, distinct_histories
from cvlib.lifetime.repeat_buying import bg_nbd
from cvlib.lifetime.repeat_buying.coordinates import (
    SCOUTS,
    bounds,
    to_log_parameters,
    to_working,
)
from cvlib.lifetime.repeat_buying.special import digamma_rising, log1p_exp, log_rising
from cvlib.results import Result
from cvlib.statistics.resample import reach
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
_MOST = 12
_FEWEST = 30


@dataclass(frozen=True, eq=False, repr=False)
class Regularity(Result):
    """How regular purchases are.

    Attributes
    ----------
    regularity : DataFrame
        pairs (last, first, all), customers, k, std_error, ci_low, ci_high.
    sentence : Message
        Whether k is above 1, so that models of regular buyers are worth a try.
    """

    regularity: pd.DataFrame
    sentence: Message


def regularity(
    purchases: pd.DataFrame,
    *,
    customer: str = "customer_id",
    date: str = "date",
    level: float = 0.95,
) -> Regularity:
    """Regularity of purchases by pairs of adjacent gaps.

    M, the first of two adjacent gaps over their sum, is beta(k, k), so that
    k = (1 − 4V) / (8V) with V the mean of (M − ½)². Which pairs are taken matters; all three
    choices are given.

    Parameters
    ----------
    purchases : DataFrame
        One row per purchase; those of one day are one.
    customer, date : str
        Its columns.
    level : float
        Of the intervals.

    Returns
    -------
    Regularity
        k by pairs, with delta-method error (all pairs: clustered by customer).

    Raises
    ------
    InputError
        Fewer than 30 customers with three purchases on different days.

    References
    ----------
    Wheat & Morrison (1990) J. Marketing Research 27:87-93.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> days = pd.to_datetime("2024-01-01") + pd.to_timedelta([0, 7, 13, 21] * 30, unit="D")
    >>> log = pd.DataFrame({"customer_id": [i // 4 for i in range(120)], "date": days})
    >>> bool(cv.lifetime.regularity(log).regularity["k"].min() > 10)
    True
    """
    for name in (customer, date):
        if name not in purchases:
            raise InputError(
                "purchases",
                message("refusals.have_no_column", name=name),
                message("refusals.name_it"),
            )
    days = purchases[[customer, date]].drop_duplicates().sort_values([customer, date])
    when = pd.to_datetime(days[date]).dt.floor("D")
    days = days.assign(**{date: when}).drop_duplicates()
    gap = days.groupby(customer)[date].diff().dt.days
    before = gap.groupby(days[customer]).shift()
    pairs = pd.DataFrame({"customer": days[customer], "m": before / (before + gap)}).dropna()
    groups = pairs.groupby("customer")["m"]
    square = (pairs["m"] - 0.5) ** 2
    own = square.groupby(pairs["customer"])
    ends = [((m - 0.5) ** 2).to_numpy(float) for m in (groups.last(), groups.first())]
    sums = own.sum().to_numpy(float), own.size().to_numpy(float)
    return regularity_table(ends[0], ends[1], *sums, level=level)


def regularity_table(
    last: Array, first: Array, total: Array, pairs: Array, *, level: float = 0.95
) -> Regularity:
    """Regularity from squares (M - 1/2)^2 of each customer: last and first pair, sum, and number.

    Parameters
    ----------
    last, first, total, pairs : ndarray, shape (customers,)
        Of customers with three purchases or more.
    level : float
        Of the intervals.
    """
    if last.size < _FEWEST:
        raise InputError(
            "purchases",
            message("refusals.have_customers_with_three_days", size=last.size, fewest=_FEWEST),
            message("refusals.use_a_longer_log"),
        )
    rows, z = [], reach(level)
    for name, square in (("last", last), ("first", first), ("all", None)):
        if square is not None:
            mean, error = float(square.mean()), float(square.std(ddof=1) / np.sqrt(square.size))
        else:
            mean = float(total.sum() / pairs.sum())
            own = total - mean * pairs
            error = float(np.sqrt(own @ own) / pairs.sum())
        k = wide = np.nan  # gaps that are all alike are more regular than any k
        if mean > 0:
            k, wide = (1 - 4 * mean) / (8 * mean), error / (8 * mean**2)
        rows.append((name, last.size, k, wide, k - z * wide, k + z * wide))
    heads = ["pairs", "customers", "k", "std_error", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=heads)
    row = table.iloc[0]
    if pd.isna(row["k"]):
        return Regularity(table, message("lifetime.regularity_exact"))
    kind = "regular" if row["ci_low"] > 1 else "clumpy" if row["ci_high"] < 1 else "random"
    values = {name: float(row[name]) for name in ("k", "ci_low", "ci_high")}
    return Regularity(table, message(f"lifetime.regularity_{kind}", **values))


@dataclass(frozen=True, eq=False, repr=False)
class RegularFit(Result):
    """A fitted BG/CNBD-k or MBG/CNBD-k.

    Attributes
    ----------
    k : int
        Erlang shape of the gaps.
    early : bool
        MBG: customers may drop out right after their first purchase.
    parameters : DataFrame
        model, parameter, kind, estimate, std_error, ci_low, ci_high.
    by_k : DataFrame
        k, log_likelihood of every k tried.
    sentence : Message
        Which k fits best, and how much better than k = 1.
    """

    k: int
    early: bool
    parameters: pd.DataFrame
    by_k: pd.DataFrame
    sentence: Message
    _theta: Array
    headline_tables = ("parameters", "by_k")

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Array:
        """Probability of not having dropped out by T."""
        x, t_x, T = _history(x, t_x, T)
        log_odds, _, _ = _parts(self._theta, self.k, int(self.early), x, t_x, T)
        return np.asarray(1 / (1 + np.exp(log_odds)))

    def expected_purchases(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Array:
        """Expected purchases in (T, T + horizon], by the exact series."""
        x, t_x, T = _history(x, t_x, T)
        r, alpha, a, b = np.exp(self._theta)
        R, stay = r + self.k * x, b + x + self.early
        share = self._phases(x, t_x, T)
        z, total = horizon / (alpha + T + horizon), np.zeros(x.shape)
        for n in range(1, 100_000):
            lives = np.exp(betaln(a, stay + n - 1) - betaln(a, stay))
            parts = [share[j] * betainc(n * self.k - j, R + j, z) for j in range(self.k)]
            term = lives * sum(parts)
            total += term
            if term.max(initial=0.0) < 1e-13:
                break
        return np.asarray(self.p_alive(x, t_x, T) * total)

    def probability_of_purchase(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Array:
        """Probability of a purchase in (T, T + horizon]."""
        x, t_x, T = _history(x, t_x, T)
        r, alpha = np.exp(self._theta[:2])
        share, z = self._phases(x, t_x, T), horizon / (alpha + T + horizon)
        chance = sum(share[j] * betainc(self.k - j, r + self.k * x + j, z) for j in range(self.k))
        return np.asarray(self.p_alive(x, t_x, T) * chance)

    def expected_from_start(self, t: ArrayLike) -> Array:
        """Expected repeat purchases of a new customer by age t."""
        r, alpha, a, b = np.exp(self._theta)
        t = np.asarray(t, dtype=float)
        total, stay = np.zeros(t.shape), b + self.early
        for n in range(1, 100_000):
            lives = np.exp(betaln(a, stay + n - 1) - betaln(a, stay))
            term = lives * betainc(n * self.k, r, t / (alpha + t))
            total += term
            if term.max(initial=0.0) < 1e-13:
                break
        return np.asarray((b / (a + b) if self.early else 1.0) * total)

    def _phases(self, x: Array, t_x: Array, T: Array) -> Array:
        """Of the k phases of a gap, the shares a living customer may be in, shape (k, rows)."""
        _, phases, _ = _parts(self._theta, self.k, int(self.early), x, t_x, T)
        return np.asarray(phases / phases.sum(axis=0))


def fit_regular(
    data: pd.DataFrame, k: int | None = None, *, early: bool = True, level: float = 0.95
) -> RegularFit:
    """Fit (M)BG/CNBD-k by maximum likelihood, k by the likelihood where none is given.

    Parameters
    ----------
    data : DataFrame
        x, t_x, T and litt, the sum of the logs of the gaps between a customer's purchases (0 where
        x = 0), one row per customer.
    k : int, optional
        Erlang shape from 1 to 12; None: the one with the highest likelihood.
    early : bool
        MBG/CNBD-k, in which customers may drop out after their first purchase; else BG/CNBD-k.
    level : float
        Of the intervals.

    Returns
    -------
    RegularFit
        Parameters, likelihood by k, and forecasts by its methods.

    Raises
    ------
    InputError
        Impossible histories, no column litt, a k outside 1 to 12.

    Notes
    -----
    Pareto/GGG, which lets every customer have a regularity of their own, is not offered: it has no
    closed likelihood.

    References
    ----------
    Reutterer, Platzer & Schröder (2021) Int. J. Research in Marketing 38:194-215.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> buyers = pd.DataFrame({"x": [0, 1, 3, 2] * 10, "t_x": [0, 5, 9, 4] * 10, "T": 10.0})
    >>> fit = cv.lifetime.fit_regular(buyers.assign(litt=[0, 1.6, 3.3, 1.4] * 10), 2)
    >>> fit.parameters["model"][0]
    'mbg_cnbd_2'
    """
    if "litt" not in data:
        raise InputError(
            "histories",
            message("refusals.have_no_column_litt"),
            message("refusals.add_the_sum_of_ln"),
        )
    if k is not None and not (k % 1 == 0 and 1 <= k <= _MOST):
        raise InputError(
            "k",
            message("refusals.is_not_a_whole_number_3", k=k, most=_MOST),
            message("refusals.leave_it_out"),
        )
    litt = data["litt"].to_numpy(dtype=float)
    if not np.isfinite(litt).all():
        raise InputError(
            "histories", message("refusals.have_a_litt_that_is"), message("refusals.it_is_where")
        )
    rows = distinct_histories(data.drop(columns="customers", errors="ignore"))
    if not rows.x.any():
        raise InputError(
            "histories",
            message("refusals.nobody_bought_again"),
            message("refusals.use_a_longer_calibration_period"),
        )
    purchases = float(rows.count @ rows.x)
    tried: dict[int, Maximum] = {}
    value: dict[int, float] = {}
    scouts = rows.sample(SCOUTS)
    for shape in range(1, _MOST + 1) if k is None else (k,):
        slower = np.array([np.log(shape), 0, 0, 0])
        tried[shape] = maximise(
            _objective(rows, shape, int(early)),
            [to_working(start + slower) for start in bg_nbd.starts(rows)],
            *bounds(bg_nbd, rows),
            None if scouts is rows else _objective(scouts, shape, int(early)),
        )
        known = (shape - 1) * litt.sum() - purchases * float(gammaln(shape))
        value[shape] = tried[shape].value + known
    best = max(value, key=lambda shape: value[shape])
    found = tried[best]
    theta = to_log_parameters(found.at, 4)
    model = f"{'mbg' if early else 'bg'}_cnbd_{best}"

    def natural(point: Array) -> dict[str, float]:
        at = np.exp(to_log_parameters(point, 4))
        return dict(zip(bg_nbd.PARAMETERS, at, strict=True)) | {
            "mean_dropout_chance": at[2] / (at[2] + at[3])
        }

    table = parameter_table(model, found, natural, bg_nbd.PARAMETERS, level, bg_nbd.SHARES)
    if k is not None:
        said = message("lifetime.regular_k_given", k=best)
    elif best == 1:
        said = message("lifetime.regular_k_one")
    else:
        said = message("lifetime.regular_k_many", k=best, gain=value[best] - value[1])
    by_k = pd.DataFrame({"k": list(value), "log_likelihood": list(value.values())})
    return RegularFit(best, early, table, by_k, said, theta)


def _history(*given: ArrayLike) -> tuple[Array, Array, Array]:
    x, t_x, T = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, dtype=float)) for v in given))
    check_histories(x, t_x, T)
    return x, t_x, T


def _parts(theta: Array, k: int, early: int, x: Any, t_x: Any, T: Any) -> tuple[Array, Array, Any]:
    """Log-odds of having dropped out, the weights w_j of the phases, and ln Σ w_j."""
    r, alpha, a, b = np.exp(theta)
    R, since = r + k * x, (T - t_x) / (alpha + T)
    weights = [np.ones(np.shape(x))]
    for j in range(1, k):
        weights.append(weights[-1] * (R + j - 1) * since / j)
    phases = np.array(weights)
    log_sum = np.log(phases.sum(axis=0))
    gone = x + early > 0
    last = np.where(gone, b + (x + early - 1), 1.0)
    log_odds = np.log(a / last) + R * np.log1p((T - t_x) / (alpha + t_x)) - log_sum
    return np.where(gone, log_odds, -np.inf), phases, log_sum


def _objective(data: Histories, k: int, early: int) -> Objective:
    """Log-likelihood without what no parameter touches, in working coordinates."""
    x, t_x, T, count = data.x, data.t_x, data.T, data.count
    places, stays = data.x_values, data.x_values + early
    j = np.arange(k)[:, None]

    def objective(point: Array) -> tuple[float, Array]:
        theta = to_log_parameters(point, 4)
        r, alpha, a, b = np.exp(theta)
        R, shrink = r + k * x, np.log1p(T / alpha)
        log_odds, phases, log_sum = _parts(theta, k, early, x, t_x, T)
        either, dead = log1p_exp(log_odds)
        value = data.sum_over_x(
            log_rising(r, k * places) + log_rising(b, stays) - log_rising(a + b, stays)
        )
        value += count @ (log_sum + either - R * shrink - k * x * np.log(alpha))
        share = (1 - dead) * phases / phases.sum(axis=0)
        by_r = data.sum_over_x(digamma_rising(r, k * places)) - count @ shrink
        rising = np.cumsum(np.vstack([0 * R, *(1 / (R + i) for i in range(k - 1))]), axis=0)
        by_r += count @ ((share * rising).sum(axis=0))
        by_r += (count * dead) @ np.log1p((T - t_x) / (alpha + t_x))
        by_alpha = count @ (R * T / (alpha + T) - k * x)
        by_alpha -= (count / (alpha + T) * alpha) @ (share * j).sum(axis=0)
        by_alpha += alpha * ((count * dead * R) @ (1 / (alpha + T) - 1 / (alpha + t_x)))
        spread = -digamma_rising(a + b, stays)
        last = np.where(x + early > 0, b + (x + early - 1), 1.0)
        slope = [
            r * by_r,
            by_alpha,
            a * data.sum_over_x(spread) + count @ dead,
            b * (data.sum_over_x(spread + digamma_rising(b, stays)) - (count * dead) @ (1 / last)),
        ]
        first, second = np.array(slope[0::2]), np.array(slope[1::2])
        return float(value), np.column_stack([-second, first + second]).ravel()

    return objective
