"""Pages of the house from templates: one style sheet, nothing from outside."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader

from cvlib.words.language import Words
from cvlib.words.message import message
from cvlib.words.safe import page_text

ENVIRONMENT = Environment(
    loader=PackageLoader("cvlib.study.render"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=page_text,
)


def rendered(template: str, words: Words, **content: Any) -> str:
    """A template filled; in it ``t`` translates."""
    found = ENVIRONMENT.get_template(template)
    return found.render(language=words.language, t=words.text, message=message, **content)


def page(template: str, language: str = "en", **content: Any) -> str:
    """A whole page with the style sheet in it."""
    css = ENVIRONMENT.get_template("report.css").render()
    return rendered(template, Words(language), css=css, **content)


def answer_html(answer: dict[str, Any], words: Words, hero: str = "") -> str:
    """The first screen: verdict, key figures, hero figure, what to do, what to doubt."""
    return rendered("answer.html", words, answer=answer, hero=hero)


_CAPTION = ENVIRONMENT.from_string(
    '<p class="cvlib-caption" id="figure-{{ name }}">'
    "{% if finding %}<b>{{ finding }}</b> {% endif %}<span>{{ title }}</span></p>"
)


def caption_html(name: str, title: str, finding: str = "") -> str:
    """The line above a figure: what it shows, after what it found."""
    return _CAPTION.render(name=name, title=title, finding=finding)


_WARNINGS = ENVIRONMENT.from_string(
    '<div class="cvlib-warning" role="note"><strong>{{ head }}</strong><ul>'
    "{% for warning in warnings %}<li>{{ warning }}</li>{% endfor %}</ul></div>"
)


def warnings_html(warnings: list[str], head: str) -> str:
    """What to note before reading on, as a list in a box."""
    return _WARNINGS.render(warnings=warnings, head=head)
