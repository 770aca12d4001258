"""Whom to call: a campaign that holds only some is found out, one that holds nobody is not."""

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table


def called(help_: float):  # type: ignore[no-untyped-def]
    """Half of the respondents called; a call keeps would-be leavers with yearly contracts."""
    made = cv.customer.simulate(9000, seed=8)
    rng = np.random.default_rng(9)
    ids = made.survey["id"]
    treated = pd.Series(rng.integers(0, 2, len(ids)), index=ids)
    yearly = made.attributes.set_index("id")["yearly_contract"]
    saved = (treated == 1) & (yearly.loc[ids] == 1) & (rng.random(len(ids)) < help_)
    contracts = made.contracts.copy()
    contracts.loc[contracts["id"].isin(ids[saved.to_numpy()]), "end"] = None
    files = cv.customer.Files(made.survey, contracts, made.attributes)
    base = cv.customer.join(files, made.plan)
    index = cv.customer.index(base)
    table = pd.DataFrame({"id": ids, "date": "2023-01-01", "treated": treated.to_numpy()})
    return base, index, cv.customer.link(base, index), table


def test_lift_is_found_where_it_is_and_not_where_it_is_not() -> None:
    draws = cv.customer.Bootstrap(100)
    base, index, linked, table = called(0.9)
    found = cv.customer.experiment(base, index, linked, load_table(table), settings=draws)
    rows = found.experiment.set_index("order")
    assert found.sentences()[0].id == "customer.call_first"  # type: ignore[attr-defined]
    assert rows.loc["lift", "qini"] > rows.loc["risk", "qini"]
    assert rows.loc["lift times value", "profit"] >= rows["profit"].max() - 1e-9
    few = cv.customer.experiment(
        base, index, linked, load_table(table), capacity=40, settings=draws
    )
    assert few.experiment["called"].max() == 40
    base, index, linked, table = called(0.0)
    none = cv.customer.experiment(base, index, linked, load_table(table), settings=draws)
    assert none.sentences()[0].id == "customer.lift_unclear"  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="neither 0 nor 1"):
        cv.customer.experiment(base, index, linked, load_table(table.assign(treated=2)))
    with pytest.raises(InputError, match="too few"):
        cv.customer.experiment(base, index, linked, load_table(table.assign(treated=1)))
