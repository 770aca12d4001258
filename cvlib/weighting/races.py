"""Several races of weightings, each on a log of its own, pooled by a random-effects summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.results import Result
from cvlib.words.message import Message, message

LEAST = 1e-9  # a standard error below is a rounding error
_NEEDED = ["method", "metric", "difference", "difference_ci_low", "difference_ci_high"]


@dataclass(frozen=True, eq=False, repr=False)
class PooledRaces(Result):
    """Differences from equal weights over several logs.

    Attributes
    ----------
    pooled : pandas.DataFrame
        method, metric, logs, difference, ci_low, ci_high, tau2 (variance between logs), i2,
        p_holm (of no difference, adjusted over the methods of a metric).
    races : pandas.DataFrame
        log, method, metric, difference, se (of the interval's width).
    verdict : Message
        On the metric with the clearest difference.
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("pooled",)

    pooled: pd.DataFrame
    races: pd.DataFrame
    verdict: Message


def pool_races(
    races: Sequence[str | Path | pd.DataFrame], *, level: float = 0.95, metric: str = "spearman"
) -> PooledRaces:
    """Pool the races of notebook 04 by random effects: what weights are worth over several logs.

    Parameters
    ----------
    races : sequence of str, Path or DataFrame
        Of each log, the run's folder, its ``tables/validity.csv``, or that table.
    level : float
        Confidence of the intervals, of the runs and of the summary.
    metric : str
        Metric of the verdict: spearman, top_decile_capture or auc.

    Returns
    -------
    PooledRaces
        Methods that two logs or more have in common.

    Raises
    ------
    InputError
        Fewer than two races, or a table that is not one of validity.

    References
    ----------
    DerSimonian, R. & Laird, N. (1986). Controlled Clinical Trials 7, 177-188. Interval: Hartung,
    J. & Knapp, G. (2001). Statistics in Medicine 20, 3875-3889.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> race = pd.DataFrame({"method": ["critic"], "metric": ["spearman"], "difference": [0.02],
    ...     "difference_ci_low": [0.0], "difference_ci_high": [0.04]})
    >>> found = cv.weighting.pool_races([race, race.assign(difference=0.03)])
    >>> found.pooled["difference"].round(3).tolist()
    [0.025]
    """
    number("level", level, 0, 1, ends="()")
    if len(races) < 2:
        raise InputError(
            "the races",
            message("refusals.to_pool", n=len(races)),
            message("refusals.give_two_logs_or_more"),
        )
    width = 2 * stats.norm.ppf(0.5 + level / 2)
    parts = []
    for k, race in enumerate(races, start=1):
        table, name = _read(race, k)
        rows = table.dropna(subset=_NEEDED[2:])[_NEEDED].assign(log=name)
        rows["se"] = (rows["difference_ci_high"] - rows["difference_ci_low"]) / width
        parts.append(rows[rows["se"] > LEAST])  # who ranks as equal weights do has no interval
    every = pd.concat(parts, ignore_index=True)
    found = []
    for (method, measure), rows in every.groupby(["method", "metric"], sort=False):
        if len(rows) >= 2:
            found.append([method, measure, len(rows),
                          *random_effects(rows["difference"], rows["se"], level)])  # fmt: skip
    columns = ["method", "metric", "logs", "difference", "ci_low", "ci_high", "tau2", "i2", "p"]
    pooled = pd.DataFrame(found, columns=columns)
    if pooled.empty:
        raise InputError("the races", message("refusals.have_no_method_with_an"),
                         message("refusals.run_them_with_draws_above"))  # fmt: skip
    pooled["p_holm"] = pooled.groupby("metric")["p"].transform(_holm)
    kept = every[["log", "method", "metric", "difference", "se"]]
    return PooledRaces(pooled.drop(columns="p"), kept, _verdict(pooled, metric))


def random_effects(effects: pd.Series, errors: pd.Series, level: float) -> tuple[float, ...]:
    """Pooled effect, its interval, variance between, I² and p of no effect.

    Parameters
    ----------
    effects, errors : pandas.Series
        Estimates of two studies or more and their standard errors.
    level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Estimate, lower, upper, tau², I², p (Hartung and Knapp, with k − 1 degrees of freedom; never
        narrower than the plain interval).
    """
    y, v = effects.to_numpy(float), errors.to_numpy(float) ** 2
    k, w = len(y), 1 / v
    fixed = w @ y / w.sum()
    q = float(w @ (y - fixed) ** 2)
    tau2 = max(0.0, (q - (k - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + tau2)
    estimate = float(w @ y / w.sum())
    spread = max(1.0, float(w @ (y - estimate) ** 2) / (k - 1))
    se = float(np.sqrt(spread / w.sum()))
    t = stats.t.ppf(0.5 + level / 2, k - 1)
    p = float(2 * stats.t.sf(abs(estimate) / se, k - 1))
    i2 = max(0.0, (q - (k - 1)) / q) if q > 0 else 0.0
    return estimate, estimate - t * se, estimate + t * se, tau2, i2, p


def _holm(p: pd.Series) -> np.ndarray:
    from cvlib.statistics.multiple import adjusted

    return np.asarray(adjusted(p.to_numpy(), "holm"))


def _read(race: str | Path | pd.DataFrame, number: int) -> tuple[pd.DataFrame, str]:
    if isinstance(race, pd.DataFrame):
        table, name = race, f"log {number}"
    else:
        path = Path(race)
        path = path / "tables" / "validity.csv" if path.is_dir() else path
        table, name = read_table(path).data, path.parent.parent.name or f"log {number}"
    absent = [column for column in _NEEDED if column not in table]
    if absent:
        raise InputError(
            name,
            message("refusals.has_no_column_2", column=absent[0]),
            message("refusals.give_a_run_of_notebook"),
        )
    return table, name


def _verdict(pooled: pd.DataFrame, metric: str) -> Message:
    known = pooled[pooled["metric"] == metric]
    if known.empty:
        raise InputError(
            "parameter metric",
            message("refusals.no_race_has", metric=metric),
            message("refusals.name_one_they_have"),
        )
    ahead = known[(known["ci_low"] > 0) & (known["p_holm"] < 0.05)]
    pick = ahead if len(ahead) else known.assign(difference=known["difference"])
    row = pick.loc[(pick["difference"] if len(ahead) else pick["difference"].abs()).idxmax()]
    facts = {
        "logs": int(row["logs"]), "method": row["method"], "metric": metric,
        "difference": float(row["difference"]), "low": float(row["ci_low"]),
        "high": float(row["ci_high"]), "i2": float(row["i2"]),
    }  # fmt: skip
    return message("weighting.races_pooled" if len(ahead) else "weighting.races_open", **facts)
