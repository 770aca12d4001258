"""Does a product of constructs help to predict respondents the model has not seen?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import Moderation
from cvlib.satisfaction.pls import moderation as products
from cvlib.satisfaction.pls.engine import PLSFit, fit_pls
from cvlib.satisfaction.pls.prediction import paired_test
from cvlib.satisfaction.survey.moments import Sample
from cvlib.statistics import resample
from cvlib.words.message import Message, message


def with_and_without(
    base: Base, model: Model, source: Sample, centred_on: np.ndarray
) -> pd.DataFrame:
    """Out-of-sample loss of each moderated target with the products and without (CVPAT).

    Ten folds; scores, main effects and products are estimated without the respondents predicted.
    """
    folds, items, constructs = 10, len(model.items), len(model.constructs)
    units = source.units
    dealt = resample.generator(base.bootstrap.seed).permutation(np.arange(units) * folds // units)
    keep = (dealt != np.arange(folds)[:, None]).astype(np.int8)
    mean, covariance = source.moments(keep)
    plain = fit_pls(model, mean[:, :items], covariance[:, :items, :items], scheme=base.scheme)
    joint = products.joint_moments(model, plain, mean, covariance, centred_on)
    unit = np.arange(len(base.survey.values)) if base.survey.clusters is None \
        else base.survey.clusters  # fmt: skip
    targets = list(dict.fromkeys(m.target for m in model.moderations))
    errors = np.zeros((len(targets), 2, len(unit)))
    reference = np.zeros((len(targets), len(unit)))
    for fold in range(folds):
        rows = np.flatnonzero(dealt[unit] == fold)
        standard = (base.survey.values[rows] - mean[fold, :items]) / plain.standard_deviation[fold]
        scores = standard @ (plain.weights[fold][:, None] * model.membership)
        own = [scores[:, model.construct_names.index(m.source)]
               * scores[:, model.construct_names.index(m.moderator)]
               - _mean_of(plain, fold, model, m) for m in model.moderations]  # fmt: skip
        known = np.column_stack([scores, *own])
        for number, name in enumerate(targets):
            j = model.construct_names.index(name)
            causes = np.flatnonzero(model.adjacency[:, j])
            acting = [constructs + n for n, m in enumerate(model.moderations) if m.target == name]
            for kind, used in enumerate((np.r_[causes, acting].astype(int), causes)):
                slope = np.linalg.solve(joint[fold][np.ix_(used, used)], joint[fold][used, j])
                errors[number, kind, rows] = scores[:, j] - known[:, used] @ slope
            reference[number, rows] = scores[:, j]
    rows_of = []
    for number, name in enumerate(targets):
        loss = errors[number] ** 2
        tested = paired_test(loss[0], loss[1], base.mass, base.bootstrap.level)
        total = float(np.average(reference[number] ** 2, weights=base.mass))
        rows_of.append(
            {
                "target": name,
                "q2_with": 1 - tested["loss"] / total,
                "q2_without": 1 - tested["benchmark_loss"] / total,
                **tested,
            }
        )
    return pd.DataFrame(rows_of)


def _mean_of(fit: PLSFit, fold: int, model: Model, entry: Moderation) -> float:
    """Mean of a product of two standardised scores: their correlation."""
    names = model.construct_names
    pair = names.index(entry.source), names.index(entry.moderator)
    return float(fit.composite_correlation[fold][pair])


def prediction_sentences(base: Base, table: pd.DataFrame) -> list[Message]:
    """Whether the products predict better, worse or no differently, per target."""
    said = []
    for row in table.to_dict("records"):
        better = row["ci_high"] < 0
        worse = row["ci_low"] > 0
        kind = "better" if better else "worse" if worse else "alike"
        said.append(message(f"further.product_predicts_{kind}", target=base.label(row["target"]),
                            q2_with=row["q2_with"], q2_without=row["q2_without"]))  # fmt: skip
    return said
