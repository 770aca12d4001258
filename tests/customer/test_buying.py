"""Transactions: Pareto/NBD with satisfaction, against the reference, the pillar and the truth."""

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.links import mean, value_by_parts
from cvlib.inputs.errors import InputError

FOLDER = Path(os.environ.get("CVLIB_DATA_MIRROR", "absent")).parent
BASE = FOLDER / "reference/customer-study/transactions_clean"
needs = pytest.mark.skipif(not BASE.is_dir(), reason="the reference base is not at hand")


@cache
def steps():
    files = cv.customer.Files(
        str(BASE / "survey.csv"), "", str(BASE / "attributes.csv"),
        transactions=str(BASE / "transactions.csv"),
    )  # fmt: skip
    base = cv.customer.join(
        files, cv.customer.Plan(model="customer_study", holdout_end="2024-07-01")
    )
    index = cv.customer.index(base)
    return base, index, cv.customer.link(base, index)


@needs
def test_every_number_of_the_reference_at_its_digits() -> None:
    table = pd.read_csv(BASE / "expected.csv")
    want = dict(zip(table["quantity"], table["value"], strict=True))
    base, index, linked = steps()
    summary = index.index_summary.set_index("measure")["value"]
    audit = base.join_audit.set_index("what")["count"]
    assert audit["customers in the transactions"] == want["customers"]
    assert audit["respondents in the link"] == want["answered"]
    for ours, theirs in {
        "index, unweighted": "index, unweighted", "index, weighted": "index, weighted",
        "reliability (rho_A)": "rho_A", "reliability, weighted": "rho_A, weighted",
        "effective sample size of weights": "effective sample size of weights",
    }.items():  # fmt: skip
        assert summary[ours] == pytest.approx(want[theirs], rel=1e-6), ours
    rows = linked.link.set_index(["model", "outcome", "estimator"])
    for model, kind in (("pareto_nbd", "weighted"), ("pareto_nbd, unweighted", "unweighted")):
        for outcome, long, short in (
            ("purchase rate", "log rate", "rate"), ("dropout rate", "log dropout rate", "dropout"),
        ):  # fmt: skip
            naive = rows.loc[(model, outcome, "naive")]
            assert naive["effect_per_point"] == pytest.approx(
                want[f"Pareto/NBD {long} per point, {kind}, naive"], rel=2e-5
            )
            assert naive["se"] == pytest.approx(want[f"sandwich se {short}, {kind}"], rel=1e-4)
            corrected = rows.loc[(model, outcome, "corrected")]
            assert corrected["effect_per_point"] == pytest.approx(
                want[f"{short}, {kind}, corrected"], rel=2e-5
            )
    none = rows.loc[("logit", "no purchase", "naive")]
    assert -none["effect_per_point"] == pytest.approx(want["active or not, logit, naive"], rel=1e-5)
    assert none["se"] == pytest.approx(want["active or not, logit, se"], rel=1e-5)
    count = rows.loc[("negative binomial", "purchases", "naive")]
    assert count["effect_per_point"] == pytest.approx(
        want["purchases, negative binomial, naive"],
        rel=3e-5,  # theirs ends at -1524.38774688, ours higher by 6e-9
    )
    assert count["se"] == pytest.approx(want["purchases, negative binomial, se"], rel=1e-5)


def test_it_is_the_pillars_model_with_covariates() -> None:
    made = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    customers = made.customers.assign(big=np.log1p(made.customers["monetary"]))
    ours = cv.lifetime.fit_trait(customers, customers["big"].to_numpy())
    theirs = cv.lifetime.fit_repeat_buying(customers, "pareto_nbd", covariates=["big"])
    known = theirs.parameters.set_index("parameter")["estimate"]
    assert ours.purchase[0] == pytest.approx(known["purchase:big"], rel=1e-6)
    assert ours.dropout[0] == pytest.approx(known["dropout:big"], rel=1e-5, abs=1e-7)
    assert np.exp(ours.theta) == pytest.approx(
        known[["r", "alpha", "s", "beta"]].to_numpy(float), rel=1e-5
    )
    likelihood = theirs.fit.set_index("measure")["value"]["log_likelihood"]
    assert ours.log_likelihood == pytest.approx(likelihood, abs=1e-6)
    history = [customers[n].to_numpy(float) for n in ("x", "t_x", "T")]
    z = customers[["big"]].to_numpy(float)
    force, ahead = np.log(1.15) / (365.25 / 7), 52.0
    assert cv.lifetime.discounted_purchases(ours, z, customers, force, ahead) == pytest.approx(
        theirs.discounted_expected_purchases(
            0.15, *history, horizon=ahead, periods_per_year=365.25 / 7, covariates=z
        ),
        rel=1e-6,
    )  # fmt: skip
    # a weight of two is the customer twice
    twice = cv.lifetime.fit_trait(
        pd.concat([customers, customers.iloc[:300]]), np.append(z[:, 0], z[:300, 0])
    )
    weights = np.ones(len(z))
    weights[:300] = 2
    weighted = cv.lifetime.fit_trait(customers, z, weights)
    assert weighted.purchase[0] == pytest.approx(twice.purchase[0], rel=1e-6)


