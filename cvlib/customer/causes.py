"""Satisfaction by what moves it: an instrument, its drivers, a second interview."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex, own_pls, scores_of
from cvlib.customer.value import SatisfactionLink
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.satisfaction.index import default_target, drivers
from cvlib.statistics.attenuation import calibrated, corrected, two_waves
from cvlib.statistics.glm import with_constant
from cvlib.statistics.instruments import ByInstruments, FirstStage, by_instruments, first_stage

Array = np.ndarray
_FEWEST = 50  # customers with two interviews


class Moved(NamedTuple):
    """Leaving by the part of satisfaction that something moves, and by the rest.

    Attributes
    ----------
    found : ByInstruments
    stage : FirstStage
    """

    found: ByInstruments
    stage: FirstStage


def driver_split(base: CustomerBase) -> tuple[list[str], list[str]]:
    """Drivers that act on what follows satisfaction only through it, and the others.

    By the paths of the model: a driver with a path past satisfaction is no instrument, and is
    held equal where the first are (Bollen 1996, Psychometrika 61:109-121).
    """
    model = base.survey.model
    target = default_target(model)
    names = [model.construct_names[j] for j in drivers(model, target)]
    inside = {*names, target}
    past = {s for s, t, _ in model.signed_paths if s in names and t not in inside}
    return [n for n in names if n not in past], [n for n in names if n in past]


def by_drivers(base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink) -> Moved | None:
    """Leaving by what the drivers foretell of satisfaction, beside what they do not.

    None where every driver has a path past satisfaction, the drivers foretell too little, or the
    rest is error.
    """
    inside, outside = driver_split(base)
    if not inside:
        return None
    model, values = base.survey.model, base.survey.values
    fit = own_pls(base)
    scores = {}
    for name in (*inside, *outside):
        own = model.slices[model.construct_names.index(name)]
        scores[name] = values[:, own] @ (fit.weights[0, own] / fit.standard_deviation[0, own])
    z = base.controls.to_numpy(float)[base.answered]
    held = np.column_stack([z, *(scores[n] for n in outside)])
    return moved(base, index, linked, np.column_stack([scores[n] for n in inside]), held)


def moved(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, instruments: Array,
    held: Array,
) -> Moved | None:  # fmt: skip
    """Leaving by instruments (m, q) of satisfaction given (m, k) columns held equal.

    Rows with an instrument missing are left out. None where nothing can be fitted.
    """
    seen = np.isfinite(instruments).all(axis=1)
    if seen.sum() < _FEWEST or base.left[seen].sum() < 10:
        return None
    s, q, z = index.scores[seen], instruments[seen], held[seen]
    if np.linalg.matrix_rank(with_constant(q, z)) < 1 + q.shape[1] + z.shape[1]:
        return None
    stage = first_stage(s, q, z, index.reliability, index.items)
    if not stage.rest_true > 0.05:
        return None
    fit = fit_leaving(linked.found.leaving.model, base.duration[seen], base.left[seen],
                      np.column_stack([s, stage.foretold, z]))  # fmt: skip
    if not fit.converged:
        return None
    return Moved(by_instruments(stage, fit.coefficients[1:3], fit.covariance[1:3, 1:3]), stage)


def with_lags(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink
) -> tuple[float, float] | None:
    """Effect on leaving with fee and cost before the interview held equal too; None without."""
    lags = [c for c in base.before if np.isfinite(base.before[c]).all()]
    if not lags:
        return None
    z = np.column_stack([base.controls.to_numpy(float)[base.answered], base.before[lags]])
    if np.linalg.matrix_rank(with_constant(z)) < 1 + z.shape[1]:
        return None
    fit = fit_leaving(linked.found.leaving.model, base.duration, base.left,
                      np.column_stack([index.scores, z]))  # fmt: skip
    own = calibrated(index.scores, z, index.reliability, index.items)
    return corrected(float(fit.coefficients[1]), float(fit.errors[1]), own)


def within(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink
) -> tuple[float, float, int] | None:
    """Effect on leaving of a customer's own change between two interviews.

    Leaving after the second interview on the change since the first and on the mean of both,
    which stands for whatever is the customer's own all along (Mundlak 1978, Econometrica
    46:69-85). None of transactions, and with fewer than 50 customers asked twice or 10 who left.

    Returns
    -------
    tuple or None
        Effect per true point, its standard error, customers.
    """
    again = base.again
    if again is None or len(again.place) < _FEWEST or again.left.sum() < 10:
        return None
    now, before = (
        scores_of(base.survey.model, own_pls(base), 0, again.values)[0],
        index.scores[again.place],
    )
    z = base.controls.to_numpy(float)[base.answered][again.place]
    noise = (1 - index.reliability) * index.calibration.variance
    change, middle = two_waves(now, before, z, noise)
    if change is None:
        return None
    own = fit_leaving(linked.found.leaving.model, again.duration, again.left,
                      np.column_stack([change, middle, z]))  # fmt: skip
    if not own.converged:
        return None
    return 2 * float(own.coefficients[1]), 2 * float(own.errors[1]), len(again.place)
