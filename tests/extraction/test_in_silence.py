"""What once went wrong in silence, each as the kind that it is: a part delivered as the whole, a
column under another name, an update time of a day to come, an answer without rows. From the
department's folder, table or gateway to the state of the day.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, contract_for
from pipelines.operator.status import sources
from resources.departments import Departments
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import Settings
from tests.extraction.conftest import NOW, as_form
from tests.extraction.gateway import Gateway
from tests.extraction.test_files import csv_bytes, put, xlsx_bytes
from tests.validation.rows import good_row, id_number
from warehouse.asof import make_valid

D1, D2, D3 = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
CERTIFICATES, DWELLINGS, HOUSEHOLDS = (
    contract_for("certificates"),
    contract_for("dwellings"),
    contract_for("households"),
)
Row = dict[str, Any]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "spill", threads=1)
    yield engine
    engine.close()


class Source:
    """One department: what it delivers, and the state of the day that comes of it."""

    def __init__(
        self,
        contract: Contract,
        departments: Departments,
        engine: Engine,
        lake: Lake,
        settings: Settings,
    ) -> None:
        self.contract, self.departments, self.engine, self.lake, self.settings = (
            contract,
            departments,
            engine,
            lake,
            settings,
        )

    def file(
        self,
        day: date,
        rows: Sequence[Row],
        names: dict[str, str] | None = None,
        checksum: bool = True,
    ) -> None:
        """The day's file; `names`: headers that are written otherwise."""
        assert self.settings.drop_dir is not None
        folder = self.settings.drop_dir / self.contract.department
        folder.mkdir(exist_ok=True)
        fields = self.contract.fields
        header = [(names or {}).get(f.physical_name, f.physical_name) for f in fields]
        table = [header, *([_cell(row.get(f.name)) for f in fields] for row in rows)]
        is_book = self.contract.server["format"] == "xlsx"
        content = xlsx_bytes(table) if is_book else csv_bytes(table)
        path = put(
            folder,
            f"{self.contract.records}_{day:%Y%m%d}.{'xlsx' if is_book else 'csv'}",
            content,
            "right" if checksum else None,
        )
        if not checksum:  # it stands still since yesterday
            os.utime(path, (NOW.timestamp() - 86_400, NOW.timestamp() - 86_400))

    def table(self, rows: Sequence[Row], names: dict[str, str] | None = None) -> None:
        """The front-end database's table as it is now."""
        path = str(self.settings.front_db_url).removeprefix("sqlite:///")
        columns = [
            (names or {}).get(f.physical_name, f.physical_name) for f in self.contract.fields
        ]
        with sqlite3.connect(path) as connection:
            connection.execute(f'drop table if exists "{self.contract.table}"')
            declared = ", ".join(f'"{column}" text' for column in columns)
            connection.execute(f'create table "{self.contract.table}" ({declared})')
            marks = ", ".join("?" for _ in columns)
            values = [
                [_cell(row.get(f.name)) or None for f in self.contract.fields] for row in rows
            ]
            connection.executemany(f'insert into "{self.contract.table}" values ({marks})', values)

    def run(self, day: date) -> dict[str, Any]:
        self.departments.read_day(self.contract, day, NOW)
        return make_valid(self.engine, self.lake, self.contract, day)

    def state(self, day: date, columns: str) -> list[tuple[Any, ...]]:
        rows = self.lake.relation("valid", self.contract.table, day)
        return self.engine.rows(f"select {columns} from {rows} order by 1")


@pytest.fixture
def source(departments: Departments, engine: Engine, lake: Lake, settings: Settings) -> Any:
    return lambda contract: Source(contract, departments, engine, lake, settings)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return (
        {"True": "true", "False": "false"}.get(text, text).replace("T", " ").replace("+08:00", "")
    )


def certificates(count: int, at: str = "2026-11-01 09:00:00", **more: Any) -> list[Row]:
    return [
        good_row(CERTIFICATES, n) | {"name": "徐小明", "updated_at": at, **more}
        for n in range(count)
    ]


def dwellings(count: int) -> list[Row]:
    return [good_row(DWELLINGS, n) | {"updated_at": "2026-11-01 09:00:00"} for n in range(count)]


