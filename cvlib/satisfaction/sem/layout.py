"""What a covariance model says, as places in RAM matrices.

A model is the reticular action form of McArdle & McDonald (1984): all variables (latent, then
observed) in one vector v = A v + u, Cov(u) = S, E(u) = m, so that the observed ones have
covariance E S E' and mean E m with E the observed rows of (I - A)^-1. Loadings, regressions,
(co)variances and intercepts are entries of A, S and m; a parameter may sit in several places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ARROW, COVARIANCE, MEAN = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Places:
    """Where the free places of a layout look up products of columns, flat within a matrix.

    A derivative by the value at a place joins column `u` to column `w` of the v effects and the v
    covariances that stand side by side; `square` looks up all pairs of places, `strip` the pairs
    whose first place is an arrow.
    """

    free: npt.NDArray[np.bool_]
    parameter: Integers
    u: Integers
    w: Integers
    c: Floats
    cc: Floats
    arrows: Integers
    uw: Integers  # of each place with itself
    own_uu: Integers
    own_ww: Integers
    pairs: dict[str, Integers]
    strips: dict[str, Integers]

    def square(self, flat: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        """All pairs of places."""
        return flat.take(self.pairs[name], -1)

    def strip(self, flat: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        """Pairs of an arrow and a place."""
        return flat.take(self.strips[name], -1)


def _places(layout: Layout) -> Places:
    free = np.asarray((layout.parameter >= 0).any(axis=0))
    matrix, u, col = layout.matrix[free], layout.row[free], layout.col[free]
    v, is_arrow = len(layout.names), matrix == ARROW
    wide, w = 2 * v, np.where(is_arrow, v + col, col)
    c = np.where((matrix == COVARIANCE) & (u == col), 0.5, np.where(matrix == MEAN, 0.0, 1.0))
    arrows = np.flatnonzero(is_arrow)
    first, second = u[arrows, None], col[arrows, None]
    return Places(
        free=free,
        parameter=layout.parameter[:, free],
        u=u,
        w=w,
        c=c,
        cc=c[:, None] * c,
        arrows=arrows,
        uw=u * wide + w,
        own_uu=u * wide + u,
        own_ww=w * wide + w,
        pairs={
            "uu": u[:, None] * wide + u,
            "uw": u[:, None] * wide + w,
            "ww": w[:, None] * wide + w,
        },
        strips={
            "uu": first * wide + u,
            "uw": first * wide + w,
            "reach": second * wide + u,
            "weigh": second * wide + w,
        },
    )


@dataclass(frozen=True)
class Layout:
    """Places of the parameters of a model in one or more groups.

    Attributes
    ----------
    names : tuple of str
        Latent variables, then observed ones.
    latent : int
        How many of `names` are latent.
    matrix, row, col : integer arrays (places,)
        Which matrix (0 arrows A, 1 covariances S, 2 means m) and which entry.
    operator : tuple of str
        ``=~``, ``~``, ``~~`` or ``~1`` for each place.
    parameter : integer array (groups, places)
        Which parameter stands there, -1 where the value is fixed.
    value : array (groups, places)
        The fixed values.
    relative : array (places,)
        Fixed values given as a share of the sample variance of the observed variable.
    from_sample : boolean array (places,)
        (Co)variances of observed exogenous variables, which no model explains.
    unit : bool
        Observed variables have variance one: an item's error variance is what the rest leaves
        (latent responses of ordered answers in the delta parametrisation).
    """

    names: tuple[str, ...]
    latent: int
    matrix: Integers
    row: Integers
    col: Integers
    operator: tuple[str, ...]
    parameter: Integers
    value: Floats
    relative: Floats
    from_sample: npt.NDArray[np.bool_]
    unit: bool = False

    @property
    def observed(self) -> tuple[str, ...]:
        """Names of the observed variables, in the order of the moment matrices."""
        return self.names[self.latent :]

    @property
    def parameters(self) -> int:
        """Number of distinct free parameters."""
        return int(self.parameter.max(initial=-1)) + 1

    @property
    def groups(self) -> int:
        """Number of groups the places are repeated for."""
        return len(self.parameter)

    @property
    def lower(self) -> Floats:
        """Lower bound of each parameter: 0 for variances, none for the others."""
        bound = np.full(self.parameters, -np.inf)
        variance = (self.matrix == COVARIANCE) & (self.row == self.col)
        bound[self.parameter[:, variance][self.parameter[:, variance] >= 0]] = 0.0
        return bound

    @cached_property
    def has_means(self) -> bool:
        """Whether the model says something about means."""
        return bool((self.matrix == MEAN).any())

    @cached_property
    def places(self) -> Places:
        """Look-ups of the free places."""
        return _places(self)


def with_means(layout: Layout) -> Layout:
    """Add a free intercept for every observed variable and fixed zero means of latent ones."""
    v, k = len(layout.names), layout.parameters
    free = np.where(np.arange(v) >= layout.latent, k + np.arange(v) - layout.latent, -1)
    return replace(
        layout,
        matrix=np.concatenate([layout.matrix, np.full(v, MEAN)]),
        row=np.concatenate([layout.row, np.arange(v)]),
        col=np.concatenate([layout.col, np.arange(v)]),
        operator=(*layout.operator, *["~1"] * v),
        parameter=np.hstack([layout.parameter, free[None]]),
        value=np.hstack([layout.value, np.zeros((1, v))]),
        relative=np.concatenate([layout.relative, np.zeros(v)]),
        from_sample=np.concatenate([layout.from_sample, np.zeros(v, dtype=bool)]),
    )


def only_covariances(observed: tuple[str, ...], row: Integers, col: Integers) -> Layout:
    """No arrows and no means: only the given (co)variances, all free, all else zero."""
    count = len(row)
    return Layout(
        names=observed,
        latent=0,
        matrix=np.full(count, COVARIANCE),
        row=row.astype(np.int64),
        col=col.astype(np.int64),
        operator=("~~",) * count,
        parameter=np.arange(count)[None],
        value=np.zeros((1, count)),
        relative=np.zeros(count),
        from_sample=np.zeros(count, dtype=bool),
    )


def independence(layout: Layout) -> Layout:
    """The baseline model: unrelated variables, but for observed exogenous ones among themselves."""
    p = len(layout.observed)
    fixed = layout.from_sample & (layout.row != layout.col)
    row = np.concatenate([np.arange(p), layout.row[fixed] - layout.latent])
    col = np.concatenate([np.arange(p), layout.col[fixed] - layout.latent])
    base = only_covariances(layout.observed, row, col)
    return with_means(base) if layout.has_means else base


def over_groups(layout: Layout, groups: int, equal: tuple[str, ...] = ()) -> Layout:
    """Repeat a model (with means) over groups, some kinds of parameters equal across them.

    Parameters
    ----------
    layout : Layout
        Of one group, with means.
    groups : int
        How many.
    equal : tuple of str
        Any of "loadings", "intercepts", "residuals", "regressions". Equal intercepts free the
        latent means (intercepts) of every group but the first.
    """
    is_item = layout.row >= layout.latent
    is_loading = np.array([operator == "=~" for operator in layout.operator])
    is_variance = (layout.matrix == COVARIANCE) & (layout.row == layout.col)
    kinds = {
        "loadings": is_loading,
        "intercepts": (layout.matrix == MEAN) & is_item,
        "residuals": is_variance & is_item & ~layout.from_sample,
        "regressions": (layout.matrix == ARROW) & ~is_loading,
    }
    shared = np.any([kinds[name] for name in equal], axis=0) if equal else np.zeros_like(is_item)
    parameter = np.repeat(layout.parameter, groups, axis=0)
    shift = layout.parameters
    for group in range(1, groups):
        moved = ~shared & (parameter[0] >= 0)
        _, inverse = np.unique(parameter[0, moved], return_inverse=True)
        parameter[group, moved] = shift + inverse
        shift = int(parameter.max()) + 1
        if "intercepts" in equal:
            latent_mean = (layout.matrix == MEAN) & ~is_item
            parameter[group, latent_mean] = shift + np.arange(latent_mean.sum())
            shift = int(parameter.max()) + 1
    return replace(layout, parameter=parameter, value=np.repeat(layout.value, groups, axis=0))
