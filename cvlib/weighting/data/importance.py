"""Importance of the columns of a table by entropy, spread, conflict and removal effect."""

from __future__ import annotations

import numpy as np

METHODS = (
    "entropy_sum",
    "entropy_minmax",
    "entropy_shifted",
    "entropy_translated",
    "critic",
    "standard_deviation",
    "coefficient_of_variation",
    "merec",
)
# Below this a difference from 1 is what double precision leaves of equality.
ROUNDING = 64 * np.finfo(float).eps
ON_UNIT_SCALE = ("entropy_minmax", "entropy_shifted", "critic", "standard_deviation")


def importance(
    method: str,
    raw: np.ndarray,
    z: np.ndarray,
    is_cost: np.ndarray,
    epsilon: float = 0.002,
    counts: np.ndarray | None = None,
    same: np.ndarray | None = None,
) -> np.ndarray:
    """Importance of each column before division by the sum.

    Parameters
    ----------
    method : str
        Of `METHODS`.
    raw, z : ndarray, customers by items
        Raw values and direction-aware 0 to 1 values; NaN where missing.
    is_cost : ndarray of bool
        Cost items (MEREC).
    epsilon : float
        Shift of ``entropy_shifted``.
    counts : ndarray, optional
        How often each customer counts (a bootstrap resample); 1 each by default.
    same : ndarray, items by items, optional
        How far from 1 a correlation of CRITIC is still 1 (`indistinguishable`); rounding alone by
        default.

    Returns
    -------
    ndarray
        One non-negative number per item; 0 for a constant item. All 0 where the method is not
        defined: nothing varies, or (CRITIC) nothing conflicts.
    """
    if method == "critic":
        spread, r = _spread_and_correlation(z, counts)
        varies = spread > 0
        apart = np.where(1 - r > (ROUNDING if same is None else same), 1 - r, 0.0)
        conflict = np.where(np.outer(varies, varies), apart, 0).sum(axis=1)
        return spread * conflict
    if method == "merec":
        return _merec(raw, is_cost, counts)
    values = z if method in ON_UNIT_SCALE else raw
    out = np.zeros(values.shape[1])
    for j in range(values.shape[1]):
        column, c = values[:, j], counts
        if np.isnan(column.sum()):
            known = ~np.isnan(column)
            column, c = column[known], None if counts is None else counts[known]
        if not len(column) or column.min() == column.max():
            continue
        if method == "entropy_shifted":
            column = (1 - epsilon) * column + epsilon
        elif method == "entropy_translated" and (least := column.min()) <= 0:
            column = column + abs(least) + 0.01
        out[j] = (
            _spread(column, c, relative=method == "coefficient_of_variation")
            if method in ("standard_deviation", "coefficient_of_variation")
            else 1 - entropy(column, c)
        )
        if method.startswith("entropy") and out[j] < ROUNDING:
            out[j] = 0.0  # 1 minus a rounded 1: the column varies less than its entropy can tell
    return out


def indistinguishable(raw: np.ndarray) -> np.ndarray:
    """How far from 1 the correlation of two columns may be when rounding alone keeps them apart.

    Two columns that are proportional before each is rounded to steps of d correlate with at least
    1 − (d₁/2σ₁)²/2 − (d₂/2σ₂)²/2. Where the step is no small part of the spread (counts, answers of
    five points) the values are taken as they stand and only the computer rounds.

    Parameters
    ----------
    raw : ndarray, customers by items
        Values as given; NaN where missing.

    Returns
    -------
    ndarray, items by items
    """
    half = np.array([_half_step(column[np.isfinite(column)]) for column in raw.T])
    return np.asarray(ROUNDING + (half[:, None] ** 2 + half[None, :] ** 2) / 2)


def _half_step(column: np.ndarray) -> float:
    """Half the step of a column over its spread; 0 where the step is large beside the spread."""
    spread = float(column.std()) if len(column) else 0.0
    for decimals in range(-3, 16) if spread > 0 else ():
        if np.allclose(np.round(column, decimals), column, rtol=1e-14, atol=0):
            part = 0.5 * 10.0**-decimals / spread
            return part if part < 0.005 else 0.0
    return 0.0


def entropy(p: np.ndarray, counts: np.ndarray | None = None) -> float:
    """Shannon entropy of a column's shares, divided by ln m; 0 · ln 0 is 0.

    Parameters
    ----------
    p : ndarray
        Non-negative values of the m customers who have one.
    counts : ndarray, optional
        How often each customer counts; m is then their sum.

    Returns
    -------
    float
        −Σ p ln p / ln m with p divided by its sum, between 0 and 1.

    References
    ----------
    Shannon (1948); Hwang & Yoon (1981), eq. 3.38 [M].
    """
    logs = np.log(p if p.min() > 0 else np.where(p > 0, p, 1.0))
    if counts is None:
        total, log_total, m = p.sum(), p @ logs, float(len(p))
    else:
        total, log_total, m = counts @ p, (counts * p) @ logs, float(counts.sum())
    return float((np.log(total) - log_total / total) / np.log(m))


def _spread(column: np.ndarray, counts: np.ndarray | None, relative: bool) -> float:
    mean = np.average(column, weights=counts)
    deviation = float(np.sqrt(np.average((column - mean) ** 2, weights=counts)))
    return deviation / abs(mean) if relative else deviation


def _spread_and_correlation(
    z: np.ndarray, counts: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations and (pairwise complete) correlations, all with divisor n."""
    weight = np.ones(len(z)) if counts is None else counts
    known = np.isfinite(z)
    if known.all():
        mean, covariance = (weight @ z) / weight.sum(), np.zeros((z.shape[1],) * 2)
        # In blocks, so that memory does not hold a second table.
        for start in range(0, len(z), 65_536):
            rows = slice(start, start + 65_536)
            centred = z[rows] - mean
            covariance += centred.T @ (centred * weight[rows, None])
        covariance /= weight.sum()
        spread = np.sqrt(np.diag(covariance))
        scale = np.outer(spread, spread)
    else:
        present = known * weight[:, None]
        filled = np.where(known, z - np.nanmean(z, axis=0), 0.0)
        pairs = present.T @ known
        pairs = np.where(pairs > 0, pairs, np.nan)
        sums, squares = filled.T @ present, (filled**2).T @ present
        covariance = (filled * weight[:, None]).T @ filled / pairs - sums * sums.T / pairs**2
        variance = squares / pairs - (sums / pairs) ** 2
        spread = np.sqrt(np.diag(variance))
        scale = np.sqrt(np.clip(variance * variance.T, 0, None))
    spread = np.where(np.nanmax(z, axis=0) > np.nanmin(z, axis=0), spread, 0.0)
    return spread, np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)


def _merec(raw: np.ndarray, is_cost: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
    """Effect of removing each item (customers with every item)."""
    rows = np.isfinite(raw).all(axis=1)
    raw, n = raw[rows], raw.shape[1]
    distance = np.where(is_cost, np.log(raw.max(axis=0) / raw), np.log(raw / raw.min(axis=0)))
    total = distance.sum(axis=1, keepdims=True)
    change = np.abs(np.log1p((total - distance) / n) - np.log1p(total / n))
    return change.sum(axis=0) if counts is None else counts[rows] @ change


def shares(values: np.ndarray) -> np.ndarray:
    """Divide by the sum; equal shares where nothing varies."""
    total = values.sum()
    return values / total if total > 0 else np.full(len(values), 1 / len(values))
