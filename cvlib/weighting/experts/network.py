"""Analytic network process: priorities where elements depend on each other in loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.words.message import message


@dataclass(frozen=True, eq=False, repr=False)
class NetworkPriorities(Result):
    """Priorities of a network of elements.

    Attributes
    ----------
    priorities : pandas.DataFrame
        element, cluster, limit (long-run priority, all add up to 1), within_cluster (divided by
        its cluster's sum; NaN where that is 0) and closed (whether it stands in a closed class).
    weighted : pandas.DataFrame, elements by elements
        The supermatrix with columns that add up to 1.
    limit_matrix : pandas.DataFrame, elements by elements
        Mean of all powers of the weighted supermatrix (Cesàro limit).
    settings : dict
        ``closed_classes``, ``period`` (of the single closed class, else NaN), ``start``.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("priorities",)
    told_by: ClassVar[str] = "cvlib.words.usual:heaviest"

    priorities: pd.DataFrame
    weighted: pd.DataFrame
    limit_matrix: pd.DataFrame
    settings: dict[str, object]
    warnings: tuple[str, ...]


def network_process(
    supermatrix: pd.DataFrame,
    clusters: Mapping[str, str] | None = None,
    cluster_weights: pd.DataFrame | None = None,
    *,
    start: str = "",
) -> NetworkPriorities:
    """Long-run priorities of elements that influence each other.

    Parameters
    ----------
    supermatrix : pandas.DataFrame, elements by elements
        Column j holds local priorities of what influences element j; non-negative. A column of
        zeros is a sink: it keeps what reaches it.
    clusters : mapping of element to cluster, optional
        Without it, all elements are one cluster.
    cluster_weights : pandas.DataFrame, clusters by clusters, optional
        By which the blocks of a column are multiplied before it is divided by its sum.
    start : str
        Element from which influence flows where several classes are closed (the goal of a
        hierarchy); empty: the only element that nothing depends on.

    Returns
    -------
    NetworkPriorities
        The Cesàro limit: unique where one class is closed, from `start` otherwise.

    Raises
    ------
    InputError
        A supermatrix that is not square or holds negative numbers, an element without a cluster,
        or several closed classes and no start.

    References
    ----------
    Saaty, T. L. (1996). Decision making with dependence and feedback: the analytic network
    process. RWS Publications [M]. Limits of Markov chains: Kemeny, J. G. & Snell, J. L. (1960).
    Finite Markov chains. Van Nostrand [M].

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> names = ["price", "quality", "brand"]
    >>> w = [[.3, .2, .4], [.1, .5, .5], [.6, .3, .1]]
    >>> found = cv.weighting.network_process(pd.DataFrame(w, index=names, columns=names))
    >>> found.priorities["limit"].round(4).tolist()
    [0.2941, 0.3824, 0.3235]
    """
    names = [str(name) for name in supermatrix.columns]
    groups = dict.fromkeys(names, "network") if clusters is None else dict(clusters)
    weighted, warnings = _weighted(supermatrix, names, groups, cluster_weights)
    closed, member = _closed_classes(weighted)
    limit = _limit(weighted, closed, member)
    if len(closed) == 1:
        vector = limit[:, int(np.flatnonzero(member == closed[0])[0])]
        start = ""
    else:
        sources = [n for n, row in zip(names, weighted, strict=True) if not row.any()]
        if not start and len(sources) != 1:
            raise InputError(
                "the network",
                message("refusals.falls_into_closed_classes_so", n=len(closed)),
                message("refusals.name_the_goal_as_start"),
            )
        start = one_of("start", start or sources[0], names)
        vector = limit[:, names.index(start)]
    inside = np.isin(member, closed)
    if (~inside).any() and len(closed) == 1:
        lost = [n for n, known in zip(names, inside, strict=True) if not known]
        warnings.append(message("weighting.network_transient", elements=lost))
    period = _period(weighted, member == closed[0]) if len(closed) == 1 else None
    if period and period > 1:
        warnings.append(message("weighting.network_periodic", period=period))
    table = pd.DataFrame({"element": names, "cluster": [groups[n] for n in names]})
    table["limit"] = vector
    total = table.groupby("cluster")["limit"].transform("sum")
    table["within_cluster"] = table["limit"] / total.where(total > 0)
    table["closed"] = inside
    settings: dict[str, object] = {"closed_classes": len(closed), "period": period, "start": start}
    square = {"index": names, "columns": names}
    return NetworkPriorities(
        table,
        pd.DataFrame(weighted, **square),
        pd.DataFrame(limit, **square),
        settings,
        tuple(warnings),
    )


def _weighted(
    supermatrix: pd.DataFrame,
    names: list[str],
    groups: Mapping[str, str],
    cluster_weights: pd.DataFrame | None,
) -> tuple[np.ndarray, list[str]]:
    """Columns that add up to 1, blocks weighted by cluster; sinks keep what reaches them."""
    values = supermatrix.to_numpy(float)
    if [str(name) for name in supermatrix.index] != names:
        raise InputError(
            "the supermatrix",
            message("refusals.has_other_rows_than_columns"),
            message("refusals.make_it_square"),
        )
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        i, j = map(int, np.argwhere(bad)[0])
        raise InputError(
            f"the supermatrix, row {names[i]!r}, column {names[j]!r}",
            message("refusals.is_not_a_number_from_2", values=values[i, j]),
            message("refusals.give_local_priorities_and_where"),
        )
    for name in names:
        if name not in groups:
            raise InputError(
                "the clusters",
                message("refusals.has_none", name=name),
                message("refusals.put_every_element_in_one"),
            )
    if cluster_weights is not None:
        own = [groups[name] for name in names]
        for cluster in dict.fromkeys(own):
            for side in (cluster_weights.index, cluster_weights.columns):
                one_of("cluster weights", cluster, list(side), wrong="has no row or column")
        values = values * cluster_weights.loc[own, own].to_numpy(float)
    total = values.sum(axis=0)
    warnings: list[str] = []
    sinks = [n for n, t in zip(names, total, strict=True) if t == 0]
    off = [
        n for n, t in zip(names, total, strict=True) if t > 0 and not np.isclose(t, 1, atol=1e-3)
    ]
    if off and cluster_weights is None:
        warnings.append(message("weighting.network_columns", elements=off))
    scaled = np.where(total > 0, values / np.where(total > 0, total, 1), np.eye(len(names)))
    if len(sinks) == len(names):
        raise InputError(
            "the supermatrix",
            message("refusals.holds_no_link"),
            message("refusals.give_local_priorities"),
        )
    return scaled, warnings


def _closed_classes(w: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Classes of elements that reach each other and nothing else, and everyone's class."""
    _, member = connected_components(csr_array(w.T > 0), directed=True, connection="strong")
    leaves = {int(member[j]) for i, j in np.argwhere(w > 0) if member[i] != member[j]}
    return [c for c in dict.fromkeys(map(int, member)) if c not in leaves], member


def _limit(w: np.ndarray, closed: list[int], member: np.ndarray) -> np.ndarray:
    """Cesàro limit: the stationary vector of each closed class, by the chance to end there."""
    n = len(w)
    limit = np.zeros((n, n))
    moving = np.flatnonzero(~np.isin(member, closed))
    for c in closed:
        own = np.flatnonzero(member == c)
        system = np.vstack([w[np.ix_(own, own)] - np.eye(len(own)), np.ones(len(own))])
        stationary = np.linalg.lstsq(system, np.append(np.zeros(len(own)), 1.0), rcond=None)[0]
        ends = np.zeros(n)
        ends[own] = 1.0
        if len(moving):
            within = np.eye(len(moving)) - w[np.ix_(moving, moving)].T
            ends[moving] = np.linalg.solve(within, w[np.ix_(own, moving)].sum(axis=0))
        limit[own] = np.outer(stationary, ends)
    return limit


def _period(w: np.ndarray, own: np.ndarray) -> int:
    """Greatest common divisor of the lengths of all loops of a class."""
    at = np.flatnonzero(own)
    link = w[np.ix_(at, at)] > 0
    level = np.full(len(at), -1)
    level[0], queue, found = 0, [0], 0
    while queue:
        j = queue.pop(0)
        for i in np.flatnonzero(link[:, j]):
            if level[i] < 0:
                level[i] = level[j] + 1
                queue.append(int(i))
            else:
                found = int(np.gcd(found, int(level[j] + 1 - level[i])))
    return abs(found) or 1
