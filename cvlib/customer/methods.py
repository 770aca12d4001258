"""What a customer study did, in the sentences of a methods section."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.draws import drawn_points
from cvlib.customer.index import CustomerIndex
from cvlib.customer.links import Worth
from cvlib.customer.value import PointValue, SatisfactionLink
from cvlib.statistics.resample import Bootstrap
from cvlib.words.methods import methods_table


def customer_methods(
    base: CustomerBase,
    index: CustomerIndex,
    linked: SatisfactionLink,
    value: PointValue,
    worth: Worth,
    beside: Mapping[str, object] | None = None,
    *,
    language: str = "en",
) -> pd.DataFrame:
    """How customers were joined, satisfaction measured and its points valued.

    Parameters
    ----------
    base, index, linked, value
        The steps of the study.
    worth : Worth
        Margin, discount, horizon, reward.
    beside : mapping of str to object, optional
        What `joint`, `weighting_race` and `certificate` gave, by these names; None is not told.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    DataFrame
        As `methods_table` makes it.
    """
    used: list[tuple[str, dict[str, object]]] = [
        ("joined", {"customers": len(base.ids), "respondents": len(index.scores)}),
        ("answered", {}),
        ("gate", {}),
        ("index", {"reliability": index.reliability}),
        (linked.found.model, {}),
    ]
    if index.calibration.usable:
        used.append(("calibrated", {"share": index.calibration.share}))
    if not value.withheld:
        drawn = len(value.draws.values) if value.draws else 0
        if drawn_points(linked.found, Bootstrap(1)) is not None:
            used.append(("drawn", {}))
        used += [("money", {"months": worth.horizon, "draws": drawn}), ("drivers", {})]
        used.append(("e_value", {}))
    used += [(name, {}) for name, found in (beside or {}).items() if found is not None]
    return methods_table("customer", used, language)
