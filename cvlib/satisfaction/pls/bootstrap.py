"""Bootstrap, jackknife and permutation through one fitter; intervals and p values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.effects import route_effects, routes, total_effects
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.survey.moments import SLAB, Source
from cvlib.statistics import resample
from cvlib.statistics.resample import INTERVALS
from cvlib.words.message import message

__all__ = [
    "INTERVALS", "Asked", "Counts", "Draws", "Fit", "Statistics", "bootstrap", "bootstrap_each",
    "chunk_size", "evaluate", "evaluate_each", "inner_errors", "intervals", "jackknife",
    "jackknife_error", "permutation_test", "route_effects", "routes", "summary", "total_effects",
]  # fmt: skip
_FLAGS = ("converged", "degenerate", "admissible")
Fit = Callable[[np.ndarray, np.ndarray], PLSFit]
Statistics = Callable[[PLSFit], Mapping[str, np.ndarray]]
Counts = Iterator[np.ndarray]
Asked = tuple[Fit, Statistics]
Part = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Draws:
    """Statistics of many fits.

    Attributes
    ----------
    values : Mapping[str, ndarray (B, m)]
        By name, one row per draw, NaN where the draw failed.
    converged, degenerate, admissible : ndarray of bool (B,)
        As in `PLSFit`.
    """

    values: Mapping[str, np.ndarray]
    converged: np.ndarray
    degenerate: np.ndarray
    admissible: np.ndarray

    @property
    def failed(self) -> np.ndarray:
        """(B,) True where a draw has no estimate: not converged, or degenerate."""
        return ~self.converged | self.degenerate

    def table(self) -> pd.DataFrame:
        """What became of the draws. Failed ones are left out of intervals; inadmissible ones are
        kept, since leaving them out would bend the distribution."""
        failed = int(self.failed.sum())
        return pd.DataFrame({
            "requested": [len(self.converged)],
            "converged": [int(self.converged.sum())],
            "failed": [failed],
            "inadmissible": [int((~self.admissible & ~self.failed).sum())],
            "used": [len(self.converged) - failed],
        })  # fmt: skip

    def kept(self, name: str) -> np.ndarray:
        """Values of the draws that did not fail."""
        return self.values[name][~self.failed] if self.failed.any() else self.values[name]


def chunk_size(units: int, chunk: int | None = None) -> int:
    """Draws fitted together: a multiple of the slab, fewer where a row of counts is long."""
    wanted = chunk or min(640, 32_000_000 // units)
    return max(1, -(-wanted // SLAB)) * SLAB


def evaluate(
    source: Source,
    counts: Counts,
    fit: Fit,
    statistics: Statistics,
    *,
    threads: int = 1,
    draws: int = SLAB,
) -> Draws:
    """Fit every row of counts and keep the statistics.

    Parameters
    ----------
    source : Source
        Where moments come from.
    counts : iterator of ndarray (b, units)
        Chunks of draws.
    fit : callable
        Means and covariances to `PLSFit`.
    statistics : callable
        `PLSFit` to named arrays (b, m).
    threads : int
        Chunks fitted side by side. Results do not depend on it.
    draws : int
        How many there will be, where that is known: room is made for them once.
    """

    (found,) = evaluate_each(source, counts, [(fit, statistics)], threads=threads, draws=draws)
    return found


def evaluate_each(
    source: Source, counts: Counts, asked: Sequence[Asked], *, threads: int = 1, draws: int = SLAB
) -> tuple[Draws, ...]:
    """`evaluate` for several fits with their statistics, from moments that are taken once."""

    def one(rows: np.ndarray) -> list[Part]:
        moments = source.moments(rows)
        return [_part(*moments, fit, statistics) for fit, statistics in asked]

    # one BLAS thread: its own threads would change the order of sums, and gain nothing here
    with threadpool_limits(limits=1, user_api="blas"):
        if threads == 1:
            return _gathered(map(one, counts), draws)
        with ThreadPoolExecutor(threads) as pool:
            return _gathered(_ahead(pool, one, counts, threads), draws)


def _ahead(
    pool: ThreadPoolExecutor, one: Callable[[np.ndarray], list[Part]], counts: Counts, threads: int
) -> Iterator[list[Part]]:
    """Parts in order, a few fits ahead: chunks wait in memory only so long."""
    waiting: deque[Future[list[Part]]] = deque()
    for rows in counts:
        waiting.append(pool.submit(one, rows))
        if len(waiting) > threads:
            yield waiting.popleft().result()
    yield from (future.result() for future in waiting)


def _part(mean: np.ndarray, covariance: np.ndarray, fit: Fit, statistics: Statistics) -> Part:
    """Statistics of some draws and what became of them."""
    draws = len(mean)
    if draws == 1:  # numpy sums a lone draw in another order: give it company
        mean, covariance = np.repeat(mean, 2, axis=0), np.repeat(covariance, 2, axis=0)
    found = fit(mean, covariance)
    flags = {name: getattr(found, name)[:draws] for name in _FLAGS}
    return {name: values[:draws] for name, values in statistics(found).items()}, flags


def _gathered(parts: Iterator[list[Part]], draws: int) -> tuple[Draws, ...]:
    """The parts one after the other in arrays of their own, never all of them in memory twice."""
    held: list[Part] = []
    at = 0
    for several in parts:
        held = held or [({}, {}) for _ in several]
        size = len(several[0][1]["converged"])
        for own, part in zip(held, several, strict=True):
            for room, arrays in zip(own, part, strict=True):
                for name, new in arrays.items():
                    if name not in room:
                        room[name] = np.empty((max(draws, size), *new.shape[1:]), new.dtype)
                    while len(room[name]) < at + size:
                        room[name] = np.concatenate([room[name], np.empty_like(room[name])])
                    room[name][at : at + size] = new
        at += size
    cut = [[{name: array[:at] for name, array in room.items()} for room in own] for own in held]
    return tuple(Draws(values, **flags) for values, flags in cut)


def bootstrap(
    source: Source,
    fit: Fit,
    statistics: Statistics,
    *,
    draws: int,
    seed: int,
    strata: np.ndarray | None = None,
    chunk: int | None = None,
    threads: int = 1,
) -> Draws:
    """Refit `draws` resamples of the units (Efron, 1979); bit-identical for any chunk and threads.

    Parameters
    ----------
    source : Source
        Where moments come from.
    fit, statistics : callable
        As in `evaluate`.
    draws : int
        Number of resamples.
    seed : int
        Of the random numbers.
    strata : ndarray of int (units,), optional
        Units are resampled within these.
    chunk : int, optional
        Draws fitted together, rounded up to a multiple of 32.
    threads : int
        Chunks fitted side by side.
    """
    rows = resample.counts(source.units, draws, seed, strata, chunk_size(source.units, chunk))
    return evaluate(source, rows, fit, statistics, threads=threads, draws=draws)


def bootstrap_each(
    source: Source, asked: Sequence[Asked], *, draws: int, seed: int,
    strata: np.ndarray | None = None,
) -> tuple[Draws, ...]:  # fmt: skip
    """`bootstrap` of several fits with their statistics on the same resamples."""
    rows = resample.counts(source.units, draws, seed, strata, chunk_size(source.units))
    return evaluate_each(source, rows, asked, draws=draws)


def jackknife(source: Source, fit: Fit, statistics: Statistics) -> Draws:
    """Refit without each unit in turn."""
    mean, covariance = source.jackknife()
    with threadpool_limits(limits=1, user_api="blas"):
        parts = (
            [_part(mean[at : at + 256], covariance[at : at + 256], fit, statistics)]
            for at in range(0, len(mean), 256)
        )
        return _gathered(parts, len(mean))[0]


def jackknife_error(values: np.ndarray) -> np.ndarray:
    """Jackknife standard errors (m,) of leave-one-out values (units, m)."""
    units = len(values)
    return np.sqrt((units - 1) / units * ((values - values.mean(axis=0)) ** 2).sum(axis=0))


def inner_errors(
    source: Source,
    fit: Fit,
    statistics: Statistics,
    *,
    draws: int,
    seed: int,
    strata: np.ndarray | None = None,
    inner: int = 50,
) -> dict[str, np.ndarray]:
    """Standard error of every statistic within every bootstrap draw, by resampling the draw.

    Parameters
    ----------
    source : Source
        Where moments come from.
    fit, statistics : callable
        As in `evaluate`.
    draws, seed, strata
        Those of the outer bootstrap, whose resamples are drawn again.
    inner : int
        Resamples of each resample; 50 suffices for a standard error (Efron & Tibshirani, 1993).

    Returns
    -------
    dict of ndarray (draws, m)
    """
    errors: dict[str, list[np.ndarray]] = {}
    for rows in resample.counts_again(source.units, draws, seed, strata, inner=inner):
        found = evaluate(source, iter([rows]), fit, statistics)
        for name, values in found.values.items():
            values = np.where(found.failed[:, None], np.nan, values)
            shaped = values.reshape(-1, inner, values.shape[1])
            spread = shaped - np.nanmean(shaped, axis=1, keepdims=True)
            degrees = (~np.isnan(shaped)).sum(axis=1) - 1
            errors.setdefault(name, []).append(np.sqrt(np.nansum(spread**2, axis=1) / degrees))
    return {name: np.concatenate(parts) for name, parts in errors.items()}


def intervals(
    estimate: np.ndarray,
    draws: np.ndarray,
    *,
    kind: str = "percentile",
    level: float = 0.95,
    left_out: np.ndarray | None = None,
    errors: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence limits (m,) and (m,) from bootstrap draws.

    Parameters
    ----------
    estimate : ndarray (m,)
        From the data themselves.
    draws : ndarray (B, m)
        Bootstrap values.
    kind : {"percentile", "bca", "studentized"}
        Percentile; bias-corrected and accelerated; bootstrap-t with a standard error per draw.
    level : float
        Confidence.
    left_out : ndarray (units, m), optional
        Jackknife values, for the acceleration of "bca".
    errors : ndarray (B, m), optional
        Standard error within each draw, for "studentized".

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, sections 12.5, 13.3, 14.3.
    """
    one_of("interval", kind, INTERVALS)
    if kind == "percentile":
        # column by column: a table of draws is not copied to be sorted
        limits = [resample.percentile_limits(column, level) for column in draws.T]
        low, high = np.array(limits).reshape(-1, 2).T
        return low, high
    if kind == "studentized":
        if errors is None:
            raise ValueError("a studentised interval needs a standard error per draw")
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (draws - estimate) / errors
        t = np.where(np.isfinite(t), t, 0.0)  # a statistic that is fixed by construction
        low, high = resample.percentile_limits(t, level)
        spread = draws.std(axis=0, ddof=1)
        return estimate - high * spread, estimate - low * spread
    if left_out is None:
        raise ValueError("a bca interval needs jackknife values")
    below = (draws < estimate).mean(axis=0) + 0.5 * (draws == estimate).mean(axis=0)
    bias = stats.norm.ppf(np.clip(below, 1 / (2 * len(draws)), 1 - 1 / (2 * len(draws))))
    gap = left_out.mean(axis=0) - left_out
    cubes, squares = (gap**3).sum(axis=0), (gap**2).sum(axis=0)
    acceleration = np.divide(cubes, 6 * squares**1.5, where=squares > 1e-30,
                             out=np.zeros_like(cubes))  # fmt: skip
    z = bias + stats.norm.ppf(resample.tails(level))[:, None]
    shares = stats.norm.cdf(bias + z / (1 - acceleration * z))
    columns = np.sort(draws, axis=0)
    place = shares * (len(draws) - 1)
    floor = np.clip(np.floor(place).astype(int), 0, len(draws) - 2)
    across = np.arange(draws.shape[1])
    step = columns[floor + 1, across] - columns[floor, across]
    low, high = columns[floor, across] + (place - floor) * step
    return low, high


