"""What a scoring study takes where tree, judgements or weighting are not named."""

import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.weighting.unnamed import shipped_columns

w = cv.weighting


@pytest.mark.parametrize("name", w.available_trees())
def test_a_table_with_all_indicators_of_a_shipped_tree_is_of_that_tree(name):
    columns = shipped_columns(name)
    assert list(columns.items()) == list(w.load_tree(name).columns.items())
    table = pd.DataFrame([range(len(columns))], columns=list(columns.values()))
    assert w.find_tree(table.assign(customer_id="a", date="2025-01-01")).name == name
    assert w.find_tree(table, "rfm").name == "rfm"  # a name wins over the table


def test_columns_of_other_names_count_by_the_mapping():
    table = pd.DataFrame({"days": [1, 2], "frequency": [1, 2], "spent": [3, 4]})
    assert w.find_tree(table, "", {"recency": "days", "monetary": "spent"}).name == "rfm"


def test_a_log_is_of_recency_frequency_and_monetary_value():
    log = pd.DataFrame({"customer_id": ["a"], "date": ["2025-01-01"], "amount": [3.0]})
    assert w.find_tree(log).name == "rfm"
    named = log.rename(columns={"date": "InvoiceDate"})
    assert w.find_tree(named, kind="transactions").name == "rfm"
    with pytest.raises(InputError, match="not the indicators of any shipped tree"):
        w.find_tree(named)
    with pytest.raises(InputError, match="not the indicators of any shipped tree"):
        w.find_tree(log, kind="indicators")


def test_a_table_that_lacks_an_indicator_is_told_which_and_of_which_tree():
    with pytest.raises(InputError, match=r"nearest is bank, of whose 18 it has 17 \(no income\)"):
        w.find_tree(pd.DataFrame(columns=shipped_columns("bank").values()).drop(columns="income"))


def test_two_trees_of_one_size_are_not_chosen_between():
    both = {**shipped_columns("enterprise"), **shipped_columns("regional")}
    table = pd.DataFrame(columns=both.values())
    with pytest.raises(InputError, match="several shipped trees: enterprise and regional"):
        w.find_tree(table)


def test_published_judgements_are_those_of_the_tree_and_of_no_other():
    assert w.read_judgements(w.load_tree("rfm"), "published").published == "liu_shih_2005"
    assert not w.read_judgements(w.load_tree("bank"), "published").matrices
    own = cv.load(pd.DataFrame({"recency": [3, 9], "frequency": [4, 1], "monetary": [8, 1]}))
    for table, known in ((own, False), (cv.load("cdnow_sample"), True)):
        read = w.read_judgements(w.load_tree("rfm"), "published", table=table)
        assert bool(read.matrices) == known  # nobody who was asked knows these customers
        assert w.read_judgements(w.load_tree("rfm"), "liu_shih_2005", table=table).matrices
    with pytest.raises(InputError, match="are for tree 'rfm', not 'bank'"):
        w.read_judgements(w.load_tree("bank"), "liu_shih_2005")


def test_without_a_name_experts_weigh_and_without_experts_all_alike_and_said_so(flat):
    customers = flat([[1, 9], [2, 7], [3, 1]])
    experts = w.read_judgements(customers.tree, {"c0|c1": 3})
    weighed = w.choose_weights(customers, "", experts)
    assert weighed.method == "ahp_eigenvector" and not weighed.warnings
    assert w.needs_experts("") and not w.needs_experts("equal")
    alike = w.choose_weights(customers, "")
    assert alike.method == "equal"
    assert [text.id for text in alike.warnings] == ["weighting.equal_unasked"]
    assert not w.choose_weights(customers, "equal").warnings  # asked for
    region = w.choose_weights(w.indicators(cv.load("regional_results").data, "regional"), "")
    weight = region.weights.set_index("indicator")["global_weight"]
    assert region.warnings[0].startswith("Neither judgements nor a weighting were given: all 8 ")
    for dimension, below in w.load_tree("regional").compared.items():
        if dimension != "regional":  # as the sentence says: by the number of its indicators
            assert weight[dimension] == pytest.approx(len(below) / 8)
    assert not w.choose_weights(flat([[1], [2], [3]]), "").warnings  # nothing to weigh
