"""Survey answers as numbers: written as numbers, by a map of labels, or by the number they name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from cvlib.inputs import text
from cvlib.inputs.checks import column_of, fault, numeric
from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.readers import Table
from cvlib.inputs.shipped import shipped_yaml
from cvlib.words.message import Message, joined, message

# One number before the words, "6 分", "5 = very satisfied", "12%", or in brackets behind them.
_NUMBER = r"([+-]?[0-9]+(?:\.[0-9]+)?)"
_LED = re.compile(rf"[(\[]?\s*{_NUMBER}(?!,?[0-9])[^0-9]*|[^0-9]*[(\[=:]\s*{_NUMBER}\s*[)\]]?")

FEWEST_WORDS = 30  # answers to tell by that a longer set of answers was not used


def plain(label: object) -> str:
    """A label without what does not tell labels apart: width, case, apostrophes, blanks."""
    straight = unicodedata.normalize("NFKC", str(label)).replace("\u2019", "'")
    return " ".join(straight.casefold().split())


@cache
def usual_sets() -> dict[str, dict[str, int]]:
    """Answer sets in general use: by name, every label of one and its place, worst first."""
    file = resources.files("cvlib.inputs") / "answer_sets.yaml"
    written = shipped_yaml(file.read_text(encoding="utf-8"))
    return {
        name: {plain(label): place for place, labels in enumerate(places, start=1)
               for label in labels}
        for name, places in written.items()
    }  # fmt: skip


def answers(
    table: Table,
    column: str,
    scale: tuple[float, float],
    codes: Sequence[object] = (),
    values: Mapping[str, float] | None = None,
) -> tuple[pd.Series, list[tuple[str, int]], list[Message]]:
    """A column of answers as floats.

    Parameters
    ----------
    table : Table
        The survey.
    column : str
        An item.
    scale : (float, float)
        Its lowest and highest answer.
    codes : sequence
        Answers that mean none; they become missing.
    values : mapping of str to float, optional
        What labels stand for. Answers in words that it does not name are read by the number that
        they begin with, or, where every answer belongs to one set in general use with as many
        steps as the scale, by their place in it.

    Returns
    -------
    values : Series
    counted : list of (str, int)
        Codes, and how often each was met.
    notes : list of Message
        How answers in words were read.

    Raises
    ------
    InputError
        An answer in words that no rule reads.
    """
    written = column_of(table, column)
    recoded = any(isinstance(label, int | float) for label in values or {})
    if is_numeric_dtype(written.dtype) or is_bool_dtype(written.dtype):
        if not recoded:
            return (*numeric(table, column, codes), [])
        written = written.astype(float).map("{:g}".format, na_action="ignore")
    if is_datetime64_any_dtype(written.dtype):
        raise InputError(
            table.place(column), message("refusals.holds_dates_not_answers"),
            message("refusals.excel_makes_dates_of_answers_such_as"),
        )  # fmt: skip
    cells = written.map(plain, na_action="ignore")
    counted: list[tuple[str, int]] = []
    for code in codes:
        hit = cells == plain(code)
        counted.append((str(code).strip(), int(hit.sum())))
        cells = cells.mask(hit)
    distinct = list(dict.fromkeys(cells.dropna()))
    known = {plain(label): float(number) for label, number in (values or {}).items()}
    in_words = [cell for cell in distinct
                if cell not in known and not re.fullmatch(text.NUMBERS["plain"], cell)]  # fmt: skip
    if not known and text.rules(pd.Series(distinct, dtype="str")):
        kept = Table(table.data.assign(**{column: cells.astype("str").mask(cells.isna())}),
                     source=table.source, files=table.files)  # fmt: skip
        return numeric(kept, column)[0], counted, []
    read, note = _in_words(in_words, scale)
    read |= known
    bad = cells.notna() & cells.map(
        lambda cell: cell not in read and not re.fullmatch(text.NUMBERS["plain"], cell),
        na_action="ignore",
    ).fillna(False).astype(bool)  # fmt: skip
    if bad.any():
        raise fault(
            table,
            column,
            bad,
            message("refusals.value_is_an_answer_in_words_that", value="{value}"),
            joined(
                [
                    message(
                        "refusals.write_a_number_leave_the_cell_empty",
                        example=f"values: {{{shorten(written[bad.idxmax()])}: 1, ...}}",
                    ),
                    message("refusals.first_row_of_wording") if bad.iloc[0] else "",
                ]
            ),
        )
    found = cells.map(lambda cell: read.get(cell, cell), na_action="ignore")
    numbers = pd.to_numeric(found).astype(float)
    for code in codes:  # 99 = don't know
        spelt = pd.to_numeric(pd.Series([str(code)]), errors="coerce").iloc[0]
        hit = numbers == spelt
        counted = [(name, count + int(hit.sum()) * (name == str(code).strip()))
                   for name, count in counted]  # fmt: skip
        numbers = numbers.mask(hit)
    examples = [cell for cell in distinct if cell in in_words][:1]
    notes = [message(note, column=[column], example=examples[0])] if examples else []
    return numbers, counted, notes


def _in_words(cells: Sequence[str], scale: tuple[float, float]) -> tuple[dict[str, Any], str]:
    """Answers in words to numbers, and the id of the note that says how they were read."""
    led = {cell: led_number(cell) for cell in cells}
    if all(number is not None for number in led.values()):
        return led, "inputs.answers_by_number"
    found = set_of(cells, int(scale[1] - scale[0]) + 1)
    if found:
        places = usual_sets()[found]
        read = {cell: scale[0] + places[cell] - 1 for cell in cells}
        return read, "inputs.answers_by_set"
    return {}, ""


def led_number(cell: str) -> float | None:
    """The one number that an answer in words begins with, or ends in brackets; or None."""
    match = _LED.fullmatch(cell)
    return float(match.group(1) or match.group(2)) if match else None


def set_of(cells: Collection[str], steps: int) -> str:
    """The usual set of so many steps that holds all answers, no two of them at one step; or ""."""
    for name, places in usual_sets().items():
        held = max(places.values()) == steps and set(cells) <= set(places)
        if held and len({places[cell] for cell in cells}) == len(set(cells)):
            return name
    return ""


def fewer_steps(
    table: Table, columns: Mapping[str, tuple[float, float]], codes: Sequence[object] = ()
) -> None:
    """Refuse answers in words none of which needs as many steps as the scale has.

    "Strongly agree" to "strongly disagree" are the ends of five steps as of seven. Where none of
    many answers names a step that only the longer set has, the survey most likely had the shorter.

    Parameters
    ----------
    table : Table
        The survey.
    columns : mapping
        Items whose answers were read by their place in a usual set, each with its scale.
    codes : sequence
        Answers that mean none.

    Raises
    ------
    InputError
        Naming the first column of such answers.
    """
    none = {plain(code) for code in codes}
    pooled: dict[tuple[tuple[float, float], str], list[tuple[str, pd.Series]]] = {}
    for column, scale in columns.items():
        cells = table.data[column].map(plain, na_action="ignore").dropna()
        words = cells[~cells.isin(none) & ~cells.str.fullmatch(text.NUMBERS["plain"])]
        steps = int(scale[1] - scale[0]) + 1
        found = (scale, set_of(words.unique(), steps))
        pooled.setdefault(found, []).append((column, words))
    for (scale, _), parts in pooled.items():
        steps, words = int(scale[1] - scale[0]) + 1, pd.concat([own for _, own in parts])
        shorter = [s for s in range(2, steps) if set_of(words.unique(), s)]
        if shorter and len(words) >= FEWEST_WORDS:
            raise InputError(
                table.place(parts[0][0]),
                message("refusals.words_of_fewer_steps", answers=len(words), fewer=shorter[-1],
                        steps=steps),
                message("refusals.words_of_fewer_steps_remedy", low=scale[0],
                        high=scale[0] + shorter[-1] - 1),
            )  # fmt: skip
