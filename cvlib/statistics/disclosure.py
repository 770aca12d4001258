"""What a published table must not give away: small groups of people, and who a customer is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.words.message import message

Array = np.ndarray
KEY_FILE = Path("private") / "pseudonyms.key"
_LENGTHS = (8, 12, 20)  # characters of a pseudonym; more only where fewer collide


def publishable(
    table: pd.DataFrame, counts: str, smallest_cell: int, within: str | Sequence[str] = ""
) -> tuple[pd.DataFrame, int]:
    """A table without the numbers of groups smaller than a threshold.

    A row that counts at least one person and fewer than `smallest_cell` keeps its names and loses
    every number but those in the first column and in `within`, which name the row. What is blank
    must not be had from totals: in every part with a total, the blank rows count so many people
    that their sum is no small group either and leaves each of them open, or further rows, the
    smallest first, are blanked with them (complementary suppression). Where two columns have
    totals, as in a table of movements, rows and columns are solved together. Totals that are small
    themselves, or blank beside such a one, are taken to be blank where they are published.

    Parameters
    ----------
    table : DataFrame
        One row per group.
    counts : str
        Column with the number of people in each row.
    smallest_cell : int
        Fewest people a published row may describe; 0 or 1 publishes everything.
    within : str or sequence of str
        Columns whose every value has a total of its own; empty = the table has one.

    Returns
    -------
    tuple of DataFrame and int
        The table, and how many rows were blanked.

    References
    ----------
    Hundepool, A. et al. (2012). Statistical Disclosure Control. Wiley, ch. 4 (minimum frequency
    rule, secondary suppression).
    """
    columns = [within] if isinstance(within, str) else list(within)
    columns = [name for name in columns if name]
    margins = [pd.factorize(table[name].astype(str))[0] for name in columns]
    hidden = hidden_cells(table[counts].to_numpy(dtype=float), smallest_cell, margins)
    if not hidden.any():
        return table, 0
    names = {table.columns[0], *columns} - {counts}
    blank = table.copy()
    for position, name in enumerate(table.columns):
        column = table.iloc[:, position]
        numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if numbers and name not in names:
            blank.isetitem(position, column.astype(float).mask(hidden))
    return blank, int(hidden.sum())


def hidden_cells(people: Array, smallest_cell: int, margins: Sequence[Array] = ()) -> Array:
    """(cells,) True where a number of people is not published; see `publishable`.

    Parameters
    ----------
    people : ndarray (cells,)
        People in each cell. Cells of nobody are published.
    smallest_cell : int
        Fewest people a published cell may describe.
    margins : sequence of ndarray of int (cells,)
        For each kind of total, which of them the cell is part of; none = all have one total.
    """
    hidden = (people > 0) & (people < smallest_cell)
    small, parts = hidden.copy(), list(margins) or [np.zeros(len(people), dtype=int)]
    known = [_published(people, margin, smallest_cell) for margin in parts]
    while hidden.any():
        before = hidden.sum()
        for margin, totals in zip(parts, known, strict=True):
            for part in np.intersect1d(margin[hidden], np.flatnonzero(totals)):
                _complete(hidden, people, margin == part, smallest_cell)
        if hidden.sum() == before and not (
            len(parts) > 1 and _open(hidden, people, small, parts, known)
        ):
            break
    return hidden


def _published(people: Array, margin: Array, smallest_cell: int) -> Array:
    """(parts,) True where a part's total is published: small ones are blank where they stand."""
    totals = np.bincount(margin, people)
    return ~hidden_cells(totals, smallest_cell) if len(totals) > 1 else np.array([True])


def _complete(hidden: Array, people: Array, inside: Array, smallest_cell: int) -> None:
    """Hide further cells of a part, the smallest first, until its hidden ones protect each other.

    Their sum is known. It must not describe a small group itself, nor leave each no choice but 1.
    """
    while True:
        own = people[hidden & inside]
        if len(own) > 1 and own.sum() >= smallest_cell and own.sum() > len(own):
            return
        others = np.where(inside & ~hidden & (people > 0), people, np.inf)
        if not np.isfinite(others).any():
            return
        hidden[int(np.argmin(others))] = True


