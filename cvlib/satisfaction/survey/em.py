"""Means and covariances of incomplete answers by maximum likelihood (EM), many at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvlib.satisfaction.survey.moments import weighted_sums


@dataclass(frozen=True, eq=False)
class EMSample:
    """Maximum likelihood moments of incomplete multivariate normal answers, by EM.

    Parameters
    ----------
    values : ndarray (n, p)
        NaN where missing.
    weights : ndarray (n,), optional
        Survey weights.
    clusters : ndarray of int (n,), optional
        Resampling units.

    References
    ----------
    Dempster, Laird & Rubin (1977), JRSS B 39:1-38; Little & Rubin (2002), Statistical Analysis
    with Missing Data, section 11.2.
    """

    values: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    tolerance: float = 1e-9
    max_iterations: int = 500

    @property
    def units(self) -> int:
        """Respondents, or clusters."""
        return len(self.values) if self.clusters is None else int(self.clusters.max()) + 1

    @cached_property
    def _patterns(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Per pattern of missing answers: what is observed, the units, their sums of products."""
        seen = ~np.isnan(self.values)
        rows = len(self.values)
        mass = np.ones(rows) if self.weights is None else self.weights * rows / self.weights.sum()
        unit = np.arange(rows) if self.clusters is None else self.clusters
        found = []
        kinds, kind = np.unique(seen, axis=0, return_inverse=True)
        for number, observed in enumerate(kinds):
            own = np.flatnonzero(kind.ravel() == number)
            answers = self.values[own][:, observed] - self._shift[observed]
            products = answers[:, :, None] * answers[:, None, :]
            table = np.hstack([np.ones((len(own), 1)), answers, products.reshape(len(own), -1)])
            units, place = np.unique(unit[own], return_inverse=True)
            summed = np.zeros((len(units), table.shape[1]))
            np.add.at(summed, place, table * mass[own, None])
            found.append((observed, units, summed))
        return found

    @cached_property
    def _shift(self) -> np.ndarray:
        return np.asarray(np.round(np.nanmean(self.values, axis=0)))

    def jackknife(self) -> tuple[np.ndarray, np.ndarray]:
        """Moments without each unit in turn."""
        return self.moments(1 - np.eye(self.units, dtype=np.int8))

    @cached_property
    def _whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Moments of the whole sample, about the shift: where every resample starts."""
        spread = np.nanvar(self.values, axis=0)
        start = np.nanmean(self.values, axis=0) - self._shift, np.diag(spread)
        return self._climb(np.ones((1, self.units), dtype=np.int8), *start)

    def moments(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (B, p) and covariances (B, p, p) when unit u is taken counts[b, u] times.

        NaN where EM has not settled, so that the fit counts as failed.
        """
        mean, covariance = self._climb(counts, self._whole[0][0], self._whole[1][0])
        return mean + self._shift, covariance

    def _climb(
        self, counts: np.ndarray, mean: np.ndarray, covariance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        draws, items = len(counts), self.values.shape[1]
        mean, covariance = np.tile(mean, (draws, 1)), np.tile(covariance, (draws, 1, 1))
        mass, first = np.zeros((draws, 1)), np.zeros((draws, items))
        second = np.zeros((draws, items, items))
        gaps: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        for seen, units, table in self._patterns:
            total = weighted_sums(counts[:, units], table)
            a, b = np.flatnonzero(seen), np.flatnonzero(~seen)
            count, own = total[:, :1], total[:, 1 : 1 + len(a)]
            squares = total[:, 1 + len(a) :].reshape(draws, len(a), len(a))
            mass += count
            first[:, a] += own
            second[:, a[:, None], a] += squares
            if b.size:
                gaps.append((a, b, count, own, squares))
        active = np.arange(draws)
        for _ in range(self.max_iterations):
            parts = [(a, b, *(total[active] for total in totals)) for a, b, *totals in gaps]
            new_mean, new_covariance = _em_step(
                mean[active], covariance[active], mass[active], first[active], second[active], parts
            )
            deviation = np.sqrt(np.diagonal(new_covariance, axis1=1, axis2=2))
            scale = np.maximum(deviation[:, :, None] * deviation[:, None, :], 1e-12)
            moved = (np.abs(new_covariance - covariance[active]) / scale).max(axis=(1, 2))
            mean[active], covariance[active] = new_mean, new_covariance
            active = active[moved > self.tolerance]
            if not active.size:
                break
        covariance[active] = np.nan
        return mean, covariance


def _em_step(
    mean: np.ndarray,
    covariance: np.ndarray,
    mass: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    gaps: list[tuple[np.ndarray, ...]],
) -> tuple[np.ndarray, np.ndarray]:
    """Add the expected sums of what is missing to the observed, and take moments."""
    items = mean.shape[1]
    first, second = first.copy(), second.copy()
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    # a constant item is independent of the others; the hair keeps identical items invertible
    hair = np.where(variance > 1e-12, variance * 1e-12, 1.0)
    precision = np.linalg.inv(covariance + hair[:, :, None] * np.eye(items))
    for a, b, count, own, squares in gaps:
        rest = np.linalg.inv(precision[:, b[:, None], b])
        slope = -rest @ precision[:, b[:, None], a]
        level = mean[:, b] - (slope @ mean[:, a, None])[..., 0]
        guess = (slope @ own[..., None])[..., 0]
        carried = slope @ squares
        crossed = level[:, :, None] * own[:, None, :] + carried
        mixed = level[:, :, None] * guess[:, None, :]
        first[:, b] += count * level + guess
        second[:, b[:, None], a] += crossed
        second[:, a[:, None], b] += crossed.swapaxes(1, 2)
        second[:, b[:, None], b] += (
            count[..., None] * (level[:, :, None] * level[:, None, :] + rest)
            + mixed + mixed.swapaxes(1, 2) + carried @ slope.swapaxes(1, 2)
        )  # fmt: skip
    mean = first / mass
    return mean, second / mass[..., None] - mean[:, :, None] * mean[:, None, :]
