import io
import warnings
from pathlib import Path

import matplotlib as mpl

from cvlib.figures.style import house_style, new_figure


def test_chinese_and_signs_have_glyphs_without_any_installed_font(tmp_path: Path) -> None:
    with warnings.catch_warnings(), house_style():
        warnings.simplefilter("error")
        figure, axes = new_figure(3, 2)
        axes.set_title("顾客满意度指数 (CCSI) − 感知价值 ρ β ≤ é")
        figure.savefig(tmp_path / "chinese.png")


def test_svg_is_the_same_twice(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        with house_style():
            figure, axes = new_figure(3, 2)
            axes.plot([1, 2], [3, 4])
            figure.savefig(tmp_path / name, metadata={"Date": None})
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_style_does_not_leak() -> None:
    before = mpl.rcParams["font.size"]
    with house_style():
        pass
    assert mpl.rcParams["font.size"] == before


def test_a_name_with_dollars_is_drawn_as_it_is() -> None:
    with house_style():
        figure, axes = new_figure(3, 2)
        axes.set_title(r"A$\frac$B")
        figure.savefig(io.BytesIO(), format="png")
