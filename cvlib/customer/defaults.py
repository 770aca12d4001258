"""What belongs to the shipped base applies to it alone; own files stand by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cvlib.inputs import datasets
from cvlib.inputs.errors import InputError
from cvlib.words.message import Message, message

if TYPE_CHECKING:
    from cvlib.customer.files import Files, Plan

_SPARE = ("attributes", "costs", "campaign")


def settled(files: Files, plan: Plan) -> tuple[Files, Plan, list[Message]]:
    """Files without demonstrations beside own ones, and the shipped base's own plan for it.

    Parameters
    ----------
    files, plan
        As given.

    Returns
    -------
    tuple of Files, Plan and list of Message
        What of the files is used, the plan with blanks filled for the shipped base, and what was
        left out.

    Raises
    ------
    InputError
        A survey of one's own beside the simulated contracts, or the reverse.
    """
    bought = not isinstance(files.transactions, str) or bool(files.transactions)
    own = "transactions" if bought and plan.kind != "contract" else "contracts"
    other = "contracts" if own == "transactions" else "transactions"
    names = ("survey", own, other, *_SPARE)
    made = datasets.demonstrations({name: getattr(files, name) for name in names})
    if not made or {"survey", own} <= set(made):  # costs may be tried on the shipped base
        return files, _shipped_plan(files, plan), []
    for name in ("survey", own):
        if name in made:
            raise InputError(name, message("refusals.is_the_simulated_default_but_other_files"),
                             message("refusals.give_your_own_file_as", name=name))  # fmt: skip
    blank: dict[str, Any] = dict.fromkeys(made, "")
    spared = replace(files, **blank)
    return spared, plan, [message("common.demonstrations_left_out", parameters=made)]


def _shipped_plan(files: Files, plan: Plan) -> Plan:
    """Blanks of the plan filled by the catalogue's entry of the survey, if it is one."""
    survey = files.survey
    known = datasets.entries().get(survey) if isinstance(survey, str) else None
    own: dict[str, Any] = dict(known.dates) if known else {}
    blank = {
        "holdout_end": not plan.holdout_end,
        "controls": _automatic(plan.controls),
        "answering": not plan.answering,
        "segment": not plan.segment,
    }
    return replace(plan, **{name: own[name] for name in own if blank.get(name)})


def _automatic(controls: Sequence[str]) -> bool:
    return tuple(controls) == ("auto",)
