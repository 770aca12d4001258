"""Pareto/NBD with traits of customers: weighted, with errors that do not trust the model.

A trait s (such as satisfaction) multiplies a customer's purchase rate by exp(γs) and the dropout
rate by exp(δs): α e^(-γs) and β e^(-δs) in place of α and β. Weights make respondents stand for a
base that answered selectively. They belong in the likelihood, as the past is outcome here.

References
----------
Fader & Hardie (2007), brucehardie.com/notes/019. Sandwich errors: White (1982), Econometrica
50:1-25; with weights Wooldridge (2007), Journal of Econometrics 141:1281-1301.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.lifetime.maximise import Maximum, newton
from cvlib.lifetime.purchases.histories import Histories, check_histories, in_order_of_x
from cvlib.lifetime.repeat_buying import pareto_nbd
from cvlib.lifetime.repeat_buying.coordinates import (
    bounds,
    climb,
    log_likelihood,
    to_log_parameters,
    to_working,
)
from cvlib.lifetime.repeat_buying.special import gauss
from cvlib.words.message import message

Array = np.ndarray
_SIZE, _NODES = 4, 40


class TraitFit(NamedTuple):
    """A Pareto/NBD with traits.

    Attributes
    ----------
    theta : ndarray (4,)
        Logs of r, α, s, β of a customer whose traits are 0.
    purchase, dropout : ndarray (k,)
        γ and δ: log rate per unit of each trait.
    covariance : ndarray (4 + 2k, 4 + 2k)
        Sandwich, of theta, γ and δ.
    log_likelihood : float
        Weighted.
    converged : bool
    strict : bool
        Whether the past was conditioned on.
    maximum : Maximum
        Where the climb ended, for a resample to begin at.
    """

    theta: Array
    purchase: Array
    dropout: Array
    covariance: Array
    log_likelihood: float
    converged: bool
    strict: bool
    maximum: Maximum

    @property
    def errors(self) -> Array:
        """(2k,) standard errors of γ and δ."""
        return np.sqrt(np.diag(self.covariance)[_SIZE:])

    def own(self, traits: Array) -> list[Array]:
        """Log-parameters by customer, for traits (n, k)."""
        slopes = np.concatenate([self.purchase, self.dropout])
        return pareto_nbd.with_covariates(self.theta, slopes, np.reshape(traits, (len(traits), -1)))

    def moved(self, theta: Array) -> TraitFit:
        """The same at another point (theta, γ, δ), as drawn from its distribution."""
        k = len(self.purchase)
        return self._replace(
            theta=theta[:_SIZE], purchase=theta[_SIZE : _SIZE + k], dropout=theta[_SIZE + k :]
        )


def fit_trait(
    histories: pd.DataFrame,
    traits: Array,
    weights: Array | None = None,
    *,
    past: pd.DataFrame | None = None,
    start: TraitFit | None = None,
) -> TraitFit:
    """Fit the Pareto/NBD with traits by weighted maximum likelihood.

    Parameters
    ----------
    histories : DataFrame (n rows)
        x, t_x, T to the end of observation.
    traits : ndarray (n,) or (n, k)
        Constant over time.
    weights : ndarray (n,), optional
        Inverse chance of having been asked, times counts in a resample.
    past : DataFrame (n rows), optional
        x, t_x, T at the interview. Given, L(past and future)/L(past) is maximised: the past then
        is no outcome of the trait, and errors are three to six times as large.
    start : TraitFit, optional
        A fit of the same model to begin at; its curvature is used again and errors are not made.

    Returns
    -------
    TraitFit
        Parameters per unit of the traits, with sandwich errors.

    Raises
    ------
    InputError
        Impossible histories, a trait that is constant.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1):1-24.

    Examples
    --------
    >>> import cvlib as cv, numpy as np
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> fit = cv.lifetime.fit_trait(p.customers, np.log1p(p.customers["monetary"].to_numpy()))
    >>> bool(fit.purchase[0] > 0)
    True
    """
    z = np.reshape(np.asarray(traits, float), (len(histories), -1))
    middle, spread = z.mean(axis=0), z.std(axis=0)
    if not (spread > 0).all() or not np.isfinite(z).all():
        raise InputError(
            "traits",
            message("refusals.are_constant_or_not_all"),
            message("refusals.leave_such_a_trait_out"),
        )
    w = np.ones(len(z)) if weights is None else np.asarray(weights, float)
    scaled = (z - middle) / spread
    every, order = _histories(histories, scaled, w)
    k = z.shape[1]
    back = np.eye(_SIZE + 2 * k)  # from slopes per standard deviation to slopes per unit
    back[_SIZE:, _SIZE:] = np.diag(np.tile(1 / spread, 2))
    back[1, _SIZE : _SIZE + k] = back[3, _SIZE + k :] = middle / spread
    flat = _flat(k)
    low, high = bounds(pareto_nbd, every)
    begin = None
    if start is not None:
        given = np.concatenate([start.theta, start.purchase, start.dropout])
        own = np.linalg.solve(back, given)
        begin = np.append(to_working(own[:_SIZE]), own[_SIZE:])
    if past is None:
        objective = log_likelihood(pareto_nbd, every)
        if begin is None:
            found = climb(pareto_nbd, every)
        else:
            found = newton(objective, begin, low, high, _curvature(start), refresh=False)
        gradients = _gradients(every, order, found.at)
    else:
        before, before_order = _histories(past, scaled, w)
        whole, first = log_likelihood(pareto_nbd, every), log_likelihood(pareto_nbd, before)

        def objective(point: Array) -> tuple[float, Array]:
            (a, b), (c, d) = whole(point), first(point)
            return a - c, b - d

        known = begin if begin is not None else climb(pareto_nbd, every).at
        found = newton(objective, known, low, high)
        gradients = _gradients(every, order, found.at) - _gradients(before, before_order, found.at)
    point = back @ np.append(to_log_parameters(found.at, _SIZE), found.at[_SIZE:])
    covariance = np.full((len(point), len(point)), np.nan)
    if start is None:
        bread = flat @ found.covariance() @ flat.T
        weighted = w[:, None] * gradients
        covariance = back @ bread @ (weighted.T @ weighted) @ bread @ back.T
    return TraitFit(
        point[:_SIZE], point[_SIZE : _SIZE + k], point[_SIZE + k :], covariance, found.value,
        found.converged, past is not None, found,
    )  # fmt: skip


def _flat(k: int) -> Array:
    """Log-parameters and slopes as a linear map of working coordinates."""
    size = _SIZE + 2 * k
    return np.column_stack(
        [np.append(to_log_parameters(unit, _SIZE), unit[_SIZE:]) for unit in np.eye(size)]
    )


def _curvature(start: TraitFit | None) -> Array | None:
    return None if start is None else start.maximum.hessian


def _histories(frame: pd.DataFrame, z: Array, w: Array) -> tuple[Histories, Array]:
    x, t_x, T = (frame[name].to_numpy(float) for name in ("x", "t_x", "T"))
    check_histories(x, t_x, T)
    return in_order_of_x(x, t_x, T, w, z)


def _gradients(data: Histories, order: Array, at: Array) -> Array:
    """(n, 4 + 2k) scores of single customers, in the order in which they were given."""
    theta, slopes = to_log_parameters(at, _SIZE), at[_SIZE:]
    rows = [pareto_nbd.scores(theta, block, slopes) for block in data.blocks()]
    out = np.empty((len(order), len(at)))
    out[order] = np.concatenate(rows)
    return out


def discounted_purchases(
    fit: TraitFit,
    traits: Array,
    histories: pd.DataFrame,
    force: float,
    horizon: float,
    purchase: float = 0.0,
    dropout: float = 0.0,
) -> Array:
    """Discounted purchases to come when rates change by factors from now on.

    P(alive) (r + x)/(α + T) e^a ∫₀ʰ e^(-ft) (1 + e^b t/(β + T))^(-s) dt: who is alive keeps what
    the past says of the own rates, and buys e^a times as often, drops out e^b times as fast.

    Parameters
    ----------
    fit : TraitFit
        The model.
    traits : ndarray (n, k)
        Of each customer.
    histories : DataFrame (n rows)
        x, t_x, T today.
    force : float
        Of interest per unit of time; 0 or more.
    horizon : float
        Units of time.
    purchase, dropout : float
        a and b: log factors of the rates.

    Returns
    -------
    ndarray (n,)
        Purchases, each worth what it is worth today.

    Examples
    --------
    >>> import cvlib as cv, numpy as np
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> s = np.log1p(p.customers["monetary"].to_numpy())
    >>> fit = cv.lifetime.fit_trait(p.customers, s)
    >>> now, more = (
    ...     cv.lifetime.discounted_purchases(fit, s, p.customers, 0.002, 52.0, dropout=b)
    ...     for b in (0.0, -0.1)
    ... )
    >>> bool((more > now).all())
    True
    """
    theta = fit.own(traits)
    r, alpha, s, beta = (np.exp(value) for value in theta)
    x, t_x, T = (histories[name].to_numpy(float) for name in ("x", "t_x", "T"))
    alive = pareto_nbd.p_alive(theta, x, t_x, T)
    scale = ((beta + T) * np.exp(-dropout))[:, None]
    nodes, weight = gauss(_NODES)
    reach = np.log1p(horizon / scale)
    grown = nodes * reach
    lasting = np.exp(grown - force * scale * np.expm1(grown) - s * grown) @ weight
    return np.asarray(alive * (r + x) / (alpha + T) * np.exp(purchase) * (scale * reach)[:, 0]
                      * lasting)  # fmt: skip
