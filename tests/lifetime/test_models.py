"""The lines a researcher types: a model of one's customers that predicts, values and is judged."""

import pandas as pd
import pytest

import cvlib as cv
from cvlib.lifetime import models
from cvlib.lifetime.contracts import prepare
from cvlib.lifetime.repeat_buying.families import MODELS
from cvlib.statistics.resample import Bootstrap


@pytest.fixture(scope="module")
def model(summary):
    return models.bg_nbd(summary)


def test_a_model_predicts_values_and_is_judged(model, summary, fit, spend):
    expected = fit.predict(summary.customers, 39.0)
    pd.testing.assert_frame_equal(model.predict(39), expected)
    pd.testing.assert_frame_equal(model.predict(), expected)  # as long as the holdout
    value = model.value(annual_rate=0.10, margin=0.30)
    assert value.equity == pytest.approx(value.customers["lifetime_value"].sum())
    assert round(value.equity) == 89823 and "89,823" in value.say()
    judged = model.validate(["mbg_nbd"], Bootstrap(draws=0))
    assert judged.model == "bg_nbd" and judged.value("bg_nbd", "auc") == pytest.approx(
        0.757, abs=1e-3
    )
    assert {"mbg_nbd", "recency", "logit", "oracle"} <= set(judged.validation["model"])


def test_results_print_say_and_draw(model):
    assert "1,653 purchases in the next 39 weeks" in model.say()
    assert "BG/NBD" in model.summary("zh") and "<table" in model._repr_html_()
    assert "toprule" in model.to_latex("parameters")
    judged = model.validate(bootstrap=Bootstrap(draws=0))
    for name in judged.charts:
        assert len(getattr(judged.plot, name)().axes) == 1
    assert len(model.plot.tracking("zh").axes) == 2


def test_every_family_has_a_door_and_offers_what_the_protocol_says(summary):
    for name, family in MODELS.items():
        assert getattr(cv.lifetime, name) is getattr(models, name)
        for member in ("starts", "total", "p_alive", "expected_if_alive", "chance_if_alive",
                       "expected_from_start", "distribution"):  # fmt: skip
            assert callable(getattr(family, member)), (name, member)
    assert models.nbd(summary).fit.model == "nbd"


def test_contracts_take_a_name_a_path_a_table_and_a_frame_alike(tmp_path):
    frame = prepare.simulated_subscriptions(200, seed=4)
    path = tmp_path / "contracts.csv"
    frame.to_csv(path, index=False)
    found = [cv.lifetime.contracts(data) for data in (frame, str(path), cv.load(path))]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0].data, other.data, check_dtype=False)
    fits = cv.lifetime.survival(frame, ["kaplan_meier", "cox"])
    assert list(fits.curves) == ["kaplan_meier", "cox"] and "Cox" in fits.summary()
