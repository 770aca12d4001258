"""Maturity as a level: the weakest area decides, and what the next level would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cvlib.results import Result
from cvlib.weighting.scale import levels
from cvlib.weighting.table import Indicators
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class Maturity(Result):
    """Levels of organisations.

    Attributes
    ----------
    levels : pandas.DataFrame
        organisation, node, level (whole number), weakest (areas at that level, ties kept) and
        areas_to_raise (how many have to rise for the next level; 0 at the top of the scale).
    areas : pandas.DataFrame
        organisation, node, area, raw (as given), level (rounded down), steps (to the next level).
    verdict : Message or None
        None where the tree has no minimum of leaves on one scale.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("levels", "areas")

    levels: pd.DataFrame
    areas: pd.DataFrame
    verdict: Message | None
    warnings: tuple[str, ...]


def maturity(indicators: Indicators) -> Maturity:
    """Level of each organisation: the smallest raw level of its areas, never an average.

    Parameters
    ----------
    indicators : Indicators
        Organisations, of a tree with a minimum node whose leaves share one stated scale; other
        trees give empty tables.

    Returns
    -------
    Maturity
        Levels do not depend on who else is in the table: one organisation is enough.

    References
    ----------
    Paulk, M. C. et al. (1993). Capability Maturity Model, version 1.1. IEEE Software 10(4), 18-27
    (levels reached only when every process area reaches them) [M].

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> tree = cv.weighting.load_tree("crm_maturity")
    >>> answers = pd.DataFrame([{leaf: 3 for leaf in tree.leaves} | {"service_process": 2}])
    >>> found = cv.weighting.maturity(cv.weighting.indicators(answers, tree))
    >>> found.levels[["level", "weakest"]].to_dict("records")
    [{'level': 2, 'weakest': 'service_process'}]
    """
    tree, rows, parts = indicators.tree, [], []
    reached = levels(indicators).columns
    nodes = tree.nodes.set_index("node")
    broken = 0
    for node in [n for n in tree.children if f"level_{n}" in reached or n == tree.name]:
        if node == tree.name and "level" not in reached:
            continue
        below = list(tree.children[node])
        raw = indicators.values[below]
        whole = np.floor(raw)
        broken += int((raw != whole).sum().sum())
        top = float(nodes.at[below[0], "scale_high"])
        for organisation in raw.index:
            own = whole.loc[organisation]
            level = own.min()
            weakest = [area for area in below if own[area] == level]
            rise = len(weakest) if level < top else 0
            rows.append([organisation, node, int(level), ", ".join(weakest), rise])
            parts += [
                [organisation, node, area, raw.at[organisation, area], int(own[area]),
                 int(max(min(level + 1, top) - own[area], 0))]
                for area in below
            ]  # fmt: skip
    table = pd.DataFrame(
        rows, columns=["organisation", "node", "level", "weakest", "areas_to_raise"]
    )
    areas = pd.DataFrame(parts, columns=["organisation", "node", "area", "raw", "level", "steps"])
    warnings = (message("weighting.levels_floored", count=broken),) if broken else ()
    return Maturity(table, areas, _verdict(table), warnings)


def _verdict(table: pd.DataFrame) -> Message | None:
    if table.empty:
        return None
    if len(table) == 1:
        row = table.iloc[0]
        facts = {"level": int(row["level"]), "areas": row["weakest"].split(", ")}
        rise = int(row["areas_to_raise"])
        if not rise:
            return message("weighting.maturity_top", level=facts["level"])
        return message("weighting.maturity_one", rise=rise, following=facts["level"] + 1, **facts)
    low, high = int(table["level"].min()), int(table["level"].max())
    count = table["organisation"].nunique()
    if low == high and not table["areas_to_raise"].any():
        return message("weighting.maturity_all_top", count=count, level=low)
    named = [area for areas in table["weakest"] for area in areas.split(", ")]
    often = pd.Series(named).value_counts()
    first = sorted(often.index[often == often.max()])[0]
    facts = {"count": count, "area": first, "times": int(often.max())}
    if low == high:
        return message("weighting.maturity_same", level=low, **facts)
    return message("weighting.maturity_many", low=low, high=high, **facts)
