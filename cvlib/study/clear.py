"""What a reports folder need not keep: failed and damaged runs, leftovers, older answers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cvlib.study.lock import Busy, claim, clear_abandoned
from cvlib.study.run import Run, code_fingerprint

_SET_ASIDE = re.compile(r"([0-9a-f]{12})\.(failed|damaged\d*)")
_RUN = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Leftover:
    """A folder that can go, and why."""

    folder: Path
    reason: str


def leftovers(out: Path, *, older: bool = False) -> list[Leftover]:
    """Folders of a reports folder that are no answer, or no answer of this code.

    Parameters
    ----------
    out : Path
        The reports folder.
    older : bool
        Also whole runs that an earlier state of the program made.

    Returns
    -------
    list of Leftover
        By notebook and name; only folders that runs have made.
    """
    return list(_leftovers(out, older)) if out.is_dir() else []


def _leftovers(out: Path, older: bool) -> Iterator[Leftover]:
    for home in sorted(path for path in out.iterdir() if path.is_dir() and not path.is_symlink()):
        for folder in sorted(path for path in home.iterdir() if path.is_dir()):
            aside = _SET_ASIDE.fullmatch(folder.name)
            if aside:
                yield Leftover(folder, "failed" if aside[2] == "failed" else "damaged")
            elif older and _RUN.fullmatch(folder.name) and _earlier(folder):
                yield Leftover(folder, "made by an earlier program")


def _earlier(folder: Path) -> bool:
    run = Run(folder, existed=True)
    return not run.damage() and run.manifest["versions"]["cvlib_code"] != code_fingerprint()


def clear(out: Path, found: list[Leftover]) -> list[Leftover]:
    """Remove folders, each while no process is at it, and what killed processes have left.

    Returns
    -------
    list of Leftover
        What is gone; a run that a process is at stays.
    """
    gone = []
    for each in found:
        try:
            with claim(each.folder.parent, each.folder.name.partition(".")[0], wait=False):
                shutil.rmtree(each.folder)
            gone.append(each)
        except Busy:
            continue
    if out.is_dir():
        for home in [path for path in out.iterdir() if path.is_dir() and not path.is_symlink()]:
            clear_abandoned(home)
    return gone
