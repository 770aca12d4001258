"""The catalogue: names, hashes, mirror, cache and download."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cvlib.inputs import datasets
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the machine's mirror nor its cache."""
    monkeypatch.delenv("CVLIB_DATA_MIRROR", raising=False)
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path / "cache")


def known(monkeypatch: pytest.MonkeyPatch, content: bytes, address: str | None = None) -> None:
    """A catalogue of one data set that does not ship."""
    digest = hashlib.sha256(content).hexdigest()
    item = datasets.entry("telco_churn")
    item = replace(item, sha256=digest, address=address, file="tiny.csv")
    monkeypatch.setattr(datasets, "entries", lambda: {"tiny": item})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder on a local web server, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["mobi", "simulated_brands", "cdnow_sample"])
def test_shipped_files_are_the_catalogues(name: str) -> None:
    path = datasets.fetch(name)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == datasets.entry(name).sha256
    assert len(load_table(name).data) == datasets.entry(name).rows


def test_the_readme_names_the_hashes_of_what_ships() -> None:
    readme = (datasets.SHIPPED / "README.md").read_text(encoding="utf-8")
    shipped = [item for item in datasets.entries().values() if item.shipped]
    assert len(shipped) > 3
    assert all(item.sha256 in readme for item in shipped)


def test_every_entry_says_where_it_comes_from() -> None:
    table = datasets.catalogue()
    assert {"mobi", "simulated_brands", "cdnow_sample", "cdnow_master", "telco_churn"} < set(
        table["name"]
    )
    assert table["file"].is_unique and table["sha256"].is_unique
    assert table["citation"].str.len().min() > 20 and table["licence"].str.len().min() > 20
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert table.loc[~table["shipped"], "address"].dropna().str.startswith("https://").all()
    assert datasets.catalogue("zh")["title"].str.contains("[\u4e00-\u9fff]").all()


def test_mobi_is_the_published_survey() -> None:
    data = load_table("mobi").data
    assert data.shape == (250, 24) and data.min().min() == 1 and data.max().max() == 10
    assert list(data.columns[:3]) == ["CUEX1", "CUEX2", "CUEX3"]


def test_the_cdnow_sample_has_the_published_counts() -> None:
    data = load_table("cdnow_sample").data
    assert (len(data), data["customer_id"].nunique()) == (6919, 2357)
    assert (data["date"].min(), data["date"].max()) == ("1997-01-01", "1998-06-30")


def test_the_cdnow_sample_is_the_packages_file_converted(mirror: Path) -> None:
    source = (mirror / "CDNOW_sample.txt").read_bytes()
    assert hashlib.sha256(source).hexdigest() == (
        "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a"
    )
    lines = ["customer_id,date,quantity,amount"]
    for line in source.decode("ascii").splitlines():
        _, sample, day, quantity, amount = line.split()
        lines.append(f"{int(sample)},{day[:4]}-{day[4:6]}-{day[6:]},{quantity},{amount}")
    assert datasets.fetch("cdnow_sample").read_text("ascii") == "\n".join(lines) + "\n"


