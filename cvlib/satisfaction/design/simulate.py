"""Simulated surveys of any model: latent variables, skewed answers, gaps, clusters and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.design.given import given_paths, known, value_of
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.model.higher_order import second_order_places, with_dimensions
from cvlib.satisfaction.model.model import Model
from cvlib.statistics import resample
from cvlib.words.message import message

TERMS = 120  # of the series behind `Population.moments`; the error falls like correlation^TERMS


@dataclass(frozen=True, eq=False)
class Population:
    """Whom simulated respondents are drawn from.

    The latent variables are normal with variance one and follow the paths. Behind each answer is
    ``loading * latent + error``, normal with variance one, cut into the possible answers so that
    each has its share. All constructs are reflective here, whatever their mode; a higher-order
    construct causes its dimensions.

    Attributes
    ----------
    model : Model
        Constructs, items, scales, paths.
    paths : ndarray (k, k)
        Standardised coefficients, [source, target]; of a parent on its dimensions, their loadings.
    loadings : ndarray (p,)
        Of the normal variable behind each answer.
    shares : tuple of p ndarrays
        Share of each possible answer, lowest first, high is high (recoded if need be).
    missing : ndarray (p,)
        Share of respondents who leave the item out, at random.
    cluster_correlation : float
        Share of every latent variable's variance that lies between clusters.
    """

    model: Model
    paths: np.ndarray
    loadings: np.ndarray
    shares: tuple[np.ndarray, ...]
    missing: np.ndarray
    cluster_correlation: float

    @cached_property
    def _spread(self) -> tuple[np.ndarray, np.ndarray]:
        """Total effects with ones on the diagonal (k, k), standard deviation of disturbances."""
        return _structure(self.model, self.paths)

    @property
    def construct_correlation(self) -> np.ndarray:
        """(k, k) correlations of the latent variables."""
        reach, deviation = self._spread
        scaled = reach * deviation[:, None]
        return scaled.T @ scaled

    @cached_property
    def thresholds(self) -> tuple[np.ndarray, ...]:
        """Where the normal variable behind each answer is cut."""
        return tuple(stats.norm.ppf(np.cumsum(s)[:-1].clip(0, 1)) for s in self.shares)

    def latent_mean(self, shift: Mapping[str, float] | None) -> np.ndarray:
        """(k,) means of the latent variables when constructs are raised by `shift`.

        A rise travels along the paths: a better image also raises what image acts on.
        """
        raised = np.array([(shift or {}).get(name, 0.0) for name in self.model.construct_names])
        return np.asarray(raised @ self._spread[0], dtype=float)

    def draw(
        self,
        rows: int,
        generator: np.random.Generator,
        shift: Mapping[str, float] | None = None,
        clusters: np.ndarray | None = None,
    ) -> np.ndarray:
        """Answers (rows, p), high is high, NaN where missing.

        Parameters
        ----------
        rows : int
            Respondents.
        generator : Generator
            Random numbers.
        shift : mapping of construct to float
            In standard deviations of the construct.
        clusters : ndarray of int (rows,)
            Number of each respondent's cluster.
        """
        reach, deviation = self._spread
        own = generator.standard_normal((rows, len(deviation)))
        if clusters is not None:
            common = generator.standard_normal((int(clusters.max()) + 1, len(deviation)))
            share = self.cluster_correlation
            own = np.sqrt(share) * common[clusters] + np.sqrt(1 - share) * own
        latent = (own * deviation) @ reach + self.latent_mean(shift)
        behind = generator.standard_normal((rows, len(self.loadings)))
        behind *= np.sqrt(1 - self.loadings**2)
        behind += self.loadings * latent[:, self.model.block]
        answers = np.empty_like(behind)
        for i, cuts in enumerate(self.thresholds):
            answers[:, i] = self.model.minimum[i] + np.searchsorted(cuts, behind[:, i])
        if self.missing.any():
            answers[generator.random(answers.shape) < self.missing] = np.nan
        return answers

    def mean(self, shift: Mapping[str, float] | None = None) -> np.ndarray:
        """Exact means (p,) of the answers."""
        raised = self.loadings * self.latent_mean(shift)[self.model.block]
        above = [
            stats.norm.sf(cuts - up).sum() for cuts, up in zip(self.thresholds, raised, strict=True)
        ]
        return self.model.minimum + np.array(above)

    def moments(self, shift: Mapping[str, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Exact mean (p,) and covariance (p, p) of the answers: what no sample can better.

        Cutting a normal variable into answers weakens correlations. The covariance of two cut
        variables with correlation r is the sum of r^k a_k b_k, a and b their coefficients on
        normalised Hermite polynomials (Mehler's formula). `fit_pls` of these moments gives the
        values that estimates from ever larger samples approach.

        References
        ----------
        Olsson (1979), Psychometrika 44:443-460 (the correlation behind categories); Kendall
        (1941), Biometrika 32:196-198 (the series).
        """
        raised = self.loadings * self.latent_mean(shift)[self.model.block]
        coefficients = np.zeros((TERMS, len(raised)))
        variance = np.empty(len(raised))
        for i, cuts in enumerate(self.thresholds):
            at = cuts - raised[i]
            above = stats.norm.sf(at)
            variance[i] = (above * (2 * np.arange(len(at)) + 1)).sum() - above.sum() ** 2
            at = at[np.isfinite(at)]
            density = stats.norm.pdf(at)
            before, now = np.zeros_like(at), np.ones_like(at)  # normalised Hermite polynomials
            for k in range(TERMS):
                coefficients[k, i] = (density * now).sum() / np.sqrt(k + 1)
                before, now = now, (at * now - np.sqrt(k) * before) / np.sqrt(k + 1)
        block = self.model.block
        behind = np.outer(self.loadings, self.loadings)
        behind *= self.construct_correlation[np.ix_(block, block)]
        power, covariance = np.ones_like(behind), np.zeros_like(behind)
        for term in coefficients:
            power = power * behind
            covariance += power * np.outer(term, term)
        np.fill_diagonal(covariance, variance)
        return self.mean(shift), covariance


