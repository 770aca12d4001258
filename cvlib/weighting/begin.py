"""What a study of one tree begins with: its indicators in words, its own file, its workbook"""

from __future__ import annotations

from pathlib import Path

from cvlib.weighting.experts.workbook import write_workbook
from cvlib.weighting.tree import available_trees, load_tree


def tree_facts(named: str, language: str = "en") -> dict[str, str]:
    """What the texts of a study folder say of a tree.

    Parameters
    ----------
    named : str
        A shipped name or a ``.yaml`` file.
    language : {"en", "zh"}
        Of the labels.

    Returns
    -------
    dict of str to str
        ``tree``, as the study file names it; ``columns``, a line per indicator; ``weighed``, blank
        where the tree has nothing to weigh.
    """
    tree = load_tree(named)
    lines = [
        f"  - {row['column']}: {tree.label(row['node'], language)} "
        f"({row['unit'] or ', '.join(map(str, row['values']))})"
        for row in tree.nodes[tree.nodes["is_leaf"]].to_dict("records")
    ]
    return {
        "tree": named if named in available_trees() else Path(named).name,
        "columns": "\n".join(lines),
        "weighed": "yes" if len(tree.weighted) > 1 else "",
    }


def write_tree(named: str, folder: Path, language: str = "en") -> list[Path]:
    """Put a copy of a tree of one's own, and the expert workbook, into a study folder.

    Parameters
    ----------
    named : str
        A shipped name or a ``.yaml`` file.
    folder : Path
        Where to.
    language : {"en", "zh"}
        Of the workbook.

    Returns
    -------
    list of Path
        The files written: none for a shipped tree with nothing to weigh.
    """
    tree, written = load_tree(named), []
    if named not in available_trees():
        written.append(folder / Path(named).name)
        written[0].write_bytes(Path(named).read_bytes())
    if len(tree.weighted) > 1:
        written.append(write_workbook(tree, folder / "expert_judgements.xlsx", language=language))
    return written
