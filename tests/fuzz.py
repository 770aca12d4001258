"""Mutated inputs: every reader refuses what it cannot use in its own words, quickly.

A case is a target and a number: the same number is the same mutation, so that what once failed
stays a test (`KEPT`). ``python -m tests.fuzz 10000`` runs so many and prints what falls.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs import datasets
from cvlib.inputs.datasets import SHIPPED
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.satisfaction.model import file as models
from cvlib.study.batch import read_study
from cvlib.study.folder import STUDY
from cvlib.study.notebook import read_notebook, shipped
from cvlib.weighting import tree as trees
from cvlib.weighting.experts import files as judgement_files
from cvlib.weighting.experts.workbook import write_workbook

SECONDS, MEGABYTES = 10.0, 1000
NASTY = [
    "", " ", "=1+1", "NaN", "inf", "-inf", "1e400", "9" * 400, "1,5", "1.234,5", "0x10", "1/3",
    "2024-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "1850-01-01", "2024-03-31T00:00+99:00",
    "\x00", "\x1b[31m", "\u202e", "\ufeff", "\ud83d", "🙂", "非常满意", "é" * 300, "a" * 5000, '"',
    "'", "\n", "\t", ",", ";", "[]", "{}", "[", "{", "- ", ": ", "&a [*a]", "*a", "!!python/none",
    "!!int x", "!!binary x", "!!timestamp 2024-02-30", "? ", "<<: 1", "~", "true", "yes", "-1", "0",
    "1" + "0" * 30, ".", "..", "/", "http://127.0.0.1:9/x", "|", ">", "%", "@", "`", "None", "<NA>",
]  # fmt: skip

# Cases that once fell.
KEPT = [
    ("experts.xlsx", 46),
    ("experts.xlsx", 131),
    ("experts.xlsx", 165),
    ("xlsx", 412),
    ("matrix.csv", 119),
    ("matrix.csv", 2927),
    ("judgements.csv", 731100),
    ("log.parquet", 20007),
    ("log.csv", 20917),
]


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A few changes: bytes, words and lines exchanged, dropped, doubled, cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(8)
        if kind == 0 and data:
            data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice(NASTY).encode("utf-8", "surrogatepass")
        elif kind == 2:
            del data[at : at + rng.choice([1, 5, 50])]
        elif kind == 3:
            data = data[:at] if rng.random() < 0.3 else data
        elif kind == 4:
            data[at:at] = data[at : at + rng.choice([1, 20, 200])] * rng.choice([1, 2, 30])
        else:  # one word for another
            separators = b",;\n\t :"
            ends = [i for i, byte in enumerate(data) if byte in separators]
            if len(ends) > 1:
                first = rng.randrange(len(ends) - 1)
                word = rng.choice(NASTY).encode("utf-8", "surrogatepass")
                data[ends[first] + 1 : ends[first + 1]] = word
    return bytes(data)


def _mutated_package(content: bytes, rng: random.Random) -> bytes:
    """A workbook with one of its parts mutated, still a package."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {part.filename: package.read(part) for part in package.infolist()}
    name = rng.choice(sorted(parts))
    parts[name] = mutated(parts[name], rng)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for part, inside in parts.items():
            package.writestr(part, inside)
    return made.getvalue()


@cache
def seeds() -> dict[str, bytes]:
    """A small good file of every format."""
    survey = pd.read_csv(SHIPPED / "mobi.csv").head(30)
    log = pd.read_csv(SHIPPED / "cdnow_sample.csv").head(40)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        survey.to_excel(folder / "s.xlsx", index=False)
        survey.to_parquet(folder / "s.parquet")
        log.to_parquet(folder / "l.parquet")
        survey.to_feather(folder / "s.feather")
        survey.to_stata(folder / "s.dta")
        import pyreadstat

        pyreadstat.write_sav(survey, str(folder / "s.sav"))
        write_workbook(trees.load_tree("rfm"), folder / "experts.xlsx")
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
    found["survey.csv"] = survey.to_csv(index=False).encode()
    found["log.csv"] = log.to_csv(index=False).encode()
    found["contracts.csv"] = (
        b"id,tenure,Churn,Contract,MonthlyCharges\n" + b"a,1,Yes,Month,20\nb,5,No,Year,30.5\n" * 9
    )
    found["indicators.csv"] = b"customer_id,recency,frequency,monetary\n" + b"".join(
        b"c%d,%d,%d,%d.5\n" % (i, i * 3 % 17, i % 5, i * 7) for i in range(20)
    )
    found["judgements.csv"] = (
        b"expert,recency|frequency,recency|monetary,frequency|monetary\nA,5,7,3\nB,1/3,0.2,4\n"
    )
    found["matrix.csv"] = (
        b",recency,frequency,monetary\nrecency,1,5,7\nfrequency,1/5,1,3\nmonetary,1/7,1/3,1\n"
    )
    found["judgements.yaml"] = b"A:\n  recency|frequency: 5\n  recency|monetary: 7\n"
    found["study.yaml"] = STUDY.format(title="Mine").encode()
    return found


