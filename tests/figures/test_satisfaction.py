"""Figures of the satisfaction pillar: what is written, where it stands, what must not collide."""

import re
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cvlib.figures import satisfaction as figures
from cvlib.figures.path_diagram import RADIUS, label_places, layout, path_diagram, stars
from cvlib.satisfaction.model.file import available_models, load_model


def estimates(name: str, language: str = "en"):
    """Made-up tables for a shipped model, and its labels."""
    model = load_model(name)
    paths = model.paths.drop(columns="sign")
    paths["estimate"] = np.linspace(-0.2, 0.8, len(paths))
    paths["p"] = np.linspace(0.3, 0.00001, len(paths))
    index = pd.DataFrame({"construct": model.construct_names})
    index["index"] = np.linspace(58, 81, len(index))
    r_squared = pd.DataFrame({"construct": paths["target"].unique(), "r_squared": 0.4})
    labels = {c: model.label(c, language) for c in model.construct_names}
    return paths, index, r_squared, labels


def texts(figure, gid: str | None = None) -> list:
    found = figure.findobj(match=lambda artist: hasattr(artist, "get_text"))
    return [t for t in found if t.get_text().strip() and (gid is None or t.get_gid() == gid)]


def overlap(a, b) -> float:
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    high = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(wide, 0.0) * max(high, 0.0)


@pytest.mark.parametrize("name", available_models())
@pytest.mark.parametrize("language", ["en", "zh"])
def test_path_diagram_of_every_shipped_model_is_readable(name: str, language: str) -> None:
    paths, index, r_squared, labels = estimates(name, language)
    figure = path_diagram(paths, index, r_squared, labels)
    renderer = FigureCanvasAgg(figure).get_renderer()
    written = " ".join(t.get_text() for t in texts(figure))
    for label in labels.values():
        shown = written.replace(" ", "")
        assert label.replace(" ", "")[:6] in shown
    for value in index["index"]:
        assert f"{value:.1f}" in written
    assert written.count("R²") == len(r_squared)

    axes = figure.axes[0]
    per_inch = axes.transData.transform((1, 0))[0] - axes.transData.transform((0, 0))[0]
    centres = [axes.transData.transform(p.center) for p in axes.patches if hasattr(p, "radius")]
    labels_of_arrows = texts(figure, "path-label")
    assert len(labels_of_arrows) == len(paths)
    boxes = [t.get_window_extent(renderer) for t in labels_of_arrows]
    for first, second in combinations(boxes, 2):
        assert overlap(first, second) < 0.10 * first.width * first.height
    for box in boxes:
        for x, y in centres:
            near = np.clip((x, y), (box.x0, box.y0), (box.x1, box.y1))
            assert np.hypot(*(near - (x, y))) > 0.97 * RADIUS * per_inch
    for text in texts(figure, "construct"):
        box = text.get_window_extent(renderer)
        inside = min(centres, key=lambda c: np.hypot(c[0] - (box.x0 + box.x1) / 2,
                                                     c[1] - (box.y0 + box.y1) / 2))  # fmt: skip
        for x in (box.x0, box.x1):
            middle = (box.y0 + box.y1) / 2
            assert np.hypot(x - inside[0], middle - inside[1]) < 1.02 * RADIUS * per_inch


