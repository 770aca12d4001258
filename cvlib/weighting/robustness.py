"""What a score owes to the other customers in the table, and how frozen bounds cure it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.statistics import resample
from cvlib.statistics.ranks import mid_ranks
from cvlib.weighting.agreement import rank_reversals
from cvlib.weighting.scale import normalise
from cvlib.weighting.score import score
from cvlib.weighting.table import Indicators
from cvlib.words.message import Message, message

FEWEST = 5  # customers, to try who leaves and who comes
MOST = 100_000  # of more customers this many are tried, among them all who hold a bound
NEWCOMERS = [
    "method", "customers", "newcomers", "outside_bounds", "change_frozen", "change_refitted",
    "rank_change_refitted",
]  # fmt: skip


def too_few(indicators: Indicators) -> tuple[Message, ...]:
    """Say that customers are too few to try who leaves and who comes, or so many that some are."""
    customers = len(indicators.values)
    if customers < FEWEST:
        return (message("weighting.reversal_few", least=FEWEST, customers=customers),)
    if customers > MOST:
        return (message("weighting.reversal_sample", tried=MOST, customers=customers),)
    return ()


def _tried(indicators: Indicators, seed: int) -> Indicators:
    """The customers, of very many a sample that has the bounds of all."""
    values = indicators.values
    if len(values) <= MOST:
        return indicators
    array = values.to_numpy()
    holders = np.unique([array.argmin(axis=0), array.argmax(axis=0)])
    others = np.setdiff1d(resample.generator(seed).permutation(len(values))[:MOST], holders)
    kept = np.sort(np.append(holders, others[: MOST - len(holders)]))
    return replace(indicators, values=values.iloc[kept])


def reversals_by_method(
    indicators: Indicators,
    weights: pd.Series,
    methods: Sequence[str],
    *,
    leavers: int = 20,
    seed: int = resample.SEED,
) -> pd.DataFrame:
    """Rank reversal of each scoring method when a customer leaves or is doubled.

    Parameters
    ----------
    indicators, weights, methods
        As `score_all` takes them.
    leavers : int
        Customers tried, those who hold a bound first.
    seed : int
        Seed of the others.

    Returns
    -------
    pandas.DataFrame
        method, event, tried (customers), reversing (of them, how many turned any pair),
        worst_pairs, worst_share (pairs turned by the worst).
    """
    columns = ["method", "event", "tried", "reversing", "worst_pairs", "worst_share"]
    indicators = _tried(indicators, seed)
    if len(indicators.values) < FEWEST:
        return pd.DataFrame(columns=columns)
    rows = []
    for method in methods:

        def scores(values: pd.DataFrame, method: str = method) -> np.ndarray:
            result = score(replace(indicators, values=values), weights, method)
            return result.scores["score"].to_numpy()

        found = rank_reversals(indicators.values, scores, leavers=leavers, seed=seed)
        for event, each in found.groupby("event", sort=False):
            turned = int((each["reversed_pairs"] > 0).sum())
            worst = each["reversed_pairs"].max(), each["share"].max()
            rows.append((method, event, len(each), turned, *worst))
    return pd.DataFrame(rows, columns=columns)


def newcomers(
    indicators: Indicators,
    weights: pd.Series,
    methods: Sequence[str],
    *,
    share: float = 0.2,
    seed: int = resample.SEED,
) -> pd.DataFrame:
    """Score some customers as if they came later: with a frozen reference and by fitting anew.

    Parameters
    ----------
    indicators, weights, methods
        As `score_all` takes them.
    share : float
        Share of customers who come later, drawn at random.
    seed : int
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        method, customers, newcomers, outside_bounds (cells of newcomers cut to a bound);
        change_frozen and change_refitted (largest change of an earlier customer's score once
        the newcomers are there); rank_change_refitted (largest change of an earlier customer's
        place among the earlier ones).
    """
    indicators = _tried(indicators, seed)
    m = len(indicators.values)
    if m < FEWEST:
        return pd.DataFrame(columns=NEWCOMERS)
    later = resample.generator(seed).permutation(m) < round(share * m)
    if later.sum() in (0, m) or (~later).sum() < 2:
        raise InputError(
            "share of newcomers",
            message("refusals.leaves_none_or_all", share=share),
            message("refusals.give_05_to"),
        )
    earlier = replace(indicators, values=indicators.values[~later])
    rows = []
    for method in methods:
        first = score(earlier, weights, method)
        before = first.scores["score"].to_numpy()
        frozen = score(indicators, reference=first.reference).scores["score"].to_numpy()[~later]
        anew = score(indicators, weights, method).scores["score"].to_numpy()[~later]
        late = replace(indicators, values=indicators.values[later])
        clipped = normalise(late, first.reference.bounds).clipped
        rows.append(
            {
                "method": method,
                "customers": len(before),
                "newcomers": int(later.sum()),
                "outside_bounds": int(clipped[["below", "above"]].to_numpy().sum()),
                "change_frozen": float(np.abs(frozen - before).max()),
                "change_refitted": float(np.abs(anew - before).max()),
                "rank_change_refitted": float(np.abs(mid_ranks(anew) - mid_ranks(before)).max()),
            }
        )
    return pd.DataFrame(rows)
