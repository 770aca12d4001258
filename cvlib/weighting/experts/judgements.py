"""Expert judgements: one checked matrix per expert and node, every judgement echoed as a sentence.

A judgement is written ``a|b: 5``: a is 5 times as important as b. Names are those of the tree.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError, nearest, reason_of, shorten
from cvlib.inputs.heads import spelt
from cvlib.inputs.shipped import shipped_yaml
from cvlib.weighting.tree import Tree
from cvlib.words.message import Message, message

FAULTY = ("refuse", "leave_out")
_ROUNDED = 0.005 + 1e-9  # half a unit of the second decimal, as in printed reciprocals


class Pair(NamedTuple):
    """One judgement as written: how many times as important row is as column, and where."""

    row: str
    column: str
    value: Any
    where: str


@dataclass(frozen=True, eq=False)
class Judgements:
    """Checked judgements of one or many experts on one tree.

    Attributes
    ----------
    matrices : dict of expert to dict of node to DataFrame
        Reciprocal matrices, items in the tree's order, NaN where a judgement was not given.
    sentences : pandas.DataFrame
        ``expert, node, row, column, value, en, zh``: every judgement as a sentence.
    left_out : pandas.DataFrame
        ``expert, reason``: experts left out (only when asked for).
    source : str
        Where the judgements come from, with the note of a published set.
    warnings : tuple of str
    published : str
        Name of the shipped set they are; empty for the user's own.
    files : tuple of (str, str, int)
        Name, SHA-256 and number of experts of every file that was read.
    """

    matrices: dict[str, dict[str, pd.DataFrame]]
    sentences: pd.DataFrame
    left_out: pd.DataFrame
    source: str
    warnings: tuple[str, ...]
    published: str = ""
    files: tuple[tuple[str, str, int], ...] = ()

    @property
    def read(self) -> tuple[str, str, int]:
        """What a run notes: name, SHA-256 (of several files: of their hashes), judgements."""
        names = [name for name, _, _ in self.files]
        hashes = "".join(digest for _, digest, _ in self.files)
        one = len(names) == 1
        digest = hashes if one else hashlib.sha256(hashes.encode()).hexdigest()
        label = names[0] if one else f"{names[0]} and {len(names) - 1} more"
        return label, digest, len(self.sentences)


@cache
def words(language: str) -> dict[str, Any]:
    """Words of the evidence grades, the judgement scale, the echo and the workbook."""
    text = (resources.files("cvlib.weighting") / "words.yaml").read_text("utf-8")
    found: dict[str, Any] = shipped_yaml(text)["zh" if language == "zh" else "en"]
    return found


def sentence(tree: Tree, row: str, column: str, value: float, language: str) -> str:
    """Say a judgement in words, the more important item first."""
    said = words(language)
    if value < 1:
        row, column, value = column, row, 1 / value
    names = {"row": tree.label(row, language), "column": tree.label(column, language)}
    template = said["equal"] if abs(value - 1) < 1e-9 else said["more"]
    return str(template.format(value=f"{value:.3g}", **names))


def number(value: Any, where: str) -> float:
    """A judgement as a positive number: 5, 0.2, "1/5" or "1:5"; NaN when blank."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return np.nan
    if isinstance(value, float) and np.isnan(value):
        return np.nan
    if made := excel_date(value):
        raise InputError(
            where,
            message(
                f"refusals.excel_made_a_{'time' if ':' in made else 'date'}_of_the_cell",
                made=made,
                cell=shorten(value),
            ),
            message("refusals.format_the_cell_as_text_before_writing"),
        )
    try:
        if isinstance(value, bool):
            raise ValueError
        written = unicodedata.normalize("NFKC", str(value)).strip()
        written = written.replace(",", ".").replace("\u2044", "/")  # one third as one sign
        over, slash, under = written.replace(":", "/").partition("/")  # 3:1 is three to one
        read = float(over) / (float(under) if slash else 1.0)
        if not np.isfinite(read):
            raise ValueError
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise InputError(
            where,
            message("refusals.is_not_a_judgement", cell=shorten(value)),
            message("refusals.write_a_number_such_as_3_or"),
        ) from None
    if read <= 0:
        raise InputError(
            where,
            message("refusals.the_judgement_is_not_a_positive_number", read=read),
            message("refusals.write_1_3_not_3_or_0"),
        )
    return read


def excel_date(value: Any) -> str:
    """What was written where a spreadsheet put a date for a fraction: 1/3; "" for no date."""
    if isinstance(value, datetime | date):
        small, large = sorted((value.month, value.day))
        return f"{small}/{large}"
    if isinstance(value, time):
        return f"{value.hour}:{value.minute}"
    text = str(value).strip() if isinstance(value, str) else ""
    if found := re.fullmatch(r"(?:\d{4}-)(\d\d)-(\d\d)(?:[ T]00:00:00)?", text):
        small, large = sorted(map(int, found.groups()))
        return f"{small}/{large}"
    if found := re.fullmatch(r"(\d{1,2})月(\d{1,2})日", text):
        return f"{found[1]}/{found[2]}"
    month = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    either = rf"(?:(\d{{1,2}})[- ]({month})|({month})[- ](\d{{1,2}}))"
    if found := re.fullmatch(either, text.lower()):
        number = month.split("|").index(found[2] or found[3]) + 1
        small, large = sorted((number, int(found[1] or found[4])))
        return f"{small}/{large}"
    return ""


