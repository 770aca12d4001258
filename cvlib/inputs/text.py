"""What a text file does not say of itself: encoding, separator, and how its numbers are written."""

from __future__ import annotations

import csv
import re

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

SEPARATORS = (",", ";", "\t", "|")

_GROUP = "['’ \u00a0\u202f]"
# How a column may write its numbers; [0-9] because \d also takes other scripts' digits. An exponent
# needs a sign, or an article code such as 12E5 would become a number.
NUMBERS = {
    "plain": r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-][0-9]+)?",
    ".": rf"[+-]?(?:[0-9]{{1,3}}(?:(?:,|{_GROUP})[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?",
    ",": rf"[+-]?(?:[0-9]{{1,3}}(?:(?:\.|{_GROUP})[0-9]{{3}})+|[0-9]+)(?:,[0-9]+)?",
}
# Identifiers that a number could not give back: leading zeros, or more digits than a float keeps.
IDENTIFIER = r"[+-]?(?:0[0-9]+|[0-9]{16,})"


def decode(raw: bytes, name: str, encoding: str | None = None) -> tuple[str, str]:
    """Turn a file's bytes into text.

    Parameters
    ----------
    raw : bytes
        The whole file.
    name : str
        The file, for the error message.
    encoding : str, optional
        The encoding when the user knows it. Otherwise: a byte order mark, UTF-8, UTF-16 by its zero
        bytes, GB18030 when bytes above 127 come in pairs, else Windows-1252, else Latin-1.

    Returns
    -------
    tuple of str
        The text and the encoding used.
    """
    if encoding is None:
        encoding = _encoding(raw)
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            name,
            message("refusals.cannot_be_read_as", kind=encoding, reason=error),
            message("refusals.save_it_as_utf_8_or_give"),
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


def _encoding(raw: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"),
                           (b"\xfe\xff", "utf-16")):  # fmt: skip
        if raw.startswith(mark):
            return encoding
    zeros = raw[:4000].count(0)
    if zeros > len(raw[:4000]) / 4:
        return "utf-16-le" if raw[1:4000:2].count(0) > raw[:4000:2].count(0) else "utf-16-be"
    if _decodes(raw, "utf-8"):
        return "utf-8"
    runs = [run.group() for run in re.finditer(rb"[\x80-\xff]+", raw[:1_000_000])]
    alone = sum(len(run) == 1 for run in runs) + len(
        re.findall(rb"(?<=[A-Za-z])[\xc0-\xff]{2}(?![\x80-\xff])", raw[:1_000_000])
    )
    if alone <= len(runs) / 2:  # an accent stands alone among Latin letters, these do not
        if all(set(run) <= _CYRILLIC for run in runs) and not _hanzi(runs):
            return "cp1251"
        if _decodes(raw, "gb18030"):
            return "gb18030"
    return "cp1252" if _decodes(raw, "cp1252") else "latin-1"


# Letters of Windows-1251, and the quotation marks and dashes that stand beside them.
_CYRILLIC = frozenset([*range(0xC0, 0x100), 0xA8, 0xB8, 0xAB, 0xBB, 0x84, 0x93, 0x94, 0x96, 0x97])


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _hanzi(runs: list[bytes]) -> bool:
    """Whether what could be Cyrillic is Chinese: whole pairs, nearly all of common letters.

    Russian small letters make pairs of rare Chinese letters or none. Of a handful of pairs some
    would have a byte that is no Russian letter, were they Chinese.
    """
    whole = [run for run in runs if len(run) % 2 == 0]
    pairs = [run[at : at + 2] for run in whole for at in range(0, len(run), 2)]
    common = sum(0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
    return len(whole) == len(runs) and len(pairs) < 5 and common > 0.8 * len(pairs)


def separator(text: str) -> str:
    """Find what separates the columns, from the first lines of a text table.

    A separator is right when it cuts every line into the same number (at least two) of cells; of
    several, the one that gives most. White space is tried last. A table of one column has none.
    """
    lines = [line for line in text[:200_000].split("\n")[:100] if line.strip()]
    if len(text) > 200_000 and len(lines) > 1:
        lines = lines[:-1]
    best = (0, 0.0, ",")
    for mark in SEPARATORS:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=mark)]
        if widths and widths[0] > 1:
            agreeing = sum(width == widths[0] for width in widths) / len(widths)
            best = max(best, (int(agreeing > 0.9), agreeing * widths[0], mark))
    if best[1] == 0:
        widths = [len(line.split()) for line in lines]
        if widths and widths[0] > 1 and widths.count(widths[0]) > 0.9 * len(widths):
            return r"\s+"
        return _below_a_title(lines) or best[2]
    return best[2]


