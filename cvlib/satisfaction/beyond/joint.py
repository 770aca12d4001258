"""Many specifications of one effect: their estimates together, and a joint test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from cvlib.satisfaction.survey.moments import Sample

STATISTICS = ("median_estimate", "share_significant", "stouffer_z")


@dataclass(frozen=True, eq=False)
class Estimated:
    """Specifications estimated on the data and in resamples where the effect is absent.

    Attributes
    ----------
    estimate, std_error, z, p : ndarray (K,)
    null_estimate, null_z : ndarray (B, K)
        Of the same resample of respondents for all specifications; NaN where one failed.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    z: np.ndarray
    p: np.ndarray
    null_estimate: np.ndarray
    null_z: np.ndarray


def z_of(t: np.ndarray, degrees: np.ndarray | float) -> np.ndarray:
    """Normal z with the same tail as Student's t; from logarithms, since p underflows."""
    return np.asarray(-np.sign(t) * special.ndtri_exp(stats.t.logsf(np.abs(t), degrees)))


def regressions(
    columns: np.ndarray, specified: Sequence[tuple[int, int, tuple[int, ...]]], counts: np.ndarray
) -> Estimated:
    """Regressions of one column on another and on controls, and in resamples without the effect.

    The effect is taken out of every outcome, ``y* = y - b x``, before respondents are resampled.

    Parameters
    ----------
    columns : ndarray (n, q)
        Standardised composites.
    specified : sequence of (x, y, controls)
        Places of the columns.
    counts : ndarray (B, n)
        How often each respondent counts in every resample.

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), Nature Human Behaviour 4:1208-1214.
    """
    sample = Sample(columns, None, None)
    whole = sample.moments(np.ones((1, len(columns)), dtype=np.int8))[1]
    moments = sample.moments(counts)[1] if len(counts) else np.empty((0, *whole.shape[1:]))
    sizes = counts.sum(axis=1)
    number = len(specified)
    estimate, error, z, p = (np.empty(number) for _ in range(4))
    null_estimate, null_z = (np.empty((len(counts), number)) for _ in range(2))
    for k, (x, y, controls) in enumerate(specified):
        own = np.array([x, *controls])
        b, se = _slope(whole, own, y, np.array([float(len(columns))]))
        degrees = len(columns) - 1 - len(own)
        t = b / se
        estimate[k], error[k] = b[0], se[0]
        z[k] = z_of(t, degrees)[0]
        p[k] = 2 * stats.t.sf(abs(t[0]), degrees)
        turn = np.eye(columns.shape[1])
        turn[x, y] -= b[0]
        b_null, se_null = _slope(turn.T @ moments @ turn, own, y, sizes)
        null_estimate[:, k] = b_null
        null_z[:, k] = z_of(b_null / se_null, sizes - 1 - len(own))
    return Estimated(estimate, error, z, p, null_estimate, null_z)


def _slope(
    moments: np.ndarray, own: np.ndarray, y: int, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First coefficient (B,) of y on own columns with intercept, and its standard error."""
    inverse = np.linalg.inv(moments[:, own[:, None], own])
    slopes = (inverse @ moments[:, own, y][:, :, None])[:, :, 0]
    left = moments[:, y, y] - (slopes * moments[:, own, y]).sum(axis=1)
    # ratios only: the divisor of the moments cancels
    error = np.sqrt(np.maximum(left, 0) * inverse[:, 0, 0] / (sizes - 1 - len(own)))
    return slopes[:, 0], error


def joint_statistics(estimate: np.ndarray, z: np.ndarray, alpha: float) -> np.ndarray:
    """`STATISTICS` (..., 3) of specifications along the last axis."""
    median = np.median(estimate, axis=-1)
    side = np.where(median < 0, -1.0, 1.0)[..., None]
    limit = -special.ndtri(alpha / 2)
    share = (side * z > limit).mean(axis=-1)
    stouffer = z.sum(axis=-1) / np.sqrt(z.shape[-1])
    return np.stack([np.abs(median), share, np.abs(stouffer)], axis=-1)


def joint_test(found: Estimated, alpha: float) -> pd.DataFrame:
    """Are the specifications together more than chance would give without any effect?

    Parameters
    ----------
    found : Estimated
        With resamples.
    alpha : float
        Significance of a single specification.

    Returns
    -------
    DataFrame
        statistic, observed (in size), null_median, null_upper (its 95 % point), p, draws.
    """
    used = np.isfinite(found.null_z).all(axis=1) & np.isfinite(found.null_estimate).all(axis=1)
    observed = joint_statistics(found.estimate, found.z, alpha)
    null = joint_statistics(found.null_estimate[used], found.null_z[used], alpha)
    p = (1 + (null >= observed - 1e-12).sum(axis=0)) / (1 + used.sum())
    return pd.DataFrame({
        "statistic": STATISTICS, "observed": observed, "null_median": np.median(null, axis=0),
        "null_upper": np.quantile(null, 0.95, axis=0), "p": p, "draws": int(used.sum()),
    })  # fmt: skip
