"""Comparisons in a sentence each, with their uncertainty."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cvlib.inputs.datasets import simulated
from cvlib.satisfaction.compare.league import League
from cvlib.satisfaction.compare.market_environment import Roles
from cvlib.satisfaction.compare.models import ModelComparison
from cvlib.satisfaction.compare.waves import ALL, Waves
from cvlib.satisfaction.headline import index_withheld, label
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.sem.invariance import Invariance
from cvlib.statistics.multiple import adjusted
from cvlib.words.message import Label, Message, in_language, joined, message

CFI_FALL = 0.01  # of a step of invariance (Cheung & Rensvold, 2002 [M])


def index_verdict(compared: ModelComparison, items: str = "all") -> Message:
    """How far the models move the index of satisfaction, and how many pairs of them differ.

    Pairs are judged by the p values of their differences, adjusted for the number of pairs.
    """
    found = {key[1]: r for key, r in compared.results.items() if key[0] == items}
    model = next(iter(found.values())).model
    target = default_target(model)
    sound = {name: r for name, r in found.items() if target in r.model.construct_names
             and index_withheld(r, target) is None}  # fmt: skip
    if not sound:
        reason = index_withheld(next(iter(found.values())), target)
        return message("satisfaction.no_index") if reason is None else reason
    index = pd.Series({
        name: r.index.set_index("construct")["index"].get(target) for name, r in sound.items()
    }).dropna()  # fmt: skip
    first = next(iter(found.values())).settings
    values = {"rows": first["rows"], "construct": label(model, target),
              "low": index.min(), "high": index.max(), "models": len(index)}  # fmt: skip
    shift = compared.shift
    if len(shift):
        shift = shift.query("items == @items and measure == 'index' and construct == @target")
        shift = shift[shift["model_1"].isin(index.index) & shift["model_2"].isin(index.index)]
    if shift.empty or "p" not in shift:
        return message("satisfaction.shift_plain", **values)
    p = adjusted(shift["p"].to_numpy(), compared.settings.get("adjustment", "holm"))
    largest = int(shift["difference"].abs().to_numpy().argmax())
    row = shift.iloc[largest]
    return message("satisfaction.shift", **values, gap=row["difference"], first=row["model_1"],
                   second=row["model_2"], p=p[largest], pairs=len(shift),
                   differ=int((p < 1 - first["level"]).sum()))  # fmt: skip


def _pairs_of(compared: ModelComparison, outcome: str, items: str = "all") -> pd.DataFrame:
    rows = compared.cvpat
    return rows.query("items == @items and outcome == @outcome") if len(rows) else rows


def gaps_of(compared: ModelComparison, outcome: str) -> pd.DataFrame:
    """How far each model's prediction of an outcome is behind the best; empty where none is."""
    rows = _pairs_of(compared, outcome)
    return against_best(rows) if len(rows) else rows


def prediction_verdict(compared: ModelComparison, items: str = "all") -> Message:
    """Which models predict satisfaction and loyalty: every pair, wins and losses alike.

    A pair differs where its p value, adjusted for the number of pairs, says so.
    """
    said = []
    level = next(iter(compared.results.values())).settings["level"]
    for outcome in compared.outcomes:
        rows = _pairs_of(compared, outcome, items)
        if rows.empty:
            continue
        gaps = against_best(rows)
        tied = gaps[~(gaps["p_adjusted"] < 1 - level)]
        values = {"best": gaps["best"].iloc[0], "outcome": _outcome(compared, outcome)}
        if tied.empty:
            said.append(message("satisfaction.predicts_alone", **values))
        else:
            row = tied.loc[tied["difference"].idxmin()]
            said.append(message(
                "satisfaction.predicts_tied", **values, tied=len(tied), others=len(gaps),
                closest=row["model"], gap=row["difference"], p=row["p_adjusted"],
            ))  # fmt: skip
        if len(gaps) > 1:
            differ = rows[rows["p_adjusted"] < 1 - level]
            ordered = map(_winner_first, differ.to_dict("records"))
            pairs = [message("satisfaction.beats", first=a, second=b) for a, b in ordered]
            said.append(message("satisfaction.pairs_differ", differ=len(pairs), pairs=len(rows),
                                which=pairs, outcome=values["outcome"])
                        if pairs else message("satisfaction.no_pair_differs", pairs=len(rows),
                                              outcome=values["outcome"]))  # fmt: skip
    left = [name for (kind, name) in compared.results if kind == items
            and (kind, name) not in compared.predictions]  # fmt: skip
    if left:
        said.append(message("satisfaction.not_in_the_race", models=left))
    return joined(said or [message("satisfaction.no_common_outcome")])


