"""A new study folder: a study file that runs as it is, and what to replace in it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.shipped import shipped_yaml
from cvlib.statistics.disclosure import KEY_FILE
from cvlib.words.message import message
from cvlib.words.safe import write_csv

STUDY = """\
title: {title}
# Parameters every notebook below that knows them gets; a run's own parameters win.
defaults: {{language: en, draws: 500, seed: 20261121}}
runs:
  # The shipped data stand in until yours are ready: put survey.csv in place of mobi.
  - notebook: 01_satisfaction_index
    parameters: {{data: mobi}}
    grid: {{model: [ecsi_mobile, acsi], estimator: [pls]}}
  # judgements: expert_judgements.xlsx once your experts have filled it in
  - notebook: 04_indicator_weights
    parameters: {{data: cdnow_sample, tree: rfm}}
  # data: transactions.csv, with your own calibration_end and holdout_end
  - notebook: 06_lifetime_and_churn
    parameters: {{data: cdnow_sample}}
report: {{formats: [html, docx, xlsx]}}
"""

README = """\
# {title}

1. `cvlib check study.yaml` reads every file and column named in study.yaml, in seconds.
2. `cvlib batch study.yaml` runs it; what is finished is not repeated.
3. Open `reports/index.html`, or `reports/studies/` for all runs side by side.

study.yaml runs as it is, on the data that come with cvlib. Put yours in their place:

- `questionnaire.xlsx`: the questions of the model ecsi_mobile, their codes, and a sheet for the
  answers. To print it: `cvlib questionnaire ecsi_mobile questionnaire.docx`, and `--language zh`
  for Chinese.
- `survey.csv`: one row per respondent; the columns are the items of the model, 1 to 10. Fill it in
  and write `data: survey.csv` for notebook 01.
- `expert_judgements.xlsx`: pairwise judgements on the indicators. Send one copy to each expert and
  write `judgements: expert_judgements.xlsx` for notebook 04.
- `transactions.csv`: one row per purchase. Fill it in and write `data: transactions.csv`, with your
  own dates, for notebooks 04 and 06.

`private/pseudonyms.key` makes the names that customers have in the reports. Keep it to yourself:
without it nobody finds an id from a name.

`cvlib describe 01` lists the parameters of a notebook.
"""


def new_folder(
    folder: Path,
    templates: Mapping[str, pd.DataFrame],
    study: str = "general",
    language: str = "en",
    facts: Mapping[str, str] | None = None,
) -> list[Path]:
    """Make a study folder with a study file, empty data templates, a README and a private key.

    The key makes the pseudonyms of this study's customers; it is no part of any report.

    Parameters
    ----------
    folder : Path
        A folder that does not exist yet, or is empty.
    templates : mapping of file name to DataFrame
        Data templates, as CSV.
    study : {"general", "customer", "scores"}
        What is studied: several notebooks, one customer base, or one indicator tree.
    language : {"en", "zh"}
        Of the README and reports of a study of customers or scores.
    facts : mapping of str to str, optional
        What the texts of a study of scores name: tree, columns, and weighed (blank where the tree
        has nothing to weigh).

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        When the folder has something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            str(folder),
            message("refusals.exists_and_is_not_empty"),
            message("refusals.give_a_new_folder_name"),
        )
    folder.mkdir(parents=True, exist_ok=True)
    title = folder.resolve().name.replace("_", " ").capitalize()
    forms: dict[str, Any] = {"study": STUDY, "readme": {"en": README}}
    if study != "general":
        forms = shipped_yaml((Path(__file__).parent / f"{study}_folder.yaml").read_text("utf-8"))
    known = {"title": title, "language": language, "experts": "", **(facts or {})}
    if known.get("weighed"):
        known["weighed"] = str(forms["weighed"]).format(**known)
        known["experts"] = forms["experts"][language]
    texts = {
        "study.yaml": str(forms["study"]).format(**known),
        "README.md": forms["readme"][language if study != "general" else "en"].format(**known),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    written = [write_csv(table, folder / name) for name, table in templates.items()]
    key = folder / KEY_FILE
    key.parent.mkdir()
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(32) + "\n", encoding="utf-8")
    return [*(folder / name for name in texts), *written, key]