def _below_a_title(lines: list[str]) -> str:
    """The separator of a table of three columns or more with other lines above it."""
    for first in range(1, min(10, len(lines) - 1)):
        for mark in SEPARATORS:
            widths = {len(cells) for cells in csv.reader(lines[first:], delimiter=mark)}
            if len(widths) == 1 and min(widths) > 2:
                return mark
    return ""


def rules(values: pd.Series) -> set[str]:
    """Say which ways of writing numbers fit every value: of ``plain``, ``.`` and ``,``.

    Parameters
    ----------
    values : Series of str
        No missing values, blanks stripped.
    """
    head = values.iloc[:200]
    fitting = {rule for rule, pattern in NUMBERS.items() if head.str.fullmatch(pattern).all()}
    if len(values) > 200:
        fitting = {rule for rule in fitting if values.str.fullmatch(NUMBERS[rule]).all()}
    return fitting


def to_numbers(values: pd.Series, rule: str) -> pd.Series:
    """Convert text to numbers by one of the rules that fit it."""
    codes, written = pd.factorize(values)  # a cell's text is read once, however often it stands
    unique = pd.Series(written, dtype="str")
    if rule != "plain":
        unique = unique.str.replace("," if rule == "." else ".", "", regex=False)
        unique = unique.str.replace(_GROUP, "", regex=True).str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(unique).to_numpy()
    if numbers.dtype == object:  # integers of hundreds of digits
        numbers = np.array([float(number) for number in unique])
    if (codes < 0).any() or not len(numbers):
        numbers = np.append(numbers.astype(float), np.nan)  # where code -1 (missing) points
    return pd.Series(numbers[codes], index=values.index, name=values.name)


def numbers(frame: pd.DataFrame, decimal: str | None, notes: list[str]) -> pd.DataFrame:
    """Turn the text columns in which every value is a number into numbers, in `frame` itself."""
    fits: dict[str, set[str]] = {}
    for column in frame.columns[[is_string_dtype(dtype) for dtype in frame.dtypes]]:
        values = _distinct(frame[column])
        fits[column] = rules(values) if len(values) else {"plain"}
        if fits[column] and values.str.fullmatch(IDENTIFIER).any():
            notes.append(message("inputs.kept_as_codes", column=column))
            fits[column] = set()
    # One column that can only have a decimal comma decides for those that could have either.
    shown = {"," for fit in fits.values() if fit == {","}}
    shown |= {"." for fit in fits.values() if fit in ({"."}, {"plain", "."})}
    mark = decimal or (shown.pop() if len(shown) == 1 else None)
    converted = {column: frame.pop(column) for column in list(frame.columns)}
    for column, fit in fits.items():
        if mark in fit and (decimal or mark == "," or "plain" not in fit):
            rule = mark
        elif (decimal is None and "plain" in fit) or fit == {"plain"}:
            rule = "plain"
        elif decimal is None and len(fit) == 1:
            rule = next(iter(fit))
        else:
            if fit:
                notes.append(message("inputs.kept_as_text", column=column))
            continue
        special = [] if "plain" in fit else _unlike(converted[column], NUMBERS["plain"])
        if rule == "," and not special:
            special = _unlike(converted[column], r"[^.]*")
        if special and rule:
            which = "inputs.decimal_comma" if rule == "," else "inputs.decimal_point"
            notes.append(message(which, column=column, example=special[0]))
        converted[column] = to_numbers(converted[column], rule or "plain")
    return pd.DataFrame(converted, index=frame.index)


def _distinct(values: pd.Series) -> pd.Series:
    return pd.Series(values.dropna().unique(), dtype="str")


def _unlike(values: pd.Series, pattern: str) -> list[str]:
    """The first cell that does not have the pattern, if there is one."""
    distinct = _distinct(values)
    return distinct[~distinct.str.fullmatch(pattern)].head(1).tolist()
