"""Sections of a satisfaction report that are asked for by name, each of which may fail alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, one_of, whole
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.beyond.common_method import common_method
from cvlib.satisfaction.beyond.copula import endogeneity
from cvlib.satisfaction.beyond.formative import formative
from cvlib.satisfaction.beyond.interactions import AT, interactions
from cvlib.satisfaction.beyond.mediation import mediation
from cvlib.satisfaction.beyond.necessity import WISHED, necessity
from cvlib.satisfaction.beyond.section import Chart, Section
from cvlib.satisfaction.beyond.segments import segments
from cvlib.satisfaction.beyond.tetrads import tetrads
from cvlib.satisfaction.estimators import Method
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.missing import prepare
from cvlib.satisfaction.survey.settings import Columns, Design, Missing, bootstrap_of
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import Message, joined, message

MOST_SLOPES = 4  # lines that a chart of slopes tells apart
SECTIONS = ("interactions", "common_method", "formative", "copula", "mediation", "segments",
            "tetrads", "necessity")  # fmt: skip
FIGURES = "cvlib.figures.further"


@dataclass(frozen=True)
class Asked:
    """Which further sections a report has, and their settings.

    Parameters
    ----------
    sections : sequence
        Of interactions, common_method, formative, copula, mediation, segments, tetrads, necessity.
        What a model file itself asks for (`interactions`, `marker`, `global`) comes by itself.
    marker : str
        Column of a question that has nothing to do with the constructs.
    most_segments : int
        Largest number of segments tried.
    starts : int
        Of every mixture of segments.
    wished : float
        Level of the target, 0 to 100, whose necessary conditions the combined map shows.
    slopes_at : sequence of float
        Values of moderators, in their standard deviations, at which slopes are told: one to four.

    Raises
    ------
    InputError
        A number outside its range, or a choice that is not known.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Asked(["mediation"]).most_segments
    3
    """

    sections: Sequence[str] = ()
    marker: str = ""
    most_segments: int = 3
    starts: int = 30
    wished: float = WISHED
    slopes_at: Sequence[float] = AT

    def __post_init__(self) -> None:
        given = [self.sections] if isinstance(self.sections, str) else self.sections
        for name in given:
            one_of("further", name, SECTIONS)
        whole("most_segments", self.most_segments, 2, 8)
        whole("starts", self.starts, 3, 1000)
        number("wished", self.wished, 0, 100)
        for value in self.slopes_at:
            number("slopes_at", value, -10, 10, remedy="In standard deviations of the moderator.")
        whole(
            "slopes_at",
            len(set(self.slopes_at)),
            1,
            MOST_SLOPES,
            message("refusals.so_many_different_values"),
        )

    def of(self, model: Model) -> list[str]:
        """The sections in their order: those asked for, and those the model file asks for."""
        given = [self.sections] if isinstance(self.sections, str) else list(self.sections)
        if model.moderations and not any(c.role == "moderator" for c in model.constructs):
            given.append("interactions")
        if model.marker or self.marker:
            given.append("common_method")
        if any(c.global_item for c in model.constructs):
            given.append("formative")
        return [name for name in SECTIONS if name in given]


@dataclass(frozen=True, eq=False, repr=False)
class Further(Result):
    """What the further sections found.

    Attributes
    ----------
    found : Mapping[str, DataFrame]
        Every table by the name it is recorded under.
    said : tuple of str
        Sentences of all sections, in their order.
    drawn : Mapping[str, Chart]
        Figures that can be drawn (`figure`).
    labels : Mapping[str, Mapping[str, str]]
        By language: construct names to labels.
    warnings : tuple of str
        Sections that are left out, and why.
    """

    found: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    drawn: Mapping[str, Chart] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    charts: ClassVar[dict[str, str]] = {
        "simple_slopes_chart": f"{FIGURES}:slopes_chart",
        "johnson_neyman_chart": f"{FIGURES}:johnson_neyman_chart",
        "segments_chart": f"{FIGURES}:segments_chart",
        "necessity_chart": f"{FIGURES}:necessity_chart",
        "combined_map_chart": f"{FIGURES}:combined_map",
    }

    @property
    def told(self) -> Message | None:
        """All sentences as one text; None where there are none."""
        return joined(self.said) if self.said else None

    def table(self, name: str) -> pd.DataFrame:
        """A table by name; empty where its section was not asked for or is left out."""
        return self.found.get(name, pd.DataFrame())

    def sentences(self) -> list[str]:
        """What the sections say."""
        return list(self.said)

    def names(self, language: str = "en") -> Mapping[str, str]:
        """Labels of constructs and interactions."""
        return self.labels.get(language, {})

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of a chart is called with."""
        chart = self.drawn[name]
        given = {key: value for key, value in chart.arguments.items() if key != "labels"}
        return {**given, "labels": self.names(language), "language": language}

    def figure(self, name: str, language: str = "en") -> Any:
        """A figure by name; None where its section was not asked for or is left out."""
        return getattr(self.plot, name)(language=language) if name in self.drawn else None


