"""How much text a box or the rows of a table hold on a slide."""

from __future__ import annotations

import math

from cvlib.study.render.word_tables import length

_LINE = 1.3  # height of a line by the size of its type
_MM_PER_POINT = 0.3528


def fitted(texts: list[str], width: float, height: float, sizes: tuple[int, int]) -> int:
    """The largest size of type in points, between two limits, at which paragraphs fit a box.

    Parameters
    ----------
    texts : list of str
        The paragraphs.
    width, height : float
        The box in mm.
    sizes : tuple of int
        The largest and the smallest size allowed; the smallest also where nothing fits.
    """
    for size in range(sizes[0], sizes[1], -1):
        letters = width / (0.55 * size * _MM_PER_POINT)
        lines = sum(math.ceil(max(length(text), 1) / letters) + 0.4 for text in texts)
        if lines * _LINE * size * _MM_PER_POINT <= height:
            return size
    return sizes[1]


def cut(text: str, width: float, height: float, size: int) -> str:
    """The text as far as a box holds it at a size of type."""
    lines = height / (_LINE * size * _MM_PER_POINT)
    room = int(lines * width / (0.55 * size * _MM_PER_POINT))
    if length(text) <= room:
        return text
    while length(text) >= room:
        text = text[: max(1, min(len(text) - 1, room - 1, int(len(text) * 0.9)))]
        if len(text) == 1:
            break
    return text + "…"


def heights_of(
    cells: list[list[str]], size: float, widths: list[float], room: float
) -> list[float]:
    """Heights in mm of as many rows of a table as the room holds, at least head and one row."""
    heights: list[float] = []
    for row in cells:
        letters = [(width - 2.4) / (0.5 * size * _MM_PER_POINT) for width in widths]
        pairs = zip(row, letters, strict=True)
        lines = max(math.ceil(length(cell) / max(fit, 1)) for cell, fit in pairs)
        height = max(lines, 1) * _LINE * size * _MM_PER_POINT + 1.6
        if len(heights) > 1 and sum(heights) + height > room:
            break
        heights.append(height)
    return heights