def _outcome(compared: ModelComparison, outcome: str) -> Label:
    """An outcome's label, from the first model that has it."""
    return next(label(model, outcome) for model in compared.models
                if outcome in model.construct_names)  # fmt: skip


def _winner_first(row: dict[str, Any]) -> tuple[str, str]:
    pair = (row["model_1"], row["model_2"])
    return pair if row["difference"] < 0 else pair[::-1]


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
    for outcome in compared.outcomes:
        rows = compared.cvpat
        rows = rows.query("items == @items and outcome == @outcome") if len(rows) else rows
        if len(rows):
            losses[in_language(_outcome(compared, outcome), language)] = against_best(rows)
    return index, losses


def model_titles(compared: ModelComparison, language: str = "en") -> dict[str, str]:
    """What the models of a comparison are called beside a chart: name and title."""
    models = {result.model.name: result.model for result in compared.results.values()}
    return {
        name: f"{name}: {model.title.get(language, model.title.get('en', name))}"
        for name, model in models.items()
    }


def first_index(compared: ModelComparison) -> float | None:
    """The index of satisfaction by the first model named; None where it is not to be told."""
    result = next(iter(compared.results.values()))
    name = default_target(result.model)
    if index_withheld(result, name) is not None:
        return None
    return float(result.index.set_index("construct").loc[name, "index"])


def fit_verdict(compared: ModelComparison, items: str = "all") -> Message:
    """The smallest SRMR, and the models the exact-fit test rejects, adjusted for their number."""
    rows = compared.fit
    rows = rows.query("items == @items and measure == 'srmr'") if len(rows) else rows
    tested = rows.dropna(subset="p") if "p" in rows else rows.head(0)
    if rows.empty or tested.empty:
        return message("satisfaction.fit_untested")
    alpha = 1 - next(iter(compared.results.values())).settings["level"]
    best = rows.loc[rows["value"].idxmin()]
    least = tested[[c for c in ("p", "p_bound") if c in tested]].max(axis=1)  # lost draws included
    p = adjusted(least.to_numpy(), compared.settings.get("adjustment", "holm"))
    rejected = tested["model"][p < alpha].tolist()
    values = {"alpha": alpha, "rejected": len(rejected), "models": len(tested),
              "best": best["model"], "srmr": best["value"]}  # fmt: skip
    if not rejected:
        return message("satisfaction.none_rejected", **values)
    return message("satisfaction.rejected", **values, which=rejected)


def roles_verdict(roles: Roles) -> Message | None:
    """What the market environment adds, role by role and outcome by outcome.

    Prediction is better or worse where the p value of CVPAT, adjusted for all roles and outcomes,
    says so. None where no environment was asked about.
    """
    if roles.comparison is None and not roles.warnings:
        return None
    if roles.comparison is None:
        return message("satisfaction.no_roles")
    result = next(iter(roles.comparison.results.values()))
    level = result.settings["level"]
    method = roles.comparison.settings.get("adjustment", "holm")
    p = adjusted(roles.table["cvpat_p"].to_numpy(), method)
    said: list[Message] = []
    for row, p_adjusted in zip(roles.table.to_dict("records"), p, strict=True):
        gap = row["cvpat_difference"]
        verdict = "unknown" if pd.isna(p_adjusted) else "same"
        if p_adjusted < 1 - level:
            verdict = "better" if gap < 0 else "worse"
        said.append(message(
            "satisfaction.role", construct=label(result.model, row["construct"]),
            role=row["role"], gain=row["delta_r_squared"], f_squared=row["f_squared"],
            says=message(f"satisfaction.environment_{verdict}"), cvpat=gap, p=p_adjusted,
        ))  # fmt: skip
    return joined(said)


def origin(data: str, source: str) -> Message:
    """Whether the survey is real, by its entry in the catalogue."""
    kind = "simulated" if simulated(data) else "survey"
    return message(f"satisfaction.{kind}", source=source)


def leader(league: League, weights: str = "pooled") -> dict[str, Any]:
    """The first row of a league table, and the group's name."""
    row = league.league[league.league["weights"] == weights].iloc[0].to_dict()
    by = league.groups.keys.columns[:-2]
    return {**row, "leader": " / ".join(str(row[column]) for column in by)}


def league_verdict(league: League) -> Message:
    """Who is ahead, how surely, and how many pairs differ."""
    top, groups = leader(league), len(league.groups.keys)
    alone = top["rank_ci_high"] == 1
    sure = "leader_alone" if alone else "leader_tied"
    kind = sure if pd.notna(top.get("ci_low")) else "leader_plain"
    said = [message(
        f"satisfaction.{kind}", leader=top["leader"], index=top["index"], groups=groups,
        ci_low=top.get("ci_low"), ci_high=top.get("ci_high"), worst=top["rank_ci_high"],
        level=league.groups.settings["level"],
    )]  # fmt: skip
    pooled = league.pairwise[league.pairwise["weights"] == "pooled"]
    own = league.pairwise[league.pairwise["weights"] == "own"]
    said.append(message("satisfaction.pairs", different=int(pooled["different"].sum()),
                        pairs=len(pooled), own=int(own["different"].sum())))  # fmt: skip
    return joined(said)


