"""What error in a measured predictor does to its coefficient, and the correction (calibration)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cvlib.statistics.glm import fit_glm, with_constant

Array = np.ndarray
LEAST = 0.3  # below this share of true variance no corrected number is given [P]


class Calibration(NamedTuple):
    """True scores expected from measured ones.

    Attributes
    ----------
    expected : ndarray (n,)
        E[T | s, z], in the units of the score.
    share : float
        λ, the share of the score's variance given z that is true.
    variance, variance_given : float
        Var(s) and Var(s | z), divisor n.
    share_error : float
        Standard error of λ.
    """

    expected: Array
    share: float
    variance: float
    variance_given: float
    share_error: float

    @property
    def usable(self) -> bool:
        """Whether so much of the score is true that a corrected coefficient means something."""
        return self.share > LEAST


def rho_a(weights: Array, correlation: Array) -> float:
    """Reliability ρ_A of a composite (Dijkstra & Henseler 2015, MIS Quarterly 39:297-316, eq. 3).

    Parameters
    ----------
    weights : ndarray (k,)
        Of standardised items, in a score of variance one.
    correlation : ndarray (k, k)
        Of the items.

    Returns
    -------
    float
    """
    w = np.asarray(weights, float)
    w = w / np.sqrt(w @ correlation @ w)
    off = ~np.eye(len(w), dtype=bool)
    products = np.outer(w, w)
    return float((w @ w) ** 2 * (products * correlation)[off].sum() / (products**2)[off].sum())


def calibrated(
    score: Array, controls: Array, reliability: float, items: int, weights: Array | None = None
) -> Calibration:
    """The true score expected given the measured one and the controls.

    E[T | s, z] = ŝ(z) + λ(s - ŝ(z)) with λ = 1 - (1 - ρ)Var(s)/Var(s | z) (Carroll, Ruppert,
    Stefanski & Crainiceanu 2006, Measurement Error in Nonlinear Models, ch. 4).

    Parameters
    ----------
    score : ndarray (n,)
        As measured.
    controls : ndarray (n, k)
        Without a column of ones; may have no column.
    reliability : float
        ρ, the share of the score's variance that is true.
    items : int
        Behind the score, for the error of ρ.
    weights : ndarray (n,), optional
        How often each row counts.

    Returns
    -------
    Calibration
    """
    s = np.asarray(score, float)
    w = np.ones(len(s)) if weights is None else np.asarray(weights, float)
    total = float(w.sum())
    middle = float(w @ s) / total
    design = with_constant(np.asarray(controls, float).reshape(len(s), -1))
    fitted = design @ fit_glm("line", s, design, weights=w).coefficients
    whole = float(w @ (s - middle) ** 2) / total
    given = float(w @ (s - fitted) ** 2) / total
    share = 1 - (1 - reliability) * whole / given
    explained = 1 - given / whole
    by_items = 2 * items * (1 - reliability) ** 2 / (max(items - 1, 1) * total)
    by_fit = (1 - reliability) ** 2 / (1 - explained) ** 4 * 4 * explained * given / whole * (
        given / whole
    ) / total  # fmt: skip
    error = float(np.sqrt((whole / given) ** 2 * by_items + by_fit))
    return Calibration(fitted + share * (s - fitted), float(share), whole, given, error)


def corrected(estimate: float, error: float, calibration: Calibration) -> tuple[float, float]:
    """A coefficient of the measured score as one of the true score, with its standard error.

    Parameters
    ----------
    estimate, error : float
        Per point of the measured score.
    calibration : Calibration
        Of that score with the model's own controls.

    Returns
    -------
    estimate, error : float
        By the delta method; NaN where λ is too small to divide by.
    """
    if not calibration.usable:
        return float("nan"), float("nan")
    share = calibration.share
    variance = error**2 / share**2 + estimate**2 * calibration.share_error**2 / share**4
    return estimate / share, float(np.sqrt(variance))


def two_waves(
    now: Array, before: Array, controls: Array, noise: float
) -> tuple[Array | None, Array]:
    """True change and true mean expected from a score measured twice.

    Errors of change and mean are uncorrelated, with variances 2 and 1/2 times that of one score;
    both are calibrated together (Carroll et al. 2006, ch. 4).

    Parameters
    ----------
    now, before : ndarray (n,)
        The second and the first score.
    controls : ndarray (n, k)
        Held equal.
    noise : float
        Variance of the error of one score.

    Returns
    -------
    change : ndarray (n,) or None
        None where too little of the change is true.
    middle : ndarray (n,)
    """
    both = np.column_stack([now - before, (now + before) / 2])
    design = with_constant(np.asarray(controls, float).reshape(len(both), -1))
    fitted = design @ np.linalg.lstsq(design, both, rcond=None)[0]
    rest = both - fitted
    spread = rest.T @ rest / len(both)
    true = spread - np.diag([2 * noise, noise / 2])
    expected = fitted + rest @ np.linalg.solve(spread, true)
    usable = true[0, 0] > LEAST * spread[0, 0] and true[1, 1] > 0
    return (expected[:, 0] if usable else None), expected[:, 1]
