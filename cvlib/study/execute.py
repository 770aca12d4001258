"""Executes notebooks: quietly, with checked parameters, and with errors in readable words."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cvlib.inputs.errors import InputError, refusing_in
from cvlib.study.files import check_files, input_files, sent
from cvlib.study.notebook import Notebook
from cvlib.study.warm import QUIET_KERNEL, launch

# Silent: a kernel told to stop complains of it. No history: nobody scrolls back through a run.
KERNEL_OPTIONS = ["--log-level=50", "--HistoryManager.enabled=False"]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
START_SECONDS = 180
SAVE_SECONDS = 60
# Parameters, in every notebook by the same name, of which 0 means none.
RESAMPLING = ("draws", "permutations")


@cache
def kernel_manager() -> type:
    """A manager that does not wait for a finished kernel to take itself apart, up to 3 seconds.

    One with processes of its own is asked to end, so that it can end them.
    """
    import psutil
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
            provisioner: Any = self.provisioner
            forked = launch(kernel_cmd, kw)
            if forked is None:
                await super()._async_launch_kernel(kernel_cmd, **kw)
                return
            provisioner.process, provisioner.cwd = forked, kw.get("cwd", Path.cwd())
            provisioner.pid = provisioner.pgid = forked.pid
            self._reconcile_connection_info(provisioner.connection_info)

        async def shutdown_kernel(  # type: ignore[override]
            self, now: bool = False, restart: bool = False
        ) -> None:
            with contextlib.suppress(psutil.Error):
                kernel = psutil.Process(getattr(self.provisioner, "pid", 0))
                now = now or not kernel.children()
                if now:  # else the manager would kill it, and look only a tenth of a second later
                    kernel.kill()
                    kernel.wait(timeout=1)
            await self._async_shutdown_kernel(now=now, restart=restart)

    return Manager


@cache
def engine() -> str:
    """Papermill's own engine, saving once a minute and where it fails, not twice per cell.

    Papermill itself writes what has been executed.
    """
    from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

    class Progress(NotebookExecutionManager):
        failed = False

        def save(self, **kwargs: Any) -> None:
            waited = (self.now() - self.last_save_time).total_seconds()
            if self.failed or waited > SAVE_SECONDS:
                super().save(**kwargs)

    class Engine(NBClientEngine):
        @classmethod
        def execute_notebook(
            cls, nb: Any, kernel_name: str, output_path: str, progress_bar: Any, **options: Any
        ) -> Any:
            progress = Progress(nb, output_path, progress_bar=progress_bar)
            progress.notebook_start()
            try:
                cls.execute_managed_notebook(progress, kernel_name, **options)
            except BaseException:
                progress.failed = True
                raise
            finally:
                progress.notebook_complete()
            return progress.nb

    papermill_engines.register("cvlib", Engine)
    return "cvlib"


class RunFailed(RuntimeError):
    """A notebook failed half-way; the message says where to look."""


def execute(
    notebook: Notebook, parameters: dict[str, Any], aside: Path, failed: Path, progress: bool
) -> None:
    """Execute a notebook into ``aside/notebook.ipynb``; what fails is kept in ``failed``.

    Raises
    ------
    InputError
        Raised in the notebook and passed on as it was worded.
    RunFailed
        Any other error of a cell, or of the kernel.
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    os.environ.update(QUIET_KERNEL)
    # papermill reads parameters by pattern and logs what it cannot; ours are checked already
    logging.getLogger("papermill").setLevel(logging.ERROR)
    target = aside / "notebook.ipynb"
    bar = {"desc": notebook.name, "file": sys.stderr, "leave": False} if progress else False

    def run() -> None:
        papermill.execute_notebook(
            _literal(notebook.path),
            _literal(target),
            parameters=parameters,
            engine_name=engine(),
            kernel_name="python3",
            language="python",
            progress_bar=bar,
            log_output=False,
            start_timeout=START_SECONDS,
            kernel_manager_class=kernel_manager(),
            extra_arguments=KERNEL_OPTIONS,
        )

    try:
        try:
            run()
        except DeadKernelError:
            raise
        except RuntimeError:  # no kernel came up, nothing has run: a crowded machine, once more
            run()
    except PapermillExecutionError as error:
        if error.ename == "InputError":
            raise _Relayed(str(error.evalue)) from error
        reason = f"cell {error.exec_count} failed with {error.ename}: {error.evalue}"
        raise _keep_failed(notebook, target, failed, reason) from error
    except DeadKernelError as error:
        reason = f"the kernel stopped ({error}); the machine may have run out of memory"
        raise _keep_failed(notebook, target, failed, reason) from error
    except (RuntimeError, NoSuchKernel, TimeoutError) as error:
        reason = f"the kernel did not start ({type(error).__name__}: {error})"
        raise _keep_failed(notebook, target, failed, reason) from error


