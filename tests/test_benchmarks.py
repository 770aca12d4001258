"""Every benchmark runs, at sizes that say nothing about speed, and finds what its peer finds."""

import json
from pathlib import Path

import pytest

from benchmarks import groups, lifetime, peers, satisfaction, weighting
from benchmarks.__main__ import USUAL

ROOT = Path(__file__).parents[1]


def test_the_usual_run_names_every_benchmark() -> None:
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")} - {"peers"}
    assert set(USUAL) == scripts
    assert len(list(peers.SCRIPTS.glob("*.py"))) == 3


def test_weights_are_those_of_the_peer() -> None:
    for task in weighting.TASKS:
        _, ours = weighting.ours(task, 200, 5)
        _, theirs = weighting.theirs(task, 200, 5)
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_lifetime_fits_and_the_log_is_the_same_by_three_ways(tmp_path: Path) -> None:
    histories, log = str(tmp_path / "histories.npz"), str(tmp_path / "log.parquet")
    lifetime.write_histories(histories, "bg_nbd", 500)
    assert lifetime.fit(histories, "bg_nbd")["histories"] > 50
    lifetime.write_log(log, 2_000)
    ours = lifetime.summarise(log, str(tmp_path / "customers.parquet"))
    other = lifetime.summarise_with_pandas(log, str(tmp_path / "customers.parquet"))
    bare = lifetime.summarise_with_sql(log)
    assert other["identical"] and ours["repeats"] == other["repeats"] == bare["repeats"]


def test_the_engine_and_a_league_run() -> None:
    assert satisfaction.engine(8)["per_draw"] > 0
    assert groups.league(3, 5, 60, 1)["mean_rank_width"] >= 0


def test_a_comparison_is_kept_where_a_run_collects_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(peers.KEPT, raising=False)
    peers.keep("nothing", "nobody", 1.0, 2.0)
    monkeypatch.setenv(peers.KEPT, str(tmp_path / "kept"))
    peers.keep("a fit", "lifetimes", 1.0, 20.0)
    (line,) = (tmp_path / "kept").read_text().splitlines()
    assert json.loads(line)["theirs"] == 20.0
