"""Interaction of two constructs by the two-stage method, from moments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.regressions import Regressions


def with_products(model: Model, values: np.ndarray) -> np.ndarray:
    """Answers (n, p) followed by the products of the items of each interacting pair.

    Items are first centred on the rounded mean of the whole sample, the same in every resample.
    """
    centred = values - centre(values)
    blocks = [values]
    for source, moderator in blocks_of(model):
        products = centred[:, source, None] * centred[:, None, moderator]
        blocks.append(products.reshape(len(values), -1))
    return np.hstack(blocks)


def centre(values: np.ndarray) -> np.ndarray:
    """The constants (p,) the items are centred on before products are taken."""
    return np.asarray(np.round(values.mean(axis=0)))


def blocks_of(model: Model) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the items of source and moderator, per interaction."""
    names = model.construct_names
    return [
        (
            np.flatnonzero(model.block == names.index(m.source)),
            np.flatnonzero(model.block == names.index(m.moderator)),
        )
        for m in model.moderations
    ]


def joint_moments(
    model: Model, fit: PLSFit, mean: np.ndarray, covariance: np.ndarray, centred_on: np.ndarray
) -> np.ndarray:
    """Covariances (B, k + m, k + m) of the k standardised scores and the m products of two of them.

    Parameters
    ----------
    model, fit, mean, covariance, centred_on
        As in `moderate`.
    """
    draws, items = fit.weights.shape
    slopes = np.nan_to_num(fit.weights) / fit.standard_deviation  # scores from raw answers
    shift = mean[:, :items] - centred_on
    constructs = len(model.constructs)
    combined = np.zeros((draws, covariance.shape[1], constructs + len(model.moderations)))
    combined[:, :items, :constructs] = slopes[:, :, None] * model.membership
    at = items
    for number, (own, other) in enumerate(blocks_of(model)):
        a, b = slopes[:, own], slopes[:, other]
        products = (a[:, :, None] * b[:, None, :]).reshape(draws, -1)
        column = combined[:, :, constructs + number]
        column[:, at : at + products.shape[1]] = products
        # (s - ds)(t - dt): what centring on another constant than the mean leaves behind
        column[:, own] -= a * (b * shift[:, other]).sum(axis=1, keepdims=True)
        column[:, other] -= b * (a * shift[:, own]).sum(axis=1, keepdims=True)
        at += products.shape[1]
    return np.asarray(combined.swapaxes(1, 2) @ covariance @ combined)


def moderate(
    model: Model, fit: PLSFit, mean: np.ndarray, covariance: np.ndarray, centred_on: np.ndarray
) -> PLSFit:
    """Add the interactions of a model to its fits (two-stage method).

    First stage: the fit without interactions gives construct scores. Second stage: the target is
    regressed on its causes and on the product of the two standardised scores. The product is not
    standardised again, so that its coefficient is the change of the slope when the moderator
    rises by one standard deviation. The scores' product is a weighted sum of item products, so
    that its moments in any resample follow from theirs.

    Parameters
    ----------
    model : Model
        With `moderations`.
    fit : PLSFit
        First stage.
    mean, covariance : ndarray (B, p + products), (B, p + products, p + products)
        Of the columns of `with_products`.
    centred_on : ndarray (p,)
        From `centre`.

    Returns
    -------
    PLSFit
        With `interactions` (B, number of moderations), and the paths and R² of their targets from
        the second stage.

    References
    ----------
    Chin, Marcolin & Newsted (2003), Information Systems Research 14:189-217; Henseler & Chin
    (2010), Structural Equation Modeling 17:82-109 (two-stage). [M]
    """
    constructs = len(model.constructs)
    together = joint_moments(model, fit, mean, covariance, centred_on)
    draws = len(together)
    paths, r_squared = fit.paths.copy(), fit.r_squared.copy()
    interactions = np.full((draws, len(model.moderations)), np.nan)
    degenerate = fit.degenerate.copy()
    size = together.shape[1]
    for target in {m.target for m in model.moderations}:
        j = model.construct_names.index(target)
        acting = [n for n, m in enumerate(model.moderations) if m.target == target]
        adjacency = np.zeros((size, size), dtype=bool)
        adjacency[:constructs, j] = model.adjacency[:, j]
        adjacency[[constructs + n for n in acting], j] = True
        moments = np.moveaxis(together, 0, -1)
        found, sound = Regressions(adjacency)(moments)
        bad = fit.degenerate | ~sound
        paths[:, :, j] = np.where(bad, np.nan, found[:constructs, j]).T
        r_squared[:, j] = np.where(bad, np.nan, (found[:, j] * moments[:, j]).sum(axis=0))
        for n in acting:
            interactions[:, n] = np.where(bad, np.nan, found[constructs + n, j])
        degenerate |= bad
    return replace(
        fit,
        paths=paths,
        r_squared=r_squared,
        interactions=interactions,
        degenerate=degenerate,
        converged=fit.converged & ~degenerate,
        admissible=fit.admissible & ~degenerate,
    )
