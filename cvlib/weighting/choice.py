"""One weighting by name: experts, data, both joined, learned, equal, or weights found before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.weighting.combine import Combination, combine
from cvlib.weighting.data import importance as spread
from cvlib.weighting.data.objective import ObjectiveWeights, expand_weights, objective_weights
from cvlib.weighting.data.outcome import learn_from_outcome
from cvlib.weighting.experts import ahp
from cvlib.weighting.experts.group import ExpertWeights, expert_weights
from cvlib.weighting.experts.judgements import Judgements
from cvlib.weighting.scale import Normalised, normalise
from cvlib.weighting.score import plain_weights, wide_weights
from cvlib.weighting.table import Indicators
from cvlib.words.message import message

# What joins experts and data, by the names of users and of `combine`.
COMBINED = {
    "additive": "additive",
    "multiplicative": "multiplicative",
    "geometric": "minimum_relative_entropy",
    "minimum_relative_entropy": "minimum_relative_entropy",
    "game_theory": "game_theory",
    "deviation_maximising": "deviation_maximising",
}
LEARNED = "learned"


@dataclass(frozen=True)
class Mix:
    """What a combined weighting joins.

    Attributes
    ----------
    expert, objective : str
        Names of the expert and of the data weighting.
    alpha : float
        Share of the experts in the additive rule.
    """

    expert: str = "ahp_eigenvector"
    objective: str = "entropy_minmax"
    alpha: float = 0.5


@dataclass(frozen=True, eq=False)
class Choice:
    """One weighting.

    Attributes
    ----------
    method : str
        Its name.
    weights : pandas.DataFrame
        indicator, parent, method, local_weight, global_weight.
    expert : ExpertWeights or None
        Where the weights came from experts.
    data : ObjectiveWeights or None
        Where they came from the data.
    mixed : Combination or None
        Where a rule joined both, with that rule's weights alone.
    warnings : tuple of str
    """

    method: str
    weights: pd.DataFrame
    expert: ExpertWeights | None = None
    data: ObjectiveWeights | None = None
    warnings: tuple[str, ...] = ()
    mixed: Combination | None = None


def choose_weights(
    indicators: Indicators,
    weighting: str,
    judgements: Judgements | None = None,
    *,
    method: str = "",
    aggregation: str = "aij",
    table: str = "alonso_lamata",
    importance: Mapping[str, float] | None = None,
    mix: Mix | None = None,
    outcome: pd.Series | None = None,
) -> Choice:
    """Weights of the whole tree by one method.

    Parameters
    ----------
    indicators : Indicators
        The customers, with their tree.
    weighting : str
        Empty: ``ahp_eigenvector`` where there are judgements, ``equal`` where there are none.
        ``equal``; ``ahp_`` and a method of `ahp`; a data method of `importance`; a rule that joins
        experts and data (additive, multiplicative, geometric, game_theory,
        deviation_maximising); ``learned`` from the outcome; or a table of weights (csv, xlsx, ...)
        such as notebook 04 writes.
    judgements : Judgements, optional
        Expert judgements for the ``ahp_`` methods and the rules that join.
    method : str
        Which of the methods of a table of weights; empty where it holds one.
    aggregation : str
        How several experts are joined.
    table : str
        Random-index table.
    importance : mapping of expert to float, optional
        Weights of the experts; equal by default.
    mix : Mix, optional
        What a rule joins, and by which share.
    outcome : pandas.Series, optional
        What customers did later, for ``learned``.

    Returns
    -------
    Choice
        The weights, and whose they are.

    Raises
    ------
    InputError
        A weighting that lacks what it needs: judgements, an outcome, a file with one weight per
        indicator.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> chosen = cv.weighting.choose_weights(customers, "equal")
    >>> chosen.weights["global_weight"].round(3).tolist()
    [0.333, 0.333, 0.333]
    """
    expert = [f"ahp_{name}" for name in ahp.METHODS]
    if not weighting:
        if judgements is None or not judgements.matrices:
            told = message("weighting.equal_unasked", count=len(indicators.items))
            warned = (told,) if len(indicators.items) > 1 else ()
            return Choice("equal", plain_weights(indicators.tree)[0], warnings=warned)
        weighting = expert[0]
    if not Path(weighting).suffix:
        known = ["equal", *expert, *spread.METHODS, *COMBINED, LEARNED]
        one_of("weighting", weighting, known, message("refusals.or_name_a_file_of_weights"))
    if weighting == "equal":
        return Choice(weighting, plain_weights(indicators.tree)[0])
    if weighting == LEARNED:
        return _learned(indicators, outcome)
    if weighting in COMBINED:
        return _joined(indicators, weighting, judgements, aggregation, table, importance, mix)
    if weighting in spread.METHODS:
        found = objective_weights(indicators, [weighting])
        return Choice(weighting, found.weights, data=found, warnings=found.warnings)
    if weighting in expert:
        if judgements is None or not judgements.matrices:
            raise InputError(
                "parameter judgements",
                message("refusals.is_empty_and_needs_them", weighting=weighting),
                message("refusals.name_a_file_or_weigh"),
            )
        ways = (weighting.removeprefix("ahp_"),)
        result = expert_weights(
            indicators.tree, judgements, methods=ways, aggregation=aggregation, table=table,
            importance=importance,
        )  # fmt: skip
        columns = ["indicator", "parent", "method", "local_weight", "global_weight"]
        warnings = (*judgements.warnings, *result.warnings)
        return Choice(weighting, result.weights[columns], expert=result, warnings=warnings)
    return read_weights(indicators, weighting, method)


def needs_experts(weighting: str) -> bool:
    """Whether a weighting asks for expert judgements.

    Parameters
    ----------
    weighting : str
        As `choose_weights` takes it.

    Returns
    -------
    bool
    """
    return not weighting or weighting.startswith("ahp_") or weighting in COMBINED


def _joined(
    indicators: Indicators,
    rule: str,
    judgements: Judgements | None,
    aggregation: str,
    table: str,
    importance: Mapping[str, float] | None,
    mix: Mix | None,
) -> Choice:
    """Experts and data joined by one rule."""
    mix, name = mix or Mix(), COMBINED[rule]
    one_of("expert_method", mix.expert, [f"ahp_{method}" for method in ahp.METHODS])
    one_of("objective", mix.objective, spread.METHODS)
    options = {"aggregation": aggregation, "table": table, "importance": importance}
    both = (
        choose_weights(indicators, mix.expert, judgements, **options),  # type: ignore[arg-type]
        choose_weights(indicators, mix.objective),
    )
    one, two = (wide_weights(each.weights, indicators.items)[each.method] for each in both)
    found = combine(indicators.tree, one, two, normalise(indicators), alpha=mix.alpha)
    known = list(dict.fromkeys(found.weights["method"]))
    one_of("weighting", name, known, wrong="is not defined for these two weightings")
    own = [text for text in found.warnings if _concerns(text, name)]
    warnings = (*both[0].warnings, *both[1].warnings, *own)
    weights = found.weights[found.weights["method"] == name].reset_index(drop=True)
    mixed = replace(found, weights=weights)
    return Choice(name, weights, both[0].expert, both[1].data, warnings, mixed)


def _concerns(warning: str, rule: str) -> bool:
    """Whether a warning of the combination is about the rule that is used, or about all."""
    kind = getattr(warning, "id", "").removeprefix("weighting.").partition("_")[0]
    products = ("multiplicative", "minimum_relative_entropy")
    return {"game": rule == "game_theory", "products": rule in products}.get(kind, True)


def _learned(indicators: Indicators, outcome: pd.Series | None) -> Choice:
    """Weights by non-negative least squares on the outcome."""
    if outcome is None:
        raise InputError(
            "parameter outcome",
            message("refusals.is_empty_and_learned_weights"),
            message("refusals.name_its_column"),
        )
    normalised: Normalised = normalise(indicators)
    found = learn_from_outcome(normalised, outcome, starts=0)
    if found.weights.empty:
        raise InputError(
            "weighting learned", found.warnings[0], message("refusals.weigh_by_another_method")
        )
    weights = found.weights.set_index("indicator")["global_weight"]
    told = (*found.warnings, message("weighting.learned_flatters"))
    return Choice(
        "learned_weights", expand_weights(indicators.tree, weights, "learned_weights"),
        warnings=told,
    )  # fmt: skip


def read_weights(indicators: Indicators, path: str, method: str = "") -> Choice:
    """Weights found before, from a table with indicator, global_weight and, for several, method.

    Parameters
    ----------
    indicators : Indicators
        The customers, with their tree.
    path : str
        The file, such as ``tables/weights.csv`` of a run of notebook 04.
    method : str
        Which of its methods; empty where it holds one.

    Returns
    -------
    Choice
    """
    table = read_table(path)
    data, items = table.data, list(indicators.items)
    for column in ("indicator", "global_weight"):
        if column not in data.columns:
            raise InputError(
                table.source,
                message("refusals.has_no_column_2", column=column),
                message("refusals.give_a_table_of_weights"),
            )
    known = list(map(str, dict.fromkeys(data["method"]))) if "method" in data else ["chosen"]
    if not method and len(known) > 1:
        raise InputError(
            f"parameter weights_method, for {table.source}",
            message("refusals.is_empty_and_the_file", n=len(known)),
            message("refusals.name_one_of", names=", ".join(known)),
        )
    if method:
        one_of("parameter weights_method", method, known, f"They stand in {table.source}.")
    chosen = method or known[0]
    rows = data[data["method"] == chosen] if "method" in data else data
    given = rows.assign(indicator=rows["indicator"].astype(str)).set_index("indicator")
    weights = pd.to_numeric(given["global_weight"], errors="coerce")
    absent = [item for item in items if item not in weights.index or weights.index.has_duplicates]
    if absent:
        raise InputError(
            table.source,
            message("refusals.does_not_give_one_weight", absent=absent[0], chosen=chosen),
            message("refusals.weigh_each_of", names=", ".join(items)),
        )
    values = weights.loc[items].to_numpy(float)
    if np.isnan(values).any() or (values < 0).any() or not np.isclose(values.sum(), 1, atol=1e-6):
        raise InputError(
            f"{table.source}, column global_weight",
            message("refusals.the_weights_of_are_not", names=", ".join(items)),
            message("refusals.correct_them"),
        )
    return Choice(chosen, expand_weights(indicators.tree, weights.loc[items], chosen))


def weights_by_method(weights: pd.DataFrame, items: Sequence[str]) -> pd.DataFrame:
    """One row per indicator, one column per method, in per cent: nothing is cut.

    Parameters
    ----------
    weights : pandas.DataFrame
        Tidy weights: indicator, method, global_weight.
    items : sequence of str
        The weight-carrying indicators, in order.

    Returns
    -------
    pandas.DataFrame
        indicator, then a column for each method; columns add up to 100.

    Raises
    ------
    InputError
        An indicator without a weight in some method.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> found = cv.weighting.by_data(frame, ["entropy_sum", "critic"], tree="rfm").weights
    >>> wide = cv.weighting.weights_by_method(found, ["recency", "frequency", "monetary"])
    >>> list(wide)
    ['indicator', 'entropy_sum', 'critic']
    """
    wide = 100 * wide_weights(weights, items)
    return wide.rename_axis(columns=None).reset_index()
