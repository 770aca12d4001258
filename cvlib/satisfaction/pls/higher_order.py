"""Constructs made of constructs: two stages of PLS, or repeated items, from moments."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, partial

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.index import index_values
from cvlib.satisfaction.model.higher_order import (
    disjoint_first,
    of_scores,
    repeated_items,
    second_order,
)
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import TOLERANCE, PLSFit, fit_pls
from cvlib.satisfaction.pls.regressions import solve
from cvlib.satisfaction.pls.signs import aligned
from cvlib.words.message import message


@dataclass(frozen=True)
class StagedFit(PLSFit):
    """B fits of a model with parents, in the arrays of `second_order` of the model.

    Attributes
    ----------
    first : PLSFit
        Of all constructs with items, in the arrays of `disjoint_first` of the model.
    lift : ndarray (B, p, q)
        From the p items to the q columns of the second order: a dimension's index on 0 to 100, or
        the item itself.
    offset : ndarray (B, q)
        What is added after `lift`.
    """

    first: PLSFit | None = None
    lift: np.ndarray | None = None
    offset: np.ndarray | None = None


@dataclass(frozen=True)
class Staged:
    """Fits a model with parents to moments; both stages anew for every set of moments.

    Parameters
    ----------
    model : Model
        With parents, all of the same `stages`.
    scheme, estimator, tolerance, max_iterations
        As in `fit_pls`.

    Notes
    -----
    Disjoint two-stage: the dimensions' scores of a model without the parent measure it, all other
    constructs keep their items; embedded: the scores come from the model with repeated items, and
    every other construct is its score; repeated: that one model, the parent's weights and loadings
    being the regression on, and the correlations with, its dimensions. Consistent PLS corrects a
    parent of mode A as any construct, one of mode B by w'Tw, T the correlations of the dimensions'
    scores with their reliabilities on the diagonal. Checked against R seminr and cSEM.

    References
    ----------
    Agarwal & Karahanna (2000), MIS Quarterly 24:665-694; Ringle, Sarstedt & Straub (2012), MIS
    Quarterly 36:iii-xiv; Sarstedt, Hair, Cheah, Becker & Ringle (2019), AMJ 27:197-211; Van Riel,
    Henseler, Kemény & Sasovova (2017), IMDS 117:459-477 (consistent PLS) [M].
    """

    model: Model
    scheme: str = "path"
    estimator: str = "pls"
    tolerance: float = TOLERANCE
    max_iterations: int = 300

    def __post_init__(self) -> None:
        kinds = {parent.stages for parent in self.model.parents}
        if len(kinds) > 1:
            raise InputError(
                f"model {self.model.name}",
                message(
                    "refusals.estimates_its_higher_order_constructs", names=", ".join(sorted(kinds))
                ),
                message("refusals.give_all_of_them_the"),
            )
        if kinds == {"repeated"} and self.estimator == "plsc":
            raise InputError(
                f"model {self.model.name}",
                message("refusals.has_a_higher_order_construct_2"),
                message("refusals.use_stages_disjoint_or_embedded"),
            )

    @cached_property
    def stages(self) -> str:
        """How the parents are estimated."""
        return self.model.parents[0].stages

    @cached_property
    def measured(self) -> Model:
        """All constructs with items, and no parent."""
        return disjoint_first(self.model)

    @cached_property
    def reported(self) -> Model:
        """Dimensions in the place of items."""
        return second_order(self.model)

    @cached_property
    def _repeated(self) -> tuple[Model, np.ndarray, np.ndarray]:
        """The model with repeated items, and its items and constructs among those of `measured`."""
        full = repeated_items(self.model)
        own = np.array([self.measured.items.index(name.removeprefix(f"{full.construct_names[j]}."))
                        for name, j in zip(full.items, full.block, strict=True)])  # fmt: skip
        kept = np.array([full.construct_names.index(c) for c in self.measured.construct_names])
        return full, own, kept

    @cached_property
    def _below(self) -> tuple[tuple[int, np.ndarray, np.ndarray], ...]:
        """Of every parent: its place and columns in `reported`, its dimensions in `measured`."""
        names = self.reported.construct_names
        found = []
        for parent in self.model.parents:
            j = names.index(parent.name)
            dimensions = [self.measured.construct_names.index(d) for d in parent.dimensions]
            found.append((j, np.flatnonzero(self.reported.block == j), np.array(dimensions)))
        return tuple(found)

    @cached_property
    def _others(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Places of what is no parent: columns and constructs of `reported`, and in `measured`."""
        parents = {parent.name for parent in self.model.parents}
        constructs = np.array([j for j, name in enumerate(self.reported.construct_names)
                               if name not in parents], dtype=int)  # fmt: skip
        columns = np.flatnonzero(np.isin(self.reported.block, constructs))
        items = np.array([self.measured.items.index(self.reported.items[i]) for i in columns],
                         dtype=int)  # fmt: skip
        places = np.array([self.measured.construct_names.index(self.reported.construct_names[j])
                           for j in constructs], dtype=int)  # fmt: skip
        return columns, constructs, items, places

    def __call__(self, mean: np.ndarray, covariance: np.ndarray) -> StagedFit:
        """Fits to means (B, p) and covariances (B, p, p) of the items."""
        return self.towards(None, mean, covariance)

    def towards(
        self, reference: StagedFit | None, mean: np.ndarray, covariance: np.ndarray
    ) -> StagedFit:
        """The same, dimensions and constructs turned the way of a reference (B = 1)."""
        fit = partial(fit_pls, scheme=self.scheme, estimator=self.estimator,
                      tolerance=self.tolerance, max_iterations=self.max_iterations)  # fmt: skip
        whole = None
        if self.stages == "disjoint":
            first = fit(self.measured, mean, covariance)
        else:
            full, own, kept = self._repeated
            whole = fit(full, mean[:, own], covariance[:, own[:, None], own])
            first = _part(self.measured, whole, full, kept)
        if reference is not None and reference.first is not None:
            first = aligned(self.measured, first, reference.first.loadings[0])
        lift, offset = self._lift(first)
        lower = np.einsum("bp,bpq->bq", mean, lift) + offset
        spread = lift.swapaxes(1, 2) @ covariance @ lift
        if self.stages == "disjoint":
            reliability = self._reliability(first)
            found = _staged(fit(self.reported, lower, spread, reliability=reliability))
        elif self.stages == "embedded":
            found = self._embedded(fit, first, lower, spread)
        else:
            assert whole is not None
            found = self._of_repeated(whole, first, lower, spread)
        degenerate = found.degenerate | first.degenerate
        values = {f.name: getattr(found, f.name) for f in fields(found)} | {
            "first": first, "lift": lift, "offset": offset, "degenerate": degenerate,
            "iterations": np.maximum(found.iterations, first.iterations),
            "converged": found.converged & first.converged & ~degenerate,
            "admissible": found.admissible & first.admissible & ~degenerate,
        }  # fmt: skip
        result = StagedFit(**values)
        if reference is None:
            return result
        turned = aligned(self.reported, result, reference.loadings[0])
        assert isinstance(turned, StagedFit)
        return turned

    def _lift(self, first: PLSFit) -> tuple[np.ndarray, np.ndarray]:
        """From items to the columns of `reported`, and what is added."""
        model, reported = self.measured, self.reported
        slope = 100 * index_values(model, first).shares / (model.maximum - model.minimum)
        lift = np.zeros((len(slope), len(model.items), len(reported.items)))
        columns, _, items, _ = self._others
        lift[:, items, columns] = 1.0
        for _, own, dimensions in self._below:
            for column, dimension in zip(own, dimensions, strict=True):
                part = model.slices[dimension]
                lift[:, part, column] = slope[:, part]
        offset = -np.einsum("p,bpq->bq", model.minimum, lift)
        offset[:, columns] = 0.0
        return lift, offset

    def _reliability(self, first: PLSFit) -> np.ndarray:
        """Reliability (B, q) of the columns of `reported`; 1 for an item."""
        found = np.ones((len(first.rho_a), len(self.reported.items)))
        for _, own, dimensions in self._below:
            found[:, own] = first.rho_a[:, dimensions]
        return found

    def _embedded(
        self, fit: partial[PLSFit], first: PLSFit, lower: np.ndarray, spread: np.ndarray
    ) -> StagedFit:
        """Second stage of scores, told in the columns of `reported`."""
        scored, reported = of_scores(self.model), self.reported
        columns, constructs, items, places = self._others
        change = np.zeros((len(lower), len(reported.items), len(scored.items)))
        reliability = np.ones((len(lower), len(scored.items)))
        standard = first.weights / first.standard_deviation
        single = scored.starts[constructs]
        change[:, columns, single[np.searchsorted(constructs, reported.block[columns])]] = standard[
            :, items
        ]
        reliability[:, single] = first.rho_a[:, places]
        for j, own, dimensions in self._below:
            new = np.flatnonzero(scored.block == j)
            change[:, own, new] = 1.0
            reliability[:, new] = first.rho_a[:, dimensions]
        found = fit(scored, np.einsum("bq,bqr->br", lower, change),
                    change.swapaxes(1, 2) @ spread @ change, reliability=reliability)  # fmt: skip
        arrays = {name: np.empty_like(lower) for name in ("weights", "loadings")}
        for name, array in arrays.items():
            array[:, columns] = getattr(first, name)[:, items]
            for j, own, _ in self._below:
                array[:, own] = getattr(found, name)[:, scored.block == j]
        return _staged(found, mean=lower, **_moments(spread), **arrays)

    def _of_repeated(
        self, whole: PLSFit, first: PLSFit, lower: np.ndarray, spread: np.ndarray
    ) -> StagedFit:
        """What one fit with repeated items says in the columns of `reported`."""
        full, _, kept = self._repeated
        columns, _, items, _ = self._others
        at = np.array([full.construct_names.index(c) for c in self.reported.construct_names])
        arrays = {name: np.empty_like(lower) for name in ("weights", "loadings")}
        for name, array in arrays.items():
            array[:, columns] = getattr(first, name)[:, items]
        for j, own, dimensions in self._below:
            among = first.composite_correlation[:, dimensions[:, None], dimensions]
            with_parent = whole.composite_correlation[:, at[j], kept[dimensions]]
            right = np.moveaxis(with_parent, 0, -1)[:, None]
            weight = solve(np.moveaxis(among, 0, -1), right)[0][:, 0].T
            length = np.sqrt(np.einsum("bi,bij,bj->b", weight, among, weight))
            arrays["weights"][:, own] = weight / length[:, None]
            arrays["loadings"][:, own] = with_parent
        pairs = at[:, None], at
        return _staged(
            whole, mean=lower, **_moments(spread), **arrays, rho_a=whole.rho_a[:, at],
            composite_correlation=whole.composite_correlation[:, *pairs],
            construct_correlation=whole.construct_correlation[:, *pairs],
            paths=np.where(self.reported.adjacency, whole.paths[:, *pairs], 0.0),
            r_squared=np.where(self.reported.adjacency.any(axis=0), whole.r_squared[:, at], 0.0),
        )  # fmt: skip


