"""The first screen says what the tables beside it say, and other things when they do."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cvlib import lifetime
from cvlib.inputs import audit
from cvlib.inputs.transactions_audit import Audit
from cvlib.lifetime import economics, equity, segments
from cvlib.lifetime.answers import economics_answer, lifetime_answer
from cvlib.lifetime.assumptions import assumptions
from cvlib.lifetime.contracts.answers import contracts_answer
from cvlib.words.message import in_language, message

CRY = Audit(pd.DataFrame(), (message("inputs.audit_pasted", rows=1, share=0.5, of="of the money"),))


def ids(texts: Any) -> list[str]:
    return [text.id for text in texts]


def in_both(answer: Any) -> None:
    parts = [answer.question, *answer.verdict, *answer.advice, *answer.doubts]
    for text in [*parts, *(tile.label for tile in answer.tiles)]:
        assert in_language(text, "zh") != text


@pytest.fixture(scope="module")
def value(fit, spend, summary):
    return lifetime.lifetime_value(fit, spend, summary.customers, annual_rate=0.1, margin=0.3)


@pytest.fixture(scope="module")
def calm(value):
    return replace(value, warnings=())


def with_bias(found, **row):
    table = found.validation.copy()
    chosen = (table["model"] == found.model) & (table["metric"] == "bias")
    for name, number in row.items():
        table.loc[chosen, name] = number
    return replace(found, validation=table)


def ranking(found, **better):
    """The same comparison with other verdicts on the ranking of who buys again."""
    table = found.differences.copy()
    chosen = (table["metric"] == "auc") & table["better"].notna()
    table.loc[chosen, "better"] = better.pop("rest", "neither")
    for rival, who in better.items():
        table.loc[chosen & (table["rival"] == rival), "better"] = who
    return replace(found, differences=table)


def test_the_answer_of_a_holdout_is_that_of_its_tables(result, summary, value):
    answer = lifetime_answer(result, summary, value)
    bought = summary.customers["holdout_purchases"]
    assert f"{bought.sum():,.0f} were made" in answer.verdict[0]
    assert f"{result.value('bg_nbd', 'bias'):+.1%}" in answer.verdict[0]
    tiles = {tile.label.id: tile for tile in answer.tiles}
    assert tiles["lifetime.tile_customers"].value == f"{len(bought):,}"
    auc = result.validation.query("model == 'bg_nbd' and metric == 'auc'").iloc[0]
    assert tiles["lifetime.tile_auc"].value == f"{auc['value']:.2f}"
    assert tiles["lifetime.tile_auc"].interval == f"{auc['ci_low']:.2f} – {auc['ci_high']:.2f}"
    assert tiles["lifetime.tile_equity"].value == f"{value.equity:,.0f}"
    each = value.customers["lifetime_value"].to_numpy()
    silent = each[(bought == 0).to_numpy()].sum() / each.sum()
    assert tiles["lifetime.tile_silent_later"].value == f"{silent:.0%}"
    in_both(answer)


@pytest.mark.parametrize(
    ("low", "high", "kind"), [(-0.1, 0.1, "right"), (-0.3, -0.1, "low"), (0.1, 0.3, "high")]
)
def test_the_level_is_judged_by_its_interval(result, summary, calm, low, high, kind):
    changed = with_bias(result, value=(low + high) / 2, ci_low=low, ci_high=high)
    answer = lifetime_answer(changed, summary, calm)
    assert answer.verdict[0].id == f"lifetime.forecast_{kind}"
    assert ("lifetime.doubt_level" in ids(answer.doubts)) == (kind != "right")


def test_without_draws_the_level_is_not_called_sure(result, summary, calm):
    for off, doubted in ((0.02, False), (0.5, True)):
        changed = with_bias(result, value=off, ci_low=np.nan, ci_high=np.nan)
        answer = lifetime_answer(changed, summary, calm)
        assert answer.verdict[0].id == "lifetime.forecast_untested"
        assert ("lifetime.doubt_level" in ids(answer.doubts)) == doubted


@pytest.mark.parametrize("customers", [2, 9, 10])
def test_a_handful_of_customers_has_no_interval(customers):
    """Resamples of one customer are all alike: nothing would look surer."""
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 700, 500), unit="D")
    log = pd.DataFrame({"customer_id": np.arange(500) % customers, "date": days, "amount": 9.0})
    summary = lifetime.summarise_purchases(log)
    fit, spend = lifetime.fit_repeat_buying(summary), lifetime.fit_spend(summary)
    found = lifetime.validate(
        summary.customers, lifetime.model_forecasts(fit, summary), lifetime.Bootstrap(draws=150)
    )
    value = lifetime.lifetime_value(fit, spend, summary.customers, annual_rate=0.1)
    answer = lifetime_answer(found, summary, value)
    few = customers < 10
    assert found.validation["ci_low"].isna().all() == few
    assert (answer.verdict[0].id == "lifetime.forecast_few") == few
    assert "value is spread over many" not in str(answer.advice)
    in_both(answer)


def test_who_ranks_best_follows_the_tests(result, summary, calm):
    said = {}
    for name, better in {
        "best": {"rest": "bg_nbd"},
        "some": {"rest": "bg_nbd", "recency": "neither"},
        "open": {"rest": "neither"},
        "behind": {"rest": "bg_nbd", "logit": "logit"},
    }.items():
        answer = lifetime_answer(ranking(result, **better), summary, calm)
        assert answer.verdict[1].id == f"lifetime.ranks_{name}"
        said[name] = answer
        in_both(answer)
    assert said["best"].advice[0].id == "lifetime.advice_rank_model"
    assert said["some"].advice[0].values["rival"] == "recency"
    assert said["behind"].advice[0].values["rival"] == "logit"
    untested = replace(result, differences=result.differences.assign(better=None))
    answer = lifetime_answer(untested, summary, calm)
    assert answer.verdict[1].id == "lifetime.ranks_untested"
    few = message("lifetime.holdout_too_few", few=7, fewest=50)
    answer = lifetime_answer(replace(untested, warnings=(few,)), summary, calm)
    assert "not judged with 7 customers on the rarer side" in str(answer.verdict[1])
    in_both(answer)
    assert not [i for i in ids(answer.advice) if i.startswith("lifetime.advice_rank")]


def value_of(value, **measures):
    table = value.value.copy()
    for name, number in measures.items():
        table.loc[table["measure"] == name, "value"] = number
    return replace(value, value=table)


def test_advice_on_p_alive_and_the_quiet_goes_with_what_speaks_for_it(result, summary, calm):
    few, calm = (value_of(calm, top_tenth_share=share) for share in (0.6, 0.3))
    said = ids(lifetime_answer(result, summary, calm).advice)
    assert {"lifetime.advice_not_alive", "lifetime.advice_quiet_low"} <= set(said)
    table = result.differences.assign(ci_low=-1.0, better=None)
    assert "lifetime.quiet_low" in ids(result.sentences())
    quiet = message("lifetime.quiet_high", model="bg_nbd", people=30, expected=2.0, actual=1.0,
                    ci_low=0.5, ci_high=1.5)  # fmt: skip
    finding = pd.DataFrame({"finding": pd.Series([quiet], dtype=object)})
    other = replace(result, differences=table, verdict=finding)
    answer = lifetime_answer(other, summary, calm)
    assert ids(answer.advice) == ["lifetime.advice_quiet_high"]
    right = message("lifetime.quiet_right", **quiet.values)
    calm_finding = pd.DataFrame({"finding": pd.Series([right], dtype=object)})
    answer = lifetime_answer(replace(other, verdict=calm_finding), summary, calm)
    assert ids(answer.advice) == ["lifetime.advice_none_purchases"]
    silent = replace(other, verdict=finding.iloc[:0])
    answer = lifetime_answer(silent, summary, calm)
    assert ids(answer.advice) == ["lifetime.advice_none_purchases"]
    assert ids(lifetime_answer(silent, summary, few).advice) == ["lifetime.advice_top_tenth"]


def test_doubts_of_a_holdout_come_and_go(result, summary, value, calm):
    level = with_bias(result, value=0.0, ci_low=-0.1, ci_high=0.1)
    assert lifetime_answer(level, summary, calm).doubts == ()
    few = replace(level, warnings=(message("lifetime.holdout_few_customers", customers=9),))
    answer = lifetime_answer(few, summary, value, audit=CRY)
    assert ids(answer.doubts)[:2] == ["inputs.audit_pasted", "lifetime.holdout_few_customers"]


def test_without_values_in_money_the_answer_has_none(result, summary, value):
    why = message("lifetime.spend_left_out", reason="no amounts")
    money = ["expected_spend", "lifetime_value"]
    none = replace(value, customers=value.customers.drop(columns=money), reason=why)
    tiles = [tile.label.id for tile in lifetime_answer(result, summary, none).tiles]
    assert "lifetime.tile_auc" in tiles and "lifetime.tile_equity" not in tiles


MODELS = ["kaplan_meier", "logit", "sbg"]


@pytest.fixture(scope="module")
def study():
    table = lifetime.read_subscriptions("simulated", 800, 1)
    contracts = lifetime.contracts(table, covariates=["Contract"])
    fits = lifetime.fit_survival(contracts.data, MODELS)
    draws = lifetime.Bootstrap(100, 1, 0.95)
    judged = lifetime.validate_survival(contracts.data, MODELS, bootstrap=draws)
    value = lifetime.subscription_value(fits, contracts.data, lifetime.ContractTerms(20))
    projected = lifetime.project_cohorts(lifetime.read_cohorts())
    return [table, contracts, fits, judged, value, projected]


def test_the_answer_of_contracts_is_that_of_their_tables(study):
    _, contracts, _, judged, value, projected = study
    answer = contracts_answer(*study)
    tiles = {tile.label.id: tile for tile in answer.tiles}
    left = contracts.data["event"].mean()
    assert tiles["lifetime.tile_contracts"].interval == f"{left:.0%} ended"
    worth = value.value["lifetime_value"].dropna()
    assert tiles["lifetime.tile_contract_value"].value == f"{value.middle:,.0f}"
    assert f"{worth.min():,.0f} – {worth.max():,.0f}" in (
        tiles["lifetime.tile_contract_value"].interval
    )
    assert tiles["lifetime.tile_brier"].value == f"{judged.smallest_error:.3f}"
    mean = projected.errors.groupby("model")["mean_absolute_error"].mean().min()
    assert tiles["lifetime.tile_projection"].value == f"{100 * mean:.1f} points"
    assert answer.doubts[0].id == "lifetime.contracts_simulated"
    in_both(answer)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [("sure", "by_risk"), ("unsure", "alike"), ("nothing_gained", "alike"), ("few", "alike")],
)
def test_whom_to_turn_to_follows_the_paired_interval(study, kind, advice):
    said = study[3].sentence
    assert said.id == "lifetime.survival_best_sure"
    facts = said.values | {"low": -0.1, "high": 0.1, "draws": 20, "fewest": 100}
    judged = replace(study[3], sentence=message(f"lifetime.survival_best_{kind}", **facts))
    answer = contracts_answer(*study[:3], judged, *study[4:])
    assert answer.verdict[1].id == f"lifetime.gain_{kind.removesuffix('_gained')}"
    assert answer.advice[0].id == f"lifetime.advice_{advice}"


def test_contracts_that_were_not_judged_have_fewer_tiles_and_say_why(study):
    data = study[1].data.head(40)
    judged = lifetime.validate_survival(data, ["kaplan_meier"])
    answer = contracts_answer(*study[:3], judged, study[4])
    assert answer.verdict[1].id == "lifetime.contracts_not_judged"
    assert [tile.label.id for tile in answer.tiles] == [
        "lifetime.tile_contracts", "lifetime.tile_contract_value",
    ]  # fmt: skip
    assert ids(answer.advice) == ["lifetime.advice_spend_up_to"]
    worthless = study[4].value.assign(within_data=0.0)
    answer = contracts_answer(*study[:3], judged, replace(study[4], value=worthless))
    assert ids(answer.advice) == ["lifetime.advice_none_contracts"]


def test_doubts_of_contracts_come_and_go(study):
    own = replace(study[0], warnings=())
    assert contracts_answer(own, *study[1:4], study[4]).doubts == ()
    table = study[4].value
    apart = table.assign(lifetime_value=table["lifetime_value"] * np.arange(1, len(table) + 1))
    gone = message("lifetime.contracts_all_left", customers=800)
    ended = replace(study[1], warnings=(gone,))
    assert contracts_answer(own, ended, *study[2:4], study[4]).doubts[0] == gone
    ridge = message("lifetime.cohort_ridge", model="sbg")
    fits = replace(study[2], warnings=(ridge,))
    cohort = message("lifetime.of_cohort", cohort="2020", text=ridge)
    projected = replace(study[5], warnings=(cohort,))
    value = replace(study[4], value=apart)
    answer = contracts_answer(own, study[1], fits, study[3], value, projected)
    assert ids(answer.doubts) == ["lifetime.doubt_beyond", "lifetime.doubt_ridges"]
    assert answer.doubts[1].values["models"] == ["sbg"]


@pytest.fixture(scope="module")
def economy(summary, value):
    now = segments.seven_segments(summary.log, summary.cut)
    accounts = equity.key_account_loss(value.customers, "lifetime_value", "customer_id")
    given = assumptions(summary.log)
    return [summary, value, now, accounts, given]


def test_the_answer_of_economics_is_that_of_its_tables(economy):
    summary, value, now, accounts, _ = economy
    answer = economics_answer(*economy, CRY)
    tiles = {tile.label.id: tile.value for tile in answer.tiles}
    best = segments.share_of_best(summary.customers["monetary"])
    assert tiles["lifetime.tile_best_fifth"] == f"{best:.0%}"
    assert tiles["lifetime.tile_account"] == f"{accounts['share_of_equity'][0]:.1%}"
    assert answer.verdict == (
        message("lifetime.best_fifth_most", share=best), value.sentence
    )  # fmt: skip
    assert answer.doubts[0].id == "inputs.audit_pasted" and len(answer.doubts) <= 3
    assert tiles["lifetime.tile_equity"] == f"{value.equity:,.0f}"
    assert now.borders["inactive_days"] in answer.tiles[3].label.values.values()
    in_both(answer)


def test_spread_spend_and_nobody_silent_is_nothing_to_do(economy):
    summary, value, *rest = economy
    customers = summary.customers.assign(monetary=10.0, recency=1)
    even = replace(summary, customers=customers)
    answer = economics_answer(even, value, *rest)
    assert answer.verdict[0].id == "lifetime.best_fifth_spread"
    assert ids(answer.advice) == ["lifetime.advice_none_segments"]
    short = replace(even, cut=summary.log.first_day + dt.timedelta(days=90))
    answer = economics_answer(short, value, *rest)
    assert "less than 183 days" in str(answer.advice[0])
    in_both(answer)
    lone = replace(even, customers=customers.head(1))
    some = replace(value, customers=value.customers.head(1))
    answer = economics_answer(lone, some, *rest)
    assert ids(answer.advice) == ["lifetime.advice_few_segments"]
    in_both(answer)


def test_the_silent_who_hold_most_of_the_value_are_not_written_off(economy):
    summary, value, *rest = economy
    silent = np.arange(len(summary.customers)) % 10 > 0  # yearly buyers look silent for half a year
    customers = summary.customers.assign(monetary=10.0, recency=np.where(silent, 999, 1))
    for worth, kind in ((0.3, "keep"), (0.05, "let_go"), (1.5, "win_back")):
        each = value.customers.assign(lifetime_value=np.where(silent, worth, 1.0))
        answer = economics_answer(
            replace(summary, customers=customers), replace(value, customers=each), *rest
        )
        assert answer.advice[0].id == f"lifetime.advice_{kind}"
        in_both(answer)


def test_the_silent_are_won_back_only_where_value_is_left(economy):
    summary, value, *rest = economy
    said = []
    for worth in (100.0, 0.001):
        silent = np.arange(len(summary.customers)) % 4 == 0
        customers = summary.customers.assign(monetary=10.0, recency=np.where(silent, 999, 1))
        each = value.customers.assign(lifetime_value=np.where(silent, worth, 1.0))
        other = replace(summary, customers=customers), replace(value, customers=each)
        said.append(ids(economics_answer(*other, *rest).advice))
    assert said == [["lifetime.advice_win_back"], ["lifetime.advice_let_go"]]


def test_only_what_was_given_is_in_the_answer(economy):
    gain = economics.retention_gain([0.1], 0.05)
    split = economics.spending_split(100.0, 0.1, (10.0, 0.1, 0.4), (10.0, 0.7, 0.9))
    for illustrated in ((), ("points", "acquisition")):
        given = replace(economy[-1], illustrated=illustrated)
        answer = economics_answer(*economy[:-1], given, gain=gain, split=split)
        tiles = [tile.label.id for tile in answer.tiles]
        assert ("lifetime.tile_gain" in tiles) == (illustrated == ())
        ranges = [getattr(tile.interval, "id", "") for tile in answer.tiles]
        assert ("lifetime.tile_by_start" in ranges) == (illustrated == ())
        assert (split.sentence in answer.advice) == (illustrated == ())


def test_value_and_equity_speak_in_the_answer(result, summary, calm, fit, spend, forecasts):
    from cvlib.lifetime.equity_models import equity_by_model
    from cvlib.statistics.resample import Bootstrap

    people = summary.customers
    judged = lifetime.validate_value(summary, fit, spend, calm, forecasts[0])
    few = {"annual_rate": 0.1, "margin": 0.3, "bootstrap": Bootstrap(4)}
    sure = equity_by_model([fit], spend, people, **few)
    wide = sure.equity.assign(ci_low=sure.equity["equity"] / 2, ci_high=2 * sure.equity["equity"])
    sure = replace(sure, equity=wide)
    answer = lifetime_answer(result, summary, calm, worth=judged, equity=sure)
    assert len(answer.verdict) == 2 and "lifetime.equity_judged_little" in ids(answer.doubts)
    tile = next(each for each in answer.tiles if each.label.id == "lifetime.tile_equity")
    assert f"{sure.row('bg_nbd')['ci_low']:,.0f}" in tile.interval
    assert "lifetime.equity_wide" in ids(answer.doubts)
    in_both(answer)
    close = sure.equity.assign(ci_low=sure.equity["equity"], ci_high=sure.equity["equity"])
    answer = lifetime_answer(result, summary, calm, equity=replace(sure, equity=close))
    assert "lifetime.equity_wide" not in ids(answer.doubts)


def test_a_column_that_looks_too_good_forbids_to_act_on_the_forecasts(study):
    table, contracts = study[:2]
    after = contracts.data.assign(noted=np.where(contracts.data["event"] == 1, "moved", "none"))
    leaks = audit.leaks(after[["noted"]], after["event"] == 1, after["duration"])
    assert set(ids(leaks.sentences())) == {"inputs.leak"}
    answer = contracts_answer(table, replace(contracts, leaks=leaks), *study[2:])
    assert answer.advice[0].id == "lifetime.advice_leak"
    assert "lifetime.advice_by_risk" not in ids(answer.advice)
    in_both(answer)


def shown(answer: Any) -> set[str]:
    found = [each for tile in answer.tiles for each in (tile.label, tile.value, tile.interval)]
    return {each.id for each in (*found, *answer.verdict, *answer.doubts) if hasattr(each, "id")}


def test_tiles_and_doubts_of_a_holdout_come_and_go(result, summary, calm):
    whole = shown(lifetime_answer(result, summary, calm))
    assert "lifetime.tile_level" in whole
    own = result.validation["metric"].isin(["auc", "bias"])
    bare = replace(result, validation=result.validation[~own])
    after = shown(lifetime_answer(bare, summary, calm))
    assert "lifetime.tile_level" not in after
    assert "lifetime.holdout_no_contrast" in after - whole
    cut = message("lifetime.left_truncation", times=2.0)
    early = replace(summary, warnings=(cut,))
    assert "lifetime.left_truncation" in shown(lifetime_answer(result, early, calm)) - whole


def test_tiles_and_doubts_of_economics_come_and_go(economy):
    summary, value, *rest = economy
    whole = shown(economics_answer(*economy))
    assert "lifetime.tile_silent" in whole
    none = replace(value, reason=message("lifetime.advice_none_segments"))
    told = shown(economics_answer(summary, none, *rest))
    assert "lifetime.tile_silent" not in told and "lifetime.tile_gone" in told - whole
    few = replace(summary, customers=summary.customers.head(60))
    fewer = replace(value, customers=value.customers.head(60))
    assert "lifetime.doubt_few" in shown(economics_answer(few, fewer, *rest)) - whole
    three = replace(summary, customers=summary.customers.head(3))
    least = replace(value, customers=value.customers.head(3))
    assert "lifetime.too_few_for_best" in shown(economics_answer(three, least, *rest)) - whole
    free = economics_answer(summary, none, None, *rest[1:])
    assert "lifetime.tile_best_fifth_purchases" in shown(free) - whole


def test_tiles_and_doubts_of_contracts_come_and_go(study):
    table, contracts, fits, judged, value, projected = study
    whole = shown(contracts_answer(*study))
    assert {"lifetime.tile_models", "lifetime.tile_points", "lifetime.tile_value_error"} <= whole
    assert "lifetime.tile_points" not in shown(contracts_answer(*study[:5]))
    one = replace(value, value=value.value.head(1))
    assert "lifetime.tile_models" not in shown(
        contracts_answer(table, contracts, fits, judged, one, projected)
    )
    scores = judged.validation[judged.validation["metric"] != "clv_error_share"]
    unjudged = replace(judged, validation=scores)
    assert "lifetime.tile_value_error" not in shown(
        contracts_answer(table, contracts, fits, unjudged, value, projected)
    )
    own = replace(table, warnings=())
    good = message("lifetime.contracts_too_good", concordance=0.99, limit=0.9)
    doubtful = replace(judged, warnings=(good,))
    answer = contracts_answer(own, contracts, fits, doubtful, value, projected)
    assert "lifetime.contracts_too_good" in shown(answer) - whole
    assert answer.advice[0].id == "lifetime.advice_leak"
    bent = message("lifetime.cox_not_proportional", model="cox", covariates=["a"])
    answer = contracts_answer(own, contracts, replace(fits, warnings=(bent,)), *study[3:])
    assert "lifetime.cox_not_proportional" in shown(answer) - whole
