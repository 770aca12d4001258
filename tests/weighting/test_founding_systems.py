"""Levels, scorecards, ledgers, credit, panels and scoring variants against worked examples."""

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.weighting.credit import population_stability, weight_of_evidence
from cvlib.weighting.data.panel import panel_verdict
from cvlib.weighting.ledger import ledger_verdict
from cvlib.weighting.scorecard import attained
from cvlib.weighting.variants import variants_verdict

w = cv.weighting


@pytest.fixture(scope="session")
def shared(seed_systems):
    """The folder of shared examples, and their printed numbers."""
    numbers = pd.read_csv(seed_systems / "seed_numbers.csv")
    return seed_systems, numbers.set_index(["example", "quantity", "item"])["value"]


def six_customers(seed_examples, make_tree):
    example = seed_examples["scoring"][0]
    kinds = dict(zip("abcd", example["types"], strict=True))
    tree = make_tree({name: {"direction": kind} for name, kind in kinds.items()})
    frame = pd.DataFrame(example["matrix"], columns=list(kinds))
    return example, w.indicators(frame, tree), pd.Series(example["weights"], index=list(kinds))


def test_scoring_variants_agree_with_the_examples(seed_examples, make_tree):
    example, customers, weights = six_customers(seed_examples, make_tree)
    scores, _ = w.scoring_variants(customers, weights)
    printed = {
        "topsis_vector": "topsis_pymcdm_vector",
        "topsis_minmax": "topsis_pymcdm_minmax",
        "topsis_max": "topsis_pymcdm_max",
        "topsis_sum": "topsis_pymcdm_sum",
        "topsis_positive": "topsis_positive_max_minus_x_then_vector",
        "topsis_positive_sqrt": "topsis_same_weights_inside_root_once",
        "grey_minmax": "gra_minmax",
        "grey_initial": "gra_initial_value_divide_by_reference",
        "grey_mean": "gra_mean_value_divide_by_column_mean",
    }
    assert list(scores) == list(printed)
    for variant, name in printed.items():
        np.testing.assert_allclose(scores[variant], example[name], atol=1e-6)
    plain = w.score_all(customers, weights, ["topsis", "weighted_product", "grey"])
    product = example["weighted_product_ratio"]
    np.testing.assert_allclose(plain.scores["topsis"], scores["topsis_vector"], atol=1e-12)
    np.testing.assert_allclose(plain.scores["grey"], scores["grey_minmax"], atol=1e-12)
    np.testing.assert_allclose(plain.scores["weighted_product"], product, atol=1e-9)
    other = example["weighted_product_pymcdm_linear"]
    np.testing.assert_allclose(plain.scores["weighted_product"], other, atol=1e-9)
    # pyDecision divides each grey grade by the number of objects; the order is the same
    grey = plain.scores["grey"] / len(plain.scores)
    np.testing.assert_allclose(grey, example["gra_pydecision_raw"], atol=1e-6)


def test_the_weighted_product_does_not_know_units(seed_examples, make_tree):
    _, customers, weights = six_customers(seed_examples, make_tree)
    other = w.indicators(customers.values * [7.2, 0.01, 1000, 3], customers.tree)
    one, two = (
        w.score_all(each, weights, ["weighted_product"]).scores for each in (customers, other)
    )
    np.testing.assert_allclose(one, two, rtol=1e-12)


def test_variants_that_divide_are_absent_where_a_value_is_zero(flat):
    customers = flat([[0, 3], [2, 1], [5, 2]])
    scores, alike = w.scoring_variants(customers, pd.Series([0.5, 0.5], index=["c0", "c1"]))
    assert list(scores) == [
        "topsis_vector", "topsis_minmax", "topsis_positive", "topsis_positive_sqrt", "grey_minmax",
    ]  # fmt: skip
    assert len(alike) == 5


def test_the_sentence_on_variants_follows_their_agreement():
    same = pd.DataFrame({"variant": ["a", "b"], "kendall_tau_b": 1.0, "same_first": True})
    assert variants_verdict(same) == "All 2 variants rank the customers alike."
    other = same.assign(kendall_tau_b=[1.0, 0.5], same_first=[True, False])
    assert "b agrees least" in variants_verdict(other) and "1 of 2" in variants_verdict(other)


def test_an_interval_is_best_within_and_falls_off_outside(seed_examples, make_tree):
    example = seed_examples["interval"]
    tree = make_tree({"x": {"direction": {"interval": example["interval"]}}})
    values = w.normalise(w.indicators(pd.DataFrame({"x": example["x"]}), tree)).values["x"]
    np.testing.assert_allclose(values, example["value"], atol=1e-12)


