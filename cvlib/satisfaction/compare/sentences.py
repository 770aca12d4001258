"""Comparisons in a sentence each, with their uncertainty, in English or Chinese."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cvlib.inputs.datasets import simulated
from cvlib.satisfaction.compare.league import League
from cvlib.satisfaction.compare.market_environment import Roles
from cvlib.satisfaction.compare.models import OUTCOMES, ModelComparison
from cvlib.satisfaction.compare.waves import ALL, Waves
from cvlib.satisfaction.index import default_target


@cache
def _sentences() -> dict[str, dict[str, str]]:
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found


def _say(sentence: str, language: str, **values: Any) -> str:
    known = _sentences()
    return known.get(language, known["en"])[sentence].format(**values)


def index_verdict(compared: ModelComparison, language: str = "en", items: str = "all") -> str:
    """How far the models move the index of satisfaction, with the largest difference's interval."""
    found = {key[1]: r for key, r in compared.results.items() if key[0] == items}
    model = next(iter(found.values())).model
    target = default_target(model)
    index = pd.Series({
        name: r.index.set_index("construct")["index"].get(target) for name, r in found.items()
    }).dropna()  # fmt: skip
    first = next(iter(found.values())).settings
    values = {"rows": first["rows"], "construct": model.label(target, language),
              "low": index.min(), "high": index.max(), "models": len(index)}  # fmt: skip
    shift = compared.shift.query("items == @items and measure == 'index' and construct == @target")
    if shift.empty or "ci_low" not in shift:
        return _say("shift_plain", language, **values)
    row = shift.loc[shift["difference"].abs().idxmax()]
    return _say("shift", language, **values, gap=row["difference"], first=row["model_1"],
                second=row["model_2"], ci_low=row["ci_low"], ci_high=row["ci_high"],
                level=first["level"])  # fmt: skip


def prediction_verdict(compared: ModelComparison, language: str = "en", items: str = "all") -> str:
    """Which model predicts satisfaction and loyalty best, and which are not told apart from it."""
    told = []
    result = next(iter(compared.results.values()))
    level = result.settings["level"]
    for outcome in OUTCOMES:
        rows = compared.cvpat.query("items == @items and outcome == @outcome")
        if rows.empty:
            continue
        gaps = against_best(rows)
        tied = gaps[~(gaps["p_adjusted"] < 1 - level)]
        values = {"best": gaps["best"].iloc[0], "outcome": result.model.label(outcome, language)}
        if tied.empty:
            told.append(_say("predicts_alone", language, **values))
            continue
        row = tied.loc[tied["difference"].idxmin()]
        told.append(_say(
            "predicts_tied", language, **values, tied=len(tied), others=len(gaps),
            closest=row["model"], gap=row["difference"], ci_low=row["ci_low"],
            ci_high=row["ci_high"], level=level,
        ))  # fmt: skip
    return " ".join(told)


def against_best(cvpat: pd.DataFrame) -> pd.DataFrame:
    """model, best, difference of loss (model less best), ci_low, ci_high, p_adjusted.

    Parameters
    ----------
    cvpat : DataFrame
        Pairs of models over one outcome.
    """
    losses = {**dict(zip(cvpat["model_2"], cvpat["loss_2"], strict=True)),
              **dict(zip(cvpat["model_1"], cvpat["loss_1"], strict=True))}  # fmt: skip
    best = min(losses, key=lambda name: losses[name])
    ahead = cvpat[cvpat["model_1"] == best]
    behind = cvpat[cvpat["model_2"] == best]
    columns = ["model", "best", "difference", "ci_low", "ci_high", "p_adjusted"]
    turned = ahead.assign(model=ahead["model_2"], difference=-ahead["difference"],
                          ci_low=-ahead["ci_high"], ci_high=-ahead["ci_low"])  # fmt: skip
    both = pd.concat([turned, behind.assign(model=behind["model_1"])], ignore_index=True)
    return both.assign(best=best)[columns]


