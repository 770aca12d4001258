"""One weighting, chosen by name: experts, data, or equal."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.weighting.data import importance
from cvlib.weighting.data.objective import ObjectiveWeights, objective_weights
from cvlib.weighting.experts import ahp
from cvlib.weighting.experts.files import read_judgements
from cvlib.weighting.experts.group import ExpertWeights, expert_weights
from cvlib.weighting.score import plain_weights
from cvlib.weighting.table import Indicators


@dataclass(frozen=True, eq=False)
class Choice:
    """One weighting.

    Attributes
    ----------
    weights : pandas.DataFrame
        indicator, parent, method, local_weight, global_weight.
    expert : ExpertWeights or None
        Where the weights came from experts.
    data : ObjectiveWeights or None
        Where they came from the data.
    warnings : tuple of str
    """

    weights: pd.DataFrame
    expert: ExpertWeights | None = None
    data: ObjectiveWeights | None = None
    warnings: tuple[str, ...] = ()


def choose_weights(
    indicators: Indicators, weighting: str, judgements: str = "", table: str = "alonso_lamata"
) -> Choice:
    """Weights of the whole tree by one method.

    Parameters
    ----------
    indicators : Indicators
        The customers, with their tree.
    weighting : str
        ``equal``, ``ahp_`` and a method of `ahp`, or a data method of `importance`.
    judgements : str
        Expert judgements for the ``ahp_`` methods: a shipped name or a file.
    table : str
        Random-index table.

    Returns
    -------
    Choice
    """
    expert = [f"ahp_{method}" for method in ahp.METHODS]
    one_of("weighting", weighting, ["equal", *expert, *importance.METHODS])
    if weighting == "equal":
        return Choice(plain_weights(indicators.tree)[0])
    if weighting in importance.METHODS:
        found = objective_weights(indicators, [weighting])
        return Choice(found.weights, data=found, warnings=found.warnings)
    if not judgements:
        raise InputError(
            "parameter judgements", f"is empty, and {weighting} needs them", "Name a file."
        )
    read = read_judgements(indicators.tree, judgements)
    method = weighting.removeprefix("ahp_")
    result = expert_weights(indicators.tree, read, methods=(method,), table=table)
    columns = ["indicator", "parent", "method", "local_weight", "global_weight"]
    return Choice(result.weights[columns], expert=result, warnings=result.warnings)
