"""What cannot be computed is left out with its reason; the rest is estimated."""

from dataclasses import replace

import numpy as np
import pytest

import cvlib
from cvlib.inputs.audit import straight_liners, survey_cautions
from cvlib.inputs.errors import InputError
from cvlib.satisfaction import sentences
from cvlib.satisfaction.compare import sentences as verdicts
from cvlib.satisfaction.compare.league import compare_groups
from cvlib.satisfaction.compare.market_environment import compare_roles
from cvlib.satisfaction.compare.models import compare_models
from cvlib.satisfaction.design.simulate import population, simulate_survey
from cvlib.satisfaction.estimators import estimate
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.model.model import Construct, Item, Model
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.survey.em import EMSample
from cvlib.satisfaction.survey.settings import Assessment, Columns
from cvlib.statistics.resample import enough
from cvlib.words.message import in_language

MOBI = cvlib.load_table("mobi").data


def construct(name: str, items: str, scale: tuple[float, float] = (1, 10)) -> Construct:
    asked = tuple(Item(i, i, {"en": i, "zh": i}, "unspecified", *scale, "+") for i in items.split())
    return Construct(name, {"en": name.title(), "zh": name}, "A", asked)


def built(paths: dict[str, str], *constructs: Construct) -> Model:
    signed = tuple((a, b, "+") for a, to in paths.items() for b in to.split())
    return Model("built", {"en": "b", "zh": "b"}, "made up", constructs, signed)


IMAGE = construct("image", "IMAG1 IMAG2 IMAG3")
PLEASED = construct("satisfaction", "CUSA1 CUSA2 CUSA3")
STAYS = construct("loyalty", "CUSL1 CUSL2 CUSL3")
CHAIN = built({"image": "satisfaction", "satisfaction": "loyalty"}, IMAGE, PLEASED, STAYS)


def test_one_complainer_costs_the_prediction_only() -> None:
    data = MOBI.assign(complained=0)
    data.loc[17, "complained"] = 1
    model = built({"image": "satisfaction", "satisfaction": "complaints"}, IMAGE, PLEASED,
                  construct("complaints", "complained", (0, 1)))  # fmt: skip
    found = estimate_pls(data, model)
    assert found.path_coefficients["estimate"].notna().all() and "cvpat" not in found.extra
    said = next(text for text in found.warnings if "PLSpredict" in text)
    assert "complained" in said and "略去" in in_language(said, "zh")
    assert "q2_predict" not in found.r_squared


def test_moments_that_do_not_settle_in_a_training_set_cost_the_prediction_only(monkeypatch) -> None:
    holes = MOBI.astype(float)
    holes.iloc[::7, 3] = np.nan
    moments = EMSample.moments

    def unsettled(self, counts):
        mean, covariance = moments(self, counts)
        if len(counts) > 50:
            covariance[3] = np.nan
        return mean, covariance

    monkeypatch.setattr(EMSample, "moments", unsettled)
    found = estimate_pls(holes, CHAIN, missing="em")
    assert any("did not settle in 1 training set" in text for text in found.warnings)
    assert found.index["index"].notna().all()


def test_a_test_of_exact_fit_without_draws_is_left_out_with_its_reason() -> None:
    found = estimate_pls(MOBI[:30], "ecsi_mobile", draws=120,
                         assessment=Assessment(folds=0, exact_fit_draws=120))  # fmt: skip
    assert found.path_coefficients["estimate"].notna().all()
    said = [text for text in found.warnings if getattr(text, "id", "").startswith(
        "satisfaction.exact_fit")]  # fmt: skip
    assert said and "p" not in found.extra["exact_fit"]


@pytest.mark.parametrize(
    ("usable", "requested", "allowed"),
    [(500, 500, True), (250, 500, True), (249, 500, False), (99, 150, False), (100, 150, True),
     (99, 100, False), (60, 60, True), (29, 60, False), (0, 0, False), (1, 2, False)],
)  # fmt: skip
def test_how_many_draws_are_enough(usable: int, requested: int, allowed: bool) -> None:
    assert enough(usable, requested) is allowed


