"""Distinct purchase histories: customers who share (x, t_x, T) share one likelihood term."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

# Rows evaluated at once: the working arrays then stay in cache, and memory does not grow with n.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class Histories:
    """Distinct histories ordered by x, with the number of customers of each.

    Attributes
    ----------
    x, t_x, T, count : ndarray, shape (m,)
    z : ndarray, shape (m, k)
        Static covariates; k may be 0.
    names : tuple of str
        Names of the covariates.
    x_values, x_start : ndarray
        Distinct x and the row at which each begins.
    """

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    count: np.ndarray
    z: np.ndarray
    names: tuple[str, ...]
    x_values: np.ndarray
    x_start: np.ndarray

    @property
    def customers(self) -> float:
        return float(self.count.sum())

    @cached_property
    def times(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distinct times, and where in them t_x and T of every row stand."""
        times, place = np.unique(np.concatenate([self.t_x, self.T]), return_inverse=True)
        return times, place[: self.x.size], place[self.x.size :]

    def spread(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """A function of x for every row, evaluated on distinct x only."""
        sizes = np.diff(self.x_start, append=self.x.size)
        return np.repeat(function(self.x_values), sizes)

    def sum_over_x(self, values: np.ndarray) -> float:
        """Sum over customers of a quantity given for each distinct x."""
        return float(np.add.reduceat(self.count, self.x_start) @ values)

    def blocks(self) -> Iterator[Histories]:
        for begin in range(0, self.x.size, _BLOCK):
            part = slice(begin, begin + _BLOCK)
            yield _ordered(
                self.x[part],
                self.t_x[part],
                self.T[part],
                self.count[part],
                self.z[part],
                self.names,
            )

    def with_count(self, count: np.ndarray) -> Histories:
        """The same histories with other numbers of customers (a resample)."""
        return replace(self, count=np.asarray(count, dtype=float))

    def drawn(self) -> Histories:
        """The histories of which there are customers: a resample lacks a third of them."""
        there = np.flatnonzero(self.count)
        if there.size == self.count.size:
            return self
        x, t_x, T, count, z = (
            each[there] for each in (self.x, self.t_x, self.T, self.count, self.z)
        )
        return _ordered(x, t_x, T, count, z, self.names)

    def sample(self, customers: int) -> Histories:
        """Every so many-th customer, weighted up to the full number, to start a large fit from."""
        if self.x.size <= customers:
            return self
        order = np.cumsum(self.count)
        places = (np.arange(customers) + 0.5) / customers * order[-1]
        at, chosen = np.unique(np.searchsorted(order, places), return_counts=True)
        count = chosen * (order[-1] / customers)
        return _ordered(self.x[at], self.t_x[at], self.T[at], count, self.z[at], self.names)

    def frame(self) -> pd.DataFrame:
        columns = {"x": self.x.astype("int64"), "t_x": self.t_x, "T": self.T}
        columns |= {name: self.z[:, position] for position, name in enumerate(self.names)}
        return pd.DataFrame(columns | {"customers": self.count}, copy=False)


def _ordered(
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    count: np.ndarray,
    z: np.ndarray,
    names: tuple[str, ...],
) -> Histories:
    start = np.flatnonzero(np.diff(x, prepend=-1.0))
    return Histories(x, t_x, T, count, z, names, x[start], start)


def in_order_of_x(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, count: np.ndarray, z: np.ndarray
) -> tuple[Histories, np.ndarray]:
    """Histories of single customers, none merged, and the position each was given at."""
    order = np.argsort(x, kind="stable")
    names = tuple(f"z{position}" for position in range(z.shape[1]))
    return _ordered(x[order], t_x[order], T[order], count[order], z[order], names), order


def distinct_histories(
    frame: pd.DataFrame, covariates: Sequence[str] = (), where: str = "histories"
) -> Histories:
    """Check and group x, t_x, T (and covariates), one row per customer or with ``customers``."""
    missing = [name for name in ("x", "t_x", "T", *covariates) if name not in frame.columns]
    if missing:
        raise InputError(
            where,
            message("refusals.has_no_column_2", column=missing[0]),
            message("refusals.see_summarise_purchases"),
        )
    if frame.empty:
        raise InputError(
            where, message("refusals.has_no_rows"), message("refusals.give_at_least_one_customer")
        )
    columns = []
    for name in ("x", "t_x", "T", *covariates):
        try:
            columns.append(frame[name].to_numpy(dtype=float))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{where}, column {name!r}",
                message("refusals.holds_values_that_are_not_2"),
                message("refusals.code_it_as_numbers"),
            ) from error
    check_histories(columns[0], columns[1], columns[2], where)
    for name, values in zip(covariates, columns[3:], strict=True):
        if not np.isfinite(values).all():
            raise InputError(
                f"{where}, column {name!r}",
                message("refusals.has_missing_values"),
                message("refusals.fill_or_drop_them"),
            )
    count = frame["customers"].to_numpy(dtype=float) if "customers" in frame.columns else None
    # one integer key per history, built column by column, so that grouping needs one sort
    key = np.zeros(len(frame), dtype=np.int64)
    for values in reversed(columns):
        code, levels = pd.factorize(values)
        if float(key.max() + 1) * len(levels) > 2**62:
            key = np.unique(key, return_inverse=True)[1]
        key = key * len(levels) + code
    code, levels = pd.factorize(key)
    first = np.empty(len(levels), dtype=np.int64)
    first[code[::-1]] = np.arange(len(frame))[::-1]
    total = np.bincount(code, weights=count).astype(float)
    del key, code, levels
    grouped = [values[first] for values in columns]
    del columns, first
    order = np.lexsort(tuple(reversed(grouped)))
    x, t_x, T, *z = (values[order] for values in grouped)
    table = np.column_stack(z) if z else np.empty((x.size, 0))
    return _ordered(x, t_x, T, total[order], table, tuple(covariates))


def check_histories(x: Any, t_x: Any, T: Any, where: str = "histories") -> None:
    """Raise when a history is impossible, naming the first such row."""
    finite = np.isfinite(x) & np.isfinite(t_x) & np.isfinite(T)
    faults = [
        (~finite, "history_incomplete"),
        (finite & ((x < 0) | (x != np.floor(x))), "history_no_count"),
        (finite & ((t_x < 0) | (t_x > T)), "history_outside"),
        (finite & ((x == 0) != (t_x == 0)), "history_contradicts"),
    ]
    for fault, wrong in faults:
        rows = np.flatnonzero(np.atleast_1d(fault))
        if rows.size:
            raise InputError(
                f"{where}, row {int(rows[0])}",
                message(f"refusals.{wrong}", rows=rows.size),
                message("refusals.counts_repeat_purchases_is_the"),
            )