def league_headline(league: League) -> tuple[str | None, Message]:
    """The name of the group that is ahead and the verdict; None where no league may be told."""
    groups = league.groups
    own, places = groups.composed.own(league.target)
    wrong = [
        (groups.model.items[item], share)
        for item, share in zip(places, groups.pooled[0, own], strict=True)
        if share < 0
    ]
    if not wrong:
        return leader(league)["leader"], league_verdict(league)
    items = [message("satisfaction.name_value", name=item, value=float(share))
             for item, share in wrong]  # fmt: skip
    shown = label(groups.model, league.target)
    return None, message("satisfaction.index_withheld", construct=shown, items=items)


def gate_verdict(league: League) -> Message:
    """What MICOM says about the league table."""
    if league.gate.empty:
        return message("satisfaction.nogate")
    pooled = league.pairwise[league.pairwise["weights"] == "pooled"]
    unfair = int((pooled["different"] & ~pooled["composition_holds"]).sum())
    target = label(league.groups.model, league.target)
    said = [message(
        "satisfaction.gate", composed=int((league.gate["invariance"] != "none").sum()),
        pairs=len(league.gate), target=target, target_holds=int(pooled["composition_holds"].sum()),
    )]  # fmt: skip
    if unfair:
        said.append(message("satisfaction.unfair", unfair=unfair, target=target))
    return joined(said)


def change_verdict(waves: Waves) -> Message:
    """The last change of everybody's index, its parts, and the groups that moved."""
    rows = waves.changes[waves.changes["weights"] == "pooled"]
    last = rows[rows["group"] == ALL].iloc[-1]
    said = [message(
        "satisfaction.change_sure" if last["different"] else "satisfaction.change_unsure",
        from_wave=last["from_wave"], to_wave=last["to_wave"],
        gap=last["difference"], p=last["p_welch_adjusted"],
    )]  # fmt: skip
    split = waves.decomposition
    split = split[(split["group"] == ALL) & (split["to_wave"] == last["to_wave"])]
    parts = split.set_index("component")["estimate"].to_dict()
    said.append(message("satisfaction.parts", **parts))
    others = rows[(rows["group"] != ALL) & (rows["to_wave"] == last["to_wave"])]
    if len(others):
        moved = others[others["different"]]
        names = [message("satisfaction.moved", group=row.group, gap=row.difference)
                 for row in moved.itertuples()]  # fmt: skip
        said.append(message("satisfaction.movers", groups=names) if names
                    else message("satisfaction.no_movers"))  # fmt: skip
    return joined(said)


def total_verdict(total: pd.DataFrame, level: float = 0.95) -> Message:
    """The top of an aggregation."""
    top = total.iloc[-1]
    if pd.isna(top.get("ci_low")):
        return message("satisfaction.total_plain", index=top["index"])
    return message("satisfaction.total", index=top["index"], ci_low=top["ci_low"],
                   ci_high=top["ci_high"], level=level)  # fmt: skip


def of_models(compared: ModelComparison) -> list[Message]:
    """What a comparison of models says of itself: the index, prediction, fit."""
    said = [index_verdict(compared), prediction_verdict(compared)]
    return said if compared.table("exact_fit").empty else [*said, fit_verdict(compared)]


def of_roles(roles: Roles) -> list[Message]:
    """What the roles of the market environment say of themselves."""
    told = roles_verdict(roles)
    return [] if told is None else [told]


def of_league(league: League) -> list[Message]:
    """What a league table says of itself: who is ahead, and whether the comparison is fair."""
    return [league_headline(league)[1], gate_verdict(league)]


def of_waves(waves: Waves) -> list[Message]:
    """What waves say of themselves: the last change, its parts, who moved."""
    return [change_verdict(waves)]


def of_invariance(found: Invariance) -> list[Message]:
    """How far the groups share one model: each step judged by the fall of CFI, at most .01.

    The likelihood-ratio test stands beside it: with many respondents it rejects small differences.
    """
    said = []
    for row in found.comparisons.to_dict("records"):
        fall = max(-float(row["cfi_difference"]), 0.0)
        said.append(message(
            f"satisfaction.invariance_{'holds' if fall <= CFI_FALL else 'fails'}",
            level=row["level"], against=row["against"], fall=fall, p=row["p"], most=CFI_FALL,
            groups=len(found.group_sizes),
        ))  # fmt: skip
    return said
