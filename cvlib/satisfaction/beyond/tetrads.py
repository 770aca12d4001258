"""Confirmatory tetrad analysis: do the items of a construct look like effects of one factor?"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.satisfaction.beyond.base import Base, needs_numbers
from cvlib.satisfaction.beyond.section import Section
from cvlib.satisfaction.model.higher_order import disjoint_first
from cvlib.statistics import resample
from cvlib.words.message import message

Tetrad = tuple[int, int, int, int]  # s_gh s_ij - s_gi s_hj


@cache
def independent_tetrads(items: int) -> tuple[Tetrad, ...]:
    """p (p - 3) / 2 tetrads from which all others follow where one factor holds.

    In order of their items, each tetrad is kept whose gradient at a one-factor covariance matrix
    is independent of those before it.

    Parameters
    ----------
    items : int
        Of the block, four or more.

    References
    ----------
    Bollen & Ting (1993), Sociological Methodology 23:147-175. [M]
    """
    loadings = 1 + np.arange(items) / items
    covariance = np.outer(loadings, loadings)
    places = {pair: n for n, pair in enumerate(combinations(range(items), 2))}
    kept: list[Tetrad] = []
    basis: list[np.ndarray] = []
    for a, b, c, d in combinations(range(items), 4):
        for g, h, i, j in ((a, b, c, d), (a, b, d, c), (a, c, d, b)):
            gradient = np.zeros(len(places))
            for (p, q), (r, s), sign in (((g, h), (i, j), 1), ((i, j), (g, h), 1),
                                         ((g, i), (h, j), -1), ((h, j), (g, i), -1)):  # fmt: skip
                gradient[places[tuple(sorted((p, q)))]] += sign * covariance[r, s]  # type: ignore[index]
            left = gradient / np.linalg.norm(gradient)
            for direction in basis:
                left = left - (left @ direction) * direction
            if np.linalg.norm(left) > 1e-6:
                basis.append(left / np.linalg.norm(left))
                kept.append((g, h, i, j))
    return tuple(kept)


def tetrad_values(covariance: np.ndarray, chosen: tuple[Tetrad, ...]) -> np.ndarray:
    """Values (B, m) of tetrads of covariances (B, p, p)."""
    g, h, i, j = np.array(chosen).T
    return np.asarray(
        covariance[:, g, h] * covariance[:, i, j] - covariance[:, g, i] * covariance[:, h, j]
    )


def tetrads(base: Base) -> Section:
    """Test every block of four or more items for vanishing tetrads.

    Each tetrad has an interval around the estimate less its bootstrap bias, at one less the
    significance level over the number of tetrads of the block (Bonferroni).

    Parameters
    ----------
    base : Base
        With draws.

    Returns
    -------
    Section
        Tables `tetrads` (construct, tetrad, estimate, bias, std_error, t, p, p_adjusted, ci_low,
        ci_high) and `tetrad_blocks` (construct, items, tetrads, verdict).

    References
    ----------
    Bollen & Ting (1993), Sociological Methodology 23:147-175; Gudergan, Ringle, Wende & Will
    (2008), Journal of Business Research 61:1238-1249 (CTA-PLS). [M]
    """
    if not base.bootstrap.draws:
        return Section("tetrads", reason=message("further.tetrads_no_draws"))
    needs_numbers(base, "tetrads")
    bound = base.survey.model
    # dimensions have items to test, their parent has none
    model = disjoint_first(bound) if bound.parents else base.model
    source, _ = base.fitter
    items = len(model.items)

    def covariances(rows: np.ndarray) -> np.ndarray:
        return np.asarray(source.moments(rows)[1][:, :items, :items])

    whole = covariances(np.ones((1, source.units), dtype=np.int8))
    blocks = [(c, model.slices[j]) for j, c in enumerate(model.constructs)]
    chosen = {c.name: independent_tetrads(len(c.items)) for c, _ in blocks if len(c.items) > 3}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in chosen}
    settings = base.bootstrap
    for rows in resample.counts(source.units, settings.draws, settings.seed, base.survey.strata):
        moments = covariances(rows)
        for construct, own in blocks:
            if construct.name in chosen:
                drawn[construct.name].append(
                    tetrad_values(moments[:, own, own], chosen[construct.name])
                )
    tables, summary, said = [], [], []
    for construct, own in blocks:
        count = len(construct.items)
        row = {"construct": construct.name, "items": count, "tetrads": 0, "contradicted": 0}
        if construct.name not in chosen:
            summary.append({**row, "verdict": "not_testable"})
            continue
        names = [item.name for item in construct.items]
        picked = chosen[construct.name]
        estimate = tetrad_values(whole[:, own, own], picked)[0]
        draws = np.concatenate(drawn[construct.name])
        bias, error = draws.mean(axis=0) - estimate, draws.std(axis=0, ddof=1)
        centre = estimate - bias
        t = centre / error
        p = 2 * stats.norm.sf(np.abs(t))
        reach = stats.norm.ppf(1 - (1 - settings.level) / (2 * len(picked))) * error
        table = pd.DataFrame({
            "construct": construct.name,
            "tetrad": [f"{names[g]},{names[h]} | {names[i]},{names[j]}" for g, h, i, j in picked],
            "estimate": estimate, "bias": bias, "std_error": error, "t": t, "p": p,
            "p_adjusted": np.minimum(1.0, p * len(picked)),
            "ci_low": centre - reach, "ci_high": centre + reach,
        })  # fmt: skip
        off = int(((table["ci_low"] > 0) | (table["ci_high"] < 0)).sum())
        verdict = "contradicted" if off else "not_contradicted"
        summary.append({**row, "tetrads": len(picked), "contradicted": off, "verdict": verdict})
        tables.append(table)
        said.append(message(f"further.tetrads_{verdict}", construct=base.label(construct.name),
                            off=off, count=len(picked)))  # fmt: skip
    short = [base.label(c.name) for c, _ in blocks if c.name not in chosen]
    if short:
        said.append(message("further.tetrads_not_testable", names=short))
    found = {"tetrad_blocks": pd.DataFrame(summary)}
    if tables:
        found["tetrads"] = pd.concat(tables, ignore_index=True)
    return Section("tetrads", found, tuple(said))
