"""What figures of paths, groups, values and decisions show, said from their own numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from cvlib.words.message import Message, message
from cvlib.words.money import in_money

Said = Callable[[str], str]


def _size(value: float) -> str:
    """A number by its size: no decimals above 100, one above 10."""
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{places}f}"


def _ends(table: pd.DataFrame, value: str) -> tuple[pd.Series, pd.Series] | None:
    """The rows with the largest and the smallest number; None of fewer than two."""
    known = table.dropna(subset=[value])
    if len(known) < 2 or known[value].nunique() < 2:
        return None
    return known.loc[known[value].idxmax()], known.loc[known[value].idxmin()]


def ends_finding(
    table: pd.DataFrame, name: str, value: str, said: Said, unit: str = ""
) -> Message | None:
    """Who is highest and who is lowest."""
    ends = _ends(table.reset_index(drop=True), value)
    if ends is None:
        return None
    top, low = ends
    return message("figures.ends", best=said(str(top[name])), high=_size(float(top[value])) + unit,
                   worst=said(str(low[name])), low=_size(float(low[value])) + unit)  # fmt: skip


def corner_finding(
    table: pd.DataFrame, name: str, axes: tuple[str, str], words: tuple[str, str], said: Said
) -> Message | None:
    """Who is highest by either of two measures."""
    known = table.dropna(subset=list(axes)).reset_index(drop=True)
    if len(known) < 2:
        return None
    first, second = (said(str(known.loc[known[axis].idxmax(), name])) for axis in axes)
    kind = "figures.corner_one" if first == second else "figures.corners"
    return message(kind, first=first, second=second, across=words[0], up=words[1])


def chain_finding(links: pd.DataFrame, said: Said) -> Message | None:
    """The link that most people made."""
    kept = links[links["shown"].astype(bool)].reset_index(drop=True)
    if kept.empty:
        return None
    top = kept.loc[kept["direct"].idxmax()]
    return message("figures.chain", source=said(str(top["from_code"])),
                   target=said(str(top["to_code"])), n=int(top["direct"]))  # fmt: skip


def network_finding(nodes: pd.DataFrame, said: Said) -> Message | None:
    """Who is worth most to the others, and which share of what is drawn that is."""
    total = float(nodes["network_value"].sum())
    if len(nodes) < 2 or not total > 0:
        return None
    top = nodes.reset_index(drop=True).loc[int(np.argmax(nodes["network_value"]))]
    return message("figures.network", who=said(str(top["customer"])),
                   share=float(top["network_value"]) / total)  # fmt: skip


def curve_finding(table: pd.DataFrame, across: str, line: str, word: str) -> Message | None:
    """From where to where a curve goes."""
    known = table.dropna(subset=[across, line]).sort_values(across)
    if len(known) < 2:
        return None
    first, last = known.iloc[0], known.iloc[-1]
    rises = float(last[line]) - float(first[line])
    kind = "rises" if rises > 0 else "falls" if rises < 0 else "level"
    return message(f"figures.curve_{kind}", line=word, first=_size(float(first[line])),
                   last=_size(float(last[line])))  # fmt: skip


def parts_finding(table: pd.DataFrame, said: Said) -> Message | None:
    """Which part of a value is the largest, and what share of the total it is."""
    whole = table[table["part"].astype(str) == "total"]["per_customer"]
    parts = table[~table["part"].astype(str).str.contains("total")].reset_index(drop=True)
    if parts.empty or whole.empty or not float(whole.iloc[0]) > 0:
        return None
    top = parts.loc[parts["per_customer"].idxmax()]
    return message("figures.parts", part=said(str(top["part"])),
                   share=float(top["per_customer"]) / float(whole.iloc[0]))  # fmt: skip


def driver_finding(table: pd.DataFrame, said: Said) -> Message | None:
    """Whose point is worth most, and whether its interval clears the others' estimates."""
    known = table.dropna(subset=["money_per_point"]).reset_index(drop=True)
    if len(known) < 2:
        return None
    top = known.loc[known["money_per_point"].idxmax()]
    others = known.drop(index=top.name)["money_per_point"]
    sure = pd.notna(top["lower"]) and float(top["lower"]) > float(others.max())
    return message("figures.driver" if sure else "figures.driver_unsure",
                   driver=said(str(top["driver"])),
                   value=in_money(_size(float(top["money_per_point"]))))  # fmt: skip


def thirds_finding(curves: pd.DataFrame, said: Said) -> Message | None:
    """What share of each third is left at the last period that all were observed in."""
    wide = curves.pivot_table(index="period", columns="satisfaction", values="observed", sort=False)
    wide = wide.dropna()
    if wide.empty or wide.shape[1] < 2:
        return None
    last = wide.iloc[-1]
    return message("figures.thirds", period=float(wide.index[-1]), best=said(str(last.idxmax())),
                   high=float(last.max()), worst=said(str(last.idxmin())),
                   low=float(last.min()))  # fmt: skip


def suspects_finding(table: pd.DataFrame) -> Message:
    """How many variables have a level at which leaving is too lopsided."""
    suspect = table.loc[table["suspect"].astype(bool), "variable"].nunique()
    return message("figures.suspects" if suspect else "figures.no_suspects", suspect=int(suspect),
                   all=int(table["variable"].nunique()))  # fmt: skip


