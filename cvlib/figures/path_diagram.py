"""Path diagram: construct circles with index and R², arrows with estimate and stars.

Drawn with matplotlib alone. The layout is found by a small deterministic search: causes stand to
the left of their effects, no arrow passes behind a circle, crossings and long arrows are avoided.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.textpath import TextPath

from cvlib.figures.highlights import paths_finding
from cvlib.figures.path_svg import path_svg, weights_of
from cvlib.figures.style import FAINT, INK, PALETTE, PAPER, PageFigure, house_style
from cvlib.statistics import resample

RADIUS = 0.56  # of a construct's circle, inches
COLUMN, ROW = 1.12, 0.82  # spacing of the grid the circles stand on, inches
LABEL = (0.66, 0.20)  # width and height kept free for the label of an arrow, inches


def path_diagram(
    path_coefficients: pd.DataFrame,
    index: pd.DataFrame | None = None,
    r_squared: pd.DataFrame | None = None,
    labels: Mapping[str, str] | None = None,
    level: float = 0.95,
    loadings: pd.DataFrame | None = None,
    language: str = "en",
) -> Figure:
    """Draw the structural model with its estimates.

    Parameters
    ----------
    path_coefficients : DataFrame
        Columns source, target, estimate and, where tested, p. Stars: * p < .05, ** p < .01,
        *** p < .001. An arrow is dashed when p is not below ``1 - level``; its width grows with
        the size of the estimate; blue is positive, red is negative.
    index : DataFrame, optional
        Columns construct, index (0-100): the large figure in a circle.
    r_squared : DataFrame, optional
        Columns construct, r_squared.
    labels : mapping, optional
        Construct name to the label shown; the name itself where there is none.
    level : float
        Confidence level behind the dashed arrows.
    loadings : DataFrame, optional
        construct, item, weight: shown on demand where the diagram stands in a page.
    language : str
        Of the words in a page.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys([*path_coefficients["source"], *path_coefficients["target"]]))
    order = _causal_order(names, path_coefficients)
    edges = np.array(
        [
            (order.index(source), order.index(target))
            for source, target in zip(
                path_coefficients["source"], path_coefficients["target"], strict=True
            )
        ]
    )
    centres = layout(len(order), tuple(map(tuple, edges.tolist())))
    with house_style():
        low, high = centres.min(axis=0) - RADIUS - 0.12, centres.max(axis=0) + RADIUS + 0.12
        figure = PageFigure(figsize=tuple(high - low))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        axes.axis("off")
        places = label_places(centres, edges)
        tested = "p" in path_coefficients
        for position, row in enumerate(path_coefficients.itertuples(index=False)):
            p = float(row.p) if tested else float("nan")
            _arrow(axes, centres[edges[position]], places[position], float(row.estimate), p, level)
        values = {} if index is None else dict(zip(index["construct"], index["index"], strict=True))
        explained = (
            {}
            if r_squared is None
            else dict(zip(r_squared["construct"], r_squared["r_squared"], strict=True))
        )
        for name, centre in zip(order, centres, strict=True):
            label = (labels or {}).get(name, name)
            _construct(axes, centre, label, values.get(name), explained.get(name))
        start, end = _ends(centres, edges)
        ends = zip(start, end, places, strict=True)
        arrows = [
            row
            | {
                "place": place,
                "start": a,
                "end": b,
                "stars": stars(float(row.get("p", np.nan))),
                "sure": not float(row.get("p", np.nan)) >= 1 - level,
            }
            for row, (a, b, place) in zip(path_coefficients.to_dict("records"), ends, strict=True)
        ]
        known = {} if index is None else index.set_index("construct").to_dict("index")
        weights = weights_of(loadings)
        circles = {
            name: known.get(name, {})
            | {
                "label": _wrap((labels or {}).get(name, name)),
                "weights": weights.get(name, ()),
                "r_squared": explained.get(name),
            }
            for name in order
        }
        figure.finding = paths_finding(
            path_coefficients, level, lambda name: str((labels or {}).get(name, name))
        )
        figure.page = path_svg(order, centres, RADIUS, arrows, circles, language)
    return figure


