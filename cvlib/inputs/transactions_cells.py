"""How the cells of a transaction log are read: customers, days, amounts, filters, as SQL.

One rule set for every source: a frame, a CSV, a Parquet file and a table of a database that hold
the same cells give the same customers, or the same refusal with the place of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cvlib.inputs import text
from cvlib.inputs.checks import column_of, of_cell, of_one
from cvlib.inputs.database import named, quoted
from cvlib.inputs.dates import EXCEL, to_dates
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.transactions_columns import amounts_of, role_column
from cvlib.inputs.transactions_filters import NUMBERS, WHOLE, dropped, kept
from cvlib.inputs.transactions_rules import LogRules
from cvlib.inputs.transactions_source import Part, Source
from cvlib.words.message import message

# Different spellings that are read one by one; plain numbers and ISO dates need no such list.
_SPELLINGS = 2_000_000
_BLANKS = " \t\r\n\u00a0\u3000"
# What other programs write for a missing cell. Among ids that are text it may be an id.
MISSING = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
_WORDS = ", ".join(map(quoted, MISSING))
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?"
_OFFSET = r"\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)"
_ISO = rf"\d{{4}}-\d{{2}}-\d{{2}}([ T]{_CLOCK})?"
_TIME = rf"[ T]+([上下中]午|凌晨|早上|晚上)?\s*{_CLOCK}(\s*[AaPp][Mm])?({_OFFSET})?$"


class _Spellings(Table):
    """Different cells of a column, whose places in the file are looked up afterwards."""

    def place(self, column: str, row: int | None = None) -> str:
        self.labels["row"] = "" if row is None else str(row)
        return message("refusals.at_column", file=self.source, column=column)


@dataclass
class Cells:
    """The columns needed of a source, and the expressions that read them.

    Attributes
    ----------
    columns : dict
        Role (customer, date, amount, quantity, price, currency, where_0, ...) to column.
    customer, day, amount, dropped : str
        SQL over the view ``cells``; `dropped` is the number of the filter a row falls to, or 0.
    kept : str
        The view of the rows by whose cells it is settled how a column is read.
    """

    connection: Any
    source: Source
    rules: LogRules
    columns: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    customer: str = ""
    day: str = ""
    amount: str = "0.0::DOUBLE"
    dropped: str = "0"
    kept: str = "cells"
    joins: str = ""

    def read(self) -> None:
        """Settle how every column is read; refuse what cannot be."""
        self._resolve()
        self._open()
        self._one_currency()
        self.kept = kept(self)
        for role in self.columns:
            if not role.startswith("where") and role != "currency":
                column = self.columns[role]
                if not self.one(f"SELECT count({role}) FROM cells"):
                    raise InputError(
                        self.at(column), message("refusals.is_empty"),
                        message("refusals.fill_it_in_or_leave_it_out"),
                    )  # fmt: skip
        self.customer = self._customers()
        self.day = self._days()
        if "price" in self.columns:
            quantity, price = self._amounts("quantity"), self._amounts("price")
            self.amount = f"round({quantity} * {price}, 6)"
        elif "amount" in self.columns:
            self.amount = self._amounts("amount")
        self.dropped = dropped(self)

    def at(self, column: str) -> str:
        """The place of a column, for messages."""
        return message("refusals.at_column", file=self.source.name, column=column)

    def one(self, query: str) -> Any:
        """The first value of a query's first row."""
        return self.connection.execute(query).fetchone()[0]

    def lines(self, cells: str = "cells", line: str = "") -> str:
        """One row per transaction: customer_id, day, amount, dropped, file, cell_<role>."""
        own = ", ".join(f"cells.{role} AS cell_{role}" for role in self.columns)
        return (
            f"SELECT {self.customer} AS customer_id, {self.day} AS day, {self.amount} AS amount, "
            f"{self.dropped} AS dropped, file, {own}{line} FROM {cells} AS cells {self.joins}"
        )

    def hashed(self, number: int) -> str:
        """The lines of a part with a hash of all its columns, to find rows that repeat."""
        part = self.source.parts[number]
        whole = ", ".join(named(column) for column in part.columns)
        return self.lines(f"({self._part(number, part, f'hash({whole})')})", ", line AS hash")

    def _resolve(self) -> None:
        rules, notes = self.rules, self.source.notes
        empty = pd.DataFrame(columns=self.source.columns)
        head = Table(empty, source=self.source.name, warnings=tuple(notes))
        wanted = {"customer": rules.customer, "date": rules.date}
        if rules.price:
            wanted |= {"quantity": rules.quantity, "price": rules.price}
        elif rules.amount:
            wanted["amount"] = rules.amount
        usual = {"customer": "customer_id"}
        for role, column in wanted.items():
            found = role_column(head, usual.get(role, role), column, notes)
            if found not in self.source.columns:
                kind = "money" if role == "amount" else "column"
                by = message(f"refusals.name_the_{kind}_by", role=role)
                raise head.lacking(found, by if column == usual.get(role, role) else "")
            self.columns[role] = found
        money = role_column(head, "currency", "currency", [])
        if money in self.source.columns:
            self.columns["currency"] = money
        for number, (column, *_) in enumerate(rules.where):
            if column not in self.source.columns:
                try:
                    column_of(head, column)
                except InputError as error:
                    raise InputError(
                        f"where, filter {number + 1}", error.wrong + f": {column}", error.remedy
                    ) from error
            self.columns[f"where_{number}"] = column

    def _part(self, number: int, part: Part, line: str = "") -> str:
        """A part's cells, text without blanks around it; a word for missing is missing."""
        kinds = {
            name: kind.split("(")[0]
            for name, kind, *_ in self.connection.execute(f"DESCRIBE FROM {part.sql}").fetchall()
        }
        shown = []
        for role, column in self.columns.items():
            cell = named(column)
            if kinds[column] == "VARCHAR":
                cell = f"nullif(trim({cell}, {quoted(_BLANKS)}), '')"
                if role in ("date", "amount", "quantity", "price"):
                    cell = f"CASE WHEN {cell} NOT IN ({_WORDS}) THEN {cell} END"
            elif kinds[column].startswith("TIMESTAMP"):
                cell = self._local(cell, kinds[column], part.zones.get(column, ""))
            elif kinds[column] in ("FLOAT", "DOUBLE"):
                cell = f"nullif({cell}, 'nan'::{kinds[column]})"
            shown.append(f"{cell} AS {role}")
        rows = f"SELECT {number} AS file, {', '.join(shown)}"
        source = part.sql
        if line:
            rows += ", line"
            source = f"(SELECT *, {line} AS line FROM {source})"
        if part.text is not None:
            filled = ", ".join(named(column) for column in part.columns)
            source += f" WHERE coalesce({filled}) IS NOT NULL"
        return f"{rows} FROM {source}"

    def _local(self, cell: str, kind: str, zone: str) -> str:
        """Times of a typed column as the clock on the wall shows them."""
        where = self.at(self.columns["date"])
        if not zone and "ZONE" not in kind:
            return cell
        utc = f"make_timestamp(epoch_us({cell}))"
        wanted = self.rules.timezone or zone or "UTC"
        note = message("inputs.times_in_zone", where=where, zone=wanted)
        if note not in self.source.notes:
            self.source.notes.append(note)
        if wanted.startswith("UTC") or wanted[0] in "+-":
            offset = pd.Timestamp("2000-01-01", tz=wanted).utcoffset()
            assert offset is not None
            return f"({utc} + to_microseconds({int(offset.total_seconds() * 1e6)}))"
        return f"(({utc} AT TIME ZONE 'UTC') AT TIME ZONE {quoted(wanted)})"

    def _open(self) -> None:
        from duckdb import Error

        from cvlib.inputs.readers import load_table
        from cvlib.inputs.transactions_source import in_memory

        kept = []
        for number, part in enumerate(self.source.parts):
            name = f"cells_{number}"
            if part.text is not None:  # text is read once only
                rows = f"CREATE TEMP TABLE {name} AS {self._part(number, part)}"
                try:
                    self.connection.execute(rows)
                except Error:  # ragged lines, another encoding: pandas reads it or names the line
                    part = in_memory(self.connection, load_table(part.text), f"again_{number}")
                    self.source.parts[number] = part
            if part.text is None:
                rows = self._part(number, part)
                self.connection.execute(f"CREATE TEMP VIEW {name} AS {rows}")
            kept.append(f"FROM {name}")
        self.connection.execute(f"CREATE TEMP VIEW cells AS {' UNION ALL '.join(kept)}")
        described = self.connection.execute("DESCRIBE cells").fetchall()
        self.types = {column: kind.split("(")[0] for column, kind, *_ in described}
        if not self.one("SELECT count(*) FROM cells"):
            raise InputError(
                self.source.name,
                message("refusals.holds_column_names_but_no_rows"),
                message("refusals.check_that_the_right_file_was_saved"),
            )

    def fault(self, role: str, bad: str, wrong: str, remedy: str, bare: bool = False) -> InputError:
        """An error at the file's first row for which `bad` holds; ``{value}`` is its cell.

        `bare` looks at the cells alone, before it is settled how they are read.
        """
        column = self.columns[role]
        rows = "SELECT * FROM cells" if bare else self.lines()
        kept = bad if bare else f"dropped = 0 AND ({bad})"
        count = self.one(f"SELECT count(*) FROM ({rows}) WHERE {kept}")
        self.connection.execute("SET preserve_insertion_order = true")
        for number, part in enumerate(self.source.parts):
            place = "row_number() OVER ()" if part.ordered else "0"
            numbered = f"({self._part(number, part, place)})"
            rows = f"SELECT * FROM {numbered}" if bare else self.lines(numbered, ", line")
            cell = role if bare else f"cell_{role}"
            found = self.connection.execute(
                f"SELECT line, {cell} FROM ({rows}) WHERE {kept} ORDER BY line LIMIT 1"
            ).fetchone()
            if found:
                line, value = found
                return InputError(part.place(column, line), of_cell(wrong, value, count), remedy)
        raise AssertionError(f"no row of {self.source.name} has the fault {bad}")

    def _one_currency(self) -> None:
        if "currency" not in self.columns:
            return
        counted = self.connection.execute(
            "SELECT upper(currency::VARCHAR), count(*) FROM cells WHERE currency IS NOT NULL "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        # a filter may keep one of them
        if len(counted) > 1 and self.columns["currency"] not in [f[0] for f in self.rules.where]:
            shown = ", ".join(f"{code} {count} rows" for code, count in counted[:5])
            raise InputError(
                self.at(self.columns["currency"]),
                message("refusals.mixes_currencies", kinds=shown),
                message(
                    "refusals.convert_the_amounts_to_one_currency_or",
                    column=self.columns["currency"],
                    currency=counted[0][0],
                ),
            )

    def _customers(self) -> str:
        """Ids as whole numbers where all are and none would lose a digit, else as text."""
        kind, notes = self.types["customer"], self.source.notes
        if kind in WHOLE[:4]:
            return "customer"
        if kind in NUMBERS:
            whole = self.one(f"SELECT bool_and(customer % 1 = 0) FROM {self.kept}")
            return "customer::BIGINT" if whole else "customer"
        if kind != "VARCHAR":
            return "customer::VARCHAR"
        plain, coded, words = self.connection.execute(
            f"SELECT bool_and(customer IN ({_WORDS}) OR regexp_full_match(customer, "
            f"{quoted(text.NUMBERS['plain'])})), bool_or(regexp_full_match(customer, "
            f"{quoted(text.IDENTIFIER)})), count(*) FILTER (customer IN ({_WORDS})) "
            f"FROM {self.kept}"
        ).fetchone()
        column = self.columns["customer"]
        if plain and coded:
            notes.append(message("inputs.kept_as_codes", column=column))
        if not plain or coded:
            if words:
                notes.append(message("inputs.missing_words_are_ids", column=column, rows=words))
            return "customer"
        number = f"CASE WHEN customer NOT IN ({_WORDS}) THEN try_cast(customer AS DOUBLE) END"
        whole = self.one(f"SELECT bool_and({number} % 1 = 0) FROM {self.kept}")
        return f"try_cast({number} AS BIGINT)" if whole else number

    def _amounts(self, role: str) -> str:
        kind, column = self.types[role], self.columns[role]
        if kind in NUMBERS:
            return role if kind == "DOUBLE" else f"{role}::DOUBLE"
        if kind != "VARCHAR":
            raise InputError(
                self.at(column), message("refusals.holds_a_kind_no_numbers", kind=kind),
                message("refusals.name_another_column"),
            )  # fmt: skip
        plain = quoted(text.NUMBERS["plain"])
        if self.one(f"SELECT bool_and(regexp_full_match({role}, {plain})) FROM {self.kept}"):
            return f"try_cast({role} AS DOUBLE)"
        table = self._spelt(role, f"{role}")
        try:
            table.data["read"] = amounts_of(table, column, self.source.notes)
        except InputError as error:
            raise self._at(error, table, role, role) from error
        return self._joined(role, role, table, "DOUBLE")

    def _spelt(self, role: str, cell: str) -> _Spellings:
        """The different spellings of a column, most frequent first."""
        spelt = self.connection.execute(
            f"SELECT {cell} AS spelt FROM {self.kept} WHERE {cell} IS NOT NULL GROUP BY 1 "
            f"ORDER BY count(*) DESC, 1 LIMIT {_SPELLINGS + 1}"
        ).df()["spelt"]
        if len(spelt) > _SPELLINGS:
            raise InputError(
                self.at(self.columns[role]),
                message("refusals.holds_more_than_different_texts", spellings=_SPELLINGS),
                message("refusals.write_dates_as_1997_01"),
            )
        frame = pd.DataFrame({self.columns[role]: spelt.astype("str")})
        return _Spellings(frame, source=self.source.name)

    def _joined(self, role: str, cell: str, table: Table, kind: str) -> str:
        name = f"read_{role}"
        read = pd.DataFrame({"spelt": table.data.iloc[:, 0], "value": table.data["read"]})
        self.connection.register("spellings", read)
        self.connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT spelt, value::{kind} AS value FROM spellings"
        )
        self.connection.unregister("spellings")
        self.joins += f" LEFT JOIN {name} ON {name}.spelt = {cell}"
        return f"{name}.value"

    def _at(self, error: InputError, table: Table, role: str, cell: str) -> InputError:
        """The error with the place of the first row that holds a spelling at fault."""
        if not error.rows:
            return error
        spelt = pd.DataFrame({"spelt": table.data.iloc[:, 0].loc[list(error.rows)]})
        self.connection.register("faulty", spelt)
        bad = f"{cell} IN (SELECT spelt FROM faulty)"
        return self.fault(role, bad, of_one(error.wrong), error.remedy, bare=True)

    def _days(self) -> str:
        """The expression of the day: of times with an offset the day as written."""
        kind, rules = self.types["date"], self.rules
        column, notes = self.columns["date"], self.source.notes
        if kind == "DATE":
            return "date"
        if kind.startswith("TIMESTAMP"):
            return "date::DATE"
        cell = "date" if kind == "VARCHAR" else "date::VARCHAR"
        if kind in ("FLOAT", "DOUBLE", "DECIMAL"):
            cell = "CASE WHEN date % 1 = 0 THEN date::BIGINT::VARCHAR ELSE date::VARCHAR END"
        if rules.date_format == EXCEL:
            return self._spelt_days(cell, EXCEL)
        if rules.date_format:
            read = f"try_strptime({cell}, {quoted(rules.date_format)})::DATE"
            if not self._unreadable(cell, read):
                return read
            try:  # dates that say theirs are not what the pattern says: they are believed
                found = self._written_days(cell)
            except InputError:
                wrong = f"{{value}} is not written as {rules.date_format}"
                raise self._unread(cell, read, wrong, "Correct it, or `date_format`.") from None
            notes.append(message("inputs.date_format_unfit", column=column, form=rules.date_format))
            return found
        return self._written_days(cell)

    def _written_days(self, cell: str) -> str:
        """The day of dates that say themselves how they are written."""
        rules, column, notes = self.rules, self.columns["date"], self.source.notes
        iso, zoned, total = self.connection.execute(
            f"SELECT bool_and(regexp_full_match({cell}, {quoted(_ISO + f'({_OFFSET})?')})), "
            f"count(*) FILTER (regexp_full_match({cell}, {quoted(f'.*:[0-9.]+{_OFFSET}')})), "
            f"count({cell}) FROM {self.kept}"
        ).fetchone()
        if zoned and zoned < total:
            raise self.fault(
                "date",
                f"NOT regexp_full_match({cell}, {quoted(f'.*:[0-9.]+{_OFFSET}')})",
                message("refusals.value_has_no_time_zone_other_rows", value="{value}"),
                message("refusals.write_all_times_with_their_offset_or"),
                bare=True,
            )
        where = self.at(column)
        if zoned and not rules.timezone:
            notes.append(message("inputs.days_as_written", where=where))
        if iso:
            read = f"try_cast(left({cell}, 10) AS DATE)"
            if zoned and rules.timezone:
                notes.append(message("inputs.times_in_zone", where=where, zone=rules.timezone))
                form = rf"regexp_replace({cell}, '([+-]\d\d)(\d\d)$', '\1:\2')"
                read = f"(try_cast({form} AS TIMESTAMPTZ) AT TIME ZONE {quoted(rules.timezone)})"
                read += "::DATE"
            if self._unreadable(cell, read):
                wrong = message("refusals.not_a_date", value="{value}")
                remedy = message("refusals.write_dates_as_1997_01_31_or")
                raise self._unread(cell, read, wrong, remedy)
            return read
        if zoned and rules.timezone:
            raise InputError(
                where, message("refusals.holds_times_with_an_offset"),
                message("refusals.write_them_so_or_leave"),
            )  # fmt: skip
        part = f"regexp_replace({cell}, {quoted(_TIME)}, '')"
        return self._spelt_days(part)

    def _spelt_days(self, part: str, pattern: str = "") -> str:
        """The day of dates that are read spelling by spelling."""
        column = self.columns["date"]
        table = self._spelt("date", part)
        cells = text.numbers(table.data.copy(), None, []) if len(table.data) else table.data
        try:
            spelt = _Spellings(cells, table.labels, source=table.source)
            days, said = to_dates(spelt, column, pattern)
        except InputError as error:
            raise self._at(error, table, "date", part) from error
        self.source.notes += said
        table.data["read"] = days.dt.floor("D")
        return self._joined("date", part, table, "DATE")

    def _unreadable(self, cell: str, read: str) -> int:
        bad = f"{cell} IS NOT NULL AND {read} IS NULL"
        return int(self.one(f"SELECT count(*) FROM {self.kept} WHERE {bad}"))

    def _unread(self, cell: str, read: str, wrong: str, remedy: str) -> InputError:
        bad = f"{cell} IS NOT NULL AND {read} IS NULL"
        return self.fault("date", bad, wrong, remedy, bare=True)
