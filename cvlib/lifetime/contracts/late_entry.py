"""Contracts that were observed only from some age on: survival and hazards by reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics.resample import reach
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class LateEntrySurvival(Result):
    """Kaplan-Meier with late entry.

    Attributes
    ----------
    survival : DataFrame
        age, at_risk, lost, survival (of those who reached `start`), std_error, ci_low, ci_high.
    start : float
        Age on which the survival is conditional.
    sentence : Message
        Names that age.
    """

    survival: pd.DataFrame
    start: float
    sentence: Message


def survival_with_entry(
    entry: ArrayLike,
    duration: ArrayLike,
    event: ArrayLike,
    *,
    start: float | None = None,
    fewest: int = 30,
    level: float = 0.95,
) -> LateEntrySurvival:
    """Survival where contracts come under observation at different ages.

    Those at risk at t are observed with entry < t ≤ end. A contract that ended before observation
    began is never seen, so that counting the others from age 0 makes life look longer than it is.

    Parameters
    ----------
    entry : array, shape (contracts,)
        Age at which observation began; 0 for contracts seen from their first day.
    duration : array, shape (contracts,)
        Age at the end, above `entry`.
    event : array of bool
        Ended, and not only last seen.
    start : float, optional
        Age to be reached, whose own losses count; None: the first with `fewest` at risk.
    fewest : int
        Early risk sets are thin: contracts from which a start is taken.
    level : float
        Of the intervals (log-log).

    Returns
    -------
    LateEntrySurvival
        Conditional survival with Greenwood errors, and a sentence.

    Raises
    ------
    InputError
        Ends at or before entry, no age with enough at risk, nobody lost after it.

    References
    ----------
    Klein & Moeschberger (2003) Survival Analysis, section 4.6.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.survival_with_entry([0, 0, 2], [1, 4, 3], [1, 0, 1], fewest=1)
    >>> found.survival["survival"].tolist()
    [0.5, 0.25]
    """
    began, until = np.asarray(entry, dtype=float), np.asarray(duration, dtype=float)
    lost = np.asarray(event).astype(bool)
    if not (np.isfinite(began) & np.isfinite(until) & (began >= 0) & (until > began)).all():
        raise InputError(
            "entry",
            message("refusals.is_missing_or_not_before"),
            message("refusals.leave_such_rows_out"),
        )
    ages, places = np.unique(np.concatenate([began, until])), np.sort(began)
    ends = np.sort(until)

    def at_risk(t: np.ndarray) -> np.ndarray:
        return np.searchsorted(places, t, side="left") - np.searchsorted(ends, t, side="left")

    if start is None:
        enough = ages[at_risk(ages) >= fewest]
        if not enough.size:
            raise InputError(
                "fewest",
                message("refusals.at_no_age_are_contracts", fewest=fewest),
                message("refusals.ask_for_fewer"),
            )
        start = float(enough[0])
    steps, own = np.unique(until[lost & (until >= start)], return_counts=True)
    if not steps.size:
        raise InputError(
            "event",
            message("refusals.nobody_is_lost_from_age", start=start),
            message("refusals.start_earlier"),
        )
    n = at_risk(steps).astype(float)
    value = np.cumprod(1 - own / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.cumsum(own / (n * (n - own))))
        wide = np.exp(reach(level) * root / np.abs(np.log(value)))
        low, high, error = value**wide, value ** (1 / wide), value * root
    known = (value > 0) & (value < 1)
    table = pd.DataFrame(
        {
            "age": steps,
            "at_risk": n,
            "lost": own,
            "survival": value,
            "std_error": np.where(known, error, np.nan),
            "ci_low": np.where(known, low, np.nan),
            "ci_high": np.where(known, high, np.nan),
        }
    )
    late = float((began > 0).mean())
    kind = "late" if late > 0 else "whole"
    said = message(f"lifetime.entry_{kind}", start=start, share=late)
    return LateEntrySurvival(table, start, said)


def hazards_by_reason(
    duration: ArrayLike,
    reason: pd.Series,
    covariates: pd.DataFrame,
    *,
    entry: ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Cox regression for every reason of leaving, the other reasons censored.

    Parameters
    ----------
    duration : array, shape (contracts,)
        Age at the end.
    reason : Series
        Why each left; missing for those still there.
    covariates : DataFrame
        Numbers, one row per contract.
    entry : array (customers,), optional
        Age at which observation began.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        reason, covariate, estimate (log hazard ratio, Efron ties), std_error, ci_low, ci_high, p,
        lost. A reason with fewer than ten losses per covariate is left out.

    Raises
    ------
    InputError
        No reason has ten losses per covariate.

    References
    ----------
    Prentice et al. (1978) Biometrics 34:541-554.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> why = pd.Series(["price", "moved", None, "price"] * 10)
    >>> z = pd.DataFrame({"senior": [0, 1, 1, 0, 1, 0, 0, 1] * 5})
    >>> found = cv.lifetime.hazards_by_reason(range(1, 41), why, z)
    >>> found["reason"].tolist()
    ['price', 'moved']
    """
    from lifelines import CoxPHFitter

    frame = covariates.reset_index(drop=True).astype(float)
    frame["_until"] = np.asarray(duration, dtype=float)
    if entry is not None:
        frame["_entry"] = np.asarray(entry, dtype=float)
    counts, parts = reason.value_counts(), []
    for name, lost in counts.items():
        if lost < 10 * covariates.shape[1]:
            continue
        fitted = CoxPHFitter(alpha=1 - level).fit(
            frame.assign(_lost=(reason == name).to_numpy()),
            "_until",
            "_lost",
            entry_col="_entry" if entry is not None else None,
            fit_options={"precision": 1e-12},
        )
        said = fitted.summary
        edges = fitted.confidence_intervals_.to_numpy()
        parts.append(
            pd.DataFrame(
                {
                    "reason": str(name),
                    "covariate": said.index.astype(str),
                    "estimate": said["coef"].to_numpy(),
                    "std_error": said["se(coef)"].to_numpy(),
                    "ci_low": edges[:, 0],
                    "ci_high": edges[:, 1],
                    "p": said["p"].to_numpy(),
                    "lost": int(lost),
                }
            )
        )
    if not parts:
        raise InputError(
            "reason",
            message("refusals.none_has_ten_losses_per"),
            message("refusals.use_fewer_covariates_or_a"),
        )
    return pd.concat(parts, ignore_index=True)
