import json
import re
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cvlib.study.gallery import QUESTIONS, write_gallery
from cvlib.study.notebook import shipped

AddRun = Callable[..., Path]


@pytest.fixture
def add_run(tmp_path: Path) -> AddRun:
    """Writes the files that the page reads of a run, without running anything."""

    def add(run: str = "aaaa", notebook: str = "01_index", **given: Any) -> Path:
        folder = tmp_path / notebook / run
        (folder / "figures").mkdir(parents=True)
        manifest = {
            "notebook": notebook,
            "title": given.get("title", "Satisfaction index"),
            "run_id": run,
            "parameters": given.get("parameters", {"model": "acsi", "language": "en"}),
            "changed": given.get("changed", {}),
            "inputs": {"data": {"file": "mobi.csv", "sha256": "0123456789abcdef" * 4}},
            "versions": {"cvlib": "0.1.0"},
            "warnings": given.get("warnings", []),
            "started": given.get("started", "2026-11-22T02:04:36Z"),
        }
        results = {
            "headlines": {"index": {"value": 72.5, "sentence": given.get("sentence", "It is 72.")}},
            "figures": {"bars": {"title": "Bars", "alt": "The finding"}},
            **{
                key: given[key]
                for key in ("answer", "captions", "methods", "references")
                if key in given
            },
            "tables": {"loadings": [{"item": "a", "loading": 0.7}]},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        text = json.dumps(results, indent=1) + "\n"
        (folder / "results.json").write_text(text, encoding="utf-8")
        (folder / "figures" / "bars.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        return folder

    return add


def cards(page: Path) -> list[str]:
    return re.findall(r'<li class="run".*?\n</li>', page.read_text(encoding="utf-8"), re.DOTALL)


def embedded(page: Path) -> list[dict[str, Any]]:
    found = re.search(r"const runs = (.*?);</script>", page.read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])


def test_a_run_has_a_card_with_thumbnail_headline_and_settings(
    add_run: AddRun, tmp_path: Path
) -> None:
    add_run(changed={"model": "ccsi", "columns": ["q1", "q2"], "weights": ""}, warnings=["a", "b"])
    (card,) = cards(write_gallery(tmp_path)[0])
    assert 'src="01_index/aaaa/figures/bars.svg" alt="The finding"' in card
    assert 'href="01_index/aaaa/report.html"' in card
    assert "It is 72." in card and "2026-11-22 02:04 UTC" in card
    assert re.search(r"<summary[^>]*>2 warnings</summary><ul><li dir=.auto.>a</li>", card)
    assert "model = ccsi · columns = q1, q2 · weights = (empty)" in card


def test_other_formats_of_a_report_are_linked(add_run: AddRun, tmp_path: Path) -> None:
    (add_run() / "report.docx").write_text("")
    (tmp_path / "01_index" / "aaaa" / "latex").mkdir()
    (tmp_path / "01_index" / "aaaa" / "latex" / "main.tex").write_text("")
    (card,) = cards(write_gallery(tmp_path)[0])
    assert re.findall(r'<a href="([^"]+)" aria-describedby="about-0">(\w+)</a>', card) == [
        ("01_index/aaaa/report.docx", "DOCX"),
        ("01_index/aaaa/latex/main.tex", "LaTeX"),
        ("01_index/aaaa/results.json", "JSON"),
    ]


def test_a_card_has_the_verdict_two_tiles_and_the_picture_made_for_it(
    add_run: AddRun, tmp_path: Path
) -> None:
    tiles = [{"label": f"Tile {n}", "value": f"{n}.0", "interval": f"{n} – 9"} for n in range(3)]
    answer = {
        "question": "How satisfied?", "verdict": ["Fairly."], "tiles": tiles, "hero": "bars",
        "advice": [], "doubts": [],
    }  # fmt: skip
    (add_run(answer=answer) / "thumbnail.png").write_bytes(b"")
    (card,) = cards(write_gallery(tmp_path)[0])
    assert "Fairly." in card and "It is 72." not in card
    assert re.findall(r"<dt>(.*?)</dt><dd><strong>(.*?)</strong>", card) == [
        ("Tile 0", "0.0"),
        ("Tile 1", "1.0"),
    ]
    assert 'src="01_index/aaaa/thumbnail.png"' in card


def test_every_shipped_notebook_stands_under_its_question(add_run: AddRun, tmp_path: Path) -> None:
    names = [path.stem for path in shipped()]
    assert sorted(name for names in QUESTIONS.values() for name in names) == names
    for name in (*names, "mine"):
        add_run(notebook=name)
    text = write_gallery(tmp_path)[0].read_text(encoding="utf-8")
    under = {
        question: re.findall(r'href="([^"/]+)/aaaa/report.html"', part)
        for question, part in re.findall(
            r'<h3 id="question-\d">(.*?)</h3>(.*?)</section>', text, re.DOTALL
        )
    }
    assert {question: tuple(sorted(found)) for question, found in under.items()} == {
        **{question: tuple(sorted(names)) for question, names in QUESTIONS.items()},
        "Notebooks of your own": ("mine",),
    }


def test_search_knows_captions_methods_and_works_cited(add_run: AddRun, tmp_path: Path) -> None:
    add_run(
        captions={"scores": {"title": "RFM scores", "note": "", "decimals": 3}},
        methods="Purchases follow the Pareto/NBD model.",
        references=["Schmittlein, D. C. (1987)."],
    )
    (run,) = embedded(write_gallery(tmp_path)[0])
    for word in ("RFM", "Pareto/NBD", "Schmittlein", "mobi.csv", "Bars"):
        assert word in run["words"], word
    assert run["files"] == ["mobi.csv"]


def test_a_page_over_chinese_runs_is_chinese(add_run: AddRun, tmp_path: Path) -> None:
    add_run(parameters={"language": "zh"}, warnings=["a", "b"])
    text = write_gallery(tmp_path)[0].read_text(encoding="utf-8")
    assert '<html lang="zh">' in text and "2 条提示" in text and "1 次运行" in text
    said = re.search(r"const said = (.*?);  // what", text)
    assert said and not re.search(r"[A-Za-z]{4}", re.sub(r'"[a-zA-Z ]+":|English', "", said[1]))
    add_run("bbbb")
    assert '<html lang="en">' in write_gallery(tmp_path)[0].read_text(encoding="utf-8")


def test_what_runs_are_compared_by_is_in_the_page(add_run: AddRun, tmp_path: Path) -> None:
    add_run(warnings=["a"])
    (run,) = embedded(write_gallery(tmp_path)[0])
    assert run["facts"] == {
        "Headline numbers": {"index": 72.5},
        "Parameters": {"model": "acsi", "language": "en"},
        "Inputs": {"data": "mobi.csv (SHA-256 0123456789ab)"},
        "Versions": {"cvlib": "0.1.0"},
        "Warnings": {"number of warnings": 1},
    }


def test_runs_are_in_order_of_notebook_and_then_newest_first(
    add_run: AddRun, tmp_path: Path
) -> None:
    add_run("old", started="2026-01-01T00:00:00Z")
    add_run("new", started="2026-01-02T00:00:00Z")
    add_run("first", notebook="00_data", started="2025-01-01T00:00:00Z")
    abouts = [run["about"] for run in embedded(write_gallery(tmp_path)[0])]
    assert [about.rsplit(" ", 1)[1] for about in abouts] == ["first", "new", "old"]


def test_text_from_data_is_escaped_and_cut_for_show(add_run: AddRun, tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script> \"quoted\" 'single' </script> & مرحبا 👩‍🔬"
    long = "x" * 10_000
    add_run(title=nasty, sentence=nasty, parameters={"model": nasty, "other": long})
    page, _ = write_gallery(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "</script> &" not in text
    assert nasty in unescape(cards(page)[0])
    # in full for comparison and filters, cut where it is shown
    assert embedded(page)[0]["facts"]["Parameters"] == {"model": nasty, "other": long}
    add_run("bbbb", sentence=long)
    assert max(map(len, cards(write_gallery(tmp_path)[0]))) < 4_000


def test_links_hold_for_any_folder_name(add_run: AddRun, tmp_path: Path) -> None:
    add_run("run #1", notebook="100% ours?")
    (card,) = cards(write_gallery(tmp_path)[0])
    assert 'href="100%25%20ours%3F/run%20%231/report.html"' in card


def test_a_chinese_run_says_so_and_can_be_found_by_its_english_title(
    add_run: AddRun, tmp_path: Path
) -> None:
    add_run(parameters={"language": "zh"}, sentence="顾客满意度为72.5")
    page, _ = write_gallery(tmp_path)
    assert cards(page)[0].startswith('<li class="run" lang="zh">')
    assert "Satisfaction index" in embedded(page)[0]["words"]


@pytest.mark.parametrize("name", [".aaaa.17.0f", "aaaa.failed", "aaaa.damaged"])
def test_folders_set_aside_are_no_runs(add_run: AddRun, tmp_path: Path, name: str) -> None:
    add_run(name)
    page, unreadable = write_gallery(tmp_path)
    assert cards(page) == [] and unreadable == []


@pytest.mark.parametrize("file", ["manifest.json", "results.json"])
@pytest.mark.parametrize("keep", [0, 40, -9])
def test_a_cut_off_run_is_named_and_the_others_are_shown(
    add_run: AddRun, tmp_path: Path, file: str, keep: int
) -> None:
    broken = add_run("broken") / file
    add_run("whole")
    broken.write_text(broken.read_text()[:keep])
    page, unreadable = write_gallery(tmp_path)
    assert unreadable == [broken.parent]
    assert len(cards(page)) == 1


def test_combined_reports_of_studies_are_linked(add_run: AddRun, tmp_path: Path) -> None:
    add_run()
    study = tmp_path / "studies" / "brands"
    study.mkdir(parents=True)
    (study / "report.html").write_text("")
    content = {"title": "Two <b>brands</b>", "failures": [{"run": "a", "reason": "b"}]}
    (study / "study.json").write_text(json.dumps(content))
    text = write_gallery(tmp_path)[0].read_text()
    assert 'href="studies/brands/report.html"><bdi>Two &lt;b&gt;brands&lt;/b&gt;</bdi></a>' in text
    assert "(1 run failed)" in text


def test_an_empty_folder_says_how_to_begin(tmp_path: Path) -> None:
    text = write_gallery(tmp_path)[0].read_text()
    assert "No runs yet" in text and "<script>" not in text


def test_three_hundred_runs_are_listed_quickly(add_run: AddRun, tmp_path: Path) -> None:
    rows = ",\n".join(['   {"item": "a", "loading": 0.7}'] * 10_000)
    for number in range(300):
        results = add_run(f"{number:04}") / "results.json"
        if number % 3 == 0:
            text = results.read_text().replace('"loadings": [', f'"loadings": [\n{rows},')
            results.write_text(text)
    start = time.perf_counter()
    page, unreadable = write_gallery(tmp_path)
    assert time.perf_counter() - start < 5
    assert len(cards(page)) == 300 and not unreadable
