"""Many simulated studies whose truth is known: bias, coverage, size, gate, who answered, λ.

What each asserts is the bar of the study's design; bases of 3,000 customers, about 915 interviews.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.links import discounted_months, estimate, mean
from cvlib.statistics.attenuation import corrected
from cvlib.statistics.resample import reach

pytestmark = pytest.mark.slow
BASES = {"clean": 300, "zero": 300, "frailty": 150}
MONEY = 60  # clean bases whose money has a bootstrap of 60 draws


@cache
def studies(world: str) -> pd.DataFrame:
    """A row per base: estimates over truth, whether intervals hold it, the gate, index and λ."""
    rows, z = [], reach(0.95)
    for number in range(BASES[world]):
        made = cv.customer.simulate(3000, seed=5000 + number, world=world)
        base = cv.customer.join(made.files, made.plan)
        index = cv.customer.index(base)
        true = made.true_index[base.answered if len(base.ids) == 3000 else _kept(made, base)]
        controls = base.controls.to_numpy(float)[base.answered]
        held = np.column_stack([np.ones(len(true)), controls])
        rest = index.scores - held @ np.linalg.lstsq(held, index.scores, rcond=None)[0]
        want = made.truth["effect_per_point"]
        row = {
            "gate": cv.customer.time_order(base, index.scores).open,
            "lambda": index.calibration.share - rest @ true / (rest @ rest),
            "raw": index.scores.mean() - made.truth["mean_index"],
            "weighted": mean(index.scores, index.weights) - made.truth["mean_index"],
        }
        for model in ("g2g", "cloglog"):
            found = estimate(base, index.scores, index.reliability, index.weights,
                             items=index.items, model=model)  # fmt: skip
            naive = float(found.leaving.coefficients[1]), float(found.leaving.errors[1])
            for kind, (b, se) in (
                ("naive", naive), ("corrected", corrected(*naive, found.calibration)),
            ):  # fmt: skip
                row[f"{model}, {kind}"] = b / want if want else b
                row[f"{model}, {kind}, held"] = abs(b - want) <= z * se
            worth = cv.customer.Worth()
            more = discounted_months(found, worth, 1.0) - discounted_months(found, worth, 0.0)
            months = made.truth["discounted_months_per_point"]
            row[f"{model}, money"] = mean(more, found.weights) / (months if want else 1.0)
        rows.append(row)
    found = pd.DataFrame(rows)
    print(world, len(found), found.mean().round(4).to_dict())
    return found


def _kept(made, base):  # type: ignore[no-untyped-def]
    return (
        made.survey["id"]
        .map(lambda each: int(each[1:]) - 1)
        .to_numpy()[made.survey["id"].isin(base.ids[base.answered]).to_numpy()]
    )


def test_corrected_effects_and_money_recover_the_truth_and_intervals_hold_it() -> None:
    found = studies("clean").mean()
    assert abs(found["cloglog, corrected"] - 1) < 0.03
    assert abs(found["g2g, corrected"] - 1) < 0.06
    assert abs(found["g2g, money"] - 1) < 0.03 and abs(found["cloglog, money"] - 1) < 0.03
    for model in ("g2g", "cloglog"):
        assert 0.93 <= found[f"{model}, corrected, held"] <= 0.97
        assert found[f"{model}, naive"] < 0.92  # what error in the answers hides


def test_without_an_effect_one_is_found_as_often_as_promised() -> None:
    found = studies("zero")
    for model in ("g2g", "cloglog"):
        size = 1 - found[f"{model}, corrected, held"].mean()
        assert 0.03 <= size <= 0.06
        assert abs(found[f"{model}, money"].mean()) < 0.01


def test_customers_who_differ_bend_a_model_that_has_them_alike_and_not_ours() -> None:
    found = studies("frailty").mean()
    assert abs(found["g2g, corrected"] - 1) < 0.04
    assert found["cloglog, corrected"] < 0.92
    assert abs(found["g2g, money"] - 1) < 0.03


def test_weights_bring_the_index_of_respondents_to_that_of_the_base() -> None:
    found = studies("clean").mean()
    assert found["raw"] > 2 and abs(found["weighted"]) < 0.3


def test_the_share_that_is_true_is_found() -> None:
    found = studies("clean").mean()
    assert abs(found["lambda"]) < 0.005


def test_the_gate_is_open_on_bases_without_a_leak() -> None:
    gates = pd.concat([studies(world)["gate"] for world in BASES])
    assert (~gates).mean() < 0.01


def test_intervals_in_money_hold_the_truth() -> None:
    held, ratios = [], []
    for number in range(MONEY):
        made = cv.customer.simulate(3000, seed=9000 + number)
        base = cv.customer.join(made.files, made.plan)
        index = cv.customer.index(base)
        worth = cv.customer.Worth(reward=50.0)
        value = cv.customer.point_value(
            base, index, cv.customer.time_order(base, index.scores),
            cv.customer.link(base, index), worth, cv.customer.Bootstrap(60),
        )  # fmt: skip
        row, truth = value.row("total"), made.truth["value_of_a_point"]
        held.append(row["lower"] <= truth <= row["upper"])
        ratios.append(row["per_customer"] / truth)
    print("money", np.mean(held), np.mean(ratios), np.std(ratios, ddof=1))
    assert 0.93 <= np.mean(held) <= 0.97
    assert abs(np.mean(ratios) - 1) < 0.03


def test_a_leaked_base_says_nothing_in_money_until_the_late_answers_are_out() -> None:
    from dataclasses import replace

    ratios = []
    for number in range(20):
        made = cv.customer.simulate(3000, seed=7000 + number, world="leaked")
        base = cv.customer.join(made.files, made.plan)
        index = cv.customer.index(base)
        gate = cv.customer.time_order(base, index.scores)
        assert not gate.open
        value = cv.customer.point_value(base, index, gate, cv.customer.link(base, index))
        assert value.value_of_a_point.empty and value.total is None
        clean = cv.customer.join(made.files, replace(made.plan, late_answers="leave_out"))
        found = cv.customer.index(clean)
        assert cv.customer.time_order(clean, found.scores).open
        effect = cv.customer.link(clean, found).effect()["effect_per_point"]
        ratios.append(effect / made.truth["effect_per_point"])
    print("late answers out", np.mean(ratios), np.std(ratios, ddof=1))
    assert 0.9 < np.mean(ratios) < 1.25  # 1.09 measured by another implementation
