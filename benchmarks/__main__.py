"""Every benchmark in turn: python -m benchmarks."""

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    for script in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"\n== {script.stem}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{script.stem}"], check=True)
