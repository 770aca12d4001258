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
    along = sums_within(fit.loadings * loadings, model.membership)
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