def test_frozen_bounds_hold_for_an_interval_too(make_tree):
    tree = make_tree({"x": {"direction": {"interval": [5, 7]}}, "y": {"direction": "benefit"}})
    first = w.indicators(pd.DataFrame({"x": [3, 6, 12], "y": [1, 2, 3]}), tree)
    kept = w.normalise(first).bounds
    later = w.indicators(pd.DataFrame({"x": [3, 9], "y": [2, 2]}), tree)
    assert w.normalise(later, kept).values["x"].tolist() == pytest.approx([0.6, 0.6])


def test_a_tree_refuses_an_interval_that_is_none(make_tree):
    with pytest.raises(InputError, match="least and the largest good value"):
        make_tree({"x": {"direction": {"interval": [7, 5]}}})
    with pytest.raises(InputError, match="outside the scale"):
        make_tree({"x": {"direction": {"interval": [0, 5]}, "scale": [1, 5]}})


def test_scores_on_a_stated_scale_do_not_depend_on_who_else_is_there(make_tree):
    tree = make_tree({"x": {"direction": "benefit", "scale": [1, 5]}})
    alone = w.normalise(w.indicators(pd.DataFrame({"x": [2.0]}), tree)).values["x"]
    among = w.normalise(w.indicators(pd.DataFrame({"x": [2.0, 5.0]}), tree)).values["x"]
    assert alone.iloc[0] == among.iloc[0] == 0.25
    with pytest.raises(InputError, match="outside the scale 1 to 5"):
        w.indicators(pd.DataFrame({"x": [6.0]}), tree)


def test_maturity_is_the_weakest_area_whoever_else_is_there(seed_examples):
    example = seed_examples["maturity"]
    tree = w.load_tree("crm_maturity")
    one = w.maturity(w.indicators(pd.DataFrame([example["levels"]]), tree))
    row = one.levels.iloc[0]
    assert row["level"] == example["level"]
    assert row["weakest"].split(", ") == example["weakest"]
    steps = one.areas.set_index("area")["steps"]
    assert steps[steps > 0].to_dict() == example["steps_to_next"]
    best = dict.fromkeys(tree.leaves, 5)
    two = w.maturity(w.indicators(pd.DataFrame([example["levels"], best]), tree))
    assert two.levels["level"].tolist() == [2, 5]
    assert "level 3 needs 2 areas" in one.verdict
    top = w.maturity(w.indicators(pd.DataFrame([best]), tree))
    assert "the highest of the scale" in top.verdict
    assert "between level 2 and level 5" in two.verdict


def test_a_level_that_is_not_whole_is_rounded_down_and_said():
    tree = w.load_tree("crm_maturity")
    found = w.maturity(w.indicators(pd.DataFrame([dict.fromkeys(tree.leaves, 2.9)]), tree))
    assert found.levels["level"].iloc[0] == 2 and "rounded down" in found.warnings[0]
    other = w.maturity(w.indicators(pd.DataFrame({"recency": [1, 2], "frequency": [1, 2],
                                                  "monetary": [1, 2]}), "rfm"))  # fmt: skip
    assert other.levels.empty and other.verdict is None


def test_attainment_agrees_with_the_example(seed_examples):
    example = seed_examples["attainment"]
    actual, target = (np.array([row[k] for row in example["rows"]], float) for k in (0, 1))
    cost = np.array([row[2] == "cost" for row in example["rows"]])
    share = attained(actual, target, cost, example["cap"])
    np.testing.assert_allclose(share, example["attainment"], atol=1e-12)
    weights = np.array([row[3] for row in example["rows"]])
    assert 100 * share @ weights == pytest.approx(example["score"], abs=1e-9)


def test_a_scorecard_of_the_example_with_its_verdict(seed_examples, make_tree):
    example = seed_examples["attainment"]
    names = [f"k{j}" for j in range(4)]
    tree = make_tree(
        {n: {"direction": row[2]} for n, row in zip(names, example["rows"], strict=True)}
    )
    rows = pd.DataFrame([[row[0] for row in example["rows"]]] * 2, columns=names, index=["n", "s"])
    goals = pd.DataFrame({"indicator": names, "target": [row[1] for row in example["rows"]]})
    weights = pd.Series([row[3] for row in example["rows"]], index=names)
    found = w.scorecard(w.indicators(rows, tree), goals, weights)
    np.testing.assert_allclose(found.scores["score"], example["score"])
    assert "0 of 2 units score 100" in found.verdict and "lost on" in found.verdict
    goals["target"] = [90, 2.0, 100, 40]
    met = w.scorecard(w.indicators(rows, tree), goals, weights)
    assert "reach every target" in met.verdict
    goals.loc[2, "target"] = 0
    with pytest.raises(InputError, match=r"target"):
        w.scorecard(w.indicators(rows, tree), goals, weights)


