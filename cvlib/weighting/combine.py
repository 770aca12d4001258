"""One weighting out of two: expert and data weights combined, with what the rule assumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics.ranks import Order, mid_ranks, overlap
from cvlib.weighting.data.importance import shares
from cvlib.weighting.data.objective import expand_weights
from cvlib.weighting.scale import Normalised
from cvlib.weighting.tree import Tree
from cvlib.words.message import message


@dataclass(frozen=True, eq=False, repr=False)
class Combination(Result):
    """Combined weights.

    Attributes
    ----------
    weights : pandas.DataFrame
        indicator, parent, method, local_weight, global_weight.
    coefficients : pandas.DataFrame
        method, source, raw (as solved), coefficient (as used), condition_number (game theory).
    sweep : pandas.DataFrame
        alpha, indicator, global_weight of the additive rule.
    sweep_ranks : pandas.DataFrame
        alpha, spearman, largest_rank_change, top_decile_overlap: customers ranked at this alpha
        against alpha = 0.5.
    settings : dict
        ``subjective`` and ``objective`` (names of the two weightings), ``alpha``, and ``fallback``:
        whether game theory fell back to equal coefficients.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("weights", "coefficients")
    told_by: ClassVar[str] = "cvlib.words.usual:heaviest"
    charts: ClassVar[dict[str, str]] = {"weights": "cvlib.figures.weighting:weight_chart"}

    weights: pd.DataFrame
    coefficients: pd.DataFrame
    sweep: pd.DataFrame
    sweep_ranks: pd.DataFrame
    settings: dict[str, Any]
    warnings: tuple[str, ...]


def combine(
    tree: Tree,
    subjective: pd.Series,
    objective: pd.Series,
    normalised: Normalised,
    *,
    alpha: float = 0.5,
    steps: int = 11,
    max_condition: float = 1e8,
) -> Combination:
    """Combine subjective and objective global weights by every rule; parents are sums.

    Parameters
    ----------
    tree : Tree
        The tree both weightings belong to.
    subjective, objective : pandas.Series
        Global weight of each of ``tree.weighted``, named by its method.
    normalised : Normalised
        The customers, for the deviation-maximising rule and the rank changes.
    alpha : float
        Share of the subjective weights in the additive rule.
    steps : int
        Points of the alpha sweep from 0 to 1.
    max_condition : float
        Condition number above which game theory falls back to equal coefficients [P].

    Returns
    -------
    Combination
        Methods ``additive``, ``multiplicative``, ``minimum_relative_entropy``, ``least_squares``
        (two equally trusted sources: always the additive rule at 0.5), ``game_theory``,
        ``deviation_maximising``.

    References
    ----------
    Hwang & Yoon (1981) (multiplicative); Wang, Y.-M. (1998) (deviation maximising) [M]; the
    game-theory rule minimises the distance of sum a_k w_k from each w_l [M].
    """
    items = list(tree.weighted)
    pair = np.array([_checked(subjective, items), _checked(objective, items)])
    number("alpha", alpha, 0, 1)
    z = normalised.complete()
    raw, condition, reason = game_theory(pair, max_condition)
    game = np.array([0.5, 0.5]) if reason else raw / raw.sum()
    own, nan = np.array([alpha, 1 - alpha]), np.nan
    spread = shares(pair @ total_deviation(z))
    product = pair[0] * pair[1]
    weights = {
        "additive": own @ pair,
        "minimum_relative_entropy": shares(np.sqrt(product)),
        "least_squares": pair.mean(axis=0),
        "game_theory": game @ pair,
        "deviation_maximising": spread @ pair,
    }
    warnings = [message("weighting.game_falls_back", reason=reason)] if reason else []
    if not reason and raw[0] == 0:
        warnings.append(message("weighting.game_uniform"))
    if product.any():
        weights["multiplicative"] = shares(product)
    else:
        del weights["minimum_relative_entropy"]
        warnings.append(message("weighting.products_undefined"))
    vetoed = [n for n, p in zip(items, product, strict=True) if p == 0]
    if vetoed and product.any():
        warnings.append(message("weighting.products_zero", indicators=vetoed))
    used: dict[str, tuple[np.ndarray, np.ndarray, float]] = {
        "additive": (own, own, nan),
        "game_theory": (raw, game, condition),
        "deviation_maximising": (spread, spread, nan),
    }
    coefficients = pd.DataFrame(
        [
            (method, source, before[k], after[k], number)
            for method, (before, after, number) in used.items()
            for k, source in enumerate(("subjective", "objective"))
        ],
        columns=["method", "source", "raw", "coefficient", "condition_number"],
    )
    grid = np.linspace(0, 1, steps)
    mixed = np.column_stack([grid, 1 - grid]) @ pair
    sweep = pd.DataFrame(mixed, index=pd.Index(grid, name="alpha"), columns=items)
    sweep.columns.name = "indicator"
    return Combination(
        pd.concat(
            [expand_weights(tree, pd.Series(w, index=items), m) for m, w in weights.items()],
            ignore_index=True,
        ),
        coefficients,
        sweep.stack().rename("global_weight").reset_index(),
        _rank_changes(z, mixed, grid, pair.mean(axis=0)),
        {
            "subjective": subjective.name,
            "objective": objective.name,
            "alpha": alpha,
            "fallback": bool(reason),
        },
        tuple(warnings),
    )


