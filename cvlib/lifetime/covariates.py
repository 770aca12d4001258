"""Do attributes of customers, or the calendar, tell how they buy and leave? With and without"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.special import chdtrc

from cvlib.inputs.checks import column_of, fault
from cvlib.inputs.columns import opened, within
from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit, fit_repeat_buying
from cvlib.lifetime.repeat_buying.time_varying import fit_time_varying
from cvlib.lifetime.units import DAYS
from cvlib.results import Finding
from cvlib.statistics.multiple import adjusted
from cvlib.statistics.ranks import auc_of
from cvlib.words.message import Message, message

_LEVELS = 20  # a text column of more values names customers, it does not group them
_SPREAD = (0.01, 100.0)  # of a covariate whose coefficient a climb can find


def purchase_covariates(
    fit: RepeatBuyingFit,
    summary: PurchaseSummary,
    data: Any,
    covariates: Sequence[str],
    *,
    customer: str = "customer_id",
    constrained: bool = False,
    level: float = 0.95,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Fit a model of repeat buying again with attributes of the customers, and compare.

    Parameters
    ----------
    fit : RepeatBuyingFit
        Without them: BG/NBD, MBG/NBD or Pareto/NBD.
    summary : PurchaseSummary
        What it was fitted to.
    data : str, Path, DataFrame or Table
        One row per customer.
    covariates : sequence of str
        Its columns. Numbers are used as they are (a spread far from one is divided by a power of
        ten, which the name then says), text becomes 0/1 columns against its most frequent value.
    customer : str
        Its column of ids, as the log has them.
    constrained : bool
        See `fit_repeat_buying`.
    level : float
        Of the intervals; its complement is the level of the tests, adjusted by Holm.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        covariate_coding: covariate, column, base_value, mean, std. covariate_effects: see
        `RepeatBuyingFit.effects`, and p_adjusted. covariate_fit: measure, without, with.
        The sentence names the attributes that matter, or that none does.

    Raises
    ------
    InputError
        A column or a customer that is not there, an empty cell, a customer twice, a model that
        takes no covariates.

    References
    ----------
    Fader & Hardie (2007), brucehardie.com/notes/019.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> first = p.customers.assign(dear=(p.customers["monetary"] > 50).astype(int))
    >>> found = cv.lifetime.purchase_covariates(cv.lifetime.bg_nbd(p).fit, p, first, ["dear"])
    >>> found["covariate_effects"]["process"].tolist()
    ['purchase', 'dropout']
    """
    if summary.customers is None:
        raise InputError(
            "customers",
            message("refusals.were_written_to_a_file"),
            message("refusals.summarise_without_customers_to"),
        )
    if not covariates:
        raise InputError(
            "covariates",
            message("refusals.name_no_column_of_the"),
            message("refusals.name_at_least_one"),
        )
    table = opened(data, reading)
    coded, coding = coded_attributes(table, customer, covariates, summary.customers["customer_id"])
    people = summary.customers.reset_index(drop=True)
    joined = pd.concat([people[["x", "t_x", "T"]], coded], axis=1)
    names = list(coded.columns)
    other = fit_repeat_buying(
        joined, fit.model, covariates=names, constrained=constrained, level=level
    )
    effects, said = _told(other.effects, level)
    held = summary.customers if summary.holdout > 0 else None
    ahead = [] if held is None else [f.predict(joined, summary.holdout) for f in (fit, other)]
    compared = _compared(
        [_measures(fit.fit), _measures(other.fit)],
        None if held is None else held["holdout_purchases"].to_numpy(float),
        [f["expected_purchases"].to_numpy(float) for f in ahead],
    )
    found = {"covariate_coding": coding, "covariate_effects": effects, "covariate_fit": compared}
    return Finding(found, said, tuple(dict.fromkeys(other.warnings)))


