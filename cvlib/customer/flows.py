"""What more satisfaction adds to fee, cost and referrals month by month: sliders that are exact."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.links import Pass, Worth, survival_at
from cvlib.words.what_if import Flow, Flows

Array = np.ndarray
POINTS = 10
STREAMS = ("spend", "service_cost", "referral")
_NODES = 64  # of Chebyshev's interpolation in the linear predictor
_MOST_MONTHS, _MOST_SEGMENTS, _KEPT = 120, 6, 1e-4


def months_shown(worth: Worth) -> int:
    """Months a reader may move the horizon to: twice its own, up to ten years."""
    return max(worth.horizon, min(2 * worth.horizon, _MOST_MONTHS))


def groups(base: CustomerBase) -> dict[str, Array]:
    """Masks (m,) of all respondents and of each segment, by name; "" are all."""
    found = {"": np.ones(int(base.answered.sum()), bool)}
    if base.segment is not None:
        own = base.segment.to_numpy()[base.answered]
        names = pd.Series(own).value_counts().index[:_MOST_SEGMENTS]
        found |= {str(name): own == name for name in sorted(names)}
    return found


def gained(found: Pass, inside: dict[str, Array], months: int) -> Array:
    """What 1 to 10 more points add to expected fee, cost and referrals in each month.

    A weighted sum over customers of a smooth function of their linear predictor is one over 64
    nodes of Chebyshev's: one set of weights serves all points and months.

    Parameters
    ----------
    found : Pass
        Of contracts, of the data or of a resample.
    inside : dict of str to ndarray (m,)
        Masks of groups.
    months : int
        So many.

    Returns
    -------
    ndarray (groups, 10, 3, months)
        Per customer of the group, weighted; zeros where it is empty.
    """
    eta, cheb = found.eta, np.polynomial.chebyshev
    low, high = float(eta.min()), float(eta.max())
    half = max((high - low) / 2, 1e-9)
    at = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
    nodes, basis = (low + high) / 2 + half * at, cheb.chebvander(at, _NODES - 1)
    own = cheb.chebvander((eta - (low + high) / 2) / half, _NODES - 1)
    slope = found.leaving.coefficients[1] / found.calibration.share
    stays = [survival_at(found, nodes + p * slope, months) for p in range(POINTS + 1)]
    out = np.zeros((len(inside), POINTS, len(STREAMS), months))
    for g, mask in enumerate(inside.values()):
        w = found.weights * mask
        if not w.sum() > 0:
            continue
        for k, name in enumerate(STREAMS):
            link = found.links.get(name)
            if link is None:
                continue
            share = np.linalg.solve(basis.T, own.T @ (w * link.level)) / w.sum()
            now = share @ stays[0]
            for p in range(1, POINTS + 1):
                grown = np.exp(p * link.slope / link.calibration.share)
                out[g, p - 1, k] = grown * (share @ stays[p]) - now
    return out


def flows_of(
    base: CustomerBase, full: Array, drawn: Array | None, worth: Worth, reach: float
) -> Flows:
    """What a page computes values from, with what carries their intervals.

    The variance over draws of any discounted sum of the streams is the sum of squares of the same
    sum of a few factors: the singular vectors of the draws, as far as they can be told from 0.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    full : ndarray (groups, 10, 3, months)
        Of the data.
    drawn : ndarray (draws, groups, 10, 3, months), optional
        Of the resamples.
    worth : Worth
        Where the sliders stand at first.
    reach : float
        Standard errors from an estimate to its limits.
    """
    own = groups(base)
    sizes = {"": len(base.ids)}
    if base.segment is not None:
        sizes |= {str(n): int(c) for n, c in base.segment.value_counts().items()}
    found = []
    for g, name in enumerate(own):
        factors = None if drawn is None else tuple(
            _factors(drawn[:, g, p]) for p in range(POINTS))  # fmt: skip
        found.append(Flow(name, sizes[name], full[g], factors))
    return Flows(tuple(found), worth.margin, worth.annual_discount_rate, worth.horizon,
                 worth.reward, reach)  # fmt: skip


def _factors(drawn: Array) -> Array:
    """(k, 3, months) whose outer products sum to the covariance over draws."""
    flat = drawn.reshape(len(drawn), -1)
    _, size, vectors = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    keep = size > _KEPT * max(float(size[0]), 1e-300)
    scaled = vectors[keep] * size[keep, None] / np.sqrt(max(len(drawn) - 1, 1))
    return np.asarray(scaled.reshape(-1, *drawn.shape[1:]))
