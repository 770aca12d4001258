"""Segments by hand-made logs that mean one thing only, by identities, and on CDNOW."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib import lifetime
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import transaction_log
from cvlib.lifetime import segments
from cvlib.lifetime.purchases.summary import summarise_purchases

LOG = pd.read_csv(Path(__file__).parents[2] / "data" / "cdnow_sample.csv", parse_dates=["date"])


def customers(at="1998-06-30", value="amount"):
    day = LOG[LOG["date"] <= at].groupby(["customer_id", "date"], as_index=False)[value].sum()
    by = day.groupby("customer_id")
    return pd.DataFrame(
        {
            "recency": (pd.Timestamp(at) - by["date"].max()).dt.days,
            "frequency": by.size(),
            "monetary": by[value].sum(),
        }
    ).reset_index()


def test_scores_without_ties_are_quintiles():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "customer_id": range(100),
            "recency": rng.permutation(100),
            "frequency": rng.permutation(100),
            "monetary": rng.random(100),
        }
    )
    found = segments.scores(table)
    assert (
        found["recency_score"].to_numpy() == 5 - pd.qcut(table["recency"], 5, labels=False)
    ).all()
    assert (
        found["value_score"].to_numpy() == 1 + pd.qcut(table["monetary"], 5, labels=False)
    ).all()
    best = found.iloc[int(table["monetary"].argmax())]
    assert best["score"][2] == "5"
    assert found["mean_score"].between(1, 5).all()


def test_tied_customers_share_a_score_and_rfa_uses_quantity():
    rfm = segments.scores(customers())
    once = customers()["frequency"] == 1
    assert rfm.loc[once, "frequency_score"].nunique() == 1
    rfa = segments.scores(customers(value="quantity"))
    assert (rfa["recency_score"] == rfm["recency_score"]).all()
    assert (rfa["value_score"] != rfm["value_score"]).mean() > 0.1


def test_tiers_have_the_asked_sizes_best_first():
    values = pd.Series(np.random.default_rng(2).lognormal(size=1000))
    found = segments.tiers(values, segments.PYRAMID)
    assert found.value_counts().to_dict() == {"small": 800, "ordinary": 150, "major": 40, "vip": 10}
    assert values[found == "vip"].min() >= values[found == "major"].max()
    table = segments.group_shares(values, found, list(segments.PYRAMID))
    assert table["customers"].tolist() == [10, 40, 150, 800]
    assert table["value"].sum() == pytest.approx(values.sum())
    assert table["share_of_value"].sum() == pytest.approx(1)
    assert segments.tiers(values, segments.PLATINUM_TO_LEAD).value_counts()["lead"] == 500
    with pytest.raises(InputError, match=r"add up to 0\.9"):
        segments.tiers(values, {"a": 0.5, "b": 0.4})


def test_cdnow_pyramid_and_eighty_twenty():
    spend = customers()["monetary"]
    best = np.sort(spend)[::-1]
    assert segments.share_of_best(spend) == pytest.approx(
        (best[:471].sum() + 0.4 * best[471]) / best.sum()
    )
    table = segments.group_shares(
        spend, segments.tiers(spend, segments.PYRAMID), list(segments.PYRAMID)
    )
    assert table["customers"].tolist() == [24, 94, 354, 1885]  # rounded up from the top
    assert table["share_of_value"].iloc[:3].sum() == pytest.approx(best[:472].sum() / best.sum())


def test_abc_by_hand():
    values = pd.Series([50, 5, 30, 10, 3, 2.0], index=list("abcdef"))
    # cumulated before each: a 0, c .50, d .80, b .90, e .95, f .98
    assert segments.abc(values).to_dict() == {
        "a": "A", "b": "B", "c": "A", "d": "B", "e": "C", "f": "C",
    }  # fmt: skip


def test_empty_groups_are_shown():
    table = segments.group_shares(pd.Series([1.0, 2]), pd.Series(["x", "x"]), ["x", "y"])
    assert table["customers"].tolist() == [2, 0]
    assert table["share_of_value"].tolist() == [1, 0]


def log_of(histories):
    rows = [(name, day, spend) for name, days in histories.items() for day, spend in days]
    return pd.DataFrame(rows, columns=["customer_id", "date", "amount"])


SEVEN = {
    "top": [("2020-02-01", 900), ("2021-03-01", 900), ("2021-11-01", 900)],
    "grower": [("2020-02-01", 10), ("2021-05-01", 100), ("2021-12-01", 500)],
    "gone": [("2020-02-01", 200), ("2020-06-01", 200)],
    "steady": [("2020-02-01", 100), ("2021-05-01", 100), ("2021-11-01", 100)],
    "christmas": [("2019-12-20", 9), ("2020-12-20", 9), ("2021-12-20", 9)],
    "small_gone": [("2020-02-01", 5)],
    "back": [("2020-02-01", 5), ("2021-12-01", 5)],
    "newcomer": [("2021-10-01", 5), ("2021-12-01", 4)],
    "small_gone_2": [("2020-03-01", 4)],
    "small_gone_3": [("2020-04-01", 3)],
}
EXPECTED = {
    "top": "top_stable",
    "grower": "high_growing",
    "gone": "medium_lost",
    "steady": "medium_stable",
    "christmas": "low_seasonal",
    "small_gone": "low_lost",
    "back": "low_resumed",
    "newcomer": "outside",
    "small_gone_2": "low_lost",
    "small_gone_3": "low_lost",
}


def test_seven_segments_by_hand():
    found = segments.seven_segments(log_of(SEVEN), "2021-12-31", medium=0.4)
    assert found.customers.set_index("customer_id")["segment"].to_dict() == EXPECTED
    assert set(EXPECTED.values()) == set(found.rules["segment"])
    assert found.rules["customers"].sum() == 10
    assert found.rules["share_of_value"].sum() == pytest.approx(1)
    assert found.warnings == ()


def test_what_happens_after_the_date_is_not_seen():
    later = {**SEVEN, "gone": [*SEVEN["gone"], ("2022-01-01", 9999)]}
    found = segments.seven_segments(log_of(later), "2021-12-31", medium=0.4)
    assert found.customers.set_index("customer_id")["segment"].to_dict() == EXPECTED


def test_returned_purchases_do_not_count():
    netted = {**SEVEN, "steady": [*SEVEN["steady"], ("2021-12-15", 50), ("2021-12-15", -50)]}
    found = segments.seven_segments(log_of(netted), "2021-12-31", medium=0.4).customers
    assert found.set_index("customer_id").loc["steady", "days_since_last"] == 60


def test_every_cdnow_customer_is_in_one_segment():
    found = segments.seven_segments(LOG, "1998-06-30")
    assert found.customers["customer_id"].is_unique
    assert found.rules["customers"].sum() == 2357
    assert found.rules["value"].sum() == pytest.approx(LOG["amount"].sum())
    lost = found.customers["segment"].isin(["medium_lost", "low_lost"])
    assert (found.customers.loc[lost, "days_since_last"] >= 183).all()
    assert any("seasons" in text for text in found.warnings)


def test_movement_keeps_every_customer():
    before = segments.seven_segments(LOG, "1997-12-31").customers.set_index("customer_id")
    after = segments.seven_segments(LOG, "1998-06-30").customers.set_index("customer_id")
    table = segments.transitions(before["segment"].iloc[100:], after["segment"])
    assert table["customers"].sum() == 2357
    assert table.groupby("from_segment")["share"].sum().to_numpy() == pytest.approx(1)
    assert table.loc[table["from_segment"] == "new", "customers"].sum() == 100
    with pytest.raises(InputError, match="missing"):
        segments.transitions(before["segment"], after["segment"].iloc[5:])


def test_life_cycle_profit_counts_only_whole_periods():
    log = log_of(
        {
            "old": [("2021-01-01", 10), ("2021-04-15", 20), ("2021-12-30", 99)],
            "young": [("2021-06-01", 30)],
        }
    )
    found = segments.life_cycle_profit(log, "2021-12-31", margin=0.5, period_days=100)
    # ages in whole periods: old 365 days = 3, young 214 days = 2; old's 30 December is period 4
    assert found["customers"].tolist() == [2, 2, 1]
    assert found["profit_per_customer"].tolist() == [10, 5, 0]
    assert found["active_share"].tolist() == [1, 0.5, 0]
    assert found["cumulative_profit"].tolist() == [10, 15, 15]


def test_segmenting_before_the_log_begins_is_refused():
    with pytest.raises(InputError, match="no purchase up to"):
        segments.seven_segments(LOG, "1996-01-01")


def test_what_is_left_out_is_counted():
    log = log_of({**SEVEN, "only_returned": [("2021-05-01", 5), ("2021-05-01", -5)]})
    found = segments.seven_segments(log, "2021-12-31", medium=0.4)
    assert found.left_out["count"].tolist() == [1, 1]
    assert found.rules["customers"].sum() == 10


DAYS = pd.date_range("2024-01-01", periods=200, freq="D")


def studied(rows, before="", at=""):
    from cvlib.lifetime.purchases.dates import study_dates
    from cvlib.lifetime.segment_study import segment_worth, value_segments

    log = transaction_log(pd.DataFrame(rows, columns=["customer_id", "date", "amount"]))
    dates = study_dates(log, at=at, before=before)
    summary = summarise_purchases(log, calibration_end=dates.at)
    groups = value_segments(
        log, summary, dates, pyramid=segments.PYRAMID, borders={}, margin=0.3,
        platinum_to_lead=segments.PLATINUM_TO_LEAD,
    )  # fmt: skip
    worth = segment_worth(summary, groups, model="bg_nbd", annual_rate=0.1, margin=0.3)
    return summary, groups, worth


def ids_of(said):
    return [text.id for text in said]


def test_a_log_of_one_purchase_each_has_its_segments_and_no_values():
    rows = [(f"c{i}", DAYS[i], 10.0 + i) for i in range(120)]
    _, groups, worth = studied(rows)
    assert groups.pyramid["customers"].sum() == 120 and len(groups.life_cycle_profit)
    assert worth.value.reason.id == "lifetime.nobody_again"
    assert worth.equity_by_tier.empty and worth.headlines("", 0.1, 0.3)[0][1] is None
    rows += [("c1", DAYS[150], 5.0), ("c2", DAYS[160], 5.0), ("c3", DAYS[170], 5.0)]
    assert studied(rows)[2].value.reason is None


def test_a_log_of_few_days_has_no_ages_no_movement_and_no_lifetime():
    rows = [(f"c{i % 40}", DAYS[i % 3], 10.0 + i) for i in range(160)]
    _, groups, worth = studied(rows)
    assert ids_of(groups.reasons) == ["lifetime.no_age"] and groups.earlier is not None
    assert worth.value.reason.id == "lifetime.too_short_to_value"
    one = [(name, DAYS[0], amount) for name, _, amount in rows]
    assert ids_of(studied(one)[1].reasons) == ["lifetime.no_age", "lifetime.no_movement_same"]
    long = [(f"c{i % 40}", DAYS[i], 10.0 + i) for i in range(160)]
    assert studied(long)[1].reasons == () and studied(long)[2].value.reason is None


def test_a_log_without_money_tells_who_buys_most_often_and_says_what_it_lacks():
    rows = [(f"c{i % 40}", DAYS[i], 0.0) for i in range(160)] + [("c1", DAYS[170], 0.0)]
    summary, groups, worth = studied(rows)
    assert groups.spend is None and groups.pyramid.empty and groups.now is None
    assert groups.best == segments.share_of_best(summary.customers["frequency"])
    assert groups.sentence.id == "lifetime.best_fifth_purchases"
    given = lifetime.assumptions(summary.log)
    answer = lifetime.economics_answer(summary, worth.value, None, worth.key_accounts, given)
    assert answer.hero == "" and ids_of(answer.advice) == ["lifetime.advice_no_money"]
    assert answer.verdict[0].id == "lifetime.best_fifth_purchases"
    two = segments.scores(summary.customers, 5, "")
    assert "value_score" not in two and two["score"].str.len().eq(2).all()


def test_who_is_silent_is_not_called_worthless_where_values_are_unknown():
    rows = [(f"c{i}", DAYS[0], 10.0) for i in range(60)] + [("late", DAYS[199], 10.0)]
    summary, groups, worth = studied(rows)
    given = lifetime.assumptions(summary.log)
    answer = lifetime.economics_answer(summary, worth.value, groups.now, worth.key_accounts, given)
    assert "lifetime.advice_silent_unvalued" in ids_of(answer.advice)
    assert "lifetime.tile_gone" in [tile.label.id for tile in answer.tiles]
    assert all(text.id != "lifetime.doubt_value_untested" for text in answer.doubts)


def test_no_year_is_told_from_a_few_days_of_claims():
    short = transaction_log(
        pd.DataFrame(
            [(f"c{i % 9}", DAYS[i % 3], 1.0) for i in range(60)],
            columns=["customer_id", "date", "amount"],
        )
    )
    found = lifetime.claims_table(short, "2024-01-03", float("nan"), 0.1)
    assert found.sentence.id == "decisions.claims_without_rate"
    assert found["claims"]["verdict"].tolist()[:2] == ["unknown", "unknown"]


def test_a_log_of_returns_alone_is_refused_by_what_it_lacks():
    rows = pd.DataFrame({"customer_id": ["a", "b"], "date": DAYS[:2], "amount": [-1.0, -2.0]})
    with pytest.raises(InputError, match="holds no purchase") as error:
        summarise_purchases(transaction_log(rows))
    assert "calibration_end" not in str(error.value)