def test_publisher_ratios_agree_with_the_shared_numbers(shared):
    folder, numbers = shared
    found = w.ledger_ratios(folder / "publisher_log.csv", "2025-12-31").set_index("customer")
    printed = {
        "in_transit_days": "in_transit_days_of_shipments",
        "in_transit_age": "mean_age_of_in_transit_fifo_days",
    }
    columns = {name: column for column, name in printed.items()}
    assert len(numbers["publisher"]) == 48
    for (customer, name), value in numbers["publisher"].items():
        assert found.at[customer, columns.get(name, name)] == pytest.approx(value, abs=1e-6)


def test_a_ledger_names_who_paid_more_than_was_shipped_and_refuses_unknown_kinds():
    rows = [("b", "2025-01-01", "shipment", 10.0), ("b", "2025-03-01", "receipt", 60.0)]
    log = pd.DataFrame(rows, columns=["customer", "date", "kind", "amount"])
    told = ledger_verdict(w.ledger_ratios(log))
    assert "b paid or returned more" in told[1]
    assert len(ledger_verdict(w.ledger_ratios(log.assign(amount=[60.0, 10.0])))) == 1
    with pytest.raises(InputError, match="'gift'"):
        w.ledger_ratios(log.assign(kind="gift"))
    with pytest.raises(InputError, match="amount"):
        w.ledger_ratios(log.assign(amount=-1))


CREDIT = ["income", "utilisation", "days_past_due_events", "years"]


def test_credit_agrees_with_the_shared_numbers(shared):
    folder, numbers = shared
    found = w.credit_model(
        folder / "credit.csv", "default", CREDIT, gates=["aml_fail"], logs=["income"], test_share=0
    )
    terms = found.coefficients.set_index("term")
    named = {"intercept": "(Intercept)", "ln income": "li"}
    for term, row in terms.iterrows():
        at = named.get(term, term)
        assert row["estimate"] == pytest.approx(numbers["credit", "coef", at], abs=1e-6)
        assert row["se"] == pytest.approx(numbers["credit", "se", at], abs=1e-6)
    quality = found.quality.iloc[0]
    for column, name in (("ks", "KS"), ("auc", "AUC"), ("gini", "Gini"), ("brier", "brier")):
        assert quality[column] == pytest.approx(numbers["credit", name, "in_sample"], abs=1e-6)
    assert quality["customers"] == numbers["credit", "n", "after_gate"]
    assert quality["defaults"] == numbers["credit", "defaults"].iloc[0]
    scores = found.scores.set_index("customer")["score"]
    for customer, value in numbers["credit", "score_600_at_odds_50_pdo_20"].items():
        assert scores[int(customer)] == pytest.approx(value, abs=1e-5)
    data = pd.read_csv(folder / "credit.csv").query("aml_fail == 0")
    bands = weight_of_evidence(
        data["utilisation"], data["default"].to_numpy(), "u", [0.2, 0.4, 0.6, 0.8]
    )
    np.testing.assert_allclose(bands["woe"], numbers["credit", "woe_utilisation"], atol=1e-6)
    assert bands["iv"].iloc[0] == pytest.approx(
        numbers["credit", "iv_utilisation", "all"], abs=1e-6
    )


def borrowers(slope, size=600):
    rng = np.random.default_rng(5)
    use = rng.uniform(size=size)
    p = 1 / (1 + np.exp(-(slope * (use - 0.5) - 1)))
    return pd.DataFrame({"use": use, "default": (rng.uniform(size=size) < p).astype(int)})


def test_the_credit_verdict_follows_the_holdout():
    assert "puts a defaulter below" in w.credit_model(borrowers(6), variables=["use"]).verdict
    assert "does not tell" in w.credit_model(borrowers(0), variables=["use"]).verdict


def test_credit_refuses_few_defaults_separation_and_says_what_it_cannot_know():
    with pytest.raises(InputError, match="A model needs 30"):
        w.credit_model(borrowers(0, 60), variables=["use"])
    apart = borrowers(0).assign(use=lambda f: f["default"] + 0.1)
    with pytest.raises(InputError, match="without error"):
        w.credit_model(apart, variables=["use"])
    with pytest.raises(InputError, match="0 or 1"):
        w.credit_model(borrowers(0).assign(default=2), variables=["use"])
    own = w.credit_model(borrowers(6), variables=["use"], test_share=0)
    assert "rejected" in own.warnings[0] and "held back" in own.warnings[1]


