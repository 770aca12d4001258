"""What results of one shape say of themselves: estimates, weights, grades and ranks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from cvlib.words.message import Message, message

_MOST = 12  # of estimates in a sentence
_ALIKE = 1e-9  # weights that differ by less are equal


def estimates(result: Any) -> list[Message]:
    """The parameters a model was fitted with; the reason where it was not.

    Parameters
    ----------
    result
        With a table `parameters` of parameter and estimate, and model where it has a name.
    """
    reason = getattr(result, "reason", None)
    if reason:
        return [reason]
    rows = result.parameters
    told = [
        message("common.estimate", name=name, value=float(value))
        for name, value in zip(rows["parameter"], rows["estimate"], strict=True)
    ][:_MOST]
    return [message("common.estimates", estimates=told)] if told else []


def heaviest(result: Any) -> list[Message]:
    """Which indicator weighs most, by each method of a table `weights` or `priorities`.

    Parameters
    ----------
    result
        Its table names the indicator and has a column of weights, or one a method.
    """
    rows = result.priorities if hasattr(result, "priorities") else result.weights
    name = next(column for column in ("indicator", "item", "element") if column in rows)
    if "method" in rows:
        parts: Iterable[tuple[Any, pd.DataFrame]] = rows.groupby("method", sort=False)
        return [_first(part, name, "global_weight", method) for method, part in parts]
    known = ("linear", "buckley", "within_cluster", "limit")
    column = next(column for column in known if column in rows)
    return [_first(rows, name, column, column)]


def _first(rows: pd.DataFrame, name: str, column: str, method: Any) -> Message:
    top = rows[rows[column] >= rows[column].max() - _ALIKE]
    facts = {"method": str(method), "weight": float(top[column].iloc[0])}
    if len(top) == len(rows) > 1:
        return message("common.weigh_alike", count=len(top), **facts)
    if len(top) > 1:
        return message("common.heaviest_of_all", names=list(top[name]), **facts)
    return message("common.heaviest", name=top[name].iloc[0], **facts)


def graded(result: Any) -> list[Message]:
    """How many customers are in each of a table `grades`.

    Parameters
    ----------
    result
        Its table has grade and customers.
    """
    rows = result.grades.dropna(subset="customers")
    told = [
        message("common.in_grade", grade=str(grade), customers=int(count))
        for grade, count in zip(rows["grade"], rows["customers"], strict=True)
    ]
    return [message("common.graded", grades=told)] if told else []


def fitted(result: Any) -> list[Message]:
    """Which models were fitted.

    Parameters
    ----------
    result
        With a table `fit` by model.
    """
    models = [str(model) for model in dict.fromkeys(result.fit["model"])]
    return [message("common.models_fitted", models=models)] if models else []


def scored(result: Any) -> list[Message]:
    """How many were scored by each method, and who comes first.

    Parameters
    ----------
    result
        Its table `scores` has customer, method and score, or customers by methods.
    """
    wide = result.scores
    if "method" in wide:
        wide = wide.pivot(index="customer", columns="method", values="score")
    return [
        message("common.scored", method=str(method), customers=int(column.count()),
                first=str(column.idxmax()), score=float(column.max()))
        for method, column in wide.items() if column.count()
    ]  # fmt: skip
