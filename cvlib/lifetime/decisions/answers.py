"""The first screen of a report on decisions, and the sentences of its methods section"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cvlib.results import Finding
from cvlib.statistics.resample import Bootstrap
from cvlib.words.answer import Answer, Tile, amount, interval
from cvlib.words.message import Message, message, without
from cvlib.words.methods import methods_table

_MOST = 3
# How a finding was checked, and what moved meanwhile, which its tables say.
_CHECKS = ("decisions.potential_later", "decisions.movement_stay", "decisions.movement_leave",
           "decisions.movement_open")  # fmt: skip
# The figure that shows a section's finding, the most telling section first.
HEROES = {
    "potential": "potential_chart", "accounts": "account_chart", "network": "network_chart",
    "capacity": "capacity_chart", "firm": "firm_chart", "disclosed": "disclosed_chart",
    "systems": "system_chart",
}  # fmt: skip


def decisions_answer(found: Mapping[str, Finding | None], invented: bool = False) -> Answer:
    """What the sections that were given say together.

    Parameters
    ----------
    found : mapping of str to Finding or None
        By section: potential, accounts, network, capacity, firm, disclosed, systems; None where
        nothing was given.
    invented : bool
        Whether any of the data are simulated.

    Returns
    -------
    Answer
        Sentences, tiles, advice and doubts of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> supply = cv.lifetime.allocate_capacity("capacity_demands", 100)
    >>> cv.lifetime.decisions_answer({"capacity": supply}).hero
    'capacity_chart'
    """
    sections: dict[str, Finding] = {}
    for name in HEROES:
        each = found.get(name)
        if each is not None and each.found:
            sections[name] = each
    doubts: list[str] = [message("service.doubt_simulated")] if invented else []
    doubts += [text for each in sections.values() for text in each.warnings]
    tiles = [tile for name, each in sections.items() if (tile := _tile(name, each)) is not None]
    return Answer(
        question=message("decisions.asks"),
        verdict=tuple(without(each.sentence, _CHECKS) for each in list(sections.values())[:2])
        or (message("service.nothing"),),
        tiles=tuple(tiles)[:5],
        hero=next((HEROES[name] for name, each in sections.items() if _tells(name, each)), ""),
        advice=tuple(_advice(sections)[:_MOST]) or (message("decisions.advice_none"),),
        doubts=tuple(dict.fromkeys(doubts))[:_MOST],
    )


def _tells(name: str, each: Finding) -> bool:
    """Whether a section's figure has anything to show."""
    return name != "potential" or bool(each.facts["total"] > 0)


def _tile(name: str, each: Finding) -> Tile | None:
    """The key figure of a section."""
    if name == "potential":
        facts = each.facts
        if not facts["total"] > 0:
            return None
        limits = interval(facts["low"], facts["high"], 0, amount)
        return Tile(message("decisions.tile_potential"), amount(facts["total"]), limits)
    if name == "accounts":
        row = each["key_account_sheet"].iloc[0]
        limits = interval(100 * row["share_low"], 100 * row["share_high"], 0)
        share = f"{row['share_of_equity']:.0%}"
        return Tile(message("decisions.tile_account", customer=row["customer"]), share, limits)
    if name == "network":
        row = each["network_value"].iloc[0]
        title = message("decisions.tile_network", customer=row["customer"])
        return Tile(title, amount(row["network_value"]))
    if name == "capacity":
        row = each["capacity_prices"].iloc[0]
        return Tile(message("decisions.tile_capacity"), amount(row["shadow_price"], 2))
    if name == "firm":
        title = message("decisions.tile_firm")
        return Tile(title, amount(each.facts["returns_residual"]))
    if name == "disclosed":
        return Tile(message("decisions.tile_disclosed"), amount(each.facts["equity"]))
    return None


def _advice(sections: Mapping[str, Finding]) -> list[Message]:
    """Only what the results support."""
    said = []
    if "potential" in sections:
        cells = sections["potential"]["potential_cells"].set_index("cell")
        people = int(cells.at["low_high", "customers"])
        if people:
            said.append(message("decisions.advice_offer", customers=people))
    if "accounts" in sections:
        row = sections["accounts"]["key_account_sheet"].iloc[0]
        if row["share_low"] >= 0.05:
            said.append(message("decisions.advice_account", customer=row["customer"],
                                low=row["share_low"]))  # fmt: skip
    if "capacity" in sections:
        rows = sections["capacity"]["capacity_rules"].set_index("rule")
        if rows.at["proportional", "value_lost"] > 1e-9:
            said.append(message("decisions.advice_capacity",
                                lost=rows.at["proportional", "value_lost"]))  # fmt: skip
    return said


def decisions_methods(
    found: Mapping[str, Finding | None], bootstrap: Bootstrap, language: str = "en"
) -> pd.DataFrame:
    """The methods of the sections that were given, in the order of the notebook.

    Parameters
    ----------
    found : mapping of str to Finding or None
        By section, as in `decisions_answer`.
    bootstrap : Bootstrap
        Of draws and seed.
    language : {"en", "zh"}
        Language of the sentences.
    """
    order = ("potential", "segments", "hwang", "accounts", "network", "contagion", "capacity",
             "systems", "firm", "disclosed")  # fmt: skip
    used: list[tuple[str, dict[str, Any]]] = []
    for name in order:
        each = found.get(name)
        if each is not None and each.found:
            used.append((name, {"draws": f"{bootstrap.draws:,}"} if name == "accounts" else {}))
    return methods_table("decisions", [*used, ("seeded", {"seed": bootstrap.seed})], language)
