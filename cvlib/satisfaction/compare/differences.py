"""Two groups at a time: differences of indices and paths, each by several tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.satisfaction.compare.group_draws import path_values
from cvlib.satisfaction.compare.groups import WEIGHTS, Groups, spread
from cvlib.satisfaction.compare.micom import composite_statistics
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.estimate import fitter
from cvlib.satisfaction.pls.higher_order import fit_model
from cvlib.satisfaction.survey.missing import Survey
from cvlib.statistics import resample
from cvlib.statistics.multiple import adjusted, adjusted_within

Pairs = Sequence[tuple[int, int]]


def all_pairs(groups: Groups) -> list[tuple[int, int]]:
    """Every two groups."""
    return list(itertools.combinations(range(len(groups.keys)), 2))


def exchange(
    groups: Groups, pairs: Pairs, *, permutations: int, seed: int
) -> dict[str, pd.DataFrame]:
    """Exchange the labels of two groups, for every pair, and refit.

    One set of exchanges serves every question: differences of indices and paths, MICOM.

    Parameters
    ----------
    groups : Groups
        From `estimate_groups`.
    pairs : sequence of (int, int)
        Positions of groups.
    permutations, seed : int
        Exchanges per pair; every pair has a stream of its own.

    Returns
    -------
    dict of DataFrame
        index_pooled, index_own, composition, mean, log_variance (by construct) and paths (by
        source, target): group_1, group_2, first, second, difference, p (two-sided). draws: what
        became of the exchanges. Pooled weights are those of all groups together, which no exchange
        changes: that test is exact.
    """
    model, names = groups.model, groups.names
    constructs = pd.DataFrame({"construct": model.construct_names})
    paths, composed = path_values(model), groups.composed
    span = (model.maximum - model.minimum) / 100
    seeds = resample.seeds(seed, max(len(pairs), 1), 1)
    parts: dict[str, list[pd.DataFrame]] = {}
    for (i, j), own_seed in zip(pairs, seeds, strict=False):
        union, first = _union(groups.surveys[i], groups.surveys[j])
        source, fit = fitter(model, union, scheme=str(groups.settings["scheme"]))
        whole = source.moments(np.ones((1, source.units), dtype=np.int8))
        items = len(model.items)
        together = fit_model(model, whole[0][:, :items], whole[1][:, :items, :items],
                             scheme=str(groups.settings["scheme"]))  # fmt: skip

        def measured(found: PLSFit, together: PLSFit = together) -> dict[str, np.ndarray]:
            scaled = ((composed.of_items(found).mean - model.minimum) / span)[:, composed.items]
            return {
                "index_pooled": (groups.pooled[0] * scaled) @ composed.member,
                "index_own": composed.index(found),
                "paths": paths(found),
                **composite_statistics(composed, together, found),
            }

        tested, told = inference.permutation_test(
            source, fit, measured, first, permutations=permutations, seed=int(own_seed)
        )
        pair = {"group_1": names[i], "group_2": names[j]}
        for name, table in {**tested, "draws": told}.items():
            keys = {"paths": groups.path_keys, "draws": pd.DataFrame(index=[0])}.get(
                name, constructs
            )
            parts.setdefault(name, []).append(pd.concat([keys.assign(**pair), table], axis=1))
    return {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}


def index_differences(
    groups: Groups,
    pairs: Pairs,
    construct: str,
    exchanged: dict[str, pd.DataFrame],
    *,
    adjustment: str = "holm",
) -> pd.DataFrame:
    """Difference of the index for every pair, first group less second.

    Parameters
    ----------
    groups : Groups
        From `estimate_groups`.
    pairs : sequence of (int, int)
        Positions of groups.
    construct : str
        Whose index.
    exchanged : dict
        From `exchange`; empty where no labels were exchanged.
    adjustment : str
        As in `ranking.adjusted`; the pairs under one kind of weights are one family.

    Returns
    -------
    DataFrame
        group_1, group_2, weights, difference, std_error, ci_low, ci_high (bootstrap), t, df,
        p_welch, p_permutation, p_welch_adjusted, p_permutation_adjusted, different (by the adjusted
        Welch p: a permutation p cannot fall below 1 / (1 + permutations)).
        Welch's t takes the scores by pooled weights as given; with own weights, the bootstrap
        standard errors of the two indices (without draws, the scores).

    References
    ----------
    Welch (1947), Biometrika 34:28-35; Chin & Dibbern (2010) for the permutation.
    """
    names, level = np.array(groups.names), float(groups.settings["level"])  # type: ignore[arg-type]
    first, second = (np.array(side, dtype=int) for side in zip(*pairs, strict=True))
    parts = []
    for weights in WEIGHTS:
        index = groups.index(construct, weights)
        # a few thousand differences at a time: memory does not grow with the pairs
        blocks = [spread(index[first[at : at + 4096]] - index[second[at : at + 4096]], groups)
                  for at in range(0, len(first), 4096)]  # fmt: skip
        table = pd.concat(blocks, ignore_index=True).rename(columns={"estimate": "difference"})
        table.insert(0, "group_1", names[first])
        table.insert(1, "group_2", names[second])
        table.insert(2, "weights", weights)
        error, degrees = _errors(groups, construct, weights, index)
        table["t"], table["df"] = welch(table["difference"].to_numpy(), error[first],
                                        error[second], degrees[first], degrees[second])  # fmt: skip
        table["p_welch"] = 2 * stats.t.sf(np.abs(table["t"]), table["df"])
        tests = ["p_welch"]
        if exchanged:
            tests.append("p_permutation")
            found = exchanged[f"index_{weights}"]
            found = found[found["construct"] == construct][["group_1", "group_2", "p"]]
            table = table.merge(found.rename(columns={"p": "p_permutation"}), how="left")
        for test in tests:
            table[f"{test}_adjusted"] = adjusted(table[test].to_numpy(), adjustment)
        table["different"] = table["p_welch_adjusted"] < 1 - level
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def path_differences(
    groups: Groups,
    pairs: Pairs,
    exchanged: dict[str, pd.DataFrame],
    *,
    adjustment: str = "holm",
) -> pd.DataFrame:
    """Difference of every path for every pair of groups, by four tests.

    Returns
    -------
    DataFrame
        group_1, group_2, source, target, first, second, difference, p_permutation, p_henseler
        (share of pairs of draws in which the order is the other one, two-sided), p_parametric
        (pooled standard error), p_welch, p_adjusted (of the permutation; one pair is one family).

    References
    ----------
    Chin & Dibbern (2010), Handbook of Partial Least Squares ch. 7; Henseler, Ringle & Sinkovics
    (2009), Advances in International Marketing 20:277-319 [M]; Keil et al. (2000), MIS Quarterly
    24:299-325 [M]; Sarstedt, Henseler & Ringle (2011), Advances in International Marketing
    22:195-218 [M].
    """
    found = exchanged["paths"].rename(columns={"p": "p_permutation"})
    if groups.paths.shape[1] > 1:
        found = pd.concat([found, _from_draws(groups, pairs)], axis=1)
    found["p_adjusted"] = adjusted_within(
        found, "p_permutation", ["group_1", "group_2"], adjustment
    )
    first = ["group_1", "group_2", "source", "target", "first", "second", "difference"]
    return found[first + [c for c in found if c not in first]]


def _from_draws(groups: Groups, pairs: Pairs) -> pd.DataFrame:
    """The tests of `path_differences` that rest on bootstrap draws."""
    size = groups.keys["n"].to_numpy(float)
    error = np.nanstd(groups.paths[:, 1:], axis=1, ddof=1)
    blocks = []
    for i, j in pairs:
        gap = groups.paths[i, 0] - groups.paths[j, 0]
        t, df = welch(gap, error[i], error[j], size[i] - 1, size[j] - 1)
        rows = size[i] + size[j] - 2
        pooled = (((size[i] - 1) * error[i]) ** 2 + ((size[j] - 1) * error[j]) ** 2) / rows
        parametric = gap / np.sqrt(pooled * (1 / size[i] + 1 / size[j]))
        blocks.append(pd.DataFrame({
            "p_henseler": [_order(groups.paths[i, 1:, m], groups.paths[j, 1:, m])
                           for m in range(len(gap))],
            "p_parametric": 2 * stats.t.sf(np.abs(parametric), rows),
            "p_welch": 2 * stats.t.sf(np.abs(t), df),
        }))  # fmt: skip
    return pd.concat(blocks, ignore_index=True)


def omnibus(groups: Groups, construct: str, *, permutations: int, seed: int) -> pd.DataFrame:
    """Is any group different? One test per path, and one of the index, over all groups at once.

    The statistic is the variance of the groups' estimates about their mean, weighted by size; its
    distribution comes from exchanging labels among all groups [P] (after Sarstedt, Henseler &
    Ringle 2011 and Klesel et al. 2019, Internet Research 29:464-477).

    Returns
    -------
    DataFrame
        quantity (source -> target, or the index), statistic, p.
    """
    model, number = groups.model, len(groups.surveys)
    union, _ = _union(*groups.surveys)
    source, fit = fitter(model, union, scheme=str(groups.settings["scheme"]))
    unit_group = np.repeat(np.arange(number), [part.source.units for part in groups.surveys])
    generator = resample.generator(seed, 2)
    values_of = path_values(model)
    own, items = groups.composed.own(construct)
    span = (model.maximum - model.minimum) / 100

    def labels() -> Iterator[np.ndarray]:
        size = max(1, inference.chunk_size(source.units) // number)
        for at in range(-1, permutations, size):
            dealt = [unit_group if b == -1 else generator.permutation(unit_group)
                     for b in range(at, min(at + size, permutations))]  # fmt: skip
            yield np.array([one == g for one in dealt for g in range(number)], dtype=np.uint8)

    def measured(found: PLSFit) -> dict[str, np.ndarray]:
        scaled = (groups.composed.of_items(found).mean - model.minimum) / span
        index = (scaled[:, items] * groups.pooled[0, own]).sum(axis=1, keepdims=True)
        return {"all": np.hstack([values_of(found), index])}

    found = inference.evaluate(source, labels(), fit, measured)
    values = found.values["all"].reshape(permutations + 1, number, -1)
    sound = np.asarray(~found.failed.reshape(-1, number).any(axis=1))
    share = groups.keys["n"].to_numpy(float)[None, :, None] / groups.keys["n"].sum()
    variance = (share * (values - (share * values).sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    larger = variance[1:][sound[1:]] >= variance[0] - 1e-12
    paths = groups.path_keys["source"] + " -> " + groups.path_keys["target"]
    return pd.DataFrame({
        "quantity": [*paths, f"index of {construct}"],
        "statistic": variance[0],
        "p": (1 + larger.sum(axis=0)) / (1 + len(larger)),
    })  # fmt: skip


def welch(
    gap: np.ndarray, error_1: np.ndarray, error_2: np.ndarray, df_1: np.ndarray, df_2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Welch's t and the Satterthwaite degrees of freedom, from two standard errors."""
    variance = error_1**2 + error_2**2
    df = variance**2 / (error_1**4 / df_1 + error_2**4 / df_2)
    return gap / np.sqrt(variance), df


