"""What a study of service and needs did, in the sentences of a methods section"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cvlib.results import Finding
from cvlib.statistics.resample import Bootstrap
from cvlib.words.methods import methods_table


def service_methods(
    found: Mapping[str, Finding | None], bootstrap: Bootstrap, language: str = "en"
) -> pd.DataFrame:
    """The methods of the sections that were given, in the order of the notebook.

    Parameters
    ----------
    found : mapping of str to Finding or None
        By section, as in `service_answer`.
    bootstrap : Bootstrap
        Of the sections that resample.
    language : {"en", "zh"}
        Language of the sentences.
    """
    order = ("gaps", "image", "value", "needs", "features", "chains", "employees")
    used: list[tuple[str, dict[str, object]]] = [
        (name, {}) for name in order if found.get(name) is not None
    ]
    facts = {"draws": f"{bootstrap.draws:,}", "level": f"{100 * bootstrap.level:g}",
             "seed": bootstrap.seed}  # fmt: skip
    return methods_table("service", [*used, ("resamples", facts)], language)
