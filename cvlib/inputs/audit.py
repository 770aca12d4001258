"""What is too good, or not plausible, in data before anything is estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from cvlib.words.message import Message, message

GROWS = 0.6  # rank correlation with the duration from which a covariate is named
TOO_GOOD = 0.95  # area under the curve of one column, or of a forecast, that no honest one reaches
_LEVELS = 20  # more different values than this are not levels
UNUSED_SHARE = 0.25  # of a scale at one end that no answer of a block uses
STRAIGHT_SHARE = 0.05  # of respondents who answer everything alike, named from there on
FEWEST_ANSWERS, FEWEST_ITEMS = 30, 6  # to judge a block by, to call a line straight
# Messages of what could change every number of a survey.
CAUTIONS = ("inputs.scale_top_unused", "inputs.scale_bottom_unused", "inputs.labels_turned",
            "inputs.repeated_respondents", "inputs.straight_liners")  # fmt: skip
_COVERED = 0.05  # share of the people below which pure levels move no forecast
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
        area = _area(_score(values[known], happened[known], number), happened[known])
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
    from scipy import stats  # slow to load

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
    return found if sum(people for _, people, _ in found) >= _COVERED * len(values) else []


def _score(values: pd.Series, happened: np.ndarray, number: bool) -> np.ndarray:
    """Numbers as they are; levels by their share with the outcome."""
    if values.nunique() > _LEVELS:
        return values.to_numpy(float) if number else np.zeros(len(values))
    spelt = values.astype(str).to_numpy()
    shares = pd.Series(happened, index=spelt).groupby(level=0).mean()
    return shares.loc[spelt].to_numpy(float)


def _area(score: np.ndarray, happened: np.ndarray) -> float:
    from scipy import stats  # slow to load

    rank = stats.rankdata(score)
    gone = happened.sum()
    if gone in (0, happened.size):
        return 0.5
    return float((rank[happened].sum() - gone * (gone + 1) / 2) / (gone * (happened.size - gone)))


def scale_ends_unused(
    answers: pd.DataFrame, scales: Mapping[str, tuple[float, float]], blocks: Mapping[str, str]
) -> list[Message]:
    """Warn where no answer of a block of items comes near an end of its scale.

    Answers on five points in a model of ten look like a dissatisfied sample; a scale of the wrong
    length changes every index. A block is flagged where a quarter of its scale or more, at one end,
    is not used by any of at least `FEWEST_ANSWERS` answers [P].

    Parameters
    ----------
    answers : DataFrame
        Items as floats.
    scales : mapping
        Column to its lowest and highest possible answer.
    blocks : mapping
        Column to the construct it measures.

    Returns
    -------
    list of Message
        One for all blocks that share a scale and its unused end.
    """
    found: dict[tuple[float, float, bool], list[tuple[str, float, float]]] = {}
    for block in dict.fromkeys(blocks.values()):
        own = [column for column in answers if blocks.get(str(column)) == block]
        for low, high in dict.fromkeys(scales[str(column)] for column in own):
            columns = [c for c in own if scales[str(c)] == (low, high)]
            given = answers[columns].to_numpy(dtype=float)
            given = given[np.isfinite(given)]
            if given.size < FEWEST_ANSWERS or given.min() == given.max():
                continue
            for upper, gap in ((True, high - given.max()), (False, given.min() - low)):
                if gap >= UNUSED_SHARE * (high - low):
                    reached = (block, float(given.min()), float(given.max()))
                    found.setdefault((low, high, upper), []).append(reached)
    said = []
    for (low, high, upper), blocks_reached in found.items():
        names = [block for block, _, _ in blocks_reached]
        lowest = min(least for _, least, _ in blocks_reached)
        highest = max(most for _, _, most in blocks_reached)
        kind = "inputs.scale_top_unused" if upper else "inputs.scale_bottom_unused"
        said.append(message(kind, blocks=names, low=low, high=high, lowest=lowest, highest=highest))
    return said


def straight_liners(
    answers: pd.DataFrame, scales: Mapping[str, tuple[float, float]]
) -> tuple[int, int]:
    """Respondents who gave one and the same answer to every question of a scale, and those asked.

    Counted over the scale that most items share, of respondents with `FEWEST_ITEMS` answers or
    more on it; (0, 0) where there are fewer items.
    """
    shared = pd.Series({column: scales[str(column)] for column in answers}).value_counts()
    columns = [c for c in answers if len(shared) and scales[str(c)] == shared.index[0]]
    if len(columns) < FEWEST_ITEMS:
        return 0, 0
    asked = answers[columns]
    enough = asked.notna().sum(axis=1) >= FEWEST_ITEMS
    same = asked.nunique(axis=1) == 1
    return int((same & enough).sum()), int(enough.sum())


def straight_line_count(
    answers: pd.DataFrame, scales: Mapping[str, tuple[float, float]]
) -> Message | None:
    """How many respondents answered every question alike; None where too few were asked."""
    alike, asked = straight_liners(answers, scales)
    if not asked:
        return None
    return message("inputs.straight_liners", alike=alike, asked=asked, share=alike / asked)


def repeated_respondents(survey: pd.DataFrame, items: Sequence[str]) -> Message | None:
    """Warn where respondents stand in a survey twice, with every cell of their row.

    Two people may give the same answers. Rows are called repeats where a column of the file tells
    all others apart (an id, a time), or where `FEWEST_ITEMS` questions or more were answered alike
    by `STRAIGHT_SHARE` of the respondents, straight lines not counted [P].

    Parameters
    ----------
    survey : DataFrame
        All columns of the file.
    items : sequence of str
        Those with answers.
    """
    same = survey.duplicated()
    if not same.any():
        return None
    distinct = survey[~same]
    keys = [c for c in survey if c not in items and distinct[c].notna().all()
            and distinct[c].is_unique]  # fmt: skip
    if not keys:
        straight = survey[list(items)].nunique(axis=1) <= 1
        if len(items) < FEWEST_ITEMS or (same & ~straight).mean() < STRAIGHT_SHARE:
            return None
    repeats = int(same.sum())
    return message("inputs.repeated_respondents", repeats=repeats, rows=len(survey),
                   left=len(survey) - repeats)  # fmt: skip


def survey_cautions(
    answers: pd.DataFrame, scales: Mapping[str, tuple[float, float]], blocks: Mapping[str, str],
    survey: pd.DataFrame | None = None,
) -> list[Message]:  # fmt: skip
    """What could change a survey's answer: a scale of the wrong length, answers without thought.

    Straight-liners are named from `STRAIGHT_SHARE` on; a few are in every survey. With the whole
    `survey`, respondents who stand in it twice.
    """
    said = scale_ends_unused(answers, scales, blocks)
    twice = None if survey is None else repeated_respondents(survey, [str(c) for c in answers])
    count = straight_line_count(answers, scales)
    if count is not None and count.values["share"] < STRAIGHT_SHARE:
        count = None
    return said + [one for one in (twice, count) if one is not None]
