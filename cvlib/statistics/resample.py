"""Random numbers, resamples and the limits that draws give: one place for all pillars.

Every generator is made here from a seed, so that the same seed gives the same draws wherever a
calculation stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvlib.inputs.choices import number, one_of, whole
from cvlib.words.message import message

SEED = 20261121
INTERVALS = ("percentile", "bca", "studentized")
Array = np.ndarray


@dataclass(frozen=True)
class Bootstrap:
    """What a bootstrap is to do; checked where it is written down.

    Parameters
    ----------
    draws : int
        Number of resamples, 0 for none.
    seed : int
        Of the random numbers.
    level : float
        Confidence of the intervals, between 0 and 1.
    interval : {"percentile", "bca", "studentized"}
        Kind of the intervals.

    Raises
    ------
    InputError
        Naming the setting at fault and what it may be.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Bootstrap(1000, level=0.9).interval
    'percentile'
    """

    draws: int = 500
    seed: int = SEED
    level: float = 0.95
    interval: str = "percentile"

    def __post_init__(self) -> None:
        whole("draws", self.draws, 0, remedy="0 computes no intervals.")
        whole("seed", self.seed, 0)
        number("level", self.level, 0, 1, ends="()", remedy="0.95 is usual.")
        one_of("interval", self.interval, INTERVALS)


def percentile_only(bootstrap: Bootstrap) -> Bootstrap:
    """The settings, where a method has percentile intervals and no others.

    Parameters
    ----------
    bootstrap : Bootstrap
        What is asked for.

    Returns
    -------
    Bootstrap
        The same.

    Raises
    ------
    InputError
        Another kind of interval is asked for.
    """
    one_of(
        "interval", bootstrap.interval, INTERVALS[:1], message("refusals.this_method_has_no_other")
    )
    return bootstrap


FEWEST = 100  # usable draws on which an interval or a p value may rest, where as many are asked


def enough(usable: int, requested: int) -> bool:
    """Whether an interval or a p value may rest on the draws that gave an estimate.

    At least half of those requested, and `FEWEST` where that many or more were requested [P].
    """
    return usable >= 2 and 2 * usable >= requested and (usable >= FEWEST or requested < FEWEST)


def tails(level: float) -> Array:
    """(2,) probabilities below the lower and the upper limit of an equal-tailed interval."""
    return np.array([(1 - level) / 2, (1 + level) / 2])


def percentile_limits(
    draws: Array, level: float, axis: int = 0, nan_policy: str = "propagate"
) -> tuple[Array, Array]:
    """Percentile limits of bootstrap draws (Efron, 1979).

    Parameters
    ----------
    draws : ndarray
        Values, the draws along `axis`.
    level : float
        Confidence.
    axis : int
        The axis of the draws.
    nan_policy : {"propagate", "omit"}
        A draw without a value makes the limits NaN, or is left out. Without any, both are NaN.

    Returns
    -------
    low, high : ndarray
        The shape of `draws` without `axis`.
    """
    values = np.asarray(draws, dtype=float)
    one_of("nan_policy", nan_policy, ("propagate", "omit"))
    if not values.shape[axis]:
        empty = np.full(np.delete(values.shape, axis), np.nan)
        return empty, empty.copy()
    if nan_policy == "propagate" or not np.isnan(values).any():  # the slow one only where needed
        low, high = np.quantile(values, tails(level), axis=axis)
        return low, high
    lost = np.isnan(values).all(axis=axis, keepdims=True)
    low, high = np.nanquantile(np.where(lost, 0.0, values), tails(level), axis=axis)
    gone = np.squeeze(lost, axis=axis)
    return np.where(gone, np.nan, low), np.where(gone, np.nan, high)


def reach(level: float, degrees: Array | float | None = None) -> Any:
    """Standard errors from an estimate to its limits: normal, or Student's t with `degrees`."""
    from scipy import special

    above = tails(level)[1]
    return float(special.ndtri(above)) if degrees is None else special.stdtrit(degrees, above)


def generator(seed: int, *stream: int) -> np.random.Generator:
    """The generator of a seed; `stream` numbers calculations that must not share their draws."""
    return np.random.default_rng([seed, *stream] if stream else seed)


def spawned(seed: int, number: int) -> list[np.random.Generator]:
    """Independent generators, the same ones for any `number` of them."""
    return generator(seed).spawn(number)


def seeds(seed: int, number: int, *stream: int) -> list[int]:
    """Seeds of parts that are computed side by side, the same ones for any `number` of them.

    Those of a stream are words of its own sequence.
    """
    if stream:
        return [
            int(word) for word in np.random.SeedSequence([seed, *stream]).generate_state(number)
        ]
    return [int(s.generate_state(1)[0]) for s in np.random.SeedSequence(seed).spawn(number)]


