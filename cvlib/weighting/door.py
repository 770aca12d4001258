"""What a researcher types: weights by experts or data, joined, judged and used to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table, load_table
from cvlib.statistics.resample import Bootstrap, percentile_only
from cvlib.weighting.combine import Combination, combine_sources
from cvlib.weighting.data.objective import ObjectiveWeights, objective_weights
from cvlib.weighting.experts.files import read_judgements
from cvlib.weighting.experts.group import ExpertWeights, expert_weights
from cvlib.weighting.scale import normalise
from cvlib.weighting.score import ScoresByMethod, plain_weights, score_all, weighted_sums
from cvlib.weighting.table import Indicators, read_indicators
from cvlib.weighting.tree import Tree, flat_tree, load_tree
from cvlib.weighting.validity import Validity, criterion_validity, read_outcome
from cvlib.words.message import message

Data: TypeAlias = str | Path | pd.DataFrame | Table | Indicators
Weights: TypeAlias = ExpertWeights | ObjectiveWeights


def ahp(
    judgements: Any,
    tree: str | Path | Tree | None = None,
    *,
    aggregation: str = "aij",
    faulty: str = "refuse",
    table: str = "alonso_lamata",
    bootstrap: Bootstrap | None = None,
) -> ExpertWeights:
    """Weights by the analytic hierarchy process from pairwise judgements.

    Parameters
    ----------
    judgements : mapping, str, Path or sequence
        ``{"a|b": 5, ...}`` (a is 5 times as important as b), a shipped name, or files of one or
        many experts (see `read_judgements`).
    tree : str, Path or Tree, optional
        The indicator tree; without it, one level of the names in a mapping.
    aggregation : {"aij", "aip_geometric", "aip_arithmetic"}
        How several experts are joined.
    faulty : {"refuse", "leave_out"}
        What to do with an expert whose judgements are wrong.
    table : str
        Random-index table.
    bootstrap : Bootstrap, optional
        For percentile intervals; none without it.

    Returns
    -------
    ExpertWeights
        Weights, consistency, suggestions, consensus.

    Raises
    ------
    InputError
        Judgements that cannot be used, naming the place.

    References
    ----------
    Saaty (1977), J. Mathematical Psychology 15, 234; Crawford & Williams (1985), ibid. 29, 387.

    Examples
    --------
    >>> import cvlib as cv
    >>> pairs = {"recency|frequency": 5, "recency|monetary": 7, "frequency|monetary": 3}
    >>> w = cv.weighting.ahp(pairs)
    >>> w.weights["global_weight"].head(3).round(3).tolist()
    [0.731, 0.188, 0.081]
    >>> w.consistency["cr"].round(3).tolist()
    [0.062]
    """
    if tree is None:
        if not isinstance(judgements, Mapping):
            raise InputError(
                "tree",
                message("refusals.is_not_named"),
                message("refusals.name_the_indicator_tree_of"),
            )
        names = [part.strip() for pair in judgements for part in str(pair).split("|")]
        tree = flat_tree(list(dict.fromkeys(names)))
    known = tree if isinstance(tree, Tree) else load_tree(tree)
    read = read_judgements(known, judgements, faulty=faulty)  # type: ignore[arg-type]
    return expert_weights(known, read, aggregation=aggregation, table=table, bootstrap=bootstrap)


def indicators(
    data: Data,
    tree: str | Path | Tree,
    *,
    customer: str = "",
    missing: str = "listwise",
    mapping: Mapping[str, str] | None = None,
) -> Indicators:
    """One row of indicators per customer, checked against a tree.

    Parameters
    ----------
    data : str, Path, DataFrame, Table or Indicators
        A name of the catalogue, a file or a table; indicators pass through.
    tree : str, Path or Tree
        The indicator tree.
    customer : str
        Column with the customer's id; empty: ``customer_id`` where there is one, else the rows.
    missing, mapping
        See `read_indicators`.

    Returns
    -------
    Indicators
        Values by customer, with what was left out and why.

    Raises
    ------
    InputError
        A table, tree or customer column that cannot be used: file, column and row are named.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9], "frequency": [4, 1], "monetary": [80, 15]})
    >>> cv.weighting.indicators(frame, "rfm").values.shape
    (2, 3)
    """
    if isinstance(data, Indicators):
        return data
    table = load_table(data)
    named = customer or ("customer_id" if "customer_id" in table.data.columns else "")
    known = tree if isinstance(tree, Tree) else load_tree(tree)
    return read_indicators(table, known, customer=named, missing=missing, mapping=mapping)


def by_data(
    data: Data,
    methods: Sequence[str] = ("entropy_minmax",),
    *,
    tree: str | Path | Tree = "rfm",
    customer: str = "",
    missing: str = "listwise",
    mapping: Mapping[str, str] | None = None,
    bootstrap: Bootstrap | None = None,
) -> ObjectiveWeights:
    """Weights from the spread of the data, by several methods.

    Parameters
    ----------
    data : see `indicators`
        The customers.
    methods : sequence of str
        See `objective_weights`.
    tree, customer, missing, mapping
        See `indicators`.
    bootstrap : Bootstrap, optional
        For percentile intervals over customers; none without it.

    Returns
    -------
    ObjectiveWeights
        Weights by method, with what was left out and why.

    Raises
    ------
    InputError
        A tree with fewer than two indicators to weigh, or a method that does not apply, with the
        reason.

    References
    ----------
    Shannon (1948); Hwang & Yoon (1981), Multiple attribute decision making; Diakoulaki, Mavrotas &
    Papayannakis (1995), Computers & Operations Research 22(7):763-770 (CRITIC).

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> found = cv.weighting.by_data(frame, ["entropy_sum", "critic"], tree="rfm")
    >>> found.settings["methods"]
    ['entropy_sum', 'critic']
    """
    read = indicators(data, tree, customer=customer, missing=missing, mapping=mapping)
    asked = percentile_only(bootstrap or Bootstrap(0))
    return objective_weights(
        read, list(methods), draws=asked.draws, level=asked.level, seed=asked.seed
    )


def entropy(data: Data, tree: str | Path | Tree = "rfm", **options: Any) -> ObjectiveWeights:
    """Entropy weights of min-max scaled values (see `by_data` for its options and variants).

    Parameters
    ----------
    data, tree
        See `indicators`.
    **options
        Further parameters of `by_data`.

    Returns
    -------
    ObjectiveWeights
        Weights, with what was left out and why.

    References
    ----------
    Shannon (1948); Hwang & Yoon (1981), Multiple Attribute Decision Making.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> cv.weighting.entropy(frame, tree="rfm").weights["method"].unique().tolist()
    ['entropy_minmax']
    """
    return by_data(data, ("entropy_minmax",), tree=tree, **options)


def critic(data: Data, tree: str | Path | Tree = "rfm", **options: Any) -> ObjectiveWeights:
    """CRITIC weights: spread times conflict; refused where nothing conflicts.

    Parameters
    ----------
    data, tree
        See `indicators`.
    **options
        Further parameters of `by_data`.

    Returns
    -------
    ObjectiveWeights
        Weights, with what was left out and why.

    References
    ----------
    Diakoulaki, Mavrotas & Papayannakis (1995), Computers & Operations Research 22, 763.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> cv.weighting.critic(frame, tree="rfm").weights["method"].unique().tolist()
    ['critic']
    """
    return by_data(data, ("critic",), tree=tree, **options)


def _first(found: Weights) -> pd.DataFrame:
    """The weights of a result's first method."""
    name = found.weights["method"].iloc[0]
    return found.weights[found.weights["method"] == name]