def tenths_finding(table: pd.DataFrame) -> Message | None:
    """What the best tenth spent against its forecast, and how many of it did not come back."""
    top = table.reset_index(drop=True).loc[int(np.argmin(table["tenth"]))]
    forecast = float(top.get("forecast_spend", np.nan))
    if not forecast > 0 or pd.isna(top["realised_spend"]):
        return message("figures.tenth_churn", churn=float(top["churn"]))
    within = float(top["ci_low"]) <= forecast <= float(top["ci_high"])
    off = forecast / max(float(top["realised_spend"]), 1e-12) - 1
    kind = "figures.tenth_met" if within else "figures.tenth_off"
    return message(kind, off=off, churn=float(top["churn"]))


def equity_finding(table: pd.DataFrame) -> Message | None:
    """Between which values the models put the equity."""
    known = table["equity"].dropna()
    if len(known) < 2:
        return None
    return message("figures.equity", n=len(known), low=in_money(_size(float(known.min()))),
                   high=in_money(_size(float(known.max()))))  # fmt: skip


def distance_finding(differences: pd.DataFrame, observed: str, said: Said) -> Message | None:
    """Which model stays closest to what was observed, and how far the furthest goes."""
    furthest = differences.abs().max().dropna()
    if len(furthest) < 2:
        return None
    return message("figures.distance", best=said(str(furthest.idxmin())),
                   least=float(furthest.min()), worst=said(str(furthest.idxmax())),
                   most=float(furthest.max()), observed=said(observed))  # fmt: skip


def models_finding(index: pd.DataFrame, losses: Mapping[str, pd.DataFrame]) -> Message | None:
    """How far the models' indices lie apart, and how many predict worse than the best."""
    known = index["index"].dropna()
    if len(known) < 2:
        return None
    spread = float(known.max() - known.min())
    table = next(iter(losses.values()), None)
    if table is None or "ci_low" not in table:
        return message("figures.models", spread=spread, n=len(known))
    worse = int((table.loc[table["model"] != table["best"], "ci_low"] > 0).sum())
    return message("figures.models_predict", spread=spread, n=len(known), worse=worse,
                   others=len(table) - 1, outcome=next(iter(losses)))  # fmt: skip


def league_finding(league: pd.DataFrame, group: str) -> Message | None:
    """Who leads, and how many groups may be first by the ranks not excluded."""
    pooled = league[league["weights"] == "pooled"].dropna(subset=["index"]).reset_index(drop=True)
    if len(pooled) < 2:
        return None
    top = pooled.loc[pooled["index"].idxmax()]
    first = int((pooled["rank_ci_low"] == 1).sum())
    kind = "figures.leads_alone" if first == 1 else "figures.leads"
    return message(kind, best=str(top[group]), index=float(top["index"]), n=first)


def trend_finding(series: pd.DataFrame, everybody: str) -> Message | None:
    """How everybody and the group that moved most changed in the last wave."""
    waves = list(dict.fromkeys(series["wave"]))
    if len(waves) < 2:
        return None
    wide = series.pivot_table(index="group", columns="wave", values="index", sort=False)
    moves = (wide[waves[-1]] - wide[waves[-2]]).dropna()
    groups = moves.drop(index=everybody, errors="ignore")
    if everybody not in moves or groups.empty:
        return None
    most = groups.abs().idxmax()
    return message("figures.trend", earlier=str(waves[-2]), later=str(waves[-1]),
                   all=float(moves[everybody]), group=str(most),
                   gap=float(groups[most]))  # fmt: skip


def decomposition_finding(last: pd.DataFrame, everybody: str) -> Message | None:
    """Of the change of all respondents, what answers and what weights contributed."""
    own = last[last["group"] == everybody].set_index("component")["estimate"]
    if not {"change", "answers", "weights"} <= set(own.index):
        return None
    return message("figures.decomposition", change=float(own["change"]),
                   answers=float(own["answers"]), weights=float(own["weights"]))  # fmt: skip


def validity_finding(
    colours: Sequence[str], better: str, worse: str, metric: str, baseline: str
) -> Message:
    """How many methods are told apart from the baseline, and in which direction."""
    above, below = list(colours).count(better), list(colours).count(worse)
    kind = "validity" if above else "validity_none"
    return message(f"figures.{kind}", above=above, below=below, metric=metric,
                   baseline=baseline)  # fmt: skip


def paths_finding(paths: pd.DataFrame, level: float, said: Said) -> Message | None:
    """The strongest path, and how many are not told from zero."""
    known = paths.dropna(subset=["estimate"]).reset_index(drop=True)
    if len(known) < 2:
        return None
    top = known.loc[known["estimate"].abs().idxmax()]
    slots = {"source": said(top["source"]), "target": said(top["target"]),
             "estimate": float(top["estimate"]), "all": len(known)}  # fmt: skip
    if "p" not in known or known["p"].isna().all():
        return message("figures.paths", **slots)
    unsure = int((known["p"] >= 1 - level).sum())
    return message("figures.paths_tested", unsure=unsure, **slots)


def heat_finding(weights: pd.DataFrame, said: Said) -> Message | None:
    """Between which two methods the weights differ most, and by how much in all."""
    wide = weights.pivot_table(index="method", columns="indicator", values="global_weight",
                               sort=False).dropna()  # fmt: skip
    if len(wide) < 2:
        return None
    values = wide.to_numpy(float)
    apart = 0.5 * np.abs(values[:, None, :] - values[None, :, :]).sum(axis=2)
    one, other = np.unravel_index(int(np.argmax(apart)), apart.shape)
    if apart[one, other] < 5e-4:
        return message("figures.heat_same")
    return message("figures.heat", share=float(apart[one, other]), one=said(str(wide.index[one])),
                   other=said(str(wide.index[other])))  # fmt: skip
