"""Means and covariances of incomplete answers by maximum likelihood (EM), many at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvlib.satisfaction.moments import weighted_sums


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

    def moments(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (B, p) and covariances (B, p, p) when unit u is taken counts[b, u] times."""
        sums = [(seen, weighted_sums(counts[:, units], table))
                for seen, units, table in self._patterns]  # fmt: skip
        draws, items = len(counts), self.values.shape[1]
        mean, spread, answered = np.zeros((3, draws, items))
        for seen, total in sums:
            width = int(seen.sum())
            answered[:, seen] += total[:, :1]
            mean[:, seen] += total[:, 1 : 1 + width]
            squares = total[:, 1 + width :].reshape(draws, width, width)
            spread[:, seen] += np.diagonal(squares, axis1=1, axis2=2)
        mean /= np.maximum(answered, 1e-300)
        spread = np.maximum(spread / np.maximum(answered, 1e-300) - mean**2, 0.0)
        covariance = spread[:, :, None] * np.eye(items)
        active = np.arange(draws)
        for _ in range(self.max_iterations):
            part = [(seen, total[active]) for seen, total in sums]
            new_mean, new_covariance = _em_step(mean[active], covariance[active], part)
            scale = np.maximum(spread[active], 1e-12)[:, :, None]
            moved = np.abs(new_covariance - covariance[active]) / np.sqrt(
                scale * scale.swapaxes(1, 2)
            )
            mean[active], covariance[active] = new_mean, new_covariance
            active = active[moved.max(axis=(1, 2)) > self.tolerance]
            if not active.size:
                break
        covariance[active] = np.nan  # not converged: told as a failed draw
        return mean + self._shift, covariance


def _em_step(
    mean: np.ndarray, covariance: np.ndarray, sums: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Expected sums given the current moments, and the moments they imply."""
    draws, items = mean.shape
    mass = np.zeros((draws, 1))
    first, second = np.zeros((draws, items)), np.zeros((draws, items, items))
    for seen, total in sums:
        width = int(seen.sum())
        count, own = total[:, :1], total[:, 1 : 1 + width]
        squares = total[:, 1 + width :].reshape(draws, width, width)
        a, b = np.flatnonzero(seen), np.flatnonzero(~seen)
        mass += count
        first[:, a] += own
        second[:, a[:, None], a] += squares
        if not b.size:
            continue
        known = covariance[:, a[:, None], a].copy()
        variance = np.diagonal(known, axis1=1, axis2=2)
        # a constant item has no slope; the hair on the diagonal keeps identical items soluble
        known[:, np.arange(width), np.arange(width)] += np.where(
            variance > 1e-12, variance * 1e-12, 1.0
        )
        slope = np.linalg.solve(known, covariance[:, a[:, None], b]).swapaxes(1, 2)
        level = mean[:, b] - (slope @ mean[:, a, None])[..., 0]
        guess = (slope @ own[..., None])[..., 0]
        rest = covariance[:, b[:, None], b] - slope @ covariance[:, a[:, None], b]
        crossed = level[:, :, None] * own[:, None, :] + slope @ squares
        mixed = level[:, :, None] * guess[:, None, :]
        first[:, b] += count * level + guess
        second[:, b[:, None], a] += crossed
        second[:, a[:, None], b] += crossed.swapaxes(1, 2)
        second[:, b[:, None], b] += (
            count[..., None] * (level[:, :, None] * level[:, None, :] + rest)
            + mixed + mixed.swapaxes(1, 2) + slope @ squares @ slope.swapaxes(1, 2)
        )  # fmt: skip
    mean = first / mass
    return mean, second / mass[..., None] - mean[:, :, None] * mean[:, None, :]
