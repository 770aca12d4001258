"""The gallery and the reports in a real browser: what works, and for whom."""

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from cvlib.study.batch import read_study, run_study
from cvlib.study.gallery import write_gallery
from cvlib.study.notebook import read_notebook, shipped
from cvlib.study.render.report import html_report

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
Open = Callable[..., Page]
expect.set_options(timeout=20_000)  # for a busy machine

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&"
ARABIC, SCIENTIST, LONG = "رضا العملاء", "👩‍🔬", "long" * 2_500
PARAMETERS = """data: str = "mobi"  # a data set
model: str = "acsi"  # a model
draws: int = 5  # how many draws
wave: int = 1  # a wave
note: str = ""  # a remark
seed: int = 1  # of random numbers
language: str = "en"  # language of labels
out: str = ""  # folder"""
SHOWN = f"""if model == "broken":
    raise ValueError("this model cannot be estimated")
import pandas as pd
import cvlib
from cvlib.figures.style import house_style, new_figure
record = cvlib.Record("shown", out=out, language=language, seed=seed)
record.warn(["Few answers: " + {NASTY!r}])
text = [{NASTY!r}, {ARABIC!r}, {SCIENTIST!r}, {LONG!r}]
record.show("labels", pd.DataFrame({{"label": text, "n": range(4)}}), title="Text from data")
wide = pd.DataFrame([[n / 3 for n in range(24)]] * 5, columns=[f"column_{{n}}" for n in range(24)])
record.show("wide", wide, title="A wide table", note="Wider than a page.")
with house_style():
    figure, axes = new_figure(7, 3)
    axes.plot([1, 2, 3])
record.show("line", figure, title="A line", alt="The line rises.")
index = 70 + draws / 7
record.headline("index", index, f"{{model}} {ARABIC}: index {{index:.1f}}.")
record.close()"""
OTHER = f"""import cvlib
record = cvlib.Record("other", out=out, seed=seed)
record.headline("churn", 0.25, "A quarter leaves. {LONG}")
record.close()"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, write_notebook: Callable[..., Path]) -> Path:
    """A reports folder with a study of four runs; a fifth failed."""
    folder = tmp_path_factory.mktemp("browser")
    shown = write_notebook(folder / "shown.ipynb", code=SHOWN, parameters=PARAMETERS)
    other = write_notebook(folder / "other.ipynb", code=OTHER, parameters=PARAMETERS)
    chinese = {"model": "ccsi", "draws": 12, "language": "zh", "note": LONG[:240]}
    runs = [
        {"notebook": str(shown), "grid": {"model": ["acsi", NASTY, "broken"]}},
        {"notebook": str(shown), "parameters": chinese},
        {"notebook": str(other), "parameters": {"draws": 12}},
    ]
    study = folder / "study.yaml"
    content = {"title": "Two <b>brands</b>", "runs": runs}
    study.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    outcomes = run_study(read_study(study), folder / "reports", jobs=2)
    assert [outcome.run is None for outcome in outcomes] == [False, False, True, False, False]
    write_gallery(folder / "reports")
    return folder / "reports"


@pytest.fixture(scope="module")
def real_reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The reports of the suite's own notebooks, from their stored outputs; one in Chinese."""
    written = []
    for path in shipped():
        folder = tmp_path_factory.mktemp(path.stem)
        shutil.copy(path, folder / "notebook.ipynb")
        notebook = read_notebook(path)
        manifest = {
            "notebook": notebook.name,
            "title": notebook.title,
            "run_id": "0123456789ab",
            "parameters": notebook.arguments({"language": "en" if written else "zh"}),
            "inputs": {"data": {"file": "data.csv", "sha256": "0123456789abcdef" * 4}},
            "versions": {"cvlib": "0.1.0", "numpy": "2.4.0"},
            "started": "2026-11-22T02:04:36Z",
            "duration_seconds": 1.5,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        (folder / "report.html").write_text(html_report(folder), encoding="utf-8")
        written.append(folder / "report.html")
    return written


@pytest.fixture(scope="module")
def browser(reports: Path, real_reports: list[Path]) -> Iterator[Browser]:
    # after the runs: kernels and Playwright each want the event loop for themselves
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM) as found,
    ):
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a file; nothing may be fetched from elsewhere, no script may fail or pop up."""
    contexts, fetched, complaints = [], [], []

    def opened(path: Path, width: int = 1400, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        context.on("request", lambda request: fetched.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


def gallery(open_page: Open, reports: Path, **given: Any) -> Page:
    return open_page(reports / "index.html", **given)


def a_report(reports: Path) -> Path:
    """The report of the run with the notebook's own settings."""
    for manifest in reports.glob("shown/*/manifest.json"):
        if not json.loads(manifest.read_text(encoding="utf-8"))["changed"]:
            return manifest.with_name("report.html")
    raise AssertionError("no run has the default settings")


