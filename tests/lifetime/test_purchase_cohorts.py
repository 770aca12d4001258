"""Cohorts of a transaction log, counted by hand."""

import pandas as pd
import pytest

import cvlib as cv


def rows(*purchases: tuple[str, str]) -> pd.DataFrame:
    table = pd.DataFrame(purchases, columns=["customer_id", "date"])
    return table.assign(date=pd.to_datetime(table["date"]), amount=10.0)


def test_by_hand() -> None:
    log = cv.lifetime.transaction_log(rows(
        ("a", "2024-01-03"), ("a", "2024-03-09"), ("a", "2024-03-20"), ("b", "2024-01-31"),
        ("c", "2024-02-10"), ("c", "2024-03-01"), ("d", "2024-08-15"),
    ))  # fmt: skip
    found = cv.lifetime.purchase_cohorts(log)
    assert found.unit == "month"
    table = found.table.set_index(["cohort", "period"])
    assert table.loc[("2024-01", 0), ["customers", "active"]].tolist() == [2, 2]
    assert table.loc[("2024-01", 1), "active"] == 0  # nobody: counted, not left out
    assert table.loc[("2024-01", 2), "share"] == pytest.approx(0.5)  # two days, one customer
    assert table.loc[("2024-02", 1), "share"] == 1.0
    # August is not over: neither as a period nor as a cohort
    assert table.index.get_level_values("cohort").max() == "2024-02"
    assert table.loc["2024-01"].index.max() == 6


def test_a_longer_log_has_coarser_cohorts() -> None:
    short = rows(("a", "2024-01-01"), ("b", "2024-02-29"))
    long = rows(("a", "2014-01-01"), ("b", "2024-02-29"))
    units = [
        cv.lifetime.purchase_cohorts(cv.lifetime.transaction_log(t)).unit for t in (short, long)
    ]
    assert units == ["week", "year"]
