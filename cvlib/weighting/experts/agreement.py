"""How far experts agree, who moves the group's weights, and which experts think alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.statistics.ranks import kendall_tau
from cvlib.weighting.agreement import kendall_w
from cvlib.weighting.experts.ahp import priorities
from cvlib.weighting.tree import Tree
from cvlib.words.message import message


def consensus_indicator(weights: np.ndarray, scale_maximum: float = 9.0) -> tuple[float, float]:
    """Goepel's consensus S*: 1 all experts alike, 0 each on an item of their own.

    Parameters
    ----------
    weights : ndarray (experts, n)
        Priorities of two experts or more.
    scale_maximum : float
        Largest judgement of the scale.

    Returns
    -------
    original, revised : float
        By the formula of 2013, whose largest diversity depends on the number of experts while
        they are fewer than the items, and by the later one of AHP-OS, whose does not (it is n).

    References
    ----------
    Goepel, K. D. (2013). Implementing the analytic hierarchy process as a standard method for
    multi-criteria decision making in corporate enterprises. Proc. ISAHP. Revision: bpmsg.com,
    "AHP consensus indicator", eq. 1.8 to 1.10.
    """
    experts, n = weights.shape
    k, total = min(experts, n), n + scale_maximum - 1
    alpha = stats.entropy(weights, axis=1).mean()
    similarity = np.exp(alpha - stats.entropy(weights.mean(axis=0)))
    top = scale_maximum / total
    alpha_min = -top * np.log(top) - (n - 1) / total * np.log(1 / total)
    shared = (k + scale_maximum - 1) / total
    gamma_max = -(n - k) / total * np.log(1 / total) - shared * np.log(shared / k)
    floors = np.exp(alpha_min - np.array([gamma_max, np.log(n)]))
    original, revised = (similarity - floors) / (1 - floors)
    return float(original), float(revised)


def consensus(
    stacks: Mapping[str, np.ndarray], method: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Consensus S*, Kendall's W and mean Spearman correlation of the experts at every node.

    An expert who ranks all items alike has no correlation with the others and does not count in
    the mean.
    """
    columns = ["node", "experts", "n", "consensus", "band", "consensus_revised"]
    columns += ["kendall_w", "chi2", "p", "mean_spearman"]
    rows = []
    for node, stack in stacks.items():
        experts, n = stack.shape[:2]
        if experts < 2:
            continue
        own = pd.DataFrame(priorities(stack, method).T)
        indicator, revised = consensus_indicator(own.to_numpy().T)
        band = int(np.searchsorted([0.5, 0.65, 0.75], indicator))
        w = kendall_w(own).set_index("measure")["value"]
        pairs = own.round(12).corr("spearman").to_numpy()[np.triu_indices(experts, 1)]
        defined = pairs[~np.isnan(pairs)]
        mean = float(defined.mean()) if len(defined) else np.nan
        named = ["none", "low", "moderate", "high"][band]
        agree = [indicator, named, revised, w["w"], w["chi2"], w["p"], mean]
        rows.append([node, experts, n, *agree])
    found = pd.DataFrame(rows, columns=columns)
    told = tuple(
        message("weighting.no_rank_agreement", node=node)
        for node in found.loc[found[["kendall_w", "mean_spearman"]].isna().any(axis=1), "node"]
    )
    return found, told


def influence(
    tree: Tree, overall: Mapping[str, np.ndarray], usable: np.ndarray, experts: list[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """What changes when one expert is left out.

    Parameters
    ----------
    tree : Tree
        The indicator tree.
    overall : mapping of node to ndarray (1 + experts,)
        Global weights of all experts together, then without each.
    usable : ndarray (1 + experts,)
        False where the others' judgements leave items without a link.
    experts : list of str
        Their names.
    """
    ends = list(tree.weighted)
    table = np.stack([np.broadcast_to(overall[end], usable.shape) for end in ends], axis=1)
    rows: list[list[Any]] = []
    for expert, without, linked in zip(experts, table[1:], usable[1:], strict=True):
        if linked:
            change = without - table[0]
            largest = np.abs(change).argmax()
            tau = kendall_tau(table[0], without)
            rows.append([expert, ends[largest], change[largest], tau])
    told = tuple(
        message("weighting.influence_unlinked", expert=expert)
        for expert, linked in zip(experts, usable[1:], strict=True)
        if not linked
    )
    return pd.DataFrame(rows, columns=["expert", "indicator", "change", "kendall_tau_b"]), told


def clusters(tree: Tree, own: pd.DataFrame, experts: list[str]) -> pd.DataFrame:
    """Average-linkage clusters of the experts' centred log-ratio weights, by best silhouette."""
    columns = ["expert", "cluster", "silhouette"]
    if len(experts) < 4:
        return pd.DataFrame(columns=columns)
    from scipy.cluster.hierarchy import fcluster, linkage
    from sklearn.metrics import silhouette_samples

    weights = own.pivot(index="expert", columns="indicator", values="global_weight")
    logs = np.log(weights.loc[experts, list(tree.weighted)].to_numpy())
    points = logs - logs.mean(axis=1, keepdims=True)
    best = np.ones(len(experts), dtype=int), np.zeros(len(experts))
    joined = linkage(points, method="average")
    for count in range(2, min(5, len(experts) - 1) + 1):
        member = fcluster(joined, count, criterion="maxclust")
        if len(np.unique(member)) != count:
            continue
        silhouette = silhouette_samples(points, member)
        # below .25 a structure is not substantial (Kaufman & Rousseeuw 1990)
        if silhouette.mean() > max(best[1].mean(), 0.25):
            best = member, silhouette
    return pd.DataFrame({"expert": experts, "cluster": best[0], "silhouette": best[1]})
