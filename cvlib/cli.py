"""The `cvlib` command. Exit status: 0 done, 1 a notebook failed, 2 the request was wrong."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cvlib
from cvlib.inputs.errors import InputError
from cvlib.upkeep import clean, data, doctor, pages, plain_errors, refresh

if TYPE_CHECKING:
    from cvlib.study.compare import RunComparison


_JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 1000),
    default=2,
    show_default=True,
    help="Kernels at the same time.",
)
_STUDY = click.argument("study", type=click.Path(path_type=Path, dir_okay=False))
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for reports.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(cvlib.__version__, prog_name="cvlib")
@click.option("-v", "--verbose", is_flag=True, help="Say each step, with the time it took.")
def main(verbose: bool) -> None:
    """Customer satisfaction, indicator weights and lifetime value, as reports."""
    if verbose:
        import logging

        told = logging.StreamHandler()
        told.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log = logging.getLogger("cvlib")
        log.handlers[:] = [told]
        log.setLevel(logging.INFO)
        log.propagate = False


for _command in (refresh, pages, data, doctor, clean):
    main.add_command(_command)


@main.command()
@click.argument("notebooks", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Run every shipped notebook.")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter; `cvlib describe NOTEBOOK` lists them.",
)
@click.option(
    "--parameters",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file of parameters; -p wins over it.",
)
@click.option("--to", "formats", default="html", show_default=True, help="Report formats, a,b,c.")
@_OUT
@click.option("--force", is_flag=True, help="Run again what has been answered before.")
@click.option("--dry-run", is_flag=True, help="Check the request, say what would run, and stop.")
@_JOBS
@plain_errors
def run(
    notebooks: tuple[str, ...],
    everything: bool,
    parameters: tuple[tuple[str, str], ...],
    file: Path | None,
    dry_run: bool,
    formats: str,
    out: Path,
    force: bool,
    jobs: int,
) -> None:
    """Run NOTEBOOKS (name or number) and write their reports."""
    from tqdm import tqdm

    from cvlib.study.gallery import write_gallery
    from cvlib.study.notebook import find, read_notebook, shipped
    from cvlib.study.parameters import parameters_of
    from cvlib.study.render.finished import check_formats
    from cvlib.study.run import question, run_notebook
    from cvlib.study.warm import expect, ready

    if everything == bool(notebooks):
        raise InputError("cvlib run", "say which notebooks, or --all", "See `cvlib list`.")
    wanted = tuple(name.strip() for name in formats.split(",") if name.strip())
    check_formats(wanted)
    chosen = [read_notebook(p) for p in shipped()] if everything else [find(n) for n in notebooks]
    given = parameters_of(file) | dict(parameters)
    asked = [question(notebook, given, out)[-1] for notebook in chosen]
    if dry_run:
        for notebook, answer in zip(chosen, asked, strict=True):
            state = "to run" if force or answer.unfinished() else "finished"
            click.echo(f"{state:<10}{notebook.name} {answer.folder.name}")
        return
    expect([notebook.source for notebook in chosen])
    if force or any(answer.unfinished() for answer in asked):
        ready()
    one = partial(run_notebook, parameters=given, out=out, formats=wanted, force=force)
    progress = sys.stderr.isatty() and len(chosen) == 1
    if len(chosen) == 1:
        stream = map(partial(one, progress=progress), chosen)
    else:
        import joblib

        stream = joblib.Parallel(n_jobs=jobs, backend="threading", return_as="generator")(
            joblib.delayed(one)(notebook, progress=progress) for notebook in chosen
        )
    several = sys.stderr.isatty() and len(chosen) > 1
    for done in tqdm(stream, total=len(chosen), desc="notebooks", disable=not several):
        click.echo(f"{done.manifest['notebook']}: {done.folder / 'report.html'}")
        if done.existed:
            click.echo("  answered before with the same data and code; --force runs it again")
        for headline in done.results["headlines"].values():
            click.echo(f"  {headline['sentence']}")
    page, unreadable = write_gallery(out)
    for folder in unreadable:
        click.echo(f"cvlib: {folder} cannot be read and is not in the list of reports.", err=True)
    click.echo(f"All reports: {page}")


@main.command(name="list")
@plain_errors
def list_notebooks() -> None:
    """List the notebooks and the question each answers."""
    from cvlib.study.notebook import read_notebook, shipped

    for path in shipped():
        notebook = read_notebook(path)
        click.echo(f"{notebook.name:<28} {notebook.title}")


@main.command()
@click.argument("notebook")
@plain_errors
def describe(notebook: str) -> None:
    """Say what NOTEBOOK answers and which parameters it takes."""
    from cvlib.study.notebook import find

    found = find(notebook)
    click.echo(f"{found.name}: {found.title}\n\n{found.question}\n")
    for parameter in found.parameters:
        if parameter.name != "out":
            default = repr(parameter.default)
            click.echo(f"  {parameter.name}: {parameter.kind} = {default}\n      {parameter.help}")
            if parameter.allowed:
                click.echo(f"      ({parameter.allowed})")


@main.command()
@_STUDY
@_OUT
@_JOBS
@click.option("--dask", default="", help="Address of a Dask scheduler.")
@click.option("--dry-run", is_flag=True, help="List what would run, and stop.")
@click.option(
    "--force",
    type=click.IntRange(1),
    multiple=True,
    metavar="CELL",
    help="Run this cell again (its number in --dry-run); may be repeated.",
)
@plain_errors
def batch(
    study: Path, out: Path, jobs: int, dask: str, dry_run: bool, force: tuple[int, ...]
) -> None:
    """Run the STUDY file's grid of notebooks; an interrupted batch continues where it stopped."""
    from cvlib.study.batch import planned, read_study, run_study
    from cvlib.study.gallery import write_gallery

    found = read_study(study)
    for cell in force:
        if cell > len(found.cells):
            raise InputError(
                "--force", f"there is no cell {cell}, the study has {len(found.cells)}",
                "See `cvlib batch --dry-run`.",
            )  # fmt: skip
    if dry_run:
        click.echo(planned(found, out, force).to_string(index=False))
        return
    outcomes = run_study(
        found, out, jobs=jobs, dask=dask, force=force, progress=sys.stderr.isatty()
    )
    failed = [outcome for outcome in outcomes if outcome.reason]
    done = [outcome.run for outcome in outcomes if outcome.run]
    before = sum(run.existed for run in done)
    click.echo(f"{len(done)} of {len(outcomes)} runs done, {before} of them earlier.")
    for outcome in failed:
        click.echo(f"failed: {outcome.cell.label}: {outcome.reason}", err=True)
    page, _ = write_gallery(out)
    summary = page.parent / "studies" / found.slug / "report.html"
    click.echo(f"Summary: {summary}\nAll reports: {page}")
    if failed:
        sys.exit(1)


