"""Regressions of mean scores under many specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cvlib.satisfaction.beyond.joint import Estimated, regressions
from cvlib.satisfaction.survey.answers import Answers

LEAST_SHARE = 0.5  # of a construct's items, under person_mean [P]


def by_means(
    answers: Answers,
    source: str,
    target: str,
    grid: Sequence[Mapping[str, Any]],
    counts: np.ndarray,
) -> Estimated:
    """Every specification of mean scores, in the order of the grid.

    Parameters
    ----------
    answers : Answers
        Checked, with a model whose constructs give the controls' items.
    source, target : str
        Ends of the effect.
    grid : sequence of mappings
        missing, scale, source_items, target_items, controls.
    counts : ndarray (B, n)
        Resamples of all respondents.
    """
    model = answers.model
    given = answers.data[list(model.columns)].to_numpy(float)
    values = np.where(model.reversed_items, model.minimum + model.maximum - given, given)
    places = {name: n for n, name in enumerate(model.items)}
    blocks = {c.name: tuple(item.name for item in c.items) for c in model.constructs}
    number = len(grid)
    found = Estimated(*(np.full(number, np.nan) for _ in range(4)),
                      *(np.full((len(counts), number), np.nan) for _ in range(2)))  # fmt: skip
    for rule in dict.fromkeys(row["missing"] for row in grid):
        for scale in dict.fromkeys(row["scale"] for row in grid):
            own = [
                k for k, row in enumerate(grid) if (row["missing"], row["scale"]) == (rule, scale)
            ]
            sets: dict[tuple[str, ...], int] = {}
            for k in own:
                row = grid[k]
                for items in (row["source_items"], row["target_items"],
                              *(blocks[c] for c in row["controls"])):  # fmt: skip
                    sets.setdefault(tuple(items), len(sets))
            used = [[places[name] for name in items] for items in sets]
            columns, known = _means(values, used, scale, rule)
            specified = [
                (sets[tuple(grid[k]["source_items"])], sets[tuple(grid[k]["target_items"])],
                 tuple(sets[blocks[c]] for c in grid[k]["controls"])) for k in own
            ]  # fmt: skip
            part = regressions(columns, specified, counts[:, known])
            for name in ("estimate", "std_error", "z", "p"):
                getattr(found, name)[own] = getattr(part, name)
            found.null_estimate[:, own] = part.null_estimate
            found.null_z[:, own] = part.null_z
    return found


def _means(
    values: np.ndarray, used: Sequence[Sequence[int]], scale: str, rule: str
) -> tuple[np.ndarray, np.ndarray]:
    """Standardised mean scores (m, sets) of the respondents that a rule keeps, and who they are."""
    every = sorted({item for items in used for item in items})
    part = values[:, every]
    gaps = np.isnan(part)
    if rule == "listwise":
        known = ~gaps.any(axis=1)
    else:
        known = np.ones(len(part), dtype=bool)
        for items in used:
            known &= (~np.isnan(values[:, items])).mean(axis=1) >= LEAST_SHARE
    rows = values[known]
    if scale == "standardised":
        rows = (rows - np.nanmean(rows, axis=0)) / np.nanstd(rows, axis=0, ddof=1)
    means = np.column_stack([np.nanmean(rows[:, items], axis=1) for items in used])
    return (means - means.mean(axis=0)) / means.std(axis=0, ddof=1), known
