"""The ladder: an instrument, drivers as instruments, two interviews, and what is said of them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.base import Again
from cvlib.customer.causes import by_drivers, driver_split, within
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.statistics.attenuation import two_waves
from cvlib.statistics.instruments import by_instruments, first_stage
from cvlib.words.message import in_language


@cache
def steps(world: str = "clean", seed: int = 778):  # type: ignore[no-untyped-def]
    made = cv.customer.simulate(3000, seed=seed, world=world)
    base = cv.customer.join(made.files, made.plan)
    index = cv.customer.index(base)
    return made, base, index, cv.customer.link(base, index)


def test_the_effect_by_instruments_is_that_of_including_the_residual() -> None:
    rng = np.random.default_rng(3)
    z, q, cause = rng.standard_normal((3, 4000))
    true = q + 0.5 * z + cause + rng.standard_normal(4000)
    s = true + 0.6 * rng.standard_normal(4000)
    eta = -2.5 - 0.3 * true + 0.8 * cause + 0.2 * z
    life = np.ceil(rng.exponential(np.exp(-eta)))
    duration, left = np.minimum(life, 12), life <= 12
    rho = float(true.var() / s.var())
    stage = first_stage(s, q, z[:, None], rho, 3)
    assert stage.strong
    rest = s - np.column_stack([np.ones(4000), q, z]) @ np.linalg.lstsq(
        np.column_stack([np.ones(4000), q, z]), s, rcond=None
    )[0]  # fmt: skip
    included = fit_leaving("cloglog", duration, left, np.column_stack([s, rest, z]))
    fit = fit_leaving("cloglog", duration, left, np.column_stack([s, stage.foretold, z]))
    found = by_instruments(stage, fit.coefficients[1:3], fit.covariance[1:3, 1:3])
    assert found.effect == pytest.approx(included.coefficients[1], rel=1e-6)
    assert abs(found.effect + 0.3) < 3 * found.error  # the truth, error and cause notwithstanding
    assert found.rest + 0.3 > 3 * found.rest_error and found.apart > 3  # the cause sits in the rest
    none = first_stage(s, rng.standard_normal(4000), z[:, None], rho, 3)
    assert not none.strong


def test_the_errors_by_instruments_are_those_of_many_samples() -> None:
    rng, found = np.random.default_rng(8), []
    for _ in range(150):
        z, q = rng.standard_normal((2, 600))
        true = 0.5 * q + 0.5 * z + rng.standard_normal(600)
        s = true + 0.6 * rng.standard_normal(600)
        life = np.ceil(rng.exponential(np.exp(2.0 + 0.3 * true)))
        stage = first_stage(s, q, z[:, None], float(true.var() / s.var()), 3)
        fit = fit_leaving("cloglog", np.minimum(life, 12), life <= 12,
                          np.column_stack([s, stage.foretold, z]))  # fmt: skip
        found.append(by_instruments(stage, fit.coefficients[1:3], fit.covariance[1:3, 1:3]))
    for effect, error in (("effect", "error"), ("rest", "rest_error")):
        spread = np.std([getattr(each, effect) for each in found], ddof=1)
        assert np.mean([getattr(each, error) for each in found]) == pytest.approx(spread, rel=0.2)
    assert np.std([each.apart for each in found], ddof=1) == pytest.approx(1, abs=0.2)


def test_a_driver_with_a_path_past_satisfaction_is_no_instrument() -> None:
    _, base, _, _ = steps()
    assert driver_split(base) == (["image", "quality"], [])
    paths = (*base.survey.model.signed_paths, ("image", "loyalty", "+"))
    other = replace(base, survey=replace(
        base.survey, model=replace(base.survey.model, signed_paths=paths)))  # fmt: skip
    assert driver_split(other) == (["quality"], ["image"])


def test_a_base_with_an_unmeasured_cause_is_doubted_and_a_clean_one_is_not() -> None:
    said = {}
    for world, seed in (("clean", 778), ("confounded", 777)):
        _, base, index, linked = steps(world, seed)
        gate, none = cv.customer.time_order(base, index.scores), cv.customer.Bootstrap(0)
        value = cv.customer.point_value(base, index, gate, linked, settings=none)
        rungs, e = cv.customer.ladder(base, index, linked)
        assumed = cv.customer.sensitivity(base, index, linked, value)
        answer = cv.customer.customer_answer(
            base, index, gate, linked, value, e, cv.customer.calls(base, index, linked), assumed
        )
        said[world] = [getattr(text, "id", "") for text in answer.doubts]
        rungs = rungs.set_index("rung")
        assert rungs.loc["first-stage F of the drivers", "estimate"] > 10
        table = assumed.set_index("assumption")["value_per_point"]
        own = table["leaving by the drivers' part of satisfaction"]
        if world == "confounded":
            assert value.total is not None and own < value.total
            text = next(t for t in answer.doubts if t.id == "customer.drivers_differ")
            assert f"{own:,.2f}" in text and f"{own:,.2f}" in in_language(text, "zh")
    assert "customer.drivers_differ" not in said["clean"]
    assert "customer.drivers_differ" in said["confounded"]


def test_a_named_instrument_is_used_and_is_no_control() -> None:
    made, _, index, linked = steps("confounded", 777)
    rng = np.random.default_rng(1)
    moved = made.survey.set_index("id")[["IMAG1", "IMAG2", "IMAG3"]].mean(axis=1)
    attributes = made.attributes.assign(outage=rng.standard_normal(3000))
    known = attributes["id"].map(moved)
    attributes["outage"] = known.fillna(known.mean()) + 0.5 * attributes["outage"]
    files = replace(made.files, attributes=attributes)
    plan = replace(made.plan, controls=("auto",), instrument="outage")
    own = cv.customer.join(files, plan)
    assert "outage" not in own.controls
    found = cv.customer.ladder(own, cv.customer.index(own), cv.customer.link(
        own, cv.customer.index(own)))[0].set_index("rung")  # fmt: skip
    assert found.loc["instrument", "allowed"]
    assert found.loc["instrument", "lower"] < -0.03 < found.loc["instrument", "upper"]
    assert found.loc["first-stage F of the instrument", "estimate"] > 10
    weak = replace(files, attributes=attributes.assign(outage=rng.standard_normal(3000)))
    other = cv.customer.join(weak, plan)
    table = cv.customer.ladder(other, index, linked)[0].set_index("rung")
    assert not table.loc["instrument", "allowed"]
    assert table.loc["instrument", "reason"] == "it moves satisfaction too little"
    for column, word in ((1.0, "the same for all"), ("a", "more or fewer than two")):
        flat = replace(files, attributes=attributes.assign(outage=column))
        with pytest.raises(InputError, match=f"instrument.*{word}"):
            cv.customer.join(flat, plan)
    with pytest.raises(InputError, match="instrument"):
        cv.customer.join(files, replace(plan, instrument="outages"))


def test_true_change_and_mean_are_expected_from_two_scores() -> None:
    rng = np.random.default_rng(2)
    first = rng.standard_normal(50_000)
    change = 0.8 * rng.standard_normal(50_000)
    noise = 0.3
    before, now = (t + np.sqrt(noise) * rng.standard_normal(50_000)
                   for t in (first, first + change))  # fmt: skip
    found, middle = two_waves(now, before, np.empty((50_000, 0)), noise)
    x = np.column_stack([np.ones(50_000), found, middle])
    assert found is not None
    # what is expected of the truth has a slope of one on it
    assert np.linalg.lstsq(x, change, rcond=None)[0] == pytest.approx([0, 1, 0], abs=0.03)
    assert np.linalg.lstsq(x, first + change / 2, rcond=None)[0] == pytest.approx(
        [0, 0, 1], abs=0.03
    )
    assert two_waves(before + np.sqrt(2 * noise) * rng.standard_normal(50_000), before,
                     np.empty((50_000, 0)), noise)[0] is None  # fmt: skip


def twice(world: str = "clean"):  # type: ignore[no-untyped-def]
    """Half of the respondents asked again a year later, if they were still there."""
    made, *_ = steps(world)
    rng = np.random.default_rng(5)
    again = made.survey.iloc[::2].assign(interviewed_on="2024-01-01")
    items = list(again.columns[2:])
    moved = np.clip(again[items].to_numpy() + rng.integers(-2, 3, (len(again), 1)), 1, 10)
    again[items] = moved
    end = made.contracts.set_index("id")["end"].reindex(again["id"]).to_numpy()
    still = pd.isna(end) | (pd.to_datetime(end) > pd.Timestamp("2024-01-01"))
    return made, pd.concat([made.survey, again[still]], ignore_index=True)


def test_the_first_interview_starts_the_clock_and_the_second_shows_the_change() -> None:
    made, survey = twice()
    base = cv.customer.join(replace(made.files, survey=survey), made.plan)
    _, single, *_ = steps()
    assert (base.duration == single.duration).all()  # none of the time in which others left is lost
    assert "customer.waves" in {getattr(w, "id", "") for w in base.warnings}
    assert base.again is not None and base.again.duration.max() == 12
    index = cv.customer.index(base)
    linked = cv.customer.link(base, index)
    rungs = cv.customer.ladder(base, index, linked)[0].set_index("rung")
    assert rungs.loc["two waves", "allowed"]
    assert rungs.loc["two waves", "lower"] < 0.03  # the second answers were drawn, not meant
    # a handful asked twice: the latest answer counts
    few = pd.concat([made.survey, made.survey.head(3).assign(interviewed_on="2023-03-01")])
    late = cv.customer.join(replace(made.files, survey=few.iloc[::-1]), made.plan)
    assert late.again is None and (late.asked_on > "2023-02-01").sum() + late.late == 3


def test_a_customers_own_change_recovers_what_what_is_his_all_along_would_hide() -> None:
    _, base, index, linked = steps()
    rng, size = np.random.default_rng(6), len(index.scores)
    trait = index.calibration.expected
    change = rng.integers(-2, 3, size)
    values = base.survey.values + change[:, None]  # every answer moves, free of error
    rise = 100 * change / 9
    who = trait + rise / 2 - 66  # what is his all along, on both days around it
    eta = -3.2 - 0.03 * (trait + rise - 66) + 0.03 * who  # and hides it all
    life = np.ceil(rng.exponential(np.exp(-eta)))
    again = Again(values, np.arange(size), np.minimum(life, 12), life <= 12)
    own = replace(base, again=again)
    quiet = replace(index, reliability=1.0)
    found = within(own, quiet, linked)
    assert found is not None
    effect, error, people = found
    assert people == size and abs(effect + 0.03) < 2.5 * error < 0.03
    plain = fit_leaving("cloglog", np.minimum(life, 12), life <= 12, index.scores[:, None])
    assert abs(plain.coefficients[1]) < 0.015


def test_drivers_that_foretell_nothing_are_no_instruments() -> None:
    _, base, index, linked = steps()
    values = base.survey.values.copy()
    rng = np.random.default_rng(4)
    own = base.survey.model.construct_names
    for name in ("image", "quality"):
        part = base.survey.model.slices[own.index(name)]
        values[:, part] = values[rng.permutation(len(values)), part]
    scattered = replace(base, survey=replace(base.survey, values=values))
    found = by_drivers(scattered, index, linked)
    assert found is not None and not found.stage.strong
    e = cv.customer.ladder(scattered, index, linked)[1]
    assert np.isnan(e["apart"])
