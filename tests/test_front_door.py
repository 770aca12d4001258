"""Doors are documented: parameters, what is returned, and an example that runs."""

import ast
import doctest
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import validate

import cvlib
from cvlib.results import Result

ROOMS = ("satisfaction", "weighting", "lifetime", "customer")
DOORS = {
    **{
        f"{room}.{name}": getattr(getattr(cvlib, room), name)
        for room in ROOMS
        for name in getattr(getattr(cvlib, room), "__all__", ())
    },
    "load": cvlib.load,
    "Record": cvlib.Record,
    "Result": Result,
}
# By numpydoc's names: parameters named, known and in order; what is returned; a summary with a
# capital and a stop; an example; a docstring at all.
CHECKS = {
    "PR01", "PR02", "PR03", "RT01", "RT03", "SS01", "SS02", "SS03", "SS04", "EX01", "GL08",
}  # fmt: skip


def faults(door: Any) -> list[str]:
    """What numpydoc finds wrong with a docstring, of what matters here."""
    found = validate(f"{door.__module__}.{door.__qualname__}")["errors"]
    return [f"{code} {text}" for code, text in found if code in CHECKS]


# Doors that estimate nothing of their own: they read, name, draw, join, put side by side, count
# or say what others found, or their source is the summary's. Every other door names its source.
SOURCELESS = {
    "satisfaction": """
        aggregate at_wave available_models codebook compare further groups_answer
        index_answer index_what_if load_model models_answer open_survey population
        read_shares roles service_answer simulate simulate_service
    """,
    "weighting": """
        available_judgements available_trees choose_weights combine frozen_scores
        fuzzy_evaluation grade_stability indicators ledger_ratios levels load_tree
        panel_rows rated_priorities read_judgements read_reference return_on_investment
        score scores_answer simulate_scoring system_choice total_cost validity
        weights_answer weights_by_method workbook
    """,
    "lifetime": """
        audit_log check_contracts claims_table cohort_series complaint_cost contagion_loss
        contracts contracts_answer count_fit current_and_potential customer_list
        decisions_answer definitions discounted_purchases economics_answer eight_segments
        expected_time fitted_forecasts holdout_methods key_account_sheet lifetime_answer mean_curves
        model_forecasts next_period prepare_subscriptions pseudonym_note purchase_cohorts
        purchase_methods purchases read_cohorts read_subscriptions relation_states
        rolling_origins simulate_decisions simulated_subscriptions spend_grades
        study_dates subscription_methods tracking_errors tracking_table transaction_log
        uplift_at
    """,
    "customer": """
        calls certificate conventions joint weighting_race
        customer_answer join quadrants question_race sensitivity shape simulate
        time_order what_if
    """,
}
SHAPE = re.compile(
    r"\(|shape|rows?\b|columns?\b|one of|per\b|each|\bby\b|\bof\b|,|;|index|as `|\w+ to \w+", re.I
)


def described(door: Any) -> Any:
    """The docstring of a door by its sections."""
    return (ClassDoc if inspect.isclass(door) else FunctionDoc)(door)


@cache
def functions() -> dict[tuple[str, str], tuple[ast.AST, dict[str, tuple[str, str]]]]:
    """Functions and classes of the package, with what their module imports from the package."""
    found: dict[tuple[str, str], tuple[ast.AST, dict[str, tuple[str, str]]]] = {}
    root = Path(cvlib.__file__).parent
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found[module, node.name] = node, names
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if getattr(inner, "name", "") in ("__init__", "__post_init__"):
                    found[module, node.name] = inner, names
    return found


def refuses(node: ast.AST) -> bool:
    """Whether the code itself raises `InputError`."""
    raised = (n.exc for n in ast.walk(node) if isinstance(n, ast.Raise) and n.exc is not None)
    return any(ast.unparse(exc).startswith("InputError(") for exc in raised)


def called(key: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """The package's functions that a function calls by name, outside of what it catches."""
    node, names = functions()[key]
    caught = {
        id(inner)
        for tried in ast.walk(node)
        if isinstance(tried, ast.Try)
        and any(h.type is not None and "InputError" in ast.unparse(h.type) for h in tried.handlers)
        for part in tried.body
        for inner in ast.walk(part)
    }
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and id(call) not in caught
        ):
            there = names.get(call.func.id, (key[0], call.func.id))
            if there in functions():
                yield there


def can_refuse(door: Any) -> bool:
    """Whether a door, or a function it calls, raises `InputError`."""
    key = (door.__module__, door.__qualname__)
    return key in functions() and any(refuses(functions()[k][0]) for k in [key, *called(key)])


def unsaid(door: Any) -> Iterator[str]:
    """Types, shapes and refusals that a docstring keeps to itself."""
    doc = described(door)
    for given in doc["Parameters"]:
        text = f"{given.type} {' '.join(given.desc)}"
        if not given.type and not given.name.startswith("*") and "`" not in text:
            yield f"{given.name}: no type"
        if re.search("array|Series|DataFrame", given.type) and not SHAPE.search(text):
            yield f"{given.name}: no shape"
    if can_refuse(door) and not doc["Raises"]:
        yield "can refuse its input and does not say when"


def vague(given, table):  # type: ignore[no-untyped-def]
    """Refuse.

    Parameters
    ----------
    given
        A number.
    table : DataFrame
        Numbers.
    """


def undocumented(taken: int) -> int:  # noqa: D417
    """Double a number.

    Parameters
    ----------
    given : int
        Of another name than the signature's.
    """
    return 2 * taken


@pytest.mark.parametrize("name", DOORS)
def test_every_door_is_documented(name: str) -> None:
    assert not faults(DOORS[name])


def test_what_is_not_documented_is_found() -> None:
    assert {fault[:4] for fault in faults(undocumented)} == {"PR01", "PR02", "RT01", "EX01"}


@pytest.mark.parametrize("name", DOORS)
def test_every_door_is_documented_with_types_shapes_and_refusals(name: str) -> None:
    assert not list(unsaid(DOORS[name]))


def test_a_vague_docstring_is_found() -> None:
    assert list(unsaid(vague)) == ["given: no type", "table: no shape"]
    assert can_refuse(cvlib.satisfaction.compare) and can_refuse(cvlib.lifetime.bg_bb)
    assert not can_refuse(cvlib.weighting.available_trees)


def test_every_door_that_computes_names_its_source() -> None:
    plain = {f"{room}.{name}" for room, names in SOURCELESS.items() for name in names.split()}
    doors = {n: d for n, d in DOORS.items() if "." in n and not inspect.isclass(d)}
    bare = {name for name, door in doors.items() if not described(door)["References"]}
    assert bare == plain


@pytest.mark.parametrize("name", DOORS)
def test_the_example_of_every_door_runs(name: str) -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(DOORS[name], name, globs={})
    assert example.examples, name
    assert not doctest.DocTestRunner(verbose=False).run(example).failed, name
