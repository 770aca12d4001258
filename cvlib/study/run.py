"""Runs one notebook: parameters in, a finished run folder out, or nothing but the reason."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import shutil
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

import cvlib
from cvlib.inputs.datasets import sha256
from cvlib.inputs.errors import InputError, refusing_in
from cvlib.study.execute import RunFailed, execute, write_tidy
from cvlib.study.files import (
    check_files,
    input_files,
    input_hashes,
    published,
    sent,
    tables_elsewhere,
)
from cvlib.study.lock import aside, claim, clear_abandoned, put_in_place
from cvlib.study.notebook import Notebook
from cvlib.words.message import message

_LOG = logging.getLogger("cvlib")
# What a number, a table or a page can depend on.
_PROGRAM = (".py", ".yaml", ".html", ".css", ".js", ".typ", ".po", ".bib")


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, and whether it had been there before."""

    folder: Path
    existed: bool

    def damage(self) -> str:
        """What is wrong with the folder; empty when every file is as the run wrote it."""
        name = "manifest.json"
        try:
            for name, digest in [*self.manifest["files"].items()]:
                if sha256(self.folder / name) != digest:
                    return f"{name} is not as the run wrote it"
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"{name} is not a manifest"
        return ""

    def unfinished(self) -> str:
        """Why the folder is not the answer that its name says; empty when it is."""
        wrong = self.damage()
        if not wrong and self.manifest["run_id"] != self.folder.name:
            return f"manifest.json is of run {self.manifest['run_id']}"
        return wrong

    @property
    def results(self) -> dict[str, Any]:
        """The run's results.json."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the run, in full."""
        results = self.results
        found = {name: pd.DataFrame(rows) for name, rows in results["tables"].items()}
        for name in results.get("longer", ()):
            text = {c: "str" for c in found[name] if not is_numeric_dtype(found[name][c])}
            found[name] = pd.read_csv(self.folder / "tables" / f"{name}.csv", dtype=text)
        return found

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
        if path.suffix in _PROGRAM:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def run_id(
    notebook: Notebook, arguments: dict[str, Any], hashes: dict[str, str], key: bytes | None = None
) -> str:
    """The hash of notebook, parameters, inputs and cvlib: the same question is the same folder.

    Where pseudonyms have a secret ``key``, another key gives other names, and another folder.
    """
    question: dict[str, Any] = {
        "notebook": hashlib.sha256(notebook.source.encode()).hexdigest(),
        # a file counts by its content, not by where it lies
        "parameters": {k: hashes.get(k, v) for k, v in sorted(arguments.items())},
        "cvlib": f"{cvlib.__version__}+{code_fingerprint()}",
    }
    if key is not None:
        question["pseudonyms"] = hashlib.sha256(key).hexdigest()
    text = json.dumps(question, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def question(
    notebook: Notebook, parameters: dict[str, Any], out: Path
) -> tuple[dict[str, Any], dict[str, str], Run]:
    """All arguments, the hashes of their files, and where the answer lies or will lie."""
    from cvlib.statistics.disclosure import secret

    with refusing_in(str(parameters.get("language", "en"))):
        arguments = notebook.arguments(parameters)
        files = input_files(notebook, arguments)
        check_files(files)
    hashes = input_hashes(files) | tables_elsewhere(arguments)
    identity = run_id(notebook, arguments, hashes, secret(out.resolve() / notebook.name))
    folder = out.resolve() / notebook.name / identity
    return arguments, hashes, Run(folder, existed=True)


def run_notebook(
    notebook: Notebook,
    parameters: dict[str, Any],
    out: Path,
    *,
    formats: tuple[str, ...] = ("html",),
    force: bool = False,
    progress: bool = False,
    wait: bool = True,
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
    wait : bool
        Wait for another process that is at the same run, and take its answer.

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
    Busy
        Another process is at the same run, and ``wait`` is false.
    """
    arguments, hashes, run = question(notebook, parameters, out)
    home, identity = run.folder.parent, run.folder.name
    if force or run.unfinished():
        with claim(home, identity, wait=wait):
            # another process may have answered meanwhile
            wrong = run.unfinished()
            if force or wrong:
                if wrong and run.folder.exists():
                    _set_aside(run, wrong)
                _answer(notebook, arguments, hashes, run.folder, progress)
                run = Run(run.folder, existed=False)
        clear_abandoned(home)
    add_reports(run, formats)
    _join_languages(notebook, arguments, hashes, run)
    return run


def _join_languages(
    notebook: Notebook, arguments: dict[str, Any], hashes: dict[str, str], run: Run
) -> None:
    """Let the page of a run and those of the same question in other languages link each other."""
    from cvlib.statistics.disclosure import secret
    from cvlib.study.render.report import LANGUAGES, link_language

    own = arguments.get("language", "")
    home, key = run.folder.parent, secret(run.folder.parent)
    for language in LANGUAGES if own in LANGUAGES else ():
        if language == own:
            continue
        other = home / run_id(notebook, arguments | {"language": language}, hashes, key)
        if not (other / "report.html").is_file():
            continue
        for page, linked, of in ((run.folder, other, language), (other, run.folder, own)):
            with claim(home, page.name):
                link_language(page, linked, of)


def _set_aside(run: Run, wrong: str) -> None:
    names = (f"{run.folder.name}.damaged{number or ''}" for number in itertools.count())
    free = next(path for path in map(run.folder.with_name, names) if not path.exists())
    what = f"{run.folder.parent.name}/{run.folder.name}"
    try:
        run.folder.rename(free)
    except OSError as error:
        raise InputError(
            str(run.folder),
            message("refusals.and_it_cannot_be_moved", wrong=wrong, strerror=error.strerror),
            message("refusals.remove_it"),
        ) from error
    _LOG.warning(
        "cvlib: %s is damaged: %s. It is kept as %s, and the run is repeated.",
        what, wrong, free.name,
    )  # fmt: skip


def _answer(
    notebook: Notebook,
    arguments: dict[str, Any],
    hashes: dict[str, str],
    folder: Path,
    progress: bool,
) -> None:
    """Execute a notebook aside and give the result its name when it is complete."""
    from cvlib.study.plain import write_json
    from cvlib.study.render.report import write_reports
    from cvlib.study.surroundings import versions

    home, identity = folder.parent, folder.name
    failed = home / f"{identity}.failed"
    files = input_files(notebook, arguments)
    public = published(arguments, files)
    work = None
    try:
        work = aside(home, identity)
        started = time.time()
        given = sent(arguments, files) | {"out": str(work)}
        _LOG.info("%s %s: begun", notebook.name, identity)
        execute(notebook, given, work, failed, progress)
        _LOG.info("%s %s: executed, %.1f s", notebook.name, identity, time.time() - started)
        now = input_hashes(input_files(notebook, arguments)) | tables_elsewhere(arguments)
        if now != hashes:
            raise InputError(
                notebook.name,
                message("refusals.an_input_file_changed_while"),
                message("refusals.run_it_again"),
            )
        write_tidy(work / "notebook.ipynb", public | {"out": ""})
        results = json.loads((work / "results.json").read_text(encoding="utf-8"))
        write_json(
            work / "manifest.json",
            {
                "notebook": notebook.name,
                "title": notebook.title,
                "run_id": identity,
                "parameters": public,
                "changed": {
                    p.name: public[p.name]
                    for p in notebook.parameters
                    if p.name != "out" and arguments[p.name] != p.default
                },
                "inputs": {
                    name: {
                        "file": ", ".join(p.name for p in files.get(name, [])) or public[name],
                        "sha256": digest,
                    }
                    for name, digest in hashes.items()
                },
                "versions": versions() | {"cvlib_code": code_fingerprint()},
                "seed": arguments.get("seed"),
                "warnings": results["warnings"],
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
                "duration_seconds": round(time.time() - started, 2),
                "files": {
                    path.relative_to(work).as_posix(): sha256(path)
                    for path in sorted(work.rglob("*"))
                    if path.is_file()
                },
            },
        )
        write_reports(work, ("html",))
        put_in_place(work, folder)
        _LOG.info("%s %s: in place, %.1f s", notebook.name, identity, time.time() - started)
        shutil.rmtree(failed, ignore_errors=True)
    except OSError as error:
        where = error.filename or home
        raise RunFailed(f"{notebook.name}: {error.strerror}: {where}. Run it again.") from error
    finally:
        if work:
            shutil.rmtree(work, ignore_errors=True)


def add_reports(run: Run, formats: tuple[str, ...]) -> None:
    """Write the reports that a finished run does not have yet; each appears when complete."""
    from cvlib.study.render.finished import check_formats
    from cvlib.study.render.report import link_formats, write_reports

    check_formats(formats)
    folder = run.folder
    missing = tuple(name for name in formats if not _has_report(folder, name))
    if not missing:
        return
    with claim(folder.parent, folder.name):
        work = None
        try:
            work = aside(folder.parent, folder.name)
            shutil.copytree(folder, work, dirs_exist_ok=True)
            for name in missing:
                write_reports(work, (name,))
                for path in work.glob("[!.]*"):
                    if not (folder / path.name).exists():
                        path.rename(folder / path.name)
            link_formats(folder)
        except RunFailed as error:
            raise RunFailed(str(error).replace(str(work), str(folder))) from error
        except OSError as error:
            raise RunFailed(
                f"{folder.parent.name}: the run is complete, but its reports are not: "
                f"{error.strerror}: {error.filename or folder}. Run it again."
            ) from error
        finally:
            if work:
                shutil.rmtree(work, ignore_errors=True)


def _has_report(folder: Path, name: str) -> bool:
    return (folder / f"report.{name}").exists() or (folder / name).exists()