def _structure(model: Model, paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size, model = len(paths), with_dimensions(model)
    reach = np.linalg.inv(np.eye(size) - paths)
    deviation = np.ones(size)
    correlation = np.eye(size)
    for at, j in enumerate(model.order):
        done = list(model.order[:at])
        slopes = paths[done, j]
        explained = float(slopes @ correlation[np.ix_(done, done)] @ slopes)
        if explained >= 1:
            name = model.construct_names[j]
            raise InputError(
                f"paths to {name}",
                message("refusals.explain_of_its_variance", explained=explained),
                message("refusals.standardised_paths_must_explain_less"),
            )
        deviation[j] = np.sqrt(1 - explained)
        correlation[done, j] = correlation[j, done] = correlation[np.ix_(done, done)] @ slopes
    return reach, deviation


def _default_paths(model: Model, r_squared: float) -> np.ndarray:
    """Equal standardised paths with the expected signs; ± counts as +."""
    model = with_dimensions(model)
    paths = np.zeros((len(model.constructs),) * 2)
    correlation = np.eye(len(paths))
    for source, target, sign in model.signed_paths:
        at = model.construct_names.index(source), model.construct_names.index(target)
        paths[at] = -1.0 if sign == "-" else 1.0
    for place, j in enumerate(model.order):
        signs = paths[:, j]
        if signs.any():
            paths[:, j] = signs * np.sqrt(r_squared / (signs @ correlation @ signs))
        done = list(model.order[:place])
        correlation[done, j] = correlation[j, done] = (correlation @ paths[:, j])[done]
    return paths


def answer_shares(
    minimum: float, maximum: float, mean: float, standard_deviation: float
) -> np.ndarray:
    """Shares of the answers minimum, minimum + 1, ..., maximum with a given mean and spread.

    A beta distribution cut into equal pieces: a mean above the middle is skewed to the left, as
    ratings are. With two possible answers the mean decides alone.

    Raises
    ------
    InputError
        No such distribution has this mean and standard deviation.
    """
    count = round(maximum - minimum) + 1
    where = f"answers from {minimum:g} to {maximum:g}"
    told = f"cannot have mean {mean:g} and standard deviation {standard_deviation:g}"
    if not minimum < mean < maximum or standard_deviation <= 0:
        raise InputError(where, told, message("refusals.choose_a_mean_inside_the"))
    if count == 2:
        return np.array([maximum - mean, mean - minimum])
    edges, answers = np.linspace(0, 1, count + 1), minimum + np.arange(count)

    def shares(at: np.ndarray) -> np.ndarray:
        return np.diff(stats.beta.cdf(edges, *np.exp(at.clip(-6, 8))))

    def misses(at: np.ndarray) -> np.ndarray:
        share = shares(at)
        centre = share @ answers
        return np.array([centre - mean, share @ (answers - centre) ** 2 - standard_deviation**2])

    middle = (mean - minimum + 0.5) / count
    precision = max(middle * (1 - middle) * (count / standard_deviation) ** 2 - 1, 0.1)
    start = np.log([middle * precision, (1 - middle) * precision])
    found = optimize.least_squares(misses, start, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    if np.abs(found.fun).max() > 1e-8 * (maximum - minimum):
        raise InputError(where, told, message("refusals.choose_a_smaller_spread_or"))
    return shares(found.x)


def population(
    model: Model | str | Path,
    *,
    paths: pd.DataFrame | Mapping[str, Mapping[str, float]] | None = None,
    r_squared: float = 0.5,
    loadings: pd.DataFrame | Mapping[str, float] | float = 0.8,
    answers: pd.DataFrame | None = None,
    mean: float | Mapping[str, float] = 0.72,
    standard_deviation: float = 0.2,
    missing: float | Mapping[str, float] = 0.0,
    cluster_correlation: float = 0.0,
) -> Population:
    """Describe a population of respondents by a model and its parameters.

    Parameters
    ----------
    model : Model, name or path
        Any model; a construct of mode B is simulated as reflective.
    paths : DataFrame or mapping of source to target to float, optional
        Standardised. A table has source, target, estimate, as `path_coefficients` of a result.
        Without paths every construct's causes have equal ones of the expected signs (± as +) that
        explain `r_squared` of it.
    r_squared : float
        Used without `paths`; 0.5 is our proposal [P].
    loadings : DataFrame, mapping of item to float, or float
        A table has item, loading, as `loadings` of a result. One number is for all items but
        single ones, which are their construct; 0.8 is our proposal [P]. Dimensions of a
        higher-order construct are given as its items.
    answers : DataFrame, optional
        A survey whose shares of answers are taken over, item by item.
    mean, standard_deviation : float
        Used without `answers`: as a share of the scale, high is high; `mean` may be given by item.
        0.72 and 0.2 are near the mobile phone survey's 0.72 and 0.21. An item with two
        possible answers not given has mean 0.2 [P].
    missing : float or mapping of item to float
        Share of missing answers, at random.
    cluster_correlation : float
        Intraclass correlation of the latent variables.

    Returns
    -------
    Population
        What `simulate` and `plan` draw from.

    Raises
    ------
    InputError
        Parameters that name something else than the model, or that no population can have.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.population("acsi").model.name
    'acsi'
    """
    chosen = model if isinstance(model, Model) else load_model(model)
    if chosen.moderations or chosen.group:
        raise InputError(f"model {chosen.name}", message("refusals.an_interaction_or_a_group"),
                         message("refusals.give_the_market_environment_the"))  # fmt: skip
    for name, value, top in (("r_squared", r_squared, 1), ("cluster_correlation",
                             cluster_correlation, 1)):  # fmt: skip
        number(name, value, 0, top, ends="[)")
    coefficients = (
        _default_paths(chosen, r_squared) if paths is None else given_paths(chosen, paths)
    )
    above = second_order_places(chosen)
    below = [chosen.construct_names[d] for _, d in above]
    if isinstance(loadings, float | int):
        second = dict.fromkeys(below, float(loadings))
        alone = np.array([len(chosen.constructs[j].items) == 1 for j in chosen.block])
        strength = np.where(alone, 1.0, float(loadings))
    else:
        if isinstance(loadings, pd.DataFrame):
            loadings = dict(zip(loadings["item"], loadings["loading"], strict=True))
        second = {name: value_of(loadings, name, "loadings") for name in below}
        known(chosen, {n: v for n, v in loadings.items() if n not in second}, "loadings")
        strength = np.array([value_of(loadings, name, "loadings") for name in chosen.items])
    for (parent, dimension), name in zip(above, below, strict=True):
        coefficients[parent, dimension] = second[name]
    if (np.abs([*strength, *second.values()]) > 1).any():
        raise InputError("loadings", message("refusals.one_is_above_in_size"),
                         message("refusals.give_standardised_loadings"))  # fmt: skip
    gaps = missing if isinstance(missing, Mapping) else dict.fromkeys(chosen.items, missing)
    known(chosen, gaps, "missing")
    gap = np.array([gaps.get(name, 0.0) for name in chosen.items])
    if (gap < 0).any() or (gap >= 1).any():
        raise InputError("missing", message("refusals.a_share_is_not_between"),
                         message("refusals.write_02_for_per_cent"))  # fmt: skip
    if isinstance(mean, Mapping):
        known(chosen, mean, "mean")
    shares = tuple(
        _observed(answers, chosen, i) if answers is not None
        else _assumed(chosen, i, mean, standard_deviation)
        for i in range(len(chosen.items))
    )  # fmt: skip
    _structure(chosen, coefficients)
    return Population(chosen, coefficients, strength, shares, gap, cluster_correlation)


def _observed(answers: pd.DataFrame, model: Model, i: int) -> np.ndarray:
    item = model.item_list[i]
    if item.column not in answers:
        raise InputError(
            f"answers, {item.column}", message("refusals.is_not_a_column"),
            message("refusals.give_all_items_columns"),
        )  # fmt: skip
    steps = answers[item.column].to_numpy(dtype=float) - item.minimum
    steps = steps[~np.isnan(steps) & ~np.isin(steps + item.minimum, item.missing_codes)]
    if (steps % 1).any() or (steps < 0).any() or (steps > item.maximum - item.minimum).any():
        raise InputError(f"answers, {item.column}", message("refusals.an_answer_is_not_a"),
                         message("refusals.answers_are_the_lowest_possible"))  # fmt: skip
    if not len(steps):
        raise InputError(
            f"answers, {item.column}", message("refusals.has_no_answers"),
            message("refusals.give_a_column_with_some"),
        )  # fmt: skip
    share = np.bincount(steps.astype(int), minlength=round(item.maximum - item.minimum) + 1)
    return (share[::-1] if item.direction == "-" else share) / len(steps)


def _assumed(
    model: Model, i: int, mean: float | Mapping[str, float], deviation: float
) -> np.ndarray:
    item = model.item_list[i]
    span = item.maximum - item.minimum
    if span % 1:
        raise InputError(f"item {item.name}", message("refusals.its_scale_is_not_a"),
                         message("refusals.simulate_items_with_whole_number"))  # fmt: skip
    usual = 0.2 if span == 1 else 0.72
    centre = mean.get(item.name, usual) if isinstance(mean, Mapping) else mean
    if span == 1 and not isinstance(mean, Mapping):
        centre = usual
    return answer_shares(item.minimum, item.maximum, item.minimum + centre * span, deviation * span)


def simulate_survey(
    drawn_from: Population,
    respondents: int | Sequence[int],
    *,
    seed: int,
    groups: pd.DataFrame | None = None,
    cluster_size: int | None = None,
) -> pd.DataFrame:
    """Draw a survey.

    Parameters
    ----------
    drawn_from : Population
        From `population`.
    respondents : int or sequence of int
        In every group, or group by group.
    seed : int
        Of numpy's default generator.
    groups : DataFrame, optional
        One row per group. Columns with the name of a construct raise it by so many of its standard
        deviations (a rise travels along the paths); the others are labels, copied to the survey.
    cluster_size : int, optional
        Respondents per cluster, within groups; adds the column `cluster`.

    Returns
    -------
    DataFrame
        Labels, cluster, then the items' columns; items with direction - as respondents answer
        them. Whole numbers where no answer is missing.

    Raises
    ------
    InputError
        Numbers of respondents that do not fit the groups, or a cluster size without correlation.

    Examples
    --------
    >>> import cvlib as cv
    >>> people = cv.satisfaction.population("acsi")
    >>> len(cv.satisfaction.simulate(people, 50, seed=1))
    50
    """
    model = drawn_from.model
    table = pd.DataFrame(index=[0]) if groups is None else groups
    sizes = [respondents] * len(table) if isinstance(respondents, int) else list(respondents)
    if len(sizes) != len(table) or min(sizes, default=0) < 1:
        raise InputError(
            "respondents", message("refusals.for_groups", respondents=respondents, n=len(table)),
            message("refusals.give_one_number_above_zero"),
        )  # fmt: skip
    if (cluster_size is None) != (drawn_from.cluster_correlation == 0):
        raise InputError("cluster_size", message("refusals.goes_with_a_cluster_correlation"),
                         message("refusals.give_both_or_neither"))  # fmt: skip
    raised = [name for name in table.columns if name in model.construct_names]
    labels = [name for name in table.columns if name not in raised]
    generator = resample.generator(seed)
    parts = []
    last = 0
    for size, (_, group) in zip(sizes, table.iterrows(), strict=True):
        clusters = None if cluster_size is None else np.arange(size) // cluster_size
        values = drawn_from.draw(size, generator, group[raised].astype(float).to_dict(), clusters)
        turned = model.minimum + model.maximum - values
        values = np.where(model.reversed_items, turned, values)
        part = pd.DataFrame(values, columns=list(model.columns))
        if clusters is not None:
            part.insert(0, "cluster", clusters + last)
            last += int(clusters.max()) + 1
        for label in reversed(labels):
            part.insert(0, label, group[label])
        parts.append(part)
    survey = pd.concat(parts, ignore_index=True)
    whole = [name for name in model.columns if survey[name].notna().all()]
    return survey.astype(dict.fromkeys(whole, "int64"))