def test_a_target_without_causes_has_no_map() -> None:
    model = built({"satisfaction": "loyalty"}, PLEASED, STAYS)
    found = estimate(MOBI, model, draws=0).main
    assert found.importance_performance.empty
    assert [said.id for said in sentences.driver_sentences(found)] == ["satisfaction.no_drivers"]
    assert sentences.headline(found)[0] == pytest.approx(72.5, abs=1)
    with pytest.raises(InputError, match="target: no path leads to 'satisfaction'"):
        estimate(MOBI, model, draws=0, target="satisfaction")


def test_a_group_without_an_estimate_is_left_out_and_named() -> None:
    data = MOBI.assign(brand=np.repeat(["A", "B", "C"], [90, 80, 80]))
    data.loc[data["brand"] == "C", "CUSA2"] = 8
    league = compare_groups(data, CHAIN, "brand", draws=0, permutations=0)
    assert league.groups.names == ["A", "B"]
    assert any("C: all answers to CUSA2 are the same" in text for text in league.warnings)
    turned = data.assign(CUSA2=11 - data["CUSA2"])
    turned = turned[turned["brand"] != "C"]
    name, said = verdicts.league_headline(
        compare_groups(turned, CHAIN, "brand", draws=0, permutations=0)
    )
    assert name is None and "CUSA2" in said
    assert verdicts.league_headline(league)[0] in ("A", "B")


def test_models_of_other_constructs_are_compared_on_their_own_target() -> None:
    trust, joy = replace(IMAGE, name="trust"), replace(PLEASED, name="joy")
    one = replace(built({"trust": "joy"}, trust, joy), name="one")
    other = replace(built({"trust": "joy", "worth": "joy"}, trust, joy,
                          construct("worth", "PERV1 PERV2")), name="other")  # fmt: skip
    found = compare_models(MOBI, [one, other], draws=0, assessment=Assessment(3, 2))
    assert found.outcomes == ("joy",)
    assert "Satisfaction" in verdicts.prediction_verdict(found)
    assert verdicts.fit_verdict(found).id == "satisfaction.fit_untested"


def test_a_model_that_cannot_be_predicted_is_out_of_the_race() -> None:
    data = MOBI.assign(rare=(np.arange(len(MOBI)) == 5).astype(int))
    odd = replace(built({"image": "satisfaction", "event": "satisfaction"}, IMAGE, PLEASED,
                        construct("event", "rare", (0, 1))), name="odd")  # fmt: skip
    plain = replace(built({"image": "satisfaction"}, IMAGE, PLEASED), name="plain")
    found = compare_models(data, [plain, odd], draws=0, assessment=Assessment(5, 1))
    assert found.cvpat.empty
    assert "odd" in verdicts.prediction_verdict(found)


SCALES = dict.fromkeys(MOBI.columns, (1.0, 10.0))
BLOCKS = {column: column[:4] for column in MOBI}


def test_a_scale_whose_end_is_never_used_is_named() -> None:
    assert survey_cautions(MOBI, SCALES, BLOCKS) == []
    five = np.ceil(MOBI / 2)
    (said,) = survey_cautions(five, SCALES, BLOCKS)
    assert "above 5 on the scale of 1 to 10" in said and "[1, 5]" in said
    assert survey_cautions(five, dict.fromkeys(five, (1.0, 5.0)), BLOCKS) == []
    (low,) = survey_cautions(five + 5, SCALES, BLOCKS)
    assert low.id == "inputs.scale_bottom_unused"
    part = MOBI.assign(IMAG1=five["IMAG1"], IMAG2=five["IMAG2"], IMAG3=five["IMAG3"],
                       IMAG4=five["IMAG4"], IMAG5=five["IMAG5"])  # fmt: skip
    (one,) = survey_cautions(part, SCALES, BLOCKS)
    assert "IMAG" in one and "CUSA" not in one
    assert survey_cautions(five[:1], SCALES, BLOCKS) == []


def test_straight_lines_are_counted_and_named_where_many() -> None:
    assert straight_liners(MOBI, SCALES) == (1, 250)
    alike = MOBI.copy()
    alike.iloc[:40] = 7
    assert straight_liners(alike, SCALES)[0] >= 40
    said = survey_cautions(alike, SCALES, BLOCKS)
    assert [text.id for text in said] == ["inputs.straight_liners"]
    assert straight_liners(MOBI[["CUSA1", "CUSA2"]], SCALES) == (0, 0)


