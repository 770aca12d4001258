import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest

from cvlib.inputs.errors import InputError
from cvlib.study import warm
from cvlib.study.execute import RunFailed, refresh
from cvlib.study.files import input_files, input_hashes
from cvlib.study.gallery import write_gallery
from cvlib.study.notebook import read_notebook
from cvlib.study.run import question, run_id, run_notebook

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, write_notebook: Make) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    notebook = read_notebook(write_notebook(folder / "little.ipynb"))
    return run_notebook(notebook, {"draws": "7"}, folder / "reports").folder


def test_a_run_folder_holds_everything(finished: Path) -> None:
    names = {path.relative_to(finished).as_posix() for path in finished.rglob("*.*")}
    assert {
        "notebook.ipynb",
        "report.html",
        "results.json",
        "manifest.json",
        "tables/numbers.csv",
    } <= names


def test_tables_are_kept_at_full_precision(finished: Path) -> None:
    assert "0.3333333333333333" in (finished / "tables" / "numbers.csv").read_text()
    results = json.loads((finished / "results.json").read_text())
    assert results["tables"]["numbers"][0]["value"] == 1 / 3
    assert results["headlines"]["third"]["value"] == 1 / 3
    assert results["warnings"] == ["take <care>"]


def test_the_manifest_says_what_was_asked(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["parameters"]["draws"] == 7
    assert manifest["changed"] == {"draws": 7}
    assert len(manifest["inputs"]["data"]["sha256"]) == 64
    assert manifest["run_id"] == finished.name


def test_the_report_has_no_code_and_no_live_text_from_data(finished: Path) -> None:
    html = (finished / "report.html").read_text()
    assert "record.show" not in html
    assert "<script>alert(1)" not in html and "&lt;script&gt;alert(1)" in html
    assert "<b>" not in html
    assert "http://" not in html and "https://" not in html
    assert "take &lt;care&gt;" in html


def test_the_gallery_lists_the_run_with_its_headline(finished: Path) -> None:
    page, unreadable = write_gallery(finished.parents[1])
    assert not unreadable
    html = page.read_text()
    assert f"little/{finished.name}/report.html" in html
    assert "A third of 7 *draws* &lt;b&gt;" in html


def test_a_corrupted_run_is_named_and_left_alone(finished: Path, tmp_path: Path) -> None:
    broken = tmp_path / "little" / "abc"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{")
    _, unreadable = write_gallery(tmp_path)
    assert unreadable == [broken]
    assert (broken / "manifest.json").read_text() == "{"


def test_the_same_question_is_not_asked_twice(make_notebook: Make, tmp_path: Path) -> None:
    notebook = read_notebook(make_notebook())
    first = run_notebook(notebook, {}, tmp_path / "out")
    again = run_notebook(notebook, {"draws": "5"}, tmp_path / "out")
    assert again.existed and again.folder == first.folder
    assert [p.name for p in (tmp_path / "out" / "little").iterdir()] == [first.folder.name]


def test_the_same_question_in_another_language_is_linked_from_both_pages(
    make_notebook: Make, tmp_path: Path
) -> None:
    notebook = read_notebook(make_notebook())
    said = {"en": "English", "zh": "中文"}
    run_notebook(notebook, {"draws": 3, "language": "zh"}, tmp_path)  # another question
    own = {
        language: run_notebook(notebook, {"language": language}, tmp_path).folder
        for language in said
    }
    for one, other in (("en", "zh"), ("zh", "en")):
        page = (own[one] / "report.html").read_text()
        assert (
            f'<a href="../{own[other].name}/report.html" lang="{other}">{said[other]}</a>' in page
        )
        assert page.count('/report.html" lang=') == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"draw": "5"}, "Did you mean 'draws'?"),
        ({"draws": "many"}, "'many' is not of type int"),
        ({"draws": "1.5"}, "'1.5' is not of type int"),
        ({"strict": "1"}, "'1' is not of type bool"),
        ({"mapping": "a"}, "'a' is not of type dict"),
        ({"out": "x"}, "there is no such parameter"),
    ],
)
def test_wrong_parameters_are_refused_before_a_kernel_starts(
    make_notebook: Make, tmp_path: Path, given: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said.replace("?", "\\?")):
        run_notebook(read_notebook(make_notebook()), given, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parameters_are_converted_by_their_type(make_notebook: Make) -> None:
    arguments = read_notebook(make_notebook()).arguments(
        {"data": "007", "share": "1", "strict": "true", "mapping": "{a: b}"}
    )
    assert arguments["data"] == "007"
    assert arguments["share"] == 1.0 and isinstance(arguments["share"], float)
    assert arguments["strict"] is True
    assert arguments["mapping"] == {"a": "b"}


def test_bad_input_leaves_nothing_behind(make_notebook: Make, tmp_path: Path) -> None:
    code = """from cvlib.inputs.errors import InputError
raise InputError("file.csv, column q1, row 3", "'abc' is not a number", "Mend the cell.")"""
    with pytest.raises(InputError) as caught:
        run_notebook(read_notebook(make_notebook(code=code)), {}, tmp_path / "out")
    assert str(caught.value) == (
        "file.csv, column q1, row 3: 'abc' is not a number. Mend the cell."
    )
    assert not (tmp_path / "out" / "little").exists()


def test_a_failure_keeps_its_notebook_and_earlier_reports(
    make_notebook: Make, tmp_path: Path
) -> None:
    earlier = run_notebook(read_notebook(make_notebook()), {}, tmp_path / "out").folder
    before = {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()}
    broken = read_notebook(make_notebook(code="1 / 0"))
    with pytest.raises(RunFailed, match="ZeroDivisionError"):
        run_notebook(broken, {}, tmp_path / "out")
    failed = [path for path in (tmp_path / "out" / "little").iterdir() if path != earlier]
    assert [path.suffix for path in failed] == [".failed"]
    assert "ZeroDivisionError" in (failed[0] / "notebook.ipynb").read_text()
    assert {path: path.read_bytes() for path in before} == before


def test_a_killed_kernel_is_a_failure(make_notebook: Make, tmp_path: Path) -> None:
    path = make_notebook(code="import os; os.kill(os.getpid(), 9)")
    content = nbformat.read(path, as_version=4)
    content.cells.insert(2, nbformat.v4.new_code_cell("print('had run')"))
    nbformat.write(content, path)
    with pytest.raises(RunFailed, match="the kernel stopped"):
        run_notebook(read_notebook(path), {}, tmp_path / "out")
    (kept,) = (tmp_path / "out").rglob("notebook.ipynb")
    assert nbformat.read(kept, as_version=4).cells[3].outputs[0].text == "had run\n"


WORKERS = """import joblib, os, psutil, cvlib
joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(number) for number in range(4))
pids = [child.pid for child in psutil.Process().children(recursive=True)]
record = cvlib.Record("little", out=out)
record.headline("pids", " ".join(map(str, [os.getpid(), *pids])), "Who works")
record.close()"""


def test_a_long_run_is_saved_as_it_goes(
    make_notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_notebook()
    content = nbformat.read(path, as_version=4)
    look = "import glob; print(len(glob.glob(f'{out}/*.ipynb')))"
    content.cells.append(nbformat.v4.new_code_cell(look))
    nbformat.write(content, path)
    for seconds in (0, 60):
        monkeypatch.setattr("cvlib.study.execute.SAVE_SECONDS", seconds)
        run = run_notebook(read_notebook(path), {"seed": str(seconds)}, tmp_path / "out")
        cells = nbformat.read(run.folder / "notebook.ipynb", as_version=4).cells
        assert cells[-1].outputs[0].text == ("0\n" if seconds else "1\n")


def test_nothing_of_a_kernel_stays_behind(make_notebook: Make, tmp_path: Path) -> None:
    run = run_notebook(read_notebook(make_notebook(code=WORKERS)), {}, tmp_path / "out")
    pids = [int(pid) for pid in run.results["headlines"]["pids"]["value"].split()]
    assert len(pids) >= 3
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert psutil.wait_procs(alive, timeout=10)[1] == []


def test_refresh_keeps_outputs_and_no_varying_metadata(make_notebook: Make) -> None:
    path = make_notebook()
    refresh(read_notebook(path))
    first = path.read_bytes()
    refresh(read_notebook(path))
    assert path.read_bytes() == first
    assert b"execution_count" in first and b"iopub" not in first


def test_files_count_by_content_wherever_they_lie(make_notebook: Make, tmp_path: Path) -> None:
    notebook = read_notebook(make_notebook())
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders_1.csv").write_text("x\n1\n")
        (tmp_path / folder / "orders_2.csv").write_text("x\n2\n")

    def identity(data: str) -> str:
        arguments = notebook.arguments({"data": str(tmp_path / data)})
        hashes = input_hashes(input_files(notebook, arguments))
        return run_id(notebook, arguments, hashes)

    assert identity("a/orders_1.csv") == identity("b/orders_1.csv")
    assert identity("a/orders_*.csv") == identity("b/orders_*.csv") == identity("b/")
    assert identity("a/orders_1.csv") != identity("a/orders_*.csv")
    before = identity("a/orders_*.csv")
    (tmp_path / "a" / "orders_2.csv").write_text("x\n3\n")
    assert identity("a/orders_*.csv") != before


def test_another_key_of_pseudonyms_is_another_run(make_notebook: Make, tmp_path: Path) -> None:
    notebook = read_notebook(make_notebook())
    names = []
    for key in ("", "a secret of many letters", "another of as many letters"):
        if key:
            (tmp_path / "private").mkdir(exist_ok=True)
            (tmp_path / "private" / "pseudonyms.key").write_text(key)
        names.append(question(notebook, {}, tmp_path / "reports")[2].folder.name)
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("j.xlsx", b"PK\x03\x04 but no workbook", "j.xlsx: is a damaged workbook"),
        ("m.yaml", b"a: 1\nb: [1\n", "m.yaml, line 3: not valid YAML"),
    ],
)
def test_damaged_files_are_refused_before_a_kernel_starts(
    make_notebook: Make, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        question(read_notebook(make_notebook()), {"data": str(tmp_path / name)}, tmp_path / "out")


def test_lists_and_blanks_of_file_parameters(make_notebook: Make, tmp_path: Path) -> None:
    """Files in a list are inputs; a blank is none, whatever lies in the working folder."""
    (tmp_path / "a.yaml").write_text("a: 1\n")
    parameters = """models: list = []  # models
judgements: str = ""  # experts
language: str = "en"  # labels
out: str = ""  # folder"""
    notebook = read_notebook(make_notebook(parameters=parameters))
    given = {"models": ["acsi", str(tmp_path / "a.yaml"), " "], "judgements": " "}
    arguments = notebook.arguments(given)
    assert arguments == {
        "models": given["models"][:2], "judgements": "", "language": "en",
    }  # fmt: skip
    assert input_files(notebook, arguments) == {"models": [tmp_path / "a.yaml"]}
    before = input_hashes(input_files(notebook, arguments))
    (tmp_path / "a.yaml").write_text("a: 2\n")
    assert input_hashes(input_files(notebook, arguments)) != before


def test_a_column_is_not_taken_for_a_folder(make_notebook: Make, tmp_path: Path) -> None:
    notebook = read_notebook(make_notebook())
    assert input_files(notebook, notebook.arguments({"data": "tests"})) == {}


# It calls no pillar: its name stands in two parts.
LOOK = """
import os, sys, cvlib, psutil
import pandas as pd
found = [".".join(["cvlib", "weighting"]) in sys.modules,
         "cvlib.study.warm" in psutil.Process().parent().cmdline(), os.getsid(0) == os.getpid()]
record = cvlib.Record("little", out=out, seed=seed)
record.show("numbers", pd.DataFrame({"value": [1 / 3]}), title="Numbers")
record.headline("state", 1.0, " ".join([*map(str, found), os.getcwd()]))
record.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked where the system forks")
def test_the_second_kernel_is_forked_and_computes_the_same(
    make_notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_asked", 0)
    monkeypatch.setattr(warm, "_wanted", None)
    notebook = read_notebook(make_notebook(code=LOOK))
    runs = [run_notebook(notebook, {"draws": n}, tmp_path / "out") for n in (1, 2)]
    cold, forked = (run.results["headlines"]["state"]["sentence"].split() for run in runs)
    assert cold[:3] == ["False", "False", "True"]
    assert forked[:3] == ["True", "True", "True"]
    assert cold[3] == forked[3]
    tables = [(run.folder / "tables" / "numbers.csv").read_bytes() for run in runs]
    assert tables[0] == tables[1]


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked where the system forks")
def test_of_several_announced_notebooks_the_first_is_forked_with_what_they_call(
    make_notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_asked", 0)
    monkeypatch.setattr(warm, "_wanted", None)
    monkeypatch.setattr(warm, "_source", None)  # one that has loaded nothing yet
    notebook = read_notebook(make_notebook(code=LOOK))
    warm.expect([notebook.source, "import cvlib as cv\ncv.satisfaction.pls"])
    assert warm._wanted == set(warm.PILLARS["satisfaction"])
    run = run_notebook(notebook, {"draws": 3}, tmp_path / "out")
    if warm._source:
        warm._source.close()
    found = run.results["headlines"]["state"]["sentence"].split()
    assert found[:3] == ["False", "True", "True"]  # weighting, which neither calls, is not there


def test_one_announced_notebook_starts_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_asked", 0)
    monkeypatch.setattr(warm, "_wanted", None)
    warm.expect(["cv.lifetime.bg_nbd"])
    kernel = [sys.executable, "-m", "ipykernel_launcher", "-f", "x"]
    assert warm.launch(kernel, {}) is None


@pytest.mark.parametrize(
    ("code", "pillars"),
    [
        ("import cvlib as cv\ncv.weighting.ahp(x)", ["weighting"]),
        ("from cvlib.figures import lifetime as figures", ["lifetime"]),
        ("cvlib.customer.study(a); cvlib.satisfaction.pls(b)", ["customer", "satisfaction"]),
        ("weighting = cvlib.load('mobi')  # satisfaction", []),
    ],
)
def test_what_a_notebook_calls_is_loaded_for_it(code: str, pillars: list[str]) -> None:
    assert warm.modules_of(code) == {name for one in pillars for name in warm.PILLARS[one]}


def test_a_kernel_of_another_python_starts_as_ever() -> None:
    assert (
        warm.launch(["/usr/bin/no-such-python", "-m", "ipykernel_launcher", "-f", "x"], {}) is None
    )
    assert warm.launch([sys.executable, "-m", "another_kernel"], {}) is None


ALONE = """
import gc, logging, os, sys, psutil
import numpy as np
import pandas as pd
found = [psutil.Process().parent().name(), "cvlib.study.gallery" in sys.modules, gc.isenabled(),
         logging.getLogger("cvlib").handlers, sys.flags.hash_randomization, hash("cvlib"),
         os.environ["OPENBLAS_NUM_THREADS"]]
record = cvlib.Record("little", out=out, seed=seed)
record.show("numbers", pd.DataFrame({"value": np.linalg.inv(np.eye(3) + seed)[0]}), title="Numbers")
record.headline("state", np.random.random(), "|".join(map(str, found)))
record.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked where the system forks")
def test_the_kernel_of_one_command_is_forked_from_it_and_knows_nothing_of_it(
    make_notebook: Make, tmp_path: Path
) -> None:
    notebook = make_notebook(code="import cvlib\n" + ALONE)
    bare = {k: v for k, v in os.environ.items() if k not in warm.QUIET_KERNEL}
    cold = "import cvlib.study.warm as w; w._POSSIBLE = False; from cvlib.cli import main; main()"
    found = {}
    for way, command in {"forked": ["-m", "cvlib"], "cold": ["-c", cold]}.items():
        out = tmp_path / way
        words = [*command, "-v", "run", str(notebook), "--out", str(out)]
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, env=bare, check=True
        )
        assert ": begun" in done.stderr
        (folder,) = out.glob("little/*")
        headline = json.loads((folder / "results.json").read_text("utf-8"))["headlines"]["state"]
        found[way] = (
            headline["sentence"].split("|"), headline["value"],
            (folder / "tables" / "numbers.csv").read_bytes(), folder.name,
        )  # fmt: skip
    (forked, one, numbers, name), (cold_said, other, same, named) = found["forked"], found["cold"]
    assert forked[1] == "True" and cold_said[1] == "False"  # it is a fork of the command
    assert forked[2:] == cold_said[2:]
    assert (numbers, name) == (same, named)
    assert one != other  # numbers that nobody seeded are each kernel's own
