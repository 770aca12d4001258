"""Employees and customers: do units with satisfied employees have satisfied customers?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.columns import answered_rows, enough_rows, labels, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import spelt, taken
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import Message, joined, message

_FEW = 20  # units below which the variance between units is hardly known
_UNSETTLED = 100  # times the error without units: the model did not settle


def employees_to_customers(
    employees: Any,
    customers: Any,
    *,
    level: float = 0.95,
    reml: bool = True,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Customers' index on the unit mean of employees' index, with units as random effects.

    Parameters
    ----------
    employees : str, Path, DataFrame or Table
        unit, employee_index: one row per employee.
    customers : str, Path, DataFrame or Table
        unit, customer_index: one row per customer, of the same units.
    level : float
        Confidence of the normal interval.
    reml : bool
        Whether by restricted maximum likelihood, or else by maximum likelihood.
    reading : Reading
        How files are read.

    Returns
    -------
    Finding
        employee_effect: method (mixed, naive, corrected), slope, std_error, ci_low, ci_high;
        corrected is the slope ÷ ICC(2) of the employees' means, without an interval.
        employee_facts: measure, value (units, customers, icc, variance_unit, variance_customer,
        unit_variance_explained, correlation_of_means, icc2_employees, log_likelihood).
        employee_units: unit, employees, employee_mean, customers, customer_mean.

    Raises
    ------
    InputError
        Fewer than four units with employees and customers.

    Notes
    -----
    An association in either direction: customers may please employees. REML by statsmodels.

    References
    ----------
    Snijders & Bosker (2012) Multilevel Analysis, 2nd ed.; Bliese (2000) on ICC(2).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.employees_to_customers("unit_employees", "unit_customers")
    >>> found["employee_effect"]["method"].tolist()
    ['mixed', 'ignoring_units', 'corrected_for_reliability']
    """
    staff = opened(employees, reading, ["unit", "employee_index"])
    buyers = opened(customers, reading, ["unit", "customer_index"])
    inside, unread = _indices(staff, "employee_index")
    served, silent = _indices(buyers, "customer_index")
    told = [*taken(staff), *taken(buyers), *unread, *silent]
    both = set(served["unit"]) & set(inside["unit"])
    lacking = sorted((set(served["unit"]) | set(inside["unit"])) - both)
    if len(both) < 4 and lacking:
        side = staff if lacking[0] in set(served["unit"]) else buyers
        raise InputError(
            side.place("unit"), message("refusals.lacks_the_unit", unit=lacking[0]),
            joined([message("refusals.give_both_the_same_units"), *_alike(inside, served)]),
        )  # fmt: skip
    if lacking:
        told.append(message("service.employees_left_out", units=lacking))
        inside, served = (each[each["unit"].isin(both)].reset_index(drop=True)
                          for each in (inside, served))  # fmt: skip
    means = inside.groupby("unit")["index"].mean()
    enough_rows(staff, len(means), 4, "units")
    if means.std() == 0:
        raise InputError(
            staff.place("employee_index"),
            message("refusals.same_in_every_unit"),
            message("refusals.check_it"),
        )
    centred = (means - means.mean()).reindex(served["unit"]).to_numpy()
    fit, empty, note = _mixed(served, centred, reml)
    rows = [_row("mixed", float(fit.fe_params.iloc[1]), float(fit.bse_fe.iloc[1]), level)]
    naive = _least_squares(served["index"].to_numpy(), centred)
    if not rows[0]["std_error"] < _UNSETTLED * naive[1]:
        raise InputError(staff.source, message("refusals.units_do_not_settle", units=len(means)),
                         message("refusals.units_do_not_settle_remedy"))  # fmt: skip
    rows.append(_row("ignoring_units", *naive, level))
    reliable = icc2(inside["unit"], inside["index"])
    if reliable > 0:
        rows.append(_row("corrected_for_reliability", rows[0]["slope"] / reliable, np.nan, level))
    between, within_units = float(fit.cov_re.iloc[0, 0]), float(fit.scale)
    before, rest = float(empty.cov_re.iloc[0, 0]), float(empty.scale)
    bought = served.groupby("unit")["index"]
    facts = {
        "units": len(means), "customers": len(served), "icc": before / (before + rest),
        "variance_unit": between, "variance_customer": within_units,
        "unit_variance_explained": 1 - between / before if before > 0 else np.nan,
        "correlation_of_means": float(np.corrcoef(means, bought.mean().reindex(means.index))[0, 1]),
        "icc2_employees": reliable, "log_likelihood": float(fit.llf),
    }  # fmt: skip
    units = pd.DataFrame(
        {
            "unit": means.index, "employees": inside.groupby("unit").size().to_numpy(),
            "employee_mean": means.to_numpy(),
            "customers": bought.size().reindex(means.index).to_numpy(),
            "customer_mean": bought.mean().reindex(means.index).to_numpy(),
        }
    )  # fmt: skip
    effect = pd.DataFrame(rows)
    found = {
        "employee_effect": effect,
        "employee_facts": pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        "employee_units": units,
    }
    first = rows[0]
    kind = "open" if first["ci_low"] <= 0 <= first["ci_high"] else "found"
    said = message(
        f"service.employees_{kind}", slope=first["slope"], low=first["ci_low"],
        high=first["ci_high"], level=level, units=len(means),
    )  # fmt: skip
    warned = [*told, *note, message("service.employees_association")]
    if len(means) < _FEW:
        warned.append(message("service.employees_few", units=len(means), least=_FEW))
    if not reliable > 0:
        warned.append(message("service.employees_no_icc2"))
    intercept = float(fit.fe_params.iloc[0]), float(fit.bse_fe.iloc[0])
    return Finding(found, said, tuple(warned), {**facts, "intercept": intercept})


