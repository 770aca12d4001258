"""Semantic differential: profiles of brands on pairs of opposites, and how far apart they are"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.columns import enough_rows, labels, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import taken
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.satisfaction.service.statistics import answered_mean, ends_of, rows_of, unused_ends
from cvlib.statistics import resample
from cvlib.statistics.multiple import adjusted
from cvlib.words.message import joined, message

FACTORS = {
    "evaluation": ("pair1", "pair2", "pair3"),
    "potency": ("pair4", "pair5", "pair6"),
    "activity": ("pair7", "pair8", "pair9"),
}


def brand_profiles(
    data: Any,
    factors: Mapping[str, Sequence[str]] | None = None,
    turned: Sequence[str] = (),
    *,
    scale: tuple[float, float] = (-3, 3),
    bootstrap: resample.Bootstrap | None = None,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Profiles of brands on a semantic differential, with Osgood's distance between them.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        respondent, brand, and a column on `scale` for each pair.
    factors : mapping of str to sequence of str, optional
        Pairs of each factor; evaluation, potency and activity of three pairs each unless given.
    turned : sequence of str
        Pairs whose good end stands on the other side; they are turned about the middle.
    scale : (low, high)
        Of the answers; distances and means are told from its middle, 0 where it runs from −3 to 3.
    bootstrap : Bootstrap, optional
        Of the distances: respondents are drawn within brands.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        brand_factors: brand, factor, n, mean, ci_low, ci_high (Student). brand_differences:
        a, b, factor, difference, ci_low, ci_high, p, p_adjusted (Welch, Holm). brand_distances:
        a, b, distance D = √Σ(difference of pair means)², ci_low, ci_high. brand_pairs: brand,
        pair, n, mean, ci_low, ci_high.

    Raises
    ------
    InputError
        An answer off the scale, one brand only: with file, column, row.

    References
    ----------
    Osgood, Suci & Tannenbaum (1957) The Measurement of Meaning, University of Illinois Press.

    Examples
    --------
    >>> import cvlib as cv
    >>> profile = cv.satisfaction.brand_profiles("brand_image", turned=["pair2", "pair6"])
    >>> list(profile["brand_distances"].columns)
    ['a', 'b', 'distance', 'ci_low', 'ci_high']
    """
    from scipy import stats  # slow to load

    settings = resample.percentile_only(bootstrap or resample.Bootstrap())
    scale = ends_of(scale, "pair_scale")
    parts = {name: list(pairs) for name, pairs in (factors or FACTORS).items()}
    pairs = [pair for group in parts.values() for pair in group]
    unknown = [pair for pair in turned if pair not in pairs]
    if unknown:
        raise InputError(
            "turned",
            message("refusals.is_no_pair_of_a", unknown=unknown[0]),
            message("refusals.name_pairs"),
        )
    table = opened(data, reading, ["brand", *pairs])
    for name in ("brand", *pairs):
        if name not in table.data:
            raise table.lacking(name, message("service.pairs_are_named_in", name="factors"))
    brands = labels(table, "brand")
    remedy = message("service.scale_is", name="pair_scale")
    asked = {p: within(table, p, *scale, missing=True, remedy=remedy) for p in pairs}
    answers = pd.DataFrame(asked)
    cautions = unused_ends(answers.to_numpy(), scale, "pair_scale")
    answers -= sum(scale) / 2
    answers[list(turned)] *= -1
    names = list(dict.fromkeys(brands))
    enough_rows(table, len(names), 2, "brands")
    enough_rows(table, int(brands.value_counts().min()), 2, "respondents of one brand")
    grid = {b: answers[(brands == b)].to_numpy(float) for b in names}
    place = {factor: [pairs.index(pair) for pair in group] for factor, group in parts.items()}
    score = {(b, f): answered_mean(grid[b][:, at]) for b in names for f, at in place.items()}
    level = settings.level
    means = pd.concat(
        rows_of("factor", list(parts), [score[b, f] for f in parts], level).assign(brand=b)
        for b in names
    )
    lines = pd.concat(rows_of("pair", pairs, list(grid[b].T), level).assign(brand=b) for b in names)
    rows, far = [], []
    draws = {b: _drawn(grid[b], settings, k) for k, b in enumerate(names)}
    for a, b in combinations(names, 2):
        for factor in parts:
            x, y = (v[~np.isnan(v)] for v in (score[a, factor], score[b, factor]))
            tested = stats.ttest_ind(x, y, equal_var=False)
            low, high = tested.confidence_interval(level)
            rows.append([a, b, factor, x.mean() - y.mean(), low, high, tested.pvalue])
        apart = float(_distance(np.nanmean(grid[a], axis=0) - np.nanmean(grid[b], axis=0)))
        limits = resample.percentile_limits(_distance(draws[a] - draws[b]), level)
        far.append([a, b, apart, *map(float, limits)])
    tests = pd.DataFrame(rows, columns=["a", "b", "factor", "difference", "ci_low", "ci_high", "p"])
    tests["p_adjusted"] = adjusted(tests["p"].to_numpy(), "holm")
    distances = pd.DataFrame(far, columns=["a", "b", "distance", "ci_low", "ci_high"])
    order = ["brand", "factor", "n", "mean", "ci_low", "ci_high"]
    found = {
        "brand_factors": means[order].reset_index(drop=True),
        "brand_differences": tests,
        "brand_distances": distances,
        "brand_pairs": lines[["brand", "pair", *order[2:]]].reset_index(drop=True),
    }
    warned = (*taken(table), *cautions, message("service.distance_bias"))
    return Finding(found, _sentence(tests, distances, level), warned)


def _distance(difference: np.ndarray) -> np.ndarray:
    return np.sqrt((difference**2).sum(axis=-1))


def _drawn(answers: np.ndarray, settings: resample.Bootstrap, stream: int) -> np.ndarray:
    """(draws, pairs) means of resampled respondents."""
    there = ~np.isnan(answers)
    rng = resample.generator(settings.seed, 71, stream)
    counts = resample.counts_of(resample.indices(len(answers), settings.draws, rng)).astype(float)
    with np.errstate(invalid="ignore"):
        return (counts @ np.where(there, answers, 0.0)) / (counts @ there)


def _sentence(tests: pd.DataFrame, distances: pd.DataFrame, level: float) -> str:
    far = distances.loc[distances["distance"].idxmax()]
    said = message(
        "service.brands_apart", a=far["a"], b=far["b"], distance=far["distance"],
        low=far["ci_low"], high=far["ci_high"], level=level,
    )  # fmt: skip
    sure = tests[tests["p_adjusted"] < 1 - level]
    if not len(sure):
        return joined([said, message("service.brands_alike")])
    top = sure.loc[sure["difference"].abs().idxmax()]
    ahead, behind = (top["a"], top["b"]) if top["difference"] > 0 else (top["b"], top["a"])
    limits = sorted(abs(top[c]) for c in ("ci_low", "ci_high"))
    more = message(
        "service.brands_differ", ahead=ahead, behind=behind, factor=top["factor"],
        difference=abs(top["difference"]), low=limits[0], high=limits[1],
    )  # fmt: skip
    return joined([said, more])
