"""How a model follows all customers together: counts, purchases over time, rolling origins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import special

from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import transaction_log
from cvlib.lifetime.holdout.baselines import rival_forecasts
from cvlib.lifetime.holdout.forecast import Forecast, customer_rows, hiatus_of
from cvlib.lifetime.holdout.season import (
    Season,
    monthly_purchases,
    seasonal_index,
    why_cuts_differ,
)
from cvlib.lifetime.holdout.uncertainty import FAMILY
from cvlib.lifetime.holdout.validate import fitted_forecasts, model_forecasts, validate
from cvlib.lifetime.purchases.summary import (
    PurchaseSummary,
    summarise_purchases,
    tracked_periods,
)
from cvlib.lifetime.repeat_buying import RepeatBuyingFit, fit_repeat_buying
from cvlib.lifetime.spend import fit_spend
from cvlib.lifetime.units import DAYS
from cvlib.results import Result
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message


def count_fit(counts: pd.DataFrame, parameters: int) -> pd.DataFrame:
    """Chi-square of expected against actual numbers of customers by purchase count.

    Parameters
    ----------
    counts : DataFrame
        actual, expected by repeat_purchases, as `RepeatBuyingFit.purchase_counts` gives them.
    parameters : int
        Estimated from the same data; df = cells − 1 − parameters.

    Returns
    -------
    DataFrame
        measure (chi2, df, p, smallest_expected), value.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> table = cv.lifetime.count_fit(cv.lifetime.bg_nbd(p).fit.purchase_counts(), parameters=4)
    >>> table["measure"].tolist()
    ['chi2', 'df', 'p', 'smallest_expected']
    """
    expected = counts["expected"].to_numpy(dtype=float)
    chi2 = float(((counts["actual"].to_numpy(dtype=float) - expected) ** 2 / expected).sum())
    df = len(counts) - 1 - parameters
    values = {"chi2": chi2, "df": float(df), "p": float(special.chdtrc(df, chi2))}
    values["smallest_expected"] = float(expected.min())
    return pd.DataFrame({"measure": list(values), "value": list(values.values())})


def tracking_table(summary: PurchaseSummary, fit: RepeatBuyingFit) -> pd.DataFrame:
    """Actual and expected repeat purchases, period by period and cumulated.

    Parameters
    ----------
    summary : PurchaseSummary
        The split.
    fit : RepeatBuyingFit
        The model fitted on its first part.

    Returns
    -------
    DataFrame
        period, sample (calibration, holdout), actual, expected, cumulative_actual,
        cumulative_expected.

    Raises
    ------
    InputError
        A summary whose customers were written to a file.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.tracking_table(p, cv.lifetime.bg_nbd(p).fit)["sample"].unique().tolist()
    ['calibration', 'holdout']
    """
    actual = summary.tracking
    first = customer_rows(summary)["first_purchase"]
    ahead, _, last = tracked_periods(summary.log.first_day, summary.cut, summary.end, summary.unit)
    births = (first - first.min()).dt.days / DAYS[summary.unit] + ahead
    expected = fit.tracking(births, len(actual), until=last)
    table = actual.merge(expected, on="period", validate="one_to_one")
    names = {
        "repeat_purchases": "actual",
        "cumulative_repeat_purchases": "cumulative_actual",
    }
    columns = ["period", "sample", "actual", "expected", "cumulative_actual", "cumulative_expected"]
    return table.rename(columns=names)[columns]


def tracking_errors(tracking: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute percentage error of cumulative purchases in the holdout, and its last error.

    Parameters
    ----------
    tracking : DataFrame
        As `tracking_table` gives it.

    Returns
    -------
    DataFrame
        measure (mape_cumulative_holdout, final_error, absolute_error_share_by_period), value
        (shares).

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> table = cv.lifetime.tracking_table(p, cv.lifetime.bg_nbd(p).fit)
    >>> cv.lifetime.tracking_errors(table)["measure"].tolist()
    ['mape_cumulative_holdout', 'final_error', 'absolute_error_share_by_period']
    """
    part = tracking[tracking["sample"] == "holdout"]
    off = part["cumulative_expected"] / part["cumulative_actual"] - 1
    weekly = (part["expected"] - part["actual"]).abs().sum() / part["actual"].sum()
    values = {
        "mape_cumulative_holdout": float(off.abs().mean()),
        "final_error": float(off.iloc[-1]),
        "absolute_error_share_by_period": float(weekly),
    }
    return pd.DataFrame({"measure": list(values), "value": list(values.values())})


@dataclass(frozen=True, eq=False, repr=False)
class RollingOrigins(Result):
    """The same questions at several cuts.

    Attributes
    ----------
    table : DataFrame
        calibration_end, holdout_end, customers, model, metric, value; for the model, its P(alive)
        and recency.
    left_out : DataFrame
        calibration_end and the columns of `PurchaseSummary.left_out`, zero rows dropped.
    season : Season
        Of the same log.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    season: Season
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Why the cuts differ, where they do."""
        return [w for w in self.warnings if getattr(w, "id", "").startswith("lifetime.cuts_differ")]

    @property
    def reason(self) -> str | None:
        """The sentence, None where the cuts agree."""
        return next(iter(self.sentences()), None)

    def mean_and_worst(self, main: pd.DataFrame | None = None) -> pd.DataFrame:
        """Mean and worst of every metric of every model over the cuts: model, metric, cuts, …

        Parameters
        ----------
        main : DataFrame, optional
            model, metric, value at the main cut, counted as one of them.
        """
        if not len(self.table):
            return pd.DataFrame()
        table = self.table
        if main is not None:
            asked = main["metric"].isin(table["metric"]) & main["model"].isin(table["model"])
            table = pd.concat([table, main[asked]], ignore_index=True)
        rows = []
        for (model, metric), part in table.groupby(["model", "metric"], sort=False)["value"]:
            values = part.dropna().to_numpy(float)
            if values.size:
                loss = values if metric in _LESS else abs(values) if "bias" in metric else -values
                worst = float(values[loss.argmax()])
                rows.append([model, metric, values.size, float(values.mean()), worst])
        return pd.DataFrame(rows, columns=["model", "metric", "cuts", "mean", "worst"])

    def seasonal_index(self, asked: str) -> pd.DataFrame:
        """The seasonal index when asked for ("month"), or where it may explain the errors."""
        return self.season.index if asked == "month" or self.sentences() else pd.DataFrame()


