"""A wheel built from this tree runs where the tree is not."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from cvlib.study.notebook import shipped

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["-p", "weight_draws", "20", "-p", "leavers", "2"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, as pip lays it out, from a copy of the tracked files."""
    home = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if tracked.returncode:
        pytest.skip("not a git checkout: which files belong to the tree is not known")
    for name in filter(None, tracked.stdout.split("\0")):
        if not name.startswith(("docs/", "tests/", "reports/")) and (ROOT / name).is_file():
            (home / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "tree" / name).write_bytes((ROOT / name).read_bytes())
    words = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "-q", "-w", str(home)]
    built = subprocess.run(
        [sys.executable, "-m", "pip", *words, str(home / "tree")], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = home.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        package.extractall(home / "site")
    return home / "site"


def cvlib(site: Path, folder: Path, *words: str) -> str:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "cvlib", *words], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_notebooks_data_and_every_resource(site: Path) -> None:
    inside = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    for path in shipped():
        assert f"cvlib/_shipped/notebooks/{path.name}" in inside
    for path in (ROOT / "cvlib").rglob("*"):
        if path.is_file() and path.suffix not in ("", ".pyc"):
            assert path.relative_to(ROOT).as_posix() in inside
    for name in ("mobi", "cdnow_sample", "simulated_ecsi_brands"):
        assert f"cvlib/_shipped/data/{name}.csv" in inside
    assert not [name for name in inside if name.startswith("tests/")]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (site / f"cvlib-{version}.dist-info").is_dir()


def test_in_an_empty_folder_it_lists_describes_and_makes_a_study(
    site: Path, tmp_path: Path
) -> None:
    listed = cvlib(site, tmp_path, "list")
    assert all(path.stem in listed for path in shipped())
    assert "weight_draws" in cvlib(site, tmp_path, "describe", "05")
    assert "ok" in cvlib(site, tmp_path, "data", "check")
    assert "study.yaml" in cvlib(site, tmp_path, "new", "mine")
    assert "to run" in cvlib(site, tmp_path, "batch", "mine/study.yaml", "--dry-run")


@pytest.mark.slow
def test_in_an_empty_folder_it_runs_a_notebook_and_a_batch(site: Path, tmp_path: Path) -> None:
    assert "reports/05_customer_scores" in cvlib(site, tmp_path, "run", "05", *QUICK)
    assert list(tmp_path.glob("reports/05_customer_scores/*/report.html"))
    cvlib(site, tmp_path, "new", "mine")
    study = tmp_path / "mine" / "study.yaml"
    text = study.read_text(encoding="utf-8").replace("draws: 500", "draws: 0")
    study.write_text(text, encoding="utf-8")
    said = cvlib(site, tmp_path, "batch", "mine/study.yaml", "--out", "out")
    assert "4 of 4 runs done" in said