def write_tidy(path: Path, public: dict[str, Any]) -> None:
    """Leave in an executed notebook only what is the same for the same question.

    Parameters
    ----------
    path : Path
        The executed notebook, written anew.
    public : dict
        The parameters as others may read them, in place of those the kernel was sent.
    """
    import nbformat
    from papermill.translators import PythonTranslator

    content = nbformat.read(path, as_version=4)
    content.metadata = nbformat.from_dict(METADATA)
    for position, cell in enumerate(content.cells):
        cell["id"] = f"cell-{position:02d}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if "injected-parameters" in tags:
            cell["source"] = PythonTranslator.codify(public)
    nbformat.write(content, path)


def _literal(path: Path) -> str:
    # papermill fills in {braces} of a path
    return str(path).replace("{", "{{").replace("}", "}}")


class _Relayed(InputError):
    """An input error raised inside the kernel, passed on as it was worded."""

    def __init__(self, text: str) -> None:
        ValueError.__init__(self, text)
        self.where, _, self.wrong = text.partition(": ")
        self.remedy, self.text = "", text

    def __str__(self) -> str:
        return self.text


def _keep_failed(notebook: Notebook, target: Path, failed: Path, reason: str) -> RunFailed:
    with contextlib.suppress(OSError):  # a full disk must not hide the reason
        shutil.rmtree(failed, ignore_errors=True)
        failed.mkdir(parents=True)
        if target.is_file():
            target.rename(failed / "notebook.ipynb")
        (failed / "error.txt").write_text(reason + "\n", encoding="utf-8")
    kept = failed / "notebook.ipynb"
    look = f" Look at {kept}." if kept.is_file() else ""
    return RunFailed(f"{notebook.name}: {reason.splitlines()[0].rstrip('.')}.{look}")


def check_data(notebook: Notebook, several: Sequence[dict[str, Any]]) -> list[str]:
    """Execute a notebook up to its cell tagged ``results`` for several sets of parameters.

    Parameters, files and columns are checked for real, in one kernel and without resampling;
    nothing is written.

    Returns
    -------
    list of str
        Per set of parameters what is wrong, in one paragraph; empty when it can run.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    os.environ.update(QUIET_KERNEL)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    wrong = [""] * len(several)
    cells: list[Any] = []
    owners: list[int] = []
    for number, given in enumerate(several):
        try:
            with refusing_in(str(given.get("language", "en"))):
                arguments = notebook.arguments(given)
                files = input_files(notebook, arguments)
                check_files(files)
                values = sent(_quick(arguments), files)
        except InputError as error:
            wrong[number] = str(error)
            continue
        content = load_notebook_node(str(notebook.path))
        filled = parameterize_notebook(content, values, kernel_name="python3", language="python")
        for cell in filled.cells:
            if "results" in cell.metadata.get("tags", []):
                break
            if cell.cell_type == "code":
                cell["id"] = f"cell-{len(cells)}"
                cells.append(cell)
                owners.append(number)
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        kernel_name="python3",
        startup_timeout=START_SECONDS,
        kernel_manager_class=kernel_manager(),
        extra_arguments=KERNEL_OPTIONS,
    )
    with client.setup_kernel():
        for position, (cell, number) in enumerate(zip(cells, owners, strict=True)):
            if wrong[number]:
                continue
            try:
                client.execute_cell(cell, position)
            except CellExecutionError as error:
                said = str(error.evalue)
                wrong[number] = said if error.ename == "InputError" else f"{error.ename}: {said}"
            except DeadKernelError as error:
                rest = [text or f"the kernel stopped ({error})" for text in wrong[number:]]
                return wrong[:number] + rest
    return wrong


def _quick(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same question without resampling: a check must not take as long as the answer.

    A number of resamples too small to be used (1) stays, and is refused.
    """
    many = [name for name in RESAMPLING if arguments.get(name, 0) > 1]
    return arguments | dict.fromkeys(many, 0)


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
        kernel_manager_class=kernel_manager(),
        resources={"metadata": {"path": str(notebook.path.parent)}},
        extra_arguments=KERNEL_OPTIONS,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise RunFailed(f"{notebook.name}: {error.ename}: {error.evalue}") from error
    content.metadata = nbformat.from_dict(METADATA)
    for position, cell in enumerate(content.cells):
        cell["id"] = f"cell-{position:02d}"
    nbformat.write(content, notebook.path)
