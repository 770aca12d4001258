"""PLSpredict against a loop over folds and respondents, CVPAT by hand, and what they detect."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.prediction import compare_predictions, predict
from cvlib.satisfaction.survey.missing import prepare
from cvlib.satisfaction.survey.settings import Design

from .rows import naive_pls

ROOT = Path(__file__).parents[2]
MOBI = pd.read_csv(ROOT / "data" / "mobi.csv")
MODEL = load_model("ecsi_mobile")
SURVEY = prepare(MOBI, MODEL)
ANSWERS = SURVEY.values


def dealt(rows: int, folds: int, repetitions: int, seed: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.permutation(np.arange(rows) * folds // rows) for _ in range(repetitions)]


def by_loops(technique: str, folds: int, repetitions: int, seed: int):
    """Predicted items by PLS and by least squares, one respondent at a time."""
    blocks = [np.flatnonzero(MODEL.block == j) for j in range(7)]
    exogenous = ~MODEL.adjacency.any(axis=0)
    predicted = np.zeros((2, *ANSWERS.shape))
    for fold_of in dealt(len(ANSWERS), folds, repetitions, seed):
        for fold in range(folds):
            train = ANSWERS[fold_of != fold]
            mean, deviation = train.mean(axis=0), train.std(axis=0, ddof=1)
            _, weights, loadings, paths, _ = naive_pls(
                train, blocks, MODEL.adjacency, ["A"] * 7, tolerance=1e-12
            )
            shrink = np.sqrt((len(train) - 1) / len(train))
            for row in np.flatnonzero(fold_of == fold):
                z = (ANSWERS[row] - mean) / deviation
                score = np.array([z[b] @ weights[b] for b in blocks]) / shrink * shrink
                made = np.where(exogenous, score, 0.0)
                for j in MODEL.order:
                    if not exogenous[j]:
                        known = score if technique == "direct" else made
                        made[j] = known @ paths[:, j]
                for i, j in enumerate(MODEL.block):
                    predicted[0, row, i] += mean[i] + deviation[i] * loadings[i] * made[j]
            for j in np.flatnonzero(~exogenous):
                causes = MODEL.adjacency[:, j] if technique == "direct" else exogenous
                x = np.flatnonzero(causes[MODEL.block])
                design = np.column_stack([np.ones(len(train)), train[:, x]])
                slopes = np.linalg.lstsq(design, train[:, blocks[j]])[0]
                held = ANSWERS[fold_of == fold][:, x]
                predicted[1][np.ix_(fold_of == fold, blocks[j])] += (
                    np.column_stack([np.ones(len(held)), held]) @ slopes
                )
    return predicted / repetitions


@pytest.mark.parametrize("technique", ["direct", "earliest"])
def test_predictions_equal_a_loop_over_folds_and_respondents(technique: str) -> None:
    found = predict(MODEL, SURVEY, technique=technique, folds=5, repetitions=2, seed=7)
    pls, linear = by_loops(technique, 5, 2, 7)
    for row in found.items.itertuples():
        i = MODEL.items.index(row.item)
        error = ANSWERS[:, i] - pls[:, i]
        assert row.rmse == pytest.approx(np.sqrt((error**2).mean()), rel=1e-7)
        assert row.mae == pytest.approx(np.abs(error).mean(), rel=1e-7)
        rest = ANSWERS[:, i] - linear[:, i]
        assert row.rmse_linear_model == pytest.approx(np.sqrt((rest**2).mean()), rel=1e-8)
        ratio = (row.rmse / row.rmse_indicator_average) ** 2
        assert row.q2_predict == pytest.approx(1 - ratio, rel=1e-9)


def test_cvpat_is_a_paired_t_test_of_losses() -> None:
    found = predict(MODEL, SURVEY, folds=10, repetitions=1, seed=1)
    (fold_of,) = dealt(len(ANSWERS), 10, 1, 1)
    average = np.array([ANSWERS[fold_of != fold].mean(axis=0) for fold in range(10)])[fold_of]
    for name in ("satisfaction", "overall"):
        items = [
            item for item in found.losses
            if name == "overall"
            or MODEL.block[MODEL.items.index(item)] == MODEL.construct_names.index(name)
        ]  # fmt: skip
        own = found.losses[items].mean(axis=1)
        columns = [MODEL.items.index(item) for item in items]
        other = ((ANSWERS - average)[:, columns] ** 2).mean(axis=1)
        test = stats.ttest_rel(own, other)
        row = found.cvpat.query("construct == @name and benchmark == 'indicator_average'").iloc[0]
        assert row["t"] == pytest.approx(test.statistic, rel=1e-9)
        assert row["p"] == pytest.approx(test.pvalue, rel=1e-9)
        interval = test.confidence_interval(0.95)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high))


def test_the_better_of_two_models_is_named_by_the_sign() -> None:
    poorer = replace(
        MODEL,
        signed_paths=tuple(
            p for p in MODEL.signed_paths if p[1] != "satisfaction" or p[0] == "expectation"
        ),
    )
    full = predict(MODEL, SURVEY, folds=10, repetitions=3, seed=5)
    less = predict(poorer, SURVEY, folds=10, repetitions=3, seed=5)
    row = compare_predictions(full, less).iloc[0]
    assert row["difference"] < 0 and row["p"] < 0.01
    swapped = compare_predictions(less, full).iloc[0]
    assert swapped["t"] == pytest.approx(-row["t"])
    assert swapped["loss_1"] == row["loss_2"]


def test_noise_is_not_predicted() -> None:
    shuffled = MOBI.copy()
    generator = np.random.default_rng(8)
    for construct in MODEL.constructs:
        order = generator.permutation(len(shuffled))
        for item in construct.items:
            shuffled[item.column] = shuffled[item.column].to_numpy()[order]
    found = predict(MODEL, prepare(shuffled, MODEL), folds=10, repetitions=2, seed=1)
    assert found.constructs["q2_predict"].max() < 0.02
    assert found.items["q2_predict"].max() < 0.03


def test_weights_and_clusters_reach_the_folds() -> None:
    data = MOBI.assign(weight=np.tile([0.5, 1.5], 125), branch=np.repeat(np.arange(50), 5))
    grouped = prepare(data, MODEL, design=Design(weights="weight", clusters="branch"))
    found = predict(MODEL, grouped, folds=10, repetitions=1, seed=2)
    assert found.mass.mean() == pytest.approx(1.0)
    assert found.items["rmse"].notna().all()
    plain = predict(MODEL, SURVEY, folds=10, repetitions=1, seed=2)
    assert not np.allclose(found.items["rmse"], plain.items["rmse"])


def test_same_seed_same_numbers_and_bad_settings_are_refused() -> None:
    first = predict(MODEL, SURVEY, folds=4, repetitions=1, seed=3)
    second = predict(MODEL, SURVEY, folds=4, repetitions=1, seed=3)
    pd.testing.assert_frame_equal(first.losses, second.losses)
    with pytest.raises(InputError, match="folds"):
        predict(MODEL, SURVEY, folds=1, seed=3)
    with pytest.raises(InputError, match="direct, earliest"):
        predict(MODEL, SURVEY, technique="late", seed=3)
    fewer = predict(MODEL, prepare(MOBI.iloc[:200], MODEL), folds=4, repetitions=1, seed=3)
    with pytest.raises(InputError, match="respondents"):
        compare_predictions(first, fewer)
