"""Indicators of customers on a common 0 to 1 scale on which more is always better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.weighting.table import NEAR, Indicators, Plan
from cvlib.weighting.tree import Tree
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False)
class Bounds:
    """Reference bounds, kept so that later customers do not move earlier ones.

    Attributes
    ----------
    table : pandas.DataFrame
        indicator, direction, target, low, high: the ends of the scale where the tree states one,
        else the smallest and largest value (benefit, cost); 0 and the largest distance from the
        best values (target, interval); 0 and 1 (nominal).
    warnings : tuple of str
    """

    table: pd.DataFrame
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Normalised:
    """Customers by items on the 0 to 1 scale.

    Attributes
    ----------
    values : pandas.DataFrame
        Customers by weight-carrying items; 1 is best.
    gates : pandas.DataFrame
        Customers by gates, True where passed (an unknown gate is not passed); no columns where
        the tree has no gate.
    clipped : pandas.DataFrame
        indicator, below, above: customers outside the reference bounds, set to the bound.
    bounds : Bounds
    warnings : tuple of str
    """

    values: pd.DataFrame
    gates: pd.DataFrame
    clipped: pd.DataFrame
    bounds: Bounds
    warnings: tuple[str, ...]

    @property
    def vetoed(self) -> pd.Series:
        """True for customers who fail a gate."""
        return ~self.gates.all(axis=1)

    def complete(self) -> np.ndarray:
        """The values as an array, refused where any is missing."""
        z = self.values.to_numpy()
        empty = int(np.isnan(z).any(axis=1).sum())
        if empty:
            raise InputError(
                "the indicator table",
                message("refusals.of_customers_have_a_missing", empty=empty, n=len(z)),
                message("refusals.set_missing_to_listwise_leave"),
            )
        return z


def fit_bounds(indicators: Indicators) -> Bounds:
    """Take reference bounds from the customers at hand.

    Parameters
    ----------
    indicators : Indicators
        The customers who set the bounds.

    Returns
    -------
    Bounds
        A constant indicator is named in the warnings; it normalises to 0 for everybody.
    """
    plan = indicators.plan
    low, high = raw_bounds(indicators.values.to_numpy(), plan)
    table = pd.DataFrame({"indicator": plan.leaves, "direction": plan.kind})
    table["target"] = np.where(plan.kind == "target", plan.good[:, 0], np.nan)
    table["low"], table["high"] = low, high
    stretched = _stretched(indicators.tree)
    constant = table.loc[table["low"] == table["high"], "indicator"]
    warnings = [message("weighting.constant", indicator=leaf) for leaf in constant]
    return Bounds(table, (*warnings, *stretched))


def _stretched(tree: Tree) -> list[Message]:
    """Say where a minimum compares indicators that have no scale of their own."""
    unscaled = tree.nodes.set_index("node")["scale_low"].isna()
    category = tree.directions == "nominal"
    return [
        message("weighting.minimum_stretched", node=node, indicators=loose)
        for node, below in tree.children.items()
        if tree.rule(node) == "minimum"
        and (loose := [c for c in below if c in category and unscaled[c] and not category[c]])
    ]


def levels(indicators: Indicators) -> pd.DataFrame:
    """The level of each customer at minimum nodes whose leaves share one scale: the weakest leaf's.

    Parameters
    ----------
    indicators : Indicators
        The customers.

    Returns
    -------
    pandas.DataFrame, customers by minimum nodes
        In units of the scale; ``level`` where the whole tree is one minimum, else named
        ``level_`` and the node. No column where the tree has no such node.

    Examples
    --------
    >>> import cvlib as cv
    >>> import pandas as pd
    >>> tree = cv.weighting.load_tree("crm_maturity")
    >>> answers = pd.DataFrame({leaf: [2, 4] for leaf in tree.leaves})
    >>> cv.weighting.levels(cv.weighting.indicators(answers, tree)).shape[0]
    2
    """
    tree, found = indicators.tree, {}
    leaves = tree.nodes.set_index("node")
    for node, below in tree.children.items():
        part = leaves.loc[list(below)]
        ends = part[["scale_low", "scale_high"]].drop_duplicates()
        alike = part["is_leaf"].all() and (part["direction"] == "benefit").all()
        if (
            tree.rule(node) == "minimum"
            and alike
            and len(ends) == 1
            and ends.notna().all(axis=None)
        ):
            name = "level" if node == tree.name else f"level_{node}"
            found[name] = indicators.values[list(below)].min(axis=1, skipna=False)
    return pd.DataFrame(found, index=indicators.values.index)


def normalise(indicators: Indicators, bounds: Bounds | None = None) -> Normalised:
    """Put every item on the 0 to 1 scale.

    Benefit (x − min)/(max − min); cost (max − x)/(max − min); target 1 − abs(x − t)/max abs(x − t);
    interval 1 within it, else 1 − distance/max(a − min, max − b); where min and max are the ends
    of a stated scale, else those observed; category: its value. A minimum node takes the smallest
    of its children; weighted nodes below a minimum take
    the plain mean of theirs.

    Parameters
    ----------
    indicators : Indicators
        The customers to put on the scale.
    bounds : Bounds, optional
        Frozen reference bounds; without them, those of the customers at hand.

    Returns
    -------
    Normalised
        Customers by items, and the bounds used.

    Raises
    ------
    InputError
        Reference bounds of another tree.

    References
    ----------
    Hwang, C.-L. & Yoon, K. (1981). Multiple Attribute Decision Making. Springer, ch. 2.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> cv.weighting.normalise(customers).values["frequency"].round(2).tolist()
    [1.0, 0.0, 0.33]
    """
    frozen = bounds is not None
    bounds = bounds or fit_bounds(indicators)
    tree, table = indicators.tree, bounds.table
    if list(table["indicator"]) != list(tree.leaves):
        raise InputError(
            "the reference bounds",
            message("refusals.belong_to_another_tree"),
            message("refusals.fit_the_bounds_with_the"),
        )
    x = indicators.values.to_numpy()
    low, high = table["low"].to_numpy(float), table["high"].to_numpy(float)
    outside = []
    for j, leaf in enumerate(tree.leaves if frozen else ()):
        column = indicators.plan.distance(x, j)
        under, over = np.count_nonzero(column < low[j]), np.count_nonzero(column > high[j])
        if under or over:
            outside.append((leaf, under, over))
    clipped = pd.DataFrame(outside, columns=["indicator", "below", "above"])
    z = unit_scale(x, indicators.plan, low, high)
    values = pd.DataFrame(z, index=indicators.values.index, columns=list(indicators.items))
    gates = pd.DataFrame(index=values.index)
    for node, below in tree.children.items():
        if tree.rule(node) == "gate":
            gates[node] = (indicators.values[list(below)] == 1).all(axis=1)
    warnings = [
        message(
            "weighting.outside_bounds", customers=row.below + row.above, indicator=row.indicator
        )
        for row in clipped.itertuples()
    ]
    return Normalised(values, gates, clipped, bounds, bounds.warnings + tuple(warnings))


def raw_bounds(x: np.ndarray, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of each leaf, from an array of customers by leaves (array part of `fit_bounds`)."""
    low, high = np.zeros(x.shape[1]), np.ones(x.shape[1])
    for j, kind in enumerate(plan.kind):
        if kind != "nominal":
            stated = np.isfinite(plan.scale[j, 0])
            near = kind in NEAR
            ends = plan.away(plan.scale[j], j) if near else plan.scale[j]
            column = ends if stated else plan.distance(x, j)
            low[j] = 0.0 if near else np.nanmin(column)
            high[j] = np.nanmax(column)
    return low, high


