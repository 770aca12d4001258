"""Settings of a satisfaction study that travel together; each is checked where it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from cvlib.inputs.choices import number, one_of, whole
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.model import Model
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

RULES = {
    "listwise": "respondents with a missing answer are left out",
    "mean": "a missing answer is replaced by the item's mean, anew in every resample",
    "person_mean": "a missing answer is replaced by the respondent's mean of the construct's"
    " answered items, each as a share of its scale, where enough of them are answered",
    "em": "means and covariances by maximum likelihood from all answers (EM), anew in every"
    " resample",
}


@dataclass(frozen=True)
class Columns:
    """How a model's items are found among the columns of a survey.

    Parameters
    ----------
    mapping : mapping of item to column
        Items not named here are looked for under their own name.
    drop_unmapped : bool
        Leave out items (and constructs, with their paths) that have no column, and say so.
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.
    scale : sequence of two floats
        Lowest and highest answer, where the survey's scale is not the model's; items with a scale
        of their own in the model file keep it.

    Examples
    --------
    >>> import cvlib as cv
    >>> columns = cv.satisfaction.Columns(mapping={"CUSA1": "q1"}, dont_know=[99])
    >>> columns.mapping["CUSA1"]
    'q1'
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    drop_unmapped: bool = False
    dont_know: Sequence[object] = ()
    scale: Sequence[float] = ()

    def of(self, model: Model) -> Columns:
        """The entries that name items of this model, where a mapping serves several."""
        own = {item: column for item, column in self.mapping.items() if item in model.items}
        return replace(self, mapping=own)


@dataclass(frozen=True)
class Missing:
    """What is done where an answer is missing.

    Parameters
    ----------
    rule : {"listwise", "mean", "person_mean", "em"}
        See `RULES`. In covariance SEM "em" is full-information maximum likelihood.
    minimum_share : float
        Share of a construct's items a respondent must have answered under "person_mean"; others
        are left out. One half is our proposal [P].

    Raises
    ------
    InputError
        A rule that is not known, or a share outside 0 to 1.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Missing("person_mean", minimum_share=0.6).rule
    'person_mean'
    """

    rule: str = "listwise"
    minimum_share: float = 0.5

    def __post_init__(self) -> None:
        one_of("missing", self.rule, RULES)
        number("minimum_share", self.minimum_share, 0, 1)

    @classmethod
    def of(cls, given: str | Missing) -> Missing:
        """A rule by its name, or with its settings."""
        return given if isinstance(given, Missing) else cls(given)


@dataclass(frozen=True, eq=False)
class Design:
    """How respondents were sampled.

    Parameters
    ----------
    weights : str or Series
        Survey weights: a column, or values on the data's index; empty for none.
    strata, clusters : str
        Columns, empty for none; clusters are resampled within strata.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Design(clusters="town").weighted
    False
    """

    weights: str | pd.Series = ""
    strata: str = ""
    clusters: str = ""

    @property
    def weighted(self) -> bool:
        """Whether there are survey weights."""
        return not isinstance(self.weights, str) or bool(self.weights)

    @property
    def simple(self) -> bool:
        """Whether the survey is a simple random sample."""
        return not (self.weighted or self.strata or self.clusters)


@dataclass(frozen=True)
class Assessment:
    """How a PLS model is put to the test beside its estimates.

    Parameters
    ----------
    folds, repetitions : int
        Of the cross-validation behind Q²_predict and CVPAT; 0 folds leave both out.
    exact_fit_draws : int
        Resamples of the bootstrap test of exact fit; 0 leaves it out.

    Raises
    ------
    InputError
        Folds, repetitions or resamples that are no whole numbers in their range.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Assessment(folds=5).repetitions
    10
    """

    folds: int = 10
    repetitions: int = 10
    exact_fit_draws: int = 0

    def __post_init__(self) -> None:
        whole("folds", self.folds)
        whole("repetitions", self.repetitions, 1)
        whole("exact_fit_draws", self.exact_fit_draws)


def bootstrap_of(draws: int | Bootstrap) -> Bootstrap:
    """A number of resamples, or a bootstrap with its settings; one resample says nothing.

    Parameters
    ----------
    draws : int or Bootstrap
        0 for estimates without inference.

    Raises
    ------
    InputError
        One resample, or a setting that `Bootstrap` refuses.
    """
    chosen = draws if isinstance(draws, Bootstrap) else Bootstrap(draws)
    if chosen.draws == 1:
        raise InputError(
            "draws", message("refusals.resamples"), message("refusals.use_or_and_more_say")
        )
    return chosen