def matrix_from_pairs(items: Sequence[str], pairs: Sequence[Pair], where: str) -> pd.DataFrame:
    """Build one node's matrix from its judgements and check it.

    Raises
    ------
    InputError
        A judgement that is not a positive number, two that contradict each other, none at all,
        or none that links one part of the items with the rest.
    """
    values = np.full((len(items), len(items)), np.nan)
    np.fill_diagonal(values, 1.0)
    place = {item: position for position, item in enumerate(items)}
    written: dict[frozenset[str], str] = {}
    for row, column, value, cell in pairs:
        read, i, j = number(value, cell), place[row], place[column]
        if np.isnan(read):
            continue
        known = values[i, j]
        # printed reciprocals are rounded (.33, .14, .13)
        differ = abs(np.log(known / read)) > 0.05 or (
            min(abs(known - read), abs(1 / known - 1 / read)) > _ROUNDED
        )
        if not np.isnan(known) and differ:
            before = (
                "an item against itself" if row == column else written[frozenset((row, column))]
            )
            raise InputError(
                cell,
                message(
                    "refusals.against_is_but_by_the_judgements_are",
                    row=row,
                    column=column,
                    one=read,
                    two=known,
                    where=before,
                ),
                message("refusals.write_here_or_mend_the_other", known=known),
            )
        if row != column and (np.isnan(known) or read > 1):
            values[i, j], values[j, i] = read, 1 / read
            written[frozenset((row, column))] = cell
    _check_connected(values, items, where)
    return pd.DataFrame(values, index=list(items), columns=list(items))


def _check_connected(values: np.ndarray, items: Sequence[str], where: str) -> None:
    from scipy.sparse.csgraph import connected_components

    parts, member = connected_components(~np.isnan(values), directed=False)
    if parts == 1:
        return
    if parts == len(items):
        raise InputError(
            where,
            message("refusals.no_judgement_is_given"),
            message("refusals.compare_the_items_or_leave_the_expert"),
        )
    first = [item for item, part in zip(items, member, strict=True) if part == member[0]]
    rest = [item for item in items if item not in first]
    raise InputError(
        where,
        message("refusals.no_judgement_links", first=", ".join(first), rest=", ".join(rest)),
        message("refusals.add_a_judgement", one=first[0], other=rest[0]),
    )


def named_by(tree: Tree, text: Any) -> list[str]:
    """The nodes that a name or a label in either language may mean: none, one or several."""
    asked = "" if text is None else str(text).strip()
    nodes = tree.nodes
    if asked in set(nodes["node"]):
        return [asked]
    meant = (nodes["label_en"] == asked) | (nodes["label_zh"] == asked)
    if not meant.any() and asked:  # written otherwise than the tree writes it: case, width, signs
        names = nodes[["node", "label_en", "label_zh"]].map(spelt)
        meant = (names == spelt(asked)).any(axis=1) & bool(spelt(asked))
    return [str(node) for node in nodes.loc[meant & bool(asked), "node"]]


def resolve(tree: Tree, text: Any, where: str) -> str:
    """The node meant by a name or a label in either language."""
    found = named_by(tree, text)
    if len(found) != 1:
        wrong = "label_of_several_nodes" if found else "not_in_the_tree"
        asked = str(text).strip()
        raise InputError(
            where, message(f"refusals.{wrong}", name=shorten(asked), tree=tree.name),
            nearest(asked, list(tree.nodes["node"])),
        )  # fmt: skip
    return found[0]


