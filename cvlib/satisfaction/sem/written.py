"""Equations that a user writes, read by semopy into our places."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from typing import Any

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, Layout
from cvlib.words.message import message

_NAME = r"[^\W\d][\w.]*"
_NUMBER = r"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_TERM = rf"(?:(?:{_NUMBER}|{_NAME})\s*\*\s*)?{_NAME}"
_LINE = re.compile(
    rf"({_NAME}(?:\s*,\s*{_NAME})*)\s*(=~|~~|~)\s*({_TERM}(?:\s*\+\s*{_TERM})*)", re.UNICODE
)
# semopy keeps its operation tables on the class, so two threads must not build models at once.
_LOCK = threading.Lock()


def read_equations(text: str) -> list[tuple[list[str], str, list[tuple[str | None, str]]]]:
    """Split equations into (left names, operator, [(multiplier, name)]), refusing what misleads.

    Raises
    ------
    InputError
        For anything but ``a =~ b + c``, ``a ~ b``, ``a ~~ b`` with numbers or labels before ``*``.
        ``NA*``, ``:=``, ``;``, ``~ 1``, ``CONSTRAINT``, ``START`` and continued lines are among
        the refused: semopy reads several of them as something else without saying so.
    """
    equations = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        match = _LINE.fullmatch(line)
        terms: list[tuple[str | None, str]] = []
        for term in (
            re.split(r"\s*\+\s*(?![\d])|\s*\+\s*(?=[\d.]+\s*\*)", match[3]) if match else []
        ):
            multiplier, star, name = term.rpartition("*")
            terms.append((multiplier.strip() if star else None, name.strip()))
        lefts = [name.strip() for name in match[1].split(",")] if match else []
        names = [name for _, name in terms]
        odd = any(m in {"NA", "START"} or str(m or "").startswith("_") for m, _ in terms)
        odd = odd or len(set(names)) < len(names) or len(set(lefts)) < len(lefts)
        if match is None or odd or (match[2] != "~~" and set(lefts) & set(names)):
            raise InputError(
                f"equation on line {number}, {line!r}",
                message("refusals.this_is_not_an_equation"),
                message("refusals.write_one_equation_per_line"),
            )
        equations.append((lefts, match[2], terms))
    if not equations:
        raise InputError(
            "equations",
            message("refusals.there_is_no_equation"),
            message("refusals.write_at_least_one_equation"),
        )
    return equations


def semopy_model(description: str) -> Any:
    """Build a semopy Model alone, leaving the root logger as it was found."""
    root, quiet = logging.getLogger(), logging.NullHandler()
    with _LOCK:
        root.addHandler(quiet)  # with none there, logging.info() inside semopy would install one
        before = root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            import semopy

            return semopy.Model(description)
        finally:
            logging.disable(before)
            root.removeHandler(quiet)


def specify(description: str) -> Layout:
    """Read equations through semopy and place every parameter.

    Beside what semopy's syntax says: the residual variance of the only item of a construct is
    fixed at 0 unless the equations mention it (as lavaan's ``auto.fix.single``), and the
    (co)variances of observed exogenous variables are taken from the sample.

    Parameters
    ----------
    description : str
        Equations, one per line: ``=~``, ``~``, ``~~``; ``2*x`` fixes, ``a*x`` labels (equal labels
        are equal parameters).

    Returns
    -------
    Layout
        For one group, without means.
    """
    equations = read_equations(description)
    measured: dict[str, list[str]] = {}
    for lefts, operator, terms in equations:
        if operator == "=~":
            for left in lefts:
                measured.setdefault(left, []).extend(name for _, name in terms)
    uses = Counter(item for items in measured.values() for item in items)
    mentioned = {
        left
        for lefts, op, terms in equations
        for left in lefts
        if op == "~~" and (left in [n for _, n in terms])
    }
    alone = [
        items[0]
        for items in measured.values()
        if len(items) == 1 and uses[items[0]] == 1 and items[0] not in mentioned | set(measured)
    ]
    lines = [
        f"{', '.join(lefts)} {operator} " + " + ".join(f"{m}*{n}" if m else n for m, n in terms)
        for lefts, operator, terms in equations
    ]
    try:
        model = semopy_model("\n".join([*lines, *(f"{item} ~~ 0*{item}" for item in alone)]))
    except (SyntaxError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise InputError(
            "equations",
            message("refusals.semopy_cannot_read_the_model", error=error),
            message("refusals.check_names_and_operators"),
        ) from error

    order: list[str] = []
    for lefts, _, terms in equations:
        order.extend(name for name in [*lefts, *(name for _, name in terms)] if name not in order)
    latent = [name for name in order if name in model.vars["latent"]]
    observed = [name for name in order if name in set(model.vars["observed"])]
    names = (*latent, *observed)
    position = {name: i for i, name in enumerate(names)}
    labels = {"mx_beta": "names_beta", "mx_lambda": "names_lambda"}
    labels |= {"mx_psi": "names_psi", "mx_theta": "names_theta"}
    exogenous = set(observed) & set(model.vars["exogenous"])

    places: list[tuple[tuple[int, ...], int, int, int, str, str | None, float, bool]] = []
    for name, parameter in model.parameters.items():
        for place in parameter.locations:
            attribute = next(a for a in labels if getattr(model, a) is place.matrix)
            rows, cols = getattr(model, labels[attribute])
            a, b = rows[place.indices[0]], cols[place.indices[1]]
            arrows = attribute in {"mx_beta", "mx_lambda"}
            sample = not arrows and not parameter.active and parameter.start is None
            sample = sample or (not arrows and {a, b} <= exogenous and parameter.active)
            if not arrows and position[a] > position[b]:
                a, b = b, a
            if arrows:
                operator = "=~" if a in measured.get(b, []) else "~"
                kind = 0 if operator == "=~" else 1
                key = (kind, position[b] if kind == 0 else position[a], position[a], position[b])
            else:
                operator = "~~"
                is_latent = position[a] < len(latent)
                key = (2 if a == b else 3, int(is_latent), position[a], position[b])
            free = parameter.active or sample
            fixed = 0.0 if free else float(parameter.start)
            matrix = ARROW if arrows else COVARIANCE
            places.append(
                (
                    key,
                    matrix,
                    position[a],
                    position[b],
                    operator,
                    name if free else None,
                    fixed,
                    sample,
                )
            )
    places.sort(key=lambda place: place[0])
    index: dict[str, int] = {}
    for place in places:
        if place[5] is not None:
            index.setdefault(place[5], len(index))
    return Layout(
        names=names,
        latent=len(latent),
        matrix=np.array([p[1] for p in places]),
        row=np.array([p[2] for p in places]),
        col=np.array([p[3] for p in places]),
        operator=tuple(p[4] for p in places),
        parameter=np.array([[-1 if p[5] is None else index[p[5]] for p in places]]),
        value=np.array([[p[6] for p in places]]),
        relative=np.zeros(len(places)),
        from_sample=np.array([p[7] for p in places]),
    )
