"""CPU per bootstrap draw of PyPI seminr: python seminr_draws.py DATA MODEL DRAWS."""

import csv
import json
import sys
import time
from pathlib import Path

import seminr

if __name__ == "__main__":
    with Path(sys.argv[1]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    data = {name: [float(row[name]) for row in rows] for name in rows[0]}
    model, draws = json.loads(sys.argv[2]), int(sys.argv[3])
    measurement = seminr.constructs(
        *[seminr.composite(name, items) for name, items in model["blocks"].items()]
    )
    structure = seminr.relationships(*[seminr.paths(a, b) for a, b in model["paths"]])
    fitted = seminr.estimate_pls(data, measurement, structure)
    start = time.process_time()
    seminr.bootstrap_model(fitted, nboot=draws, seed=1)
    spent = time.process_time() - start
    print(json.dumps({"per_draw": spent / draws}))
