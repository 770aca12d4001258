"""One style for every figure: palette, fonts (Chinese included), sizes, reproducible output."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import yaml
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito (2008): distinguishable with every common colour-vision deficiency.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#555555")
INK, FAINT, PAPER = "#222222", "#9AA0A6", "#FFFFFF"
HEAT = "cividis"
CUSTOMERS, VALUE = "#8FA3B5", PALETTE[0]  # share of customers, share of value: in every chart

CHINESE_FONT = Path(__file__).with_name("fonts") / "NotoSansSC-Subset.otf"
# For characters outside the shipped subset, whichever of these the machine has.
_WIDER = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei")
LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (5, 1, 1, 1, 1, 1)),
)  # told apart without colour
Label = Callable[[str], str]  # what a model, tier or segment is called in print


@cache
def font_families() -> list[str]:
    """Font families in order of use: Latin and signs first, then simplified Chinese."""
    font_manager.fontManager.addfont(CHINESE_FONT)
    shipped = font_manager.FontProperties(fname=CHINESE_FONT).get_name()
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", shipped, *(name for name in _WIDER if name in installed)]


@contextmanager
def house_style() -> Iterator[None]:
    """Draw inside this context; nothing leaks into the user's own matplotlib settings."""
    settings: Any = {
        "font.family": font_families(),
        "font.size": 9.5,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "text.parse_math": False,  # a name such as "A$B$" is a name
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E6E6E6",
        "axes.prop_cycle": cycler(color=PALETTE),
        "legend.frameon": False,
        "figure.dpi": 110,
        "savefig.dpi": 110,
        "svg.hashsalt": "cvlib",
        "svg.fonttype": "path",
    }
    # The shipped Chinese font has one weight; that bold text falls back to it is no news.
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with mpl.rc_context(settings):
            yield
    finally:
        log.setLevel(level)


class PageFigure(Figure):
    """A figure of the house.

    Attributes
    ----------
    page : str
        HTML, its texts escaped, that a page shows in place of the picture; empty: the picture.
    finding : str or None
        What it shows, made from its own numbers (a message): its title.
    """

    page: str = ""
    finding: str | None = None


def new_figure(
    width: float = 7.0, height: float = 4.0, rows: int = 1, columns: int = 1, **subplots: Any
) -> tuple[PageFigure, Any]:
    """A figure (inches) that no window manager knows of, with its axes; call in `house_style`."""
    figure = PageFigure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **subplots)


def short(name: object, longest: int = 34) -> str:
    """A name that fits beside a chart."""
    text = str(name)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def two_lines(title: str) -> str:
    """A title or name beside a chart, on two lines at most."""
    return "\n".join(wrap(title, 30, max_lines=2, placeholder="…"))


@cache
def _written(figures: str) -> dict[str, dict[str, str]]:
    file = resources.files("cvlib.words") / "on_figures" / f"{figures}.yaml"
    found: dict[str, dict[str, str]] = yaml.safe_load(file.read_text("utf-8"))
    return found


def words(figures: str, language: str) -> dict[str, str]:
    """The words on a module's figures in a language; English where it is not known."""
    known = _written(figures)
    return known.get(language, known["en"])


def plain(name: str) -> str:
    """The name of a model or column as words, where nothing else is known of it."""
    return name.replace("_", " ")


def both_grids(*axes: Axes) -> None:
    """Grid lines both ways, for charts that are read across and up."""
    for axis in axes:
        axis.grid(True, axis="both")
