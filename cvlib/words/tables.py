"""Rounding at the door: how a tidy table is printed, in HTML and as plain text."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.words.language import Words, columns
from cvlib.words.message import message
from cvlib.words.money import affixes, in_money
from cvlib.words.safe import page_text, without_controls

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATE = """<div class="cvlib-table" id="table-{{ name }}">
{% if not columns and title %}<p class="cvlib-caption">{{ title }}</p>{% endif %}
{% if columns %}<table{% if parts %} data-blocks="{{ parts }}"{% endif %}>
{% if title %}<caption>{{ title }}</caption>{% endif %}
<thead><tr>
{% for column in columns -%}
<th scope="col" class="{{ column.kind }}" data-column="{{ column.name }}">{{ column.head }}</th>
{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}{% if loop.index0 in blocks %}<tr class="block">
<th scope="rowgroup" colspan="{{ columns | length }}">{{ blocks[loop.index0] }}</th></tr>
{% endif %}<tr>
{% for cell in row %}<td class="{{ columns[loop.index0].kind }}{{ cell.mark }}">{{ cell.text }}</td>
{% endfor %}</tr>
{% endfor %}</tbody>
</table>{% endif %}

{% for note in notes %}<p class="note">{{ note }}</p>
{% endfor %}</div>
"""
_MISSING = "–"
_LONGEST_TEXT = 300
# An unbroken word longer than a line would run out of the page (a SHA-256 would not); Chinese
# has no blanks and breaks anywhere.
_LONG_WORD = re.compile(r"([^\s\u2e80-\uffef]{70})[^\s\u2e80-\uffef]+")
# Columns of p values, printed as APA does; p_alive and the like are probabilities of another kind.
_P_VALUES = re.compile(r"p(_value|_adjusted|_welch|_permutation|_parametric|_henseler)*")
_P_IN_SHEETS = '[<0.0005]"<.001";.000'
# Tables with a measure per row: which of their rows hold an amount of money.
_AMOUNTS = {
    "value": ("customer_equity", "mean", "median"),
    "equity_judged": ("equity", "equity_judged"),
    "value_error": ("forecast_spend", "realised_spend", "error", "by_number", "by_size"),
    "next_totals": ("expected_profit",),
    "facts": ("calibration_spend", "holdout_spend"),
    "network_totals": ("sum_clv", "sum_network_value", "sum_attributed_value"),
    "value_facts": ("value of a customer now",),
}
_BLOCKS = ("items", "model", "estimator")  # what heads blocks of rows, in this order
ENGLISH = Words()


@cache
def _template() -> Template:
    from jinja2 import Environment  # slow to load

    return Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=page_text
    ).from_string(_TEMPLATE)


def format_number(value: float, decimals: int) -> str:
    """One number as printed: fixed decimals, no negative zero, thousands separated."""
    if pd.isna(value):
        return _MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def format_money(value: float) -> str:
    """An amount as printed: no decimals from 100 on, two below unless it is whole; its currency."""
    whole = math.isfinite(value) and bool(_whole(value))
    return in_money(format_number(value, 0 if abs(value) >= 99.995 or whole else 2))


@cache
def _money(column: str, table: str = "") -> bool:
    """Whether a column holds money, by what `columns.csv` says of it in this table or in all."""
    own = columns().get((table, column), {}).get("meaning_en", "")
    if own:
        return "in currency" in own
    said = [entry["meaning_en"] for (_, name), entry in columns().items() if name == column]
    return bool(said) and all("in currency" in meaning for meaning in said)


def amounts(table: pd.DataFrame, name: str) -> list[bool]:
    """Which rows of a table of measures hold an amount of money in their column ``value``."""
    known = _AMOUNTS.get(name, ())
    named = table.select_dtypes(exclude="number")
    if not known or "value" not in table or not named.shape[1]:
        return [False] * len(table)
    return [bool(found) for found in named.isin(known).any(axis="columns")]


def _format_p(value: float) -> str:
    if pd.isna(value):
        return _MISSING
    return "<.001" if value < 0.0005 else f"{value:.3f}".removeprefix("0")


def _whole(values: ArrayLike) -> np.ndarray:
    """Which are whole but for rounding errors, whose bits are another processor's."""
    array = np.asarray(values, dtype=float)
    return np.asarray(np.abs(array - np.round(array)) <= 1e-9 * np.maximum(np.abs(array), 1.0))


