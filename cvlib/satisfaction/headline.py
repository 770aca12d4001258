"""What one estimate says first: the index of its target and what to work on, or why it may not."""

from __future__ import annotations

import pandas as pd

from cvlib.satisfaction.identification import VIF_LIMIT
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.statistics.resample import enough
from cvlib.words.message import Label, Message, message


def label(model: Model, construct: str) -> Label:
    """A construct's name in every language."""
    return Label({language: model.label(construct, language) for language in ("en", "zh")})


def _pair(model: Model, where: str) -> Label:
    """Two constructs that a mark names, such as ``a × b``, by their labels."""
    sign = next((sign for sign in (" × ", " -> ") if sign in where), " × ")
    names = where.split(sign)
    known = set(names) <= set(model.construct_names)
    return Label({
        language: sign.join(model.label(name, language) if known else name for name in names)
        for language in ("en", "zh")
    })  # fmt: skip


def index_withheld(result: SatisfactionResult, construct: str) -> Message | None:
    """Why the index of a construct is no number to report; None where it is.

    An item that loads or weighs negatively makes the index leave 0-100 and fall where answers rise.
    """
    own = result.loadings[result.loadings["construct"] == construct]
    wrong = own[(own["loading"] < 0) | (own["weight"] < 0)]
    if wrong.empty:
        return None
    items = [message("satisfaction.name_value", name=row["item"], value=row["loading"])
             for _, row in wrong.iterrows()]  # fmt: skip
    shown = label(result.model, construct)
    return message("satisfaction.index_withheld", construct=shown, items=items)


def drivers_withheld(result: SatisfactionResult) -> Message | None:
    """Why drivers must not be told apart or weighed against each other; None where they may."""
    table = result.importance_performance
    target = str(table["target"].iloc[0]) if len(table) else ""
    shown = label(result.model, target) if target else ""
    if result.settings.get("admissible") is False and result.estimator != "covariance":
        return message("satisfaction.drivers_inadmissible", target=shown)
    if result.estimator == "covariance":
        checks = result.extra.get("diagnosis")
        if checks is not None and checks["trouble"].any():
            return message("satisfaction.drivers_unidentified", target=shown)
    if target and index_withheld(result, target) is not None:
        return message("satisfaction.drivers_of_withheld", target=shown)
    vif = result.vif
    if len(vif):
        routes = {target, *table["construct"]}
        causes = vif[(vif["kind"] == "antecedent") & vif["construct"].isin(routes)]
        high = causes[~(causes["vif"] <= VIF_LIMIT)]
        if len(high):
            names = [label(result.model, name) for name in dict.fromkeys(high["predictor"])]
            return message("satisfaction.drivers_collinear", target=shown, names=names,
                           highest=float(high["vif"].max()), limit=VIF_LIMIT)  # fmt: skip
    marks = result.extra.get("identification", pd.DataFrame())
    if len(marks) and marks["fires"].any():
        reasons = [
            message(f"satisfaction.mark_{row.check}", where=_pair(result.model, row.where),
                    value=row.value)
            for row in marks[marks["fires"]].itertuples()
        ]  # fmt: skip
        return message("satisfaction.drivers_marked", target=shown, reasons=reasons)
    if len(result.draws):
        row = result.draws.iloc[0]
        sound = int(row["used"] - row["inadmissible"])
        if not enough(sound, int(row["requested"])):
            return message("satisfaction.drivers_few_draws", target=shown, used=sound,
                           requested=int(row["requested"]))  # fmt: skip
    return None


def index_sentence(result: SatisfactionResult, construct: str = "") -> Message:
    """The index of one construct, with its interval where there is one; or why it is not told.

    Parameters
    ----------
    result : SatisfactionResult
        Of either estimator.
    construct : str
        Empty for the model's usual target (satisfaction).
    """
    name = construct or default_target(result.model)
    reason = index_withheld(result, name)
    if reason is not None:
        return reason
    row = result.index.set_index("construct").loc[name]
    shown = label(result.model, name)
    if pd.isna(row.get("ci_low")):
        return message("satisfaction.index", construct=shown, value=row["index"])
    return message(
        "satisfaction.index_interval", construct=shown, value=row["index"],
        low=row["ci_low"], high=row["ci_high"], level=result.settings["level"],
    )  # fmt: skip


def driver_sentences(result: SatisfactionResult) -> list[Message]:
    """The strongest driver of the importance-performance map's target, and what to improve first.

    Where the drivers cannot be told apart, or nothing leads to the target, the reason instead.
    """
    table, model = result.importance_performance, result.model
    if table.empty:
        target = label(model, default_target(model))
        return [message("satisfaction.no_drivers", target=target)]
    reason = drivers_withheld(result)
    if reason is not None:
        return [reason]
    target = label(model, table["target"].iloc[0])
    best = table.loc[table["importance"].idxmax()]
    first = table[table["above_average_importance"] & table["below_average_performance"]]
    driver = label(model, best["construct"])
    sentence = (
        "satisfaction.driver" if best["importance"] > 0 else "satisfaction.no_positive_driver"
    )
    said = [message(sentence, target=target, driver=driver, impact=5 * best["importance"])]
    if len(table) > 1 and first.empty:
        said.append(message("satisfaction.no_priority", target=target))
    elif len(table) > 1:
        names = [label(model, name) for name in first["construct"]]
        said.append(message("satisfaction.priority", drivers=names))
    return said


def said(result: SatisfactionResult) -> list[str]:
    """What a result says of itself: index and drivers of its target."""
    table = result.importance_performance
    target = str(table["target"].iloc[0]) if len(table) else ""
    return [index_sentence(result, target), *driver_sentences(result)]
