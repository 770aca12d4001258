"""Several models on the same respondents: what moves the index, what fits, what predicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.results import Result, by_name
from cvlib.satisfaction.estimators import named
from cvlib.satisfaction.index import default_target, index_values
from cvlib.satisfaction.model.code import AnyModel, as_model
from cvlib.satisfaction.model.higher_order import second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.estimate import estimate_pls, fitter
from cvlib.satisfaction.pls.prediction import Prediction, compare_predictions, predicted
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.satisfaction.survey.settings import (
    Assessment,
    Columns,
    Design,
    Missing,
    bootstrap_of,
)
from cvlib.statistics import resample
from cvlib.statistics.multiple import adjusted_within
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import joined, message, of_input

OUTCOMES = ("satisfaction", "loyalty")
CVPAT_COLUMNS = (
    "items", "outcome", "model_1", "model_2", "predicted_items", "loss_1", "loss_2", "difference",
    "std_error", "t", "p", "ci_low", "ci_high", "p_adjusted",
)  # fmt: skip
Key = tuple[str, str]  # ("all" or "shared", the model's name)


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison(Result):
    """Models estimated on the same respondents, on all their items and on those they share.

    Attributes
    ----------
    results : mapping
        ("all" or "shared", model) to its estimates.
    shift : DataFrame
        items, measure (index or r_squared), construct, model_1, model_2, value_1, value_2,
        difference (first less second), std_error, t, p, ci_low, ci_high: both models are refitted
        to the same resamples.
    cvpat : DataFrame
        items, outcome, model_1, model_2, predicted items, loss_1, loss_2, difference (negative
        favours the first), std_error, t, p, ci_low, ci_high, p_adjusted.
    predictions : mapping
        Key of `results` to its cross-validated prediction.
    surveys : mapping
        Key of `results` to the answers behind it.
    left_out : DataFrame
        reason, count, share: respondents not used by any model.
    settings : mapping
        folds, repetitions, adjustment.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("shift", "cvpat")
    told_by: ClassVar[str] = "cvlib.satisfaction.compare.sentences:of_models"
    charts: ClassVar[dict[str, str]] = {"models": "cvlib.figures.groups:models_chart"}

    results: Mapping[Key, SatisfactionResult]
    shift: pd.DataFrame
    cvpat: pd.DataFrame
    left_out: pd.DataFrame
    predictions: Mapping[Key, Prediction] = field(default_factory=dict)
    surveys: Mapping[Key, Survey] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def names(self, language: str = "en") -> dict[str, str]:
        """Labels of the constructs; the first model's where several label one."""
        found: dict[str, str] = {}
        for result in self.results.values():
            found = result.names(language) | found
        return found

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the chart of models side by side is made from."""
        tables = by_name("cvlib.satisfaction.compare.sentences:chart_tables")
        index, losses = tables(self, language)
        level = next(iter(self.results.values())).settings["level"]
        return {"index": index, "losses": losses, "language": language, "level": level}

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What the comparison is about: satisfaction and loyalty, or the models' own targets."""
        return outcomes_of([result.model for result in self.results.values()])

    @property
    def models(self) -> list[Model]:
        """The models on all of their items, bound to the survey."""
        return [result.model for (items, _), result in self.results.items() if items == "all"]

    def table(self, name: str) -> pd.DataFrame:
        """A table of every result, one under the other, after columns items and model."""
        parts = []
        for (items, model), result in self.results.items():
            own = named(result, name).copy()
            own.insert(0, "items", items)
            own.insert(1, "model", model)
            parts.append(own)
        return pd.concat(parts, ignore_index=True)

    @property
    def index_shift(self) -> pd.DataFrame:
        """The rows of `shift` about the index."""
        return self._shift_of("index")

    @property
    def r_squared_shift(self) -> pd.DataFrame:
        """The rows of `shift` about R²."""
        return self._shift_of("r_squared")

    def _shift_of(self, measure: str) -> pd.DataFrame:
        chosen = self.shift[self.shift["measure"] == measure]
        return chosen.drop(columns="measure").reset_index(drop=True)

    @property
    def fit(self) -> pd.DataFrame:
        """Fit of every model: measure, value and, of the bootstrap test, critical_value and p."""
        table = self.table("fit")
        tested = self.table("exact_fit")
        if tested.empty or "measure" not in tested:
            return table
        keys = ["items", "model", "measure"]
        found = [c for c in ("critical_value", "p", "p_bound") if c in tested]
        return table.merge(tested[[*keys, *found]], on=keys, how="left")