def test_gates_are_counted_before_the_model():
    data = borrowers(4).assign(aml=0)
    data.loc[:9, "aml"] = 1
    found = w.credit_model(data, variables=["use"], gates=["aml"])
    assert found.gates.iloc[0].tolist() == ["aml", 10, 10 / 600]
    assert found.quality["customers"].sum() == 590


def test_later_customers_are_held_back_by_date():
    data = borrowers(4).assign(day=pd.date_range("2024-01-01", periods=600).astype(str))
    found = w.credit_model(data, variables=["use"], date="day")
    sample = found.scores["sample"].to_numpy()
    assert (sample[:420] == "training").all() and (sample[420:] == "holdout").all()


def test_stability_is_nought_for_the_same_scores_and_grows_with_a_shift():
    scores = np.arange(100.0)
    assert population_stability(scores, scores)["psi"].sum() == pytest.approx(0)
    assert population_stability(scores, scores + 30)["psi"].sum() > 0.25


def panel(shared):
    folder, numbers = shared
    kinds = {f"x{j}": {"direction": "cost" if j == 4 else "benefit"} for j in range(1, 5)}
    rows, name = w.panel_rows(pd.read_csv(folder / "panel.csv"), "object", "year")
    return rows, name, kinds, numbers


def test_panel_entropy_agrees_with_the_shared_numbers(shared, make_tree):
    rows, name, kinds, numbers = panel(shared)
    customers = w.indicators(rows, make_tree(kinds), customer=name)
    found = w.entropy_by_period(customers, rows.set_index(name)["year"])
    for row in found.itertuples():
        at = "pooled" if row.period == "pooled" else f"by_year_{row.period}"
        value = numbers["panel", f"entropy_minmax_{at}", row.indicator]
        assert row.weight == pytest.approx(value, abs=1e-9)
    pooled = found[found["period"] == "pooled"].set_index("indicator")["weight"]
    scores = w.normalise(customers).values @ pooled
    np.testing.assert_allclose(scores, numbers["panel", "score_pooled"][scores.index], atol=1e-9)
    assert "x2" in panel_verdict(found) and "-16.7" in panel_verdict(found)
    assert panel_verdict(found[found["period"] == "pooled"]) is None


def test_a_panel_refuses_rows_without_a_period(flat):
    customers = flat([[1, 2], [3, 4], [5, 7]])
    with pytest.raises(InputError, match="has one row only"):
        w.entropy_by_period(customers, pd.Series([1, 1, 2]))
    with pytest.raises(InputError, match="has empty cells"):
        w.entropy_by_period(customers, pd.Series([1, 1, np.nan]))


def test_the_shipped_tables_are_the_simulation_byte_for_byte():
    for name, table in w.simulate_scoring().items():
        written = table.to_csv(index=False, lineterminator="\n").encode()
        assert cv.inputs.datasets.fetch(name).read_bytes() == written, name


@pytest.mark.parametrize("card", ["branch", "regional"])
def test_a_shipped_scorecard_speaks_of_its_tree(card):
    tree = w.load_tree(card)
    rows = w.indicators(cv.load(f"{card}_results").data, tree, customer="customer_id")
    weights = w.plain_weights(tree)[0].set_index("indicator")["global_weight"][list(rows.items)]
    found = w.scorecard(rows, cv.load(f"{card}_targets"), weights)
    assert set(found.attainment["indicator"]) == set(tree.leaves)
    assert found.scores["score"].between(60, 120).all()
    assert (found.scores["below"] > 0).any()


def test_borrowers_are_modelled_by_their_own_columns_when_none_is_named():
    found = w.credit_model(cv.load("credit_borrowers"))
    assert found.gates["gate"].tolist() == ["gate_aml_review"]
    assert found.coefficients["term"].tolist() == [
        "intercept", "income", "utilisation", "days_past_due_events", "years",
    ]  # fmt: skip
    alone = pd.DataFrame({"customer_id": range(100), "default": [0, 1] * 50})
    with pytest.raises(InputError, match="no further column holds numbers"):
        w.credit_model(alone)


def test_a_methods_section_names_what_was_asked_for_and_nothing_else():
    from cvlib.weighting.optional import Hidden, Section, ledger_section

    section = ledger_section(cv.load("publisher_ledger"), "", Hidden(1))
    told = w.further_methods({"ledger": section, "credit": Section(), "frozen": False})
    assert told["method"].tolist() == ["ledger"]
    panel = pd.DataFrame({"period": ["2024", "2025", "pooled"]})
    more = w.further_methods({"panel": panel, "frozen": True}, "zh")
    assert "2 个时期" in more["sentence"].iloc[0] and len(more) == 2
