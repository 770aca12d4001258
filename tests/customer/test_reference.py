"""A simulated base with known truth, against statsmodels, lifelines and an own likelihood."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.links import discounted_months, mean, value_by_parts
from cvlib.statistics.confounding import e_value
from cvlib.statistics.nonresponse import effective_size

FOLDER = Path(os.environ.get("CVLIB_DATA_MIRROR", "absent")).parent / "reference/customer-study"
BASE = FOLDER / "contracts_clean"
needs = pytest.mark.skipif(not BASE.is_dir(), reason="the reference base is not at hand")


@cache
def steps():
    files = cv.customer.Files(
        *(str(BASE / f"{n}.csv") for n in ("survey", "contracts", "attributes"))
    )
    base = cv.customer.join(files, cv.customer.simulate(1, seed=1).plan)
    index = cv.customer.index(base)
    return base, index, cv.customer.link(base, index)


def expected() -> dict[str, float]:
    table = pd.read_csv(BASE / "expected.csv")
    return dict(zip(table["quantity"], table["value"], strict=True))


@needs
def test_index_reliability_and_calibration_to_six_digits() -> None:
    want, (base, index, _) = expected(), steps()
    found = index.index_summary.set_index("measure")["value"]
    for ours, theirs in {
        "respondents": "respondents in the link",
        "effective sample size of weights": "effective sample size of weights",
        "index, unweighted": "index, unweighted",
        "index, weighted": "index, weighted",
        "reliability (rho_A)": "rho_A",
        "variance": "Var(s)",
        "variance given the controls": "Var(s|z)",
        "lambda": "lambda",
    }.items():
        assert found[ours] == pytest.approx(want[theirs], rel=1e-6), ours
    assert base.left.sum() == want["events"]
    assert effective_size(np.ones(7)) == 7


@needs
@pytest.mark.parametrize("kind", ["naive", "corrected"])
def test_links_equal_statsmodels_lifelines_and_an_own_likelihood(kind: str) -> None:
    want, (_, _, linked) = expected(), steps()
    rows = linked.link[(linked.link["outcome"] == "leaving") & (linked.link["estimator"] == kind)]
    rows = rows.set_index("model")
    for model, name, digits in (
        ("logit", "logit hazard", 1e-5), ("cloglog", "cloglog hazard", 1e-5),
        ("cox", "Cox (Efron)", 1e-5), ("g2g", "G2G", 1e-4),
    ):  # fmt: skip
        assert rows.loc[model, "effect_per_point"] == pytest.approx(
            want[f"{name}, {kind}"], rel=digits
        )
        if kind == "naive":
            assert rows.loc[model, "se"] == pytest.approx(want[f"{name}, naive, se"], rel=1e-4)
    assert rows.loc["g2g", "heterogeneity"] == pytest.approx(want[f"G2G, {kind}, v"], rel=1e-4)
    assert rows.loc["g2g", "log_likelihood"] == pytest.approx(
        want[f"G2G, {kind}, log likelihood"], rel=1e-6
    )


@needs
def test_money_equals_the_reference_and_parts_add_up() -> None:
    want, (_, _, linked) = expected(), steps()
    worth, found = cv.customer.Worth(reward=50.0), linked.found
    for naive, kind in ((True, "naive"), (False, "corrected")):
        more = discounted_months(found, worth, 1.0, naive) - discounted_months(found, worth, 0.0)
        assert mean(more, found.weights) == pytest.approx(
            want[f"discounted months per point, {kind}"], rel=1e-6
        )
    parts = value_by_parts(found, worth)
    assert set(parts) == {"retention", "spend", "service_cost", "referral"}
    from cvlib.customer.links import monthly

    every = frozenset(found.links)
    whole = discounted_months(found, worth, 1.0) * monthly(found, worth, every, 1.0, False)
    now = discounted_months(found, worth, 0.0) * monthly(found, worth, frozenset(), 0.0, False)
    assert np.abs(sum(parts.values()) - (whole - now)).max() < 1e-9


def test_calibrated_scores_and_measured_ones_have_one_likelihood() -> None:
    made = cv.customer.simulate(1500, seed=3)
    base = cv.customer.join(made.files, made.plan)
    index = cv.customer.index(base)
    z = base.controls.to_numpy(float)[base.answered]
    fits = [
        cv.lifetime.fit_leaving("g2g", base.duration, base.left, np.column_stack([score, z]))
        for score in (index.scores, index.calibration.expected)
    ]
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-6)
    assert fits[1].coefficients[1] * index.calibration.share == pytest.approx(
        fits[0].coefficients[1], rel=1e-6
    )


@pytest.mark.parametrize(
    ("ratio", "common", "want"),
    [((0.8, 0.71, 0.91), False, (1.809, 1.429)), ((0.56, 0.46, 0.69), True, (2.350, 1.908))],
)  # fmt: skip
def test_e_values_of_the_paper(ratio, common, want) -> None:  # type: ignore[no-untyped-def]
    found = e_value(*ratio, common)
    assert (round(found["e_value"], 3), round(found["e_value_limit"], 3)) == want
    assert e_value(0.9, 0.8, 1.1)["e_value_limit"] == 1


def test_months_of_a_large_base_by_a_spline_are_those_summed_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cvlib.customer import links

    made = cv.customer.simulate(1500, seed=3)
    base = cv.customer.join(made.files, made.plan)
    found = cv.customer.link(base, cv.customer.index(base)).found
    worth = cv.customer.Worth()
    plain = discounted_months(found, worth, 1.0)
    monkeypatch.setattr(links, "_GRID", 200)
    assert len(plain) > 400
    assert np.abs(discounted_months(found, worth, 1.0) - plain).max() < 1e-7
    monkeypatch.setattr(links, "_GRID", 1500)
    assert (discounted_months(found, worth, 1.0) == plain).all()