@cache
def layout(count: int, arrows: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Place the circles, (count, 2) in inches, for arrows between causally ordered nodes.

    Coordinate descent over a grid from several fixed starts, all at once; the arrangement of lowest
    cost wins, so the same model always gives the same picture.
    """
    edges = np.array(arrows)
    height = int(np.clip(np.ceil(count / 2) + 1, 3, 5))
    width = max(2 * int(np.ceil(count / 2)) + 1, 5)
    grid = np.array([(x * COLUMN, y * ROW) for x in range(width) for y in range(height)])
    generator = resample.generator(3)
    starts = 30
    columns = np.sort(generator.choice(width, (starts, count)), axis=1)
    rows = generator.choice(height, (starts, count))
    current = np.stack([columns * COLUMN, rows * ROW], axis=-1).astype(np.float32)
    cost = np.full(starts, np.inf)
    moving, nodes = np.arange(starts), np.arange(count)
    for _ in range(12):
        before = cost.copy()
        for node in generator.permutation(count):
            moved = np.repeat(current[moving][:, None], len(grid) + count, axis=1)
            moved[:, : len(grid), node] = grid
            # or change places with another
            moved[:, len(grid) + nodes, node] = current[moving]
            moved[:, len(grid) + nodes, nodes] = current[moving][:, [node]]
            costs = _cost(moved.reshape(-1, count, 2), edges).reshape(len(moving), -1)
            choice = costs.argmin(axis=1)
            current[moving] = moved[np.arange(len(moving)), choice]
            cost[moving] = costs[np.arange(len(moving)), choice]
        moving = np.flatnonzero(cost < before - 1e-9)
        if not moving.size:
            break
    return np.asarray(current[int(cost.argmin())], dtype=float)


def label_places(centres: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Where on its arrow each label stands, (e, 2): clear of circles, labels and other arrows."""
    shares = np.linspace(0.18, 0.82, 33)
    start, end = _ends(centres, edges)
    spots = start[:, None] + shares[None, :, None] * (end - start)[:, None]
    base = 0.8 * np.abs(shares - 0.5)[None, :].repeat(len(edges), 0)
    reach = RADIUS + 0.5 * max(LABEL)
    gaps = np.linalg.norm(spots[:, :, None] - centres[None, None], axis=-1)
    base = base + (np.clip(reach - gaps, 0, None) ** 2).sum(axis=-1) * 60
    squeeze = np.array([LABEL[1] / LABEL[0], 1.0])  # a label is wide and low
    across = _distance((spots * squeeze).reshape(-1, 2), start * squeeze, end * squeeze)
    across = across.reshape(*spots.shape[:2], -1)
    across[np.arange(len(edges)), :, np.arange(len(edges))] = np.inf
    base = base + (np.clip(0.75 * LABEL[1] - across, 0, None) ** 2).sum(axis=-1) * 400
    chosen = base.argmin(axis=1)
    for _ in range(8):
        for edge in range(len(edges)):
            others = np.delete(spots[np.arange(len(edges)), chosen], edge, axis=0)
            apart = np.abs(spots[edge][:, None] - others[None])
            overlap = np.clip(1.1 * np.array(LABEL) - apart, 0, None).prod(axis=-1)
            chosen[edge] = int((base[edge] + 200 * overlap.sum(axis=-1)).argmin())
    return spots[np.arange(len(edges)), chosen]


def _causal_order(names: list[str], paths: pd.DataFrame) -> list[str]:
    """Causes before effects; a loop, which no shipped model has, keeps the order given."""
    left, order = list(names), []
    pairs = list(zip(paths["source"], paths["target"], strict=True))
    while left:
        free = [name for name in left if not any(t == name and s in left for s, t in pairs)]
        order += free or left
        left = [name for name in left if name not in order]
    return order


def _cost(options: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Ugliness of each candidate layout, (c,), for positions (c, k, 2)."""
    count = options.shape[1]
    start, end = options[:, edges[:, 0]], options[:, edges[:, 1]]
    along = end - start
    length = np.hypot(along[..., 0], along[..., 1])
    cost = 0.9 * length.sum(axis=1)
    cost += 30 * (np.clip(0.55 * COLUMN - along[..., 0], 0, None) ** 2).sum(axis=1)
    cost += 60 * (np.clip(2 * RADIUS + 0.8 - length, 0, None) ** 2).sum(axis=1)  # room for a label

    apart = np.linalg.norm(options[:, :, None] - options[:, None], axis=-1)
    above = np.triu_indices(count, 1)
    near = np.clip(2 * RADIUS + 0.42 - apart[:, above[0], above[1]], 0, None)
    cost += 200 * (near**2).sum(axis=1)

    # an arrow that passes a circle it does not belong to
    unit = along / np.maximum(length, 1e-9)[..., None]
    offset = options[:, None] - start[:, :, None]
    t = np.clip((offset * unit[:, :, None]).sum(-1), 0, length[..., None])
    gap = np.linalg.norm(offset - t[..., None] * unit[:, :, None], axis=-1)
    gap[:, np.arange(len(edges)), edges[:, 0]] = np.inf
    gap[:, np.arange(len(edges)), edges[:, 1]] = np.inf
    cost += 400 * (np.clip(RADIUS + 0.16 - gap, 0, None) ** 2).sum(axis=(1, 2))

    first, second = np.triu_indices(len(edges), 1)
    shared = (edges[first][:, :, None] == edges[second][:, None, :]).any(axis=(1, 2))
    m, n = first[~shared], second[~shared]
    a, b, c, d = start[:, m], end[:, m], start[:, n], end[:, n]
    crosses = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
    cost += 3.0 * crosses.sum(axis=1)
    # two arrows that leave or enter one circle almost in the same direction
    same = (edges[first, 0] == edges[second, 0]) | (edges[first, 1] == edges[second, 1])
    angle = (unit[:, first[same]] * unit[:, second[same]]).sum(-1)
    cost += 120 * (np.clip(angle - 0.93, 0, None)).sum(axis=1)
    extent = options.max(axis=1) - options.min(axis=1)
    cost += 0.6 * extent[:, 0] + 1.2 * extent[:, 1]
    return cost


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """On which side of the line a-b the point c lies."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        c[..., 0] - a[..., 0]
    )


def _distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of points (m, 2) from segments (e, 2)-(e, 2), (m, e)."""
    along = end - start
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    t = np.clip(((points[:, None] - start) * along).sum(axis=-1) / length, 0, 1)
    return np.linalg.norm(points[:, None] - start - t[..., None] * along, axis=-1)


def _ends(centres: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the arrows touch the rims of their circles."""
    a, b = centres[edges[:, 0]], centres[edges[:, 1]]
    unit = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    return a + unit * RADIUS, b - unit * (RADIUS + 0.03)


def stars(p: float) -> str:
    """Stars for a p value: * below .05, ** below .01, *** below .001."""
    return "*" * sum(p < bound for bound in (0.05, 0.01, 0.001))


def _arrow(
    axes: object, pair: np.ndarray, place: np.ndarray, estimate: float, p: float, level: float
) -> None:
    start, end = _ends(pair, np.array([[0, 1]]))
    certain = not p >= 1 - level
    colour = (PALETTE[0] if estimate >= 0 else PALETTE[1]) if certain else FAINT
    arrow = FancyArrowPatch(
        tuple(start[0]),
        tuple(end[0]),
        arrowstyle="-|>,head_length=7,head_width=3.5",
        shrinkA=0,
        shrinkB=0,
        linewidth=0.9 + 2.6 * min(abs(estimate), 1.0),
        linestyle="-" if certain else (0, (4, 2.5)),
        color=colour,
        zorder=1,
        gid="path",
    )
    axes.add_patch(arrow)  # type: ignore[attr-defined]
    axes.text(  # type: ignore[attr-defined]
        *place,
        f"{estimate:.2f}{stars(p)}".replace("-", "−"),
        ha="center",
        va="center",
        fontsize=9,
        color=INK,
        zorder=4,
        gid="path-label",
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.2},
    )


