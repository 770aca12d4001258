"""Every sentence of a first screen is said where results support it, and not where they do not."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib
from cvlib.customer.answers import customer_answer
from cvlib.customer.value import PointValue
from cvlib.lifetime.decisions.answers import decisions_answer
from cvlib.satisfaction.service.answers import service_answer
from cvlib.words.answer import Answer
from cvlib.words.message import Message, message, wordings

PACKAGE, TESTS = Path(cvlib.__file__).parent, Path(__file__).parent
# What stands on a first screen whatever the results: the question, and what was looked at.
ALWAYS = {
    "customer.asks", "customer.tile_customers", "customer.tile_answered", "customer.tile_index",
    "customer.tile_reliability", "decisions.asks", "service.asks", "satisfaction.asks_index",
    "satisfaction.asks_models", "satisfaction.asks_groups", "weighting.asks_weights",
    "weighting.asks_scores", "lifetime.asks_purchases", "lifetime.asks_economics",
    "lifetime.asks_contracts", "lifetime.tile_customers", "lifetime.tile_contracts",
    "lifetime.tile_left_of", "lifetime.tile_contract_value", "lifetime.tile_best_fifth",
    "lifetime.doubt_value_untested",
}  # fmt: skip


def told(said: Any) -> set[str]:
    """Ids of the sentences of an answer, and of those within them."""
    if isinstance(said, Answer):
        tiles = [(tile.label, tile.value, tile.interval) for tile in said.tiles]
        return told([said.question, *said.verdict, *tiles, *said.advice, *said.doubts])
    if isinstance(said, Message):
        return {said.id} | told(list(said.values.values()))
    return set().union(*map(told, said)) if isinstance(said, list | tuple) else set()


Change = tuple[dict[str, Any], str, str]  # what is changed; ids that come; ids that go


def checked(answer: Callable[..., Answer], given: dict[str, Any], changes: list[Change]) -> None:
    before = told(answer(**given))
    for change, come, go in changes:
        after = told(answer(**{**given, **change}))
        assert (after - before, before - after) == (set(come.split()), set(go.split())), change


# -- a customer study --

EMPTY = pd.DataFrame()


def point(total: float = 4.0, lower: float = 3.0, upper: float = 5.0, **parts: float) -> Any:
    parts = parts or {"retention": 2.0, "spend": 1.0, "service_cost": 0.5, "referral": 0.5}
    rows = {**parts, "total": total, "total, uncorrected": total / 2}
    table = pd.DataFrame({"part": list(rows), "per_customer": list(rows.values()), "base": 10.0})
    return table.assign(lower=lower, upper=upper)


def driver(**columns: Any) -> pd.DataFrame:
    row = {"driver": "quality", "money_per_point": 1.0, "lower": 0.5, "upper": 1.5}
    return pd.DataFrame([{**row, **columns}])


def facts(beyond: float) -> pd.DataFrame:
    return pd.DataFrame({"measure": ["share beyond the observed window"], "value": [beyond]})


VALUE = PointValue(
    point(), EMPTY, driver(), EMPTY, EMPTY, facts(0.1), None, customers=10, level=0.95
)
CUSTOMER: dict[str, Any] = {
    "base": SimpleNamespace(tables_read={"survey": SimpleNamespace(source="own.csv")},
                            ids=range(10), simulated=False, warnings=()),
    "index": SimpleNamespace(scores=np.array([70.0, 80.0]), weights=np.ones(2), reliability=0.9),
    "gate": SimpleNamespace(warnings=()),
    "linked": SimpleNamespace(effect=lambda: {"marginal_effect": 0.01},
                              found=SimpleNamespace(buying=None)),
    "value": VALUE,
    "e": {"e_value": 3.0, "e_value_limit": 2.0},
    "called": SimpleNamespace(sentences=list),
    "assumptions": pd.DataFrame({"assumption": ["margin halved"], "change": [-0.1]}),
}  # fmt: skip


def valued(**columns: Any) -> dict[str, Any]:
    return {"value": replace(VALUE, **columns)}


PARTS = (
    "customer.part_retention customer.part_spend customer.part_service_cost customer.part_referral"
)
WORTH = f"customer.worth customer.parts {PARTS} customer.uncorrected customer.driver"


def test_a_customer_study_says_what_its_results_support() -> None:
    simulated = SimpleNamespace(**{**vars(CUSTOMER["base"]), "simulated": True})
    few = SimpleNamespace(values=range(10))
    moved = pd.DataFrame({"assumption": ["margin halved"], "change": [-0.5]})
    horizon = moved.assign(assumption="horizon 12 months")
    buying = SimpleNamespace(buying=object())
    buys = SimpleNamespace(found=buying, effect=lambda: {"lower": -0.05, "upper": -0.01})
    alone = SimpleNamespace(found=buying, effect=lambda: {"lower": -0.05, "upper": 0.01})
    bought = pd.concat([facts(0.1), pd.DataFrame(
        {"measure": ["discounted purchases per point"], "value": [0.12]})])  # fmt: skip
    driven = pd.DataFrame({"assumption": ["leaving by the drivers' part of satisfaction"],
                           "value_per_point": [1.0], "change": [-0.5]})  # fmt: skip
    unlike = {"e_value": 3.0, "e_value_limit": 2.0, "by_drivers": -0.01, "by_rest": -0.05}
    reason = message("customer.simulated")
    checked(customer_answer, CUSTOMER, [
        (valued(value_of_a_point=point(lower=-1.0)), "customer.nothing customer.advice_nothing",
         f"{WORTH} customer.e_value"),
        (valued(value_of_a_point=point(lower=np.nan, upper=np.nan)), "customer.worth_plain",
         "customer.worth"),
        (valued(withheld=("dates", reason)),
         "customer.withheld customer.advice_dates customer.simulated",
         f"{WORTH} customer.e_value customer.tile_value customer.tile_effect"),
        (valued(value_of_a_point=point(purchases=3.0, dropout=1.0)),
         "customer.part_purchases customer.part_dropout", PARTS),
        (valued(drivers_to_money=driver(lower=np.nan)), "customer.driver_plain", "customer.driver"),
        (valued(drivers_to_money=driver(return_on_quality=0.4)), "customer.driver_pays",
         "customer.driver"),
        (valued(drivers_to_money=driver(return_on_quality=-0.4)), "customer.driver_costs",
         "customer.driver"),
        (valued(value_facts=facts(0.8)), "customer.beyond", ""),
        (valued(draws=few), "customer.few_draws", ""),
        ({"e": {"e_value": 3.0, "e_value_limit": 1.2}}, "customer.e_weak", "customer.e_value"),
        ({"linked": buys, "value": replace(VALUE, value_facts=bought)},
         "customer.tile_purchases customer.e_value_buying",
         "customer.tile_effect customer.e_value"),
        ({"linked": buys, "value": replace(VALUE, value_facts=bought),
          "e": {"e_value": 3.0, "e_value_limit": 1.2}},
         "customer.tile_purchases customer.e_weak_buying",
         "customer.tile_effect customer.e_value"),
        ({"linked": alone, "value": replace(VALUE, value_facts=bought)},
         "customer.tile_purchases customer.trait_alone customer.e_value_buying",
         "customer.tile_effect customer.e_value"),
        ({"assumptions": driven, "e": unlike | {"apart": -2.5}}, "customer.drivers_differ", ""),
        ({"assumptions": driven, "e": unlike | {"apart": -1.5}}, "", ""),
        ({"assumptions": moved}, "customer.moved", ""),
        ({"assumptions": horizon}, "", ""),
        ({"base": simulated}, "customer.simulated", ""),
    ])  # fmt: skip


# -- decisions, service and needs --


class Section:
    """A finding of a section: its tables, and what they say."""

    def __init__(self, sentence: Message, warnings: tuple[str, ...] = (), **tables: Any) -> None:
        self.sentence, self.warnings, self.found = sentence, warnings, True
        self.tables = {k: pd.DataFrame(v) for k, v in tables.items() if k != "facts"}
        self.facts = tables.get("facts", {})

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]


SAID = message("service.nothing")  # of a section: what it says is tested with the section


def potential(people: int) -> Section:
    numbers = {"customers": 3, "total": 9.0, "days": 30, "level": 0.95, "low": 1.0, "high": 20.0}
    parts = [message("decisions.potential", **numbers), message("decisions.potential_later", auc=1)]
    return Section(message("common.joined", parts=parts), facts=numbers,
                   potential_cells={"cell": ["low_high"], "customers": [people]})  # fmt: skip


def account(low: float) -> Section:
    row = {"customer": "a", "share_of_equity": 0.2, "share_low": low, "share_high": 0.4}
    return Section(SAID, key_account_sheet=[row])


def capacity(lost: float) -> Section:
    return Section(SAID, capacity_prices=[{"shadow_price": 2.0}],
                   capacity_rules={"rule": ["proportional"], "value_lost": [lost]})  # fmt: skip


def with_section(**found: Section | None) -> dict[str, Any]:
    return {"found": found}


def test_decisions_say_what_their_sections_support() -> None:
    network = Section(SAID, network_value=[{"customer": "a", "network_value": 3.0}])
    firm = Section(SAID, facts={"returns_residual": 5.0})
    nothing, none = "service.nothing", "decisions.advice_none"
    checked(decisions_answer, {"found": {}}, [
        (with_section(potential=potential(7)),
         "common.joined decisions.potential decisions.tile_potential decisions.advice_offer",
         f"{nothing} {none}"),
        (with_section(potential=potential(0)),
         "common.joined decisions.potential decisions.tile_potential", nothing),
        (with_section(accounts=account(0.1)), "decisions.tile_account decisions.advice_account",
         none),
        (with_section(accounts=account(0.01)), "decisions.tile_account", ""),
        (with_section(network=network), "decisions.tile_network", ""),
        (with_section(firm=firm), "decisions.tile_firm", ""),
        (with_section(capacity=capacity(3.0)), "decisions.tile_capacity decisions.advice_capacity",
         none),
        (with_section(capacity=capacity(0.0)), "decisions.tile_capacity", ""),
        ({"invented": True}, "service.doubt_simulated", ""),
    ])  # fmt: skip


LIMITS = {"ci_low": -1.0, "ci_high": -0.1}


def gaps(high: float) -> Section:
    rows = [{"dimension": "speed", "gap": -0.5, "weight": 0.3, **LIMITS, "ci_high": high}]
    return Section(SAID, service_overall=rows, service_dimensions=rows)


def needs(low: float) -> Section:
    return Section(SAID, need_opportunities=[
        {"need": "find it", "opportunity": 12.0, "ci_low": low, "ci_high": 14.0}])  # fmt: skip


def features(clear: bool) -> Section:
    return Section(SAID, kano_classes=[
        {"feature": "lamp", "kano_class": "must_be", "clear": clear}])  # fmt: skip


def test_service_says_what_its_sections_support() -> None:
    value = Section(SAID, delivered_value=[{"brand": "a", "difference": 1.0, **LIMITS}])
    image = Section(SAID, brand_distances=[{"a": "x", "b": "y", "distance": 1.0, **LIMITS}])
    people = Section(SAID, employee_effect=[{"slope": 1.0, **LIMITS}])
    none = "service.advice_none"
    checked(service_answer, {"found": {"chains": Section(SAID)}}, [
        (with_section(gaps=gaps(-0.1)), "service.tile_gap service.advice_gap", none),
        (with_section(gaps=gaps(0.1)), "service.tile_gap", ""),
        (with_section(needs=needs(10.5)), "service.tile_need service.advice_need", none),
        (with_section(needs=needs(9.5)), "service.tile_need", ""),
        (with_section(features=features(True)), "service.advice_must", none),
        (with_section(features=features(False)), "", ""),
        (with_section(value=value), "service.tile_value", ""),
        (with_section(image=image), "service.tile_distance", ""),
        (with_section(employees=people), "service.tile_employees", ""),
        ({"invented": True}, "service.doubt_simulated", ""),
    ])  # fmt: skip


# -- none is forgotten --


def named(path: Path) -> Iterator[str]:
    """Ids of sentences a file of code names, also those it puts together."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (word for word in node.value.split() if word in wordings())
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            start = str(node.values[0].value)
            if re.match(r"[a-z]+\.[a-z]+_", start):
                parts = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"\w+"
                         for p in node.values]  # fmt: skip
                made = re.compile("".join(parts))
                yield from (id for id in wordings() if made.fullmatch(id))


@cache
def named_in_tests() -> frozenset[str]:
    """Every id of a message that a test names."""
    tests = [file for file in TESTS.rglob("test_*.py") if file.name != "test_message.py"]
    return frozenset(id for file in tests for id in named(file))


SCREENS = sorted(PACKAGE.rglob("answers.py"))
SCREENS = [path for path in SCREENS if "Answer(" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_every_sentence_of_a_first_screen_has_a_test_that_names_it(path: Path) -> None:
    assert not set(named(path)) - ALWAYS - named_in_tests()


def test_the_inventory_sees_ids(tmp_path: Path) -> None:
    assert len(SCREENS) >= 7
    file = tmp_path / "a.py"
    file.write_text('message("weighting.advice_any", x=1)\nmessage(f"lifetime.forecast_{side}")')
    found = set(named(file))
    assert "weighting.advice_any" in found and "lifetime.forecast_low" in found
    assert len(found) < 12
