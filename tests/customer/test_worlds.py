"""Four bases through the command line: what the verdict says of each."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import cvlib as cv
from cvlib.cli import main

WORLDS = {
    "clean": "One more point of satisfaction is worth",
    "confounded": "One more point of satisfaction is worth",
    "zero": "Satisfaction adds nothing measurable",
    "leaked": "cannot be told from these data",
}


@pytest.mark.parametrize("world", list(WORLDS))
def test_the_command_line_says_of_each_base_what_it_allows(world: str, tmp_path: Path) -> None:
    made = cv.customer.simulate(2500, seed=101, world=world)
    given: dict[str, object] = {}
    for name in ("survey", "contracts", "attributes"):
        path = tmp_path / f"{name}.csv"
        getattr(made, name).to_csv(path, index=False)
        given[name] = str(path)
    given |= {"controls": list(made.plan.controls), "answering": list(made.plan.answering),
              "holdout_end": made.plan.holdout_end, "draws": 30, "certificate": 0}  # fmt: skip
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(yaml.safe_dump(given), "utf-8")
    out = tmp_path / "reports"
    ran = CliRunner().invoke(
        main, ["run", "09", "--parameters", str(parameters), "--out", str(out), "--to", "html"]
    )
    assert ran.exit_code == 0, ran.output
    (results,) = out.rglob("results.json")
    text = json.dumps(json.loads(results.read_text("utf-8")), ensure_ascii=False)
    assert WORLDS[world] in text
    others = {verdict for verdict in WORLDS.values() if verdict != WORLDS[world]}
    assert not any(verdict in text for verdict in others)
    if world == "confounded":  # an unmeasured cause is not argued away
        assert "whether an unmeasured cause" in text or "may be no effect at all" in text