def unit_scale(
    x: np.ndarray, plan: Plan, low: np.ndarray, high: np.ndarray, *, clip: bool = True
) -> np.ndarray:
    """Customers by items on the 0 to 1 scale (array part of `normalise`)."""
    position = {leaf: j for j, leaf in enumerate(plan.leaves)}

    def value(node: str) -> np.ndarray:
        if node not in position:
            rule, below = plan.inner[node]
            parts = np.column_stack([value(child) for child in below])
            return parts.min(axis=1) if rule == "minimum" else parts.mean(axis=1)
        j = position[node]
        span = high[j] - low[j]
        if span <= 0:
            return np.where(np.isnan(x[:, j]), np.nan, 0.0)
        z = (plan.distance(x, j) - low[j]) / span
        if clip:
            np.clip(z, 0, 1, out=z)
        return 1 - z if plan.kind[j] in ("cost", *NEAR) else z

    out = np.empty((len(x), len(plan.items)), order="F")
    for j, name in enumerate(plan.items):
        out[:, j] = value(name)
    return out


def ratio_column(indicators: Indicators, z: np.ndarray, j: int) -> np.ndarray:
    """An item's raw values where it is a benefit or a cost, else its 0 to 1 values."""
    if not indicators.ratio_scaled[j]:
        return z[:, j]
    return indicators.values[indicators.items[j]].to_numpy()


def ratio_values(indicators: Indicators, z: np.ndarray) -> np.ndarray:
    """`ratio_column` of every item, customers by items."""
    return np.column_stack([ratio_column(indicators, z, j) for j in range(z.shape[1])])
