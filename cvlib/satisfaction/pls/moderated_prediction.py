"""Out-of-sample prediction with interactions (two-stage method)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.estimate import fitter
from cvlib.satisfaction.pls.prediction import Prediction
from cvlib.satisfaction.survey.missing import Survey
from cvlib.statistics import resample


def moderated_prediction(
    model: Model,
    survey: Survey,
    plain: Prediction,
    *,
    scheme: str,
    folds: int,
    repetitions: int,
    seed: int,
) -> Prediction:
    """A prediction whose moderated constructs' items are predicted with the interaction.

    Parameters
    ----------
    model : Model
        With moderations.
    survey : Survey
        Complete answers.
    plain : Prediction
        Of the same model without the interaction, dealt by the same folds and seed.
    scheme, folds, repetitions, seed
        As in `predict`.
    """
    source, fit = fitter(model, survey, scheme=scheme)
    generator, units = resample.generator(seed), source.units
    dealt = np.array([generator.permutation(np.arange(units) * folds // units)
                      for _ in range(repetitions)])  # fmt: skip
    keep = (dealt[:, None] != np.arange(folds)[:, None]).reshape(-1, units)
    found = fit(*source.moments(keep.astype(np.int8)))
    unit = np.arange(len(survey.values)) if survey.clusters is None else survey.clusters
    names = model.construct_names
    losses = plain.losses.copy()
    for target in {m.target for m in model.moderations}:
        j = names.index(target)
        own = np.flatnonzero(model.block == j)
        sums = np.zeros((len(survey.values), len(own)))
        for number in range(len(keep)):
            rows = np.flatnonzero(dealt[number // folds][unit] == number % folds)
            deviation = found.standard_deviation[number]
            centre = found.mean[number, : len(model.items)]
            scores = ((survey.values[rows] - centre) / deviation) @ (
                found.weights[number][:, None] * model.membership
            )
            expected = scores @ found.paths[number, :, j]
            for place, m in enumerate(model.moderations):
                if m.target == target and found.interactions is not None:
                    a, b = names.index(m.source), names.index(m.moderator)
                    # the product's mean in training: correlations divide by the rows less one
                    left = len(survey.values) - len(rows)
                    mean = found.composite_correlation[number, a, b] * (left - 1) / left
                    product = scores[:, a] * scores[:, b] - mean
                    expected = expected + found.interactions[number, place] * product
            sums[rows] += centre[own] + expected[:, None] * (
                found.loadings[number, own] * deviation[own]
            )
        losses[[model.items[i] for i in own]] = (survey.values[:, own] - sums / repetitions) ** 2
    return replace(plain, losses=losses)
