"""The site: links lead somewhere, what a how-to types runs, the evidence is what it says."""

import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

import cvlib as cv

ROOT = Path(__file__).parents[1]
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
    page = runpy.run_path(str(ROOT / "docs" / "evidence.py"))["page"]()
    kept = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    assert page == kept, "write it: python docs/evidence.py"
    assert kept.count("| yes |") > 100
    assert kept.count("| no |") == 9  # misprints, each confirmed in tests/weighting