def households(count: int, at: str = "2026-11-01 09:00:00") -> list[Row]:
    return [good_row(HOUSEHOLDS, n) | {"updated_at": at} for n in range(count)]


# a part that was delivered as the whole


def test_one_corrected_row_is_not_the_whole(source: Any, settings: Settings) -> None:
    """A federation sends 12 certificates, and the next day the one that it corrected: the other 11
    are not withdrawn.
    """
    federation = source(CERTIFICATES)
    federation.file(D1, certificates(12))
    assert federation.run(D1)["in_force"] == 12
    federation.file(D2, certificates(1, at="2026-11-17 09:00:00", status="3"))
    ledger = federation.run(D2)
    assert (ledger["state"], ledger["in_force"], ledger["withdrawn_keys"]) == ("rejected", 12, 0)
    assert (ledger["rejection"]["rule"], ledger["rejection"]["rows"]) == (
        "batch:withdrawn_share",
        11,
    )
    assert federation.run(D3)["state"] == "rejected"  # it lies there still
    (said,) = [
        finding
        for finding in sources(settings)
        if finding.what == "disability_federation certificates" and not finding.is_warning
    ]
    assert (
        "certificates-20261117-01 of 2026-11-17 was refused by batch:withdrawn_share, 11 rows"
        in said.seen
    )
    assert "what stands is of 2026-11-16, 2 days old" in said.seen
    assert "make open-gate RECORDS=certificates BATCH=certificates-20261117-01" in said.next_step
    assert id_number(0) not in said.seen + said.next_step


def test_a_townships_file_under_two_names_is_not_the_county(source: Any) -> None:
    """The second month brings one township's file twice, another's not at all: nobody is
    withdrawn.
    """
    in_parts = CERTIFICATES.server | {"files": "{part}持证{YYYY}年{M}月", "parts": 3}
    federation = source(dataclasses.replace(CERTIFICATES, server=in_parts))
    folder = federation.settings.drop_dir / CERTIFICATES.department
    folder.mkdir()
    header = [f.physical_name for f in CERTIFICATES.fields]
    towns = {town: certificates(40)[n::13] for n, town in enumerate(("石门镇", "青溪镇", "白鹤镇"))}

    def deliver(month: int, sent: dict[str, list[Row]]) -> None:
        for town, rows in sent.items():
            table = [
                header,
                *([_cell(row.get(f.name)) for f in CERTIFICATES.fields] for row in rows),
            ]
            put(folder, f"{town}持证2026年{month}月.csv", csv_bytes(table), "right")

    deliver(10, towns)
    assert federation.run(D1)["in_force"] == sum(map(len, towns.values()))
    deliver(11, towns | {"白鹤镇": towns["石门镇"]})
    ledger = federation.run(D2)
    assert (ledger["state"], ledger["rejection"]["rule"], ledger["rejection"]["rows"]) == (
        "rejected",
        "batch:key_in_two_parts",
        4,
    )
    assert "白鹤镇持证2026年11月.csv, 石门镇持证2026年11月.csv" in ledger["rejection"]["reasons"][0]
    assert (ledger["in_force"], ledger["withdrawn_keys"]) == (sum(map(len, towns.values())), 0)


def test_half_a_workbook_is_not_the_whole(source: Any) -> None:
    housing = source(DWELLINGS)
    housing.file(D1, dwellings(40))
    assert housing.run(D1)["in_force"] == 40
    housing.file(D2, dwellings(20))
    ledger = housing.run(D2)
    assert (ledger["state"], ledger["rejection"]["rule"], ledger["rejection"]["rows"]) == (
        "rejected",
        "batch:withdrawn_share",
        20,
    )
    housing.file(D3, dwellings(39))
    ledger = housing.run(D3)
    assert (ledger["state"], ledger["in_force"], ledger["batches"][0]["lacked"]) == ("ok", 39, 1)


def test_a_text_without_checksum_that_lacks_its_end(source: Any) -> None:
    federation = source(CERTIFICATES)
    federation.file(D1, certificates(60))
    federation.run(D1)
    federation.file(D2, certificates(57), checksum=False)
    ledger = federation.run(D2)
    assert (ledger["state"], ledger["rejection"]["rule"], ledger["rejection"]["rows"]) == (
        "rejected",
        "batch:unchecked",
        3,
    )
    federation.file(D2, certificates(57))  # the checksum comes after all
    ledger = federation.run(D2)
    assert (ledger["state"], ledger["in_force"]) == ("ok", 57)


