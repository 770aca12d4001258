"""The panel of firms: against dummies fitted by formula, by simulation, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import cvlib as cv
from cvlib.inputs.errors import InputError


def firms(
    slope: float, seed: int = 3, rho: float = 0.6, n: int = 60, years: int = 8
) -> pd.DataFrame:
    """Satisfaction that moves with the firm's own level; errors carried over years."""
    rng = np.random.default_rng(seed)
    own, of_year = rng.normal(0, 0.5, n), rng.normal(0, 0.1, years)
    s = 4.3 + 0.1 * own[:, None] + of_year + rng.normal(0, 0.05, (n, years))
    e = np.zeros((n, years))
    e[:, 0] = rng.normal(0, 0.1, n)
    for t in range(1, years):
        e[:, t] = rho * e[:, t - 1] + np.sqrt(1 - rho**2) * rng.normal(0, 0.1, n)
    q = np.exp(slope * s + own[:, None] + of_year + e)
    rows = pd.MultiIndex.from_product([range(n), range(2000, 2000 + years)], names=["firm", "year"])
    table = rows.to_frame(index=False).assign(satisfaction=np.exp(s).ravel(), total_assets=50.0)
    value = q.ravel() * 50.0
    return table.assign(debt=0.25 * value, market_value=0.75 * value)


def test_as_dummies_with_errors_by_firm() -> None:
    table = firms(1.5)
    table = table.drop(index=[3, 20, 21]).sample(frac=1, random_state=1)
    found = cv.customer.firm_panel(table).firm_panel.iloc[0]
    table["q"] = (table["market_value"] + table["debt"]) / table["total_assets"]
    fit = smf.ols("np.log(q) ~ np.log(satisfaction) + C(firm) + C(year)", table).fit(
        cov_type="cluster", cov_kwds={"groups": table["firm"]}, use_t=True
    )
    name = "np.log(satisfaction)"
    assert found["elasticity"] == pytest.approx(fit.params[name], rel=1e-8)
    assert found["se"] == pytest.approx(fit.bse[name], rel=1e-8)
    assert [found["lower"], found["upper"]] == pytest.approx(list(fit.conf_int().loc[name]))


def test_ar1_is_generalised_least_squares_over_gaps_too() -> None:
    table = firms(1.5, n=20).drop(index=[3, 20, 21]).astype({"firm": str})
    table = table.sort_values(["firm", "year"], ignore_index=True)
    found = cv.customer.firm_panel(table).firm_panel.iloc[1]
    apart = np.abs(np.subtract.outer(table["year"].to_numpy(), table["year"].to_numpy()))
    same = np.equal.outer(table["firm"].to_numpy(), table["firm"].to_numpy())
    x = pd.get_dummies(table[["firm", "year"]].astype("category"), drop_first=True, dtype=float)
    x.insert(0, "s", np.log(table["satisfaction"]))
    y = np.log((table["market_value"] + table["debt"]) / table["total_assets"])
    fit = sm.GLS(y, sm.add_constant(x), sigma=np.where(same, found["rho"] ** apart, 0.0)).fit()
    assert found["elasticity"] == pytest.approx(fit.params["s"], rel=1e-7)


def test_slope_and_coverage_by_simulation() -> None:
    rows = [cv.customer.firm_panel(firms(1.5, seed)).firm_panel for seed in range(40)]
    for k in (0, 1):
        b, se, low, high = (
            np.array([r[c].iloc[k] for r in rows]) for c in ("elasticity", "se", "lower", "upper")
        )
        assert abs(b.mean() - 1.5) < 3 * b.std() / np.sqrt(len(b))
        assert ((low < 1.5) & (high > 1.5)).mean() >= 0.85
        assert 0.7 < se.mean() / b.std(ddof=1) < 1.4
    assert np.mean([r["se"].iloc[1] < r["se"].iloc[0] for r in rows]) > 0.8
    assert np.mean([r["rho"].iloc[1] for r in rows]) > 0.25


def test_sentence_follows_the_interval() -> None:
    def said(slope: float) -> object:
        return cv.customer.firm_panel(firms(slope)).sentences()[0].id  # type: ignore[attr-defined]

    assert said(1.5) == said(-1.5) == "customer.firms_tell"
    assert said(0.0) == "customer.firms_unclear"
    assert "%" in cv.customer.firm_panel(firms(1.5)).say("zh")


def test_what_it_refuses() -> None:
    table = firms(1.0)
    flat = table.assign(satisfaction=70.0)
    cases = {
        "debt": table.drop(columns="debt"),
        "above zero": table.replace({"total_assets": {50.0: 0.0}}),
        "is empty": table.replace({"firm": {4: None}}),
        "twice": pd.concat([table, table.iloc[:1]], ignore_index=True),
        "two years": table[table["year"] == 2001], "does not move": flat,
    }  # fmt: skip
    for words, wrong in cases.items():
        with pytest.raises(InputError, match=words):
            cv.customer.firm_panel(wrong.reset_index(drop=True))
    part = table[(table["firm"] != 4) | (table["year"] == 2001)].reset_index(drop=True)
    assert (cv.customer.firm_panel(part).firm_panel["alone"] == 1).all()


def test_the_notebook_shows_it_and_says_it(tmp_path: Path) -> None:
    firms(1.5).to_csv(tmp_path / "firms.csv", index=False)
    notebook = Path(__file__).parents[2] / "notebooks" / "09_customer_study.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "code" for line in cell["source"]
             if line.startswith(("firms =", "record.")) and "firm" in line]  # fmt: skip
    assert len(lines) == 3
    for panel, told in ((str(tmp_path / "firms.csv"), 1), ("", 0)):
        record = cv.Record("09_customer_study", seed=1)
        given = {"cv": cv, "record": record, "panel": panel, "reading": cv.Reading(), "level": 0.95}
        exec("\n".join(lines), given)
        assert len(record.sentences) == told == ("firm_panel" in record.tables)
        assert not record.warnings
