"""Where a model beats its rivals and where it does not: sentences from all comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvlib.lifetime.holdout.uncertainty import (
    FEWEST_DRAWS,
    FEWEST_EITHER,
    Uncertainty,
    in_family,
)
from cvlib.statistics import multiple, resample
from cvlib.words.message import Message, message

Array = NDArray[np.float64]

_LOW = {"rmse", "spend_rmse", "brier"}  # of the family: better when smaller
_FEWEST_PEOPLE = 20  # a mean of fewer is not held against a forecast
# what a forecast is used for, and the metrics that judge it, the first that the race has
JOBS: dict[str, tuple[str, ...]] = {
    "choose": ("spend_capture_10", "capture_10"),
    "level": ("bias",),
    "probability": ("brier",),
}


def _side(metric: str) -> int:
    """1 when larger is better, −1 when smaller is."""
    return -1 if metric in _LOW else 1


def judged(
    values: dict[str, dict[str, Array]],
    known: Uncertainty,
    model: str,
    level: float,
    *,
    tested: bool = True,
) -> pd.DataFrame:
    """All differences of a model from its rivals, and who is better in those judged together.

    Parameters
    ----------
    values : dict
        Model to metric to (1,) value.
    known : Uncertainty
        Of the same.
    model : str
        The one judged; P(alive) taken for a forecast is no rival, but a mistake shown beside.
    level : float
        Significance is 1 − level over the whole family (`uncertainty.FAMILY`).
    tested : bool
        False: no verdict, whatever the numbers.

    Returns
    -------
    DataFrame
        model, rival, metric, difference, ci_low, ci_high, p, joint_low, joint_high, p_adjusted
        and better (the model's or the rival's name, "neither"; missing where nothing is judged).

    References
    ----------
    Holm (1979) Scandinavian J. Statistics 6:65-70.
    """
    none = {"ci_low": None, "ci_high": None, "p": None}
    own, rows = values[model], []
    for rival, scores in values.items():
        for metric, value in scores.items():
            if rival in (model, "oracle") or metric not in own:
                continue
            gap = float(own[metric][0] - value[0])
            reach = known.joint.get((rival, metric), np.nan)
            rows.append(
                {"model": model, "rival": rival, "metric": metric, "difference": gap}
                | known.pairs.get((rival, metric), none)
                | {"joint_low": gap - reach, "joint_high": gap + reach}
            )
    columns = ["model", "rival", "metric", "difference", "ci_low", "ci_high", "p"]
    columns += ["joint_low", "joint_high"]
    table = pd.DataFrame(rows, columns=columns)
    table = table.assign(p_adjusted=np.nan, better=pd.Series(None, index=table.index, dtype=object))
    family = [in_family(*pair) for pair in zip(table["rival"], table["metric"], strict=True)]
    counted = np.array(family, dtype=bool) & table["p"].notna().to_numpy(bool)
    if not counted.any() or not tested:
        return table
    corrected = multiple.adjusted(table.loc[counted, "p"].to_numpy(float), "holm")
    table.loc[counted, "p_adjusted"] = corrected
    gain = (table["metric"].map(_side) * table["difference"])[counted]
    winner = np.where(gain > 0, model, table.loc[counted, "rival"])
    table.loc[counted, "better"] = np.where(corrected <= 1 - level, winner, "neither")
    return table


def at_other_cuts(differences: pd.DataFrame, rolled: pd.DataFrame, model: str) -> pd.DataFrame:
    """The differences with the number of other cuts, and of those with the same sign.

    Parameters
    ----------
    differences : DataFrame
        As `judged` gives them.
    rolled : DataFrame
        calibration_end, model, metric, value; empty: no other cuts.
    model : str
        The one judged.
    """
    if not len(rolled):
        return differences
    wide = rolled.pivot_table(index=["metric", "calibration_end"], columns="model", values="value")
    cuts, same = [], []
    for row in differences.itertuples():
        there = row.rival in wide and model in wide and row.metric in wide.index.get_level_values(0)
        gap = (wide.loc[row.metric, model] - wide.loc[row.metric, row.rival]) if there else []
        gap = np.asarray(gap, dtype=float)
        gap = gap[np.isfinite(gap)]
        cuts.append(gap.size)
        same.append(int((np.sign(gap) == np.sign(row.difference)).sum()))
    return differences.assign(other_cuts=cuts, same_sign=same)


def recommendation(values: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Which of the race does each job best at this cut.

    Parameters
    ----------
    values : DataFrame
        model, metric, value.
    differences : DataFrame
        As `judged` gives them: whether the best can be told from the model judged.

    Returns
    -------
    DataFrame
        job (choose: whom to contact; level: the total; probability), metric, model, value,
        judged_value of the model judged, told_apart (Holm; missing where not judged).
    """
    focal = str(values["model"].iloc[0])
    race = values[~values["model"].str.endswith("_p_alive") & (values["model"] != "oracle")]
    rows = []
    for job, candidates in JOBS.items():
        own = [m for m in candidates if ((race["model"] == focal) & (race["metric"] == m)).any()]
        if not own:
            continue
        metric = own[0]
        part = race[race["metric"] == metric].dropna(subset="value").set_index("model")["value"]
        loss = part.abs() if metric == "bias" else -_side(metric) * part
        best = focal if focal in loss and loss[focal] <= loss.min() + 1e-12 else str(loss.idxmin())
        pair = differences[(differences["rival"] == best) & (differences["metric"] == metric)]
        better = pair["better"].iloc[0] if len(pair) else None
        told = None if best == focal or better is None else better == best
        rows.append([job, metric, best, float(part[best]), float(part[focal]), told])
    columns = ["job", "metric", "model", "value", "judged_value", "told_apart"]
    return pd.DataFrame(rows, columns=columns)


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
    # losses first: what a reader should not have to look for
    order = tested.assign(lost=tested["better"] != tested["rival"]).groupby("rival")["lost"].min()
    tested = tested.sort_values("rival", key=lambda name: name.map(order), kind="stable")
    for rival, rows in tested.groupby("rival", sort=False):
        parts = {"model": model, "rival": str(rival)}
        won, lost, open_ = (
            rows.loc[rows["better"] == name, "metric"].tolist()
            for name in (model, rival, "neither")
        )
        here = set(rows.loc[_here_only(rows), "metric"])
        for kind in ("", "_here"):
            names = [name for name in lost if (name in here) == bool(kind)]
            if names:
                losses = _numbers(value, model, rival, names)
                said.append(message(f"lifetime.verdict_losses{kind}", losses=losses, **parts))
            names = [name for name in won if (name in here) == bool(kind)]
            if names:
                said.append(message(f"lifetime.verdict_wins{kind}", metrics=names, **parts))
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
        return message("lifetime.verdict_untested", fewest=FEWEST_DRAWS, people=FEWEST_EITHER)
    better = tested["better"]
    won, open_ = int((better == model).sum()), int((better == "neither").sum())
    counts = {
        "model": model,
        "rivals": tested["rival"].nunique(),
        "comparisons": len(tested),
        "won": won,
        "lost": len(tested) - won - open_,
        "open": open_,
        "level": 1 - level,
    }
    if "other_cuts" not in tested or not tested["other_cuts"].max() > 0:
        return message("lifetime.verdict_overall", **counts)
    everywhere = ~_here_only(tested) & (tested["other_cuts"] > 0)
    return message(
        "lifetime.verdict_overall_cuts",
        **counts,
        won_everywhere=int(((better == model) & everywhere).sum()),
        lost_everywhere=int(((better == tested["rival"]) & everywhere).sum()),
        cuts=int(tested["other_cuts"].max()),
    )


def _here_only(rows: pd.DataFrame) -> pd.Series:
    """Wins and losses whose sign is another at some other cut."""
    if "other_cuts" not in rows:
        return pd.Series(False, index=rows.index)
    return (rows["better"] != "neither") & (rows["same_sign"] < rows["other_cuts"])


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

    References
    ----------
    Garwood (1936) Biometrika 28:437-442 (limits of a Poisson mean where nothing happened).
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
        if not bought.any():  # none bought anything: the exact limit of a Poisson mean
            half = -np.log(resample.tails(level)[0]) / bought.size
        elif bought.size > 1:
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