def _open(
    hidden: Array, people: Array, small: Array, parts: Sequence[Array], known: Sequence[Array]
) -> bool:
    """Hide one cell more where the totals of several margins still determine a small one.

    It is the smallest of the cell's own row or column, or else of those that cross them.
    """
    for cell in np.flatnonzero(small):
        low, high = possible(hidden, people, parts, int(cell), known)
        if high - low >= 1:
            continue
        near = np.any([margin == margin[cell] for margin in parts], axis=0)
        beyond = np.any([np.isin(margin, margin[near & hidden]) for margin in parts], axis=0)
        for inside in (near, beyond):
            others = np.where(inside & ~hidden & (people > 0), people, np.inf)
            if np.isfinite(others).any():
                hidden[int(np.argmin(others))] = True
                return True
    return False


def possible(
    hidden: Array,
    people: Array,
    parts: Sequence[Array],
    cell: int,
    known: Sequence[Array],
) -> tuple[int, int]:
    """Fewest and most people a hidden cell can hold, to who adds up all that is published.

    Parameters
    ----------
    hidden, people : ndarray (cells,)
        What is blank, and the true numbers.
    parts : sequence of ndarray of int (cells,)
        For each kind of total, which of them a cell is part of.
    cell : int
        Position of the hidden cell.
    known : sequence of ndarray of bool
        For each kind of total, which are published; of the others their sum is known.
    """
    from scipy.optimize import linprog

    at = np.flatnonzero(hidden)
    rows = []
    for margin, published in zip(parts, known, strict=True):
        rows += [margin[at] == part for part in np.flatnonzero(published)]
        rows.append(~published[margin[at]])
    rows = [row for row in rows if row.any()]
    totals = [people[at][row].sum() for row in rows]
    wanted = (at == cell).astype(float)
    ends = [
        linprog(sign * wanted, A_eq=np.array(rows, dtype=float), b_eq=totals, bounds=(1, None))
        for sign in (1, -1)
    ]
    return int(np.ceil(ends[0].fun - 1e-6)), int(np.floor(-ends[1].fun + 1e-6))


def unlabelled(
    people: pd.DataFrame, labels: Sequence[str], smallest_cell: int
) -> tuple[pd.DataFrame, int]:
    """A list of people without the names of small groups, which could be counted in it.

    Parameters
    ----------
    people : DataFrame
        One row per person.
    labels : sequence of str
        Columns that name a group the person belongs to.
    smallest_cell : int
        See `publishable`; the groups blanked are those it blanks in the table of their sizes.

    Returns
    -------
    tuple of DataFrame and int
        The list, and how many people lost a label.
    """
    shown, lost = people.copy(), np.zeros(len(people), dtype=bool)
    for name in labels:
        sizes = people[name].value_counts()
        small = sizes.index[hidden_cells(sizes.to_numpy(float), smallest_cell)]
        gone = people[name].isin(small).to_numpy()
        shown[name] = people[name].astype(object).where(~gone, None)
        lost |= gone
    return shown, int(lost.sum())


def pseudonyms(
    identifiers: pd.Series,
    seed: int,
    *,
    folder: str | Path = "",
    pseudonymise: bool = True,
    word: str = "customer",
) -> pd.Series:
    """Names such as ``customer-d3f91c20`` in place of identifiers: the same id, the same name.

    A name is a keyed hash of the id (BLAKE2b). It begins with a letter and equals no id of the
    data, so that nobody takes it for one. The key is the file ``private/pseudonyms.key`` of the
    run's folder or of one above it: without that file nobody can find an id from its name, not
    even by trying all ids. Where there is no such file the key is the seed, which reports print:
    names are then the same wherever the question is repeated, and keep ids out of sight, but who
    has a list of ids can compute their names.

    Parameters
    ----------
    identifiers : Series
        Ids of customers, as often as they occur; a missing one stays missing.
    seed : int
        The run's seed.
    folder : str or Path
        The run's folder; empty = no key file.
    pseudonymise : bool
        False hands the identifiers back as they are.
    word : str
        What stands before the hyphen.

    Returns
    -------
    Series
        In the order and with the index of `identifiers`.
    """
    if not pseudonymise:
        return identifiers
    key = secret(folder) or f"cvlib {seed}".encode()
    codes, ids = pd.factorize(identifiers.map(_plain, na_action="ignore"))
    names = _names([str(one) for one in ids], key, word)
    found = pd.Series(names, dtype=object).reindex(codes)
    return found.where(codes >= 0, None).set_axis(identifiers.index)


