"""Networks, offers, accounts, capacity, firm value, winning back: worked examples, identities."""

import json

import numpy as np
import pandas as pd
import pytest

from cvlib import lifetime
from cvlib.inputs.datasets import fetch
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.lifetime.decisions import (
    accounts,
    axes,
    capacity,
    complaints,
    contagion,
    firm,
    movement,
    network,
    potential,
    states,
    winback,
)

CLOSE = {"rtol": 0, "atol": 1e-6}


@pytest.fixture(scope="module")
def examples(seed_systems):
    return json.loads((seed_systems / "decision_examples.json").read_text(encoding="utf-8"))


class TestNetwork:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        found = network.network_value(
            seed_systems / "network_nodes.csv",
            seed_systems / "network_edges.csv",
            0.2,
            directed=False,
        )
        rows = found["network_value"].set_index("customer")
        told = {
            "betweenness": "betweenness_normalised_unweighted",
            "degree": "degree",
            "constraint": "constraint_weighted",
            "network_value": "influenced_value_delta_0.2",
            "attributed_value": "attributed_value_delta_0.2",
            "value_within_2": "clv_within_2_steps",
        }
        for column, quantity in told.items():
            expected = seed_numbers("network", quantity)
            np.testing.assert_allclose(rows.loc[expected.index, column], expected, **CLOSE)
        cut = seed_numbers("network", "clv_cut_off_from_largest_part")
        assert rows.loc[rows["value_cut_off"] > 0, "value_cut_off"].to_dict() == cut.to_dict()
        assert found.facts["spectral_radius"] == pytest.approx(1, abs=1e-9)

    def test_attributed_value_adds_up_to_own_value(self, people, ties):
        for delta in (0.0, 0.2, 0.9):
            found = network.network_value(people, ties, delta)
            rows = found["network_value"]
            assert rows["attributed_value"].sum() == pytest.approx(rows["clv"].sum(), abs=1e-8)
            assert rows["network_value"].sum() >= rows["clv"].sum() - 1e-9
        assert network.network_value(people, ties, 0.0).sentence.id == "decisions.network_same"
        assert network.network_value(people, ties, 0.9).sentence.id == "decisions.network_moved"

    def test_bad_edges_are_refused_with_their_row(self, people, ties):
        with pytest.raises(InputError, match="column to, data row 2: 'z' is no id"):
            network.network_value(people, ties.assign(to=["b", "z", "c"]))
        with pytest.raises(InputError, match="column from, data row 1: 'b' is tied to itself"):
            network.network_value(people, ties.assign(**{"from": "b"}))
        with pytest.raises(InputError, match="column weight, data row 3: -1"):
            network.network_value(people, ties.assign(weight=[1, 1, -1]))

    @pytest.fixture
    def people(self):
        return pd.DataFrame({"id": list("abc"), "clv": [10.0, 50.0, 20.0]})

    @pytest.fixture
    def ties(self):
        return pd.DataFrame({"from": list("aac"), "to": list("bcb"), "weight": [2.0, 1, 1]})


class TestContagion:
    def test_the_worked_example(self, examples):
        example = examples["contagion"]
        people = pd.DataFrame(example["clv"].items(), columns=["id", "clv"])
        ties = pd.DataFrame(example["edges"], columns=["from", "to", "weight"])
        found = contagion.contagion_loss(people, ties, example["hazard"], as_given=True)
        rows = found["contagion"].set_index("customer").loc[list(example["clv"])]
        np.testing.assert_allclose(rows["expected_loss"], example["expected_loss_exact"], **CLOSE)
        np.testing.assert_allclose(rows["upper_bound"], example["leontief_bound"], **CLOSE)
        assert (rows["expected_loss"] <= rows["upper_bound"]).all()

    def test_drawn_edge_sets_come_near_and_nothing_spreads_at_zero(self):
        rng = np.random.default_rng(6)
        people = pd.DataFrame({"id": range(12), "clv": rng.integers(1, 9, 12)})
        pairs = [(i, j) for i in range(12) for j in range(12) if i != j and (i + 2 * j) % 5 == 0]
        ties = pd.DataFrame(pairs, columns=["from", "to"])
        found = contagion.contagion_loss(people, ties, 0.0, draws=100)["contagion"]
        np.testing.assert_allclose(found["expected_loss"], found["clv"], rtol=1e-12)
        full = contagion.contagion_loss(people, ties, 0.3)["contagion"]
        assert (full["expected_loss"] <= full["upper_bound"] + 3 * full["std_error"]).all()
        with pytest.raises(InputError, match="hazard"):
            contagion.contagion_loss(people, ties, 1.5)


