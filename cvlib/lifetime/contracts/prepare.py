"""Contracts ready for survival models: durations, events, coded covariates, and what looks off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from cvlib.inputs.audit import Leaks, leaks
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import AS_IT_IS, Reading, Table, load_table
from cvlib.inputs.subscriptions import CheckedContracts, ContractColumns, check_contracts
from cvlib.results import Result
from cvlib.statistics.resample import generator
from cvlib.words.message import Message, message

_LEVELS = 20  # a text column of more values names customers, it does not group them
_MISSING = 0.05  # more missing cells than this would cost too many customers


@dataclass(frozen=True, eq=False, repr=False)
class Subscriptions(Result):
    """Single subscriptions ready for survival models.

    Attributes
    ----------
    data : DataFrame
        duration (whole periods kept, at least 1), event (1 left, 0 still there), entry (periods
        served when observation began, where that is so for some), and one numeric column per
        covariate; text columns become 0/1 columns against their most frequent value.
    reason : Series or None
        Why each customer left (missing for those still there), in the order of `data`.
    left_out : DataFrame
        reason, count, share.
    covariates_left_out : DataFrame
        covariate, reason: what was not used, of the columns asked for or found.
    facts : DataFrame
        measure, value.
    leaks : Leaks
        Covariates in use that may have been written down after the outcome.
    warnings : tuple of str
    rows : Index
        Of the rows of `data` in the table they come from.
    """

    data: pd.DataFrame
    reason: pd.Series | None
    left_out: pd.DataFrame
    covariates_left_out: pd.DataFrame
    facts: pd.DataFrame
    leaks: Leaks
    warnings: tuple[str, ...]
    rows: pd.Index = field(default_factory=lambda: pd.Index([]))
    headline_tables = ("facts", "left_out", "covariates_left_out")

    def sentences(self) -> list[str]:
        """What may make the forecasts look better than they are."""
        return [*self.leaks.sentences()]


def prepare_subscriptions(
    checked: CheckedContracts, covariates: Sequence[str] = ("auto",)
) -> Subscriptions:
    """Durations, events and coded covariates; rows never at risk or incomplete are counted.

    Parameters
    ----------
    checked : CheckedContracts
        See `check_contracts`.
    covariates : sequence of str
        Columns; numbers are used as they are, anything else is coded. ("auto",): every column
        that plays no other part, but for those that are constant, name customers, hold dates, miss
        cells or may have been written down after the outcome. Empty: none.

    Returns
    -------
    Subscriptions
        Durations, events and coded covariates, with what was left out.

    Raises
    ------
    InputError
        A covariate that is not there or cannot be one, or too few who left or stayed.

    Examples
    --------
    >>> import cvlib as cv
    >>> checked = cv.lifetime.check_contracts(cv.lifetime.simulated_subscriptions(300, seed=1))
    >>> cv.lifetime.prepare_subscriptions(checked, ["Contract"]).data["duration"].min() >= 1
    np.True_
    """
    table, derive = checked.data, list(covariates) == ["auto"]
    unknown = [name for name in covariates if name not in table.columns and not derive]
    if unknown:
        known = [str(name) for name in table.columns]
        raise InputError(
            "covariates",
            message("refusals.has_no_column_that_is", source=checked.source, unknown=unknown[0]),
            nearest(unknown[0], known),
        )
    chosen = table[list(table.columns) if derive else list(dict.fromkeys(covariates))]
    away: list[tuple[str, Message]] = []
    used: dict[str, pd.Series] = {}
    suspect = leaks(chosen, checked.event, checked.duration)
    for name in chosen:
        unfit = _unfit(chosen[name], derive)
        if unfit is None and derive and name in suspect.columns:
            unfit = suspect.of(str(name)).reasons()[0]
        if unfit is not None:
            away.append((str(name), unfit))
            continue
        used |= _coded(str(name), chosen[name])
    places = {"duration": checked.duration, "event": checked.event.astype(float)}
    if checked.entry is not None:
        places["entry"] = checked.entry
    data = pd.DataFrame(places | used)
    never = data["duration"] < 1
    incomplete = data.isna().any(axis=1) & ~never
    reasons = {"not yet one whole period": int(never.sum()), "missing value": int(incomplete.sum())}
    kept = data[~never & ~incomplete]
    losses = int(kept["event"].sum())
    if losses < 10:
        raise InputError(
            checked.source,
            message(
                "refusals.of_customers_left_too_few_left_or", losses=losses, customers=len(kept)
            ),
            message("refusals.survival_models_need_at_least_ten_who"),
        )
    repeated = _repeated(kept.drop(columns=list(places)))
    away += [(name, message("lifetime.contracts_repeats")) for name in repeated]
    kept = kept.drop(columns=repeated)
    left_out = pd.DataFrame({"reason": list(reasons), "count": list(reasons.values())})
    facts = {
        "customers": len(kept),
        "left": losses,
        "still there (censored)": len(kept) - losses,
        "longest duration": float(kept["duration"].max()),
        **({"observed late": int((kept["entry"] > 0).sum())} if "entry" in kept else {}),
        "longest duration of a loss": float(kept.loc[kept["event"] == 1, "duration"].max()),
    }
    named = Leaks(suspect.table.iloc[:0]) if derive else suspect
    warnings = [*named.sentences()]
    if losses == len(kept):
        warnings.insert(0, message("lifetime.contracts_all_left", customers=losses))
    if derive and any(name in suspect.columns for name, _ in away):
        hidden = [name for name in suspect.columns if name in dict(away)]
        warnings.append(message("lifetime.contracts_leaks_left_out", columns=hidden))
    return Subscriptions(
        kept.reset_index(drop=True),
        None if checked.reason is None else checked.reason[kept.index].reset_index(drop=True),
        left_out.assign(share=left_out["count"] / len(data)),
        pd.DataFrame(away, columns=["covariate", "reason"], dtype=object),
        pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        named,
        tuple(warnings),
        kept.index,
    )


def _unfit(values: pd.Series, derive: bool) -> Message | None:
    """Why a column cannot be a covariate; an error when it was asked for by name."""
    if values.nunique() < 2:
        return message("lifetime.contracts_constant")
    wrong = None
    if is_datetime64_any_dtype(values.dtype):
        wrong = message("lifetime.contracts_dates")
    elif not is_numeric_dtype(values.dtype) and values.nunique() > _LEVELS:
        wrong = message("lifetime.contracts_levels", levels=values.nunique(), most=_LEVELS)
    elif derive and is_numeric_dtype(values.dtype) and _is_id(values.dropna()):
        return message("lifetime.contracts_names")
    elif derive and values.isna().mean() > _MISSING:
        return message("lifetime.contracts_missing", share=float(values.isna().mean()))
    if wrong is not None and not derive:
        raise InputError(
            f"covariates, {values.name}", str(wrong), message("refusals.leave_the_column_out_or")
        )
    return wrong


def _is_id(values: pd.Series) -> bool:
    return (
        len(values) > _LEVELS and values.is_unique and bool((values.astype(float) % 1 == 0).all())
    )


def _coded(name: str, values: pd.Series) -> dict[str, pd.Series]:
    """A number as it is; text as 0/1 columns against its most frequent value."""
    if is_numeric_dtype(values.dtype):
        return {name: values.astype(float)}
    spelt = values.astype(str)
    levels = spelt[values.notna()].value_counts().index[1:]
    return {
        f"{name}: {level}": (spelt == level).astype(float).where(values.notna()) for level in levels
    }


def _repeated(covariates: pd.DataFrame) -> list[str]:
    """Columns that the ones before them already determine; no likelihood can tell them apart."""
    basis = [np.ones(len(covariates)) / np.sqrt(max(len(covariates), 1))]
    surplus = []
    for name in covariates:
        column = covariates[name].to_numpy(float)
        spread = np.linalg.norm(column - column.mean())
        for _ in range(2):  # twice is enough to be orthogonal to the last bits
            for direction in basis:
                column = column - (direction @ column) * direction
        rest = np.linalg.norm(column)
        if rest <= 1e-8 * float(spread):
            surplus.append(str(name))
        else:
            basis.append(column / rest)
    return surplus


def contracts(
    data: str | Table | pd.DataFrame,
    columns: ContractColumns | None = None,
    covariates: Sequence[str] = ("auto",),
) -> Subscriptions:
    """Contracts by name, file or table, checked and prepared: the way in to `fit_survival`.

    Parameters
    ----------
    data : str, Table or DataFrame
        A name of the catalogue, a file, or a table: one row per contract.
    columns : ContractColumns, optional
        Which column says what.
    covariates : sequence of str
        See `prepare_subscriptions`.

    Returns
    -------
    Subscriptions
        Durations, events and coded covariates, with what was left out.

    Raises
    ------
    InputError
        A table or column that cannot be used: file, column and row are named.

    Examples
    --------
    >>> import cvlib as cv
    >>> table = cv.lifetime.simulated_subscriptions(300, seed=1)
    >>> cv.lifetime.contracts(table, covariates=["Contract"]).facts["value"].iloc[0]
    np.float64(300.0)
    """
    table = load_table(data) if isinstance(data, str) else data
    return prepare_subscriptions(check_contracts(table, columns), covariates)


def simulated_subscriptions(customers: int, seed: int) -> pd.DataFrame:
    """SIMULATED monthly contracts with the columns of the IBM telco table, for teaching and tests.

    Every customer keeps or ends the contract each month with an own churn probability drawn from
    a beta distribution (sBG) whose mean falls with the length of the contract and rises with the
    charge; 72 months at most are seen, counted from a random start.

    Parameters
    ----------
    customers : int
        Number of contracts.
    seed : int
        Of the random numbers.

    Returns
    -------
    DataFrame
        customerID, tenure, Churn (Yes, No), Contract, InternetService, PaymentMethod,
        MonthlyCharges, SeniorCitizen.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.simulated_subscriptions(300, seed=1)["Churn"].unique().tolist()
    ['No', 'Yes']
    """
    rng = generator(seed)
    contract = rng.choice(
        ["Month-to-month", "One year", "Two year"], customers, p=[0.55, 0.21, 0.24]
    )
    internet = rng.choice(["Fiber optic", "DSL", "No"], customers, p=[0.44, 0.34, 0.22])
    payment = rng.choice(["Electronic check", "Credit card", "Bank transfer"], customers)
    senior = (rng.random(customers) < 0.16).astype(int)
    base = pd.Series(internet).map({"Fiber optic": 90.0, "DSL": 58.0, "No": 21.0}).to_numpy()
    charge = np.round(base + rng.normal(0, 9, customers), 2)
    effect = pd.Series(contract).map({"Month-to-month": 0.0, "One year": -2.1, "Two year": -3.3})
    score = -3.6 + effect.to_numpy() + 0.012 * (charge - 60) + 0.5 * (payment == "Electronic check")
    mean = 1 / (1 + np.exp(-(score + 0.25 * senior)))
    monthly = np.maximum(rng.beta(mean * 12, (1 - mean) * 12), 1e-9)
    lives = rng.geometric(monthly)
    seen = rng.integers(1, 73, customers)
    return pd.DataFrame(
        {
            "customerID": [f"S{number:05d}" for number in range(1, customers + 1)],
            "tenure": np.minimum(lives, seen),
            "Churn": np.where(lives <= seen, "Yes", "No"),
            "Contract": contract,
            "InternetService": internet,
            "PaymentMethod": payment,
            "MonthlyCharges": charge,
            "SeniorCitizen": senior,
        }
    )


def read_subscriptions(data: str, customers: int, seed: int, reading: Reading = AS_IT_IS) -> Table:
    """A table of contracts by name or file; "simulated" draws one and says so.

    Parameters
    ----------
    data : str
        A name of the catalogue, a file, or "simulated".
    customers, seed : int
        Of simulated contracts.
    reading : Reading
        What a file does not say itself.

    Returns
    -------
    Table
        One row per contract.

    Examples
    --------
    >>> import cvlib as cv
    >>> len(cv.lifetime.read_subscriptions("simulated", customers=50, seed=1).data)
    50
    """
    if data != "simulated":
        return load_table(data, **vars(reading))
    drawn = simulated_subscriptions(customers, seed)
    note = message("lifetime.contracts_simulated", customers=customers, seed=seed)
    return Table(drawn, source="simulated contracts", warnings=(note,))
