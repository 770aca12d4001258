"""Lifetime models and the transaction summary: CPU time, memory and growth against peers.

    python -m benchmarks.lifetime [--customers 100000] [--rows 1000000] [--large]

`lifetimes` runs in an environment of its own (benchmarks.peers). `--large` adds 10 million
customers and 100 million transactions (about 10 GB of disk in the temporary folder). Every
measurement runs in a process of its own; CPU seconds exclude imports and reading the histories,
and include grouping them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers import SCRIPTS, environment, keep

HERE = Path(__file__).parent
# CDNOW's estimates
TRUTH = {
    "bg_nbd": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "pareto_nbd": {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
}


def peak_mb() -> float:
    """Peak memory of this process in units of 10^6 bytes."""
    # VmHWM belongs to this process alone; ru_maxrss starts from the parent's
    status = Path("/proc/self/status")
    if status.exists():
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return float(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def write_histories(path: str, model: str, customers: int) -> None:
    """Simulated customers aged 27 to 39 weeks, times in whole days as a log has them."""
    from cvlib.lifetime.simulate import simulate_histories

    columns: dict[str, list[np.ndarray]] = {"x": [], "t_x": [], "T": []}
    for part, begin in enumerate(range(0, customers, 500_000)):
        size = min(500_000, customers - begin)
        age = np.random.default_rng(part).integers(27 * 7, 39 * 7, size) / 7
        data = simulate_histories(model, TRUTH[model], age, seed=1000 + part)
        columns["x"].append(data["x"].to_numpy(np.int32))
        columns["t_x"].append(np.minimum(np.ceil(data["t_x"] * 7) / 7, age))
        columns["T"].append(age)
    np.savez(path, **{name: np.concatenate(values) for name, values in columns.items()})


def fit(path: str, model: str) -> dict:
    from cvlib.lifetime.repeat_buying import fit_repeat_buying

    data = pd.DataFrame(dict(np.load(path)))
    before, start = peak_mb(), time.process_time()
    result = fit_repeat_buying(data, model)
    spent = time.process_time() - start
    table = result.parameters.set_index("parameter")["estimate"]
    return {
        "cpu": spent,
        "peak": peak_mb(),
        "before": before,
        "parameters": {name: float(table[name]) for name in TRUTH[model]},
        "histories": float(result.fit.set_index("measure")["value"]["n_histories"]),
    }


def write_log(path: str, rows: int) -> None:
    """A log with a long tail of customers, a fifth of the rows on a day already bought on."""
    import duckdb

    database = duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": False})
    database.execute(
        f"""COPY (
            SELECT CAST(pow(hash(i) / 18446744073709551616.0, 1.7) * {rows} * 0.3 AS BIGINT)
                       AS customer_id,
                   DATE '2022-01-01' + CAST(hash(i + 7) % 1000 AS INTEGER) AS date,
                   (hash(i + 13) % 10000 + 1) / 100.0 AS amount
            FROM range({int(rows * 0.8)}) AS numbers(i)
            UNION ALL
            SELECT CAST(pow(hash(i) / 18446744073709551616.0, 1.7) * {rows} * 0.3 AS BIGINT),
                   DATE '2022-01-01' + CAST(hash(i + 7) % 1000 AS INTEGER),
                   (hash(i + 17) % 10000 + 1) / 100.0
            FROM range({rows - int(rows * 0.8)}) AS numbers(i)
        ) TO '{path}' (FORMAT parquet)"""
    )


def summarise(path: str, customers_to: str | None = None) -> dict:
    """Under 2 GB; without `customers_to` the customers come back as a frame."""
    from cvlib.lifetime.purchases.summary import summarise_purchases

    before, start, clock = peak_mb(), time.process_time(), time.monotonic()
    summary = summarise_purchases(path, calibration_end="2023-12-31", customers_to=customers_to)
    return {
        "cpu": time.process_time() - start,
        "seconds": time.monotonic() - clock,
        "peak": peak_mb(),
        "before": before,
        "customers": float(summary.histories["customers"].sum()),
        "repeats": float(summary.histories["x"] @ summary.histories["customers"]),
        "histories": float(len(summary.histories)),
    }


def summarise_with_sql(path: str) -> dict:
    """The least that gives the same customers: two queries, nothing checked, nothing counted."""
    import duckdb

    before, start, clock = peak_mb(), time.process_time(), time.monotonic()
    database = duckdb.connect(config={"memory_limit": "1225MB", "preserve_insertion_order": False})
    database.execute(
        f"""CREATE TEMP TABLE days AS SELECT customer_id, date AS day, round(sum(amount), 6) AS net
        FROM read_parquet('{path}') GROUP BY 1, 2"""
    )
    customers = database.execute(
        """SELECT customer_id, min(day) AS first_purchase,
               max(day) FILTER (day <= DATE '2023-12-31') AS last_purchase,
               count(*) FILTER (day <= DATE '2023-12-31') AS frequency,
               round(sum(net) FILTER (day <= DATE '2023-12-31'), 6) AS monetary,
               arg_min(net, day) AS first_net,
               count(*) FILTER (day > DATE '2023-12-31') AS holdout_purchases,
               round(sum(net) FILTER (day > DATE '2023-12-31'), 6) AS holdout_spend
        FROM days WHERE net > 0 GROUP BY 1 HAVING frequency > 0 ORDER BY 1"""
    ).df()
    return {
        "cpu": time.process_time() - start,
        "seconds": time.monotonic() - clock,
        "peak": peak_mb(),
        "before": before,
        "customers": float(len(customers)),
        "repeats": float((customers["frequency"] - 1).sum()),
    }


def summarise_with_pandas(path: str, customers_to: str) -> dict:
    """The same summary in memory, and whether the customers written by `summarise` are equal."""
    before, start, clock = peak_mb(), time.process_time(), time.monotonic()
    log = pd.read_parquet(path)
    log["date"] = pd.to_datetime(log["date"])
    days = log.groupby(["customer_id", "date"], as_index=False)["amount"].sum()
    days["amount"] = days["amount"].round(6)
    cut = pd.Timestamp("2023-12-31")
    known = days[days["date"] <= cut].sort_values(["customer_id", "date"])
    groups = known.groupby("customer_id")
    table = pd.DataFrame(
        {"x": groups.size() - 1, "first": groups["date"].min(), "last": groups["date"].max()}
    )
    table["monetary"] = groups["amount"].sum().round(6)
    later = days[(days["date"] > cut) & days["customer_id"].isin(table.index)]
    table["holdout_purchases"] = later.groupby("customer_id").size()
    result = {
        "cpu": time.process_time() - start,
        "seconds": time.monotonic() - clock,
        "peak": peak_mb(),
        "before": before,
        "customers": float(len(table)),
        "repeats": float(table["x"].sum()),
    }
    ours = pd.read_parquet(customers_to).set_index("customer_id")
    age = (cut - table["first"]).dt.days / 7
    gap = (table["last"] - table["first"]).dt.days / 7
    result["identical"] = bool(
        (ours.index == table.index).all()
        and (ours["x"] == table["x"]).all()
        and (ours["T"] == age).all()
        and np.allclose(ours["t_x"], gap, rtol=0, atol=1e-12)
        and np.allclose(ours["monetary"], table["monetary"], rtol=0, atol=2e-6)
        and (ours["holdout_purchases"] == table["holdout_purchases"].fillna(0)).all()
    )
    return result


TASKS = {
    task.__name__: task for task in (fit, summarise, summarise_with_sql, summarise_with_pandas)
}


def measured(task: str, *arguments: str) -> dict:
    """Run one of the tasks in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.lifetime", "--task", task, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent)
    return json.loads(done.stdout.splitlines()[-1])