def collect(
    tree: Tree,
    experts: Mapping[str, Sequence[Pair]],
    source: str,
    *,
    faulty: str = "refuse",
    places: Mapping[tuple[str, str], str] | None = None,
) -> Judgements:
    """Sort judgements into one matrix per expert and node, check them, and echo them.

    Parameters
    ----------
    tree : Tree
        The tree whose ``compared`` nodes with two children or more need judgements.
    experts : mapping of expert to sequence of Pair
        Judgements; the node follows from the names of the pair.
    source : str
        Named in errors.
    faulty : {"refuse", "leave_out"}
        What to do with an expert whose judgements are wrong or who left a node empty: raise, or
        leave the expert out and count the reason in ``left_out``. An expert who gave no judgement
        at all did not answer: left out and counted under either rule.
    places : mapping of (expert, node) to str, optional
        Where a node's judgements were expected, for the error of an empty node.
    """
    one_of("faulty", faulty, FAULTY)
    kept: dict[str, dict[str, pd.DataFrame]] = {}
    left_out: list[dict[str, str]] = []
    for expert, pairs in experts.items():
        if len(experts) > 1 and all(_blank(pair.value) for pair in pairs):
            left_out.append({"expert": expert, "reason": message("weighting.no_answer")})
            continue
        try:
            sorted_pairs: dict[str, list[Pair]] = {n: [] for n in tree.compared}
            for pair in pairs:
                node = _common_parent(tree, pair)
                sorted_pairs[node].append(pair)
            kept[expert] = {
                node: matrix_from_pairs(
                    below,
                    sorted_pairs[node],
                    (places or {}).get((expert, node), f"{source}, {expert}, node {node!r}"),
                )
                for node, below in tree.compared.items()
                if len(below) > 1
            }
        except InputError as error:
            if faulty == "refuse":
                raise
            left_out.append({"expert": expert, "reason": reason_of(error)})
    if not kept:
        reason = left_out[0]["reason"] if left_out else message("refusals.no_expert_was_found")
        raise InputError(source, message("refusals.no_usable_judgements", reason=reason),
                         message("refusals.mend_the_judgements"))  # fmt: skip
    warnings = tuple(
        message("weighting.beyond_nine", expert=expert, node=node)
        for expert, matrices in kept.items()
        for node, matrix in matrices.items()
        if np.nanmax(matrix.to_numpy()) > 9 + 1e-9
    )
    if left_out:
        counted = {"count": len(left_out), "total": len(experts)}
        warnings = (message("weighting.experts_left_out", **counted), *warnings)
    return Judgements(
        kept,
        _echo(tree, kept),
        pd.DataFrame(left_out, columns=["expert", "reason"]),
        source,
        warnings,
    )


def _blank(value: Any) -> bool:
    return value is None or value != value or not str(value).strip()


def _common_parent(tree: Tree, pair: Pair) -> str:
    for node, below in tree.compared.items():
        if pair.row in below and pair.column in below:
            return node
    raise InputError(
        pair.where,
        message("refusals.not_compared", row=pair.row, column=pair.column),
        message("refusals.compare_children_of_one_node", tree=tree.name),
    )


def _echo(tree: Tree, kept: dict[str, dict[str, pd.DataFrame]]) -> pd.DataFrame:
    rows = []
    for expert, matrices in kept.items():
        for node, matrix in matrices.items():
            values = matrix.to_numpy(float)
            for i, j in zip(*np.triu_indices(len(values), 1), strict=True):
                if not np.isnan(values[i, j]):
                    row, column, value = matrix.index[i], matrix.index[j], values[i, j]
                    said = {lang: sentence(tree, row, column, value, lang) for lang in ("en", "zh")}
                    given = {"expert": expert, "node": node, "row": row, "column": column}
                    rows.append({**given, "value": value, **said})
    return pd.DataFrame(rows, columns=["expert", "node", "row", "column", "value", "en", "zh"])


def left_out_verdict(judgements: Judgements) -> tuple[int | None, Message | None]:
    """How many experts were left out, and who, for the first screen of a report.

    Parameters
    ----------
    judgements : Judgements
        As read, those left out among them.

    Returns
    -------
    tuple
        The number and the sentence; None twice where nobody was left out.
    """
    gone = list(map(str, judgements.left_out["expert"]))
    if not gone:
        return None, None
    total = len(gone) + len(judgements.matrices)
    return len(gone), message("weighting.experts_out", count=len(gone), total=total, names=gone)


def no_judgements() -> Judgements:
    """Judgements of nobody: what an empty parameter reads."""
    said = pd.DataFrame(columns=["expert", "node", "row", "column", "value", "en", "zh"])
    return Judgements({}, said, pd.DataFrame(columns=["expert", "reason"]), "", ())


def from_pairs(
    tree: Tree, judgements: Mapping[str, Any], *, expert: str = "expert", source: str = "judgements"
) -> Judgements:
    """One expert's judgements from an upper triangle ``{"recency|frequency": 5, ...}``."""
    return collect(tree, {expert: _named_pairs(tree, judgements, source)}, source)


def _named_pairs(tree: Tree, written: Mapping[str, Any], where: str) -> list[Pair]:
    return [
        Pair(*split_name(tree, name, f"{where}, {name!r}"), value, f"{where}, {name!r}")
        for name, value in written.items()
    ]


def split_name(tree: Tree, name: str, where: str) -> tuple[str, str]:
    """The two nodes of a name like ``recency|frequency`` or ``recency vs frequency``."""
    parts = pair_of(name)
    if len(parts) != 2:
        raise InputError(
            where,
            message("refusals.does_not_name_two_items"),
            message("refusals.write_it_as_row_column"),
        )
    return resolve(tree, parts[0], where), resolve(tree, parts[1], where)


def pair_of(name: str) -> list[str]:
    """The parts of a name of a pair: at a bar, at "vs", or at a colon; one part where it is none.

    Examples
    --------
    >>> pair_of("price vs. quality")
    ['price', 'quality']
    """
    if "|" in name:
        return name.split("|")
    return [part.strip() for part in re.split(r"\s+(?:vs\.?|versus)\s+|[:\uff1a]", name)]
