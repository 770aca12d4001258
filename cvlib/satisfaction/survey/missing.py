"""What comes in from a survey: checked answers, and what is done where an answer is missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import Table
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.ordinal.sample import OrdinalSample
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.em import EMSample
from cvlib.satisfaction.survey.moments import Sample, Source, effective_sample_size
from cvlib.satisfaction.survey.settings import RULES, Columns, Design, Missing
from cvlib.words.message import message


@dataclass(frozen=True, eq=False)
class Survey:
    """Answers ready for estimation.

    Attributes
    ----------
    model : Model
        Bound to the survey's columns.
    values : ndarray (n, p)
        Recoded so that high is high; NaN where missing under the rules "mean" and "em".
    weights : ndarray (n,) or None
        Survey weights.
    clusters, strata : ndarray of int or None
        Cluster of each respondent (n,); stratum of each resampling unit.
    index : Index
        Rows of the data that are used.
    missing : str
        The rule.
    minimum_share : float
        Of a construct's items, under "person_mean".
    rows : int
        Respondents of the survey, used or not.
    left_out : DataFrame
        reason, count, share.
    audit : DataFrame
        construct, item, missing, share, coded (don't know and the like), imputed, treatment.
    warnings : tuple of str
    """

    model: Model
    values: np.ndarray
    weights: np.ndarray | None
    clusters: np.ndarray | None
    strata: np.ndarray | None
    index: pd.Index
    missing: str
    minimum_share: float
    rows: int
    left_out: pd.DataFrame
    audit: pd.DataFrame
    warnings: tuple[str, ...]

    @cached_property
    def source(self) -> Source:
        """Where the moments of any resample come from."""
        if self.model.ordered:
            return OrdinalSample(self.values, self.weights, self.clusters)
        if self.missing == "em" and np.isnan(self.values).any():
            return EMSample(self.values, self.weights, self.clusters)
        return Sample(self.values, self.weights, self.clusters)

    @property
    def effective_rows(self) -> float:
        """Kish's effective sample size; the number of rows without weights."""
        return len(self.values) if self.weights is None else effective_sample_size(self.weights)

    def completed(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Answers (n, p) with the missing ones filled in, for scores of single respondents.

        Under "em" a missing answer is its expectation given the respondent's other answers, under
        "mean" the item's mean.
        """
        filled = np.where(np.isnan(self.values), mean, self.values)
        if self.missing == "em":
            for pattern in np.unique(np.isnan(self.values), axis=0):
                if pattern.any() and not pattern.all():
                    rows = (np.isnan(self.values) == pattern).all(axis=1)
                    slope = np.linalg.lstsq(
                        covariance[np.ix_(~pattern, ~pattern)],
                        covariance[np.ix_(~pattern, pattern)],
                    )[0]
                    seen = self.values[rows][:, ~pattern] - mean[~pattern]
                    filled[np.ix_(rows, pattern)] = mean[pattern] + seen @ slope
        return filled


def prepare(
    data: Data | Answers | Survey,
    model: AnyModel | None = None,
    *,
    columns: Columns | None = None,
    missing: str | Missing = "listwise",
    design: Design | None = None,
) -> Survey:
    """Check a survey against a model and apply a rule for missing answers.

    Parameters
    ----------
    data : str, Path, Table, DataFrame, Answers or Survey
        One row per respondent. A survey that is prepared already passes through, with the rule and
        the design it was prepared with.
    model : Model, name or path
        What is asked; none is needed for a prepared survey.
    columns : Columns, optional
        How items are found among the columns.
    missing : str or Missing
        Rule for missing answers.
    design : Design, optional
        Survey weights, strata and clusters.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        Text or an answer off the scale, a constant item, a construct nobody answered, weights that
        are negative or sum to zero, too few rows.
    """
    if isinstance(data, Survey):
        return data
    asked = data.model if model is None and isinstance(data, Answers) else model
    if asked is None:
        raise InputError(
            "model", message("refusals.is_not_given"), message("refusals.name_a_shipped_model_or")
        )
    answers = open_survey(data, asked, columns)
    return _ready(answers, Missing.of(missing), design or Design())


def _ready(answers: Answers, rule: Missing, design: Design) -> Survey:
    """Apply a rule and a design to checked answers."""
    model, missing, minimum_share = answers.model, rule.rule, rule.minimum_share
    if model.ordered and missing != "listwise":
        raise InputError(
            "missing",
            message("refusals.gives_numbers_between_ordered_categories", missing=missing),
            message("refusals.use_listwise_with_ordered_answers"),
        )
    given = answers.table.data[list(model.columns)].to_numpy()
    values = np.where(model.reversed_items, model.minimum + model.maximum - given, given)
    gaps = np.isnan(values)
    for j in model.measured:
        if gaps[:, model.block == j].all():
            raise InputError(
                f"construct {model.construct_names[j]}",
                message("refusals.every_answer_is_missing"),
                message("refusals.check_the_columns_and_missing_codes_or"),
            )
    weight = _weights(answers, design.weights) if design.weighted else None
    keep = np.ones(len(values), dtype=bool)
    reasons: list[tuple[str, int]] = []

    def leave_out(bad: np.ndarray, reason: str) -> None:
        nonlocal keep
        if (bad & keep).any():
            reasons.append((reason, int((bad & keep).sum())))
            keep &= ~bad

    if weight is not None:
        leave_out(weight == 0, "survey weight of zero")
    leave_out(gaps.all(axis=1), "no item answered")
    if missing == "listwise":
        leave_out(gaps.any(axis=1), "an answer is missing")
    if missing == "person_mean":
        answered = np.stack([(~gaps[:, model.block == j]).mean(axis=1)
                             for j in model.measured], axis=1)  # fmt: skip
        short = (answered < minimum_share) | (answered == 0)
        leave_out(short.any(axis=1), message("satisfaction.too_few_answered", share=minimum_share))
        values = _person_mean(values, model)
    labels = {name: _labels(answers, column, name) for name, column in
              (("strata", design.strata), ("clusters", design.clusters)) if column}  # fmt: skip
    values, imputed = values[keep], gaps[keep].sum(axis=0)
    grouped = {name: pd.factorize(column[keep])[0] for name, column in labels.items()}
    unit_strata = grouped.get("strata")
    if "strata" in grouped and "clusters" in grouped:
        unit_strata = _strata_of_clusters(grouped["strata"], grouped["clusters"])
    told = (*answers.warnings, *_check_rows(values, model, answers.table))
    if weight is not None:
        weight = weight[keep]
    share = gaps.mean(axis=0)
    audit = pd.DataFrame({
        "construct": [model.construct_names[j] for j in model.block],
        "item": model.items,
        "missing": gaps.sum(axis=0),
        "share": share,
        "coded": answers.coded.sum(axis=0),
        "imputed": imputed if missing != "listwise" else 0,
        "treatment": RULES[missing],
    })  # fmt: skip
    return Survey(
        model=model,
        values=values,
        weights=weight,
        clusters=grouped.get("clusters"),
        strata=unit_strata,
        index=answers.index[keep],
        missing=missing,
        minimum_share=minimum_share,
        rows=len(gaps),
        left_out=pd.DataFrame(
            [(reason, count, count / len(gaps)) for reason, count in reasons],
            columns=["reason", "count", "share"],
            dtype=object,
        ).astype({"count": int, "share": float}),
        audit=audit,
        warnings=told,
    )


def _weights(answers: Answers, weights: str | pd.Series) -> np.ndarray:
    data, place = answers.table.data, answers.table.place
    name = weights if isinstance(weights, str) else "weights"
    if isinstance(weights, str):
        given = _column(answers, weights, "weights")
    else:
        given = weights.reindex(answers.index).set_axis(data.index)
    found = pd.to_numeric(given, errors="coerce").to_numpy(float)
    for bad, wrong, remedy in (
        (~np.isfinite(found), "is missing or not a number",
         "Give every respondent a weight (0 leaves one out)."),
        (found < 0, "is negative", "Survey weights are zero or more."),
    ):  # fmt: skip
        if bad.any():
            raise InputError(f"weights, {place(name, data.index[bad][0])}", wrong, remedy)
    if found.sum() == 0:
        raise InputError(
            "weights",
            message("refusals.sum_to_zero"),
            message("refusals.give_at_least_some_respondents"),
        )
    return found


def _column(answers: Answers, column: str, name: str) -> pd.Series:
    data = answers.table.data
    if column not in data.columns:
        raise InputError(name, message("refusals.column_is_not_in_the", name=column),
                         nearest(column, [str(c) for c in data.columns]))  # fmt: skip
    return data[column]


def _labels(answers: Answers, column: str, name: str) -> np.ndarray:
    labels = _column(answers, column, name)
    if labels.isna().any():
        row = labels.index[labels.isna()][0]
        raise InputError(
            f"{name}, {answers.table.place(column, row)}",
            message("refusals.is_missing_2"),
            message("refusals.give_every_respondent_a_label"),
        )
    return labels.to_numpy()


def _strata_of_clusters(strata: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    pairs = pd.DataFrame({"cluster": clusters, "stratum": strata}).drop_duplicates()
    if pairs["cluster"].duplicated().any():
        raise InputError("clusters", message("refusals.a_cluster_lies_in_two"),
                         message("refusals.number_clusters_anew_within_each"))  # fmt: skip
    return pairs.sort_values("cluster")["stratum"].to_numpy()


def _person_mean(values: np.ndarray, model: Model) -> np.ndarray:
    """Missing answers from the respondent's own mean position on the scales of the construct."""
    span = model.maximum - model.minimum
    shares = (values - model.minimum) / span
    for j in range(len(model.constructs)):
        own = model.block == j
        answered = (~np.isnan(shares[:, own])).sum(axis=1)
        mean = np.nansum(shares[:, own], axis=1) / np.maximum(answered, 1)
        shares[:, own] = np.where(np.isnan(shares[:, own]), mean[:, None], shares[:, own])
    return np.where(np.isnan(values), model.minimum + shares * span, values)


def _check_rows(values: np.ndarray, model: Model, table: Table) -> tuple[str, ...]:
    """Refuse what cannot be estimated; say what can but should not be trusted."""
    rows, items = values.shape
    causes = int(model.adjacency.sum(axis=0).max())
    if rows <= causes + 1:
        raise InputError(
            "data",
            message(
                "refusals.usable_respondents_cannot_support_a_regression_o",
                rows=rows,
                causes=causes,
            ),
            message("refusals.at_least_are_needed_to_compute_and", least=causes + 2),
        )
    told = []
    lowest, highest = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    for j in np.flatnonzero(lowest == highest):
        raise InputError(
            table.place(model.columns[j]), message("refusals.all_answers_are", answer=lowest[j]),
            message("refusals.an_item_that_does_not_vary_measures"),
        )  # fmt: skip
    if rows < items:
        told.append(message("satisfaction.few_rows", rows=rows, items=items))
    for a in range(items):
        for b in range(a + 1, items):
            same = values[:, a] == values[:, b]
            if (same | np.isnan(values[:, a]) | np.isnan(values[:, b])).all() and same.any():
                names = f"{model.items[a]} and {model.items[b]}"
                if model.block[a] == model.block[b] and model.modes[model.block[a]] == "B":
                    raise InputError(
                        f"items {names}", message("refusals.have_identical_answers_mode_has"),
                        message("refusals.leave_one_of_them_out_2"),
                    )  # fmt: skip
                told.append(message("satisfaction.same_answers", first=model.items[a],
                                    second=model.items[b]))  # fmt: skip
    return tuple(told)
