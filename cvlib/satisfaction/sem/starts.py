"""Where the optimiser of covariance models begins."""

from __future__ import annotations

import numpy as np

from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, MEAN, Floats, Layout
from cvlib.satisfaction.sem.likelihood import Moments


def starting_values(layout: Layout, moments: Moments, relatedness: float) -> Floats:
    """Start from blocks: loadings by their first principal axis, paths by regression.

    Parameters
    ----------
    layout : Layout
        The model.
    moments : Moments
        Of any number of problems.
    relatedness : float
        Multiplies the correlations between constructs, as composites show them, before the paths
        are regressed: 1 starts from the composites, 0 from unrelated constructs. Different values
        lead into different basins where there are several.

    Returns
    -------
    array (problems, k)
    """
    sample, q, v = moments.covariance, layout.latent, len(layout.names)
    shape = sample.shape[:2]
    places = np.zeros((*shape, len(layout.matrix)))
    composite = np.zeros((*shape, v, v - q))
    composite[..., np.arange(q, v), np.arange(v - q)] = 1.0
    own = np.ones((*shape, v))  # variance of each variable itself
    own[..., q:] = np.diagonal(sample, axis1=-2, axis2=-1)
    common = np.zeros((*shape, v - q))  # variance of an item that its constructs explain
    is_loading = np.array([operator == "=~" for operator in layout.operator])
    # A construct measured by constructs waits until those are placed.
    for latent in sorted(
        range(q), key=lambda j: (layout.row[is_loading & (layout.col == j)] < q).any()
    ):
        at = np.flatnonzero(is_loading & (layout.col == latent))
        if not len(at):
            own[..., latent] = own[..., q:].mean(axis=-1)
            continue
        fixed = np.flatnonzero((layout.parameter[0, at] < 0) & (layout.value[0, at] != 0))
        marker = int(fixed[0]) if len(fixed) else 0
        anchor = layout.value[0, at[marker]] if len(fixed) else 1.0
        block = composite[..., layout.row[at], :]
        within = block @ sample @ block.swapaxes(-1, -2)
        variance = np.diagonal(within, axis1=-2, axis2=-1)
        deviation = np.sqrt(variance)
        correlation = within / (deviation[..., :, None] * deviation[..., None, :])
        axis = np.linalg.eigh(correlation)[1][..., -1]  # the block's first principal axis
        axis = axis * np.where(axis[..., [marker]] < 0, -1.0, 1.0)
        axis[..., marker] = np.maximum(axis[..., marker], 0.2)
        loading = axis * deviation
        loading = loading / loading[..., [marker]]
        loading = loading * anchor
        outer = loading[..., :, None] * loading[..., None, :]
        pairs = ~np.eye(len(at), dtype=bool)
        base = variance[..., marker] / anchor**2
        # in one order of memory for any number of problems, so that sums are the same bits
        apart = np.ascontiguousarray((within / outer)[..., pairs])
        shared = apart.mean(-1) if len(at) > 1 else base
        own[..., latent] = np.clip(shared, 0.1 * base, (0.95 if len(at) > 1 else 1.0) * base)
        weight = loading / (loading**2).sum(-1, keepdims=True)
        composite[..., latent, :] = (weight[..., None, :] @ block)[..., 0, :]
        places[..., at] = loading
        seen = layout.row[at] >= q
        common[..., layout.row[at[seen]] - q] += loading[..., seen] ** 2 * own[..., [latent]]

    between = composite @ sample @ composite.swapaxes(-1, -2)
    spread = np.sqrt(np.diagonal(between, axis1=-2, axis2=-1))
    correlation = 0.95 * relatedness * between / (spread[..., :, None] * spread[..., None, :])
    correlation[..., np.arange(v), np.arange(v)] = 1.0
    scale = np.sqrt(own)
    between = correlation * scale[..., :, None] * scale[..., None, :]
    leftover = own.copy()
    residual = own[..., q:] - common
    measured = np.isin(np.arange(v), layout.row[is_loading])
    leftover[..., q:] = np.where(
        measured[q:], np.clip(residual, 0.1 * own[..., q:], own[..., q:]), own[..., q:]
    )
    is_path = (layout.matrix == ARROW) & ~is_loading
    for target in np.unique(layout.row[is_path]):
        at = np.flatnonzero(is_path & (layout.row == target))
        source = layout.col[at]
        right = between[..., source, target]
        slope = np.linalg.solve(between[..., source[:, None], source], right[..., None])[..., 0]
        places[..., at] = slope
        explained = (slope * right).sum(-1)
        leftover[..., target] = np.maximum(own[..., target] - explained, 0.1 * own[..., target])
    targets = set(layout.row[layout.matrix == ARROW].tolist())
    for place in np.flatnonzero(layout.matrix == COVARIANCE):
        a, b = int(layout.row[place]), int(layout.col[place])
        if a == b:
            places[..., place] = leftover[..., a]
        elif not {a, b} & targets:
            places[..., place] = between[..., a, b]
    is_mean = (layout.matrix == MEAN) & (layout.row >= q)
    places[..., is_mean] = moments.mean[..., layout.row[is_mean] - q]
    theta = np.zeros((shape[0], layout.parameters))
    for group in range(layout.groups):
        free = layout.parameter[group] >= 0
        theta[:, layout.parameter[group, free]] = places[:, group, free]
    return theta
