"""A choice among alternatives: criteria weights, local priorities, and what turns the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics.ties import settled
from cvlib.weighting.experts.ahp import priorities
from cvlib.words.message import Message, message

MODES = ("distributive", "ideal")


@dataclass(frozen=True, eq=False, repr=False)
class Alternatives(Result):
    """Alternatives scored by weighted criteria, in both modes.

    Attributes
    ----------
    scores : pandas.DataFrame
        alternative, distributive, ideal (before it is divided by its sum), ideal_share and the
        two ranks, distributive_rank and ideal_rank.
    local : pandas.DataFrame, alternatives by criteria
        Local priorities.
    changes : pandas.DataFrame
        event (left_out, copied), alternative, mode, first (who leads then), turned (pairs of the
        others whose order turned).
    swaps : pandas.DataFrame
        criterion, weight, swap_weight, overtakes: the weight at which the first and the next
        change places in the ideal mode, the other weights in proportion, and who overtakes;
        empty where no weight does that.
    verdict : Message
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("scores", "changes")

    scores: pd.DataFrame
    local: pd.DataFrame
    changes: pd.DataFrame
    swaps: pd.DataFrame
    verdict: Message


def local_priorities(
    matrices: Mapping[str, pd.DataFrame], method: str = "eigenvector"
) -> pd.DataFrame:
    """Local priorities of the alternatives under each criterion, from pairwise judgements.

    Parameters
    ----------
    matrices : mapping of criterion to DataFrame
        Reciprocal judgement matrices, alternatives by alternatives.
    method : str
        Of `cvlib.weighting.ahp`: eigenvector, geometric_mean, column_mean.

    Returns
    -------
    pandas.DataFrame, alternatives by criteria
        Columns add up to 1.

    Raises
    ------
    InputError
        Matrices of different alternatives, or a matrix that is not reciprocal.

    References
    ----------
    Saaty (1977), Journal of Mathematical Psychology 15(3):234-281.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> ease = pd.DataFrame([[1, 3], [1 / 3, 1]], index=["A", "B"], columns=["A", "B"])
    >>> cv.weighting.local_priorities({"ease": ease})["ease"].tolist()
    [0.75, 0.25]
    """
    found: dict[str, pd.Series] = {}
    names: list[str] = []
    for criterion, matrix in matrices.items():
        own = list(matrix.index)
        names = names or own
        values = matrix.reindex(index=names, columns=names).to_numpy(float)
        if sorted(map(str, own)) != sorted(map(str, names)) or np.isnan(values).any():
            raise InputError(
                f"criterion {criterion!r}",
                message("refusals.does_not_compare_the_same"),
                message("refusals.compare_each_of", names=", ".join(map(str, names))),
            )
        if (values <= 0).any() or not np.allclose(values * values.T, 1, atol=1e-6):
            raise InputError(
                f"criterion {criterion!r}",
                message("refusals.its_judgements_are_not_reciprocal"),
                message("refusals.give_over_a_as_divided"),
            )
        found[criterion] = pd.Series(priorities(values, method), index=names)
    return pd.DataFrame(found)


def rated_priorities(ratings: pd.DataFrame, costs: Sequence[str] = ()) -> pd.DataFrame:
    """Local values of alternatives from ratings: value over the best, for a cost best over value.

    Parameters
    ----------
    ratings : pandas.DataFrame, alternatives by criteria
        Positive numbers: 1 to 9, or money.
    costs : sequence of str
        Criteria of which less is better.

    Returns
    -------
    pandas.DataFrame, alternatives by criteria
        The best alternative of each criterion has 1.

    Raises
    ------
    InputError
        A rating that is not positive, by alternative and criterion.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> money = pd.DataFrame({"tco": [859.0, 527.0]}, index=["own", "rented"])
    >>> cv.weighting.rated_priorities(money, ["tco"])["tco"].round(3).tolist()
    [0.614, 1.0]
    """
    values = ratings.to_numpy(float)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        i, j = map(int, np.argwhere(bad)[0])
        raise InputError(
            f"the ratings, {ratings.index[i]!r} on {ratings.columns[j]!r}",
            message("refusals.is_not_a_positive_number", values=values[i, j]),
            message("refusals.rate_from_to_or_give"),
        )
    for cost in costs:
        one_of("cost criterion", cost, list(ratings.columns))
    is_cost = np.isin(ratings.columns, list(costs))
    best = np.where(is_cost, values.min(axis=0), values.max(axis=0))
    return pd.DataFrame(
        np.where(is_cost, best / values, values / best), ratings.index, ratings.columns
    )


