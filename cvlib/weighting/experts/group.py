"""One weighting from many experts, how far they agree, and who moves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.weighting.experts.agreement import clusters, consensus, influence
from cvlib.weighting.experts.ahp import (
    consistency,
    consistency_verdict,
    consistency_warnings,
    geometric_consistency_index,
    priorities,
)
from cvlib.weighting.experts.consistency import cycles, suggestions, worst_triad
from cvlib.weighting.experts.hierarchy import (
    branch_warnings,
    global_weights,
    total_consistency,
    weights_table,
)
from cvlib.weighting.experts.judgements import Judgements
from cvlib.weighting.tree import Tree
from cvlib.words.message import message

AGGREGATIONS = ("aij", "aip_geometric", "aip_arithmetic")
GROUP = "(group)"
WEIGHT_COLUMNS = ["indicator", "parent", "method", "local_weight", "global_weight"]


@dataclass(frozen=True, eq=False, repr=False)
class ExpertWeights(Result):
    """Weights of a tree from one or many experts.

    Attributes
    ----------
    weights : pandas.DataFrame
        ``indicator, parent, method`` (its name after ``ahp_``), ``local_weight, global_weight,
        ci_low, ci_high`` (interval of the global weight; empty without draws).
    expert_weights : pandas.DataFrame
        ``expert`` and the first five of these columns.
    consistency : pandas.DataFrame
        ``expert, node, n, missing, lambda_max, ci, cr, gci, ri_table, ri, threshold, acceptable,
        acceptable_common, gci_threshold``; the aggregated matrix is expert ``(group)``.
    total_consistency : pandas.DataFrame
        ``expert, cr_total``: Σ w CI / Σ w RI over the nodes, w the node's global weight.
    suggestions, triads, cycles : pandas.DataFrame
        ``expert, node`` and the columns of `ahp_diagnosis`, for matrices that are not acceptable
        (cycles for all).
    consensus : pandas.DataFrame
        ``node, experts, n, consensus, band, consensus_revised`` (see `consensus_indicator`),
        ``kendall_w, chi2, p, mean_spearman``; empty for one expert.
    influence : pandas.DataFrame
        ``expert, indicator, change, kendall_tau_b``: the largest change of a global weight when
        the expert is left out, and the rank agreement of the weights with and without.
    clusters : pandas.DataFrame
        ``expert, cluster, silhouette``; empty for fewer than four experts.
    settings : dict
        ``experts`` (how many), ``published`` (name of a shipped set of judgements, else "") and the
        options: ``aggregation, methods, table, draws, level, perturbation, seed``.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("weights", "consistency")

    weights: pd.DataFrame
    expert_weights: pd.DataFrame
    consistency: pd.DataFrame
    total_consistency: pd.DataFrame
    suggestions: pd.DataFrame
    triads: pd.DataFrame
    cycles: pd.DataFrame
    consensus: pd.DataFrame
    influence: pd.DataFrame
    clusters: pd.DataFrame
    settings: dict[str, Any]
    warnings: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Whether the judgements are consistent."""
        return [consistency_verdict(self.consistency)[1]]


def aggregate_judgements(matrices: np.ndarray, importance: np.ndarray) -> np.ndarray:
    """Weighted geometric mean of judgements (AIJ), the only mean that keeps reciprocity.

    Parameters
    ----------
    matrices : ndarray (experts, n, n)
        A judgement some experts did not give is averaged over those who did.
    importance : ndarray (..., experts)
        Weights of the experts, not all zero.

    Returns
    -------
    ndarray (..., n, n)

    References
    ----------
    Aczél, J. & Saaty, T. L. (1983). J. Mathematical Psychology 27, 93-102.
    """
    given = ~np.isnan(matrices)
    logs = np.log(np.where(given, matrices, 1.0))
    total = np.tensordot(importance, given.astype(float), axes=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.exp(np.tensordot(importance, logs, axes=1) / np.where(total > 0, total, np.nan))


def aggregate_priorities(weights: np.ndarray, importance: np.ndarray, mean: str) -> np.ndarray:
    """Weighted geometric or arithmetic mean of the experts' priorities (AIP), sum 1.

    References
    ----------
    Forman, E. & Peniwati, K. (1998). Eur. J. Operational Research 108, 165-169.
    """
    shares = importance / importance.sum(axis=-1, keepdims=True)
    joint = shares @ weights if mean == "arithmetic" else np.exp(shares @ np.log(weights))
    return joint / joint.sum(axis=-1, keepdims=True)


def _connected(matrices: np.ndarray) -> np.ndarray:
    reach = ~np.isnan(matrices)
    for _ in range(int(np.ceil(np.log2(matrices.shape[-1])))):
        reach = reach @ reach
    return reach.all(axis=(-2, -1))


def _group_local(
    stacks: Mapping[str, np.ndarray], importance: np.ndarray, aggregation: str, method: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Local weights of every node for each row of expert weights, and which rows are usable."""
    local: dict[str, np.ndarray] = {}
    usable = np.ones(importance.shape[:-1], dtype=bool)
    for node, stack in stacks.items():
        if aggregation == "aij":
            joint = aggregate_judgements(stack, importance)
            linked = _connected(joint)
            usable &= linked
            joint = np.where(linked[..., None, None], joint, 1.0)
            local[node] = priorities(joint, method)
        else:
            own = priorities(stack, method)
            local[node] = aggregate_priorities(own, importance, aggregation.removeprefix("aip_"))
    return local, usable


