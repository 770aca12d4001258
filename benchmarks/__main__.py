"""Every benchmark in turn: python -m benchmarks. benchmarks/last.json keeps what they print."""

import datetime as dt
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import cvlib

LAST = Path(__file__).with_name("last.json")


def printed(script: str) -> str:
    """Run a benchmark, showing what it prints as it comes."""
    command = [sys.executable, "-m", f"benchmarks.{script}"]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    return "".join(lines)


if __name__ == "__main__":
    told = {}
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"\n== {path.stem}", flush=True)
        told[path.stem] = printed(path.stem)
    about = {
        "date": dt.date.today().isoformat(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "cvlib": cvlib.__version__,
        "printed": told,
    }
    LAST.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
