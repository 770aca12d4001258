"""Means and covariances of the items for many resamples at once, each a row of counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

SLAB = (
    32  # draws per matrix product: a fixed shape, so that a draw's bits do not depend on the call
)
ROWS = 4096  # units per matrix product: memory does not grow with the survey
EXACT = (64, 1024)  # draws and units per product where sums are exact whatever their order


class Source(Protocol):
    """Anything that turns rows of counts into moments."""

    @property
    def units(self) -> int:
        """Number of resampling units (respondents, or clusters of them)."""

    def moments(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (B, p) and covariances (B, p, p) when unit u is taken counts[b, u] times."""

    def jackknife(self) -> tuple[np.ndarray, np.ndarray]:
        """The same without each unit in turn."""


def weighted_sums(counts: np.ndarray, table: np.ndarray) -> np.ndarray:
    """``counts @ table`` in products of one shape: the same bits for any number of draws.

    Parameters
    ----------
    counts : ndarray (B, n)
        Small integers.
    table : ndarray (n, q)
        What is summed.
    """
    draws, rows = counts.shape
    sums = np.zeros((draws, table.shape[1]))
    for at in range(0, draws, SLAB):
        slab = np.zeros((SLAB, rows), dtype=table.dtype)
        part = counts[at : at + SLAB]
        slab[: len(part)] = part
        sums[at : at + SLAB] = (slab @ table)[: len(part)]
    return sums


