"""A whole tree weighted by best-worst, fuzzy judgements or a network, to stand beside AHP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from cvlib.inputs.choices import one_of
from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.weighting.data.objective import expand_weights
from cvlib.weighting.experts.best_worst import best_worst
from cvlib.weighting.experts.fuzzy_ahp import from_triangles, fuzzified
from cvlib.weighting.experts.hierarchy import global_weights
from cvlib.weighting.experts.judgements import Judgements
from cvlib.weighting.experts.network import network_process
from cvlib.weighting.tree import Tree
from cvlib.words.message import Message, joined, message

ZERO = "weighting.chang_zero"
ALIKE = 1e-9  # weights that differ by less are equal
FUZZY = ("none", "buckley", "chang")
WEIGHTS = [
    "indicator", "parent", "method", "local_weight", "global_weight", "ci_low", "ci_high",
]  # fmt: skip


class _BestWorstFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tree: str
    source: str = ""
    experts: dict[str, dict[str, dict[str, dict[str, Any]]]]


class _NetworkFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tree: str
    source: str = ""
    start: str = ""
    clusters: dict[str, list[str]]
    priorities: dict[str, dict[str, float]]
    cluster_weights: dict[str, dict[str, float]] = {}


@dataclass(frozen=True, eq=False, repr=False)
class BesideWeights(Result):
    """Weights of a tree by further expert methods.

    Attributes
    ----------
    weights : pandas.DataFrame
        indicator, parent, method (best_worst, fuzzy_buckley, fuzzy_chang, network_process),
        local_weight, global_weight, ci_low, ci_high: what the nonlinear best-worst model or the
        fuzzy judgements allow (no sampling interval; empty for a network).
    best_worst : pandas.DataFrame
        expert, node and the consistency of each pair of vectors.
    fuzzy : pandas.DataFrame
        node and the columns of `FuzzyWeights.weights`.
    network : pandas.DataFrame
        Priorities of every element.
    said : tuple of Message
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("weights",)

    weights: pd.DataFrame
    best_worst: pd.DataFrame
    fuzzy: pd.DataFrame
    network: pd.DataFrame
    said: tuple[Message, ...]
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> Message | None:
        """All sentences in one; None where nothing was asked for."""
        return joined(self.said) if self.said else None

    def sentences(self) -> list[str]:
        """Which indicator each method puts first."""
        return list(self.said)


def weights_beside(
    tree: Tree, judgements: Judgements, *, best_worst: str = "", fuzzy: str = "none",
    network: str = "",
) -> BesideWeights:  # fmt: skip
    """Weights by best-worst, fuzzy AHP and the network process, as far as they are asked for.

    Parameters
    ----------
    tree : Tree
        The indicator tree.
    judgements : Judgements
        Pairwise judgements, for fuzzy AHP: their geometric mean over experts is made fuzzy.
    best_worst : str
        YAML file: ``tree``, ``experts: {name: {node: {best_to_others: {...}, others_to_worst:
        {...}}}}``; several experts count alike. Empty: none.
    fuzzy : {"none", "buckley", "chang"}
        Chang's method only to replicate; it stands beside Buckley's.
    network : str
        YAML file: ``tree``, ``clusters: {name: [elements]}``, ``priorities: {element: {what
        influences it: share}}`` and, if wanted, ``cluster_weights`` and ``start``. The tree's
        indicators must be among the elements. Empty: none.

    Returns
    -------
    BesideWeights
        Empty tables for what was not asked for.

    Raises
    ------
    InputError
        A file for another tree, a node that is not judged, incomplete judgements.

    References
    ----------
    Rezaei (2015), Omega 53:49-57; Buckley (1985), Fuzzy Sets and Systems 17(3):233-247; Saaty
    (1996), The analytic network process.

    Examples
    --------
    >>> import cvlib as cv
    >>> tree = cv.weighting.load_tree("rfm")
    >>> given = cv.weighting.read_judgements(tree, "liu_shih_2005")
    >>> found = cv.weighting.weights_beside(tree, given, fuzzy="buckley")
    >>> found.weights["method"].unique().tolist()
    ['fuzzy_buckley']
    """
    one_of("fuzzy", fuzzy, FUZZY)
    parts: list[pd.DataFrame] = []
    said: list[Message] = []
    warnings: list[str] = []
    checks = triangles = elements = pd.DataFrame()
    if best_worst:
        found, checks, told = _by_best_worst(tree, best_worst)
        parts.append(found)
        warnings += told
        said.append(_first(tree, found, "weighting.best_worst_beside"))
    if fuzzy != "none":
        found, triangles, told = _by_fuzzy(tree, judgements, fuzzy)
        parts.append(found)
        warnings += told
        chosen = found[found["method"] == "fuzzy_buckley"]
        said.append(_first(tree, chosen, "weighting.fuzzy_beside"))
    if network:
        found, elements, told = _by_network(tree, network)
        parts.append(found)
        warnings += told
        said.append(_first(tree, found, "weighting.network_beside"))
    kinds = dict.fromkeys(WEIGHTS[:3], object) | dict.fromkeys(WEIGHTS[3:], float)
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    weights = pd.concat(parts, ignore_index=True) if parts else empty
    return BesideWeights(
        weights, checks, triangles, elements, tuple(said), tuple(dict.fromkeys(warnings))
    )


