"""The site: links lead somewhere, what a how-to types runs, the evidence is what it says."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import cvlib as cv

ROOT = Path(__file__).parents[1]
EVIDENCE = runpy.run_path(str(ROOT / "docs" / "evidence.py"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
GUIDES = sorted(
    path
    for folder in ("how_to", "coming_from")
    for path in (ROOT / "docs" / folder).glob("*.md")
    if "```python" in path.read_text(encoding="utf-8")
)


def anchors(page: Path) -> set[str]:
    """What a link into a page may name: its headings, as a forge and Sphinx name them, and ids."""
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def broken(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            found.append(f"{target}#{anchor}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    if not page.is_file():
        pytest.skip("not written yet")
    assert not broken(page)


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](gone.md) [b](#here) [c](#there) [d](https://x.org/y)\n")
    assert broken(page) == ["gone.md#", "#there"]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_types_runs(
    guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cv.load("mobi").data.rename(columns={"CUSA1": "Q7"}).to_csv("survey.csv", index=False)
    cv.load("cdnow_sample").data.to_csv("orders.csv", index=False)
    cv.lifetime.simulated_subscriptions(300, seed=1).to_csv("contracts.csv", index=False)
    text = guide.read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(compile(block, str(guide), "exec"), {"cv": cv, "pd": pd})


def test_the_evidence_is_what_the_references_say() -> None:
    page = EVIDENCE["page"]()
    kept = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    assert page == kept, "write it: python docs/evidence.py"
    assert kept.count("| yes |") > 100
    assert kept.count("| no |") == 9  # misprints, each confirmed in tests/weighting


def test_every_reference_file_is_compared_or_says_what_it_is() -> None:
    known = EVIDENCE["sources"]()
    told = set(pd.read_csv(ROOT / "docs" / "evidence_tests.csv")["file"])
    files = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests" / "reference").glob("*/*"))
        if path.suffix in (".csv", ".json")
    ]
    assert len(files) > 50
    lacking = [file for file in files if not EVIDENCE["source_of"](file, known)[1]]
    assert [file for file in lacking if file not in told] == [], "python tests/evidence.py"
    assert [file for file in told if file.startswith("tests/") and file not in files] == []


def test_the_tests_that_the_evidence_names_are_there() -> None:
    faults = " ".join(pd.read_csv(ROOT / "docs" / "faults.csv")["tests"]).split()
    assert len(faults) > 10
    for name in {*pd.read_csv(ROOT / "docs" / "evidence_tests.csv")["test"], *faults}:
        path, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), name


def test_the_witness_sees_what_is_compared_and_nothing_else(tmp_path: Path) -> None:
    """A run of its own: two numbers of a file within limits, one that stands in no file."""
    home = tmp_path / "reference"
    home.mkdir()
    (home / "told.csv").write_text("name,value\na,1.2345\nb,22.5\nc,3\n")
    (tmp_path / "test_it.py").write_text(
        "from pathlib import Path\nimport numpy as np\nimport pytest\n"
        "TOLD = (Path(__file__).parent / 'reference' / 'told.csv').read_text()\n"
        "def test_it():\n"
        "    np.testing.assert_allclose([1.23451, 3.0], [1.2345, 3], atol=1e-3)\n"
        "    assert 22.54 == pytest.approx(22.5, abs=0.2)\n"
        "    assert 0.7 == pytest.approx(0.7)\n"
    )
    code = (
        "import sys; from pathlib import Path; import pytest; import evidence\n"
        f"home = Path({str(tmp_path)!r})\n"
        "evidence.ROOT = home\n"
        "evidence.homes = lambda: {'given': home / 'reference'}\n"
        "witness = evidence.Witness()\n"
        "status = pytest.main(['-q', '-p', 'no:cacheprovider', str(home)], plugins=[witness])\n"
        "assert status == 0\n"
        "witness.table().to_csv(home / 'seen.csv', index=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "tests", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = pd.read_csv(tmp_path / "seen.csv").to_dict("records")
    assert (row["file"], row["test"]) == ("given/told.csv", "test_it.py::test_it")
    assert row["numbers"] == 2 and float(row["difference"]) == 0.1


NUMBER = r"(?<![\w.])(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)"


def stored_numbers(notebook: str) -> set[str]:
    """Numbers as they stand in a notebook's stored outputs."""
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    texts = []
    for output in (each for cell in cells for each in cell.get("outputs", [])):
        parts = [output.get("text", ""), *output.get("data", {}).values()]
        texts += ["".join(part) for part in parts if isinstance(part, (str, list))]
    return {found.lstrip("0") for found in re.findall(NUMBER, " ".join(texts))}


def test_the_readme_says_what_the_notebooks_print() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\d\d_\w+)` \|[^|]*\| (.*) \|$", readme, flags=re.MULTILINE)
    assert len(rows) == 11
    # what a simulated base was made with stands beside the data
    made = {*re.findall(NUMBER, (ROOT / "data" / "README.md").read_text(encoding="utf-8"))}
    truth = {f"{float(number):.2f}" for number in made if re.fullmatch(r"\d\.\d{3}", number)}
    checked = 0
    for notebook, said in rows:
        printed = stored_numbers(notebook)
        for number in re.findall(NUMBER, said):
            known = printed | truth if "made with " + number in said else printed
            assert number.lstrip("0") in known, (notebook, number)
            checked += 1
    assert checked > 35
    assert "72.5" not in stored_numbers("10_decisions")  # so a number of another notebook fails
