"""Customer equity and what can be counted beside it: key accounts, recommendation, opportunity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.inputs.checks import as_table, column_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.lifetime.economics import check_between
from cvlib.statistics import resample
from cvlib.words.message import Message, message


def key_account_loss(
    customers: pd.DataFrame, value: str = "clv", customer: str = "customer", top: int = 10
) -> pd.DataFrame:
    """What goes when one of the `top` most valuable customers leaves.

    Returns
    -------
    DataFrame
        customer, value, share_of_equity, median_customers_to_replace (None when the median
        customer is worth nothing), cumulative_share.
    """
    ranked = customers.nlargest(top, value)
    equity, median = customers[value].sum(), customers[value].median()
    lost = ranked[value].to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "customer": ranked[customer].to_numpy(),
            "value": lost,
            "share_of_equity": lost / equity,
            "median_customers_to_replace": lost / median if median > 0 else None,
            "cumulative_share": np.cumsum(lost) / equity,
        }
    )


def key_account_sentence(lost: pd.DataFrame) -> Message:
    """What losing the first customer of `key_account_loss` takes."""
    first = lost.iloc[0]
    return message("lifetime.key_account", value=first["value"], share=first["share_of_equity"])


def equity_sentence(equity: float, at: Any, annual_rate: float, margin: float) -> Message:
    """Customer equity in all, at a date, a yearly discount rate and a margin (shares)."""
    return message(
        "lifetime.equity_at", equity=equity, at=str(at), annual_rate=annual_rate, margin=margin
    )


def customer_equity(
    customers: pd.DataFrame, value: str = "clv", group: str | None = None
) -> pd.DataFrame:
    """Customer equity: the sum of lifetime values, by group and in all, reconciled.

    Returns
    -------
    DataFrame
        group, customers, equity, share_of_customers, share_of_equity, mean_value; the last row,
        `all`, is the sum over customers, and the groups add up to it.
    """
    if customers[value].isna().any():
        raise InputError(
            value,
            message("refusals.has_customers_without_a_value"),
            message("refusals.leave_them_out_and_say"),
        )
    labels = customers[group].astype(str) if group else pd.Series("all", index=customers.index)
    table = customers.groupby(labels, sort=False)[value].agg(customers="size", equity="sum")
    if group:
        table = table.sort_values("equity", ascending=False)
        table.loc["all"] = [len(customers), customers[value].sum()]
        rest = table["equity"].iloc[:-1].sum() - table["equity"].iloc[-1]
        if abs(rest) > 1e-9 * max(abs(table["equity"].iloc[-1]), 1):
            raise ArithmeticError(f"groups and customers differ by {rest}")
    table = table.rename_axis("group").reset_index().astype({"customers": int})
    return table.assign(
        share_of_customers=table["customers"] / len(customers),
        share_of_equity=table["equity"] / customers[value].sum(),
        mean_value=table["equity"] / table["customers"],
    )


def net_promoter_score(answers: ArrayLike, level: float = 0.95) -> pd.DataFrame:
    """Share of promoters (9–10) minus share of detractors (0–6), in points of −100 to 100.

    Parameters
    ----------
    answers : array of whole numbers 0 to 10
        "How likely is it that you would recommend us?"; missing answers are counted, not scored.
    level : float
        Of the normal interval with the multinomial variance (p + d − (p − d)²) / n.

    Returns
    -------
    DataFrame
        One row: n, missing, promoters, passives, detractors (shares), nps, std_error, ci_low,
        ci_high.

    References
    ----------
    Reichheld (2003) Harvard Business Review 81(12):46-54; Rocks (2016) The American Statistician
    70:365-372 for intervals.
    """
    given = pd.to_numeric(pd.Series(np.asarray(answers)), errors="coerce")
    kept = given.dropna()
    if not len(kept) or not kept.isin(range(11)).all():
        raise InputError(
            "answers",
            message("refusals.must_be_whole_numbers_from"),
            message("refusals.another_scale_10_gives_another"),
        )
    up, down, n = float((kept >= 9).mean()), float((kept <= 6).mean()), len(kept)
    error = float(np.sqrt((up + down - (up - down) ** 2) / n))
    half = resample.reach(level) * error
    return pd.DataFrame(
        {
            "n": [n],
            "missing": int(given.isna().sum()),
            "promoters": up,
            "passives": 1 - up - down,
            "detractors": down,
            "nps": 100 * (up - down),
            "std_error": 100 * error,
            "ci_low": 100 * max(up - down - half, -1),
            "ci_high": 100 * min(up - down + half, 1),
        }
    )


def read_referrals(
    source: str, customers: pd.Series, seed: int, names: Mapping[Any, str] | None = None
) -> tuple[pd.DataFrame, str]:
    """A log of referrals (referrer, referred[, years]) and a note on where it comes from.

    Parameters
    ----------
    source : str
        A file, or "simulated": one among the customers is drawn for one in twenty, and the note
        says so.
    customers : Series
        Ids of the customers of the study.
    seed : int
        Of the draw.
    names : mapping, optional
        What the file's ids are called in the study, where ids are not shown.
    """
    if source != "simulated":
        table = load_table(source).data
        known = {str(one): name for one, name in (names or {}).items()}
        for column in ("referrer", "referred"):
            written = column_of(as_table(table, Path(source).name), column)
            named = [known.get(str(one), one) for one in written]
            table = table.assign(**{column: named})
        return table, message("lifetime.referrals_from", file=Path(source).name)
    order = resample.generator(seed).permutation(customers.to_numpy())
    referred = order[: max(1, len(order) // 20)]
    referrers = resample.generator(seed + 1).choice(order[len(referred) :], len(referred))
    note = message("lifetime.referrals_simulated")
    return pd.DataFrame({"referrer": referrers, "referred": referred}), note


def referral_value(
    referrals: pd.DataFrame,
    values: pd.Series,
    joined_anyway: float,
    acquisition_cost: float,
    discount_rate: float = 0.0,
) -> pd.DataFrame:
    """Customer referral value from a log of who brought whom.

    A referred customer counts with the own lifetime value only as far as he or she would not
    have joined anyway; the acquisition cost is saved in both cases.

    Parameters
    ----------
    referrals : DataFrame
        referrer, referred, and optionally years (until the referred customer joins, default 0).
    values : Series
        Lifetime value by customer id (of the referred).
    joined_anyway : float
        Share of referred customers who would have come without the referral, 0 to 1.
    acquisition_cost : float
        Saved per referred customer.
    discount_rate : float
        Per year.

    Returns
    -------
    DataFrame
        referrer, referred (count), value_of_new_customers, acquisition_cost_saved,
        referral_value; highest first.

    References
    ----------
    Kumar, Petersen & Leone (2010) J. Marketing 74(5):1-17.
    """
    check_between("joined_anyway", joined_anyway, 0, 1)
    twice = referrals["referred"].duplicated()
    unknown = set(referrals["referred"]) - set(values.index)
    if twice.any() or unknown or (referrals["referrer"] == referrals["referred"]).any():
        raise InputError(
            "referrals",
            message(
                "refusals.customers_are_referred_twice_have", n=int(twice.sum()), n_2=len(unknown)
            ),
            message("refusals.keep_one_referrer_for_each"),
        )
    later = (1 + discount_rate) ** -referrals.get("years", pd.Series(0.0, index=referrals.index))
    won = referrals["referred"].map(values) * (1 - joined_anyway) * later
    table = pd.DataFrame(
        {
            "referrer": referrals["referrer"],
            "value_of_new_customers": won,
            "acquisition_cost_saved": acquisition_cost * later,
        }
    ).groupby("referrer", as_index=False)
    found = table.sum().assign(referred=table.size()["size"])
    found["referral_value"] = found["value_of_new_customers"] + found["acquisition_cost_saved"]
    columns = ["referrer", "referred", *found.columns[1:3], "referral_value"]
    return found[columns].sort_values("referral_value", ascending=False, ignore_index=True)


def opportunity_scores(needs: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Ulwick's opportunity = importance + max(importance − satisfaction, 0).

    Parameters
    ----------
    needs : mapping
        Need to (importance, satisfaction), both from 0 to 10.

    Returns
    -------
    DataFrame
        need, importance, satisfaction, opportunity, served (underserved when satisfaction falls
        short of importance, else overserved or even); highest first.

    References
    ----------
    Ulwick (2002) Harvard Business Review 80(1):91-97.
    """
    wish, met = (np.array([pair[k] for pair in needs.values()], dtype=float) for k in (0, 1))
    check_between("importance", wish, 0, 10)
    check_between("satisfaction", met, 0, 10)
    table = pd.DataFrame(
        {
            "need": list(needs),
            "importance": wish,
            "satisfaction": met,
            "opportunity": wish + np.maximum(wish - met, 0),
            "served": np.select([wish > met, wish < met], ["underserved", "overserved"], "even"),
        }
    )
    return table.sort_values("opportunity", ascending=False, ignore_index=True)
