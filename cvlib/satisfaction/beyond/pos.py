"""Prediction-oriented segments: respondents change segment while the explained variance rises."""

from __future__ import annotations

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.pls.engine import PLSFit, fit_pls
from cvlib.words.message import message

MOST = 200  # rounds


def oriented(base: Base, labels: np.ndarray, smallest: int) -> tuple[np.ndarray, float, float]:
    """Hill-climb on the sum of R², each segment with its own PLS fit, from a first partition.

    In every round respondents are ordered by how much better another segment's model explains
    them; the first 1, 2, 4, ... of them, and each of the first 32 alone, are moved for a trial, and
    the move that raises the objective most is kept. The objective is ``sum of R²`` of all
    endogenous constructs, segments weighted by their size [P].

    Parameters
    ----------
    base : Base
        Survey without clusters, model without higher-order constructs.
    labels : ndarray of int (n,)
        First partition.
    smallest : int
        Fewest respondents of a segment.

    Returns
    -------
    labels : ndarray of int (n,)
    before, after : float
        Objective of the first and the last partition.

    References
    ----------
    Becker, Rai, Ringle & Völckner (2013), MIS Quarterly 37:665-694. [M]
    """
    segments = int(labels.max()) + 1
    current = labels.copy()
    value = before = float(_objective(base, current[None], segments, smallest)[0])
    if not np.isfinite(before):
        raise InputError("segments", message("refusals.a_first_segment_is_too"),
                         message("refusals.ask_for_fewer_segments"))  # fmt: skip
    for _ in range(MOST):
        gain, wish = _gains(base, current, segments)
        order = np.lexsort((np.arange(len(gain)), -np.round(gain, 10)))
        order = order[gain[order] > 1e-9]
        if not len(order):
            break
        moves = [order[:size] for size in 2 ** np.arange(1, int(np.log2(len(order))) + 1)]
        moves += [order[at : at + 1] for at in range(min(32, len(order)))]
        tried = np.repeat(current[None], len(moves), axis=0)
        for row, move in zip(tried, moves, strict=True):
            row[move] = wish[move]
        values = _objective(base, tried, segments, smallest)
        best = int(np.argmax(np.round(values, 10)))
        if not values[best] > value + 1e-8:
            break
        current, value = tried[best], float(values[best])
    return current, before, value


def _fits(base: Base, partitions: np.ndarray, segments: int) -> PLSFit:
    source, _ = base.fitter
    counts = (partitions[:, None] == np.arange(segments)[:, None]).reshape(-1, source.units)
    return fit_pls(base.model, *source.moments(counts.astype(np.int8)), scheme=base.scheme)


def _objective(
    base: Base, partitions: np.ndarray, segments: int, smallest: int
) -> np.ndarray:  # fmt: skip
    found = _fits(base, partitions, segments)
    share = (partitions[:, None] == np.arange(segments)[:, None]).mean(axis=2)
    explained = found.r_squared.sum(axis=1).reshape(share.shape)
    bad = found.degenerate | ~found.converged
    fine = (share * partitions.shape[1] >= smallest).all(axis=1)
    fine &= ~bad.reshape(share.shape).any(axis=1)
    return np.where(fine, (share * np.nan_to_num(explained)).sum(axis=1), -np.inf)


def _gains(base: Base, labels: np.ndarray, segments: int) -> tuple[np.ndarray, np.ndarray]:
    """How much smaller the squared errors are in the best other segment, and which one it is."""
    found = _fits(base, labels[None], segments)
    endogenous = base.model.adjacency.any(axis=0)
    errors = np.empty((len(labels), segments))
    for k in range(segments):
        standard = (base.values - found.mean[k]) / found.standard_deviation[k]
        scores = standard @ (found.weights[k][:, None] * base.model.membership)
        errors[:, k] = ((scores - scores @ found.paths[k])[:, endogenous] ** 2).sum(axis=1)
    own = errors[np.arange(len(labels)), labels]
    errors[np.arange(len(labels)), labels] = np.inf
    return own - errors.min(axis=1), errors.argmin(axis=1)