def expert_weights(
    tree: Tree,
    judgements: Judgements,
    *,
    aggregation: str = "aij",
    importance: Mapping[str, float] | None = None,
    methods: tuple[str, ...] = ("eigenvector", "geometric_mean"),
    table: str = "alonso_lamata",
    bootstrap: resample.Bootstrap | None = None,
    perturbation: float | None = None,
) -> ExpertWeights:
    """Weights of a whole tree from the judgements of one or many experts.

    Parameters
    ----------
    tree : Tree
        The indicator tree.
    judgements : Judgements
        Checked judgements (`read_judgements`); without an expert all tables are empty.
    aggregation : str
        ``aij`` (geometric mean of judgements), ``aip_geometric`` or ``aip_arithmetic`` (means of
        the experts' local priorities). With geometric means throughout, ``aij`` and
        ``aip_geometric`` are the same (Barzilai & Golany 1990).
    importance : mapping of expert to float, optional
        Weights of the experts; equal by default.
    methods : tuple of str
        Prioritisation methods; the first is used for agreement, influence and clusters.
    table : str
        Random-index table.
    bootstrap : Bootstrap, optional
        For percentile intervals; none without it. Several experts: experts are resampled. One
        expert: the judgements are multiplied by lognormal noise.
    perturbation : float, optional
        Standard deviation of that noise in ln a_ij; by default the expert's own, sqrt(GCI) of the
        node, so that a perfectly consistent expert has an interval of no width.

    Returns
    -------
    ExpertWeights

    Raises
    ------
    InputError
        Unknown aggregation or expert, experts whose importance is negative or all zero, or
        intervals of another kind than percentile.
    """
    one_of("aggregation", aggregation, AGGREGATIONS)
    asked = resample.percentile_only(bootstrap or resample.Bootstrap(0))
    if not judgements.matrices:
        return _nobody(tree, aggregation, methods, table)
    if not tree.compared:
        raise InputError(
            f"tree {tree.name!r}",
            message("refusals.joins_its_children_by_the"),
            message("refusals.score_it_directly_or_give"),
        )
    experts = list(judgements.matrices)
    alpha = _importance(experts, importance)
    stacks = {
        node: np.stack([judgements.matrices[expert][node].to_numpy(float) for expert in experts])
        for node, below in tree.compared.items()
        if len(below) > 1
    }
    matrices = dict(judgements.matrices)
    if len(experts) > 1 and aggregation == "aij":
        matrices[GROUP] = {
            node: pd.DataFrame(aggregate_judgements(stack, alpha), *[tree.compared[node]] * 2)
            for node, stack in stacks.items()
        }
    checks = [
        {"expert": expert, "node": node, **consistency(matrix, table)}
        for expert, by_node in matrices.items()
        for node, matrix in by_node.items()
    ]
    warnings = [*judgements.warnings, *consistency_warnings(checks), *branch_warnings(tree)]

    tables, of_experts = [], []
    for method in methods:
        local, _ = _group_local(stacks, alpha, aggregation, method)
        weights = weights_table(tree, method, local)
        if asked.draws:
            if len(experts) > 1:
                counts = _resampled(alpha, asked.draws, asked.seed)
                drawn, usable = _group_local(stacks, counts, aggregation, method)
            else:
                noisy = _perturbed(stacks, asked.draws, perturbation, asked.seed)
                drawn = {node: priorities(stack, method) for node, stack in noisy.items()}
                usable = np.ones(asked.draws, dtype=bool)
            spread = global_weights(tree, drawn)
            weights[["ci_low", "ci_high"]] = [
                resample.percentile_limits(
                    np.broadcast_to(spread[node], usable.shape)[usable], asked.level
                )
                for node in weights["indicator"]
            ]
        tables.append(weights)
        own = {node: priorities(stack, method) for node, stack in stacks.items()}
        for position, expert in enumerate(experts):
            each = weights_table(tree, method, {node: w[position] for node, w in own.items()})
            each.insert(0, "expert", expert)
            of_experts.append(each.drop(columns=["ci_low", "ci_high"]))
    if asked.draws:
        warnings += _interval_warnings(len(experts), usable)
    by_expert = pd.concat(of_experts, ignore_index=True)
    first = by_expert[by_expert["method"] == f"ahp_{methods[0]}"]
    agreement, said = consensus(stacks, methods[0])
    moved = pd.DataFrame(columns=["expert", "indicator", "change", "kendall_tau_b"])
    told: tuple[str, ...] = ()
    if np.count_nonzero(alpha) > 1:
        without = np.vstack([alpha, alpha * (1 - np.eye(len(alpha)))])
        local, usable = _group_local(stacks, without, aggregation, methods[0])
        moved, told = influence(tree, global_weights(tree, local), usable, experts)
    checked = pd.DataFrame(checks)
    doubtful = checked[~checked["acceptable"]]
    return ExpertWeights(
        pd.concat(tables, ignore_index=True),
        by_expert,
        checked,
        total_consistency(checked, pd.concat([first, tables[0].assign(expert=GROUP)])),
        _each(lambda matrix: suggestions(matrix, table), judgements, doubtful),
        _each(worst_triad, judgements, doubtful),
        _each(cycles, judgements, checked),
        agreement,
        moved,
        clusters(tree, first, experts),
        {
            "experts": len(experts),
            "published": judgements.published,
            "aggregation": aggregation,
            "methods": methods,
            "table": table,
            "draws": asked.draws,
            "level": asked.level,
            "perturbation": perturbation,
            "seed": asked.seed,
        },
        tuple(dict.fromkeys([*warnings, *said, *told])),
    )


