"""What is reported of a covariance solution, as functions of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.satisfaction import effects, measurement
from cvlib.satisfaction.model.higher_order import own_items, second_order_places
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.tables import statistics
from cvlib.satisfaction.sem import inference
from cvlib.satisfaction.sem.equations import CovarianceFit, delta_errors, normal_interval
from cvlib.satisfaction.sem.layout import Floats, Layout
from cvlib.satisfaction.sem.likelihood import (
    Moments,
    derivative,
    implied,
    observed_information,
    repeated,
)
from cvlib.satisfaction.solution import Solution

UNSTANDARDISED = {
    "path_coefficients": "path_raw",
    "total_effects": "total_raw",
    "total_indirect": "total_indirect_raw",
    "specific_indirect": "specific_indirect_raw",
}


@dataclass(frozen=True, eq=False)
class Quantities:
    """Paths, effects, loadings, weights, R², construct correlations and index of a model.

    Attributes
    ----------
    model : Model
    layout : Layout
        Of one group; constructs and items in the model's order.
    deviation : ndarray (p,), optional
        Of the items in the units of the index, where the moments are correlations.
    casewise : ndarray (n, k), optional
        Influence of every respondent on the parameters, where there is no likelihood.
    """

    model: Model
    layout: Layout
    deviation: Floats | None = None
    casewise: Floats | None = None

    @np.errstate(divide="ignore", invalid="ignore")
    def values(self, stack: Any, moments: Moments) -> dict[str, Any]:
        """Named arrays (problems, m) for parameters (problems, k) and as many moments (or one).

        Complex parameters are allowed, so that the delta method is exact. The weights of the
        index are those of the regression score of a construct from its own items,
        Sigma_bb^-1 lambda_b [P]: covariance SEM has no weights of its own; with items of other
        constructs the index of one would move with the answers about another. An item counts the
        more, the less error it has; Sigma_bb is inverted, so an item without error is no problem.
        Standardised values of a construct that was estimated to have no variance are NaN.
        """
        model, layout, k = self.model, self.layout, len(self.model.constructs)
        if len(moments.mean) < len(stack):
            moments = repeated(moments, len(stack))
        found = implied(layout, stack, moments)
        arrows, covariance = found.arrows[:, 0], found.covariance[:, 0]
        spread = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        latent, items = spread[:, :k], covariance[:, k:, k:]
        correlation = covariance[:, :k, :k] / (latent[:, :, None] * latent[:, None])
        ratio = latent[:, :, None] / latent[:, None]  # [source, target]
        direct = arrows[:, :k, :k].swapaxes(-1, -2)
        standard, own = direct * ratio, model.adjacency
        along = effects.measures(model)
        loading = arrows[:, k + np.arange(len(model.items)), model.block]
        disturbance = np.diagonal(found.residual[:, 0, :k, :k], axis1=-2, axis2=-1)
        above = np.array(second_order_places(model), dtype=int).reshape(-1, 2)
        second = arrows[:, above[:, 1], above[:, 0]]
        weights, composite = np.zeros_like(loading), np.zeros_like(latent)
        unit = 1.0 if self.deviation is None else self.deviation
        span = (model.maximum - model.minimum) / 100
        point = span / unit  # of the index, in the units of the moments
        shares = np.zeros((*loading.shape, k), dtype=loading.dtype)
        dimension_weights = np.zeros_like(second)
        for j, block in enumerate(np.flatnonzero(on) for on in own_items(model).T):
            on = loading[:, block].copy()
            for place in np.flatnonzero(above[:, 0] == j):
                on[:, model.block[block] == above[place, 1]] *= second[:, [place]]
            on = on[..., None]
            solved = np.linalg.solve(items[:, block[:, None], block], on)[..., 0]
            composite[:, j] = (on[..., 0] * solved).sum(axis=1)
            total = (solved * point[block]).sum(axis=1, keepdims=True)
            shares[:, block, j] = solved * point[block] / total
            if not len(model.constructs[j].dimensions):
                weights[:, block] = solved
        for number, (parent, dimension) in enumerate(above.tolist()):
            # a dimension's items weigh in the parent as in the dimension, but for one factor
            one = np.flatnonzero(model.block == dimension)[0]
            ratio = shares[:, one, parent] / point[one] / weights[:, one]
            ratio = ratio * np.sqrt(composite[:, dimension])
            dimension_weights[:, number] = ratio
        for parent in dict.fromkeys(above[:, 0].tolist()):
            mine = above[:, 0] == parent
            score = shares[:, :, parent] / point
            spread_of = np.sqrt(np.einsum("bi,bij,bj->b", score, items, score))
            dimension_weights[:, mine] /= spread_of[:, None]
        mean = found.mu[:, 0] if layout.has_means else moments.mean[:, 0]
        return {
            **{name: values(standard) for name, (_, values) in along.items()},
            **{UNSTANDARDISED[name]: values(direct) for name, (_, values) in along.items()},
            "loading": np.concatenate([
                loading * latent[:, model.block] / spread[:, k:],
                second * latent[:, above[:, 0]] / latent[:, above[:, 1]],
            ], axis=1),
            "r_squared": (1.0 - disturbance / latent**2)[:, own.any(axis=0)],
            "construct_correlations": correlation[:, *np.tril_indices(k, -1)],
            "weight": np.concatenate([
                weights * spread[:, k:] / np.sqrt(composite)[:, model.block], dimension_weights,
            ], axis=1),
            "index": (((mean - model.minimum) / span)[:, None] @ shares)[:, 0],
            "index_shares": shares.reshape(len(shares), -1),
        }  # fmt: skip

    def tables(self, fit: CovarianceFit, level: float) -> dict[str, pd.DataFrame]:
        """Tables of `SatisfactionResult`, with delta-method inference."""
        model, theta, n = self.model, fit.optimum.theta, fit.problem.n
        moments = fit.problem.saturated
        values = self.values(theta[None], moments)
        order = [name for name in values if name not in {"weight", "index", "index_shares"}]
        sizes = np.cumsum([values[name].shape[1] for name in order])[:-1]

        def stacked(stack: Any) -> Any:
            found = self.values(stack, moments)
            return np.concatenate([found[name] for name in order], axis=1)

        errors = delta_errors(derivative(stacked, theta), fit.covariance_of_estimates)
        error = dict(zip(order, np.split(errors, sizes), strict=True))
        error["index"] = self._index_errors(fit)
        names = np.array(model.construct_names)
        first, second = np.tril_indices(len(names), -1)
        keys = {name: key for name, (key, _) in statistics(model).items()}
        keys["loading"] = pd.concat([keys["loading"], pd.DataFrame(
            [(names[j], names[d]) for j, d in second_order_places(model)],
            columns=["construct", "item"])], ignore_index=True)  # fmt: skip
        keys["construct_correlations"] = pd.DataFrame(
            {"construct_1": names[first], "construct_2": names[second]}
        )

        def table(name: str, column: str = "estimate") -> pd.DataFrame:
            columns = normal_interval(values[name][0], error[name], level, "t")
            if name in {"index", "r_squared"}:  # zero is no hypothesis about these
                columns = {c: v for c, v in columns.items() if c not in {"t", "p"}}
            if name in UNSTANDARDISED:
                raw = values[UNSTANDARDISED[name]][0]
                interval = normal_interval(raw, error[UNSTANDARDISED[name]], level, "t")
                columns["unstandardised"] = raw
                columns |= {f"unstandardised_{c}": v for c, v in interval.items()}
            return keys[name].assign(**{column: values[name][0]}, **columns)

        loadings, r_squared = table("loading", "loading"), table("r_squared", "r_squared")
        loadings.insert(3, "weight", values["weight"][0])
        causes = model.adjacency.sum(axis=0)[model.adjacency.any(axis=0)]
        adjusted = 1 - (1 - r_squared["r_squared"]) * (n - 1) / (n - causes - 1)
        r_squared.insert(2, "r_squared_adjusted", adjusted)
        specific = [table("total_indirect"), table("specific_indirect")]
        return {
            "path_coefficients": table("path_coefficients"),
            "loadings": loadings,
            "index": table("index", "index"),
            "total_effects": table("total_effects"),
            "indirect_effects": pd.concat(specific, ignore_index=True),
            "r_squared": r_squared,
            "construct_correlations": table("construct_correlations", "correlation"),
            **self._measurement(fit, self.solution(fit)),
        }

    def _index_errors(self, fit: CovarianceFit) -> Floats:
        """Standard errors of the index from each respondent's influence on weights and means.

        The influence of a respondent on the parameters is A^-1 times the casewise score, A the
        observed information; on the means of the items it is the deviation from them.
        """
        problem, theta = fit.problem, fit.optimum.theta
        layout, moments = problem.layout, problem.saturated
        slopes = derivative(lambda stack: self.values(stack, moments)["index"], theta)
        if self.casewise is not None:
            influence = self.casewise @ slopes.T
        else:
            observed = fit.information
            if problem.complete:
                observed = observed_information(layout, theta, problem.moments)
            pieces = inference.casewise_scores(layout, theta, problem.moments, problem.rows)
            bread = np.linalg.pinv(observed, rcond=1e-10, hermitian=True)
            influence = np.vstack(pieces) @ bread @ slopes.T
        if not layout.has_means:
            shares = self.shares(theta, moments)
            per_point = shares * 100 / (self.model.maximum - self.model.minimum)[:, None]
            influence = influence + (problem.rows[0] - moments.mean[0, 0]) @ per_point
        return np.sqrt((influence**2).sum(axis=0)) / problem.n

    def shares(self, theta: Floats, moments: Moments) -> Floats:
        """Weight (p, k) of each item in the index of each construct, summing to one in each."""
        flat = self.values(theta[None], moments)["index_shares"][0]
        return np.asarray(flat.reshape(-1, len(self.model.constructs)))

    def solution(self, fit: CovarianceFit) -> Solution:
        """The standardised solution as arrays, with the moments of the sample."""
        model, moments = self.model, fit.problem.saturated
        values = self.values(fit.optimum.theta[None], moments)
        k = len(model.constructs)
        correlation, paths = np.eye(k), np.zeros((k, k))
        first, second = np.tril_indices(k, -1)
        correlation[first, second] = values["construct_correlations"][0]
        correlation[second, first] = correlation[first, second]
        paths[model.adjacency] = values["path_coefficients"][0]
        explained = np.zeros(k)
        explained[model.adjacency.any(axis=0)] = values["r_squared"][0]
        mean, covariance = moments.mean[:, 0], moments.covariance[:, 0]
        deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        return Solution(
            mean=mean,
            standard_deviation=deviation,
            item_correlation=covariance / (deviation[:, :, None] * deviation[:, None]),
            weights=values["weight"][:, : len(model.items)],
            loadings=values["loading"][:, : len(model.items)],
            construct_correlation=correlation[None],
            paths=paths[None],
            r_squared=explained[None],
        )

    def _measurement(self, fit: CovarianceFit, solution: Solution) -> dict[str, pd.DataFrame]:
        """Reliability of unstandardised items, HTMT of item correlations, Fornell-Larcker."""
        model, moments, k = self.model, fit.problem.saturated, len(self.model.constructs)
        member, names = model.membership, np.array(model.construct_names)
        found = implied(self.layout, fit.optimum.theta[None], moments)
        above = second_order_places(model)
        spread = np.sqrt(np.diagonal(found.covariance[:, 0, :k, :k], axis1=1, axis2=2))
        # as if every construct had variance one
        loading = found.arrows[:, 0, k + np.arange(len(model.items)), model.block]
        loading = loading * spread[:, model.block]
        error = np.diagonal(found.residual[:, 0, k:, k:], axis1=1, axis2=2)
        with np.errstate(invalid="ignore"):
            reliable = measurement.rho_c(loading, member, error)[0]
            ave = measurement.average_variance_extracted(loading, member, error)[0]
            alpha = measurement.cronbach_alpha(
                moments.covariance[:, 0], member, standardised=False
            )[0]
        for j in dict.fromkeys(parent for parent, _ in above):  # from the second order
            below = [d for parent, d in above if parent == j]
            among = solution.construct_correlation[:, np.array(below)[:, None], below]
            strength = solution.construct_correlation[:, j, below]
            whole = np.ones((len(below), 1), dtype=bool)
            reliable[j] = measurement.rho_c(strength, whole)[0, 0]
            ave[j] = measurement.average_variance_extracted(strength, whole)[0, 0]
            alpha[j] = measurement.cronbach_alpha(among, whole)[0, 0]
        single = member.sum(axis=0) == 1  # as reliable as the model says
        first, second = np.tril_indices(k, -1)
        parent = {d: j for j, d in above}
        # not a parent, and not two dimensions of one parent
        judged = np.array([
            not {a, b} & set(parent.values()) and (a not in parent or parent[a] != parent.get(b))
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ], dtype=bool)  # fmt: skip
        first, second = first[judged], second[judged]
        items = solution.item_correlation
        return {
            "reliability": pd.DataFrame({
                "construct": names, "alpha": np.where(single, reliable, alpha),
                "rho_c": reliable, "ave": ave,
            }),
            "htmt": pd.DataFrame({
                "construct_1": names[first], "construct_2": names[second],
                "htmt": measurement.htmt(items, member)[0][first, second],
                "htmt2": measurement.htmt2(items, member)[0][first, second],
            }),
            "fornell_larcker": measurement.fornell_larcker_table(
                model, solution.construct_correlation[0], ave
            ),
        }  # fmt: skip
