"""Adjusted p values by hand; their behaviour with gaps and families."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.statistics.multiple import adjusted, adjusted_within


def test_holm_and_benjamini_hochberg_by_hand():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert adjusted(p, "holm") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted(p, "benjamini_hochberg") == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted(p, "none").tolist() == p.tolist()


def test_a_test_without_a_p_value_does_not_count():
    found = adjusted(np.array([0.01, np.nan, 0.04]), "holm")
    assert found[[0, 2]] == pytest.approx([0.02, 0.04]) and np.isnan(found[1])
    assert np.isnan(adjusted(np.array([np.nan]), "holm")).all()
    assert adjusted(np.array([]), "holm").size == 0


def test_every_family_is_adjusted_on_its_own():
    table = pd.DataFrame({"model": ["a", "b", "a", "b"], "p": [0.01, 0.01, 0.5, np.nan]})
    assert adjusted_within(table, "p", ["model"], "holm")[:3].tolist() == [0.02, 0.01, 0.5]


def test_an_unknown_rule_is_refused():
    with pytest.raises(InputError, match="holm"):
        adjusted(np.array([0.1]), "holms")
