"""Brands, segments or waves on one scale: every group estimated and resampled on its own.

A group is its own sample; a draw resamples every group. Added over the groups, the draws' moments
give the pooled fit of the same draw: own and pooled weights come from one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from cvlib.inputs.answers import plain
from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError, nearest
from cvlib.satisfaction.compare.composed import Composed
from cvlib.satisfaction.compare.group_draws import (
    Pool,
    estimate_part,
    path_keys,
    side_by_side,
    survey_part,
    without_estimate,
)
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.model.higher_order import of_numbers
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.higher_order import fit_model
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.satisfaction.survey.settings import Design, Missing, bootstrap_of
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap, seeds
from cvlib.words.message import message

WEIGHTS = ("pooled", "own")


@dataclass(frozen=True, eq=False)
class Groups:
    """Estimates of G groups, in the data (row 0) and in B draws.

    Attributes
    ----------
    model : Model
    keys : DataFrame
        One row per group: the grouping columns, n, failed (draws without an estimate).
    surveys : tuple of Survey
        Answers of each group.
    mean : ndarray (G, 1 + B, p)
        Item means on 0-100.
    shares : ndarray (G, 1 + B, q)
        Weight of each item within its construct, by the group's own fit; NaN where it failed. The
        columns are those of `composed`.
    pooled : ndarray (1 + B, q)
        The same by the fit to all groups together.
    paths : ndarray (G, 1 + B, m)
        Path coefficients of the group's own fit.
    path_keys : DataFrame
        source, target of the m paths.
    settings : dict
        seed, level, scheme, draws, missing, minimum, minimum_share, weighted, clustered, total
        (rows of the data).
    left_out : DataFrame
        column, reason, count, share.
    warnings : tuple of str
    """

    model: Model
    keys: pd.DataFrame
    surveys: tuple[Survey, ...]
    mean: np.ndarray
    shares: np.ndarray
    pooled: np.ndarray
    paths: np.ndarray
    path_keys: pd.DataFrame
    settings: dict[str, object]
    left_out: pd.DataFrame
    warnings: tuple[str, ...]

    @cached_property
    def composed(self) -> Composed:
        """How the constructs are made of items."""
        return Composed(self.model)

    @property
    def names(self) -> list[str]:
        """Names of the groups; with several grouping columns joined by a slash."""
        by = self.keys.columns[:-2]
        return [" / ".join(map(str, row)) for row in self.keys[by].itertuples(index=False)]

    def index(self, construct: str, weights: str = "pooled") -> np.ndarray:
        """The index (G, 1 + B) of one construct by pooled or by own weights."""
        own, items = self.composed.own(construct)
        shares = self.pooled[None] if weights == "pooled" else self.shares
        found: np.ndarray = (shares[..., own] * self.mean[..., items]).sum(axis=-1)
        return found

    def scores(self, number: int, construct: str, weights: str = "pooled") -> np.ndarray:
        """Individual scores 0-100 of one group's respondents by pooled or own weights."""
        own, items = self.composed.own(construct)
        low, high = self.model.minimum[items], self.model.maximum[items]
        scaled = 100 * (self.surveys[number].values[:, items] - low) / (high - low)
        scaled = np.where(np.isnan(scaled), self.mean[number, 0, items], scaled)
        shares = self.pooled[0] if weights == "pooled" else self.shares[number, 0]
        return np.asarray(scaled @ shares[own])


