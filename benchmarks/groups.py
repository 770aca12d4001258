"""A league table of a thousand brands: time and memory of one run.

    python -m benchmarks.groups [--brands 1000] [--draws 500] [--respondents 250] [--jobs 2]

Every brand is estimated and resampled on its own and all of them together in the same draws; then
indices by pooled and own weights and every brand's rank interval. Respondents are drawn from the
simulated survey of six brands. The work runs in a process of its own; peak memory is of the whole
process, data included.

kernel_share is the part of the CPU that the fixed-point iteration of PLS takes. A compiled kernel
in its place would be worth an optional dependency if it made the league twice as fast; were it
infinitely fast, the league would be at_most 1 / (1 - kernel_share) times as fast, which is less.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[1] / "data" / "simulated_ecsi_brands.csv"


def survey(brands: int, respondents: int) -> pd.DataFrame:
    """Respondents of the simulated survey drawn with replacement, dealt into brands."""
    given = pd.read_csv(DATA).drop(columns=["brand", "wave"])
    rows = np.random.default_rng(1).integers(0, len(given), brands * respondents)
    drawn = pd.DataFrame(given.to_numpy()[rows], columns=given.columns)
    return drawn.assign(brand=np.repeat(np.arange(brands), respondents))


def league(brands: int, draws: int, respondents: int, jobs: int) -> dict[str, float]:
    """Seconds and megabytes of one run."""
    from cvlib.satisfaction.compare.groups import estimate_groups, index_table
    from cvlib.satisfaction.model.file import load_model
    from cvlib.satisfaction.pls import engine
    from cvlib.statistics.multiple import rank_intervals
    from cvlib.statistics.resample import Bootstrap

    data, model = survey(brands, respondents), load_model("ecsi_mobile")
    iterating, settle = [], engine._settle

    def timed(*given: Any) -> Any:
        start = time.thread_time()
        found = settle(*given)
        iterating.append(time.thread_time() - start)
        return found

    engine._settle = timed
    before, used = time.perf_counter(), time.process_time()
    try:
        groups = estimate_groups(data, model, "brand", draws=Bootstrap(draws, seed=1), jobs=jobs)
        table = index_table(groups, ["satisfaction"])
        index = groups.index("satisfaction")
        _, low, high = rank_intervals(index[:, 0], index[:, 1:])
    finally:
        engine._settle = settle
    spent = time.process_time() - used
    share = sum(iterating) / spent
    return {
        "brands": brands, "draws": draws, "respondents": respondents, "jobs": jobs,
        "seconds": time.perf_counter() - before, "cpu": spent,
        "kernel_share": share, "at_most": 1 / (1 - share),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "mean_std_error": table["std_error"].mean(), "mean_rank_width": float(np.mean(high - low)),
    }  # fmt: skip


def benchmark_league(brands: int, draws: int, respondents: int, jobs: int) -> pd.DataFrame:
    """One row: the run, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.groups", "--task", str(brands), str(draws),
               str(respondents), str(jobs)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return pd.DataFrame([json.loads(done.stdout.splitlines()[-1])])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brands", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--respondents", type=int, default=250)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--task", nargs=4, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.task:
        print(json.dumps(league(*options.task)))
        return
    found = benchmark_league(options.brands, options.draws, options.respondents, options.jobs)
    print(found.to_string(index=False, float_format=lambda value: f"{value:,.4g}"))


if __name__ == "__main__":
    main()