def calendar_covariates(
    summary: PurchaseSummary,
    data: Any,
    *,
    level: float = 0.95,
    reading: Reading = AS_IT_IS,
    most: int = 1_000_000,
) -> Finding:
    """Fit the Pareto/NBD with covariates by calendar period, and compare with the plain one.

    Parameters
    ----------
    summary : PurchaseSummary
        Log, cut and end.
    data : str, Path, DataFrame or Table
        A column date, the first day of every period (weeks, say, without gaps, from the first
        purchase to the end of the holdout), and a column of numbers for each covariate.
    level : float
        Of the intervals; its complement is the level of the tests, adjusted by Holm.
    reading : Reading
        How a file is read.
    most : int
        Customers times periods held in memory at once; beyond it every so many-th customer by the
        day of the first purchase is taken, and the warning says how many.

    Returns
    -------
    Finding
        calendar_effects: covariate, process, effect, ci_low, ci_high, chi_square, p,
        p_adjusted. calendar_fit: measure, without, with.

    Raises
    ------
    InputError
        A table without date or covariates, periods that leave gaps, or that end before the
        holdout does: a forecast needs the covariates of the periods to come.

    References
    ----------
    Bachmann, Meierer & Näf (2021) Marketing Science 40:783-809.

    Examples
    --------
    >>> import cvlib as cv, numpy as np, pandas as pd
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> weeks = pd.DataFrame({"date": pd.date_range("1996-12-29", periods=79, freq="7D")})
    >>> weeks["spring"] = weeks["date"].dt.month.isin([3, 4, 5]).astype(float)
    >>> found = cv.lifetime.calendar_covariates(p, weeks, most=10_000)
    >>> found["calendar_effects"]["covariate"].unique().tolist()
    ['spring']
    """
    season = _calendar(opened(data, reading), summary)
    ids, warnings = _sampled(summary, len(season), most)
    log = summary.log.query(
        "SELECT customer_id, day::TIMESTAMP AS date FROM days WHERE purchase AND day <= ?",
        summary.cut,
    )
    log = log[log["customer_id"].isin(ids["customer_id"])]
    found = fit_time_varying(log, season, str(summary.cut), level=level)
    plain = fit_repeat_buying(ids[["x", "t_x", "T"]], "pareto_nbd", level=level)
    step = (season.index[1] - season.index[0]).days
    periods = (summary.end - summary.cut).days / step
    own = found.customers.set_index("customer_id")["x"]
    order = ids.set_index("customer_id").reindex(own.index)
    forecasts = []
    if periods > 0:
        expected = plain.expected_purchases(summary.holdout, order["x"], order["t_x"], order["T"])
        forecasts = [np.asarray(expected), found.expected_purchases(periods)]
    # the climb with covariates counts time in their periods, the plain one in the summary's
    scale = own.sum() * np.log(step / DAYS[summary.unit])
    size = len(found.parameters)
    values = {"log_likelihood": found.log_likelihood - scale, "n_parameters": float(size)}
    values["aic"] = 2 * size - 2 * values["log_likelihood"]
    values["bic"] = size * np.log(len(own)) - 2 * values["log_likelihood"]
    compared = _compared(
        [_measures(plain.fit), values], order["holdout_purchases"].to_numpy(float), forecasts
    )
    effects, said = _told(found.effects, level)
    warnings += [warning for warning in found.warnings if warning not in warnings]
    return Finding({"calendar_effects": effects, "calendar_fit": compared}, said, tuple(warnings))


def _calendar(table: Table, summary: PurchaseSummary) -> pd.DataFrame:
    """Covariates by the first day of their period, up to the end of the holdout."""
    cells = column_of(table, "date")
    if cells.isna().any():
        raise fault(
            table,
            "date",
            cells.isna(),
            message("refusals.is_empty"),
            message("refusals.fill_it_in"),
        )
    when = pd.to_datetime(to_dates(table, "date")[0].to_numpy())
    names = [str(name) for name in table.data.columns if name != "date"]
    if not names:
        raise InputError(
            table.source,
            message("refusals.has_no_column_beside_date"),
            message("refusals.add_one_for_each_covariate"),
        )
    season = pd.DataFrame({name: within(table, name).to_numpy() for name in names}, index=when)
    season = season.sort_index()
    ends = season.index[-1] + (season.index[-1] - season.index[-2] if len(season) > 1 else 0)
    if ends < pd.Timestamp(summary.end):
        raise InputError(
            table.source, message("refusals.ends_before_the_end_of", end=summary.end),
            message("refusals.give_of_the_periods_to", names=', '.join(names)),
        )  # fmt: skip
    return season


