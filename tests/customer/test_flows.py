"""Sliders of a report: streams by month give the table's values, and what another margin would."""

import base64
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import cvlib as cv
from cvlib.customer.flows import POINTS, gained, groups
from cvlib.customer.links import mean, value_by_parts
from cvlib.study.render.what_if import what_if_content, without_streams
from cvlib.words.language import Words
from cvlib.words.what_if import Flows


@cache
def steps(model: str = "g2g"):  # type: ignore[no-untyped-def]
    made = cv.customer.simulate(1500, seed=5)
    attributes = made.attributes.assign(region=np.where(np.arange(1500) % 3, "north", "south"))
    base = cv.customer.join(
        replace(made.files, attributes=attributes), replace(made.plan, segment="region")
    )
    index = cv.customer.index(base)
    linked = cv.customer.link(base, index, model)
    gate, worth = cv.customer.time_order(base, index.scores), cv.customer.Worth(reward=50.0)
    value = cv.customer.point_value(base, index, gate, linked, worth, cv.customer.Bootstrap(20))
    return base, index, linked, value, worth


@pytest.mark.parametrize("model", ["g2g", "cloglog", "logit", "beta_logistic"])
def test_streams_give_what_the_tables_give(model: str) -> None:
    base, _, linked, value, worth = steps(model)
    flows = value.flows
    assert isinstance(flows, Flows) and flows.horizon == 60
    whole, spread = flows.groups[0].value(flows)
    row = value.row("total")
    assert whole == pytest.approx(row["per_customer"], rel=1e-9)
    assert flows.reach * spread == pytest.approx(row["upper"] - whole, rel=1e-4)
    own = value.value_by_segment.set_index("segment")
    for each in flows.groups[1:]:
        found, error = each.value(flows)
        assert found == pytest.approx(own.loc[each.name, "per_customer"], rel=1e-9)
        half = found - own.loc[each.name, "lower"]
        assert flows.reach * error == pytest.approx(half, rel=1e-4)
        assert each.customers == own.loc[each.name, "customers"]
    # another margin, rate, horizon, reward and rise, computed anew from the fits
    other = worth._replace(margin=0.31, annual_discount_rate=0.04, horizon=110, reward=9.0)
    moved = replace(flows, margin=0.31, annual_discount_rate=0.04, horizon=110, reward=9.0)
    for points in (1, 7, POINTS):
        anew = mean(np.sum(list(value_by_parts(linked.found, other, points).values()), axis=0),
                    linked.found.weights)  # fmt: skip
        assert moved.groups[0].value(moved, points)[0] == pytest.approx(anew, rel=1e-9)
    assert not gained(linked.found, {"": np.zeros(len(base.left), bool)}, 5).any()
    assert list(groups(base)) == ["", "north", "south"]


def test_a_page_holds_the_streams_and_the_results_file_only_their_values() -> None:
    base, index, _, value, _ = steps()
    supposed = cv.customer.what_if(base, index, value)
    assert supposed is not None and [lever.name for lever in supposed.levers] == [
        "quality", "image",
    ]  # fmt: skip
    content = what_if_content(supposed, Words("en"))
    first = content["flows"]["groups"][0]
    streams = np.frombuffer(base64.b64decode(first["gains"]), "<f8").reshape(POINTS, 3, 120)
    assert (streams == value.flows.groups[0].gains).all()
    packed = first["factors"][0]
    whole = np.frombuffer(base64.b64decode(packed["whole"]), "<i2").reshape(-1, 3, 120)
    factors = whole * np.array(packed["steps"])[:, None, None]
    assert np.abs(factors - value.flows.groups[0].factors[0]).max() <= max(packed["steps"])
    kept = without_streams(content)["flows"]["groups"][0]
    assert "gains" not in kept and kept["values"][0][0] == pytest.approx(value.total)
    # without a bootstrap there is a value and no interval
    bare = replace(value, flows=replace(value.flows, groups=tuple(
        replace(each, factors=None) for each in value.flows.groups)))  # fmt: skip
    none = what_if_content(cv.customer.what_if(base, index, bare), Words("zh"))
    assert none["flows"]["groups"][0]["values"][0][1] is None
    assert without_streams({"flows": None}) == {"flows": None}
