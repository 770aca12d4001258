"""The first screen of a weighting report: verdict, key figures, what to do, what to doubt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from cvlib.inputs.datasets import invented
from cvlib.inputs.readers import Table
from cvlib.weighting.agreement import TENTHS_FROM, methods_shared, most_apart
from cvlib.weighting.choice import Choice
from cvlib.weighting.data.objective import ObjectiveWeights
from cvlib.weighting.experts.ahp import worst_matrix
from cvlib.weighting.experts.group import ExpertWeights
from cvlib.weighting.grade import stability_verdict
from cvlib.weighting.optional import Section
from cvlib.weighting.score import ScoresByMethod
from cvlib.weighting.simulate import MADE_UP
from cvlib.weighting.table import Indicators
from cvlib.weighting.validity import Standing, Validity, standing
from cvlib.words.answer import Answer, Tile, interval, number
from cvlib.words.message import Message, message

_MOST = 3  # lines of advice and of doubt
_ALIKE = 1e-9  # weights that differ by less are equal
_KEPT = 0.75  # of the draws: a grade kept less often with any weights rests on those used
_OF_DATA = ("weighting.no_weight", "weighting.one_positive", "weighting.skewed")


def weights_answer(
    table: Table,
    indicators: Indicators,
    expert: ExpertWeights,
    data: ObjectiveWeights,
    validity: Validity,
    *,
    compared: Sequence[str],
    kappa: float = math.nan,
) -> Answer:
    """Which indicator weighs most, and which weighting foresaw what customers did.

    Parameters
    ----------
    table : Table
        What the indicators came from.
    indicators : Indicators
        The customers.
    expert, data : ExpertWeights, ObjectiveWeights
        Weights of both kinds; either may be empty.
    validity : Validity
        How the weightings were judged; empty without an outcome.
    compared : pair of str
        Names of the weightings put side by side; for a kind that has none of them its first counts.
    kappa : float
        How far these two grade customers alike.

    Returns
    -------
    Answer
        Question, verdict, tiles, advice and doubts.

    Examples
    --------
    >>> import cvlib as cv
    >>> import pandas as pd
    >>> w, pairs = cv.weighting, {"visits|spend": 3}
    >>> shop = cv.load(pd.DataFrame({"visits": [1, 4, 9], "spend": [20, 5, 70]}))
    >>> experts = w.ahp(pairs)
    >>> customers = w.indicators(shop, w.flat_tree(["visits", "spend"]))
    >>> data, unjudged = w.entropy(customers), w.criterion_validity(pd.DataFrame(), None)
    >>> pair = ("ahp_eigenvector", "entropy_minmax")
    >>> print(w.weights_answer(shop, customers, experts, data, unjudged, compared=pair).verdict[0])
    By ahp_eigenvector, visits weighs most: 75%.
    """
    tops = [_top(each.weights, indicators, compared) for each in (expert, data)]
    tops = [top for top in tops if len(top)]
    judged = _judged(validity)
    label = message("weighting.tile_kappa", a=compared[0], b=compared[1])
    alike = [] if math.isnan(kappa) else [Tile(label, number(kappa, 2))]
    return Answer(
        question=message(
            f"weighting.asks_weights{'_panel' * bool(indicators.panel)}", source=table.source,
            customers=indicators.panel or len(indicators.values), rows=len(indicators.values),
            items=len(indicators.items),
        ),
        verdict=(*_weighs_most(tops, indicators), _foresaw(validity, judged)),
        tiles=(*_weight_tiles(tops, expert, validity, judged), *alike)[:5],
        hero="validity_chart" if len(validity.validity) else "weights_chart",
        advice=tuple([*_which(validity, judged), *_ask_again(expert)][:_MOST]),
        doubts=tuple([
            *_by_row(indicators), *_invented(table, indicators), *_leaks(validity),
            *_inconsistent(expert), *_one_expert(expert), *_of_data(data),
        ][:_MOST]),
    )  # fmt: skip


def _top(weights: pd.DataFrame, indicators: Indicators, compared: Sequence[str]) -> pd.DataFrame:
    """Rows of the indicators that weigh most by the method compared: several where they tie."""
    if weights.empty:
        return weights
    known = list(dict.fromkeys(weights["method"]))
    method = next((name for name in compared if name in known), known[0])
    rows = weights[(weights["method"] == method) & weights["indicator"].isin(indicators.items)]
    return rows[rows["global_weight"] >= rows["global_weight"].max() - _ALIKE]


def _weighs_most(tops: list[pd.DataFrame], indicators: Indicators) -> list[Message]:
    items = len(indicators.items)
    if items < 2:
        return [message("weighting.one_weighed")]
    told = []
    for top in tops:
        row = top.iloc[0]
        facts = {"method": row["method"], "count": len(top)}
        if len(top) == items:
            told.append(message("weighting.weigh_alike", **facts))
            continue
        limits = [row.get(name, math.nan) for name in ("ci_low", "ci_high")]
        within = "" if any(map(pd.isna, limits)) else "_within"
        told.append(message(
            f"weighting.weighs_most{within}", indicators=list(top["indicator"]),
            share=row["global_weight"], low=limits[0], high=limits[1], **facts,
        ))  # fmt: skip
    return told


def _judged(validity: Validity) -> Standing | None:
    options = validity.settings
    if not options:
        return None
    return standing(validity.validity, options["baseline"], options["learned"], options["level"])


def _foresaw(validity: Validity, judged: Standing | None) -> Message:
    """Which weighting foresaw what came later, beyond chance; why that is not known otherwise."""
    if judged is None:
        return validity.verdict
    rho, baseline = judged.rho["estimate"], validity.settings["baseline"]
    return message(
        "weighting.foresaw_better" if judged.better else "weighting.foresaw_none",
        methods=judged.better, count=len(judged.better), of=judged.compared, best=judged.best,
        rho=rho[judged.best], baseline=baseline, base_rho=rho[baseline],
    )  # fmt: skip


def _weight_tiles(
    tops: list[pd.DataFrame],
    expert: ExpertWeights,
    validity: Validity,
    judged: Standing | None,
) -> list[Tile]:
    tiles = []
    for top in tops:
        if len(top) == 1:
            row = top.iloc[0]
            label = message("weighting.tile_weight", indicator=row["indicator"],
                            method=row["method"])  # fmt: skip
            tiles.append(Tile(label, number(100 * row["global_weight"], 0, "%"), _percent(row)))
    if judged is not None:
        for name in (judged.best, validity.settings["baseline"]):
            row = judged.rho.loc[name]
            limits = interval(row["ci_low"], row["ci_high"], 2)
            label = message("weighting.tile_foresight", method=name)
            tiles.append(Tile(label, number(row["estimate"], 2), limits))
    if len(expert.consistency):
        worst = worst_matrix(expert.consistency)
        limit = message("weighting.tile_limit", limit=worst["threshold"])
        tiles.append(Tile(message("weighting.tile_consistency"), number(worst["cr"], 3), limit))
    return tiles


def _percent(row: pd.Series) -> str:
    low, high = row.get("ci_low", math.nan), row.get("ci_high", math.nan)
    return interval(100 * low, 100 * high, 0)


def _leaks(validity: Validity) -> list[str]:
    """Indicators that seem to know the outcome."""
    return [text for text in validity.warnings
            if getattr(text, "id", "") == "weighting.outcome_known"]  # fmt: skip


def _which(validity: Validity, judged: Standing | None) -> list[Message]:
    """Which weighting to use, as far as the comparison says."""
    if not validity.settings:
        return [message("weighting.advice_outcome")]
    if _leaks(validity):
        return [message("weighting.advice_leak")]
    if judged is None:
        return []
    baseline = validity.settings["baseline"]
    if judged.better:
        best = judged.rho.loc[judged.better, "estimate"].idxmax()
        return [message("weighting.advice_better", method=best, baseline=baseline)]
    if judged.worse:
        facts = {"count": len(judged.worse), "of": judged.compared}
        return [message("weighting.advice_baseline", baseline=baseline, **facts)]
    return [message("weighting.advice_any", baseline=baseline)]


def _ask_again(expert: ExpertWeights) -> list[Message]:
    """The judgement that fits the others least, where a matrix is above its limit."""
    if expert.suggestions.empty:
        return []
    row = expert.suggestions.iloc[0]
    return [message(
        "weighting.advice_ask", expert=row["expert"], first=row["row"], second=row["column"],
        judgement=row["judgement"], implied=row["implied"],
    )]  # fmt: skip


def _invented(table: Table, indicators: Indicators) -> list[Message]:
    """Tables of the catalogue that are simulated, and those whose every id says that it is."""
    ids = indicators.values.index.astype(str)
    made = invented(table.sha256) or (len(ids) > 0 and ids.str.startswith(MADE_UP).all())
    return [message("weighting.simulated", source=table.source)] if made else []


def _inconsistent(expert: ExpertWeights | None) -> list[Message]:
    if expert is None or expert.consistency.empty or expert.consistency["acceptable"].all():
        return []
    worst = worst_matrix(expert.consistency)
    bad, count = int((~expert.consistency["acceptable"]).sum()), len(expert.consistency)
    facts = {"cr": worst["cr"], "limit": worst["threshold"], "items": worst["n"]}
    return [message("weighting.doubt_inconsistent", bad=bad, count=count, **facts)]


def _unasked(choice: Choice) -> list[str]:
    """That nobody weighed the indicators."""
    return [t for t in choice.warnings if getattr(t, "id", "") == "weighting.equal_unasked"]


def _one_expert(expert: ExpertWeights | None) -> list[Message]:
    if expert is None or not expert.settings["experts"]:
        return []
    if expert.settings["published"]:
        return [message("weighting.doubt_published", experts=expert.settings["experts"])]
    return [message("weighting.doubt_one_expert")] if expert.settings["experts"] == 1 else []


def _of_data(data: ObjectiveWeights | None) -> list[Message]:
    """Columns that decide the data weights by themselves, and methods that do not apply."""
    if data is None:
        return []
    told = [t for t in data.warnings if isinstance(t, Message) and t.id in _OF_DATA]
    return [*told, *_left_out(data.left_out, "weighting.left_out")]


def _by_row(indicators: Indicators) -> list[Message]:
    """Of a panel: that every row is graded by itself."""
    rows, customers = len(indicators.values), indicators.panel
    said = message("weighting.panel_by_row", rows=rows, customers=customers)
    return [said] if customers else []


def scores_answer(
    table: Table,
    indicators: Indicators,
    choice: Choice,
    scored: ScoresByMethod,
    pairs: pd.DataFrame,
    stable: pd.DataFrame,
    any_weights: pd.DataFrame,
    pyramid: pd.DataFrame,
    asked: Mapping[str, Section] | None = None,
) -> Answer:
    """How sure grades are, and whether scoring methods agree; what was asked besides comes first.

    Parameters
    ----------
    table : Table
        What the indicators came from.
    indicators : Indicators
        The customers.
    choice : Choice
        The weights used.
    scored : ScoresByMethod
        Scores by every method, and methods that do not apply.
    pairs : DataFrame
        From `rank_agreement`, of all scoring methods.
    stable, any_weights : DataFrame
        Per grade from `grade_stability`, near the weights used and with any weights, as published.
    pyramid : DataFrame
        The grades as published: grade, customers, and ``value_share`` where there is an outcome.
    asked : mapping of str to Section, optional
        Levels, scorecard, ledger and credit by the name of their figure; those that were not given
        say nothing.

    Returns
    -------
    Answer
        Question, verdict, tiles, advice and doubts.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> w = cv.weighting
    >>> shop = cv.load(pd.DataFrame({"visits": [1, 4, 9, 2], "spend": [20, 5, 70, 9]}))
    >>> customers = w.indicators(shop, w.flat_tree(["visits", "spend"]))
    >>> equal = w.choose_weights(customers, "equal")
    >>> weights = w.wide_weights(equal.weights, customers.items)["equal"]
    >>> found = w.score_all(customers, weights, ["weighted_sum", "topsis"])
    >>> base, near = found.scores["weighted_sum"], w.draw_weights(customers.items, 20)
    >>> _, kept = w.grade_stability(w.normalise(customers), base, near)
    >>> pairs, grades = w.rank_agreement(found.scores), w.grade(base).grades
    >>> answer = w.scores_answer(shop, customers, equal, found, pairs, kept, kept, grades)
    >>> answer.tiles[0].label
    'VIP: grade kept near these weights'
    """
    items = len(indicators.items)
    apart, known = most_apart(pairs), _published(stable) if items > 1 else stable.iloc[:0]
    alike = methods_shared(pairs, len(indicators.values))
    sure = stability_verdict(stable, items)[1]
    first = {name: part for name, part in (asked or {}).items() if part.verdict}
    told = [part.verdict for part in first.values() if part.verdict]
    asks = [part.question for part in first.values() if part.question]
    usual = message(
        f"weighting.asks_scores{'_panel' * bool(indicators.panel)}", source=table.source,
        customers=indicators.panel or len(indicators.values), rows=len(indicators.values),
        items=items, method=choice.method,
    )  # fmt: skip
    own = [tile for part in first.values() for tile in part.tiles]
    return Answer(
        question=next(iter(asks), usual),
        verdict=(*told[:2], sure) if first else (sure, alike),
        tiles=(*own, *_score_tiles(
            known, _published(any_weights), pyramid, apart, len(indicators.values)))[:5],
        hero=next(iter(first), "stability_chart"),
        advice=tuple(_act(known)),
        doubts=tuple([
            *_by_row(indicators), *_invented(table, indicators), *_unasked(choice),
            *_inconsistent(choice.expert), *_any(known, any_weights),
            *_left_out(scored.left_out, "weighting.scoring_left_out"), *_blank(stable),
            *_one_expert(choice.expert), *_of_data(choice.data),
        ][:_MOST]),
    )  # fmt: skip


def _published(stable: pd.DataFrame) -> pd.DataFrame:
    known = stable.dropna(subset=["mean_stability", "customers"])
    return known[known["customers"] > 0]


def _score_tiles(
    known: pd.DataFrame,
    other: pd.DataFrame,
    pyramid: pd.DataFrame,
    apart: pd.Series | None,
    customers: int,
) -> list[Tile]:
    tiles = []
    if len(known):
        best = known.iloc[0]
        grade = best["grade"]
        label = message("weighting.tile_kept", grade=grade)
        tiles.append(Tile(label, number(100 * best["mean_stability"], 0, "%")))
        same = other[other["grade"] == grade]
        if len(same):
            label = message("weighting.tile_kept_any", grade=grade)
            tiles.append(Tile(label, number(100 * same["mean_stability"].iloc[0], 0, "%")))
        label = message("weighting.tile_grade", grade=grade)
        tiles.append(Tile(label, number(best["customers"], 0)))
        held = pyramid[pyramid["grade"] == grade]
        if "value_share" in held and len(held) and held["value_share"].notna().all():
            label = message("weighting.tile_value", grade=grade)
            tiles.append(Tile(label, number(100 * held["value_share"].iloc[0], 0, "%")))
    if apart is not None and customers < TENTHS_FROM:
        label = message("weighting.tile_order")
        tiles.append(Tile(label, number(apart["kendall_tau_b"], 2)))
    elif apart is not None:
        label = message("weighting.tile_methods")
        tiles.append(Tile(label, number(100 * apart["top_k_overlap"], 0, "%")))
    return tiles


def _act(known: pd.DataFrame) -> list[Message]:
    """Whom to look at before acting on the grade."""
    told = known.dropna(subset=["unstable"])
    if told.empty:
        return []
    unsure, count = int(told["unstable"].sum()), int(told["customers"].sum())
    if unsure:
        return [message("weighting.advice_unsure", unsure=unsure, customers=count)]
    return [message("weighting.advice_sure", customers=count)]


def _any(known: pd.DataFrame, any_weights: pd.DataFrame) -> list[Message]:
    """Whether the best grade would be another with other weights."""
    other = _published(any_weights)
    same = other[other["grade"].isin(known["grade"].head(1))]
    if same.empty or not (same["mean_stability"] < _KEPT).all():
        return []
    row = same.iloc[0]
    return [message("weighting.doubt_any", grade=row["grade"], kept=row["mean_stability"])]


def _left_out(left_out: pd.DataFrame, with_reason: str) -> list[Message]:
    """One method that does not apply is named with its reason; of several, their names."""
    if len(left_out) == 1:
        row = left_out.iloc[0]
        return [message(with_reason, method=row["method"], reason=row["reason"])]
    if left_out.empty:
        return []
    return [message("weighting.doubt_left_out", methods=list(left_out["method"]))]


def _blank(stable: pd.DataFrame) -> list[Message]:
    blank = int(stable["customers"].isna().sum())
    return [message("weighting.doubt_blank", grades=blank)] if blank else []
