"""The data sets cvlib knows by name: what they are, where they are, and whether they are intact."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvlib.inputs.choices import one_of
from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.shipped import shipped_folder
from cvlib.words.message import message

if TYPE_CHECKING:
    import pandas as pd

MIRROR = "CVLIB_DATA_MIRROR"
SHIPPED = shipped_folder("data")


@dataclass(frozen=True)
class ReadOptions:
    """What `read_table` must be told about a file that does not say it itself."""

    separator: str | None = None
    columns: list[str] | None = None
    dates: dict[str, str] | None = None

    def given(self) -> dict[str, Any]:
        """What is said, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue (catalogue.yaml says what each field means)."""

    title: dict[str, str]
    kind: str
    file: str
    sha256: str
    rows: int
    shipped: bool
    source: str
    checked: str
    licence: str
    citation: str
    simulated: bool = False
    address: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    dates: dict[str, str | int | list[str]] = field(default_factory=dict)


@cache
def entries() -> dict[str, Entry]:
    """Read the catalogue: data set name to entry."""
    content = Source(Path(__file__).with_name("catalogue.yaml")).content
    return {
        name: Entry(**{**entry, "read": ReadOptions(**entry.get("read", {}))})
        for name, entry in content.items()
    }


def entry(name: str) -> Entry:
    """Look up one entry of the catalogue by its name."""
    wrong = message("refusals.is_not_in_the_catalogue")
    return entries()[one_of("data set", name, entries(), wrong=wrong)]


def simulated(data: str | Path) -> bool:
    """Whether a name or file is a data set of the catalogue in which nobody is real."""
    if str(data) in entries():
        return entries()[str(data)].simulated
    path = Path(data).expanduser()
    return path.is_file() and invented(sha256(path))


def invented(digest: str) -> bool:
    """Whether a SHA-256 is that of a data set of the catalogue in which nobody is real."""
    return any(item.simulated and item.sha256 == digest for item in entries().values())


def shipped(digest: str) -> bool:
    """Whether a SHA-256 is that of a data set of the catalogue."""
    return bool(digest) and any(item.sha256 == digest for item in entries().values())


def demonstrations(inputs: Mapping[str, Any]) -> list[str]:
    """The inputs that are simulated data sets of the catalogue beside others that are not.

    They count as not given: a report on one's own data tells of nothing that was not given.

    Parameters
    ----------
    inputs : mapping of str to str, Path, DataFrame or Table
        By parameter; blank ones are not given.
    """
    given = {
        name: data for name, data in inputs.items() if not isinstance(data, str) or data.strip()
    }
    made = [name for name, data in given.items() if _is_simulated(data)]
    return made if len(made) < len(given) else []


def _is_simulated(data: Any) -> bool:
    if isinstance(data, str | Path):
        return simulated(data)
    return invented(getattr(data, "sha256", ""))


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Say where fetched files are kept: the user's cache folder."""
    import pooch

    return Path(pooch.os_cache("cvlib"))


def _places(item: Entry) -> dict[str, Path]:
    """The places a data set may be, the one to prefer first."""
    if item.shipped:
        return {"shipped": SHIPPED / item.file}
    places = {"cache": cache_folder() / item.file}
    if os.environ.get(MIRROR):
        places = {"mirror": Path(os.environ[MIRROR]) / item.file, **places}
    return places


def _intact(path: Path, item: Entry, where: str) -> Path:
    found = sha256(path)
    if found != item.sha256:
        raise InputError(
            str(path),
            message(
                "refusals.is_not_the_catalogue_file", found=found[:16], sha256=item.sha256[:16]
            ),
            message("refusals.restore_it_from_version_control")
            if where == "shipped"
            else message("refusals.delete_it_and_fetch_again"),
        )
    return path