def _sampled(
    summary: PurchaseSummary, periods: int, most: int
) -> tuple[pd.DataFrame, list[Message]]:
    """Customers whose paths fit in memory: all, or evenly spaced ones by first purchase."""
    people = summary.customers
    if people is None:
        raise InputError(
            "customers",
            message("refusals.were_written_to_a_file"),
            message("refusals.summarise_without_customers_to"),
        )
    step = -(-len(people) * periods // most)
    if step <= 1:
        return people, []
    chosen = people.sort_values(["first_purchase", "customer_id"]).iloc[::step]
    said = message("lifetime.calendar_sampled", customers=len(chosen), of=len(people))
    return chosen, [said]


def _measures(fit: pd.DataFrame) -> dict[str, float]:
    return {str(k): float(v) for k, v in zip(fit["measure"], fit["value"], strict=True)}


def _told(effects: pd.DataFrame, level: float) -> tuple[pd.DataFrame, Message]:
    """Effects with labels and adjusted p, and the sentence on those that are more than chance."""
    table = effects.copy()
    tests = table.drop_duplicates("covariate")
    ps = dict(zip(tests["covariate"], adjusted(tests["p"].to_numpy(float)), strict=True))
    table["p_adjusted"] = table["covariate"].map(ps)
    parts = []
    for name, rows in table[table["p_adjusted"] < 1 - level].groupby("covariate", sort=False):
        effect = rows.set_index("process")["effect"]
        own = {"buying": effect["purchase"], "leaving": effect["dropout"]}
        parts.append(message("lifetime.covariate_effect", covariate=name, **own))
    names = list(tests["covariate"])
    if not parts:
        return table, message("lifetime.covariates_none", covariates=names)
    return table, message("lifetime.covariates_some", effects=parts)


def _compared(
    fits: Sequence[dict[str, float]], actual: np.ndarray | None, forecasts: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Likelihoods, the joint test, and the holdout where there is one."""
    kinds = ("log_likelihood", "aic", "bic")
    table: list[tuple[Any, ...]] = [(name, *(fit[name] for fit in fits)) for name in kinds]
    gained = max(2 * (fits[1]["log_likelihood"] - fits[0]["log_likelihood"]), 0.0)
    df = fits[1]["n_parameters"] - fits[0]["n_parameters"]
    table += [("lr_chi_square", np.nan, gained), ("lr_df", np.nan, df)]
    table.append(("lr_p", np.nan, float(chdtrc(df, gained))))
    if actual is not None and len(forecasts) and actual.sum() > 0:
        table.append(("bias", *(float(f.sum() / actual.sum() - 1) for f in forecasts)))
        table.append(("rmse", *(float(np.sqrt(((f - actual) ** 2).mean())) for f in forecasts)))
        if (actual > 0).mean() < 1:
            table.append(("auc_expected", *(auc_of(f, actual > 0) for f in forecasts)))
    return pd.DataFrame(table, columns=["measure", "without_covariates", "with_covariates"])


def coded_attributes(
    table: Table, customer: str, covariates: Sequence[str], ids: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers of every covariate in the order of the customers, and how they were made."""
    known = [str(name) for name in table.data.columns]
    for name in covariates:
        if name not in table.data.columns:
            raise InputError(
                "covariates",
                message("refusals.has_no_column", source=table.source, name=name),
                nearest(name, known),
            )
    keys = column_of(table, customer).astype(str)
    wanted = ids.astype(str)
    if keys.duplicated().any():
        raise fault(
            table,
            customer,
            keys.duplicated(),
            message("refusals.stands_twice", value="{value}"),
            message("refusals.keep_one_row"),
        )
    missing = wanted[~wanted.isin(keys)]
    if len(missing):
        raise InputError(
            table.source,
            message("refusals.has_no_row_of_customers", n=len(missing), iloc=missing.iloc[0]),
            message("refusals.add_them_or_keep_other"),
        )
    own = table.data.set_index(keys)
    in_use = keys.isin(wanted)
    columns: dict[str, np.ndarray] = {}
    rows = []
    for name in dict.fromkeys(covariates):
        cells = table.data[name]
        if (cells.isna() & in_use).any():
            raise fault(
                table,
                name,
                cells.isna() & in_use,
                message("refusals.is_empty"),
                message("refusals.fill_it_in_or_name"),
            )
        values = own[name].reindex(wanted)
        for label, column, base in _one(str(name), values):
            columns[label] = column
            rows.append((label, str(name), base, column.mean(), column.std()))
    frame = pd.DataFrame(columns)
    return frame, pd.DataFrame(rows, columns=["covariate", "column", "base_value", "mean", "std"])


def _one(name: str, values: pd.Series) -> list[tuple[str, np.ndarray, str]]:
    """A number as it is or in another unit; text as 0/1 columns against its most frequent."""
    if values.nunique() < 2:
        raise InputError(
            f"covariates, {name}",
            message("refusals.is_the_same_for_all"),
            message("refusals.leave_it_out"),
        )
    if is_numeric_dtype(values.dtype):
        column = values.to_numpy(dtype=float)
        spread = float(column.std())
        if _SPREAD[0] <= spread <= _SPREAD[1]:
            return [(name, column, "")]
        unit = 10.0 ** round(np.log10(spread))
        return [(f"{name} / {unit:g}", column / unit, "")]
    spelt = values.astype(str)
    levels = spelt.value_counts().index
    if len(levels) > _LEVELS:
        raise InputError(
            f"covariates, {name}", message("refusals.has_different_values", n=len(levels)),
            message("refusals.group_them_into_or_fewer", levels=_LEVELS),
        )  # fmt: skip
    return [
        (f"{name}: {level}", (spelt == level).to_numpy(dtype=float), str(levels[0]))
        for level in levels[1:]
    ]
