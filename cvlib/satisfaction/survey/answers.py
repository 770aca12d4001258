"""The one way from a survey as it was read to a model's answers: bound, checked, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from cvlib.inputs.audit import CAUTIONS, survey_cautions
from cvlib.inputs.errors import InputError
from cvlib.inputs.labels_turned import turned
from cvlib.inputs.readers import Table, load_table
from cvlib.inputs.summary_rows import without_summaries
from cvlib.inputs.survey import check_survey
from cvlib.satisfaction.model.code import AnyModel, as_model
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.survey.settings import Columns
from cvlib.words.message import Label, Message, joined, message

Data: TypeAlias = str | Path | pd.DataFrame | Table


@dataclass(frozen=True, eq=False)
class Answers:
    """A survey with a model's answers as checked numbers.

    Attributes
    ----------
    table : Table
        The survey; the model's columns hold floats, NaN where there is no answer. The index is the
        row of the file, so that whatever is refused later names it too.
    model : Model
        Bound to the columns.
    index : Index
        The caller's labels of the rows.
    coded : ndarray of bool (n, p)
        Where an answer was a code for "no answer".
    left_out : DataFrame
        column, reason, count, share: cells read as missing.
    warnings : tuple of str
        How answers in words were read, and who answered nothing.
    """

    table: Table
    model: Model
    index: pd.Index
    coded: np.ndarray
    left_out: pd.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def data(self) -> pd.DataFrame:
        """The survey under the caller's labels."""
        return self.table.data.set_axis(self.index)

    @property
    def cautions(self) -> list[Message]:
        """Of the warnings, those that could change every number of a study."""
        return [note for note in self.warnings
                if isinstance(note, Message) and note.id in CAUTIONS]  # fmt: skip

    def where(self, rows: np.ndarray) -> Answers:
        """Some respondents, by a mask or by their places; rows keep their number in the file."""
        chosen = replace(self.table, data=self.table.data.iloc[_places(rows)])
        return replace(self, table=chosen, index=self.index[rows], coded=self.coded[rows])


def open_survey(data: Data | Answers, model: AnyModel, columns: Columns | None = None) -> Answers:
    """Bind a model to a survey and check its answers.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent. Answers of this very model pass through; those of another are
        opened anew.
    model : Model, name, path or mapping
        A shipped model, a YAML file, or one written in code.
    columns : Columns, optional
        How items are found, and which codes mean no answer.

    Returns
    -------
    Answers
        The model bound to the survey's columns.

    Raises
    ------
    InputError
        An item without a column; text or an answer off the scale, by its row in the file.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.open_survey("mobi", "ecsi_mobile").data.shape
    (250, 24)
    """
    chosen = columns or Columns()
    given = as_model(model, chosen.scale)
    if isinstance(data, Answers):
        if data.model == given:
            return data
        table, index = data.table, data.index
    else:
        table = load_table(data)
        index = data.index if isinstance(data, pd.DataFrame) else table.data.index
    if not len(table.data):
        raise InputError(
            table.source,
            message("refusals.has_no_rows"),
            message("refusals.give_a_survey_with_answers"),
        )
    try:
        bound = given.map(table.data.columns, chosen.mapping, drop_unmapped=chosen.drop_unmapped)
    except InputError as error:
        where = error.where if isinstance(data, pd.DataFrame) else f"{table.source}, {error.where}"
        raise InputError(where, error.wrong, joined([error.remedy, table.elsewhere])) from error
    known = table.warnings  # the caller has them with the table
    if not isinstance(data, Answers):
        table = without_summaries(table, bound.columns)
        index = index[: len(table.data)]
    values: dict[object, pd.Series] = {}
    counted: list[pd.DataFrame] = []
    told: list[str] = []
    for codes in dict.fromkeys(item.missing_codes for item in bound.item_list):
        scales = {item.column: (item.minimum, item.maximum)
                  for item in bound.item_list if item.missing_codes == codes}  # fmt: skip
        found = check_survey(
            table, scales, dont_know=(*chosen.dont_know, *codes),
            values={item.column: item.values for item in bound.item_list if item.values},
        )  # fmt: skip
        told += [text for text in found.warnings if text not in known]
        values |= dict(found.data.items())
        counted.append(found.left_out)
    asked = list(bound.columns)
    checked = pd.DataFrame(values)[asked]
    told += turned(table, {item.column: bool(reverse) for item, reverse in
                           zip(bound.item_list, bound.reversed_items, strict=True)
                           if not item.values})  # fmt: skip
    told += _cautions(table, bound, checked)
    coded = table.data[asked].notna().to_numpy() & checked.isna().to_numpy()
    return Answers(
        table=replace(table, data=table.data.assign(**checked)),
        model=bound,
        index=index,
        coded=coded,
        left_out=pd.concat(counted, ignore_index=True).drop_duplicates(ignore_index=True),
        warnings=tuple(_together(dict.fromkeys(told))),
    )


def _cautions(table: Table, model: Model, checked: pd.DataFrame) -> list[Message]:
    scales = {item.column: (item.minimum, item.maximum) for item in model.item_list}
    blocks = {item.column: Label({code: model.label(c.name, code) for code in ("en", "zh")})
              for c in model.constructs for item in c.items}  # fmt: skip
    return survey_cautions(checked, scales, blocks, table.data)


def _together(told: Iterable[str]) -> list[str]:
    """Notes on how answers in words were read, one for all columns that were read alike."""
    kept: list[str] = []
    first: dict[str, int] = {}  # where each such note stands
    for note in told:
        name = getattr(note, "id", "")
        if name in ("inputs.answers_by_number", "inputs.answers_by_set"):
            if name in first:
                values = kept[first[name]].values  # type: ignore[attr-defined]
                columns = [*values["column"], *note.values["column"]]  # type: ignore[attr-defined]
                note = message(name, **values | {"column": columns})
                kept[first[name]] = note
                continue
            first[name] = len(kept)
        kept.append(note)
    return kept


def _places(rows: np.ndarray) -> np.ndarray:
    return np.flatnonzero(rows) if rows.dtype == bool else rows
