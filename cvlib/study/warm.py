"""Kernels forked from a process that has loaded what every notebook loads, where the system forks.

The second kernel of a process and all after it start in a tenth of a second; where several are
announced (`expect`), the first does, too. Where the process is the command `cvlib` itself and began
as a kernel does (`begin_as_a_kernel`), the process that forks is a fork of it (`ready`), so that a
single run loads once what runner and kernel have in common. A fork begins with the modules and
nothing else: no data were read, no number was drawn. Where it cannot be done (Windows, another
Python as kernel) a kernel starts as ever.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

# The same arithmetic on every run: one BLAS thread, fixed hashing, no window manager.
QUIET_KERNEL = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
}

# What notebooks have in common, and what those load that call a pillar; the rest is left to them.
LOADED = (
    "ipykernel.kernelapp",
    "ipykernel.inprocess.ipkernel",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "cvlib.study.record",
)
PILLARS = {
    "satisfaction": (
        "cvlib.satisfaction", "cvlib.figures.satisfaction", "cvlib.figures.path_diagram",
    ),
    "weighting": ("cvlib.weighting", "cvlib.figures.weighting"),
    "lifetime": ("cvlib.lifetime", "cvlib.figures.lifetime"),
    "customer": ("cvlib.customer", "cvlib.figures.customer"),
}  # fmt: skip
_POSSIBLE = hasattr(os, "fork") and sys.platform == "linux"
_alike = False  # this process is the command, and began as a kernel does
_lock = threading.Lock()
_source: Source | None = None
_asked = 0
_wanted: set[str] | None = None  # None: nobody said which notebooks come


class Forked:
    """A forked kernel, as `jupyter_client` handles a process."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        import psutil

        self.pid = pid
        self._gone: tuple[type[Exception], ...] = (psutil.Error,)
        self._zombie = psutil.STATUS_ZOMBIE
        try:
            self._process: Any = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._process = None

    def poll(self) -> int | None:
        """None while it runs; how it ended is known to its parent only."""
        with contextlib.suppress(*self._gone):
            if self._process and self._process.is_running():
                return None if self._process.status() != self._zombie else -1
        return -1

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended."""
        with contextlib.suppress(*self._gone):
            if self._process:
                self._process.wait(timeout)
        return -1

    def send_signal(self, number: int) -> None:
        """Send a signal to it."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Source:
    """The process that forks: asked by a line on its input, it answers with the kernel's number."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked, questions: int, answers: int):
        self.process = process
        self._questions = os.fdopen(questions, "wb")
        self._answers = os.fdopen(answers, "rb")
        atexit.register(self.close)

    @classmethod
    def begun(cls) -> Source:
        """One that loads the modules for itself."""
        (asked, questions), (answers, told) = os.pipe(), os.pipe()
        command = [sys.executable, "-m", "cvlib.study.warm"]
        try:
            process = subprocess.Popen(command, stdin=asked, stdout=told, start_new_session=True)
        finally:
            os.close(asked)
            os.close(told)
        return cls(process, questions, answers)

    @classmethod
    def forked(cls) -> Source:
        """One that has the modules of this process."""
        (asked, questions), (answers, told) = os.pipe(), os.pipe()
        number = os.fork()
        if not number:
            os.close(questions)
            os.close(answers)
            _become_source(asked, told)
        os.close(asked)
        os.close(told)
        return cls(Forked(number), questions, answers)

    def fork(
        self, command: Sequence[str], env: dict[str, str], cwd: str, modules: Sequence[str]
    ) -> int:
        """A new kernel's process number; raises OSError or ValueError where there is none."""
        asked = json.dumps([list(command), env, cwd, list(modules)])
        self._questions.write(asked.encode() + b"\n")
        self._questions.flush()
        return int(self._answers.readline())

    def close(self) -> None:
        """Let it end; its kernels see that their parent has gone."""
        with contextlib.suppress(OSError):
            self._questions.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)


def modules_of(code: str) -> set[str]:
    """What a notebook will load, by the pillars that its code calls."""
    return {
        module
        for pillar, modules in PILLARS.items()
        if re.search(rf"\b(?:cv|cvlib)\.{pillar}\b|\bcvlib\.figures import {pillar}\b", code)
        for module in modules
    }


