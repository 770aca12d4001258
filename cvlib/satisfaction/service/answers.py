"""The first screen of a report on service and needs: verdict, key figures, what to do and doubt"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cvlib.results import Finding
from cvlib.words.answer import Answer, Tile, interval, number
from cvlib.words.message import Message, message

_MOST = 3
# The figure that shows a section's finding, the most telling section first.
HEROES = {
    "gaps": "gap_chart", "needs": "opportunity_map", "value": "customer_value_map",
    "features": "kano_map", "image": "brand_profile", "chains": "chain_map",
    "employees": "unit_map",
}  # fmt: skip


def service_answer(found: Mapping[str, Finding | None], invented: bool = False) -> Answer:
    """What the sections that were given say together.

    Parameters
    ----------
    found : mapping of str to Finding or None
        By section: gaps, needs, value, features, image, chains, employees; None where nothing was
        given.
    invented : bool
        Whether any of the data are simulated.

    Returns
    -------
    Answer
        Sentences, tiles, advice and doubts of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> gaps = cv.satisfaction.service_gaps("service_survey")
    >>> cv.satisfaction.service_answer({"gaps": gaps}).hero
    'gap_chart'
    """
    given = {name: found[name] for name in HEROES if found.get(name) is not None}
    sections: dict[str, Finding] = {name: each for name, each in given.items() if each is not None}
    doubts = [message("service.doubt_simulated")] if invented else []
    doubts += [text for each in sections.values() for text in each.warnings]  # type: ignore[misc]
    return Answer(
        question=message("service.asks"),
        verdict=tuple(each.sentence for each in list(sections.values())[:2])
        or (message("service.nothing"),),
        tiles=tuple(tile for tile in map(_tile, sections, sections.values()) if tile)[:5],
        hero=next((HEROES[name] for name in sections), ""),
        advice=tuple(_advice(sections)[:_MOST]) or (message("service.advice_none"),),
        doubts=tuple(dict.fromkeys(doubts))[:_MOST],
    )


def _tile(name: str, each: Finding) -> Tile | None:
    """The key figure of a section."""
    if name == "gaps":
        row = each["service_overall"].iloc[0]
        return Tile(message("service.tile_gap"), number(row["gap"], 2), _limits(row))
    if name == "needs":
        row = each["need_opportunities"].iloc[0]
        title = message("service.tile_need", need=row["need"])
        return Tile(title, number(row["opportunity"], 1), _limits(row, 1))
    if name == "value":
        table = each["delivered_value"]
        row = table.loc[table["difference"].idxmax()]
        title = message("service.tile_value", brand=row["brand"])
        return Tile(title, number(row["difference"], 2), _limits(row))
    if name == "employees":
        row = each["employee_effect"].iloc[0]
        return Tile(message("service.tile_employees"), number(row["slope"], 2), _limits(row))
    if name == "image":
        table = each["brand_distances"]
        row = table.loc[table["distance"].idxmax()]
        title = message("service.tile_distance", a=row["a"], b=row["b"])
        return Tile(title, number(row["distance"], 2), _limits(row))
    return None


def _limits(row: pd.Series, decimals: int = 2) -> str:
    return interval(row["ci_low"], row["ci_high"], decimals)


def _advice(sections: Mapping[str, Finding]) -> list[Message]:
    """Only what an interval supports."""
    said = []
    if "gaps" in sections:
        rows = sections["gaps"]["service_dimensions"]
        short = rows[rows["ci_high"] < 0]
        if len(short):
            first = short.loc[(short["gap"] * short["weight"]).idxmin()]
            said.append(message("service.advice_gap", dimension=first["dimension"],
                                weight=first["weight"]))  # fmt: skip
    if "needs" in sections:
        best = sections["needs"]["need_opportunities"].iloc[0]
        if best["opportunity"] >= 10 and best["ci_low"] >= 10:
            said.append(message("service.advice_need", need=best["need"]))
    if "features" in sections:
        rows = sections["features"]["kano_classes"]
        must = rows[(rows["kano_class"] == "must_be") & rows["clear"]]
        if len(must):
            said.append(message("service.advice_must", features=list(must["feature"])))
    return said