def test_a_table_that_was_emptied_withdraws_nobody(source: Any) -> None:
    register = source(HOUSEHOLDS)
    register.table(households(40))
    sunday = date(2026, 11, 15)
    register.run(sunday - timedelta(days=2))
    register.table(households(3))
    ledger = register.run(sunday)
    assert (ledger["state"], ledger["in_force"], ledger["rejection"]["rule"]) == (
        "rejected",
        40,
        "batch:withdrawn_share",
    )


# a column under another name

RENAMED = {"工资性收入": "工资性收入（元）"}


def wage() -> str:
    return HOUSEHOLDS.field("wage_income").physical_name


def test_a_first_read_that_lacks_a_column_says_which_indicators_wait(
    source: Any, settings: Settings
) -> None:
    register = source(HOUSEHOLDS)
    register.table(households(30), {wage(): f"{wage()}_yuan"})
    ledger = register.run(D1)
    assert ledger["state"] == "ok"
    (warned,) = [w for w in ledger["warnings"] if w["key"] == f"column:missing:{wage()}"]
    assert f"it may be called '{wage()}_yuan' now" in warned["said"]
    assert "indicators B" in warned["said"]
    assert any(
        finding.is_warning and warned["said"] == finding.seen for finding in sources(settings)
    )


def test_a_column_that_is_called_otherwise_from_one_day_on(source: Any) -> None:
    register = source(HOUSEHOLDS)
    register.table(households(30))
    before = register.run(D1)["in_force"]
    register.table(households(30, at="2026-11-17 09:00:00"), {wage(): f"{wage()}（元）"})
    ledger = register.run(D2)
    assert (ledger["state"], ledger["rejection"]["rule"]) == (
        "rejected",
        "batch:vanished:wage_income",
    )
    assert (ledger["rejection"]["rows"], ledger["in_force"]) == (30, before)
    assert (None,) not in register.state(D2, "wage_income")


def test_a_header_of_a_file_that_lost_a_column_s_name(source: Any) -> None:
    federation = source(CERTIFICATES)
    rows = certificates(30, expires_on="2036-10-01")
    federation.file(D1, rows)
    federation.run(D1)
    federation.file(D2, rows, {"有效期至": "证件截止"})
    ledger = federation.run(D2)
    assert (ledger["state"], ledger["rejection"]["rule"]) == (
        "rejected",
        "batch:vanished:expires_on",
    )


def test_an_answer_whose_rows_lost_a_field(source: Any, gateway: Gateway) -> None:
    contract = as_form(CERTIFICATES, "api")
    name = f"{contract.department}/{contract.records}"
    rows = [
        {f.physical_name: row[f.name] for f in contract.fields} | {"_op": "U"}
        for row in certificates(25, expires_on="2036-10-01")
    ]
    gateway.updated_at = contract.by_role("updated_at").physical_name
    gateway.rows[name] = [row | {gateway.updated_at: "2026-11-10T09:00:00+08:00"} for row in rows]
    federation = source(contract)
    assert federation.run(D1)["state"] == "ok"
    gateway.rows[name] = [
        {k: v for k, v in row.items() if k != "有效期至"}
        | {gateway.updated_at: "2026-11-17T09:00:00+08:00"}
        for row in rows
    ]
    ledger = federation.run(D2)
    assert (ledger["state"], ledger["rejection"]["rule"]) == (
        "rejected",
        "batch:vanished:expires_on",
    )


# an update time of a day to come


