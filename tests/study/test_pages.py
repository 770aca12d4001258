"""The documentation is what the notebooks say, no more and no less."""

from pathlib import Path

import pytest

from cvlib.study.notebook import shipped
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


def test_a_page_no_longer_wanted_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvlib.study.pages.shipped", lambda: shipped()[1:2])
    (tmp_path / "CITATION.cff").write_bytes((ROOT / "CITATION.cff").read_bytes())
    docs = tmp_path / "docs"
    for old in ("99_gone.md", "zh/99_gone.md", "how_to/mine.md"):
        (docs / old).parent.mkdir(parents=True, exist_ok=True)
        (docs / old).write_text("old")
    write_pages(docs)
    assert not (docs / "99_gone.md").exists() and not (docs / "zh" / "99_gone.md").exists()
    assert (docs / "how_to" / "mine.md").read_text() == "old"
    assert [path.stem for path in docs.glob("[0-9]*.md")] == [shipped()[1].stem]
