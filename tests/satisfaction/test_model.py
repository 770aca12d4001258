"""Models as files: what ships is whole, what is wrong is named with its line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.file import available_models, load_model
from cvlib.words.message import in_language, message

MOBI = pd.read_csv(Path(__file__).parents[2] / "data" / "mobi.csv")
# constructs and paths of each model, from the table that sets the national models side by side
SIZES = {
    "scsb": (5, 6), "acsi": (6, 9), "ecsi": (6, 10), "ecsi_split": (7, 13),
    "ecsi_mobile": (7, 12), "ccsi": (6, 11), "ccsi_split": (8, 15), "general": (9, 17),
    "customer_study": (4, 4),
}  # fmt: skip


def test_every_shipped_model_is_here():
    assert set(available_models()) == set(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_shipped_models_are_complete(name):
    model = load_model(name)
    assert (len(model.constructs), len(model.paths)) == SIZES[name]
    assert model.name == name and model.source
    assert set(model.evidence) == {"constructs", "items", "paths"}
    assert all(grade.startswith("[") for grade in model.evidence.values())
    for construct in model.constructs:
        assert construct.labels["zh"] != construct.labels["en"]
    for item in model.item_list:
        assert item.labels["zh"] != item.labels["en"] != item.name
        assert item.wording != "unspecified"
        assert item.minimum < item.maximum
    assert set(model.paths["sign"]) <= {"+", "-", "±"}


@pytest.mark.parametrize("name", SIZES)
def test_arrays_agree_with_the_tables(name):
    model = load_model(name)
    names = model.construct_names
    for j, construct in enumerate(model.constructs):
        own = [model.items[i] for i in np.flatnonzero(model.membership[:, j])]
        assert own == [item.name for item in construct.items]
    pairs = {(names[a], names[b]) for a, b in zip(*np.nonzero(model.adjacency), strict=True)}
    assert pairs == set(zip(model.paths["source"], model.paths["target"], strict=True))
    place = {j: position for position, j in enumerate(model.order)}
    assert all(place[a] < place[b] for a, b in zip(*np.nonzero(model.adjacency), strict=True))


@pytest.mark.parametrize("name", sorted(set(SIZES) - {"customer_study"}))  # has its own base
def test_shipped_models_bind_to_mobi(name):
    bound = load_model(name).map(MOBI.columns, drop_unmapped=name == "general")
    assert set(bound.columns) <= set(MOBI.columns)
    assert bool(bound.dropped) == (name == "general")
    if name != "ecsi_mobile":
        assert "ECSI mobile questionnaire" in bound.adapted


def test_complaints_change_sign_with_what_is_asked():
    """Incidence: satisfaction lowers it. Handling: satisfaction goes with it."""
    published = load_model("acsi").paths.set_index(["source", "target"])["sign"]
    on_mobi = load_model("acsi").map(MOBI.columns).paths.set_index(["source", "target"])["sign"]
    assert published["satisfaction", "complaints"] == "-"
    assert on_mobi["satisfaction", "complaints"] == "+"
    asked = {i.name: i.wording for i in load_model("acsi").item_list}
    assert asked["COMP1"] == "incidence"
    assert {i.name: i.wording for i in load_model("ecsi_mobile").item_list}["CUSCO"] == "handling"


def test_unmapped_constructs_are_refused_or_dropped_with_their_paths():
    columns = [c for c in MOBI.columns if c != "CUSCO"]
    with pytest.raises(InputError, match="CUSCO"):
        load_model("ecsi_mobile").map(columns)
    mapped = load_model("ecsi_mobile").map(columns, drop_unmapped=True)
    assert "complaints" not in mapped.construct_names
    (told,) = mapped.dropped
    assert "satisfaction -> complaints" in told and "complaints -> loyalty" in told
    assert len(mapped.paths) == 10


def test_part_of_a_construct_may_be_dropped_when_asked():
    columns = [c for c in MOBI.columns if c != "PERQ3"]
    mapped = load_model("ecsi_mobile").map(columns, drop_unmapped=True)
    assert "PERQ3" not in mapped.items and len(mapped.constructs) == 7
    assert any("PERQ3" in told for told in mapped.dropped)


def test_mapping_names_columns_of_another_survey():
    data = MOBI.rename(columns=lambda c: f"q_{c}")
    mapping = {item: f"q_{item}" for item in load_model("ecsi_mobile").items}
    mapped = load_model("ecsi_mobile").map(data.columns, mapping)
    assert mapped.columns[0] == "q_IMAG1" and mapped.items[0] == "IMAG1"


@pytest.mark.parametrize("mapping, told", [
    ({"IMAG9": "IMAG1"}, "not an item"),
    ({"IMAG1": "IMG"}, "not in the survey"),
    ({"IMAG1": "IMAG2"}, "bound to two items"),
])  # fmt: skip
def test_wrong_mapping_is_named(mapping, told):
    with pytest.raises(InputError, match=told):
        load_model("ecsi_mobile").map(MOBI.columns, mapping)


def test_dropping_too_much_is_refused():
    with pytest.raises(InputError, match="no path reaches"):
        load_model("ecsi_mobile").map(["IMAG1", "CUSCO"], drop_unmapped=True)


def test_roles_of_the_market_environment():
    model = load_model("general")
    moderator = model.with_role("market", "moderator")
    assert [m.name for m in moderator.moderations] == ["satisfaction x market"]
    assert ("market", "satisfaction") not in {p[:2] for p in moderator.signed_paths}
    assert ("market", "loyalty") in {p[:2] for p in moderator.signed_paths}
    group = model.with_role("market", "group")
    assert group.group == "MARK1" and "market" not in group.construct_names
    assert model.with_role("market", "antecedent").signed_paths == model.signed_paths
    with pytest.raises(InputError, match="moderater"):
        model.with_role("market", "moderater")
    with pytest.raises(InputError, match="no role"):
        model.with_role("image", "group")
    assert moderator.label("satisfaction x market", "zh") == "顾客满意度 × 市场环境"


GOOD = """\
name: small
title: {en: Small, zh: 小}
source: here
scale: [1, 10]
constructs:
  a: {en: A, items: [a1, a2]}
  b: {en: B, items: [b1], mode: B}
  c: {en: C, items: {c1: {direction: -, scale: [0, 1]}}}