def compare_models(
    data: Data | Answers,
    models: Sequence[AnyModel],
    *,
    columns: Columns | None = None,
    scheme: str = "path",
    missing: str | Missing = "listwise",
    design: Design | None = None,
    draws: int | Bootstrap = 500,
    assessment: Assessment | None = None,
    adjustment: str = "holm",
) -> ModelComparison:
    """Estimate several models on the respondents that all of them can use.

    They are compared on all their items and on the columns that every model uses: constructs
    without such a column leave the model with their paths; models that become the same are
    estimated once.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent.
    models : sequence
        Two or more shipped names, YAML files or `Model`.
    columns : Columns, optional
        How items are found; a model takes the entries that name its items.
    scheme, missing, design
        As in `estimate_pls`.
    draws : int or Bootstrap
        Resamples, the same ones for every model, and of the exact-fit test.
    assessment : Assessment, optional
        The cross-validation, dealt alike for every model.
    adjustment : str
        Of the CVPAT p values of one outcome, as in `ranking.adjusted`.

    Returns
    -------
    ModelComparison
        Index, fit and prediction of each model, and their differences.

    Raises
    ------
    InputError
        Fewer than two models, or a survey or setting that cannot be used.

    References
    ----------
    Liengaard et al. (2021), Decision Sciences 52(2):362-392 (predictive ability); Sharma et al.
    (2019) (information criteria).

    Examples
    --------
    >>> import cvlib as cv
    >>> few = cv.satisfaction.Assessment(folds=3, repetitions=1)
    >>> found = cv.satisfaction.models("mobi", ["acsi", "ecsi"], draws=0, assessment=few)
    >>> [model.name for model in found.models]
    ['acsi', 'ecsi']
    """
    if len(models) < 2:
        raise InputError(
            "models",
            message("refusals.model", n=len(models)),
            message("refusals.name_two_or_more_to"),
        )
    chosen = columns or Columns()
    opened: dict[Key, Answers] = {}
    for given in models:
        model = as_model(given)
        if ("all", model.name) in opened:
            raise InputError(
                "models",
                message("refusals.is_named_twice", name=model.name),
                message("refusals.name_each_model_once"),
            )
        opened["all", model.name] = open_survey(data, model, chosen.of(model))
    reduced, told = _shared([answers.model for answers in opened.values()])
    codes = Columns(dont_know=chosen.dont_know)
    opened |= {("shared", name): open_survey(data, m, codes) for name, m in reduced.items()}
    how = How(scheme, Missing.of(missing), design or Design(), bootstrap_of(draws),
              assessment or Assessment(), adjustment)  # fmt: skip
    return compare_opened(opened, how, told)


@dataclass(frozen=True, eq=False)
class How:
    """The settings of a comparison of models."""

    scheme: str
    missing: Missing
    design: Design
    bootstrap: Bootstrap
    assessment: Assessment
    adjustment: str