def _errors(
    groups: Groups, construct: str, weights: str, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of each group's index and its degrees of freedom (units less one)."""
    units = np.array([part.source.units for part in groups.surveys])
    if weights == "own" and index.shape[1] > 1:
        return np.nanstd(index[:, 1:], axis=1, ddof=1), units - 1
    error = np.empty(len(units))
    for number, part in enumerate(groups.surveys):
        scores = groups.scores(number, construct, weights)
        mass = np.ones(len(scores)) if part.weights is None else part.weights
        pull = mass * (scores - np.average(scores, weights=mass))
        pull = pull if part.clusters is None else np.bincount(part.clusters, pull)
        error[number] = np.sqrt(units[number] / (units[number] - 1) * (pull**2).sum()) / mass.sum()
    return error, units - 1


def _order(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p of Henseler's comparison of two sets of draws, reflected about their means."""
    first, second = first[~np.isnan(first)], second[~np.isnan(second)]
    one = np.sort(2 * first.mean() - first)
    other = 2 * second.mean() - second
    below = np.searchsorted(one, other, side="left").mean() / len(one)
    return float(2 * min(below, 1 - below))


def _union(*parts: Survey) -> tuple[Survey, np.ndarray]:
    """Several groups' answers together, and which units are the first group's."""
    units = [part.source.units for part in parts]
    offset = np.cumsum([0, *units])
    clusters, weights = [p.clusters for p in parts], [p.weights for p in parts]
    whole = replace(
        parts[0],
        values=np.concatenate([part.values for part in parts]),
        weights=None if weights[0] is None else np.concatenate(weights),  # type: ignore[arg-type]
        clusters=None if clusters[0] is None else np.concatenate(
            [c + at for c, at in zip(clusters, offset, strict=False) if c is not None]
        ),
        index=parts[0].index.append([part.index for part in parts[1:]]),
    )  # fmt: skip
    return whole, np.arange(offset[-1]) < units[0]
