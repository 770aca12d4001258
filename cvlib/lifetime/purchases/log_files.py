"""Files of transactions checked and brought to one form by DuckDB, as `check_transactions` does."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs import text
from cvlib.inputs.checks import column_of
from cvlib.inputs.contracts import mixed_currencies, role_column, stray_dates
from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError
from cvlib.inputs.formats import unique_names
from cvlib.inputs.readers import Table

# Different ways of writing a date that are read one by one; ISO dates need no such list.
_SPELLINGS = 200_000
_BLANKS = " \t\r\n\u00a0\u3000"
# What the reader of tables takes for a missing cell, too.
_MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
_ISO = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = {*_WHOLE, *(f"U{kind}" for kind in _WHOLE), "FLOAT", "DOUBLE", "DECIMAL"}


class _Spellings(Table):
    """Different cells of a column, whose places in the file are not known."""

    def place(self, column: str, row: int | None = None) -> str:
        return f"{self.source}, column {column}"


@dataclass
class LogFiles:
    """The steps from files to one Parquet file: open, check, write, look at what was written."""

    connection: Any
    name: str
    parquet: bool
    notes: list[str]

    def open(self, paths: list[Path], columns: dict[str, str], cells: Path) -> None:
        """Make the view ``cells``: file, customer, date, amount, currency, row (a hash)."""
        sources = [self._parquet(path) if self.parquet else self._text(path) for path in paths]
        first = sources[0][1]
        for path, (_, names) in zip(paths, sources, strict=True):
            for column in set(first) ^ set(names):
                lacks = paths[0].name if column in names else path.name
                raise InputError(
                    f"{lacks}, column {column}",
                    "there is no such column, another file has it",
                    "Give all files the same columns.",
                )
        head = Table(pd.DataFrame(columns=first), source=self.name)
        usual = {"customer": "customer_id"}
        self.columns = {
            role: role_column(head, usual.get(role, role), column, self.notes)
            for role, column in columns.items()
        }
        for column in set(self.columns.values()) - set(first):
            column_of(head, column)  # raises, with the nearest name
        money = role_column(head, "currency", "currency", [])
        if money in first:
            self.columns["currency"] = money
        needed = ", ".join(f"{_column(column)} AS {role}" for role, column in self.columns.items())
        every = ", ".join(map(_column, first))
        filled = " OR ".join(f"{_column(column)} IS NOT NULL" for column in first)
        rows = " UNION ALL ".join(
            f"SELECT {number} AS file, {needed}, hash({every}) AS row FROM {source} WHERE {filled}"
            for number, (source, _) in enumerate(sources)
        )
        if not self.parquet:  # text is read once only
            self.connection.execute(f"COPY ({rows}) TO {quoted(cells)} (FORMAT parquet)")
            rows = f"FROM read_parquet({quoted(cells)})"
        self.connection.execute(f"CREATE TEMP VIEW cells AS {rows}")
        described = self.connection.execute("DESCRIBE cells").fetchall()
        self.types = {column: kind.split("(")[0] for column, kind, *_ in described}

    def _text(self, path: Path) -> tuple[str, list[str]]:
        """How DuckDB is to read a text table: nothing is left for it to guess."""
        with path.open("rb") as file:
            start = file.read(200_000)
        try:
            content = start[: start.rfind(b"\n") + 1 or None].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(path.name, "is not UTF-8", "Save it as UTF-8.") from error
        content = content.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
        mark = text.separator(content)
        header = [] if len(mark) > 1 else next(csv.reader([content.split("\n")[0]], delimiter=mark))
        names = [cell.strip() for cell in header]
        unique_names(names, path.name)
        if not names or not all(names):
            raise InputError(
                path.name,
                "has columns without a name or not separated by one character",
                "Name every column in the first row, and separate columns by commas.",
            )
        if pd.Series(names).str.fullmatch(text.NUMBERS["plain"]).all():
            raise InputError(
                path.name,
                f"its first row holds numbers ({', '.join(names[:3])}), not column names",
                "Put the names of the columns in the first row.",
            )
        kinds = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in names)
        missing = ", ".join(map(quoted, _MISSING))
        return (
            f"read_csv({quoted(path)}, auto_detect = false, header = true, "
            f"delim = {quoted(mark)}, quote = '\"', escape = '\"', strict_mode = true, "
            f"columns = {{{kinds}}}, nullstr = [{missing}])",
            names,
        )

    def _parquet(self, path: Path) -> tuple[str, list[str]]:
        source = f"read_parquet({quoted(path)})"
        described = self.connection.execute(f"DESCRIBE FROM {source}").fetchall()
        return source, [name for name, *_ in described if name != "__index_level_0__"]

    def _place(self, role: str) -> str:
        return f"{self.name}, column {self.columns[role]}"

    def _one(self, query: str) -> Any:
        return self.connection.execute(query).fetchone()

    def _cell(self, role: str) -> str:
        """A cell without blanks around it; of blanks only, it is missing."""
        if self.types[role] != "VARCHAR":
            return role
        return f"nullif(trim({role}, {quoted(_BLANKS)}), '')"

    def check(self) -> None:
        """Refuse what is missing or is no number; settle how customers and amounts are read."""
        if "currency" in self.columns:
            code = self._cell("currency")
            counted = self.connection.execute(
                f"SELECT upper({code}::VARCHAR), count(*) FROM cells WHERE {code} IS NOT NULL "
                "GROUP BY 1 ORDER BY 2 DESC, 1"
            ).fetchall()
            mixed_currencies(self._place("currency"), pd.Series(dict(counted), dtype="int64"))
        roles = [role for role in ("customer", "date", "amount") if role in self.columns]
        gone = {role: f"{self._cell(role)} IS NULL" for role in roles}
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in gone.values())
        total, *missing = self._one(f"SELECT count(*), {counts} FROM cells")
        if not total:
            raise InputError(
                self.name, "holds column names but no rows", "Check that the right file was saved."
            )
        said = {
            "customer": ("name no customer", "Fill it in, or drop such rows."),
            "date": ("have no date", "Fill in the date."),
            "amount": ("have no amount", "Fill it in."),
        }
        for role, count in zip(roles, missing, strict=True):
            if count == total:
                raise InputError(self._place(role), "is empty", "Fill it in, or leave it out.")
            if count:
                raise self._fault(role, gone[role], count, *said[role])
        self._customers()
        self._amounts()

    def _fault(self, role: str, bad: str, count: int, wrong: str, remedy: str) -> InputError:
        shown = self._one(
            f"SELECT {', '.join(self.columns)} FROM cells WHERE {bad} "
            f"ORDER BY file, date::VARCHAR LIMIT 1"
        )
        such = ", ".join(
            f"{self.columns[each]} {value}" for each, value in zip(self.columns, shown, strict=True)
        )
        return InputError(self._place(role), f"{count} rows {wrong} (such as {such})", remedy)

    def _customers(self) -> None:
        """Ids as whole numbers where all are and none would lose a digit, else as text."""
        cell, kind = self._cell("customer"), self.types["customer"]
        self.customer = f"{cell}::VARCHAR"
        if kind == "VARCHAR" and not self.parquet:
            plain, coded = self._one(
                f"SELECT bool_and(regexp_full_match({cell}, {quoted(text.NUMBERS['plain'])})), "
                f"bool_or(regexp_full_match({cell}, {quoted(text.IDENTIFIER)})) FROM cells"
            )
            if plain and coded:
                self.notes.append(
                    f"column {self.columns['customer']}: kept as text (leading zeros or more than "
                    "15 digits)."
                )
            if not plain or coded:
                return
            cell = f"{cell}::DOUBLE"
        elif kind not in _NUMBERS:
            return
        (whole,) = self._one(f"SELECT bool_and({cell} % 1 = 0) FROM cells")
        self.customer = f"{cell}::BIGINT" if whole else cell

    def _amounts(self) -> None:
        if "amount" not in self.columns:
            return
        cell, kind = self._cell("amount"), self.types["amount"]
        if kind == "VARCHAR":
            bad = f"NOT regexp_full_match({cell}, {quoted(text.NUMBERS['plain'])})"
            wrong = "hold text, not a plain number"
            remedy = (
                "Write plain numbers with a decimal point: no thousands separators, no symbols."
            )
        elif kind in _NUMBERS:
            bad, wrong = f"NOT isfinite({cell}::DOUBLE)", "have no amount"
            remedy = "Fill it in."
        else:
            raise InputError(
                self._place("amount"), f"holds {kind}, not numbers", "Name another column."
            )
        (count,) = self._one(f"SELECT count(*) FILTER ({bad}) FROM cells")
        if count:
            raise self._fault("amount", bad, count, wrong, remedy)
        if kind == "VARCHAR" and self.parquet:
            (example,) = self._one(f"SELECT min({cell}) FROM cells")
            self.notes.append(f"{self.name}: amounts written as text were read, {example!r} first.")
        self.amount = f"{cell}::DOUBLE"

    def _days(self) -> str:
        """The expression of the day; the table ``spellings`` when dates are read one by one."""
        cell, kind = self._cell("date"), self.types["date"]
        if kind == "DATE" or (kind.startswith("TIMESTAMP") and "ZONE" not in kind):
            return "date::DATE"
        if kind.startswith("TIMESTAMP"):
            self.notes.append(f"{self._place('date')}: times with a time zone are shown in UTC.")
            return "make_timestamp(epoch_us(date))::DATE"
        if kind == "VARCHAR":
            (iso,) = self._one(
                f"SELECT bool_and(regexp_full_match({cell}, {quoted(_ISO)}) "
                f"AND try_cast({cell} AS TIMESTAMP) IS NOT NULL) FROM cells"
            )
            if iso:
                return f"{cell}::TIMESTAMP::DATE"
        self.connection.execute(
            "CREATE TEMP TABLE spellings AS "
            f"SELECT DISTINCT {cell}::VARCHAR AS spelt FROM cells LIMIT {_SPELLINGS + 1}"
        )
        spelt = self.connection.execute("FROM spellings ORDER BY spelt").df()["spelt"].astype("str")
        if len(spelt) > _SPELLINGS:
            raise InputError(
                self._place("date"),
                f"holds more than {_SPELLINGS:,} different dates not all written as 1997-01-31",
                "Write dates as 1997-01-31 or 1997-01-31 18:30.",
            )
        column = self.columns["date"]
        cells = text.numbers(pd.DataFrame({column: spelt}), None, [])
        try:
            read, said = to_dates(_Spellings(cells, source=self.name), column)
        except InputError as error:
            wrong = error.wrong.replace("more rows like it", "more such dates")
            raise InputError(error.where, wrong, error.remedy) from error
        self.notes += said
        days = pd.DataFrame({"spelt": spelt, "day": read.dt.floor("D")})
        self.connection.register("read", days)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE spellings AS SELECT spelt, day::DATE AS day FROM read"
        )
        return "day"

    def write(self, target: Path) -> None:
        """Write the columns needed, in one form."""
        day = self._days()
        join = f"JOIN spellings ON {self._cell('date')}::VARCHAR = spelt" if day == "day" else ""
        amount = f", {self.amount} AS amount" if "amount" in self.columns else ""
        self.connection.execute(
            f"COPY (SELECT {self.customer} AS customer_id, {day} AS date{amount}, file "
            f"FROM cells {join}) TO {quoted(target)} (FORMAT parquet)"
        )

    def look(self, target: Path, files: int) -> int:
        """Count the rows written; say what the analyst should look at."""
        self.connection.execute(f"CREATE TEMP VIEW log AS FROM read_parquet({quoted(target)})")
        days = self.connection.execute(
            "SELECT date::TIMESTAMP AS date, count(*) AS n FROM log GROUP BY 1 ORDER BY 1"
        ).df()
        by_day = days.set_index("date")["n"]
        rows = int(by_day.sum())
        self._within(by_day)
        repeated = rows - self._one("SELECT count(*) FROM (SELECT DISTINCT row FROM cells)")[0]
        if repeated:
            self.notes.append(f"{self.name}: {repeated} rows repeat an earlier row exactly; kept.")
        if "amount" in self.columns:
            counted = self._one(
                "SELECT count(*) FILTER (amount = 0), count(*) FILTER (amount < 0) FROM log"
            )
            for kind, count in zip(("zero", "negative"), counted, strict=True):
                if count:
                    self.notes.append(f"{self.name}: {count} rows with a {kind} amount kept.")
        if files > 1:
            self._across_files()
        self.notes += stray_dates(by_day, self.name)
        return rows

    def _within(self, by_day: pd.Series) -> None:
        # a day of grace, because it is tomorrow already in some time zones
        last = pd.Timestamp.now() + pd.Timedelta(days=1)
        for bad, wrong in (
            (by_day.index < pd.Timestamp(1900, 1, 1), "before 1900"),
            (by_day.index > last, "later than today"),
        ):
            if bad.any():
                raise InputError(
                    self._place("date"),
                    f"{int(by_day[bad].sum())} rows are {wrong} "
                    f"(such as {by_day.index[np.argmax(bad)].date()})",
                    "Correct the date.",
                )

    def _across_files(self) -> None:
        spent = ", amount" if "amount" in self.columns else ""
        for what, key in (
            ("transactions (same customer, day and amount)", f"customer_id, date{spent}"),
            ("customers", "customer_id"),
        ):
            (count,) = self._one(
                f"SELECT count(*) FROM (SELECT 1 FROM log GROUP BY {key} "
                "HAVING min(file) < max(file))"
            )
            if count:
                self.notes.append(
                    f"{self.name}: {count} {what} occur in more than one file; "
                    "they are taken as the same customers, and no row was dropped."
                )


def quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
