"""Who has left, by the labels of a column: those named, or an obvious pair."""

from __future__ import annotations

import pandas as pd

from cvlib.inputs.checks import column_of, fault
from cvlib.inputs.errors import InputError, nearest, shorten
from cvlib.inputs.readers import Table
from cvlib.words.message import message

_LEFT = {"yes", "y", "true", "t", "1", "left", "churn", "churned", "lost", "gone", "exited",
         "cancelled", "canceled", "ended", "terminated", "attrited", "attrited customer",
         "是", "流失", "已流失", "离网", "退订"}  # fmt: skip
_THERE = {"no", "n", "false", "f", "0", "there", "stayed", "stay", "retained", "active", "current",
          "joined", "existing", "existing customer", "loyal", "否", "留存", "在网",
          "未流失"}  # fmt: skip
_PLAIN = {"yes", "no", "true", "false", "1", "0", "是", "否"}  # read without a word about it


def short(name: object) -> str:
    """A column's name without case, blanks and underlines."""
    return str(name).lower().replace("_", "").replace(" ", "")


def label(value: object) -> str:
    """A label as it is compared: no case, no blanks around, 1.0 as 1."""
    spelt = str(value).strip().casefold()
    return spelt.removesuffix(".0") if spelt.removesuffix(".0").isdigit() else spelt


def has_left(table: Table, column: str, values: tuple[str, ...], notes: list[str]) -> pd.Series:
    """Whether each customer has left, by the labels named or by an obvious pair."""
    cells = column_of(table, column)
    if cells.isna().any():
        raise fault(
            table, column, cells.isna(), message("refusals.does_not_say_whether_the_customer_left"),
            message("refusals.fill_it_in_or_leave_the_row_2"),
        )  # fmt: skip
    spelt = cells.map(label)
    present = list(dict.fromkeys(spelt))
    shown = ", ".join(shorten(value) for value in dict.fromkeys(cells.astype(str).str.strip()))
    if len(present) > 20:
        shown = f"{len(present)} different values"
    if values:
        absent = [value for value in values if value not in present]
        if absent:
            raise InputError(
                "event_value",
                message(
                    "refusals.no_row_of_column_holds", column=column, absent=absent[0], shown=shown
                ),
                nearest(absent[0], present),
            )
        return spelt.isin(values)
    if "censor" in short(column):
        raise InputError(
            table.place(column), message("refusals.holds_and_by_its_name_1_may", shown=shown),
            message("refusals.name_the_values_that_mean_left_as"),
        )  # fmt: skip
    unknown = ~spelt.isin(_LEFT | _THERE)
    if unknown.any():
        raise fault(
            table,
            column,
            unknown,
            message(
                "refusals.value_does_not_say_whether_the_customer", shown=shown, value="{value}"
            ),
            message("refusals.name_the_values_that_mean_left_as_2"),
        )
    gone = spelt.isin(_LEFT)
    if not set(present) <= _PLAIN:
        kinds = {
            kind: list(dict.fromkeys(cells[mask].astype(str).str.strip()))
            for kind, mask in (("left", gone), ("there", ~gone))
        }
        notes.append(
            message("inputs.contracts_labels", source=table.source, column=column, **kinds)
        )
    return gone