def test_an_update_time_of_2062_is_never_in_force(source: Any) -> None:
    """A typing error in one row of the first file; the second file has it right and says that the
    certificate is cancelled.
    """
    federation = source(CERTIFICATES)
    first, second = certificates(2)
    federation.file(D1, [first | {"updated_at": "2062-11-01 09:00:00"}, second])
    ledger = federation.run(D1)
    assert (ledger["in_force"], ledger["today"]["quarantined"], ledger["open_quarantine"]) == (
        1,
        1,
        1,
    )
    federation.file(D2, [first | {"updated_at": "2026-11-17 09:00:00", "status": "3"}, second])
    ledger = federation.run(D2)
    assert (ledger["in_force"], ledger["today"]["superseded"], ledger["open_quarantine"]) == (
        2,
        0,
        0,
    )
    assert ("3",) in federation.state(D2, "status")


def test_a_workbook_with_next_year_s_date(source: Any) -> None:
    housing = source(DWELLINGS)
    rows = dwellings(30)
    housing.file(D1, [rows[0] | {"updated_at": "2027-11-01 09:00:00"}, *rows[1:]])
    ledger = housing.run(D1)
    assert (ledger["in_force"], ledger["today"]["quarantined"]) == (29, 1)
    assert any(
        rule["rule"] == "future:updated_at" and rule["unexpected_count"] == 1
        for rule in ledger["rules"]
    )


@pytest.mark.parametrize(
    ("at", "is_in_force"), [("2026-11-17 23:59:59", True), ("2026-11-18 00:00:01", False)]
)
def test_a_clock_that_is_a_day_ahead_is_let_through(
    source: Any, at: str, is_in_force: bool
) -> None:
    federation = source(CERTIFICATES)
    federation.file(D1, [certificates(1)[0] | {"updated_at": at}, *certificates(30)[1:]])
    assert federation.run(D1)["in_force"] == (30 if is_in_force else 29)


def test_a_version_in_force_stays_when_a_later_one_is_of_a_day_to_come(source: Any) -> None:
    federation = source(CERTIFICATES)
    federation.file(D1, certificates(30))
    federation.run(D1)
    rows = certificates(30)
    federation.file(D2, [rows[0] | {"updated_at": "2062-11-01 09:00:00", "status": "3"}, *rows[1:]])
    ledger = federation.run(D2)
    assert (ledger["in_force"], ledger["open_quarantine"]) == (30, 1)
    assert ("3",) not in federation.state(D2, "status")


# an answer without rows


def test_an_empty_first_answer_is_asked_for_again(source: Any, gateway: Gateway) -> None:
    contract = contract_for("deaths")
    gateway.rows[f"{contract.department}/{contract.records}"] = []
    office = source(contract)
    ledger = office.run(D1)
    assert (len(gateway.asked), ledger["state"], ledger["rejection"]["rule"]) == (
        2,
        "missing",
        "batch:not_empty",
    )
    # the day run again is the same answer; the second day that says the same is believed
    assert office.run(D1)["state"] == "missing"
    ledger = office.run(D2)
    assert (ledger["state"], ledger["age_days"], ledger["in_force"]) == ("ok", 0, 0)


def test_rows_that_come_when_asked_again_are_taken(source: Any, gateway: Gateway) -> None:
    contract = contract_for("deaths")
    name = f"{contract.department}/{contract.records}"
    row = {f.physical_name: good_row(contract, 1)[f.name] for f in contract.fields} | {"_op": "U"}
    gateway.rows[name] = []

    def appears(asked: Any, reply: Any) -> None:
        if asked.number == 1:
            gateway.rows[name] = [row]

    gateway.fault = appears
    ledger = source(contract).run(D1)
    assert (ledger["state"], ledger["in_force"]) == ("ok", 1)


def test_an_empty_table_of_a_front_end_database(source: Any) -> None:
    contract = as_form(contract_for("deaths"), "sql")
    office = source(contract)
    office.table([])
    assert office.run(D1)["state"] == "missing"
    assert office.run(D2)["state"] == "ok"


def test_what_lies_there_is_named_where_an_operator_looks(source: Any, settings: Settings) -> None:
    federation = source(CERTIFICATES)
    federation.file(D1, certificates(12))
    assert settings.drop_dir is not None
    (settings.drop_dir / CERTIFICATES.department / "花名册.docx").write_bytes(b"a document")
    ledger = federation.run(D1)
    assert ledger["left_lying"] == 1
    assert any("花名册.docx" in warned["said"] for warned in ledger["warnings"])
    assert any("花名册.docx" in finding.seen for finding in sources(settings))
