"""One call for any model, survey and estimator: bind, check, estimate, complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction.model.code import AnyModel, as_model
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import SCHEMES
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sem.equations import MISSING
from cvlib.satisfaction.sem.estimate import KINDS, estimate_covariance
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.satisfaction.survey.settings import (
    Assessment,
    Columns,
    Design,
    Missing,
    bootstrap_of,
)
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import joined, message, of_input

ESTIMATORS = ("pls", "plsc", "covariance", "both")
MOST_CLASSES = 5  # an item with no more is worth analysing as ordered categories


@dataclass(frozen=True, eq=False, repr=False)
class Estimates(Result):
    """What a study of one survey reports.

    Attributes
    ----------
    results : tuple of SatisfactionResult
        The reported estimates: of the model, and with estimator "both" also of the covariance
        model by covariance SEM.
    beside : tuple of SatisfactionResult
        With "both": the covariance model by PLS and by covariance SEM; else empty.
    diagnosis : DataFrame
        model, check, value, limit, trouble of every covariance solution.
    identified : tuple of SatisfactionResult
        The covariance solutions behind `diagnosis`.
    left_out : DataFrame
        column, reason, count, share: cells read as missing and respondents not used.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = SatisfactionResult.headline_tables
    charts: ClassVar[dict[str, str]] = SatisfactionResult.charts

    results: tuple[SatisfactionResult, ...]
    beside: tuple[SatisfactionResult, ...]
    diagnosis: pd.DataFrame
    identified: tuple[SatisfactionResult, ...]
    left_out: pd.DataFrame
    warnings: tuple[str, ...]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of all reported estimates, those of the diagnosis, and what was left out."""
        named_so = dict.fromkeys(name for result in self.results for name in result.tables)
        found = {name: self.table(name) for name in named_so} | super().tables
        return {name: table for name, table in found.items() if len(table)}

    def sentences(self) -> list[str]:
        """What the model's own estimate says."""
        return self.main.sentences()

    def names(self, language: str = "en") -> dict[str, str]:
        """Labels of all constructs; the first model's where several label one."""
        found: dict[str, str] = {}
        for result in self.results:
            found = result.names(language) | found
        return found

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """As of the model's own estimate."""
        return self.main.chart_arguments(name, language)

    @property
    def models(self) -> list[Model]:
        """The reported models, bound to the survey."""
        return [result.model for result in self.results]

    @property
    def main(self) -> SatisfactionResult:
        """The model's own estimate."""
        return self.results[0]

    def table(self, name: str) -> pd.DataFrame:
        """A table of all reported estimates.

        With several, columns model and estimator come first; the further columns are those of the
        first, empty in the rows of an estimator that does not offer them.
        """
        return stacked(self.results, name)


def stacked(results: Sequence[SatisfactionResult], name: str) -> pd.DataFrame:
    """The table `name` of several results, one under the other, with model and estimator."""
    if len(results) == 1 or not any(len(named(result, name)) for result in results):
        return named(results[0], name)
    parts = []
    for result in results:
        own = named(result, name).copy()
        own.insert(0, "model", result.model.name)
        own.insert(1, "estimator", result.estimator)
        parts.append(own)
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True).reindex(columns=filled[0].columns)


def named(result: SatisfactionResult, name: str) -> pd.DataFrame:
    """A table of a result by name, its own or an extra one; empty where there is none."""
    found: pd.DataFrame = getattr(result, name, result.extra.get(name, pd.DataFrame()))
    return found


