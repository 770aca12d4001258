"""One weighting, chosen by name: experts, data, equal, or weights found before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.weighting.data import importance
from cvlib.weighting.data.objective import ObjectiveWeights, expand_weights, objective_weights
from cvlib.weighting.experts import ahp
from cvlib.weighting.experts.group import ExpertWeights, expert_weights
from cvlib.weighting.experts.judgements import Judgements
from cvlib.weighting.scale import Bounds, fit_bounds
from cvlib.weighting.score import plain_weights
from cvlib.weighting.table import Indicators


@dataclass(frozen=True, eq=False)
class Choice:
    """One weighting.

    Attributes
    ----------
    method : str
        Its name.
    weights : pandas.DataFrame
        indicator, parent, method, local_weight, global_weight.
    expert : ExpertWeights or None
        Where the weights came from experts.
    data : ObjectiveWeights or None
        Where they came from the data.
    warnings : tuple of str
    """

    method: str
    weights: pd.DataFrame
    expert: ExpertWeights | None = None
    data: ObjectiveWeights | None = None
    warnings: tuple[str, ...] = ()


def choose_weights(
    indicators: Indicators,
    weighting: str,
    judgements: Judgements | None = None,
    *,
    method: str = "",
    aggregation: str = "aij",
    table: str = "alonso_lamata",
) -> Choice:
    """Weights of the whole tree by one method.

    Parameters
    ----------
    indicators : Indicators
        The customers, with their tree.
    weighting : str
        ``equal``, ``ahp_`` and a method of `ahp`, a data method of `importance`, or a table of
        weights (csv, xlsx, ...) such as notebook 04 writes, combined weights among them.
    judgements : Judgements, optional
        Expert judgements for the ``ahp_`` methods.
    method : str
        Which of the methods of a table of weights; empty where it holds one.
    aggregation : str
        How several experts are joined.
    table : str
        Random-index table.

    Returns
    -------
    Choice
        The weights, and whose they are.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> chosen = cv.weighting.choose_weights(customers, "equal")
    >>> chosen.weights["global_weight"].round(3).tolist()
    [0.333, 0.333, 0.333]
    """
    expert = [f"ahp_{name}" for name in ahp.METHODS]
    if not Path(weighting).suffix:
        known = ["equal", *expert, *importance.METHODS]
        one_of("weighting", weighting, known, "Or name a file of weights.")
    if weighting == "equal":
        return Choice(weighting, plain_weights(indicators.tree)[0])
    if weighting in importance.METHODS:
        found = objective_weights(indicators, [weighting])
        return Choice(weighting, found.weights, data=found, warnings=found.warnings)
    if weighting in expert:
        if judgements is None or not judgements.matrices:
            raise InputError(
                "parameter judgements", f"is empty, and {weighting} needs them", "Name a file."
            )
        ways = (weighting.removeprefix("ahp_"),)
        result = expert_weights(
            indicators.tree, judgements, methods=ways, aggregation=aggregation, table=table
        )
        columns = ["indicator", "parent", "method", "local_weight", "global_weight"]
        warnings = (*judgements.warnings, *result.warnings)
        return Choice(weighting, result.weights[columns], expert=result, warnings=warnings)
    return read_weights(indicators, weighting, method)


def read_weights(indicators: Indicators, path: str, method: str = "") -> Choice:
    """Weights found before, from a table with indicator, global_weight and, for several, method.

    Parameters
    ----------
    indicators : Indicators
        The customers, with their tree.
    path : str
        The file, such as ``tables/weights.csv`` of a run of notebook 04.
    method : str
        Which of its methods; empty where it holds one.

    Returns
    -------
    Choice
    """
    table = read_table(path)
    data, items = table.data, list(indicators.items)
    for column in ("indicator", "global_weight"):
        if column not in data.columns:
            raise InputError(
                table.source, f"has no column {column!r}", "Give a table of weights of notebook 04."
            )
    known = list(map(str, dict.fromkeys(data["method"]))) if "method" in data else ["chosen"]
    if not method and len(known) > 1:
        raise InputError(
            f"parameter weights_method, for {table.source}",
            f"is empty, and the file holds {len(known)} methods",
            f"Name one of {', '.join(known)}.",
        )
    if method:
        one_of("parameter weights_method", method, known, f"They stand in {table.source}.")
    chosen = method or known[0]
    rows = data[data["method"] == chosen] if "method" in data else data
    given = rows.assign(indicator=rows["indicator"].astype(str)).set_index("indicator")
    weights = pd.to_numeric(given["global_weight"], errors="coerce")
    absent = [item for item in items if item not in weights.index or weights.index.has_duplicates]
    if absent:
        raise InputError(
            table.source,
            f"does not give one weight of {absent[0]!r} by {chosen}",
            f"Weigh each of: {', '.join(items)}.",
        )
    values = weights.loc[items].to_numpy(float)
    if np.isnan(values).any() or (values < 0).any() or not np.isclose(values.sum(), 1, atol=1e-6):
        raise InputError(
            f"{table.source}, column global_weight",
            f"the weights of {', '.join(items)} are not non-negative with sum 1",
            "Correct them.",
        )
    return Choice(chosen, expand_weights(indicators.tree, weights.loc[items], chosen))


def read_bounds(indicators: Indicators, path: str) -> Bounds:
    """Reference bounds kept from an earlier run; of the customers at hand where none are named.

    Parameters
    ----------
    indicators : Indicators
        The customers, with their tree.
    path : str
        A table such as ``tables/bounds.csv`` of a run of notebook 05; empty for none.

    Returns
    -------
    Bounds
    """
    fitted = fit_bounds(indicators)
    if not path:
        return fitted
    table = read_table(path)
    names = ["indicator", "direction", "low", "high"]
    absent = [name for name in names if name not in table.data.columns]
    kept = fitted.table[["indicator", "direction"]].astype(str)
    if absent or not table.data[names[:2]].astype(str).reset_index(drop=True).equals(kept):
        wrong = f"has no column {absent[0]!r}" if absent else "holds other indicators"
        raise InputError(
            f"parameter bounds: {table.source}", wrong, "Give tables/bounds.csv of the same tree."
        )
    ends = table.data[["low", "high"]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(ends).all() or (ends[:, 0] > ends[:, 1]).any():
        raise InputError(
            f"parameter bounds: {table.source}", "a low or high end is wrong", "Correct it."
        )
    return Bounds(fitted.table.assign(low=ends[:, 0], high=ends[:, 1]), ())
