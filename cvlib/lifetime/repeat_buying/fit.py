"""Fit a model of repeat buying, say how well it is identified, and predict from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, one_of
from cvlib.inputs.errors import InputError
from cvlib.lifetime.maximise import Maximum, fit_table, newton, parameter_table
from cvlib.lifetime.purchases.histories import Histories, check_histories, distinct_histories
from cvlib.lifetime.repeat_buying.coordinates import (
    bounds,
    climb,
    log_likelihood,
    to_log_parameters,
)
from cvlib.lifetime.repeat_buying.diagnosis import diagnose
from cvlib.lifetime.repeat_buying.effects import coefficients, effects
from cvlib.lifetime.repeat_buying.families import (
    MODELS,
    WITH_COVARIATES,
    check_enough,
    discounted,
    estimates,
    family_of,
)
from cvlib.lifetime.units import PERIODS_PER_YEAR
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.words.message import message


@dataclass(frozen=True)
class RepeatBuyingBootstrap:
    """Estimates from resampled customers: ``draws`` (draw, parameter, estimate), ``parameters``."""

    draws: pd.DataFrame
    parameters: pd.DataFrame
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class RepeatBuyingFit(Result):
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
    effects : DataFrame
        With covariates: covariate, process (purchase, dropout), effect (share by which one unit
        changes the rate; of BG/NBD the odds of dropping out), ci_low, ci_high, chi_square, df, p
        (likelihood ratio against the model without the covariate).
    constrained : bool
        Whether covariates move a and b of the dropout chances alike.
    warnings : tuple of str
    """

    model: str
    unit: str | None
    level: float
    parameters: pd.DataFrame
    fit: pd.DataFrame
    diagnosis: pd.DataFrame
    histories: pd.DataFrame
    covariates: tuple[str, ...]
    _maximum: Maximum
    _data: Histories
    warnings: tuple[str, ...] = ()
    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    constrained: bool = False
    headline_tables = ("parameters", "fit", "diagnosis")
    told_by = "cvlib.words.usual:estimates"

    @property
    def family(self) -> Any:
        """The module that knows the model."""
        return family_of(self.model, bool(self.covariates), self.constrained)

    def p_alive(self, x: Any, t_x: Any, T: Any, covariates: Any = None) -> np.ndarray:
        """Probability of not having dropped out by T (BG/NBD: 1 whenever x = 0)."""
        x, t_x, T = _history(x, t_x, T)
        return self.family.p_alive(self._theta(covariates), x, t_x, T)

    def expected_purchases(
        self, horizon: Any, x: Any, t_x: Any, T: Any, covariates: Any = None
    ) -> np.ndarray:
        """Expected purchases in (T, T + horizon] given the history."""
        x, t_x, T = _history(x, t_x, T)
        t, theta, family = _horizon(horizon), self._theta(covariates), self.family
        return family.p_alive(theta, x, t_x, T) * family.expected_if_alive(theta, t, x, T)

    def probability_of_purchase(
        self, horizon: Any, x: Any, t_x: Any, T: Any, covariates: Any = None
    ) -> np.ndarray:
        """Probability of a purchase in (T, T + horizon]: the score to hold against churn."""
        x, t_x, T = _history(x, t_x, T)
        t, theta, family = _horizon(horizon), self._theta(covariates), self.family
        return family.p_alive(theta, x, t_x, T) * family.chance_if_alive(theta, t, x, T)

    def expected_from_start(self, t: Any, covariates: Any = None) -> np.ndarray:
        """Expected repeat purchases of a new customer by age t."""
        return self.family.expected_from_start(self._theta(covariates), _horizon(t))

    def purchase_distribution(self, n: Any, t: Any) -> np.ndarray:
        """P(X(t) = n): n repeat purchases of a new customer by age t."""
        self._without_covariates("purchase_distribution")
        return self.family.distribution(self._theta(None), np.asarray(n, dtype=float), _horizon(t))

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
                "repeat_purchases": [*map(str, n), f"{largest}+"],
                "actual": actual,
                "expected": np.append(expected, customers.sum() - expected.sum()),
            }
        )

    def tracking(
        self, first_purchases: Any, periods: int, until: float | None = None
    ) -> pd.DataFrame:
        """Expected repeat purchases of a cohort in periods 1 to `periods`.

        Parameters
        ----------
        first_purchases : array
            Time of each customer's first purchase since period 1 began.
        periods : int
            How many to track.
        until : float, optional
            Time at which the last period ends, where it is no whole one.
        """
        self._without_covariates("tracking")
        births, customers = np.unique(np.asarray(first_purchases, float), return_counts=True)
        ends = np.minimum(np.arange(1, periods + 1), np.inf if until is None else until)
        age = np.maximum(ends[:, None] - births, 0.0)
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
                "periods_per_year", message("refusals.the_unit_of_the_histories"),
                message("refusals.state_it"),
            )  # fmt: skip
        if not annual_rate >= 0 or (annual_rate == 0 and horizon is None):
            raise InputError(
                "annual_rate",
                message("refusals.without_a_horizon_need_not", annual_rate=annual_rate),
                message("refusals.give_a_positive_annual_rate"),
            )
        if horizon is not None:
            number("horizon", horizon, 0, ends="()", remedy="It counts periods ahead.")
        x, t_x, T = np.broadcast_arrays(*_history(x, t_x, T))
        theta, family = self._theta(covariates), self.family
        force = math.log1p(annual_rate) / per_year
        later = discounted(family, theta, force, horizon, x, T)
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
        family, data = self.family, self._data
        share, people = data.count / data.customers, round(data.customers)
        size, stuck = len(family.PARAMETERS), 0
        names = self.parameters["parameter"]
        rows = []
        blocks = resample.multinomial(len(share), draws, seed, share, people)
        for counts in (row for block in blocks for row in block):
            found = self.refitted(counts)._maximum
            stuck += not found.converged
            coefficients = dict(zip(names[-len(found.at[size:]) :], found.at[size:], strict=False))
            rows.append(_estimates(family, found.at) | coefficients)
        frame = pd.DataFrame(rows).reindex(columns=names)
        table = self.parameters.set_index("parameter").copy()
        table["std_error"] = frame.std(ddof=1)
        table["ci_low"], table["ci_high"] = resample.percentile_limits(
            frame.to_numpy(), level, nan_policy="omit"
        )
        long = frame.rename_axis("draw").reset_index().melt("draw", var_name="parameter")
        warnings = []
        if stuck:
            warnings.append(message("lifetime.resamples_stuck", stuck=stuck, draws=draws))
        undefined = int(frame.isna().any(axis=1).sum())
        if undefined:
            warnings.append(
                message("lifetime.resamples_undefined", undefined=undefined, draws=draws)
            )
        return RepeatBuyingBootstrap(
            long.rename(columns={"value": "estimate"}),
            table.reset_index()[list(self.parameters.columns)],
            tuple(warnings),
        )

    def refitted(self, count: np.ndarray) -> RepeatBuyingFit:
        """This model fitted again from its estimate to other numbers of each distinct history.

        `count` is in the order of `histories`. Tables stay those of the estimate.
        """
        family, data = self.family, self._data.with_count(count)
        start, curvature = self._maximum.at, self._maximum.hessian
        objective = log_likelihood(family, data.drawn())
        return self.at(
            newton(objective, start, *bounds(family, data), curvature, refresh=False), data
        )

    def at(self, maximum: Maximum, data: Histories | None = None) -> RepeatBuyingFit:
        """This model at other parameters."""
        return replace(self, _maximum=maximum, _data=self._data if data is None else data)

    def natural(self) -> dict[str, float]:
        """Parameters and derived quantities by name, at the point the model now has."""
        return _estimates(self.family, self._maximum.at)

    def _theta(self, covariates: Any) -> Any:
        """Log-parameters; with covariates two of them vary by row."""
        family, data = self.family, self._data
        base = to_log_parameters(self._maximum.at, len(family.PARAMETERS))
        if not data.names:
            if covariates is not None:
                raise InputError(
                    "covariates",
                    message("refusals.the_model_was_fitted_without"),
                    message("refusals.leave_them_out"),
                )
            return base
        if covariates is None:
            raise InputError(
                "covariates", message("refusals.the_model_needs", names=", ".join(data.names)),
                message("refusals.give_one_row_per_customer"),
            )  # fmt: skip
        z = np.asarray(covariates, dtype=float).reshape(-1, len(data.names))
        return self.family.with_covariates(base, self._maximum.at[len(base) :], z)

    def _without_covariates(self, what: str) -> None:
        if self._data.names:
            raise InputError(
                what,
                message("refusals.is_not_defined_with_covariates"),
                message("refusals.fit_without_them"),
            )


