"""Satisfaction of every respondent: the PLS index, how reliable it is, and its calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.results import Result
from cvlib.satisfaction.effects import total_effects
from cvlib.satisfaction.index import default_target, drivers, index_values
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit, fit_pls
from cvlib.statistics.attenuation import Calibration, calibrated
from cvlib.statistics.nonresponse import (
    effective_size,
    response_weights,
    standardised_difference,
)
from cvlib.words.message import message

Array = np.ndarray
SCHEME = "factorial"


@dataclass(frozen=True, eq=False, repr=False)
class CustomerIndex(Result):
    """The index of every respondent.

    Attributes
    ----------
    response : DataFrame
        variable, smd_before, smd_after.
    index_summary : DataFrame
        measure, value.
    index_per_customer : DataFrame
        id, index, calibrated_index, weight.
    scores : ndarray (m,)
        0-100, as measured.
    weights : ndarray (m,)
        Inverse probability of answering.
    calibration : Calibration
        Given the controls.
    reliability : float
        ρ_A of satisfaction on which corrections rest: weighted for transactions, whose links are.
    plain_reliability : float
        ρ_A without weights.
    items : int
        Of satisfaction.
    response_start : ndarray
        Coefficients of the response model.
    """

    response: pd.DataFrame
    index_summary: pd.DataFrame
    index_per_customer: pd.DataFrame
    scores: Array
    weights: Array
    calibration: Calibration
    reliability: float
    plain_reliability: float
    items: int
    response_start: Array
    warnings: tuple[str, ...] = ()
    headline_tables = ("index_summary", "response")


def moments(values: Array, weights: Array) -> tuple[Array, Array]:
    """Weighted means (p,) and covariances (p, p), divisor Σw."""
    total = weights.sum()
    mean = weights @ values / total
    centred = values - mean
    return mean, centred.T @ (weights[:, None] * centred) / total


def solve_pls(model: Model, means: Array, covariances: Array) -> PLSFit:
    """PLS with ρ_A of each construct, of many resamples at once."""
    return fit_pls(model, means, covariances, scheme=SCHEME, estimator="plsc")


def own_pls(base: CustomerBase, weights: Array | None = None) -> PLSFit:
    """PLS of a base's respondents, each counting once or by its weight."""
    values = base.survey.values
    own = moments(values, np.ones(len(values)) if weights is None else weights)
    return solve_pls(base.survey.model, *(part[None] for part in own))


def scores_of(model: Model, fit: PLSFit, draw: int, values: Array) -> tuple[Array, float]:
    """(m,) index of satisfaction by one fit, and its ρ_A."""
    target = model.construct_names.index(default_target(model))
    own = model.slices[target]
    raw = fit.weights[draw, own] / fit.standard_deviation[draw, own]
    low, high = np.asarray(model.minimum)[own], np.asarray(model.maximum)[own]
    scaled = 100 * (values[:, own] - low) / (high - low)
    return scaled @ (raw / raw.sum()), float(fit.rho_a[draw, target])


def driver_effects(model: Model, fit: PLSFit) -> Array:
    """(B, drivers) points of true satisfaction per true point of each driver, consistent PLS.

    Total effects between constructs corrected for attenuation, times
    σ_S √ρ_S / (σ_j √ρ_j) (Dijkstra & Henseler 2015).
    """
    target = model.construct_names.index(default_target(model))
    places = drivers(model, default_target(model))
    spread = index_values(model, fit).standard_deviation * np.sqrt(np.maximum(fit.rho_a, 0))
    total = total_effects(fit.paths)[:, places, target]
    return np.asarray(total * spread[:, [target]] / spread[:, places])


def index(base: CustomerBase) -> CustomerIndex:
    """Weights for who answered, the index of every respondent, and its calibration.

    Parameters
    ----------
    base : CustomerBase
        Joined.

    Returns
    -------
    CustomerIndex
        PLS without weights, so that the link with controls needs none; means are weighted.

    References
    ----------
    Rosenbaum & Rubin (1983), Biometrika 70(1):41-55 (who answered); Carroll, Ruppert, Stefanski
    & Crainiceanu (2006), Measurement error in nonlinear models (calibration).

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> found = cv.customer.index(cv.customer.join(made.files, made.plan))
    >>> 0 < found.calibration.share < found.reliability < 1
    True
    """
    model, values = base.survey.model, base.survey.values
    answered = response_weights(base.answered, base.known.to_numpy(float))
    ones = np.ones(len(values))
    mean, covariance = moments(values, ones)
    fit = solve_pls(model, mean[None], covariance[None])
    score, rho = scores_of(model, fit, 0, values)
    target = default_target(model)
    own = model.slices[model.construct_names.index(target)]
    items = own.stop - own.start
    controls = base.controls.to_numpy(float)[base.answered]
    found = calibrated(score, controls, rho, items)
    w = answered.weights
    used = rho
    if base.kind == "transactions":
        second = solve_pls(model, *(m[None] for m in moments(values, w)))
        used = scores_of(model, second, 0, values)[1]
    rows = [
        (str(name), *standardised_difference(column, base.answered, w))
        for name, column in base.known.items()
        for column in [column.to_numpy(float)]
    ]
    facts = {
        "respondents": len(score),
        "effective sample size of weights": effective_size(w),
        "index, unweighted": float(score.mean()),
        "index, weighted": float(w @ score / w.sum()),
        "reliability (rho_A)": rho,
        "variance": found.variance,
        "variance given the controls": found.variance_given,
        "lambda": found.share,
    }
    if base.kind == "transactions":
        facts["reliability, weighted"] = used
    told = [] if found.usable else [message("customer.too_noisy", share=found.share)]
    if items < 2:
        told.append(message("customer.one_item"))
    table = pd.DataFrame(
        {"id": base.ids[base.answered], "index": score, "calibrated_index": found.expected,
         "weight": w}
    )  # fmt: skip
    return CustomerIndex(
        pd.DataFrame(rows, columns=["variable", "smd_before", "smd_after"]),
        pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        table, score, w, found, used, rho, items, answered.coefficients, tuple(told),
    )  # fmt: skip