def _first(tree: Tree, weights: pd.DataFrame, told: str) -> Message:
    ends = weights[weights["indicator"].isin(tree.weighted)]
    top = ends[ends["global_weight"] >= ends["global_weight"].max() - ALIKE]
    row = top.iloc[0]
    if len(top) > 1:
        method, share = row["method"], float(row["global_weight"])
        return message("weighting.beside_alike", method=method, weight=share,
                       indicators=list(top["indicator"]))  # fmt: skip
    return message(
        told, indicator=row["indicator"], weight=float(row["global_weight"]),
        low=float(row["ci_low"]), high=float(row["ci_high"]),
    )  # fmt: skip


def _for_tree(source: Source, named: str, tree: Tree) -> None:
    if named != tree.name:
        raise source.error(("tree",), f"is for tree {named!r}, not {tree.name!r}", "Change one.")


def _table(
    tree: Tree, method: str, local: dict[str, np.ndarray], low: dict[str, np.ndarray],
    high: dict[str, np.ndarray],
) -> pd.DataFrame:  # fmt: skip
    """Tidy weights of a tree from local weights and their limits."""
    weights = global_weights(tree, local)
    ends = pd.Series({item: float(weights[item]) for item in tree.weighted})
    table = expand_weights(tree, ends, method)
    for name, limits in (("ci_low", low), ("ci_high", high)):
        spread = global_weights(tree, limits)
        table[name] = [float(spread[node]) for node in table["indicator"]]
    return table


