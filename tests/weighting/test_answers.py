"""The first screens of weights and of scores follow their tables, and turn when these turn."""

import string
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.weighting import optional
from cvlib.weighting.agreement import methods_shared
from cvlib.weighting.optional import Section
from cvlib.words.message import Message, in_language, message, wordings

W = cv.weighting
PAIRS = {"visits|spend": 5, "visits|age": 7, "spend|age": 3}
PAIR = ("ahp_eigenvector", "entropy_minmax")
rng = np.random.default_rng(1)
visits = rng.poisson(4, 300) + 1
FRAME = pd.DataFrame({
    "customer_id": range(300), "visits": visits, "spend": rng.gamma(2, 30, 300),
    "age": rng.normal(40, 9, 300), "later": visits + rng.poisson(1, 300),
})  # fmt: skip
TABLE = cv.load(FRAME)
TREE = W.flat_tree(["visits", "spend", "age"])


def ids(texts: tuple[str, ...]) -> list[str]:
    return [text.id for text in texts]  # type: ignore[attr-defined]


def said(id: str) -> Message:
    """A sentence with any values."""
    slots = {name for _, name, _, _ in string.Formatter().parse(wordings()[id]["en"]) if name}
    return message(id, **dict.fromkeys(slots, 1))


def judged(outcome: str, draws: int = 60) -> Any:
    customers = W.indicators(TABLE, TREE)
    scores = W.weighted_sums(W.normalise(customers), pd.concat(W.plain_weights(TREE)))
    later = W.read_outcome(customers.rows, outcome, customers.values.index)
    return W.criterion_validity(scores, later, draws=draws)


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    customers = W.indicators(TABLE, TREE)
    return {
        "table": TABLE,
        "indicators": customers,
        "expert": W.ahp(PAIRS, TREE),
        "data": W.objective_weights(customers, ["entropy_minmax"], draws=30),
        "validity": judged("later"),
        "compared": PAIR,
    }


def test_the_answer_on_weights_is_that_of_its_tables(run: dict[str, Any]) -> None:
    answer = W.weights_answer(**run, kappa=0.75)
    assert ids(answer.verdict) == [
        "weighting.weighs_most", "weighting.weighs_most_within", "weighting.foresaw_better",
    ]  # fmt: skip
    assert "visits weighs most: 73%" in answer.verdict[0]
    assert "1 of 3 weightings" in answer.verdict[2] and "only_visits" in answer.verdict[2]
    assert ids(answer.advice) == ["weighting.advice_better", "weighting.advice_ask"]
    assert ids(answer.doubts) == ["weighting.doubt_inconsistent", "weighting.doubt_one_expert"]
    assert answer.hero == "validity_chart"
    assert len(answer.tiles) == 5 and answer.tiles[1].interval
    for text in (answer.question, *answer.verdict, *answer.advice, *answer.doubts):
        assert in_language(text, "zh") != text


def test_what_is_said_of_foresight_follows_the_corrected_comparison(run: dict[str, Any]) -> None:
    found = run["validity"]
    table = found.validity
    blind = (table["metric"] == "spearman") & (table["method"] != "equal")

    def said(**columns: Any) -> Any:
        told = table.assign(**{k: table[k].where(~blind, v) for k, v in columns.items()})
        return W.weights_answer(**{**run, "validity": replace(found, validity=told)})

    none = said(p_holm=0.5)
    assert ids(none.verdict)[-1] == "weighting.foresaw_none"
    assert ids(none.advice)[0] == "weighting.advice_any"
    worse = said(p_holm=0.001, difference=-0.1)
    assert ids(worse.verdict)[-1] == "weighting.foresaw_none"
    assert ids(worse.advice)[0] == "weighting.advice_baseline"


def test_without_experts_outcome_or_draws_the_rest_is_told(run: dict[str, Any]) -> None:
    nobody = W.expert_weights(TREE, W.read_judgements(TREE, ""))
    alone = {**run, "expert": nobody, "validity": judged("")}
    answer = W.weights_answer(**alone)
    assert ids(answer.verdict) == ["weighting.weighs_most_within", "weighting.no_outcome"]
    assert ids(answer.advice) == ["weighting.advice_outcome"] and answer.doubts == ()
    assert answer.hero == "weights_chart" and len(answer.tiles) == 1
    unsure = W.weights_answer(**{**alone, "validity": judged("later", 0)})
    assert ids(unsure.verdict)[-1] == "weighting.no_verdict" and unsure.advice == ()