def groups_of(units: int, strata: Array | None = None) -> list[Array]:
    """Positions of the units of each stratum; all of them where there are no strata."""
    if strata is None:
        return [np.arange(units)]
    return [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]


def counts(
    units: int,
    draws: int,
    seed: int | np.random.Generator,
    strata: Array | None = None,
    chunk: int = 256,
) -> Iterator[Array]:
    """How often each unit is drawn: units with replacement, within strata.

    A resample is a row of counts; respondents of a cluster share the count of their cluster. The
    stream of random numbers is the same for any `chunk`.

    Parameters
    ----------
    units : int
        Respondents, customers or clusters to draw from.
    draws : int
        Number of resamples.
    seed : int or Generator
        Of the random numbers; every stratum has a generator spawned from it. A generator is used
        as it is, without strata.
    strata : ndarray (units,), optional
        Units are drawn within these.
    chunk : int
        Resamples given at a time.

    Yields
    ------
    ndarray of uint16 (up to `chunk`, units)
    """
    groups = groups_of(units, strata)
    generators = [seed] if isinstance(seed, np.random.Generator) else spawned(seed, len(groups))
    one = np.uint16(1)
    for at in range(0, draws, chunk):
        rows = np.zeros((min(chunk, draws - at), units), dtype=np.uint16)
        for group, rng in zip(groups, generators, strict=True):
            size = len(group)
            step = max(1, 65_536 // size)
            for part in (rows[row : row + step] for row in range(0, len(rows), step)):
                # half as wide as usual, from the same random numbers
                picked = rng.integers(0, size, (len(part), size), dtype=np.uint32)
                if size == units and step == 1:
                    np.add.at(part[0], picked[0], one)
                    continue
                places = picked + size * np.arange(len(part))[:, None]
                drawn = np.bincount(places.ravel(), minlength=places.size)
                part[:, group] = drawn.reshape(places.shape)
        yield rows


def counts_again(
    units: int, draws: int, seed: int, strata: Array | None = None, *, inner: int, chunk: int = 8
) -> Iterator[Array]:
    """Resamples of the resamples that `counts` draws, for a standard error within each of them.

    Parameters
    ----------
    units, draws, seed, strata
        Of `counts`.
    inner : int
        Resamples of each resample.
    chunk : int
        Outer resamples taken at a time.

    Yields
    ------
    ndarray of uint16 (up to `chunk` x `inner`, units)
    """
    own, groups = generator(seed, inner), groups_of(units, strata)
    for rows in counts(units, draws, seed, strata, chunk):
        again = np.zeros((len(rows) * inner, units), dtype=np.uint16)
        for row, outer in zip(again, np.repeat(rows, inner, axis=0), strict=True):
            for group in groups:
                drawn = np.repeat(group, outer[group])
                picked = drawn[own.integers(0, len(drawn), len(drawn))]
                row += np.bincount(picked, minlength=units).astype(np.uint16)
        yield again


def indices(units: int, draws: int, rng: np.random.Generator) -> Array:
    """(draws, units) positions drawn with replacement, for what cannot be computed from counts."""
    return rng.integers(0, units, (draws, units))


def counts_of(picked: Array) -> Array:
    """(draws, units) how often each unit stands in every row of `indices`."""
    draws, units = picked.shape
    places = picked + units * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), minlength=picked.size).reshape(picked.shape)


def multinomial(
    units: int, draws: int, seed: int, share: Array | None = None, number: int | None = None
) -> Iterator[Array]:
    """Counts of resamples by the multinomial law, in blocks that memory can hold.

    The same law as `counts` from other random numbers; units may stand for different numbers, as
    purchase histories do that several customers share.

    Parameters
    ----------
    units : int
        Customers, experts or histories.
    draws : int
        Number of resamples.
    seed : int
        Of the random numbers.
    share : ndarray (units,), optional
        Probability of each; equal where not given.
    number : int, optional
        What each row sums to; `units` where not given.

    Yields
    ------
    ndarray of float (b, units)
    """
    rng, size = generator(seed), units if number is None else number
    chance = np.full(units, 1 / units) if share is None else share
    block = max(1, 2_000_000 // max(units, 1))
    for at in range(0, draws, block):
        yield rng.multinomial(size, chance, min(block, draws - at)).astype(float)


def symmetric_root(covariance: Array) -> Array:
    """The symmetric root of a covariance, below zero cut: one and the same on every processor.

    Eigenvectors come with either sign, and a processor's kernels decide which: draws made with
    them alone would differ from machine to machine.

    Parameters
    ----------
    covariance : ndarray (p, p)
        Symmetric.

    Returns
    -------
    ndarray (p, p)
    """
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
