"""What a planned survey should find, and how it will be analysed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cvlib.inputs.choices import number, one_of, whole
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.pls.engine import SCHEMES
from cvlib.words.message import message

TARGETS = ("index_width", "difference_width", "difference_power", "path_width", "path_power")


@dataclass(frozen=True)
class Goal:
    """What a survey should find.

    Parameters
    ----------
    construct : str
        Whose index is compared; empty for satisfaction where there is one.
    difference : float
        True difference of the index between two groups, in points of 100.
    targets : mapping
        Of index_width, difference_width, difference_power, path_width, path_power to the value
        wanted; the smallest n is looked for.
    path : (source, target), optional
        For path_width and path_power.
    largest : int
        Largest n looked for.

    Raises
    ------
    InputError
        A width, power or target that cannot be reached, or an unknown kind of goal.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Goal(difference=5.0, targets={"difference_power": 0.8}).largest
    10000
    """

    construct: str = ""
    difference: float = 3.0
    targets: Mapping[str, float] = field(default_factory=dict)
    path: tuple[str, str] | None = None
    largest: int = 10_000

    def __post_init__(self) -> None:
        for name, value in self.targets.items():
            one_of("targets", name, TARGETS)
            if not 0 < value < (1 if name.endswith("power") else np.inf):
                raise InputError(
                    f"targets, {name}",
                    message("refusals.cannot_be_reached", value=value),
                    message("refusals.a_width_is_above_zero"),
                )


@dataclass(frozen=True)
class Analysis:
    """How the planned survey will be analysed.

    Parameters
    ----------
    level : float
        Confidence of the intervals; tests are at 1 - level, two-sided.
    missing : {"listwise", "mean"}
        As in estimation.
    scheme, estimator : str
        As in `pls.fit_pls`.
    cluster_size : int
        Respondents per cluster; the population's cluster_correlation lies between them.

    Raises
    ------
    InputError
        A number outside its range, or a choice that is not known.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Analysis(missing="mean").level
    0.95
    """

    level: float = 0.95
    missing: str = "listwise"
    scheme: str = "path"
    estimator: str = "pls"
    cluster_size: int = 1

    def __post_init__(self) -> None:
        number("level", self.level, 0, 1, ends="()")
        one_of("missing", self.missing, ("listwise", "mean"))
        one_of("scheme", self.scheme, SCHEMES)
        one_of("estimator", self.estimator, ("pls", "plsc"))
        whole("cluster_size", self.cluster_size, 1)