def chart_tables(
    compared: ModelComparison, language: str = "en", items: str = "all"
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """What `figures.groups.models_chart` takes: the index by model, losses by outcome."""
    model = next(iter(compared.results.values())).model
    index = compared.table("index")
    own = (index["items"] == items) & (index["construct"] == default_target(model))
    index = index[own]
    losses = {}
    for outcome in OUTCOMES:
        rows = compared.cvpat.query("items == @items and outcome == @outcome")
        if len(rows):
            losses[model.label(outcome, language)] = against_best(rows)
    return index, losses


def first_index(compared: ModelComparison) -> float:
    """The index of satisfaction by the first model named."""
    result = next(iter(compared.results.values()))
    name = default_target(result.model)
    return float(result.index.set_index("construct").loc[name, "index"])


def fit_verdict(compared: ModelComparison, language: str = "en", items: str = "all") -> str:
    """The smallest SRMR, and how many models the exact-fit test rejects; empty without the test."""
    rows = compared.fit.query("items == @items and measure == 'srmr'")
    if "p" not in rows or rows.empty:
        return ""
    alpha = 1 - next(iter(compared.results.values())).settings["level"]
    best = rows.loc[rows["value"].idxmin()]
    return _say("rejected", language, alpha=alpha, rejected=int((rows["p"] < alpha).sum()),
                models=len(rows), best=best["model"], srmr=best["value"])  # fmt: skip


def roles_verdict(roles: Roles, language: str = "en") -> str:
    """What the market environment adds, role by role and outcome by outcome."""
    if roles.comparison is None:
        return _say("no_roles", language)
    result = next(iter(roles.comparison.results.values()))
    told = []
    for row in roles.table.to_dict("records"):
        says = ("better" if row["cvpat_ci_high"] < 0 else
                "worse" if row["cvpat_ci_low"] > 0 else "same")  # fmt: skip
        told.append(_say(
            "role", language, construct=result.model.label(row["construct"], language),
            role=row["role"], gain=row["delta_r_squared"], f_squared=row["f_squared"],
            says=_say(says, language), cvpat=row["cvpat_difference"], ci_low=row["cvpat_ci_low"],
            ci_high=row["cvpat_ci_high"], level=result.settings["level"],
        ))  # fmt: skip
    return " ".join(told)


def origin(data: str, source: str, language: str = "en") -> str:
    """Whether the survey is real, by its entry in the catalogue."""
    return _say("simulated" if simulated(data) else "survey", language, source=source)


def leader(league: League, weights: str = "pooled") -> dict[str, Any]:
    """The first row of a league table, and the group's name."""
    row = league.league[league.league["weights"] == weights].iloc[0].to_dict()
    by = league.groups.keys.columns[:-2]
    return {**row, "leader": " / ".join(str(row[column]) for column in by)}


def league_verdict(league: League, language: str = "en") -> str:
    """Who is ahead, how surely, and how many pairs differ."""
    top, groups = leader(league), len(league.groups.keys)
    name = "leader_alone" if top["rank_ci_high"] == 1 else "leader_tied"
    told = _say(name, language, leader=top["leader"], index=top["index"], groups=groups,
                ci_low=top.get("ci_low"), ci_high=top.get("ci_high"), worst=top["rank_ci_high"],
                level=league.groups.settings["level"])  # fmt: skip
    pooled = league.pairwise[league.pairwise["weights"] == "pooled"]
    own = league.pairwise[league.pairwise["weights"] == "own"]
    return told + " " * (language == "en") + _say(
        "pairs", language, different=int(pooled["different"].sum()), pairs=len(pooled),
        own=int(own["different"].sum()),
    )  # fmt: skip


def gate_verdict(league: League, language: str = "en") -> str:
    """What MICOM says about the league table."""
    if league.gate.empty:
        return _say("nogate", language)
    pooled = league.pairwise[league.pairwise["weights"] == "pooled"]
    unfair = int((pooled["different"] & ~pooled["composition_holds"]).sum())
    target = league.groups.model.label(league.target, language)
    told = _say(
        "gate", language, composed=int((league.gate["invariance"] != "none").sum()),
        pairs=len(league.gate), target=target, target_holds=int(pooled["composition_holds"].sum()),
    )  # fmt: skip
    if unfair:
        told += " " * (language == "en") + _say("unfair", language, unfair=unfair, target=target)
    return told


def change_verdict(waves: Waves, level: float = 0.95, language: str = "en") -> str:
    """The last change of everybody's index, its parts, and the groups that moved."""
    rows = waves.changes[waves.changes["weights"] == "pooled"]
    last = rows[rows["group"] == ALL].iloc[-1]
    told = [_say(
        "change_sure" if last["different"] else "change_unsure", language,
        from_wave=last["from_wave"], to_wave=last["to_wave"], group=_say("everybody", language),
        gap=last["difference"], ci_low=last.get("ci_low"), ci_high=last.get("ci_high"),
        p=last["p_welch_adjusted"], level=level,
    )]  # fmt: skip
    split = waves.decomposition
    split = split[(split["group"] == ALL) & (split["to_wave"] == last["to_wave"])]
    told.append(_say("parts", language, **split.set_index("component")["estimate"].to_dict()))
    others = rows[(rows["group"] != ALL) & (rows["to_wave"] == last["to_wave"])]
    if len(others):
        moved = others[others["different"]]
        names = [f"{row.group} ({row.difference:+.1f})" for row in moved.itertuples()]
        told.append(_say("movers" if names else "no_movers", language,
                         groups=("、" if language == "zh" else ", ").join(names)))  # fmt: skip
    return (" " * (language == "en")).join(told)


def total_verdict(total: pd.DataFrame, level: float = 0.95, language: str = "en") -> str:
    """The top of an aggregation."""
    top = total.iloc[-1]
    return _say("total", language, name=_say("everything", language), index=top["index"],
                ci_low=top.get("ci_low"), ci_high=top.get("ci_high"), level=level)  # fmt: skip
