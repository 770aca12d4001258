"""Customer equity with intervals: refits, averages, and what is said of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime.equity_models import EquityByModel, _fault, _regular, equity_by_model
from cvlib.lifetime.holdout.stacking import mixture_weights, stacking_weights
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.spend import SpendRefits
from cvlib.lifetime.value import lifetime_value
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap

FEW = Bootstrap(30)


@pytest.fixture(scope="module")
def fits(summary):
    return [fit_repeat_buying(summary, name) for name in ("bg_nbd", "mbg_nbd", "pareto_nbd")]


@pytest.fixture(scope="module")
def found(fits, spend, summary):
    weights = pd.DataFrame({"model": ["bg_nbd", "mbg_nbd"], "weight": [0.75, 0.25]})
    terms = {"annual_rate": 0.1, "margin": 0.3, "bootstrap": FEW, "weights": weights}
    return equity_by_model(fits, spend, summary.customers, **terms)


def test_equity_by_history_is_that_by_customer(found, fits, spend, summary):
    for fit in fits:
        told = lifetime_value(fit, spend, summary.customers, annual_rate=0.1, margin=0.3).equity
        assert found.row(fit.model)["equity"] == pytest.approx(told, rel=1e-10)


def test_averages_weigh_the_models(found):
    each = found.equity.set_index("model")
    told = 0.75 * each["equity"]["bg_nbd"] + 0.25 * each["equity"]["mbg_nbd"]
    assert each["equity"]["stacking"] == pytest.approx(told)
    mean = each["equity"][["bg_nbd", "mbg_nbd", "pareto_nbd"]].mean()
    assert each["equity"]["equal_weights"] == pytest.approx(mean)
    assert (each["ci_low"] < each["equity"]).all() and (each["equity"] < each["ci_high"]).all()
    assert found.spread == pytest.approx((98289.57 - 76727.46) / mean, abs=1e-4)


def test_refits_agree_with_those_of_clvtools(fits, spend, summary, lifetime_second):
    """CLVTools, 60 refits, spend fixed: the same law within what so few draws can tell."""
    told = pd.read_csv(lifetime_second / "cdnow_pnbd_bootstrap_refits.csv")
    column = next(name for name in told.columns if name.lower() == "equity")
    ours = equity_by_model(fits[2:], spend, summary.customers, annual_rate=0.1, bootstrap=FEW)
    draws = ours.draws["pareto_nbd"]
    from scipy.stats import ks_2samp

    assert ks_2samp(draws, told[column]).pvalue > 0.01
    shifted = ks_2samp(draws * 1.6, told[column]).pvalue
    assert shifted < 0.01  # the test could fail


def test_a_refit_to_the_same_customers_is_the_estimate(fits, spend, summary):
    for fit in fits:
        again = fit.refitted(fit.histories["customers"].to_numpy(float))
        assert again._maximum.at == pytest.approx(fit._maximum.at, abs=1e-6)
    money = SpendRefits(spend, summary.customers).refit(np.ones(len(summary.customers)))
    assert money.at == pytest.approx(spend._maximum.at, abs=1e-6)


def test_a_refit_by_counts_is_a_refit_to_the_rows(fits, spend, summary):
    counts = next(resample.counts(len(summary.customers), 1, 7))[0]
    rows = summary.customers.loc[np.repeat(summary.customers.index, counts)]
    place = summary.customers.groupby(["x", "t_x", "T"], sort=True).ngroup()
    again = fits[0].refitted(np.bincount(place, counts))
    direct = fit_repeat_buying(rows[["x", "t_x", "T"]], "bg_nbd")
    assert again.natural()["a"] == pytest.approx(direct.natural()["a"], rel=1e-5)


def test_failed_draws_are_counted_by_reason(fits):
    stuck = fits[0].at(replace(fits[0]._maximum, decrement=1.0))
    assert _fault(stuck, True, 1.0) == "not converged"
    assert _fault(fits[0], True, -0.1) == "mean spend infinite"
    assert _fault(fits[0], True, 0.5) is None


def test_the_cheap_way_is_taken_only_where_dropout_is_well_told(fits):
    assert not any(_regular(fit) for fit in fits)  # a and s are below 1.2 on CDNOW
    steeper = fits[0]._maximum.at + np.array([0, 0, 0, 1.5])
    steady = fits[0].at(replace(fits[0]._maximum, at=steeper))
    assert _regular(steady) is (steady.natural()["a"] > 1.2)
    assert steady.natural()["a"] > 1.2


def test_other_customers_are_refused(fits, spend, summary):
    with pytest.raises(InputError, match="other customers"):
        equity_by_model(fits, spend, summary.customers.iloc[:500], annual_rate=0.1)


def test_without_money_there_is_a_reason(fits, spend, summary, found):
    poor = replace(spend, reason=found.interval_sentence)
    none = equity_by_model(fits, poor, summary.customers, annual_rate=0.1)
    assert none.equity.empty and none.reason and none.sentences() == []


def test_sentences_turn_with_the_numbers(found):
    assert found.interval_sentence.id == "lifetime.equity_wide"
    first = found.equity["equity"]
    close = found.equity.assign(ci_low=first * 0.95, ci_high=first * 1.05)
    assert replace(found, equity=close).interval_sentence.id == "lifetime.equity_narrow"
    assert replace(found, equity=close.assign(ci_low=np.nan)).interval_sentence is None
    assert found.spread_sentence.values["least_model"] == "mbg_nbd"
    turned = found.equity.assign(equity=found.equity["equity"].max() * 2 - found.equity["equity"])
    assert replace(found, equity=turned).spread_sentence.values["least_model"] == "pareto_nbd"
    assert isinstance(found, EquityByModel) and len(found.sentences()) == 2


def test_stacking_finds_the_mixture_that_made_the_data():
    rng = np.random.default_rng(4)
    scores = rng.uniform(0.2, 1, (400, 3))
    count = rng.integers(1, 9, 400).astype(float)
    weights = mixture_weights(scores, count)
    gain = (count / (scores @ weights)) @ scores / count.sum()
    assert weights.sum() == pytest.approx(1)
    assert gain == pytest.approx(np.where(weights > 1e-6, 1, gain), abs=1e-4)
    assert (gain <= 1 + 1e-4).all()  # Karush-Kuhn-Tucker: no other model would add


def test_stacking_does_not_look_at_the_holdout(summary):
    models = ["bg_nbd", "mbg_nbd"]
    told = stacking_weights(summary, models)
    people = summary.customers.assign(holdout_purchases=0, holdout_spend=0.0)
    assert stacking_weights(replace(summary, customers=people), models).equals(told)
    assert told["weight"].sum() == pytest.approx(1) and (told["log_score"] < 0).all()


def test_time_is_told_above_a_number_of_customers() -> None:
    from cvlib.lifetime.equity_models import expected_time
    from cvlib.lifetime.holdout.uncertainty import LARGE

    assert expected_time(LARGE) is None
    told = expected_time(LARGE + 1)
    assert told.id == "lifetime.expected_time" and told.values["minutes"] == 1
    assert expected_time(1_000_000).values["minutes"] > told.values["minutes"]
