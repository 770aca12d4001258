"""How many interviews: interval width and power by sample size, from simulated surveys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cvlib.inputs.choices import one_of, whole
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction.design.goal import Analysis, Goal
from cvlib.satisfaction.design.questionnaire import words
from cvlib.satisfaction.design.simulate import Population
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.model.higher_order import ordinary, second_order
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import fit_model, points_per_answer
from cvlib.statistics import resample
from cvlib.statistics.resample import SEED
from cvlib.words.message import message

ANSWERS = 6_000_000  # simulated at a time: about 50 MB


@dataclass(frozen=True, eq=False, repr=False)
class SurveyPlan(Result):
    """What surveys of several sizes would find, with the Monte Carlo error of every figure.

    Attributes
    ----------
    index : DataFrame
        n, construct, value (in the population), mean (of the estimates), std_error, width (of the
        interval), width_mc_error.
    differences : DataFrame
        n (in each group), construct, difference, width, width_mc_error, power, power_mc_error.
    paths : DataFrame
        n, source, target, value, mean, std_error, width, width_mc_error, power, power_mc_error.
    fits : DataFrame
        n, replications, failed, untested (differences), inadmissible, left_out (respondents).
    smallest : DataFrame
        quantity, target, n, n_low, n_high (95 % Monte Carlo limits of n), value, mc_error, reached.
    settings : Mapping[str, Any]
    sentence : str
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("smallest", "index", "differences")

    index: pd.DataFrame
    differences: pd.DataFrame
    paths: pd.DataFrame
    fits: pd.DataFrame
    smallest: pd.DataFrame
    settings: Mapping[str, Any]
    sentence: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Study:
    """What is simulated, and how it is analysed."""

    drawn_from: Population
    construct: str
    difference: float
    analysis: Analysis
    replications: int
    seed: int

    @property
    def level(self) -> float:
        return self.analysis.level

    @property
    def cluster_size(self) -> int:
        return self.analysis.cluster_size

    def points(self, fit: PLSFit) -> np.ndarray:
        """Index points (B, p) of the construct that one step of each item adds."""
        names, points = points_per_answer(self.drawn_from.model, fit)
        return points[:, names.index(self.construct)]

    def fit(self, mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
        return fit_model(
            self.drawn_from.model, mean, covariance,
            scheme=self.analysis.scheme, estimator=self.analysis.estimator,
        )  # fmt: skip

    @cached_property
    def truth(self) -> PLSFit:
        mean, covariance = self.drawn_from.moments()
        return self.fit(mean[None], covariance[None])

    @cached_property
    def shift(self) -> dict[str, float]:
        """The rise of the construct that makes the difference in index points."""
        per_point = self.points(self.truth)[0]
        start = self.drawn_from.mean()

        def gap(rise: float) -> float:
            mean = self.drawn_from.mean({self.construct: rise})
            return float(per_point @ (mean - start) - self.difference)

        if gap(4.0) < 0 or gap(-4.0) > 0:
            far = {"difference": self.difference, "construct": self.construct}
            raise InputError(
                "difference", message("refusals.points_are_out_of_reach", **far),
                message("refusals.choose_a_smaller_difference"),
            )  # fmt: skip
        return {self.construct: float(optimize.brentq(gap, -4.0, 4.0, xtol=1e-10))}

    def rounded(self, n: float) -> int:
        """Whole clusters."""
        return int(np.ceil(n / self.cluster_size - 1e-9)) * self.cluster_size


@dataclass(frozen=True, eq=False)
class _Moments:
    """Of B samples: mean (B, p), covariance (B, p, p), covariance of the mean (B, p, p), sizes."""

    mean: np.ndarray
    covariance: np.ndarray
    of_mean: np.ndarray
    units: np.ndarray
    rows: np.ndarray


def _moments(values: np.ndarray, study: _Study) -> _Moments:
    """Moments of samples (B, n, p) after the rule for missing answers."""
    size = study.cluster_size
    answered = ~np.isnan(values)
    used = np.ones(values.shape[:2])
    if study.analysis.missing == "listwise":
        used = answered.all(axis=2).astype(float)
    values = np.where(answered, values, 0.0)
    rows = used.sum(axis=1)
    if study.analysis.missing == "mean":
        found = values.sum(axis=1) / answered.sum(axis=1)
        values = np.where(answered, values, found[:, None])
    mean = (values * used[:, :, None]).sum(axis=1) / rows[:, None]
    centred = (values - mean[:, None]) * used[:, :, None]
    covariance = centred.swapaxes(1, 2) @ centred / (rows - 1)[:, None, None]
    # sums of deviations by cluster; with clusters of one the usual covariance over n
    sums = centred.reshape(len(values), -1, size, values.shape[2]).sum(axis=2)
    units = (used.reshape(len(values), -1, size).sum(axis=2) > 0).sum(axis=1)
    scale = units / (units - 1) / rows**2
    of_mean = sums.swapaxes(1, 2) @ sums * scale[:, None, None]
    return _Moments(mean, covariance, of_mean, units, rows)


def _pooled(a: _Moments, b: _Moments) -> tuple[np.ndarray, np.ndarray]:
    rows = a.rows + b.rows
    mean = (a.mean * a.rows[:, None] + b.mean * b.rows[:, None]) / rows[:, None]
    within = [m.covariance * (m.rows - 1)[:, None, None] for m in (a, b)]
    gap = a.mean - b.mean
    between = (a.rows * b.rows / rows)[:, None, None] * gap[:, :, None] * gap[:, None]
    return mean, (within[0] + within[1] + between) / (rows - 1)[:, None, None]


@np.errstate(divide="ignore", invalid="ignore")  # samples without a complete row: NaN, told
def _simulate(study: _Study, n: int) -> dict[str, pd.DataFrame]:
    """Tables for one size."""
    people, model = study.drawn_from, study.drawn_from.model
    generator = resample.generator(study.seed, n)
    step = max(1, min(study.replications, ANSWERS // (n * len(model.items))))
    shown = second_order(model)  # an ordinary model is itself
    adjacency = shown.adjacency
    parts: list[dict[str, np.ndarray]] = []
    for at in range(0, study.replications, step):
        many = min(step, study.replications - at)
        clusters = np.arange(many * n) // study.cluster_size if study.cluster_size > 1 else None

        def sample(shift: dict[str, float] | None, many: int = many,
                   clusters: np.ndarray | None = clusters) -> _Moments:  # fmt: skip
            drawn = people.draw(many * n, generator, shift, clusters)
            return _moments(drawn.reshape(many, n, -1), study)

        first, second = sample(None), sample(study.shift)
        fit = study.fit(first.mean, first.covariance)
        both = study.fit(*_pooled(first, second))
        per_point = study.points(both)
        gap = ((second.mean - first.mean) * per_point).sum(axis=1)
        variances = [np.einsum("bp,bpq,bq->b", per_point, m.of_mean, per_point)
                     for m in (first, second)]  # fmt: skip
        error = np.sqrt(variances[0] + variances[1])
        welch = sum(v**2 / (m.units - 1) for v, m in zip(variances, (first, second), strict=True))
        half = resample.reach(study.level, error**4 / welch) * error
        half[~both.converged | both.degenerate] = np.nan
        parts.append({
            "index": np.einsum("bkp,bp->bk", points_per_answer(model, fit)[1],
                               first.mean - model.minimum),
            "paths": fit.paths[:, adjacency],
            "width": 2 * half,
            "found": np.where(np.isnan(half), np.nan, np.abs(gap) > half),
            "failed": ~fit.converged | fit.degenerate,
            "inadmissible": ~fit.admissible & fit.converged & ~fit.degenerate,
            "left_out": 1 - first.rows / n,
        })  # fmt: skip
    every = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    kept, judged = ~every["failed"], ~np.isnan(every["found"])
    if min(kept.sum(), judged.sum()) < 2:
        raise InputError(f"size {n}", message("refusals.fewer_than_two_simulated_surveys"),
                         message("refusals.plan_larger_surveys_or_another"))  # fmt: skip
    z = resample.reach(study.level)
    sources, targets = np.nonzero(adjacency)
    names = np.array(shown.construct_names)
    constructs, points = points_per_answer(model, study.truth)

    def spread(values: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
        deviation = values.std(axis=0, ddof=1)
        return {
            "value": truth, "mean": values.mean(axis=0), "std_error": deviation,
            "width": 2 * z * deviation,
            "width_mc_error": 2 * z * deviation / np.sqrt(2 * (len(values) - 1)),
        }  # fmt: skip

    def power(found: np.ndarray) -> dict[str, Any]:
        share = found.mean(axis=0)
        return {"power": share, "power_mc_error": np.sqrt(share * (1 - share) / len(found))}

    estimates = every["paths"][kept]
    width = every["width"][judged]
    return {
        "index": pd.DataFrame({"n": n, "construct": constructs, **spread(
            every["index"][kept], points[0] @ (people.mean() - model.minimum))}),
        "paths": pd.DataFrame({"n": n, "source": names[sources], "target": names[targets], **spread(
            estimates, study.truth.paths[0][adjacency]),
            **power(np.abs(estimates) > z * estimates.std(axis=0, ddof=1))}),
        "differences": pd.DataFrame({
            "n": [n], "construct": study.construct, "difference": study.difference,
            "width": width.mean(), "width_mc_error": width.std(ddof=1) / np.sqrt(len(width)),
            **power(every["found"][judged])}),
        "fits": pd.DataFrame({
            "n": [n], "replications": study.replications, "failed": int(every["failed"].sum()),
            "untested": int((~judged).sum()),
            "inadmissible": int(every["inadmissible"].sum()),
            "left_out": every["left_out"].mean()}),
    }  # fmt: skip


def plan_survey(
    drawn_from: Population,
    *,
    sizes: Sequence[int] = (100, 200, 300, 500),
    goal: Goal | None = None,
    analysis: Analysis | None = None,
    replications: int = 1000,
    seed: int = SEED,
    language: str = "en",
    jobs: int = 1,
    progress: bool = False,
) -> SurveyPlan:
    """Simulate surveys of several sizes and say how precise and how powerful they are.

    For every size: an index and paths are estimated by PLS from n respondents, their standard
    error is the standard deviation over the replications (which a bootstrap estimates), an interval
    is estimate ± z standard errors, and a path is found when its interval leaves out zero. The
    difference is tested between two groups of n by Welch's t on scores with weights from both
    together, over clusters where there are some.

    Parameters
    ----------
    drawn_from : Population
        From `simulate.population`.
    sizes : sequence of int
        Respondents (in each group, for the difference); rounded up to whole clusters.
    goal : Goal, optional
        The difference to be found, and the precision and power wanted.
    analysis : Analysis, optional
        Estimator, rule for missing answers, clusters, level.
    replications : int
        Simulated surveys per size.
    seed : int
        Every size has its own stream of this seed: results do not depend on the other sizes.
    language : {"en", "zh"}
        Of the sentence.
    jobs : int
        Sizes simulated side by side (threads).
    progress : bool
        Show a progress bar.

    Returns
    -------
    SurveyPlan
        Precision and power by size, and a sentence.

    Raises
    ------
    InputError
        For a setting that cannot be used.

    References
    ----------
    Muthén & Muthén (2002), Structural Equation Modeling 9:599-620 (planning by simulation).
    Welch (1947), Biometrika 34:28-35. The Monte Carlo error of a power is the binomial one, that of
    a standard error s is s / sqrt(2 (R - 1)), as for normal estimates.

    Examples
    --------
    >>> import cvlib as cv
    >>> people = cv.satisfaction.population("acsi")
    >>> found = cv.satisfaction.plan(people, sizes=[100, 400], replications=100)
    >>> found.index.groupby("n")["width"].mean().is_monotonic_decreasing
    True
    """
    import joblib
    from tqdm import tqdm

    words(language)
    aim, how = goal or Goal(), analysis or Analysis()
    study = _checked(drawn_from, aim, how, replications, seed)
    steps = [(a, b) for a, b, _ in drawn_from.model.signed_paths]
    if any(name.startswith("path") for name in aim.targets) and aim.path not in steps:
        raise InputError("path", message("refusals.is_not_a_path_of_2", path=aim.path),
                         message("refusals.choose_from", names=steps))  # fmt: skip
    if not sizes or min(sizes) < 2:
        raise InputError("sizes", message("refusals.sizes_are", sizes=list(sizes)),
                         message("refusals.give_sample_sizes_of_and"))  # fmt: skip
    settings = {"construct": study.construct, "difference": aim.difference, "rise": study.shift,
                "replications": replications, "seed": seed, **asdict(how)}  # fmt: skip
    planned = sorted({study.rounded(n) for n in sizes})
    told: list[str] = []
    with tqdm(total=replications * len(planned), unit="survey", disable=not progress) as bar:
        run = joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
        tables = {}
        for n, table in zip(planned, run(joblib.delayed(_simulate)(study, n) for n in planned),
                            strict=True):  # fmt: skip
            tables[n] = table
            bar.update(replications)
        rows = []
        for name, target in aim.targets.items():
            rows.append(_smallest(study, tables, name, target, aim, bar))
            if not rows[-1]["reached"]:
                told.append(message("satisfaction.size_not_reached", quantity=name, target=target,
                                    n=rows[-1]["n"]))  # fmt: skip
    joined = {k: pd.concat([tables[n][k] for n in sorted(tables)], ignore_index=True)
              for k in ("index", "differences", "paths", "fits")}  # fmt: skip
    fits = joined["fits"]
    for row in fits[fits[["failed", "untested", "inadmissible"]].any(axis=1)].itertuples():
        counts = {name: getattr(row, name) for name in
                  ("n", "replications", "failed", "untested", "inadmissible")}  # fmt: skip
        told.append(message("satisfaction.simulated_fits", **counts))
    if how.missing == "listwise" and fits["left_out"].max() > 0.2:
        told.append(message("satisfaction.listwise_loses", share=fits["left_out"].max()))
    smallest = pd.DataFrame(rows, columns=["quantity", "target", "n", "n_low", "n_high", "value",
                                           "mc_error", "reached"])  # fmt: skip
    sentence = _sentence(joined["differences"], smallest, study, language)
    return SurveyPlan(**joined, smallest=smallest, settings=settings, sentence=sentence,
                      warnings=tuple(told))  # fmt: skip


def _checked(
    drawn_from: Population, goal: Goal, analysis: Analysis, replications: int, seed: int
) -> _Study:
    if drawn_from.model.ordered:
        ordinary(drawn_from.model, "the planning of a sample")
    construct = goal.construct or default_target(drawn_from.model)
    one_of("construct", construct, drawn_from.model.construct_names)
    whole("replications", replications, 100)
    if (analysis.cluster_size == 1) != (drawn_from.cluster_correlation == 0):
        raise InputError("cluster_size", message("refusals.goes_with_a_cluster_correlation"),
                         message("refusals.give_both_or_neither"))  # fmt: skip
    return _Study(drawn_from, construct, goal.difference, analysis, replications, seed)


def _figure(
    tables: dict[str, pd.DataFrame], name: str, path: tuple[str, str] | None, construct: str
) -> tuple[float, float]:
    """The value of a target quantity and its Monte Carlo error."""
    kind, measure = name.split("_")
    table = tables["index" if kind == "index" else f"{kind}s"]
    if kind == "path" and path:
        table = table[(table["source"] == path[0]) & (table["target"] == path[1])]
    else:
        table = table[table["construct"] == construct]
    return float(table[measure].iloc[0]), float(table[f"{measure}_mc_error"].iloc[0])


def _smallest(study: _Study, tables: dict[int, dict[str, pd.DataFrame]], name: str, target: float,
              goal: Goal, bar: Any) -> dict[str, Any]:  # fmt: skip
    """Look for the n that just reaches the target, simulating each n that is tried.

    A width falls like 1/sqrt(n); the normal quantile of a power rises like sqrt(n). Either says
    from one simulated n how much larger or smaller the next must be.
    """
    critical = resample.reach(study.level)
    least, most = study.rounded(max(20, 2 * study.cluster_size)), study.rounded(goal.largest)

    def ratio(value: float) -> float:
        if name.endswith("width"):
            return value / target
        share = np.clip(value, 0.5 / study.replications, 1 - 0.5 / study.replications)
        reached = max(stats.norm.ppf(share) + critical, 0.02)  # a power of alpha says nothing of n
        return float((stats.norm.ppf(target) + critical) / reached)

    def figure(n: int) -> tuple[float, float]:
        if n not in tables:
            bar.total += study.replications
            tables[n] = _simulate(study, n)
            bar.update(study.replications)
        return _figure(tables[n], name, goal.path, study.construct)

    n = min(tables, key=lambda size: abs(np.log(max(ratio(figure(size)[0]), 1e-6))))
    for _ in range(6):
        value, error = figure(n)
        following = min(max(study.rounded(n * max(ratio(value), 0.0) ** 2), least), most)
        near = max(0.01 * n, study.cluster_size)
        if abs(following - n) <= near or abs(value - target) <= error:  # more would chase noise
            break
        n = following
    value, error = figure(n)
    limits = sorted(n * ratio(value + sign * 1.96 * error) ** 2 for sign in (-1, 1))
    missed = value - target if name.endswith("width") else target - value
    return {"quantity": name, "target": target, "n": n, "n_low": study.rounded(limits[0]),
            "n_high": study.rounded(limits[1]),
            "value": value, "mc_error": error, "reached": missed <= 1.96 * error}  # fmt: skip


def _sentence(
    differences: pd.DataFrame, smallest: pd.DataFrame, study: _Study, language: str
) -> str:
    said = words(language)["plan"]
    label = study.drawn_from.model.label(study.construct, language)
    if not len(smallest):
        row = differences.iloc[-1]
        return str(said["found"]).format(
            construct=label, n=int(row["n"]), difference=study.difference,
            power=row["power"], error=row["power_mc_error"],
        )  # fmt: skip
    reached = smallest[smallest["reached"]]
    if not len(reached):
        return str(said["nothing"]).format(construct=label)
    each = "; ".join(
        said["each"].format(
            quantity=said["quantities"][row.quantity], target=row.target,
            n=row.n, n_low=row.n_low, n_high=row.n_high,
        )
        for row in reached.itertuples()
    )  # fmt: skip
    if reached["quantity"].str.startswith("difference").any():
        each += said["groups"]
    return str(said["needed"]).format(construct=label, each=each)
