"""Returns matched to purchases: by a plain loop, by logs that mean one thing, by the truth."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.lifetime.purchases.summary import summarise_purchases


def by_hand(rows):
    """The rule, customer by customer and row by row: {(customer, day): net} of purchase days."""
    found = {}
    for who in sorted({row[0] for row in rows}):
        own = sorted((day, Decimal(str(amount))) for one, day, amount in rows if one == who)
        bought = [[day, amount, False] for day, amount in own if amount > 0]
        back = [[day, -amount, False] for day, amount in own if amount < 0]
        for same_day in (True, False):
            for one in back:
                for each in bought:
                    fits = each[0] == one[0] if same_day else each[0] < one[0]
                    if not one[2] and not each[2] and each[1] == one[1] and fits:
                        one[2] = each[2] = True
        net, queue, touched = {}, [], {day for day, *_ in back}
        for day, amount, gone in bought:
            net[day] = net.get(day, Decimal(0)) + (0 if gone else amount)
            touched |= {day} if gone else set()
        for day, amount, gone in back:
            net[day] = net.get(day, Decimal(0)) - (0 if gone else amount)
        for day in sorted(net):
            queue.append(day)
            owed = -min(net[day], Decimal(0))
            net[day] = max(net[day], Decimal(0))
            for earlier in queue:
                taken = min(net[earlier], owed)
                net[earlier] -= taken
                owed -= taken
        found |= {(who, day): amount for day, amount in net.items() if amount > 0}
    return found


@pytest.mark.parametrize("seed", range(12))
def test_window_functions_do_what_the_rule_says_row_by_row(seed):
    rng = np.random.default_rng(seed)
    n = 400
    amounts = rng.choice([0.1, 0.2, 0.3, 5.0, 7.5, 12.25], n) * rng.choice([1, 1, -1], n)
    rows = list(zip(rng.integers(0, 25, n), rng.integers(1, 28, n), amounts.round(2), strict=True))
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "amount"])
    frame["date"] = "2020-01-" + frame["date"].astype(str).str.zfill(2)
    days = transaction_log(frame).purchase_days()
    found = {(int(w), d.day): a for w, d, a in days.itertuples(index=False)}
    wanted = by_hand([(int(w), int(d), float(a)) for w, d, a in rows])
    assert {key: float(value) for key, value in wanted.items()} == pytest.approx(found, abs=1e-9)
    assert set(found) == set(wanted)


def log(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "date", "amount"])


def test_a_return_cancels_the_purchase_of_its_amount_first_in_first_out():
    rows = log(
        ("a", "2020-01-01", 10.0), ("a", "2020-01-05", 30.0), ("a", "2020-01-09", 10.0),
        ("a", "2020-01-20", -10.0),
    )  # fmt: skip
    days = transaction_log(rows).purchase_days()
    assert days["day"].dt.day.tolist() == [5, 9]
    told = transaction_log(rows).left_out
    assert told[["count", "amount"]].to_numpy().tolist() == [[1, -10.0], [0, 0.0], [0, 0.0]]


def test_a_partial_return_is_netted_with_its_day_then_with_the_earliest():
    rows = log(
        ("a", "2020-01-01", 10.0), ("a", "2020-01-05", 30.0), ("a", "2020-01-09", 4.0),
        ("a", "2020-01-09", -16.0),
    )  # fmt: skip
    days = transaction_log(rows).purchase_days()
    assert days.set_index(days["day"].dt.day)["amount"].to_dict() == {5: 28.0}


def test_a_return_without_a_purchase_is_left_out_and_counted():
    rows = log(("a", "2020-01-01", -10.0), ("a", "2020-01-05", 30.0), ("b", "2020-01-05", 1.0))
    found = transaction_log(rows)
    assert found.purchase_days()["amount"].tolist() == [30.0, 1.0]
    assert found.left_out[["count", "amount"]].to_numpy().tolist()[2] == [1, -10.0]


def test_returns_on_their_own_day_are_the_same_by_both_rules():
    rng = np.random.default_rng(8)
    frame = log(*[(int(i % 40), f"2020-01-{1 + i % 27:02d}", 5.0 + i % 3) for i in range(300)])
    back = frame.iloc[rng.choice(300, 60, replace=False)].assign(amount=lambda t: -t["amount"])
    both = pd.concat([frame, back])
    matched = transaction_log(both).purchase_days()
    netted = transaction_log(both, LogRules(returns="net")).purchase_days()
    pd.testing.assert_frame_equal(matched, netted)


def test_the_log_with_refunds_is_the_log_without_the_refunded_purchases():
    rng = np.random.default_rng(3)
    who = rng.integers(0, 300, 1500)
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 600, 1500), unit="D")
    kept = pd.DataFrame(
        {"customer_id": who, "date": day, "amount": rng.integers(100, 9999, 1500) / 100}
    )
    kept = kept.drop_duplicates(["customer_id", "amount"])
    gone = kept.sample(frac=0.3, random_state=1)
    refunds = gone.assign(amount=-gone["amount"], date=gone["date"] + pd.Timedelta(days=7))
    cut = {"calibration_end": "2024-03-31", "holdout_end": "2024-08-20"}
    refunded = summarise_purchases(pd.concat([kept, refunds]), **cut)
    truth = summarise_purchases(kept.drop(gone.index), **cut)
    pd.testing.assert_frame_equal(refunded.customers, truth.customers)
    spend = refunded.facts.set_index("measure")["value"]["calibration_spend"]
    assert spend == truth.facts.set_index("measure")["value"]["calibration_spend"]
    unmatched = summarise_purchases(
        pd.concat([kept, refunds]), rules=LogRules(returns="net"), **cut
    )
    assert unmatched.facts.set_index("measure")["value"]["calibration_spend"] > 1.2 * spend
