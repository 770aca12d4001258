"""Who answered: weights by the inverse probability of answering, given what is known of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from cvlib.statistics.glm import fit_glm, with_constant

Array = np.ndarray
TRIM = (0.01, 0.99)  # percentiles at which weights are cut


class Response(NamedTuple):
    """Weights of those who answered.

    Attributes
    ----------
    weights : ndarray (m,)
        (Share answered)/p, trimmed.
    coefficients : ndarray (1 + k,)
        Log odds of answering; where to begin in a resample.
    """

    weights: Array
    coefficients: Array


def response_weights(
    answered: Array, known: Array, counts: Array | None = None, start: Array | None = None
) -> Response:
    """Inverse probability weights (Rosenbaum & Rubin 1983; Little & Rubin 2002, ch. 3).

    Parameters
    ----------
    answered : ndarray of bool (n,)
        Of all customers.
    known : ndarray (n, k)
        Behaviour before the interview.
    counts : ndarray (n,), optional
        How often each customer counts.
    start : ndarray (1 + k,), optional
        Where to begin.

    Returns
    -------
    Response
        m respondents in their order; ones where all answered.
    """
    y = np.asarray(answered, bool)
    w = np.ones(len(y)) if counts is None else np.asarray(counts, float)
    if y.all() or not known.shape[1]:
        return Response(np.ones(int(y.sum())), np.zeros(1 + known.shape[1]))
    design = with_constant(known)
    fit = fit_glm("logit", y.astype(float), design, weights=w, start=start)
    chance = expit(design[y] @ fit.coefficients)
    weights = float(w @ y) / w.sum() / np.maximum(chance, 1e-6)
    low, high = np.quantile(weights, TRIM)
    return Response(np.clip(weights, low, high), fit.coefficients)


def effective_size(weights: Array) -> float:
    """(Σw)²/Σw² (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def standardised_difference(values: Array, answered: Array, weights: Array) -> tuple[float, float]:
    """Respondents minus all customers, in standard deviations of all: as they are, and weighted.

    Parameters
    ----------
    values : ndarray (n,)
        Of all customers.
    answered : ndarray of bool (n,)
        Who of them did.
    weights : ndarray (m,)
        Of the respondents.

    Returns
    -------
    before, after : float
    """
    spread = values.std()
    own = values[answered]
    if not spread > 0:
        return 0.0, 0.0
    after = float(weights @ own / weights.sum())
    return float((own.mean() - values.mean()) / spread), float((after - values.mean()) / spread)
