"""What a model consists of: items, constructs, interactions, and items that stand in for others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ROLES = ("antecedent", "moderator", "group")
STAGES = ("disjoint", "embedded", "repeated")
INTERACTIONS = ("two_stage", "product_indicator", "orthogonal")


@dataclass(frozen=True)
class Item:
    """One question: its name in the model, its column in the survey, scale and direction."""

    name: str
    column: str
    labels: Mapping[str, str]
    wording: str
    minimum: float
    maximum: float
    direction: str
    missing_codes: tuple[float, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)  # answers in words to numbers
    own_scale: bool = field(default=False, compare=False)  # said of this item, not of all


@dataclass(frozen=True)
class Construct:
    """A latent variable: labels by language, measurement mode (A, B or unit) and items."""

    name: str
    labels: Mapping[str, str]
    mode: str
    items: tuple[Item, ...]
    role: str | None = None
    moderates: tuple[tuple[str, str, str], ...] = ()  # (moderator, target, sign) of the slope
    global_item: str = ""  # column of one question about the whole, for redundancy analysis
    dimensions: tuple[str, ...] = ()  # constructs it is made of, in place of items
    stages: str = "disjoint"  # how a construct of constructs is estimated


@dataclass(frozen=True)
class Freedom:
    """What a covariance model frees and ties beyond its paths and items.

    Attributes
    ----------
    residuals : tuple of (name, name)
        Two items, or two constructs, whose residuals may covary.
    equal : tuple of tuple of str
        Loadings (items) or paths ("cause -> effect") that are one parameter.
    """

    residuals: tuple[tuple[str, str], ...] = ()
    equal: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Adaptation:
    """The items of another survey standing in for the published ones."""

    survey: str
    items_from: str
    constructs: Mapping[str, tuple[str, ...]]
    signs: Mapping[tuple[str, str], str]
    note: str
    items: tuple[Item, ...] = ()  # of the model they come from


@dataclass(frozen=True)
class Moderation:
    """Construct ``moderator`` changes the slope of ``source`` on ``target``.

    A construct that moderates itself has a quadratic effect.
    """

    moderator: str
    source: str
    target: str
    sign: str
    method: str = "two_stage"

    @property
    def name(self) -> str:
        """The interaction's name in the tables."""
        return f"{self.source} x {self.moderator}"


def causal_order(names: tuple[str, ...], paths: Iterable[tuple[str, str, str]]) -> tuple[int, ...]:
    """Topological order, first come first served; an empty tuple when the paths run in a circle."""
    causes = {name: {a for a, b, _ in paths if b == name} for name in names}
    done: list[str] = []
    while len(done) < len(names):
        ready = [n for n in names if n not in done and causes[n] <= set(done)]
        if not ready:
            return ()
        done.append(ready[0])
    return tuple(names.index(name) for name in done)
