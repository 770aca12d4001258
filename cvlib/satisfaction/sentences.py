"""What results say in words, and two estimators side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cvlib.inputs.audit import straight_line_count
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.satisfaction.headline import driver_sentences, index_sentence, index_withheld, label
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sem.second_opinion import second_opinion
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.settings import Columns
from cvlib.statistics.resample import SEED
from cvlib.words.message import Message, in_language, joined, message

HTMT_LIMIT, HTMT_STRICT, LOADING_LIMIT = 0.90, 0.85, 0.70
# What a construct of several items must reach, as the report states it.
LIMITS = {"alpha": 0.70, "rho_a": 0.70, "rho_c": 0.70, "ave": 0.50}
# Constructs may go by these names, and so do columns of tables: their heads stay the columns'.
COLUMNS = frozenset({
    "value", "index", "loading", "weight", "source", "target", "model", "item", "items", "measure",
    "group", "wave", "level", "rank", "share", "count", "reason", "scale", "estimate", "outcome",
})  # fmt: skip


def labels(result: SatisfactionResult, language: str = "en") -> dict[str, str]:
    """Construct (and interaction) names to their labels, for figures."""
    shown = [*result.model.construct_names, *result.path_coefficients["source"]]
    return {name: result.model.label(name, language) for name in shown}


def print_names(
    models: Sequence[Model], language: str = "en", tables: Sequence[pd.DataFrame] = ()
) -> dict[str, str]:
    """What constructs, routes and paths are called in print, for `Record.names`.

    Parameters
    ----------
    models : sequence of Model
        Where several label a construct, the first one's label is used.
    language : {"en", "zh"}
        Of the labels.
    tables : sequence of DataFrame
        Tables with columns `via` or `quantity`, whose routes and paths are labelled too.
    """
    labels: dict[str, str] = {}
    for model in models:
        shown = (*model.construct_names, *(product.name for product in model.moderations))
        labels = {name: model.label(name, language) for name in shown} | labels
    found = {name: text for name, text in labels.items() if name not in COLUMNS}
    texts = {
        str(text) for table in tables for column in ("via", "quantity") if column in table
        for text in table[column].dropna()
    }  # fmt: skip
    for text in sorted(texts):
        separator = " > " if " > " in text else " -> "
        route = text.split(separator)
        if set(route) <= set(labels):
            found[text] = " → ".join(labels[name] for name in route)
        elif text.removeprefix("index of ") in labels:
            construct = labels[text.removeprefix("index of ")]
            said = message("satisfaction.index_of", construct=construct)
            found[text] = in_language(said, language)
    return {name: text for name, text in found.items() if name not in COLUMNS}


def target_of(result: SatisfactionResult) -> str:
    """The construct of the importance-performance map."""
    table = result.importance_performance
    return str(table["target"].iloc[0]) if len(table) else default_target(result.model)


def used_sentence(
    result: SatisfactionResult,
    survey: Table | pd.DataFrame | None = None,
    dont_know: Sequence[object] = (),
) -> Message:
    """How many respondents the estimates rest on and, given the survey, how many answered alike."""
    used = int(result.settings["rows"])
    total = used + int(result.left_out["count"].sum())
    said = message("satisfaction.used", used=used, total=total)
    if survey is None:
        return said
    opened = open_survey(survey, result.model, Columns(dont_know=dont_know))
    scales = {item.column: (item.minimum, item.maximum) for item in result.model.item_list}
    alike = straight_line_count(opened.data[list(result.model.columns)], scales)
    return said if alike is None else joined([said, alike])


def cautions(
    survey: Table | pd.DataFrame, models: Sequence[Model], dont_know: Sequence[object] = ()
) -> list[Message]:
    """What in the answers could change every number: a scale of another length, straight lines.

    Parameters
    ----------
    survey : Table or DataFrame
        One row per respondent.
    models : sequence of Model
        Bound to the survey's columns.
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.
    """
    said: list[Message] = []
    for model in models:
        opened = open_survey(survey, model, Columns(dont_know=dont_know))
        said += opened.cautions
    return list(dict.fromkeys(said))


def missing_answers(result: SatisfactionResult) -> pd.DataFrame:
    """Rows of the audit for items with a missing answer."""
    gaps = result.audit[result.audit["missing"] > 0]
    return gaps.reset_index(drop=True)


def orders_of_magnitude(table: pd.DataFrame, digits: int = 2) -> pd.DataFrame:
    """A table of checks with `value` at a few significant digits.

    The condition number of a nearly singular matrix has no more: the others change from one
    computer to the next.
    """
    if table.empty:
        return table
    return table.assign(value=[float(f"{value:.{digits}g}") for value in table["value"]])


def as_matrix(
    table: pd.DataFrame,
    rows: str,
    columns: str,
    value: str,
    labels: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A long table as the matrix a paper prints, rows and columns in order of appearance.

    Parameters
    ----------
    table : DataFrame
        One row per cell.
    rows, columns, value : str
        Columns of `table`.
    labels : mapping, optional
        Names of rows and columns to what they are called in print.
    """
    wide = table.pivot(index=rows, columns=columns, values=value)
    wide = wide.reindex(index=table[rows].unique(), columns=table[columns].unique())
    wide = wide.rename(index=labels, columns=labels) if labels else wide
    return wide.rename_axis(columns=None).reset_index()


