"""Estimates side by side, whatever their model and estimator: where they agree and where not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction.headline import label
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.words.message import Message, message, of_input


@dataclass(frozen=True, eq=False, repr=False)
class ResultComparison(Result):
    """Two or more estimates side by side.

    Attributes
    ----------
    index : DataFrame
        model, estimator, construct, index and, where there is one, its interval.
    index_differences : DataFrame
        construct, model_1, model_2, value_1, value_2, difference (first less second).
    path_coefficients : DataFrame
        model, estimator, source, target, estimate and its interval.
    path_differences : DataFrame
        source, target, model_1, model_2, value_1, value_2, difference, same_sign and, where the
        second has limits, in_interval: whether the first lies within them.
    results : tuple of SatisfactionResult
        What was compared.
    warnings : tuple of str
        Those of the estimates.
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("index_differences", "path_differences")
    charts: ClassVar[dict[str, str]] = {"paths": "cvlib.figures.satisfaction:estimator_chart"}

    index: pd.DataFrame
    index_differences: pd.DataFrame
    path_coefficients: pd.DataFrame
    path_differences: pd.DataFrame
    results: tuple[SatisfactionResult, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def names(self, language: str = "en") -> dict[str, str]:
        """Labels of all constructs; the first model's where several label one."""
        found: dict[str, str] = {}
        for result in self.results:
            found = result.names(language) | found
        return found

    def sentences(self) -> list[str]:
        """How far the first estimate agrees with each of the others."""
        first, *others = self.results
        return [_agreement(self, first, other) for other in others]

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of a chart is called with."""
        table = self.path_coefficients
        either = table["model"] + ", " + table["estimator"]
        one = table["model"].nunique() == 1
        return {
            "path_coefficients": table if one else table.assign(estimator=either),
            "labels": self.names(language),
            "language": language,
            "level": self.results[0].settings["level"],
        }


def compare(*results: SatisfactionResult) -> ResultComparison:
    """Put estimates side by side: of one model by two estimators, or of different models.

    Constructs and paths are matched by their names.

    Parameters
    ----------
    *results : SatisfactionResult
        Two or more, from `pls` or `sem`.

    Returns
    -------
    ResultComparison
        Index, paths and measurement side by side.

    Raises
    ------
    InputError
        For fewer than two estimates, or the same model by the same estimator twice.

    Examples
    --------
    >>> import cvlib as cv
    >>> first, second = cv.satisfaction.pls("mobi", "acsi"), cv.satisfaction.sem("mobi", "acsi")
    >>> cv.satisfaction.compare(first, second).path_differences["same_sign"].sum()
    np.int64(7)
    """
    if len(results) < 2:
        raise InputError(
            "results",
            message("refusals.to_compare", n=len(results)),
            message("refusals.give_two_estimates_or_more"),
        )
    names = [_name(result) for result in results]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError("results", message("refusals.is_given_twice", twice=twice[0]),
                         message("refusals.give_the_models_names_of"))  # fmt: skip
    pairs = list(itertools.combinations(results, 2))
    told = [text if of_input(text) else message("satisfaction.of_step", step=name, text=text)
            for name, result in zip(names, results, strict=True)
            for text in result.warnings]  # fmt: skip
    return ResultComparison(
        index=_stacked(results, "index", ["construct", "index"]),
        index_differences=pd.concat(
            [_differences(*pair, "index", ["construct"], "index") for pair in pairs],
            ignore_index=True,
        ),
        path_coefficients=_stacked(results, "path_coefficients", ["source", "target", "estimate"]),
        path_differences=pd.concat(
            [_differences(*pair, "path_coefficients", ["source", "target"], "estimate")
             for pair in pairs],
            ignore_index=True,
        ),
        results=results,
        warnings=tuple(dict.fromkeys(told)),
    )  # fmt: skip


def _name(result: SatisfactionResult) -> str:
    return f"{result.model.name}, {result.estimator}"


def _stacked(
    results: tuple[SatisfactionResult, ...], table: str, columns: list[str]
) -> pd.DataFrame:
    parts = []
    for result in results:
        own = getattr(result, table)
        shown = [*columns, *(c for c in ("std_error", "p", "ci_low", "ci_high") if c in own)]
        kept = own[shown].copy()
        kept.insert(0, "model", result.model.name)
        kept.insert(1, "estimator", result.estimator)
        parts.append(kept)
    return pd.concat(parts, ignore_index=True)


def _differences(
    first: SatisfactionResult, second: SatisfactionResult, table: str, keys: list[str], value: str
) -> pd.DataFrame:
    """Both values of whatever two results share, and their difference."""
    one, other = (getattr(result, table).set_index(keys) for result in (first, second))
    shared = one.index.intersection(other.index, sort=False)
    one, other = one.loc[shared], other.loc[shared]
    found = shared.to_frame(index=False).assign(
        model_1=_name(first), model_2=_name(second), value_1=one[value].to_numpy(),
        value_2=other[value].to_numpy(),
    )  # fmt: skip
    found["difference"] = found["value_1"] - found["value_2"]
    if table == "path_coefficients":
        found["same_sign"] = np.sign(found["value_1"]) == np.sign(found["value_2"])
        if "ci_low" in other:
            low, high = other["ci_low"].to_numpy(), other["ci_high"].to_numpy()
            found["in_interval"] = found["value_1"].between(low, high)
    return found


def _agreement(
    compared: ResultComparison, first: SatisfactionResult, second: SatisfactionResult
) -> Message:
    """One sentence on a pair: the index they share, and their paths."""
    names = {"first": _name(first), "second": _name(second)}

    def between(table: pd.DataFrame) -> pd.DataFrame:
        return table[(table["model_1"] == names["first"]) & (table["model_2"] == names["second"])]

    paths = between(compared.path_differences)
    known = between(compared.index_differences).set_index("construct")
    target = default_target(first.model)
    if target not in known.index or paths.empty:
        return message("satisfaction.nothing_shared", **names)
    far = paths.loc[paths["difference"].abs().idxmax()]
    return message(
        "satisfaction.side_by_side", **names, construct=label(first.model, target),
        value_1=float(known.loc[target, "value_1"]), value_2=float(known.loc[target, "value_2"]),
        same=int(paths["same_sign"].sum()), paths=len(paths), gap=abs(float(far["difference"])),
        source=label(first.model, far["source"]), target=label(first.model, far["target"]),
    )  # fmt: skip
