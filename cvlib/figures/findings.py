"""What a figure shows, in a sentence made from its own numbers: the title a reader reads first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.words.message import Message, message

Said = Callable[[str], str]


def _named(labels: Mapping[str, str] | None) -> Said:
    return lambda name: str((labels or {}).get(str(name), str(name).replace("_", " ")))


def index_finding(index: pd.DataFrame, said: Said) -> Message | None:
    """Which construct is rated highest, and which lowest."""
    known = index.dropna(subset="index")
    if len(known) < 2:
        return None
    top, low = (known.loc[i] for i in (known["index"].idxmax(), known["index"].idxmin()))
    return message("figures.index", best=said(top["construct"]), high=float(top["index"]),
                   worst=said(low["construct"]), low=float(low["index"]))  # fmt: skip


def loadings_finding(loadings: pd.DataFrame, threshold: float) -> Message | None:
    """Which items load below the threshold."""
    weak = [str(item) for item in loadings.loc[loadings["loading"] < threshold, "item"]]
    if weak:
        return message("figures.loadings_weak", weak=len(weak), all=len(loadings),
                       threshold=threshold, items=weak)  # fmt: skip
    return message("figures.loadings_strong", all=len(loadings), threshold=threshold)


def htmt_finding(htmt: pd.DataFrame, threshold: float, said: Said) -> Message | None:
    """How many pairs of constructs are hard to tell apart, and which pair is the closest."""
    known = htmt.dropna(subset="htmt")
    if known.empty:
        return None
    top = known.loc[known["htmt"].idxmax()]
    over = int((known["htmt"] > threshold).sum())
    return message("figures.htmt_over" if over else "figures.htmt_none", over=over, all=len(known),
                   threshold=threshold, first=said(top["construct_1"]),
                   second=said(top["construct_2"]), htmt=float(top["htmt"]))  # fmt: skip


def priorities_finding(table: pd.DataFrame, said: Said) -> Message | None:
    """What is important and rated low; where nothing is, what matters most."""
    if len(table) < 2:
        return None
    rated, matters = table["performance"], table["importance"]
    first = table[(matters > matters.mean()) & (rated < rated.mean())]
    if len(first):
        return message("figures.priority", names=[said(name) for name in first["construct"]])
    best = table.loc[matters.idxmax()]
    return message("figures.no_priority", best=said(best["construct"]),
                   performance=float(best["performance"]))  # fmt: skip


def estimators_finding(paths: pd.DataFrame, said: Said) -> Message | None:
    """Whether estimators agree in sign, and where they are furthest apart."""
    wide = paths.pivot_table(index=["source", "target"], columns="estimator", values="estimate")
    wide = wide.dropna()
    if wide.shape[1] < 2 or wide.empty:
        return None
    gap = wide.max(axis=1) - wide.min(axis=1)
    source, target = gap.idxmax()
    apart = int(((wide > 0).any(axis=1) & (wide < 0).any(axis=1)).sum())
    return message("figures.signs_differ" if apart else "figures.signs_agree", apart=apart,
                   all=len(wide), source=said(source), target=said(target),
                   gap=float(gap.max()))  # fmt: skip


def weights_finding(weights: pd.DataFrame, labels: Mapping[str, str] | None) -> Message | None:
    """The indicator whose weight the methods disagree about most."""
    wide = weights.pivot(index="indicator", columns="method", values="global_weight")
    if wide.shape[1] < 2:
        return None
    item = (wide.max(axis=1) - wide.min(axis=1)).idxmax()
    own, said = wide.loc[item], _named(labels)
    return message("figures.weights", item=said(item), low=float(own.min()),
                   lowest=said(own.idxmin()), high=float(own.max()),
                   highest=said(own.idxmax()))  # fmt: skip


def ranks_finding(weights: pd.DataFrame, labels: Mapping[str, str] | None) -> Message | None:
    """Which indicator comes first, and by how many of the methods that rank at all."""
    wide = weights.pivot(index="indicator", columns="method", values="global_weight")
    wide = wide.loc[:, wide.nunique() > 1]
    if wide.empty:
        return None
    firsts = wide.idxmax().value_counts()
    item = min(firsts[firsts == firsts.max()].index, key=str)
    return message("figures.first", item=_named(labels)(item), methods=int(firsts[item]),
                   all=wide.shape[1])  # fmt: skip


def alpha_finding(sweep: pd.DataFrame, labels: Mapping[str, str] | None) -> Message | None:
    """Which indicator weighs most with data alone, and which with experts alone."""
    ends = [sweep[sweep["alpha"] == end] for end in (sweep["alpha"].min(), sweep["alpha"].max())]
    if any(rows.empty for rows in ends):
        return None
    said = _named(labels)
    data, experts = (said(r.loc[r["global_weight"].idxmax(), "indicator"]) for r in ends)
    return message("figures.alpha_same" if data == experts else "figures.alpha_turns",
                   data=data, experts=experts)  # fmt: skip


def grades_finding(grades: pd.DataFrame) -> Message | None:
    """What the best grade holds, over the methods."""
    if "value_share" not in grades:
        return None
    first = grades.groupby("method", sort=False).head(1) if "method" in grades else grades.head(1)
    held = first["value_share"].dropna()
    if held.empty:
        return None
    return message("figures.grades" if len(held) > 1 else "figures.grade", low=float(held.min()),
                   high=float(held.max()), methods=len(held))  # fmt: skip


def stability_finding(stability: pd.DataFrame, said: Said) -> Message | None:
    """The grade that customers keep least often when the weights vary."""
    kept = (stability["from_90"] + stability["from_99"]).dropna()
    if kept.empty:
        return None
    least = kept.idxmin()
    return message("figures.stability", grade=said(stability.loc[least, "grade"]),
                   share=float(kept[least]))  # fmt: skip


def capture_finding(gain: pd.Series, share: float, said: Said, baseline: str) -> Message | None:
    """The score whose best customers hold most more than under the baseline, if any does."""
    if gain.empty:
        return None
    best = gain.idxmax()
    return message("figures.capture" if gain.max() > 0 else "figures.no_capture",
                   method=said(str(best)), gain=float(gain.max()), share=share,
                   baseline=said(baseline))  # fmt: skip


def tracking_finding(tracking: pd.DataFrame) -> Message | None:
    """By how much the forecast of all repeat purchases of the holdout is off."""
    later = tracking[tracking["sample"] == "holdout"]
    if later.empty or not later["actual"].sum() > 0:
        return None
    off = float(later["expected"].sum() / later["actual"].sum() - 1)
    kind = "high" if off >= 0.0005 else "low" if off <= -0.0005 else "met"
    return message(f"figures.tracking_{kind}", off=abs(off))


def closest_finding(table: pd.DataFrame, by: str, models: Sequence[str], said: Said
                    ) -> Message | None:  # fmt: skip
    """In how many groups which model comes closest to what happened."""
    rows = table[table["model"].isin(models)].dropna(subset=["actual", "expected"])
    if rows.empty or rows["model"].nunique() < 2:
        return None
    rows = rows.assign(gap=(rows["expected"] - rows["actual"]).abs())
    wide = rows.pivot_table(index=by, columns="model", values="gap", observed=True)
    wins = wide[[m for m in models if m in wide]].idxmin(axis=1).value_counts()
    best = str(wins.index[0])
    return message("figures.closest", model=said(best), groups=int(wins.iloc[0]), all=len(wide))


def calibration_finding(table: pd.DataFrame, models: Sequence[str], said: Said) -> Message | None:
    """Whose probabilities come true best, and whose worst."""
    rows = table[table["model"].isin(models)].dropna(subset=["observed", "mean_probability", "n"])
    gap = (rows["observed"] - rows["mean_probability"]).abs() * rows["n"]
    errors = gap.groupby(rows["model"]).sum() / rows["n"].groupby(rows["model"]).sum()
    if len(errors) < 2:
        return None
    return message("figures.calibration", best=said(str(errors.idxmin())),
                   least=float(errors.min()), worst=said(str(errors.idxmax())),
                   most=float(errors.max()))  # fmt: skip


def score_finding(rows: pd.DataFrame, reference: float | None, said: Said) -> Message | None:
    """The model that ranks best, the one that ranks worst, and whether chance beats it."""
    known = rows.dropna(subset="value")
    if len(known) < 2:
        return None
    top, low = (known.loc[i] for i in (known["value"].idxmax(), known["value"].idxmin()))
    below = reference is not None and low["value"] < reference
    return message("figures.score_below" if below else "figures.score", best=said(top["model"]),
                   high=float(top["value"]), worst=said(low["model"]),
                   low=float(low["value"]))  # fmt: skip


def profit_finding(curve: pd.DataFrame, models: Sequence[str], said: Said) -> Message | None:
    """The ranking that earns most, and how many customers it contacts for that."""
    rows = curve[curve["model"].isin(models) & (curve["model"] != "oracle")].dropna(subset="profit")
    if rows.empty or not rows["profit"].max() > 0:
        return message("figures.no_profit") if len(rows) else None
    top = rows.loc[rows["profit"].idxmax()]
    return message("figures.profit", model=said(top["model"]), share=float(top["share"]),
                   profit=float(top["profit"]))  # fmt: skip


def concentration_finding(share: float) -> Message:
    """What the best tenth of customers holds."""
    return message("figures.concentration", share=share)


def projection_finding(curves: pd.DataFrame, time: str, until: float | None, said: Said
                       ) -> Message | None:  # fmt: skip
    """The model closest to what was observed, beyond what it was fitted to where there is that."""
    if "actual" not in curves:
        return None
    known = curves.dropna(subset=["actual", "survival"])
    later = known if until is None else known[known[time] > until]
    rows = later if len(later) else known
    gap = (rows["survival"] - rows["actual"]).abs().groupby(rows["model"]).mean()
    if len(gap) < 2:
        return None
    return message("figures.projection", best=said(str(gap.idxmin())), least=float(gap.min()),
                   worst=said(str(gap.idxmax())), most=float(gap.max()))  # fmt: skip


def shares_finding(shares: pd.DataFrame, group: str, said: Said) -> Message | None:
    """The group that holds most value for its number."""
    known = shares.dropna(subset=["share_of_customers", "share_of_value"])
    known = known[known["share_of_customers"] > 0]
    if known.empty:
        return None
    top = known.loc[(known["share_of_value"] / known["share_of_customers"]).idxmax()]
    return message("figures.shares", group=said(top[group]),
                   customers=float(top["share_of_customers"]),
                   value=float(top["share_of_value"]))  # fmt: skip


def staying_finding(grid: pd.DataFrame, said: Said) -> Message | None:
    """Where customers stay most, and where least, from shares by row."""
    stays = pd.Series({name: grid.loc[name, name] for name in grid.index if name in grid.columns})
    stays = stays.dropna().astype(float)
    if len(stays) < 2:
        return None
    return message("figures.staying", most=said(str(stays.idxmax())), high=float(stays.max()),
                   least=said(str(stays.idxmin())), low=float(stays.min()))  # fmt: skip


def retention_finding(grid: pd.DataFrame, said: Said) -> Message | None:
    """How many of a cohort are there after a while: at the longest time that all cohorts reach."""
    if not len(grid):
        return None
    whole = [period for period in grid.columns if grid[period].notna().all()]
    if not whole:
        return None
    last: Any = max(whole)
    found = grid[last].astype(float)
    if len(grid) == 1:
        return message("figures.retention_one", share=float(found.iloc[0]), period=int(last))
    return message("figures.retention", period=int(last), low=float(found.min()),
                   worst=said(str(found.idxmin())), high=float(found.max()),
                   best=said(str(found.idxmax())))  # fmt: skip


def pairs_finding(different: np.ndarray) -> Message:
    """How many pairs of groups are told apart."""
    return message("figures.pairs", different=int(different.sum()), all=int(different.size))


def moved_finding(moves: pd.DataFrame, one: str, other: str) -> Message | None:
    """How many customers have another grade by the other weighting."""
    known = moves.dropna(subset="customers")
    if not known["customers"].sum() > 0 or len(known) < len(moves):
        return None  # blank cells hide the total
    stay = known.loc[known["grade_a"].astype(str) == known["grade_b"].astype(str), "customers"]
    share = 1 - float(stay.sum() / known["customers"].sum())
    return message("figures.moved", share=share, one=one, other=other)
