"""Runs one notebook: parameters in, a finished run folder out, or nothing but the reason."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cvlib
from cvlib.inputs.datasets import entries, fetch, sha256
from cvlib.inputs.errors import InputError
from cvlib.study.notebooks import Notebook
from cvlib.study.record import versions, write_json

# The same arithmetic on every run: one BLAS thread, fixed hashing, no window manager.
QUIET_KERNEL = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
}
LOG_ERRORS_ONLY = ["--log-level=40"]


class RunFailed(RuntimeError):
    """A notebook failed half-way; the message says where to look."""


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, and whether it had been there before."""

    folder: Path
    existed: bool

    @property
    def results(self) -> dict[str, Any]:
        """The run's results.json."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def manifest(self) -> dict[str, Any]:
        """The run's manifest.json."""
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))


def code_fingerprint() -> str:
    """A digest of the package's own files: the same version edited is another program."""
    root = Path(cvlib.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".yaml", ".html", ".css", ".js"):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def input_files(arguments: dict[str, Any]) -> dict[str, Path]:
    """The files among the parameter values: data sets by name, and paths that exist."""
    found: dict[str, Path] = {}
    for name, value in arguments.items():
        if isinstance(value, str) and value:
            if value in entries():
                found[name] = fetch(value)
            elif Path(value).expanduser().is_file():
                found[name] = Path(value).expanduser().resolve()
    return found


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
    hashes = {name: sha256(path) for name, path in files.items()}
    identity = run_id(notebook, arguments, hashes)
    home = out.resolve() / notebook.name
    folder = home / identity
    if (folder / "manifest.json").is_file() and not force:
        run = Run(folder, existed=True)
        write_reports(folder, notebook, formats)
        return run
    aside = home / f".{identity}.{uuid.uuid4().hex[:8]}"
    try:
        aside.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            str(out), f"cannot be written ({error.strerror})", "Choose another --out folder."
        ) from error
    try:
        started = time.time()
        sent = arguments | {
            name: str(path) for name, path in files.items() if arguments[name] not in entries()
        }
        _execute(notebook, sent | {"out": str(aside)}, aside, home / f"{identity}.failed", progress)
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
                    name: {"file": path.name, "sha256": hashes[name]}
                    for name, path in files.items()
                },
                "versions": versions() | {"cvlib_code": code_fingerprint()},
                "seed": arguments.get("seed"),
                "warnings": results["warnings"],
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
                "duration_seconds": round(time.time() - started, 2),
            },
        )
        write_reports(aside, notebook, formats)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
        shutil.rmtree(home / f"{identity}.failed", ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if home.is_dir() and not any(home.iterdir()):
            home.rmdir()
    return Run(folder, existed=False)


def _execute(
    notebook: Notebook, parameters: dict[str, Any], aside: Path, failed: Path, progress: bool
) -> None:
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    os.environ.update(QUIET_KERNEL)
    # papermill reads parameters by pattern and logs what it cannot; ours are checked already
    logging.getLogger("papermill").setLevel(logging.ERROR)
    target = aside / "notebook.ipynb"
    bar = {"desc": notebook.name, "file": sys.stderr, "leave": False} if progress else False
    try:
        papermill.execute_notebook(
            str(notebook.path),
            str(target),
            parameters=parameters,
            kernel_name="python3",
            language="python",
            progress_bar=bar,
            log_output=False,
            extra_arguments=LOG_ERRORS_ONLY,
        )
    except PapermillExecutionError as error:
        if error.ename == "InputError":
            where, _, rest = str(error.evalue).partition(": ")
            raise _Relayed(where, rest) from error
        reason = f"cell {error.exec_count} failed with {error.ename}: {error.evalue}"
        raise _keep_failed(notebook, target, failed, reason) from error
    except (DeadKernelError, NoSuchKernel, TimeoutError) as error:
        reason = f"the kernel stopped ({type(error).__name__}: {error})"
        raise _keep_failed(notebook, target, failed, reason) from error


class _Relayed(InputError):
    """An input error raised inside the kernel, passed on as it was worded."""

    def __init__(self, where: str, rest: str) -> None:
        ValueError.__init__(self, f"{where}: {rest}" if rest else where)
        self.where, self.wrong, self.remedy = where, rest, ""


def _keep_failed(notebook: Notebook, target: Path, failed: Path, reason: str) -> RunFailed:
    shutil.rmtree(failed, ignore_errors=True)
    failed.mkdir(parents=True)
    if target.is_file():
        target.rename(failed / "notebook.ipynb")
    (failed / "error.txt").write_text(reason + "\n", encoding="utf-8")
    first_line = reason.splitlines()[0]
    return RunFailed(f"{notebook.name}: {first_line}. Look at {failed / 'notebook.ipynb'}.")


def refresh(notebook: Notebook) -> None:
    """Re-execute a notebook in place with its defaults; keep no metadata that varies.

    Raises
    ------
    RunFailed
        When a cell fails; the file is left as it was.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    os.environ.update(QUIET_KERNEL)
    content = nbformat.read(notebook.path, as_version=4)
    client = NotebookClient(
        content,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(notebook.path.parent)}},
        extra_arguments=LOG_ERRORS_ONLY,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise RunFailed(f"{notebook.name}: {error.ename}: {error.evalue}") from error
    content.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for position, cell in enumerate(content.cells):
        cell["id"] = f"cell-{position:02d}"
    nbformat.write(content, notebook.path)
