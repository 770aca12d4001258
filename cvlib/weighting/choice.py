"""One weighting, chosen by name: experts, data, or equal."""

from __future__ import annotations

import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.weighting import ahp, importance
from cvlib.weighting.ahp_group import expert_weights
from cvlib.weighting.judgement_files import read_judgements
from cvlib.weighting.normalisation import Indicators
from cvlib.weighting.objective import objective_weights
from cvlib.weighting.scoring import plain_weights


def choose_weights(
    indicators: Indicators, weighting: str, judgements: str = "", table: str = "alonso_lamata"
) -> tuple[pd.DataFrame, tuple[str, ...]]:
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
    tuple
        Tidy weights (indicator, parent, method, local_weight, global_weight) and warnings.
    """
    expert = [f"ahp_{method}" for method in ahp.METHODS]
    if weighting == "equal":
        return plain_weights(indicators.tree)[0], ()
    if weighting in importance.METHODS:
        found = objective_weights(indicators, [weighting])
        return found.weights, found.warnings
    if weighting in expert:
        if not judgements:
            raise InputError(
                "parameter judgements", f"is empty, and {weighting} needs them", "Name a file."
            )
        read = read_judgements(indicators.tree, judgements)
        method = weighting.removeprefix("ahp_")
        result = expert_weights(indicators.tree, read, methods=(method,), table=table)
        columns = ["indicator", "parent", "method", "local_weight", "global_weight"]
        return result.weights[columns], (*read.warnings, *result.warnings)
    known = ["equal", *expert, *importance.METHODS]
    raise InputError(f"weighting {weighting!r}", "is not known", nearest(weighting, known))
