"""Segments of a log and what they are worth: what these data allow, the rest with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cvlib.inputs.transactions import TransactionLog
from cvlib.lifetime import equity, segments
from cvlib.lifetime.purchases.dates import StudyDates
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying.fit import RepeatBuyingFit, fit_repeat_buying
from cvlib.lifetime.spend import SpendFit, fit_spend
from cvlib.lifetime.value import LifetimeValue, lifetime_value, without_value
from cvlib.results import Result
from cvlib.words.message import Message, message

_AGE_DAYS = 91  # of a period of the life-cycle reading


@dataclass(frozen=True, eq=False, repr=False)
class SegmentStudy(Result):
    """Who brings how much, and how customers move; a table without columns was left out.

    Attributes
    ----------
    spend : Series or None
        Of every customer so far; None for a log without money.
    best : float
        Share of all spend (without money: of all purchase days) of the best fifth.
    tiers : Series or None
        Of the pyramid, by customer.
    pyramid, abc, life_cycle_profit, platinum_to_lead, transitions : DataFrame
        As `segments.group_shares`, `life_cycle_profit` and `segments.transitions` give them.
    now, earlier : SevenSegments or None
        At the two dates.
    reasons : tuple of Message
        What was left out, and why.
    """

    spend: pd.Series | None
    best: float
    tiers: pd.Series | None
    pyramid: pd.DataFrame
    abc: pd.DataFrame
    life_cycle_profit: pd.DataFrame
    platinum_to_lead: pd.DataFrame
    transitions: pd.DataFrame
    now: segments.SevenSegments | None
    earlier: segments.SevenSegments | None
    reasons: tuple[Message, ...]
    headline_tables = ("pyramid",)

    @property
    def sentence(self) -> Message:
        """What the best fifth made of all spend, or of all purchases where there is no money."""
        if self.spend is None:
            return message("lifetime.best_fifth_purchases", share=self.best)
        return segments.best_sentence(self.best)


def value_segments(
    log: TransactionLog,
    summary: PurchaseSummary,
    dates: StudyDates,
    *,
    pyramid: Mapping[str, float],
    platinum_to_lead: Mapping[str, float],
    borders: Mapping[str, Any],
    margin: float,
) -> SegmentStudy:
    """Pyramids, ABC, profit by age, the seven segments and the movement between them.

    Parameters
    ----------
    log : TransactionLog
        Of the study.
    summary : PurchaseSummary
        The log up to `dates.at`, with its customers.
    dates : StudyDates
        Two dates between which customers move.
    pyramid, platinum_to_lead : mapping of str to float
        Shares of customers by tier, best first.
    borders : mapping of str to float
        top, high, medium (shares of customers) and inactive_days of `segments.seven_segments`.
    margin : float
        Share of spend that is margin.

    Returns
    -------
    SegmentStudy
        What the log allows; without money no segment by money, and the reason.

    Raises
    ------
    InputError
        Borders or shares out of range.

    Examples
    --------
    >>> import cvlib as cv
    >>> from cvlib.lifetime import segments, segment_study
    >>> log = cv.lifetime.transaction_log("cdnow_sample")
    >>> dates = cv.lifetime.study_dates(log, at="1998-06-30")
    >>> summary = cv.lifetime.summarise_purchases(log, calibration_end="1998-06-30")
    >>> found = segment_study.value_segments(
    ...     log, summary, dates, pyramid=segments.PYRAMID,
    ...     platinum_to_lead=segments.PLATINUM_TO_LEAD, borders={}, margin=0.3,
    ... )
    >>> found.pyramid["group"].tolist()
    ['vip', 'major', 'ordinary', 'small']
    """
    customers = summary.customers if summary.customers is not None else pd.DataFrame()
    spend, none = customers["monetary"], pd.DataFrame()
    if not spend.sum() > 0:
        best = segments.share_of_best(customers["frequency"])
        why = message("lifetime.no_money")
        return SegmentStudy(
            None, best, None, none, none, none, none, none, None, None, (why,)
        )  # fmt: skip
    reasons = []
    course = none
    oldest = _days(summary)
    if oldest >= _AGE_DAYS:
        course = segments.life_cycle_profit(
            log, dates.at, margin=margin, period_days=_AGE_DAYS
        )  # fmt: skip
    else:
        reasons.append(message("lifetime.no_age", days=_AGE_DAYS, oldest=oldest))
    now = segments.seven_segments(log, dates.at, **borders)
    tiers = segments.tiers(spend, pyramid)
    metals = segments.tiers(spend, platinum_to_lead)
    earlier, moves = None, none
    first = customers["first_purchase"].min().date()
    if first <= dates.before < dates.at:
        earlier = segments.seven_segments(log, dates.before, **borders)
        moves = segments.transitions(_named(earlier), _named(now))
    else:
        kind = "same" if dates.before == dates.at else "before"
        facts = {"before": dates.before, "at": dates.at, "first": first}
        reasons.append(message(f"lifetime.no_movement_{kind}", **facts))
    return SegmentStudy(
        spend, segments.share_of_best(spend), tiers,
        segments.group_shares(spend, tiers, list(pyramid)),
        segments.group_shares(spend, segments.abc(spend), ["A", "B", "C"]),
        course, segments.group_shares(spend, metals, list(platinum_to_lead)), moves,
        now, earlier, tuple(reasons),
    )  # fmt: skip


def _days(summary: PurchaseSummary) -> int:
    """Days from the first purchase to the date, both counted."""
    first = summary.customers["first_purchase"].min() if summary.customers is not None else None
    return 0 if first is None else (pd.Timestamp(summary.cut) - first).days + 1


def _named(found: segments.SevenSegments) -> pd.Series:
    return found.customers.set_index("customer_id")["segment"]


@dataclass(frozen=True, eq=False, repr=False)
class SegmentWorth(Result):
    """What customers are worth, by tier and by segment; without values, why.

    Attributes
    ----------
    fit, money : RepeatBuyingFit, SpendFit or None
        The models; None where one could not be fitted.
    value : LifetimeValue
        Of every customer, or the reason why not.
    customers : DataFrame
        `value.customers` with tier and segment.
    equity_by_tier, equity_by_segment, key_accounts : DataFrame
        As `equity.customer_equity` and `equity.key_account_loss` give them; without columns where
        there is no value.
    """

    fit: RepeatBuyingFit | None
    money: SpendFit | None
    value: LifetimeValue
    customers: pd.DataFrame
    equity_by_tier: pd.DataFrame
    equity_by_segment: pd.DataFrame
    key_accounts: pd.DataFrame
    warnings: tuple[str, ...] = ()
    headline_tables = ("equity_by_tier",)

    @property
    def sentence(self) -> Message:
        """The customer equity, or why there is none."""
        return self.value.sentence

    @property
    def mean(self) -> float:
        """Mean lifetime value; NaN where there is none."""
        known = self.value.reason is None
        return float(self.customers["lifetime_value"].mean()) if known else float("nan")

    @property
    def referrals_left_out(self) -> Message:
        """Why the value of referrals is not told, where there are no values."""
        return message("lifetime.referrals_left_out")

    def headlines(self, at: Any, annual_rate: float, margin: float) -> list[tuple[Any, ...]]:
        """Name, value and sentence of customer equity and of the most valuable customer."""
        if self.value.reason is not None:
            return [("customer_equity", None, self.sentence)]
        total = float(self.customers["lifetime_value"].sum())
        said = equity.equity_sentence(total, at, annual_rate, margin)
        first = float(self.key_accounts["value"].iloc[0])
        loss = equity.key_account_sentence(self.key_accounts)
        return [("customer_equity", total, said), ("key_account", first, loss)]


def segment_worth(
    summary: PurchaseSummary,
    groups: SegmentStudy,
    *,
    model: str,
    annual_rate: float,
    margin: float,
    level: float = 0.95,
) -> SegmentWorth:
    """Lifetime values of the customers of a segmentation, where these data give any.

    Parameters
    ----------
    summary : PurchaseSummary
        The log up to the date.
    groups : SegmentStudy
        Of the same customers.
    model : str
        Of repeat buying.
    annual_rate, margin : float
        Discount rate per year; share of spend that is margin.
    level : float
        Of the models' intervals.

    Returns
    -------
    SegmentWorth
        Values and equity, or the reason why there are none.

    Raises
    ------
    InputError
        A rate, margin or model that is none.

    Examples
    --------
    >>> import cvlib as cv
    >>> from cvlib.lifetime import segments, segment_study
    >>> log = cv.lifetime.transaction_log("cdnow_sample")
    >>> dates = cv.lifetime.study_dates(log, at="1998-06-30")
    >>> summary = cv.lifetime.summarise_purchases(log, calibration_end="1998-06-30")
    >>> groups = segment_study.value_segments(
    ...     log, summary, dates, pyramid=segments.PYRAMID,
    ...     platinum_to_lead=segments.PLATINUM_TO_LEAD, borders={}, margin=0.3,
    ... )
    >>> found = segment_study.segment_worth(
    ...     summary, groups, model="bg_nbd", annual_rate=0.1, margin=0.3
    ... )
    >>> found.value.reason is None
    True
    """
    customers = summary.customers if summary.customers is not None else pd.DataFrame()
    none = pd.DataFrame()
    fit = money = None
    reason: Message | None = None
    if groups.spend is None:
        reason = groups.reasons[0]
    elif not customers["x"].any():
        reason = message("lifetime.nobody_again", customers=len(customers))
    else:
        fit = fit_repeat_buying(summary, model, level=level)
        money = fit_spend(summary, level=level, required=False)
        reason = without_value(fit, money, customers)
    if fit is None or money is None or reason is not None:
        assumed = {"customers": len(customers), "annual_rate": annual_rate, "margin": margin}
        table = pd.DataFrame(
            {
                "model": model,
                "measure": list(assumed),
                "value": [float(v) for v in assumed.values()],
            }
        )
        worthless = LifetimeValue(customers[["customer_id"]], table, (), reason)
        said = (*(fit.warnings if fit else ()), *(money.warnings if money else ()))
        return SegmentWorth(fit, money, worthless, worthless.customers, none, none, none, said)
    value = lifetime_value(fit, money, customers, annual_rate=annual_rate, margin=margin)
    worth = value.customers.assign(tier=groups.tiers)
    if groups.now is not None:
        segment = groups.now.customers[["customer_id", "segment"]]
        worth = worth.merge(segment, on="customer_id", how="left")
    return SegmentWorth(
        fit, money, value, worth,
        equity.customer_equity(worth, "lifetime_value", "tier"),
        equity.customer_equity(worth, "lifetime_value", "segment"),
        equity.key_account_loss(worth, "lifetime_value", "customer_id"),
        value.warnings,
    )  # fmt: skip
