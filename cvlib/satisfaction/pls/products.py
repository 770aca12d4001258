"""Interaction of two constructs by products of their items, as they are or made orthogonal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import Construct, Item
from cvlib.satisfaction.pls.engine import PLSFit, fit_pls
from cvlib.satisfaction.pls.moderation import blocks_of


def with_interactions(model: Model) -> Model:
    """The model with a construct per interaction, measured by all products of two items."""
    added, paths = [], list(model.signed_paths)
    for moderation, (own, other) in zip(model.moderations, blocks_of(model), strict=True):
        names = [f"{model.items[a]}*{model.items[b]}" for a in own for b in other]
        items = tuple(
            Item(name, name, {"en": name}, "unspecified", 0.0, 1.0, "+") for name in names
        )
        added.append(Construct(f"{moderation.name} > {moderation.target}",
                               {"en": moderation.name}, "A", items))  # fmt: skip
        paths.append((added[-1].name, moderation.target, moderation.sign))
    return replace(
        model, constructs=(*model.constructs, *added), signed_paths=tuple(paths), moderations=()
    )


def fit_products(
    model: Model,
    mean: np.ndarray,
    covariance: np.ndarray,
    centred_on: np.ndarray,
    *,
    scheme: str = "path",
) -> PLSFit:
    """Fit a model whose interactions are constructs measured by products of standardised items.

    Every construct is refitted beside the interactions. Under "orthogonal" each product is
    replaced by what the items of both constructs leave unexplained. The coefficient of an
    interaction is divided by ``sum sd(product) loading / sum loading``, so that it is, as in the
    two-stage method, the change of the slope per standard deviation of the moderator.

    Parameters
    ----------
    model : Model
        With `moderations`, all by one of the methods "product_indicator", "orthogonal".
    mean, covariance : ndarray (B, p + products), (B, p + products, p + products)
        Of the columns of `moderation.with_products`.
    centred_on : ndarray (p,)
        From `moderation.centre`.
    scheme : str
        Inner weighting.

    Returns
    -------
    PLSFit
        Of the model's own items and constructs, with `interactions`.

    References
    ----------
    Chin, Marcolin & Newsted (2003), Information Systems Research 14:189-217; Little, Bovaird &
    Widaman (2006), Structural Equation Modeling 13:497-519 (orthogonal). [M]
    """
    items, constructs = len(model.items), len(model.constructs)
    draws, width = mean.shape
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, :items])
    shift = mean[:, :items] - centred_on
    turn = np.zeros((draws, width, width))
    turn[:, range(items), range(items)] = 1.0
    at = items
    for own, other in blocks_of(model):
        for a in own:
            for b in other:
                scale = 1 / np.maximum(deviation[:, a] * deviation[:, b], 1e-300)
                turn[:, at, at] = scale
                turn[:, a, at] -= shift[:, b] * scale
                turn[:, b, at] -= shift[:, a] * scale
                at += 1
    moments = turn.swapaxes(1, 2) @ covariance @ turn
    if model.moderations[0].method == "orthogonal":
        moments = _orthogonal(model, moments)
    spread = np.sqrt(np.diagonal(moments, axis1=1, axis2=2)[:, items:])
    extended = with_interactions(model)
    found = fit_pls(extended, np.zeros_like(mean), moments, scheme=scheme)
    loadings = found.loadings[:, items:]
    interactions = np.empty((draws, len(model.moderations)))
    for number, moderation in enumerate(model.moderations):
        of_it = extended.block[items:] == constructs + number
        target = model.construct_names.index(moderation.target)
        size = (spread * loadings)[:, of_it].sum(axis=1) / loadings[:, of_it].sum(axis=1)
        interactions[:, number] = found.paths[:, constructs + number, target] / size
    among = slice(None), slice(constructs), slice(constructs)
    return replace(
        found,
        mean=mean[:, :items],
        standard_deviation=deviation,
        item_correlation=found.item_correlation[:, :items, :items],
        weights=found.weights[:, :items],
        loadings=found.loadings[:, :items],
        composite_correlation=found.composite_correlation[among],
        construct_correlation=found.construct_correlation[among],
        rho_a=found.rho_a[:, :constructs],
        paths=found.paths[among],
        r_squared=found.r_squared[:, :constructs],
        interactions=interactions,
    )


def _orthogonal(model: Model, moments: np.ndarray) -> np.ndarray:
    """Moments with every product less its regression on the items of its two blocks."""
    turn = np.zeros_like(moments)
    size = moments.shape[-1]
    turn[:, range(size), range(size)] = 1.0
    at = len(model.items)
    for own, other in blocks_of(model):
        inside = np.union1d(own, other)
        products = np.arange(at, at + len(own) * len(other))
        among = moments[:, inside[:, None], inside]
        across = moments[:, inside[:, None], products]
        turn[:, inside[:, None], products] = -np.linalg.pinv(among, hermitian=True) @ across
        at += len(products)
    return np.asarray(turn.swapaxes(1, 2) @ moments @ turn)