def test_scores_of_customers_sum_to_nothing_at_the_maximum() -> None:
    """And rates that a customer changes from now on change purchases as they should."""
    made = cv.customer.simulate(700, seed=4, kind="transactions")
    base = cv.customer.join(made.files, made.plan)
    index = cv.customer.index(base)
    found = cv.customer.link(base, index).found
    assert found.buying is not None
    none = cv.customer.Worth(annual_discount_rate=0.0, horizon=1)
    now, twice = (
        found.buying.purchases(none, bought=points)
        for points in (0.0, np.log(2) / found.buying.fit.purchase[0])
    )
    assert twice == pytest.approx(2 * now, rel=1e-9)
    parts = value_by_parts(found, cv.customer.Worth())
    assert set(parts) == {"purchases", "dropout", "spend"}


@needs
def test_the_value_of_a_point_recovers_the_truth_and_parts_add_up() -> None:
    base, index, linked = steps()
    gate = cv.customer.time_order(base, index.scores)
    assert gate.open
    value = cv.customer.point_value(
        base, index, gate, linked, settings=cv.customer.Bootstrap(draws=40)
    )
    total = value.row("total")
    assert total["lower"] < 1.902 < total["upper"]  # truth.json
    parts = value.value_of_a_point.set_index("part")["per_customer"]
    assert abs(parts[["purchases", "dropout", "spend"]].sum() - parts["total"]) < 1e-9
    strict = cv.customer.link(base, index, "pareto_nbd_strict")
    rows = strict.link.set_index(["model", "outcome", "estimator"])["se"]
    plain = linked.link.set_index(["model", "outcome", "estimator"])["se"]
    for outcome, least in (("purchase rate", 3), ("dropout rate", 2)):
        ratio = rows[("pareto_nbd_strict", outcome, "naive")] / plain[
            ("pareto_nbd", outcome, "naive")
        ]  # fmt: skip
        assert ratio > least


def test_buyers_without_any_effect_add_nothing_and_both_kinds_at_once_are_asked_about() -> None:
    made = cv.customer.simulate(2000, seed=7, world="zero", kind="transactions")
    found = cv.customer.study(made, draws=25)
    assert found.answer.verdict[0].id == "customer.nothing"
    both = replace(made.files, contracts=cv.customer.simulate(50, seed=1).contracts)
    with pytest.raises(InputError, match="kind"):
        cv.customer.join(both, made.plan)
    with pytest.raises(InputError, match="contracts: is blank"):
        cv.customer.join(made.files, replace(made.plan, kind="contract"))


def test_large_bases_are_drawn_from_the_asymptotic_law(monkeypatch: pytest.MonkeyPatch) -> None:
    from cvlib.customer import draws

    made = cv.customer.simulate(1500, seed=5, kind="transactions")
    refitted = cv.customer.study(made, draws=40).value
    monkeypatch.setattr(draws, "ASYMPTOTIC", 10)
    drawn = cv.customer.study(made, draws=40).value
    assert drawn.total == refitted.total
    width = [v.row("total")["upper"] - v.row("total")["lower"] for v in (drawn, refitted)]
    assert width[0] == pytest.approx(width[1], rel=0.5)


@pytest.mark.slow
def test_weighted_fits_recover_the_slopes_and_unweighted_ones_must_not() -> None:
    ratios = []
    for seed in range(30):
        made = cv.customer.simulate(3000, 100 + seed, kind="transactions")
        base = cv.customer.join(made.files, made.plan)
        index = cv.customer.index(base)
        linked = cv.customer.link(base, index)
        rows = linked.link[linked.link["estimator"] == "corrected"]
        rows = rows.set_index(["model", "outcome"])["effect_per_point"]
        money = value_by_parts(linked.found, cv.customer.Worth())
        ratios.append(
            (
                rows[("pareto_nbd", "purchase rate")] / 0.012,
                rows[("pareto_nbd", "dropout rate")] / -0.025,
                rows[("pareto_nbd, unweighted", "dropout rate")] / -0.025,
                mean(money["purchases"] + money["dropout"], linked.found.weights)
                / made.truth["value_of_a_point"],
            )
        )
    rate, dropout, unweighted, money_ = np.mean(ratios, axis=0)
    assert abs(rate - 1) < 0.1 and abs(dropout - 1) < 0.1 and abs(money_ - 1) < 0.1
    assert unweighted < 0.8