def estimate_groups(
    data: Data | Answers,
    model: AnyModel,
    by: str | Sequence[str],
    *,
    minimum: int = 50,
    scheme: str = "path",
    missing: str | Missing = "listwise",
    design: Design | None = None,
    draws: int | Bootstrap = 500,
    jobs: int = 1,
) -> Groups:
    """Estimate a model in every group, with bootstrap draws of each and of all together.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`.
    by : str or sequence of str
        Columns that name the group: a brand, a wave, or both.
    minimum : int
        Smallest group that is estimated; smaller ones are named in `left_out`. 50 is a proposal
        [P].
    scheme, missing, design
        As in `estimate_pls`. A missing answer is replaced within its group; clusters are nested in
        groups.
    draws : int or Bootstrap
        Resamples of every group (stratified by group); each has a random stream of its own.
    jobs : int
        Groups estimated side by side, in threads; the numbers do not depend on it.

    Raises
    ------
    InputError
        A column that is not there, fewer than two groups that can be estimated.
    """
    chosen, sampled = bootstrap_of(draws), design or Design()
    if sampled.strata:
        raise InputError("design", message("refusals.groups_are_the_strata_of"),
                         message("refusals.leave_the_column_of_strata"))  # fmt: skip
    answers = open_survey(data, model)
    data, model, count = answers.data, answers.model, chosen.draws
    of_numbers(model, "a comparison of groups")
    columns = [by] if isinstance(by, str) else list(by)
    for column in columns:
        one_of("group", column, data, message("refusals.name_the_groups"),
               wrong=message("refusals.is_not_in_the_survey"))  # fmt: skip
    data = data.assign(**{column: _whole(data[column]) for column in columns})
    labelled = data[columns].notna().all(axis=1)
    unasked = _unanswered(data[labelled], model, columns)
    named = pd.MultiIndex.from_frame(data[columns])
    asked = labelled.to_numpy() & ~named.isin(list(unasked))
    if not asked.any():
        raise InputError(
            f"group, column {' / '.join(columns)}",
            message(
                "refusals.no_group_answered_every_item",
                names=", ".join(sorted(set().union(*unasked.values()))),
            ),
            message("refusals.compare_on_a_model_of"),
        )
    # by place: the caller's own labels of the rows may repeat
    placed = replace(answers, index=pd.RangeIndex(len(data))).where(asked)
    survey = prepare(placed, missing=missing, design=sampled)
    label = data.iloc[survey.index][columns].reset_index(drop=True)
    survey = replace(survey, index=data.index[survey.index])
    groups = label.groupby(columns, sort=True).indices
    sizes = {name if isinstance(name, tuple) else (name,): rows for name, rows in groups.items()}
    kept = {name: rows for name, rows in sizes.items() if len(rows) >= minimum}
    reasons = {name: without_estimate(model, survey_part(survey, rows), scheme)
               for name, rows in kept.items()}  # fmt: skip
    faulty = {name: reason for name, reason in reasons.items() if reason is not None}
    what = " / ".join(columns)
    small = [(what, message("satisfaction.group_small", group=" / ".join(map(str, name)),
                            least=minimum), len(rows))
             for name, rows in sizes.items() if len(rows) < minimum]  # fmt: skip
    unlabelled = [(what, "no group named", int((~labelled).sum()))] * bool((~labelled).any())
    rest = [("(respondents)", r.reason, r.count) for r in survey.left_out.itertuples(index=False)]
    unfit = [(what, message("satisfaction.group_unfit", group=" / ".join(map(str, name)),
                            reason=message("satisfaction.group_unasked", items=items)),
              int((labelled.to_numpy() & named.isin([name])).sum()))
             for name, items in unasked.items()]  # fmt: skip
    unfit += [(what, message("satisfaction.group_unfit", group=" / ".join(map(str, name)),
                             reason=reason), len(kept.pop(name)))
              for name, reason in faulty.items()]  # fmt: skip
    left_out = pd.DataFrame(
        [*unlabelled, *rest, *small, *unfit], columns=["column", "reason", "count"], dtype=object
    ).astype({"count": int})
    left_out["share"] = left_out["count"] / len(data)
    if len(kept) < 2:
        raise InputError(
            f"group, column {what}",
            message("refusals.few_groups_why" if unfit else "refusals.few_groups",
                    count=len(kept), least=minimum, why=[reason for _, reason, _ in unfit]),
            message("refusals.few_groups_remedy"),
        )  # fmt: skip
    centre = np.asarray(np.round(np.nanmean(survey.values, axis=0)))
    pooling = Pool(len(model.items), count, centre)
    scale = 1.0 if survey.weights is None else float(survey.weights.mean())
    parts = [survey_part(survey, rows) for rows in kept.values()]
    one = partial(estimate_part, model, scheme=scheme, draws=count)
    streams = seeds(chosen.seed, len(parts))
    composed, keyed = Composed(model), path_keys(model)
    width = {"mean": len(model.items), "shares": len(composed.items), "paths": len(keyed)}
    found = {which: np.empty((len(parts), 1 + count, m)) for which, m in width.items()}
    for number, (values, moments) in enumerate(side_by_side(one, parts, streams, jobs)):
        pooling.add(moments, scale)
        for statistic in width:
            found[statistic][number] = values[statistic]
    keys = pd.DataFrame(list(kept), columns=columns)
    keys["n"] = [len(part.values) for part in parts]
    keys["failed"] = np.isnan(found["shares"][:, 1:, 0]).sum(axis=1)
    together = fit_model(model, *pooling.moments(), scheme=scheme)
    told = [*((model.adapted,) if model.adapted else ()), *model.dropped, *survey.warnings]
    if small:
        # without their sizes, which a published report must not tell of a few people
        names = [reason.values["group"] for _, reason, _ in small]
        told.append(message("satisfaction.groups_small", least=minimum, names=names))
    told += [message("satisfaction.group_left_out", why=reason) for _, reason, _ in unfit]
    told += [message("satisfaction.groups_alike", column=column, names=names)
             for column in columns for names in _alike(data[column].dropna())]  # fmt: skip
    if keys["failed"].any():
        told.append(message("satisfaction.draws_without", draws=count * len(keys),
                            failed=int(keys["failed"].sum())))  # fmt: skip
    return Groups(
        model=model, keys=keys, surveys=tuple(parts),
        mean=found["mean"], shares=found["shares"], paths=found["paths"],
        pooled=composed.shares(together), path_keys=keyed[["source", "target"]],
        settings={
            "seed": chosen.seed, "level": chosen.level, "scheme": scheme, "draws": count,
            "missing": survey.missing, "minimum": minimum, "minimum_share": survey.minimum_share,
            "weighted": sampled.weighted, "clustered": bool(sampled.clusters),
            "total": len(data),
        },
        left_out=left_out, warnings=tuple(told),
    )  # fmt: skip


