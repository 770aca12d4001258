"""Runs one notebook: parameters in, a finished run folder out, or nothing but the reason."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

import cvlib
from cvlib.inputs.datasets import sha256
from cvlib.inputs.errors import InputError
from cvlib.study.kernel import RunFailed, execute, input_files, sent
from cvlib.study.notebooks import Notebook
from cvlib.study.record import versions, write_json


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, and whether it had been there before."""

    folder: Path
    existed: bool

    def intact(self) -> bool:
        """Whether the folder holds a complete run."""
        try:
            return {"tables", "headlines"} <= set(self.results) and "run_id" in self.manifest
        except (OSError, ValueError):
            return False

    @property
    def results(self) -> dict[str, Any]:
        """The run's results.json."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def manifest(self) -> dict[str, Any]:
        """The run's manifest.json."""
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))


@cache
def code_fingerprint() -> str:
    """A digest of the package's own files: the same version edited is another program.

    Taken once per process, so that one batch is one program.
    """
    root = Path(cvlib.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".yaml", ".html", ".css", ".js"):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _hash(files: list[Path]) -> str:
    """SHA-256 of a file, or of the hashes of several."""
    each = [sha256(path) for path in files]
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()


def input_hashes(arguments: dict[str, Any]) -> dict[str, str]:
    """SHA-256 of every input, by parameter."""
    return {name: _hash(files) for name, files in input_files(arguments).items()}


def run_id(notebook: Notebook, arguments: dict[str, Any], hashes: dict[str, str]) -> str:
    """The hash of notebook, parameters, inputs and cvlib: the same question is the same folder."""
    question = {
        "notebook": hashlib.sha256(notebook.source.encode()).hexdigest(),
        # a file counts by its content, not by where it lies
        "parameters": {k: hashes.get(k, v) for k, v in sorted(arguments.items())},
        "cvlib": f"{cvlib.__version__}+{code_fingerprint()}",
    }
    text = json.dumps(question, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_notebook(
    notebook: Notebook,
    parameters: dict[str, Any],
    out: Path,
    *,
    formats: tuple[str, ...] = ("html",),
    force: bool = False,
    progress: bool = False,
) -> Run:
    """Run a notebook with parameters into ``out/<notebook>/<run id>/``.

    Parameters
    ----------
    notebook : Notebook
        What to run.
    parameters : dict
        Values that differ from the defaults; names and types are checked before a kernel starts.
    out : Path
        The reports folder.
    formats : tuple of str
        Report formats; ``html`` is always written.
    force : bool
        Run again even when the same question has been answered.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Run
        The finished folder.

    Raises
    ------
    InputError
        Bad parameters or data; nothing is left behind.
    RunFailed
        A cell failed; the executed notebook is kept in a folder marked failed.
    """
    from cvlib.study.report import write_reports

    arguments = notebook.arguments(parameters)
    files = input_files(arguments)
    hashes = {name: _hash(paths) for name, paths in files.items()}
    identity = run_id(notebook, arguments, hashes)
    home = out.resolve() / notebook.name
    folder = home / identity
    if folder.exists() and not force:
        run = Run(folder, existed=True)
        if run.intact():
            write_reports(folder, formats)
            return run
        folder.rename(_free_name(home / f"{identity}.damaged"))
    aside = home / f".{identity}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
    try:
        aside.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            str(out), f"cannot be written ({error.strerror})", "Choose another --out folder."
        ) from error
    _remove_abandoned(home, identity)
    try:
        started = time.time()
        given = sent(arguments, files) | {"out": str(aside)}
        execute(notebook, given, aside, home / f"{identity}.failed", progress)
        results = json.loads((aside / "results.json").read_text(encoding="utf-8"))
        write_json(
            aside / "manifest.json",
            {
                "notebook": notebook.name,
                "title": notebook.title,
                "run_id": identity,
                "parameters": arguments,
                "changed": {
                    p.name: arguments[p.name]
                    for p in notebook.parameters
                    if p.name != "out" and arguments[p.name] != p.default
                },
                "inputs": {
                    name: {"file": ", ".join(p.name for p in paths), "sha256": hashes[name]}
                    for name, paths in files.items()
                },
                "versions": versions() | {"cvlib_code": code_fingerprint()},
                "seed": arguments.get("seed"),
                "warnings": results["warnings"],
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
                "duration_seconds": round(time.time() - started, 2),
            },
        )
        write_reports(aside, ("html",))
        _put_in_place(aside, folder)
        shutil.rmtree(home / f"{identity}.failed", ignore_errors=True)
    except OSError as error:
        raise RunFailed(f"{notebook.name}: cannot write below {home} ({error.strerror})") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if home.is_dir() and not any(home.iterdir()):
            home.rmdir()
    write_reports(folder, formats)
    return Run(folder, existed=False)


def _put_in_place(aside: Path, folder: Path) -> None:
    """Give a complete run its name; another process may have answered the same question."""
    if folder.exists():
        old = _free_name(folder.with_name(f".{folder.name}.old"))
        folder.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    try:
        aside.rename(folder)
    except OSError:
        if not Run(folder, existed=True).intact():
            raise


def _free_name(path: Path) -> Path:
    candidates = (path.with_name(f"{path.name}{n or ''}") for n in itertools.count())
    return next(candidate for candidate in candidates if not candidate.exists())


def _remove_abandoned(home: Path, identity: str) -> None:
    """Remove what a killed process left half-written of the same run."""
    for left in home.glob(f".{identity}.*"):
        owner = left.name.split(".")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