def fetch(name: str) -> Path:
    """Bring a data set here and check that it is the catalogue's file.

    Shipped files come with the package. Others come from the folder named by the environment
    variable ``CVLIB_DATA_MIRROR``, from the user's cache, or else from their public address; with a
    mirror set, nothing is downloaded.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    Path
        The file, its SHA-256 checked.

    Raises
    ------
    InputError
        Unknown name, a file that is not the catalogue's, a failed download.
    """
    item = entry(name)
    for where, path in _places(item).items():
        if path.is_file():
            return _intact(path, item, where)
    if item.shipped:
        raise InputError(
            f"data set {name!r}",
            message("refusals.should_be_where_there_is", value=SHIPPED / item.file),
            message("refusals.install_cvlib_again_or_give"),
        )
    if mirror := os.environ.get(MIRROR):
        raise InputError(
            f"data set {name!r}",
            message("refusals.is_not_in_the_mirror", file=item.file, mirror=mirror),
            message("refusals.put_it_there_or_unset", mirror=MIRROR),
        )
    if not item.address:
        raise InputError(
            f"data set {name!r}",
            message("refusals.has_no_address_to_be"),
            message(
                "refusals.put_in_a_folder_and", file=item.file, mirror=MIRROR, source=item.source
            ),
        )
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(item.address, f"sha256:{item.sha256}", fname=item.file, path=cache_folder())
    except (
        OSError,
        ValueError,
    ) as error:  # requests' errors are OSErrors; a wrong hash a ValueError
        reason = str(error).splitlines()[0]
        raise InputError(
            f"data set {name!r}",
            message("refusals.could_not_be_fetched_from", address=item.address, reason=reason),
            message("refusals.try_again_or_put_in", file=item.file, mirror=MIRROR),
        ) from error
    return _intact(cache_folder() / item.file, item, "cache")


def catalogue(language: str = "en") -> pd.DataFrame:
    """List the data sets: name, title, kind, rows, shipped, source, licence, citation."""
    import pandas as pd

    columns = ["kind", "rows", "shipped", "source", "address", "licence", "citation", "checked"]
    columns += ["file", "sha256"]
    return pd.DataFrame(
        {
            "name": name,
            "title": item.title.get(language, item.title["en"]),
            **{column: getattr(item, column) for column in columns},
        }
        for name, item in entries().items()
    )


def check() -> pd.DataFrame:
    """Check every data set that is on this machine, without using the network.

    Returns
    -------
    DataFrame
        name, where (shipped, mirror, cache or empty), path, status (``ok``, ``wrong hash``,
        ``not fetched``).
    """
    import pandas as pd

    rows = []
    for name, item in entries().items():
        found = [(where, path) for where, path in _places(item).items() if path.is_file()]
        where, path = found[0] if found else ("", "")
        status = "missing" if item.shipped else "not fetched"
        if found:
            status = "ok" if sha256(found[0][1]) == item.sha256 else "wrong hash"
        rows.append({"name": name, "where": where, "path": str(path), "status": status})
    return pd.DataFrame(rows)


def resolve(name_or_path: str | Path) -> Path:
    """Find the file behind a catalogue name or a path.

    A name that is neither shipped, in the mirror nor in the cache is downloaded: naming it is
    asking for it.

    Raises
    ------
    InputError
        When there is no such file, with the nearest catalogue name.
    """
    text = str(name_or_path)
    if text in entries():
        return fetch(text)
    path = Path(text).expanduser()
    if path.is_file():
        return path
    if not text.strip():
        wrong = "no data set or file is named"
    elif path.is_dir():
        wrong = "is a folder, not a file"
    else:
        wrong = message("refusals.no_such_file_or_data_set", folder=str(Path.cwd()))
    stem = Path(text).stem
    raise InputError(
        text or "data",
        wrong,
        message("refusals.give_the_path_of_a_table_or", hint=nearest(stem, list(entries()))),
    )


def files(data: str | Path | Sequence[str | Path]) -> list[Path]:
    """Find the files behind a name, a path, a pattern such as ``orders_*.csv``, or several."""
    if isinstance(data, (str, Path)):
        folder, pattern = Path(data).expanduser().parent, Path(data).name
        if set("*?[") & set(pattern) and not Path(data).is_file():
            found = sorted(folder.glob(pattern))
            if not found:
                raise InputError(
                    str(data),
                    message("refusals.no_file_fits_this_pattern"),
                    message("refusals.check_the_folder"),
                )
            return found
        return [resolve(data)]
    if not data:
        raise InputError(
            "data", message("refusals.no_data_set_or_file_is_named"), message("refusals.name_one")
        )
    return [path for each in data for path in files(each)]
