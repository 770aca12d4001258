"""Write docs/evidence.md: what the tests compare with, recomputed now. ``python docs/evidence.py``.

Nothing here is typed: printed values come from tests/reference, ours are estimated when the page is
written, what the tests compare is what ``python tests/evidence.py`` saw them compare, the
benchmarks are the last run of ``make bench`` (benchmarks/last.json).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cvlib as cv
from cvlib.lifetime.contracts.cohorts import cohort_losses, fit_cohort
from cvlib.lifetime.contracts.series import read_cohorts
from cvlib.lifetime.repeat_buying.fit import fit_repeat_buying
from cvlib.lifetime.spend import fit_spend
from cvlib.weighting.data.importance import importance, shares
from cvlib.weighting.experts.ahp import consistency, eigenvector, priorities

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "tests" / "reference"
PAGE = Path(__file__).with_suffix(".md")
COMPARED = Path(__file__).with_name("evidence_tests.csv")
AHP_METHOD = {"eigenvector": "eigenvector", "rgmm": "geometric_mean", "anc": "column_mean"}
OBJECTIVE = {
    "ent01_fighter": "entropy_sum",
    "ent02_banks": "entropy_sum",
    "ent03_nursing": "entropy_minmax",
    "std01_jahan": "standard_deviation",
    "crit01_diakoulaki": "critic",
    "merec01": "merec",
}
FIT = {
    "chi2": "chisq", "df": "df", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea",
    "rmsea_ci_low": "rmsea.ci.lower", "rmsea_ci_high": "rmsea.ci.upper", "srmr": "srmr",
    "gfi": "gfi", "aic": "aic", "bic": "bic",
}  # fmt: skip
Row = dict[str, str]


def places(printed: str) -> int:
    """Decimals of a number as printed."""
    return len(printed.partition(".")[2])


def compared(source: str, quantity: str, printed: str, ours: float) -> Row:
    """One printed number beside ours, at the decimals printed."""
    digits = places(printed)
    found = f"{ours:.{digits}f}"
    same = abs(ours - float(printed)) <= 0.5 * 10.0**-digits + 1e-9
    return {
        "Source": source, "Quantity": quantity, "Printed": printed, "Ours": found,
        "Decimals": str(digits), "Agrees": "yes" if same else "no",
    }  # fmt: skip


def lifetime() -> Iterator[Row]:
    """Estimates and log-likelihoods of repeat buying, spend and cohorts."""
    folder = REFERENCE / "lifetime"
    cdnow = pd.read_csv(folder / "cdnow_sample_btyd_cbs.csv")
    donations = pd.read_csv(folder / "donations_fader_hardie_shang_2010.csv").assign(T=6)
    cohorts = read_cohorts().customers
    fits: dict[str, Any] = {}
    for row in json.loads((folder / "published.json").read_text(encoding="utf-8")):
        name, cohort = row["model"], row.get("cohort", "")
        if f"{name}{cohort}" not in fits:
            if name == "gamma_gamma":
                found: Any = fit_spend(cdnow.rename(columns={"m_x": "mean_repeat_spend"}))
            elif name == "sbg":
                left = cohorts.loc[cohorts["cohort"] == cohort, "customers"]
                found = fit_cohort(cohort_losses(left.iloc[:8]), "sbg")
            else:
                found = fit_repeat_buying(donations if name == "bg_bb" else cdnow, name)
            fits[f"{name}{cohort}"] = found
        fit = fits[f"{name}{cohort}"]
        estimates = fit.parameters.set_index("parameter")["estimate"]
        for parameter, printed in row["estimates"].items():
            yield compared(row["source"], f"{name}: {parameter}", printed, estimates[parameter])
        if row["log_likelihood"]:
            best = fit.fit.set_index("measure")["value"]["log_likelihood"]
            yield compared(row["source"], f"{name}: ln L", row["log_likelihood"], best)


def remembered(example: dict[str, Any], source: str) -> str:
    """The source, marked where its numbers were remembered rather than read."""
    return f"{source} [M]" if "recalled" in example.get("provenance", "") else source


def fixed(values: Iterable[float], digits: int) -> list[str]:
    return [f"{value:.{digits}f}" for value in values]


def ahp() -> Iterator[Row]:
    """Priorities and consistency of published comparison matrices."""
    examples = json.loads((REFERENCE / "weighting" / "ahp_examples.json").read_text("utf-8"))
    named = ""
    for example in examples:
        printed, matrix = example["published"], np.array(example["matrix"])
        named = named if example["source"].startswith("same") else example["source"]
        source = named if named == example["source"] else f"{named}: {example['source']}"
        source = remembered(example, source)
        weights = priorities(matrix, AHP_METHOD[printed["method"]])
        items = example.get("items") or [f"item {at + 1}" for at in range(len(matrix))]
        texts = fixed(printed["weights"], printed["weights_decimals"])
        for item, text, ours in zip(items, texts, weights, strict=True):
            yield compared(source, f"AHP weight: {item}", text, ours)
        if printed["lambda_max"] is not None:
            text = str(printed["lambda_max"])
            yield compared(source, "largest eigenvalue", text, float(eigenvector(matrix)[1]))
        if printed["CI"] is not None:
            frame = pd.DataFrame(matrix, index=items, columns=items)
            yield compared(
                source, "consistency index", str(printed["CI"]), consistency(frame)["ci"]
            )


def objective() -> Iterator[Row]:
    """Weights from data, of published decision tables."""
    path = REFERENCE / "weighting" / "weights_scores_examples.json"
    for example in json.loads(path.read_text("utf-8")):
        if example["id"] not in OBJECTIVE:
            continue
        given, method = example["data"], OBJECTIVE[example["id"]]
        table = np.array(given.get("matrix", given.get("minmax_matrix")), float)
        cost = np.array(given.get("directions") or [1] * table.shape[1]) < 0
        scaled = (table - table.min(axis=0)) / np.ptp(table, axis=0)
        scaled = table if "minmax_matrix" in given else np.where(cost, 1 - scaled, scaled)
        found = shares(importance(method, table, scaled, cost))
        names = given.get("criteria") or [f"criterion {at + 1}" for at in range(len(found))]
        texts = fixed(example["published"]["w"], example["decimals"])
        for name, text, ours in zip(names, texts, found, strict=True):
            source = remembered(example, example["source"])
            yield compared(source, f"{method}: {name}", text, ours)


def wide(path: Path, kind: str) -> pd.DataFrame:
    """A square table of the reference as rows of source, target and value, without its zeros."""
    table = pd.read_csv(path, index_col=0).rename_axis(index="source", columns="target")
    found = table.stack().rename("value").reset_index()
    found = found[found["value"] != 0]
    for column in ("source", "target"):
        named = column == "target" or kind != "items"
        found[column] = found[column].str.lower() if named else found[column]
    return found


def summed(source: str, quantity: str, tolerance: float, gaps: pd.Series) -> Row:
    """Many numbers at once: how many, and whether all lie within a tolerance."""
    return {
        "Source": source, "Quantity": quantity, "Numbers": str(len(gaps)),
        "All within": f"{tolerance:.0e}",
        "Agrees": "yes" if bool((gaps.abs() <= tolerance).all()) else "no",
    }  # fmt: skip


def satisfaction() -> Iterator[Row]:
    """PLS against seminr: every path, loading, total effect, f² and reliability."""
    folder, source = REFERENCE / "satisfaction", "R seminr 2.3.1, mobile survey, ECSI"
    model = cv.satisfaction.pls("mobi", "ecsi_mobile")
    tables = {
        "paths": (model.path_coefficients, ["source", "target"], "estimate", "names"),
        "f2": (model.f_squared, ["source", "target"], "f_squared", "names"),
        "total_effects": (model.total_effects, ["source", "target"], "estimate", "names"),
        "outer_loadings": (model.loadings, ["item", "construct"], "loading", "items"),
        "outer_weights": (model.loadings, ["item", "construct"], "weight", "items"),
    }
    for name, (ours, keys, value, kind) in tables.items():
        theirs = wide(folder / f"mobi_modeA_path_{name}.csv", kind)
        theirs = theirs.rename(columns=dict(zip(["source", "target"], keys, strict=True)))
        both = theirs.merge(ours, on=keys, how="left", validate="one_to_one")
        yield summed(source, name.replace("_", " "), 1e-8, both["value"] - both[value])
    theirs = pd.read_csv(folder / "mobi_modeA_path_reliability.csv", index_col=0)
    ours = model.reliability.set_index("construct")
    for column, name in {"alpha": "alpha", "rhoA": "rho_a", "rhoC": "rho_c", "AVE": "ave"}.items():
        other = theirs[column].rename(str.lower)
        several = other.index[other.index.isin(ours.index[ours[name].notna()])]
        yield summed(source, name, 1e-8, other[several] - ours[name][several])


def covariance() -> Iterator[Row]:
    """Covariance SEM against lavaan: fit of ACSI on the mobile survey."""
    theirs = pd.read_csv(REFERENCE / "cbsem" / "mobi_acsi_ml_fit.csv", index_col="measure")["value"]
    ours = cv.satisfaction.sem("mobi", "acsi").fit.set_index("measure")["value"]
    for name, other in FIT.items():
        text = f"{theirs[other]:.0f}" if name == "df" else f"{theirs[other]:.3f}"
        yield compared("lavaan 0.6.14, mobile survey, ACSI, ML", name, text, ours[name])


def sources() -> pd.DataFrame:
    """Where the numbers of each reference file come from: patterns, the first that fits counts."""
    return pd.read_csv(REFERENCE / "sources.csv", keep_default_na=False)


def source_of(file: str, known: pd.DataFrame) -> tuple[str, str]:
    """Source and role of a reference file.

    The role is empty for numbers that tests compare, "below" where this page prints them all,
    "simulated" where only their distribution is compared, "input" for data.
    """
    for pattern, source, role in known.itertuples(index=False):
        if fnmatch(file, pattern):
            return source, role
    raise LookupError(f"{file}: tests/reference/sources.csv does not say where it comes from")


def compared_by_tests() -> Iterator[Row]:
    """Every reference file: how many of its numbers the tests compare, and how near ours are."""
    known, told = sources(), pd.read_csv(COMPARED, dtype={"difference": str})
    for file, rows in told.groupby("file"):
        source, role = source_of(str(file), known)
        if role:
            continue
        # a number or two can be equal by chance: such a test counts where it is the only one
        rows = rows[(rows["numbers"] >= 3) | (rows["numbers"] == rows["numbers"].max())]
        most = rows.loc[rows["numbers"].idxmax()]
        name = str(file).removeprefix("tests/reference/")
        link = f"[{name}](../tests/reference/{name})" if name != file else name
        tests = sorted({test.partition("::")[0] for test in rows["test"]})
        yield {
            "File": link, "Source": source, "Numbers": str(most["numbers"]),
            "Largest difference": most["difference"], "Nearest to its limit": most["closest_call"],
            "Compared in": ", ".join(f"`{test}`" for test in tests),
        }  # fmt: skip


def table(rows: Iterable[Row]) -> str:
    """Rows as a Markdown table."""
    listed = list(rows)
    heads = list(listed[0])
    lines = [heads, ["---"] * len(heads), *([row[head] for head in heads] for row in listed)]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )


def faults() -> Iterator[Row]:
    """What may go wrong around a run, and the tests in which it does."""
    listed = pd.read_csv(Path(__file__).with_name("faults.csv"))
    for fault, asserted, tests in listed.itertuples(index=False):
        named = ", ".join(f"`{test}`" for test in tests.split())
        yield {"Fault": fault, "What is asserted": asserted, "Tests": named}


def times(ratio: float) -> str:
    """A ratio of a single run at the digits it has."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def benchmarks() -> str:
    """What the last run of ``make bench`` found: ratios in a table, then what was printed."""
    path = ROOT / "benchmarks" / "last.json"
    if not path.is_file():
        return (
            "Not run: `make bench` writes `benchmarks/last.json`, from which this section is made."
        )
    last = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        {
            "Work": ratio["what"], "Peer": ratio["peer"], "Unit": ratio["unit"],
            "Peer took": f"{ratio['theirs']:.3g}", "cvlib took": f"{ratio['ours']:.3g}",
            "Ratio": times(ratio["theirs"] / ratio["ours"]), "Run": f"`{run['command']}`",
        }
        for run in last.values() for ratio in run["ratios"]
    ]  # fmt: skip
    parts = [
        "A ratio is what the peer took, divided by what cvlib took for the same work on the same "
        "machine in the same run: above one, cvlib is quicker or smaller. Single runs: a ratio "
        "moves by some tens of per cent from one to the next. `make bench` measures anew.",
        table(rows),
    ]
    for name, run in last.items():
        about = f"{run['date']}, {run['machine']}, Python {run['python']}, cvlib {run['cvlib']}"
        size = f" with `{run['arguments']}`" if run["arguments"] else ""
        parts.append(
            f"**{name}** (`{run['command']}`{size}; {about})\n\n"
            f"```text\n{run['printed'].strip()}\n```"
        )
    return "\n\n".join(parts)


