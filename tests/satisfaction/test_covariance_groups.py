"""Measurement invariance against lavaan, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.invariance import estimate_invariance, fit_invariance

from .cbsem import HOLZINGER, MEASURES, MOBI, compare, compare_fit, holzinger, reference

LEVELS = ("configural", "metric", "scalar", "strict")


@pytest.fixture(scope="module")
def by_school():
    return fit_invariance(HOLZINGER, holzinger(), "school")


def test_four_levels_equal_lavaan(by_school):
    """lavaan's group files are unpolished: parameters to about 1e-5 of their standard errors."""
    printed = (115.8513, 124.0435, 164.1028, 181.5113)
    np.testing.assert_allclose(by_school.levels["chi2"], printed, atol=5e-5)
    for level in LEVELS:
        fit = by_school.fits[level]
        wanted = reference(f"holzinger_group_{level}_fit")
        measures = {a: b for a, b in MEASURES.items() if a not in ("gfi", "agfi")}
        assert compare_fit(fit.fit, wanted, measures, 1e-5) >= 18
        table = reference(f"holzinger_group_{level}_parameters")
        names = {1: "Pasteur", 2: "Grant-White"}
        table["group"] = table["group"].map(names)
        compare(fit.parameters, table, {"estimate": "est", "std_error": "se"}, 1e-4)


def test_likelihood_ratio_table_equals_lavaan(by_school):
    wanted = reference("holzinger_group_lrt").iloc[1:]
    found = by_school.comparisons
    assert list(found["level"]) == list(LEVELS[1:])
    np.testing.assert_allclose(found["chi2_difference"], wanted["Chisq.diff"], rtol=1e-6)
    np.testing.assert_allclose(found["df_difference"], wanted["Df.diff"])
    np.testing.assert_allclose(found["p"], wanted["Pr..Chisq."], rtol=1e-5)
    np.testing.assert_allclose(found["cfi_difference"], np.diff(by_school.levels["cfi"]))


def test_latent_means_against_the_first_group(by_school):
    table = reference("holzinger_group_scalar_parameters")
    wanted = table.query("op == '~1' and group == 2 and lhs in ['visual', 'textual', 'speed']")
    np.testing.assert_allclose(by_school.latent_means["estimate"], wanted["est"], atol=2e-5)
    np.testing.assert_allclose(by_school.latent_means["std_error"], wanted["se"], rtol=1e-4)
    assert set(by_school.latent_means["group"]) == {"Grant-White"}


def test_scaled_difference_is_satorra_bentler_2001():
    found = fit_invariance(HOLZINGER, holzinger(), "school", standard_errors="mlr")
    rows = found.levels.set_index("level")
    a, b = rows.loc["configural"], rows.loc["metric"]
    factor = (b["df"] * b["scaling_factor"] - a["df"] * a["scaling_factor"]) / (b["df"] - a["df"])
    row = found.comparisons.set_index("level").loc["metric"]
    assert row["chi2_difference"] == pytest.approx((b["chi2"] - a["chi2"]) / factor)
    assert row["p"] == pytest.approx(stats.chi2.sf(row["chi2_difference"], 6))


def test_structural_model_with_means_in_groups():
    """Two halves of one sample: the sum of single-group fits, then constraints with paths."""
    data = MOBI.assign(half=np.where(np.arange(250) % 2, "odd", "even"))
    found = estimate_invariance(data, "acsi", "half")
    from cvlib.satisfaction.sem.estimate import estimate_covariance

    alone = [estimate_covariance(part, "acsi") for _, part in data.groupby("half")]
    chi2 = sum(dict(one.fit.to_numpy())["chi2"] for one in alone)
    assert found.levels["chi2"][0] == pytest.approx(chi2, rel=1e-9)
    assert found.levels["df"].tolist() == [288, 301, 314, 332]
    assert (np.diff(found.levels["chi2"]) > 0).all()
    scalar = found.fits["scalar"]
    gradient = scalar.optimisation["max_abs_gradient"]
    assert gradient[scalar.optimisation["reached_lowest"]].max() < 1e-6
    intercepts = scalar.parameters.query("op == '~1' and lhs == 'CUSA1'")["estimate"]
    assert intercepts.nunique() == 1
    assert len(found.latent_means) == 6
    assert found.group_sizes["n"].tolist() == [125, 125]


def test_a_shift_in_one_item_is_found():
    """Answers of one group raised by one point on one item: scalar invariance must fail."""
    rng = np.random.default_rng(5)
    factor = rng.normal(size=(800, 1))
    items = 5 + factor * [1.0, 0.9, 0.8, 1.1] + rng.normal(0, 0.7, (800, 4))
    data = pd.DataFrame(items, columns=list("abcd")).assign(g=np.repeat(["one", "two"], 400))
    data.loc[data["g"] == "two", "c"] += 1.0
    found = fit_invariance("f =~ a + b + c + d", data, "g", levels=("metric", "scalar"))
    assert found.fits["metric"].measure("p") > 0.01
    assert found.comparisons["p"][0] < 1e-10


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 250, "only one value"),
        (["a"] * 247 + ["b"] * 3, "group b: 3 complete respondents for 19 items"),
        ([None] + ["a"] * 100 + ["b"] * 149, "data row 1: is missing"),
    ],
)
def test_groups_that_cannot_be_compared(labels, message):
    with pytest.raises(InputError, match=message):
        estimate_invariance(MOBI.assign(g=labels), "acsi", "g")


def test_unknown_group_column_and_level():
    with pytest.raises(InputError, match="is not in the data"):
        estimate_invariance(MOBI, "acsi", "brand")
    with pytest.raises(InputError, match="Did you mean 'metric'"):
        fit_invariance(HOLZINGER, holzinger(), "school", levels=("metrik",))