def combine_sources(
    weights: pd.DataFrame,
    normalised: Normalised,
    tree: Tree,
    *,
    subjective: str,
    objective: str,
    alpha: float = 0.5,
) -> Combination:
    """Combine two of several weightings by name; without one of them, nothing, with the reason.

    Parameters
    ----------
    weights : pandas.DataFrame
        Tidy weights of several methods: indicator, method, global_weight.
    normalised : Normalised
        The customers.
    tree : Tree
        Their tree.
    subjective, objective : str
        Names of the weighting of experts and of that of data.
    alpha : float
        Share of the experts in the additive rule.

    Returns
    -------
    Combination
        See `combine`; its tables are empty where a source is not there.
    """
    missing = [name for name in (subjective, objective) if name not in set(weights["method"])]
    if missing:
        told = (message("weighting.nothing_combined", missing=missing, count=len(missing)),)
        names = ["indicator", "parent", "method", "local_weight", "global_weight"]
        ranks = ["alpha", "spearman", "largest_rank_change", "top_decile_overlap"]
        return Combination(
            pd.DataFrame(columns=names).astype({"local_weight": float, "global_weight": float}),
            pd.DataFrame(columns=["method", "source", "raw", "coefficient", "condition_number"]),
            pd.DataFrame(columns=["alpha", "indicator", "global_weight"]),
            pd.DataFrame(columns=ranks),
            {},
            told,
        )
    wide = weights.pivot(index="indicator", columns="method", values="global_weight")
    sources = wide.loc[list(tree.weighted)]
    return combine(tree, sources[subjective], sources[objective], normalised, alpha=alpha)


def game_theory(weights: np.ndarray, max_condition: float = 1e8) -> tuple[np.ndarray, float, str]:
    """Coefficients of the game-theory combination of L weight vectors.

    Solves G a = diag(G) with G_kl = w_k · w_l. Published work takes absolute values of a; here a
    negative coefficient is a reason to fall back.

    Parameters
    ----------
    weights : ndarray, L by n
        Weight vectors in rows.
    max_condition : float
        Largest acceptable condition number of G.

    Returns
    -------
    tuple
        Raw coefficients, condition number of G, and the reason to fall back ("" for none).
    """
    gram = weights @ weights.T
    condition = float(np.linalg.cond(gram))
    if not condition <= max_condition:
        reason: str = message("weighting.sources_same", condition=condition)
        return np.full(len(weights), np.nan), condition, reason
    raw = np.linalg.solve(gram, np.diag(gram))
    # Exactly zero by algebra for a uniform source; rounding leaves some 1e-16.
    raw[np.abs(raw) < 1e-12 * np.abs(raw).max()] = 0.0
    reason = message("weighting.coefficient_negative", coefficient=float(raw.min()))
    return raw, condition, reason if raw.min() < 0 else ""


def total_deviation(z: np.ndarray) -> np.ndarray:
    """Sum over all ordered pairs of customers of abs(z_i − z_k), per column, by sorting."""
    m = len(z)
    return 2 * (2 * np.arange(1, m + 1) - m - 1) @ np.sort(z, axis=0)


def _checked(weights: pd.Series, items: Sequence[str]) -> np.ndarray:
    found = weights.reindex(items).to_numpy(float)
    if np.isnan(found).any() or (found < 0).any() or not np.isclose(found.sum(), 1, atol=1e-6):
        raise InputError(
            "the weights to combine",
            message("refusals.do_not_cover_the_tree"),
            message("refusals.give_the_global_weight_of", names=", ".join(items)),
        )
    return found / found.sum()


def _rank_changes(
    z: np.ndarray, mixed: np.ndarray, grid: np.ndarray, middle: np.ndarray
) -> pd.DataFrame:
    base, order = mid_ranks(z @ middle), Order.of(z @ middle, decimals=12)
    rows = []
    for alpha, weights in zip(grid, mixed, strict=True):
        rank, own = mid_ranks(z @ weights), Order.of(z @ weights, decimals=12)
        varies = np.ptp(rank) > 0 and np.ptp(base) > 0
        spearman = np.corrcoef(rank, base)[0, 1] if varies else np.nan
        rows.append((alpha, spearman, np.abs(rank - base).max(), overlap(own, order, 0.1)))
    return pd.DataFrame(
        rows, columns=["alpha", "spearman", "largest_rank_change", "top_decile_overlap"]
    )