@pytest.mark.parametrize("name", ["acsi", "ecsi_mobile", "general"])
def test_no_arrow_runs_through_a_circle_and_causes_stand_left(name: str) -> None:
    model = load_model(name)
    order = [model.construct_names[j] for j in model.order]
    arrows = tuple((order.index(a), order.index(b)) for a, b, _ in model.signed_paths)
    edges, centres = np.array(arrows), layout(len(order), arrows)
    for a, b in edges:
        assert centres[b, 0] >= centres[a, 0] - 1e-9
        for other in set(range(len(order))) - {a, b}:
            along = centres[b] - centres[a]
            t = np.clip((centres[other] - centres[a]) @ along / (along @ along), 0, 1)
            gap = np.hypot(*(centres[other] - centres[a] - t * along))
            assert gap > RADIUS + 0.02, (order[a], order[b], order[other])
    for a, b in combinations(range(len(order)), 2):
        assert np.hypot(*(centres[a] - centres[b])) > 2 * RADIUS + 0.2
    np.testing.assert_array_equal(layout.__wrapped__(len(order), arrows), centres)
    places = label_places(centres, edges)
    starts, ends = centres[edges[:, 0]], centres[edges[:, 1]]
    cross = (ends - starts)[:, 0] * (places - starts)[:, 1]
    cross -= (ends - starts)[:, 1] * (places - starts)[:, 0]
    np.testing.assert_allclose(cross, 0, atol=1e-9)  # a label stands on its own arrow


def test_arrows_say_size_sign_and_certainty() -> None:
    paths, index, _, labels = estimates("acsi")
    figure = path_diagram(paths, index, None, labels)
    arrows = [p for p in figure.axes[0].patches if p.get_gid() == "path"]
    widths = [a.get_linewidth() for a in arrows]
    sizes = paths["estimate"].abs().to_numpy()
    assert np.corrcoef(widths, sizes)[0, 1] > 0.999
    dashed = [a.get_linestyle() not in ("-", "solid") for a in arrows]
    assert dashed == list(paths["p"] >= 0.05)
    shown = [t.get_text() for t in texts(figure, "path-label")]
    assert shown[0] == "−0.20"
    assert shown[-1] == "0.80***"
    assert "R²" not in " ".join(t.get_text() for t in texts(figure))


@pytest.mark.parametrize(("p", "expected"), [(0.2, ""), (0.04, "*"), (0.009, "**"), (1e-6, "***")])
def test_stars(p: float, expected: str) -> None:
    assert stars(p) == expected
    assert stars(float("nan")) == ""


def ipma() -> pd.DataFrame:
    return pd.DataFrame({
        "construct": ["image", "expectation", "quality", "value"],
        "importance": [0.42, 0.43, 0.64, 0.14],
        "performance": [73.5, 73.1, 75.0, 62.3],
    })  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_on_the_map_do_not_cover_each_other(language: str) -> None:
    _, _, _, labels = estimates("ecsi_mobile", language)
    figure = figures.importance_performance_map(
        ipma(), labels, target="satisfaction", language=language
    )
    renderer = FigureCanvasAgg(figure).get_renderer()
    names = texts(figure, "construct")
    corners = texts(figure, "field")
    assert sorted(t.get_text() for t in names) == sorted(labels[c] for c in ipma()["construct"])
    boxes = [t.get_window_extent(renderer) for t in [*names, *corners]]
    assert all(overlap(a, b) == 0 for a, b in combinations(boxes, 2))
    assert labels["satisfaction"] in figure.axes[0].get_xlabel()


def test_index_chart_shows_values_and_widens_for_an_index_beyond_the_scale() -> None:
    index = pd.DataFrame({
        "construct": ["image", "satisfaction"], "index": [73.53, 72.45],
        "ci_low": [71.8, 70.6], "ci_high": [75.3, 74.1],
    })  # fmt: skip
    figure = figures.index_chart(index, {"image": "Image"}, highlight="satisfaction", level=0.9)
    assert [t.get_text() for t in texts(figure, "value")] == ["73.5", "72.5"]
    assert "90% interval" in figure.axes[0].get_xlabel()
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["Image", "satisfaction"]
    bars = figure.axes[0].patches
    assert bars[0].get_facecolor() != bars[1].get_facecolor()
    beyond = index.assign(ci_high=[130.0, 74.1])
    assert figures.index_chart(beyond).axes[0].get_xlim()[1] > 130
    plain = figures.index_chart(index[["construct", "index"]])
    assert "interval" not in plain.axes[0].get_xlabel()