def _by_best_worst(tree: Tree, path: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    source = Source(path)
    document = source.parse(_BestWorstFile)
    _for_tree(source, document.tree, tree)
    if not document.experts:
        raise source.error(("experts",), "names no expert", "Give one or more.")
    checks: list[pd.DataFrame] = []
    warnings: list[str] = []
    local: dict[str, np.ndarray] = {}
    low: dict[str, np.ndarray] = {}
    high: dict[str, np.ndarray] = {}
    for node, below in tree.compared.items():
        if len(below) < 2:
            continue
        found = []
        for expert, nodes in document.experts.items():
            where = f"{source.name}, {expert}, node {node!r}"
            given = nodes.get(node, {})
            if sorted(given) != ["best_to_others", "others_to_worst"]:
                raise InputError(
                    where, message("refusals.is_not_judged_by_best"), message("refusals.give_both")
                )
            if sorted(given["best_to_others"]) != sorted(below):
                raise InputError(
                    where,
                    message("refusals.does_not_judge_the_children"),
                    message("refusals.judge_each_of", names=", ".join(below)),
                )
            result = best_worst(given["best_to_others"], given["others_to_worst"])
            checks.append(result.consistency.assign(expert=expert, node=node))
            warnings += result.warnings
            found.append(result.weights.set_index("item").loc[list(below)])
        for name, store in (("linear", local), ("low", low), ("high", high)):
            store[node] = np.mean([each[name].to_numpy() for each in found], axis=0)
    table = pd.concat(checks, ignore_index=True)
    front = ["expert", "node"]
    table = table[[*front, *[c for c in table if c not in front]]]
    return _table(tree, "best_worst", local, low, high), table, warnings


def _by_fuzzy(
    tree: Tree, judgements: Judgements, fuzzy: str
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    if not judgements.matrices:
        raise InputError(
            "parameter fuzzy",
            message("refusals.needs_expert_judgements"),
            message("refusals.name_judgements"),
        )
    tables: list[pd.DataFrame] = []
    warnings: list[str] = []
    local: dict[str, dict[str, np.ndarray]] = {"buckley": {}, "chang": {}}
    low: dict[str, np.ndarray] = {}
    high: dict[str, np.ndarray] = {}
    for node, below in tree.compared.items():
        if len(below) < 2:
            continue
        logs = [np.log(m[node].to_numpy(float)) for m in judgements.matrices.values()]
        crisp = np.exp(np.mean(logs, axis=0))
        if np.isnan(crisp).any():
            raise InputError(
                f"node {node!r}",
                message("refusals.a_judgement_is_not_given"),
                message("refusals.fuzzy_ahp_needs_every_pair"),
            )
        matrix = fuzzified(crisp)
        matrix[np.arange(len(below)), np.arange(len(below))] = 1.0
        found = from_triangles(matrix, list(below))
        own = found.weights
        warnings += [w for w in found.warnings if fuzzy == "chang" or getattr(w, "id", "") != ZERO]
        tables.append(own.assign(node=node))
        local["buckley"][node] = own["buckley"].to_numpy()
        local["chang"][node] = own["chang"].to_numpy()
        low[node] = own["possible_low"].fillna(own["low"]).to_numpy()
        high[node] = own["possible_high"].fillna(own["high"]).to_numpy()
    weights = [_table(tree, "fuzzy_buckley", local["buckley"], low, high)]
    if fuzzy == "chang":
        extent = local["chang"]
        weights.append(_table(tree, "fuzzy_chang", extent, extent, extent))
    table = pd.concat(tables, ignore_index=True)
    table = table[["node", *[c for c in table if c != "node"]]]
    return pd.concat(weights, ignore_index=True), table, warnings


def _by_network(tree: Tree, path: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    source = Source(path)
    document = source.parse(_NetworkFile)
    _for_tree(source, document.tree, tree)
    clusters = {e: name for name, elements in document.clusters.items() for e in elements}
    names = list(clusters)
    absent = [item for item in tree.weighted if item not in clusters]
    if absent:
        raise source.error(("clusters",), f"{absent[0]!r} stands in none", "Add the indicator.")
    matrix = pd.DataFrame(0.0, index=names, columns=names)
    for element, shares in document.priorities.items():
        for influence, share in shares.items():
            for one in (element, influence):
                if one not in clusters:
                    raise source.error(("priorities", element), f"{one!r} is in no cluster",
                                       "Put it in one.")  # fmt: skip
            matrix.loc[influence, element] = share
    own = document.cluster_weights
    blocks = pd.DataFrame(own).fillna(0.0) if own else None
    if blocks is not None:
        known = list(document.clusters)
        blocks = blocks.reindex(index=known, columns=known).fillna(0.0)
    found = network_process(matrix, clusters, blocks, start=document.start)
    ends = found.priorities.set_index("element")["limit"][list(tree.weighted)]
    if not ends.sum() > 0:
        raise InputError(source.name, message("refusals.leaves_no_weight_to_any"),
                         message("refusals.let_the_indicators_influence_something"))  # fmt: skip
    table = expand_weights(tree, ends / ends.sum(), "network_process")
    return table.assign(ci_low=np.nan, ci_high=np.nan), found.priorities, list(found.warnings)
