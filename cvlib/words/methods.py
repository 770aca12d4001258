"""What was done, in the sentences of a methods section: read from a pillar's file of wordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd

from cvlib.inputs.shipped import shipped_yaml


@cache
def _wordings(pillar: str) -> dict[str, dict[str, Any]]:
    text = (resources.files("cvlib.words") / "methods_of" / f"{pillar}.yaml").read_text("utf-8")
    found: dict[str, dict[str, Any]] = shipped_yaml(text)
    return found


def methods_table(
    pillar: str, used: Iterable[tuple[str, Mapping[str, Any]]], language: str = "en"
) -> pd.DataFrame:
    """The sentences that say what was done, with the works to cite.

    Parameters
    ----------
    pillar : str
        Whose ``methods_of/<pillar>.yaml``: per method a sentence in every language (``en``,
        ``zh``) with slots for facts, ``references`` (keys of the bibliography) and ``software``
        (packages that did the work).
    used : iterable of (str, mapping)
        The methods used, in the order they are told, with the facts that fill their sentences.
    language : {"en", "zh"}
        Language of the sentences.

    Returns
    -------
    DataFrame
        Columns method, sentence, references and software (keys and packages divided by spaces).
    """
    wordings = _wordings(pillar)
    rows = [
        {
            "method": method,
            "sentence": wordings[method][language].format(**facts),
            "references": " ".join(wordings[method].get("references", [])),
            "software": " ".join(wordings[method].get("software", [])),
        }
        for method, facts in used
    ]
    return pd.DataFrame(rows, columns=["method", "sentence", "references", "software"])