class TestPotential:
    @pytest.fixture(scope="class")
    def model(self, seed_systems):
        log, _ = potential.read_products(seed_systems / "product_log.csv")
        return potential.product_model(log, pd.Timestamp("2023-12-31"), 366)

    def test_every_number_of_the_reference(self, model, seed_numbers):
        assert len(model.chance) == seed_numbers("cross_sell", "customers").iloc[0]
        for product, rows in model.terms.groupby("product"):
            told = rows.set_index("term")[["estimate", "std_error"]].to_numpy()
            coef = seed_numbers("cross_sell", f"logit_coef_{product}")
            np.testing.assert_allclose(told[:, 0], coef, atol=1e-5)
            error = seed_numbers("cross_sell", f"logit_se_{product}")
            np.testing.assert_allclose(told[:, 1], error, atol=1e-4)
            row = rows.iloc[0]
            for name, quantity in {
                "buyers": "buyers_next_year",
                "log_likelihood": "loglik",
                "auc": "auc",
            }.items():
                expected = seed_numbers("cross_sell", f"{quantity}_{product}").iloc[0]
                assert row[name] == pytest.approx(expected, abs=1e-6), (product, name)
            mean = seed_numbers("cross_sell", f"mean_year_spend_of_buyers_{product}").iloc[0]
            assert model.spend[product] == pytest.approx(mean, abs=1e-6)
        value = model.potential(0.3).sum(axis=1)
        each = seed_numbers("cross_sell", "potential_value_margin_0.3_sum_over_products_not_owned")
        np.testing.assert_allclose(value[each.index], each, **CLOSE)
        total = seed_numbers("cross_sell", "potential_value_total").iloc[0]
        assert value.sum() == pytest.approx(total, abs=1e-4)

    def test_few_buyers_get_a_base_rate_and_owners_no_offer(self):
        days = pd.date_range("2023-01-01", periods=24, freq="MS")
        rows = [
            (f"c{n}", days[(n * 5 + k * 7) % 24], "ab"[(n + k) % 2], 10.0 + n)
            for n in range(40)
            for k in range(3)
        ]
        log = pd.DataFrame(rows, columns=["customer", "date", "product", "amount"])
        found = potential.current_and_potential(log, "2023-12-31", 366)
        assert set(found["cross_selling"]["term"]) == {"base_rate"}
        assert "decisions.potential_base_rate" in [text.id for text in found.warnings]
        offers = found["offers"]
        assert (offers.loc[offers["product"] == "", "value"] == 0).all()
        assert found["potential_cells"]["customers"].sum() == len(offers)
        with pytest.raises(InputError, match="cut: 2030-01-01"):
            potential.current_and_potential(log, "2030-01-01")
        with pytest.raises(InputError, match="column amount, data row 1: -5 is a return"):
            potential.read_products(log.assign(amount=-5))


class TestAxes:
    def test_eight_segments(self, examples):
        example = examples["eight_segments"]
        given = [example[name] for name in ("current", "potential", "loyalty")]
        found = axes.eight_segments(*given)
        assert found.facts["segment"].tolist() == example["segment_current_potential_loyalty"]
        assert found.facts["medians"] == example["medians"]
        assert len(found["eight_segments"]) == 8 and found["eight_segments"]["customers"].sum() == 9
        with pytest.raises(InputError, match="different lengths"):
            axes.eight_segments([1, 2], [1], [1, 2])

    def test_hwang(self, examples):
        e = examples["hwang_ltv"]
        found = axes.past_and_future_value(e["past"], e["future"], e["potential"], e["E"], e["d"])
        assert found["past_value"] == pytest.approx(e["past_value"], abs=1e-6)
        assert found["future_value"] == pytest.approx(e["future_value"], abs=1e-6)

    def test_grades_say_whether_they_follow_potential(self):
        spend = np.arange(100.0)
        assert axes.spend_grades(spend, spend).sentence.id == "decisions.grades_strong"
        assert axes.spend_grades(spend, -spend).sentence.id == "decisions.grades_weak"
        assert axes.spend_grades(spend, 0 * spend).sentence.id == "decisions.grades_none"
        money = axes.spend_grades(spend, spend, [90, 80, 50, 10])["spend_grades"]
        assert money["customers"].tolist() == [10, 10, 30, 40, 10]
        with pytest.raises(InputError, match="cutoffs"):
            axes.spend_grades(spend, spend, [1, 2, 3, 4])


class TestAccounts:
    def test_the_worked_example(self, examples):
        e = examples["key_account"]
        draws = pd.DataFrame(e["draws"], columns=e["accounts"])
        rows = accounts.key_account_sheet(draws, rest="").facts["all"].set_index("customer")
        rows = rows.loc[e["accounts"]]
        np.testing.assert_allclose(rows["clv"], e["clv_mean"], **CLOSE)
        for columns, name in (
            (["clv_low", "clv_median", "clv_high"], "clv_quantiles_025_50_975"),
            (["share_low", "share_of_equity", "share_high"], "share_quantiles_025_50_975"),
        ):
            np.testing.assert_allclose(rows[columns].to_numpy().T, e[name], **CLOSE)
        np.testing.assert_allclose(rows["probability_largest"], e["probability_largest"], **CLOSE)

    def test_two_alike_are_open_and_a_negative_draw_is_refused(self):
        draws = pd.DataFrame({"a": [1.0, 2, 1, 2], "b": [2.0, 1, 2, 1], "rest": 5.0})
        found = accounts.key_account_sheet(draws, {"grade": {"a": "gold"}})
        assert found.sentence.id == "decisions.account_open"
        assert found["key_account_sheet"]["customer"].tolist() == ["a", "b"]
        sure = accounts.key_account_sheet(draws.assign(a=9.0))
        assert sure.sentence.id == "decisions.account_sure"
        with pytest.raises(InputError, match="column b, data row 2: -1"):
            accounts.key_account_sheet(draws.assign(b=[1, -1, 1, 1]))


