"""What a notebook's parameter may be: one rule per name, checked before anything runs."""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from cvlib.inputs.documents import Source, plain_yaml
from cvlib.inputs.errors import InputError, nearest, shorten
from cvlib.words.language import catalogue
from cvlib.words.message import Label, joined, message

TYPES: dict[str, Any] = {
    "str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict,
}  # fmt: skip
_WORDS = {"yes": True, "on": True, "no": False, "off": False}
_LONGEST = 10_000
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class Rule(BaseModel):
    """What the values of a parameter may be (parameters.yaml says what each field means)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: bool = False
    date: bool = False
    after: str = ""
    choice: Literal[True] | tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    share: bool = False

    @property
    def range(self) -> str:
        """The numbers allowed, in words; empty where any is."""
        ends = [
            message(f"refusals.range_{word}", end=_number(end))
            for word in ("least", "above", "most", "below")
            if (end := getattr(self, word)) is not None
        ]
        if len(ends) == 2:
            return message("refusals.range_both", low=ends[0], high=ends[1])
        return ends[0] if ends else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:g}"


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid")
    everywhere: dict[str, Rule]
    notebooks: dict[str, dict[str, Rule]]


@cache
def _rules() -> _Rules:
    return Source(Path(__file__).with_name("parameters.yaml")).parse(_Rules)


def rule(notebook: str, name: str) -> Rule | None:
    """The rule of a parameter, the notebook's own before the common one."""
    own = _rules().notebooks.get(notebook, {})
    return own.get(name, _rules().everywhere.get(name))


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell, with the rule of its name."""

    name: str
    kind: str
    default: Any
    help: str
    rule: Rule | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words a choice is made of: the rule's, or those listed in the comment."""
        if self.rule is None or not self.rule.choice:
            return ()
        if self.rule.choice is not True:
            return self.rule.choice
        listed = self.help.partition(";")[0].rpartition(":")[2].split(",")
        words = tuple(part.split()[0] for part in listed if part.split())
        return words if self.default in words else ()

    @property
    def allowed(self) -> str:
        """What may be written, in words; empty where the comment and the type say it all."""
        if self.rule is None:
            return ""
        if self.rule.date:
            later = f", not before {self.rule.after}" if self.rule.after else ""
            return f"a date such as 2024-03-31{later}"
        shown = ", ".join(self.choices) if isinstance(self.rule.choice, tuple) else ""
        return self.rule.range or (f"one of {shown}" if shown else "")

    def convert(self, written: Any) -> Any:
        """The value in the parameter's own type, checked; text is read as YAML where it must be.

        Raises
        ------
        InputError
            When the value is not of that type, or the rule does not allow it.
        """
        value = self._typed(written)
        for each in _leaves(value):
            self._check_plain(each)
        if self.rule is None:
            return value
        if self.rule.file and isinstance(value, str):
            value = value.strip()
        if self.rule.file and isinstance(value, list):
            value = [each for each in value if not isinstance(each, str) or each.strip()]
        if self.rule.date:
            if isinstance(value, str):
                return self._day(value) if value.strip() else ""
            if isinstance(value, list):
                return [self._day(each) for each in value]
        for each in _leaves(value):
            if self.rule.range and not (self.kind == "str" and each == ""):
                self._check_number(each)
            if self.choices and each not in self.choices:
                raise self._error(
                    "not_one_of_them", each, remedy=nearest(str(each), list(self.choices))
                )
        return value

    def _error(self, wrong: str, value: Any, *, remedy: str = "", **more: Any) -> InputError:
        """The refusal `wrong` of a value: what the parameter is follows what to do."""
        text = f"{self.help[:1].upper()}{self.help[1:]}".rstrip(".")
        chinese = catalogue("zh").get(self.help, self.help).rstrip("。")
        about = message(
            "refusals.parameter_is" if text else "refusals.parameter_default",
            help=Label({"en": text, "zh": chinese}),
            default=repr(self.default),
        )
        shown = value if isinstance(value, int | float) else shorten(value)
        said = message(f"refusals.{wrong}", value=shown, **more)
        where = message("refusals.parameter", name=self.name)
        return InputError(where, said, joined([remedy, about]))

    def _typed(self, written: Any) -> Any:
        value = written
        if isinstance(value, str) and self.kind != "str":
            try:
                value = plain_yaml(value, f"parameter {self.name}")[0]
            except InputError as error:
                raise self._error(
                    "value_cannot_be_read", str(written), error=error.wrong
                ) from error
            if self.kind == "bool" and isinstance(value, str):
                value = _WORDS.get(value.lower(), value)
        elif self.kind == "str" and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None and self.kind in ("list", "dict"):
            value = TYPES[self.kind]()
        try:
            value = TypeAdapter(TYPES[self.kind]).validate_python(_plain_dates(value), strict=True)
        except (ValidationError, OverflowError) as error:
            shape = {"list": "[a, b]", "dict": "{name: value}"}.get(self.kind)
            raise self._error(
                "not_of_type", str(written), type=self.kind,
                remedy=message(f"refusals.write_a_{self.kind}", shape=shape) if shape else "",
            ) from error  # fmt: skip
        return value

    def _check_plain(self, value: Any) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error("no_number_to_compute_with", value,
                              remedy=message("refusals.write_a_finite_number"))  # fmt: skip
        if not isinstance(value, str):
            return
        if len(value) > _LONGEST:
            raise self._error(
                "has_letters",
                len(value),
                remedy=message("refusals.at_most_are_read", most=_LONGEST),
            )
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
            raise self._error("holds_control_characters", value,
                              remedy=message("refusals.write_plain_text"))  # fmt: skip

    def _check_number(self, value: Any) -> None:
        rule = self.rule
        assert rule is not None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = number and not (
            (rule.least is not None and value < rule.least)
            or (rule.most is not None and value > rule.most)
            or (rule.above is not None and value <= rule.above)
            or (rule.below is not None and value >= rule.below)
        )
        if fits:
            return
        remedy = message("refusals.write_a_number_in_range", range=rule.range)
        if number and rule.share and 1 <= value <= 100:
            remedy = message(
                "refusals.write_a_share", share=value / 100, value=value, percent=100 * value
            )
        shown = f"{value:g}" if number else shorten(value)
        raise self._error("not_in_range", None, shown=shown, range=rule.range, remedy=remedy)

    def _day(self, value: Any) -> str:
        found = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
        try:
            if found:
                return datetime.date(*map(int, found.groups())).isoformat()
        except ValueError as error:  # 30 February
            raise self._error("no_day_of_the_calendar", value,
                              remedy=message("refusals.write_it_as_a_date")) from error  # fmt: skip
        raise self._error("not_a_date", value, remedy=message("refusals.write_it_as_a_date"))


