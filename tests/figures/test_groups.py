"""Charts of comparisons show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from cvlib.figures import groups as figures
from cvlib.figures.style import house_style

NAMES = ["A", "B", "C"]
INTERVAL = {"ci_low": [70.0, 65.0, 50.0], "ci_high": [80.0, 75.0, 60.0]}
LEAGUE = pd.concat([
    pd.DataFrame({
        "weights": weights, "brand": NAMES, "index": [75.0, 70.0, 55.0], "rank": [1, 2, 3],
        "rank_ci_low": [1, 1, 3], "rank_ci_high": [2, 2, 3], "letters": ["a", "a", "b"], **INTERVAL,
    })
    for weights in ("pooled", "own")
])  # fmt: skip
LOSSES = pd.DataFrame({"model": ["A", "C"], "best": "B", "difference": [0.1, 0.2],
                       "ci_low": [-0.1, 0.1], "ci_high": [0.3, 0.3]})  # fmt: skip
SERIES = pd.DataFrame({
    "group": ["(all)", "(all)", "A", "A"], "wave": [2024, 2025] * 2, "index": [70, 72, 60, 65.5],
})  # fmt: skip
PARTS = pd.DataFrame({
    "group": ["(all)"] * 3 + ["A"] * 3, "from_wave": 2024, "to_wave": 2025,
    "component": ["change", "answers", "weights"] * 2, "estimate": [2, 3, -1, 4, 4, 0.0],
    "ci_low": -1.0, "ci_high": 5.0,
})  # fmt: skip


def marked(figure: Figure, gid: str, axes: int = 0) -> list:
    return [line for line in figure.axes[axes].get_lines() if line.get_gid() == gid]


def words_of(figure: Figure, gid: str) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_gid() == gid]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_models_with_their_index_and_the_loss_above_the_best(language: str) -> None:
    index = pd.DataFrame({"model": NAMES, "index": [72.0, 73.0, 74.0]})
    figure = figures.models_chart(index, {"Loyalty": LOSSES}, language=language)
    assert len(figure.axes) == 2
    np.testing.assert_allclose(marked(figure, "value")[0].get_xdata(), [72, 73, 74])
    np.testing.assert_allclose(marked(figure, "value", 1)[0].get_ydata(), [2, 0])
    assert marked(figure, "best", 1)[0].get_ydata() == [1]
    assert figure.axes[1].get_title(loc="left") == "Loyalty"


def test_models_carry_titles_and_a_legend_of_the_signs() -> None:
    index = pd.DataFrame({"model": NAMES, "index": [72.0, 73.0, 74.0]})
    figure = figures.models_chart(index, {"Loyalty": LOSSES}, titles={"A": "First"}, level=0.9)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["First", *NAMES[1:]]
    said = [t.get_text() for t in figure.legends[0].get_texts()]
    assert said == ["predicts best", "predicts worse by, 90% interval"]
    assert not figures.models_chart(index, {}).legends  # no losses, no signs to explain


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("groups", [2, 12])
def test_the_note_on_letters_collides_with_nothing(language: str, groups: int) -> None:
    names = [f"Group {n}" for n in range(groups)]
    league = pd.concat(
        LEAGUE.iloc[[0] * groups].assign(weights=weights, brand=names)
        for weights in ("pooled", "own")
    )
    figure = figures.league_chart(league, "brand", language=language)
    with house_style():
        figure.draw_without_rendering()
        renderer = FigureCanvasAgg(figure).get_renderer()
        note = next(t for t in figure.findobj(Text) if t.get_text().startswith("abc") and
                    len(t.get_text()) > 3).get_window_extent(renderer)  # fmt: skip
        axes = figure.axes[0]
        others = [axes.xaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels(), *axes.texts]
        for other in others:
            assert not note.overlaps(other.get_window_extent(renderer)), other.get_text()
        assert note.x0 >= 0 and note.x1 <= figure.bbox.x1
    bare = figures.league_chart(LEAGUE.drop(columns="letters"), "brand", language=language)
    assert not any(len(t.get_text()) > 3 and "abc" in t.get_text() for t in bare.findobj(Text))


def test_league_with_ranks_and_letters() -> None:
    figure = figures.league_chart(LEAGUE, "brand")
    assert words_of(figure, "rank") == ["1–2", "1–2", "3"]
    assert words_of(figure, "letters") == ["a", "a", "b"]
    assert len(marked(figure, "value")) == 2
    bare = LEAGUE.drop(columns=["ci_low", "ci_high", "letters"])
    assert words_of(figures.league_chart(bare, "brand"), "letters") == ["", "", ""]


def test_rows_that_are_not_published_stay_empty() -> None:
    hidden = LEAGUE.reset_index(drop=True)
    numbers = hidden.select_dtypes("number").columns
    hidden[numbers] = hidden[numbers].astype(float)
    hidden.loc[hidden["brand"] == "B", numbers] = np.nan
    figure = figures.league_chart(hidden, "brand")
    assert words_of(figure, "rank") == ["1–2", "", "3"]
    assert words_of(figure, "letters") == ["a", "", "b"]
    series = SERIES.astype({"index": float})
    series.loc[3, "index"] = np.nan
    figure = figures.trend_chart(series)
    np.testing.assert_allclose(marked(figure, "series")[0].get_ydata(), [60, np.nan])


def test_trend_names_few_groups_and_fades_many() -> None:
    figure = figures.trend_chart(SERIES)
    lines = marked(figure, "series")
    np.testing.assert_allclose(lines[0].get_ydata(), [60, 65.5])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A", "All respondents"]
    many = pd.concat([SERIES.assign(group=f"g{n}") for n in range(9)] + [SERIES.iloc[:2]])
    figure = figures.trend_chart(many, language="zh")
    assert len(marked(figure, "series")) == 10
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["全部受访者"]


def test_parts_of_a_change() -> None:
    figure = figures.decomposition_chart(PARTS)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [3, 4, -1, 0]
    np.testing.assert_allclose(marked(figure, "value")[0].get_xdata(), [2, 4])
