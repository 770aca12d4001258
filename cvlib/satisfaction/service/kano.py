"""Kano: which features delight, satisfy in proportion, or are missed only when absent"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.columns import answered_rows, labels, one_a_row, opened, rated
from cvlib.inputs.heads import taken
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.satisfaction.service.statistics import words_of
from cvlib.statistics import resample
from cvlib.words.message import joined, message

KINDS = "AOMIRQ"
NAMES = {
    "A": "attractive", "O": "one_dimensional", "M": "must_be", "I": "indifferent", "R": "reverse",
    "Q": "questionable",
}  # fmt: skip
_ASKED = ("functional", "dysfunctional")
# rows: functional 1 like, 2 must be, 3 neutral, 4 live with, 5 dislike; columns: dysfunctional
_TABLE = np.array([list("QAAAO"), list("RIIIM"), list("RIIIM"), list("RIIIM"), list("RRRRQ")])


def kano_classes(
    data: Any, *, bootstrap: resample.Bootstrap | None = None, reading: Reading = AS_IT_IS
) -> Finding:
    """Classes of features from pairs of questions, and what they add to (dis)satisfaction.

    The class is the commonest one; "not clear" where the two largest counts a ≥ b of n differ by
    less than 1.65 √((a + b)(2n − a − b) ÷ 2n) (Fong 1996 [M]).

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        respondent, feature, functional, dysfunctional (1 like, 2 must be, 3 neutral, 4 live with,
        5 dislike, or these words); a feature with one of the two blank is counted and left out.
    bootstrap : Bootstrap, optional
        Respondents are drawn, with all their features.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        kano_classes: feature, n, the counts A, O, M, I, R, Q, kano_class, clear, better,
        better_low, better_high, worse, worse_low, worse_high.

    Raises
    ------
    InputError
        An answer off 1–5, a feature answered twice: with file, column, row.

    References
    ----------
    Kano, Seraku, Takahashi & Tsuji (1984); Berger et al. (1993) Center for Quality of Management
    Journal 2(4):3-36: better = (A + O) ÷ (A + O + M + I), worse = −(O + M) ÷ the same.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.kano_classes("kano_survey")["kano_classes"].shape[0]
    4
    """
    settings = resample.percentile_only(bootstrap or resample.Bootstrap())
    table = opened(data, reading, ["respondent", "feature", *_ASKED])
    one_a_row(table, ["respondent", "feature"], message("service.rows_of_features"))
    remedy = message("service.kano_codes")
    steps = {word: float(step) for word, step in words_of("kano").items()}
    pair = [rated(table, c, (1, 5), steps, remedy) for c in _ASKED]
    table, blanks = answered_rows(table, pair)
    people = pd.factorize(labels(table, "respondent"))[0]
    feature = labels(table, "feature")
    asked = [answers[table.data.index] for answers in pair]
    kind = _TABLE[asked[0].to_numpy(int) - 1, asked[1].to_numpy(int) - 1]
    names = list(dict.fromkeys(feature))
    units = int(people.max()) + 1
    picked = resample.indices(units, settings.draws, resample.generator(settings.seed, 74))
    counts = np.vstack([np.ones((1, units)), resample.counts_of(picked)]).astype(float)
    rows = []
    for name in names:
        at = (feature == name).to_numpy()
        tally = counts[:, people[at]] @ np.array([kind[at] == each for each in KINDS]).T
        better, worse = coefficients(tally)
        own = [int(each) for each in tally[0]]
        label, clear = classified(own)
        row = {"feature": name, "n": sum(own), **dict(zip(KINDS, own, strict=True))}
        row |= {"kano_class": NAMES[label], "clear": clear}
        for column, draws in {"better": better, "worse": worse}.items():
            low, high = resample.percentile_limits(draws[1:], settings.level, nan_policy="omit")
            row |= {column: draws[0], f"{column}_low": low, f"{column}_high": high}
        rows.append(row)
    found = pd.DataFrame(rows)
    warned = (*taken(table), *blanks, *_warnings(found))
    return Finding({"kano_classes": found}, _sentence(found, settings.level), warned)


def coefficients(tally: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Better and worse from counts (…, 6) in the order A, O, M, I, R, Q; NaN without any."""
    a, o, m, i = np.moveaxis(np.asarray(tally, dtype=float), -1, 0)[:4]
    total = a + o + m + i
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a + o) / total, -(o + m) / total


def classified(tally: list[int]) -> tuple[str, bool]:
    """The commonest class and whether it stands clear of the next; ties go to M, O, A, I [P]."""
    order = sorted(zip(tally, "AOMIRQ", strict=True), key=lambda v: (-v[0], "MOAIRQ".index(v[1])))
    (a, label), (b, _) = order[:2]
    n = sum(tally)
    return label, a - b >= 1.65 * ((a + b) * (2 * n - a - b) / (2 * n)) ** 0.5


def _sentence(found: pd.DataFrame, level: float) -> str:
    worst = found.loc[found["worse"].idxmin()]
    best = found.loc[found["better"].idxmax()]
    return joined([
            message("service.kano_missed", feature=worst["feature"], worse=worst["worse"],
                    low=worst["worse_low"], high=worst["worse_high"], level=level),
            message("service.kano_delights", feature=best["feature"], better=best["better"],
                    low=best["better_low"], high=best["better_high"]),
        ],
    )  # fmt: skip


def _warnings(found: pd.DataFrame) -> tuple[str, ...]:
    said = []
    turned = int(found["R"].sum())
    if turned > 0.5 * found["n"].sum():
        said.append(message("service.kano_turned", share=turned / int(found["n"].sum())))
    unclear = list(found.loc[~found["clear"], "feature"])
    if unclear:
        said.append(message("service.kano_unclear", features=unclear))
    doubtful = found[found["Q"] > 0.1 * found["n"]]
    if len(doubtful):
        said.append(message("service.kano_doubtful", features=list(doubtful["feature"])))
    return tuple(said)
