"""Answers whose labels run from best to worst: a high code that stands for a low answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from cvlib.inputs.answers import led_number, plain, usual_sets
from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.readers import Table
from cvlib.words.message import Message, message

_FEWEST = 3  # labels of a set in general use, to tell which way they run


def turned(table: Table, items: Mapping[str, bool]) -> list[Message]:
    """Say, or refuse, that the labels of answers run against their codes.

    The labels are those of an SPSS or Stata file, or words behind the numbers of a text file
    ("1 = strongly agree"). Only labels of an answer set in general use are judged.

    Parameters
    ----------
    table : Table
        The survey.
    items : mapping
        Column to whether the model takes its high answers for low.

    Returns
    -------
    list of Message
        One that names the columns, where some items run against their labels: a reversed question
        may have been turned already.

    Raises
    ------
    InputError
        Where all items that can be judged do: every index would stand on its head.
    """
    against: dict[str, dict[float, str]] = {}
    along = 0
    for column, reversed_ in items.items():
        labels = _labels(table, column)
        way = _way(labels)
        if way and (way < 0) != reversed_:
            against[column] = labels
        elif way:
            along += 1
    if not against:
        return []
    first, labels = next(iter(against.items()))
    low, high = min(labels), max(labels)
    ends = {"low": low, "best": labels[low], "high": high, "worst": labels[high]}
    if not along and len(against) > 1:
        raise InputError(
            table.place(first), message("refusals.labels_turned", items=len(against), **ends),
            message("refusals.labels_turned_remedy"),
        )  # fmt: skip
    return [message("inputs.labels_turned", columns=list(against), **ends)]


def _labels(table: Table, column: str) -> dict[float, str]:
    """Code to label, of the file or of the answers themselves."""
    given = table.value_labels.get(column)
    if given:
        return {float(code): shorten(label).strip("'") for code, label in given.items()
                if isinstance(code, int | float)}  # fmt: skip
    if not pd.api.types.is_string_dtype(table.data[column].dtype):
        return {}
    found: dict[float, str] = {}
    for cell in table.data[column].dropna().unique()[:50]:
        number = led_number(plain(cell))
        if number is not None:
            words = re.sub(r"[-+]?\d+(\.\d+)?|[()\[\]=:.,\u3002\uff1a\u2013-]", " ", str(cell))
            found[number] = " ".join(words.split())
    return found


def _way(labels: Mapping[float, str]) -> int:
    """1 where labels rise with their codes, -1 where they fall, 0 where that cannot be told."""
    worded = {code: plain(label) for code, label in labels.items()}
    for places in usual_sets().values():
        known = sorted((code, places[label]) for code, label in worded.items() if label in places)
        order = [place for _, place in known]
        if len(set(order)) >= _FEWEST:
            if order == sorted(order):
                return 1
            if order == sorted(order, reverse=True):
                return -1
    return 0