def _whole(labels: pd.Series) -> pd.Series:
    """Labels without the point that numbers have only because some are missing."""
    if labels.dtype.kind != "f" or not (labels.dropna() % 1 == 0).all():
        return labels
    return labels.astype("Int64")


def _alike(labels: pd.Series) -> list[list[str]]:
    """Labels of a column that differ only in case, width or blanks, together."""
    distinct = pd.Series(labels.astype(str).unique())
    together = distinct.groupby(distinct.map(lambda label: plain(label).replace(" ", "")))
    return [names.tolist() for _, names in together if len(names) > 1]


def index_table(groups: Groups, constructs: Sequence[str] = ()) -> pd.DataFrame:
    """The index of every group by pooled and by own weights.

    Parameters
    ----------
    groups : Groups
        From `estimate_groups`.
    constructs : sequence of str
        Empty for all.

    Returns
    -------
    DataFrame
        The grouping columns, n, construct, weights, index, std_error, ci_low, ci_high.
    """
    parts = []
    for construct in constructs or groups.model.construct_names:
        for weights in WEIGHTS:
            own = groups.keys.drop(columns="failed").assign(construct=construct, weights=weights)
            found = groups.index(construct, weights)
            parts.append(pd.concat([own, spread(found, groups)], axis=1))
    return pd.concat(parts, ignore_index=True).rename(columns={"estimate": "index"})


def path_table(groups: Groups) -> pd.DataFrame:
    """Path coefficients of every group: its name, source, target, estimate and interval."""
    by = groups.keys.columns[:-2]
    parts = []
    for number in range(len(groups.keys)):
        keys = groups.path_keys.copy()
        for place, column in enumerate(by):
            keys.insert(place, column, groups.keys[column].iloc[number])
        parts.append(pd.concat([keys, spread(groups.paths[number].T, groups)], axis=1))
    return pd.concat(parts, ignore_index=True)


def spread(values: np.ndarray, groups: Groups) -> pd.DataFrame:
    """estimate, std_error, ci_low, ci_high of values (m, 1 + B): percentile intervals."""
    level = float(groups.settings["level"])  # type: ignore[arg-type]
    table = pd.DataFrame({"estimate": values[:, 0]})
    if values.shape[1] > 2:
        drawn = values[:, 1:]
        deviation = np.nanstd if np.isnan(drawn).any() else np.std  # slow, so only where needed
        table["std_error"] = deviation(drawn, axis=1, ddof=1)
        limits = resample.percentile_limits(drawn, level, axis=1, nan_policy="omit")
        table["ci_low"], table["ci_high"] = limits
    return table


def target_of(model: Model, target: str = "") -> str:
    """The construct of a league table: the one asked for, else satisfaction."""
    if target and target not in model.construct_names:
        raise InputError("target", message("refusals.is_not_a_construct_2", target=target),
                         nearest(target, list(model.construct_names)))  # fmt: skip
    return target or default_target(model)


def _unanswered(data: pd.DataFrame, model: Model, columns: list[str]) -> dict[tuple, list[str]]:
    """Per group that was not asked every item: the items that nobody in it answered."""
    answered = pd.DataFrame({
        item.column: data[item.column].notna() & ~data[item.column].isin(item.missing_codes)
        for item in model.item_list
    })  # fmt: skip
    asked = answered.groupby([data[c] for c in columns]).any()
    return {
        place if isinstance(place, tuple) else (place,): list(asked.columns[~row])
        for place, row in zip(asked.index, asked.to_numpy(), strict=True)
        if not row.all()
    }