def choose_alternative(local: pd.DataFrame, weights: pd.Series) -> Alternatives:
    """Score alternatives in the distributive and the ideal mode, and say what would turn them.

    Parameters
    ----------
    local : pandas.DataFrame, alternatives by criteria
        Of `local_priorities` or `rated_priorities`.
    weights : pandas.Series
        Weight of each criterion; their sum is 1.

    Returns
    -------
    Alternatives
        Scores of both modes, what each alternative left out or copied turns, swap weights.

    Raises
    ------
    InputError
        Weights that do not cover the criteria, or fewer than two alternatives.

    References
    ----------
    Belton, V. & Gear, T. (1983). On a short-coming of Saaty's method of analytic hierarchies.
    Omega 11(3), 228-230. Wang, Y.-M. & Elhag, T. (2006). Decision Support Systems 42, 1474-1480.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> local = pd.DataFrame({"ease": [0.75, 0.25], "cost": [0.4, 0.6]}, index=["A", "B"])
    >>> found = cv.weighting.choose_alternative(local, pd.Series({"ease": 0.5, "cost": 0.5}))
    >>> found.scores["distributive"].round(3).tolist()
    [0.575, 0.425]
    """
    w = weights.reindex(local.columns).to_numpy(float)
    if np.isnan(w).any() or (w < 0).any() or not np.isclose(w.sum(), 1, atol=1e-6):
        raise InputError(
            "the weights of the criteria",
            message("refusals.are_not_non_negative_with"),
            message("refusals.weigh", names=", ".join(map(str, local.columns))),
        )
    if len(local) < 2:
        raise InputError(
            "the alternatives",
            message("refusals.to_choose_from", n=len(local)),
            message("refusals.name_two_or_more"),
        )
    p = local.to_numpy(float)
    every = {mode: _scored(p, w, mode) for mode in MODES}
    ideal = every["ideal"]
    table = pd.DataFrame({"alternative": local.index, "distributive": every["distributive"]})
    table["ideal"], table["ideal_share"] = ideal, ideal / ideal.sum()
    for mode in MODES:
        order = pd.Series(settled(every[mode]))
        table[f"{mode}_rank"] = order.rank(ascending=False, method="min").astype(int)
    changes = _changes(local, w)
    return Alternatives(table, local, changes, _swaps(local, w), _verdict(table, changes))


def total_cost(costs: Sequence[float], rate: float = 0.08) -> float:
    """Total cost of ownership: payments of years 0, 1, ... discounted to the signing.

    Parameters
    ----------
    costs : sequence of float
        Payment of each year, the signing first, in currency.
    rate : float
        Yearly discount rate.

    Returns
    -------
    float
        Σ cost_t / (1 + rate)^t.

    Raises
    ------
    InputError
        Payments that are empty or no numbers, or a rate outside its range.

    Examples
    --------
    >>> import cvlib as cv
    >>> round(cv.weighting.total_cost([500, 90, 90, 90, 90, 90], rate=0.08), 2)
    859.34
    """
    number("rate", rate, 0)
    paid = np.asarray(costs, dtype=float)
    if not np.isfinite(paid).all() or not len(paid):
        raise InputError(
            "the payments",
            message("refusals.are_empty_or_not_all"),
            message("refusals.give_one_for_each_year"),
        )
    return float(paid @ (1 + rate) ** -np.arange(len(paid)))