def rolling_origins(
    transactions: Any,
    *,
    origins: Sequence[str | dt.date],
    holdout_days: int,
    model: str = "bg_nbd",
    unit: str = "week",
    other_models: Sequence[str] = (),
    every: bool = False,
    fewest: int = 0,
) -> RollingOrigins:
    """Fit at several cuts and score the same length of holdout after each.

    Parameters
    ----------
    transactions : TransactionLog or other source
        What `transaction_log` gives or reads.
    origins : sequence of dates
        Last days of calibration.
    holdout_days : int
        Days of holdout after each.
    model : str
        See `fit_repeat_buying`.
    unit : str
        See `summarise_purchases`.
    other_models : sequence of str
        Further models, where every rival is judged.
    every : bool
        Every model and rule, purchases and spend, with intervals by influence values; else the
        model, its P(alive) and recency.
    fewest : int
        Customers below which a cut is left out.

    Returns
    -------
    RollingOrigins
        Errors and rank measures by cut; what was left out and why.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.rolling_origins("cdnow_sample", origins=["1997-09-30"], holdout_days=91)
    >>> found.table["model"].unique().tolist()
    ['bg_nbd', 'bg_nbd_p_alive', 'recency']
    """
    parts, left_out = [], []
    log = transaction_log(transactions)
    warnings: list[str] = list(log.warnings)
    for day in origins:
        origin = str(pd.Timestamp(day).date())
        end = str((pd.Timestamp(origin) + pd.Timedelta(days=holdout_days)).date())
        try:
            summary = summarise_purchases(log, calibration_end=origin, holdout_end=end, unit=unit)
            customers = customer_rows(summary)
            if len(customers) < fewest:
                few = message("lifetime.cut_few", customers=len(customers), fewest=fewest)
                warnings.append(message("lifetime.cut_left_out", cut=origin, reason=few))
                continue
            fit = fit_repeat_buying(summary, model)
            recency = Forecast("recency", score=-hiatus_of(customers))
            forecasts, settings = [*model_forecasts(fit, summary), recency], Bootstrap(draws=0)
            if every:
                each = fit_spend(summary, required=False).forecast(customers)
                others = fitted_forecasts(summary, other_models, each).forecasts
                rules = rival_forecasts(summary).forecasts
                forecasts = [*model_forecasts(fit, summary, each), *others, *rules]
                settings = Bootstrap(draws=1)
            judged = validate(customers, forecasts, settings, intervals="influence")
            found = judged.validation
        except InputError as error:  # one cut that cannot be judged takes no other with it
            warnings.append(message("lifetime.cut_left_out", cut=origin, reason=str(error)))
            continue
        kept = (*_ROLLING, *FAMILY) if every else _ROLLING
        found = found[found["metric"].isin(kept) & (found["model"] != "oracle")]
        dates = {"calibration_end": origin, "holdout_end": end, "customers": len(customers)}
        parts.append(found.assign(**dates))
        gone = summary.left_out[summary.left_out["count"] > 0]
        left_out.append(gone.assign(calibration_end=origin))
        # what was assumed to read the log is the same at every cut
        said = [one for one in (*summary.warnings, *fit.warnings) if one not in log.warnings]
        warnings += [message("lifetime.at_cut", cut=origin, text=text) for text in said]
    season = seasonal_index(monthly_purchases(log))
    if not parts:
        warnings.append(message("lifetime.rolling_none"))
        return RollingOrigins(pd.DataFrame(), pd.DataFrame(), season, tuple(warnings))
    table = pd.concat(parts, ignore_index=True)
    away = pd.concat(left_out, ignore_index=True)
    warnings += why_cuts_differ(table, model, season)
    if _overlapping(table, holdout_days):
        warnings.append(message("lifetime.cuts_overlap", days=holdout_days))
    columns = ["calibration_end", "holdout_end", "customers", "model", "metric", "value"]
    columns += ["ci_low", "ci_high"] if every else []
    return RollingOrigins(
        table[columns],
        away[["calibration_end", *away.columns.drop("calibration_end")]],
        season,
        tuple(warnings),
    )


def _overlapping(table: pd.DataFrame, days: int) -> bool:
    """Whether a holdout begins before the one of an earlier cut has ended."""
    cuts = pd.to_datetime(pd.Series(sorted(table["calibration_end"].unique())))
    return bool((cuts.diff().dt.days < days).any())


_LESS = ("mae", "rmse", "brier", "spend_rmse")  # worst when largest
_ROLLING = ("bias", "mae", "rmse", "auc", "brier", "capture_10", "calibration_slope")