class TestCapacity:
    def test_the_worked_example(self, examples):
        e = examples["capacity"]
        data = pd.DataFrame(
            {
                "customer": list("abcde"),
                "value_per_unit": e["value_per_unit"],
                "demand": e["demand"],
                "minimum": e["minimum"],
            }
        )
        found = capacity.allocate_capacity(data, e["capacity"])
        rows, rules = found["capacity_allocation"], found["capacity_rules"].set_index("rule")
        np.testing.assert_allclose(rows["best"], e["allocation"], **CLOSE)
        np.testing.assert_allclose(rows["gain_per_unit"], e["reduced_cost_upper"], **CLOSE)
        assert rules.at["best", "value"] == pytest.approx(e["objective"])
        [price] = found["capacity_prices"].to_dict("records")
        assert price["shadow_price"] == pytest.approx(e["shadow_price"])
        assert (price["valid_from"], price["valid_to"]) == pytest.approx((85, 115), abs=1e-3)
        assert (rules["value_lost"] >= -1e-9).all()
        assert found.sentence.id == "decisions.capacity_scarce"
        plenty = capacity.allocate_capacity(data, 500)
        assert plenty.sentence.id == "decisions.capacity_enough"
        with pytest.raises(InputError, match="the minima take 20 of capacity, there are 10"):
            capacity.allocate_capacity(data, 10)
        with pytest.raises(InputError, match="column demand, data row 1: 40 is below the minimum"):
            capacity.allocate_capacity(data.assign(minimum=41), 1000)

    def test_two_resources(self):
        data = pd.DataFrame(
            {
                "customer": list("ab"),
                "value_per_unit": [3.0, 2.0],
                "demand": 10,
                "use_hours": [2, 1],
                "use_tons": 1,
            }
        )
        found = capacity.allocate_capacity(data, {"hours": 14, "tons": 10})
        assert found["capacity_allocation"]["best"].tolist() == pytest.approx([4, 6])
        prices = found["capacity_prices"].set_index("resource")["shadow_price"]
        assert prices.to_dict() == pytest.approx({"hours": 1, "tons": 1})


class TestFirm:
    def test_the_worked_example(self, examples, accounts_of):
        e = examples["valuation"]
        found = firm.firm_value(accounts_of(e), e["discount"])
        values = found["firm_value"].set_index("reading")["value"]
        assert values["assets"] == pytest.approx(e["formula_1"], abs=1e-4)
        returned = sum(x / (1 + e["discount"]) ** t for t, x in enumerate(e["returns"], start=1))
        assert values["returns_as_printed"] == pytest.approx(e["net_assets"] + returned, abs=1e-6)
        assert values["returns_as_printed"] == pytest.approx(e["formula_2_as_printed"], abs=1e-6)
        assert values["returns_residual"] == pytest.approx(
            e["book_plus_residual_income_pv"], abs=1e-6
        )
        assert values["returns_dividends"] == pytest.approx(
            e["dividends_plus_book_end_pv"], abs=1e-6
        )
        assert values["returns_as_printed"] == pytest.approx(
            e["book_plus_net_income_pv_double_count"], abs=1e-6
        )

    def test_the_bridge(self, examples):
        e = examples["customer_equity_bridge"]
        found = firm.customer_equity_bridge(
            e["customers"],
            e["margin"],
            e["retention"],
            e["discount"],
            e["new_per_year"],
            e["acquisition_cost"],
        )
        for name in ("existing", "future"):
            assert found[name] == pytest.approx(e[name], abs=1e-6)
        assert found["elasticity_retention_existing"] == pytest.approx(
            e["elasticity_retention_existing"], abs=1e-6
        )
        assert found["elasticity_margin"] > 1 > 0 > found["elasticity_acquisition"]

    def test_residual_income_is_dividends_whatever_is_paid_out(self):
        rng = np.random.default_rng(8)
        for _ in range(5):
            income, paid = rng.normal(50, 30, 7), rng.normal(20, 30, 7)
            found = firm.residual_income(300, income, paid, 0.07)
            assert found["residual"] == pytest.approx(found["dividend"], abs=1e-9)

    def test_a_missing_item_is_refused(self, examples, accounts_of):
        rows = accounts_of(examples["valuation"])
        with pytest.raises(InputError, match="has no dividend"):
            firm.firm_value(rows[rows["item"] != "dividend"], 0.1)
        more = pd.DataFrame(
            {"item": ["customers", "margin", "retention"], "year": 0, "value": [33.8, 15.48, 0.7]}
        )
        found = firm.firm_value(pd.concat([rows, more], ignore_index=True), 0.12, 1000)
        assert [p.id for p in found.sentence.values["parts"]][1:] == [
            "decisions.firm_customers",
            "decisions.firm_share",
        ]

    @pytest.fixture
    def accounts_of(self):
        def make(e):
            flows = [("asset", n, v) for n, v in enumerate(e["assets"])]
            flows += [
                ("liability_payment", n + 1, v) for n, v in enumerate(e["liability_payments"])
            ]
            flows += [("net_income", n + 1, v) for n, v in enumerate(e["net_income"])]
            flows += [("dividend", n + 1, v) for n, v in enumerate(e["dividends"])]
            flows += [("goodwill", 0, e["goodwill"]), ("book_start", 0, e["book_start"])]
            return pd.DataFrame(flows, columns=["item", "year", "value"])

        return make