def _format_mixed(value: float, decimals: int) -> str:
    """A cell of a column that holds different measures: counts stay counts."""
    whole = math.isfinite(value) and bool(_whole(value))
    # a few decimals are of shares and amounts; more are of statistics, which keep theirs
    large = decimals <= 2 and abs(value) >= 1000
    return format_number(value, 0 if whole or large else decimals)


def _format_text(value: Any, decimals: int, words: Words) -> str:
    if isinstance(value, float) and not math.isnan(value) and not math.isinf(value):
        return _format_mixed(value, decimals)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return _MISSING
    text = _LONG_WORD.sub(
        r"\1…", without_controls(words.cell(value if isinstance(value, str) else str(value)))
    )
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _formatter(
    column: pd.Series, decimals: int, words: Words, table: str
) -> tuple[str, Callable[[Any], str]]:
    if pd.api.types.is_bool_dtype(column):
        return "text", lambda value: words.cell("yes" if value else "no")
    if pd.api.types.is_datetime64_any_dtype(column):
        return "text", lambda value: _MISSING if pd.isna(value) else str(value)[:10]
    if not pd.api.types.is_numeric_dtype(column):
        return "text", lambda value: _format_text(value, decimals, words)
    if _P_VALUES.fullmatch(str(column.name)):
        return "number", _format_p
    if _money(str(column.name), table):
        return "number", lambda value: format_money(float(value))
    values = column[np.isfinite(column.astype(float))]
    if column.name in ("value", "limit"):
        return "number", lambda value: _format_mixed(float(value), decimals)
    places = 0 if len(values) and _whole(values).all() else decimals
    return "number", lambda value: format_number(float(value), places)


def cell_formats(
    column: pd.Series,
    decimals: int = 3,
    table: str = "",
    currency: str = "",
    paid: Sequence[bool] = (),
) -> list[str]:
    """How a spreadsheet shows each cell of a column so that it reads as in print.

    Parameters
    ----------
    column : Series
        A column of a table at full precision; its name tells p values.
    decimals : int
        Decimals of numbers that are not whole.
    table : str
        What the run calls the table.
    currency : str
        Currency of the run, shown with amounts; empty: none.
    paid : sequence of bool
        Which cells are amounts where not all of the column are (see `amounts`); empty: none.

    Returns
    -------
    list of str
        Number formats of Excel by cell; empty for text, dates and missing values.
    """
    _, form = _formatter(column, decimals, ENGLISH, table)
    money = _money(str(column.name), table)
    before, behind = (f'"{each}"' if each else "" for each in affixes(currency))
    formats = []
    for value, is_paid in zip(column, paid or [False] * len(column), strict=True):
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            formats.append("")
        elif form is _format_p:
            formats.append(_P_IN_SHEETS)
        else:
            text = format_money(value) if is_paid else form(value)
            places = len(re.findall(r"\d", text.partition(".")[2]))
            plain = "#,##0" + ("." + "0" * places if places else "")
            formats.append(f"{before}{plain}{behind}" if money or is_paid else plain)
    return formats


def printed(
    table: pd.DataFrame, decimals: int = 3, words: Words = ENGLISH, name: str = ""
) -> tuple[pd.DataFrame, list[str]]:
    """A table as text, rounded, with the kind (``text`` or ``number``) of each column.

    Parameters
    ----------
    table : DataFrame
        Full-precision tidy table; a meaningful index should have been reset.
    decimals : int
        Decimals of non-integer columns; columns named ``p`` follow the APA form.
    words : Words
        Language, and labels of the names in the table.
    name : str
        What the run calls the table: some columns hold money in one table only.
    """
    shown, kinds = {}, []
    for position, head in enumerate(table.columns):
        column = table.iloc[:, position]
        kind, form = _formatter(column, decimals, words, name)
        kinds.append(kind)
        shown[head] = [form(value) for value in column]
        if head == "value" and kind == "number":
            shown[head] = [
                format_money(float(value)) if paid else text
                for value, text, paid in zip(column, shown[head], amounts(table, name), strict=True)
            ]
    return pd.DataFrame(shown, dtype=object), kinds


def escape_latex(text: str) -> str:
    """Text as LaTeX prints it."""
    signs = {"\\": r"\textbackslash ", "~": r"\textasciitilde ", "^": r"\textasciicircum "}
    signs |= {sign: "\\" + sign for sign in "&%$#_{}"}
    return "".join(signs.get(character, character) for character in text)


