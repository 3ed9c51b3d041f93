"""Files as offices write them: what they look like, and that they come out as the tidy ones do."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from expectations.contract import Contract, contract_for
from expectations.landing import land
from resources.departments import Departments
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import SHANGHAI, load_settings
from sandbox.county import County
from sandbox.drop import WRITINGS, checksum_path, drop, writing_of
from sandbox.places import TOWNS

AS_OF = date(2026, 11, 19)
RECORDS = ("certificates", "dwellings", "retrofits", "cases")


def test_a_new_sandbox_is_written_by_offices_and_an_old_one_stays_tidy(
    county: County, tmp_path: Path
) -> None:
    assert writing_of(tmp_path / "new") == "office"
    for writing in WRITINGS:
        drop(county, tmp_path / writing, AS_OF, writing=writing)
        assert writing_of(tmp_path / writing) == writing


@pytest.fixture(scope="module")
def written(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    drop(county, folder, AS_OF, writing="office")
    return folder


def test_no_checksum_and_a_time_of_writing_in_the_past(written: Path) -> None:
    files = sorted(path for path in written.glob("*/*") if path.is_file())
    assert [path.name for path in files] == [
        "certificates_20261101.csv", "dwellings_20261001.xlsx", "retrofits_20261001.xlsx",
        "cases_20261116.xlsx",
    ]  # fmt: skip
    for path in files:
        assert not checksum_path(path).exists()
        last_written = datetime.fromtimestamp(path.stat().st_mtime, SHANGHAI)
        assert f"{last_written:%Y%m%d}" in path.name
        assert last_written < datetime.now(SHANGHAI) - timedelta(minutes=2)


def test_a_workbook_has_a_sheet_for_each_township_with_title_and_footer(written: Path) -> None:
    book = CalamineWorkbook.from_path(str(written / "housing" / "dwellings_20261001.xlsx"))
    assert book.sheet_names == [name for name, _ in TOWNS.values()]
    kinds, words = set(), set()
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python()
        assert name in rows[0][0]
        assert rows[-2][0] == "合计"
        assert rows[-1][0].startswith("填表人")
        kinds |= {type(row[5]) for row in rows[3:-2]}
        words |= {str(row[4]).strip() for row in rows[3:-2]} | {row[6] for row in rows[3:-2]}
    assert {str, date} <= kinds, "typed dates and true ones"
    assert {"A级", "D级", "√", "×"} <= words


def test_a_list_has_titles_words_and_a_footer(written: Path) -> None:
    text = (
        (written / "disability_federation" / "certificates_20261101.csv")
        .read_bytes()
        .decode("gb18030")
    )
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[2] == [field.physical_name for field in contract_for("certificates").fields]
    assert len({len(row) for row in rows}) == 1
    assert (rows[-2][0], rows[-1][0][:3]) == ("合计", "填表人")
    body = rows[3:-2]
    assert all(row[0].startswith('="') for row in body)
    assert {"肢体", "二级", "长期"} <= {cell.strip() for row in body for cell in row}
    assert {"-", "/"}.isdisjoint(row[5] for row in body), "the contract says what stands for no end"


@pytest.mark.parametrize("records", RECORDS)
def test_both_writings_land_alike(
    county: County, tmp_path: Path, engine: Engine, records: str
) -> None:
    contract = contract_for(records)
    tidy, office = (
        _landed(county, contract, tmp_path / writing, engine, writing) for writing in WRITINGS[::-1]
    )
    assert len(tidy) > 40
    assert office == tidy


def _landed(
    county: County, contract: Contract, home: Path, engine: Engine, writing: str
) -> list[dict[str, object]]:
    """The typed rows, by key, as a run lands them; what is misfit is so in both."""
    (home / "drop").mkdir(parents=True)
    drop(county, home / "drop", AS_OF, writing=writing)  # type: ignore[arg-type]
    lake = Lake(home / "lake")
    settings = load_settings({"YIHU_HOME": str(home), "YIHU_DROP_DIR": str(home / "drop")})
    departments = Departments(settings, lake)
    read = departments.read_day(contract, AS_OF)
    assert read.failure is None, read.failure
    (batch,) = read.batches
    folder = lake.table("raw", contract.table) / batch.batch_id
    manifest = departments.store.manifest(contract.table, batch.batch_id)
    assert manifest is not None
    landed = land(engine, contract, folder, msgspec.to_builtins(manifest))
    names = [field.name for field in contract.fields]
    rows = pq.read_table(landed.rows_path).select([*names, "_misfit"]).to_pylist()
    return sorted(rows, key=lambda row: str(row[contract.record_key.name]))