class TestWinBack:
    def test_the_worked_example(self, examples):
        e = examples["win_back"]
        slv = winback.second_lifetime_value(e["margin"], e["retention_second"], e["discount"])
        assert slv == pytest.approx(e["second_lifetime_value"])
        value, even = winback.win_back_value(
            e["p_reacquire"], slv, e["offer_if_accepted"], e["contact_cost"]
        )
        assert value == pytest.approx(e["win_back_value"], abs=1e-6)
        assert even == pytest.approx(e["break_even_p"], abs=1e-6)

    def test_the_public_records(self, mirror):
        found = winback.win_back(
            mirror / "smcrm_customer_win_back.csv",
            "reacquire",
            ["duration_1", "offer", "duration_lapse", "price_change"],
            220,
            offer=15,
            contact_cost=6,
        )
        assert found["win_back_facts"].set_index("measure")["value"]["customers"] == 500
        model = found["win_back_model"].set_index("term")
        assert model.at["duration_lapse", "ci_high"] < 0 or model.at["duration_lapse", "ci_low"] < 0

    def test_separation_and_few_returns_are_sentences(self):
        data = pd.DataFrame({"back": [0, 1] * 30, "gone": [1.0, 9.0] * 30})
        found = winback.win_back(data, "back", ["gone"])
        assert found.sentence.id == "decisions.win_back_base"
        assert found.sentence.values["reason"].id == "lifetime.logit_separated"
        few = winback.win_back(data.head(8), "back", ["gone"])
        assert few.sentence.values["reason"].id == "decisions.logit_few"
        with pytest.raises(InputError, match="column back, data row 1: 3"):
            winback.win_back(data.assign(back=3), "back", ["gone"])
        rng = np.random.default_rng(3)
        noisy = pd.DataFrame({"back": rng.integers(0, 2, 90), "gone": rng.normal(size=90)})
        dear = winback.win_back(noisy, "back", ["gone"], 10, offer=20)
        assert dear.sentence.values["parts"][1].id == "decisions.win_back_unpaid"


class TestComplaints:
    def test_the_worked_example(self, examples):
        e = examples["complaints"]
        names = [
            "share_complaining",
            "leave_silent",
            "leave_unresolved",
            "leave_resolved",
            "share_resolved",
            "leave_anyway",
            "people_told",
            "share_deterred",
        ]
        rates = complaints.ComplaintRates(**{name: e[name] for name in names})
        found = complaints.complaint_cost(e["complaints"], 5e6, rates=rates).facts
        for name in ("dissatisfied", "customers_lost", "customers_deterred"):
            assert found[name] == pytest.approx(e[name], abs=1e-6)
        assert found["clv_needed"] == pytest.approx(e["clv_needed_without_word_of_mouth"], abs=1e-6)
        assert found["clv_needed_with"] == pytest.approx(e["clv_needed_with"], abs=1e-6)
        assert found["saved_per_point"] == pytest.approx(
            e["value_saved_per_point_of_resolution_per_clv"], abs=1e-6
        )

    def test_word_of_mouth(self, examples):
        e = examples["word_of_mouth"]
        found = complaints.word_of_mouth(
            e["satisfied"], e["base"], e["growth_wanted"], dissatisfied=e["dissatisfied"]
        )
        for name in (
            "conversion_that_gives_it",
            "growth_if_every_deal_closes",
            "ratio_of_conversions_at_which_both_cancel",
        ):
            assert found[name] == pytest.approx(e[name], abs=1e-6)

    def test_the_claim_holds_or_fails_by_the_value_of_a_customer(self):
        ids = [complaints.complaint_cost(100, clv=v).sentence.id for v in (0, 1e4, 1e2)]
        assert ids == [f"decisions.complaints{end}" for end in ("", "_holds", "_fails")]
        calm = complaints.ComplaintRates(
            leave_silent=0.1, leave_unresolved=0.1, leave_resolved=0.1, share_deterred=0
        )
        none = complaints.complaint_cost(100, rates=calm)
        assert none.sentence.id == "decisions.complaints_none"
        with pytest.raises(InputError, match="share_complaining"):
            complaints.ComplaintRates(share_complaining=0)


