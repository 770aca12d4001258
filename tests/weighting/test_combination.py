import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.combine import combine, game_theory, total_deviation
from cvlib.weighting.data.importance import shares
from cvlib.weighting.scale import normalise


def pair(subjective, objective):
    names = [f"c{j}" for j in range(len(subjective))]
    return pd.Series(subjective, index=names), pd.Series(objective, index=names)


@pytest.fixture
def customers(flat):
    return flat(np.random.default_rng(0).gamma(2.0, size=(60, 3)))


def combined(customers, subjective, objective, **options):
    return combine(customers.tree, *pair(subjective, objective), normalise(customers), **options)


def weights(result, method):
    return result.weights.loc[result.weights["method"] == method, "global_weight"].to_numpy()


def test_multiplicative_on_the_published_example(examples, flat):
    example = examples["comb01_fighter"]
    indicators = flat(example["data"]["matrix"], example["data"]["directions"])
    entropy = examples["ent01_fighter"]["recomputed"]["w"]
    found = weights(
        combined(
            indicators, example["data"]["subjective_weights"], np.array(entropy) / sum(entropy)
        ),
        "multiplicative",
    )
    np.testing.assert_allclose(found, example["recomputed"]["w0"], atol=1e-8)
    # The printed product inherits the misprinted entropies of the same source.
    off = np.abs(found - example["published"]["w0"]).max()
    assert off == pytest.approx(example["verdict"]["w0"]["max_abs_diff"], abs=1e-6)


def test_rules_by_hand(customers):
    s, o = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    result = combined(customers, s, o, alpha=0.25)
    np.testing.assert_allclose(weights(result, "additive"), 0.25 * s + 0.75 * o)
    np.testing.assert_allclose(weights(result, "least_squares"), (s + o) / 2)
    np.testing.assert_allclose(
        weights(result, "minimum_relative_entropy"), np.sqrt(s * o) / np.sqrt(s * o).sum()
    )
    # Two sources have the closed form c(a − b) : a(c − b).
    a, b, c = s @ s, s @ o, o @ o
    closed = np.array([c * (a - b), a * (c - b)])
    np.testing.assert_allclose(weights(result, "game_theory"), (closed / closed.sum()) @ [s, o])
    rows = result.coefficients.set_index(["method", "source"])
    raw = rows.loc["game_theory", "raw"].to_numpy()
    gram = np.array([[a, b], [b, c]])
    np.testing.assert_allclose(gram @ raw, [a, c], rtol=1e-12)
    assert rows.loc[("game_theory", "subjective"), "condition_number"] == pytest.approx(
        np.linalg.cond(gram)
    )


def test_minimum_relative_entropy_is_the_minimum(customers):
    s, o = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    best = weights(combined(customers, s, o), "minimum_relative_entropy")

    def loss(w):
        return (w * np.log(w / s)).sum() + (w * np.log(w / o)).sum()

    rng = np.random.default_rng(1)
    assert all(loss(w) >= loss(best) for w in rng.dirichlet(200 * best, size=500))


def test_least_squares_is_the_minimum_of_its_own_loss(customers):
    s, o = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    best, z = weights(combined(customers, s, o), "least_squares"), normalise(customers).complete()

    def loss(w):
        return (((w - s) * z) ** 2).sum() + (((w - o) * z) ** 2).sum()

    rng = np.random.default_rng(1)
    assert all(loss(w) >= loss(best) for w in rng.dirichlet(200 * best, size=500))


def test_uniform_subjective_weights_make_the_game_coefficient_zero(customers):
    o = np.array([0.2, 0.3, 0.5])
    result = combined(customers, [1 / 3] * 3, o)
    rows = result.coefficients[result.coefficients["method"] == "game_theory"]
    assert rows["raw"].tolist()[0] == 0 and rows["coefficient"].tolist() == [0, 1]
    np.testing.assert_allclose(weights(result, "game_theory"), o)
    assert any("coefficient zero" in text for text in result.warnings)


def test_game_theory_falls_back_with_a_reason(customers):
    peaked, flatter = np.array([0.8, 0.1, 0.1]), np.array([0.36, 0.32, 0.32])
    raw, condition, reason = game_theory(np.array([flatter, peaked]))
    assert raw[0] < 0 < raw[1] and condition < 1e3 and "negative" in reason
    result = combined(customers, flatter, peaked)
    np.testing.assert_allclose(weights(result, "game_theory"), (flatter + peaked) / 2)
    assert any("falls back" in t and "negative" in t for t in result.warnings)
    same = combined(customers, peaked, peaked)
    assert any("nearly the same" in text for text in same.warnings)
    np.testing.assert_allclose(weights(same, "game_theory"), peaked)


def test_deviation_maximising_matches_the_double_sum(customers):
    z = normalise(customers).complete()
    double = np.abs(z[:, None, :] - z[None, :, :]).sum(axis=(0, 1))
    np.testing.assert_allclose(total_deviation(z), double, rtol=1e-12)
    s, o = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    share = shares(np.array([s @ double, o @ double]))
    np.testing.assert_allclose(
        weights(combined(customers, s, o), "deviation_maximising"), share @ [s, o]
    )


def test_sweep_ends_at_the_sources_and_is_the_baseline_in_the_middle(customers):
    s, o = [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]
    result = combined(customers, s, o)
    wide = result.sweep.pivot(index="alpha", columns="indicator", values="global_weight")
    np.testing.assert_allclose(wide.iloc[[0, -1]], [o, s])
    ranks = result.sweep_ranks.set_index("alpha")
    assert ranks.loc[0.5].tolist() == pytest.approx([1, 0, 1])
    assert ranks["spearman"].min() < 1 and ranks["largest_rank_change"].max() > 0


def test_products_without_common_weight_and_bad_weights(customers):
    apart = combined(customers, [1.0, 0.0, 0.0], [0.0, 0.5, 0.5])
    assert not {"multiplicative", "minimum_relative_entropy"} & set(apart.weights["method"])
    assert any("products are not defined" in text for text in apart.warnings)
    veto = combined(customers, [0.5, 0.5, 0.0], [0.2, 0.3, 0.5])
    assert weights(veto, "multiplicative")[2] == 0
    assert any("c2 weight 0" in text for text in veto.warnings)
    for bad in ([0.5, 0.5, 0.5], [1.2, -0.1, -0.1]):
        with pytest.raises(InputError, match="do not cover"):
            combined(customers, bad, [0.2, 0.3, 0.5])
    with pytest.raises(InputError, match="alpha"):
        combined(customers, [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], alpha=2)
