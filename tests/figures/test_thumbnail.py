"""The picture on a run's card in the gallery."""

from pathlib import Path

import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from cvlib.figures.style import house_style, new_figure
from cvlib.figures.thumbnail import write_thumbnail


def test_a_thumbnail_has_its_own_size_and_leaves_the_figure_as_it_is(tmp_path: Path) -> None:
    with house_style():
        figure, axes = new_figure(7, 5)
        axes.barh(["a long name of a construct", "b"], [1, 2], label="bars")
        axes.set_title("The finding")
        axes.legend()
        figure.suptitle("Above")
    said = [text.get_text() for text in figure.findobj(Text)]
    write_thumbnail({"other": figure, "bars": figure}, "bars", tmp_path / "thumbnail.png")
    assert imread(tmp_path / "thumbnail.png").shape[:2] == (380, 680)
    assert [text.get_text() for text in figure.findobj(Text)] == said
    assert tuple(figure.get_size_inches()) == (7, 5)
    assert axes.get_legend() is not None


def test_without_a_figure_there_is_no_thumbnail(tmp_path: Path) -> None:
    write_thumbnail({}, "", tmp_path / "thumbnail.png")
    assert not (tmp_path / "thumbnail.png").exists()


def test_text_is_gone_and_few_names_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cvlib.figures.thumbnail as module

    kept = []
    monkeypatch.setattr(
        module.pickle,
        "loads",
        lambda data, loads=module.pickle.loads: kept.append(loads(data)) or kept[-1],
    )
    with house_style():
        figure, axes = new_figure(7, 5)
        axes.barh([f"construct number {n}" for n in range(3)], [1, 2, 3])
        axes.set_xlabel("Points")
        axes.text(1, 1, "a note")
    write_thumbnail({"bars": figure}, "", tmp_path / "thumbnail.png")
    (small,) = kept
    words = {text.get_text() for text in small.findobj(Text)} - {""}
    assert words.isdisjoint({"Points", "a note"})
    assert "construct n…" in words
