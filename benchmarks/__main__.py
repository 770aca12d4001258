"""Speed and memory beside peers: ``python -m benchmarks [--full] [NAME ...]``.

Every benchmark prints what it measured and keeps its comparisons; benchmarks/last.json holds both,
and docs/evidence.py prints them. A ratio is what a peer takes, divided by what cvlib takes for the
same work on the same machine in the same run: above one, cvlib is quicker (or smaller). CPU time
is counted, so that other work on the machine does little to a ratio. The usual run is sized for a
quarter of an hour on two cores, ``--full`` for the sizes that each benchmark has by default.

groups        a league of brands, each resampled: time and memory of one run
lifetime      fits of repeat-buying models (lifetimes), a log to customers (pandas, bare SQL)
scale         a log on Spark and a batch on a Dask cluster beside this machine alone
satisfaction  PLS with bootstrap (plspm, seminr), covariance SEM (semopy)
suite         what the runner adds to a notebook's own work
weighting     weights and scores of many customers (scikit-criteria)
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import cvlib
from benchmarks.peers import KEPT

LAST = Path(__file__).with_name("last.json")
USUAL = {
    "groups": ["--brands", "100"],
    "lifetime": ["--customers", "20000", "--rows", "100000"],
    "satisfaction": ["--quick"],
    "scale": ["--rows", "200000", "--runs", "4"],
    "suite": ["--runs", "6", "--notebooks", "trivial", "05_customer_scores", "--jobs", "1"],
    "weighting": ["--customers", "200000"],
}


def printed(script: str, arguments: list[str], kept: Path) -> str:
    """Run a benchmark, showing what it prints as it comes."""
    command = [sys.executable, "-m", f"benchmarks.{script}", *arguments]
    lines = []
    surroundings = os.environ | {KEPT: str(kept)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=surroundings, cwd=LAST.parents[1]
    ) as run:
        for line in run.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *USUAL], help="which; all by default")
    parser.add_argument("--full", action="store_true", help="at the benchmarks' own sizes")
    options = parser.parse_args()
    last = json.loads(LAST.read_text(encoding="utf-8")) if LAST.is_file() else {}
    for name in options.names or USUAL:
        arguments = [] if options.full else USUAL[name]
        print(f"\n== {name} {' '.join(arguments)}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "ratios"
            text = printed(name, arguments, kept)
            lines = kept.read_text(encoding="utf-8").splitlines() if kept.is_file() else []
        last[name] = {
            "date": dt.date.today().isoformat(),
            "command": " ".join(["python -m benchmarks", name, *["--full"] * options.full]),
            "arguments": " ".join(arguments),
            "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} processors",
            "python": platform.python_version(),
            "cvlib": cvlib.__version__,
            "ratios": [json.loads(line) for line in lines],
            "printed": text,
        }
        # after each, so that what was measured outlives a later failure
        content = json.dumps(last, indent=1, ensure_ascii=False)
        LAST.write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
