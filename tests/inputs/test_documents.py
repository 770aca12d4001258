"""The reader of the YAML files a user writes, and the one error a user can mend."""

import pickle
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

import cvlib
from cvlib.inputs.documents import Location, Source, _lines, plain_yaml
from cvlib.inputs.errors import InputError, nearest


class Node(BaseModel):
    model_config = ConfigDict(extra="forbid")
    weight: float
    tags: list[str] = []

    @field_validator("weight")
    @classmethod
    def positive(cls, value: float) -> float:
        if value <= 0:
            raise ValueError("must be positive")
        return value


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    nodes: dict[str, Node] = {}


# nine lines that would be 1e9 entries
ALIASES = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "plan.yaml"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_good_document_is_parsed_with_its_lines(tmp_path: Path) -> None:
    source = Source(
        written(tmp_path, "name: 满意\nnodes:\n  a:\n    weight: 2\n    tags: [x, y]\n")
    )
    plan = source.parse(Plan)
    assert plan.name == "满意" and plan.nodes["a"].weight == 2
    assert source.line(("nodes", "a", "weight")) == 4
    assert source.line(("nodes", "a", "tags", 1)) == 5
    assert source.line(("nodes", "missing", "deep")) == 2, "the nearest written parent"
    assert source.line(("nothing",)) == 1


def test_shipped_files_are_read_alike_by_both_parsers() -> None:
    shipped = sorted(Path(cvlib.__file__).parent.rglob("*.yaml"))
    assert len(shipped) > 50
    for file in shipped:
        quick, text = Source(file), file.read_text("utf-8")
        content, node = plain_yaml(text, file.name)
        lines: dict[Location, int] = {}
        if node is not None:
            _lines(node, (), lines)
        assert repr(quick.content) == repr(content), file.name  # order and types, too
        assert quick._lines == lines, file.name
    with pytest.raises(InputError, match="written twice"):
        plain_yaml("a: 1\na: 2", "shipped", shipped=True)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert Source(written(tmp_path, "name: a", "utf-8-sig")).parse(Plan).name == "a"


def test_faults_name_the_first_line_and_count_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a\nnodes:\n  a: {weight: -1}\n  b: {weigth: 2}\n")
    with pytest.raises(InputError) as caught:
        Source(path).parse(Plan)
    assert caught.value.where == f"{path}, line 3"
    assert "must be positive" in caught.value.wrong and "Value error" not in str(caught.value)
    assert "2 more faults" in caught.value.wrong


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        ("name: a\nname: b\n", 2, "written twice"),
        ("name: a\nnodes: [1, 2\n", 3, "not valid YAML"),
        ("nodes: {a: {weight: 1}}\nname: !!python/object:os.system x\n", 2, "not valid YAML"),
    ],
)
def test_broken_yaml_names_the_line(tmp_path: Path, text: str, line: int, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        Source(written(tmp_path, text))
    assert f"line {line}" in caught.value.where and wrong in caught.value.wrong


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_document_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="not a mapping"):
        Source(written(tmp_path, text)).parse(Plan)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Source(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="UTF-8"):
        Source(written(tmp_path, "name: 满意", "gb18030"))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("name: a\n{[1, 2]: b}\n", "not valid YAML"),
        ("{[1, 2]: b}\n", "a name must be plain"),
        ("? {a: 1}\n: b\n", "a name must be plain"),
        ("name: !!timestamp 2026-02-30\n", "day is out of range|month"),
        ("name: !!int x\n", "not valid YAML"),
        ("name: " + "[" * 100 + "]" * 100, "line 1: has 51 levels"),
        (ALIASES, "entries, aliases written out"),
        ("name: " + "x" * 1_000_001, "1,000,007 bytes; at most 1,000,000"),
        ("name: a\nnodes: &n {a: *n}\n", "nested too deeply"),
        ("name: \x01\n", "not valid YAML"),
    ],
)
def test_odd_yaml_is_the_users_error(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        Source(written(tmp_path, text)).parse(Plan)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    text = """{date: 2024-03-31, impossible: 2026-02-30, no: yes, id: 017, time: 12:30, n: 5,
      x: 1e-3, y: .5, z: -2., true: True, none: ~, empty: , huge: 1e400, long: LONG}"""
    content = Source(written(tmp_path, text.replace("LONG", "9" * 400))).content
    assert content == {
        "date": "2024-03-31", "impossible": "2026-02-30", "no": "yes", "id": "017",
        "time": "12:30", "n": 5, "x": 1e-3, "y": 0.5, "z": -2.0, True: True, "none": None,
        "empty": None, "huge": float("inf"), "long": float("inf"),
    }  # fmt: skip


def test_a_limit_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVLIB_MAX_YAML_ENTRIES", "2")
    with pytest.raises(InputError, match="CVLIB_MAX_YAML_ENTRIES"):
        Source(written(tmp_path, "name: a"))
    monkeypatch.setenv("CVLIB_MAX_YAML_ENTRIES", "many")
    with pytest.raises(InputError, match="'many' is not a whole number"):
        Source(written(tmp_path, "name: a"))


def test_the_error_is_one_paragraph_and_survives_a_process_boundary() -> None:
    error = InputError("a.csv, column b", "is empty.", "Fill it in.")
    assert str(error) == "a.csv, column b: is empty. Fill it in."
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.remedy == "Fill it in."


def test_nearest_names_the_close_one_or_lists_all() -> None:
    assert nearest("satisfacton", ["satisfaction", "loyalty"]) == "Did you mean 'satisfaction'?"
    assert nearest("zzz", ["satisfaction", "loyalty"]) == "Known: satisfaction, loyalty."
    assert nearest("nope", ["cdnow_sample"]) == "Known: cdnow_sample."
    assert nearest("zzz", [f"q{i}" for i in range(25)]).endswith("q18, q19 and 5 more.")
