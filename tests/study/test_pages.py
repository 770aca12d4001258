"""The documentation is what the notebooks say, no more and no less."""

from pathlib import Path

import pytest

from cvlib.study.notebook import read_notebook, shipped
from cvlib.study.pages import FOLDER, read_told, write_pages
from cvlib.words.language import Words

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    (root / "CITATION.cff").write_bytes((ROOT / "CITATION.cff").read_bytes())
    write_pages(root / "docs")
    return root / "docs"


def test_committed_pages_are_those_of_the_notebooks(fresh: Path) -> None:
    new = {p.relative_to(fresh): p.read_bytes() for p in fresh.rglob("*") if p.is_file()}
    ours = [*FOLDER.rglob("[0-9][0-9]_*.md"), *FOLDER.glob("figures/*/*.png")]
    ours += [FOLDER / below / name for below in ("", "zh") for name in ("README.md", "figures.md")]
    old = {p.relative_to(FOLDER): p.read_bytes() for p in ours}
    assert sorted(new) == sorted(old), "write them: python -m cvlib pages"
    changed = [str(path) for path in new if new[path] != old[path]]
    assert not changed, f"write them: python -m cvlib pages ({changed})"


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_a_page_has_question_tables_figures_limits_and_works(path: Path) -> None:
    told = read_told(path, Words())
    tables = [shown for shown in told.shown if shown.kind == "table"]
    figures = [shown for shown in told.shown if shown.kind == "figure"]
    assert told.question[0]
    assert len(tables) > 5
    assert figures
    assert all(shown.title for shown in told.shown)
    assert all(shown.alt and shown.image[:4] == b"\x89PNG" for shown in figures)
    assert told.limits
    assert "cvlib" in told.methods
    assert told.references.count("\n- ") > 3
    assert any("**Assumptions.**" in prose for prose in told.question)


def test_links_lead_somewhere(fresh: Path) -> None:
    import re

    for page in fresh.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+\.(?:md|png))(?:#[^)]*)?\)", text):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
        for anchor in re.findall(r"\(figures\.md#([^)]+)\)", text):
            gallery = (page.parent / "figures.md").read_text(encoding="utf-8")
            assert f'<a id="{anchor}"></a>' in gallery


def test_a_page_no_longer_wanted_goes(fresh: Path) -> None:
    (fresh / "99_gone.md").write_text("old")
    (fresh / "zh" / "99_gone.md").write_text("old")
    (fresh / "how_to").mkdir()
    (fresh / "how_to" / "mine.md").write_text("kept")
    write_pages(fresh)
    assert not (fresh / "99_gone.md").exists() and not (fresh / "zh" / "99_gone.md").exists()
    assert (fresh / "how_to" / "mine.md").read_text() == "kept"
    assert len(list(fresh.glob("[01]*.md"))) == len([read_notebook(p) for p in shipped()])
