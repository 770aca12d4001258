"""How Sphinx makes the site: ``make docs``."""

import re
from typing import Any

import cvlib

project = "cvlib"
author = "The cvlib developers"
release = version = cvlib.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
exclude_patterns = ["api/generated"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Customer satisfaction, indicator weights, lifetime value",
    "page_width": "1100px",
    "sidebar_width": "260px",
    "fixed_sidebar": True,
}
html_show_sphinx = False
myst_heading_anchors = 3
autodoc_typehints = "none"  # numpydoc's sections name the types
autodoc_member_order = "alphabetical"
autosummary_generate = False
numpydoc_show_class_members = False

_ANCHOR = re.compile(r'^<a id="([^"]+)"></a>$', flags=re.MULTILINE)
_GALLERY = re.compile(r"\]\(figures\.md#([^)]+)\)")


def anchors(_app: Any, page: str, source: list[str]) -> None:
    """The gallery's anchors, which a forge reads as HTML, as targets Sphinx knows."""
    below = "zh-" if page.startswith("zh/") else ""
    source[0] = _ANCHOR.sub(rf"({below}\1)=", source[0])
    source[0] = _GALLERY.sub(rf"](#{below}\1)", source[0])


def setup(app: Any) -> None:
    app.connect("source-read", anchors)
