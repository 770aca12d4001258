"""Key accounts: what each is worth and which share of all, with what is not known about it"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.columns import enough_rows, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.lifetime.equity_models import normal_draw
from cvlib.lifetime.repeat_buying.fit import RepeatBuyingFit
from cvlib.lifetime.spend import SpendFit
from cvlib.lifetime.units import DAYS
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


def account_draws(
    customers: pd.DataFrame,
    fit: RepeatBuyingFit,
    spend: SpendFit,
    annual_rate: float,
    margin: float,
    *,
    top: int = 5,
    settings: resample.Bootstrap | None = None,
) -> pd.DataFrame:
    """Joint draws of lifetime values of the best customers of a log, and of all others together.

    In every draw parameters come from the normal law of the BG/NBD and Gamma-Gamma estimates, then
    each customer's rate, dropout and spend from their posterior: alive with P(alive), rate
    Gamma(r + x, α + T), dropout Beta(a, b + x), value margin · spend · λ ÷ (δ + pλ).

    Parameters
    ----------
    customers : DataFrame
        customer_id, x, t_x, T, mean_repeat_spend: of `summarise_purchases`.
    fit : RepeatBuyingFit
        A BG/NBD model of them.
    spend : SpendFit
        Their spend per purchase.
    annual_rate, margin : float
        Discount rate per year, share of spend that is margin.
    top : int
        Customers with a column of their own, by mean value.
    settings : Bootstrap, optional
        Draws and seed.

    Returns
    -------
    DataFrame (draws, top + 1)
        One column per customer, and ``rest``.

    Raises
    ------
    InputError
        Another model than BG/NBD, or a spend without a finite mean.

    References
    ----------
    Fader, Hardie & Lee (2005a) Marketing Science 24:275-284; (2005b) J. Marketing Research
    42:415-430.

    Examples
    --------
    >>> import cvlib as cv
    >>> life, summary = cv.lifetime, cv.lifetime.purchases("cdnow_sample", "1998-06-30")
    >>> fit, spend = life.fit_repeat_buying(summary), life.fit_spend(summary)
    >>> life.account_draws(summary.customers, fit, spend, 0.1, 0.3, top=2).shape[1]
    3
    """
    one_of("model", fit.model, ("bg_nbd",), message("refusals.key_accounts_need_it"))
    if spend._maximum is None:
        raise InputError(
            "Gamma-Gamma model", str(spend.reason), message("refusals.leave_the_accounts_out")
        )
    chosen = settings or resample.Bootstrap()
    rng = resample.generator(chosen.seed, 85)
    x, t_x, T = (customers[name].to_numpy(float) for name in ("x", "t_x", "T"))
    total = x * np.where(x > 0, customers["mean_repeat_spend"].to_numpy(float), 0.0)
    force = np.log1p(annual_rate) / (365.25 / DAYS[str(fit.unit)])
    root = np.linalg.cholesky(spend._maximum.covariance())
    values = np.empty((chosen.draws, len(x)))
    for at in range(chosen.draws):
        one = normal_draw(fit, rng)
        theta = one.natural()
        p, q, v = np.exp(spend._maximum.at + root @ rng.standard_normal(3))
        alive = rng.random(len(x)) < one.p_alive(x, t_x, T)
        rate = rng.gamma(theta["r"] + x) / (theta["alpha"] + T)
        leave = rng.beta(theta["a"], theta["b"] + x)
        each = p * (v + total) / rng.gamma(q + p * x)
        values[at] = np.where(alive, margin * each * rate / (force + leave * rate), 0.0)
    best = np.lexsort((np.arange(len(x)), -values.mean(axis=0)))[:top]
    table = pd.DataFrame(values[:, best], columns=customers["customer_id"].astype(str).iloc[best])
    return table.assign(rest=values.sum(axis=1) - values[:, best].sum(axis=1))
