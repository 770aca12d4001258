"""Measurement quality: reliability, discriminant validity, collinearity, effect size.

Every formula takes arrays with the draws first, so that one call serves an estimate and all its
bootstrap draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.solution import Solution
from cvlib.words.message import message

Measure = tuple[pd.DataFrame, Callable[[Any], np.ndarray]]


def cronbach_alpha(
    item_moments: np.ndarray, membership: np.ndarray, *, standardised: bool = True
) -> np.ndarray:
    """Cronbach's alpha of each construct, (B, k); 1 for a single item.

    Parameters
    ----------
    item_moments : ndarray (B, p, p)
        Correlations of all items, or their covariances.
    membership : ndarray of bool (p, k)
        True where the item belongs to the construct.
    standardised : bool
        Whether correlations are given (as R seminr reports it).

    References
    ----------
    Cronbach (1951), Psychometrika 16:297-334.
    """
    size = membership.sum(axis=0)
    total = _diagonal(_block_sums(item_moments, membership))
    own = size if standardised else sums_within(_diagonal(item_moments), membership)
    return np.where(size == 1, 1.0, size / np.maximum(size - 1, 1) * (1 - own / total))


def rho_a(item_correlation: np.ndarray, weights: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """Reliability of the weighted score of each construct, (B, k); 1 for a single item.

    ``(w'w)² w'(S - diag S)w / w'(ww' - diag ww')w`` with weights of unit-variance scores.

    Parameters
    ----------
    item_correlation : ndarray (B, p, p)
        Of all items.
    weights : ndarray (B, p)
        Standardised outer weights.
    membership : ndarray of bool (p, k)
        True where the item belongs to the construct.

    References
    ----------
    Dijkstra & Henseler (2015), MIS Quarterly 39:297-316, eq. 3.
    """
    spread = _diagonal(
        _block_sums(item_correlation * weights[:, :, None] * weights[:, None], membership)
    )
    square, fourth = (sums_within(weights**power, membership) for power in (2, 4))
    single = membership.sum(axis=0) == 1
    below = np.where(single, 1.0, square**2 - fourth)
    return np.where(single, 1.0, square**2 * (spread - square) / below)


def average_variance_extracted(
    loadings: np.ndarray, membership: np.ndarray, error: np.ndarray | None = None
) -> np.ndarray:
    """AVE of each construct, (B, k): the mean squared loading of standardised items.

    Parameters
    ----------
    loadings : ndarray (B, p)
        On constructs of variance one.
    membership : ndarray of bool (p, k)
        True where the item belongs to the construct.
    error : ndarray (B, p), optional
        Error variances of the items, where they are not standardised.

    References
    ----------
    Fornell & Larcker (1981), JMR 18:39-50.
    """
    explained = sums_within(loadings**2, membership)
    if error is None:
        return explained / membership.sum(axis=0)
    return explained / (explained + sums_within(error, membership))


def rho_c(
    loadings: np.ndarray, membership: np.ndarray, error: np.ndarray | None = None
) -> np.ndarray:
    """Composite reliability (Jöreskog's rho, Dillon-Goldstein) of each construct, (B, k).

    Parameters
    ----------
    loadings, membership, error
        As in `average_variance_extracted`.

    References
    ----------
    Jöreskog (1971), Psychometrika 36:109-133.
    """
    common = sums_within(loadings, membership) ** 2
    left = 1 - loadings**2 if error is None else error
    return common / (common + sums_within(left, membership))


def htmt(item_correlation: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """Heterotrait-monotrait ratio of absolute correlations, (B, k, k), NaN on the diagonal.

    The mean correlation between the items of two constructs over the geometric mean of their mean
    correlations within; a single item counts as perfectly reliable. Absolute correlations are
    taken (HTMT+ of Ringle et al. 2023), as R seminr and cSEM do.

    Parameters
    ----------
    item_correlation : ndarray (B, p, p)
        Of all items.
    membership : ndarray of bool (p, k)
        True where the item belongs to the construct.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015), JAMS 43:115-135.
    """
    between, within = _trait_means(np.abs(item_correlation), membership)
    return _ratio(between, np.where(membership.sum(axis=0) == 1, 1.0, within))


def htmt2(item_correlation: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """HTMT with geometric means, consistent for items of unequal loadings, (B, k, k).

    Absolute correlations as in `htmt`; `htmt_table` names the constructs whose own items
    correlate negatively, for which neither ratio means what its paper says.

    References
    ----------
    Roemer, Schuberth & Henseler (2021), IMDS 121:2637-2650.
    """
    logs = np.log(np.maximum(np.abs(item_correlation), 1e-300))
    between, within = _trait_means(logs, membership)
    single = membership.sum(axis=0) == 1
    return _ratio(np.exp(between), np.where(single, 1.0, np.exp(within)))


def cross_loadings(
    item_correlation: np.ndarray, weights: np.ndarray, membership: np.ndarray
) -> np.ndarray:
    """Correlation of every item with every construct score, (B, p, k)."""
    return item_correlation @ (weights[:, :, None] * membership)


def vif_antecedents(construct_correlation: np.ndarray, adjacency: np.ndarray) -> np.ndarray:
    """Variance inflation of each cause in its equation, (B, k, k) [source, target].

    NaN where there is no path; 1 where a construct has a single cause.
    """
    found = np.full_like(construct_correlation, np.nan)
    for target in np.flatnonzero(adjacency.any(axis=0)):
        causes = np.flatnonzero(adjacency[:, target])
        found[:, causes, target] = _inflation(construct_correlation[:, causes[:, None], causes])
    return found


def vif_items(item_correlation: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """Variance inflation of each item within its construct, (B, p); 1 for a single item."""
    found = np.ones(item_correlation.shape[:2])
    for column in membership.T[membership.any(axis=0)]:
        own = np.flatnonzero(column)
        found[:, own] = _inflation(item_correlation[:, own[:, None], own])
    return found


def effect_size(paths: np.ndarray, r_squared: np.ndarray, antecedent_vif: np.ndarray) -> np.ndarray:
    """Cohen's f² of each path, (B, k, k) [source, target]; NaN where there is no path or R² is one.

    (R² with the cause - R² without) / (1 - R² with). Scores are kept as they are; the loss of R² by
    leaving one cause out of a regression is then its squared coefficient over its VIF.

    Parameters
    ----------
    paths : ndarray (B, k, k)
        Standardised, [source, target].
    r_squared : ndarray (B, k)
        Of every construct.
    antecedent_vif : ndarray (B, k, k)
        From `vif_antecedents`.

    References
    ----------
    Cohen (1988), Statistical power analysis, ch. 9.
    """
    left = np.where(r_squared < 1, 1 - r_squared, np.nan)  # nothing is left to compare with
    return paths**2 / antecedent_vif / left[:, None]


def formative(model: Model) -> list[str]:
    """Constructs of mode B with several items: these need not agree, so no agreement is told."""
    sizes = model.membership.sum(axis=0)
    return [name for name, mode, size in zip(model.construct_names, model.modes, sizes, strict=True)
            if mode == "B" and size > 1]  # fmt: skip


def measures(model: Model) -> dict[str, Measure]:
    """Quantities that get bootstrap intervals: a table of their keys, and fits to values (B, m).

    alpha, rho_a, rho_c, ave per construct; htmt, htmt2 per pair of constructs.
    """
    names, member = np.array(model.construct_names), model.membership
    perfect = np.array(model.modes) == "B"  # a formative score has no error of measurement
    first, second = np.tril_indices(len(names), -1)
    own = pd.DataFrame({"construct": names})
    pair = pd.DataFrame({"construct_1": names[first], "construct_2": names[second]})

    def score_reliability(fit: Solution) -> np.ndarray:
        return np.where(perfect, 1.0, rho_a(fit.item_correlation, fit.weights, member))

    return {
        "alpha": (own, lambda fit: cronbach_alpha(fit.item_correlation, member)),
        "rho_a": (own, score_reliability),
        "rho_c": (own, lambda fit: rho_c(fit.loadings, member)),
        "ave": (own, lambda fit: average_variance_extracted(fit.loadings, member)),
        "htmt": (pair, lambda fit: htmt(fit.item_correlation, member)[:, first, second]),
        "htmt2": (pair, lambda fit: htmt2(fit.item_correlation, member)[:, first, second]),
    }


def tables(
    model: Model, fit: Solution, inferred: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The measurement tables of one fit, by the names of `SatisfactionResult`.

    Parameters
    ----------
    model : Model
        Bound to the data.
    fit : Solution
        Of the data (B = 1).
    inferred : mapping
        Name of a quantity of `measures` to its keys with estimate and, where there are draws,
        std_error, ci_low, ci_high.

    Returns
    -------
    dict of DataFrame
        reliability: construct, alpha, rho_a, rho_c, ave and limits (`alpha_ci_low`, ...).
        htmt: construct_1, construct_2, htmt, std_error, ci_low, ci_high and the same of htmt2.
        Both, and the root of AVE, are NaN for constructs that are `formative`.
        fornell_larcker: construct_1, construct_2, value: the root of AVE where both are the same
        construct, else their correlation. cross_loadings: item, construct, loading.
        vif: construct, predictor, kind (antecedent, item), vif.
    """
    names = np.array(model.construct_names)
    reliability = pd.DataFrame({"construct": names})
    for name in ("alpha", "rho_a", "rho_c", "ave"):
        reliability[name] = inferred[name]["estimate"]
    for name in ("alpha", "rho_a", "rho_c", "ave"):
        for limit in ("ci_low", "ci_high"):
            if limit in inferred[name]:
                reliability[f"{name}_{limit}"] = inferred[name][limit]
    blank = formative(model)
    reliability.loc[reliability["construct"].isin(blank), reliability.columns[1:]] = np.nan
    crossed = cross_loadings(fit.item_correlation, fit.weights, model.membership)[0]
    return {
        "reliability": reliability,
        "htmt": htmt_table(inferred["htmt"], inferred["htmt2"], blank),
        "fornell_larcker": fornell_larcker_table(
            model, fit.construct_correlation[0], reliability["ave"].to_numpy()
        ),
        "cross_loadings": cross_loadings_table(model, crossed),
        "vif": vif_table(model, fit),
    }  # fmt: skip


def htmt_table(first: pd.DataFrame, second: pd.DataFrame, blank: Sequence[str]) -> pd.DataFrame:
    """Both ratios side by side, from the keys of each with estimate and inference.

    NaN for every pair with a construct of `blank`.
    """
    ratios, other = (
        table.drop(columns=["t", "p"], errors="ignore").rename(columns={"estimate": name})
        for table, name in ((first, "htmt"), (second, "htmt2"))
    )
    limits = {c: f"htmt2_{c}" for c in ("std_error", "ci_low", "ci_high")}
    table = ratios.merge(other.rename(columns=limits))
    either = table[["construct_1", "construct_2"]].isin(blank).any(axis=1)
    table.loc[either, table.columns[2:]] = np.nan
    return table


def fornell_larcker_table(model: Model, correlation: np.ndarray, ave: np.ndarray) -> pd.DataFrame:
    """construct_1, construct_2, value: the root of AVE on the diagonal, else the correlation."""
    names, criterion = np.array(model.construct_names), correlation.copy()
    np.fill_diagonal(criterion, np.sqrt(ave))
    first, second = np.tril_indices(len(names))
    return pd.DataFrame({"construct_1": names[first], "construct_2": names[second],
                         "value": criterion[first, second]})  # fmt: skip


def cross_loadings_table(model: Model, loadings: np.ndarray) -> pd.DataFrame:
    """item, construct, loading from an array (p, k)."""
    return pd.DataFrame({
        "item": np.repeat(model.items, len(model.constructs)),
        "construct": np.tile(model.construct_names, len(model.items)),
        "loading": loadings.ravel(),
    })  # fmt: skip


def vif_table(model: Model, fit: Solution) -> pd.DataFrame:
    """construct, predictor, kind (antecedent, item), vif of one fit."""
    names = np.array(model.construct_names)
    causes = vif_antecedents(fit.construct_correlation, model.adjacency)[0]
    targets, sources = np.nonzero(model.adjacency.T)
    within = vif_items(fit.item_correlation, model.membership)[0]
    return pd.DataFrame({
        "construct": [*names[targets], *names[model.block]],
        "predictor": [*names[sources], *model.items],
        "kind": ["antecedent"] * len(targets) + ["item"] * len(model.items),
        "vif": [*causes[sources, targets], *within],
    })  # fmt: skip


def measurement_warnings(model: Model, fit: Solution) -> tuple[str, ...]:
    """What a reader of the tables must know: negative correlations within a construct, no HTMT."""
    told = []
    for j, name in enumerate(model.construct_names):
        own = np.flatnonzero(model.block == j)
        within = fit.item_correlation[0][np.ix_(own, own)]
        lowest = np.unravel_index(np.argmin(within), within.shape)
        if within[lowest] < 0:
            told.append(message(
                "satisfaction.items_disagree", construct=name, first=model.items[own[lowest[0]]],
                second=model.items[own[lowest[1]]], value=float(within[lowest]),
            ))  # fmt: skip
    return tuple(told)


def sums_within(values: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """Sums (B, k) within each construct of values (B, p): the same bits for any number of fits."""
    return np.asarray((values[:, :, None] * membership).sum(axis=1))


def _block_sums(matrix: np.ndarray, membership: np.ndarray) -> np.ndarray:
    indicator = membership.astype(float)
    return indicator.T @ matrix @ indicator


def _diagonal(matrix: np.ndarray) -> np.ndarray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _trait_means(matrix: np.ndarray, membership: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean entry between two constructs' items (B, k, k) and, off the diagonal, within (B, k)."""
    size = membership.sum(axis=0)
    own = sums_within(_diagonal(matrix), membership)
    sums = _block_sums(matrix, membership)
    within = (_diagonal(sums) - own) / np.maximum(size * (size - 1), 1)
    # a construct of constructs has no items of its own
    return sums / np.maximum(size[:, None] * size, 1), within


def _ratio(between: np.ndarray, within: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = between / np.sqrt(within[:, :, None] * within[:, None])
    index = np.arange(found.shape[-1])
    found[:, index, index] = np.nan
    return found


def _inflation(correlation: np.ndarray) -> np.ndarray:
    """Diagonal of the inverses of (B, m, m); NaN where a matrix is singular."""
    found = np.full(correlation.shape[:2], np.nan)
    sound = np.isfinite(correlation).all(axis=(1, 2))
    sound[sound] = np.linalg.eigvalsh(correlation[sound])[:, 0] > 1e-12
    found[sound] = _diagonal(np.linalg.inv(correlation[sound]))
    return found
