"""What the ids of a weighting are called in print: indicators, methods, grades, measures."""

from __future__ import annotations

from collections.abc import Sequence

from cvlib.weighting.experts.judgements import words
from cvlib.weighting.tree import Tree


def print_names(tree: Tree, language: str = "en") -> dict[str, str]:
    """Labels of a tree's nodes and of every method, scheme, grade and measure of the pillar.

    Parameters
    ----------
    tree : Tree
        The tree; its own labels win where a node has the name of a method.
    language : {"en", "zh"}
        Language of the labels.

    Returns
    -------
    dict
        Id to label; the root is the goal, where it is not itself what is scored; ``only_`` and an
        item the weighting by that item alone.
    """
    said = words(language)
    nodes = {node: tree.label(node, language) for node in tree.nodes["node"]}
    single = {
        f"only_{item}": said["only"].format(indicator=nodes[item])
        for item in tree.weighted or (tree.name,)
    }
    numbered = {f"grade {i}": said["grade"].format(number=i) for i in range(1, 11)}
    whole = {} if tree.weighted in ((), (tree.name,)) else {tree.name: said["goal"]}
    return {**said["names"], **numbered, **single, **nodes, **whole}


def listed(names: Sequence[str], language: str = "en") -> str:
    """Several names as a part of a sentence: a, b and c."""
    said = words(language)
    return str(said["and"]).join([*filter(None, [said["comma"].join(names[:-1])]), names[-1]])
