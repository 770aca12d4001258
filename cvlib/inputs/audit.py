"""What looks too good in data before anything is estimated: columns that know the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy import stats

from cvlib.words.message import Message, message

GROWS = 0.6  # rank correlation with the duration from which a covariate is named
TOO_GOOD = 0.95  # area under the curve of one column, or of a forecast, that no honest one reaches
_LEVELS = 20  # more different values than this are not levels
_CHANCE = 1e-6  # a pure level must be less likely than this at the overall rate


@dataclass(frozen=True)
class Leaks:
    """Columns that may have been written down after the outcome.

    Attributes
    ----------
    table : DataFrame
        column, kind (grows_with_duration, separates, too_good), level (the value that separates),
        people (of that level, or all), value (rank correlation, share with the outcome, or area
        under the curve).
    """

    table: pd.DataFrame

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns named, each once."""
        return tuple(dict.fromkeys(self.table["column"]))

    def sentences(self) -> list[Message]:
        """One sentence a finding."""
        return [message("inputs.leak", finding=reason) for reason in self.reasons()]

    def reasons(self) -> list[Message]:
        """Every finding, as the part of a sentence."""
        return [
            message(f"inputs.leak_{row['kind']}", **row)
            for row in self.table.to_dict(orient="records")
        ]

    def of(self, column: str) -> Leaks:
        """What was found of one column."""
        return Leaks(self.table[self.table["column"] == column])


def leaks(
    covariates: pd.DataFrame, outcome: Sequence[bool] | pd.Series, duration: pd.Series | None = None
) -> Leaks:
    """Covariates that grow with the duration, have pure levels, or tell the outcome by themselves.

    A covariate known at the start of a contract cannot depend on how long it has lasted; among
    those still there the duration only says when they joined. A level of which everybody, or
    nobody, left is named when that many people alike would be a one in a million chance.

    Parameters
    ----------
    covariates : DataFrame
        As they stand in the file, numbers or text.
    outcome : array of bool
        Left, bought, answered: what is to be forecast.
    duration : Series, optional
        How long each has been observed.
    """
    happened = np.asarray(outcome, dtype=bool)
    rows: list[dict[str, object]] = []
    for name in covariates:
        values = covariates[name]
        known = values.notna().to_numpy()
        if known.sum() < 20 or values[known].nunique() < 2:
            continue
        number = is_numeric_dtype(values.dtype)
        if number and duration is not None:
            found = _growth(values.to_numpy(float), duration.to_numpy(float), happened, known)
            if abs(found) >= GROWS:
                rows.append(_row(name, "grows_with_duration", "", int(known.sum()), found))
                continue
        pure = _pure_levels(values[known], happened[known])
        if pure:
            rows += [_row(name, "separates", *level) for level in pure]
            continue
        if number and values[known].nunique() > 2:
            area = _area(values[known].to_numpy(float), happened[known])
            if max(area, 1 - area) > TOO_GOOD:
                rows.append(_row(name, "too_good", "", int(known.sum()), max(area, 1 - area)))
    columns = ["column", "kind", "level", "people", "value"]
    return Leaks(pd.DataFrame(rows, columns=columns))


def _row(column: object, kind: str, level: object, people: int, value: float) -> dict[str, object]:
    return {
        "column": str(column), "kind": kind, "level": str(level), "people": people, "value": value
    }  # fmt: skip


def _growth(
    values: np.ndarray, duration: np.ndarray, happened: np.ndarray, known: np.ndarray
) -> float:
    """Rank correlation with the duration, of all or of those still there, the larger in size."""
    found = [0.0]
    for rows in (known, known & ~happened):
        x, t = values[rows], duration[rows]
        if rows.sum() >= 20 and np.unique(x).size > 1 and np.unique(t).size > 1:
            found.append(float(stats.spearmanr(x, t).statistic))
    return max(found, key=abs)


def _pure_levels(values: pd.Series, happened: np.ndarray) -> list[tuple[str, int, float]]:
    """Levels of which all or none had the outcome, beyond chance: level, people, share."""
    overall = happened.mean()
    if values.nunique() > _LEVELS or not 0 < overall < 1:
        return []
    found = []
    for level, share in (
        pd.Series(happened, index=values.astype(str)).groupby(level=0).mean().items()
    ):
        if share not in (0.0, 1.0):
            continue
        people = int((values.astype(str) == level).sum())
        rate = overall if share == 1 else 1 - overall
        if people * np.log(rate) < np.log(_CHANCE):
            found.append((str(level), people, float(share)))
    return found


def _area(score: np.ndarray, happened: np.ndarray) -> float:
    rank = stats.rankdata(score)
    gone = happened.sum()
    if gone in (0, happened.size):
        return 0.5
    return float((rank[happened].sum() - gone * (gone + 1) / 2) / (gone * (happened.size - gone)))
