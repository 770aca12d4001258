"""Where a model beats its rivals and where it does not: sentences from all comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvlib.statistics import multiple, resample
from cvlib.words.message import Message, message

Array = NDArray[np.float64]

# What is better when larger, or when smaller. Metrics that say the same as another of them (lift
# as capture, Brier skill as Brier) and those without a better side (bias, calibration) are not
# compared.
_HIGH = {"pearson", "spearman", "gini", "capture_10", "capture_20", "hit_rate_10", "hit_rate_20",
         "auc", "auc_expected", "accuracy"}  # fmt: skip
_LOW = {"mae", "rmse", "msle", "brier", "log_loss", "ece"}
FEWEST_DRAWS = 100  # with fewer usable ones, or fewer than half, there is no p value
_FEWEST_PEOPLE = 20  # a mean of fewer is not held against a forecast


def paired(difference: float, draws: Array | None, level: float) -> dict[str, float | None]:
    """Interval and p value of a paired difference, both from the standard error of its draws.

    The normal interval (Efron & Tibshirani 1993, section 12.6) goes with the p value of the same
    standard error, so that one leaves out zero exactly where the other is below 1 − level; a share
    of draws could say nothing below one in their number, too coarse for many comparisons.

    Parameters
    ----------
    difference : float
        Of the sample.
    draws : array, optional
        The same difference in every resample; missing where it is not defined.
    level : float
        Of the interval.
    """
    none: dict[str, float | None] = {"ci_low": None, "ci_high": None, "p": None}
    if draws is None or not draws.size:
        return none
    usable = draws[np.isfinite(draws)]
    if usable.size < 2 or not np.isfinite(difference):
        return none
    error = float(usable.std(ddof=1))
    wide = resample.reach(level) * error
    found: dict[str, float | None] = {
        "ci_low": difference - wide,
        "ci_high": difference + wide,
        "p": None,
    }
    if usable.size >= max(FEWEST_DRAWS, draws.size / 2):
        from scipy.special import ndtr

        if error > 0:
            found["p"] = float(2 * ndtr(-abs(difference) / error))
        elif difference == 0:
            found["p"] = 1.0  # the two never differ
    return found


def _side(metric: str) -> int:
    """1 when larger is better, −1 when smaller is, 0 when neither."""
    plain = metric.removeprefix("spend_")
    return 1 if plain in _HIGH else -1 if plain in _LOW else 0


def adjusted(differences: pd.DataFrame, model: str, level: float) -> pd.DataFrame:
    """The differences with Holm's p over all that have a better side, and who is better.

    Parameters
    ----------
    differences : DataFrame
        model, rival, metric, difference, ci_low, ci_high, p.
    model : str
        The model judged; P(alive) taken for a forecast is no rival, but a mistake shown beside.
    level : float
        Significance is 1 − level over all comparisons together.

    Returns
    -------
    DataFrame
        With p_adjusted and better (the model's or the rival's name, "neither"; missing where
        nothing is compared or tested).

    References
    ----------
    Holm (1979) Scandinavian J. Statistics 6:65-70.
    """
    table = differences.assign(
        p_adjusted=np.nan, better=pd.Series(None, index=differences.index, dtype=object)
    )
    side = differences["metric"].map(_side)
    rivals = ~differences["rival"].str.endswith("_p_alive")
    counted = (side != 0) & differences["p"].notna() & rivals
    if not counted.any():
        return table
    p = differences.loc[counted, "p"].to_numpy(float)
    corrected = multiple.adjusted(p, "holm")
    table.loc[counted, "p_adjusted"] = corrected
    gain = (side * differences["difference"])[counted]
    sure = corrected <= 1 - level
    winner = np.where(
        ~sure, "neither", np.where(gain > 0, model, differences.loc[counted, "rival"])
    )
    table.loc[counted, "better"] = winner
    return table


def verdict(
    values: pd.DataFrame, differences: pd.DataFrame, quiet: pd.DataFrame, level: float
) -> pd.DataFrame:
    """What the comparisons say, all of them: counts, then rival by rival, then levels.

    Parameters
    ----------
    values : DataFrame
        model, metric, value.
    differences : DataFrame
        As `adjusted` gives them.
    quiet : DataFrame
        As `quiet_customers` gives it.
    level : float
        Of all comparisons together.

    Returns
    -------
    DataFrame
        finding.
    """
    value = values.set_index(["model", "metric"])["value"]
    model = str(values["model"].iloc[0])
    said = [_overall(differences, model, level)]
    tested = differences[differences["better"].notna()]
    for rival, rows in tested.groupby("rival", sort=False):
        parts = {"model": model, "rival": str(rival)}
        won, lost, open_ = (
            rows.loc[rows["better"] == name, "metric"].tolist()
            for name in (model, rival, "neither")
        )
        if lost:
            losses = _numbers(value, model, rival, lost)
            said.append(message("lifetime.verdict_losses", losses=losses, **parts))
        if won:
            said.append(message("lifetime.verdict_wins", metrics=won, **parts))
        if open_:
            further = len(open_) < len(rows)
            kind = "further" if further else "all"
            said.append(message(f"lifetime.verdict_open_{kind}", count=len(open_), **parts))
    if (model, "bias") in value.index:
        others = [r for r in ("repeat_rate", "nbd") if (r, "bias") in value.index]
        rest = [
            message("lifetime.verdict_bias", model=r, bias=float(value[r, "bias"])) for r in others
        ]
        kind = "beside" if rest else "alone"
        said.append(
            message(
                f"lifetime.verdict_level_{kind}",
                model=model,
                bias=float(value[model, "bias"]),
                others=rest,
            )
        )
    if (model, "brier_skill") in value.index:
        skill = float(value[model, "brier_skill"])
        kind = "better" if skill > 0 else "worse"
        said.append(message(f"lifetime.verdict_skill_{kind}", model=model, skill=abs(skill)))
        if np.isfinite(value.get((model, "calibration_slope"), np.nan)):
            said.append(
                message("lifetime.verdict_slope", slope=float(value[model, "calibration_slope"]))
            )
    alive = f"{model}_p_alive"
    if (alive, "auc") in value.index and (model, "auc") in value.index:
        own, other = float(value[model, "auc"]), float(value[alive, "auc"])
        kind = "coin" if other < min(own, 0.5) else "below" if other < own else "no_worse"
        said.append(message(f"lifetime.verdict_alive_{kind}", auc=other, own=own))
    said += _of_quiet(quiet, model)
    return pd.DataFrame({"finding": pd.Series(said, dtype=object)})


def _overall(differences: pd.DataFrame, model: str, level: float) -> Message:
    tested = differences[differences["better"].notna()]
    if not len(tested):
        return message("lifetime.verdict_untested", fewest=FEWEST_DRAWS)
    better = tested["better"]
    won, open_ = int((better == model).sum()), int((better == "neither").sum())
    return message(
        "lifetime.verdict_overall",
        model=model,
        rivals=tested["rival"].nunique(),
        comparisons=len(tested),
        won=won,
        lost=len(tested) - won - open_,
        open=open_,
        level=1 - level,
    )


def _numbers(value: pd.Series, model: str, rival: object, metrics: list[str]) -> list[Message]:
    return [
        message(
            "lifetime.verdict_against",
            metric=metric,
            own=float(value[model, metric]),
            other=float(value[rival, metric]),
        )
        for metric in metrics
    ]


def quiet_customers(
    customers: pd.DataFrame, hiatus: Array, expected: Array, level: float
) -> pd.DataFrame:
    """Forecast and outcome of the fifth of repeat buyers who have been silent longest.

    More purchases lower the forecast of a customer who has gone quiet: the model takes a frequent
    buyer's silence for having left. Whether that came true is a matter of fact.

    Parameters
    ----------
    customers : DataFrame
        x, holdout_purchases.
    hiatus : array, shape (customers,)
        Time since the last purchase.
    expected : array, shape (customers,)
        The model's forecast of purchases.
    level : float
        Of the interval of the mean outcome.

    Returns
    -------
    DataFrame
        repeat_purchases ("1", "2+"), customers, expected, actual, ci_low, ci_high.
    """
    again = customers["x"].to_numpy() > 0
    columns = ["repeat_purchases", "customers", "expected", "actual", "ci_low", "ci_high"]
    if again.sum() < 5:
        return pd.DataFrame(columns=columns)
    long = again & (hiatus >= np.quantile(hiatus[again], 0.8))
    rows = []
    for name, chosen in (("1", long & (customers["x"] == 1)), ("2+", long & (customers["x"] > 1))):
        bought = customers.loc[chosen, "holdout_purchases"].to_numpy(float)
        if not bought.size:
            continue
        half = np.nan
        if bought.size > 1:
            half = (
                resample.reach(level, bought.size - 1) * bought.std(ddof=1) / np.sqrt(bought.size)
            )
        mean = float(bought.mean())
        rows.append(
            [
                name,
                bought.size,
                float(expected[chosen].mean()),
                mean,
                max(mean - half, 0.0),
                mean + half,
            ]
        )
    return pd.DataFrame(rows, columns=columns)


def _of_quiet(quiet: pd.DataFrame, model: str) -> list[Message]:
    """Whether frequent buyers gone quiet bought what the model expects of them."""
    if not len(quiet):
        return []
    rows = quiet.set_index("repeat_purchases")
    if "2+" not in rows.index or rows.loc["2+", "customers"] < _FEWEST_PEOPLE:
        return []
    row = rows.loc["2+"]
    facts = {name: float(row[name]) for name in ("expected", "actual", "ci_low", "ci_high")}
    low, high = facts["ci_low"], facts["ci_high"]
    kind = "low" if facts["expected"] < low else "high" if facts["expected"] > high else "right"
    return [message(f"lifetime.quiet_{kind}", model=model, people=int(row["customers"]), **facts)]
