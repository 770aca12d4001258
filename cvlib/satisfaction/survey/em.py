"""Means and covariances of incomplete answers by maximum likelihood (EM), many at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvlib.satisfaction.pls.regressions import solve
from cvlib.satisfaction.survey.moments import weighted_sums

_HAIR = 2e-12  # of the variance; twice the pivot that `solve` takes for nothing


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
        if draws == 1:  # numpy sums a lone column in another order: give it company
            pair = self._climb(np.repeat(counts, 2, axis=0), mean, covariance)
            return pair[0][:1], pair[1][:1]
        # the draws go last: every step is then arithmetic along them, the same in any company
        mean = np.repeat(mean[:, None], draws, axis=1)
        covariance = np.repeat(covariance[:, :, None], draws, axis=2)
        mass, first = np.zeros(draws), np.zeros((items, draws))
        second = np.zeros((items, items, draws))
        gaps: list[tuple[np.ndarray, ...]] = []
        for seen, units, table in self._patterns:
            total = np.ascontiguousarray(weighted_sums(counts[:, units], table).T)
            a, b = np.flatnonzero(seen), np.flatnonzero(~seen)
            count, own = total[0], total[1 : 1 + len(a)]
            squares = total[1 + len(a) :].reshape(len(a), len(a), draws)
            mass += count
            first[a] += own
            second[a[:, None], a] += squares
            if b.size:
                gaps.append((a, b, count, own, squares))
        active = some = np.arange(draws)
        sums, parts = (mass, first, second), gaps
        for _ in range(self.max_iterations):
            if 0 < active.size < some.size:
                # never fewer than two, as above
                some = active if active.size > 1 else np.append(active, (active + 1) % draws)
                sums = mass[some], first[:, some], second[..., some]
                parts = [(a, b, *(total[..., some] for total in totals)) for a, b, *totals in gaps]
            new_mean, new_covariance = _em_step(mean[:, some], covariance[..., some], *sums, parts)
            new_mean, new_covariance = (
                values[..., : active.size] for values in (new_mean, new_covariance)
            )
            deviation = np.sqrt(np.einsum("iib->ib", new_covariance))
            scale = np.maximum(deviation[:, None] * deviation, 1e-12)
            moved = (np.abs(new_covariance - covariance[..., active]) / scale).max(axis=(0, 1))
            mean[:, active], covariance[..., active] = new_mean, new_covariance
            active = active[moved > self.tolerance]
            if not active.size:
                break
        covariance[..., active] = np.nan
        return mean.T, np.moveaxis(covariance, -1, 0)


def _em_step(
    mean: np.ndarray,
    covariance: np.ndarray,
    mass: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    gaps: list[tuple[np.ndarray, ...]],
) -> tuple[np.ndarray, np.ndarray]:
    """Add the expected sums of what is missing to the observed, and take moments."""
    first, second = first.copy(), second.copy()
    precision = _inverse(covariance, _HAIR)
    for a, b, count, own, squares in gaps:
        rest = _inverse(precision[b[:, None], b])
        slope = -_times(rest, precision[b[:, None], a])
        level = mean[b] - _times(slope, mean[a][:, None])[:, 0]
        guess = _times(slope, own[:, None])[:, 0]
        carried = _times(slope, squares)
        crossed = level[:, None] * own + carried
        mixed = level[:, None] * guess
        first[b] += count * level + guess
        second[b[:, None], a] += crossed
        second[a[:, None], b] += crossed.swapaxes(0, 1)
        second[b[:, None], b] += (
            count * (level[:, None] * level + rest)
            + mixed + mixed.swapaxes(0, 1) + _times(carried, slope.swapaxes(0, 1))
        )  # fmt: skip
    mean = first / mass
    return mean, second / mass - mean[:, None] * mean


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Matrix products (i, k, B) of (i, j, B) and (j, k, B), summed in one order for every B."""
    return np.asarray(np.add.reduce(left[:, :, None] * right, axis=1))


def _inverse(matrix: np.ndarray, hair: float = 0.0) -> np.ndarray:
    """Inverses of covariance matrices (p, p, B), NaN where there is none."""
    variance = np.einsum("iib->ib", matrix)
    varies = variance > 1e-12
    deviation = np.sqrt(np.where(varies, variance, 1.0))
    scale = deviation[:, None] * deviation
    unit = np.eye(len(matrix))[..., None]
    # a constant item is independent of the others; the hair keeps identical items invertible
    correlation = matrix / scale + unit * np.where(varies, hair, 1.0)
    inverse, sound = solve(correlation, np.broadcast_to(unit, matrix.shape))
    return np.where(sound, inverse / scale, np.nan)
