"""Survival models judged out of time: fitted to the state of a day, held against what followed"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_string_dtype

from cvlib.inputs.checks import column_of
from cvlib.inputs.columns import within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.subscriptions import CheckedContracts, check_contracts
from cvlib.inputs.transactions_columns import amounts_of
from cvlib.lifetime.contracts.prepare import prepare_subscriptions
from cvlib.lifetime.contracts.survival import SurvivalFits, fit_survival
from cvlib.lifetime.contracts.terms import ContractTerms
from cvlib.results import Finding
from cvlib.statistics.forecasts import brier
from cvlib.statistics.ranks import auc_of, equal_counts
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
_FEWEST = 10
_TENTHS = 10


def validate_later(
    checked: CheckedContracts,
    models: Sequence[str],
    *,
    covariates: Sequence[str] = ("auto",),
    periods: int = 12,
    terms: ContractTerms | None = None,
    fee: str = "",
    level: float = 0.95,
) -> Finding:
    """Fit to the state of a day, forecast the periods that followed, compare.

    The day c is so many periods before the end of observation. Contracts that had begun by then
    are taken as they stood: later ends are not known, and those younger than a period are left
    out. Of those still running at c the models forecast who leaves in (c, c + h], how many periods
    are paid, and the discounted fees.

    Parameters
    ----------
    checked : CheckedContracts
        With days of begin and end. Other tables have no time order: nothing is judged then.
    models : sequence of str
        See `fit_survival`. Kaplan-Meier and Cox have no curve beyond the longest contract; a model
        that reaches fewer than nineteen of twenty contracts is left out.
    covariates : sequence of str
        See `prepare_subscriptions`; they must have been known at c.
    periods : int
        h, of the durations.
    terms : ContractTerms, optional
        Margin of a period, discount rate.
    fee : str
        Column of what each contract pays a period, in place of the margin; empty: the margin.
    level : float
        Of the models' intervals.

    Returns
    -------
    Finding
        later_facts: measure, value. later: model, auc, brier, brier_skill, expected_losses,
        losses, loss_error, expected_fees, fees, fee_error. later_calibration: model, tenth,
        customers, forecast, observed. later_left_out: model, reason.

    Raises
    ------
    InputError
        Fewer than one period.

    References
    ----------
    Uno, Cai, Pencina, D'Agostino & Wei (2011), Statistics in Medicine 30(10):1105-1117.

    Examples
    --------
    >>> import cvlib as cv
    >>> checked = cv.lifetime.check_contracts(cv.lifetime.simulated_subscriptions(300, seed=1))
    >>> cv.lifetime.validate_later(checked, ["sbg"]).sentence.id
    'lifetime.later_needs_dates'
    """
    if not periods >= 1:
        raise InputError(
            "periods",
            message("refusals.is_not_a_period_ahead", periods=periods),
            message("refusals.give_or_more"),
        )
    if checked.start is None or checked.end is None:
        return Finding({}, message("lifetime.later_needs_dates"))
    given = terms or ContractTerms()
    until, cut = _days(checked, periods)
    then = _state(checked, cut)
    try:
        known = prepare_subscriptions(then, covariates)
    except InputError:
        return Finding({}, message("lifetime.later_too_few", day=cut.date()))
    people = known.rows
    running = ~known.data["event"].to_numpy(bool)
    ends = checked.end[people]
    left = (ends.notna() & (ends > cut) & (ends <= until)).to_numpy() & running
    if min(left[running].sum(), (~left[running]).sum()) < _FEWEST:
        return Finding({}, message("lifetime.later_too_few", day=cut.date()))
    fits = fit_survival(known.data, models, level)
    marks = [cut + _span(k, checked.columns.periods_per_year) for k in range(periods + 1)]
    own = _Later(
        known.data[running], left[running], _runs(ends[running], marks),
        _fees(checked, fee, people, given)[running],
    )  # fmt: skip
    rows, tenths, away = [], [], [*fits.left_out.itertuples(index=False, name=None)]
    for model in fits.curves:
        ahead = _ahead(fits, model, own.data, periods)
        reached = np.asarray(np.isfinite(ahead).all(axis=1))
        if reached.mean() < 0.95:
            away.append((model, message("lifetime.later_no_curve", share=float(reached.mean()))))
            continue
        rows.append((model, *own.measures(ahead, reached, given)))
        tenths.append(own.tenths(1 - ahead[:, -1], reached).assign(model=model))
    if not rows:
        return Finding({}, message("lifetime.later_too_few", day=cut.date()))
    table = pd.DataFrame(rows, columns=_HEADS)
    facts = {
        "cut": str(cut.date()), "until": str(until.date()), "running": int(running.sum()),
        "left": int(left.sum()), "share_left": float(left[running].mean()),
    }  # fmt: skip
    found = {
        "later_facts": pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        "later": table,
        "later_calibration": pd.concat(tenths, ignore_index=True)[
            ["model", "tenth", "customers", "forecast", "observed"]
        ],
        "later_left_out": pd.DataFrame(away, columns=["model", "reason"], dtype=object),
    }
    return Finding(found, _sentence(table, facts), tuple(fits.warnings), facts)


_HEADS = [
    "model", "auc", "brier", "brier_skill", "expected_losses", "losses", "loss_error",
    "expected_fees", "fees", "fee_error",
]  # fmt: skip


class _Later:
    """Contracts running on the day of the forecast, and what became of them."""

    def __init__(self, data: pd.DataFrame, left: Array, runs: Array, fee: Array) -> None:
        self.data, self.left, self.runs, self.fee = data, left.astype(float), runs, fee

    def measures(
        self, ahead: Array, reached: NDArray[np.bool_], terms: ContractTerms
    ) -> tuple[float, ...]:
        """In the order of the table's columns."""
        left, chance = self.left[reached], 1 - ahead[reached, -1]
        base = left.mean()
        error = float(brier(left, chance, np.ones((1, left.size)))[0])
        skill = 1 - error / (base * (1 - base))
        periods = np.arange(ahead.shape[1] - 1)
        late = periods + (terms.payment == "end")
        worth = (1 + terms.annual_rate) ** (-late / terms.periods_per_year)
        paid = slice(1, None) if terms.payment == "end" else slice(None, -1)
        fees = [
            float(self.fee[reached] @ (part[reached, paid] @ worth)) for part in (ahead, self.runs)
        ]
        expected, seen = float(chance.sum()), float(left.sum())
        order = np.round(chance, 12)  # rounding ranks nobody
        area = auc_of(order, left > 0) if np.ptp(order) > 0 else 0.5
        return (
            area, error, skill, expected, seen, expected / seen - 1, *fees, fees[0] / fees[1] - 1,
        )  # fmt: skip

    def tenths(self, chance: Array, reached: NDArray[np.bool_]) -> pd.DataFrame:
        """Forecast and observed share of leavers in groups of about equal size."""
        group = equal_counts(np.round(chance[reached], 12), _TENTHS)
        frame = pd.DataFrame({"tenth": group + 1, "f": chance[reached], "o": self.left[reached]})
        by = frame.groupby("tenth").agg(
            customers=("f", "size"), forecast=("f", "mean"), observed=("o", "mean")
        )
        return by.reset_index()


