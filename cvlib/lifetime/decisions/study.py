"""One log of products as a study reads it: potential, segments, grades, key accounts"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.lifetime.decisions.accounts import account_draws, key_account_sheet
from cvlib.lifetime.decisions.axes import eight_segments, spend_grades
from cvlib.lifetime.decisions.potential import read_products
from cvlib.lifetime.purchases.summary import PurchaseSummary, summarise_purchases
from cvlib.lifetime.repeat_buying.fit import fit_repeat_buying
from cvlib.lifetime.spend import fit_spend
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import message


def _summary(log: Table, cut: pd.Timestamp | None = None) -> tuple[PurchaseSummary, pd.DataFrame]:
    """The log at a date, and its customers."""
    rows, _ = read_products(log)
    last = rows["date"].max() if cut is None else cut
    known = transaction_log(rows, LogRules("customer", "date", "amount"))
    summary = summarise_purchases(known, calibration_end=f"{last:%Y-%m-%d}", unit="week")
    people = summary.customers if summary.customers is not None else pd.DataFrame()
    return summary, people


def segments_of(
    found: Finding, log: Table, grade_cutoffs: Sequence[float] = ()
) -> tuple[Finding, Finding]:
    """Eight segments and grades by spend, from what `current_and_potential` found.

    Loyalty is the probability of being active under the BG/NBD model.

    Parameters
    ----------
    found : Finding
        Of `current_and_potential`.
    log : Table
        The same log.
    grade_cutoffs : sequence of float
        As in `spend_grades`: least spend of the last 12 months.

    Returns
    -------
    segments, grades : Finding
    """
    summary, people = _summary(log, found.facts["cut"])
    people = people.set_index(people["customer_id"].astype(str))
    fit = fit_repeat_buying(summary, "bg_nbd")
    alive = pd.Series(fit.p_alive(people["x"], people["t_x"], people["T"]), index=people.index)
    potential = found.facts["potential"]
    loyal = alive.reindex(potential.index.astype(str)).fillna(0.0).to_numpy()
    current = found.facts["current"].to_numpy()
    spent = found.facts["model"].current.to_numpy()
    return (
        eight_segments(list(current), list(potential), list(loyal)),
        spend_grades(list(spent), list(potential), grade_cutoffs),
    )


def accounts_of(
    log: Table,
    annual_rate: float,
    margin: float,
    settings: resample.Bootstrap,
    top: int = 5,
) -> Finding:
    """The key-account sheet of a log, with grade and P(alive); without one, the reason.

    Parameters
    ----------
    log : Table
        customer, date, amount; all of it is used.
    annual_rate, margin : float
        Discount rate per year, share of spend that is margin.
    settings : Bootstrap
        Draws, seed and level.
    top : int
        Accounts shown.

    Returns
    -------
    Finding
        As `key_account_sheet`; empty, with the reason as its sentence, where no model applies.
    """
    try:
        summary, people = _summary(log)
        fit, spend = fit_repeat_buying(summary, "bg_nbd"), fit_spend(summary)
        draws = account_draws(people, fit, spend, annual_rate, margin, top=top, settings=settings)
    except (InputError, np.linalg.LinAlgError) as error:
        return Finding({}, message("decisions.accounts_left_out", reason=str(error)))
    alive = fit.p_alive(people["x"], people["t_x"], people["T"])
    beside = {"p_alive": dict(zip(people["customer_id"].astype(str), alive, strict=True))}
    return key_account_sheet(draws, beside, top, level=settings.level)
