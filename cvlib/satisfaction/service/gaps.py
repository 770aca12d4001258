"""Service gaps (SERVQUAL): what customers perceive minus what they expect, by item and dimension"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.checks import fault
from cvlib.inputs.columns import enough_rows, opened, rated, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import by_usual_names, taken
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.results import Finding
from cvlib.satisfaction.service.statistics import (
    alpha,
    answered_mean,
    ends_of,
    mean_interval,
    rows_of,
    unused_ends,
    words_of,
)
from cvlib.words.message import joined, message

DIMENSIONS = {
    "tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5,
}  # fmt: skip


def service_gaps(
    data: Any,
    dimensions: Mapping[str, int] | None = None,
    reversed_items: Sequence[int] = (),
    *,
    scale: tuple[int, int] = (1, 7),
    level: float = 0.95,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Gaps between perception and expectation, with the scale's reliability beside them.

    G = P − E. A respondent's gap on a dimension is the mean of the pairs answered, missing when
    fewer than half were [P]; the overall gap is the mean over respondents of Σ w G ÷ 100 with each
    respondent's own points.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        One row per respondent: E1 … E22 and P1 … P22 on `scale`, optionally w_<dimension>, points
        that add up to 100, or shares that add up to 1.
    dimensions : mapping of str to int, optional
        Items of each dimension in their order; the five of Parasuraman et al. unless given.
    reversed_items : sequence of int
        Numbers of the items that are worded negatively; both answers are turned (8 − x of
        seven).
    scale : (low, high)
        Of the answers.
    level : float
        Confidence of the Student intervals.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        service_items: item, dimension, expectation, perception, n, gap, ci_low, ci_high.
        service_dimensions: the same by dimension, with servperf (perception alone, 0–100), weight
        (share of 1), alpha_perception, alpha_gap, reliability_difference. service_overall: kind
        (weighted, unweighted), n, gap, ci_low, ci_high.

    Raises
    ------
    InputError
        An answer off the scale, points that do not add up to 100: with file, column, row.

    References
    ----------
    Parasuraman, Zeithaml & Berry (1988) J. Retailing 64(1):12-40; Cronin & Taylor (1992) J.
    Marketing 56(3):55-68 on perception alone; Peter, Churchill & Brown (1993) J. Consumer Research
    19:655-662 on the reliability of differences.

    Examples
    --------
    >>> import cvlib as cv
    >>> gaps = cv.satisfaction.service_gaps("service_survey")
    >>> gaps["service_overall"]["kind"].tolist()
    ['weighted', 'unweighted']
    """
    scale = low, high = ends_of(scale, "service_scale")
    parts = dict(dimensions or DIMENSIONS)
    numbers = list(range(1, sum(parts.values()) + 1))
    wanted = [f"{side}{one}" for side in "EP" for one in numbers]
    table = opened(data, reading)
    table = by_usual_names(
        table, [*wanted, *(f"w_{part}" for part in parts)],
        {f"{side}{one}": [f"{word}{one}" for word, own in words_of("gaps").items() if own == side]
         for side in "EP" for one in numbers},
    )  # fmt: skip
    unknown = [one for one in reversed_items if one not in numbers]
    if unknown:
        raise InputError(
            "reversed_items",
            message("refusals.is_no_item", unknown=unknown[0]),
            message("refusals.items_are_to", n=len(numbers)),
        )
    expected, perceived = (_answers(table, side, numbers, reversed_items, scale) for side in "EP")
    enough_rows(table, len(expected), 2, "respondents")
    gap = perceived - expected
    ends = np.cumsum([0, *parts.values()])
    place = {name: slice(ends[k], ends[k + 1]) for k, name in enumerate(parts)}
    items = rows_of("item", [str(one) for one in numbers], list(gap.T), level)
    items = items.rename(columns={"mean": "gap"})
    items.insert(1, "dimension", np.repeat(list(parts), list(parts.values())))
    items.insert(2, "expectation", [mean_interval(column)[0] for column in expected.T])
    items.insert(3, "perception", [mean_interval(column)[0] for column in perceived.T])
    by = {name: answered_mean(gap[:, at]) for name, at in place.items()}
    weights = _weights(table, list(parts))
    rows = rows_of("dimension", list(parts), list(by.values()), level).rename(
        columns={"mean": "gap"}
    )
    served = [100 * (answered_mean(perceived[:, at]) - low) / (high - low) for at in place.values()]
    rows["servperf"] = [mean_interval(values)[0] for values in served]
    rows["weight"] = 1 / len(parts) if weights is None else np.nanmean(weights, axis=0) / 100
    rows["alpha_perception"] = [alpha(perceived[:, at]) for at in place.values()]
    rows["alpha_gap"] = [alpha(gap[:, at]) for at in place.values()]
    rows["reliability_difference"] = [
        _reliability(perceived[:, at], expected[:, at]) for at in place.values()
    ]
    overall = _overall(np.column_stack(list(by.values())), weights, level)
    found = {"service_dimensions": rows, "service_overall": overall, "service_items": items}
    cautions = unused_ends(np.concatenate([expected, perceived]), scale, "service_scale")
    warned = (*taken(table), *cautions, *_warnings(rows, weights))
    return Finding(found, _sentence(overall, rows, level, scale), warned)