def _alike(inside: pd.DataFrame, served: pd.DataFrame) -> list[Message]:
    """Two units of one name but for case, signs or zeros in front, where there are any."""
    own = {spelt(unit): unit for unit in inside["unit"]}
    pair = next(((own[spelt(u)], u) for u in served["unit"] if own.get(spelt(u), u) != u), None)
    return [message("refusals.names_alike", one=pair[0], other=pair[1])] if pair else []


def _indices(table: Table, column: str) -> tuple[pd.DataFrame, list[Message]]:
    """Unit and index of every row that has one, and how many have none."""
    values = within(table, column, missing=True)
    kept, told = answered_rows(table, [values])
    units = labels(kept, "unit").str.strip()
    found = pd.DataFrame({"unit": units, "index": values[kept.data.index]})
    return found.reset_index(drop=True), told


def icc2(unit: pd.Series, index: pd.Series) -> float:
    """Reliability of unit means, (MS between − MS within) ÷ MS between; NaN with one row each."""
    groups = index.groupby(unit.to_numpy())
    sizes = groups.size().to_numpy()
    k, n = len(sizes), int(sizes.sum())
    if n == k:
        return np.nan
    means = groups.mean()
    between = float((sizes * (means.to_numpy() - index.mean()) ** 2).sum()) / (k - 1)
    inner = float(((index - groups.transform("mean")) ** 2).sum()) / (n - k)
    return 1 - inner / between if between > 0 else np.nan


def _mixed(served: pd.DataFrame, centred: np.ndarray, reml: bool) -> tuple[Any, Any, list[str]]:
    """The model with and without the employees' mean."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    ones = np.ones(len(served))
    wide = pd.DataFrame({"intercept": ones, "employees": centred})
    outcome, groups = served["index"].to_numpy(), served["unit"].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance of zero is told below
        fits = [
            MixedLM(outcome, part, groups=groups).fit(reml=reml, method=["bfgs", "lbfgs", "cg"])
            for part in (wide, wide[["intercept"]])
        ]
    edge = float(fits[0].cov_re.iloc[0, 0]) < 1e-6 * float(fits[0].scale)
    return fits[0], fits[1], [message("service.employees_no_variance")] if edge else []


def _least_squares(outcome: np.ndarray, centred: np.ndarray) -> tuple[float, float]:
    from scipy import stats

    line = stats.linregress(centred, outcome)
    return float(line.slope), float(line.stderr)


def _row(method: str, slope: float, error: float, level: float) -> dict[str, Any]:
    half = resample.reach(level) * error
    return {
        "method": method, "slope": slope, "std_error": error,
        "ci_low": slope - half, "ci_high": slope + half,
    }  # fmt: skip