def check_together(parameters: tuple[Parameter, ...], values: Mapping[str, Any]) -> None:
    """Check what two parameters must be to each other: dates in their order.

    Raises
    ------
    InputError
        Naming both.
    """
    for parameter in parameters:
        earlier = parameter.rule.after if parameter.rule else ""
        first, second = values.get(earlier), values.get(parameter.name)
        if first and second and second < first:
            raise InputError(
                f"parameter {parameter.name}",
                message(
                    "refusals.lies_before_which_is", second=second, earlier=earlier, first=first
                ),
                message("refusals.give_a_later_or_an", name=parameter.name, earlier=earlier),
            )


def _plain_dates(value: Any) -> Any:
    """A value as a notebook can be given it: dates as text, names of a mapping as text."""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, list | tuple):
        return [_plain_dates(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain_dates(each) for name, each in value.items()}
    return value


def _leaves(value: Any) -> Iterator[Any]:
    """The single values of a value; a mapping's names are not its values."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def parameters_of(file: Path | None) -> dict[str, Any]:
    """The parameters a YAML file states, by name; none without a file."""
    if file is None:
        return {}
    content = Source(file).content
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise InputError(
            str(file), message("refusals.is_not_a_list_of"), message("refusals.write_one_a_line_as")
        )
    return content