def _days(checked: CheckedContracts, periods: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    """End of observation, and the day so many periods before it."""
    assert checked.start is not None and checked.end is not None
    given = checked.columns.observed_until
    ends = [day for day in (checked.start.max(), checked.end.max()) if day is not pd.NaT]
    until = pd.Timestamp(given) if given else max(ends)
    return until, until - _span(periods, checked.columns.periods_per_year)


def _span(periods: int, per_year: float) -> pd.DateOffset:
    if 12 % per_year == 0:
        return pd.DateOffset(months=int(periods * 12 / per_year))
    days = {52: 7.0, 365: 1.0}.get(int(per_year), 365.25 / per_year)
    return pd.DateOffset(days=round(periods * days))


def _state(checked: CheckedContracts, cut: pd.Timestamp) -> CheckedContracts:
    """The contracts as they stood on a day."""
    assert checked.start is not None and checked.end is not None
    table = checked.data.assign(_start=checked.start, _end=checked.end)
    table = table[checked.start <= cut]
    columns = replace(
        checked.columns, start="_start", end="_end", observed_until=str(cut.date()), reason="",
        customer="",
    )  # fmt: skip
    if columns.observed_from and pd.Timestamp(columns.observed_from) >= cut:
        columns = replace(columns, observed_from="")
    return check_contracts(table, columns)


def _runs(ends: pd.Series, marks: Sequence[pd.Timestamp]) -> Array:
    """Whether each contract still runs on each of some days."""
    when = ends.to_numpy(dtype="datetime64[ns]")[:, None]
    days = np.array(marks, dtype="datetime64[ns]")
    return np.asarray(np.isnat(when) | (when > days), dtype=float)


def _fees(checked: CheckedContracts, fee: str, people: pd.Index, terms: ContractTerms) -> Array:
    """What each contract pays a period."""
    if not fee:
        return np.full(len(people), terms.margin)
    table = Table(checked.data.copy(), source=checked.source)
    if is_string_dtype(column_of(table, fee).dtype) and table.data[fee].notna().all():
        table.data[fee] = amounts_of(table, fee, [])
    values = within(table, fee, 0.0)
    return values[people].to_numpy(dtype=float)


def _ahead(fits: SurvivalFits, model: str, data: pd.DataFrame, periods: int) -> Array:
    """S(d + k) / S(d), k = 0 … h, of contracts that have lasted d periods, shape (rows, h + 1)."""
    served = data["duration"].to_numpy(dtype=int)
    result = np.full((len(data), periods + 1), np.nan)
    for age in np.unique(served):
        rows = served == age
        curve = fits.curves[model](data[rows], age + np.arange(periods + 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            result[rows] = curve / curve[:, :1]
    return result


def _sentence(table: pd.DataFrame, facts: dict[str, object]) -> Message:
    best = table.loc[table["brier"].idxmin()]
    kind = "skill" if best["brier_skill"] > 0 else "none"
    return message(
        f"lifetime.later_{kind}", model=str(best["model"]), cut=facts["cut"], until=facts["until"],
        running=facts["running"], left=facts["left"], auc=float(best["auc"]),
        skill=float(best["brier_skill"]), losses=float(best["loss_error"]),
        fees=float(best["fee_error"]),
    )  # fmt: skip
