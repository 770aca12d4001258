"""What-if sliders: the levers of a page, and the table that stands there without a script."""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import numpy as np
import pandas as pd

from cvlib.study.render.page import rendered
from cvlib.words.language import Words
from cvlib.words.tables import table_html
from cvlib.words.what_if import Flows, WhatIf

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
        "flows": flows_content(what_if.flows, words) if what_if.flows else None,
    }  # fmt: skip


def flows_content(flows: Flows, words: Words) -> dict[str, Any]:
    """Streams packed as text: of the data at full precision, of the draws in 32,000 steps."""
    points = flows.groups[0].gains.shape[0]
    groups: list[dict[str, Any]] = []
    for each in flows.groups:
        own = [each.value(flows, p) for p in range(1, points + 1)]
        factors = [] if each.factors is None else [_packed(found) for found in each.factors]
        groups.append({
            "label": words.cell(each.name) if each.name else words.text("All customers"),
            "customers": each.customers, "gains": _text(each.gains, "<f8"), "factors": factors,
            "values": [[value, None if math.isnan(spread) else spread] for value, spread in own],
        })  # fmt: skip
    most = max(abs(value) for value, _ in groups[0]["values"])
    step = 10.0 ** math.floor(math.log10(max(most, 1e-9)) - 1)
    return {
        "groups": groups, "points": points, "months": flows.groups[0].gains.shape[2],
        "margin": flows.margin, "rate": flows.annual_discount_rate, "horizon": flows.horizon,
        "reward": flows.reward, "reach": flows.reach, "step": step,
        "dearest": step * math.ceil(2 * most / step),
    }  # fmt: skip


def _text(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode("ascii")


def _packed(factors: np.ndarray) -> dict[str, Any]:
    """(k, 3, months) as whole numbers up to 32,000 and the step of each factor."""
    steps = np.maximum(np.abs(factors).max(axis=(1, 2), initial=0.0), 1e-300) / 32_000
    return {"steps": steps.tolist(), "whole": _text(np.rint(factors / steps[:, None, None]), "<i2")}


def flows_table(content: dict[str, Any], words: Words) -> str:
    """Values of 1, 2, ... points where the sliders stand at first, as a table."""
    rows = []
    for group in content["groups"]:
        for points, (value, spread) in enumerate(group["values"], 1):
            half = content["reach"] * (math.nan if spread is None else spread)
            rows.append({
                "group": group["label"], "rise": points, "per_customer": value,
                "lower": value - half, "upper": value + half, "base": value * group["customers"],
            })  # fmt: skip
    table = pd.DataFrame(rows).dropna(axis="columns", how="all")
    if len(content["groups"]) == 1:
        table = table.drop(columns="group")
    return table_html("what_if_value", table, words.text("What a rise of satisfaction is worth"),
                      "", 2, 120, words)  # fmt: skip


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
    flows = content.get("flows")
    return rendered("what_if.html", words, what_if=content, table=table,
                    flows_table=flows_table(flows, words) if flows else "")  # fmt: skip


def without_levers(body: str) -> str:
    """A body for paper: no sliders but their table, no drawing with switches but its picture."""
    return _STILL.sub(r"\1", _DRAWING.sub("", _LEVERS.sub("", body)))


def without_streams(content: dict[str, Any]) -> dict[str, Any]:
    """The same without the months that sliders are computed from, but for the values at first."""
    flows = content.get("flows")
    if not flows:
        return content
    groups = [{k: v for k, v in each.items() if k not in ("gains", "factors")}
              for each in flows["groups"]]  # fmt: skip
    return content | {"flows": flows | {"groups": groups}}