paths:
  a: {b: +}
  b: {c: ±}
"""


def read(tmp_path, text):
    path = tmp_path / "model.yaml"
    path.write_text(text, encoding="utf-8")
    return load_model(path)


def test_a_users_file_is_read(tmp_path):
    model = read(tmp_path, GOOD)
    assert model.items == ("a1", "a2", "b1", "c1")
    assert model.reversed_items.tolist() == [False, False, False, True]
    assert model.maximum.tolist() == [10, 10, 10, 1]
    assert model.paths["sign"].tolist() == ["+", "±"]
    assert model.modes == ("A", "unit", "unit")  # a single item is its construct


@pytest.mark.parametrize("old, new, line, told", [
    ("a: {b: +}", "a: {d: +}", 10, "unknown construct 'd'"),
    ("b: {c: ±}", "x: {c: ±}", 11, "unknown construct 'x'"),
    ("b: {c: ±}", "b: {a: +, c: +}", 9, "circle"),
    ("a: {b: +}", "a: {a: +, b: +}", 10, "points at itself"),
    ("items: [b1]", "items: []", 7, "without items"),
    ("items: [b1]", "items: [a1]", 7, "already belongs to a"),
    ("items: [a1, a2]", "items: [a1, a1]", 6, "listed twice"),
    ("scale: [1, 10]\n", "", 5, "no scale"),
    ("scale: [1, 10]", "scale: [10, 1]", 6, "is empty"),
    ("a: {b: +}", "a: {b: positive}", 10, "not a sign"),
    ("direction: -", "direction: down", 8, "not a direction"),
    ("mode: B", "mode: C", 7, "mode"),
    ("  b: {c: ±}\n", "", 8, "no path touches c"),
    ("  a: {en: A,", "  a: {en: A, en: B,", 6, "written twice"),
    ("source: here", "source: here\norigin: there", 4, "there is no such entry"),
    ("{en: A, items: [a1, a2]}", "{en: A, role: moderator, items: [a1]}", 6, "moderates nothing"),
])  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(tmp_path, old, new, line, told):
    assert old in GOOD
    with pytest.raises(InputError, match=told) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert caught.value.where.endswith(f"line {line}")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(InputError, match="ecsi_mobile"):
        load_model("ecsi_mobil")
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        load_model("nowhere.yaml")


def test_what_a_model_loses_is_said_in_both_languages() -> None:
    adapted = load_model("scsb").adapt("mobi")
    assert in_language(adapted.adapted, "en").startswith("Items of mobi: the SCSB paths")
    assert "题项取自 mobi：用 ECSI" in in_language(adapted.adapted, "zh")
    less = load_model("ccsi").without(["image"], message("satisfaction.on_purpose"))
    assert less.dropped[0].startswith("image is left out on purpose; paths left out: image -> ")
    assert in_language(less.dropped[0], "zh").startswith("image 有意剔除；去掉的路径：image -> ")
    assert all(in_language(note, "zh") != note for note in load_model("ccsi").notes)
