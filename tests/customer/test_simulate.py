"""The shipped base is the one that the simulation makes."""

from pathlib import Path

import pytest

import cvlib as cv

DATA = Path(__file__).parents[2] / "data"


def test_the_shipped_base_is_simulated_again_byte_for_byte(tmp_path: Path) -> None:
    made = cv.customer.simulate(3000, 20261126)
    for name in ("survey", "contracts", "attributes"):
        path = tmp_path / f"{name}.csv"
        getattr(made, name).to_csv(path, index=False, lineterminator="\n")
        assert path.read_bytes() == (DATA / f"simulated_customer_{name}.csv").read_bytes()
    assert made.truth["value_of_a_point"] == pytest.approx(4.750, abs=5e-4)


@pytest.mark.slow
def test_corrected_effects_and_money_recover_the_truth() -> None:
    ratios, money = [], []
    for seed in range(60):
        made = cv.customer.simulate(3000, 900 + seed)
        base = cv.customer.join(made.files, made.plan)
        index = cv.customer.index(base)
        linked = cv.customer.link(base, index, "cloglog")
        ratios.append(linked.effect()["effect_per_point"] / made.truth["effect_per_point"])
        from cvlib.customer.links import discounted_months, mean

        worth, found = cv.customer.Worth(), linked.found
        more = discounted_months(found, worth, 1.0) - discounted_months(found, worth, 0.0)
        money.append(mean(more, found.weights) / made.truth["discounted_months_per_point"])
    assert abs(sum(ratios) / 60 - 1) < 0.05 and abs(sum(money) / 60 - 1) < 0.05
