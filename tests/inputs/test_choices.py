"""What a parameter may be, and what is said when it is something else."""

import numpy as np
import pytest

from cvlib.inputs.choices import number, one_of, whole
from cvlib.inputs.errors import InputError


@pytest.mark.parametrize("value", ["holm", "none"])
def test_a_known_choice_passes(value):
    assert one_of("adjustment", value, ("holm", "none")) == value


@pytest.mark.parametrize("value", ["holmm", "", None, 3, ["holm"], np.array(["holm"])])
def test_anything_else_names_the_choices(value):
    with pytest.raises(InputError, match=r"holm|none") as raised:
        one_of("adjustment", value, ("holm", "none"), "See the methods.")
    assert raised.value.where == "adjustment"
    assert str(raised.value).endswith("See the methods.")


def test_true_is_not_one():
    with pytest.raises(InputError):
        one_of("classes", True, (1, 2))
    assert one_of("missing", None, (None, "mean")) is None


@pytest.mark.parametrize(
    ("value", "low", "high", "ends", "fits"),
    [
        (0, 0, 1, "[]", True),
        (0, 0, 1, "(]", False),
        (1, 0, 1, "[)", False),
        (1, 0, 1, "(]", True),
        (0.5, 0, 1, "()", True),
        (np.float64(0.5), 0, 1, "()", True),
        (float("nan"), 0, 1, "[]", False),
        (float("inf"), 0, float("inf"), "[]", False),
        ("0.5", 0, 1, "[]", False),
        (None, 0, 1, "[]", False),
        (True, 0, 1, "[]", False),
        (10**400, 0, 1, "[]", False),
    ],
)
def test_a_number_is_finite_and_in_its_range(value, low, high, ends, fits):
    if fits:
        assert number("share", value, low, high, ends=ends) == value
        return
    with pytest.raises(InputError, match="a number") as raised:
        number("share", value, low, high, ends=ends)
    assert raised.value.where == "share"


def test_the_range_is_said_in_words():
    with pytest.raises(InputError, match=r"-1 is not a number above 0\. Give a number above 0"):
        number("cost", -1, 0, ends="()")
    with pytest.raises(InputError, match="of 2 or less"):
        number("cost", 3, high=2)
    with pytest.raises(InputError, match="between 0 and 1, above 0"):
        number("share", 0, 0, 1, ends="(]")


@pytest.mark.parametrize("value", [1.5, "2", None, True, 0, 10])
def test_a_count_is_whole_and_in_its_range(value):
    with pytest.raises(InputError, match="a whole number from 1 to 9"):
        whole("classes", value, 1, 9)
    assert whole("classes", np.int32(3), 1, 9) == 3
