"""CPU and memory of one fit by PyPI lifetimes: python lifetimes_fit.py HISTORIES MODEL."""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")

from lifetimes import BetaGeoFitter, ParetoNBDFitter  # noqa: E402


def peak_mb():
    # VmHWM belongs to this process alone; ru_maxrss starts from the parent's
    status = Path("/proc/self/status")
    if status.exists():
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return float(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    data = np.load(sys.argv[1])
    before = peak_mb()
    fitter = {"bg_nbd": BetaGeoFitter, "pareto_nbd": ParetoNBDFitter}[sys.argv[2]]()
    start = time.process_time()
    fitter.fit(data["x"], data["t_x"], data["T"])
    spent = time.process_time() - start
    found = {name: float(value) for name, value in fitter.params_.items()}
    print(json.dumps({"cpu": spent, "peak": peak_mb(), "before": before, "parameters": found}))