def _answers(
    table: Table,
    side: str,
    numbers: Sequence[int],
    reversed_items: Sequence[int],
    scale: tuple[int, int],
) -> np.ndarray:
    for one in numbers:
        if f"{side}{one}" not in table.data:
            raise table.lacking(f"{side}{one}", message("service.gap_pairs", pairs=len(numbers)))
    columns = [
        rated(
            table, f"{side}{one}", scale, remedy=message("service.scale_is", name="service_scale")
        ).to_numpy(float)
        for one in numbers
    ]
    turned = [
        sum(scale) - v if n in reversed_items else v for n, v in zip(numbers, columns, strict=True)
    ]
    return np.column_stack(turned)


def _weights(table: Table, parts: Sequence[str]) -> np.ndarray | None:
    """(respondents, dimensions) points, where the table has any."""
    names = [f"w_{part}" for part in parts]
    if not set(names) & set(table.data.columns):
        return None
    points = pd.DataFrame({name: within(table, name, 0, 100, missing=True) for name in names})
    silent = points.isna().all(axis=1)
    shares = points.sum(axis=1)[~silent]
    if len(shares) and ((shares - 1).abs() < 1e-6).all():
        points *= 100
    off = ((points.sum(axis=1) - 100).abs() > 1e-6) & ~silent
    if off.any():
        total = points.sum(axis=1)[off.idxmax()]
        raise fault(
            table, names[0], off, message("refusals.points_add_up", total=total),
            message("refusals.points_add_up_remedy"),
        )  # fmt: skip
    return points.to_numpy(float)


def _overall(gap: np.ndarray, weights: np.ndarray | None, level: float) -> pd.DataFrame:
    plain = rows_of("kind", ["unweighted"], [gap.mean(axis=1)], level)
    if weights is not None:
        # a dimension without points needs no answer
        weighed = np.where(weights > 0, weights * gap, 0.0).sum(axis=1) / 100
        weighed = np.where(np.isnan(weights).all(axis=1), np.nan, weighed)  # gave no points
        plain = pd.concat([rows_of("kind", ["weighted"], [weighed], level), plain])
    return plain.rename(columns={"mean": "gap"}).reset_index(drop=True)


def _reliability(perceived: np.ndarray, expected: np.ndarray) -> float:
    """Reliability of P − E from the reliabilities of both, their spreads and correlation."""
    p, e = answered_mean(perceived), answered_mean(expected)
    kept = ~(np.isnan(p) | np.isnan(e))
    if kept.sum() < 3:
        return np.nan
    covariance = np.cov(p[kept], e[kept])
    own = covariance[0, 0] * alpha(perceived) + covariance[1, 1] * alpha(expected)
    spread = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return float((own - 2 * covariance[0, 1]) / spread) if spread > 0 else np.nan


def _sentence(
    overall: pd.DataFrame, rows: pd.DataFrame, level: float, scale: tuple[int, int]
) -> str:
    first = overall.iloc[0]
    kind = "open"
    if first["ci_high"] < 0:
        kind = "short"
    elif first["ci_low"] > 0:
        kind = "above"
    worst = rows.loc[rows["gap"].idxmin()]
    gap, low, high = (first[name] for name in ("gap", "ci_low", "ci_high"))
    if kind == "short":  # so much too little
        gap, low, high = -gap, -high, -low
    said = message(
        f"service.gap_{kind}", gap=gap, low=low, high=high,
        level=level, people=int(first["n"]), least=scale[0], most=scale[1],
    )  # fmt: skip
    where = message(
        "service.gap_largest", dimension=worst["dimension"], gap=worst["gap"],
        low=worst["ci_low"], high=worst["ci_high"],
    )  # fmt: skip
    return joined([said, where])


def _warnings(rows: pd.DataFrame, weights: np.ndarray | None) -> tuple[str, ...]:
    said = (
        []
        if weights is not None
        else [
            message(
                "service.gap_equal_weights", columns=[f"w_{name}" for name in rows["dimension"]]
            )
        ]
    )
    weak = rows[rows["alpha_gap"] < 0.7]
    if len(weak):
        said.append(
            message("service.gap_unreliable", dimensions=list(weak["dimension"]),
                    most=float(weak["alpha_gap"].max()))
        )  # fmt: skip
    return tuple(said)
