"""How far two weightings, rankings or gradings agree."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import jensenshannon

from cvlib.inputs.errors import InputError
from cvlib.statistics import resample
from cvlib.statistics.ranks import Order, kendall_tau, mid_ranks, overlap
from cvlib.words.message import Message, message

_SAME = 1 - 1e-12  # a τ-b above it: the same order, ties included
TENTHS_FROM = 50  # customers, of whom a tenth is five people; fewer have no best tenth to speak of


def rank_agreement(scores: pd.DataFrame, *, top: float = 0.1) -> pd.DataFrame:
    """Agreement of every pair of rankings.

    Parameters
    ----------
    scores : pandas.DataFrame, customers (or indicators) by methods
        What is ranked; higher is better.
    top : float
        Share of the ranked that counts as the top; the last one in part.

    Returns
    -------
    pandas.DataFrame
        a, b, kendall_tau_b, spearman, ws (b seen from the reference a), top_k_overlap, rbo. A
        ranking with one value only has no correlation (NaN).

    Raises
    ------
    InputError
        A score that is missing.

    References
    ----------
    Kendall (1945); Sałabun & Urbaniak (2020) (WS); Webber, Moffat & Zobel (2010), ACM TOIS 28,
    20 (RBO).

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> scores = pd.DataFrame({"first": [9, 5, 1], "second": [8, 1, 6]})
    >>> cv.weighting.rank_agreement(scores)["spearman"].round(1).tolist()
    [0.5]
    """
    if scores.isna().to_numpy().any():
        raise InputError(
            "agreement",
            message("refusals.a_score_is_missing"),
            message("refusals.give_complete_scores"),
        )
    rank = {name: mid_ranks(scores[name]) for name in scores.columns}
    order = {name: Order.of(scores[name], decimals=12) for name in scores.columns}
    rows = []
    for a, b in combinations(scores.columns, 2):
        varies = np.ptp(rank[a]) > 0 and np.ptp(rank[b]) > 0
        tau = kendall_tau(rank[a], rank[b])
        rho = np.corrcoef(rank[a], rank[b])[0, 1] if varies else np.nan
        common = overlap(order[a], order[b], top)
        rbo = rank_biased_overlap(rank[a], rank[b])
        rows.append((a, b, tau, rho, ws(rank[a], rank[b]), common, rbo))
    columns = ["a", "b", "kendall_tau_b", "spearman", "ws", "top_k_overlap", "rbo"]
    return pd.DataFrame(rows, columns=columns)


def most_apart(pairs: pd.DataFrame) -> pd.Series | None:
    """The row of `rank_agreement` whose rankings differ most; nothing where no two rank."""
    known = pairs.dropna(subset=["kendall_tau_b"])
    return None if known.empty else known.loc[known["kendall_tau_b"].idxmin()]


def methods_verdict(pairs: pd.DataFrame) -> tuple[float, Message]:
    """Which of all pairs of rankings differ most, in a sentence.

    Parameters
    ----------
    pairs : pandas.DataFrame
        From `rank_agreement`.

    Returns
    -------
    tuple
        Their Kendall τ-b (NaN where no two methods rank), and the sentence.
    """
    worst = most_apart(pairs)
    if worst is None:
        return float("nan"), message("weighting.methods_incomparable")
    tau = float(worst["kendall_tau_b"])
    if tau > _SAME:
        return tau, methods_shared(pairs)
    known = pairs["kendall_tau_b"].notna().sum()
    facts = {"tau": tau, "overlap": worst["top_k_overlap"], "pairs": known}
    return tau, message("weighting.methods_differ", a=worst["a"], b=worst["b"], **facts)


def methods_shared(pairs: pd.DataFrame, customers: int = TENTHS_FROM) -> Message:
    """Whether all methods rank alike, or how much the two furthest apart share at the top.

    Parameters
    ----------
    pairs : pandas.DataFrame
        From `rank_agreement`.
    customers : int
        How many are ranked: of fewer than `TENTHS_FROM` the best tenth is hardly anybody, and the
        whole order is judged.

    Returns
    -------
    Message
    """
    worst = most_apart(pairs)
    if worst is None:
        return message("weighting.methods_incomparable")
    known = pairs[pairs["kendall_tau_b"].notna()]
    methods = len({*known["a"], *known["b"]})
    if worst["kendall_tau_b"] > _SAME:
        return message("weighting.methods_alike", methods=methods)
    if customers < TENTHS_FROM:
        return message("weighting.methods_order", a=worst["a"], b=worst["b"], methods=methods,
                       customers=customers, tau=worst["kendall_tau_b"])  # fmt: skip
    return message("weighting.methods_share", a=worst["a"], b=worst["b"],
                   overlap=worst["top_k_overlap"], methods=methods)  # fmt: skip


def kappa_verdict(first: str, second: str, kappa: float) -> Message:
    """How far two weightings grade customers alike, in a sentence."""
    return message("weighting.kappa", a=first, b=second, kappa=kappa)


def pair_to_compare(weights: pd.DataFrame, first: str, second: str) -> tuple[str, str]:
    """Two weightings to look at side by side: those asked for, or the nearest to them there are.

    Parameters
    ----------
    weights : pandas.DataFrame
        Tidy weights of several methods.
    first, second : str
        Names of the weightings asked for; in place of one that is not there stands the equal
        weighting (the first), or the first of the others (the second).

    Returns
    -------
    tuple of str
    """
    known = list(dict.fromkeys(weights["method"]))
    one = first if first in known else "equal"
    others = [name for name in known if name != one] or known
    return one, second if second in others else others[0]


def agreement(weights: pd.DataFrame, scores: pd.DataFrame, *, top: float = 0.1) -> pd.DataFrame:
    """Agreement of every pair of weightings: of their rankings, and of the weights themselves.

    Parameters
    ----------
    weights : pandas.DataFrame, indicators by methods
        Weights that sum to 1 in each column.
    scores : pandas.DataFrame, customers by the same methods
        What is ranked; higher is better.
    top : float
        See `rank_agreement`.

    Returns
    -------
    pandas.DataFrame
        The columns of `rank_agreement`, and of the weights js_distance (base 2, 0 to 1),
        aitchison (infinite where only one of the two gives an indicator weight 0) and
        max_weight_difference.

    Raises
    ------
    InputError
        No weights for a method, or a score that is missing.

    References
    ----------
    Lin (1991), IEEE Transactions on Information Theory 37, 145 (Jensen–Shannon); Aitchison
    (1986), The Statistical Analysis of Compositional Data.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> scores = pd.DataFrame({"first": [9, 5, 1], "second": [8, 1, 6]})
    >>> weights = pd.DataFrame({"first": [0.7, 0.3], "second": [0.5, 0.5]}, index=["a", "b"])
    >>> cv.weighting.agreement(weights, scores)["max_weight_difference"].round(1).tolist()
    [0.2]
    """
    missing = [str(name) for name in scores.columns if name not in weights.columns]
    if missing:
        raise InputError(
            "agreement",
            message("refusals.no_weights_for", missing=missing[0]),
            message("refusals.give_them"),
        )
    table = rank_agreement(scores, top=top)
    pairs = [
        (weights[a].to_numpy(float), weights[b].to_numpy(float))
        for a, b in zip(table["a"], table["b"], strict=True)
    ]
    table["aitchison"] = [aitchison_distance(p, q) for p, q in pairs]
    table["max_weight_difference"] = [float(np.abs(p - q).max()) for p, q in pairs]
    table.insert(5, "js_distance", [float(jensenshannon(p, q, base=2)) for p, q in pairs])
    return table


def ws(reference: np.ndarray, other: np.ndarray) -> float:
    """WS coefficient of two rankings (1 the best): top-heavy and not symmetric.

    Parameters
    ----------
    reference, other : ndarray of ranks
        The reference carries the weights 2^−rank.

    Returns
    -------
    float
        1 − Σ 2^(−R) abs(R − Q) / max(R − 1, N − R).

    References
    ----------
    Sałabun & Urbaniak (2020), ICCS, LNCS 12138, eq. 10 [M].
    """
    r, q = np.asarray(reference, float), np.asarray(other, float)
    furthest = np.maximum(np.abs(1 - r), np.abs(len(r) - r))
    scaled = np.divide(np.abs(r - q), furthest, out=np.zeros_like(r), where=furthest > 0)
    return float(1 - (np.exp2(-r) * scaled).sum())


def rank_biased_overlap(
    rank_a: np.ndarray, rank_b: np.ndarray, p: float = 0.98, depth: int = 1000
) -> float:
    """Extrapolated rank-biased overlap of two rankings of the same customers.

    Parameters
    ----------
    rank_a, rank_b : ndarray of ranks
        Ties keep the table's order.
    p : float
        Persistence: the first 1/(1 − p) places carry about 86 per cent of the weight.
    depth : int
        How far down to look.

    Returns
    -------
    float
        RBO_ext of Webber, Moffat & Zobel (2010), eq. 30.
    """
    n = min(depth, len(rank_a))
    place = np.empty((2, len(rank_a)), dtype=int)
    for row, rank in zip(place, (rank_a, rank_b), strict=True):
        row[np.argsort(rank, kind="stable")] = np.arange(len(rank_a))
    # A customer is common to both lists from the later of its two places on.
    common = np.bincount(place.max(axis=0), minlength=n)[:n].cumsum()
    d = np.arange(1, n + 1)
    share = common / d
    return float(share[-1] * p**n + (1 - p) / p * (share * p**d).sum())


def aitchison_distance(p: np.ndarray, q: np.ndarray) -> float:
    """Distance of the centred log-ratios of two weightings (indicators with weight in either)."""
    used = (p > 0) | (q > 0)
    if ((p[used] == 0) | (q[used] == 0)).any():
        return float("inf")
    ratio = np.log(p[used] / q[used])
    return float(np.sqrt(((ratio - ratio.mean()) ** 2).sum()))


def kendall_w(scores: pd.DataFrame) -> pd.DataFrame:
    """Kendall's coefficient of concordance of several rankings, corrected for ties.

    Parameters
    ----------
    scores : pandas.DataFrame, customers by methods
        Higher is better.

    Returns
    -------
    pandas.DataFrame
        measure, value: w, chi2 = k (n − 1) W, df, p.

    References
    ----------
    Kendall & Babington Smith (1939); Siegel & Castellan (1988).

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> scores = pd.DataFrame({"first": [9, 5, 1], "second": [8, 1, 6]})
    >>> cv.weighting.kendall_w(scores)["measure"].tolist()
    ['w', 'chi2', 'df', 'p']
    """
    rank = np.column_stack([mid_ranks(scores[name]) for name in scores.columns])
    n, k = rank.shape
    s = ((rank.sum(axis=1) - k * (n + 1) / 2) ** 2).sum()
    ties = sum(
        float((count.astype(float) ** 3 - count).sum())
        for count in (np.unique(column, return_counts=True)[1] for column in rank.T)
    )
    room = k**2 * (float(n) ** 3 - n) - k * ties
    w = 12 * s / room if room > 0 else np.nan
    chi2 = k * (n - 1) * w
    values = [w, chi2, n - 1, stats.chi2.sf(chi2, n - 1)]
    return pd.DataFrame({"measure": ["w", "chi2", "df", "p"], "value": values})


def grade_migration(a: pd.Series, b: pd.Series) -> tuple[pd.DataFrame, float]:
    """Customers by grade under two weightings, and Cohen's κ with quadratic weights.

    Parameters
    ----------
    a, b : pandas.Series
        Ordered categorical grades of the same customers.

    Returns
    -------
    tuple
        Table grade_a, grade_b, customers, share (every pair of grades) and weighted κ (NaN
        where all customers share one grade).

    References
    ----------
    Cohen (1968), Psychological Bulletin 70, 213.
    """
    grades = list(a.cat.categories)
    if list(b.cat.categories) != grades or not a.index.equals(b.index):
        raise InputError("grade migration", message("refusals.the_gradings_differ_in_grades"), "")
    size = len(grades)
    cell = a.cat.codes.to_numpy() * size + b.cat.codes.to_numpy()
    table = np.bincount(cell, minlength=size**2).reshape(size, size)
    kappa = float("nan")
    if len(set(a.cat.codes) | set(b.cat.codes)) > 1:
        from statsmodels.stats.inter_rater import cohens_kappa

        kappa = float(cohens_kappa(table, wt="quadratic", return_results=False))
    return pd.DataFrame(
        {
            "grade_a": np.repeat(grades, size),
            "grade_b": np.tile(grades, size),
            "customers": table.ravel(),
            "share": table.ravel() / len(a),
        }
    ), kappa


def rank_reversals(
    values: pd.DataFrame,
    score: Callable[[pd.DataFrame], np.ndarray],
    *,
    leavers: int = 50,
    seed: int = resample.SEED,
) -> pd.DataFrame:
    """Pairs of staying customers whose order turns when one customer leaves or is doubled.

    Parameters
    ----------
    values : pandas.DataFrame, customers by indicators
        Passed without one row, or with one row twice, to `score`.
    score : callable
        Scores of the customers in a table; higher is better.
    leavers : int
        Customers tried: those who hold a bound of a column first, then some at random.
    seed : int
        Seed of the random ones.

    Returns
    -------
    pandas.DataFrame
        customer, event ("leaves", "copied"), reversed_pairs, share (of all staying pairs).

    References
    ----------
    Wang & Triantaphyllou (2008), Omega 36, 45.
    """
    array = values.to_numpy()
    extreme = np.unique([array.argmin(axis=0), array.argmax(axis=0)])
    others = np.setdiff1d(np.arange(len(values)), extreme)
    extra = min(max(leavers - len(extreme), 0), len(others))
    chosen = np.append(extreme[:leavers], resample.generator(seed).permutation(others)[:extra])
    before = np.round(score(values), 12)
    rows = []
    for i in chosen:
        stay = np.arange(len(values)) != i
        # one table after the other: large ones need not be there at the same time
        for event in ("leaves", "copied"):
            if event == "leaves":
                after = score(values[stay])
            else:
                after = score(pd.concat([values, values.iloc[[i]]]))[:-1][stay]
            turned = discordant_pairs(before[stay], np.round(after, 12))
            pairs = stay.sum() * (stay.sum() - 1) / 2
            rows.append((values.index[i], event, turned, turned / pairs))
    return pd.DataFrame(rows, columns=["customer", "event", "reversed_pairs", "share"])


def discordant_pairs(x: np.ndarray, y: np.ndarray) -> int:
    """Pairs ordered one way by x and the other way by y; ties in either do not count."""
    n = len(x)
    if np.array_equal(x, y):
        return 0
    places, in_order = (np.unique(v, return_inverse=True)[1] for v in (x, y))
    cell = places * n + in_order
    tied = [np.unique(v, return_counts=True)[1] for v in (places, in_order, cell)]
    in_x, in_y, in_both = (float((c.astype(float) * (c - 1)).sum() / 2) for c in tied)
    pairs = n * (n - 1) / 2
    if in_x == pairs or in_y == pairs:
        return 0
    # tau-b = (C − D) / sqrt(...), and C + D = pairs − tied in x − tied in y + tied in both.
    tau = stats.kendalltau(places, in_order).statistic
    difference = tau * np.sqrt((pairs - in_x) * (pairs - in_y))
    return int(np.rint((pairs - in_x - in_y + in_both - difference) / 2))
