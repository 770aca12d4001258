"""The market environment of the general model, in each of its roles: what does it add?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.readers import load_table
from cvlib.results import Result
from cvlib.satisfaction.compare.group_draws import survey_part
from cvlib.satisfaction.compare.models import How, ModelComparison, compare_opened
from cvlib.satisfaction.model.code import AnyModel, as_model
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import construct_scores
from cvlib.satisfaction.pls.estimate import fitter
from cvlib.satisfaction.pls.fit import information_criteria
from cvlib.satisfaction.pls.moderated_prediction import moderated_prediction
from cvlib.satisfaction.pls.prediction import Prediction, compare_predictions, predicted
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.missing import prepare
from cvlib.satisfaction.survey.settings import (
    Assessment,
    Columns,
    Design,
    Missing,
    bootstrap_of,
)
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import Message, message

SMALLEST = 50
COLUMNS = (
    "role", "construct", "r_squared_without", "r_squared_with", "delta_r_squared", "std_error",
    "ci_low", "ci_high", "f_squared", "bic_without", "bic_with", "cvpat_difference",
    "cvpat_ci_low", "cvpat_ci_high", "cvpat_p",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Roles(Result):
    """The model with its environment against the model without it.

    Attributes
    ----------
    table : DataFrame
        role, construct, r_squared_without, r_squared_with, delta_r_squared and its std_error,
        ci_low, ci_high, f_squared, bic_without, bic_with, cvpat_difference (loss with less loss
        without: negative favours the environment), cvpat_ci_low, cvpat_ci_high, cvpat_p.
    comparison : ModelComparison or None
        Of the models without, antecedent and moderator; None where it cannot be measured.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("table",)
    told_by: ClassVar[str] = "cvlib.satisfaction.compare.sentences:of_roles"

    table: pd.DataFrame
    comparison: ModelComparison | None
    warnings: tuple[str, ...]


def compare_roles(
    data: Data | Answers,
    model: AnyModel = "general",
    construct: str = "market",
    *,
    columns: Columns | None = None,
    scheme: str = "path",
    missing: str | Missing = "listwise",
    design: Design | None = None,
    draws: int | Bootstrap = 500,
    assessment: Assessment | None = None,
) -> Roles:
    """Estimate a model without its market environment and with it in each role.

    As antecedent and moderator the environment changes the model, and all are refitted to the same
    resamples. As group, its first item labels the respondents (a rating of more than five values is
    cut at its median) and every group gets intercepts and slopes of its own on the scores of the
    model without it; its prediction comes from models estimated in each group [P].

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent.
    model : Model, name or path
        With a construct that has a role; empty for none.
    construct : str
        That construct.
    columns, scheme, missing, design, draws, assessment
        As in `compare_models`.

    Returns
    -------
    Roles
        The index and prediction of every role beside the model without it.

    Raises
    ------
    InputError
        A survey, model or setting that cannot be used.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.roles("mobi", "general").comparison is None  # no item of the environment
    True
    """
    if not model:
        return Roles(pd.DataFrame(), None, ())
    table = data.table if isinstance(data, Answers) else load_table(data)
    given = as_model(model)
    own = (columns or Columns()).of(given)
    reason = _unmeasured(table.data, given, construct, dict(own.mapping))
    if reason:
        return Roles(pd.DataFrame(), None, (reason,))
    whole = given.map(table.data.columns, own.mapping, drop_unmapped=own.drop_unmapped)
    names = {role: f"{whole.name} ({role})" for role in ("without", "antecedent", "moderator")}
    without = whole.without([construct], message("satisfaction.on_purpose"))
    variants = [replace(without, name=names["without"], dropped=whole.dropped)] + [
        replace(whole.with_role(construct, role), name=names[role])
        for role in ("antecedent", "moderator")
    ]
    how = How(scheme, Missing.of(missing), design or Design(), bootstrap_of(draws),
              assessment or Assessment(), "holm")  # fmt: skip
    codes = Columns(dont_know=own.dont_know)
    opened = {("all", m.name): open_survey(table, m, codes) for m in variants}
    interacting = opened["all", names["moderator"]]
    told: tuple[str, ...] = ()
    if np.isnan(prepare(interacting, missing=missing, design=how.design).values).any():
        # products of answers need answers
        del opened["all", names["moderator"]]
        told = (message("satisfaction.no_products", model=whole.name, rule=how.missing.rule),)
    roles = _in_every_role(compare_opened(opened, how), how, names,
                           whole.with_role(construct, "group").group, table.data)  # fmt: skip
    return replace(roles, warnings=(*told, *roles.warnings))