def test_the_mirror_serves_what_does_not_ship(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVLIB_DATA_MIRROR", str(mirror))
    master = load_table("cdnow_master").data
    assert (len(master), master["customer_id"].nunique()) == (69659, 23570)
    assert list(master.columns) == ["customer_id", "date", "quantity", "amount"]
    telco = load_table("telco_churn")
    assert len(telco.data) == 7043 and (telco.data["Churn"] == "Yes").sum() == 1869
    blank = telco.left_out.set_index("column")
    assert blank.loc["TotalCharges", "count"] == 11
    assert telco.data["TotalCharges"].dtype == float
    assert (mirror / "mobi.csv").read_bytes() == datasets.fetch("mobi").read_bytes()
    assert set(datasets.check()["status"]) == {"ok"}


def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'telco_churn'"):
        datasets.fetch("telco_chrun")
    with pytest.raises(InputError, match="Did you mean 'cdnow_sample'"):
        datasets.resolve("cdnow_sampel.csv")
    with pytest.raises(InputError, match="is a folder"):
        datasets.resolve(tmp_path)
    with pytest.raises(InputError, match="no data set or file"):
        datasets.resolve("")


def test_a_path_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("a\n1\n")
    assert datasets.resolve(str(path)) == path
    assert datasets.resolve("mobi") == datasets.SHIPPED / "mobi.csv"


def test_check_says_what_is_here_without_a_network() -> None:
    table = datasets.check().set_index("name")
    assert table.loc["mobi", ["where", "status"]].tolist() == ["shipped", "ok"]
    assert table.loc["telco_churn", ["where", "status"]].tolist() == ["", "not fetched"]


def test_a_wrong_hash_is_told_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, b"a\n1\n")
    monkeypatch.setenv("CVLIB_DATA_MIRROR", str(tmp_path))
    (tmp_path / "tiny.csv").write_bytes(b"a\n2\n")
    assert datasets.check()["status"].tolist() == ["wrong hash"]
    with pytest.raises(InputError, match="SHA-256"):
        datasets.fetch("tiny")


def test_a_mirror_without_the_file_downloads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, b"a\n1\n", "http://127.0.0.1:9/never-asked")
    monkeypatch.setenv("CVLIB_DATA_MIRROR", str(tmp_path))
    with pytest.raises(InputError, match="not in the mirror folder"):
        datasets.fetch("tiny")


def test_a_download_is_kept_and_not_repeated(
    served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    (folder / "remote.csv").write_bytes(b"a\n1\n")
    known(monkeypatch, b"a\n1\n", f"{address}/remote.csv")
    path = datasets.fetch("tiny")
    assert path == datasets.cache_folder() / "tiny.csv" and path.read_bytes() == b"a\n1\n"
    (folder / "remote.csv").unlink()
    assert datasets.fetch("tiny") == path
    assert datasets.check()["where"].tolist() == ["cache"]
    assert load_table("tiny").data["a"].tolist() == [1]


def test_a_download_that_is_not_the_file_leaves_nothing(
    served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    (folder / "remote.csv").write_bytes(b"<html>moved</html>")
    known(monkeypatch, b"a\n1\n", f"{address}/remote.csv")
    with pytest.raises(InputError, match="could not be fetched"):
        datasets.fetch("tiny")
    assert not (datasets.cache_folder() / "tiny.csv").exists()


def test_a_failed_download_names_address_and_remedy(
    served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, b"a\n1\n", f"{served[1]}/absent.csv")
    with pytest.raises(InputError, match=r"absent\.csv .*404.*CVLIB_DATA_MIRROR"):
        datasets.fetch("tiny")


def test_simulated_is_a_fact_of_the_entry_not_of_a_name(tmp_path: Path) -> None:
    assert datasets.simulated("simulated_brands") and not datasets.simulated("mobi")
    real, invented = tmp_path / "dissimulated_2024.csv", tmp_path / "mine.csv"
    real.write_bytes(datasets.fetch("mobi").read_bytes())
    invented.write_bytes(datasets.fetch("simulated_brands").read_bytes())
    assert datasets.simulated(invented) and not datasets.simulated(real)
    assert not datasets.simulated(tmp_path / "simulated.csv")


def test_shipped_data_that_are_gone_are_named_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "SHIPPED", tmp_path / "nowhere")
    assert datasets.check().set_index("name").loc["mobi", "status"] == "missing"
    with pytest.raises(InputError, match=r"mobi\.csv, where there is no such file"):
        datasets.fetch("mobi")


def test_a_data_set_without_an_address_says_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CVLIB_DATA_MIRROR", raising=False)
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"no address.*Put smcrm_customer_win_back"):
        datasets.fetch("smcrm_win_back")
