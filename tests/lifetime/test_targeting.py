"""Customer lists that hide names only."""

import numpy as np
import pandas as pd
import pytest

from cvlib.lifetime.holdout import contact as targeting
from cvlib.lifetime.value import lifetime_value
from cvlib.statistics.disclosure import key_table, pseudonyms


def test_customer_list_hides_names_and_keeps_values(summary, fit, spend):
    value = lifetime_value(fit, spend, summary.customers, annual_rate=0.1)
    hidden = targeting.customer_list(summary, fit, value, seed=1)
    named = targeting.customer_list(summary, fit, value, pseudonymise=False)
    assert hidden["customer"].is_unique
    assert set(hidden["customer"]).isdisjoint(named["customer"].astype(str))
    assert set(named["customer"]) == set(summary.customers["customer_id"])
    numbers = list(named.columns[1:])
    by_numbers = [
        found[numbers].sort_values(numbers, ignore_index=True) for found in (hidden, named)
    ]
    pd.testing.assert_frame_equal(*by_numbers)
    assert named["lifetime_value"].is_monotonic_decreasing
    assert named["lifetime_value"].sum() == pytest.approx(value.customers["lifetime_value"].sum())
    # customers of equal value are not listed in the order of their ids
    ids = summary.customers["customer_id"]
    back = key_table(ids, pseudonyms(ids, 1)).set_index("customer")["customer_id"]
    equal = hidden["lifetime_value"].round(9).value_counts().index[0]
    tied = hidden.loc[hidden["lifetime_value"].round(9) == equal, "customer"]
    assert len(tied) > 10
    order = np.corrcoef(back[tied].astype(float), np.arange(len(tied)))[0, 1]
    assert abs(order) < 3 / np.sqrt(len(tied))
