"""What a study of segments takes from judgement: given, an illustration, or left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs.datasets import entries
from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import TransactionLog
from cvlib.words.message import message

# What every part of the study needs.
PARTS = {
    "elasticities": ("retention",),
    "retention_gain": ("discount_rates", "points"),
    "half_life": ("years_to_half",),
    "spending_split": ("yearly_margin", "acquisition", "retention_response"),
    "payback": ("acquisition_cost", "yearly_profit"),
    "net_promoter_score": ("recommend",),
    "referral_value": ("referrals",),
    "opportunities": ("needs",),
}


@dataclass(frozen=True, eq=False)
class Assumptions:
    """Values of the parameters that no log holds.

    Attributes
    ----------
    values : dict
        By parameter; what was not given is absent, unless the data are the shipped ones.
    illustrated : tuple of str
        Parameters whose values are the illustration's.
    table : DataFrame
        part, basis (given, illustration, left_out), needs (the parameters that were not given).
    """

    values: dict[str, Any]
    illustrated: tuple[str, ...]
    table: pd.DataFrame

    def known(self, part: str) -> bool:
        """Whether a part of the study has all it needs."""
        return all(name in self.values for name in PARTS[part])

    def note(self, part: str) -> str:
        """What a table of the part says of where its numbers come from; nothing where given."""
        if not set(PARTS[part]) & set(self.illustrated):
            return ""
        return message(f"lifetime.illustrated{'_payback' if part == 'payback' else ''}")

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def assumptions(log: TransactionLog, **given: Any) -> Assumptions:
    """Sort what was given from what was not.

    Parameters
    ----------
    log : TransactionLog
        Of the study. Only for a log of the catalogue is what is blank illustrated.
    **given
        The parameters of `PARTS` by name; blank (0, "", empty) where not given.

    Raises
    ------
    InputError
        A part of which some parameters are given and others are not.
    """
    shipped = any(one.sha256 == log.sha256 for one in entries().values())
    shown: dict[str, Any] = {}
    if shipped:
        shown = dict(Source(Path(__file__).with_name("illustration.yaml")).content)
    values = {name: value for name, value in given.items() if value}
    rows = []
    for part, names in PARTS.items():
        missing = [name for name in names if name not in values]
        if missing and len(missing) < len(names) and not shipped:
            raise InputError(
                missing[0],
                message("refusals.is_not_given_is", names=", ".join(set(names) - set(missing))),
                message("refusals.give_together_or_none_of", names=" and ".join(names)),
            )
        basis = "given" if not missing else "illustration" if shipped else "left_out"
        rows.append({"part": part, "basis": basis, "needs": ", ".join(missing)})
    illustrated = tuple(name for name in shown if name not in values)
    return Assumptions(shown | values, illustrated, pd.DataFrame(rows))
