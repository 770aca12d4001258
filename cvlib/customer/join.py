"""Read the files of a customer study and join them by customer."""

from __future__ import annotations

from cvlib.customer.base import CustomerBase
from cvlib.customer.bought import join_purchases
from cvlib.customer.defaults import settled
from cvlib.customer.files import Files, Plan
from cvlib.customer.held import join_contracts
from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.words.message import message


def join(files: Files, plan: Plan | None = None) -> CustomerBase:
    """Read the files of a study and join them by customer, each respondent's clock his own.

    Parameters
    ----------
    files : Files
        Survey, contracts or transactions, attributes, costs.
    plan : Plan, optional
        Columns, model and controls.

    Returns
    -------
    CustomerBase
        With the audit of the join.

    Raises
    ------
    InputError
        A missing column, no customer in both files, a control that is no attribute.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(400, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> base.dated, base.late
    (True, 0)
    """
    if isinstance(files.survey, str) and not files.survey.strip():
        raise InputError(
            "survey", message("customer.no_survey"), message("customer.no_survey_remedy")
        )
    files, plan, left_out = settled(files, plan or Plan())
    one_of("late_answers", plan.late_answers, ("refuse", "leave_out"))
    if _kind(files, plan) == "transactions":
        return join_purchases(files, plan, list(left_out))
    return join_contracts(files, plan, list(left_out))


def _kind(files: Files, plan: Plan) -> str:
    """contract or transactions, by what is given where it is not said."""
    one_of("kind", plan.kind, ("auto", "contract", "transactions"))
    given = [
        kind
        for kind, file in (("contract", files.contracts), ("transactions", files.transactions))
        if not isinstance(file, str) or file
    ]
    if plan.kind == "auto" and len(given) == 2:
        raise InputError("kind", message("refusals.is_auto_but_contracts_and_transactions_are"),
                         message("refusals.say_contract_or_transactions_or_give_one"))  # fmt: skip
    if not given or plan.kind not in ("auto", *given):
        name = "transactions" if plan.kind == "transactions" else "contracts"
        raise InputError(
            name,
            message("refusals.is_blank"),
            message("refusals.a_study_needs_contracts_or_transactions"),
        )
    return given[0] if plan.kind == "auto" else plan.kind