def fit_model(
    model: Model,
    mean: np.ndarray,
    covariance: np.ndarray,
    *,
    scheme: str = "path",
    estimator: str = "pls",
) -> PLSFit:
    """`fit_pls` of any model; that of a model with parents is read by `second_order` of it."""
    if model.parents:
        return Staged(model, scheme, estimator)(mean, covariance)
    return fit_pls(model, mean, covariance, scheme=scheme, estimator=estimator)


def points_per_answer(model: Model, fit: PLSFit) -> tuple[list[str], np.ndarray]:
    """Constructs of all orders, and index points (B, constructs, p) that one step of an item adds.

    Parameters
    ----------
    model : Model
        With parents or without.
    fit : PLSFit
        From `fit_model`.
    """

    def slopes(shown: Model, of: PLSFit) -> np.ndarray:
        each = 100 * index_values(shown, of).shares / (shown.maximum - shown.minimum)
        return np.asarray(each[:, None] * shown.membership.T)

    if not isinstance(fit, StagedFit):
        return list(model.construct_names), slopes(model, fit)
    assert fit.first is not None and fit.lift is not None
    shown, measured = second_order(model), disjoint_first(model)
    below = [name for parent in model.parents for name in parent.dimensions]
    kept = [measured.construct_names.index(name) for name in below]
    upper = slopes(shown, fit) @ fit.lift.swapaxes(1, 2)
    return [*shown.construct_names, *below], np.concatenate(
        [upper, slopes(measured, fit.first)[:, kept]], axis=1
    )


