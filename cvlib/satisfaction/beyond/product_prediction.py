"""Does a product of constructs help to predict respondents the model has not seen?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.pls.moderated_prediction import moderated_prediction
from cvlib.satisfaction.pls.prediction import paired_test, predict
from cvlib.words.message import Message, message

FOLDS, REPETITIONS = 10, 10


def with_and_without(base: Base) -> pd.DataFrame:
    """CVPAT of every moderated target: loss of its items with the interactions and without.

    Parameters
    ----------
    base : Base
        Its survey's model has interactions by the two-stage method.

    Returns
    -------
    DataFrame
        target, items, loss, benchmark_loss (without), difference (negative: the interactions
        help), std_error, t, p, ci_low, ci_high.

    References
    ----------
    Liengaard et al. (2021), Decision Sciences 52:362-392.
    """
    model = base.survey.model
    dealing: dict[str, Any] = {
        "folds": FOLDS,
        "repetitions": REPETITIONS,
        "seed": base.bootstrap.seed,
    }
    plain = predict(base.model, base.survey, scheme=base.scheme, level=base.bootstrap.level,
                    **dealing)  # fmt: skip
    known = moderated_prediction(model, base.survey, plain, scheme=base.scheme, **dealing)
    rows = []
    for target in dict.fromkeys(m.target for m in model.moderations):
        j = model.construct_names.index(target)
        items = [model.items[i] for i in np.flatnonzero(model.block == j)]
        losses = [one.losses[items].mean(axis=1).to_numpy() for one in (known, plain)]
        tested = paired_test(losses[0], losses[1], plain.mass, base.bootstrap.level)
        rows.append({"target": target, "items": len(items), **tested})
    return pd.DataFrame(rows)


def prediction_sentences(base: Base, table: pd.DataFrame) -> list[Message]:
    """Whether the products predict better, worse or no differently, per target."""
    said = []
    for row in table.to_dict("records"):
        kind = "better" if row["ci_high"] < 0 else "worse" if row["ci_low"] > 0 else "alike"
        said.append(message(f"further.product_predicts_{kind}", target=base.label(row["target"]),
                            loss=row["loss"], without=row["benchmark_loss"]))  # fmt: skip
    return said
