"""One direction for a construct in every draw: that of the full sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvlib.satisfaction.measurement import sums_within
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit


def aligned(model: Model, fit: PLSFit, loadings: np.ndarray) -> PLSFit:
    """Fits with every construct turned towards reference loadings.

    A fit of its own turns a construct so that its loadings sum to a positive number. Where the sum
    is near zero it falls on either side by chance, and an effect changes its sign from draw to
    draw. Fits that agree with the reference keep every bit.

    Parameters
    ----------
    model : Model
        Constructs and moderations.
    fit : PLSFit
        B fits.
    loadings : ndarray (p,)
        Of the full sample.
    """
    return turned(model, fit, sums_within(fit.loadings * loadings, model.membership))


def agreement(model: Model, reference: PLSFit, fit: PLSFit) -> np.ndarray:
    """Correlation (B, k) of each construct of some fits with the same of a reference [P].

    w'R⁰w⁰ over the root of w'R⁰w, within the items of the construct and in the reference's
    correlations R⁰: what the scores of both would correlate among the same respondents.

    Parameters
    ----------
    model : Model
        Constructs with items.
    reference : PLSFit
        Of the full sample (B = 1).
    fit : PLSFit
        B fits.
    """
    found = np.empty((len(fit.weights), len(model.constructs)))
    for j, own in enumerate(model.slices):
        matrix, w = reference.item_correlation[0][own, own], fit.weights[:, own]
        along = w @ (matrix @ reference.weights[0, own])
        length = np.sqrt(((w @ matrix) * w).sum(axis=1))
        found[:, j] = along / np.where(length > 0, length, np.nan)
    return found


def turned(model: Model, fit: PLSFit, along: np.ndarray) -> PLSFit:
    """Fits with every construct turned where `along` (B, k) is negative."""
    turn = np.where(along < 0, -1.0, 1.0)
    if (turn > 0).all():
        return fit
    both = turn[:, :, None] * turn[:, None]
    interactions = fit.interactions
    if interactions is not None:
        names = model.construct_names
        signs = [turn[:, [names.index(m.source), names.index(m.moderator), names.index(m.target)]]
                 .prod(axis=1) for m in model.moderations]  # fmt: skip
        interactions = interactions * np.column_stack(signs)
    return replace(
        fit,
        weights=fit.weights * turn[:, model.block],
        loadings=fit.loadings * turn[:, model.block],
        composite_correlation=fit.composite_correlation * both,
        construct_correlation=fit.construct_correlation * both,
        paths=fit.paths * both,
        interactions=interactions,
    )