def summary(
    estimate: np.ndarray,
    draws: np.ndarray,
    degrees: float,
    low: np.ndarray,
    high: np.ndarray,
) -> pd.DataFrame:
    """Columns estimate, std_error, t, p, ci_low, ci_high.

    p is two-sided, from t = estimate / bootstrap standard error on Student's t with `degrees`
    degrees of freedom (resampling units less strata).
    """
    error = np.array([column.std(ddof=1) for column in draws.T])
    # equal in every draw to rounding: fixed by construction, so there is nothing to test
    error = np.where(error < 1e-12, 0.0, error)
    t = np.divide(estimate, error, where=error > 0, out=np.full_like(estimate, np.nan))
    return pd.DataFrame({
        "estimate": estimate,
        "std_error": error,
        "t": t,
        "p": 2 * stats.t.sf(np.abs(t), degrees),
        "ci_low": low,
        "ci_high": high,
    })  # fmt: skip


def permutation_test(
    source: Source,
    fit: Fit,
    statistics: Statistics,
    groups: np.ndarray,
    *,
    permutations: int = 1000,
    seed: int = resample.SEED,
    threads: int = 1,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Test the difference of two groups by exchanging their labels.

    A group is a row of counts, one for its members and zero for the others.

    Parameters
    ----------
    source : Source
        Of all units, both groups together.
    fit, statistics : callable
        As in `evaluate`.
    groups : ndarray of bool (units,)
        True for the first group.
    permutations : int
        Random exchanges.
    seed : int
        Of the random numbers.
    threads : int
        Chunks fitted side by side.

    Returns
    -------
    tables : dict of DataFrame
        By statistic: first, second, difference, p. p is two-sided: (1 + the number of
        permutations with a difference as large in size) / (1 + permutations).
    draws : DataFrame
        requested, converged, failed, inadmissible fits, two per permutation. A permutation with a
        failed fit is left out of p and counted here.

    References
    ----------
    Chin & Dibbern (2010), in Handbook of Partial Least Squares, ch. 7; Phipson & Smyth (2010)
    for the ones in p.
    """
    first = np.asarray(groups, dtype=bool)
    own = resample.generator(seed)

    def labels() -> Counts:
        size = chunk_size(source.units) // 2
        for at in range(-1, permutations, size):
            shuffled = [first if b == -1 else own.permutation(first)
                        for b in range(at, min(at + size, permutations))]  # fmt: skip
            yield np.array([row for one in shuffled for row in (one, ~one)], dtype=np.uint8)

    found = evaluate(source, labels(), fit, statistics, threads=threads)
    if found.failed[:2].any():
        raise InputError("groups", message("refusals.the_model_cannot_be_estimated"),
                         message("refusals.groups_need_more_respondents_and"))  # fmt: skip
    sound = ~(found.failed[0::2] | found.failed[1::2])[1:]
    tables = {}
    for name, values in found.values.items():
        gaps = values[0::2] - values[1::2]
        as_large = np.abs(gaps[1:][sound]) >= np.abs(gaps[0]) - 1e-12
        tables[name] = pd.DataFrame({
            "first": values[0],
            "second": values[1],
            "difference": gaps[0],
            "p": (1 + as_large.sum(axis=0)) / (1 + sound.sum()),
        })  # fmt: skip
    return tables, found.table()
