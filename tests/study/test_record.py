"""What a record keeps beside tables and figures: methods, references, small cells, labels."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.study.record import Record
from cvlib.study.surroundings import versions

METHODS = pd.DataFrame(
    {
        "method": ["a", "b", "b"],
        "sentence": ["First <this> was done.", "Then that.", "Then that."],
        "references": ["semopy", "", ""],
        "software": ["lifelines", "", ""],
    }
)


def kept(record: Record) -> dict:
    record.close()
    return json.loads((record.folder / "results.json").read_text(encoding="utf-8"))


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record("little", out=str(tmp_path), smallest_cell=5)


def test_methods_are_told_once_with_versions_and_works(record: Record, capsys) -> None:
    record.methods(METHODS)
    results = kept(record)
    found = versions()
    assert results["methods"] == (
        "First <this> was done. Then that. All numbers were computed with cvlib "
        f"{found['cvlib']} (python {found['python']}, numpy {found['numpy']}, "
        f"scipy {found['scipy']}, lifelines {found['lifelines']})."
    )
    keys = ["Davidson-Pilon", "Harris", "Igolkina", "Virtanen"]
    assert [work.split(",")[0] for work in results["references"]] == keys
    written = (record.folder / "references.bib").read_text(encoding="utf-8")
    assert written.count("@") == len(keys)


def test_without_methods_there_is_no_bibliography(record: Record) -> None:
    assert kept(record)["methods"] == ""
    assert not (record.folder / "references.bib").exists()


def test_small_cells_reach_neither_page_nor_file(record: Record) -> None:
    table = pd.DataFrame({"brand": ["a", "b", "c"], "n": [50, 3, 4], "index": [70.5, 61.25, 62.75]})
    record.show("brands", table, counts="n", note="Kept.")
    results = kept(record)
    text = (record.folder / "tables" / "brands.csv").read_text(encoding="utf-8")
    assert "70.5" in text
    assert "61.25" not in text
    assert "62.75" not in text
    assert [row["n"] for row in results["tables"]["brands"]] == [50, None, None]
    assert results["captions"]["brands"]["note"] == (
        "Kept. 2 rows that describe fewer than 5 people, or would give them away, are left blank."
    )
    assert record.publishable(table, "n")["index"].isna().sum() == 2


def test_labels_are_for_print_only(record: Record) -> None:
    record.names({"image": "Image of the firm"})
    record.show("table", pd.DataFrame({"construct": ["image"], "value": [1.5]}))
    results = kept(record)
    assert results["tables"]["table"] == [{"construct": "image", "value": 1.5}]
    assert results["names"] == {"image": "Image of the firm"}


def test_chinese_captions_and_warnings(tmp_path: Path) -> None:
    record = Record("little", out=str(tmp_path), language="zh", seed=7)
    record.show("table", pd.DataFrame({"value": []}), title="Inputs")
    record.warn(["None.", "None.", "Not in any catalogue."])
    results = kept(record)
    assert results["captions"]["table"]["title"] == "输入数据"
    assert results["warnings"] == ["无。", "Not in any catalogue."]


def test_simulated_defaults_give_way_to_data_of_ones_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("respondent,need\n1,2\n", encoding="utf-8")
    shown = Record("little")
    alone = shown.read_all(data="service_survey", needs_data="needs_survey")
    assert all(table is not None for table in alone) and len(shown.invented) == 2
    own = Record("little")
    first, second, third = own.read_all(data="service_survey", needs_data=str(mine), more_data="")
    assert first is None and third is None and second is not None
    assert not own.invented
    assert any("simulated defaults of data" in text for text in own.warnings)


def test_a_very_long_table_stands_in_its_csv_and_its_first_rows_in_the_results(
    record: Record, monkeypatch
) -> None:
    from cvlib.study import record as module
    from cvlib.study.compare import compare_runs
    from cvlib.study.render.workbook import write_xlsx
    from cvlib.study.run import Run

    monkeypatch.setattr(module, "LONGEST", 4)
    ids = [f"00{n}" for n in range(9)]
    table = pd.DataFrame({"customer": ids, "score": [n / 3 for n in range(9)]})
    record.show("people", table)
    record.show("short", table.head(4))
    results = kept(record)
    assert len(results["tables"]["people"]) == 4 and results["longer"] == {"people": 9}
    run = Run(record.folder, existed=True)
    assert run.tables["people"].equals(table.astype({"customer": "str"}))
    manifest = {"parameters": {}, "inputs": {}, "versions": {}}
    (record.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert compare_runs(run, run).numbers.set_index("table").at["people", "cells"] == 18
    path = write_xlsx(record.folder, "", "title", "en")
    contents = pd.read_excel(path, sheet_name="Contents")
    assert contents.iloc[:2, 2].tolist() == [9, 4]
    assert "First 4 of 9 rows" in contents.iloc[0, 3]


def test_a_record_says_none_one_or_several_sentences(record: Record) -> None:
    record.say(None)
    record.say()
    record.say("One.", None, "", "Two.")
    assert kept(record)["sentences"] == ["One.", "Two."]


def test_a_side_analysis_that_fails_is_left_out_with_its_reason(record: Record) -> None:
    def singular() -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    def refused(where: str) -> None:
        raise InputError(where, "has three rows", "Give more.")

    assert record.attempt("people", lambda a, b: a + b, 1, 2) == 3
    assert record.attempt("people", singular) is None
    assert record.attempt("people", refused, "survey.csv") is None
    told = kept(record)["warnings"]
    assert len(told) == 2 and "Singular matrix" in told[0] and "has three rows" in told[1]
    with pytest.raises(InputError, match="judgements"):
        record.attempt("people", refused, "judgements")
    with pytest.raises(TypeError):  # a mistake of ours is no property of the data
        record.attempt("people", refused)