@dataclass(frozen=True)
class Method:
    """How a study estimates.

    Parameters
    ----------
    estimator : {"pls", "plsc", "covariance", "both"}
        "both": the model by PLS, `covariance_model` by covariance SEM and, for comparison, by PLS.
    covariance_model : Model, name or path
        With "both"; empty for the same model. One whose items the survey lacks is replaced by the
        model itself, and a warning says so.
    scheme : {"path", "factorial", "centroid"}
        Inner weighting of PLS.
    standard_errors : {"ml", "mlm", "mlr", "gls", "uls", "wlsmv", "wlsm", "ulsmv"}
        Of covariance SEM; the last three for ordered answers.
    ordered : bool
        Answers are ordered categories: polychoric correlations take the place of correlations.
    modification : bool
        List the modification indices of covariance SEM.

    Raises
    ------
    InputError
        An estimator, scheme or kind of standard error that is not known.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Method("both", covariance_model="acsi").scheme
    'path'
    """

    estimator: str = "pls"
    covariance_model: AnyModel = ""
    scheme: str = "path"
    standard_errors: str = "ml"
    ordered: bool = False
    modification: bool = False

    def __post_init__(self) -> None:
        one_of("estimator", self.estimator, ESTIMATORS)
        one_of("scheme", self.scheme, SCHEMES)
        one_of("standard_errors", self.standard_errors, KINDS)

    def by_covariance(self, survey: Survey, chosen: Bootstrap, target: str) -> SatisfactionResult:
        """A covariance result with all tables; its intervals come from theory."""
        # the comparison model may lack the target, or have it without causes
        names = survey.model.construct_names
        known = target in names and len(scoring.drivers(survey.model, target)) > 0
        return estimate_covariance(
            survey, standard_errors=self.standard_errors, draws=replace(chosen, draws=0),
            target=target if known else "", modification=self.modification,
        )  # fmt: skip

    def by_pls(self, survey: Survey, chosen: Bootstrap, target: str) -> SatisfactionResult:
        """A PLS result with as many draws of the exact-fit test as of the bootstrap."""
        kind = "plsc" if self.estimator == "plsc" else "pls"
        return estimate_pls(
            survey, estimator=kind, scheme=self.scheme, draws=chosen, target=target,
            assessment=Assessment(exact_fit_draws=chosen.draws),
        )  # fmt: skip


def estimate(
    data: Data | Answers,
    model: AnyModel,
    method: Method | None = None,
    *,
    columns: Columns | None = None,
    missing: str | Missing = "listwise",
    design: Design | None = None,
    draws: int | Bootstrap = 0,
    target: str = "",
) -> Estimates:
    """Estimate a satisfaction model on a survey by one estimator or by both.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`.
    method : Method, optional
        Estimator, inner weighting, standard errors; PLS unless it says otherwise.
    columns : Columns, optional
        How items are found, and which codes mean no answer.
    missing : str or Missing
        Rule for missing answers. Covariance SEM takes "em" as full-information maximum likelihood
        and offers none of the other replacements.
    design : Design, optional
        Survey weights, strata and clusters; of PLS only.
    draws : int or Bootstrap
        Of the PLS bootstrap and exact-fit test; covariance SEM takes its standard errors from
        theory.
    target : str
        Construct of the importance-performance map; empty for satisfaction.

    Returns
    -------
    Estimates
        One result per estimator.

    Raises
    ------
    InputError
        For a survey, mapping or setting that cannot be used.

    References
    ----------
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), CSDA 48:159-205; Jöreskog (1970),
    Biometrika 57:239-251.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.estimate("mobi", "acsi", cv.satisfaction.Method("both"))
    >>> [result.estimator for result in found.results]
    ['pls', 'covariance']
    """
    how, chosen = method or Method(), bootstrap_of(draws)
    rule, sampled = Missing.of(missing), design or Design()
    told: list[str] = []
    if how.estimator in ("covariance", "both"):
        _refuse_design(sampled, rule)
    answers = open_survey(data, as_model(model).with_ordered(how.ordered), columns)
    if not answers.model.ordered and _few_classes(answers.model):
        told.append(message("satisfaction.could_be_ordered", most=MOST_CLASSES))
    if target:
        scoring.causes_of(answers.model, target)
    survey = prepare(answers, missing=rule, design=sampled)
    if how.estimator in ("pls", "plsc"):
        return _gathered((how.by_pls(survey, chosen, target),), (), (), answers.left_out, told)
    if how.estimator == "covariance":
        results = (how.by_covariance(survey, chosen, target),)
        return _gathered(results, (), results, answers.left_out, told)
    other, cells = survey, answers.left_out
    if how.covariance_model:
        given = how.covariance_model
        wanted = as_model(given).with_ordered(how.ordered)
        try:
            beside = open_survey(data, wanted, (columns or Columns()).of(wanted))
            other = prepare(beside, missing=rule, design=sampled)
        except InputError as error:
            told.append(
                message(
                    "satisfaction.covariance_instead",
                    model=survey.model.name,
                    wanted=wanted.name,
                    where=error.where,
                    wrong=error.wrong,
                )
            )
    first = how.by_pls(survey, chosen, target)
    try:
        return _beside(how, first, survey, other, (chosen, target), cells, told)
    except InputError as error:
        if not other.model.ordered and not other.model.parents:
            raise
        told.append(message("satisfaction.covariance_fault", model=other.model.name,
                            error=str(error)))  # fmt: skip
        return _gathered((first,), (), (), cells, told)


