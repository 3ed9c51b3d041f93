"""Files and front-end database: the same rows as the API, in each department's own shape."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from expectations.contract import contract_for
from sandbox.__main__ import main
from sandbox.county import County
from sandbox.days import end_of
from sandbox.drop import checksum_path, drop, due_on, write_file
from sandbox.faults import DATABASE_FAULTS, FILE_FAULTS, read_plan
from sandbox.frontdb import load, spoil

AS_OF = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("cadence", "day"),
    [
        ("monthly", date(2026, 11, 1)),
        ("quarterly", date(2026, 10, 1)),
        ("weekly", date(2026, 11, 16)),
        ("daily", AS_OF),
    ],
)
def test_which_file_is_due(cadence: str, day: date) -> None:
    assert due_on(cadence, AS_OF) == day
    assert due_on(cadence, day) == day


def test_the_drop_folder_holds_what_is_due_with_checksums(county: County, tmp_path: Path) -> None:
    written = drop(county, tmp_path, AS_OF)
    assert sorted(f"{p.parent.name}/{p.name}" for p in written) == [
        "disability_federation/certificates_20261101.csv",
        "housing/dwellings_20261001.xlsx",
        "housing/retrofits_20261001.xlsx",
        "monitoring/cases_20261116.xlsx",
    ]
    for path in written:
        digest, name = checksum_path(path).read_text().split()
        assert (digest, name) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
    assert drop(county, tmp_path, AS_OF) == []
    assert [p.name for p in drop(county, tmp_path, date(2026, 11, 23))] == ["cases_20261123.xlsx"]
    before = written[1].read_bytes()
    write_file(county, contract_for("dwellings"), date(2026, 10, 1), written[1])
    assert written[1].read_bytes() == before


def test_a_sheet_has_titles_above_a_header_on_row_three_and_text_alone(
    county: County, tmp_path: Path
) -> None:
    path = tmp_path / "dwellings_20261001.xlsx"
    write_file(county, contract_for("dwellings"), date(2026, 10, 1), path)
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    contract = contract_for("dwellings")
    assert rows[0][0]
    assert not any(rows[0][1:])
    assert rows[2] == [f.physical_name for f in contract.fields]
    assert {type(cell) for row in rows[3:] for cell in row} == {str}
    expected = [
        row
        for row in county.rows("dwellings", end_of(datetime(2026, 10, 1))).to_pylist()
        if row["_op"] == "U"
    ]
    assert {row[0] for row in rows[3:]} == {row["房屋编号"] for row in expected}
    numbers = {row["房屋编号"]: row["产权人证件号码"] or "" for row in expected}
    assert all(row[1] == numbers[str(row[0])] for row in rows[3:])


def test_a_csv_is_gb18030_with_its_header_first(county: County, tmp_path: Path) -> None:
    path = tmp_path / "certificates_20261101.csv"
    write_file(county, contract_for("certificates"), date(2026, 11, 1), path)
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("gb18030"), newline="")))
    assert rows[0] == [f.physical_name for f in contract_for("certificates").fields]
    expected = [
        row
        for row in county.rows("certificates", end_of(datetime(2026, 11, 1))).to_pylist()
        if row["_op"] == "U"
    ]
    assert sorted(row[0] for row in rows[1:]) == sorted(row["残疾人证号"] for row in expected)


@pytest.mark.parametrize("fault", FILE_FAULTS)
@pytest.mark.parametrize("records", ["certificates", "cases"])
def test_each_fault_of_a_file(county: County, tmp_path: Path, records: str, fault: str) -> None:
    contract = contract_for(records)
    sound, path = (
        tmp_path / name / f"x.{'csv' if records == 'certificates' else 'xlsx'}"
        for name in ("sound", "bad")
    )
    write_file(county, contract, date(2026, 11, 1), sound)
    write_file(county, contract, date(2026, 11, 1), path, fault)
    if fault == "growing":
        assert not checksum_path(path).exists()
    elif fault == "wrong_checksum":
        assert (
            checksum_path(path).read_text().split()[0]
            != hashlib.sha256(path.read_bytes()).hexdigest()
        )
    elif (fault in ("missing_sheet", "merged_cells") and records == "certificates") or (
        fault == "wrong_encoding" and records == "cases"
    ):
        assert path.read_bytes() == sound.read_bytes()
    else:
        assert path.read_bytes() != sound.read_bytes()
    with pytest.raises(ValueError, match="no fault"):
        write_file(county, contract, date(2026, 11, 1), path, "gremlins")


def _table(url: str, name: str) -> dict[str, tuple[object, ...]]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f'select * from "{name}"')).all()
    engine.dispose()
    return {str(row[0]): tuple(row) for row in rows}


def test_the_front_end_database_follows_the_days(county: County, tmp_path: Path) -> None:
    url, anew = (f"sqlite:///{tmp_path / name}.sqlite" for name in ("front", "anew"))
    name = "rural_revitalisation__members"
    first = load(county, url, date(2026, 11, 10))[name]
    step = load(county, url, AS_OF)[name]
    assert 0 < step < first / 5
    assert load(county, url, AS_OF) == dict.fromkeys(load(county, anew, AS_OF), 0)
    for table in load(county, anew, AS_OF):
        assert _table(url, table) == _table(anew, table), table
    in_force = [
        row
        for row in county.rows("members", end_of(datetime(2026, 11, 19))).to_pylist()
        if row["_op"] == "U"
    ]
    assert set(_table(url, name)) == {row["人编号"] for row in in_force}
    load(county, url, date(2026, 11, 10))
    assert len(_table(url, name)) == first


@pytest.mark.parametrize("fault", DATABASE_FAULTS)
def test_each_fault_of_a_database(county: County, tmp_path: Path, fault: str) -> None:
    url = f"sqlite:///{tmp_path / 'front.sqlite'}"
    load(county, url, AS_OF)
    contract = contract_for("households")
    engine = sa.create_engine(url)
    spoil(url, contract, fault)
    inspector = sa.inspect(engine)
    if fault == "missing_table":
        assert not inspector.has_table(contract.table)
    else:
        assert contract.fields[-2].physical_name not in {
            column["name"] for column in inspector.get_columns(contract.table)
        }
    assert load(county, url, AS_OF)[contract.table] > 1900
    assert contract.fields[-2].physical_name in {
        column["name"] for column in sa.inspect(engine).get_columns(contract.table)
    }


def test_one_plan_spoils_files_and_tables_from_the_command_line(
    county: County, tmp_path: Path
) -> None:
    plan, url = tmp_path / "plan.json", f"sqlite:///{tmp_path / 'front.sqlite'}"
    plan.write_text(
        json.dumps(
            [
                {"records": "cases", "fault": "growing"},
                {"records": "members", "fault": "missing_table"},
            ]
        )
    )
    common = [
        "--home",
        str(county.home),
        "--households",
        "2000",
        "--seed",
        "7",
        "--as-of",
        AS_OF.isoformat(),
        "--faults",
        str(plan),
    ]
    assert main(["drop", *common, "--dir", str(tmp_path / "drop")]) == 0
    assert main(["front-db", *common, "--url", url]) == 0
    assert {p.name for p in (tmp_path / "drop" / "monitoring").iterdir()} == {"cases_20261116.xlsx"}
    engine = sa.create_engine(url)
    assert not sa.inspect(engine).has_table("rural_revitalisation__members")
    plan.write_text(json.dumps([{"records": "cases", "fault": "gremlins"}]))
    with pytest.raises(ValueError, match="no fault"):
        read_plan(plan)


def test_the_program_serves_and_ends_with_its_parent(county: County, tmp_path: Path) -> None:
    key, ready = tmp_path / "key", tmp_path / "ready.json"
    key.write_text("secret-of-the-test")
    arguments = [
        "serve",
        "--home",
        str(county.home),
        "--households",
        "2000",
        "--seed",
        "7",
        "--sid",
        "me",
        "--key-file",
        str(key),
    ]
    command = [sys.executable, "-m", "sandbox", *arguments, "--ready-file", str(ready)]
    # a shell between, which is killed: the gateway must not stay behind
    parent = subprocess.Popen(
        ["/bin/sh", "-c", " ".join(command) + " & wait"], stderr=subprocess.DEVNULL
    )
    try:
        _wait(ready.exists)
        note = json.loads(ready.read_text())
        assert note["url"].startswith("http://127.0.0.1:")
    finally:
        parent.kill()
        parent.wait()
    _wait(lambda: not _runs(note["pid"]))


def test_the_program_ends_on_sigterm(county: County, tmp_path: Path) -> None:
    key, ready = tmp_path / "key", tmp_path / "ready.json"
    key.write_text("secret-of-the-test")
    arguments = [
        "serve",
        "--home",
        str(county.home),
        "--households",
        "2000",
        "--seed",
        "7",
        "--sid",
        "me",
        "--key-file",
        str(key),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments, "--ready-file", str(ready)],
        stderr=subprocess.DEVNULL,
    )
    _wait(ready.exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def _wait(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def test_an_office_that_says_how_it_names_its_files_delivers_them_itself(
    county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contract that was written for a real office's file is none that the sandbox could write;
    the others' files come.
    """
    own = dataclasses.replace(
        contract_for("dwellings"), server={"form": "file", "files": "农房排查{YYYY}年*"}
    )
    monkeypatch.setattr("sandbox.drop.by_file", lambda everything: (own, contract_for("retrofits")))
    assert [path.name for path in drop(county, tmp_path, AS_OF)] == ["retrofits_20261001.xlsx"]