def _customers(found: Sequence[Weights], data: Indicators | None) -> Indicators:
    if data is not None:
        return data
    for each in found:
        if isinstance(each, ObjectiveWeights) and each.indicators is not None:
            return each.indicators
    raise InputError(
        "data", message("refusals.is_not_given_and_no"), message("refusals.give_data_indicators")
    )


def validity(
    weightings: Sequence[Weights],
    outcome: str,
    *,
    data: Indicators | None = None,
    bootstrap: Bootstrap | None = None,
) -> Validity:
    """Which weighting ranks customers closest to what they did later, beside equal weights.

    Parameters
    ----------
    weightings : sequence of ExpertWeights or ObjectiveWeights
        Their first method counts.
    outcome : str
        Column of the customers' table with what they did later.
    data : Indicators, optional
        The customers; without it those of the first weighting that came from data.
    bootstrap : Bootstrap, optional
        Resamples of the customers, for percentile intervals; by default 500.

    Returns
    -------
    Validity
        Rank measures by weighting, with intervals and differences from equal weights.

    Raises
    ------
    InputError
        An outcome that is missing for some customers, does not vary, or is no column of the data.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4, 1], "frequency": [4, 1, 2, 6],
    ...     "monetary": [8, 1, 9, 7], "later": [5, 0, 0, 9]})
    >>> e = cv.weighting.entropy(frame, tree="rfm")
    >>> found = cv.weighting.validity([e], outcome="later", bootstrap=cv.weighting.Bootstrap(0))
    >>> found.validity["method"].unique().tolist()
    ['entropy_minmax', 'equal']
    """
    read = _customers(weightings, data)
    parts = [_first(each) for each in weightings] + [plain_weights(read.tree)[0]]
    scores = weighted_sums(normalise(read), pd.concat(parts, ignore_index=True))
    later = read_outcome(read.rows, outcome, read.values.index)
    asked = percentile_only(bootstrap or Bootstrap())
    return criterion_validity(scores, later, draws=asked.draws, level=asked.level, seed=asked.seed)


