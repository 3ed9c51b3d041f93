"""Hostile and broken sources of every form on one day: each is one failure of one source, the rest
is published.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from expectations.contract import contract_for, load_contracts
from resources.lake import Lake
from resources.server import warehouse_server
from sandbox import drop, frontdb
from sandbox.county import County
from sandbox.gateway import start
from tests.whole.conftest import FEW, pipelines
from tests.whole.days import KEY, PSEUDONYM, SID, ledger

pytestmark = pytest.mark.long

DAY = date(2026, 11, 19)
FAILS = {
    "deaths": "too_deep",
    "temporary_aid": "damaged",
    "assistance": "too_large",
    "reports": "too_large",
    "relief": "malformed",
    "cases": "too_large",
}


def hostile(answer: Any) -> Any:
    """The gateway's answers, some of them replaced."""

    def replaced(path: str, headers: Any) -> tuple[int, bytes, dict[str, str], Any]:
        status, body, extra, fault = answer(path, headers)
        match path.split("?")[0].rsplit("/", 1)[1]:
            case "deaths":
                return (
                    200,
                    b'{"code":0,"data":{"total":1,"cursor":null,"rows":[{"x":'
                    + b"[" * 100_000
                    + b"]" * 100_000
                    + b"}]}}",
                    {},
                    None,
                )
            case "temporary_aid":
                return (
                    200,
                    zlib.compress(body)[:30] + b"?" * 90,
                    {"Content-Encoding": "deflate"},
                    None,
                )
            case "assistance":
                return 200, gzip.compress(b" " * (800 << 20), 1), {"Content-Encoding": "gzip"}, None
            case "reports":
                return 200, b" " * (80 << 20), {}, None
            case "relief":
                return 200, b"OK", {}, None
            case "settlements" if b'"rows": []' not in body:
                return 200, b"\xef\xbb\xbf" + with_nul(body), {}, None
        return status, body, extra, fault

    return replaced


def with_nul(body: bytes) -> bytes:
    """Code 200, total as text, and a NUL behind every name of the page."""
    found = json.loads(body)
    name = contract_for("settlements").by_role("name").physical_name
    found["code"], found["data"]["total"] = 200, str(found["data"]["total"])
    for row in found["data"]["rows"]:
        row[name] = f"{row[name]}\0" if row.get(name) else None
    return json.dumps(found).encode()


def spoil_front(path: Path) -> None:
    """A NUL within every tenth name of the members."""
    members = contract_for("members")
    name, key = members.by_role("name").physical_name, members.record_key.physical_name
    with sqlite3.connect(path) as database:
        database.execute(
            f'update {members.table} set "{name}" = substr("{name}", 1, 1) || char(0) ||'
            f' substr("{name}", 2) where rowid in (select rowid from {members.table} order by'
            f' "{key}" limit (select count(*) / 10 from {members.table}))'
        )


def spoil_drop(folder: Path) -> None:
    federation = folder / "disability_federation"
    for name in (
        "certificates_2026-11-19.csv",
        "certificates_20261119(1).csv",
        "张三612429197001011234.xlsx",
        "a\nb.csv",
    ):
        (federation / name).write_bytes(b"x\n")
    (federation / "certificates_20261119.csv").symlink_to("/etc/passwd")
    os.mkfifo(federation / "certificates_20261118.csv")
    with (folder / "monitoring" / "cases_20261119.xlsx").open("wb") as sparse:
        sparse.truncate(1 << 40)


@dataclass(frozen=True)
class Ran:
    home: Path
    status: int
    printed: str


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    """Not under pytest's own folder: another pytest of the same user would lock the embedded server
    out of it.
    """
    with tempfile.TemporaryDirectory(prefix="yihu-hostile-") as name:
        folder = Path(name)
        home, dropped, front = folder / "home", folder / "drop", folder / "front.sqlite"
        home.mkdir()
        county = County(folder / "county", FEW, 6).make()
        drop.drop(county, dropped, DAY)
        frontdb.load(county, f"sqlite:///{front}", DAY)
        spoil_front(front)
        spoil_drop(dropped)
        server, url = start(county, SID, KEY.encode())
        server.gateway.answer = hostile(server.gateway.answer)  # type: ignore[method-assign]
        settings = {
            "YIHU_GATEWAY_URL": url, "YIHU_GATEWAY_SID": SID, "YIHU_GATEWAY_KEY": KEY,
            "YIHU_DROP_DIR": str(dropped),
            "YIHU_FRONT_DB_URL": f"sqlite:///{front}", "YIHU_PSEUDONYM_KEY": PSEUDONYM,
            "YIHU_AS_OF": DAY.isoformat(),
        }  # fmt: skip
        try:
            done = pipelines(home, "sync", **settings)
            yield Ran(home, done.returncode, done.stdout + done.stderr)
        finally:
            server.shutdown()
            server.server_close()


def test_the_release_comes(ran: Ran) -> None:
    assert ran.status == 0, ran.printed[-3000:]
    assert "Release" in ran.printed
    assert "Traceback" not in ran.printed
    assert "612429197001011234" not in ran.printed


def test_each_is_one_failure_of_one_source(ran: Ran) -> None:
    failed = {c.records: _failure(ran.home, c.table) for c in load_contracts()}
    assert {
        records: reason for records, reason in failed.items() if reason and records != "cases"
    } == {records: reason for records, reason in FAILS.items() if records != "cases"}


def test_what_lay_there_is_named(ran: Ran) -> None:
    pointer = _pointer(ran.home, contract_for("certificates").table)
    (line,) = [said for said in pointer["unread"] if said.startswith("left lying")]
    for name in (
        "certificates_2026-11-19.csv",
        "certificates_20261119(1).csv",
        "张三***.xlsx",
        "a\\u000ab.csv",
        "certificates_20261119.csv",
    ):
        assert name in line
    cases = _pointer(ran.home, contract_for("cases").table)
    assert "cases_20261119.xlsx (larger than 16 GiB)" in " ".join(cases["unread"])


def test_no_nul_went_further_than_landing(ran: Ran) -> None:
    for records in ("settlements", "members"):
        contract = contract_for(records)
        assert (
            ledger(ran.home, contract, DAY).get("rejected"),
            _failure(ran.home, contract.table),
        ) == (None, None)
        raw = ran.home / "lake" / "raw" / contract.table
        state = Lake(ran.home / "lake").relation("valid", contract.table, DAY)
        found = duckdb.sql(f"select {contract.by_role('name').name} from {state}").fetchall()
        assert len(found) > FEW / 2
        assert not any("\0" in name for (name,) in found if name)
        assert list(raw.glob("*/page-00001.came")) or records == "members"
    with warehouse_server(ran.home) as server:
        engine = server.engine()
        with engine.connect() as connection:
            households = connection.execute(
                sa.text("select count(*) from yihu.household")
            ).scalar_one()
        engine.dispose()
    assert households > FEW / 2


def _pointer(home: Path, table: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (home / "lake" / "raw" / table / f"as_of={DAY}.json").read_text(encoding="utf-8")
    )
    return found


def _failure(home: Path, table: str) -> str | None:
    failure = _pointer(home, table).get("failure")
    return failure["reason"] if failure else None
