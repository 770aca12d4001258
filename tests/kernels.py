"""Run the numerical tests and the notebooks as older processors would: `python tests/kernels.py`.

OpenBLAS and numpy choose their code by the processor, and every choice ends its sums in other bits.
What is tested and printed must not hang on them. Newer code cannot be run on an older processor,
but the other way round it can; so each older family is tried that this processor has not by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NUMERICAL = (
    "tests/customer", "tests/lifetime", "tests/satisfaction", "tests/statistics", "tests/weighting",
)  # fmt: skip
PYTEST = ("-m", "pytest", "-n", "2", "--dist", "loadscope", "-p", "no:cacheprovider")
NBVAL = ("--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/notebooks/sanitize.cfg")


class Family(NamedTuple):
    """Processors that compute alike.

    Attributes
    ----------
    name : str
        As OpenBLAS calls it; Zen shares the kernels of Haswell.
    needs : tuple of str
        Features of numpy without any of which the processor cannot play this part.
    without : tuple of str
        How the features of numpy begin that it does not have.
    library : str
        The same for the mathematical functions of the C library.
    """

    name: str
    needs: tuple[str, ...]
    without: tuple[str, ...]
    library: str = ""


# numpy names features by level (X86_V3) since 2.4, and one by one before
FAMILIES = (
    Family("Haswell", ("X86_V3", "AVX2"), ("X86_V4", "AVX512")),
    Family(
        "Sandybridge",
        ("X86_V3", "AVX"),
        ("X86_V3", "X86_V4", "AVX2", "AVX512", "FMA", "F16C"),
        "-AVX2,-FMA,-FMA4,-AVX512F",
    ),
    Family(
        "Nehalem",
        ("X86_V2", "SSE42"),
        ("X86_V3", "X86_V4", "AVX", "FMA", "F16C"),
        "-AVX,-AVX2,-FMA,-FMA4,-AVX512F",
    ),
)


def variables(family: Family, features: list[str]) -> dict[str, str]:
    """The environment in which this processor, with `features` that can be off, plays the family's.

    A feature that is not there must not be named: numpy warns, and notebooks would print it.
    """
    off = [feature for feature in features if feature.startswith(family.without)]
    chosen = {"OPENBLAS_CORETYPE": family.name}
    if off:
        chosen["NPY_DISABLE_CPU_FEATURES"] = " ".join(off)
    if family.library:
        chosen["GLIBC_TUNABLES"] = f"glibc.cpu.hwcaps={family.library}"
    return chosen


def others(own: str, always: list[str], features: list[str]) -> list[Family]:
    """The families that this processor can play and is not by itself.

    Parameters
    ----------
    own : str
        The kernels that OpenBLAS has chosen.
    always, features : list of str
        What numpy takes for granted, and what it has found besides.
    """
    have = {*always, *features}
    return [
        family
        for family in FAMILIES
        if have.intersection(family.needs)
        and not (
            family.name == own and "NPY_DISABLE_CPU_FEATURES" not in variables(family, features)
        )
    ]


def found() -> tuple[str, list[str], list[str]]:
    """Kernels of OpenBLAS ("" without it), numpy's baseline and what it has found besides."""
    import numpy as np
    from threadpoolctl import threadpool_info

    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    kernels = [part["architecture"] for part in threadpool_info() if "architecture" in part]
    own = kernels[0] if kernels else ""
    return "Haswell" if own == "Zen" else own, extensions["baseline"], extensions.get("found", [])


def main() -> int:
    """Every family in turn; the first that fails ends it."""
    own, always, features = found()
    if not own:
        print("numpy has no OpenBLAS here: there are no other kernels to try.")
        return 0
    families = others(own, always, features)
    print(f"This processor: {own}, {' '.join(features) or 'no further features'}.")
    if not families:
        print("It can play no other processor.")
    for family in families:
        chosen = variables(family, features)
        environment = os.environ | chosen
        print(" ".join(f"{name}='{value}'" for name, value in chosen.items()), flush=True)
        asked = "from tests.kernels import found; print(found()[0])"
        taken = subprocess.run(
            [sys.executable, "-c", asked], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        if taken.stdout.strip() != family.name:
            print(f"OpenBLAS did not take the kernels {family.name}: {taken.stdout}{taken.stderr}")
            return 1
        for tests in (NUMERICAL, (*NBVAL, "notebooks")):
            command = [sys.executable, *PYTEST, *tests]
            if code := subprocess.run(command, env=environment, cwd=ROOT).returncode:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
