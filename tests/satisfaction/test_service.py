"""Service gaps, profiles, value, needs, chains, employees: numbers of R, and bad input refused."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.datasets import fetch
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.service import chains, delivered, employees, gaps, kano, needs, profiles
from cvlib.statistics.resample import Bootstrap

FEW = Bootstrap(60, 3)


def same(found, expected, tolerance=1e-6):
    found = pd.Series(found)
    assert set(found.index) == set(expected.index)
    np.testing.assert_allclose(
        found[expected.index].astype(float), expected, rtol=0, atol=tolerance
    )


class TestGaps:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        found = gaps.service_gaps(seed_systems / "servqual.csv")
        rows = found["service_dimensions"].set_index("dimension")
        items = found["service_items"].set_index("item")
        items.index = [
            f"G{n}" if "G1" in seed_numbers("servqual", "gap_item_mean") else n for n in items.index
        ]
        same(items["gap"], seed_numbers("servqual", "gap_item_mean").rename(str))
        for column, quantity in {
            "gap": "gap_dimension_mean",
            "ci_low": "gap_dimension_low",
            "ci_high": "gap_dimension_high",
            "alpha_gap": "alpha_of_gap_items",
            "servperf": "servperf_0_100",
            "weight": "weight_mean",
        }.items():
            same(rows[column], seed_numbers("servqual", quantity))
        for kind, row in found["service_overall"].set_index("kind").iterrows():
            told = {"mean": row["gap"], "low": row["ci_low"], "high": row["ci_high"]}
            same(told, seed_numbers("servqual", f"overall_{kind}"))
        assert found.sentence.values["parts"][0].id == "service.gap_short"

    def test_the_sentence_turns_with_the_answers(self, survey):
        turned = survey.rename(columns=lambda c: {"E": "P", "P": "E"}.get(c[0], c[0]) + c[1:])
        said = [gaps.service_gaps(t).sentence.values["parts"][0] for t in (survey, turned)]
        assert [text.id for text in said] == ["service.gap_short", "service.gap_above"]
        assert said[0].values["gap"] == pytest.approx(said[1].values["gap"])
        assert 0 < said[0].values["low"] < said[0].values["gap"] < said[0].values["high"]

    def test_a_reversed_item_and_a_missing_answer(self, survey):
        turned = survey.assign(E2=8 - survey["E2"], P2=8 - survey["P2"])
        pd.testing.assert_frame_equal(
            gaps.service_gaps(turned, reversed_items=[2])["service_items"],
            gaps.service_gaps(survey)["service_items"],
        )
        holed = survey.astype(float)
        holed.loc[0, ["P1", "P2", "P3"]] = np.nan
        assert gaps.service_gaps(holed)["service_dimensions"]["n"].tolist() == [11, 12, 12, 12, 12]

    def test_points_that_are_not_a_hundred_are_refused_with_their_row(self, survey):
        survey = survey.assign(**{f"w_{name}": 20 for name in gaps.DIMENSIONS})
        survey.loc[4, "w_empathy"] = 30
        with pytest.raises(InputError, match=r"data row 5.*add up to 110"):
            gaps.service_gaps(survey)
        with pytest.raises(
            InputError, match="column P3, data row 2: 9 is not a whole number from 1 to 7"
        ):
            gaps.service_gaps(survey.assign(P3=[4, 9] + [4] * 10))

    @pytest.fixture
    def survey(self):
        rng = np.random.default_rng(1)
        columns = {f"E{n}": rng.integers(5, 8, 12) for n in range(1, 23)}
        return pd.DataFrame({**columns, **{f"P{n}": rng.integers(3, 6, 12) for n in range(1, 23)}})


class TestProfiles:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        found = profiles.brand_profiles(
            seed_systems / "semantic_differential.csv", turned=["pair2", "pair6"], bootstrap=FEW
        )
        for (brand, factor), row in (
            found["brand_factors"].set_index(["brand", "factor"]).iterrows()
        ):
            told = {"mean": row["mean"], "low": row["ci_low"], "high": row["ci_high"]}
            same(told, seed_numbers("semantic", f"{brand}_{factor}"))
        for _, row in found["brand_differences"].iterrows():
            expected = seed_numbers("semantic", f"difference_welch_{row['factor']}")
            told = {
                "difference": row["difference"],
                "low": row["ci_low"],
                "high": row["ci_high"],
                "p": row["p"],
            }
            same({k: v for k, v in told.items() if k in expected.index}, expected)
        [apart] = found["brand_distances"]["distance"]
        assert apart == pytest.approx(
            seed_numbers("semantic", "profile_distance_D_9_pairs").iloc[0], abs=1e-6
        )

    def test_brands_seen_alike_do_not_differ(self):
        rng = np.random.default_rng(5)
        data = pd.DataFrame(
            rng.integers(-2, 3, (40, 9)), columns=[f"pair{n}" for n in range(1, 10)]
        )
        data = data.assign(respondent=range(40), brand=["a", "b"] * 20)
        said = profiles.brand_profiles(data, bootstrap=FEW).sentence.values["parts"]
        assert said[1].id == "service.brands_alike"
        data.loc[data["brand"] == "b", "pair1"] += 0
        data.loc[data["brand"] == "a", ["pair1", "pair2", "pair3"]] = 3
        said = profiles.brand_profiles(data, bootstrap=FEW).sentence.values["parts"]
        assert said[1].id == "service.brands_differ" and said[1].values["ahead"] == "a"
        with pytest.raises(InputError, match="column pair4, data row 3"):
            profiles.brand_profiles(data.assign(pair4=[0, 0, 5] + [0] * 37))


class TestDelivered:
    def test_the_worked_example(self, seed_systems):
        import json

        example = json.loads((seed_systems / "decision_examples.json").read_text())[
            "delivered_value"
        ]
        found = delivered.value_of_brands(
            np.array(example["value_scores"]),
            np.array(example["cost_scores"]),
            example["w_value"],
            example["w_cost"],
        )
        for name in ("value", "cost", "difference", "ratio", "relative_quality", "relative_price"):
            np.testing.assert_allclose(found[name], example[name], atol=1e-6)
        np.testing.assert_allclose(
            found["fair_price"], example["fair_price_line_q60_p40"], atol=1e-6
        )
        rows = [
            {
                "respondent": n,
                "brand": brand,
                **dict(zip([*delivered.VALUE, *delivered.COST], v + c, strict=True)),
            }
            for n in range(3)
            for brand, v, c in zip(
                example["brands"], example["value_scores"], example["cost_scores"], strict=True
            )
        ]
        told = delivered.delivered_value(
            pd.DataFrame(rows), example["w_value"], example["w_cost"], bootstrap=FEW
        )
        np.testing.assert_allclose(
            told["delivered_value"]["difference"], example["difference"], atol=1e-6
        )
        assert told.sentence.id == "service.value_ahead" and told.sentence.values["brand"] == "ours"

    def test_orders_that_differ_are_told_and_weights_checked(self):
        rng = np.random.default_rng(2)
        rows = pd.DataFrame(
            rng.integers(4, 8, (40, 8)), columns=[*delivered.VALUE, *delivered.COST]
        )
        rows = rows.assign(respondent=np.arange(40) // 2, brand=["a", "b"] * 20)
        found = delivered.delivered_value(rows, bootstrap=FEW)
        assert found.sentence.id == "service.value_open"
        rows.loc[rows["brand"] == "a", list(delivered.VALUE)] = 10
        rows.loc[rows["brand"] == "a", list(delivered.COST)] = 6
        rows.loc[rows["brand"] == "b", list(delivered.VALUE)] = 4
        rows.loc[rows["brand"] == "b", list(delivered.COST)] = 1
        found = delivered.delivered_value(rows, bootstrap=FEW)
        assert "service.value_orders" in [text.id for text in found.warnings]
        with pytest.raises(InputError, match="value_weights"):
            delivered.delivered_value(rows, (0.5, 0.5, 0.5, 0.5))
        with pytest.raises(InputError, match="column image, data row 1: 11"):
            delivered.delivered_value(rows.assign(image=11))


class TestNeeds:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        found = needs.need_opportunities(seed_systems / "needs.csv", bootstrap=FEW)
        rows = found["need_opportunities"].set_index("need")
        for name in ("importance", "satisfaction", "opportunity"):
            same(rows[name], seed_numbers("ulwick", name))
        assert rows["probability_first"].sum() == pytest.approx(1)

    def test_the_sentence_follows_the_scores(self):
        rows = [(n, "a", 5, 1) for n in range(30)] + [(n, "b", 5, 5) for n in range(30)]
        data = pd.DataFrame(rows, columns=["respondent", "need", "importance", "satisfaction"])
        assert needs.need_opportunities(data, bootstrap=FEW).sentence.id == "service.need_sure"
        alike = data.assign(satisfaction=1)
        assert needs.need_opportunities(alike, bootstrap=FEW).sentence.id == "service.need_open"
        met = data.assign(satisfaction=5, importance=3)
        assert needs.need_opportunities(met, bootstrap=FEW).sentence.id == "service.need_none"
        with pytest.raises(InputError, match="column importance, data row 1: 6"):
            needs.need_opportunities(data.assign(importance=6))
        assert [needs.opportunity_class(s) for s in (15.1, 15, 12, 11, 9.9)] == [
            "extreme", "high", "high", "solid", "served"
        ]  # fmt: skip


class TestKano:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        rows = kano.kano_classes(seed_systems / "kano.csv", bootstrap=FEW)["kano_classes"]
        for _, row in rows.iterrows():
            same(row[list(kano.KINDS)], seed_numbers("kano", f"count_{row['feature']}"))
            same(row[["better", "worse"]], seed_numbers("kano", f"better_worse_{row['feature']}"))

    def test_what_is_not_clear_is_told(self):
        data = pd.DataFrame({"respondent": range(20), "feature": "x", "functional": [1, 2] * 10,
                             "dysfunctional": 5})  # fmt: skip
        found = kano.kano_classes(data, bootstrap=FEW)
        assert [text.id for text in found.warnings] == ["service.kano_unclear"]
        assert kano.kano_classes(data.assign(functional=1), bootstrap=FEW).warnings == ()
        assert kano.classified([0, 10, 10, 0, 0, 0])[0] == "M"
        with pytest.raises(InputError, match="stands twice"):
            kano.kano_classes(data.assign(respondent=1))


class TestChains:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        found = chains.means_end_chains(seed_systems / "ladders.csv", bootstrap=FEW)
        links = found["chain_links"]
        links.index = links["from_code"] + ">" + links["to_code"]
        direct = links[links["direct"] > 0]
        same(direct["direct"], seed_numbers("ladders", "direct_links"))
        same(direct["respondents"], seed_numbers("ladders", "respondents_with_direct_link"))
        same(
            links.loc[links["indirect"] > 0, "indirect"], seed_numbers("ladders", "indirect_links")
        )
        codes = found["chain_codes"].set_index("code")
        for name in ("in_degree", "out_degree", "abstractness", "centrality", "prestige"):
            same(codes[name], seed_numbers("ladders", f"{name}_direct"))
        for _, row in found["chain_cutoffs"].iterrows():
            expected = seed_numbers(
                "ladders", f"share_of_direct_links_kept_cutoff_{int(row['cutoff'])}"
            )
            told = {"links": row["share_of_links"], "cells": row["share_of_cells"]}
            same(told, expected)
        assert found.facts["cutoff"] == 6

    def test_links_against_the_order_are_counted_out_and_listed(self):
        rows = [("r1", 1, 1, "a", "A"), ("r1", 1, 2, "v", "V"), ("r1", 1, 3, "c", "C")]
        data = pd.DataFrame(rows, columns=["respondent", "ladder", "position", "code", "level"])
        found = chains.means_end_chains(data, bootstrap=FEW)
        assert found["chain_against"][["from_code", "to_code"]].values.tolist() == [["v", "c"]]
        assert "service.chain_against" in [text.id for text in found.warnings]
        assert found["chain_links"].set_index("to_code")["shown"].to_dict() == {
            "v": True,
            "c": False,
        }
        agreed = chains.means_end_chains(data.assign(coder2=["a", "v", "v"]), bootstrap=FEW)
        assert agreed.facts["kappa"] == pytest.approx(0.5)
        with pytest.raises(InputError, match="column level, data row 2: 'X' is none of A"):
            chains.means_end_chains(data.assign(level=["A", "X", "C"]))


class TestEmployees:
    def test_every_number_of_the_reference(self, seed_systems, seed_numbers):
        data = pd.read_csv(seed_systems / "units.csv")
        staff = data.drop_duplicates("unit")
        for method in ("reml", "ml"):
            found = employees.employees_to_customers(staff, data, reml=method == "reml")
            slope = found["employee_effect"].set_index("method").loc["mixed"]
            facts = found.facts
            fixed = seed_numbers("units", f"fixed_{method}")
            same({"(Intercept)": facts["intercept"][0], "es": slope["slope"]}, fixed)
            error = seed_numbers("units", f"fixed_se_{method}")
            told = pd.Series({"(Intercept)": facts["intercept"][1], "es": slope["std_error"]})
            np.testing.assert_allclose(told[error.index], error, rtol=3e-3)
            spread = seed_numbers("units", f"variance_{method}")
            told = [facts["variance_unit"], facts["variance_customer"]]
            np.testing.assert_allclose(sorted(told), sorted(spread), rtol=1e-4)
            loglik = seed_numbers("units", f"loglik_{method}").iloc[0]
            assert facts["log_likelihood"] == pytest.approx(loglik, abs=1e-5)
            naive = found["employee_effect"].set_index("method").loc["ignoring_units", "std_error"]
        found = employees.employees_to_customers(staff, data)
        assert naive == pytest.approx(seed_numbers("units", "naive_ols_slope_se").iloc[0], abs=1e-6)
        told = {"icc": "icc_empty_model_reml",
                "unit_variance_explained": "share_of_unit_variance_explained_reml"}  # fmt: skip
        for fact, quantity in told.items():
            assert found.facts[fact] == pytest.approx(
                seed_numbers("units", quantity).iloc[0], rel=1e-4
            )
        assert found.facts["correlation_of_means"] == pytest.approx(
            seed_numbers("units", "correlation_of_unit_means").iloc[0], abs=1e-6
        )
        assert "service.employees_no_icc2" in [text.id for text in found.warnings]

    def test_no_relation_is_open_and_units_must_match(self):
        rng = np.random.default_rng(4)
        staff = pd.DataFrame(
            {"unit": np.repeat(list("abcdefgh"), 4), "employee_index": rng.normal(size=32)}
        )
        buyers = pd.DataFrame(
            {"unit": np.repeat(list("abcdefgh"), 9), "customer_index": rng.normal(size=72)}
        )
        found = employees.employees_to_customers(staff, buyers)
        assert found.sentence.id == "service.employees_open"
        assert "service.employees_few" in [text.id for text in found.warnings]
        level = staff.groupby("unit")["employee_index"].mean()
        moved = buyers.assign(
            customer_index=buyers["customer_index"] * 0.1 + 5 * buyers["unit"].map(level)
        )
        assert (
            employees.employees_to_customers(staff, moved).sentence.id == "service.employees_found"
        )
        fewer = employees.employees_to_customers(staff[staff["unit"] != "h"], buyers)
        assert fewer["employee_units"]["unit"].tolist() == list("abcdefg")
        left = next(w for w in fewer.warnings if w.id == "service.employees_left_out")
        assert left.values["units"] == ["h"]
        renamed = buyers.assign(unit=buyers["unit"].str.upper())
        with pytest.raises(InputError, match="'a' and 'A' differ only in case"):
            employees.employees_to_customers(staff, renamed)
        few = staff["unit"].isin(list("abc")), buyers["unit"].isin(list("abc"))
        with pytest.raises(InputError, match="too few units: 3"):
            employees.employees_to_customers(staff[few[0]], buyers[few[1]])


class TestOwnFiles:
    """Files with other heads, words, scales and blanks say what the plain ones say."""

    def test_kano_in_words_other_heads_and_blanks(self):
        plain = pd.read_csv(fetch("kano_survey"))
        found = kano.kano_classes(plain, bootstrap=FEW)["kano_classes"]
        words = dict(enumerate(["喜欢", "理应如此", "无所谓", "勉强接受", "不喜欢"], start=1))
        told = plain.replace({"functional": words, "dysfunctional": words})
        told.columns = ["受访者", "功能", "正向", "反向"]
        read = kano.kano_classes(told, bootstrap=FEW)
        pd.testing.assert_frame_equal(read["kano_classes"], found)
        assert [w.id for w in read.warnings[:1]] == ["inputs.columns_taken"]
        english = plain.replace({"functional": {2: "must-be"}}).rename(columns=str.title)
        pd.testing.assert_frame_equal(
            kano.kano_classes(english, bootstrap=FEW)["kano_classes"], found
        )
        blank = plain.astype({"functional": float})
        blank.loc[5, "functional"] = np.nan
        fewer = kano.kano_classes(blank, bootstrap=FEW)
        assert fewer["kano_classes"]["n"].sum() == len(plain) - 1
        assert fewer.warnings[0].values["rows"] == 1
        with pytest.raises(InputError, match="column 反向, data row 1: 'often'"):
            kano.kano_classes(told.assign(反向=["often", *told["反向"][1:]]))
        with pytest.raises(InputError, match="one row per respondent and feature"):
            kano.kano_classes(plain.rename(columns={"feature": "what"}))

    def test_kano_codes_that_run_the_other_way_are_doubted(self):
        plain = pd.read_csv(fetch("kano_survey"))
        asked = ["functional", "dysfunctional"]
        turned = kano.kano_classes(plain.assign(**(6 - plain[asked])), bootstrap=FEW)
        assert "service.kano_turned" in [w.id for w in turned.warnings]
        as_is = kano.kano_classes(plain, bootstrap=FEW)
        assert "service.kano_turned" not in [w.id for w in as_is.warnings]

    def test_service_answers_on_five_points(self):
        seven = pd.read_csv(fetch("service_survey"))
        asked = [c for c in seven if c[0] in "EP" and c[1:].isdigit()]
        five = seven.assign(**(1 + (seven[asked] - 1) * 4 / 6).round().astype(int))
        silent = gaps.service_gaps(five)
        doubt = next(w for w in silent.warnings if w.id == "service.scale_unused")
        assert (doubt.values["name"], doubt.values["highest"]) == ("service_scale", 5)
        said = gaps.service_gaps(five, scale=(1, 5))
        assert "service.scale_unused" not in [w.id for w in said.warnings]
        low, high = (f["service_dimensions"]["servperf"].to_numpy() for f in (silent, said))
        np.testing.assert_allclose(high, low * 6 / 4)
        assert "scale 1–5" in said.sentence
        with pytest.raises(InputError, match="`service_scale`"):
            gaps.service_gaps(seven, scale=(1, 5))
        with pytest.raises(InputError, match="two whole numbers"):
            gaps.service_gaps(seven, scale=(7,))
        with pytest.raises(InputError, match="two whole numbers"):
            gaps.service_gaps(seven, scale=(7, 1))

    def test_service_heads_and_points(self):
        plain = pd.read_csv(fetch("service_survey"))
        found = gaps.service_gaps(plain)["service_overall"]
        heads = {c: f"E_{int(c[1:]):02}" for c in plain if c[0] == "E"}
        heads |= {c: f"感知{c[1:]}" for c in plain if c[0] == "P"}
        points = [c for c in plain if c.startswith("w_")]
        shares = plain.assign(**plain[points] / 100).rename(columns=heads)
        pd.testing.assert_frame_equal(gaps.service_gaps(shares)["service_overall"], found)
        plain = plain.astype(dict.fromkeys(points, float))
        plain.loc[2, points] = np.nan
        counts = gaps.service_gaps(plain)["service_overall"].set_index("kind")["n"]
        assert counts.to_dict() == {"weighted": len(plain) - 1, "unweighted": len(plain)}

    def test_needs_on_ten_points_and_in_words(self):
        plain = pd.read_csv(fetch("needs_survey"))
        found = needs.need_opportunities(plain, bootstrap=FEW)["need_opportunities"]
        asked = ["importance", "satisfaction"]
        ten = plain.assign(**plain[asked].replace({1: 1, 2: 3, 3: 6, 4: 9, 5: 10}))
        read = needs.need_opportunities(ten, scale=(1, 10), bootstrap=FEW)
        pd.testing.assert_frame_equal(read["need_opportunities"], found)
        words = plain.replace(
            {
                "importance": dict(enumerate(["很不重要", "不重要", "一般", "重要", "很重要"], 1)),
                "satisfaction": dict(
                    enumerate(["很不满意", "不满意", "一般", "满意", "很满意"], 1)
                ),
            }
        )
        read = needs.need_opportunities(words, bootstrap=FEW)
        pd.testing.assert_frame_equal(read["need_opportunities"], found)

    def test_pairs_from_one_to_seven(self):
        plain = pd.read_csv(fetch("brand_image"))
        pairs = [c for c in plain if c.startswith("pair")]
        turned = ["pair2", "pair6"]
        one = profiles.brand_profiles(plain, turned=turned, bootstrap=FEW)
        other = profiles.brand_profiles(
            plain.assign(**(plain[pairs] + 4)), turned=turned, scale=(1, 7), bootstrap=FEW
        )
        for name in one.found:
            pd.testing.assert_frame_equal(one[name], other[name])

    def test_levels_of_a_ladder_in_words_and_places_from_nought(self):
        plain = pd.read_csv(fetch("ladders_survey"))
        found = chains.means_end_chains(plain, bootstrap=FEW)["chain_links"]
        words = {"A": "属性", "C": "Consequence", "V": "values"}
        told = plain.assign(level=plain["level"].map(words), position=plain["position"] - 1)
        pd.testing.assert_frame_equal(
            chains.means_end_chains(told, bootstrap=FEW)["chain_links"], found
        )
        mixed = plain.assign(code=plain["code"].where(plain.index != 0, plain["code"].str.upper()))
        said = [w.id for w in chains.means_end_chains(mixed, bootstrap=FEW).warnings]
        assert "service.chain_alike" in said

    def test_ratings_left_blank_and_prices_with_a_sign(self):
        plain = pd.read_csv(fetch("brand_value"))
        price = plain["brand"].map({"ours": 1200, "rival 1": 900, "rival 2": 1500})
        found = delivered.delivered_value(plain.assign(price=price), bootstrap=FEW)["value_map"]
        signed = price.map("¥ {:,}".format)
        read = delivered.delivered_value(plain.assign(price=signed), bootstrap=FEW)["value_map"]
        pd.testing.assert_frame_equal(read, found)
        gap = plain.astype({"time": float})
        gap.loc[4, "time"] = np.nan
        means = delivered.delivered_value(gap, bootstrap=FEW)["value_parts"].set_index("brand")
        assert means.loc["rival 1", "time"] == pytest.approx(
            gap.loc[gap["brand"] == "rival 1", "time"].mean()
        )


def test_the_shipped_tables_are_the_simulation_byte_for_byte() -> None:
    import cvlib

    for name, table in cvlib.satisfaction.simulate_service().items():
        written = table.to_csv(index=False, lineterminator="\n").encode()
        assert fetch(name).read_bytes() == written, name


def test_the_first_screen_follows_what_was_given() -> None:
    import cvlib

    satisfaction = cvlib.satisfaction
    gaps = satisfaction.service_gaps("service_survey")
    wishes = satisfaction.need_opportunities("needs_survey", bootstrap=FEW)
    both = satisfaction.service_answer({"gaps": gaps, "needs": wishes, "value": None}, True)
    assert both.verdict == (gaps.sentence, wishes.sentence) and both.hero == "gap_chart"
    assert both.advice[0].id == "service.advice_gap"
    assert both.doubts[0].id == "service.doubt_simulated"
    alone = satisfaction.service_answer({"needs": wishes})
    assert alone.hero == "opportunity_map" and len(alone.tiles) == 1
    nothing = satisfaction.service_answer({})
    assert nothing.verdict[0].id == "service.nothing" and nothing.hero == ""
    assert nothing.advice[0].id == "service.advice_none"
    for language in ("en", "zh"):
        table = satisfaction.service_methods({"gaps": gaps, "needs": wishes}, FEW, language)
        assert table["method"].tolist() == ["gaps", "needs", "resamples"]
        assert not table["sentence"].str.contains(r"[{}]").any()