def test_htmt_chart_frames_what_is_above_the_threshold() -> None:
    table = pd.DataFrame({
        "construct_1": ["b", "c", "c"], "construct_2": ["a", "a", "b"], "htmt": [0.95, 0.5, np.nan]
    })  # fmt: skip
    shown = texts(figures.htmt_chart(table), "value")
    assert [t.get_text() for t in shown] == ["0.95", "0.50"]
    assert shown[0].get_bbox_patch() is not None and shown[1].get_bbox_patch() is None


ESTIMATED = pd.DataFrame({
    "estimator": ["pls", "pls", "covariance", "covariance"],
    "source": ["a", "b"] * 2, "target": ["c", "c"] * 2,
    "estimate": [0.5, 0.1, 0.6, -0.3], "ci_low": [0.4, 0.0, 0.3, -9.0],
    "ci_high": [0.6, 0.2, 0.9, 8.4],
})  # fmt: skip


@pytest.mark.parametrize(
    ("table", "compressed"),
    [
        (ESTIMATED, True),
        (ESTIMATED.assign(ci_low=[0.4, 0.0, 0.3, -1.4], ci_high=[0.6, 0.2, 0.9, 2.1]), False),
        (ESTIMATED.assign(ci_low=np.nan, ci_high=np.nan), False),
        (ESTIMATED.drop(columns=["ci_low", "ci_high"]), False),
    ],
)
def test_estimator_chart_shows_every_estimate_and_interval_whole(table, compressed) -> None:
    axes = figures.estimator_chart(table).axes[0]
    low, high = axes.get_xlim()
    ends = table.select_dtypes("number").to_numpy()
    ends = ends[np.isfinite(ends)]
    assert low < ends.min() and high > ends.max()
    assert (axes.get_xscale() == "symlog") == compressed
    assert ("compressed" in axes.get_xlabel()) == compressed
    middle = axes.transAxes.inverted().transform(axes.transData.transform([(0, 0), (0.6, 0)]))
    assert middle[1, 0] - middle[0, 0] > 0.1  # the coefficients keep room beside wide intervals


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_four_fields_of_the_map_are_named_where_they_are(language: str) -> None:
    figure = figures.importance_performance_map(ipma(), language=language)
    corner = {t.get_text(): t.xy for t in texts(figure, "field")}
    said = figures.words("satisfaction", language)
    assert corner == {
        said["keep_up"]: (1, 1), said["improve_first"]: (1, 0),
        said["low_priority"]: (0, 0), said["overkill"]: (0, 1),
    }  # fmt: skip
    alone = figures.importance_performance_map(ipma().head(1), language=language)
    assert not texts(alone, "field")
    known = ipma().assign(ci_low=-0.2, ci_high=[0.5, 0.6, 1.4, np.nan])
    low, high = figures.importance_performance_map(known).axes[0].get_xlim()
    assert low < -0.2 and high > 1.4  # intervals of the importance are shown whole


def test_loadings_chart_names_items_and_constructs() -> None:
    table = pd.DataFrame({
        "construct": ["image", "image", "loyalty"], "item": ["I1", "I2", "L1"],
        "loading": [0.8, 0.6, -0.1],
    })  # fmt: skip
    figure = figures.loadings_chart(table, {"image": "Image"})
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["I1", "I2", "L1"]
    assert [t.get_text() for t in texts(figure, "construct")] == ["Image", "loyalty"]
    assert axes.get_xlim()[0] < -0.1


def test_words_exist_in_both_languages_and_have_glyphs(tmp_path: Path) -> None:
    english, chinese = figures.words("satisfaction", "en"), figures.words("satisfaction", "zh")
    assert set(english) == set(chinese)
    assert figures.words("satisfaction", "fr") == english
    fields = re.compile(r"{(\w+)")
    for name, text in english.items():
        assert fields.findall(text) == fields.findall(chinese[name])
    _, _, _, labels = estimates("general", "zh")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.importance_performance_map(
            ipma(), labels, target="satisfaction", language="zh"
        ).savefig(tmp_path / "map.png")
        path_diagram(*estimates("general", "zh")[:3], labels).savefig(tmp_path / "paths.png")
