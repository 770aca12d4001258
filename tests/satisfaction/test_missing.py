"""What comes in: checks, missing answers, weights, strata and clusters."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.survey.missing import EMSample, prepare
from cvlib.satisfaction.survey.moments import Sample, effective_sample_size
from cvlib.satisfaction.survey.settings import Assessment, Design, Missing

MOBI = pd.read_csv(Path(__file__).parents[2] / "data" / "mobi.csv")
MODEL = load_model("ecsi_mobile")
ITEMS = list(MODEL.items)


def with_gaps(share=0.05, seed=1, columns=ITEMS):
    rng = np.random.default_rng(seed)
    data = MOBI.astype(float)
    data[columns] = data[columns].mask(rng.random((250, len(columns))) < share)
    return data


def ones(source):
    return np.ones((1, source.units), dtype=int)


def estimates(data, **settings):
    result = estimate_pls(data, "ecsi_mobile", assessment=Assessment(folds=0), **settings)
    return result.path_coefficients["estimate"].to_numpy()


def test_moments_equal_numpy_for_any_counts():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(250, np.full(250, 1 / 250), size=5)
    mean, covariance = Sample(MOBI[ITEMS].to_numpy(float)).moments(counts)
    for b in range(5):
        rows = np.repeat(MOBI[ITEMS].to_numpy(float), counts[b], axis=0)
        np.testing.assert_allclose(mean[b], rows.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(covariance[b], np.cov(rows.T), atol=1e-12)


def test_large_surveys_are_summed_in_blocks():
    rows = np.random.default_rng(0).integers(1, 11, (9000, 6)).astype(float)
    mean, covariance = Sample(rows).moments(np.ones((2, 9000), int))
    np.testing.assert_allclose(covariance[1], np.cov(rows.T), atol=1e-11)
    np.testing.assert_allclose(mean[0], rows.mean(axis=0), rtol=1e-13)


def test_listwise_equals_dropping_and_tells():
    data = with_gaps()
    result = estimate_pls(data, "ecsi_mobile")
    complete = data.dropna()
    np.testing.assert_allclose(
        result.path_coefficients["estimate"], estimates(complete), atol=1e-12
    )
    assert result.left_out["count"].sum() == len(data) - len(complete)
    assert result.left_out["share"].sum() == pytest.approx(1 - len(complete) / 250)
    assert (result.audit["missing"].to_numpy() == data[ITEMS].isna().sum().to_numpy()).all()


def test_mean_rule_equals_imputing_the_means():
    data = with_gaps()
    np.testing.assert_allclose(
        estimates(data, missing="mean"), estimates(data.fillna(data.mean())), atol=1e-10
    )


def test_mean_rule_imputes_anew_in_every_resample():
    rows = with_gaps()[ITEMS].to_numpy()
    counts = np.random.default_rng(0).multinomial(250, np.full(250, 1 / 250), size=3)
    mean, covariance = Sample(rows).moments(counts)
    for b in range(3):
        drawn = pd.DataFrame(np.repeat(rows, counts[b], axis=0))
        filled = drawn.fillna(drawn.mean())
        np.testing.assert_allclose(mean[b], filled.mean(), atol=1e-12)
        np.testing.assert_allclose(covariance[b], filled.cov(), atol=1e-12)


def test_person_mean_uses_the_construct_and_the_minimum_share():
    data = MOBI.astype(float)
    data.loc[0, "PERQ1"] = np.nan  # six of seven answered
    data.loc[1, ["IMAG1", "IMAG2", "IMAG3"]] = np.nan  # two of five
    data.loc[2, "CUSCO"] = np.nan  # none of one
    survey = prepare(data, MODEL, missing="person_mean")
    assert survey.left_out["count"].tolist() == [2]
    own = [ITEMS.index(f"PERQ{i}") for i in range(2, 8)]
    assert survey.values[0, ITEMS.index("PERQ1")] == pytest.approx(survey.values[0, own].mean())
    assert prepare(data, MODEL, missing=Missing("person_mean", minimum_share=0.4)).left_out[
        "count"
    ].tolist() == [1]


def test_em_equals_the_maximum_of_the_observed_likelihood():
    """The gradient of the observed-data normal log-likelihood vanishes at the EM moments."""
    from scipy import optimize, stats

    names = ["CUSA1", "CUSA2", "CUSA3"]
    rows = with_gaps(0.2)[names].dropna(how="all").to_numpy()
    mean, covariance = EMSample(rows).moments(np.ones((1, len(rows)), int))

    def negative(mu, sigma):
        total = 0.0
        for pattern in np.unique(np.isnan(rows), axis=0):
            own = (np.isnan(rows) == pattern).all(axis=1)
            seen = ~pattern
            total -= stats.multivariate_normal(mu[seen], sigma[np.ix_(seen, seen)]).logpdf(
                rows[own][:, seen]
            ).sum()  # fmt: skip
        return total

    lower = np.tril_indices(3)

    def objective(theta):
        root = np.zeros((3, 3))
        root[lower] = theta[3:]
        return negative(theta[:3], root @ root.T)

    start = np.concatenate([np.nanmean(rows, axis=0), np.diag(np.nanstd(rows, axis=0))[lower]])
    best = optimize.minimize(objective, start, method="BFGS", options={"gtol": 1e-8})
    root = np.zeros((3, 3))
    root[lower] = best.x[3:]
    np.testing.assert_allclose(mean[0], best.x[:3], atol=1e-5)
    np.testing.assert_allclose(covariance[0], root @ root.T, atol=1e-4)
    assert negative(mean[0], covariance[0]) <= best.fun + 1e-8


def test_em_without_gaps_is_the_sample_and_with_gaps_is_nearer_than_listwise():
    assert estimates(MOBI, missing="em") == pytest.approx(estimates(MOBI), abs=1e-12)
    full = estimates(MOBI)
    errors = {rule: [] for rule in ("listwise", "em")}
    for seed in range(3):
        data = with_gaps(0.2, seed, ["PERQ1", "PERQ5", "CUSA1", "CUSL3"])
        for rule, found in errors.items():
            found.append(((estimates(data, missing=rule) - full) ** 2).mean())
    assert np.mean(errors["em"]) < 0.5 * np.mean(errors["listwise"])


def test_em_refits_every_bootstrap_draw_from_its_own_answers():
    data = with_gaps(0.2, columns=["PERQ1", "CUSA1", "CUSL3"])
    survey = prepare(data, MODEL, missing="em")
    counts = np.random.default_rng(0).multinomial(250, np.full(250, 1 / 250), size=3)
    together = survey.source.moments(counts)
    for b in range(3):
        drawn = EMSample(np.repeat(survey.values, counts[b], axis=0))
        alone = drawn.moments(ones(drawn))
        scale = np.diagonal(alone[1][0]).max() * 250 / 249
        np.testing.assert_allclose(together[1][b], alone[1][0], atol=1e-7 * scale)
    result = estimate_pls(
        data, "ecsi_mobile", draws=5, assessment=Assessment(folds=0), missing="em"
    )
    assert (result.path_coefficients["std_error"] > 0).all()


def test_completed_answers_under_em_are_conditional_means():
    data = with_gaps(0.05)
    survey = prepare(data, MODEL, missing="em")
    mean, covariance = (m[0] for m in survey.source.moments(ones(survey.source)))
    filled = survey.completed(mean, covariance)
    row = int(np.flatnonzero(np.isnan(survey.values).sum(axis=1) == 1)[0])
    gap = np.isnan(survey.values[row])
    slope = np.linalg.solve(covariance[np.ix_(~gap, ~gap)], covariance[np.ix_(~gap, gap)])
    expected = mean[gap] + (survey.values[row, ~gap] - mean[~gap]) @ slope
    np.testing.assert_allclose(filled[row, gap], expected, atol=1e-8)
    assert not np.isnan(filled).any()


@pytest.mark.parametrize("rule", ["listwise", "em"])
def test_whole_weights_equal_repeated_rows(rule):
    data = (
        with_gaps(0.2, columns=["CUSA1", "CUSL3"]) if rule == "em" else MOBI.astype(float)
    ).reset_index(drop=True)
    times = np.random.default_rng(0).integers(1, 4, 250)
    repeated = data.loc[np.repeat(data.index, times)].reset_index(drop=True)
    np.testing.assert_allclose(
        estimates(data.assign(w=times), design=Design(weights="w"), missing=rule),
        estimates(repeated, missing=rule), atol=1e-7,
    )  # fmt: skip
    np.testing.assert_allclose(
        estimates(data, design=Design(weights=pd.Series(times * 0.01)), missing=rule),
        estimates(repeated, missing=rule), atol=1e-7,
    )  # fmt: skip


def test_effective_sample_size_of_kish():
    assert effective_sample_size(np.ones(40)) == 40
    assert effective_sample_size(np.array([1, 1, 2.0])) == pytest.approx(16 / 6)
    result = estimate_pls(MOBI.assign(w=[1, 3] * 125), "ecsi_mobile", design=Design(weights="w"))
    assert result.settings["effective_sample_size"] == pytest.approx((4 * 125) ** 2 / (10 * 125))


def test_zero_weights_leave_respondents_out():
    result = estimate_pls(
        MOBI.assign(w=[0] * 50 + [2] * 200), "ecsi_mobile", design=Design(weights="w")
    )
    assert result.left_out.to_dict("records") == [
        {"reason": "survey weight of zero", "count": 50, "share": 0.2}
    ]
    np.testing.assert_allclose(result.path_coefficients["estimate"], estimates(MOBI[50:]))


def test_clusters_are_the_units_and_strata_keep_their_size():
    data = MOBI.assign(town=np.arange(250) // 5, region=np.arange(250) // 125)
    survey = prepare(data, MODEL, design=Design(strata="region", clusters="town"))
    assert survey.source.units == 50
    assert survey.strata.tolist() == [0] * 25 + [1] * 25
    covariance = survey.source.moments(ones(survey.source))[1]
    np.testing.assert_allclose(covariance[0], np.cov(MOBI[ITEMS].to_numpy().T), atol=1e-11)
    again = prepare(data.assign(town=data["region"]), MODEL, design=Design(clusters="town")).source
    assert again.units == 2
    with pytest.raises(InputError, match="two strata"):
        prepare(
            data.assign(region=np.arange(250) % 2),
            MODEL,
            design=Design(strata="region", clusters="town"),
        )


def test_reversed_items_are_turned_round_at_the_door():
    flipped = replace(MODEL, constructs=tuple(
        replace(c, items=tuple(replace(i, direction="-") for i in c.items))
        if c.name == "value" else c for c in MODEL.constructs
    ))  # fmt: skip
    data = MOBI.assign(PERV1=11 - MOBI["PERV1"], PERV2=11 - MOBI["PERV2"])
    result = estimate_pls(data, flipped)
    np.testing.assert_allclose(result.path_coefficients["estimate"], estimates(MOBI), atol=1e-12)
    index = result.index.set_index("construct")["index"]
    assert index["value"] == pytest.approx(62.3467572602, abs=1e-8)


def test_dont_know_codes_become_missing_and_are_counted():
    coded = replace(MODEL, constructs=tuple(
        replace(c, items=tuple(replace(i, missing_codes=(98.0, 99.0)) for i in c.items))
        for c in MODEL.constructs
    ))  # fmt: skip
    data = MOBI.copy()
    data.loc[[3, 4], "CUSA1"] = [98, 99]
    result = estimate_pls(data, coded)
    assert result.left_out["count"].tolist() == [2]
    audit = result.audit.set_index("item")
    assert audit.loc["CUSA1", "coded"] == 2 and audit["coded"].sum() == 2


def bad(change):
    data = MOBI.astype(object)
    change(data)
    return data


def put(data, row, column, value):
    data.loc[row, column] = value


@pytest.mark.parametrize("data, settings, told", [
    (bad(lambda d: put(d, 7, "CUSA1", "good")), {},
     "column CUSA1, data row 8: 'good' is an answer in words"),
    (bad(lambda d: put(d, 7, "CUSA1", 11)), {},
     "column CUSA1, data row 8: 11 is outside the scale 1 to 10"),
    (bad(lambda d: put(d, slice(None), "CUSA1", 5)), {}, "CUSA1: all answers are 5"),
    (bad(lambda d: put(d, slice(None), ["PERV1", "PERV2"], np.nan)), {"missing": "em"},
     "column PERV1: is empty"),
    (bad(lambda d: put(d, slice(None), "PERV1", np.nan)), {}, "column PERV1: is empty"),
    (MOBI[:3], {}, "3 usable respondents"),
    (MOBI[:0], {}, "has no rows"),
    (MOBI.drop(columns="PERQ2"), {}, "PERQ2"),
    (MOBI.assign(w=-1), {"design": Design(weights="w")}, "is negative"),
    (MOBI.assign(w=0), {"design": Design(weights="w")}, "sum to zero"),
    (MOBI.assign(w=np.nan), {"design": Design(weights="w")},
     "weights, table in memory, column w, data row 1"),
    (MOBI, {"design": Design(weights="w")}, "column 'w' is not in the survey"),
    (MOBI, {"design": Design(strata="region")}, "column 'region'"),
    (MOBI.assign(r=[None] + [1] * 249), {"design": Design(clusters="r")},
     "clusters, table in memory, column r, data row 1"),
])  # fmt: skip
def test_bad_surveys_are_told_in_one_sentence(data, settings, told):
    with pytest.raises(InputError, match=told):
        estimate_pls(data, "ecsi_mobile", **settings)


def test_few_rows_and_identical_items_are_told():
    result = estimate_pls(MOBI[:20], "ecsi_mobile", draws=30)
    assert any("Fewer respondents (20) than items (24)" in w for w in result.warnings)
    result = estimate_pls(MOBI.assign(PERQ2=MOBI["PERQ1"]), "ecsi_mobile")
    assert any("PERQ1 and PERQ2 have identical answers" in w for w in result.warnings)
    assert result.path_coefficients["estimate"].notna().all()
    formative = replace(MODEL, constructs=tuple(replace(c, mode="B") for c in MODEL.constructs))
    with pytest.raises(InputError, match="mode B has no solution"):
        estimate_pls(MOBI.assign(PERQ2=MOBI["PERQ1"]), formative)