def index_of(result: SatisfactionResult, construct: str = "") -> float:
    """The index of one construct; empty for the model's usual target (satisfaction)."""
    name = construct or default_target(result.model)
    return float(result.index.set_index("construct").loc[name, "index"])


def headline(result: SatisfactionResult, construct: str = "") -> tuple[float | None, Message]:
    """The index of one construct and its sentence; None where it is not told, and why."""
    name = construct or default_target(result.model)
    withheld = index_withheld(result, name) is not None
    return None if withheld else index_of(result, name), index_sentence(result, name)


def drivers_told(result: SatisfactionResult) -> Message:
    """`driver_sentences` as one text."""
    return joined(driver_sentences(result))


def quality_sentences(result: SatisfactionResult) -> list[Message]:
    """Every limit the report states for the measurement, judged one by one.

    Reliability and AVE of constructs of several items that are to agree (not of mode B), loadings
    of these items, and HTMT; the last sentence is about HTMT where there are pairs to judge.
    """
    model = result.model
    several = [c.name for c, mode in zip(model.constructs, model.modes, strict=True)
               if len(c.items) > 1 and mode != "B"]  # fmt: skip
    said: list[Message] = []
    met: list[Message] = []
    table = result.reliability.set_index("construct").reindex(several)
    for measure, limit in LIMITS.items():
        values = table[measure].dropna() if measure in table else pd.Series(dtype=float)
        low = values[values < limit]
        name = message(f"satisfaction.measure_{measure}")
        if len(low):
            which = [message("satisfaction.name_value", name=label(model, c), value=v)
                     for c, v in low.items()]  # fmt: skip
            said.append(message("satisfaction.below_limit", measure=name, limit=limit, which=which))
        elif len(values):
            met.append(message("satisfaction.measure_limit", measure=name, limit=limit))
    if met:
        kind = "_reflective" if "B" in model.modes else ""
        said.append(message(f"satisfaction.limits_met{kind}", measures=met))
    loadings = result.loadings[result.loadings["construct"].isin(several)]
    weak = loadings[loadings["loading"] < LOADING_LIMIT]
    if len(weak):
        least = weak.loc[weak["loading"].idxmin()]
        said.append(message(
            "satisfaction.loadings_low", weak=len(weak), items=len(loadings), limit=LOADING_LIMIT,
            item=least["item"], lowest=least["loading"],
        ))  # fmt: skip
    elif len(loadings):
        said.append(message("satisfaction.loadings_fine", items=len(loadings), limit=LOADING_LIMIT))
    ratios = result.htmt.dropna(subset="htmt") if len(result.htmt) else result.htmt
    if len(ratios):
        top = ratios.loc[ratios["htmt"].idxmax()]
        said.append(message(
            "satisfaction.validity", pairs=len(ratios), threshold=HTMT_LIMIT, strict=HTMT_STRICT,
            above=int((ratios["htmt"] > HTMT_LIMIT).sum()),
            close=int((ratios["htmt"] > HTMT_STRICT).sum()), highest=top["htmt"],
            first=label(model, top["construct_1"]), second=label(model, top["construct_2"]),
        ))  # fmt: skip
    return said


def fit_sentence(result: SatisfactionResult) -> Message | None:
    """The fit measures a reader looks for first; None where none is reported."""
    if result.fit.empty:
        return None
    names = ("chi2", "df", "cfi", "tli", "rmsea", "srmr", "srmr_saturated")
    measures = result.fit.set_index("measure")["value"].reindex(list(names)).to_dict()
    if result.settings.get("ordered") and result.estimator == "covariance":
        own = result.fit.set_index("measure")["value"]
        measures |= {name: own[f"{name}_scaled"] for name in ("chi2", "cfi", "tli", "rmsea")}
    kind = "fit_covariance" if result.estimator == "covariance" else "fit_pls"
    return message(f"satisfaction.{kind}", model=result.model.name, **measures)


