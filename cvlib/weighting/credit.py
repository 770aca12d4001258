"""Credit: gates first, then a logistic model judged on customers it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table, load_table
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.words.message import Message, message

LEAST_DEFAULTS = 30
BASE_SCORE, BASE_ODDS, POINTS = 600.0, 50.0, 20.0  # points that double the odds
BANDS = 5
GATE = "gate_"  # columns named so are gates where none is named
KEYS = ("customer_id", "customer", "id")


@dataclass(frozen=True, eq=False, repr=False)
class Credit(Result):
    """A credit model.

    Attributes
    ----------
    gates : pandas.DataFrame
        gate, failed (customers left out, each by the first gate they fail), share.
    coefficients : pandas.DataFrame
        term, estimate, se, ci_low, ci_high, p (of the log odds of default); empty without a model.
    quality : pandas.DataFrame
        sample (training, holdout), customers, defaults, ks, auc, gini, brier.
    evidence : pandas.DataFrame
        variable, band, good, bad, woe, iv (the variable's information value in each row).
    stability : pandas.DataFrame
        band of the score, share_training, share_holdout, psi (its part).
    scores : pandas.DataFrame
        customer, sample, probability (of default), score.
    verdict : Message
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("gates", "coefficients", "quality")

    gates: pd.DataFrame
    coefficients: pd.DataFrame
    quality: pd.DataFrame
    evidence: pd.DataFrame
    stability: pd.DataFrame
    scores: pd.DataFrame
    verdict: Message
    warnings: tuple[str, ...]


def credit_model(
    data: str | Path | pd.DataFrame | Table,
    default: str = "default",
    variables: Sequence[str] = (),
    *,
    gates: Sequence[str] = (),
    logs: Sequence[str] = (),
    date: str = "",
    test_share: float = 0.3,
    seed: int = resample.SEED,
) -> Credit:
    """Leave out who fails a gate, fit the odds of default, and judge the fit on a holdout.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        One row per customer.
    default : str
        Column of 0 and 1.
    variables : sequence of str
        Columns of numbers in the model; empty: all there are but the outcome, gates, ids and
        columns named ``gate_``.
    gates : sequence of str
        Columns of 0 and 1; 1 fails. A veto is not compensated, so nobody who fails is modelled.
        Empty: the columns whose name begins with ``gate_``.
    logs : sequence of str
        Variables that enter by their logarithm.
    date : str
        Column of dates: the latest customers are the holdout. Empty: drawn at random.
    test_share : float
        Share held back; 0 judges the model on the customers it was fitted to, and says so.
    seed : int
        Seed of the draw.

    Returns
    -------
    Credit
        Score = 600 + 20/ln 2 (ln odds − ln 50), odds of not defaulting; higher is safer.

    Raises
    ------
    InputError
        An absent column, a cell that is not a number or not 0/1, by row; fewer than 30 defaults in
        the customers fitted; variables that separate the defaults.

    Notes
    -----
    Rejected applicants have no outcome: the model speaks of customers who were accepted.

    References
    ----------
    Siddiqi, N. (2006). Credit risk scorecards. Wiley (weight of evidence, stability) [M].

    Examples
    --------
    >>> import cvlib as cv, numpy as np, pandas as pd
    >>> use = np.arange(400) * 37 % 400 / 400
    >>> bad = (np.arange(400) * 61 % 97 / 97 < use / 2).astype(int)
    >>> frame = pd.DataFrame({"use": use, "default": bad})
    >>> found = cv.weighting.credit_model(frame, "default", ["use"])
    >>> bool(found.coefficients.set_index("term").at["use", "estimate"] > 0)
    True
    """
    number("test_share", test_share, 0, 1, ends="[)")
    table = load_table(data)
    gates = gates or [c for c in table.data if str(c).startswith(GATE)]
    variables = variables or _numbers(table.data, {default, *gates})
    frame = _read(table, default, variables, gates, logs)
    counted, kept = _gated(frame, gates, len(frame))
    y = kept[default].to_numpy(float)
    held = _held(table, kept, date, test_share, seed)
    defaults = int(y[~held].sum())
    if min(defaults, int((1 - y[~held]).sum())) < LEAST_DEFAULTS:
        raise InputError(
            f"{table.source}, column {default!r}",
            message("refusals.of_the_customers_to_fit", defaults=defaults, n=int((~held).sum())),
            message("refusals.a_model_needs_who_did", least_defaults=LEAST_DEFAULTS),
        )
    x = _design(kept, variables, logs)
    coefficients = _fit(x[~held], y[~held], table.source)
    log_odds = x.to_numpy() @ coefficients["estimate"].to_numpy()
    p = 1 / (1 + np.exp(-log_odds))
    score = BASE_SCORE + POINTS / np.log(2) * (-log_odds - np.log(BASE_ODDS))
    sample = np.where(held, "holdout", "training")
    quality = pd.DataFrame(
        [{"sample": s, **discrimination(y[sample == s], p[sample == s])}
         for s in ("training", "holdout") if (sample == s).any()]
    )  # fmt: skip
    stability = population_stability(score[~held], score[held]) if held.any() else _no_stability()
    evidence = pd.concat([weight_of_evidence(kept[v], y, v) for v in variables], ignore_index=True)
    scores = pd.DataFrame({"customer": kept.index, "sample": sample, "probability": p})
    scores["score"] = score
    judged = quality.iloc[-1]
    warnings = [message("weighting.credit_rejects")]
    if not held.any():
        warnings.append(message("weighting.credit_in_sample"))
    return Credit(
        counted, coefficients, quality, evidence, stability, scores,
        _verdict(judged, y[held] if held.any() else y, p[held] if held.any() else p),
        tuple(warnings),
    )  # fmt: skip


def discrimination(y: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    """How well probabilities of default separate: customers, defaults, KS, AUC, Gini, Brier."""
    bad, good = p[y == 1], p[y == 0]
    if not len(bad) or not len(good):
        nothing = dict.fromkeys(("ks", "auc", "gini"), float("nan"))
        return {"customers": len(y), "defaults": len(bad), **nothing,
                "brier": float(np.mean((p - y) ** 2))}  # fmt: skip
    ranks = stats.rankdata(np.concatenate([bad, good]))
    auc = (ranks[: len(bad)].sum() - len(bad) * (len(bad) + 1) / 2) / (len(bad) * len(good))
    grid = np.unique(p)
    apart = np.searchsorted(np.sort(bad), grid, "right") / len(bad)
    apart = apart - np.searchsorted(np.sort(good), grid, "right") / len(good)
    return {
        "customers": len(y), "defaults": len(bad), "ks": float(np.abs(apart).max()),
        "auc": float(auc), "gini": float(2 * auc - 1), "brier": float(np.mean((p - y) ** 2)),
    }  # fmt: skip


def weight_of_evidence(
    values: pd.Series, y: np.ndarray, name: str = "", edges: Sequence[float] | None = None
) -> pd.DataFrame:
    """Weight of evidence of each band of a variable, ln(share of good / share of bad).

    Parameters
    ----------
    values : pandas.Series
        The variable.
    y : ndarray
        1 where the customer defaulted.
    name : str
        Of the variable, in the table.
    edges : sequence of float, optional
        Inner edges; by default the quintiles.

    Returns
    -------
    pandas.DataFrame
        variable, band, good, bad, woe, iv. A band without good or without bad counts ½ there.
    """
    x = values.to_numpy(float)
    inner = np.unique(np.quantile(x, np.arange(1, BANDS) / BANDS) if edges is None else edges)
    band = pd.cut(x, [-np.inf, *inner, np.inf], duplicates="drop")
    good = np.bincount(band.codes[y == 0], minlength=len(band.categories)).astype(float)
    bad = np.bincount(band.codes[y == 1], minlength=len(band.categories)).astype(float)
    empty = (good == 0) | (bad == 0)
    g, b = np.where(empty, good + 0.5, good), np.where(empty, bad + 0.5, bad)
    share_good, share_bad = g / g.sum(), b / b.sum()
    woe = np.log(share_good / share_bad)
    return pd.DataFrame(
        {"variable": name, "band": [str(each) for each in band.categories],
         "good": good.astype(int), "bad": bad.astype(int), "woe": woe,
         "iv": float(((share_good - share_bad) * woe).sum())}
    )  # fmt: skip


def population_stability(old: np.ndarray, new: np.ndarray, bands: int = BANDS) -> pd.DataFrame:
    """How far the shares of score bands moved: Σ (new − old) ln(new/old).

    Parameters
    ----------
    old, new : ndarray
        Scores; the bands are the quantiles of the old.
    bands : int
        Their number.

    Returns
    -------
    pandas.DataFrame
        band, share_training, share_holdout, psi (its part). An empty band counts ½ a customer.
    """
    inner = np.unique(np.quantile(old, np.arange(1, bands) / bands))
    counts = [np.bincount(np.searchsorted(inner, each, "left"), minlength=len(inner) + 1)
              for each in (old, new)]  # fmt: skip
    a, b = (
        np.where(c == 0, 0.5, c) / len(each) for c, each in zip(counts, (old, new), strict=True)
    )
    edges = [-np.inf, *inner, np.inf]
    names = [f"({low:.4g}, {high:.4g}]" for low, high in pairwise(edges)]
    return pd.DataFrame(
        {"band": names, "share_training": a, "share_holdout": b, "psi": (b - a) * np.log(b / a)}
    )


def _no_stability() -> pd.DataFrame:
    return pd.DataFrame(columns=["band", "share_training", "share_holdout", "psi"])


def _read(
    table: Table, default: str, variables: Sequence[str], gates: Sequence[str], logs: Sequence[str]
) -> pd.DataFrame:
    data = table.data
    if not variables:
        raise InputError(
            f"{table.source}, credit_variables",
            message("refusals.are_not_named_and_no"),
            message("refusals.name_the_model_columns"),
        )
    found: dict[str, np.ndarray] = {}
    for name in dict.fromkeys([default, *gates, *variables, *logs]):
        if name not in data:
            raise InputError(
                table.source,
                message("refusals.has_no_column_2", column=name),
                message("refusals.name_one_it_has"),
            )
        values = pd.to_numeric(data[name], errors="coerce").to_numpy(float)
        binary = name == default or name in gates
        bad = ~np.isin(values, (0, 1)) if binary else ~np.isfinite(values)
        bad = bad | (values <= 0) if name in logs else bad
        if bad.any():
            at = int(bad.argmax())
            wanted = "0 or 1" if binary else "a positive number" if name in logs else "a number"
            raise InputError(
                table.place(name, at),
                message("refusals.holds_not", value=str(data[name].iloc[at]), wanted=wanted),
                message("refusals.correct_the_cell_or_leave"),
            )
        found[name] = values
    for name in logs:
        if name not in variables:
            raise InputError(
                f"logarithm of {name!r}",
                message("refusals.is_no_variable"),
                message("refusals.add_it_to_them"),
            )
    key = next((c for c in KEYS if c in data), None)
    return pd.DataFrame(found, index=data[key] if key else data.index)


def _numbers(data: pd.DataFrame, apart: set[str]) -> list[str]:
    """The columns of numbers that may explain a default."""
    numeric = data.select_dtypes("number").columns
    return [c for c in numeric if c not in (*apart, *KEYS) and not str(c).startswith(GATE)]


def _gated(
    frame: pd.DataFrame, gates: Sequence[str], total: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, kept = [], frame.assign(_row=np.arange(total))
    for gate in gates:
        failed = kept[gate] == 1
        rows.append([gate, int(failed.sum()), float(failed.sum() / total)])
        kept = kept[~failed]
    return pd.DataFrame(rows, columns=["gate", "failed", "share"]), kept


def _held(table: Table, kept: pd.DataFrame, date: str, test_share: float, seed: int) -> np.ndarray:
    """Who is held back: the latest, or a draw."""
    held = np.zeros(len(kept), dtype=bool)
    size = round(test_share * len(kept))
    if not size:
        return held
    if date:
        if date not in table.data:
            raise InputError(
                table.source,
                message("refusals.has_no_column_2", column=date),
                message("refusals.name_one_it_has"),
            )
        when = pd.to_datetime(table.data[date], errors="coerce").to_numpy()[kept["_row"]]
        if np.isnat(when).any():
            raise InputError(
                table.place(date),
                message("refusals.holds_no_date_in_some"),
                message("refusals.fill_it"),
            )
        # whole days only, so that no day stands on both sides
        held[:] = when > np.sort(when)[len(when) - size - 1]
        return held
    held[resample.generator(seed).permutation(len(kept))[:size]] = True
    return held


def _design(frame: pd.DataFrame, variables: Sequence[str], logs: Sequence[str]) -> pd.DataFrame:
    x = pd.DataFrame({"intercept": np.ones(len(frame))}, index=frame.index)
    for name in variables:
        x[f"ln {name}" if name in logs else name] = (
            np.log(frame[name]) if name in logs else frame[name]
        )
    return x


def _fit(x: pd.DataFrame, y: np.ndarray, source: str) -> pd.DataFrame:
    import statsmodels.api as sm

    if np.linalg.matrix_rank(x.to_numpy()) < x.shape[1]:
        raise InputError(
            source,
            message("refusals.some_variables_say_the_same"),
            message("refusals.leave_one_out"),
        )
    try:
        fit = sm.Logit(y, x.to_numpy()).fit(disp=0, maxiter=200, tol=1e-12)
        apart = not bool(fit.mle_retvals["converged"]) or np.abs(fit.params).max() > 1e4
    except Exception as error:  # statsmodels raises its own for perfect separation
        raise _separated(source) from error
    if apart or fit.bse.max() > 1e3 * (1 + np.abs(fit.params).max()):
        raise _separated(source)
    table = pd.DataFrame({"term": x.columns, "estimate": fit.params, "se": fit.bse})
    z = stats.norm.ppf(0.975)
    table["ci_low"], table["ci_high"] = (
        table["estimate"] - z * table["se"], table["estimate"] + z * table["se"]
    )  # fmt: skip
    table["p"] = fit.pvalues
    return table


def _separated(source: str) -> InputError:
    return InputError(
        source, message("refusals.the_variables_tell_defaults_from"),
        message("refusals.leave_out_the_variable_that"),
    )  # fmt: skip


def _verdict(judged: Mapping[str, Any] | pd.Series, y: np.ndarray, p: np.ndarray) -> Message:
    auc, bad = float(judged["auc"]), int(judged["defaults"])
    if np.isnan(auc):
        return message("weighting.credit_unjudged", sample=judged["sample"])
    good = len(y) - bad
    # Hanley & McNeil (1982): variance of the area under the curve
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (bad - 1) * (q1 - auc**2) + (good - 1) * (q2 - auc**2)
    half = 1.96 * np.sqrt(spread / (bad * good))
    facts = {
        "auc": auc, "low": max(auc - half, 0.0), "high": min(auc + half, 1.0),
        "ks": float(judged["ks"]), "customers": len(y), "sample": judged["sample"],
        "predicted": float(p.mean()), "observed": float(y.mean()),
    }  # fmt: skip
    told = "weighting.credit_tells" if auc - half > 0.5 else "weighting.credit_tells_not"
    return message(told, **facts)
