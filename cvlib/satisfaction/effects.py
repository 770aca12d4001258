"""Total and indirect effects along the routes of a path model, for many fits at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd

from cvlib.satisfaction.model.model import Model


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
    effects = np.ones((len(paths), len(along)), dtype=paths.dtype)
    for j, route in enumerate(along):
        for a, b in itertools.pairwise(route):
            effects[:, j] *= paths[:, a, b]
    return effects


def measures(model: Model) -> dict[str, tuple[pd.DataFrame, Callable[[np.ndarray], np.ndarray]]]:
    """Direct, total and indirect effects: a table of their keys, and path matrices to values.

    The functions take paths (B, k, k), also complex ones, to (B, m).
    """
    names, own = np.array(model.construct_names), model.adjacency
    along = routes(own)
    detour = np.zeros_like(own)
    for route in along:
        detour[route[0], route[-1]] = True
    reach = own | detour

    def keys(chosen: np.ndarray) -> pd.DataFrame:
        a, b = np.nonzero(chosen)
        return pd.DataFrame({"source": names[a], "target": names[b]})

    specific = pd.DataFrame({
        "source": [names[r[0]] for r in along],
        "target": [names[r[-1]] for r in along],
        "via": [" > ".join(names[list(r[1:-1])]) for r in along],
    })  # fmt: skip
    return {
        "path_coefficients": (
            keys(own).merge(model.paths, how="left"),
            lambda paths: paths[:, own],
        ),
        "total_effects": (keys(reach), lambda paths: total_effects(paths)[:, reach]),
        "total_indirect": (
            keys(detour).assign(via="(all routes)"),
            lambda paths: (total_effects(paths) - paths)[:, detour],
        ),
        "specific_indirect": (specific, lambda paths: route_effects(paths, along)),
    }