def identification_sentence(result: SatisfactionResult) -> Message:
    """Whether a covariance solution can be told apart from others, and what speaks against it."""
    checks = result.extra["diagnosis"]
    bad = checks[checks["trouble"]]
    if bad.empty:
        return message("satisfaction.identified", model=result.model.name)
    reasons = [message("satisfaction.check_value", check=row.check, value=row.value)
               for row in bad.itertuples()]  # fmt: skip
    return message("satisfaction.unidentified", model=result.model.name, reasons=reasons)


def warnings_of(results: Sequence[SatisfactionResult]) -> list[Message]:
    """A sentence about each covariance solution that is not identified well enough."""
    return [
        identification_sentence(result)
        for result in results
        if result.extra["diagnosis"]["trouble"].any()
    ]


def second_program(
    model: Model, survey: Table, dont_know: Sequence[object] = (), seed: int = SEED
) -> tuple[pd.DataFrame, Message]:
    """A covariance model by semopy beside ours: the table, and whether the two agree.

    Parameters
    ----------
    model : Model
        Bound to the survey.
    survey : Table
        One row per respondent.
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.
    seed : int
        Of the random starts.

    Returns
    -------
    table : DataFrame
        As `SecondOpinion.programs`; empty where the comparison is left out.
    said : Message
        Why it is left out, or what it shows.
    """
    try:
        found = second_opinion(open_survey(survey, model, Columns(dont_know=dont_know)), seed=seed)
    except InputError as error:
        return pd.DataFrame(), message("satisfaction.second_left_out", why=error.wrong)
    return found.programs, joined([*found.warnings, *found.sentences()])


def measurement_and_fit(
    result: SatisfactionResult, results: Sequence[SatisfactionResult]
) -> Message:
    """Quality of the main result's measurement, then the fit of every result."""
    fits = [fit_sentence(each) for each in results]
    return joined([*quality_sentences(result), *(fit for fit in fits if fit is not None)])


def both(results: Sequence[SatisfactionResult]) -> pd.DataFrame:
    """Path coefficients of several results, one under the other, with the estimator."""
    columns = ["estimator", "source", "target", "estimate", "ci_low", "ci_high"]
    parts = [r.path_coefficients.assign(estimator=r.estimator) for r in results]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def index_comparison(first: SatisfactionResult, second: SatisfactionResult) -> pd.DataFrame:
    """construct, the index of each estimator under its name, difference (first less second)."""
    table = pd.DataFrame({"construct": first.index["construct"]})
    for result in (first, second):
        table[result.estimator] = result.index["index"].to_numpy()
    table["difference"] = table[first.estimator] - table[second.estimator]
    return table


def estimator_comparison(first: SatisfactionResult, second: SatisfactionResult) -> pd.DataFrame:
    """Path coefficients of two estimators of one model, one row per path.

    Returns
    -------
    DataFrame
        source, target, sign, then the estimate and limits of each under the estimator's name,
        difference (first less second), same_sign, in_interval (first within the second's limits).
    """
    parts = []
    for result in (first, second):
        own = result.path_coefficients.set_index(["source", "target"])
        columns = [c for c in ("estimate", "ci_low", "ci_high") if c in own]
        names = {c: result.estimator + ("" if c == "estimate" else f"_{c}") for c in columns}
        parts.append(own[columns].rename(columns=names))
    signs = first.path_coefficients.set_index(["source", "target"])[["sign"]]
    table = signs.join(parts).reset_index()
    one, other = table[first.estimator], table[second.estimator]
    table["difference"] = one - other
    table["same_sign"] = np.sign(one) == np.sign(other)
    limits = [f"{second.estimator}_ci_low", f"{second.estimator}_ci_high"]
    if set(limits) <= set(table):
        table["in_interval"] = one.between(table[limits[0]], table[limits[1]])
    return table


def agreement_sentence(first: SatisfactionResult, second: SatisfactionResult) -> Message:
    """How far two estimators of one model (PLS and covariance SEM) agree."""
    table = estimator_comparison(first, second)
    far = table.loc[table["difference"].abs().idxmax()]
    return message(
        "satisfaction.agreement", model=first.model.name, paths=len(table),
        same=int(table["same_sign"].sum()), inside=int(table["in_interval"].sum()),
        gap=abs(far["difference"]), source=label(first.model, far["source"]),
        target=label(first.model, far["target"]),
    )  # fmt: skip