def page() -> str:
    """The whole page."""
    files, told = list(compared_by_tests()), pd.read_csv(COMPARED)
    count = sum(int(row["Numbers"]) for row in files)
    sections = {
        "Repeat buying, spend and cohorts": lifetime(),
        "Satisfaction by PLS": satisfaction(),
        "Satisfaction by covariance SEM": covariance(),
        "AHP": ahp(),
        "Weights from data": objective(),
    }
    parts = [
        "# Evidence",
        "What cvlib gives beside printed numbers and those of independent programs. "
        "`python docs/evidence.py` writes this page anew.",
        "## What the tests compare",
        f"Every file of numbers from elsewhere that the tests read: {count:,} numbers of "
        f"{len(files)} files, in {told['test'].nunique()} tests. For each the test that compares "
        "most of it is told: how many numbers, how far ours lie from them at most (the next power "
        "of ten, in the numbers' own units), and the one that came nearest to what the test "
        "allows. A number counts where a comparison has it on one side, as it stands in the file; "
        "integers below ten do not. `python tests/evidence.py` runs these tests, looks on and "
        "writes [evidence_tests.csv](evidence_tests.csv), a row per file and test. Files *beside "
        "the data* are not in this repository: they are read where `CVLIB_DATA_MIRROR` names a "
        "folder of data, and these tests say so where they skip.",
        table(files),
        "By their distribution only: "
        + "; ".join(
            f"`{file}` ({source})"
            for file, source, role in sources().itertuples(index=False)
            if role == "simulated"
        )
        + ".",
        "The printed tables follow, number by number. [M] marks numbers remembered rather than "
        "read again in the source. Where a row does not agree, ours equals an independent "
        "recomputation from the data as given, which a test in `tests/weighting` confirms: the "
        "source misprints, or was remembered wrongly.",
    ]
    for title, rows in sections.items():
        parts += [f"## {title}", table(rows)]
    parts += ["## Faults", table(faults())]
    parts += ["## Speed and memory", benchmarks()]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