class TestStates:
    def test_pfeifer_and_carraway(self, examples):
        e = examples["markov"]["example"]
        chain, reward = states.recency_chain(e["p"]), np.array(e["R"])
        np.testing.assert_allclose(states.state_values(chain, reward, e["d"]), e["value"], **CLOSE)
        np.testing.assert_allclose(
            states.state_values(chain, reward, e["d"], 4), e["value_through_period_4"], **CLOSE
        )
        years = np.linalg.solve(np.eye(4) - chain[:4, :4], np.ones(4))
        np.testing.assert_allclose(years, e["years_bought"], atol=1e-5)
        rules = states.stopping_rules(e["p"], 40, 4, e["d"]).set_index("stop_at")["value"]
        stop = examples["markov"]["stop_contact_at_recency_4"]
        assert rules[4] == pytest.approx(stop[0], abs=1e-6) and rules.idxmax() == 4
        assert rules[5] == pytest.approx(e["value"][0], abs=1e-6)
        values = states.state_values(
            states.recency_chain(e["p"][:3]), np.array([36.0, -4, -4, 0]), e["d"]
        )
        np.testing.assert_allclose(values, stop[:4], **CLOSE)

    def test_chances_are_recovered_and_the_stop_follows_the_cost(self):
        rng, people = np.random.default_rng(11), 3000
        bought = np.zeros((people, 10))
        bought[:, 0], since = 1, np.ones(people, dtype=int)
        chances = np.array([0.4, 0.25, 0.1, 0.02])
        for t in range(1, 10):
            alive = since <= 4
            now = alive & (rng.random(people) < chances[np.minimum(since, 4) - 1])
            bought[:, t], since = now, np.where(now, 1, since + 1)
        found = states.relation_states(bought, 40, 4, 0.2)
        rows = found["relation_states"]
        assert ((rows["ci_low"] < chances) & (chances < rows["ci_high"])).sum() >= 3
        assert found.sentence.id == "decisions.states_stop"
        assert found.warnings[1].id == "decisions.states_first_order"
        free = states.relation_states(bought, 40, 0, 0.2)
        assert free.sentence.id == "decisions.states_go_on"
        mixed = np.vstack([np.ones((300, 10)), np.tile([1, 0, 0, 1, 0, 0, 1, 0, 0, 1], (300, 1))])
        assert "decisions.states_memory" in [
            text.id for text in states.relation_states(mixed, 40, 4, 0.2).warnings
        ]
        with pytest.raises(InputError, match="row that does not add up"):
            states.state_values(np.ones((2, 2)), np.ones(2), 0.1)


class TestClaims:
    @pytest.fixture(scope="class")
    def log(self):
        import cvlib

        return cvlib.lifetime.transaction_log("cdnow_sample")

    def test_the_verdict_follows_value_costs_and_retention(self, log):
        from cvlib.lifetime.decisions.claims import _verdict, claims_table

        poor = claims_table(log, "1998-06-30", 20.0, 0.1)["claims"]["verdict"].tolist()
        assert len(poor) == 13 and poor[2] == "unknown" and poor[5] == "fails"
        rich = claims_table(log, "1998-06-30", 5e4, 0.1, cost_ratio=6)["claims"]
        assert rich["verdict"].tolist()[2:6] == ["holds", "open", "open", "holds"]
        # at 50 % five points more are worth 20 %: not within the claim, which two ranges are
        assert rich["needs"][1].values["spans"] == ["7%–29%", "76%–95%"]
        none = claims_table(log, "1998-06-30", np.nan, 0.1, cost_ratio=2)["claims"]["verdict"]
        assert none.tolist()[2:6] == ["fails", "open", "open", "unknown"]
        told = [_verdict(*each, 0.45, 0.55) for each in ((0.5, 0.52), (0.4, 0.5), (0, 0.1))]
        assert told == ["holds", "open", "fails"]

    def test_claims_on_adopters_are_held_against_each_other(self, log):
        from cvlib.lifetime.decisions.claims import claims_table

        table = claims_table(log, "1998-06-30", 20.0, 0.1)["claims"]
        needs = {each.id: each.values for each in table["needs"]}
        # 51 % more per seller with sales as they were: 1 − 1 ÷ 1.51 of the sellers are gone
        assert needs["decisions.claim_sales_needs"]["fewer"] == pytest.approx(0.3377, abs=1e-4)
        assert needs["decisions.claim_cycle_needs"]["deals"] == pytest.approx(1.5)
        # costs c, profit p: 0.21 c ≤ 0.02 p
        assert needs["decisions.claim_profit_needs"]["cost"] == pytest.approx(2 / 21)
        assert needs["decisions.claim_saved_needs"]["margin"] == pytest.approx(10.5)
        limits = needs["decisions.claim_adoption_needs"]
        assert (limits["low"], limits["high"]) == pytest.approx((0.8046, 0.9929), abs=1e-4)
        assert (table["verdict"][6:12] == "unknown").all()

    def test_the_log_says_what_new_and_old_customers_brought(self):
        import cvlib
        from cvlib.lifetime.decisions.claims import claims_table

        rows = [(c, d, a) for c, d, a in (
            ("a", "2024-01-01", 10.0), ("b", "2024-01-05", 10.0), ("a", "2024-12-01", 30.0),
            ("n", "2024-12-05", 10.0), ("b", "2024-12-31", 10.0))]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["customer_id", "date", "amount"])
        log = cvlib.lifetime.transaction_log(frame)
        data = claims_table(log, "2024-12-31", 1.0, 0.1)["claims"]["data"]
        assert data[4].values["customers"] == pytest.approx(25 / 0.5)  # one new for two before
        assert data[12].values["share"] == pytest.approx(0.8)
        old = cvlib.lifetime.transaction_log(frame[frame["customer_id"] != "n"])
        told = claims_table(old, "2024-12-31", 1.0, 0.1)["claims"]["data"]
        assert told[4].id == "decisions.claim_told_none"

    def test_periods_are_counted_from_each_first_purchase(self):
        import cvlib

        rows = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": 1.0,
                             "date": ["2024-01-01", "2024-03-05", "2024-02-01"]})  # fmt: skip
        log = cvlib.lifetime.transaction_log(rows)
        found = states.purchase_periods(log, "2024-04-01", 30)
        np.testing.assert_array_equal(found, [[1, 0, 1], [1, 0, np.nan]])
        with pytest.raises(InputError, match="no customer is 400 days old"):
            states.purchase_periods(log, "2024-04-01", 200)


