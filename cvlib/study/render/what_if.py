"""What-if sliders: the levers of a page, and the table that stands there without a script."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from cvlib.study.render.page import rendered
from cvlib.words.language import Words
from cvlib.words.tables import table_html
from cvlib.words.what_if import WhatIf

STEP = 5  # points of the printed table, the usual statement
_LEVERS = re.compile(r"<!-- levers -->.*?<!-- end of levers -->", re.DOTALL)
_DRAWING = re.compile(r"<!-- drawing -->.*?<!-- end of drawing -->", re.DOTALL)
_STILL = re.compile(r"<!-- still (<img .*?>) -->", re.DOTALL)


def what_if_content(what_if: WhatIf, words: Words) -> dict[str, Any]:
    """Sliders and outcomes as plain values, in the words of one language.

    Effects are kept at full precision: what the page computes is what a table would print.
    """
    said = words.text
    effects = what_if.effects.set_index(["lever", "outcome"])

    def moves(lever: str) -> list[list[float | None]]:
        rows = []
        for outcome in what_if.outcomes:
            known = (lever, outcome.name) in effects.index
            row = effects.loc[(lever, outcome.name)] if known else None
            found = [0.0] * 3 if row is None else [row["effect"], row["low"], row["high"]]
            rows.append([None if math.isnan(value) else float(value) for value in found])
        return rows

    return {
        "levers": [
            {"name": each.name, "label": said(each.label), "most": each.most,
             "moves": moves(each.name)}
            for each in what_if.levers
        ],
        "outcomes": [
            {"name": each.name, "label": said(each.label), "value": float(each.value),
             "unit": said(each.unit), "decimals": each.decimals,
             "effect_decimals": each.effect_decimals}
            for each in what_if.outcomes
        ],
        "limits": said(what_if.limits),
    }  # fmt: skip


def what_if_table(content: dict[str, Any], words: Words) -> str:
    """Effects of one and of five points with the limits of the latter, as a table."""
    rows = [
        {
            "driver": lever["label"], "outcome": outcome["label"], "effect_1": effect,
            "effect_5": STEP * effect, "ci_low": math.nan if low is None else STEP * low,
            "ci_high": math.nan if high is None else STEP * high,
        }
        for lever in content["levers"]
        for outcome, (effect, low, high) in zip(content["outcomes"], lever["moves"], strict=True)
        if effect
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    if len(table):
        table = table.dropna(axis="columns", how="all")
    decimals = max((outcome["effect_decimals"] for outcome in content["outcomes"]), default=3)
    return table_html("what_if", table, words.text("Effects of a rise"), "", decimals, 60, words)


def what_if_html(content: dict[str, Any], words: Words) -> str:
    """The page element: sliders that a script wakes, the table, and what it is not."""
    table = what_if_table(content, words)
    return rendered("what_if.html", words, what_if=content, table=table)


def without_levers(body: str) -> str:
    """A body for paper: no sliders but their table, no drawing with switches but its picture."""
    return _STILL.sub(r"\1", _DRAWING.sub("", _LEVERS.sub("", body)))
