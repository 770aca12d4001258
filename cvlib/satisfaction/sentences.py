"""What results say in words, in English or Chinese, and two estimators side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from cvlib.satisfaction.headline import driver_messages, index_message
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.words.message import in_language

HTMT_LIMIT, RELIABILITY_LIMIT = 0.90, 0.70
# Constructs may go by these names, and so do columns of tables: their heads stay the columns'.
COLUMNS = frozenset({
    "value", "index", "loading", "weight", "source", "target", "model", "item", "items", "measure",
    "group", "wave", "level", "rank", "share", "count", "reason", "scale", "estimate", "outcome",
})  # fmt: skip


@cache
def _sentences() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("sentences.yaml")
    found: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _say(name: str, language: str, **values: Any) -> str:
    known = _sentences()
    return known.get(language, known["en"])[name].format(**values)


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
        labels = {name: model.label(name, language) for name in model.construct_names} | labels
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
            found[text] = _say("index_of", language, construct=construct)
    return {name: text for name, text in found.items() if name not in COLUMNS}


def target_of(result: SatisfactionResult) -> str:
    """The construct of the importance-performance map."""
    table = result.importance_performance
    return str(table["target"].iloc[0]) if len(table) else default_target(result.model)


def used_sentence(result: SatisfactionResult, language: str = "en") -> str:
    """How many respondents the estimates rest on, and the rule for missing answers.

    Parameters
    ----------
    result : SatisfactionResult
        Of either estimator.
    language : {"en", "zh"}
        Of the sentence.
    """
    used = int(result.settings["rows"])
    total = used + int(result.left_out["count"].sum())
    return _say("used", language, used=used, total=total)


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


def index_sentence(result: SatisfactionResult, construct: str = "", language: str = "en") -> str:
    """`headline.index_message` in a language."""
    return in_language(index_message(result, construct), language)


def driver_sentences(result: SatisfactionResult, language: str = "en") -> list[str]:
    """`headline.driver_messages` in a language."""
    return [in_language(told, language) for told in driver_messages(result)]


def quality_sentences(result: SatisfactionResult, language: str = "en") -> list[str]:
    """Reliability and discriminant validity in a sentence each.

    Parameters
    ----------
    result : SatisfactionResult
        Of either estimator.
    language : {"en", "zh"}
        Of the sentences and labels.
    """
    model, table = result.model, result.reliability
    low = [model.label(c, language) for c in
           table.loc[table["rho_c"] < RELIABILITY_LIMIT, "construct"]]  # fmt: skip
    joined = ("、" if language == "zh" else ", ").join(low)
    told = [_say("reliability_low", language, constructs=joined) if low
            else _say("reliability_fine", language)]  # fmt: skip
    ratios = result.htmt.dropna(subset="htmt")
    if len(ratios):
        top = ratios.loc[ratios["htmt"].idxmax()]
        told.append(_say(
            "validity", language, pairs=len(ratios), above=int((ratios["htmt"] > HTMT_LIMIT).sum()),
            threshold=HTMT_LIMIT, first=model.label(top["construct_1"], language),
            second=model.label(top["construct_2"], language), highest=top["htmt"],
        ))  # fmt: skip
    return told


def fit_sentence(result: SatisfactionResult, language: str = "en") -> str:
    """The fit measures a reader looks for first; empty where none is reported.

    Parameters
    ----------
    result : SatisfactionResult
        Of either estimator.
    language : {"en", "zh"}
        Of the sentence.
    """
    if result.fit.empty:
        return ""
    measures = result.fit.set_index("measure")["value"].to_dict()
    kind = "fit_covariance" if result.estimator == "covariance" else "fit_pls"
    return _say(kind, language, model=result.model.name, **measures)


def identification_sentence(result: SatisfactionResult, language: str = "en") -> str:
    """Whether a covariance solution can be told apart from others, and what speaks against it.

    Parameters
    ----------
    result : SatisfactionResult
        Of the covariance estimator.
    language : {"en", "zh"}
        Of the sentence.
    """
    checks = result.extra["diagnosis"]
    bad = checks[checks["trouble"]]
    if bad.empty:
        return _say("identified", language, model=result.model.name)
    said = _sentences().get(language, {})
    separator = "\uff1b" if language == "zh" else "; "
    reasons = separator.join(
        f"{said.get(row.check, row.check)} {row.value:.2g}" for row in bad.itertuples()
    )
    return _say("unidentified", language, model=result.model.name, reasons=reasons)


def warnings_of(results: Sequence[SatisfactionResult], language: str = "en") -> list[str]:
    """A sentence about each covariance solution that is not identified well enough."""
    return [
        identification_sentence(result, language)
        for result in results
        if result.extra["diagnosis"]["trouble"].any()
    ]


def fit_sentences(results: Sequence[SatisfactionResult], language: str = "en") -> str:
    """`fit_sentence` of each result."""
    return " ".join(fit_sentence(result, language) for result in results)


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


def agreement_sentence(
    first: SatisfactionResult, second: SatisfactionResult, language: str = "en"
) -> str:
    """How far two estimators of one model agree.

    Parameters
    ----------
    first, second : SatisfactionResult
        PLS and covariance.
    language : {"en", "zh"}
        Of the sentence and labels.
    """
    table = estimator_comparison(first, second)
    far = table.loc[table["difference"].abs().idxmax()]
    return _say(
        "agreement", language, model=first.model.name, paths=len(table),
        same=int(table["same_sign"].sum()), inside=int(table["in_interval"].sum()),
        gap=abs(far["difference"]), source=first.model.label(far["source"], language),
        target=first.model.label(far["target"], language),
    )  # fmt: skip
