"""The first screen of a satisfaction report: verdict, key figures, what to do, what to doubt."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cvlib.inputs.datasets import invented
from cvlib.inputs.readers import Table
from cvlib.satisfaction.compare.league import League
from cvlib.satisfaction.compare.models import ModelComparison
from cvlib.satisfaction.compare.sentences import (
    change_verdict,
    fit_verdict,
    gaps_of,
    gate_verdict,
    index_verdict,
    leader,
    league_headline,
)
from cvlib.satisfaction.compare.waves import Waves
from cvlib.satisfaction.estimators import Estimates
from cvlib.satisfaction.headline import drivers_withheld, index_sentence, index_withheld, label
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.pls.exact_fit import rejected
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sentences import HTMT_LIMIT, cautions, driver_sentences, target_of
from cvlib.words.answer import Answer, Tile, interval, number
from cvlib.words.message import Label, Message, message, without

_POINTS = 5  # index points a driver is raised by in tiles and advice
_MOST = 3  # lines of advice and of doubt
_ELSEWHERE = ("satisfaction.pairs", "satisfaction.parts")  # what tiles and tables say as well


def index_answer(
    found: Estimates, survey: Table, target: str = "", dont_know: Sequence[object] = ()
) -> Answer:
    """How satisfied customers are, and what moves it.

    Parameters
    ----------
    found : Estimates
        What notebook 01 estimated.
    survey : Table
        The survey, whose scales are audited.
    target : str
        Construct of the headline; empty for the model's usual target (satisfaction).
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.

    Returns
    -------
    Answer
        Sentences, warnings and limits of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> survey = cv.load("mobi")
    >>> found = cv.satisfaction.estimate(survey, "acsi")
    >>> type(cv.satisfaction.index_answer(found, survey)).__name__
    'Answer'
    """
    main = found.main
    name = target or default_target(main.model)
    told = index_withheld(main, name) is None
    table = main.importance_performance
    drivers = len(table) > 0 and drivers_withheld(main) is None
    doubts = [*cautions(survey, found.models, dont_know), *_overlap(main), *_misfit(main)]
    return Answer(
        question=message(
            "satisfaction.asks_index", source=survey.source, rows=int(main.settings["rows"]),
            model=Label(main.model.title or {"en": main.model.name}), estimator=main.estimator,
        ),
        verdict=(index_sentence(main, name), *driver_sentences(main)[:1]),
        tiles=tuple(_tiles(main, name, drivers)) if told else (),
        hero="importance_performance_map" if len(table) else "index_chart",
        advice=tuple(_advice(main) if drivers else driver_sentences(main)[:1]),
        doubts=tuple(doubts[:_MOST]),
    )  # fmt: skip


def _tiles(main: SatisfactionResult, target: str, drivers: bool) -> list[Tile]:
    index = main.index.set_index("construct")
    outcomes = [c for c in ("loyalty",) if c in index.index and c != target]
    tiles = []
    for name in [target, *outcomes]:
        if index_withheld(main, name) is None:
            row = index.loc[name]
            tiles.append(Tile(label(main.model, name), number(row["index"]), _limits(row)))
    explained = main.r_squared.set_index("construct")
    if target in explained.index:
        row = explained.loc[target]
        title = message("satisfaction.tile_explained", construct=label(main.model, target))
        tiles.append(Tile(title, number(row["r_squared"], 2), _limits(row, 2)))
    impacts = main.impacts[main.impacts["target"] == target] if len(main.impacts) else main.impacts
    if drivers and len(impacts):
        row = impacts.loc[impacts["impact_5"].idxmax()]
        tiles.append(Tile(
            message("satisfaction.tile_impact", driver=label(main.model, row["source"]),
                    points=_POINTS),
            f"{row['impact_5']:+.1f}", _limits(row),
        ))  # fmt: skip
    return tiles


def _limits(row: pd.Series, decimals: int = 1) -> str:
    return interval(row.get("ci_low", float("nan")), row.get("ci_high", float("nan")), decimals)


def _advice(main: SatisfactionResult) -> list[Message]:
    """Drivers whose effect is sure, the strongest first: raise them, or keep them up."""
    table = main.importance_performance.set_index("construct")
    target = target_of(main)
    impacts = main.impacts[main.impacts["target"] == target].set_index("source")
    impacts = impacts.reindex(table.index).sort_values("impact_5", ascending=False)
    sure = impacts[impacts["ci_low"] > 0] if "ci_low" in impacts else impacts.head(0)
    said = []
    for name, row in sure.head(_MOST).iterrows():
        low = table.loc[name, "below_average_performance"]
        kind = "only" if len(table) == 1 else "raise" if low else "keep"
        said.append(message(
            f"satisfaction.advice_{kind}", driver=label(main.model, str(name)),
            target=label(main.model, target), points=_POINTS, impact=row["impact_5"],
            performance=table.loc[name, "performance"],
        ))  # fmt: skip
    return said or [message("satisfaction.advice_none", target=label(main.model, target))]


def _overlap(main: SatisfactionResult) -> list[Message]:
    ratios = main.htmt.dropna(subset="htmt") if len(main.htmt) else main.htmt
    high = ratios[ratios["htmt"] > HTMT_LIMIT] if len(ratios) else ratios
    if not len(high):
        return []
    top = high.loc[high["htmt"].idxmax()]
    return [message(
        "satisfaction.doubt_overlap", first=label(main.model, top["construct_1"]), pairs=len(high),
        second=label(main.model, top["construct_2"]), htmt=top["htmt"], limit=HTMT_LIMIT,
    )]  # fmt: skip


def _misfit(main: SatisfactionResult) -> list[Message]:
    tests = main.extra.get("exact_fit", pd.DataFrame())
    if not len(tests) or "p" not in tests:
        return []
    row = tests.set_index("measure").reindex(["srmr"]).iloc[0]
    if not rejected(row, 1 - main.settings["level"]):
        return []
    return [message("satisfaction.doubt_misfit", srmr=row["value"], p=row["p"])]


def models_answer(
    compared: ModelComparison, survey: Table, dont_know: Sequence[object] = ()
) -> Answer:
    """Which model explains these respondents best, and whether the choice matters.

    Parameters
    ----------
    compared : ModelComparison
        What notebook 02 compared.
    survey : Table
        The survey, whose scales are audited.
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.

    Returns
    -------
    Answer
        Sentences, warnings and limits of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> survey, few = cv.load("mobi"), cv.satisfaction.Assessment(folds=3, repetitions=1)
    >>> found = cv.satisfaction.models(survey, ["acsi", "ecsi"], draws=4, assessment=few)
    >>> type(cv.satisfaction.models_answer(found, survey)).__name__
    'Answer'
    """
    results = [r for (kind, _), r in compared.results.items() if kind == "all"]
    tiles = []
    for result in results[:5]:
        name = default_target(result.model)
        if name in set(result.index["construct"]) and index_withheld(result, name) is None:
            row = result.index.set_index("construct").loc[name]
            title = message("satisfaction.tile_by_model", model=result.model.name,
                            construct=label(result.model, name))  # fmt: skip
            tiles.append(Tile(title, number(row["index"]), _limits(row)))
    rows = int(results[0].settings["rows"])
    return Answer(
        question=message("satisfaction.asks_models", source=survey.source, rows=rows,
                         models=len(results)),
        verdict=(index_verdict(compared), ),
        tiles=tuple(tiles),
        hero="models_chart",
        advice=tuple(_choose(compared)[:_MOST]),
        doubts=(*cautions(survey, compared.models, dont_know), fit_verdict(compared))[:_MOST],
    )  # fmt: skip


def _choose(compared: ModelComparison) -> list[Message]:
    """Which model to take, as far as prediction tells models apart."""
    said, alike = [], []
    level = next(iter(compared.results.values())).settings["level"]
    for outcome in compared.outcomes:
        gaps = gaps_of(compared, outcome)
        if gaps.empty:
            continue
        shown = next(label(r.model, outcome) for r in compared.results.values()
                     if outcome in r.model.construct_names)  # fmt: skip
        worse = gaps.loc[gaps["p_adjusted"] < 1 - level, "model"].tolist()
        facts = {"best": gaps["best"].iloc[0], "outcome": shown}
        if not worse:
            alike.append(shown)
        elif len(worse) == len(gaps):
            said.append(message("satisfaction.advice_model", **facts, others=len(gaps)))
        else:
            said.append(message("satisfaction.advice_not_models", **facts, models=worse))
    if alike:
        said.append(message("satisfaction.advice_any_model", outcomes=alike))
    return said or [message("satisfaction.no_common_outcome")]


def groups_answer(
    league: League, waves: Waves | None, survey: Table, dont_know: Sequence[object] = ()
) -> Answer:
    """Which group is ahead, how surely, and what changed.

    Parameters
    ----------
    league : League
        The groups at one time.
    waves : Waves, optional
        The same over time.
    survey : Table
        The survey, whose scales are audited.
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.

    Returns
    -------
    Answer
        Sentences, warnings and limits of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> survey = cv.load("simulated_brands")
    >>> found = cv.satisfaction.groups(survey, "ecsi_mobile", "brand", draws=4, permutations=0)
    >>> type(cv.satisfaction.groups_answer(found, None, survey)).__name__
    'Answer'
    """
    name, verdict = league_headline(league)
    tiles = []
    if name is not None:
        top = leader(league)
        tiles.append(Tile(message("satisfaction.tile_leader", group=name), number(top["index"]),
                          _limits(pd.Series(top))))  # fmt: skip
        tiles.append(Tile(message("satisfaction.tile_rank"), "1", _ranks(top)))
        pooled = league.pairwise[league.pairwise["weights"] == "pooled"]
        differ = f"{int(pooled['different'].sum())} / {len(pooled)}"
        tiles.append(Tile(message("satisfaction.tile_pairs"), differ))
    changed = [without(change_verdict(waves), _ELSEWHERE)] if waves is not None else []
    made = [message("satisfaction.simulated", source=survey.source)]
    return Answer(
        question=message("satisfaction.asks_groups", source=survey.source,
                         groups=len(league.groups.keys)),
        verdict=(without(verdict, _ELSEWHERE), *changed),
        tiles=tuple(tiles),
        hero="league_chart",
        advice=(_behind(league),) if name is not None else (),
        doubts=(
            *(made if invented(survey.sha256) else []),
            *_groups_doubted(league), *cautions(survey, [league.groups.model], dont_know),
        )[:_MOST],
    )  # fmt: skip


def _groups_doubted(league: League) -> list[Message]:
    """Groups that are not compared, and a comparison that invariance does not carry."""
    out = ("satisfaction.groups_small", "satisfaction.group_left_out")
    said = [told for told in league.groups.warnings if isinstance(told, Message) and told.id in out]
    holds = len(league.gate) and (league.gate["invariance"] != "none").all()
    return [*said, *([] if holds else [gate_verdict(league)])]


def _behind(league: League) -> Message:
    """The groups that are told apart from the first; a letter in common means they are not."""
    table = league.league[league.league["weights"] == "pooled"]
    by = list(league.groups.keys.columns[:-2])
    names = table[by].astype(str).agg(" / ".join, axis=1).tolist()
    first, *others = map(set, table["letters"])
    apart = [name for name, own in zip(names[1:], others, strict=True) if not own & first]
    if not apart:
        return message("satisfaction.advice_no_group", leader=names[0])
    return message("satisfaction.advice_groups", leader=names[0], groups=apart)


def _ranks(top: dict[str, float]) -> str:
    low, high = top.get("rank_ci_low"), top.get("rank_ci_high")
    return interval(float(low), float(high), 0) if low is not None and high is not None else ""