def compare_opened(
    opened: Mapping[Key, Answers], how: How, told: Sequence[str] = ()
) -> ModelComparison:
    """Compare models on surveys that are open.

    Parameters
    ----------
    opened : mapping
        ("all" or "shared", the model's name) to the survey opened for the model; the same rows.
    how : How
        Settings.
    told : sequence of str
        What has to be said besides.
    """
    rows = len(next(iter(opened.values())).index)
    rules: dict[str, Any] = {"missing": how.missing, "design": how.design}
    placed = {key: replace(a, index=pd.RangeIndex(rows)) for key, a in opened.items()}
    surveys = {key: prepare(answers, **rules) for key, answers in placed.items()}
    used = pd.RangeIndex(rows)
    for survey in surveys.values():
        used = used.intersection(survey.index)
    left = rows - len(used)
    left_out = pd.DataFrame(
        [("not usable in every model", left, left / rows)] * bool(left),
        columns=["reason", "count", "share"],
    )
    if left:
        surveys = {key: prepare(opened[key].where(np.asarray(used)), **rules) for key in opened}
    else:
        surveys = {key: replace(s, index=opened[key].index) for key, s in surveys.items()}
    draws, seed, level = how.bootstrap.draws, how.bootstrap.seed, how.bootstrap.level
    fitted = Assessment(folds=0, exact_fit_draws=draws)
    folds, repetitions = how.assessment.folds, how.assessment.repetitions
    results, predictions, said = {}, {}, list(told)
    for key, survey in surveys.items():
        found = estimate_pls(survey, scheme=how.scheme, draws=how.bootstrap, assessment=fitted)
        foretold, reasons = predicted(
            survey.model, survey, scheme=how.scheme, folds=folds, repetitions=repetitions,
            seed=seed, level=level,
        )  # fmt: skip
        results[key] = found
        if foretold is not None:
            predictions[key] = foretold
            q2 = foretold.constructs[["construct", "q2_predict"]]
            extra = {**found.extra, "prediction_items": foretold.items}
            explained = found.r_squared.merge(q2, how="left")
            results[key] = replace(found, r_squared=explained, extra=extra)
        told_of = (*found.warnings, *(foretold.warnings if foretold is not None else reasons))
        kind = "satisfaction.of_shared_model" if key[0] == "shared" else "satisfaction.of_model"
        said += [text if of_input(text) else message(kind, model=key[1], text=joined([text]))
                 for text in told_of]  # fmt: skip
    return ModelComparison(
        results=results, predictions=predictions, surveys=surveys,
        shift=_shift(results, surveys, how.scheme, how.bootstrap),
        cvpat=_cvpat(results, predictions, level, how.adjustment),
        left_out=left_out, warnings=tuple(dict.fromkeys(said)),
        settings={"folds": folds, "repetitions": repetitions, "adjustment": how.adjustment},
    )  # fmt: skip


def _shared(models: Sequence[Model]) -> tuple[dict[str, Model], list[str]]:
    """The models on the columns all of them use, and what became of them."""
    columns = set.intersection(*(set(model.columns) for model in models))
    kept: dict[str, Model] = {}
    told: list[str] = []
    for model in models:
        constructs = tuple(
            replace(c, items=tuple(i for i in c.items if i.column in columns))
            for c in model.constructs
        )
        empty = [c.name for c in constructs if not c.items]
        try:
            less = replace(model, constructs=constructs, dropped=(), adapted="").without(
                empty, message("satisfaction.no_shared_item")
            )
        except InputError as error:
            told.append(message("satisfaction.not_reduced", model=model.name, why=error.wrong))
            continue
        shape = {(c.name, tuple(i.column for i in c.items), c.mode) for c in less.constructs}
        same = [
            name for name, other in kept.items()
            if shape == {(c.name, tuple(i.column for i in c.items), c.mode)
                         for c in other.constructs}
            and {p[:2] for p in less.signed_paths} == {p[:2] for p in other.signed_paths}
        ]  # fmt: skip
        if same:
            told.append(message("satisfaction.same_model", items=len(columns), model=model.name,
                                other=same[0]))  # fmt: skip
        else:
            kept[model.name] = less
    return kept, told


def _pairs(keys: Mapping[Key, Any]) -> list[tuple[Key, Key]]:
    return [(a, b) for a, b in itertools.combinations(keys, 2) if a[0] == b[0]]