def test_an_earlier_model_is_asked_about_customers_as_they_are_now() -> None:
    log, _ = potential.read_products("product_purchases")
    cut = pd.Timestamp("2022-06-30")
    found = potential.product_model(log, cut, 365)
    np.testing.assert_allclose(found.chances_of(found), found.chance, rtol=1e-9, atol=1e-12)
    later = potential.product_model(log, pd.Timestamp("2024-06-30"), 180)
    assert len(found.chances_of(later)) == len(later.features) > len(found.features)


def test_the_first_screen_follows_what_was_given() -> None:
    import cvlib
    from cvlib.statistics.resample import Bootstrap

    life = cvlib.lifetime
    supply = life.allocate_capacity("capacity_demands", 100)
    books = life.firm_value("firm_accounts", 0.1)
    both = life.decisions_answer({"capacity": supply, "firm": books, "network": None}, True)
    assert both.verdict == (supply.sentence, books.sentence) and both.hero == "capacity_chart"
    assert both.advice[0].id == "decisions.advice_capacity"
    assert both.doubts[0].id == "service.doubt_simulated"
    plenty = life.allocate_capacity("capacity_demands", 1000)
    calm = life.decisions_answer({"capacity": plenty})
    assert calm.advice[0].id == "decisions.advice_none"
    assert life.decisions_answer({}).verdict[0].id == "service.nothing"
    for language in ("en", "zh"):
        told = life.decisions_methods({"capacity": supply, "firm": books}, Bootstrap(9), language)
        assert told["method"].tolist() == ["capacity", "firm", "seeded"]
        assert not told["sentence"].str.contains(r"[{}]").any()


def test_key_accounts_of_a_log_and_the_reason_where_there_are_none() -> None:
    import cvlib
    from cvlib.statistics.resample import Bootstrap

    log = cvlib.load("product_purchases")
    sheet = cvlib.lifetime.accounts_of(log, 0.1, 0.3, Bootstrap(60), top=3)
    rows = sheet["key_account_sheet"]
    assert len(rows) == 3 and rows["risk"].between(0, 1).all()
    assert (rows["share_low"] <= rows["share_of_equity"]).all()
    few = cvlib.lifetime.accounts_of(
        cvlib.load(log.data.drop_duplicates("customer").head(4)), 0.1, 0.3, Bootstrap(60)
    )
    assert not few.found and few.sentence.id == "decisions.accounts_left_out"


class TestPastAndFuture:
    def test_parts_add_up_and_agree_with_the_formula_by_hand(self):
        import cvlib

        log = cvlib.load("product_purchases")
        found = potential.current_and_potential(log, "", 365, 0.3)
        told = cvlib.lifetime.hwang_of(found, log, 0.1, 0.3, 365)
        parts = told["hwang_value"].set_index("part")
        assert parts["share"].iloc[:3].sum() == pytest.approx(1)
        rows, _ = potential.read_products(log)
        past = rows[rows["date"] <= found.facts["cut"]]
        ago = (found.facts["cut"] - past["date"]).dt.days // (365.25 / 12)
        grown = (0.3 * past["amount"] * 1.1 ** (ago / 12)).sum()
        assert parts.at["past", "value"] == pytest.approx(grown)
        terms = 1.1 ** (-np.arange(1, int(1 / told.facts["churn"]) + 2) / 12)
        current = found.facts["current"].sum() / 12 * terms.sum()
        assert parts.at["future_current", "value"] == pytest.approx(current)
        low, high = told.sentence.values["low"], told.sentence.values["high"]
        assert low < parts.at["whole", "value"] < high

    def test_without_churn_it_is_left_out_and_says_so(self):
        import cvlib

        days = ["2023-01-10", "2023-08-10", "2024-06-01"]
        rows = [(f"c{n}", d, p, 5.0) for n in range(24) for d, p in zip(days, "aba", strict=True)]
        log = pd.DataFrame(rows, columns=["customer", "date", "product", "amount"])
        table = cvlib.load(log)
        found = potential.current_and_potential(table, "2023-12-31", 366)
        told = cvlib.lifetime.hwang_of(found, table, 0.1, 0.3, 366)
        assert not told.found and told.sentence.values["reason"].id == "decisions.hwang_all_stay"


