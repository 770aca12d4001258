"""One process at a time at one piece of work; what a killed process left is taken away.

Not the package filelock: it leaves its files in a reports folder, and on a file system without
locks falls back to one that a killed process never gives back.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

_LOG = logging.getLogger("cvlib")
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_OURS = re.compile(r"\.(\w+)\.(lock|old|[0-9a-f]{8})")


class Busy(RuntimeError):
    """Another process is at this work."""


@contextlib.contextmanager
def claim(home: Path, name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold the only right to make ``home/name``; it ends with the process that holds it.

    What a killed process left of the same work is taken away first.

    Parameters
    ----------
    home : Path
        The folder in which the work will lie; made when absent, removed when left empty.
    name : str
        The work's name: letters, digits and underscores.
    wait : bool
        Wait for another process that holds the claim, or raise `Busy`.

    Raises
    ------
    Busy
        Another process holds the claim, and ``wait`` is false.
    InputError
        The folder cannot be written.
    """
    path = home / f".{name}.lock"
    with contextlib.ExitStack() as stack:
        try:
            handle, alone = _take(path, wait)
            stack.callback(_give_back, handle, path)
            if alone:
                _clear(home, name)
        except OSError as error:
            raise InputError(
                str(home),
                message("refusals.cannot_be_written", strerror=error.strerror),
                message("refusals.choose_another_out_folder"),
            ) from error
        yield


def _take(path: Path, wait: bool) -> tuple[int, bool]:
    """Open and lock a file; whether the lock is one that keeps others out."""
    told = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # another process has just removed the empty folder
            continue
        try:
            _lock(handle)
        except OSError as error:
            if error.errno not in _HELD:
                # a file system without locks: folders of their own still keep two processes apart
                return handle, False
        else:
            if _still_named(handle, path):
                return handle, True
        os.close(handle)
        what = f"{path.parent.name}/{path.stem[1:]}"
        if not wait:
            raise Busy(f"another process is at {what}")
        if not told:
            _LOG.warning("cvlib: another process is at %s; waiting for it.", what)
            told = True
        time.sleep(0.1)


def _lock(handle: int) -> None:
    """Lock a file for as long as it is open; the system unlocks it when the process dies."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _still_named(handle: int, path: Path) -> bool:
    """Whether the file locked is the one others will find: its last owner may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _give_back(handle: int, path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()  # while it is locked, so that nobody comes to hold a file without a name
    os.close(handle)
    if sys.platform == "win32":  # where an open file keeps its name
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def aside(home: Path, name: str) -> Path:
    """A new hidden folder for work under way; every attempt has its own.

    A kernel that outlives its killed runner for a moment writes where nobody looks.
    """
    folder = home / f".{name}.{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    return folder


def put_in_place(done: Path, folder: Path) -> None:
    """Give finished work its name, in place of what may be there."""
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        folder.rename(old)
    done.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def clear_abandoned(home: Path) -> None:
    """Take away what killed processes left in a folder; what a live one is at stays."""
    found = (_OURS.fullmatch(path.name) for path in home.glob(".*"))
    for name in {match[1] for match in found if match}:
        with contextlib.suppress(Busy, InputError), claim(home, name, wait=False):
            pass


def _clear(home: Path, name: str) -> None:
    for left in home.glob(f".{name}.*"):
        kind = _OURS.fullmatch(left.name)
        if not kind or kind[2] == "lock":
            continue
        if kind[2] == "old" and not (home / name).exists():
            left.rename(home / name)  # killed between the renames of put_in_place
            continue
        deadline = time.monotonic() + 3  # an orphaned kernel ends within a second or two
        while left.exists() and time.monotonic() < deadline:
            shutil.rmtree(left, ignore_errors=True)
            time.sleep(0.05 if left.exists() else 0)
