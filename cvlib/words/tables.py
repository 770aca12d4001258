"""Rounding at the door: how a tidy table is printed, in HTML and as plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment
from numpy.typing import ArrayLike

from cvlib.words.language import Words
from cvlib.words.message import message
from cvlib.words.safe import page_text, without_controls

_TEMPLATE = Environment(
    autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=page_text
).from_string(
    """<div class="cvlib-table" id="table-{{ name }}">
{% if not columns and title %}<p class="cvlib-caption">{{ title }}</p>{% endif %}
{% if columns %}<table>
{% if title %}<caption>{{ title }}</caption>{% endif %}
<thead><tr>
{% for column in columns -%}
<th scope="col" class="{{ column.kind }}" data-column="{{ column.name }}">{{ column.head }}</th>
{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}<tr>
{% for cell in row %}<td class="{{ columns[loop.index0].kind }}">{{ cell }}</td>
{% endfor %}</tr>
{% endfor %}</tbody>
</table>{% endif %}

{% for note in notes %}<p class="note">{{ note }}</p>
{% endfor %}</div>
"""
)
_MISSING = "–"
_LONGEST_TEXT = 300
# An unbroken word longer than a line would run out of the page (a SHA-256 would not); Chinese
# has no blanks and breaks anywhere.
_LONG_WORD = re.compile(r"([^\s\u2e80-\uffef]{70})[^\s\u2e80-\uffef]+")
# Columns of p values, printed as APA does; p_alive and the like are probabilities of another kind.
_P_VALUES = re.compile(r"p(_value|_adjusted|_welch|_permutation|_parametric|_henseler)*")
ENGLISH = Words()


def format_number(value: float, decimals: int) -> str:
    """One number as printed: fixed decimals, no negative zero, thousands separated."""
    if pd.isna(value):
        return _MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


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
    return format_number(value, 0 if whole else decimals)


def _format_text(value: Any, decimals: int, words: Words) -> str:
    if isinstance(value, float) and not math.isnan(value) and not math.isinf(value):
        return _format_mixed(value, decimals)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return _MISSING
    text = _LONG_WORD.sub(
        r"\1…", without_controls(words.cell(value if isinstance(value, str) else str(value)))
    )
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _formatter(column: pd.Series, decimals: int, words: Words) -> tuple[str, Callable[[Any], str]]:
    if pd.api.types.is_bool_dtype(column):
        return "text", lambda value: words.cell("yes" if value else "no")
    if pd.api.types.is_datetime64_any_dtype(column):
        return "text", lambda value: _MISSING if pd.isna(value) else str(value)[:10]
    if not pd.api.types.is_numeric_dtype(column):
        return "text", lambda value: _format_text(value, decimals, words)
    if _P_VALUES.fullmatch(str(column.name)):
        return "number", _format_p
    values = column[np.isfinite(column.astype(float))]
    if column.name == "value":
        return "number", lambda value: _format_mixed(float(value), decimals)
    places = 0 if len(values) and _whole(values).all() else decimals
    return "number", lambda value: format_number(float(value), places)


def printed(
    table: pd.DataFrame, decimals: int = 3, words: Words = ENGLISH
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
    """
    shown, kinds = {}, []
    for position, name in enumerate(table.columns):
        column = table.iloc[:, position]
        kind, form = _formatter(column, decimals, words)
        kinds.append(kind)
        shown[name] = [form(value) for value in column]
    return pd.DataFrame(shown, dtype=object), kinds


def escape_latex(text: str) -> str:
    """Text as LaTeX prints it."""
    signs = {"\\": r"\textbackslash ", "~": r"\textasciitilde ", "^": r"\textasciicircum "}
    signs |= {sign: "\\" + sign for sign in "&%$#_{}"}
    return "".join(signs.get(character, character) for character in text)


def table_html(
    name: str,
    table: pd.DataFrame,
    title: str = "",
    note: str = "",
    decimals: int = 3,
    rows: int = 60,
    words: Words = ENGLISH,
) -> str:
    """The three-line HTML table of a report; text is escaped, long tables are cut and say so."""
    head, kinds = printed(table.head(rows), decimals, words)
    notes = [words.text(note)] if note else []
    if not len(table):
        notes.insert(0, words.text("None."))
    if len(table) > rows:
        shown = message("common.rows_shown", rows=rows, all=len(table), name=name)
        notes.append(words.text(shown))
    names = [str(column) for column in head.columns]
    columns = [
        {"name": name, "head": text, "kind": kind}
        for name, text, kind in zip(names, words.heads(names), kinds, strict=True)
    ]
    return _TEMPLATE.render(
        name=name,
        title=words.text(title),
        columns=columns,
        rows=head.to_numpy().tolist(),
        notes=notes,
    )
