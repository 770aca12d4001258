"""What a survey must look like: one row per respondent, an item's answers on its scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cvlib.inputs.answers import answers, fewer_steps
from cvlib.inputs.checks import Checked, as_table, fault, left_out_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.words.message import joined, message


def check_survey(
    table: Table | pd.DataFrame,
    items: Mapping[str, tuple[float, float]],
    *,
    dont_know: Sequence[object] = (),
    values: Mapping[str, Mapping[str, float]] | None = None,
    file: str = "",
) -> Checked:
    """Check the items of a survey.

    Parameters
    ----------
    table : Table or DataFrame
        One row per respondent.
    items : mapping
        Column to (lowest, highest) value of its scale.
    dont_know : sequence, optional
        Codes that mean "don't know" or "no answer" (98, ``DK``, ``不知道``): they become
        missing and are counted.
    values : mapping, optional
        Column to {answer in words: number}.
    file : str, optional
        Name of a DataFrame in error messages.

    Returns
    -------
    Checked
        `data`: the items as floats, missing answers as NaN, in the order of `items`.

    Raises
    ------
    InputError
        A missing or empty column, text in an item, a value outside the scale, a don't-know code
        inside the scale.
    """
    table = as_table(table, file)
    total = len(table.data)
    columns, told, placed = {}, [], {}
    rows: list[tuple[str, str, int]] = []
    for item, (lowest, highest) in items.items():
        for code in dont_know:
            number = pd.to_numeric(pd.Series([str(code)]), errors="coerce").iloc[0]
            if lowest <= number <= highest:
                raise InputError(
                    table.place(item),
                    message("refusals.dont_know_within_scale", code=code, low=lowest, high=highest),
                    message("refusals.dont_know_within_scale_remedy"),
                )
        given = (values or {}).get(item)
        columns[item], counted, notes = answers(table, item, (lowest, highest), dont_know, given)
        told += notes
        if any(note.id == "inputs.answers_by_set" for note in notes):
            placed[item] = (lowest, highest)
        rows += [
            (item, message("inputs.dont_know_code", code=code), count) for code, count in counted
        ]
    fewer_steps(table, placed, dont_know)
    frame = pd.DataFrame(columns)
    _on_scale(table, frame, items)
    silent = int(frame.isna().all(axis=1).sum())
    if silent:
        told.append(message("inputs.silent", silent=silent))
    counts = left_out_of(table, list(items), rows, total)
    return Checked(frame, counts, (*table.warnings, *told))


def _on_scale(table: Table, frame: pd.DataFrame, items: Mapping[str, tuple[float, float]]) -> None:
    """Refuse answers off their scale: the first column at fault, its first row."""
    off = {
        item: ~(frame[item].between(lowest, highest) | frame[item].isna())
        for item, (lowest, highest) in items.items()
    }
    faulty = [item for item, rows in off.items() if rows.any()]
    if not faulty:
        return
    item = faulty[0]
    lowest, highest = items[item]
    others = len(faulty) - 1
    also = message("refusals.other_columns", others=others) if others else ""
    low, high = frame[item].min(), frame[item].max()
    raise fault(
        table,
        item,
        off[item],
        message(
            "refusals.value_is_outside_the_scale_to", low=lowest, high=highest, value="{value}"
        ),
        joined([message("refusals.off_scale_remedy", low=low, high=high), also]),
    )
