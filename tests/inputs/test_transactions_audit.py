"""What an audit finds in a log that has it, and does not find in the same log without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.inputs.transactions_audit import audit_log


def log(n=300):
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i % 120}@x.com" for i in range(n)],
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), unit="D"),
            "amount": rng.integers(500, 5000, n) / 100,
            "order": np.arange(n),
            "status": "Complete",
        }
    )


def found(frame, **rules):
    return {one.id.removeprefix("inputs.audit_"): one for one in findings(frame, **rules)}


def findings(frame, **rules):
    return list(audit_log(transaction_log(frame, LogRules(**rules))).table["finding"])


def cased(frame):
    return frame.assign(
        customer_id=[c.upper() if i % 7 == 0 else c for i, c in enumerate(frame["customer_id"])]
    )


WRONG = {
    "pasted": lambda t: pd.concat([t, t]),
    "repeated": lambda t: pd.concat([t, t[:30]]),
    "account": lambda t: t.assign(customer_id=t["customer_id"].where(t.index % 3 > 0, "house")),
    "outlier": lambda t: t.assign(amount=t["amount"].where(t.index != 7, 99_999.0)),
    "case": cased,
    "zeros": lambda t: t.assign(
        customer_id=[f"0{i % 9}" if i % 2 else f"{i % 9}" for i in range(len(t))]
    ),
    "cancelled": lambda t: t.assign(status=t["status"].where(t.index % 5 > 0, "Cancelled")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_and_nothing_else(name):
    wrong = WRONG[name](log())
    audit = audit_log(transaction_log(wrong))
    told = {one.id.removeprefix("inputs.audit_") for one in audit.warnings}
    assert name in told and told <= {name, "account", "zeros", "outlier"}
    assert "finding" in audit.table and (audit.table["share"] > 0).all()
    # ids of customers stand in no message
    assert not any("@x" in one or "house" in one.split(":")[0] for one in audit.warnings)


def test_a_plain_log_has_nothing_to_warn_of():
    audit = audit_log(transaction_log(log()))
    assert audit.table.empty and audit.warnings == ()
    assert audit.say() == "Nothing was found in the data that could change the answer."


def test_shares_do_not_depend_on_how_threads_divide_the_rows():
    """Of 400,000 amounts with all their decimals, some twice: same bits on one thread and four."""
    rng = np.random.default_rng(3)
    n = 400_000
    rows = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 30, n),
            "date": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "amount": rng.gamma(1, 37.123456789, n),
        }
    )
    rows = pd.concat([rows, rows.sample(20_000, random_state=1)])
    shares = set()
    for threads in (1, 4, 4, 3):
        opened = transaction_log(rows)
        opened.connection.execute(f"SET threads = {threads}")
        shares.add(tuple(audit_log(opened).table["share"]))
    assert len(shares) == 1 and len(shares.pop())


def test_look_alikes_are_counted():
    one = found(cased(log()))["case"]
    assert (one.values["people"], one.values["ids"] > 120) == (120, True)


def test_a_filter_answers_a_finding():
    wrong = WRONG["cancelled"](log())
    assert "cancelled" in found(wrong)
    assert "cancelled" not in found(wrong, where=[["status", "!=", "Cancelled"]])


def test_few_repeats_are_in_the_table_only():
    audit = audit_log(transaction_log(pd.concat([log(1000), log(1000)[:2]])))
    assert audit.table["could_change_the_answer"].tolist() == ["no"] and not audit.warnings


def test_a_unit_price_beside_quantities_is_no_amount():
    frame = log().rename(columns={"amount": "UnitPrice"}).assign(Quantity=3)
    assert "price" in found(frame, amount="UnitPrice")
    assert "price" not in found(frame, quantity="Quantity", price="UnitPrice")
    assert "price" not in found(frame.assign(Quantity=1), amount="UnitPrice")
