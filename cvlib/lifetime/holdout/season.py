"""Do purchases follow the month of the year? A model of steady rates then errs by the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.transactions import TransactionLog
from cvlib.lifetime.units import DAYS
from cvlib.results import Finding, Result
from cvlib.statistics.glm import fit_glm
from cvlib.words.message import Message, message

_SWING = 1.5  # highest month over lowest from which a season can move a forecast
_CHANCE = 0.01
_APART = 0.2  # range of the errors over the cuts that asks for a reason


@dataclass(frozen=True, eq=False, repr=False)
class Season(Result):
    """How much is bought in each month of the year, the trend taken out.

    Attributes
    ----------
    index : DataFrame
        month, index (1 = the average month), years. Without columns when it cannot be computed.
    years : int
        Complete calendar years in the log.
    p : float
        Of the F test that months do not differ; missing with fewer than two complete years.
    sentence : Message
        What can be said.
    """

    index: pd.DataFrame
    years: int
    p: float
    sentence: Message

    @property
    def strong(self) -> bool:
        """Whether months differ beyond chance and enough to move a forecast."""
        if not len(self.index):
            return False
        values = self.index["index"]
        return bool(self.p < _CHANCE and values.max() >= _SWING * values.min())


def monthly_purchases(log: TransactionLog) -> pd.Series:
    """Purchase days by calendar month, complete months only, empty ones as 0."""
    found = log.query(
        "SELECT date_trunc('month', day)::TIMESTAMP AS month, count(*) AS purchases "
        "FROM days WHERE purchase GROUP BY 1 ORDER BY 1"
    )
    counts = pd.Series(
        found["purchases"].to_numpy(float), index=pd.PeriodIndex(found["month"], freq="M")
    )
    first, last = pd.Timestamp(log.first_day), pd.Timestamp(log.last_day)
    begin = first.to_period("M") + int(first.day > 1 + _GRACE)
    end = last.to_period("M") - int(last.day < last.days_in_month - _GRACE)
    return counts.reindex(pd.period_range(begin, end, freq="M"), fill_value=0.0)


_GRACE = 3  # quiet days at an end of the log that leave its month complete


def seasonal_index(purchases: pd.Series) -> Season:
    """A simple index of the months from the complete calendar years of a log.

    ln(1 + purchases) on a straight trend and twelve months, by least squares; the index is the
    exponential of a month's effect over the mean of the twelve. An F test asks whether the months
    differ at all. It needs two complete years: with one, month and trend are the same thing.

    Parameters
    ----------
    purchases : Series
        By calendar month (PeriodIndex), complete months.

    References
    ----------
    Hyndman & Athanasopoulos (2021) Forecasting: Principles and Practice, section 7.4.
    """
    from scipy import stats

    months = pd.PeriodIndex(purchases.index)
    whole = [year for year in np.unique(months.year) if (months.year == year).sum() == 12]
    if len(whole) < 2:
        said = message("lifetime.season_too_short", years=len(whole))
        return Season(pd.DataFrame(), len(whole), np.nan, said)
    kept = purchases[np.isin(months.year, whole)]
    months = pd.PeriodIndex(kept.index)
    y = np.log1p(kept.to_numpy(float))
    time = (months.year - whole[0]) * 12 + months.month - 1.0
    trend = np.column_stack([np.ones(y.size), time])
    full = np.column_stack(
        [time, (months.month.to_numpy()[:, None] == np.arange(1, 13)).astype(float)]
    )
    coefficients, *_ = np.linalg.lstsq(full, y, rcond=None)
    rest = [
        float(((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum()) for x in (trend, full)
    ]
    free = y.size - full.shape[1]
    ratio = (rest[0] - rest[1]) / 11 / max(rest[1] / free, 1e-300)
    effect = np.exp(coefficients[1:])
    table = pd.DataFrame(
        {"month": np.arange(1, 13), "index": effect / effect.mean(), "years": len(whole)}
    )
    found = Season(
        table,
        len(whole),
        float(stats.f.sf(ratio, 11, free)),
        message("lifetime.season_none", years=len(whole)),
    )
    if not found.strong:
        return found
    best = table.sort_values("index", ascending=False)
    high = best[best["index"] >= min(_SWING, best["index"].iloc[0])]["month"].tolist()
    said = message(
        "lifetime.season_found",
        months=[message(f"lifetime.month_{m}") for m in sorted(high)],
        highest=float(best["index"].iloc[0]),
        lowest=float(best["index"].iloc[-1]),
        years=len(whole),
    )
    return Season(table, len(whole), found.p, said)


def seasonal_test(tracking: pd.DataFrame, unit: str, level: float = 0.95) -> Finding:
    """Whether repeat purchases follow the year beyond what a model of steady rates expects.

    Purchases of the calibration, by week or month, are held against the expected ones by a
    quasi-Poisson regression on one and two waves a year; F tests all waves together. Where they
    matter, the forecast of the holdout is multiplied by the mean index there over its mean in the
    calibration: levels change, never ranks. Two complete years are needed.

    Parameters
    ----------
    tracking : DataFrame
        period, sample, actual, expected, as `tracking_table` gives them.
    unit : str
        Of its periods.
    level : float
        Its complement is the level of the test.

    Returns
    -------
    Finding
        seasonal_test: measure, value (years, f, df_waves, df_rest, p, dispersion, and the error of
        the holdout's total before and after). seasonal_curve: period, index. Nothing but the
        sentence where the calibration is too short.

    References
    ----------
    McCullagh & Nelder (1989) Generalized Linear Models, ch. 9; the correction is ours [P].

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> course = cv.lifetime.tracking_table(p, cv.lifetime.bg_nbd(p).fit)
    >>> cv.lifetime.seasonal_test(course, p.unit).sentence.id
    'lifetime.season_untold'
    """
    from scipy import stats

    year = DAYS["year"] / DAYS[unit]
    known = tracking[(tracking["sample"] == "calibration") & (tracking["expected"] > 0)]
    if year < 8 or len(known) < 2 * year - 1:
        return Finding({}, message("lifetime.season_untold", years=len(known) / year))
    angle = 2 * np.pi * tracking["period"].to_numpy(float) / year
    waves = np.column_stack([f(n * angle) for n in (1, 2) for f in (np.sin, np.cos)])
    place = known.index.to_numpy()
    y, expected = known["actual"].to_numpy(float), known["expected"].to_numpy(float)
    ones = np.ones((len(known), 1))
    rest = fit_glm("poisson", y, ones, exposure=expected)
    full = fit_glm("poisson", y, np.column_stack([ones, waves[place]]), exposure=expected)
    mean = expected * np.exp(full.coefficients[0] + waves[place] @ full.coefficients[1:])
    free = len(y) - full.coefficients.size
    spread = float(((y - mean) ** 2 / mean).sum() / free)
    ratio = 2 * (full.log_likelihood - rest.log_likelihood) / waves.shape[1] / spread
    p = float(stats.f.sf(ratio, waves.shape[1], free))
    index = np.exp(waves @ full.coefficients[1:])
    index = index / index[place].mean()
    values = {
        "years": len(known) / year, "f": float(ratio), "df_waves": float(waves.shape[1]),
        "df_rest": float(free), "p": p, "dispersion": spread,
    }  # fmt: skip
    later = (tracking["sample"] == "holdout").to_numpy()
    actual, ahead = (tracking[name].to_numpy(float)[later] for name in ("actual", "expected"))
    if later.any() and actual.sum() > 0:
        values["error_before"] = float(ahead.sum() / actual.sum() - 1)
        moved = ahead.sum() * index[later].mean()
        values["error_after"] = float(moved / actual.sum() - 1)
    tables = {
        "seasonal_test": pd.DataFrame({"measure": list(values), "value": list(values.values())}),
        "seasonal_curve": pd.DataFrame({"period": tracking["period"], "index": index}),
    }
    told = {"p": p, "low": float(index[place].min()), "high": float(index[place].max())}
    if p >= 1 - level:
        return Finding(tables, message("lifetime.season_no_waves", **told), (), values)
    if "error_after" not in values:
        return Finding(tables, message("lifetime.season_waves", **told), (), values)
    both = {"before": values["error_before"], "after": values["error_after"]}
    return Finding(tables, message("lifetime.season_cured", **told, **both), (), values)


def why_cuts_differ(table: pd.DataFrame, model: str, season: Season) -> list[Message]:
    """A sentence when the errors of the total move with the cut: whether season is a likely reason.

    Parameters
    ----------
    table : DataFrame
        calibration_end, model, metric, value, as `rolling_origins` gives them.
    model : str
        Whose errors.
    season : Season
        Of the same log.
    """
    if not len(table):
        return []
    off = table.loc[(table["model"] == model) & (table["metric"] == "bias"), "value"].to_numpy(
        float
    )
    if off.size < 2 or np.ptp(off) < _APART:
        return []
    errors = [message("lifetime.cut_error", error=float(value)) for value in off]
    kind = "season" if season.strong else "short" if season.years < 2 else "other"
    return [message(f"lifetime.cuts_differ_{kind}", errors=errors, reason=season.sentence)]
