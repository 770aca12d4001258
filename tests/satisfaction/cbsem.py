"""Models, data and reference tables the covariance tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "cbsem"
MOBI = pd.read_csv(ROOT / "data" / "mobi.csv")

ACSI = """
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Complaints =~ CUSCO
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Expectation + Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Satisfaction + Complaints
"""
ECSI = "Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\n" + ACSI.replace(
    "\nQuality ~", "\nExpectation ~ Image\nQuality ~"
).replace("Satisfaction ~ E", "Satisfaction ~ Image + E").replace(
    "Loyalty ~ S", "Loyalty ~ Image + S"
)
HOLZINGER = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
MEASURES = {
    "chi2": "chisq", "df": "df", "p": "pvalue", "cfi": "cfi", "tli": "tli", "nfi": "nfi",
    "rmsea": "rmsea", "rmsea_ci_low": "rmsea.ci.lower", "rmsea_ci_high": "rmsea.ci.upper",
    "rmsea_p_close": "rmsea.pvalue", "srmr": "srmr", "gfi": "gfi", "agfi": "agfi",
    "log_likelihood": "logl", "log_likelihood_saturated": "unrestricted.logl", "aic": "aic",
    "bic": "bic", "sabic": "bic2", "baseline_chi2": "baseline.chisq", "baseline_df": "baseline.df",
    "parameters": "npar", "n": "ntotal", "chi2_scaled": "chisq.scaled", "p_scaled": "pvalue.scaled",
    "baseline_chi2_scaled": "baseline.chisq.scaled", "cfi_robust": "cfi.robust",
    "tli_robust": "tli.robust", "rmsea_robust": "rmsea.robust",
    "rmsea_robust_ci_low": "rmsea.ci.lower.robust", "rmsea_robust_ci_high": "rmsea.ci.upper.robust",
    "rmsea_robust_p_close": "rmsea.pvalue.robust",
}  # fmt: skip
SCALING = {
    "scaling_factor": "chisq.scaling.factor",
    "baseline_scaling_factor": "baseline.chisq.scaling.factor",
}


def holzinger() -> pd.DataFrame:
    """Holzinger & Swineford (1939), as distributed with semopy."""
    from semopy.examples import holzinger39

    return holzinger39.get_data()


def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"{name}.csv")


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """Rows by (op, names), whichever way round a symmetric pair is written, and by group."""
    table = table[table["op"].isin(["=~", "~", "~~", "~1"])].copy()
    group = table["group"] if "group" in table else pd.Series("", index=table.index)
    rhs = table["rhs"].fillna("")
    table.index = pd.Index([
        (op, *(sorted((a, b)) if op == "~~" else (a, b)), str(g))
        for op, a, b, g in zip(table["op"], table["lhs"], rhs, group, strict=True)
    ])  # fmt: skip
    return table


def compare(table: pd.DataFrame, wanted: pd.DataFrame, columns: dict[str, str], tolerance: float):
    """Every row of `wanted`, column by column; fixed parameters have no standard error."""
    found, wanted = keyed(table), keyed(wanted)
    assert set(wanted.index) <= set(found.index)
    found = found.loc[wanted.index]
    for ours, theirs in columns.items():
        np.testing.assert_allclose(
            found[ours], wanted[theirs], rtol=tolerance, atol=tolerance * 1e-2, err_msg=ours
        )


def compare_fit(fit, wanted: pd.DataFrame, measures: dict[str, str], tolerance: float):
    """Every measure in both lists; returns how many were compared."""
    theirs = wanted.set_index("measure")["value"]
    ours = fit.set_index("measure")["value"]
    shared = {a: b for a, b in measures.items() if a in ours and b in theirs}
    for a, b in shared.items():
        # lavaan prints 1 - cdf, so its tiny p values are rounded to a multiple of 1e-16
        absolute = 1e-15 if b.startswith("pvalue") else 0.0
        np.testing.assert_allclose(ours[a], theirs[b], rtol=tolerance, atol=absolute, err_msg=a)
    return len(shared)
