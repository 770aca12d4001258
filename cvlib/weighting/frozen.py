"""Bounds and weights kept from an earlier run, and customers scored on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.weighting.choice import Choice, read_weights
from cvlib.weighting.scale import Bounds, Normalised, fit_bounds, unit_scale
from cvlib.weighting.table import Indicators
from cvlib.words.message import Message, message

BOUNDS, WEIGHTS = "bounds.csv", "weights.csv"


def read_reference(
    indicators: Indicators, reference: str, bounds: str = "", method: str = ""
) -> tuple[Bounds, Choice | None]:
    """Bounds and weights that an earlier run of notebook 05 kept.

    Parameters
    ----------
    indicators : Indicators
        The customers of today, with the same tree.
    reference : str
        The folder of that run, or a file among its tables; empty for none.
    bounds : str
        A file of bounds alone, where no reference is named.
    method : str
        Which method of its weights, where it kept several.

    Returns
    -------
    tuple
        The bounds (of the customers at hand where nothing is named), and the weights or None.

    Raises
    ------
    InputError
        A folder without the two tables, tables of another tree, or both parameters given.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> kept, chosen = cv.weighting.read_reference(customers, "")
    >>> kept.table["high"].tolist(), chosen
    ([9.0, 4.0, 9.0], None)
    """
    if not reference:
        return read_bounds(indicators, bounds), None
    if bounds:
        raise InputError(
            "parameters reference and bounds",
            message("refusals.are_both_given"),
            message("refusals.empty_one_of_them"),
        )
    named = Path(reference)
    folder = named.parent if named.is_file() else named / "tables"
    for name in (BOUNDS, WEIGHTS):
        if not (folder / name).is_file():
            raise InputError(
                f"parameter reference: {named.name!r}",
                message("refusals.has_no_table", name=name),
                message("refusals.give_the_folder_of_a"),
            )
    kept = read_bounds(indicators, str(folder / BOUNDS))
    return kept, read_weights(indicators, str(folder / WEIGHTS), method)


def frozen_scores(
    indicators: Indicators, normalised: Normalised, weights: pd.Series
) -> tuple[pd.DataFrame, Message | None]:
    """Weighted-sum scores on frozen bounds, clipped to them and not.

    Parameters
    ----------
    indicators : Indicators
        The customers.
    normalised : Normalised
        The same customers on the frozen bounds.
    weights : pandas.Series
        Global weight of each item.

    Returns
    -------
    tuple
        A table of customers by ``clipped`` and ``unclipped``, and a sentence on how many cells
        lie outside the bounds; no column and None where none does.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> w, tree = cv.weighting, cv.weighting.flat_tree(["spend"])
    >>> last = w.indicators(pd.DataFrame({"spend": [0.0, 10.0]}), tree)
    >>> now = w.indicators(pd.DataFrame({"spend": [5.0, 20.0]}), tree)
    >>> on = w.normalise(now, w.normalise(last).bounds)
    >>> w.frozen_scores(now, on, pd.Series({"spend": 1.0}))[0].values.tolist()
    [[0.5, 0.5], [1.0, 2.0]]
    """
    outside = int(normalised.clipped[["below", "above"]].to_numpy().sum())
    if not outside:
        return pd.DataFrame(index=indicators.values.index), None
    table = normalised.bounds.table
    low, high = table["low"].to_numpy(float), table["high"].to_numpy(float)
    free = unit_scale(indicators.values.to_numpy(), indicators.plan, low, high, clip=False)
    w = weights.reindex(list(indicators.items)).to_numpy(float)
    scores = pd.DataFrame(
        {"clipped": normalised.complete() @ w, "unclipped": free @ w},
        index=indicators.values.index,
    )
    scores[normalised.vetoed.to_numpy()] = 0.0
    most = float((scores["unclipped"] - scores["clipped"]).abs().max())
    cells = outside / indicators.values.size
    return scores, message("weighting.cells_clipped", cells=outside, share=cells, most=most)


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
            f"parameter bounds: {table.source}",
            wrong,
            message("refusals.give_tables_bounds_csv_of"),
        )
    ends = table.data[["low", "high"]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(ends).all() or (ends[:, 0] > ends[:, 1]).any():
        raise InputError(
            f"parameter bounds: {table.source}",
            message("refusals.a_low_or_high_end"),
            message("refusals.correct_it"),
        )
    return Bounds(fitted.table.assign(low=ends[:, 0], high=ends[:, 1]), ())
