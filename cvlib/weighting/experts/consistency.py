"""Which judgements make a matrix inconsistent, what would mend them, and how firm the ranks are.

Everything here is a suggestion: nothing changes a judgement by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.statistics.ties import settled
from cvlib.weighting.experts.ahp import consistency, eigenvector, random_index
from cvlib.weighting.tree import Tree
from cvlib.words.message import message

SCALE = np.concatenate([1 / np.arange(9.0, 1.0, -1.0), np.arange(1.0, 10.0)])


def suggestions(matrix: pd.DataFrame, table: str = "alonso_lamata", top: int = 3) -> pd.DataFrame:
    """The judgements furthest from the weights they lead to, and the values that would mend them.

    Parameters
    ----------
    matrix : DataFrame (n, n)
        Checked judgements of one node.
    table : str
        Random-index table.
    top : int
        How many to list.

    Returns
    -------
    DataFrame
        ``row, column, judgement, ratio`` (a_ij w_j/w_i; 1 is consistent), ``implied`` (w_i/w_j),
        ``suggested`` (implied, on the 17-value scale), ``cr_after`` (with that value),
        ``mending_value`` (the value of the scale with the lowest ratio) and ``cr_mended``.
        Empty where nothing can be inconsistent (n < 3, or a tree of judgements).

    References
    ----------
    Saaty, T. L. (2003). Decision-making with the AHP: why is the principal eigenvector necessary.
    Eur. J. Operational Research 145, 85-91.
    """
    values = matrix.to_numpy(float)
    n = len(values)
    weights = eigenvector(values)[0]
    ri = random_index(n, table, int(np.isnan(values).sum() // 2))
    found = []
    for i, j in zip(*np.triu_indices(n, 1), strict=True):
        if ri < 1e-9 or np.isnan(values[i, j]):
            continue
        # told with the more important item first, as the expert reads it
        i, j = (j, i) if values[i, j] < 1 else (i, j)
        found.append((abs(np.log(values[i, j] * weights[j] / weights[i])), i, j))
    rows = []
    worst = np.argsort(-settled([entry[0] for entry in found]), kind="stable")[:top]
    for deviation, i, j in (found[at] for at in worst):
        if deviation < 1e-9:
            continue
        tried = np.repeat(values[None], len(SCALE), axis=0)
        tried[:, i, j], tried[:, j, i] = SCALE, 1 / SCALE
        ratios = np.maximum(eigenvector(tried)[1] - n, 0) / (n - 1) / ri
        implied = weights[i] / weights[j]
        nearest = int(settled(np.abs(np.log(SCALE / implied))).argmin())
        best = int(settled(ratios).argmin())
        rows.append(
            {
                "row": matrix.index[i],
                "column": matrix.index[j],
                "judgement": values[i, j],
                "ratio": values[i, j] / implied,
                "implied": implied,
                "suggested": SCALE[nearest],
                "cr_after": ratios[nearest],
                "mending_value": SCALE[best],
                "cr_mended": ratios[best],
            }
        )
    columns = "row column judgement ratio implied suggested cr_after mending_value cr_mended"
    return pd.DataFrame(rows, columns=columns.split())


def worst_triad(matrix: pd.DataFrame) -> pd.DataFrame:
    """The three items whose judgements contradict each other most (Koczkodaj 1993).

    Returns
    -------
    DataFrame
        One row ``first, second, third, koczkodaj``: the largest over triads of
        min(|1 - a_ik/(a_ij a_jk)|, |1 - a_ij a_jk/a_ik|), 0 to 1; empty when no triad is judged.
    """
    values = matrix.to_numpy(float)
    best: tuple[float, tuple[int, int, int]] | None = None
    for i, j, k in combinations(range(len(values)), 3):
        across = values[i, k] / (values[i, j] * values[j, k])
        index = min(abs(1 - across), abs(1 - 1 / across))
        # of triads that are equal on paper the first is told
        if not np.isnan(index) and (best is None or index > best[0] + 1e-12):
            best = (float(index), (i, j, k))
    names = ["first", "second", "third"]
    rows = [] if best is None else [[*(matrix.index[p] for p in best[1]), best[0]]]
    return pd.DataFrame(rows, columns=[*names, "koczkodaj"])


def cycles(matrix: pd.DataFrame) -> pd.DataFrame:
    """All ordinal contradictions ``first > second > third > first`` (Kendall & Babington Smith).

    A numerical repair can lower the consistency ratio and leave such a cycle in place.
    """
    prefers = matrix.to_numpy(float) > 1 + 1e-9
    # a cycle of three has each item once in front: i is written as the first of the three
    i, j, k = np.nonzero(prefers[:, :, None] & prefers[None, :, :] & prefers.T[:, None, :])
    first = (i < j) & (i < k)
    found = matrix.index.to_numpy()[np.column_stack([i, j, k])[first]]
    return pd.DataFrame(found, columns=["first", "second", "third"])


@dataclass(frozen=True, eq=False)
class Blend:
    """A matrix drawn towards consistency, as a suggestion.

    Attributes
    ----------
    matrix : pandas.DataFrame
        The blended judgements (not on the scale).
    steps : pandas.DataFrame
        ``step, cr, distance, deviation``: distance max |a - a0|, deviation sqrt(Σ(a - a0)²)/n;
        Xu and Wei ask for less than 2 and 1.
    warnings : tuple of str
        Whether the distance is beyond that, and the ordinal cycles that remain.
    """

    matrix: pd.DataFrame
    steps: pd.DataFrame
    warnings: tuple[str, ...]


def blend(
    matrix: pd.DataFrame,
    *,
    table: str = "alonso_lamata",
    keep: float = 0.9,
    threshold: float | None = None,
) -> Blend:
    """Blend judgements with the ratios of their weights until the consistency ratio is acceptable.

    Each step sets a_ij to a_ij^λ (w_i/w_j)^(1-λ), w the principal eigenvector.

    Parameters
    ----------
    matrix : DataFrame (n, n)
        Checked judgements of one node.
    table : str
        Random-index table.
    keep : float
        λ in (0, 1): how much of the judgement each step keeps.
    threshold : float, optional
        Consistency ratio to reach; that of the matrix's size by default.

    References
    ----------
    Xu, Z. & Wei, C. (1999). A consistency improving method in the analytic hierarchy process.
    Eur. J. Operational Research 116, 443-449.
    """
    number("keep", keep, 0, 1, ends="()", remedy="0.9 is usual.")
    original = matrix.to_numpy(float)
    values = original.copy()
    rows: list[dict[str, float]] = []
    while True:
        check = consistency(pd.DataFrame(values), table)
        change = np.nan_to_num(values - original)
        rows.append(
            {
                "step": len(rows),
                "cr": check["cr"],
                "distance": float(np.abs(change).max()),
                "deviation": float(np.sqrt((change**2).sum()) / len(values)),
            }
        )
        limit = check["threshold"] if threshold is None else threshold
        if check["cr"] <= max(limit, 1e-9):
            break
        weights = eigenvector(values)[0]
        values = values**keep * (weights[:, None] / weights) ** (1 - keep)
    blended = pd.DataFrame(values, index=matrix.index, columns=matrix.columns)
    warnings = []
    if rows[-1]["distance"] >= 2 or rows[-1]["deviation"] >= 1:
        warnings.append(message("weighting.blend_far", distance=rows[-1]["distance"]))
    if count := len(cycles(blended)):
        warnings.append(message("weighting.blend_cycles", count=count))
    return Blend(blended, pd.DataFrame(rows), tuple(warnings))


def critical_weights(
    tree: Tree,
    weights: pd.Series,
    values: pd.DataFrame | None = None,
    top: int = 10,
) -> pd.DataFrame:
    """At what weight of a node two alternatives change places, the others in proportion.

    The node's share x of its parent replaces w, its siblings keep (1 - x)/(1 - w) of theirs, so a
    score is linear in x and the crossing has a closed form.

    Parameters
    ----------
    tree : Tree
        The indicator tree.
    weights : Series
        Global weight of every node of ``tree.compared``'s children, indexed by node.
    values : DataFrame (alternatives, ``tree.weighted``), optional
        Scores of alternatives on the weighted ends of the tree, 0 to 1. Without them the
        indicators are ranked themselves.
    top : int
        Alternatives compared: the best ones by weighted sum.

    Returns
    -------
    DataFrame
        ``node, weight`` (share of its parent), ``first, second`` (ranked so now),
        ``critical_weight`` (share at which they tie, in 0 to 1), ``change`` and
        ``relative_change`` (change over weight, the D' of Triantaphyllou and Sánchez), the most
        critical first. Pairs that never change places are not listed.

    References
    ----------
    Triantaphyllou, E. & Sánchez, A. (1997). A sensitivity analysis approach for some
    deterministic multi-criteria decision-making methods. Decision Sciences 28, 151-194.
    """
    ends = list(tree.weighted)
    overall = weights.loc[ends].to_numpy(float)
    table = pd.DataFrame(np.eye(len(ends)), ends, ends) if values is None else values[ends]
    parts = table.to_numpy(float) * overall
    order = np.argsort(-settled(parts.sum(axis=1)), kind="stable")[:top]
    names, parts = table.index[order], parts[order]
    pairs = np.array(list(combinations(range(len(order)), 2)), dtype=int).reshape(-1, 2)
    found = []
    for parent, children in tree.compared.items():
        total = 1.0 if parent == tree.name else float(weights[parent])
        for node in children if len(children) > 1 else ():
            share = float(weights[node]) / total
            below = np.array([_under(tree, end, node) for end in ends])
            beside = np.array([_under(tree, end, parent) for end in ends]) & ~below
            # score(x) = inside x/w + outside (1 - x)/(1 - w) + rest
            inside = parts[:, below].sum(axis=1) / share
            outside = parts[:, beside].sum(axis=1) / (1 - share)
            rest = parts[:, ~below & ~beside].sum(axis=1)
            gap = [line[pairs[:, 0]] - line[pairs[:, 1]] for line in (inside, outside, rest)]
            slope, level = gap[0] - gap[1], gap[1] + gap[2]
            with np.errstate(divide="ignore", invalid="ignore"):
                crossing = -level / slope
            for (i, j), x in zip(pairs, crossing, strict=True):
                # at 0 and 1 whole branches vanish together, which is no change of places
                if 1e-12 < x < 1 - 1e-12:
                    change = float(x) - share
                    found.append(
                        [node, share, names[i], names[j], float(x), change, change / share]
                    )
    columns = ["node", "weight", "first", "second", "critical_weight", "change", "relative_change"]
    ranked = pd.DataFrame(found, columns=columns)
    return ranked.sort_values(
        "relative_change",
        key=lambda change: settled(change.abs()),
        ignore_index=True,
        kind="stable",
    )


def _under(tree: Tree, node: str, ancestor: str) -> bool:
    while node and node != ancestor:
        node = tree.parent(node)
    return node == ancestor