_SIDES: dict[str, Callable[[Any, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def marked(table: pd.DataFrame, marks: Mapping[str, str]) -> list[list[bool]]:
    """Which cells lie beyond the limits stated for their columns.

    Parameters
    ----------
    table : DataFrame
        As it is printed.
    marks : mapping of str to str
        Column to a side and a limit, such as ``{"ave": "< 0.5"}``; the limit may stand in another
        column of the same row (``"> critical_value"``, ``"outside ci_low ci_high"``).
    """
    names = [str(column) for column in table.columns]
    return [
        [_beyond(value, marks.get(name, ""), dict(zip(names, row, strict=True)))
         for name, value in zip(names, row, strict=True)]
        for row in table.itertuples(index=False, name=None)
    ]  # fmt: skip


def _beyond(value: Any, mark: str, row: Mapping[str, Any]) -> bool:
    side, *written = mark.split() or [""]
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not side or not number:
        return False
    limits = [float(row.get(each, each)) for each in written]
    if side == "outside":
        return bool(value < limits[0] or value > limits[1])
    return _SIDES[side](value, limits[0])


def _blocks(table: pd.DataFrame, texts: pd.DataFrame) -> tuple[list[str], dict[int, str]]:
    """Leading columns that divide a table into blocks, and the head of the block at each row.

    Model and estimator head a block of rows instead of standing beside every one of them, where
    each has several rows, one below the other; with one row each they are what is compared.
    """
    found = takewhile(_BLOCKS.__contains__, map(str, table.columns))
    parts = list(found) if len(table) else []
    if not {"model", "estimator"} & {*parts} or len(parts) == table.shape[1]:
        return [], {}
    named = [part for part in parts if part != "items" or set(table[part]) != {"all"}]
    heads = texts[named].agg(" · ".join, axis="columns").tolist()
    begins = [row for row in range(len(heads)) if row == 0 or heads[row] != heads[row - 1]]
    lengths = np.diff([*begins, len(heads)])
    if len({heads[row] for row in begins}) < len(begins) or not lengths.size or lengths.min() < 2:
        return [], {}
    return parts, {row: heads[row] for row in begins}


def _mark_told(table: str, column: str, mark: str, words: Words) -> str:
    """A limit as the note names it."""
    side, *written = mark.split()
    named = [each if each[0].isdigit() else words.head(each, table) for each in written]
    if side == "outside":
        said = message(
            "common.mark_outside", column=words.head(column, table), low=named[0], high=named[1]
        )
        return words.text(said)
    return f"{words.head(column, table)} {side} {named[0]}"


def table_html(
    name: str,
    table: pd.DataFrame,
    title: str = "",
    note: str = "",
    decimals: int = 3,
    rows: int = 60,
    words: Words = ENGLISH,
    marks: Mapping[str, str] | None = None,
) -> str:
    """The three-line HTML table of a report; text is escaped, long tables are cut and say so.

    Cells beyond a limit of ``marks`` (see `marked`) have a sign, which the note explains. Model
    and estimator, where a table begins with them, are heads of blocks.
    """
    head, kinds = printed(table.head(rows), decimals, words, name)
    notes = [words.text(note)] if note else []
    if not len(table):
        notes.insert(0, words.text("None."))
    if len(table) > rows:
        shown = message("common.rows_shown", rows=rows, all=len(table), name=name)
        notes.append(words.text(shown))
    beyond = marked(table.head(rows), marks or {})
    if any(map(any, beyond)):
        limits = [
            _mark_told(name, c, mark, words) for c, mark in (marks or {}).items() if c in table
        ]
        notes.append(words.text(message("common.marked", limits=limits)))
    parts, blocks = _blocks(table.head(rows), head)
    beyond = [marks_of_row[len(parts) :] for marks_of_row in beyond]
    head, kinds = head.iloc[:, len(parts) :], kinds[len(parts) :]
    names = [str(column) for column in head.columns]
    columns = [
        {"name": name, "head": text, "kind": kind}
        for name, text, kind in zip(names, words.heads(names, name), kinds, strict=True)
    ]
    cells = [
        [
            {"text": f"{text} ◂" if mark else text, "mark": " mark" if mark else ""}
            for text, mark in zip(texts, marks_of_row, strict=True)
        ]
        for texts, marks_of_row in zip(head.to_numpy().tolist(), beyond, strict=True)
    ]
    return _template().render(
        name=name,
        title=words.text(title),
        columns=columns,
        rows=cells,
        parts=" ".join(parts),
        blocks=blocks,
        notes=notes,
    )