def benchmark_fits(fewest: int, large: bool, folder: Path) -> pd.DataFrame:
    rows = []
    sizes = [("bg_nbd", fewest), ("bg_nbd", 10 * fewest), ("pareto_nbd", fewest)]
    sizes += [("pareto_nbd", 1_000_000), ("bg_nbd", 10_000_000)] if large else []
    for model, customers in sizes:
        path = str(folder / "histories.npz")
        write_histories(path, model, customers)
        ours = measured("fit", path, model)
        row = {
            "model": model,
            "customers": customers,
            "histories": ours["histories"],
            "cpu": ours["cpu"],
            "peak_mb": ours["peak"],
            "input_mb": ours["before"],
        }
        # the peer has no business with sizes it takes hours for
        if customers <= (1_000_000 if model == "bg_nbd" else 100_000):
            peer = str(environment("lifetimes"))
            command = [peer, str(SCRIPTS / "lifetimes_fit.py"), path, model]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                theirs = json.loads(done.stdout.splitlines()[-1])
                row |= {"lifetimes_cpu": theirs["cpu"], "ratio": theirs["cpu"] / ours["cpu"]}
                row["lifetimes_peak_mb"] = theirs["peak"]
                row["largest_difference"] = max(
                    abs(theirs["parameters"][name] - value)
                    for name, value in ours["parameters"].items()
                )
                what = f"{model} fitted to {customers:,} customers"
                keep(what, "lifetimes", ours["cpu"], theirs["cpu"])
                keep(what, "lifetimes", ours["peak"], theirs["peak"], "MB at the peak")
            else:
                row["lifetimes_error"] = done.stderr.strip().splitlines()[-1][:80]
        rows.append(row)
    return with_growth(pd.DataFrame(rows), "model", "customers")


