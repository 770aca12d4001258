"""Scores of probabilities against scikit-learn and statsmodels, and intervals of proportions."""

import numpy as np
import pytest
from sklearn import metrics as sk
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from cvlib.statistics import forecasts, resample
from cvlib.statistics.proportions import wilson


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(3)
    p = np.round(rng.beta(1, 3, 400), 2).clip(0.01, 0.99)
    return (
        (rng.random(400) < p**1.2).astype(float),
        p,
        np.vstack([*resample.multinomial(400, 4, 1)]),
    )


def test_scores_of_resamples_are_those_of_scikit_learn_with_weights(drawn):
    y, p, counts = drawn
    for sample, row in enumerate(counts):
        assert forecasts.brier(y, p, counts)[sample] == pytest.approx(
            sk.brier_score_loss(y, p, sample_weight=row)
        )
        assert forecasts.log_loss(y, p, counts)[sample] == pytest.approx(
            sk.log_loss(y, p, sample_weight=row)
        )


def test_the_calibration_line_is_a_weighted_logistic_regression(drawn):
    y, p, counts = drawn
    lines = np.array(forecasts.calibration_line(y, p, counts)).T
    design = np.column_stack([np.ones(400), np.log(p / (1 - p))])
    for sample, row in enumerate(counts):
        fitted = GLM(y, design, family=Binomial(), freq_weights=row).fit(tol=1e-12)
        assert lines[sample] == pytest.approx(fitted.params, abs=1e-6)


def test_a_perfectly_calibrated_forecast_has_no_error():
    p = np.repeat([0.25, 0.75], 8)
    y = np.tile([1, 0, 0, 0], 4).astype(float)
    y[8:] = 1 - y[8:]
    ones = np.ones((1, 16))
    assert forecasts.expected_calibration_error(y, p, ones, bins=2)[0] == pytest.approx(0)
    parts = forecasts.murphy_decomposition(y, p, bins=2).set_index("component")["value"]
    assert parts["reliability"] == pytest.approx(0)
    assert parts["resolution"] == pytest.approx(0.0625)
    assert parts["brier"] == pytest.approx(parts["uncertainty"] - parts["resolution"])
    table = forecasts.calibration_table(y, p, bins=2)
    assert table["observed"].tolist() == table["mean_probability"].tolist() == [0.25, 0.75]


def test_wilson_by_its_equation():
    """The limits solve (k/n - p)^2 = z^2 p (1 - p) / n."""
    k, n = np.array([0, 1, 15, 81]), np.array([20, 29, 148, 263])
    z = resample.reach(0.9)
    for limit in wilson(k, n, 0.9):
        assert (k / n - limit) ** 2 == pytest.approx(z**2 * limit * (1 - limit) / n, abs=1e-12)
    low, high = wilson(k, n, 0.9)
    assert (low <= k / n).all() and (k / n < high).all()
