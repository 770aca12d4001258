"""Ordered answers as a source of moments: polychoric correlations of any resample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.ordinal.polychoric import polychoric, thresholds
from cvlib.satisfaction.survey.moments import Sample
from cvlib.words.message import Message, message

LEAST = 5  # respondents in a class; a smaller one joins its neighbour towards the middle [P]
_TOGETHER = 16  # draws whose tables are in memory at a time


@dataclass(frozen=True, eq=False)
class OrdinalSample:
    """Complete ordered answers, their weights and the units they are resampled in.

    `moments` gives the means of the category codes and, as covariances, the polychoric
    correlations times the standard deviations of the codes: whatever standardises them works on
    the polychoric matrix, and the index keeps its scale.

    Parameters
    ----------
    values : ndarray (n, p)
        Category codes.
    weights : ndarray (n,), optional
        Survey weights.
    clusters : ndarray of int (n,), optional
        As in `Sample`.
    """

    values: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None

    @property
    def units(self) -> int:
        """Respondents, or clusters."""
        return self._metric.units

    @cached_property
    def _metric(self) -> Sample:
        return Sample(self.values, self.weights, self.clusters)

    @cached_property
    def classes(self) -> np.ndarray:
        """(n, p) class of each answer, 0 to C - 1, rare ones merged."""
        return np.column_stack([merged(column)[0] for column in self.values.T])

    def merges(self, names: tuple[str, ...]) -> list[Message]:
        """What was merged, item by item."""
        return [
            message("satisfaction.classes_merged", item=name, classes=codes, least=LEAST)
            for name, column in zip(names, self.values.T, strict=True)
            if (codes := merged(column)[1])
        ]

    @cached_property
    def _indicators(self) -> np.ndarray:
        """(n, p C) of ones where the answer lies in the class."""
        count = int(self.classes.max()) + 1
        hot = self.classes[:, :, None] == np.arange(count)
        return hot.reshape(len(hot), -1).astype(float)

    def moments(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (B, p) of the codes and covariances (B, p, p) with polychoric correlations."""
        mean, covariance = self._metric.moments(counts)
        deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        found = np.empty_like(covariance)
        for at in range(0, len(counts), _TOGETHER):
            part = slice(at, at + _TOGETHER)
            found[part] = self._correlations(counts[part])
        return mean, found * deviation[:, :, None] * deviation[:, None]

    def _correlations(self, counts: np.ndarray) -> np.ndarray:
        items = self.classes.shape[1]
        size = self._indicators.shape[1] // items
        mass = counts.astype(float) if self.clusters is None else counts[:, self.clusters]
        if self.weights is not None:
            mass = mass * self.weights
        tables = np.stack([self._indicators.T @ (m[:, None] * self._indicators) for m in mass])
        tables = tables.reshape(len(mass), items, size, items, size)
        index = np.arange(items)
        margin = np.diagonal(tables[:, index, :, index, :], axis1=2, axis2=3)  # (p, B, C)
        shares = np.moveaxis(margin, 0, 1) / mass.sum(axis=1)[:, None, None]
        cuts = thresholds(shares)
        a, b = np.tril_indices(items, -1)
        pairs = np.moveaxis(tables[:, a, :, b, :], 0, 1)
        rho = polychoric(
            pairs.reshape(-1, size, size),
            cuts[:, a].reshape(-1, size + 1), cuts[:, b].reshape(-1, size + 1),
        ).reshape(len(mass), -1)  # fmt: skip
        found = np.broadcast_to(np.eye(items), (len(mass), items, items)).copy()
        found[:, a, b] = found[:, b, a] = rho
        return found

    def jackknife(self) -> tuple[np.ndarray, np.ndarray]:
        """The same without each unit in turn."""
        return self.moments((1 - np.eye(self.units)).astype(np.int8))

    def cuts(self) -> list[np.ndarray]:
        """Thresholds of every item in the whole sample, its ends included."""
        weights = np.ones(len(self.classes)) if self.weights is None else self.weights
        found = []
        for column in self.classes.T:
            shares = np.bincount(column, weights) / weights.sum()
            found.append(thresholds(shares))
        return found

    def refuse_indefinite(self, names: tuple[str, ...]) -> None:
        """Stop where the polychoric matrix is not positive definite."""
        correlation = self._correlations(np.ones((1, self.units), dtype=np.int8))[0]
        smallest = float(np.linalg.eigvalsh(correlation)[0])
        if smallest > 1e-10:
            return
        away = np.abs(np.tril(correlation, -1))
        i, j = np.unravel_index(int(away.argmax()), away.shape)
        raise InputError(
            f"items {names[j]} and {names[i]}",
            message(
                "refusals.correlate_and_the_polychoric_correlations",
                correlation=correlation[i, j],
                smallest=smallest,
            ),
            message("refusals.leave_one_of_the_two"),
        )


def merged(column: np.ndarray, least: int = LEAST) -> tuple[np.ndarray, list[float]]:
    """Classes (n,) of ordered codes, rare ones joined to their neighbour towards the middle.

    Returns
    -------
    classes : ndarray of int (n,)
    rare : list of float
        The codes that were too rare to stand alone.
    """
    codes, classes, count = np.unique(column, return_inverse=True, return_counts=True)
    groups = [[i] for i in range(len(codes))]
    sizes = [int(c) for c in count]
    rare: list[float] = []
    while len(groups) > 2 and min(sizes) < least:
        at = int(np.argmin(sizes))
        rare += [float(codes[i]) for i in groups[at] if float(codes[i]) not in rare]
        other = at + 1 if at < (len(groups) - 1) / 2 else at - 1
        first, second = sorted((at, other))
        groups[first] += groups.pop(second)
        sizes[first] += sizes.pop(second)
    of = np.empty(len(codes), dtype=int)
    for number, members in enumerate(groups):
        of[members] = number
    return of[classes.ravel()], sorted(rare)