def expect(sources: Sequence[str]) -> None:
    """Announce the notebooks of a batch, by their sources.

    Of several the first kernel is forked like the rest, and only what they call is loaded.
    """
    global _asked, _wanted
    with _lock:
        if len(sources) > 1:
            _asked = max(_asked, 1)
        _wanted = (_wanted or set()).union(*map(modules_of, sources))


def launch(command: Sequence[str], options: dict[str, Any]) -> Forked | None:
    """Start a kernel by its command line; None where it has to be started as ever.

    Parameters
    ----------
    command : sequence of str
        As a kernel specification gives it: Python, ``-m``, ``ipykernel_launcher``, its options.
    options : dict
        Of `subprocess.Popen`: env and cwd are followed.
    """
    global _source, _asked
    ours = os.path.realpath(command[0]) == os.path.realpath(sys.executable)
    if not _POSSIBLE or not ours or list(command[1:3]) != ["-m", "ipykernel_launcher"]:
        return None
    with _lock:
        _asked += 1
        if _asked == 1:
            return None
        if _source is None or _source.process.poll() is not None:
            _source = Source.begun()
        env = {**os.environ, **(options.get("env") or {})}
        every = {module for modules in PILLARS.values() for module in modules}
        modules = sorted(every if _wanted is None else _wanted)
        cwd = str(options.get("cwd") or Path.cwd())
        try:
            return Forked(_source.fork(command[3:], env, cwd, modules))
        except (OSError, ValueError):  # it has died: as ever, then
            return None


def begin_as_a_kernel() -> None:
    """For the command itself, before it loads anything: begin as a kernel begins, or begin again.

    Hashing and BLAS threads are fixed when a process starts and when numpy is loaded.
    """
    global _alike
    if not _POSSIBLE or not sys.executable:
        return
    if any(os.environ.get(name) != value for name, value in QUIET_KERNEL.items()):
        os.environ.update(QUIET_KERNEL)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    _alike = not sys.flags.hash_randomization and "numpy" not in sys.modules
    gc.disable()  # until `ready`: what is loaded stays


def ready() -> None:
    """Load what the announced notebooks call, and fork the process that forks, where it can be.

    Only a process that began as a kernel does, has one thread and has read no data.
    """
    global _source, _asked
    possible = _alike and _source is None and _alone()
    if possible:
        _load((*LOADED, *sorted(_wanted or ())))
    gc.freeze()
    gc.enable()
    if possible and _alone():
        _source, _asked = Source.forked(), 1


def _alone() -> bool:
    """Whether this process has one thread, beside one of pyarrow's allocator: that knows forks."""
    names = [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]
    return sum(not name.startswith("jemalloc") for name in names) == 1


def _load(modules: Iterable[str]) -> None:
    for name in modules:
        importlib.import_module(name)


def _become_source(asked: int, told: int) -> NoReturn:
    """In the fork: a session of its own, nothing of the command's but its modules."""
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        ours = logging.getLogger("cvlib")  # what the command tells with -v is its own
        ours.handlers.clear()
        ours.setLevel(logging.NOTSET)
        ours.propagate = True
        os.dup2(asked, 0)
        os.dup2(told, 1)
        os.close(asked)
        os.close(told)
        _serve()
        status = 0
    finally:
        os._exit(status)


def _serve() -> None:
    """Load, then fork a kernel for every line until there are no more."""
    gc.disable()  # what is loaded stays, and is not looked through again
    started = {"", str(Path.cwd()), str(Path(sys.argv[0]).parent)}
    sys.path[:] = [entry for entry in sys.path if entry not in started]
    _load(LOADED)
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, _reap)
    lines = open(0, "rb", closefd=False)  # noqa: SIM115
    while line := lines.readline():
        arguments, env, cwd, modules = json.loads(line)
        _load(modules)
        number = os.fork()
        if not number:
            _become_kernel(arguments, env, cwd)
        os.write(1, f"{number}\n".encode())


def _reap(*_: Any) -> None:
    """Take away the kernels that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become_kernel(arguments: list[str], env: dict[str, str], cwd: str) -> None:
    """In the fork: a session, folder and environment of its own, then ipykernel."""
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        sys.modules["numpy"].random.seed()  # each kernel its own, as in a process of its own
        sys.argv = ["ipykernel_launcher", *arguments]
        from ipykernel import kernelapp

        # it ends when its parent has: ipykernel looks for the parent where it was loaded
        parent = f"--IPKernelApp.parent_handle={os.getppid()}"
        kernelapp.launch_new_instance(argv=[*arguments, parent])
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    _serve()
