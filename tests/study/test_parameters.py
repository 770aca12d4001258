"""Every parameter of every notebook: its rule, its comment, and what is refused before any work."""

import re
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from cvlib.inputs.errors import InputError
from cvlib.study.files import input_files
from cvlib.study.notebook import find, read_notebook, shipped
from cvlib.study.parameters import Parameter, _rules, rule

NOTEBOOKS = [read_notebook(path) for path in shipped()]
BOMB = "{a: &a [x,x,x,x,x,x,x,x,x]" + "".join(
    f", {c}: &{c} [{','.join([f'*{b}'] * 9)}]" for b, c in zip("abcdefgh", "bcdefghi", strict=True)
) + "}"  # fmt: skip


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_papermill_and_describe_see_every_parameter(notebook) -> None:
    seen = papermill.inspect_notebook(notebook.path)
    assert list(seen) == [parameter.name for parameter in notebook.parameters]
    for parameter in notebook.parameters:
        assert seen[parameter.name]["help"] == parameter.help != ""
        assert seen[parameter.name]["inferred_type_name"].startswith(parameter.kind)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_the_sections_are_tagged_in_their_order(notebook) -> None:
    tags = [
        tag
        for cell in nbformat.read(notebook.path, as_version=4).cells
        for tag in cell.metadata.get("tags", [])
    ]
    assert tags == ["question", "settings", "parameters", "data", "results", "answer"]
    assert notebook.question.endswith("?") or "?" in notebook.question
    assert not notebook.question.startswith("#")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_defaults_obey_their_rules(notebook) -> None:
    for parameter in notebook.parameters:
        assert parameter.convert(parameter.default) == parameter.default
    assert notebook.arguments({})


def test_every_parameter_has_a_rule_and_every_choice_lists_its_default() -> None:
    """Without a rule a value is taken for a file whenever there is one of that name."""
    for notebook in NOTEBOOKS:
        for parameter in notebook.parameters:
            assert parameter.rule, f"{parameter.name} has no line in parameters.yaml"
            if parameter.rule and parameter.rule.choice:
                assert parameter.default in parameter.choices, (notebook.name, parameter.name)
                assert len(parameter.choices) > 1
    own = {notebook.name: {p.name for p in notebook.parameters} for notebook in NOTEBOOKS}
    for name, rules in _rules().notebooks.items():
        assert set(rules) <= own[name]


@pytest.mark.parametrize(
    ("notebook", "given", "said"),
    [
        ("05", {"cutoffs": "2026-02-30"}, "parameter cutoffs: '2026-02-30' is not of type list"),
        ("05", {"cutoffs": "[2, 1]"}, "parameter cutoffs: 2 is not above 0 and below 1"),
        ("06", {"origins": "[2023-02-30]"}, "parameter origins: '2023-02-30' is no day"),
        ("06", {"calibration_end": "soon"}, "parameter calibration_end: 'soon' is not a date"),
        (
            "06",
            {"calibration_end": "1997-09-30", "holdout_end": "1996-12-31"},
            "lies before calibration_end, which is 1997",
        ),
        ("06", {"annual_discount_rate": "10"}, "Write 0.1 for 10 %; 10 would be 1,000 %"),
        ("06", {"annual_discount_rate": "nan"}, "'nan' is not of type float"),
        ("06", {"annual_discount_rate": ".nan"}, "not a number to compute with"),
        ("06", {"margin": "1e999"}, "not a number to compute with"),
        ("06", {"level": "95"}, "Write 0.95 for 95 %"),
        ("06", {"draws": "-1"}, "parameter draws: -1 is not at least 0"),
        ("06", {"draws": "9" * 400}, "is not of type int"),
        ("06", {"seed": "9" * 18}, "at most 4,294,967,295"),
        ("06", {"unit": "fortnight"}, "Known: day, week, month, year"),
        ("06", {"returns": "nett"}, "Did you mean 'net'?"),
        ("06", {"origins": BOMB}, "not of type list|entries, aliases written out"),
        ("06", {"origins": "[" * 200 + "]" * 200}, "levels, one inside the other"),
        ("06", {"data": "a\0b"}, "control characters"),
        ("06", {"data": "\udcff"}, "control characters"),
        ("06", {"customer": "x" * 10_001}, "10,001 letters"),
        ("07", {"test_share": "0000-00-00"}, "parameter test_share: '0000-00-00'"),
        ("05", {"pseudonymise": "1970-01-01T00:00:00+99:00"}, "is not of type bool"),
        ("01", {"decimal": ";"}, "parameter decimal: ';' is not one of"),
        ("08", {"recommend": "[1, x]"}, "parameter recommend: 'x' is not at least 0"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    notebook: str, given: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        find(notebook).arguments(given)


@pytest.mark.parametrize(
    ("notebook", "given", "value"),
    [
        ("06", {"origins": "[2023-12-31, 2024/1/5, 2024年2月29日]"},
         ["2023-12-31", "2024-01-05", "2024-02-29"]),
        ("06", {"calibration_end": "1998-6-1", "holdout_end": "1998-07-01"}, "1998-06-01"),
        ("06", {"pseudonymise": "no"}, False),
        ("01", {"mapping": "{1: q1, b: q2}"}, {"1": "q1", "b": "q2"}),
        ("04", {"judgements": "  "}, ""),
        ("02", {"models": '[acsi, ""]'}, ["acsi"]),
        ("01", {"dont_know": "[98, no]"}, [98, "no"]),
    ],
)  # fmt: skip
def test_what_can_be_meant_is_taken(notebook: str, given: dict[str, Any], value: Any) -> None:
    assert find(notebook).arguments(given)[next(iter(given))] == value


def test_a_column_is_not_taken_for_a_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brand").write_text("not a table")
    notebook = find("03")
    files = input_files(notebook, notebook.arguments({"group": "brand", "wave": "mobi"}))
    assert list(files) == ["data"]


def test_a_choice_stands_once_in_the_comment() -> None:
    unit = Parameter("unit", "str", "day", "time: day, week; the first is fine", rule("x", "unit"))
    assert unit.choices == ("day", "week")
    assert Parameter("unit", "str", "day", "of time", rule("x", "unit")).convert("eon") == "eon"


@pytest.mark.parametrize(
    ("notebook", "name", "written", "told"),
    [
        ("06", "margin", "5", "参数 margin：为 5，应大于 0 且不大于 1。"),
        ("04", "random_index", "abc", "参数 random_index：'abc' 不在其中。已有："),
        ("04", "draws", "x", "参数 draws：'x' 不是 int 类型。自助抽样次数"),
        ("06", "calibration_end", "2024-02-31", "不是日历中的一天"),
    ],
)  # fmt: skip
def test_a_parameter_is_refused_in_chinese(notebook, name, written, told) -> None:
    with pytest.raises(InputError) as caught:
        find(notebook).arguments({name: written})
    assert told in caught.value.told("zh")
    assert not re.search(r"\b(is|not|Write)\b", caught.value.told("zh"))