def _construct(
    axes: object, centre: np.ndarray, label: str, index: float | None, explained: float | None
) -> None:
    axes.add_patch(  # type: ignore[attr-defined]
        Circle(tuple(centre), RADIUS, facecolor="#EEF3F8", edgecolor=INK, linewidth=1.1, zorder=2)
    )
    lines = _wrap(label)
    size = min(9.0, *(9.0 * 1.66 * RADIUS / max(_inches(line, 9.0), 1e-9) for line in lines))
    rows = [(line, max(size, 6.0), INK) for line in lines]
    if index is not None and np.isfinite(index):
        rows.append((f"{index:.1f}", 12.5, PALETTE[0]))
    if explained is not None and np.isfinite(explained):
        rows.append((f"R² = {explained:.2f}", 7.5, "#555555"))
    heights = np.array([1.28 * size / 72 for _, size, _ in rows])
    tops = centre[1] + heights.sum() / 2 - np.concatenate([[0.0], heights.cumsum()[:-1]])
    for (text, size, colour), top, height in zip(rows, tops, heights, strict=True):
        axes.text(  # type: ignore[attr-defined]
            centre[0],
            top - height / 2,
            text,
            ha="center",
            va="center",
            fontsize=size,
            color=colour,
            zorder=5,
            gid="construct",
        )


def _wrap(label: str) -> list[str]:
    """At most three lines; Chinese has no spaces and is cut by length."""
    if len(label) <= 12 and " " not in label:
        return [label]
    if " " in label:
        return textwrap.wrap(label, width=max(11, -(-len(label) // 3)), break_long_words=False)[:3]
    return textwrap.wrap(label, width=6) if not label.isascii() else [label]


def _inches(text: str, size: float) -> float:
    wide = sum(ord(letter) > 0x2E80 for letter in text)  # full-width characters, one em each
    narrow = "".join(letter for letter in text if ord(letter) <= 0x2E80)
    if not narrow.strip():
        return wide * size / 72
    drawn = TextPath((0, 0), narrow, size=size, prop=FontProperties(family="DejaVu Sans"))
    return float(drawn.get_extents().width) / 72 + wide * size / 72