def further(
    data: Data | Answers,
    model: AnyModel,
    asked: Asked | Sequence[str] = (),
    *,
    method: Method | None = None,
    columns: Columns | None = None,
    missing: str | Missing = "listwise",
    design: Design | None = None,
    draws: int | Bootstrap = 500,
    target: str = "",
) -> Further:
    """Sections beyond paths and indices: moderation, method bias, endogeneity, segments and more.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`.
    asked : Asked or sequence of str
        Which sections; none gives those the model file asks for.
    method : Method, optional
        Estimator and inner weighting; sections are of PLS, also beside covariance SEM.
    columns : Columns, optional
        How items are found.
    missing : str or Missing
        Rule for missing answers.
    design : Design, optional
        Survey weights, strata and clusters.
    draws : int or Bootstrap
        Resamples (permutations of necessary conditions); 0 leaves out inference.
    target : str
        Outcome of necessary conditions; empty for satisfaction.

    Returns
    -------
    Further
        Tables and sentences. A section that fails is left out and `warnings` says why.

    Raises
    ------
    InputError
        For a survey, a model or a setting that cannot be used.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.further("mobi", "acsi", ["mediation"], draws=50)
    >>> sorted(found.tables)
    ['mediation']
    """
    wanted = asked if isinstance(asked, Asked) else Asked(asked)
    how, resampling = method or Method(), bootstrap_of(draws)
    answers = open_survey(data, model, columns)
    names = wanted.of(answers.model)
    if not names:
        return Further()
    survey = prepare(answers, missing=missing, design=design)
    kind = "plsc" if how.estimator == "plsc" else "pls"
    plain = Bootstrap(resampling.draws, resampling.seed, resampling.level)
    base = Base(answers, survey, how.scheme, kind, plain)
    run: dict[str, Callable[[], Section]] = {
        "interactions": lambda: interactions(base, wanted.slopes_at),
        "common_method": lambda: common_method(base, wanted.marker),
        "formative": lambda: formative(base),
        "copula": lambda: endogeneity(base),
        "mediation": lambda: mediation(base),
        "segments": lambda: segments(base, wanted.most_segments, wanted.starts),
        "tetrads": lambda: tetrads(base),
        "necessity": lambda: necessity(base, target, wanted.wished),
    }
    found: dict[str, pd.DataFrame] = {}
    drawn: dict[str, Chart] = {}
    said: list[str] = []
    told: list[str] = []
    for name in names:
        try:
            section = run[name]()
        except (InputError, np.linalg.LinAlgError, FloatingPointError) as error:
            reason = (
                f"{error.wrong}. {error.remedy}" if isinstance(error, InputError) else str(error)
            )
            section = Section(name, reason=reason)
        if section.reason:
            told.append(message("further.left_out", section=message(f"further.section_{name}"),
                                reason=section.reason))  # fmt: skip
            continue
        found |= section.tables
        said += section.sentences
        drawn |= section.charts
    bound = answers.model
    shown = [*bound.construct_names, *(m.name for m in bound.moderations)]
    labels = {language: {name: bound.label(name, language) for name in shown}
              for language in ("en", "zh")}  # fmt: skip
    return Further(found, tuple(said), drawn, labels, tuple(told))
