"""Needs that matter and are not met: opportunity scores from a survey of needs"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.columns import labels, one_a_row, opened, rated
from cvlib.inputs.heads import taken
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.satisfaction.service.statistics import ends_of, unused_ends
from cvlib.statistics import resample
from cvlib.words.message import message

_ASKED = ("importance", "satisfaction")
_CLASSES = {"extreme": 15.0, "high": 12.0, "solid": 10.0}  # above; below 10: served


def opportunity(importance: np.ndarray, satisfaction: np.ndarray) -> np.ndarray:
    """I + max(I − S, 0), both 0 to 10 (Ulwick 2002, HBR 80(1):91-97)."""
    return importance + np.maximum(importance - satisfaction, 0.0)


def need_opportunities(
    data: Any,
    *,
    scale: tuple[int, int] = (1, 5),
    bootstrap: resample.Bootstrap | None = None,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Opportunity scores of needs, with intervals and the probability of being the first.

    Importance is 10 × the share of answers 4 or 5 of five, satisfaction likewise; of other scales
    the two highest answers [P].

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        respondent, need, importance, satisfaction, both on `scale`, as numbers or in usual words.
    scale : (low, high)
        Of the answers.
    bootstrap : Bootstrap, optional
        Respondents are drawn, with all their needs.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        need_opportunities: need, n, importance, satisfaction, opportunity, ci_low, ci_high,
        probability_first, class (extreme > 15, high 12–15, solid 10–12, served < 10).

    Raises
    ------
    InputError
        An answer off the scale, a need answered twice: with file, column, row.

    References
    ----------
    Ulwick (2002) Harvard Business Review 80(1):91-97.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.need_opportunities("needs_survey")["need_opportunities"]
    >>> int(found["probability_first"].sum().round())
    1
    """
    settings = resample.percentile_only(bootstrap or resample.Bootstrap())
    scale = ends_of(scale, "needs_scale")
    table = opened(data, reading, ["respondent", "need", "importance", "satisfaction"])
    one_a_row(table, ["respondent", "need"], message("service.rows_of_needs"))
    people = pd.factorize(labels(table, "respondent"))[0]
    need = labels(table, "need")
    names = list(dict.fromkeys(need))
    answers = [
        rated(
            table, column, scale, remedy=message("service.scale_is", name="needs_scale")
        ).to_numpy(float)
        for column in _ASKED
    ]
    units = int(people.max()) + 1
    picked = resample.indices(units, settings.draws, resample.generator(settings.seed, 73))
    counts = np.vstack([np.ones((1, units)), resample.counts_of(picked)]).astype(float)
    share = np.full((2, len(counts), len(names)), np.nan)
    for at, name in enumerate(names):
        for side, values in enumerate(answers):
            rows = (need == name).to_numpy() & ~np.isnan(values)
            weight = counts[:, people[rows]]
            with np.errstate(invalid="ignore"):
                share[side, :, at] = (
                    10 * (weight @ (values[rows] >= scale[1] - 1)) / weight.sum(axis=1)
                )
    score = opportunity(share[0], share[1])
    low, high = resample.percentile_limits(score[1:], settings.level, nan_policy="omit")
    # ties are shared out, so that the probabilities add up to 1
    top = np.nanmax(score[1:], axis=1, keepdims=True) - score[1:] < 1e-9
    first = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    rows = pd.DataFrame(
        {
            "need": names,
            "n": [int((need == name).sum()) for name in names],
            "importance": share[0, 0], "satisfaction": share[1, 0], "opportunity": score[0],
            "ci_low": low, "ci_high": high, "probability_first": first,
            "class": [opportunity_class(each) for each in score[0]],
        }
    ).sort_values("opportunity", ascending=False, kind="stable", ignore_index=True)  # fmt: skip
    best = rows.iloc[0]
    kind = "sure" if best["probability_first"] >= settings.level else "open"
    if best["opportunity"] < _CLASSES["solid"]:
        kind = "none"
    said = message(
        f"service.need_{kind}", need=best["need"], score=best["opportunity"], low=best["ci_low"],
        high=best["ci_high"], level=settings.level, chance=best["probability_first"],
    )  # fmt: skip
    cautions = unused_ends(np.concatenate(answers), scale, "needs_scale")
    return Finding({"need_opportunities": rows}, said, (*taken(table), *cautions))


def opportunity_class(score: float) -> str:
    """extreme, high, solid or served, by the borders 15, 12 and 10 [P where they are met]."""
    if score > _CLASSES["extreme"]:
        return "extreme"
    return next((name for name in ("high", "solid") if score >= _CLASSES[name]), "served")
