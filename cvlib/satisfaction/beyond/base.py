"""What every further section starts from: a survey, its PLS fit, and the fit in any resample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.headline import label
from cvlib.satisfaction.measurement import Measure
from cvlib.satisfaction.model.higher_order import second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls.engine import PLSFit, construct_scores
from cvlib.satisfaction.pls.estimate import fitter
from cvlib.satisfaction.pls.higher_order import Staged, StagedFit
from cvlib.satisfaction.pls.signs import aligned
from cvlib.satisfaction.survey.answers import Answers
from cvlib.satisfaction.survey.missing import Survey
from cvlib.satisfaction.survey.moments import Source
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap, percentile_only
from cvlib.words.message import message


@dataclass(frozen=True, eq=False)
class Base:
    """A survey, a model without interactions, and how both are estimated.

    Attributes
    ----------
    answers : Answers
        The survey with all its columns.
    survey : Survey
        Respondents in use, with `survey.model`.
    scheme, estimator : str
        Of PLS.
    bootstrap : Bootstrap
        Draws (0: no inference), seed, level.
    """

    answers: Answers
    survey: Survey
    scheme: str
    estimator: str
    bootstrap: Bootstrap

    def __post_init__(self) -> None:
        percentile_only(self.bootstrap)

    @cached_property
    def model(self) -> Model:
        """The model less its interactions, dimensions of a higher-order construct as its items."""
        return second_order(self._plain)

    @cached_property
    def _plain(self) -> Model:
        return replace(self.survey.model, moderations=())

    @cached_property
    def fitter(self) -> tuple[Source, inference.Fit]:
        """Moments of any resample, and the fit to them, turned as the full sample's."""
        return self.fitted(self._plain, self.estimator)

    def fitted(self, model: Model, estimator: str = "pls") -> tuple[Source, inference.Fit]:
        """As `fitter`, of another model on the same answers."""
        source, fit = fitter(model, self.survey, estimator=estimator, scheme=self.scheme)
        first = self.checked(fit(*source.moments(np.ones((1, source.units), dtype=np.int8))))
        if isinstance(fit, Staged) and isinstance(first, StagedFit):
            return source, partial(fit.towards, first)
        loadings = first.loadings[0]
        return source, lambda mean, covariance: aligned(model, fit(mean, covariance), loadings)

    def checked(self, found: PLSFit) -> PLSFit:
        """The fit of the full sample, where there is one."""
        if found.degenerate[0] or not np.isfinite(found.paths).all():
            raise InputError(
                f"model {self.model.name}", message("refusals.has_no_solution_on_these"),
                message("refusals.leave_out_items_or_constructs"),
            )  # fmt: skip
        return found

    @cached_property
    def found(self) -> PLSFit:
        """The fit of the full sample (B = 1)."""
        source, fit = self.fitter
        return fit(*source.moments(np.ones((1, source.units), dtype=np.int8)))

    @cached_property
    def values(self) -> np.ndarray:
        """What measures the constructs (n, p), missing answers filled in as for scores."""
        return lifted(self.found, 0, self.answered)

    @cached_property
    def answered(self) -> np.ndarray:
        """Answers (n, items), missing ones filled in."""
        source, _ = self.fitter
        mean, covariance = source.moments(np.ones((1, source.units), dtype=np.int8))
        return self.survey.completed(mean[0], covariance[0])

    @cached_property
    def scores(self) -> np.ndarray:
        """Standardised construct scores (n, k)."""
        return construct_scores(self.model, self.found, self.values)

    @cached_property
    def mass(self) -> np.ndarray:
        """Survey weight (n,) of every respondent, mean one."""
        weights = self.survey.weights
        return np.ones(len(self.survey.values)) if weights is None else weights / weights.mean()

    @property
    def degrees(self) -> int:
        """Degrees of freedom of bootstrap tests: resampling units less strata."""
        strata = self.survey.strata
        return self.fitter[0].units - (1 if strata is None else len(np.unique(strata)))

    def column(self, name: str, where: str) -> np.ndarray:
        """A numeric column of the survey (n,) for the respondents in use; NaN where it is empty."""
        data = self.answers.data
        if name not in data:
            raise InputError(where, message("refusals.column_is_not_in_the", name=name),
                             message("refusals.name_a_column_of_the"))  # fmt: skip
        found = (
            pd.to_numeric(data[name], errors="coerce").reindex(self.survey.index).to_numpy(float)
        )
        if not np.isfinite(found).sum() > 2 or np.nanstd(found) == 0:
            raise InputError(where, message("refusals.column_holds_no_numbers_that", name=name),
                             message("refusals.name_a_question_with_numbers"))  # fmt: skip
        return found

    def drawn(
        self, measures: Mapping[str, Measure], fitted: tuple[Source, inference.Fit] | None = None
    ) -> inference.Draws | None:
        """The quantities in every draw; None without draws, or where too few gave an estimate."""
        if not self.bootstrap.draws:
            return None
        source, fit = fitted or self.fitter
        found = inference.bootstrap(
            source, fit, lambda one: {name: value(one) for name, (_, value) in measures.items()},
            draws=self.bootstrap.draws, seed=self.bootstrap.seed, strata=self.survey.strata,
        )  # fmt: skip
        return self.usable(found)

    def usable(self, found: inference.Draws) -> inference.Draws | None:
        """The draws where enough of them gave an estimate."""
        used = len(found.failed) - int(found.failed.sum())
        return found if resample.enough(used, len(found.failed)) else None

    def inferred(
        self, measures: Mapping[str, Measure], fitted: tuple[Source, inference.Fit] | None = None
    ) -> dict[str, pd.DataFrame]:
        """Each quantity's keys with estimate and, with draws, std_error, t, p, ci_low, ci_high."""
        source, fit = fitted or self.fitter
        first = fit(*source.moments(np.ones((1, source.units), dtype=np.int8)))
        draws = self.drawn(measures, fitted)
        return {
            name: self.summary(keys, value(first)[0], None if draws is None else draws.kept(name))
            for name, (keys, value) in measures.items()
        }

    def summary(
        self, keys: pd.DataFrame, estimate: np.ndarray, draws: np.ndarray | None
    ) -> pd.DataFrame:
        """Keys with an estimate and, where there are draws (B, m), its inference."""
        if draws is None:
            return keys.assign(estimate=estimate)
        low, high = inference.intervals(estimate, draws, level=self.bootstrap.level)
        told = inference.summary(estimate, draws, self.degrees, low, high)
        return pd.concat([keys.reset_index(drop=True), told], axis=1)

    def by_rows(
        self, statistic: Callable[[np.ndarray, np.ndarray], np.ndarray], size: int
    ) -> np.ndarray | None:
        """A statistic of scores in every draw (draws, size), where moments do not suffice.

        Parameters
        ----------
        statistic : callable
            Scores (n, k) by the draw's weights and how often each respondent counts (n,), to
            (size,).
        size : int
            Number of values.
        """
        if not self.bootstrap.draws:
            return None
        kept: list[np.ndarray] = []
        failed = 0
        for counts, found in self._fits():
            for number in range(len(counts)):
                if found.degenerate[number] or not found.converged[number]:
                    failed += 1
                    continue
                weights = found.weights[number][:, None] * self.model.membership
                values = lifted(found, number, self.answered)
                standard = (values - found.mean[number]) / found.standard_deviation[number]
                kept.append(statistic(standard @ weights, counts[number]))
        if not resample.enough(len(kept), len(kept) + failed):
            return None
        return np.array(kept).reshape(-1, size)

    def _fits(self) -> Iterator[tuple[np.ndarray, PLSFit]]:
        source, fit = self.fitter
        clusters = self.survey.clusters
        for rows in resample.counts(
            source.units, self.bootstrap.draws, self.bootstrap.seed, self.survey.strata, 64
        ):
            counts = rows if clusters is None else rows[:, clusters]
            padded = np.concatenate([rows, rows]) if len(rows) == 1 else rows
            yield counts * self.mass, fit(*source.moments(padded))

    def label(self, construct: str) -> str:
        """A construct's (or interaction's) name in print, in every language."""
        return label(self.survey.model, construct)


def lifted(found: PLSFit, number: int, answers: np.ndarray) -> np.ndarray:
    """Answers as what measures the constructs: dimensions on 0 to 100 where there are parents."""
    if isinstance(found, StagedFit) and found.lift is not None and found.offset is not None:
        return np.asarray(answers @ found.lift[number] + found.offset[number])
    return answers


def needs_numbers(base: Base, section: str) -> None:
    """Refuse ordered items where a section takes answers as numbers."""
    if base.survey.model.ordered:
        raise InputError("ordered", message("further.needs_numbers",
                                            section=message(f"further.section_{section}")),
                         message("refusals.leave_ordered_out_for_this"))  # fmt: skip


def needs_composites(base: Base, section: str) -> None:
    """Refuse consistent PLS and ordered items where a section works on scores."""
    needs_numbers(base, section)
    if base.estimator != "pls":
        raise InputError(
            "estimator",
            message("further.needs_scores", section=message(f"further.section_{section}")),
            message("refusals.use_estimator_pls_for_this"),
        )
