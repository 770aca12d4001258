"""The specification curve: one effect under every defensible choice of the analyst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction.beyond.composites import by_means
from cvlib.satisfaction.beyond.joint import Estimated, joint_test
from cvlib.satisfaction.beyond.path_specifications import by_paths
from cvlib.satisfaction.headline import label
from cvlib.satisfaction.model.code import AnyModel, as_model
from cvlib.satisfaction.model.higher_order import ordinary
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.settings import Columns, Design, bootstrap_of
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap, percentile_only
from cvlib.words.message import Message, joined, message

ESTIMATORS = ("means", "pls", "plsc")
SCALES = ("standardised", "raw")
RULES = ("listwise", "person_mean")
MOST, MOST_CONTROLS = 2000, 4
CHOICES = ("estimator", "model", "missing", "scale", "source_items", "target_items", "controls")


@dataclass(frozen=True)
class Choices:
    """What an analyst could have done otherwise; every combination is a specification.

    Parameters
    ----------
    estimators : sequence
        Of "means" (regressions of mean scores), "pls", "plsc".
    missing : sequence
        Of "listwise", "person_mean"; one only where nothing is missing.
    scales : sequence
        Mean scores of "standardised" or of "raw" items.
    source_items, target_items : sequence of sequences of items
        Items that measure each end; empty for all, and all but one.
    controls : sequence of constructs
        Every subset is added to the regressions; empty for the other causes of the target in the
        models, up to four.

    Raises
    ------
    InputError
        An empty list, or a choice that is not among those known.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Choices(estimators=["pls"]).scales
    ('standardised', 'raw')
    """

    estimators: Sequence[str] = ESTIMATORS
    missing: Sequence[str] = RULES
    scales: Sequence[str] = SCALES
    source_items: Sequence[Sequence[str]] = ()
    target_items: Sequence[Sequence[str]] = ()
    controls: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for where, given, known in (("estimators", self.estimators, ESTIMATORS),
                                    ("missing", self.missing, RULES),
                                    ("scales", self.scales, SCALES)):  # fmt: skip
            if not given:
                raise InputError(
                    where,
                    message("refusals.is_empty"),
                    message("refusals.name_some_of", names=", ".join(known)),
                )
            for each in given:
                one_of(where, each, known)


@dataclass(frozen=True, eq=False, repr=False)
class SpecificationCurve(Result):
    """How much of one finding depends on the analyst.

    Attributes
    ----------
    specification_curve : DataFrame
        One row per specification in rising order of the estimate: rank, the choices, estimate,
        std_error, p, significant.
    specification_joint : DataFrame
        statistic, observed, null_median, null_upper, p, draws.
    specification_choices : DataFrame
        choice, option, count, median: the estimates by every single choice.
    said : tuple of str
    labels : Mapping[str, Mapping[str, str]]
        By language: construct names to labels.
    ends : (str, str)
        Source and target of the effect.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("specification_joint", "specification_choices")
    charts: ClassVar[dict[str, str]] = {
        "specification_curve": "cvlib.figures.specification_curve:specification_curve_chart"
    }

    specification_curve: pd.DataFrame
    specification_joint: pd.DataFrame
    specification_choices: pd.DataFrame
    said: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]
    ends: tuple[str, str]
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """What the curve says."""
        return list(self.said)

    @property
    def told(self) -> Message:
        """All sentences as one text."""
        return joined(self.said)

    def names(self, language: str = "en") -> Mapping[str, str]:
        """Labels of the constructs."""
        return self.labels[language]

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure is called with."""
        return {"table": self.specification_curve, "labels": self.names(language),
                "source": self.ends[0], "target": self.ends[1], "language": language}  # fmt: skip


def specification_curve(
    data: Data | Answers,
    models: AnyModel | Sequence[AnyModel],
    path: Sequence[str],
    *,
    choices: Choices | None = None,
    columns: Columns | None = None,
    design: Design | None = None,
    draws: int | Bootstrap = 500,
) -> SpecificationCurve:
    """Estimate one effect under every combination of defensible choices, with a joint test.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent, a simple random sample.
    models : model or sequence of models
        The first gives the items of the mean scores; those with a path from source to target are
        estimated by PLS.
    path : sequence of two str
        Source and target of the focal effect.
    choices : Choices, optional
        What could have been done otherwise.
    columns : Columns, optional
        How items are found.
    design : Design, optional
        Refused where it is more than a simple random sample.
    draws : int or Bootstrap
        Resamples of respondents, the same for all specifications, from data without the effect.

    Returns
    -------
    SpecificationCurve
        Estimates are standardised.

    Raises
    ------
    InputError
        An unknown construct or item, no specification, more than 2,000 of them.

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), Specification curve analysis, Nature Human Behaviour
    4:1208-1214. Paths are tested on items of the target less ``s λ b`` times the source's score;
    consistent PLS by recentring [P].

    Examples
    --------
    >>> import cvlib as cv
    >>> few = cv.satisfaction.Choices(estimators=["means"], scales=["standardised"])
    >>> found = cv.satisfaction.specification_curve(
    ...     "mobi", "acsi", ["expectation", "satisfaction"], choices=few, draws=50)
    >>> len(found.specification_curve)
    64
    """
    chosen, how = percentile_only(bootstrap_of(draws)), choices or Choices()
    if design is not None and not design.simple:
        raise InputError("curve", message("refusals.takes_no_survey_weights_strata"),
                         message("refusals.leave_them_empty_or_leave"))  # fmt: skip
    if isinstance(path, str) or len(path) != 2 or not all(isinstance(e, str) for e in path):
        raise InputError("curve", message("refusals.is_not_a_path", path=path),
                         message("refusals.write_its_source_and_its"))  # fmt: skip
    source, target = path
    if chosen.draws < 2:
        raise InputError(
            "draws",
            message("refusals.the_joint_test_needs_resamples"),
            message("refusals.use_500_and_more"),
        )
    given = [models] if isinstance(models, str | Model | Mapping) or not isinstance(
        models, Sequence) else list(models)  # fmt: skip
    opened, told = _opened(data, given, columns)
    first = next((one.model for one in opened
                  if {source, target} <= set(one.model.construct_names)), None)  # fmt: skip
    if first is None:
        for name in (source, target):
            one_of(
                "curve",
                name,
                opened[0].model.construct_names,
                wrong=message("refusals.is_not_a_construct"),
            )
        raise InputError(
            "curve",
            message("refusals.no_model_has_both_and", source=source, target=target),
            message("refusals.choose_two_constructs_of_one"),
        )
    if source == target:
        raise InputError(
            "curve",
            message("refusals.source_and_target_are_the"),
            message("refusals.name_two_constructs"),
        )
    ends = {
        name: _item_sets(first, name, wanted, where)
        for name, wanted, where in (
            (source, how.source_items, "source_items"),
            (target, how.target_items, "target_items"),
        )
    }
    controls = _controls(opened, source, target, how)
    subsets = [c for size in range(len(controls) + 1) for c in combinations(controls, size)]
    asked = opened[[one.model for one in opened].index(first)]
    gaps = asked.data[list(first.columns)].isna().to_numpy().any()
    rules = list(how.missing) if gaps else list(how.missing)[:1]
    grid: list[dict[str, Any]] = []
    if "means" in how.estimators:
        grid += [dict(zip(CHOICES, ("means", "", *row), strict=True)) for row in product(
            rules, how.scales, ends[source], ends[target], subsets)]  # fmt: skip
    able = [one for one in opened if (source, target) in {p[:2] for p in one.model.signed_paths}]
    for one in able:
        kinds = [name for name in ("pls", "plsc") if name in how.estimators]
        grid += [
            dict(zip(CHOICES, (kind, one.model.name, rule, "", xs, ys, ()), strict=True))
            for kind, rule, xs, ys in product(kinds, rules, ends[source], ends[target])
            if {*xs, *ys} <= set(one.model.items)
        ]
    if not grid:
        raise InputError(
            "curve",
            message("refusals.no_model_has_a_path", source=source, target=target),
            message("refusals.add_means_or_choose_another"),
        )
    if len(grid) > MOST:
        raise InputError(
            "curve",
            message("refusals.specifications", n=len(grid)),
            message("refusals.ask_for_at_most_fewer", most=MOST),
        )
    counts = np.concatenate(list(resample.counts(len(asked.data), chosen.draws, chosen.seed)))
    means = [row for row in grid if row["estimator"] == "means"]
    paths = [row for row in grid if row["estimator"] != "means"]
    parts = [by_means(asked, source, target, means, counts)] if means else []
    if paths:
        found, lost = by_paths(able, source, target, paths, counts)
        parts.append(found)
        told += lost
    found = _together(parts)
    sound = np.isfinite(found.estimate) & np.isfinite(found.z)
    return _result(first, source, target, [*means, *paths], found, sound, chosen.level, told)


def _opened(
    data: Data | Answers, models: Sequence[AnyModel], columns: Columns | None
) -> tuple[list[Answers], list[Message]]:
    """Models that the survey can answer, and which it cannot."""
    opened, told, failed = [], [], None
    for given in models:
        model = as_model(given)
        if columns and columns.scale:
            model = model.with_scale(columns.scale)
        try:
            ordinary(model, "the specification curve")
            opened.append(open_survey(data, model, columns.of(model) if columns else None))
        except InputError as error:
            failed = error
            told.append(message("further.curve_model_left_out", model=model.name,
                                reason=error.wrong))  # fmt: skip
    if not opened and failed is not None:
        raise failed
    if not opened:
        raise InputError(
            "models", message("refusals.is_empty"), message("refusals.name_one_model_or_more")
        )
    return opened, told


def _item_sets(
    model: Model, construct: str, wanted: Sequence[Sequence[str]], where: str
) -> list[tuple[str, ...]]:
    """All items, then all but one in turn; or the sets that were asked for."""
    own = next(c for c in model.constructs if c.name == construct)
    items = tuple(item.name for item in own.items)
    for each in wanted:
        if not each:
            raise InputError(
                where,
                message("refusals.an_empty_set_of_items"),
                message("refusals.choose_from", names=", ".join(items)),
            )
        for name in each:
            one_of(where, name, items, wrong=f"is not an item of {construct}")
    if wanted:
        return [tuple(each) for each in wanted]
    fewer = list(combinations(items, len(items) - 1)) if 1 < len(items) < 5 else []
    return [items, *fewer]


def _controls(
    opened: Sequence[Answers], source: str, target: str, how: Choices
) -> list[str]:  # fmt: skip
    known = opened[0].model.construct_names
    if how.controls is not None:
        for name in how.controls:
            one_of("controls", name, known, wrong=message("refusals.is_not_a_construct"))
            if name in (source, target):
                raise InputError(
                    "controls",
                    message("refusals.is_an_end_of_the", name=name),
                    message("refusals.leave_it_out"),
                )
        return list(dict.fromkeys(how.controls))
    causes = [a for one in opened for a, b, _ in one.model.signed_paths if b == target]
    return [c for c in dict.fromkeys(causes) if c != source and c in known][:MOST_CONTROLS]


def _together(parts: Sequence[Estimated]) -> Estimated:
    return Estimated(*(
        np.concatenate([getattr(part, name) for part in parts], axis=-1)
        for name in ("estimate", "std_error", "z", "p", "null_estimate", "null_z")
    ))  # fmt: skip


def _result(
    model: Model, source: str, target: str, grid: list[dict[str, Any]], found: Estimated,
    sound: np.ndarray, level: float, told: list[Message],
) -> SpecificationCurve:  # fmt: skip
    """Table, joint test, sentences."""
    if not sound.all():
        told.append(message("further.curve_failed", count=int((~sound).sum()), total=len(sound)))
    if not sound.any():
        raise InputError(
            "curve",
            message("refusals.no_specification_could_be_estimated"),
            message("refusals.check_the_items"),
        )
    kept = Estimated(*(getattr(found, name)[..., sound] for name in (
        "estimate", "std_error", "z", "p", "null_estimate", "null_z")))  # fmt: skip
    ends = [next(c for c in model.constructs if c.name == name) for name in (source, target)]
    full = [tuple(item.name for item in c.items) for c in ends]
    rows = []
    for row, ok in zip(grid, sound, strict=True):
        if ok:
            rows.append({**row, "source_items": _shown(row["source_items"], full[0]),
                         "target_items": _shown(row["target_items"], full[1]),
                         "controls": " + ".join(row["controls"]) or "(none)"})  # fmt: skip
    table = pd.DataFrame(rows).assign(
        estimate=kept.estimate, std_error=kept.std_error, p=kept.p,
        significant=kept.p < 1 - level,
    )  # fmt: skip
    table = table.sort_values(["estimate", *CHOICES], kind="stable").reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    tested = joint_test(kept, 1 - level)
    options = []
    for choice in CHOICES:
        own = table[table[choice] != ""]
        if choice == "controls":  # the controls stand in PLS models by their paths
            own = own[own["estimator"] == "means"]
        if own[choice].nunique() > 1:
            for option, group in own.groupby(choice, sort=False):
                options.append(
                    {
                        "choice": choice,
                        "option": option,
                        "count": len(group),
                        "median": float(group["estimate"].median()),
                        "share_significant": float(group["significant"].mean()),
                    }
                )
    named = {language: {c.name: model.label(c.name, language) for c in model.constructs}
             for language in ("en", "zh")}  # fmt: skip
    shown = {"source": label(model, source), "target": label(model, target)}
    return SpecificationCurve(
        table,
        tested,
        pd.DataFrame(options),
        tuple(_said(table, tested, shown, level)),
        named,
        (source, target),
        tuple(told),
    )


def _shown(items: tuple[str, ...], full: tuple[str, ...]) -> str:
    return "(all)" if items == full else " + ".join(items)


def _said(
    table: pd.DataFrame, tested: pd.DataFrame, shown: Mapping[str, str], level: float
) -> list[Message]:
    positive = table["significant"] & (table["estimate"] > 0)
    negative = table["significant"] & (table["estimate"] < 0)
    said = [message(
        "further.curve_range", count=len(table), low=float(table["estimate"].min()),
        high=float(table["estimate"].max()), median=float(table["estimate"].median()),
        positive=int(positive.sum()), negative=int(negative.sum()), **shown,
    )]  # fmt: skip
    below = int((tested["p"] < 1 - level).sum())
    kind = {0: "chance", len(tested): "found"}.get(below, "mixed")
    low, high = float(tested["p"].min()), float(tested["p"].max())
    said.append(message(f"further.curve_{kind}", low=low, high=high, below=below,
                        total=len(tested), **shown))  # fmt: skip
    return said