def _nobody(tree: Tree, aggregation: str, methods: tuple[str, ...], table: str) -> ExpertWeights:
    """The result where nobody was asked: every table with its columns and no row."""
    alone = pd.DataFrame(np.ones((2, 2)), index=["a", "b"], columns=["a", "b"])
    checks = pd.DataFrame([{"expert": "", "node": "", **consistency(alone, table)}]).iloc[:0]
    place = {"expert": pd.Series(dtype=object), "node": pd.Series(dtype=object)}

    def empty(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({**place, **{name: frame[name].iloc[:0] for name in frame}})

    text = dict.fromkeys(WEIGHT_COLUMNS[:3], object)
    kinds = text | dict.fromkeys([*WEIGHT_COLUMNS[3:], "ci_low", "ci_high"], float)
    weights = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    return ExpertWeights(
        weights,
        pd.DataFrame(columns=["expert", *WEIGHT_COLUMNS]),
        checks,
        pd.DataFrame(columns=["expert", "cr_total"]),
        empty(suggestions(alone, table)),
        empty(worst_triad(alone)),
        empty(cycles(alone)),
        consensus({}, methods[0])[0],
        pd.DataFrame(columns=["expert", "indicator", "change", "kendall_tau_b"]),
        pd.DataFrame(columns=["expert", "cluster", "silhouette"]),
        {"experts": 0, "published": "", "aggregation": aggregation, "methods": (), "draws": 0,
         "table": table},
        (message("weighting.no_experts"),),
    )  # fmt: skip


def _importance(experts: list[str], importance: Mapping[str, float] | None) -> np.ndarray:
    given = dict(importance or {})
    for expert, value in given.items():
        one_of("importance", expert, experts, wrong=message("refusals.is_no_expert"))
        if not 0 <= value < np.inf:
            raise InputError(
                f"importance of {expert!r}",
                message("refusals.is", value=value),
                message("refusals.give_a_number_from"),
            )
    alpha = np.array([float(given.get(expert, 1.0)) for expert in experts])
    if not alpha.sum():
        raise InputError(
            "importance",
            message("refusals.is_zero_for_every_expert"),
            message("refusals.give_one_of_them_a"),
        )
    return alpha


def _resampled(alpha: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Bootstrap of the experts: how often each is drawn, times the expert's importance."""
    k = len(alpha)
    counts = np.vstack(list(resample.multinomial(k, draws, seed))) * alpha
    return counts[counts.sum(axis=1) > 0]


def _perturbed(
    stacks: Mapping[str, np.ndarray], draws: int, perturbation: float | None, seed: int
) -> dict[str, np.ndarray]:
    """Lognormal noise on the first expert's judgements, reciprocity kept."""
    rng = resample.generator(seed)
    noisy = {}
    for node, (matrix, *_) in stacks.items():
        own = np.sqrt(geometric_consistency_index(matrix))
        sd = own if perturbation is None else perturbation
        upper = np.triu(rng.normal(0.0, sd, (draws, *matrix.shape)), 1)
        noisy[node] = matrix * np.exp(upper - np.swapaxes(upper, -1, -2))
    return noisy


def _interval_warnings(experts: int, usable: np.ndarray) -> list[str]:
    if experts == 1:
        return [message("weighting.one_expert_intervals")]
    told: list[str] = []
    if lost := int((~usable).sum()):
        told.append(message("weighting.draws_unlinked", lost=lost, draws=len(usable)))
    if experts < 6:
        told.append(message("weighting.few_experts", experts=experts))
    return told


def _each(
    function: Callable[[pd.DataFrame], pd.DataFrame], judgements: Judgements, checks: pd.DataFrame
) -> pd.DataFrame:
    """A table for each of the checked matrices, one below the other."""
    named = zip(checks["expert"], checks["node"], strict=True)
    parts = {(e, n): function(judgements.matrices[e][n]) for e, n in named if e != GROUP}
    nothing = {("", ""): function(pd.DataFrame(np.ones((2, 2))))}
    joined = pd.concat(
        {place: part for place, part in parts.items() if len(part)} or nothing,
        names=["expert", "node"],
    )
    return joined.reset_index(level=["expert", "node"]).reset_index(drop=True)
