"""From any weighting to scores, from one year to the next, and from several logs to one answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.weighting.combine import combine
from cvlib.weighting.optional import (
    Hidden,
    credit_section,
    ledger_section,
    maturity_section,
    scorecard_section,
    variants_section,
)
from cvlib.weighting.races import random_effects

w = cv.weighting


@pytest.fixture(scope="module")
def customers():
    rng = np.random.default_rng(2)
    columns = ("recency", "frequency", "monetary")
    frame = pd.DataFrame({name: rng.gamma(2, 20, 80) for name in columns})
    return w.indicators(frame.assign(later=frame["monetary"] * rng.uniform(size=80)), "rfm")


@pytest.fixture(scope="module")
def judged():
    return w.read_judgements(w.load_tree("rfm"), "liu_shih_2005")


@pytest.mark.parametrize(
    "rule", ["additive", "multiplicative", "geometric", "game_theory", "deviation_maximising"]
)
def test_a_combined_weighting_is_that_of_combine_and_scores(customers, judged, rule):
    chosen = w.choose_weights(customers, rule, judged, mix=w.Mix(objective="critic", alpha=0.3))
    sides = [
        w.choose_weights(customers, name, judged).weights.set_index("indicator")["global_weight"]
        for name in ("ahp_eigenvector", "critic")
    ]
    whole = combine(customers.tree, *sides, w.normalise(customers), alpha=0.3).weights
    name = "minimum_relative_entropy" if rule == "geometric" else rule
    own = whole[whole["method"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen.weights, own)
    weights = w.wide_weights(chosen.weights, customers.items)[chosen.method]
    assert w.score_all(customers, weights, ["weighted_sum"]).scores.shape == (80, 1)
    assert chosen.mixed.settings["alpha"] == 0.3 and w.needs_experts(rule)


def test_a_combined_weighting_needs_experts_and_a_learned_one_an_outcome(customers):
    with pytest.raises(InputError, match="judgements"):
        w.choose_weights(customers, "additive")
    with pytest.raises(InputError, match="parameter outcome"):
        w.choose_weights(customers, "learned")


def test_learned_weights_score_and_say_that_they_flatter(customers):
    chosen = w.choose_weights(customers, "learned", outcome=customers.rows["later"])
    weights = chosen.weights.set_index("indicator")["global_weight"]
    assert weights.sum() == pytest.approx(1) and weights.idxmax() == "monetary"
    assert "flattered" in chosen.warnings[-1] and not w.needs_experts("learned")


def kept_run(folder, customers, weights):
    (folder / "tables").mkdir()
    w.normalise(customers).bounds.table.to_csv(folder / "tables" / "bounds.csv", index=False)
    weights.to_csv(folder / "tables" / "weights.csv", index=False)
    return folder


def test_a_reference_on_the_same_customers_gives_the_same_scores(customers, tmp_path):
    chosen = w.choose_weights(customers, "critic")
    run = kept_run(tmp_path, customers, chosen.weights)
    for named in (run, run / "tables" / "bounds.csv"):
        bounds, again = w.read_reference(customers, str(named))
        one = w.weighted_sums(w.normalise(customers), chosen.weights)
        two = w.weighted_sums(w.normalise(customers, bounds), again.weights)
        np.testing.assert_allclose(one, two, atol=1e-12)
    assert again.method == "critic"
    weights = again.weights.set_index("indicator")["global_weight"]
    table, said = w.frozen_scores(customers, w.normalise(customers, bounds), weights)
    assert not len(table.columns) and said is None


def test_a_reference_that_is_none_is_refused(customers, tmp_path):
    with pytest.raises(InputError, match=r"has no table bounds\.csv"):
        w.read_reference(customers, str(tmp_path))
    with pytest.raises(InputError, match="both given"):
        w.read_reference(customers, str(tmp_path), bounds="bounds.csv")


def test_last_years_bounds_and_weights_agree_with_the_shared_numbers(make_tree, seed_systems):
    folder = seed_systems
    numbers = pd.read_csv(folder / "seed_numbers.csv")
    numbers = numbers.set_index(["example", "quantity", "item"])["value"]["panel"]
    kinds = {f"x{j}": {"direction": "cost" if j == 4 else "benefit"} for j in range(1, 5)}
    tree, rows = make_tree(kinds), pd.read_csv(folder / "panel.csv")
    first, second = (
        w.indicators(rows[rows["year"] == year], tree, customer="object") for year in (2023, 2024)
    )
    kept = w.normalise(first).bounds
    weights = w.choose_weights(first, "entropy_minmax").weights.set_index("indicator")
    on = w.normalise(second, kept)
    found, said = w.frozen_scores(second, on, weights["global_weight"])
    for column in found:
        printed = numbers[f"score_2024_frozen_2023_{column}"]
        np.testing.assert_allclose(found[column], printed[found.index], atol=1e-9)
    assert said.startswith(f"{int(numbers['cells_outside_bounds_2024', 'all'])} cells")


BEST_WORST = {
    "tree": "rfm",
    "experts": {
        "anna": {
            "rfm": {
                "best_to_others": {"recency": 8, "frequency": 2, "monetary": 1},
                "others_to_worst": {"recency": 1, "frequency": 5, "monetary": 8},
            }
        }
    },
}
NETWORK = {
    "tree": "rfm",
    "clusters": {"indicators": ["recency", "frequency", "monetary"]},
    "priorities": {
        "recency": {"recency": 0.3, "frequency": 0.1, "monetary": 0.6},
        "frequency": {"recency": 0.2, "frequency": 0.5, "monetary": 0.3},
        "monetary": {"recency": 0.4, "frequency": 0.5, "monetary": 0.1},
    },
}


def written(folder, name, document):
    path = folder / name
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return str(path)


def test_best_worst_fuzzy_and_network_weigh_a_tree_beside_each_other(tmp_path, judged):
    tree = w.load_tree("rfm")
    found = w.weights_beside(
        tree, judged, best_worst=written(tmp_path, "bw.yaml", BEST_WORST), fuzzy="chang",
        network=written(tmp_path, "net.yaml", NETWORK),
    )  # fmt: skip
    wide = w.weights_by_method(found.weights, tree.weighted).set_index("indicator")
    np.testing.assert_allclose(wide.sum(), 100)
    assert wide["best_worst"].round(2).tolist() == [7.14, 32.14, 60.71]
    assert wide["network_process"].round(2).tolist() == [29.41, 38.24, 32.35]
    assert "60.7%" in found.verdict and "38.2%" in found.verdict
    assert any("Chang" in told for told in found.warnings)
    beside = w.weights_beside(tree, judged, fuzzy="buckley")
    assert not any("Chang" in told for told in beside.warnings)
    assert w.weights_beside(tree, judged).verdict is None


def test_best_worst_and_network_files_for_another_tree_are_refused(tmp_path, judged):
    tree = w.load_tree("rfm")
    other = written(tmp_path, "bw.yaml", BEST_WORST | {"tree": "bank"})
    with pytest.raises(InputError, match="'bank'"):
        w.weights_beside(tree, judged, best_worst=other)
    lacking = NETWORK | {"clusters": {"indicators": ["recency", "frequency"]}}
    with pytest.raises(InputError, match="'monetary' stands in none"):
        w.weights_beside(tree, judged, network=written(tmp_path, "net.yaml", lacking))
    none = w.read_judgements(tree, "")
    with pytest.raises(InputError, match="needs expert judgements"):
        w.weights_beside(tree, none, fuzzy="buckley")


def test_the_wide_table_holds_every_method_and_indicator(customers, judged):
    found = pd.concat(
        [
            w.choose_weights(customers, name, judged).weights
            for name in ("ahp_eigenvector", "critic", "additive", "game_theory", "equal")
        ]
    )
    wide = w.weights_by_method(found, customers.items)
    assert wide.shape == (3, 6) and not wide.isna().any(axis=None)


def test_who_was_left_out_is_named(tmp_path):
    tree = w.load_tree("rfm")
    frame = pd.DataFrame(
        {"expert": ["anna", "bert"], "recency|frequency": [3, "much"],
         "recency|monetary": [5, 2], "frequency|monetary": [2, 2]}
    )  # fmt: skip
    frame.to_csv(tmp_path / "answers.csv", index=False)
    read = w.read_judgements(tree, tmp_path / "answers.csv", faulty="leave_out")
    count, said = w.left_out_verdict(read)
    assert count == 1 and "1 of 2 experts" in said and "bert" in said
    assert w.left_out_verdict(w.read_judgements(tree, "liu_shih_2005")) == (None, None)


def race(difference, width):
    return pd.DataFrame(
        {"method": "critic", "metric": "spearman", "difference": [difference],
         "difference_ci_low": [difference - width], "difference_ci_high": [difference + width]}
    )  # fmt: skip


def test_random_effects_agree_with_statsmodels():
    from statsmodels.stats.meta_analysis import combine_effects

    effects, errors = np.array([0.1, 0.3, 0.35, 0.65]), np.array([0.17, 0.17, 0.22, 0.1])
    found = random_effects(pd.Series(effects), pd.Series(errors), 0.95)
    peer = combine_effects(effects, errors**2, method_re="dl", use_t=True)
    assert found[0] == pytest.approx(peer.mean_effect_re, abs=1e-12)
    assert found[3] == pytest.approx(peer.tau2, abs=1e-12)
    assert found[4] == pytest.approx(peer.i2, abs=1e-12)
    # the plain interval with t, unless that of Hartung and Knapp is wider
    wider = max((peer.conf_int()[k] for k in (1, 3)), key=lambda ends: ends[1] - ends[0])
    assert (found[1], found[2]) == pytest.approx(tuple(wider), abs=1e-9)


def test_the_verdict_over_several_logs_follows_the_interval():
    clear = w.pool_races([race(0.05, 0.004), race(0.051, 0.004), race(0.049, 0.004)])
    assert "better than equal weights by +0.050" in clear.verdict
    open_ = w.pool_races([race(0.05, 0.02), race(-0.06, 0.02), race(0.01, 0.02)])
    assert "nothing sets a weighting apart" in open_.verdict and open_.pooled["i2"].iloc[0] > 0.5
    with pytest.raises(InputError, match="1 to pool"):
        w.pool_races([race(0.1, 0.1)])


def test_sections_without_input_are_empty_and_without_words(customers):
    hidden, equal = Hidden(1), pd.Series(1 / 3, index=customers.items)
    for section in (
        variants_section(False, customers, equal), maturity_section(customers, hidden),
        scorecard_section(None, customers, equal, 1.2, hidden), ledger_section(None, "", hidden),
        credit_section(None, "default", [], seed=1),
    ):  # fmt: skip
        assert section.verdict is None and not section.table("scores").shape[1]


def test_no_id_stands_in_a_section_of_people(tmp_path):
    rows = [("shop 17", "2025-01-01", "shipment", 9.0), ("shop 4", "2025-02-01", "shipment", 7.0)]
    path = tmp_path / "ledger.csv"
    columns = ["customer", "date", "kind", "amount"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    found = ledger_section(load_table(path), "", Hidden(5))
    assert not found.table("ratios")["customer"].str.contains("shop").any()
    assert "shop" not in found.verdict
    open_ids = ledger_section(load_table(path), "", Hidden(5, "", False))
    assert "shop 17" in set(open_ids.table("ratios")["customer"])


@pytest.mark.parametrize(
    "chart",
    ["maturity", "attainment", "ledger", "credit", "panel", "variants", "pooled"],
)
def test_charts_of_nothing_are_none(chart):
    from cvlib.figures import systems

    assert getattr(systems, f"{chart}_chart")(pd.DataFrame()) is None


def test_a_race_that_ranks_as_equal_weights_do_is_not_pooled():
    race = pd.DataFrame({"method": ["critic", "same"], "metric": "spearman",
                         "difference": [0.02, 1e-17], "difference_ci_low": [0.0, -1e-17],
                         "difference_ci_high": [0.04, 1e-17]})  # fmt: skip
    found = w.pool_races([race, race.assign(difference=[0.03, 0.0])])
    assert found.pooled["method"].tolist() == ["critic"]
    assert found.pooled["p_holm"].notna().all()


def test_the_shipped_race_is_a_study_of_two_logs_or_more(mirror):
    from importlib import resources

    from cvlib.study.batch import read_study

    text = resources.files("cvlib.study") / "studies" / "weighting_race.yaml"
    logs = [cell.parameters["data"] for cell in read_study(Path(str(text))).cells]
    assert logs == ["cdnow_master", "clvtools_apparel"]
    assert read_study(Path(str(text))).title.startswith("Experts, data")
