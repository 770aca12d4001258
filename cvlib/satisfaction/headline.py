"""What one estimate says first: the index of its target, and what to work on."""

from __future__ import annotations

import pandas as pd

from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.words.message import Label, Message, message


def label(model: Model, construct: str) -> Label:
    """A construct's name in every language."""
    return Label({language: model.label(construct, language) for language in ("en", "zh")})


def index_message(result: SatisfactionResult, construct: str = "") -> Message:
    """The index of one construct, with its interval where there is one.

    Parameters
    ----------
    result : SatisfactionResult
        Of either estimator.
    construct : str
        Empty for the model's usual target (satisfaction).
    """
    name = construct or default_target(result.model)
    row = result.index.set_index("construct").loc[name]
    known = {"construct": label(result.model, name), "value": float(row["index"])}
    if pd.isna(row.get("ci_low")):
        return message("satisfaction.index", **known)
    return message(
        "satisfaction.index_interval", **known, low=float(row["ci_low"]),
        high=float(row["ci_high"]), level=result.settings["level"],
    )  # fmt: skip


def driver_messages(result: SatisfactionResult) -> list[Message]:
    """The strongest driver of the importance-performance map's target, and what to improve first.

    Parameters
    ----------
    result : SatisfactionResult
        With `importance_performance`.
    """
    table = result.importance_performance
    if table.empty:
        return []
    target = label(result.model, table["target"].iloc[0])
    best = table.loc[table["importance"].idxmax()]
    first = table[table["above_average_importance"] & table["below_average_performance"]]
    told = [message("satisfaction.driver", target=target, impact=5 * float(best["importance"]),
                    driver=label(result.model, best["construct"]))]  # fmt: skip
    if len(table) > 1 and first.empty:
        told.append(message("satisfaction.no_priority", target=target))
    elif len(table) > 1:
        drivers = [label(result.model, name) for name in first["construct"]]
        told.append(message("satisfaction.priority", drivers=drivers))
    return told


def said(result: SatisfactionResult) -> list[str]:
    """What a result says of itself: index and drivers of its target."""
    table = result.importance_performance
    target = str(table["target"].iloc[0]) if len(table) else ""
    return [index_message(result, target), *driver_messages(result)]
