"""What waits at the departments and has not been read yet:
whole files in the drop folder, new rows of one record type.

Belongs here: cheap questions between two runs. Nothing is kept of what is seen but keys' digests.
Not here: reading it into the lake (`departments`), when to ask (`pipelines.automation.sensors`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from expectations.contract import Contract
from expectations.engine import name
from resources.departments.batches import BatchStore
from resources.departments.dropped import Delivery
from resources.departments.errors import Fault
from resources.departments.files import Digest, offered
from resources.departments.left import look_for
from resources.departments.query import IN_WINDOW, connected, front_database, source_table
from resources.departments.reading import ApiReader, form_of
from resources.departments.retry import RetryPolicy
from resources.departments.sql import faults
from resources.departments.windows import Window, moment
from resources.lake import Lake
from resources.settings import Settings

PAGE_ROWS = 1_000
MOST_PAGES = 20
"""More new rows than these pages hold need no counting: something is new."""
WATCHING = RetryPolicy(
    connect_timeout=3.0,
    read_timeout=15.0,
    page_deadline=15.0,
    attempts=2,
    windows=1,
    budget=3.0,
    page_rows=PAGE_ROWS,
)


@dataclass(frozen=True)
class Waiting:
    """The newest whole delivery of a record type that nobody has read yet, if there is one,
    and why others are left.
    """

    delivery: Delivery | None
    sha256: str
    notes: tuple[str, ...]


def newest_ledger(lake: Lake, table: str, today: date) -> dict[str, Any] | None:
    """The newest ledger of a record type, today's included."""
    return lake.latest_note("ledger", table, today + timedelta(days=1))


def waiting_delivery(
    settings: Settings,
    store: BatchStore,
    contract: Contract,
    folder: Path,
    today: date,
    digest: Digest,
) -> Waiting:
    """Looks where a run would look: the newest whole delivery dated up to today,
    unless the state is built on a newer one.
    """
    state = str((newest_ledger(store.lake, contract.table, today) or {}).get("extract_date") or "")
    found = look_for(settings, folder / contract.department, contract)
    notes = []
    for delivery, offer in offered(contract, found, today, state, settings, digest):
        if isinstance(offer, str):
            notes.append(f"{contract.department}/{offer}")
            continue
        of_day = store.of_day(contract.table, contract.records, delivery.day)
        known = any((m.source, m.sha256) == (delivery.source, offer.sha256) for m in of_day)
        return Waiting(None if known else delivery, offer.sha256, tuple(notes))
    return Waiting(None, "", tuple(notes))


def changed_keys(
    settings: Settings, store: BatchStore, contract: Contract, window: Window
) -> frozenset[str]:
    """The record keys that came or changed in a window, withdrawals left out;
    none where the record type comes by file.

    Raises `SourceError` where the department cannot be asked.
    """
    try:
        match form_of(contract, settings):
            case "api":
                return frozenset(
                    _keys_of_api(ApiReader(settings, store, WATCHING), contract, window)
                )
            case "sql":
                return frozenset(_keys_of_table(settings, contract, window))
        return frozenset()
    except Fault as fault:
        raise fault.as_error(contract.department, contract.records, window.until.date()) from None


def keys_in_force(lake: Lake, contract: Contract, today: date) -> frozenset[str]:
    """The record keys of the newest state of a record type."""
    days = [day for day in lake.days("valid", contract.table) if day <= today]
    if not days:
        return frozenset()
    key = name(contract.record_key.name)
    rows = lake.relation("valid", contract.table, days[-1])
    with duckdb.connect() as connection:
        found = connection.execute(f"select {key} from {rows}").fetchall()
    return frozenset(str(key) for (key,) in found)


def watermark(lake: Lake, contract: Contract, today: date) -> datetime | None:
    """How far the newest state of a record type reaches; None where it was never read."""
    return moment((newest_ledger(lake, contract.table, today) or {}).get("watermark"))


def short_digest(key: str) -> str:
    """Stands for a record key where only equality matters."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _keys_of_api(reader: ApiReader, contract: Contract, window: Window) -> Iterator[str]:
    client = reader.client(contract, WATCHING)
    name = contract.record_key.physical_name
    parameters = {**window.parameters, "limit": str(PAGE_ROWS)}
    try:
        page = client.page(parameters)
        for _ in range(MOST_PAGES):
            for row in msgspec.json.decode(page.body)["data"]["rows"]:
                if row.get("_op") != "D":
                    yield str(row.get(name))
            if page.cursor is None:
                return
            page = client.page(parameters, page.cursor)
    finally:
        client.close()


def _keys_of_table(settings: Settings, contract: Contract, window: Window) -> Iterator[str]:
    if settings.front_db_url is None:
        raise Fault(
            "none",
            "not_configured",
            "no front-end database is named",
            "set YIHU_FRONT_DB_URL to its SQLAlchemy address",
        )
    engine = front_database(settings.front_db_url, WATCHING)
    try:
        with faults(), connected(engine) as connection:
            table = source_table(connection, contract)
            select = table.select(IN_WINDOW, window, None)
            if not table.is_sifted:
                select = select.limit(PAGE_ROWS * MOST_PAGES)
            for rows in (
                connection.execution_options(stream_results=True)
                .execute(select)
                .partitions(PAGE_ROWS)
            ):
                for row in table.sifted(rows, window):
                    yield str(row[-1])
    finally:
        engine.dispose()
