"""Commands that look after the suite: its notebooks, pages, data sets and surroundings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from cvlib.inputs.errors import InputError


def plain_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Tell a user's error in its own words and the right exit status."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except InputError as error:
            click.echo(f"cvlib: {error}", err=True)
            sys.exit(2)
        except OSError as error:
            if not error.filename:  # a closed pipe, not a file
                raise
            click.echo(f"cvlib: {error.strerror}: {error.filename}", err=True)
            sys.exit(1)
        except RuntimeError as error:
            from cvlib.study.execute import RunFailed  # loads much, and only now is it needed

            if not isinstance(error, RunFailed):
                raise
            click.echo(f"cvlib: {error}", err=True)
            sys.exit(1)

    return guarded


@click.command()
@click.argument("notebooks", nargs=-1)
@plain_errors
def refresh(notebooks: tuple[str, ...]) -> None:
    """Re-execute NOTEBOOKS (default: all shipped) in place with their defaults."""
    from cvlib.study.execute import refresh as refresh_notebook
    from cvlib.study.notebook import find, read_notebook, shipped
    from cvlib.study.warm import expect

    chosen = [find(name) for name in notebooks] or [read_notebook(path) for path in shipped()]
    expect([notebook.source for notebook in chosen])
    for notebook in chosen:
        refresh_notebook(notebook)
        click.echo(f"{notebook.name}: executed with its defaults")


@click.command()
@plain_errors
def pages() -> None:
    """Write the documentation pages in docs/ from the notebooks as they are stored."""
    from cvlib.study.pages import FOLDER, write_pages

    click.echo(f"{len(write_pages())} files in {FOLDER}")


@click.group()
def data() -> None:
    """The catalogue of public data sets."""


@data.command(name="list")
@plain_errors
def list_data() -> None:
    """List the data sets: what they are, where from, whether they are here."""
    from cvlib.inputs import datasets

    columns = ["name", "title", "kind", "rows", "shipped"]
    click.echo(datasets.catalogue()[columns].to_string(index=False))


@data.command()
@click.argument("name")
@plain_errors
def fetch(name: str) -> None:
    """Fetch data set NAME (checked by SHA-256) and say where it is."""
    from cvlib.inputs import datasets

    click.echo(datasets.fetch(name))


@data.command()
@plain_errors
def check() -> None:
    """Check the hash of every data set that is here."""
    from cvlib.inputs import datasets

    table = datasets.check()
    click.echo(table.to_string(index=False))
    if (table["status"] == "wrong hash").any():
        raise InputError("cvlib data check", "a file is not what it should be", "Fetch it again.")


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for reports.",
)
@click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of words."
)
@plain_errors
def doctor(out: Path, language: str) -> None:
    """Say what is here: versions, data, formats, Java, Spark, Dask, fonts, room for reports."""
    from cvlib.study.surroundings import examine
    from cvlib.words.message import in_language, message

    def said(text: str) -> str:
        return in_language(text, language)

    found = examine(out)
    for each in found:
        state = said(message("study.doctor_well" if each.well else "study.doctor_wrong"))
        click.echo(f"{state:<6}{said(each.what)}: {said(each.finding)}")
        if each.remedy:
            click.echo(f"      {said(each.remedy)}")
    if not all(each.well for each in found):
        sys.exit(1)


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for reports.",
)
@click.option("--older", is_flag=True, help="Also runs that an earlier program made.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and stop.")
@plain_errors
def clean(out: Path, older: bool, dry_run: bool) -> None:
    """Remove failed and damaged runs and what killed runs have left; finished answers stay."""
    from cvlib.study.clear import clear, leftovers
    from cvlib.study.gallery import write_gallery

    found = leftovers(out, older=older)
    gone = found if dry_run else clear(out, found)
    for each in gone:
        click.echo(f"{each.reason:<28}{each.folder.parent.name}/{each.folder.name}")
    said = "would be removed" if dry_run else "removed"
    click.echo(f"{len(gone)} folder{'' if len(gone) == 1 else 's'} {said}.")
    if gone and not dry_run:
        write_gallery(out)
