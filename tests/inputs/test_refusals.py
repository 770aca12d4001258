"""What is refused is told in the language of the run, as far as it is worded in it."""

import copy
import pickle
import re
from collections.abc import Iterator

import pandas as pd
import pytest

from cvlib.inputs.checks import numeric
from cvlib.inputs.errors import InputError, nearest, reason_of, refusing_in
from cvlib.inputs.readers import load_table, read_table
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.study.record import Record
from cvlib.words.message import in_language, message
from cvlib.words.said import speak, spoken

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak("en")


def refusal(call) -> InputError:
    with pytest.raises(InputError) as error:
        call()
    return error.value


LOG = pd.DataFrame({"customer_id": ["a", "b"], "date": ["2024-01-02", "2024-01-03"]})


@pytest.mark.parametrize(
    "call",
    [
        lambda: transaction_log(LOG.assign(amount=[1.0, None])),
        lambda: transaction_log(LOG.assign(amount=1.0, date=["2024-01-02", "31.31.2024"])),
        lambda: transaction_log(LOG.assign(amount=1.0, customer_id=["a", None])),
        lambda: transaction_log(LOG.assign(amount=-1.0), LogRules(returns="refuse")),
        lambda: transaction_log(LOG),
        lambda: open_survey(pd.DataFrame({"IMAG1": [1, 2]}), "ecsi_mobile"),
        lambda: read_table("nowhere.csv"),
    ],
)
def test_a_refusal_is_told_in_both_languages_and_names_the_same_place(call) -> None:
    error = refusal(call)
    english, chinese = error.told("en"), error.told("zh")
    assert str(error) == english and not HAN.search(english)
    assert HAN.search(chinese) and "：" in chinese
    for figure in re.findall(r"\d+", str(error.where)):
        assert figure in chinese
    # nothing of the sentence is left in English but names of columns, parameters and values
    assert not re.search(r"\b(the|there|is|are|not|rows?|column|Fill|Give|Write)\b", chinese)


def test_the_language_is_that_of_the_record_or_of_the_request() -> None:
    error = refusal(lambda: transaction_log(LOG))
    Record("mine", language="zh")
    assert spoken() == "zh" and HAN.search(str(error))
    Record("mine")
    assert not HAN.search(str(error))
    with pytest.raises(InputError, match="没有此列"), refusing_in("zh"):
        transaction_log(LOG)


def test_what_has_no_chinese_words_stays_english_as_a_whole() -> None:
    error = InputError("here", "is wrong.", "Mend it.")
    assert error.told("zh") == str(error) == "here: is wrong. Mend it."


def test_a_refusal_survives_copies_and_stands_in_sentences() -> None:
    error = refusal(lambda: transaction_log(LOG))
    error.language = "zh"
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert str(other) == str(error) and other.where == error.where
    said = message("lifetime.spend_left_out", reason=reason_of(error))
    assert "没有此列" in in_language(said, "zh") and "no such column" in str(said)
    assert reason_of(ValueError("plain")) == "plain"


def test_rows_like_it_and_near_names_are_told() -> None:
    table = load_table(pd.DataFrame({"amount": ["x", "y", "1"]}))
    error = refusal(lambda: numeric(table, "amount"))
    assert "'x' is text in a numeric column (1 more rows like it)" in str(error)
    assert "'x' 是数值列中的文字（另有 1 行相同）" in error.told("zh")
    assert nearest("amuont", ["amount"]) == "Did you mean 'amount'?"
    assert in_language(nearest("amuont", ["amount"]), "zh") == "是否指 'amount'？"
    assert in_language(nearest("q", [str(n) for n in range(30)]), "zh").endswith("另有 10 个。")


@pytest.mark.parametrize(
    ("name", "content", "remedy", "said"),
    [
        ("a.json", b'[{"a": 1}]', "Turn it into a table first", "请先转成表格"),
        ("a.duckdb", b"DUCK of some kind", "duckdb://a.duckdb#orders", "请指明其中的表"),
        ("a.zip", b"PK\x03\x04 packed", "Unpack it", "请解压后给出其中的文件"),
        ("a.pdf", b"%PDF-1.4", "save it as .csv", "请在原程序中打开"),
    ],
)
def test_a_file_of_another_kind_says_what_to_do_in_both(tmp_path, name, content, remedy, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        load_table(tmp_path / name)
    assert remedy in str(error.value) and "ends in" in str(error.value)
    told = error.value.told("zh")
    assert said in told and "扩展名为" in told and "holds" not in told


def test_places_in_a_log_are_told_in_chinese(tmp_path):
    (tmp_path / "log.csv").write_text("customer_id,date,amount\na,2024-01-01,x\n")
    with pytest.raises(InputError) as error:
        transaction_log(tmp_path / "log.csv")
    assert error.value.told("zh").startswith("log.csv，列 amount，第 1 行数据：'x' 不是金额")
    assert str(error.value).startswith("log.csv, column amount, data row 1: 'x' is no amount")
