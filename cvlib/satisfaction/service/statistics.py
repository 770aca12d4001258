"""What the sections of a service survey share: means with Student intervals, Cronbach's alpha"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

from cvlib.inputs.audit import scale_ends_unused
from cvlib.inputs.errors import InputError
from cvlib.inputs.shipped import shipped_yaml
from cvlib.statistics import resample
from cvlib.words.message import Message, message


@cache
def words_of(kind: str) -> dict[str, str]:
    """What answers or heads of a kind of service study are called elsewhere: word, name here."""
    file = resources.files("cvlib.satisfaction.service") / "words.yaml"
    written = shipped_yaml(file.read_text(encoding="utf-8"))[kind]
    return {word: str(name) for name, words in written.items() for word in words}


_REACHED = ("low", "high", "lowest", "highest")


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Mean and Student limits of the values that are there.

    Returns
    -------
    mean, low, high : float
        Limits are NaN with fewer than two values.
    """
    kept = values[~np.isnan(values)]
    if not kept.size:
        return np.nan, np.nan, np.nan
    mean = float(kept.mean())
    if kept.size < 2:
        return mean, np.nan, np.nan
    half = float(resample.reach(level, kept.size - 1)) * float(kept.std(ddof=1)) / kept.size**0.5
    return mean, mean - half, mean + half


def ends_of(scale: Sequence[float], name: str) -> tuple[int, int]:
    """The lowest and highest answer of a scale.

    Raises
    ------
    InputError
        Not two whole numbers, the lower first, two apart or more.
    """
    given = list(scale) if isinstance(scale, Sequence) and not isinstance(scale, str) else []
    whole = [int(end) for end in given if isinstance(end, int | float) and end == int(end)]
    if len(given) != 2 or len(whole) != 2 or whole[1] - whole[0] < 2:
        raise InputError(name, message("refusals.is_no_scale", given=str(scale)),
                         message("refusals.is_no_scale_remedy"))  # fmt: skip
    return whole[0], whole[1]


def unused_ends(answers: np.ndarray, scale: tuple[float, float], name: str) -> list[Message]:
    """Warn where no answer comes near the top of the scale (`scale_ends_unused`).

    Parameters
    ----------
    answers : ndarray
        All answers given on the scale; NaN where not answered.
    scale : (low, high)
        As it is taken to be.
    name : str
        The parameter that says it.
    """
    given = pd.DataFrame({"answers": np.ravel(answers)})
    limits = {"answers": (float(scale[0]), float(scale[1]))}
    found = scale_ends_unused(given, limits, {"answers": "answers"})
    return [
        message("service.scale_unused", name=name, **{key: one.values[key] for key in _REACHED})
        for one in found
        if one.id == "inputs.scale_top_unused"  # few say that they expect little
    ]


def alpha(items: np.ndarray) -> float:
    """Cronbach's alpha of complete answers; NaN where they do not vary or there is one item.

    Parameters
    ----------
    items : ndarray (respondents, items)
        NaN where not answered.
    """
    kept = items[~np.isnan(items).any(axis=1)]
    k = items.shape[1]
    if k < 2 or len(kept) < 3:
        return np.nan
    total = float(kept.sum(axis=1).var(ddof=1))
    return (
        k / (k - 1) * (1 - float(kept.var(axis=0, ddof=1).sum()) / total) if total > 0 else np.nan
    )


def answered_mean(items: np.ndarray) -> np.ndarray:
    """Mean of the answers given, NaN where fewer than half were.

    Parameters
    ----------
    items : ndarray (respondents, items)
        NaN where not answered.
    """
    there = ~np.isnan(items)
    count = there.sum(axis=1)
    total = np.where(there, items, 0.0).sum(axis=1)
    enough = (count > 0) & (2 * count >= items.shape[1])
    return np.where(enough, total / np.maximum(count, 1), np.nan)


def rows_of(name: str, names: list[str], columns: list[np.ndarray], level: float) -> pd.DataFrame:
    """A table of means: `name`, n, mean, ci_low, ci_high; one row a column of values."""
    rows = [mean_interval(values, level) for values in columns]
    return pd.DataFrame(
        {
            name: names,
            "n": [int((~np.isnan(values)).sum()) for values in columns],
            "mean": [row[0] for row in rows],
            "ci_low": [row[1] for row in rows],
            "ci_high": [row[2] for row in rows],
        }
    )
