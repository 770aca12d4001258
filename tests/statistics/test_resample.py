"""Seeds, resamples and percentile limits against numpy, scipy and hand-worked cases."""

import numpy as np
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.statistics.resample import (
    INTERVALS,
    Bootstrap,
    counts,
    counts_again,
    counts_of,
    generator,
    indices,
    multinomial,
    percentile_limits,
    reach,
    seeds,
    spawned,
    symmetric_root,
    tails,
)


@pytest.mark.parametrize(
    ("setting", "value", "wrong"),
    [
        ("draws", -1, "a whole number of 0 or more"),
        ("draws", 10.5, "a whole number"),
        ("draws", True, "a whole number"),
        ("seed", -3, "a whole number of 0 or more"),
        ("level", 95, "between 0 and 1"),
        ("level", 1.0, "both excluded"),
        ("level", float("nan"), "between 0 and 1"),
        ("level", "0.95", "between 0 and 1"),
        ("interval", "percentil", "'percentile'"),
    ],
)
def test_a_setting_of_the_bootstrap_is_checked_where_it_is_written(setting, value, wrong):
    with pytest.raises(InputError, match=wrong) as raised:
        Bootstrap(**{setting: value})
    assert raised.value.where == setting


def test_the_bootstrap_takes_numpy_numbers_and_cannot_be_changed():
    made = Bootstrap(draws=np.int64(10), level=np.float64(0.9))
    assert made.interval in INTERVALS
    with pytest.raises(AttributeError):
        made.draws = 3  # type: ignore[misc]


def test_limits_are_those_of_scipy():
    drawn = np.random.default_rng(1).exponential(size=(400, 3))
    low, high = percentile_limits(drawn, 0.9)
    for column in range(3):
        wanted = stats.scoreatpercentile(drawn[:, column], [5, 95])
        assert np.allclose([low[column], high[column]], wanted, rtol=1e-12)
    across = percentile_limits(drawn.T, 0.9, axis=1)
    assert np.array_equal(np.array(across), np.array([low, high]))
    assert reach(0.95) == pytest.approx(1.959963984540054, abs=1e-14)
    assert reach(0.9, 7) == pytest.approx(stats.t.ppf(0.95, 7), rel=1e-12)
    assert tails(0.9) == pytest.approx([0.05, 0.95])


def test_a_draw_without_a_value_is_left_out_only_where_that_is_asked_for():
    drawn = np.arange(5.0)
    holed = np.append(drawn, np.nan)
    assert np.isnan(percentile_limits(holed, 0.5)).all()
    assert percentile_limits(holed, 0.5, nan_policy="omit") == percentile_limits(drawn, 0.5)
    lost = np.column_stack([holed, np.full(6, np.nan)])
    low, high = percentile_limits(lost, 0.5, nan_policy="omit")
    assert (low[0], high[0]) == (1.0, 3.0) and np.isnan([low[1], high[1]]).all()
    assert np.isnan(percentile_limits(np.empty(0), 0.5)).all()


def test_streams_and_seeds_of_parts_do_not_depend_on_their_number():
    assert generator(5).random() == np.random.default_rng(5).random()
    assert generator(5, 2).random() != generator(5).random()
    assert seeds(3, 2) == seeds(3, 5)[:2] and len(set(seeds(3, 5))) == 5
    assert [g.random() for g in spawned(3, 2)] == [g.random() for g in spawned(3, 4)][:2]


def test_resamples_are_the_same_for_any_chunk_and_keep_the_strata():
    strata = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
    whole = np.vstack(list(counts(10, 7, 11, strata, 7)))
    parts = np.vstack(list(counts(10, 7, 11, strata, 3)))
    assert np.array_equal(whole, parts) and len(whole) == 7
    for stratum in range(3):
        inside = strata == stratum
        assert (whole[:, inside].sum(axis=1) == inside.sum()).all()
    assert (np.vstack(list(counts(10, 7, 11)))[:, strata == 1].sum(axis=1) != 2).any()


def test_resamples_have_the_moments_of_drawing_with_replacement():
    drawn = np.vstack(list(counts(20, 20_000, 4))).astype(float)
    assert np.allclose(drawn.mean(axis=0), 1, atol=0.03)
    covariance = np.cov(drawn.T)
    assert np.allclose(np.diag(covariance), 1 - 1 / 20, atol=0.05)
    assert np.allclose(covariance[np.triu_indices(20, 1)], -1 / 20, atol=0.05)


def test_a_generator_draws_as_numpy_does():
    wanted = np.random.default_rng(8).integers(0, 12, (6, 12))
    assert np.array_equal(indices(12, 6, generator(8)), wanted)
    frequency = np.array([np.bincount(row, minlength=12) for row in wanted])
    assert np.array_equal(counts_of(wanted), frequency)
    for chunk in (1, 4, 6):
        drawn = np.vstack(list(counts(12, 6, np.random.default_rng(8), chunk=chunk)))
        assert np.array_equal(drawn, frequency)


@pytest.mark.parametrize("units", [1, 64, 999, 70_001])  # above 65,536: a row at a time
def test_counts_are_those_of_numpys_places(units):
    wanted = np.random.default_rng(8).integers(0, units, (3, units))
    found = next(counts(units, 3, np.random.default_rng(8)))
    assert np.array_equal(found, [np.bincount(row, minlength=units) for row in wanted])


def test_resamples_of_resamples_draw_only_what_the_outer_one_holds():
    strata = np.array([0, 0, 0, 1, 1, 1, 1])
    outer = np.vstack(list(counts(7, 5, 3, strata)))
    inner = np.vstack(list(counts_again(7, 5, 3, strata, inner=40, chunk=2))).reshape(5, 40, 7)
    assert (inner[..., strata == 1].sum(axis=2) == 4).all()
    assert (inner[np.broadcast_to(outer[:, None] == 0, inner.shape)] == 0).all()
    assert np.allclose(inner.mean(axis=1), outer, atol=0.8)


def test_multinomial_resamples_are_numpy_s_for_any_block():
    wanted = np.random.default_rng(2).multinomial(7, np.full(7, 1 / 7), 5)
    assert np.array_equal(np.vstack(list(multinomial(7, 5, 2))), wanted)
    share = np.array([0.5, 0.3, 0.2])
    (block,) = multinomial(3, 4, 6, share, 1000)
    rng = np.random.default_rng(6)
    assert np.array_equal(block, [rng.multinomial(1000, share) for _ in range(4)])
    assert max(len(block) for block in multinomial(1_000_000, 5, 2)) == 2


def test_a_symmetric_root_does_not_hang_on_the_signs_of_eigenvectors(monkeypatch) -> None:
    half = np.random.default_rng(1).normal(size=(6, 4))
    covariance = half @ half.T  # two eigenvalues are zero but for rounding
    root = symmetric_root(covariance)
    assert root @ root == pytest.approx(covariance, abs=1e-12)
    values, vectors = np.linalg.eigh(covariance)
    turned = vectors * np.array([1, -1, 1, -1, -1, 1])
    monkeypatch.setattr(np.linalg, "eigh", lambda _: (values, turned))
    assert symmetric_root(covariance) == pytest.approx(root, abs=1e-12)
    assert not np.allclose(turned * np.sqrt(np.abs(values)), vectors * np.sqrt(np.abs(values)))
