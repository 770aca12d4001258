"""What is given of a population by name: paths and values of items, checked against the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.model import Model
from cvlib.words.message import message


def known(model: Model, named: Mapping[str, float], where: str) -> None:
    """Refuse a name that is no item."""
    for name in named:
        one_of(f"{where}, {name}", name, model.items, wrong=f"is not an item of model {model.name}")


def value_of(values: Mapping[Any, float], name: Any, where: str) -> float:
    """The number given for a name; none is an error."""
    if name not in values or not np.isfinite(values[name]):
        raise InputError(
            where,
            message("refusals.nothing_is_given_for", name=name),
            message("refusals.give_every_item_and_path"),
        )
    return float(values[name])


def given_paths(
    model: Model, paths: pd.DataFrame | Mapping[str, Mapping[str, float]]
) -> np.ndarray:
    """Standardised paths (k, k), every one of the model's and no other."""
    if isinstance(paths, pd.DataFrame):
        rows = zip(paths["source"], paths["target"], paths["estimate"], strict=True)
        written = {(a, b): value for a, b, value in rows}
    else:
        written = {(a, b): value for a, to in paths.items() for b, value in to.items()}
    names = model.construct_names
    wanted = [(a, b) for a, b, _ in model.signed_paths]
    strange = [f"{a} -> {b}" for a, b in written if (a, b) not in wanted]
    if strange:
        raise InputError(
            f"paths, {strange[0]}",
            message("refusals.is_not_a_path_of", name=model.name),
            message("refusals.give_the_model_own_paths"),
        )
    found = np.zeros((len(names),) * 2)
    for a, b in wanted:
        found[names.index(a), names.index(b)] = value_of(written, (a, b), "paths")
    return found