def _in_every_role(
    compared: ModelComparison,
    how: How,
    names: dict[str, str],
    label: str | None,
    data: pd.DataFrame,
) -> Roles:
    """The table of roles; `label` is the column that names the group of a respondent."""
    seed, level, draws = how.bootstrap.seed, how.bootstrap.level, how.bootstrap.draws
    told = list(compared.warnings)
    base, plain = ("all", names["without"]), compared.predictions.get(("all", names["without"]))
    dealing: dict[str, Any] = {"scheme": how.scheme, "folds": how.assessment.folds,
               "repetitions": how.assessment.repetitions, "seed": seed}  # fmt: skip
    moderated = ("all", names["moderator"])
    foretold = {role: compared.predictions.get(("all", names[role]))
                for role in ("antecedent", "moderator")
                if ("all", names[role]) in compared.results}  # fmt: skip
    if (plainly := foretold.get("moderator")) is not None:
        foretold["moderator"] = moderated_prediction(
            compared.results[moderated].model,
            compared.surveys[moderated],
            plainly,
            **dealing,
        )
    rows = []
    for role, prediction in foretold.items():
        explained = compared.results["all", names[role]].r_squared.set_index("construct")
        shift = compared.r_squared_shift
        pair = (shift["model_1"] == names["without"]) & (shift["model_2"] == names[role])
        found = shift[pair].set_index("construct")
        before = compared.results[base].r_squared.set_index("construct")["bic"]
        for outcome in compared.outcomes:
            row = found.loc[outcome]
            own = {
                "role": role,
                "construct": outcome,
                "r_squared_without": row["value_1"],
                "r_squared_with": row["value_2"],
                "delta_r_squared": -row["difference"],
            }
            if draws:
                own |= {
                    "std_error": row["std_error"],
                    "ci_low": -row["ci_high"],
                    "ci_high": -row["ci_low"],
                }
            own |= {
                "f_squared": -row["difference"] / (1 - row["value_2"]),
                "bic_without": before[outcome],
                "bic_with": explained["bic"][outcome],
            }
            rows.append(own | _test(prediction, plain, compared, base, outcome, level))  # fmt: skip
    labels, note = _labels(data.loc[compared.surveys[base].index], str(label))
    told += note
    if labels is not None:
        by_group, reasons = _group_prediction(compared, base, labels, level, dealing)
        told += reasons
        for row in _group_rows(compared, base, labels, draws, seed, level):
            rows.append(row | _test(by_group, plain, compared, base, row["construct"], level))
    return Roles(pd.DataFrame(rows), compared, tuple(told))


def _unmeasured(data: pd.DataFrame, model: Model, construct: str, mapped: dict[str, str]) -> str:
    """Why a survey cannot measure the environment; empty where it can."""
    found = next((c for c in model.constructs if c.name == construct and c.role), None)
    if found is None:
        return message("satisfaction.no_role", model=model.name, construct=construct)
    asked = [mapped.get(item.name, item.column) for item in found.items]
    if not set(asked) & set(data.columns):
        return message("satisfaction.no_item_of", construct=construct, items=", ".join(asked),
                       model=model.name)  # fmt: skip
    return ""


def _labels(data: pd.DataFrame, column: str) -> tuple[np.ndarray | None, list[str]]:
    """The group of every respondent by the environment's first item, where groups are large."""
    values = data[column]
    told: list[str] = []
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > 5:
        cut = values.median()
        values = values.gt(cut).mask(values.isna())
        told = [message("satisfaction.cut_at_median", column=column, cut=cut)]
    sizes = values.value_counts()
    if values.isna().any() or len(sizes) < 2 or sizes.min() < SMALLEST:
        return None, [message("satisfaction.no_groups", column=column, least=SMALLEST)]
    return pd.factorize(values, sort=True)[0], told


