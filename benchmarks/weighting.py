"""Weights and scores at a million customers: CPU time and memory against scikit-criteria.

    python -m benchmarks.weighting [--customers 1000000] [--indicators 30]

Every measurement runs in a process of its own, which makes its data, then does the work once; CPU
seconds exclude imports and the data. Peak memory is of the whole process, data included (240 MB
at a million customers by thirty indicators). The last line is rank acceptability: 10,000 weight
vectors on 100,000 customers.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers import keep

TASKS = ("entropy", "critic", "topsis")


def data(customers: int, indicators: int) -> np.ndarray:
    return np.random.default_rng(1).gamma(2.0, 3.0, size=(customers, indicators))


def ours(task: str, customers: int, indicators: int) -> tuple[float, np.ndarray]:
    from cvlib.weighting.data.objective import objective_weights
    from cvlib.weighting.score import score
    from cvlib.weighting.table import read_indicators
    from cvlib.weighting.tree import load_tree

    names = [f"c{j}" for j in range(indicators)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tree.yaml"
        leaves = "\n".join(f"  {name}: {{direction: benefit}}" for name in names)
        path.write_text(f"name: goal\nchildren:\n{leaves}\n", "utf-8")
        tree = load_tree(path)
    table = pd.DataFrame(data(customers, indicators), columns=names)
    start = time.process_time()
    read = read_indicators(table, tree)
    if task == "topsis":
        weights = pd.Series(1 / indicators, index=names)
        result = score(read, weights, "topsis").scores["score"].to_numpy()
    else:
        method = {"entropy": "entropy_sum", "critic": "critic"}[task]
        result = objective_weights(read, [method]).weights["global_weight"].to_numpy()
    return time.process_time() - start, result


def theirs(task: str, customers: int, indicators: int) -> tuple[float, np.ndarray]:
    import skcriteria
    from skcriteria.agg.topsis import TOPSIS
    from skcriteria.preprocessing import scalers, weighters

    matrix = data(customers, indicators)
    equal = np.full(indicators, 1 / indicators)
    start = time.process_time()
    table = skcriteria.mkdm(matrix, [1] * indicators, weights=equal)
    if task == "topsis":
        scaled = scalers.VectorScaler(target="matrix").transform(table)
        result = TOPSIS().evaluate(scaled).e_.similarity
    else:
        weighter = weighters.EntropyWeighter() if task == "entropy" else weighters.CRITIC()
        result = weighter.transform(table).weights
    return time.process_time() - start, np.asarray(result)


def acceptability(customers: int, indicators: int, draws: int) -> float:
    from cvlib.weighting.smaa import class_counts, class_sizes, draw_weights

    z = np.random.default_rng(2).random((customers, indicators))
    weights = draw_weights([str(j) for j in range(indicators)], draws)
    start = time.process_time()
    class_counts(z, weights, class_sizes((0.01, 0.04, 0.15, 0.80), customers))
    return time.process_time() - start


def measure(task: str, who: str, customers: int, indicators: int) -> dict[str, float | str]:
    """Run one task in this process."""
    warnings.simplefilter("ignore")
    if task == "acceptability":
        seconds, result = acceptability(100_000, indicators, 10_000), np.zeros(1)
    else:
        seconds, result = (ours if who == "cvlib" else theirs)(task, customers, indicators)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first = float(np.abs(result[:1000]).sum())
    return {"task": task, "who": who, "seconds": seconds, "peak_mb": peak, "check": first}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--indicators", type=int, default=30)
    parser.add_argument("--one", nargs=2, metavar=("TASK", "WHO"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    size = (given.customers, given.indicators)
    if given.one:
        print(json.dumps(measure(*given.one, *size)))
        return
    rows = []
    jobs = [(task, who) for task in TASKS for who in ("cvlib", "scikit-criteria")]
    for task, who in [*jobs, ("acceptability", "cvlib")]:
        command = [sys.executable, "-m", "benchmarks.weighting", "--one", task, who]
        command += ["--customers", str(size[0]), "--indicators", str(size[1])]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    wide = table.pivot(index="task", columns="who", values="seconds").dropna()
    for task, row in wide.iterrows():
        what = f"{task}, {size[0]:,} customers by {size[1]} indicators"
        keep(what, "scikit-criteria", row["cvlib"], row["scikit-criteria"])
    print("\nscikit-criteria / cvlib:")
    print((wide["scikit-criteria"] / wide["cvlib"]).round(2).to_string())


if __name__ == "__main__":
    main()