@dataclass(frozen=True, eq=False)
class Sample:
    """Respondents' answers, their survey weights and the units they are resampled in.

    The iteration of PLS needs nothing but moments, and the moments of any resample are its counts
    times the items and their pairwise products. Bootstrap, jackknife, permutation, folds and
    groups are all rows of counts.

    Parameters
    ----------
    values : ndarray (n, p)
        Answers, NaN where missing. Missing answers are replaced by the item's mean, anew in every
        resample.
    weights : ndarray (n,), optional
        Survey weights; scaled to sum to n.
    clusters : ndarray of int (n,), optional
        Number of each respondent's cluster, 0 to G - 1. Clusters are then the resampling units.
    """

    values: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None

    @property
    def units(self) -> int:
        """Respondents, or clusters."""
        return len(self.values) if self.clusters is None else int(self.clusters.max()) + 1

    @cached_property
    def shift(self) -> np.ndarray:
        """A rounded mean: products of small whole numbers are summed without rounding."""
        return np.asarray(np.round(np.nanmean(self.values, axis=0)))

    @cached_property
    def _incomplete(self) -> bool:
        return bool(np.isnan(self.values).any())

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        width = self.values.shape[1] * (2 if self._incomplete else 1)
        return np.triu_indices(width)

    @cached_property
    def _places(self) -> np.ndarray:
        """Which pair holds each entry of the (flattened) symmetric matrix of products."""
        width = int(self._pairs[0].max()) + 1
        found = np.empty((width, width), dtype=int)
        found[self._pairs] = found.T[self._pairs] = np.arange(len(self._pairs[0]))
        return found.ravel()

    @cached_property
    def _mass(self) -> np.ndarray:
        rows = len(self.values)
        return np.ones(rows) if self.weights is None else self.weights * rows / self.weights.sum()

    @cached_property
    def _whole(self) -> np.ndarray | None:
        """The table of products, kept where it is small or summed over clusters."""
        if self.clusters is not None:
            table = np.zeros((self.units, 1 + self._pairs[0].max() + 1 + len(self._pairs[0])))
            for at in range(0, len(self.values), ROWS):
                np.add.at(table, self.clusters[at : at + ROWS], self._products(at, at + ROWS))
            return table
        return self._products(0, ROWS) if self.units <= ROWS else None

    @cached_property
    def _precision(self) -> type:
        """Single where it is exact: whole numbers, whose sums in a block stay below 2^24."""
        shifted = self.values - self.shift
        whole = self.weights is None and bool(
            (np.isnan(shifted) | (shifted == np.round(shifted))).all()
        )
        return np.float32 if whole and 2 * ROWS * np.nanmax(shifted**2) < 2**24 else np.float64

    def _columns(self, start: int, stop: int, room: np.ndarray | None = None) -> np.ndarray:
        """Weight, weighted items and weighted pairwise products (q, rows), for some rows."""
        rows: np.ndarray = np.ascontiguousarray(
            (self.values[start:stop] - self.shift).T, self._precision
        )
        if self._incomplete:
            rows = np.vstack([np.nan_to_num(rows), ~np.isnan(rows)]).astype(self._precision)
        width, at = len(rows), 1 + len(rows)
        if room is None:
            room = np.empty((at + len(self._pairs[0]), rows.shape[1]), dtype=self._precision)
        table = room[:, : rows.shape[1]]
        table[0], table[1:at] = 1.0, rows
        for i in range(width):
            np.multiply(rows[i:], rows[i], out=table[at : at + width - i])
            at += width - i
        if self.weights is not None:
            table *= self._mass[start:stop]
        return table

    def _products(self, start: int, stop: int) -> np.ndarray:
        """The same with a unit per row."""
        return np.ascontiguousarray(self._columns(start, stop).T)

    def moments(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (B, p) and covariances (B, p, p) when unit u is taken counts[b, u] times."""
        if self._whole is not None:
            sums = weighted_sums(counts, self._whole)
        elif self._precision is np.float32:
            sums = self._exact_sums(counts)
        else:
            sums = np.zeros((len(counts), 1 + self._pairs[0].max() + 1 + len(self._pairs[0])))
            for at in range(0, self.units, ROWS):
                sums += weighted_sums(counts[:, at : at + ROWS], self._columns(at, at + ROWS).T)
        return self._finish(sums)

    def _exact_sums(self, counts: np.ndarray) -> np.ndarray:
        """Sums of whole numbers: every order of adding gives the same bits, so the cheapest."""
        draws, rows = EXACT
        sums = np.zeros((1 + self._pairs[0].max() + 1 + len(self._pairs[0]), len(counts)))
        room: np.ndarray = np.empty((len(sums), rows), dtype=self._precision)
        taken: np.ndarray = np.empty((draws, rows), dtype=self._precision)
        for at in range(0, self.units, rows):
            table = self._columns(at, at + rows, room)
            for first in range(0, len(counts), draws):
                part = counts[first : first + draws, at : at + rows]
                own = taken[: len(part), : part.shape[1]]
                own[:] = part
                sums[:, first : first + draws] += table @ own.T
        return np.ascontiguousarray(sums.T)

    def jackknife(self) -> tuple[np.ndarray, np.ndarray]:
        """Moments without each unit in turn: the total less the unit's own products."""
        table = self._whole if self._whole is not None else self._products(0, self.units)
        return self._finish(table.sum(axis=0, dtype=float) - table)

    def _finish(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width, items = int(self._pairs[0].max()) + 1, self.values.shape[1]
        sums = np.ascontiguousarray(sums.T)  # draws last, as the fit wants them
        mass, first, pairs = sums[0], sums[1 : 1 + width], sums[1 + width :]
        if self._incomplete:
            # x is zero where missing; o marks the observed: mean over the observed, and an
            # imputed mean adds nothing to a deviation product
            second = pairs[self._places].reshape(width, width, -1)
            answered = first[items:]
            mean = np.divide(first[:items], answered, where=answered > 0,
                             out=np.zeros_like(answered))  # fmt: skip
            crossed = mean * second[:items, items:]
            products = (
                second[:items, :items] - crossed - crossed.swapaxes(0, 1)
                + mean[:, None] * mean * second[items:, items:]
            ) / (mass - 1)  # fmt: skip
        else:
            mean = first / mass
            at = 0
            for i in range(width):
                pairs[at : at + width - i] -= mean[i] * first[i:]
                at += width - i
            pairs /= mass - 1
            products = pairs[self._places].reshape(width, width, -1)
        return mean.T + self.shift, np.moveaxis(products, -1, 0)


def effective_sample_size(weights: np.ndarray) -> float:
    """Kish's effective sample size of survey weights (n,): (Σw)² / Σw².

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7.
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