@main.command(name="check")
@_STUDY
@plain_errors
def check_study_file(study: Path) -> None:
    """Check the STUDY file, its data files, columns and parameters before hours are spent."""
    from cvlib.study.batch import check_study, read_study

    outcomes = check_study(read_study(study))
    for outcome in outcomes:
        click.echo(f"{'WRONG' if outcome.reason else 'ok':<6}{outcome.cell.label}")
        if outcome.reason:
            click.echo(f"      {outcome.reason}", err=True)
    if any(outcome.reason for outcome in outcomes):
        sys.exit(2)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--study", type=click.Choice(["general", "customer"]), default="general",
              show_default=True, help="Several notebooks, or one customer base.")  # fmt: skip
@click.option("--tree", default="", help="Scores by one indicator tree: a shipped name, such as "
              "bank, or a .yaml file.")  # fmt: skip
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True,
              help="Of a study of customers or scores.")  # fmt: skip
@plain_errors
def new(folder: Path, study: str, tree: str, language: str) -> None:
    """Make a study FOLDER: a study file that runs, data templates, questionnaire and workbook."""
    import pandas as pd

    from cvlib.satisfaction.design.questionnaire import write_questionnaire
    from cvlib.satisfaction.model.file import load_model
    from cvlib.study.folder import new_folder
    from cvlib.weighting.experts.workbook import write_workbook
    from cvlib.weighting.tree import load_tree

    if tree:
        for path in _scores_folder(folder, tree, language):
            click.echo(path)
        return
    if study == "customer":
        model = load_model("customer_study")
        heads = {
            "survey.csv": ["id", "interviewed_on", *model.columns],
            "contracts.csv": ["id", "start", "end", "fee", "service_cost", "referrals"],
            "transactions.csv": ["id", "date", "amount"],
            "attributes.csv": ["id", "at"],
            "costs.csv": ["construct", "points", "once", "per_period"],
        }
        templates = {name: pd.DataFrame(columns=columns) for name, columns in heads.items()}
        written = new_folder(folder, templates, study, language)
        written.append(write_questionnaire(model, folder / "questionnaire.xlsx", language=language))
        for path in written:
            click.echo(path)
        return
    model = load_model("ecsi_mobile")
    templates = {
        "survey.csv": pd.DataFrame(columns=model.columns),
        "transactions.csv": pd.DataFrame(columns=["customer_id", "date", "amount"]),
    }
    written = new_folder(folder, templates)
    written.append(write_questionnaire(model, folder / "questionnaire.xlsx"))
    written.append(write_workbook(load_tree("rfm"), folder / "expert_judgements.xlsx"))
    for path in written:
        click.echo(path)


def _scores_folder(folder: Path, named: str, language: str) -> list[Path]:
    from cvlib.study.folder import new_folder
    from cvlib.weighting.begin import tree_facts, write_tree
    from cvlib.weighting.simulate import simulate_customers
    from cvlib.weighting.tree import load_tree

    tree, facts = load_tree(named), tree_facts(named, language)
    templates = {"customers.csv": simulate_customers(tree)}
    written = new_folder(folder, templates, "scores", language, facts)
    return [*written, *write_tree(named, folder, language)]


