"""Fit a model of repeat buying, say how well it is identified, and predict from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from cvlib.inputs.errors import InputError, nearest
from cvlib.lifetime.maximise import Maximum, maximise, newton
from cvlib.lifetime.purchases import PERIODS_PER_YEAR
from cvlib.lifetime.repeat_buying import bg_bb, bg_nbd, mbg_nbd, nbd, pareto_nbd
from cvlib.lifetime.repeat_buying.histories import (
    Histories,
    check_histories,
    distinct_histories,
)
from cvlib.lifetime.repeat_buying.special import gauss

FAMILIES: dict[str, Any] = {
    "bg_nbd": bg_nbd,
    "mbg_nbd": mbg_nbd,
    "pareto_nbd": pareto_nbd,
    "bg_bb": bg_bb,
    "nbd": nbd,
}
# Within a pair the optimiser moves (level, shape) = (log first - log second, log first): a ridge
# then runs along shape alone. Beyond these limits the mixture cannot be told from one value.
_LEVEL, _SHAPE = (-25.0, 25.0), (-14.0, math.log(1e4))
_SCOUTS = 10_000


@dataclass(frozen=True)
class RepeatBuyingBootstrap:
    """Estimates from resampled customers: ``draws`` (draw, parameter, estimate), ``parameters``."""

    draws: pd.DataFrame
    parameters: pd.DataFrame
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class RepeatBuyingFit:
    """A fitted model of repeat buying.

    Attributes
    ----------
    model : str
    unit : str or None
        Time unit of every rate and horizon.
    parameters : DataFrame
        model, parameter, kind (parameter, derived or covariate), estimate, std_error, ci_low,
        ci_high. Intervals are symmetric in logs (logits for shares, plain for covariates).
    fit : DataFrame
        model, measure, value: log_likelihood, aic, bic, counts, newton_decrement and more.
    diagnosis : DataFrame
        model, check, value, threshold, verdict: what the data can and cannot tell.
    histories : DataFrame
        Distinct histories with the number of ``customers``.
    warnings : tuple of str
    """

    model: str
    unit: str | None
    level: float
    parameters: pd.DataFrame
    fit: pd.DataFrame
    diagnosis: pd.DataFrame
    histories: pd.DataFrame
    warnings: tuple[str, ...]
    covariates: tuple[str, ...]
    _maximum: Maximum
    _data: Histories

    def p_alive(self, x: Any, t_x: Any, T: Any, covariates: Any = None) -> np.ndarray:
        """Probability of not having dropped out by T (BG/NBD: 1 whenever x = 0)."""
        x, t_x, T = _history(x, t_x, T)
        return FAMILIES[self.model].p_alive(self._theta(covariates), x, t_x, T)

    def expected_purchases(
        self, horizon: Any, x: Any, t_x: Any, T: Any, covariates: Any = None
    ) -> np.ndarray:
        """Expected purchases in (T, T + horizon] given the history."""
        x, t_x, T = _history(x, t_x, T)
        t, theta, family = _horizon(horizon), self._theta(covariates), FAMILIES[self.model]
        return family.p_alive(theta, x, t_x, T) * family.expected_if_alive(theta, t, x, T)

    def probability_of_purchase(
        self, horizon: Any, x: Any, t_x: Any, T: Any, covariates: Any = None
    ) -> np.ndarray:
        """Probability of a purchase in (T, T + horizon]: the score to hold against churn."""
        x, t_x, T = _history(x, t_x, T)
        t, theta, family = _horizon(horizon), self._theta(covariates), FAMILIES[self.model]
        return family.p_alive(theta, x, t_x, T) * family.chance_if_alive(theta, t, x, T)

    def expected_from_start(self, t: Any, covariates: Any = None) -> np.ndarray:
        """Expected repeat purchases of a new customer by age t."""
        return FAMILIES[self.model].expected_from_start(self._theta(covariates), _horizon(t))

    def purchase_distribution(self, n: Any, t: Any) -> np.ndarray:
        """P(X(t) = n): n repeat purchases of a new customer by age t."""
        self._without_covariates("purchase_distribution")
        return FAMILIES[self.model].distribution(
            self._theta(None), np.asarray(n, dtype=float), _horizon(t)
        )

    def purchase_counts(self, largest: int = 7) -> pd.DataFrame:
        """Customers by number of repeat purchases, actual and expected; the last row is open."""
        self._without_covariates("purchase_counts")
        ages, place = np.unique(self._data.T, return_inverse=True)
        customers = np.bincount(place, weights=self._data.count)
        n = np.arange(largest)
        expected = customers @ self.purchase_distribution(n[None, :], ages[:, None])
        capped = np.minimum(self._data.x, largest).astype(int)
        actual = np.bincount(capped, weights=self._data.count, minlength=largest + 1)
        return pd.DataFrame(
            {
                "model": self.model,
                "count": [*map(str, n), f"{largest}+"],
                "actual": actual,
                "expected": np.append(expected, customers.sum() - expected.sum()),
            }
        )

    def tracking(self, first_purchases: Any, periods: int) -> pd.DataFrame:
        """Expected repeat purchases of a cohort in periods 1 to `periods`.

        Parameters
        ----------
        first_purchases : array
            Time of each customer's first purchase since period 1 began.
        periods : int
            How many to track.
        """
        self._without_covariates("tracking")
        births, customers = np.unique(np.asarray(first_purchases, float), return_counts=True)
        age = np.maximum(np.arange(1, periods + 1)[:, None] - births, 0.0)
        cumulative = self.expected_from_start(age) @ customers
        return pd.DataFrame(
            {
                "model": self.model,
                "period": np.arange(1, periods + 1),
                "expected": np.diff(cumulative, prepend=0.0),
                "cumulative_expected": cumulative,
            }
        )

    def discounted_expected_purchases(
        self,
        annual_rate: float,
        x: Any,
        t_x: Any,
        T: Any,
        *,
        horizon: float | None = None,
        periods_per_year: float | None = None,
        covariates: Any = None,
    ) -> np.ndarray:
        """Expected purchases after T, each discounted to T (DERT when `horizon` is None).

        Discounting is continuous at log(1 + annual_rate) / periods_per_year for every model but
        BG/BB, whose opportunities are discounted by whole periods. It is the integral
        δ ∫ exp(-δt) E[Y(t)] dt + exp(-δh) E[Y(h)], in which nothing cancels.

        Parameters
        ----------
        annual_rate : float
            0.15 for 15 % a year.
        x, t_x, T, covariates : array
            Histories, as elsewhere.
        horizon : float, optional
            In the model's unit; None is without end, for which the rate must be positive.
        periods_per_year : float, optional
            From the unit when known: 365.25, 52.18, 12 or 1.
        """
        per_year = periods_per_year or PERIODS_PER_YEAR.get(self.unit or "")
        if not per_year or per_year <= 0:
            raise InputError(
                "periods_per_year", "the unit of the histories is not known", "State it."
            )
        if not annual_rate >= 0 or (annual_rate == 0 and horizon is None):
            raise InputError(
                "annual_rate",
                f"{annual_rate} without a horizon need not give a finite value",
                "Give a positive annual rate, or a horizon.",
            )
        if horizon is not None and not horizon > 0:
            raise InputError("horizon", f"{horizon} is not positive", "Give periods ahead.")
        x, t_x, T = np.broadcast_arrays(*_history(x, t_x, T))
        theta, family = self._theta(covariates), FAMILIES[self.model]
        force = math.log1p(annual_rate) / per_year
        if self.model == "bg_bb":
            later = bg_bb.discounted_if_alive(theta, force, horizon, x, T)
        else:
            later = _discounted(family, theta, force, horizon, x, T)
        return family.p_alive(theta, x, t_x, T) * later

    def predict(self, customers: pd.DataFrame, horizon: float) -> pd.DataFrame:
        """p_alive, probability_of_purchase and expected_purchases of every customer."""
        names = [name for name in ("customer_id",) if name in customers.columns]
        rows, back = _distinct(customers, ["x", "t_x", "T", *self.covariates])
        x, t_x, T = (rows[name].to_numpy(float) for name in ("x", "t_x", "T"))
        z = rows[list(self.covariates)].to_numpy(float) if self.covariates else None
        scores = pd.DataFrame(
            {
                "p_alive": self.p_alive(x, t_x, T, z),
                "probability_of_purchase": self.probability_of_purchase(horizon, x, t_x, T, z),
                "expected_purchases": self.expected_purchases(horizon, x, t_x, T, z),
            }
        ).iloc[back]
        return pd.concat([customers[names], scores.set_index(customers.index)], axis=1)

    def bootstrap(self, draws: int, seed: int, level: float | None = None) -> RepeatBuyingBootstrap:
        """Refit to resampled customers (multinomial counts on histories) from the estimate."""
        level = self.level if level is None else level
        family, data = FAMILIES[self.model], self._data
        rng = np.random.default_rng(seed)
        customers = round(data.customers)
        names = [*family.PARAMETERS, *_covariate_names(data.names)]
        rows: dict[str, list[float]] = {}
        stuck = 0
        for _ in range(draws):
            counts = rng.multinomial(customers, data.count / data.customers)
            objective = _objective(family, data.with_count(counts))
            lower, upper = _bounds(family, data)
            found = newton(
                objective, self._maximum.at, lower, upper, self._maximum.hessian, refresh=False
            )
            stuck += not found.converged
            point = dict(zip(names, _natural(family, data, found.at), strict=True))
            values = point | family.derived(*(point[name] for name in family.PARAMETERS))
            for name in self.parameters["parameter"]:
                rows.setdefault(name, []).append(values.get(name, np.nan))
        frame = pd.DataFrame(rows)
        tail = (1 - level) / 2
        table = self.parameters.set_index("parameter").copy()
        table["std_error"] = frame.std(ddof=1)
        table["ci_low"], table["ci_high"] = frame.quantile(tail), frame.quantile(1 - tail)
        long = frame.rename_axis("draw").reset_index().melt("draw", var_name="parameter")
        warnings = []
        if stuck:
            warnings.append(f"{stuck} of {draws} resamples did not converge; they are kept.")
        undefined = int(frame.isna().any(axis=1).sum())
        if undefined:
            warnings.append(
                f"In {undefined} of {draws} resamples a <= 1, where the mean number of purchases "
                "until dropout is infinite; its interval is over the others."
            )
        return RepeatBuyingBootstrap(
            long.rename(columns={"value": "estimate"}),
            table.reset_index()[list(self.parameters.columns)],
            tuple(warnings),
        )

    def _theta(self, covariates: Any) -> Any:
        """Log-parameters; with covariates two of them vary by row."""
        family, data = FAMILIES[self.model], self._data
        base = _log_parameters(family, self._maximum.at)
        if not data.names:
            if covariates is not None:
                raise InputError(
                    "covariates", "the model was fitted without any", "Leave them out."
                )
            return base
        if covariates is None:
            raise InputError(
                "covariates",
                f"the model needs {', '.join(data.names)}",
                "Give one row per customer.",
            )
        z = np.asarray(covariates, dtype=float).reshape(-1, len(data.names))
        return family.with_covariates(base, self._maximum.at[len(base) :], z)

    def _without_covariates(self, what: str) -> None:
        if self._data.names:
            raise InputError(what, "is not defined with covariates", "Fit without them.")


def fit_repeat_buying(
    data: Any, model: str = "bg_nbd", *, covariates: Sequence[str] = (), level: float = 0.95
) -> RepeatBuyingFit:
    """Fit a model of repeat buying by maximum likelihood.

    Parameters
    ----------
    data : PurchaseSummary or DataFrame
        Histories with columns x, t_x, T and, when distinct, ``customers``. For ``bg_bb`` T is the
        number of opportunities and t_x the one of the last purchase.
    model : str
        bg_nbd, mbg_nbd, pareto_nbd, bg_bb or nbd.
    covariates : sequence of str
        Static covariates, for ``pareto_nbd`` only: there each acts once on the purchase rate and
        once on the dropout rate, as exp(γ'z), which can be read; BG/NBD has no single parameter
        for the dropout chance (Fader & Hardie 2007, note 019). The data must be a DataFrame.
    level : float
        Confidence of the intervals.

    Returns
    -------
    RepeatBuyingFit

    Raises
    ------
    InputError
        Impossible histories, no repeat purchases, covariates for another model.

    Notes
    -----
    The gradient is analytic, in log-parameters; the climb starts from several points and ends by
    Newton's method when g'H⁻¹g is negligible, so that a flat ridge is not mistaken for a failure:
    it is reported in ``diagnosis`` with the likelihood lost at the homogeneous limit.
    """
    if model not in FAMILIES:
        raise InputError("model", f"{model!r} is not a model", nearest(model, list(FAMILIES)))
    if covariates and model != "pareto_nbd":
        raise InputError("covariates", f"{model} takes none", 'Choose model="pareto_nbd".')
    frame = data if isinstance(data, pd.DataFrame) else data.histories
    unit = None if isinstance(data, pd.DataFrame) else data.unit
    histories = distinct_histories(frame, covariates)
    _check_enough(histories, model)
    family = FAMILIES[model]
    found = _maximise(family, histories)
    diagnosis, warnings, loose = _diagnose(model, family, histories, found, level)
    return RepeatBuyingFit(
        model,
        unit,
        level,
        _parameter_table(model, family, histories, found, loose, level),
        _fit_table(model, histories, found),
        diagnosis,
        histories.frame(),
        tuple(warnings),
        tuple(covariates),
        found,
        histories,
    )


def _check_enough(data: Histories, model: str) -> None:
    if not data.x.any():
        raise InputError(
            "histories",
            "nobody bought again",
            "Nothing can be learnt about repeat buying; use a longer calibration period.",
        )
    if not (data.T > 0).any():
        raise InputError("histories", "every customer has age T = 0", "Choose a later cut.")
    if data.names:
        spread = data.z.std(axis=0)
        if (
            np.linalg.matrix_rank(np.column_stack([np.ones(data.x.size), data.z]))
            <= data.z.shape[1]
        ):
            raise InputError(
                "covariates", "are constant or repeat one another", "Leave the surplus ones out."
            )
        if (spread < 0.01).any() or (spread > 100).any():
            raise InputError(
                f"covariate {data.names[int(np.argmax(np.abs(np.log(spread))))]!r}",
                "varies on a scale far from one",
                "Divide it so that its standard deviation lies between 0.01 and 100.",
            )
    if model == "bg_bb" and ((data.T % 1 != 0).any() or (data.x > data.T).any()):
        raise InputError(
            "histories",
            "bg_bb needs whole numbers of opportunities T and at most one purchase at each",
            "Summarise purchases per period first, or choose a continuous model.",
        )


def _maximise(family: Any, data: Histories) -> Maximum:
    lower, upper = _bounds(family, data)
    scouts = data.sample(_SCOUTS)
    rough = None if scouts is data else _objective(family, scouts)
    begin = [_working(family, start, len(data.names)) for start in family.starts(data)]
    return maximise(_objective(family, data), begin, lower, upper, rough)


def _objective(family: Any, data: Histories) -> Any:
    """Log-likelihood and gradient in working coordinates, block by block."""
    blocks = list(data.blocks())
    size = len(family.PARAMETERS)

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        theta = _log_parameters(family, point)
        if data.names:
            parts = [family.total(theta, block, point[size:]) for block in blocks]
        else:
            parts = [family.total(theta, block) for block in blocks]
        slope = np.array([math.fsum(s) for s in zip(*(part[1] for part in parts), strict=True)])
        for first in range(0, size, 2):
            # (level, shape) -> (shape, shape - level)
            by_first, by_second = slope[first], slope[first + 1]
            slope[first], slope[first + 1] = -by_second, by_first + by_second
        return math.fsum(part[0] for part in parts), slope

    return objective


def _working(family: Any, theta: np.ndarray, covariates: int) -> np.ndarray:
    point = np.zeros(theta.size + 2 * covariates)
    for first in range(0, theta.size, 2):
        point[first], point[first + 1] = theta[first] - theta[first + 1], theta[first]
    return point


def _log_parameters(family: Any, point: np.ndarray) -> np.ndarray:
    theta = np.empty(len(family.PARAMETERS))
    for first in range(0, theta.size, 2):
        theta[first], theta[first + 1] = point[first + 1], point[first + 1] - point[first]
    return theta


def _natural(family: Any, data: Histories, point: np.ndarray) -> np.ndarray:
    theta = _log_parameters(family, point)
    return np.concatenate([np.exp(theta), point[theta.size :]])


def _bounds(family: Any, data: Histories) -> tuple[np.ndarray, np.ndarray]:
    pairs = len(family.PAIRS)
    extra = np.full(2 * len(data.names), 50.0)
    lower = np.concatenate([np.tile([_LEVEL[0], _SHAPE[0]], pairs), -extra])
    upper = np.concatenate([np.tile([_LEVEL[1], _SHAPE[1]], pairs), extra])
    return lower, upper


def _covariate_names(names: Sequence[str]) -> list[str]:
    return [f"{what}:{name}" for what in ("purchase", "dropout") for name in names]


def _diagnose(
    model: str, family: Any, data: Histories, found: Maximum, level: float
) -> tuple[pd.DataFrame, list[str], dict[str, float]]:
    """Ridges, boundaries and the model without churn; the pairs whose spread is not identified."""
    covariance = found.covariance()
    gain = norm.ppf((1 + level) / 2) ** 2 / 2
    rows: list[tuple[str, float, float, str]] = []
    warnings: list[str] = []
    loose: dict[str, float] = {}
    upper = _bounds(family, data)[1]
    rows.append(
        (
            "newton_decrement",
            found.decrement,
            1e-6,
            "converged" if found.converged else "not converged",
        )
    )
    if not found.converged:
        warnings.append(
            f"{model}: the climb ended before the top (decrement {found.decrement:.2g}); "
            "treat the estimates as a description only."
        )
    for number, (first, second, what) in enumerate(family.PAIRS):
        at = 2 * number + 1
        doubtful = found.held[at] or found.at[at] > math.log(20) or covariance[at, at] > 1
        if not doubtful:
            continue
        lost = found.value - _held_at(family, data, found, at, upper[at]).value
        flat = lost < gain
        rows.append(
            (
                f"{what}: log-likelihood lost when all are equal",
                lost,
                gain,
                "spread not identified" if flat else "spread identified",
            )
        )
        if flat:
            low = _profile_edge(family, data, found, at, gain)
            loose[first], loose[second] = low, low - found.at[at - 1]
            warnings.append(
                f"{model}: {what} cannot be told from one value for all (a ridge: {first} and "
                f"{second} grow together and lose {lost:.2g} of log-likelihood in the limit). "
                "Their ratio is estimated, their size is not; predictions hardly depend on it."
            )
    if model not in ("nbd", "bg_bb") and not data.names:
        without = _maximise(nbd, data)
        rise = found.value - without.value
        needed = norm.ppf(level) ** 2 / 2
        rows.append(
            (
                "log-likelihood gained by dropout over the NBD",
                rise,
                needed,
                "dropout visible" if rise > needed else "no dropout visible",
            )
        )
        if rise <= needed:
            warnings.append(
                f"{model}: the data show no dropout (the NBD fits as well). Extracts of active "
                "customers, short periods and logs that start late look like this."
            )
    if model in ("bg_nbd", "mbg_nbd") and math.exp(found.at[3]) <= 1:
        rows.append(
            ("a", math.exp(found.at[3]), 1.0, "mean purchases until dropout infinite: discount")
        )
    if model == "pareto_nbd" and math.exp(found.at[3]) <= 1:
        rows.append(("s", math.exp(found.at[3]), 1.0, "mean lifetime infinite: discount"))
    free = ~found.held
    scaled = covariance[np.ix_(free, free)]
    sd = np.sqrt(np.diag(scaled).clip(min=1e-300))
    condition = float(np.linalg.cond(scaled / np.outer(sd, sd)))
    rows.append(
        ("hessian_condition", condition, 1e8, "well conditioned" if condition < 1e8 else "ridge")
    )
    table = pd.DataFrame(rows, columns=["check", "value", "threshold", "verdict"])
    table.insert(0, "model", model)
    return table, warnings, loose


def _held_at(family: Any, data: Histories, found: Maximum, at: int, value: float) -> Maximum:
    """The best fit with one working coordinate fixed."""
    lower, upper = _bounds(family, data)
    start = found.at.copy()
    start[at] = lower[at] = upper[at] = value
    return newton(_objective(family, data), start, lower, upper)


def _profile_edge(family: Any, data: Histories, found: Maximum, at: int, gain: float) -> float:
    """Lower profile-likelihood bound of a shape whose upper one is infinite."""
    from scipy.optimize import brentq

    def excess(shape: float) -> float:
        return found.value - gain - _held_at(family, data, found, at, shape).value

    low = found.at[at] - 1.0
    while low > _SHAPE[0] + 1 and excess(low) < 0:
        low -= 1.0
    if excess(low) < 0:
        return -math.inf
    return float(brentq(excess, low, min(low + 1.0, found.at[at]), xtol=1e-3))


def _parameter_table(
    model: str,
    family: Any,
    data: Histories,
    found: Maximum,
    loose: dict[str, float],
    level: float,
) -> pd.DataFrame:
    z = norm.ppf((1 + level) / 2)
    covariance = found.covariance()
    point = found.at
    names = list(family.PARAMETERS)

    def values(at: np.ndarray) -> dict[str, float]:
        natural = np.exp(_log_parameters(family, at))
        return dict(zip(names, natural, strict=True)) | family.derived(*natural)

    rows = []
    here = values(point)
    for name, value in here.items():
        forward, back = (logit, expit) if name in family.SHARES else (np.log, np.exp)
        if name in loose:
            rows.append((name, "parameter", value, np.inf, math.exp(loose[name]), np.inf))
            continue
        slope = np.zeros(point.size)
        for i in range(point.size):
            step = np.zeros(point.size)
            step[i] = 1e-5
            up, down = values(point + step), values(point - step)
            # a derived quantity may cease to exist a step away (a = 1)
            if name in up and name in down:
                slope[i] = (forward(up[name]) - forward(down[name])) / 2e-5
        spread = math.sqrt(max(slope @ covariance @ slope, 0.0))
        jacobian = value * (1 - value) if name in family.SHARES else value
        kind = "parameter" if name in names else "derived"
        low, high = back(forward(value) - z * spread), back(forward(value) + z * spread)
        rows.append((name, kind, value, spread * jacobian, low, high))
    for position, name in enumerate(_covariate_names(data.names), start=len(names)):
        error = math.sqrt(covariance[position, position])
        value = point[position]
        rows.append((name, "covariate", value, error, value - z * error, value + z * error))
    columns = ["parameter", "kind", "estimate", "std_error", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(0, "model", model)
    return table


def _fit_table(model: str, data: Histories, found: Maximum) -> pd.DataFrame:
    size, customers = found.at.size, data.customers
    measures = {
        "log_likelihood": found.value,
        "n_parameters": size,
        "aic": 2 * size - 2 * found.value,
        "bic": size * math.log(customers) - 2 * found.value,
        "n_customers": customers,
        "n_histories": data.x.size,
        "iterations": found.iterations,
        "newton_decrement": found.decrement,
        "starts": found.starts,
        "starts_agreeing": found.agreeing,
    }
    return pd.DataFrame(
        {"model": model, "measure": list(measures), "value": [float(v) for v in measures.values()]}
    )


def _history(x: Any, t_x: Any, T: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, T = (np.asarray(value, dtype=float) for value in (x, t_x, T))
    a, b, c = np.broadcast_arrays(x, t_x, T)
    check_histories(a, b, c)
    return x, t_x, T


def _horizon(t: Any) -> np.ndarray:
    t = np.asarray(t, dtype=float)
    if not (np.isfinite(t) & (t >= 0)).all():
        raise InputError("horizon", "is negative or not finite", "Give periods ahead.")
    return t


def _distinct(frame: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct rows and, for each row of the frame, which of them it is."""
    place = frame.groupby(columns, sort=False).ngroup().to_numpy()
    first = np.empty(place.max() + 1, dtype=np.int64)
    first[place[::-1]] = np.arange(place.size)[::-1]
    return frame[columns].iloc[first], place


def _discounted(
    family: Any, theta: Any, force: float, horizon: float | None, x: np.ndarray, T: np.ndarray
) -> np.ndarray:
    """δ ∫ e^(-δt) E(t) dt + e^(-δh) E(h) for living customers, by Gauss in v = log(1 + t/scale)."""
    shape, flat_x, flat_T = x.shape, x.ravel(), T.ravel()
    result = np.empty(flat_x.size)
    nodes, weights = gauss(64)
    for begin in range(0, flat_x.size, 4096):
        part = slice(begin, begin + 4096)
        xs, Ts = flat_x[part, None], flat_T[part, None]
        own = [np.asarray(value) for value in theta]
        rows = [
            value if value.ndim == 0 else np.broadcast_to(value.ravel(), flat_x.size)[part, None]
            for value in own
        ]
        scale = family.time_scale(rows, Ts)
        # beyond 45 e-folds nothing is left of the money
        ahead = 45.0 / force if force > 0 else math.inf
        end = ahead if horizon is None else min(horizon, ahead)
        v = nodes * np.log1p(end / scale)
        t = scale * np.expm1(v)
        expected = family.expected_if_alive(rows, t, xs, Ts)
        inner = force * np.exp(-force * t) * expected * (scale + t) * np.log1p(end / scale)
        value = inner @ weights
        if horizon is not None:
            last = family.expected_if_alive(rows, np.full_like(Ts, horizon), xs, Ts)[:, 0]
            value = value + math.exp(-force * horizon) * last
        result[part] = value
    return result.reshape(shape)
