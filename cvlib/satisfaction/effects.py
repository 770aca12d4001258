"""Total and indirect effects along the routes of a path model, for many fits at once."""

from __future__ import annotations

import itertools

import numpy as np


def total_effects(paths: np.ndarray) -> np.ndarray:
    """Sums (B, k, k) of the products along every route: (I - P)^-1 - I of path matrices P."""
    total, power = paths.copy(), paths
    for _ in range(paths.shape[-1] - 1):
        power = power @ paths
        if not power.any():
            break
        total = total + power
    return total


def routes(adjacency: np.ndarray) -> list[tuple[int, ...]]:
    """Every route of two paths or more, as positions of its constructs."""
    found: list[tuple[int, ...]] = []
    grown: list[tuple[int, ...]] = [
        (int(a), int(b)) for a, b in zip(*np.nonzero(adjacency), strict=True)
    ]
    while grown:
        grown = [(*r, int(b)) for r in grown for b in np.flatnonzero(adjacency[r[-1]])]
        found += grown
    return sorted(found, key=lambda r: (r[0], r[-1], len(r), r))


def route_effects(paths: np.ndarray, along: list[tuple[int, ...]]) -> np.ndarray:
    """Specific indirect effects (B, m): the product of the path coefficients along each route."""
    effects = np.ones((len(paths), len(along)))
    for j, route in enumerate(along):
        for a, b in itertools.pairwise(route):
            effects[:, j] *= paths[:, a, b]
    return effects