@main.command()
@click.argument("tree")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@plain_errors
def workbook(tree: str, file: Path, language: str) -> None:
    """Write the expert questionnaire of TREE (a shipped name or a file) as the workbook FILE."""
    from cvlib.weighting.experts.workbook import write_workbook
    from cvlib.weighting.tree import load_tree

    click.echo(write_workbook(load_tree(tree), file, language=language))


@main.command()
@click.argument("model")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@plain_errors
def questionnaire(model: str, file: Path, language: str) -> None:
    """Write the questionnaire of MODEL (a shipped name or a file).

    FILE ends in .docx (print), .xlsx (with codes and data sheet), .xlsform.xlsx (ODK, KoBo) or .csv
    (the empty data table).
    """
    from cvlib.satisfaction.design.questionnaire import write_questionnaire
    from cvlib.satisfaction.model.file import load_model

    click.echo(write_questionnaire(load_model(model), file, language=language))


@main.command()
@click.argument("model")
@click.option("--data", "survey", default="", help="Survey the parameters are estimated from.")
@click.option("--sizes", default="100,200,300,500", show_default=True, help="Sample sizes, a,b,c.")
@click.option("--difference", default=3.0, show_default=True, help="True difference, index points.")
@click.option(
    "--power", type=float, help="Find the n per group that finds the difference so often."
)
@click.option("--width", type=float, help="Find the n of an index interval this wide.")
@click.option(
    "--missing",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Share of missing answers.",
)
@click.option(
    "--cluster-size",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Respondents per cluster.",
)
@click.option(
    "--cluster-correlation",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Within clusters.",
)
@click.option(
    "--replications",
    type=click.IntRange(100, 1000000),
    default=1000,
    show_default=True,
    help="Surveys per size.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@plain_errors
def plan(model: str, survey: str, sizes: str, language: str, **given: Any) -> None:
    """Say how many interviews MODEL (a shipped name or a file) needs, by simulation."""
    from cvlib.satisfaction.design.goal import Analysis, Goal
    from cvlib.satisfaction.design.sample_size import plan_survey
    from cvlib.satisfaction.design.simulate import population
    from cvlib.satisfaction.pls.estimate import estimate_pls
    from cvlib.satisfaction.survey.settings import Assessment

    known = {name: given[name] for name in ("missing", "cluster_correlation")}
    base: Any = model
    if survey:
        answers = cvlib.load_table(survey).data
        found = estimate_pls(answers, model, assessment=Assessment(folds=0))
        base = found.model
        known |= {"paths": found.path_coefficients, "loadings": found.loadings, "answers": answers}
    if not all(re.fullmatch(r"\s*[0-9]{1,6}\s*", part) for part in sizes.split(",")):
        raise InputError("--sizes", f"{sizes!r} is not a list of numbers", "Write 100,200,300.")
    wanted = {"difference_power": given["power"], "index_width": given["width"]}
    planned = plan_survey(
        population(base, **known),
        sizes=[int(part) for part in sizes.split(",")],
        goal=Goal(
            difference=given["difference"],
            targets={name: value for name, value in wanted.items() if value is not None},
        ),
        analysis=Analysis(cluster_size=given["cluster_size"]),
        replications=given["replications"],
        seed=given["seed"],
        language=language,
        progress=sys.stderr.isatty(),
    )
    shown = planned.index[planned.index["construct"] == planned.settings["construct"]]
    for table in (shown, planned.differences, planned.paths, planned.smallest):
        if len(table):
            click.echo(table.round(3).to_string(index=False) + "\n")
    for warning in planned.warnings:
        click.echo(f"cvlib: {warning}", err=True)
    click.echo(planned.sentence)


_RUN = click.Path(path_type=Path, file_okay=False)


@main.command()
@click.argument("first", type=_RUN)
@click.argument("second", type=_RUN)
@plain_errors
def compare(first: Path, second: Path) -> None:
    """Say what differs between run folders FIRST and SECOND: settings, data, versions, numbers."""
    from cvlib.study.compare import compare_runs, open_run

    _tell(compare_runs(open_run(first), open_run(second)))


@main.command()
@click.argument("run_folder", type=_RUN)
@plain_errors
def rerun(run_folder: Path) -> None:
    """Repeat a run and say whether the numbers agree (status 1 when they do not)."""
    from cvlib.study.compare import open_run
    from cvlib.study.compare import rerun as repeat

    found = repeat(open_run(run_folder))
    _tell(found)
    if not found.same_numbers:
        sys.exit(1)


def _tell(found: RunComparison) -> None:
    if len(found.settings):
        click.echo(found.settings.to_string(index=False))
    differing = found.numbers[found.numbers["differing"] > 0]
    if len(differing):
        click.echo(differing.to_string(index=False))
    else:
        cells = found.numbers["cells"].sum()
        click.echo(f"All {cells:,} cells of {len(found.numbers)} tables agree.")