def test_the_survey_s_scale_sets_every_item_that_has_none_of_its_own() -> None:
    model = load_model("acsi").with_scale([1, 5])
    own = {item.name: (item.minimum, item.maximum) for item in model.item_list}
    assert own["COMP1"] == (0, 1) and own["SATI1"] == (1, 5)
    adapted = model.map(MOBI.columns)
    assert {(i.minimum, i.maximum) for i in adapted.item_list} == {(1, 5)}
    five = np.ceil(MOBI / 2)
    found = estimate(five, "ecsi_mobile", columns=Columns(scale=[1, 5]), draws=0).main
    assert sentences.index_of(found) == pytest.approx(74, abs=2)
    for wrong in ([5, 1], [1], [1, 2, 3], ["a", "b"], [1, float("inf")]):
        with pytest.raises(InputError, match="scale"):
            load_model("acsi", wrong)


def test_the_antecedent_of_a_model_declared_with_a_moderator_is_the_antecedent(tmp_path) -> None:
    lines = [
        "name: m", "title: {en: m}", "source: own", "scale: [1, 10]", "constructs:",
        "  image: {en: Image, items: [IMAG1, IMAG2]}",
        "  satisfaction: {en: Satisfaction, items: [CUSA1, CUSA2, CUSA3]}",
        "  loyalty: {en: Loyalty, items: [CUSL1, CUSL2]}",
        "  market: {en: Market, items: [PERV1, PERV2], role: ROLE,",
        "    moderates: {satisfaction: {loyalty: ±}}}",
        "paths:", "  image: {satisfaction: +}", "  satisfaction: {loyalty: +}",
        "  market: {satisfaction: +, loyalty: +}",
    ]  # fmt: skip
    models = {}
    for role in ("antecedent", "moderator"):
        file = tmp_path / f"{role}.yaml"
        file.write_text("\n".join(lines).replace("ROLE", role), encoding="utf-8")
        models[role] = load_model(file)
    assert ("market", "satisfaction", "+") not in models["moderator"].signed_paths
    for role in ("antecedent", "moderator"):
        one, other = (model.with_role("market", role) for model in models.values())
        assert set(one.signed_paths) == set(other.signed_paths)
        assert one.moderations == other.moderations
    assert models["moderator"].with_role("market", "antecedent").moderations == ()


def test_a_construct_of_unknown_constructs_is_refused_by_name(tmp_path) -> None:
    file = tmp_path / "hoc.yaml"
    file.write_text(
        "name: h\ntitle: {en: h}\nsource: own\nscale: [1, 10]\nconstructs:\n"
        "  a: {en: a, items: [IMAG1, IMAG2]}\n  whole: {en: w, higher_order: [a, b]}\n"
        "  s: {en: s, items: [CUSA1]}\npaths:\n  whole: {s: +}\n"
    )
    with pytest.raises(InputError, match=r"hoc\.yaml, line 7: unknown construct 'b'"):
        load_model(file)


def test_a_second_program_that_cannot_run_is_left_out_with_its_reason() -> None:
    survey = cvlib.load_table("mobi")
    model = CHAIN.map(survey.data.columns)
    programs, said = sentences.second_program(model, survey)
    assert len(programs) == 3 and "semopy" in said
    few = replace(survey, data=survey.data.head(6))
    programs, said = sentences.second_program(model, few)
    assert programs.empty and said.id == "satisfaction.second_left_out"


def test_a_moderator_without_products_leaves_the_other_roles() -> None:
    data = simulate_survey(population("general"), 200, seed=3).astype(float)
    data.iloc[::20, data.columns.get_loc("SATI1")] = np.nan
    found = {rule: compare_roles(data, missing=rule, draws=0) for rule in ("em", "listwise")}
    assert set(found["em"].table["role"]) == {"antecedent", "group"}
    assert "moderator" in set(found["listwise"].table["role"])
    assert any("rule em leaves gaps" in text for text in found["em"].warnings)
    assert not any("leaves gaps" in text for text in found["listwise"].warnings)
