"""The bibliography: complete entries, APA form, BibTeX that reads back."""

import re

import pytest
from pybtex.database import parse_string

from cvlib.study.record import BENEATH
from cvlib.study.surroundings import PACKAGES
from cvlib.words import literature
from cvlib.words.literature import apa, bibliography, bibtex, reference_list


def test_apa_form_of_an_article_and_a_proceedings_paper() -> None:
    assert apa("semopy") == (
        "Igolkina, A. A., & Meshcheryakov, G. (2020). semopy: a Python package for structural "
        "equation modeling. Structural Equation Modeling, 27(6), 952–963. "
        "https://doi.org/10.1080/10705511.2019.1704289"
    )
    assert apa("statsmodels").startswith(
        "Seabold, S., & Perktold, J. (2010). Statsmodels: econometric and statistical modeling "
        "with Python. In Proceedings of the 9th Python in Science Conference (pp. 92–96)."
    )
    assert "Cournapeau, D., et al. (2020)" in apa("numpy")


def test_every_entry_has_what_a_reader_needs() -> None:
    for key, entry in bibliography().items():
        missing = {"title", "year"} - set(entry.fields)
        assert not missing, f"{key}: no {missing}"
        assert re.fullmatch(r"\d{4}[a-z]?", entry.fields["year"]), key
        assert entry.persons.get("author") or entry.persons.get("editor"), key
        place = {
            "journal",
            "booktitle",
            "publisher",
            "institution",
            "school",
            "howpublished",
            "note",
        }
        assert place & set(entry.fields), f"{key}: not said where it appeared"
        assert not re.search(r"\(\)|, ,|\.\.|None", apa(key)), apa(key)


def test_bibtex_reads_back_and_lists_each_work_once() -> None:
    text = bibtex(["semopy", "numpy", "semopy"])
    again = parse_string(text, "bibtex")
    assert sorted(again.entries) == ["numpy", "semopy"]
    assert again.entries["semopy"].fields["pages"] == "952--963"
    assert len(reference_list(["semopy", "numpy", "semopy"])) == 2
    first, second = reference_list(["semopy", "agoston2022"])
    assert first.startswith("Ágoston") and not second.startswith("Ágoston")


def test_an_unknown_work_is_named_with_its_neighbour() -> None:
    with pytest.raises(KeyError, match=r"semopi.*semopy"):
        apa("semopi")


def test_one_key_in_two_files_is_refused(tmp_path, monkeypatch) -> None:
    entry = "@book{x, author={A, B}, title={T}, year={2000}, publisher={P}}"
    for name in ("one", "two"):
        (tmp_path / f"{name}.bib").write_text(entry)
    monkeypatch.setattr(literature, "FOLDER", tmp_path)
    bibliography.cache_clear()
    try:
        with pytest.raises(ValueError, match="stands in two files"):
            bibliography()
    finally:
        bibliography.cache_clear()


def test_the_packages_beneath_can_be_cited_with_their_version() -> None:
    assert set(BENEATH) <= set(PACKAGES) & set(bibliography())


def test_no_author_is_printed_with_a_brace() -> None:
    wrong = [key for key in bibliography() if "{" in apa(key) or "\\" in apa(key)]
    assert not wrong