def first_order_correlation(
    model: Model, fit: StagedFit, between: np.ndarray, factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the second order says of the first: correlations (B, k, k) and items' loadings (B, p).

    Parameters
    ----------
    model : Model
        With parents.
    fit : StagedFit
        Of the model.
    between : ndarray (B, l, l)
        Correlations of the constructs of `second_order`, estimated or implied.
    factor : ndarray of bool (l,)
        Which of these are common factors; the dimensions of a composite correlate as they like.

    Returns
    -------
    correlation : ndarray (B, k, k)
        Of the constructs with items, in the order of `disjoint_first`.
    loadings : ndarray (B, p)
        Of all items on them.
    """
    first = fit.first
    assert first is not None
    staged = Staged(model)
    columns, constructs, items, places = staged._others
    loadings = first.loadings.copy()
    loadings[:, items] = fit.loadings[:, columns]
    above = np.empty(first.rho_a.shape[1], dtype=int)
    along = np.ones_like(first.rho_a)
    above[places] = constructs
    for j, own, dimensions in staged._below:
        above[dimensions] = j
        root = np.sqrt(np.where(first.rho_a > 0, first.rho_a, np.nan))
        along[:, dimensions] = fit.loadings[:, own] / root[:, dimensions]
    implied = between[:, above[:, None], above] * along[:, :, None] * along[:, None]
    kept = (above[:, None] == above) & ~factor[above]
    implied = np.where(kept, first.construct_correlation, implied)
    index = np.arange(len(above))
    implied[:, index, index] = 1.0
    return implied, loadings


def _staged(fit: PLSFit, **changed: np.ndarray) -> StagedFit:
    return StagedFit(**{f.name: getattr(fit, f.name) for f in fields(PLSFit)} | changed)


def _moments(covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviations and correlations of covariances (B, q, q)."""
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    scale = deviation[:, :, None] * deviation[:, None]
    correlation = np.divide(covariance, scale, out=np.full_like(covariance, np.nan),
                            where=scale > 0)  # fmt: skip
    return {"standard_deviation": deviation, "item_correlation": correlation}


def _part(model: Model, whole: PLSFit, full: Model, kept: np.ndarray) -> PLSFit:
    """The constructs of `model` out of a fit with repeated items."""
    items = np.flatnonzero(np.isin(full.block, kept))
    pairs = kept[:, None], kept
    return PLSFit(
        mean=whole.mean[:, items], standard_deviation=whole.standard_deviation[:, items],
        item_correlation=whole.item_correlation[:, items[:, None], items],
        weights=whole.weights[:, items], loadings=whole.loadings[:, items],
        composite_correlation=whole.composite_correlation[:, *pairs],
        construct_correlation=whole.construct_correlation[:, *pairs],
        rho_a=whole.rho_a[:, kept],
        paths=np.where(model.adjacency, whole.paths[:, *pairs], 0.0),
        r_squared=whole.r_squared[:, kept], converged=whole.converged,
        iterations=whole.iterations, degenerate=whole.degenerate, admissible=whole.admissible,
    )  # fmt: skip
