"""Reasons of leaving compared: of groups by Gray's test, given covariates by Cox regressions"""

from __future__ import annotations

import pandas as pd

from cvlib.inputs.columns import labels
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.subscriptions import CheckedContracts
from cvlib.lifetime.contracts.gray import gray_test
from cvlib.lifetime.contracts.late_entry import hazards_by_reason, survival_with_entry
from cvlib.lifetime.contracts.periods import covariates_of, entry_of
from cvlib.lifetime.contracts.prepare import Subscriptions
from cvlib.results import Finding
from cvlib.words.message import Message, joined, message


def why_contracts_end(
    checked: CheckedContracts, contracts: Subscriptions, group: str = "", *, level: float = 0.95
) -> Finding:
    """What tells the reasons of leaving apart; what cannot be told is left out with its reason.

    Parameters
    ----------
    checked : CheckedContracts
        Where the groups stand.
    contracts : Subscriptions
        The contracts in use.
    group : str
        Column of two to ten groups; empty: none.
    level : float
        Of the intervals.

    Returns
    -------
    Finding
        reason_tests (see `gray_test`), reason_hazards (see `hazards_by_reason`), and, where some
        contracts are older than their observation, survival_from (see `survival_with_entry`).

    Raises
    ------
    InputError
        A group that is no column, or has one value or more than ten.

    References
    ----------
    Gray (1988), Annals of Statistics 16:1141-1154 (test of incidence); Cox (1972), JRSS B
    34(2):187-220.

    Examples
    --------
    >>> import cvlib as cv
    >>> table = cv.lifetime.simulated_subscriptions(300, seed=1)
    >>> checked = cv.lifetime.check_contracts(table)
    >>> kept = cv.lifetime.prepare_subscriptions(checked, ["Contract"])
    >>> cv.lifetime.why_contracts_end(checked, kept).found
    {}
    """
    tables: dict[str, pd.DataFrame] = {}
    said: list[Message | str] = []
    entry, duration = entry_of(contracts.data), contracts.data["duration"]
    if entry is not None:
        late = survival_with_entry(entry, duration, contracts.data["event"], level=level)
        tables["survival_from"] = late.survival
        said.append(late.sentence)
    if contracts.reason is None:
        return Finding(tables, joined(said) if said else "")
    if group:
        own = labels(Table(checked.data, source=checked.source), group)[contracts.rows]
        tested = gray_test(duration, contracts.reason, own, level=level)
        tables["reason_tests"] = tested["gray_test"]
        said.append(tested.sentence)
    names = covariates_of(contracts.data)
    if names:
        try:
            tables["reason_hazards"] = hazards_by_reason(
                duration, contracts.reason, contracts.data[names], entry=entry, level=level
            )
        except (InputError, ArithmeticError) as error:
            said.append(message("lifetime.reasons_left_out", why=str(error).rstrip(".")))
    return Finding(tables, joined(said) if said else "")
