"""CPU per bootstrap draw of PyPI plspm, one process: python plspm_draws.py DATA MODEL DRAWS."""

import json
import resource
import sys
import warnings

import pandas as pd
import plspm.config as c
from plspm.mode import Mode
from plspm.plspm import Plspm
from plspm.scheme import Scheme

warnings.simplefilter("ignore")


def cpu():
    return sum(
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


if __name__ == "__main__":
    data = pd.read_csv(sys.argv[1])
    # its scaled=True divides all items by one common standard deviation
    data = (data - data.mean()) / data.std(ddof=0)
    model, draws = json.loads(sys.argv[2]), int(sys.argv[3])
    structure = c.Structure()
    for source, target in model["paths"]:
        structure.add_path([source], [target])
    config = c.Config(structure.path(), scaled=False)
    for construct, items in model["blocks"].items():
        config.add_lv(construct, Mode.A, *[c.MV(item) for item in items])
    settings = {"scheme": Scheme.PATH, "iterations": 300, "tolerance": 1e-7}
    start = cpu()
    fitted = Plspm(data, config, **settings)
    once = cpu() - start
    start = cpu()
    Plspm(data, config, **settings, bootstrap=True, bootstrap_iterations=draws, processes=1)
    paths = {f"{a}->{b}": fitted.path_coefficients().loc[b, a] for a, b in model["paths"]}
    print(json.dumps({"per_draw": (cpu() - start - once) / draws, "paths": paths}))
