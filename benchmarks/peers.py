"""Peers in environments of their own, made once with pip, and what was found beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

# What pip is asked for: the peer, and the older libraries it still needs.
PEERS = {
    "plspm": ["plspm==0.5.7", "pandas<3"],
    "seminr": ["seminr==0.2.1"],
    "lifetimes": ["lifetimes==0.11.3", "numpy<2", "pandas<3"],
}
SCRIPTS = Path(__file__).with_name("peer_scripts")
KEPT = "CVLIB_BENCHMARK_RATIOS"  # the file that `python -m benchmarks` collects


def environment(name: str) -> Path:
    """The python of a peer's environment, made on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cvlib-benchmarks"
    folder = cache / PEERS[name][0].replace("==", "-")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "ready").exists():
        print(f"making the environment of {name} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS[name]], check=True)
        (folder / "ready").touch()
    return python


def keep(what: str, peer: str, ours: float, theirs: float, unit: str = "CPU seconds") -> None:
    """Keep a comparison: what both did, in one run on one machine, and what each of them took."""
    if os.environ.get(KEPT):
        row = {"what": what, "peer": peer, "ours": ours, "theirs": theirs, "unit": unit}
        with Path(os.environ[KEPT]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
