"""The path diagram as a drawing within the page: parts to switch on, intervals and p at a touch.

The same layout as the picture that is saved; text is text, colours follow the page, and nothing
moves by a script: style sheets show and hide the parts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from cvlib.figures.style import words

INCH = 100.0  # units of the drawing per inch of the picture
PARTS = ("estimates", "intervals", "r_squared", "weights")
SHOWN = ("estimates", "r_squared")  # from the start


def path_svg(
    names: Sequence[str],
    centres: np.ndarray,
    radius: float,
    arrows: Sequence[Mapping[str, Any]],
    circles: Mapping[str, Mapping[str, Any]],
    language: str = "en",
) -> str:
    """Draw circles and arrows with everything that may be shown of them.

    Parameters
    ----------
    names : sequence of str
        Constructs in the order of ``centres``.
    centres : ndarray, shape (k, 2)
        Centres of the circles, inches, upwards.
    radius : float
        Of a circle, inches.
    arrows : sequence of mapping
        source, target, estimate, place (of its label), start, end (inches), sure (whether p is
        below the level) and, where known, p, ci_low, ci_high.
    circles : mapping
        By construct: label (lines), and where known index, ci_low, ci_high, r_squared and weights
        (pairs of item and weight).
    language : str
        Of the words.

    Returns
    -------
    str
        Switches and one ``svg`` element; every text is escaped.
    """
    text = words("path_diagram", language)
    low, high = centres.min(axis=0) - radius - 0.35, centres.max(axis=0) + radius + 0.12
    width, height = (high - low) * INCH
    foot = 46.0  # where what is touched is told

    def at(point: Any) -> tuple[float, float]:
        return (point[0] - low[0]) * INCH, (high[1] - point[1]) * INCH

    shown = {name: " ".join(circles[name]["label"]) for name in names}
    drawn = [_arrow(arrow, at, shown, text, (12.0, height + foot - 18)) for arrow in arrows]
    drawn += [
        _circle(circles[name], at(centre), radius * INCH, text, (12.0, height + foot - 18))
        for name, centre in zip(names, centres, strict=True)
    ]
    has = {
        "intervals": any(_known(arrow.get("ci_low")) for arrow in arrows),
        "r_squared": any(_known(circle.get("r_squared")) for circle in circles.values()),
        "weights": any(circle.get("weights") for circle in circles.values()),
    }
    switches = "".join(
        f'<label><input type="checkbox" autocomplete="off" data-part="{part}"'
        f"{' checked' if part in SHOWN else ''}> {escape(text[part])}</label> "
        for part in PARTS
        if has.get(part, True)
    )
    return (
        f'<div class="diagram"><p class="parts" role="group" aria-label="{escape(text["show"])}">'
        f'{switches}</p><svg viewBox="0 0 {width:.1f} {height + foot:.1f}" '
        f'style="max-width:{1.15 * width:.0f}px" role="group" '
        f'aria-label="{escape(text["diagram"])}"><defs>{_HEADS}</defs>{"".join(drawn)}'
        f'<text class="hint" x="12" y="{height + foot - 18:.1f}">{escape(text["hint"])}</text>'
        "</svg></div>"
    )


_HEADS = "".join(
    f'<marker id="head-{kind}" class="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
    'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
    '<path d="M0,0.5 L8,4 L0,7.5 z"/></marker>'
    for kind in ("rises", "falls", "unsure")
)


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(float(value))


def _number(value: float, decimals: int = 2) -> str:
    text = f"{value:.{decimals}f}".replace("-", "−")
    return text.removeprefix("−") if not text.strip("−0.") else text


def _p(value: float) -> str:
    return "p < .001" if value < 0.0005 else f"p = {value:.3f}".replace("= 0.", "= .")


def _arrow(
    arrow: Mapping[str, Any], at: Any, shown: Mapping[str, str], text: Mapping[str, str], tip: Any
) -> str:
    kind = ("rises" if arrow["estimate"] >= 0 else "falls") if arrow["sure"] else "unsure"
    (x1, y1), (x2, y2), (x, y) = at(arrow["start"]), at(arrow["end"]), at(arrow["place"])
    told = [f"{shown[arrow['source']]} → {shown[arrow['target']]}: {_number(arrow['estimate'])}"]
    limits = ""
    if _known(arrow.get("ci_low")) and _known(arrow.get("ci_high")):
        limits = f"{_number(arrow['ci_low'])} – {_number(arrow['ci_high'])}"
        told.append(f"{text['interval']} {limits}")
    if _known(arrow.get("p")):
        told.append(_p(float(arrow["p"])))
    said = escape(", ".join(told))
    thick = 1.2 + 3.2 * min(abs(float(arrow["estimate"])), 1.0)
    line = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    second = f'<text class="intervals" x="{x:.1f}" y="{y + 16:.1f}">{limits}</text>'
    return (
        f'<g class="arrow {kind}" tabindex="0" role="img" aria-label="{said}">'
        f'<line class="reach" {line}/><line {line} stroke-width="{thick:.2f}" '
        f'marker-end="url(#head-{kind})"/>'
        f'<text class="estimates" x="{x:.1f}" y="{y + 4:.1f}">{_number(arrow["estimate"])}'
        f"{escape(arrow.get('stars', ''))}</text>{second if limits else ''}"
        f'<text class="tip" x="{tip[0]:.1f}" y="{tip[1]:.1f}">{said}</text></g>'
    )


def _circle(
    circle: Mapping[str, Any], centre: tuple[float, float], radius: float,
    text: Mapping[str, str], tip: Any,
) -> str:  # fmt: skip
    x, y = centre
    rows = [("name", line, 13.0) for line in circle["label"]]
    told = [" ".join(circle["label"])]
    if _known(circle.get("index")):
        rows.append(("index", f"{circle['index']:.1f}", 18.0))
        limits = ""
        if _known(circle.get("ci_low")):
            limits = f" ({circle['ci_low']:.1f} – {circle['ci_high']:.1f})"
        told.append(f"{text['index']} {circle['index']:.1f}{limits}")
    if _known(circle.get("r_squared")):
        rows.append(("r_squared", f"R² = {circle['r_squared']:.2f}", 11.0))
        told.append(f"R² {circle['r_squared']:.2f}")
    weights = [f"{item} {_number(value)}" for item, value in circle.get("weights", ())]
    if weights:
        told.append(f"{text['weights']}: {', '.join(weights)}")
    heights = [size * 1.22 for _, _, size in rows]
    top, lines = y - sum(heights) / 2, []
    for (kind, line, size), height in zip(rows, heights, strict=True):
        top += height
        small = min(size, 1.75 * radius / max(len(line) * 0.56, 1e-9)) if kind == "name" else size
        lines.append(
            f'<text class="{kind}" x="{x:.1f}" y="{top - 0.25 * height:.1f}" '
            f'font-size="{small:.1f}">{escape(line)}</text>'
        )
    pairs = ["  ".join(weights[n : n + 2]) for n in range(0, len(weights), 2)]
    below = [
        f'<text class="weights" x="{x:.1f}" y="{y + radius + 12 + 12 * number:.1f}">'
        f"{escape(pair)}</text>"
        for number, pair in enumerate(pairs)
    ]
    said = escape(", ".join(told))
    return (
        f'<g class="circle" tabindex="0" role="img" aria-label="{said}">'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>{"".join(lines)}{"".join(below)}'
        f'<text class="tip" x="{tip[0]:.1f}" y="{tip[1]:.1f}">{said}</text></g>'
    )


def weights_of(loadings: pd.DataFrame | None) -> dict[str, list[tuple[str, float]]]:
    """Items of every construct with their weights, from a table of loadings that has them."""
    if loadings is None or not {"construct", "item", "weight"} <= set(loadings):
        return {}
    own = loadings.dropna(subset="weight")
    return {
        str(name): [(str(row.item), float(row.weight)) for row in group.itertuples()]
        for name, group in own.groupby("construct", sort=False)
    }