def test_consistent_and_many_experts_raise_no_doubt_and_ties_are_told(run: dict[str, Any]) -> None:
    even = dict.fromkeys(PAIRS, 1)
    expert = W.ahp(even, TREE)
    answer = W.weights_answer(**{**run, "expert": expert})
    assert ids(answer.verdict)[0] == "weighting.weigh_alike"
    assert ids(answer.doubts) == ["weighting.doubt_one_expert"]
    assert "weighting.advice_ask" not in ids(answer.advice)
    several = replace(expert, settings={**expert.settings, "experts": 3})
    assert W.weights_answer(**{**run, "expert": several}).doubts == ()
    shipped = replace(expert, settings={**expert.settings, "published": "a study"})
    assert ids(W.weights_answer(**{**run, "expert": shipped}).doubts) == [
        "weighting.doubt_published"
    ]


def test_one_indicator_has_nothing_to_weigh() -> None:
    tree = W.flat_tree(["spend"])
    customers = W.indicators(TABLE, tree)
    nobody = W.expert_weights(tree, W.read_judgements(tree, ""))
    data = W.objective_weights(customers, ["entropy_minmax"], required=False)
    answer = W.weights_answer(TABLE, customers, nobody, data, judged(""), compared=PAIR)
    assert ids(answer.verdict)[0] == "weighting.one_weighed"


@pytest.fixture(scope="module")
def scores() -> dict[str, Any]:
    customers = W.indicators(TABLE, TREE)
    choice = W.choose_weights(customers, "equal")
    weights = W.wide_weights(choice.weights, customers.items)["equal"]
    scored = W.score_all(customers, weights, ["weighted_sum", "topsis"])
    base, normalised = scored.scores["weighted_sum"], W.normalise(customers)
    near = W.draw_weights(customers.items, 50, centre=weights, concentration=100, seed=1)
    anything = W.draw_weights(customers.items, 50, seed=1)
    return {
        "table": TABLE,
        "indicators": customers,
        "choice": choice,
        "scored": scored,
        "pairs": W.rank_agreement(scored.scores),
        "stable": W.grade_stability(normalised, base, near)[1],
        "any_weights": W.grade_stability(normalised, base, anything)[1],
        "pyramid": W.grade(base, value=FRAME["later"].astype(float)).grades,
    }


def test_the_answer_on_scores_is_that_of_its_tables(scores: dict[str, Any]) -> None:
    answer = W.scores_answer(**scores)
    best = scores["stable"].iloc[0]
    assert answer.tiles[0].value == f"{100 * best['mean_stability']:.0f}%"
    assert answer.tiles[-1].value == f"{100 * scores['pairs']['top_k_overlap'].min():.0f}%"
    assert len(answer.tiles) == 5 and answer.hero == "stability_chart"
    unsure = int(scores["stable"]["unstable"].sum())
    assert unsure and f"{unsure} of 300" in answer.advice[0]
    assert ids(answer.doubts) == ["weighting.doubt_any"]
    for text in (answer.question, *answer.verdict, *answer.advice, *answer.doubts):
        assert in_language(text, "zh") != text


def test_what_was_asked_besides_comes_first(scores: dict[str, Any]) -> None:
    said = message("weighting.methods_incomparable")
    parts = {"maturity_chart": Section(), "attainment_chart": Section({}, said)}
    answer = W.scores_answer(**scores, asked=parts)
    assert answer.verdict[0] == said and answer.hero == "attainment_chart"
    plain = W.scores_answer(**scores)
    assert plain.verdict[0] == answer.verdict[-1]
    assert W.scores_answer(**scores, asked={"maturity_chart": Section()}) == plain


HIDDEN = optional.Hidden(1, pseudonymise=False)


def card(actual: list[float], target: float) -> optional.Section:
    shops = W.indicators(pd.DataFrame({"sales": actual}), W.flat_tree(["sales"]))
    goals = cv.load(pd.DataFrame({"indicator": ["sales"], "target": [target]}))
    weight = pd.Series(1.0, index=["sales"])
    return optional.scorecard_section(goals, shops, weight, 1.2, HIDDEN)


def audited(*rows: int, raised: int | None = None) -> optional.Section:
    tree = W.load_tree("crm_maturity")
    table = pd.DataFrame([dict.fromkeys(tree.leaves, level) for level in rows])
    if raised is not None:
        table["service_process"] = raised
    return optional.maturity_section(W.indicators(table, tree), HIDDEN)


def stock(*moves: tuple[str, float]) -> optional.Section:
    log = pd.DataFrame([("b", "2025-03-01", kind, sum_) for kind, sum_ in moves],
                       columns=["customer", "date", "kind", "amount"])  # fmt: skip
    return optional.ledger_section(cv.load(log), "", HIDDEN)


