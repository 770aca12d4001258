"""The path diagram within a page: what it says is in the tables, and text does nothing."""

import re

import pandas as pd

from cvlib.figures.path_diagram import path_diagram
from cvlib.study.render.what_if import without_levers

PATHS = pd.DataFrame({
    "source": ["a", "a"], "target": ["b", "c"], "estimate": [0.5, -0.04], "p": [0.0001, 0.4],
    "ci_low": [0.4, -0.2], "ci_high": [0.6, 0.1],
})  # fmt: skip
LOADINGS = pd.DataFrame({"construct": ["a", "a"], "item": ["x<1>", "x2"], "weight": [0.25, 0.8]})


def test_the_drawing_says_estimates_intervals_p_and_weights_and_escapes_names() -> None:
    index = pd.DataFrame({"construct": list("abc"), "index": [70.0, 71.0, 72.0]})
    drawn = path_diagram(PATHS, index, labels={"b": "<b>&"}, loadings=LOADINGS).page
    assert "x<1>" not in drawn and "x&lt;1&gt; 0.25" in drawn
    sure, unsure = re.findall(r'<g class="arrow (\w+)"[^>]*aria-label="([^"]*)"', drawn)
    assert sure == ("rises", "a → &lt;b&gt;&amp;: 0.50, interval 0.40 – 0.60, p &lt; .001")
    assert unsure == ("unsure", "a → c: −0.04, interval −0.20 – 0.10, p = .400")
    assert drawn.count('type="checkbox"') == 3  # there is no R²


def test_a_falling_path_is_drawn_so_and_without_intervals_nothing_offers_them() -> None:
    falls = PATHS.assign(estimate=-0.5).drop(columns=["ci_low", "ci_high"])
    drawn = path_diagram(falls).page
    assert 'class="arrow falls"' in drawn and 'data-part="intervals"' not in drawn


def test_on_paper_the_picture_takes_its_place() -> None:
    body = (
        '<p>x</p><!-- drawing --><svg/><!-- end of drawing --><!-- still <img src="" alt="A"> -->'
    )
    assert without_levers(body) == '<p>x</p><img src="" alt="A">'