def benchmark_summary(smallest: int, large: bool, folder: Path) -> pd.DataFrame:
    sizes, rows = [smallest, 10 * smallest, *([100_000_000] if large else [])], []
    for size in sizes:
        path, out = str(folder / "log.parquet"), str(folder / "customers.parquet")
        write_log(path, size)
        ours = measured("summarise", path, out)
        rows.append({"rows": size, "by": "customers to a file", **ours})
        if size <= 10_000_000:
            returned, bare = measured("summarise", path), measured("summarise_with_sql", path)
            assert (returned["customers"], returned["repeats"]) == (
                bare["customers"],
                bare["repeats"],
            ), "bare SQL finds other customers"
            rows.append({"rows": size, "by": "customers returned", **returned})
            ratio = returned["cpu"] / bare["cpu"]
            rows.append({"rows": size, "by": "bare SQL", **bare, "ours_to_bare": ratio})
            theirs = measured("summarise_with_pandas", path, out)
            ratio = theirs["cpu"] / ours["cpu"]
            rows.append({"rows": size, "by": "pandas", **theirs, "ratio": ratio})
            what = f"a log of {size:,} rows to customers"
            for peer, other in (("pandas", theirs), ("bare SQL, nothing checked", bare)):
                keep(what, peer, ours["cpu"], other["cpu"])
                keep(what, peer, ours["peak"], other["peak"], "MB at the peak")
    return with_growth(pd.DataFrame(rows), "by", "rows")


def with_growth(table: pd.DataFrame, group: str, size: str) -> pd.DataFrame:
    """Exponent of the CPU time from the next smaller size to this one (1 = proportional)."""
    steps = np.log(table[["cpu", size]]).groupby(table[group]).diff()
    return table.assign(growth=steps["cpu"] / steps[size])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.task:
        name, *rest = options.task
        print(json.dumps(TASKS[name](*rest)))
        return
    with tempfile.TemporaryDirectory() as folder, pd.option_context("display.width", 160):
        for table in (
            benchmark_fits(options.customers, options.large, Path(folder)),
            benchmark_summary(options.rows, options.large, Path(folder)),
        ):
            print(table.to_string(index=False, float_format=lambda value: f"{value:,.4g}"))
            print()


if __name__ == "__main__":
    main()