def combined_report(reports: Path) -> Path:
    return next(reports.glob("studies/*/report.html"))


def card(page: Page, text: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=text)


def shown(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(".run:visible").all_inner_texts()]


def choose(page: Page, *texts: str) -> None:
    for text in texts:
        card(page, text).get_by_role("checkbox").check()


def overflow(page: Page) -> int:
    return page.evaluate(
        "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )


def serious(page: Page) -> list[str]:
    """Findings of axe-core of impact serious or critical, each with its first place."""
    # a shade behind tables would make axe give up on their contrast; rows repeat their styles
    page.add_style_tag(content=".cvlib-table { background-image: none !important; }")
    page.evaluate(
        "document.querySelectorAll('tbody tr:nth-child(n+4)').forEach(row => row.remove())"
    )
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response
    unsure = [item for item in found["incomplete"] if item["id"] == "color-contrast"]
    assert sum(len(item["nodes"]) for item in unsure) < 5, unsure
    assert len(found["passes"]) > 15
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:120]}"
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    ]


def test_the_gallery_opens_with_every_run_and_its_thumbnail(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    expect(page).to_have_title("Reports")
    expect(page.get_by_role("status").first).to_have_text("4 runs")
    expect(page.get_by_role("heading", level=3)).to_have_text("Notebooks of your own")
    expect(page.get_by_role("heading", level=4)).to_have_count(4)
    images = page.get_by_role("img", name="The line rises.")
    expect(images).to_have_count(3)
    for image in images.all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("async image => { await image.decode(); return image.naturalWidth; }")
    expect(page.locator('.run[lang="zh"]')).to_have_count(1)
    expect(page.get_by_role("link", name="Two <b>brands</b>")).to_be_visible()
    expect(page.get_by_text("(1 run failed)")).to_be_visible()


def test_links_lead_to_the_reports(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    card(page, "A quarter leaves.").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A little notebook")
    assert "/other/" in page.url


def test_search_narrows_the_list_and_announces_the_number(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    box = page.get_by_role("searchbox", name="Search")
    box.fill("QUARTER")
    expect(page.get_by_role("status").first).to_have_text("1 of 4 runs")
    assert len(shown(page)) == 1 and "A quarter leaves." in shown(page)[0]
    box.fill("model=ccsi")
    assert len(shown(page)) == 1 and "ccsi" in shown(page)[0]
    box.fill("draws = 12 index")
    assert len(shown(page)) == 1
    box.fill("no such run")
    expect(page.get_by_role("status").first).to_have_text("0 of 4 runs")
    expect(page.get_by_text("No run fits.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == 4
    expect(page.get_by_text("No run fits.")).to_be_hidden()


def test_filters_by_notebook_and_by_a_parameter_that_differs(
    open_page: Open, reports: Path
) -> None:
    page = gallery(open_page, reports)
    notebook, parameter, value = (
        page.get_by_role("combobox", name=name) for name in ("Notebook", "Parameter", "Value")
    )
    assert parameter.locator("option").all_inner_texts() == [
        "any",
        "draws",
        "model",
        "note",
    ]
    expect(value).to_be_disabled()
    parameter.select_option("draws")
    assert value.locator("option").all_inner_texts() == ["any", "5", "12"]
    value.select_option("12")
    assert len(shown(page)) == 2
    notebook.select_option("shown")
    assert len(shown(page)) == 1 and "language = zh" in shown(page)[0]
    expect(page.get_by_role("status").first).to_have_text("1 of 4 runs")
    parameter.select_option("model")
    assert len(shown(page)) == 3
    value.select_option(NASTY)
    assert len(shown(page)) == 1 and NASTY in shown(page)[0]
    # what does not differ within a notebook is no filter of it
    notebook.select_option("other")
    expect(parameter).to_be_disabled()
    assert len(shown(page)) == 1 and "A quarter leaves." in shown(page)[0]


def test_two_runs_are_compared(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    comparison = page.get_by_role("region", name="Two runs compared")
    expect(comparison).to_be_hidden()
    choose(page, "language = zh")
    expect(page.get_by_text("One run chosen.")).to_be_visible()
    choose(page, "default settings")
    said = "Differences: 1 in headline numbers, 4 in parameters."
    expect(page.get_by_role("status").last).to_contain_text(said)
    expect(comparison).to_be_visible()
    rows = {
        row.get_by_role("rowheader").inner_text(): row.get_by_role("cell").all_inner_texts()
        for row in comparison.get_by_role("row").all()
        if row.get_by_role("cell").count() == 3
    }
    # in the order of the ticks: 70 + 12/7 against 70 + 5/7
    assert rows == {
        "index": ["71.7143", "70.7143", "-1"],
        "draws": ["12", "5", ""],
        "language": ["zh", "en", ""],
        "model": ["ccsi", "acsi", ""],
        "note": [LONG[:240], "(empty)", ""],
    }
    assert comparison.get_by_role("columnheader").all_inner_texts() == [
        "First",
        "Second",
        "Difference",
    ]
    first, second = comparison.get_by_role("link").all()
    assert first.get_attribute("href") != second.get_attribute("href")
    page.get_by_role("button", name="End the comparison").click()
    expect(comparison).to_be_hidden()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


def test_the_comparison_opens_at_the_run_chosen_last(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    choose(page, "language = zh", "default settings")
    before = "comparison.closest('li').previousElementSibling"
    assert "default settings" in page.evaluate(f"{before}.innerText")
    page.get_by_role("button", name="End the comparison").click()
    choose(page, "default settings", "language = zh")
    assert "language = zh" in page.evaluate(f"{before}.innerText")
    expect(page.get_by_role("region", name="Two runs compared")).to_be_in_viewport()


def test_filters_by_data_file_and_language(open_page: Open, reports: Path, tmp_path: Path) -> None:
    source = a_report(reports).parent
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    for run, (file, language) in enumerate(
        [("mobi.csv, brand.csv", "en"), ("cdnow.csv", "en"), ("cdnow.csv", "zh")]
    ):
        folder = tmp_path / "shown" / f"{run}"
        folder.mkdir(parents=True)
        manifest["inputs"] = {"data": {"file": file, "sha256": "0" * 64}}
        manifest["parameters"] |= {"language": language}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        shutil.copy(source / "results.json", folder / "results.json")
    page = open_page(write_gallery(tmp_path)[0])
    file, language = (page.get_by_role("combobox", name=name) for name in ("Data file", "Language"))
    assert file.locator("option").all_inner_texts() == ["all", "brand.csv", "cdnow.csv", "mobi.csv"]
    file.select_option("cdnow.csv")
    assert len(shown(page)) == 2
    language.select_option("中文")
    assert len(shown(page)) == 1
    page.get_by_role("button", name="Show all").click()
    file.select_option("brand.csv")
    assert len(shown(page)) == 1


def test_a_third_choice_is_explained(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    choose(page, "default settings", "A quarter leaves.")
    card(page, "language = zh").get_by_role("checkbox").click()
    expect(page.get_by_role("status").last).to_contain_text("Untick one of them")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    expect(card(page, "language = zh").get_by_role("checkbox")).not_to_be_checked()


def test_runs_of_different_notebooks_are_compared_by_what_both_have(
    open_page: Open, reports: Path
) -> None:
    page = gallery(open_page, reports)
    choose(page, "default settings", "A quarter leaves.")
    comparison = page.get_by_role("region", name="Two runs compared")
    expect(comparison).to_contain_text("different notebooks")
    expect(comparison.get_by_role("rowheader", name="churn")).to_have_count(0)
    expect(comparison.get_by_role("rowheader", name="draws")).to_be_visible()


def test_the_gallery_works_by_keyboard_alone(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)

    def tab_to(what: str, most: int = 12) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert seen != "none", page.evaluate("document.activeElement.outerHTML")
            if page.evaluate("what => document.activeElement.matches(what)", what):
                return
        raise AssertionError(f"{what} is not reached by Tab")

    tab_to("#search")
    page.keyboard.type("model")
    tab_to(".run input")
    page.keyboard.press("Space")
    tab_to(".run input")
    page.keyboard.press("Space")
    comparison = page.get_by_role("region", name="Two runs compared")
    expect(comparison).to_be_visible()
    tab_to('.pick a[href="#comparison"]', most=1)
    page.keyboard.press("Enter")
    expect(comparison).to_be_focused()
    expect(comparison).to_be_in_viewport()
    expect(page.get_by_role("status").last).to_be_empty()
    tab_to("#clear")
    page.keyboard.press("Enter")
    expect(comparison).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('.run input')")


def test_the_gallery_is_as_it_was_when_one_comes_back(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    page.get_by_role("searchbox", name="Search").fill("index")
    page.get_by_role("combobox", name="Parameter").select_option("draws")
    page.get_by_role("combobox", name="Value").select_option("5")
    choose(page, "default settings", "model = " + NASTY)
    card(page, "default settings").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A little notebook")
    page.go_back()
    expect(page.get_by_role("status").first).to_have_text("2 of 4 runs")
    expect(page.get_by_role("region", name="Two runs compared")).to_contain_text("1 in parameters")


def test_text_from_data_does_nothing(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports)
    expect(card(page, NASTY).first).to_be_visible()
    choose(page, "model = " + NASTY, "default settings")
    expect(page.get_by_role("cell", name=NASTY)).to_be_visible()
    assert page.evaluate("document.querySelectorAll('main script, main img[onerror]').length") == 0
    arabic = page.locator("bdi, [dir=auto]", has_text=ARABIC)
    assert arabic.count() == 3
    for report in (a_report(reports), combined_report(reports)):
        page = open_page(report)
        for text in (NASTY, ARABIC, SCIENTIST):
            expect(page.get_by_role("cell", name=text).first).to_be_attached()
        assert page.evaluate("document.querySelectorAll('main script, [onerror]').length") == 0


@pytest.mark.parametrize("width", [400, 1400])
def test_the_gallery_fits_the_page(open_page: Open, reports: Path, width: int) -> None:
    page = gallery(open_page, reports, width=width)
    choose(page, "model = " + NASTY, "language = zh")
    assert overflow(page) == 0
    for control in page.locator("input, select, button, .run img").all():
        box = control.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width


def test_wide_tables_and_figures_scroll_by_keyboard(open_page: Open, reports: Path) -> None:
    report = a_report(reports)
    page = open_page(report, width=400)
    for name in ("A wide table", "The line rises."):
        region = page.get_by_role("region", name=name)
        region.focus()
        page.keyboard.press("ArrowRight")
        for _ in range(100):
            if region.evaluate("region => region.scrollLeft"):
                break
            page.wait_for_timeout(30)
        else:
            raise AssertionError(f"{name} does not scroll by keyboard")
    caption = page.locator("caption", has_text="A wide table").bounding_box()
    assert caption and caption["x"] >= 0 and caption["x"] + caption["width"] <= 400
    # where nothing has to scroll, Tab does not stop
    stops = page.locator(".cvlib-table[tabindex], .output_png[tabindex]")
    assert stops.count() > 1
    page.set_viewport_size({"width": 1400, "height": 900})
    expect(stops).to_have_count(1)


def test_reports_are_documents_that_fit_the_page(
    open_page: Open, reports: Path, real_reports: list[Path]
) -> None:
    seen = []
    other = next(reports.glob("other/*/report.html"))
    for report in (a_report(reports), other, combined_report(reports), *real_reports):
        page = open_page(report)
        found = page.evaluate(
            """() => ({
            levels: [...document.querySelectorAll("h1, h2, h3, h4")].map(head => +head.tagName[1]),
            alts: [...document.images].map(image => image.alt),
            identifiers: [...document.querySelectorAll("[id]")].map(item => item.id),
            targets: [...document.querySelectorAll("nav a")].map(link => link.hash.slice(1)),
            heads: [...document.querySelectorAll("thead th")].map(head => head.scope),
            })"""
        )
        assert found["levels"][0] == 1 and found["levels"].count(1) == 1, report
        steps = itertools.pairwise(found["levels"])
        assert all(after <= before + 1 for before, after in steps), report
        assert all(len(alt) > 5 for alt in found["alts"]), report
        assert len(found["identifiers"]) == len(set(found["identifiers"])), report
        assert len(found["targets"]) >= 3, report
        assert set(found["targets"]) <= set(found["identifiers"]), report
        assert set(found["heads"]) == {"col"}, report
        assert overflow(page) == 0, report
        page.set_viewport_size({"width": 400, "height": 900})
        assert overflow(page) == 0, report
        seen.append(page.locator("html").get_attribute("lang"))
        page.close()
    assert seen == ["en"] * 3 + ["zh"] + ["en"] * (len(real_reports) - 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    open_page: Open, reports: Path, real_reports: list[Path], scheme: str
) -> None:
    page = gallery(open_page, reports, scheme=scheme)
    choose(page, "default settings", "language = zh")
    assert serious(page) == []
    for report in (combined_report(reports), real_reports[6]):
        page = open_page(report, width=400, scheme=scheme)
        assert serious(page) == [], report


def test_print_has_the_content_and_no_controls(open_page: Open, reports: Path) -> None:
    page = gallery(open_page, reports, width=700)
    choose(page, "default settings")
    page.emulate_media(media="print")
    for control in page.locator("input, select, button, #choice").all():
        expect(control).to_be_hidden()
    assert len(shown(page)) == 4
    page = open_page(a_report(reports), width=700)
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_have_count(0)
    for region in page.locator(".cvlib-table, .output_png").all():
        assert region.evaluate("region => getComputedStyle(region).overflowX") == "visible"


def test_three_hundred_runs_are_filtered_and_compared_at_once(
    open_page: Open, reports: Path, tmp_path: Path
) -> None:
    source = a_report(reports).parent
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    for number in range(300):
        folder = tmp_path / f"notebook_{number % 5}" / f"{number:012}"
        (folder / "figures").mkdir(parents=True)
        manifest |= {"notebook": folder.parent.name, "changed": {"wave": number // 5}}
        manifest["parameters"] |= {
            "wave": number // 5,
            "note": f"{LONG if number > 290 else ''} {number}",
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        for name in ("results.json", "figures/line.svg"):
            shutil.copy(source / name, folder / name)
    page = open_page(write_gallery(tmp_path)[0])
    expect(page.get_by_role("status").first).to_have_text("300 runs")
    taken = page.evaluate("""() => {
        const start = performance.now();
        search.value = "notebook_3 wave=7";
        search.dispatchEvent(new Event("input"));
        search.value = "";
        notebook.value = "notebook_3";
        notebook.dispatchEvent(new Event("change"));
        boxes.slice(-2).forEach(box => box.click());
        document.body.offsetHeight;
        return performance.now() - start;
    }""")
    assert taken < 1_000
    expect(page.get_by_role("status").first).to_have_text("60 of 300 runs")
    expect(page.get_by_role("rowheader", name="wave")).to_be_visible()
    # of texts too long to show, the place where they part
    part = page.get_by_role("row", name="note").get_by_role("cell").first
    expect(part).to_have_text(re.compile(r"^…\w{3,40} 2\d\d$"))
    assert page.get_by_role("combobox", name="Value").locator("option").count() == 1
    page.get_by_role("combobox", name="Parameter").select_option("wave")
    assert page.get_by_role("combobox", name="Value").locator("option").count() == 61


def test_the_first_screen_answers_and_eight_hold_the_evidence(
    open_page: Open, real_reports: list[Path]
) -> None:
    for report in real_reports:
        page = open_page(report, width=1200)
        found = page.evaluate(
            """() => ({
            ends: [".verdict", ".tile", ".hero :is(img, svg)", ".then ul"]
              .flatMap(part => [...document.querySelectorAll(`.answer ${part}`)])
              .map(part => part.getBoundingClientRect().bottom),
            parts: [".verdict", ".tile", ".hero :is(img, svg)", ".then ul"]
              .map(part => document.querySelectorAll(`.answer ${part}`).length),
            heads: [...document.querySelectorAll(".then h2")].map(head => head.textContent),
            appendix: document.getElementById("appendix").getBoundingClientRect().top,
            })"""
        )
        assert min(found["parts"]) >= 1 and found["parts"][1] >= 3, report
        assert found["parts"][3] == len(found["heads"]) == 2, report
        assert max(found["ends"]) <= 900, (report, max(found["ends"]))
        assert found["appendix"] <= 8 * 900, (report, found["appendix"] / 900)
        page.close()


def test_long_tables_scroll_under_their_heads_and_are_filtered(
    open_page: Open, real_reports: list[Path]
) -> None:
    page = open_page(real_reports[0])
    table = page.locator(".evidence #table-fit")
    rows = table.locator("tbody tr")
    assert rows.count() > 15 and table.bounding_box()["height"] < 500
    table.evaluate("table => table.scrollTo(0, 300)")
    head, box = table.locator("th").first.bounding_box(), table.bounding_box()
    assert head and box and abs(head["y"] - box["y"]) < 2
    page.locator("#table-fit + p.files").get_by_role("searchbox").fill("rmsea")
    shown = [row for row in rows.all() if row.is_visible()]
    heads = [row for row in shown if "block" in (row.get_attribute("class") or "")]
    shown = [row for row in shown if row not in heads]
    assert 0 < len(shown) < 6 and all("RMSEA" in row.inner_text() for row in shown)
    assert 0 < len(heads) <= table.locator("tbody tr.block").count()
    page.emulate_media(media="print")
    assert table.evaluate("table => getComputedStyle(table).maxHeight") == "none"


def test_what_if_prints_what_the_table_of_impacts_prints(
    open_page: Open, real_reports: list[Path]
) -> None:
    page = open_page(real_reports[0])
    element = page.locator(".what-if")
    rows = page.locator("#table-what_if tbody tr").all()
    printed = {
        tuple(cells[:2]): cells[2:]
        for row in rows
        if (cells := [text.strip() for text in row.locator("td").all_text_contents()])
    }
    sliders = element.get_by_role("slider").all()
    assert len(sliders) >= 3
    names = element.locator(".levers label span").all_inner_texts()
    outcomes = element.locator(".tile dt").all_inner_texts()
    for slider, name in zip(sliders[:2], names, strict=False):
        slider.focus()
        for presses, column in ((1, 0), (4, 1)):
            for _ in range(presses):
                page.keyboard.press("ArrowRight")
            for outcome, moved in zip(
                outcomes, element.locator(".tile span").all_inner_texts(), strict=True
            ):
                cells = printed[name, outcome]
                limits = f" ({cells[2]} – {cells[3]})" if column else ""
                assert moved.startswith(f"+{cells[column]}{limits}"), (name, outcome)
        element.get_by_role("button").click()
        assert set(element.locator(".tile span").all_inner_texts()) == {"±0"}
    # two drivers together: effects add up, and so do their limits
    for slider in sliders[:2]:
        slider.fill("5")
    both = [printed[name, outcomes[0]] for name in names[:2]]
    moved = [
        float(text)
        for text in re.findall(r"[-\d.]+", element.locator(".tile span").first.inner_text())
    ]
    assert moved == pytest.approx(
        [sum(float(row[n]) for row in both) for n in (1, 2, 3)], abs=0.002
    )


def test_sliders_of_a_study_compute_what_the_table_prints(
    open_page: Open, real_reports: list[Path]
) -> None:
    report = next(p for p, n in zip(real_reports, shipped(), strict=True) if "study" in n.stem)
    page = open_page(report)
    element = page.locator(".what-if .flows")
    rows = [
        [text.strip() for text in row.locator("td").all_text_contents()]
        for row in page.locator("#table-what_if_value tbody tr").all()
    ]
    first = [row for row in rows if row[0] == rows[0][0]]  # all customers, 1 to 10 points
    assert [row[1] for row in first] == [str(n) for n in range(1, 11)]

    def shown(name: str) -> str:
        return " ".join(element.locator(f"[data-shows={name}]").inner_text().split("\n")[1:])

    slider = element.locator("[name=points]")
    for row in (first[0], first[6]):
        slider.fill(row[1])
        assert shown("customer") == f"{row[2]} ({row[3]} – {row[4]})"
        assert shown("base").startswith(f"{float(row[5].replace(',', '')):,.0f} ")
    slider.fill("1")
    before = shown("customer")
    for name, value in (("margin", "0"), ("rate", "25"), ("horizon", "12")):
        element.locator(f"[name={name}]").fill(value)
        assert shown("customer") != before
        before = shown("customer")
    element.locator("[name=cost]").evaluate(
        "input => { input.value = input.max; input.dispatchEvent(new Event('input', "
        "{ bubbles: true })); }"
    )
    assert shown("base").startswith("-") and shown("return").startswith("-")
    element.get_by_role("button").click()
    assert shown("customer") == f"{first[0][2]} ({first[0][3]} – {first[0][4]})"
    assert shown("return") == "–"
    if element.locator("select").count():
        element.locator("select").select_option(index=1)
        own = next(row for row in rows if row[0] != first[0][0])
        assert shown("customer") == f"{own[2]} ({own[3]} – {own[4]})"


def test_what_if_without_script_is_a_table(browser: Browser, real_reports: list[Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(real_reports[0].as_uri())
    expect(page.locator("#table-what_if tbody tr").first).to_be_visible()
    expect(page.locator(".what-if p.note")).to_be_visible()
    assert page.get_by_role("slider").count() == 0
    context.close()


def test_the_path_diagram_shows_its_parts_on_demand(
    open_page: Open, real_reports: list[Path]
) -> None:
    page = open_page(real_reports[0])
    diagram = page.locator(".diagram").first
    for part, start in (
        ("estimates", True),
        ("intervals", False),
        ("r_squared", True),
        ("weights", False),
    ):
        text = diagram.locator(f"text.{part}").first
        switch = diagram.locator(f"[data-part={part}]")
        expect(text).to_be_visible() if start else expect(text).to_be_hidden()
        switch.focus()
        page.keyboard.press("Space")
        expect(text).to_be_hidden() if start else expect(text).to_be_visible()
    arrow = diagram.locator(".arrow").first
    assert re.search(
        r"-?\d\.\d\d – -?\d\.\d\d, p [<=] \.\d{3}$", arrow.get_attribute("aria-label") or ""
    )
    expect(arrow.locator(".tip")).to_have_css("visibility", "hidden")
    arrow.focus()
    expect(arrow.locator(".tip")).to_have_css("visibility", "visible")