def test_an_account_carries_what_notes_and_network_know() -> None:
    import cvlib
    from cvlib.statistics.resample import Bootstrap

    log, notes = cvlib.load("product_purchases"), cvlib.load("account_notes")
    people = pd.DataFrame({"id": notes.data["customer"], "clv": 1.0})
    ties = pd.DataFrame({"from": ["c000"], "to": ["c001"], "weight": [1.0]})
    joined = network.network_value(people, ties, 0.2)
    sheet = cvlib.lifetime.accounts_of(
        log, 0.1, 0.3, Bootstrap(40), top=3, notes=notes, network=joined
    )["key_account_sheet"].set_index("customer")
    given = notes.data.set_index("customer")
    assert (sheet["complaints"] == given["complaints"].reindex(sheet.index)).all()
    assert (sheet["satisfaction"] == given["satisfaction"].reindex(sheet.index)).all()
    assert sheet["risk"].between(0, 1).all() and sheet["attributed_value"].notna().all()
    assert set(sheet["grade"]) <= set(axes.GRADES)
    bad = cvlib.load(notes.data.assign(complaints=-1))
    with pytest.raises(InputError, match="column complaints, data row 1: -1"):
        cvlib.lifetime.accounts_of(log, 0.1, 0.3, Bootstrap(40), notes=bad)


def test_the_shipped_tables_are_the_simulation_byte_for_byte() -> None:
    import cvlib

    for name, table in cvlib.lifetime.simulate_decisions().items():
        written = table.to_csv(index=False, lineterminator="\n").encode()
        assert fetch(name).read_bytes() == written, name


def shop(rows=400, products=("bike", "lamp"), days=900, seed=2):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer": rng.choice([f"c{i}" for i in range(60)], rows),
            "date": pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, days, rows), "D"),
            "product": rng.choice(products, rows),
            "amount": rng.gamma(2, 20, rows).round(2),
        }
    )


def test_one_product_leaves_nothing_to_offer_and_has_no_area():
    found = lifetime.current_and_potential(shop(products=("only",)))
    assert found.sentence.values["parts"][0].id == "decisions.potential_nothing_left"
    assert "–" not in str(found.sentence) and found.facts["total"] == 0
    assert lifetime.decisions_answer({"potential": found}).tiles == ()
    two = lifetime.current_and_potential(shop(rows=150))
    assert two.facts["total"] > 0 and lifetime.decisions_answer({"potential": two}).hero


def test_a_log_of_one_purchase_each_has_grades_and_says_why_no_segments():
    once = shop().drop_duplicates("customer")
    found = lifetime.current_and_potential(once)
    segments, grades = lifetime.segments_of(found, load_table(once))
    assert segments.found == {} and segments.sentence.id == "decisions.segments_left_out"
    assert len(grades["spend_grades"])


def test_a_horizon_longer_than_the_log_is_named_not_a_cut_nobody_gave():
    with pytest.raises(InputError) as error:
        lifetime.current_and_potential(shop(days=60))
    assert error.value.where == "horizon" and "covers 60" in str(error.value)
    assert lifetime.current_and_potential(shop(days=60), horizon=20).found


def test_usual_names_and_amounts_with_a_currency_are_taken():
    log = shop().rename(columns={"customer": "CustomerID", "amount": "Sales", "product": "商品"})
    assert lifetime.current_and_potential(log).found
    euros = shop().assign(amount=lambda t: [f"{x:.2f} €".replace(".", ",") for x in t["amount"]])
    plain = shop().assign(amount=lambda t: t["amount"].round(2))
    found, same = (lifetime.current_and_potential(one) for one in (euros, plain))
    pd.testing.assert_frame_equal(found["offers"], same["offers"])
    with pytest.raises(InputError, match=r"no such column.*needs a column product"):
        lifetime.current_and_potential(shop().drop(columns="product"))


def test_a_log_with_returns_is_the_log_without_what_was_returned():
    """Of the same customer and product: one who returns A keeps a B of the same amount."""
    log = shop()
    back = log.iloc[::9]
    late = back.assign(amount=-back["amount"], date=back["date"] + pd.Timedelta(days=2))
    kept = log.drop(back.index)
    days = kept.groupby(["customer", "date", "product"], as_index=False)["amount"].sum()
    bought, table = potential.read_products(pd.concat([log, late], ignore_index=True))
    wanted = days.assign(customer=days["customer"].astype(str), amount=days["amount"].astype(float))
    key = ["customer", "product", "date"]
    pd.testing.assert_frame_equal(
        bought.sort_values(key, ignore_index=True)[["customer", "date", "product", "amount"]],
        wanted.sort_values(key, ignore_index=True)[["customer", "date", "product", "amount"]],
        check_dtype=False,
    )
    said = str(table.warnings[-1])
    assert f"{len(back)} returns were set against" in said and "of which 0 found none" in said
    stray = pd.DataFrame(
        {"customer": ["new"], "date": [log["date"].max()], "product": ["A"], "amount": [-7.0]}
    )
    _, table = potential.read_products(pd.concat([log, stray], ignore_index=True))
    assert "1 return was set" in str(table.warnings[-1]) and "of which 7" in str(table.warnings[-1])


