"""Heads of small tables: found by name, by another spelling, or by a usual other name"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from cvlib.inputs.readers import Table
from cvlib.inputs.shipped import shipped_yaml
from cvlib.words.message import Message, message


def spelt(name: object) -> str:
    """A head without what does not tell heads apart: case, signs, zeros before a number.

    Examples
    --------
    >>> from cvlib.inputs.heads import spelt
    >>> spelt("Per period"), spelt("E_01")
    ('perperiod', 'e1')
    """
    kept = "".join(c for c in unicodedata.normalize("NFKC", str(name)).casefold() if c.isalnum())
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", kept)


@cache
def usual_names() -> dict[str, frozenset[str]]:
    """What columns of small tables are called elsewhere, by the name they have here."""
    file = resources.files("cvlib.inputs") / "column_names.yaml"
    written = shipped_yaml(file.read_text(encoding="utf-8"))
    return {role: frozenset(map(spelt, names)) for role, names in written.items()}


def by_usual_names(
    table: Table, wanted: Sequence[str], others: Mapping[str, Sequence[str]] | None = None
) -> Table:
    """A table whose columns have the names used here, where a single one can be meant.

    Parameters
    ----------
    table : Table
        As read.
    wanted : sequence of str
        Names used here. One that is no column is the column spelt like it but for case, signs and
        zeros, else the only one of a usual other name.
    others : mapping of str to sequence of str, optional
        Usual other names beside those of ``column_names.yaml``.

    Returns
    -------
    Table
        With `heads` for the places of errors, and what was taken for what in `warnings`.

    Examples
    --------
    >>> import pandas as pd
    >>> from cvlib.inputs.readers import from_frame
    >>> read = by_usual_names(from_frame(pd.DataFrame({"受访者": [1]})), ["respondent"])
    >>> list(read.data), read.place("respondent")
    (['respondent'], 'table in memory, column 受访者')
    """
    columns = [str(name) for name in table.data.columns]
    free = [name for name in columns if name not in wanted]
    named: dict[str, str] = {}
    guessed: dict[str, str] = {}
    for role in wanted:
        if role in columns:
            continue
        alike = [name for name in free if spelt(name) == spelt(role)]
        usual = usual_names().get(role, frozenset()) | set(map(spelt, (others or {}).get(role, ())))
        found = alike or [name for name in free if spelt(name) in usual]
        if len(found) == 1 and found[0] not in named:
            named[found[0]] = role
            if not alike:
                guessed[found[0]] = role
    if not named:
        return table
    told = (
        [message("inputs.columns_taken", file=table.source,
                 pairs=", ".join(f"{name} = {role}" for name, role in guessed.items()))]
        if guessed
        else []
    )  # fmt: skip
    return replace(
        table, data=table.data.rename(columns=named), warnings=(*table.warnings, *told),
        heads={**table.heads, **{role: name for name, role in named.items()}},
    )  # fmt: skip


def taken(table: Table) -> list[Message]:
    """What `by_usual_names` took for what, to be said where the reading of a file is not."""
    return [
        note
        for note in table.warnings
        if isinstance(note, Message) and note.id == "inputs.columns_taken"
    ]
