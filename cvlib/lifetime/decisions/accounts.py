"""Key accounts: what each is worth and which share of all, with what is not known about it"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.columns import enough_rows, opened, within
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import message


def key_account_sheet(
    draws: Any,
    beside: Mapping[str, Mapping[str, Any]] | None = None,
    top: int = 5,
    *,
    rest: str = "rest",
    level: float = 0.95,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """A row per key account: value and share of equity with intervals, chance of being first.

    The limits of a share are quantiles of the share in each draw, not a ratio of quantiles.

    Parameters
    ----------
    draws : str, Path, DataFrame or Table
        One column per account (and `rest`, all others together), one row per joint draw of their
        lifetime values.
    beside : mapping of str to mapping, optional
        What else is known, by column (grade, satisfaction, risk, complaints, attributed value) and
        account.
    top : int
        Accounts shown, by mean value.
    rest : str
        The column of all others, which is no account.
    level : float
        Of the intervals.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        key_account_sheet: customer, clv, clv_low, clv_median, clv_high, share_of_equity (median),
        share_low, share_high, probability_largest, what stands beside, next_action (blank, for the
        manager).

    Raises
    ------
    InputError
        A draw that is negative or missing: with file, column, row.

    Examples
    --------
    >>> import pandas as pd
    >>> import cvlib as cv
    >>> draws = pd.DataFrame({"k1": [3.0, 4.0], "k2": [2.0, 1.0], "rest": [5.0, 5.0]})
    >>> cv.lifetime.key_account_sheet(draws)["key_account_sheet"]["customer"].tolist()
    ['k1', 'k2']
    """
    table = opened(draws, reading)
    names = [str(name) for name in table.data.columns]
    values = np.column_stack([within(table, name, 0).to_numpy(float) for name in names])
    enough_rows(table, len(values), 2, "draws")
    share = values / values.sum(axis=1, keepdims=True)
    accounts = [name for name in names if name != rest] or names
    at = [names.index(name) for name in accounts]
    largest = np.bincount(values[:, at].argmax(axis=1), minlength=len(at)) / len(values)
    low, high = resample.percentile_limits(values, level)
    share_low, share_high = resample.percentile_limits(share, level)
    rows = pd.DataFrame(
        {
            "customer": accounts, "clv": values.mean(axis=0)[at], "clv_low": low[at],
            "clv_median": np.median(values, axis=0)[at], "clv_high": high[at],
            "share_of_equity": np.median(share, axis=0)[at], "share_low": share_low[at],
            "share_high": share_high[at], "probability_largest": largest,
        }
    )  # fmt: skip
    for column, known in (beside or {}).items():
        rows[column] = rows["customer"].map(dict(known))
    rows["next_action"] = ""
    rows = rows.sort_values(["clv", "customer"], ascending=[False, True], ignore_index=True)
    first = rows.iloc[0]
    kind = "sure" if first["probability_largest"] >= level else "open"
    said = message(
        f"decisions.account_{kind}", customer=first["customer"], clv=first["clv"],
        low=first["clv_low"], high=first["clv_high"], share=first["share_of_equity"],
        share_low=first["share_low"], share_high=first["share_high"],
        chance=first["probability_largest"], level=level,
    )  # fmt: skip
    return Finding({"key_account_sheet": rows.head(top)}, said, (), {"all": rows})