def _plain(identifier: object) -> str:
    """An id as text; 17 is 17 where a missing cell has made it 17.0."""
    whole = isinstance(identifier, float) and identifier.is_integer()
    return str(int(identifier)) if whole else str(identifier)  # type: ignore[call-overload]


def _names(ids: Sequence[str], key: bytes, word: str) -> list[str]:
    """A name for each id; longer, or of another hash, where two collide or one is an id."""
    taken = {one.casefold() for one in ids}
    own, longest = blake2b(key, digest_size=32).digest(), max(_LENGTHS)
    for attempt in itertools.count():
        salt = attempt.to_bytes(8, "big")
        # from the first letter on: eight digits could be the number of another customer
        digests = [
            blake2b(one.encode(), key=own, salt=salt).hexdigest().lstrip("0123456789")[:longest]
            for one in ids
        ]
        for length in _LENGTHS:
            tokens = [digest[:length] for digest in digests]
            names = [f"{word}-{token}" for token in tokens]
            apart = taken.isdisjoint(tokens) and taken.isdisjoint(names)
            if apart and len(set(tokens)) == len(ids):
                return names
    raise AssertionError  # count() does not end


def secret(folder: str | Path) -> bytes | None:
    """The key file's content, from a run's folder or the nearest folder above that has one.

    Raises
    ------
    InputError
        When the file holds fewer than 16 characters.
    """
    if not str(folder):
        return None
    here = Path(folder).resolve()
    file = next((path / KEY_FILE for path in (here, *here.parents) if (path / KEY_FILE).is_file()),
                None)  # fmt: skip
    if file is None:
        return None
    key = file.read_bytes().strip()
    if len(key) < 16:
        raise InputError(
            str(KEY_FILE), message("refusals.holds_fewer_than_16_characters"),
            message("refusals.write_a_long_random_text"),
        )  # fmt: skip
    return key


def pseudonym_note(folder: str | Path, pseudonymise: bool = True) -> str:
    """What a table of pseudonyms says of them; nothing where ids are shown.

    Parameters
    ----------
    folder : str or Path
        Where the key is kept; empty: nowhere.
    pseudonymise : bool
        Whether ids were replaced.

    Returns
    -------
    str
        A sentence; empty where ids are shown.

    Raises
    ------
    InputError
        A secret that is so short that it could be guessed.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.pseudonym_note("", pseudonymise=False)
    ''
    """
    if not pseudonymise:
        return ""
    keyed = secret(folder) is not None
    return message("common.pseudonyms_keyed" if keyed else "common.pseudonyms_seeded")


def listed(
    table: pd.DataFrame, names: pd.Series, by: str, *, ascending: bool = False
) -> pd.DataFrame:
    """One row per customer under the names to publish, sorted by a column and then by name.

    The order of the table, which is that of the ids, would give pseudonyms away.

    Parameters
    ----------
    table : DataFrame
        One row per customer; a column ``customer`` is replaced.
    names : Series
        Name of each customer, in the order of the table.
    by : str
        Column to sort by.
    ascending : bool
        Whether the smallest value comes first.

    Returns
    -------
    DataFrame
        customer, then the other columns.
    """
    found = table.drop(columns="customer", errors="ignore").reset_index(drop=True)
    found.insert(0, "customer", names.to_numpy())
    # one key after the other: together they take several times the memory
    found = found.sort_values("customer", ignore_index=True)
    return found.sort_values(by, ascending=ascending, kind="stable", ignore_index=True)


def key_table(identifiers: pd.Series, names: pd.Series) -> pd.DataFrame:
    """customer (the pseudonym), customer_id: for the owner of the data, never for a report."""
    pairs = pd.DataFrame({"customer": names.to_numpy(), "customer_id": identifiers.to_numpy()})
    return pairs.dropna().drop_duplicates().sort_values("customer", ignore_index=True)


def renamed(
    table: Table,
    columns: Sequence[str],
    seed: int,
    *,
    folder: str | Path = "",
    pseudonymise: bool = True,
) -> Table:
    """The table with names in place of the ids in these columns, as far as it has them.

    Parameters
    ----------
    table : Table
        As it was read.
    columns : sequence of str
        Columns of ids; the same id has the same name in all of them.
    seed, folder, pseudonymise
        As in `pseudonyms`.
    """
    changed = {
        column: pseudonyms(table.data[column], seed, folder=folder, pseudonymise=pseudonymise)
        for column in columns
        if column in table.data.columns
    }
    return replace(table, data=table.data.assign(**changed))
