"""Amounts of money as printed: in the currency that the reader names, or bare."""

from __future__ import annotations

import unicodedata

_CURRENCY = [""]


def pay_in(currency: str) -> None:
    """Say from now on in which currency this process prints amounts.

    Parameters
    ----------
    currency : str
        A sign, a code or a unit, such as €, CNY or 元; empty: amounts stay bare numbers, for no
        currency is assumed.
    """
    _CURRENCY[0] = currency.strip()


def currency() -> str:
    """The currency in which this process prints amounts; empty where none was named."""
    return _CURRENCY[0]


def affixes(currency: str) -> tuple[str, str]:
    """What stands before and behind an amount.

    Signs (€, US$) stand before it, codes (CNY) before it with a blank, units (元, kr) behind it.

    Parameters
    ----------
    currency : str
        Sign, code or unit; empty: nothing.
    """
    if not currency:
        return "", ""
    if unicodedata.category(currency[-1]) == "Sc":
        return currency, ""
    if len(currency) == 3 and currency.isascii() and currency.isupper():
        return f"{currency}\u00a0", ""
    return "", f"\u00a0{currency}"


def in_money(text: str) -> str:
    """A printed number as an amount: the minus before the sign, and no sign without a number."""
    before, behind = affixes(_CURRENCY[0])
    if not any(letter.isdigit() for letter in text):
        return text
    bare = text.removeprefix("-")
    return f"{text[: len(text) - len(bare)]}{before}{bare}{behind}"