def test_each_section_asks_its_own_question_and_shows_its_own_figures(
    scores: dict[str, Any],
) -> None:
    sections = {
        "weighting.asks_scorecard": card([90, 110, 60], 100),
        "weighting.asks_maturity": audited(2, 4),
        "weighting.asks_ledger": stock(("shipment", 100), ("receipt", 40)),
        "weighting.asks_credit": optional.credit_section(
            cv.load("credit_borrowers"), "default", [], seed=1
        ),
    }
    for asks, part in sections.items():
        answer = W.scores_answer(**scores, asked={"part": part})
        assert ids((answer.question,)) == [asks]
        assert answer.tiles[: len(part.tiles)] == part.tiles and len(part.tiles) == 2
        assert len(answer.tiles) == 5 and answer.verdict[0] == part.verdict
        for text in (answer.question, *(tile.label for tile in part.tiles)):
            assert in_language(text, "zh") != text
    shown = {asks: [tile.value for tile in part.tiles] for asks, part in sections.items()}
    assert shown["weighting.asks_scorecard"] == ["1", "110.0"]
    assert shown["weighting.asks_maturity"] == ["2", "4"]
    assert shown["weighting.asks_ledger"] == ["60", "60.0%"]
    auc = sections["weighting.asks_credit"].verdict.values["auc"]
    assert shown["weighting.asks_credit"][0] == f"{auc:.2f}"


def test_sections_say_the_opposite_of_the_opposite() -> None:
    assert ids((card([90, 80], 100).verdict, card([100, 120], 100).verdict)) == [
        "weighting.scorecard_short", "weighting.scorecard_met",
    ]  # fmt: skip
    told = {
        "weighting.maturity_one": audited(2, raised=4), "weighting.maturity_top": audited(5),
        "weighting.maturity_many": audited(2, 4), "weighting.maturity_same": audited(3, 3),
        "weighting.maturity_all_top": audited(5, 5),
    }  # fmt: skip
    for id, part in told.items():
        assert ids((part.verdict,)) == [id]
        assert part.value == min(part.tables["levels"]["level"])
    assert [len(part.tiles) for part in told.values()] == [1, 1, 2, 2, 2]
    assert ids((stock(("shipment", 9), ("receipt", 9)).verdict,)) == ["weighting.ledger_none"]
    assert ids((stock(("shipment", 9), ("receipt", 8)).verdict,)) == ["weighting.ledger_out"]


def test_methods_that_rank_alike_do_not_differ_most() -> None:
    alike = W.rank_agreement(pd.DataFrame({"a": [1, 2, 3], "b": [2, 4, 9]}))
    apart = W.rank_agreement(pd.DataFrame({"a": [1, 2, 3], "b": [2, 9, 4]}))
    assert ids((W.methods_verdict(alike)[1],)) == ["weighting.methods_alike"]
    assert ids((W.methods_verdict(apart)[1],)) == ["weighting.methods_differ"]
    assert ids((methods_shared(alike), methods_shared(apart))) == [
        "weighting.methods_alike", "weighting.methods_share",
    ]  # fmt: skip


def test_of_few_customers_the_order_is_told_and_no_tenth(scores: dict[str, Any]) -> None:
    apart = W.rank_agreement(pd.DataFrame({"a": [1, 2, 3], "b": [2, 9, 4]}))
    assert ids((methods_shared(apart, 49), methods_shared(apart, 50))) == [
        "weighting.methods_order", "weighting.methods_share",
    ]  # fmt: skip
    assert "τ-b of 0.33 (1: the same order)" in methods_shared(apart, 3)
    few = replace(scores["indicators"], values=scores["indicators"].values.head(9))
    told = everything(W.scores_answer(**{**scores, "indicators": few}))
    assert {"weighting.tile_order", "weighting.methods_order"} <= told
    assert not told & {"weighting.tile_methods", "weighting.methods_share"}


def test_a_tree_that_is_one_minimum_is_called_by_its_title() -> None:
    assert W.print_names(W.load_tree("crm_maturity"))["crm_maturity"] == "CRM capability maturity"
    assert W.print_names(W.load_tree("rfm"))["rfm"] == "Goal"


def test_customers_who_are_all_called_simulated_are_doubted(scores: dict[str, Any]) -> None:
    known = W.indicators(W.simulate_customers(W.load_tree("rfm"), 9), "rfm", customer="customer_id")
    mixed = replace(known, values=known.values.rename(index={"simulated 1": "Smith"}))
    found = [ids(W.scores_answer(**{**scores, "indicators": i}).doubts) for i in (known, mixed)]
    assert found[0][0] == "weighting.simulated" and "weighting.simulated" not in found[1]


def test_weights_that_nobody_named_are_doubted(scores: dict[str, Any]) -> None:
    unasked = W.choose_weights(scores["indicators"], "")
    named = W.choose_weights(scores["indicators"], "equal")
    found = [ids(W.scores_answer(**{**scores, "choice": c}).doubts) for c in (unasked, named)]
    assert "weighting.equal_unasked" in found[0] and "weighting.equal_unasked" not in found[1]