def fit_repeat_buying(
    data: Any,
    model: str = "bg_nbd",
    *,
    covariates: Sequence[str] = (),
    constrained: bool = False,
    level: float = 0.95,
) -> RepeatBuyingFit:
    """Fit a model of repeat buying by maximum likelihood.

    Parameters
    ----------
    data : PurchaseSummary or DataFrame
        Histories with columns x, t_x, T and, when distinct, ``customers``. For ``bg_bb`` T is the
        number of opportunities and t_x the one of the last purchase.
    model : str
        bg_nbd, mbg_nbd, pareto_nbd, ggom_nbd, bg_bb or nbd.
    covariates : sequence of str
        Static covariates of pareto_nbd, bg_nbd and mbg_nbd, columns of a DataFrame. Each acts once
        on the purchase rate, as exp(γ'z), and once on dropout: on the rate of the Pareto/NBD
        (Fader & Hardie 2007, note 019), on the odds a/b of BG/NBD, whose b stays as it is.
    constrained : bool
        Of BG/NBD and MBG/NBD: covariates multiply a and b alike, as in CLVTools, which leaves the
        mean chance of dropping out as it is and moves its spread alone.
    level : float
        Confidence of the intervals.

    Returns
    -------
    RepeatBuyingFit
        Parameters with intervals, fit, diagnosis; forecasts by its methods.

    Raises
    ------
    InputError
        Impossible histories, no repeat purchases, covariates for another model.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1):1-24 (Pareto/NBD); Fader,
    Hardie & Lee (2005), Marketing Science 24(2):275-284 (BG/NBD); Batislam, Denizel &
    Filiztekin (2007), IJRM 24(3):201-209 (MBG/NBD); Bemmaor & Glady (2012), Management Science
    58(5):1012-1021 (GGom/NBD); Fader, Hardie & Shang (2010), Marketing Science 29(6):1086-1108
    (BG/BB); Ehrenberg (1959) (NBD).

    Notes
    -----
    The gradient is analytic, in log-parameters; the climb starts from several points and ends by
    Newton's method when g'H⁻¹g is negligible, so that a flat ridge is not mistaken for a failure:
    it is reported in ``diagnosis`` with the likelihood lost at the homogeneous limit.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.fit_repeat_buying(p, "nbd").parameters["parameter"].tolist()
    ['r', 'alpha', 'mean_purchase_rate', 'purchase_rate_cv']
    """
    one_of("model", model, MODELS)
    if covariates and model not in WITH_COVARIATES:
        raise InputError(
            "covariates", message("refusals.takes_none", model=model),
            message("refusals.choose_one_of", names=", ".join(WITH_COVARIATES)),
        )  # fmt: skip
    frame = data if isinstance(data, pd.DataFrame) else data.histories
    unit = None if isinstance(data, pd.DataFrame) else data.unit
    histories = distinct_histories(frame, covariates)
    check_enough(histories, model)
    family = family_of(model, bool(covariates), constrained)
    found = climb(family, histories)
    diagnosis, warnings, profiled = diagnose(model, family, histories, found, level)
    table = parameter_table(
        model,
        found,
        lambda point: _estimates(family, point),
        family.PARAMETERS,
        level,
        family.SHARES,
        profiled,
    )
    told = pd.DataFrame()
    if histories.names:
        told, unknown = effects(model, family, histories, found, level)
        warnings = [*warnings, *unknown]
        own = coefficients(model, histories.names, found, level)
        table = pd.concat([table, own], ignore_index=True)
    return RepeatBuyingFit(
        model,
        unit,
        level,
        table,
        fit_table(model, found, histories.customers, n_histories=histories.x.size),
        diagnosis,
        histories.frame(),
        tuple(covariates),
        found,
        histories,
        tuple(warnings),
        told,
        constrained,
    )


def _estimates(family: Any, point: np.ndarray) -> dict[str, float]:
    """Parameters and derived quantities by name, from a point of the optimiser's."""
    return estimates(family, to_log_parameters(point, len(family.PARAMETERS)))


def _history(x: Any, t_x: Any, T: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, T = (np.asarray(value, dtype=float) for value in (x, t_x, T))
    a, b, c = np.broadcast_arrays(x, t_x, T)
    check_histories(a, b, c)
    return x, t_x, T


def _horizon(t: Any) -> np.ndarray:
    t = np.asarray(t, dtype=float)
    if not (np.isfinite(t) & (t >= 0)).all():
        raise InputError(
            "horizon", message("refusals.is_negative_or_not_finite"),
            message("refusals.give_periods_ahead"),
        )  # fmt: skip
    return t


def _distinct(frame: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct rows and, for each row of the frame, which of them it is."""
    place = frame.groupby(columns, sort=False).ngroup().to_numpy()
    first = np.empty(place.max() + 1, dtype=np.int64)
    first[place[::-1]] = np.arange(place.size)[::-1]
    return frame[columns].iloc[first], place