def return_on_investment(
    benefits: Sequence[float], costs: Sequence[float], rate: float = 0.08
) -> float:
    """Discounted benefits over discounted costs, less 1.

    Parameters
    ----------
    benefits, costs : sequence of float
        Of years 0, 1, ..., in currency.
    rate : float
        Yearly discount rate.

    Returns
    -------
    float
        As a share of the discounted costs.

    Raises
    ------
    InputError
        A total cost that is not positive.

    Examples
    --------
    >>> import cvlib as cv
    >>> gain, paid = [60, 220, 220, 220, 220, 220], [130, 120, 120, 120, 120, 0]
    >>> round(cv.weighting.return_on_investment(gain, paid), 3)
    0.779
    """
    paid = total_cost(costs, rate)
    if not paid > 0:
        raise InputError(
            "the payments",
            message("refusals.add_up_to", paid=paid),
            message("refusals.give_positive_costs"),
        )
    return total_cost(benefits, rate) / paid - 1


def _scored(p: np.ndarray, w: np.ndarray, mode: str) -> np.ndarray:
    """Scores by Σ w p with columns that add up to 1, or whose best is 1."""
    whole = p.sum(axis=0) if mode == "distributive" else p.max(axis=0)
    return np.asarray((p / whole) @ w)


def _changes(local: pd.DataFrame, w: np.ndarray) -> pd.DataFrame:
    p, rows = local.to_numpy(float), []
    names = list(local.index)
    for mode in MODES:
        before = settled(_scored(p, w, mode))
        for i, name in enumerate(names):
            others = [k for k in range(len(names)) if k != i]
            tried = {"left_out": p[others], "copied": np.vstack([p, p[i]])}
            for event, table in tried.items():
                if len(table) < 2:
                    continue
                after = settled(_scored(table, w, mode))
                stayed = others if event == "left_out" else list(range(len(names)))
                turned = [
                    f"{names[a]}/{names[b]}"
                    for x, a in enumerate(stayed)
                    for y, b in enumerate(stayed[x + 1 :], start=x + 1)
                    if np.sign(before[a] - before[b]) != np.sign(after[x] - after[y])
                ]
                first = names[stayed[int(after[: len(stayed)].argmax())]]
                rows.append([event, name, mode, first, ", ".join(turned)])
    return pd.DataFrame(rows, columns=["event", "alternative", "mode", "first", "turned"])


def _swaps(local: pd.DataFrame, w: np.ndarray) -> pd.DataFrame:
    p = local.to_numpy(float) / local.to_numpy(float).max(axis=0)
    scores = settled(p @ w)
    first = int(scores.argmax())
    behind = np.flatnonzero(scores < scores[first])  # a tie is no order that could turn
    columns = ["criterion", "weight", "swap_weight", "overtakes"]
    if not len(behind):
        return pd.DataFrame(columns=columns)
    second = int(behind[scores[behind].argmax()])
    gap, rows = p[first] - p[second], []
    for j, criterion in enumerate(local.columns):
        if w[j] >= 1:
            continue
        rest = (gap @ w - gap[j] * w[j]) / (1 - w[j])
        if np.isclose(rest, gap[j], rtol=0, atol=1e-12):
            continue
        at = rest / (rest - gap[j])
        if -1e-12 <= at <= 1 + 1e-12:
            rows.append([criterion, w[j], float(np.clip(at, 0, 1)), local.index[second]])
    return pd.DataFrame(rows, columns=columns)


def _verdict(table: pd.DataFrame, changes: pd.DataFrame) -> Message:
    leaders = [str(table.loc[table[f"{m}_rank"].idxmin(), "alternative"]) for m in MODES]
    shares = [float(table["distributive"].max()), float(table["ideal_share"].max())]
    facts = {
        "turned": int((changes["turned"] != "").sum()), "tried": len(changes),
        "distributive": shares[0], "ideal": shares[1],
    }  # fmt: skip
    if leaders[0] == leaders[1]:
        return message("weighting.alternative_first", name=leaders[1], **facts)
    return message("weighting.alternative_modes", a=leaders[1], b=leaders[0], **facts)