def _shift(
    results: Mapping[Key, SatisfactionResult], surveys: Mapping[Key, Survey],
    scheme: str, chosen: Bootstrap,
) -> pd.DataFrame:  # fmt: skip
    """Differences of index and R² between models, from the same resamples of all of them."""

    def statistics(model: Model, fit: PLSFit) -> dict[str, np.ndarray]:
        explained = np.where(model.adjacency.any(axis=0), fit.r_squared, np.nan)
        return {"index": index_values(model, fit).values, "r_squared": explained}

    drawn: dict[Key, dict[str, pd.DataFrame]] = {}
    for key, result in results.items():
        model = result.model
        source, fit = fitter(model, surveys[key], scheme=scheme)
        whole = fit(*source.moments(np.ones((1, source.units), dtype=np.int8)))
        shown = second_order(model)
        values = {name: value[:1] for name, value in statistics(shown, whole).items()}
        if chosen.draws:
            found = inference.bootstrap(
                source,
                fit,
                partial(statistics, shown),
                draws=chosen.draws,
                seed=chosen.seed,
                strata=surveys[key].strata,
            )
            values = {name: np.vstack([value, np.where(
                found.failed[:, None], np.nan, found.values[name])])
                for name, value in values.items()}  # fmt: skip
        columns = list(shown.construct_names)
        drawn[key] = {name: pd.DataFrame(v, columns=columns) for name, v in values.items()}
        units = source.units
    rows = []
    for (first, second), measure in itertools.product(_pairs(results), ("index", "r_squared")):
        one, other = drawn[first][measure], drawn[second][measure]
        for construct in one.columns[one.columns.isin(other.columns)]:
            gap = (one[construct] - other[construct]).to_numpy()
            if np.isnan(gap[0]):
                continue
            row = {"items": first[0], "measure": measure, "construct": construct,
                   "model_1": first[1], "model_2": second[1], "value_1": one[construct][0],
                   "value_2": other[construct][0], "difference": gap[0]}  # fmt: skip
            kept = gap[1:][~np.isnan(gap[1:])]
            if len(kept) > 1:
                error = max(float(kept.std(ddof=1)), 0.0)
                row["std_error"] = error if error > 1e-12 else 0.0
                row["t"] = gap[0] / error if error > 1e-12 else np.nan
                row["p"] = 2 * stats.t.sf(abs(row["t"]), units - 1)
                row["ci_low"], row["ci_high"] = resample.percentile_limits(kept, chosen.level)
            rows.append(row)
    return pd.DataFrame(rows)


def outcomes_of(models: Sequence[Model]) -> tuple[str, ...]:
    """Those of `OUTCOMES` that some model explains; where none does, the models' own targets."""
    explained = {target for model in models for _, target, _ in model.signed_paths}
    usual = tuple(outcome for outcome in OUTCOMES if outcome in explained)
    own = dict.fromkeys(default_target(model) for model in models)
    return usual or tuple(name for name in own if name in explained) or tuple(sorted(explained))


def _cvpat(
    results: Mapping[Key, SatisfactionResult], predictions: Mapping[Key, Prediction],
    level: float, adjustment: str,
) -> pd.DataFrame:  # fmt: skip
    """CVPAT of every two models: over all items both predict, and over each outcome's."""
    rows = []
    outcomes = ("(all)", *outcomes_of([result.model for result in results.values()]))
    for (first, second), outcome in itertools.product(_pairs(predictions), outcomes):
        pair = [_only(predictions[key], results[key].model, outcome) for key in (first, second)]
        if set(pair[0].losses) & set(pair[1].losses):
            found = compare_predictions(pair[0], pair[1], level)
            found.insert(0, "items", first[0], allow_duplicates=True)
            found.columns = ["items", "predicted_items", *found.columns[2:]]
            for place, (name, value) in enumerate(
                {"outcome": outcome, "model_1": first[1], "model_2": second[1]}.items(), start=1
            ):
                found.insert(place, name, value)
            rows.append(found)
    if not rows:
        return pd.DataFrame(columns=list(CVPAT_COLUMNS))
    table = pd.concat(rows, ignore_index=True)
    table["p_adjusted"] = adjusted_within(table, "p", ["items", "outcome"], adjustment)
    return table


def _only(prediction: Prediction, model: Model, outcome: str) -> Prediction:
    """A prediction of one construct's items only."""
    if outcome == "(all)":
        return prediction
    own = {item.name for c in model.constructs if c.name == outcome for item in c.items}
    return replace(prediction, losses=prediction.losses[[c for c in prediction.losses if c in own]])
