"""What uncertain weights do to ranks and grades: acceptability by Monte Carlo (SMAA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.statistics import resample
from cvlib.statistics.classes import PYRAMID, class_sizes
from cvlib.weighting.scale import Normalised
from cvlib.words.message import message

# Scores this close are a tie: a matrix product rounds equal rows differently.
TIE = 1e-12


@dataclass(frozen=True, eq=False)
class Acceptability:
    """How often each customer falls into each class when the weights vary.

    Attributes
    ----------
    classes : pandas.DataFrame
        Customers by classes (best first): share of the weight vectors that put it there.
    ranks : pandas.DataFrame
        Customers by ranks 1 … m, likewise (equal scores share the better rank); only for up to
        `small` customers, else empty.
    winning : pandas.DataFrame
        Customers by customers: share of weight vectors in which the row scores above the column,
        ties a half; only for small sets, else empty.
    central_weights : pandas.DataFrame
        Customers by indicators: mean weights that put the customer first (absent if none does);
        only for small sets.
    """

    classes: pd.DataFrame
    ranks: pd.DataFrame
    winning: pd.DataFrame
    central_weights: pd.DataFrame


def draw_weights(
    items: Sequence[str],
    draws: int = 10_000,
    *,
    centre: pd.Series | None = None,
    concentration: float = 100.0,
    seed: int = resample.SEED,
) -> np.ndarray:
    """Random weight vectors, draws by items.

    Parameters
    ----------
    items : sequence of str
        Indicators to weigh.
    draws : int
        Number of weight vectors.
    centre : pandas.Series, optional
        Mean weights. Without it every weight vector is equally likely (uniform simplex).
    concentration : float
        κ of Dirichlet(κ · centre): the coefficient of variation of w is near 1/sqrt(κ w).
        50 is loose, 200 is tight. An item of weight 0 stays at 0.
    seed : int
        Seed of the generator.

    Returns
    -------
    ndarray
        Non-negative rows that sum to 1.

    Raises
    ------
    InputError
        A centre with a missing or negative weight, or a concentration that is not positive.

    References
    ----------
    Lahdelma & Salminen (2001), Operations Research 49, 444 (SMAA-2).

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.weighting.draw_weights(["recency", "frequency"], draws=5).shape
    (5, 2)
    """
    rng = resample.generator(seed)
    if centre is None:
        return rng.dirichlet(np.ones(len(items)), size=draws)
    mean = centre.reindex(list(items)).to_numpy(float)
    if np.isnan(mean).any() or (mean < 0).any() or mean.sum() <= 0 or concentration <= 0:
        raise InputError(
            "centre of the weight draws",
            message("refusals.needs_a_non_negative_weight"),
            message("refusals.give_weights_for", names=", ".join(items)),
        )
    # Independent gammas divided by their sum; a shape of 0 gives 0.
    gammas = rng.standard_gamma(concentration * mean / mean.sum(), size=(draws, len(mean)))
    return gammas / gammas.sum(axis=1, keepdims=True)


def acceptability(
    normalised: Normalised,
    weights: np.ndarray,
    *,
    shares: Sequence[float] = PYRAMID,
    labels: Sequence[str] | None = None,
    small: int = 200,
) -> Acceptability:
    """Rank and class acceptability of weighted-sum scores.

    Scores are one matrix product per block of weight vectors; only class counts are kept, so
    memory does not grow with the number of draws.

    Parameters
    ----------
    normalised : Normalised
        Customers by items.
    weights : ndarray, draws by items
        From `draw_weights`.
    shares : sequence of float
        Shares of customers in the classes, best first. Equal scores share a class, see
        `cvlib.statistics.classes`.
    labels : sequence of str, optional
        Names of the classes.
    small : int
        Up to this many customers the full rank, winning and central-weight tables are made.

    Returns
    -------
    Acceptability
        Share of the draws in which each customer has each rank and class.

    References
    ----------
    Lahdelma & Salminen (2001), Operations Research 49, 444; Tervonen & Lahdelma (2007), EJOR
    178, 500.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> scaled = cv.weighting.normalise(customers)
    >>> weights = cv.weighting.draw_weights(scaled.values.columns, draws=50)
    >>> found = cv.weighting.acceptability(scaled, weights, shares=[0.5, 0.5], labels=["A", "B"])
    >>> type(found).__name__
    'Acceptability'
    """
    # A customer who fails a gate is last whatever the weights.
    z, vetoed = normalised.complete(), normalised.vetoed.to_numpy()
    if vetoed.any():
        z = np.where(vetoed[:, None], 0.0, z)
    m, draws = len(z), len(weights)
    names = list(labels) if labels is not None else [f"class {i + 1}" for i in range(len(shares))]
    last = class_sizes(shares, m)
    counts = class_counts(z, weights, last)
    index = normalised.values.index
    classes = pd.DataFrame(counts / draws, index=index, columns=names)
    empty = pd.DataFrame()
    if m > small:
        return Acceptability(classes, empty, empty, empty)
    rank_counts, wins = np.zeros((m, m)), np.zeros((m, m))
    first_weights, firsts = np.zeros((m, z.shape[1])), np.zeros(m)
    block = max(1, 4_000_000 // m**2)
    for start in range(0, draws, block):
        w = weights[start : start + block]
        score = np.round(w @ z.T, 12)
        above = score[:, None, :] > score[:, :, None]
        place = above.sum(axis=2)
        cell = (np.arange(m) * m + place).ravel()
        rank_counts += np.bincount(cell, minlength=m * m).reshape(m, m)
        beaten = above.sum(axis=0)
        wins += beaten.T - beaten
        best = place == 0
        firsts += best.sum(axis=0)
        first_weights += best.T @ w
    central = first_weights[firsts > 0] / firsts[firsts > 0, None]
    return Acceptability(
        classes,
        pd.DataFrame(rank_counts / draws, index=index, columns=range(1, m + 1)),
        pd.DataFrame((wins / draws + 1) / 2, index=index, columns=index),
        pd.DataFrame(central, index=index[firsts > 0], columns=normalised.values.columns),
    )


def class_counts(z: np.ndarray, weights: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Weight vectors that put each customer in each class (customers by classes, best first).

    Parameters
    ----------
    z : ndarray, customers by items
        The 0 to 1 values.
    weights : ndarray, draws by items
        Weight vectors.
    last : ndarray of int
        Last rank of each class but the last (`class_sizes`).
    """
    m, draws = len(z), len(weights)
    within = np.zeros((len(last), m), dtype=np.int32)
    block = max(1, min(draws, 4_000_000 // m))
    # the score below which a class ends: the first one outside it, lowest of all if none is
    outside = m - 1 - np.minimum(last, m - 1)
    whole = last >= m
    for start in range(0, draws, block):
        for score in weights[start : start + block] @ z.T:
            # numpy's vectorised sort is quicker here than partitioning at several places.
            cuts = np.where(whole, -np.inf, np.sort(score)[outside] + TIE)
            for row, cut in zip(within, cuts, strict=True):
                row += score > cut
    reached = np.vstack([within, np.full(m, draws, dtype=np.int32)])
    return np.diff(reached, axis=0, prepend=0).T
