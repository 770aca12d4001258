"""From firms to industries, sectors and the nation: indices added up by a table of shares."""

from __future__ import annotations

import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.satisfaction.compare.groups import Groups, spread
from cvlib.words.message import message


def read_shares(source: str) -> pd.DataFrame | None:
    """A table of shares from a file; None for an empty name.

    Parameters
    ----------
    source : str
        A file, or empty.

    Returns
    -------
    DataFrame or None
        As `aggregate` takes it.

    Raises
    ------
    InputError
        A file that is not there or cannot be read.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.read_shares("") is None
    True
    """
    return read_table(source).data if source else None


def aggregate(
    groups: Groups,
    construct: str,
    shares: pd.DataFrame | None = None,
    *,
    weights: str = "pooled",
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Weighted means of the groups' index, level by level, with intervals.

    A firm's share weighs it within its industry, an industry's within its sector, a sector's within
    the nation (ACSI: revenue, revenue, share of gross domestic product [M]). Firms are independent
    samples, so each draw is added up like the data.

    Parameters
    ----------
    groups : Groups
        One grouping column, the firm.
    construct : str
        Whose index.
    shares : DataFrame, optional
        One row per firm, columns in pairs from the bottom up: firm, firm_share, industry,
        industry_share, sector, sector_share, ... (any names; a share column's name ends in
        ``_share``). Shares are scaled to one within their parent. Without a table all firms count
        the same.
    weights : {"pooled", "own"}
        Of the items.

    Returns
    -------
    table : DataFrame
        level, name, parts (how many it is made of), index, std_error, ci_low, ci_high.
    warnings : tuple of str
        Shares that had to be scaled, and the like.

    Raises
    ------
    InputError
        Columns that do not come in pairs, a firm or share given twice, a share that is not
        positive.

    Examples
    --------
    >>> import cvlib as cv
    >>> league = cv.satisfaction.groups("simulated_brands", "ecsi_mobile", "brand", draws=0,
    ...                                 permutations=0)
    >>> table, notes = cv.satisfaction.aggregate(league.groups, "satisfaction")
    >>> table["parts"].tolist()
    [6]
    """
    values = pd.DataFrame(groups.index(construct, weights), index=groups.names)
    told: list[str] = []
    if shares is None:
        shares = pd.DataFrame({"firm": values.index, "firm_share": 1.0})
        told.append(message("satisfaction.no_shares"))
    columns = list(shares.columns)
    pairs = list(zip(columns[0::2], columns[1::2], strict=False))
    if len(columns) % 2 or any(share != f"{name}_share" for name, share in pairs):
        raise InputError(
            "shares",
            message("refusals.columns_are", names=", ".join(map(str, columns))),
            message("refusals.give_pairs_from_the_bottom"),
        )
    numbers = shares[[share for _, share in pairs]].apply(pd.to_numeric, errors="coerce")
    bad = ~(numbers > 0).all(axis=1)
    if bad.any():
        raise InputError(
            f"shares, row {shares.index[bad][0]}",
            message("refusals.a_share_is_not_a"),
            message("refusals.give_every_firm_industry_and"),
        )
    given = shares.assign(**numbers)
    given[columns[0]] = given[columns[0]].astype(str)
    absent = [name for name in given[columns[0]] if name not in values.index]
    extra = [name for name in values.index if name not in set(given[columns[0]])]
    if absent:
        told.append(message("satisfaction.shares_without_index", names=absent))
    if extra:
        told.append(message("satisfaction.without_share", names=extra))
    given = given[~given[columns[0]].isin(absent)]
    if given.empty:
        raise InputError(
            "shares",
            message("refusals.no_of_the_table_is", columns=columns[0]),
            message("refusals.groups", names=", ".join(values.index[:10])),
        )
    parts = []
    levels = [name for name, _ in pairs]
    for place, (name, share) in enumerate(pairs):
        above = levels[place + 1] if place + 1 < len(levels) else None
        own = given[[name, share, *levels[place + 1 :]]]
        own = own.drop_duplicates() if place else own
        twice = own[name][own[name].duplicated()]
        if len(twice):
            raise InputError(
                f"shares, {name} {twice.iloc[0]}",
                message("refusals.has_two_shares_or_two"),
                message("refusals.repeat_the_same_share_and"),
            )
        parent = own[above].astype(str) if above else pd.Series("(all)", index=own.index)
        mass = own[share] / own[share].groupby(parent).transform("sum")
        known = values.loc[own[name].astype(str)]
        keys = pd.Index(parent.to_numpy())
        values = known.mul(mass.to_numpy(), axis=0).groupby(keys, sort=False).sum()
        rows = spread(values.to_numpy(), groups).rename(columns={"estimate": "index"})
        rows.insert(0, "level", above or "total")
        rows.insert(1, "name", values.index)
        rows.insert(2, "parts", pd.Series(1, index=keys).groupby(level=0, sort=False).sum().values)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True), tuple(told)
