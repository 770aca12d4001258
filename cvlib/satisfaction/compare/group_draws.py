"""One group's estimate and draws, several groups side by side, and their moments added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import cast

import numpy as np
import pandas as pd

from cvlib.satisfaction.compare.composed import Composed
from cvlib.satisfaction.model.higher_order import second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.estimate import fitter
from cvlib.satisfaction.pls.higher_order import Staged, StagedFit
from cvlib.satisfaction.pls.signs import aligned
from cvlib.satisfaction.pls.tables import statistics
from cvlib.satisfaction.survey.missing import Survey
from cvlib.statistics import resample
from cvlib.words.message import Message, message

# a group's mass per draw, its rows' mean weight, means and covariances per draw
Moments = tuple[np.ndarray, float, np.ndarray, np.ndarray]


class Pool:
    """Adds the moments of groups, draw by draw."""

    def __init__(self, items: int, draws: int, shift: np.ndarray) -> None:
        self.shift = shift
        self.mass = np.zeros((1 + draws, 1))
        self.first = np.zeros((1 + draws, items))
        self.second = np.zeros((1 + draws, items, items))

    def add(self, moments: Moments, scale: float) -> None:
        mass, typical, mean, covariance = moments
        away = mean - self.shift
        # a group's covariance divides by its rows less one; its rows weigh `typical` on average
        inside = covariance * ((mass / typical - 1) * typical / scale)[:, None]
        mass = mass / scale
        self.mass += mass
        self.first += mass * away
        self.second += inside + mass[:, None] * away[:, :, None] * away[:, None]

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        mean = self.first / self.mass
        products = self.second - self.mass[:, None] * mean[:, :, None] * mean[:, None]
        return mean + self.shift, products / (self.mass[:, None] - 1)


def estimate_part(
    model: Model, part: Survey, seed: int, *, scheme: str, draws: int
) -> tuple[dict[str, np.ndarray], Moments]:
    """One group: statistics (1 + B rows), and what pooling needs."""
    source, fit = fitter(model, replace(part), scheme=scheme)  # whose products are then let go
    composed, paths = Composed(model), path_values(model)
    mass = np.ones(len(part.values)) if part.weights is None else part.weights
    unit = mass if part.clusters is None else np.bincount(part.clusters, mass)
    span = (model.maximum - model.minimum) / 100
    masses: list[np.ndarray] = []
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    whole: list[PLSFit] = []  # of the data themselves, which come first

    def rows() -> Iterator[np.ndarray]:
        drawn = resample.counts(source.units, draws, seed, None, 255)
        data = np.ones((1, source.units), dtype=np.uint16)
        first = next(drawn, data[:0])
        for counts in chain([np.vstack([data, first])], drawn):
            masses.append(counts @ unit)
            yield counts

    def noted(mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
        items, own = len(model.items), len(masses[-1])  # a lone draw is fitted in company
        seen.append((mean[:own, :items], covariance[:own, :items, :items]))
        if isinstance(fit, Staged):  # dimensions are turned before they are scored
            whole.append(whole[0] if whole else fit(mean[:1], covariance[:1]))
            return fit.towards(cast(StagedFit, whole[0]), mean, covariance)
        whole.append(found := fit(mean, covariance))
        return aligned(model, found, whole[0].loadings[0])

    def measured(found: PLSFit) -> dict[str, np.ndarray]:
        lost = (~found.converged | found.degenerate)[:, None]
        return {
            "shares": np.where(lost, np.nan, composed.shares(found)),
            "paths": np.where(lost, np.nan, paths(found)),
        }

    values = dict(inference.evaluate(source, rows(), noted, measured).values)
    # without the company that a lone last draw is given
    fitted = len(values["shares"])
    mean, covariance = (np.concatenate(part)[:fitted] for part in zip(*seen, strict=True))
    values["mean"] = (mean - model.minimum) / span
    return values, (np.concatenate(masses)[:, None], float(mass.mean()), mean, covariance)


def path_keys(model: Model) -> pd.DataFrame:
    """The paths of a model, those of the second order where it has parents."""
    return statistics(second_order(model))["path_coefficients"][0]


def path_values(model: Model) -> Callable[[PLSFit], np.ndarray]:
    """The coefficients (B, m) of `path_keys` in a fit."""
    return statistics(second_order(model))["path_coefficients"][1]


def without_estimate(model: Model, part: Survey, scheme: str) -> Message | None:
    """Why the model has no estimate in a group; None where it has one."""
    lowest, highest = np.nanmin(part.values, axis=0), np.nanmax(part.values, axis=0)
    constant = np.flatnonzero(lowest == highest)
    if len(constant):
        items = [model.items[i] for i in constant]
        return message("satisfaction.group_constant", items=items)
    source, fit = fitter(model, replace(part), scheme=scheme)
    found = fit(*source.moments(np.ones((1, source.units), dtype=np.int8)))
    if found.degenerate[0]:
        return message("satisfaction.group_collinear")
    return None if found.converged[0] else message("satisfaction.group_unsettled")


def side_by_side(one: partial, parts: list[Survey], seeds: list[int], jobs: int) -> Iterator:
    """The same calculation for every group, several at a time, results in the order of the groups.

    Parameters
    ----------
    one : callable
        Takes a part and its seed.
    parts : list of Survey
        The groups.
    seeds : list of int
        One per group, so that the number of jobs changes no draw.
    jobs : int
        Threads; 1 runs them in turn.

    Yields
    ------
    object
        What `one` gives, group by group.
    """
    if jobs == 1:
        yield from map(one, parts, seeds)
        return
    from joblib import Parallel, delayed

    run = Parallel(n_jobs=jobs, prefer="threads", return_as="generator", pre_dispatch=jobs + 1)
    yield from run(delayed(one)(part, seed) for part, seed in zip(parts, seeds, strict=True))


def survey_part(survey: Survey, rows: np.ndarray) -> Survey:
    """Some respondents of a survey."""
    clusters = survey.clusters
    return replace(
        survey,
        values=survey.values[rows],
        weights=None if survey.weights is None else survey.weights[rows],
        clusters=None if clusters is None else pd.factorize(clusters[rows])[0],
        index=survey.index[rows],
    )