def test_accounts_that_cannot_be_drawn_say_so_in_both_languages():
    left_out = lifetime.accounts_of(
        load_table(shop().drop_duplicates("customer")), 0.1, 0.3, lifetime.Bootstrap(20)
    )
    assert left_out.found == {} and "nobody bought again" in str(left_out.sentence)


def shifting(days: int = 720) -> pd.DataFrame:
    """Customers a to z of two products, half of whom change what they spend after a year."""
    rng, rows = np.random.default_rng(5), []
    for k in range(120):
        for day in sorted(rng.integers(0, days, 14)):
            late = day >= days / 2
            dear = (k % 2 == 0) != (late and k % 4 < 2)
            rows.append((f"c{k}", day, rng.choice(["x", "y"]) if k % 3 else "x", 90 if dear else 9))
    log = pd.DataFrame(rows, columns=["customer", "date", "product", "amount"])
    return log.assign(date=pd.Timestamp("2022-01-01") + pd.to_timedelta(log["date"], unit="D"))


def test_movement_counts_every_customer_once_between_the_cells_of_two_cuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(potential, "_DRAWS", 3)
    log = shifting()
    found = lifetime.current_and_potential(log, horizon=240)
    moved, cut = found["potential_movement"], found.facts["cut"]
    assert moved["customers"].sum() == log[log["date"] <= cut]["customer"].nunique()
    into = moved.groupby("to_cell")["customers"].sum()
    assert into.to_dict() == found["potential_cells"].set_index("cell")["customers"].to_dict()
    shares = moved.groupby("from_cell")["share"].sum()
    np.testing.assert_allclose(shares, 1.0)
    early = pd.Series({"a": "high_high", "b": "low_low"})
    now = pd.Series({"a": "low_low", "b": "low_low", "c": "high_high"})
    table = movement.movement(early, now).set_index(["from_cell", "to_cell"])["customers"]
    assert table["high_high", "low_low"] == table["low_low", "low_low"] == 1
    assert table["new", "high_high"] == 1 and table.sum() == 3


@pytest.mark.parametrize(
    ("stayed", "left", "kind"), [(40, 5, "stay"), (5, 40, "leave"), (5, 5, "open")]
)
def test_what_became_of_the_best_cell_is_told_by_its_interval(
    stayed: int, left: int, kind: str
) -> None:
    moved = pd.DataFrame(
        {"from_cell": "high_high", "to_cell": ["high_high", "low_low"], "customers": [stayed, left]}
    )
    moved = pd.concat([moved, moved.assign(from_cell="low_low")])
    said = movement.movement_sentence(moved, 365, 0.95)
    assert said is not None and said.id == f"decisions.movement_{kind}"
    assert movement.movement_sentence(moved.query("from_cell == 'low_low'"), 365, 0.95) is None


def test_attributes_join_the_logits_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(potential, "_DRAWS", 3)
    rng = np.random.default_rng(1)
    people = [f"c{k}" for k in range(400)]
    keen = pd.Series(rng.integers(0, 2, 400), index=people)
    first = pd.DataFrame({"customer": people, "date": "2022-01-01", "product": "x", "amount": 10})
    later = first.assign(date="2022-12-01", product="y")
    chance = keen.map({0: 0.1, 1: 0.5}).to_numpy()
    log = pd.concat([first, later[rng.random(400) < chance], later.assign(product="x").head(200)])
    known = pd.DataFrame({"customer": people, "keen": np.where(keen, "yes", "no"), "age": 40.0})
    early = later.head(40).assign(date="2022-01-02")
    more = first.sample(600, replace=True, random_state=2).assign(
        date=pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(1, 170, 600), unit="D"),
        amount=rng.gamma(2, 20, 600),
    )
    log = pd.concat([log, early, more], ignore_index=True)
    log["date"] = pd.to_datetime(log["date"])
    asked = {"attributes": known.sample(frac=1, random_state=3), "covariates": ["keen"]}
    found = lifetime.current_and_potential(log, "2022-06-30", 200, **asked)
    terms = found["cross_selling"].query("product == 'y'").set_index("term")
    name = next(term for term in terms.index if str(term).startswith("keen"))
    odds = terms.loc[name, "estimate"] * (1 if name.endswith("yes") else -1)
    assert abs(odds - np.log(0.5 / 0.5 / (0.1 / 0.9))) < 3 * terms.loc[name, "std_error"]
    bare = lifetime.current_and_potential(log, "2022-06-30", 200)["cross_selling"]
    assert terms["auc"].iloc[0] > bare.query("product == 'y'")["auc"].iloc[0] + 0.1
    with pytest.raises(InputError, match="no attributes are given"):
        lifetime.current_and_potential(log, "2022-06-30", 200, covariates=["keen"])
    with pytest.raises(InputError, match="Name at least one"):
        lifetime.current_and_potential(log, "2022-06-30", 200, attributes=known)
    with pytest.raises(InputError, match="has no row of"):
        lifetime.current_and_potential(log, "2022-06-30", 200, attributes=known.head(9),
                                       covariates=["keen"])  # fmt: skip
    with pytest.raises(InputError, match="the same for all"):
        lifetime.current_and_potential(log, "2022-06-30", 200, attributes=known, covariates=["age"])