def _yaml_of(module: Any, folder: str, name: str) -> bytes:
    return (Path(module.__file__).parents[0] / folder / f"{name}.yaml").read_bytes()


def _read(name: str, then: Callable[[Path], Any], package: bool = False) -> Callable[..., Any]:
    def case(rng: random.Random, folder: Path) -> Any:
        content = seeds()[name]
        whole = package and rng.random() < 0.7
        path = folder / name
        path.write_bytes(_mutated_package(content, rng) if whole else mutated(content, rng))
        return then(path)

    return case


def _checked(check: Callable[..., Any], *words: str) -> Callable[[Path], Any]:
    return lambda path: check(read_table(path), *words)


def _parameters(rng: random.Random, folder: Path) -> Any:
    notebook = read_notebook(rng.choice(shipped()))
    chosen = rng.sample(notebook.parameters, k=min(3, len(notebook.parameters)))
    values = [rng.choice(NASTY) for _ in chosen]
    values = [
        json.loads(value) if value.lstrip("-").isdigit() and len(value) < 30 else value
        for value in values
    ]
    return notebook.arguments({p.name: v for p, v in zip(chosen, values, strict=True)})


def _model(rng: random.Random, folder: Path) -> Any:
    name = rng.choice(models.available_models())
    source = next(Path(models.__file__).parents[1].rglob(f"models/{name}.yaml"))
    path = folder / "model.yaml"
    path.write_bytes(mutated(source.read_bytes(), rng))
    return models.load_model(str(path))


def _tree(rng: random.Random, folder: Path) -> Any:
    name = rng.choice(trees.available_trees())
    source = next(Path(trees.__file__).parent.rglob(f"indicators/{name}.yaml"))
    path = folder / "tree.yaml"
    path.write_bytes(mutated(source.read_bytes(), rng))
    return trees.load_tree(str(path))


def _judgements(path: Path) -> Any:
    return judgement_files.read_judgements(trees.load_tree("rfm"), path)


def _targets() -> dict[str, Callable[[random.Random, Path], Any]]:
    from cvlib.inputs import contracts, subscriptions
    from cvlib.inputs.transactions import transaction_log
    from cvlib.satisfaction.survey.answers import open_survey
    from cvlib.satisfaction.survey.settings import Columns

    mobile = models.load_model("ecsi_mobile")
    return {
        "survey.csv": _read(
            "survey.csv", lambda path: open_survey(read_table(path), mobile, Columns())
        ),
        "log.csv": _read("log.csv", lambda path: transaction_log(path).warnings),
        "contracts.csv": _read(
            "contracts.csv",
            lambda path: subscriptions.check_contracts(
                read_table(path), subscriptions.ContractColumns(duration="tenure", event="Churn")
            ),
        ),
        "indicators.csv": _read(
            "indicators.csv",
            _checked(contracts.check_indicators, ["recency", "frequency", "monetary"]),
        ),
        "xlsx": _read("s.xlsx", read_table, package=True),
        "parquet": _read("s.parquet", read_table),
        "feather": _read("s.feather", read_table),
        "dta": _read("s.dta", read_table),
        "sav": _read("s.sav", read_table),
        "log.parquet": _read("l.parquet", lambda path: transaction_log(path).warnings),
        "judgements.csv": _read("judgements.csv", _judgements),
        "matrix.csv": _read("matrix.csv", _judgements),
        "judgements.yaml": _read("judgements.yaml", _judgements),
        "experts.xlsx": _read("experts.xlsx", _judgements, package=True),
        "model": _model,
        "tree": _tree,
        "study": _read("study.yaml", read_study),
        "parameters": _parameters,
    }


def run(target: str, number: int, memory: bool = False) -> str:
    """What is wrong with a case; empty when it was read, or refused in a paragraph, in time."""
    rng = random.Random(f"{target} {number}")
    folder = Path(tempfile.mkdtemp())
    seeds()
    if memory:
        tracemalloc.start()
    began = time.process_time()  # the machine may be busy with something else
    wrong = ""
    try:
        TARGETS[target](rng, folder)
    except InputError as error:
        if not error.where or "\n\n" in str(error) or len(str(error)) > 3000:
            wrong = f"not a paragraph: {str(error)[:200]!r}"
    except Exception as error:
        trace = error.__traceback__
        while trace and trace.tb_next and "cvlib" in trace.tb_next.tb_frame.f_code.co_filename:
            trace = trace.tb_next
        at = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        wrong = f"{type(error).__name__}: {str(error)[:150]} at {at}"
    took = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1] / 1e6 if memory else 0
    tracemalloc.stop()
    shutil.rmtree(folder, ignore_errors=True)
    if took > SECONDS:
        wrong = f"took {took:.0f} s"
    if peak > MEGABYTES:
        wrong = f"took {peak:.0f} MB"
    return wrong


TARGETS = _targets()

if __name__ == "__main__":
    datasets.entries()
    count, names = int(sys.argv[1]), sys.argv[2:] or list(TARGETS)
    for case in range(count):
        name = names[case % len(names)]
        if found := run(name, case, memory=True):
            print(f"({name!r}, {case}): {found}", flush=True)
