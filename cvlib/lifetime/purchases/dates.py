"""Cuts, origins and horizons where none are given: derived from the log, in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cvlib.inputs.datasets import entries
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import TransactionLog
from cvlib.words.message import message

# A log of fewer days is too short to be cut in several places.
_SHORTEST = 180
# The two dates between which customers are seen to move lie half a year apart, as far as can be.
_HALF_YEAR = 181


@dataclass(frozen=True)
class StudyDates:
    """When a study of a log cuts it.

    Attributes
    ----------
    calibration_end, holdout_end : date
        Last days of what models may see, and of what they are judged on.
    origins : tuple of date
        Cuts of the rolling-origin check; empty where the log is too short for it.
    origin_days : int
        Days of holdout after each of these.
    at, before : date
        Dates of a segmentation and of an earlier one.
    """

    calibration_end: dt.date
    holdout_end: dt.date
    origins: tuple[dt.date, ...]
    origin_days: int
    at: dt.date
    before: dt.date


def as_day(where: str, value: Any) -> dt.date | None:
    """A date as YAML, Python or a text gives it; None for blank.

    Raises
    ------
    InputError
        When it is no date.
    """
    if value is None or value == "":
        return None
    try:
        day = pd.Timestamp(value)
        if pd.isna(day) or isinstance(value, (int, float)):
            raise ValueError(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            where,
            message("refusals.is_not_a_date", given=str(value)),
            message("refusals.write_it_as_1997_09_30"),
        ) from error
    return day.date()


def study_dates(
    log: TransactionLog,
    *,
    calibration_end: Any = "",
    holdout_end: Any = "",
    origins: Sequence[Any] | str | None = (),
    origin_days: int = 0,
    at: Any = "",
    before: Any = "",
) -> StudyDates:
    """The dates given, and for blank ones what follows from the log.

    A data set of the catalogue has dates of its own. For any other log the calibration ends at two
    thirds of its span, the holdout with it; origins lie one, two, … holdouts
    before the end, as long as the calibration before them is no shorter than the holdout after
    them (the cut itself is judged already, and is none of them), or none when the log has fewer
    than 180 days; the segmentation is at its last day, the earlier one half a year before, or half
    of the span.

    Parameters
    ----------
    log : TransactionLog
        Of the study.
    calibration_end, holdout_end : date or ISO text
        Blank where not given.
    origins : sequence of dates
        Empty where not given; the text ``none`` for no origins.
    origin_days : int
        0 where not given.
    at, before : date or ISO text
        Of the segmentation; blank where not given.

    Returns
    -------
    StudyDates
        Every date the study needs.

    Raises
    ------
    InputError
        A date that is none, lies outside the log, or in the wrong order.

    Examples
    --------
    >>> import cvlib as cv
    >>> log = cv.lifetime.transaction_log("cdnow_sample")
    >>> cv.lifetime.study_dates(log).calibration_end
    datetime.date(1997, 9, 30)
    """
    known_logs = {one.sha256: one.dates for one in entries().values()}
    shipped: dict[str, Any] = dict(known_logs.get(log.sha256, {}))
    first, last = log.first_day, log.last_day
    span = (last - first).days

    def given(name: str, value: Any, otherwise: dt.date) -> dt.date:
        return as_day(name, value) or as_day(name, shipped.get(name)) or otherwise

    end = given("holdout_end", holdout_end, last)
    seen = (min(max(end, first), last) - first).days
    cut = given("calibration_end", calibration_end, first + dt.timedelta(days=round(seen * 2 / 3)))
    _inside(log, "calibration_end", cut)
    if end < cut:
        if as_day("holdout_end", holdout_end) is not None:
            raise InputError(
                "holdout_end",
                message("refusals.lies_before_the_cut", end=end, cut=cut),
                message("refusals.choose_a_later_day"),
            )
        end = last
    days = int(origin_days) or int(shipped.get("origin_days", 0)) or (end - cut).days or span // 4
    if isinstance(origins, str) and origins not in ("", "none"):
        origins = [origins]
    listed = list(origins or ()) if origins != "none" else []
    cuts = [as_day("origins", one) for one in listed or shipped.get("origins", [])]
    known = [one for one in cuts if one is not None]
    for one in known:
        _inside(log, "origins", one)
        if one + dt.timedelta(days=days) > last + dt.timedelta(days=7):
            raise InputError(
                "origins",
                message("refusals.leaves_fewer_than_the_days", one=one, days=days, last=last),
                message("refusals.choose_an_earlier_day_or"),
            )
    if not known and origins != "none" and span >= _SHORTEST:
        cuts_found = _earlier_cuts(first, end, days)
        known = [one for one in cuts_found if one != cut or days != (end - cut).days]
    now = given("at", at, last)
    _inside(log, "at", now)
    gap = min(_HALF_YEAR, (now - first).days // 2)
    then = given("before", before, now - dt.timedelta(days=gap))
    if then > now and not before:
        then = now - dt.timedelta(days=gap)
    _inside(log, "before", then)
    if then > now:
        raise InputError(
            "before",
            message("refusals.lies_after_at", then=then, now=now),
            message("refusals.choose_an_earlier_day"),
        )
    return StudyDates(cut, end, tuple(known), days, now, then)


def _earlier_cuts(first: dt.date, end: dt.date, days: int) -> list[dt.date]:
    """Cuts whose holdouts follow each other up to the end, the earliest first."""
    number = ((end - first).days + 1) // days - 1 if days > 0 else 0
    return [end - dt.timedelta(days=days * back) for back in range(number, 0, -1)]


def _inside(log: TransactionLog, name: str, day: dt.date) -> None:
    first, last = log.observed
    if not first <= day <= last:
        raise InputError(
            name,
            message("refusals.lies_outside_the_log_the_log_runs", day=day, first=first, last=last),
            message("refusals.choose_a_day_inside_it_or_leave"),
        )
