"""The annex: does a firm's value follow its satisfaction? A panel of firms over years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.checks import fault
from cvlib.inputs.columns import labels, once, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.results import Result
from cvlib.words.message import message

Array = np.ndarray
_POSITIVE = ("satisfaction", "market_value", "total_assets")
_FEWEST = 3


@dataclass(frozen=True, eq=False, repr=False)
class FirmPanel(Result):
    """What a percent of satisfaction goes with in a firm's value.

    Attributes
    ----------
    firm_panel : DataFrame
        errors (independent over years, or AR(1)), elasticity, se, lower, upper, rho (of adjacent
        years), firms, rows, alone (firms with one year, left out).
    """

    firm_panel: pd.DataFrame
    headline_tables = ("firm_panel",)

    def sentences(self) -> list[str]:
        """How value moves with satisfaction, or that these firms cannot tell."""
        row = self.firm_panel.iloc[-1]
        tells = row["lower"] > 0 or row["upper"] < 0
        return [message(f"customer.firms_{'tell' if tells else 'unclear'}",
                        firms=int(row["firms"]), change=row["elasticity"], low=row["lower"],
                        high=row["upper"])]  # fmt: skip


def firm_panel(
    panel: str | pd.DataFrame | Table, reading: Reading = AS_IT_IS, level: float = 0.95
) -> FirmPanel:
    """Log Tobin's q on log satisfaction with effects of firms and years, errors by firm.

    Parameters
    ----------
    panel : str, DataFrame or Table
        firm, year, satisfaction, market_value (of equity), total_assets, debt: a row per firm and
        year. q = (market_value + debt) / total_assets.
    reading : Reading
        What a file does not say itself.
    level : float
        Of the intervals (t with firms - 1 degrees of freedom).

    Returns
    -------
    FirmPanel
        First with errors independent over years, then with AR(1) errors: rho from the residuals
        of adjacent years, and generalised least squares (over a gap of g years rho to the power
        g). With few years rho is too small; the errors by firm do not rest on it.

    Raises
    ------
    InputError
        A column missing, values not above zero, a firm's year twice, fewer than three firms with
        two years, or satisfaction that does not move beside firm and year.

    References
    ----------
    Anderson, Fornell & Mazvancheryl (2004), Journal of Marketing 68(4):172-185.

    Examples
    --------
    >>> import pandas as pd, cvlib as cv
    >>> rows = pd.MultiIndex.from_product([range(40), range(2010, 2016)], names=["firm", "year"])
    >>> firms = rows.to_frame(index=False).assign(debt=0.0)
    >>> firms["satisfaction"] = 60.0 + (7 * firms["firm"] + 13 * firms["year"]) % 31
    >>> noise = 1 + 0.02 * ((firms["firm"] ** 2 + firms["year"]) % 5)
    >>> firms["market_value"] = firms["satisfaction"] ** 2 * noise
    >>> found = cv.customer.firm_panel(firms.assign(total_assets=1000.0))
    >>> bool(found.firm_panel["lower"].iloc[-1] < 2 < found.firm_panel["upper"].iloc[-1])
    True
    """
    table = opened(panel, reading, ["firm", "year", *_POSITIVE, "debt"])
    rows, alone = _read(table)
    effects = pd.get_dummies(rows[["firm", "year"]].astype("category"), drop_first=True)
    x = np.column_stack([rows["x"], np.ones(len(rows)), effects.to_numpy(float)])
    y = rows["y"].to_numpy(float)
    own = x[:, 0] - x[:, 1:] @ np.linalg.lstsq(x[:, 1:], x[:, 0], rcond=None)[0]
    if np.abs(own).max() < 1e-9 or len(y) <= np.linalg.matrix_rank(x):
        raise InputError(table.place("satisfaction"), message("refusals.panel_does_not_move"),
                         message("refusals.panel_needs_years"))  # fmt: skip
    plain = _fit(y, x, rows["firm"])
    gap = rows.groupby("firm", sort=False)["year"].diff().to_numpy(float)
    e, next_ = plain.resid, np.flatnonzero(gap == 1)
    before = e[next_ - 1]
    rho = float(e[next_] @ before / (before @ before)) if len(next_) else 0.0
    rho = float(np.clip(rho, -0.99, 0.99))
    carried = np.where(np.isnan(gap), 0.0, np.sign(rho) ** gap * np.abs(rho) ** gap)
    scale = np.sqrt(1 - carried**2)
    moved = _fit((y - carried * np.roll(y, 1)) / scale,
                 (x - carried[:, None] * np.roll(x, 1, axis=0)) / scale[:, None],
                 rows["firm"])  # fmt: skip
    told = [
        (name, fit.params[0], fit.bse[0], *fit.conf_int(1 - level)[0], r, rows["firm"].nunique(),
         len(rows), alone)
        for name, fit, r in (("independent over years", plain, 0.0), ("AR(1)", moved, rho))
    ]  # fmt: skip
    return FirmPanel(pd.DataFrame(told, columns=[
        "errors", "elasticity", "se", "lower", "upper", "rho", "firms", "rows", "alone",
    ]))  # fmt: skip


def _fit(y: Array, x: Array, firm: pd.Series) -> Any:
    from statsmodels.regression.linear_model import OLS

    groups = pd.factorize(firm)[0]
    return OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)


def _read(table: Table) -> tuple[pd.DataFrame, int]:
    """firm, year, x = log satisfaction, y = log q in order; and how many firms have one year."""
    once(table, ["firm", "year"])
    rows = pd.DataFrame({"firm": labels(table, "firm"),
                         "year": within(table, "year", whole=True),
                         "debt": within(table, "debt", 0)})  # fmt: skip
    for name in _POSITIVE:
        rows[name] = within(table, name)
        if (rows[name] <= 0).any():
            raise fault(table, name, rows[name] <= 0,
                        message("refusals.panel_not_above_zero", value="{value}"),
                        message("refusals.panel_takes_logs"))  # fmt: skip
    years = rows.groupby("firm")["year"].transform("size")
    alone = int((years == 1).sum())
    rows = rows[years > 1].sort_values(["firm", "year"], ignore_index=True)
    if rows["firm"].nunique() < _FEWEST:
        raise InputError(table.place("year"),
                         message("refusals.panel_firms", firms=rows["firm"].nunique()),
                         message("refusals.panel_needs_years"))  # fmt: skip
    q = (rows["market_value"] + rows["debt"]) / rows["total_assets"]
    return rows.assign(x=np.log(rows["satisfaction"]), y=np.log(q)), alone
