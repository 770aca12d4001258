"""Instruments: what moves a predictor and nothing else, and the effect that follows from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cvlib.statistics.attenuation import calibrated
from cvlib.statistics.glm import fit_glm, with_constant

Array = np.ndarray
STRONG = 10.0  # first-stage F below which an instrument is weak (Staiger & Stock 1997)


class FirstStage(NamedTuple):
    """A predictor as its instruments foretell it.

    Attributes
    ----------
    foretold : ndarray (n,)
        The instruments' part of the predictor.
    f : float
        Of all instruments together, given the controls.
    rest_true : float
        λ of what neither instruments nor controls foretell.
    rest_error : float
        Its standard error.
    """

    foretold: Array
    f: float
    rest_true: float
    rest_error: float

    @property
    def strong(self) -> bool:
        """Whether the instruments move the predictor enough to say anything."""
        return self.f >= STRONG


def first_stage(
    predictor: Array, instruments: Array, controls: Array, reliability: float, items: int
) -> FirstStage:
    """Regress a measured predictor on its instruments, given the controls.

    Parameters
    ----------
    predictor : ndarray (n,)
        As measured.
    instruments : ndarray (n, q)
        What moves it.
    controls : ndarray (n, k)
        Held equal.
    reliability : float
        ρ of the predictor.
    items : int
        Behind it.

    Returns
    -------
    FirstStage
    """
    instruments = np.asarray(instruments, float).reshape(len(predictor), -1)
    full = with_constant(instruments, controls)
    fit = fit_glm("line", predictor, full)
    q = instruments.shape[1]
    b, covariance = fit.coefficients[1 : q + 1], fit.covariance[1 : q + 1, 1 : q + 1]
    f = float(b @ np.linalg.pinv(covariance) @ b) / q
    own = calibrated(predictor, full[:, 1:], reliability, items)
    return FirstStage(instruments @ b, f, own.share, own.share_error)


class ByInstruments(NamedTuple):
    """One effect read twice: from what instruments move of a predictor, and from the rest.

    Attributes
    ----------
    effect, error : float
        By the instruments alone: two-stage residual inclusion.
    rest, rest_error : float
        By what they do not foretell, corrected for error in the predictor.
    apart : float
        Their difference in standard errors: far from 0, one of them has another cause.
    """

    effect: float
    error: float
    rest: float
    rest_error: float
    apart: float


def by_instruments(stage: FirstStage, coefficients: Array, covariance: Array) -> ByInstruments:
    """The effect of a predictor from a model that holds it beside its instruments' part of it.

    With s the predictor and ŝ its instruments' part, a and c their coefficients: including the
    residual s - ŝ beside s (two-stage residual inclusion) has the coefficient a + c of s, which
    error in s does not attenuate; what instruments do not foretell has a/λ. The first stage's
    error adds c²/F (for one instrument the delta method exactly).

    Parameters
    ----------
    stage : FirstStage
        Of the predictor.
    coefficients : ndarray (2,)
        a, c.
    covariance : ndarray (2, 2)
        Of them.

    Returns
    -------
    ByInstruments

    References
    ----------
    Terza, Basu & Rathouz (2008), Journal of Health Economics 27:531-543 (residual inclusion);
    Hausman (1978), Econometrica 46:1251-1271 (the difference).
    """
    a, c = (float(v) for v in coefficients)
    v = np.asarray(covariance, float)
    drawn = c**2 / max(stage.f, 1e-9)
    share = stage.rest_true
    effect_error = float(np.sqrt(v.sum() + drawn))
    noise = a**2 * stage.rest_error**2 / share**4
    rest_error = float(np.sqrt(v[0, 0] / share**2 + noise))
    k = np.array([1 / share - 1, -1.0])
    gap = a / share - (a + c)
    apart = gap / np.sqrt(k @ v @ k + noise + drawn)
    return ByInstruments(a + c, effect_error, a / share, rest_error, float(apart))