def combine(expert: ExpertWeights, data: ObjectiveWeights, alpha: float = 0.5) -> Combination:
    """Join the weights of experts and of data by every rule.

    Parameters
    ----------
    expert, data : ExpertWeights, ObjectiveWeights
        The two sources; their first method counts.
    alpha : float
        Share of the experts in the additive rule.

    Returns
    -------
    Combination
        Weights by rule, those of both sources among them.

    Raises
    ------
    InputError
        No customers, where no weighting came from data.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> e = cv.weighting.entropy(frame, tree="rfm")
    >>> w = cv.weighting.ahp("liu_shih_2005", "rfm")
    >>> "additive" in set(cv.weighting.combine(w, e).weights["method"])
    True
    """
    read = _customers([data], None)
    both = [_first(expert), _first(data)]
    names = {"subjective": both[0]["method"].iloc[0], "objective": both[1]["method"].iloc[0]}
    found = pd.concat(both, ignore_index=True)
    return combine_sources(found, normalise(read), read.tree, alpha=alpha, **names)


def score(
    weighting: Weights,
    methods: Sequence[str] = ("weighted_sum",),
    *,
    data: Indicators | None = None,
) -> ScoresByMethod:
    """Score customers with a weighting by one or several methods.

    Parameters
    ----------
    weighting : ExpertWeights or ObjectiveWeights
        Its first method counts.
    methods : sequence of str
        See `score_all`.
    data : Indicators, optional
        The customers; without it those the weights came from.

    Returns
    -------
    ScoresByMethod
        Scores by customer and method.

    Raises
    ------
    InputError
        No customers, or none of the methods applies, with the reason.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> found = cv.weighting.score(cv.weighting.entropy(frame, tree="rfm"))
    >>> int(found.scores["weighted_sum"].idxmin())
    1
    """
    read = _customers([weighting], data)
    weights = _first(weighting).set_index("indicator")["global_weight"]
    return score_all(read, weights.reindex(list(read.items)), methods)
