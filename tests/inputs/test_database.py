"""The memory a log takes: DuckDB's share, what is returned, and the process as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.database import connect, memory_share, told
from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases import summary as purchases


@pytest.mark.parametrize(
    "limit, size",
    [
        ("2GB", 2 * 10**9),
        ("2GiB", 2 * 2**30),
        ("1.5 gb", 15 * 10**8),
        ("800M", 8 * 10**8),
        ("2000000000", 2 * 10**9),
    ],
)
def test_limits_are_read_in_their_units(limit, size):
    assert memory_share(limit) == (size, int((size - 250 * 10**6) * 0.7))


@pytest.mark.parametrize("limit", ["", "-1", "GB", "2 gigabytes", "80%", "1e9", None])
def test_what_is_no_size_is_refused(limit):
    with pytest.raises(InputError, match="is not a size"):
        memory_share(limit)


@pytest.mark.parametrize("limit, threads", [("500MB", 1), ("600MB", 1), ("64GB", None)])
def test_the_database_gets_its_share_and_no_more_threads_than_it_feeds(limit, threads, tmp_path):
    import duckdb

    _, share = memory_share(limit)
    connection = connect(tmp_path, share)

    def setting(name):
        return connection.execute(f"SELECT current_setting('{name}')").fetchone()[0]

    number, unit = setting("memory_limit").split()
    given = float(number) * 1024 ** (1 + ["KiB", "MiB", "GiB"].index(unit))
    assert given == pytest.approx(share, rel=0.05)
    assert setting("temp_directory") == str(tmp_path)
    default = duckdb.execute("SELECT current_setting('threads')").fetchone()[0]
    assert setting("threads") == (threads or default)


def test_a_log_too_large_for_its_share_is_an_error_that_says_so(tmp_path):
    connection = connect(tmp_path, 10**6)
    with pytest.raises(InputError, match="memory_limit: DuckDB's share"), told("log", 10**6):
        connection.execute("CREATE TABLE kept AS SELECT range % 100000 AS x FROM range(1000000)")
        connection.execute("SELECT x, count(*) FROM kept GROUP BY x ORDER BY 2, 1").fetchall()


def test_tables_beyond_the_share_are_announced():
    tables = pd.DataFrame({"x": np.zeros(2 * 10**7)}), pd.DataFrame({"x": np.zeros(50)})
    assert purchases._memory(*tables, "2GB") == []
    (warning,) = purchases._memory(pd.concat([tables[0]] * 2), tables[1], "500MB")
    assert "beyond memory_limit (0.5 GB): customers_to writes" in warning
    assert purchases._memory(None, tables[1], "500MB") == []


PROCESS = """
import sys
from pathlib import Path
from cvlib.inputs.transactions import LogRules
from cvlib.lifetime.purchases.summary import summarise_purchases
rules = LogRules(memory_limit=sys.argv[2])
summary = summarise_purchases(sys.argv[1], calibration_end="2021-06-30", rules=rules)
peak = next(s for s in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in s)
print(int(peak.split()[1]) * 1024, len(summary.customers), int(summary.facts["value"][6]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_process_stays_under_the_limit(tmp_path):
    # 3 million transactions take more than 500 MB when nothing limits them
    rng = np.random.default_rng(4)
    who = (rng.random(3_000_000) ** 1.7 * 900_000).astype(np.int64)
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, who.size), unit="D")
    frame = pd.DataFrame({"customer_id": who, "date": day, "amount": 1.0})
    frame.to_parquet(tmp_path / "log.parquet")
    before = frame[frame["date"] <= "2021-06-30"]["customer_id"].nunique()
    peaks = []
    for limit in ("500MB", "8GB"):
        command = [sys.executable, "-c", PROCESS, str(tmp_path / "log.parquet"), limit]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peak, customers, rows = map(int, done.stdout.split())
        assert (customers, rows) == (before, 3_000_000)
        peaks.append(peak)
    assert peaks[0] < 500 * 10**6 < peaks[1]


def test_no_query_adds_money_in_floats():
    """Threads would decide the last bit: money is summed in decimals, or rounded to them."""
    root = Path(purchases.__file__).parents[2]
    inside = re.compile(r"sum\((?:n \* )?(?:net|amount|monetary)\)")
    for path in root.rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        if "FROM days" in code or "FROM bought" in code:
            loose = [
                at for at in inside.finditer(code) if code[at.start() - 6 : at.start()] != "round("
            ]
            assert [at.group() for at in loose if "::{MONEY}" not in code] == [], path
