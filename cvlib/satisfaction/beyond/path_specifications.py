"""One path of PLS models under many specifications, and in resamples without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.beyond.joint import Estimated, z_of
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit, construct_scores, fit_pls
from cvlib.satisfaction.pls.signs import aligned
from cvlib.satisfaction.survey.answers import Answers
from cvlib.satisfaction.survey.missing import prepare
from cvlib.satisfaction.survey.moments import Sample
from cvlib.words.message import Message, message

CHUNK = 128


def by_paths(
    able: Sequence[Answers],
    source: str,
    target: str,
    grid: Sequence[Mapping[str, Any]],
    counts: np.ndarray,
) -> tuple[Estimated, list[Message]]:
    """Every specification of a path, in the order of the grid, and those that failed.

    Parameters
    ----------
    able : sequence of Answers
        One per model with the path.
    source, target : str
        Ends of the path.
    grid : sequence of mappings
        estimator, model, missing, source_items, target_items.
    counts : ndarray (B, n)
        Resamples of all respondents.
    """
    number = len(grid)
    found = Estimated(*(np.full(number, np.nan) for _ in range(4)),
                      *(np.full((len(counts), number), np.nan) for _ in range(2)))  # fmt: skip
    told: list[Message] = []
    by_name = {one.model.name: one for one in able}
    for k, row in enumerate(grid):
        answers = by_name[row["model"]]
        wanted = {source: set(row["source_items"]), target: set(row["target_items"])}
        model = _measured_by(answers.model, wanted)
        try:
            values, rows = _values(answers, model, row["missing"])
            one = _one(model, values, counts[:, rows], (source, target), row["estimator"])
        except InputError as error:
            told.append(message("further.curve_model_left_out", model=row["model"],
                                reason=error.wrong))  # fmt: skip
            continue
        if one is None:
            continue
        for name, value in zip(("estimate", "std_error", "z", "p"), one[:4], strict=True):
            getattr(found, name)[k] = value
        found.null_estimate[:, k], found.null_z[:, k] = one[4], one[5]
    return found, list(dict.fromkeys(told))


def _measured_by(model: Model, wanted: Mapping[str, set[str]]) -> Model:
    constructs = tuple(
        replace(c, items=tuple(i for i in c.items if i.name in wanted[c.name]))
        if c.name in wanted else c for c in model.constructs
    )  # fmt: skip
    return replace(model, constructs=constructs, moderations=())


def _values(answers: Answers, model: Model, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Answers of the respondents in use, and their places in the survey."""
    survey = prepare(replace(answers, model=model, coded=answers.coded[:, [
        answers.model.items.index(name) for name in model.items]]), missing=rule)  # fmt: skip
    places = answers.index.get_indexer(survey.index) if answers.index.is_unique else None
    if places is None:
        raise InputError(
            "data",
            message("refusals.rows_have_labels_that_repeat"),
            message("refusals.number_the_rows"),
        )
    return survey.values, places


def _one(
    model: Model, values: np.ndarray, counts: np.ndarray, ends: tuple[str, str], estimator: str
) -> tuple[Any, ...] | None:
    """Estimate, standard error, z, p; and estimates and z without the effect in every draw."""
    a, b = (model.construct_names.index(name) for name in ends)
    whole = np.ones((1, len(values)), dtype=np.int8)
    sample = Sample(values, None, None)
    first = fit_pls(model, *sample.moments(whole), estimator=estimator)
    if not first.admissible[0]:
        return None
    path = float(first.paths[0, a, b])
    draws = _draws(model, sample, counts, first, (a, b), estimator)
    if np.isfinite(draws).sum() < len(draws) / 2:
        return None
    error = float(np.nanstd(draws, ddof=1))
    degrees = len(values) - 1
    t = path / error
    if estimator == "plsc":  # no data are known on which the corrected path is exactly 0
        null = draws - path
        spread = error
    else:
        without = values.copy()
        own = np.flatnonzero(model.block == b)
        score = construct_scores(model, first, values)[:, a]
        without[:, own] -= np.outer(
            score, first.standard_deviation[0, own] * first.loadings[0, own] * path)  # fmt: skip
        null = _draws(model, Sample(without, None, None), counts, first, (a, b), estimator)
        spread = float(np.nanstd(null, ddof=1))
    return (path, error, float(z_of(np.array(t), degrees)),
            float(2 * stats.t.sf(abs(t), degrees)), null,
            z_of(null / spread, degrees))  # fmt: skip


def _draws(
    model: Model, sample: Sample, counts: np.ndarray, first: PLSFit, path: tuple[int, int],
    estimator: str,
) -> np.ndarray:  # fmt: skip
    """The path (B,) in every resample; NaN where a fit failed."""
    parts = []
    for at in range(0, len(counts), CHUNK):
        rows = counts[at : at + CHUNK]
        moments = sample.moments(rows)
        found = aligned(model, fit_pls(model, *moments, estimator=estimator), first.loadings[0])
        bad = found.degenerate | ~found.converged
        parts.append(np.where(bad, np.nan, found.paths[:, path[0], path[1]]))
    return np.concatenate(parts)
