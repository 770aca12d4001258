"""What the further sections did, in the sentences of a methods section."""

from __future__ import annotations

import pandas as pd

from cvlib.satisfaction.beyond.curve import SpecificationCurve
from cvlib.satisfaction.beyond.further import Further
from cvlib.words.methods import methods_table


def further_methods(found: Further | SpecificationCurve, language: str = "en") -> pd.DataFrame:
    """How the further sections, or a specification curve, were made.

    Parameters
    ----------
    found : Further or SpecificationCurve
        What there is; nothing gives an empty table.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    DataFrame
        As `cvlib.words.methods.methods_table`.
    """
    used: list[tuple[str, dict[str, object]]] = []
    if isinstance(found, SpecificationCurve):
        draws = int(found.specification_joint["draws"].iloc[0])
        used.append(("specification_curve",
                     {"count": len(found.specification_curve), "draws": draws}))  # fmt: skip
        return methods_table("satisfaction", used, language)
    if len(told := found.table("interactions")):
        used.append((f"interactions_{told['method'].iloc[0]}", {}))
    by_table = {
        "method_bias": "common_method", "marker_paths": "marker", "formative": "formative",
        "redundancy": "redundancy", "copula": "copula", "mediation": "mediation",
    }  # fmt: skip
    used += [(name, {}) for table, name in by_table.items() if len(found.table(table))]
    if len(tried := found.table("segments")):
        used.append(("segments", {"starts": int(tried["starts"].max())}))
    if len(found.table("segment_explained")):
        used.append(("segments_moved", {}))
    by_table = {"tetrad_blocks": "tetrads", "necessity": "necessity"}
    used += [(name, {}) for table, name in by_table.items() if len(found.table(table))]
    return methods_table("satisfaction", used, language)
