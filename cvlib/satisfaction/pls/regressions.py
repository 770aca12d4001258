"""The regressions of a path model on correlation matrices, many at once."""

from __future__ import annotations

import numpy as np


def solve(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve symmetric systems (m, m, ..., B) of correlations for right-hand sides (m, r, ..., B).

    Elimination written over the systems: the same bits whoever shares the batch, and no exception
    for the one that is singular. Returns the solutions (m, r, ..., B) and where they exist
    (..., B).
    """
    size = len(matrix)
    left = np.concatenate([matrix, right], axis=1)
    sound = np.ones(left.shape[2:], dtype=bool)
    pivots = []
    for i in range(size):
        pivot = left[i, i]
        # a pivot is the share of variance the earlier variables leave unexplained; corrected
        # correlations can make it negative, which is inadmissible but has a solution
        weak = ~(np.abs(pivot) > 1e-12)
        if weak.any():
            sound &= ~weak
            pivot = np.where(weak, 1.0, pivot)
        pivots.append(pivot)
        if i + 1 < size:
            left[i + 1 :, i + 1 :] -= (left[i + 1 :, i] / pivot)[:, None] * left[i, i + 1 :]
    out = left[:, size:]
    for i in range(size - 1, -1, -1):
        out[i] /= pivots[i]
        if i:
            out[:i] -= left[:i, i, None] * out[i]
    return out, sound


class Regressions:
    """The regressions of every construct on its causes, ready to be run on many correlations.

    Parameters
    ----------
    adjacency : ndarray of bool (k, k)
        [source, target].
    """

    def __init__(self, adjacency: np.ndarray) -> None:
        causes = [np.flatnonzero(column) for column in adjacency.T]
        self.single = [(c[0], j) for j, c in enumerate(causes) if len(c) == 1]
        self.several = np.array([j for j, c in enumerate(causes) if len(c) > 1], dtype=int)
        # equations with fewer causes than the largest are filled up with equations 1 x = 0
        largest = max((len(c) for c in causes), default=0)
        self.causes = np.zeros((largest, len(self.several)), dtype=int)
        self.real = np.zeros(self.causes.shape, dtype=bool)
        for t, j in enumerate(self.several):
            self.causes[: len(causes[j]), t] = causes[j]
            self.real[: len(causes[j]), t] = True
        self.pairs = (self.real[:, None] & self.real)[..., None]
        self.fill = (np.eye(largest, dtype=bool)[..., None] & ~self.real)[..., None]
        self.places = (
            self.causes[self.real],
            np.broadcast_to(self.several, self.real.shape)[self.real],
        )

    def __call__(self, correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run them.

        Parameters
        ----------
        correlation : ndarray (k, k, B)
            Of the constructs, draws last; a cause that acts alone has variance one.

        Returns
        -------
        coefficients : ndarray (k, k, B)
            [source, target]; R² is the sum of their products with the correlations.
        sound : ndarray of bool (B,)
            False where a regression has no unique solution.
        """
        coefficients = np.zeros_like(correlation)
        sound = np.ones(correlation.shape[-1], dtype=bool)
        for cause, target in self.single:
            coefficients[cause, target] = correlation[cause, target]
        if self.several.size:
            matrix = correlation[self.causes[:, None], self.causes]
            matrix *= self.pairs
            matrix += self.fill
            right = correlation[self.causes, self.several]
            right *= self.real[..., None]
            found, fine = solve(matrix, right[:, None])
            coefficients[self.places] = found[:, 0][self.real]
            sound &= fine.all(axis=0)
        return coefficients, sound