def _group_prediction(
    compared: ModelComparison, key: tuple[str, str], labels: np.ndarray, level: float,
    dealing: dict[str, Any],
) -> tuple[Prediction | None, tuple[Message, ...]]:  # fmt: skip
    """Every respondent predicted by the model of his own group; None and why where it cannot be."""
    survey, model = compared.surveys[key], compared.results[key].model
    plain, parts = compared.predictions.get(key), []
    for group in np.unique(labels):
        own = survey_part(survey, np.flatnonzero(labels == group))
        found, reasons = predicted(model, own, level=level, **dealing)
        if found is None:
            return None, reasons
        parts.append(found.losses)
    if plain is None:
        return None, ()
    return replace(plain, losses=pd.concat(parts).loc[plain.losses.index]), ()


def _group_rows(
    compared: ModelComparison, key: tuple[str, str], labels: np.ndarray, draws: int, seed: int,
    level: float,
) -> list[dict[str, Any]]:  # fmt: skip
    """R² of common against own intercepts and slopes, on the same scores."""
    survey, result = compared.surveys[key], compared.results[key]
    model = result.model
    source, fit = fitter(model, survey)
    whole = source.moments(np.ones((1, source.units), dtype=np.int8))
    scores = construct_scores(model, fit(*whole), survey.completed(whole[0][0], whole[1][0]))
    unit = np.arange(len(scores)) if survey.clusters is None else survey.clusters
    mass = np.ones(len(scores)) if survey.weights is None else survey.weights
    dummies = (labels[:, None] == np.unique(labels)).astype(float)
    rows = []
    for outcome in compared.outcomes:
        j = model.construct_names.index(outcome)
        causes = np.column_stack([np.ones(len(scores)), scores[:, model.adjacency[:, j]]])
        apart = (dummies[:, :, None] * causes[:, None]).reshape(len(scores), -1)

        def explained(
            weight: np.ndarray,
            y: np.ndarray = scores[:, j],
            designs: tuple[np.ndarray, ...] = (causes, apart),
        ) -> list[float]:
            root, total = np.sqrt(weight), weight @ (y - np.average(y, weights=weight)) ** 2
            fitted = [x @ np.linalg.lstsq(x * root[:, None], y * root)[0] for x in designs]
            return [1 - float(weight @ (y - line) ** 2 / total) for line in fitted]

        common, own = explained(mass)
        row = {"role": "group", "construct": outcome, "r_squared_without": common,
               "r_squared_with": own, "delta_r_squared": own - common}  # fmt: skip
        if draws:
            gains = np.array([
                np.diff(explained(mass * counts[unit]))[0]
                for chunk in resample.counts(source.units, draws, seed, survey.strata)
                for counts in chunk
            ])  # fmt: skip
            low, high = resample.percentile_limits(gains, level)
            row |= {"std_error": float(gains.std(ddof=1)), "ci_low": low, "ci_high": high}
        criteria = information_criteria(
            np.array([common, own]), np.array([causes.shape[1] - 1, apart.shape[1] - 1]),
            survey.effective_rows,
        )  # fmt: skip
        row |= {"f_squared": (own - common) / (1 - own)}
        rows.append(row | {"bic_without": criteria["bic"][0], "bic_with": criteria["bic"][1]})
    return rows


def _test(
    first: Prediction | None, second: Prediction | None, compared: ModelComparison,
    key: tuple[str, str], outcome: str, level: float,
) -> dict[str, float]:  # fmt: skip
    """CVPAT on one outcome's items: the environment's prediction less the plain one."""
    columns = ("difference", "ci_low", "ci_high", "p")
    if first is None or second is None:
        return {f"cvpat_{name}": np.nan for name in columns}
    model = compared.results[key].model
    items = [i.name for c in model.constructs if c.name == outcome for i in c.items]
    row = compare_predictions(
        replace(first, losses=first.losses[items]), replace(second, losses=second.losses[items]),
        level,
    ).iloc[0]  # fmt: skip
    return {f"cvpat_{name}": float(row[name]) for name in columns}