def _beside(
    how: Method, first: SatisfactionResult, survey: Survey, other: Survey,
    asked: tuple[Bootstrap, str], cells: pd.DataFrame, told: list[str],
) -> Estimates:  # fmt: skip
    """Covariance SEM and PLS of another model beside the first estimate."""
    chosen, target = asked
    if _same(survey.model, other.model):
        second = how.by_covariance(survey, chosen, target)
        return _gathered((first, second), (first, second), (second,), cells, told)
    pair = (how.by_pls(other, chosen, ""), how.by_covariance(other, chosen, target))
    try:
        identified: tuple[SatisfactionResult, ...] = (
            how.by_covariance(survey, chosen, target), pair[1],
        )  # fmt: skip
    except InputError as error:
        told.append(message("satisfaction.covariance_fault", model=survey.model.name,
                            error=str(error)))  # fmt: skip
        identified = (pair[1],)
    return _gathered((first, pair[1]), pair, identified, cells, told)


def _few_classes(model: Model) -> bool:
    """Whether no item has more than five possible answers."""
    return all(item.maximum - item.minimum < MOST_CLASSES for item in model.item_list)


def _same(one: Model, other: Model) -> bool:
    return (one.name, one.items, one.signed_paths) == (other.name, other.items, other.signed_paths)


def _refuse_design(design: Design, missing: Missing) -> None:
    if not design.simple:
        given = design.weights if isinstance(design.weights, str) and design.weights else ""
        named_as = given or design.strata or design.clusters or "weights"
        raise InputError(
            "estimator", message("refusals.covariance_sem_takes_no_survey", named_as=named_as),
            message("refusals.use_estimator_pls_or_leave"),
        )  # fmt: skip
    if missing.rule not in MISSING:
        raise InputError(
            "missing", message("refusals.covariance_sem_does_not_offer", rule=missing.rule),
            message("refusals.use_listwise_or_em_for"),
        )  # fmt: skip


def _gathered(
    results: tuple[SatisfactionResult, ...],
    beside: tuple[SatisfactionResult, ...],
    identified: tuple[SatisfactionResult, ...],
    cells: pd.DataFrame,
    told: list[str],
) -> Estimates:
    rows = stacked(results, "left_out").assign(column="(respondents)")
    checks = [r.extra["diagnosis"].assign(model=r.model.name) for r in identified]
    diagnosis = pd.concat(checks, ignore_index=True) if checks else pd.DataFrame()
    if len(diagnosis):
        diagnosis.insert(0, "model", diagnosis.pop("model"))
    parts = [part for part in (cells, rows) if len(part)]
    left_out = pd.concat(parts, ignore_index=True) if parts else cells
    named = len({r.model.name for r in (*results, *beside)}) > 1
    for result in (*results, *beside):
        several = named or len(results) > 1
        told += [
            message("satisfaction.of_estimate", model=result.model.name,
                    estimator=result.estimator, text=joined([text]))
            if several and not of_input(text) else text
            for text in result.warnings
        ]  # fmt: skip
    return Estimates(results, beside, diagnosis, identified, left_out, tuple(dict.fromkeys(told)))