def test_the_opposite_is_told_of_scores(scores: dict[str, Any]) -> None:
    sure = scores["stable"].assign(unstable=0, mean_stability=0.75)
    calm = W.scores_answer(**{**scores, "stable": sure, "any_weights": sure})
    assert ids(calm.advice) == ["weighting.advice_sure"] and calm.doubts == ()
    gone = pd.DataFrame({"method": ["grey"], "reason": ["x"]})
    scored = replace(scores["scored"], left_out=gone)
    hidden = sure.assign(customers=np.nan, mean_stability=np.nan, unstable=np.nan)
    blank = W.scores_answer(
        **{**scores, "scored": scored, "stable": hidden, "pairs": scores["pairs"].iloc[:0]}
    )
    assert ids(blank.verdict) == ["weighting.stability_unknown", "weighting.methods_incomparable"]
    assert blank.tiles == () and blank.advice == ()
    assert ids(blank.doubts) == ["weighting.scoring_left_out", "weighting.doubt_blank"]
    two = replace(scores["scored"], left_out=pd.concat([gone, gone.assign(method="vikor")]))
    several = W.scores_answer(**{**scores, "scored": two})
    assert "weighting.doubt_left_out" in ids(several.doubts)


def everything(answer: Any) -> set[str]:
    labels = [tile.label for tile in answer.tiles]
    limits = [tile.interval for tile in answer.tiles if hasattr(tile.interval, "id")]
    return set(ids((*answer.verdict, *labels, *limits, *answer.advice, *answer.doubts)))


def test_tiles_advice_and_doubts_on_weights_come_and_go(run: dict[str, Any]) -> None:
    def without(**change: Any) -> set[str]:
        return everything(W.weights_answer(**{**run, **change}))

    nobody = W.expert_weights(TREE, W.read_judgements(TREE, ""))
    whole = without()
    assert {"weighting.tile_weight", "weighting.tile_foresight"} <= whole
    assert {"weighting.tile_consistency", "weighting.tile_limit"} <= without(kappa=0.7)
    assert "weighting.tile_kappa" not in whole
    alone = without(expert=nobody, validity=judged(""), kappa=0.7)
    assert "weighting.tile_kappa" in alone
    assert not alone & {"weighting.tile_foresight", "weighting.tile_consistency",
                        "weighting.tile_limit"}  # fmt: skip
    even = W.ahp(dict.fromkeys(PAIRS, 1), TREE)
    data = replace(run["data"], weights=run["data"].weights.assign(global_weight=1 / 3))
    assert "weighting.tile_weight" not in without(expert=even, data=data)
    known = said("weighting.outcome_known")
    leaks = without(validity=replace(run["validity"], warnings=(known,)))
    assert {"weighting.advice_leak", "weighting.outcome_known"} <= leaks
    assert not whole & {"weighting.advice_leak", "weighting.outcome_known"}
    gone = pd.DataFrame({"method": ["critic", "merec"], "reason": ["x", "y"]})
    doubts = {
        "weighting.left_out": {"left_out": gone.head(1)},
        "weighting.doubt_left_out": {"left_out": gone},
        **{id: {"warnings": (said(id),)} for id in (
            "weighting.no_weight", "weighting.one_positive", "weighting.skewed")},
    }  # fmt: skip
    for id, change in doubts.items():
        told = without(expert=nobody, data=replace(run["data"], **change))
        assert id in told and id not in without(expert=nobody), id
    made = replace(TABLE, sha256=cv.load("simulated_brands").sha256)
    assert "weighting.simulated" in without(table=made) - whole


def test_tiles_on_scores_come_and_go(scores: dict[str, Any]) -> None:
    def without(**change: Any) -> set[str]:
        return everything(W.scores_answer(**{**scores, **change}))

    whole = without()
    assert {"weighting.tile_kept", "weighting.tile_kept_any", "weighting.tile_grade",
            "weighting.tile_value", "weighting.tile_methods", "weighting.methods_share",
            "weighting.advice_unsure"} <= whole  # fmt: skip
    bare = scores["pyramid"].drop(columns="value_share")
    assert whole - without(pyramid=bare) == {"weighting.tile_value"}
    nothing = scores["any_weights"].iloc[:0]
    assert "weighting.tile_kept_any" not in without(any_weights=nothing)
    one = without(pairs=scores["pairs"].iloc[:0])
    assert not one & {"weighting.tile_methods", "weighting.methods_share"}
    hidden = scores["stable"].assign(customers=np.nan, mean_stability=np.nan, unstable=np.nan)
    assert not without(stable=hidden) & {
        "weighting.tile_kept", "weighting.tile_grade", "weighting.advice_unsure",
    }  # fmt: skip
