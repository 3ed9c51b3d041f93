"""The house as one Dagster resource: settings, engine, lake, departments and warehouse of a run.

Belongs here: opening and closing them, and the names under which tables are read and kept. Not here: what is computed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import sqlalchemy as sa
from pydantic import PrivateAttr

from expectations.contract import BASE_REGISTER, Contract, load_contracts
from expectations.engine import parquet
from resources.departments import Departments
from resources.engine import ComputeEngine, Engine
from resources.lake import Lake, Written
from resources.lock import run_lock
from resources.server import Server, warehouse_server
from resources.settings import Settings, load_settings
from resources.storage import held_open
from warehouse.counties import place_households, placed
from warehouse.review import ANSWERS_UP_TO

LAYER_OF = {
    "person": "household",
    "person_key_map": "household",
    "review_queue": "household",
    "linkage_quality": "household",
    "source_status": "household",
    "household": "household",
    "household_member": "household",
    "household_indicator": "household",
    "warning_reason": "flags",
    "warning_flag": "flags",
    "flag_change": "flags",
    "verify_item": "flags",
    "follow_up_task": "flags",
    "case_progress": "flags",
    "area_ledger": "flags",
    "bulletin": "flags",
    "household_card": "flags",
}
"""The lake layer of every table that is not `valid_…` or `matched_…`."""

HELD_BACK = ("release", "held_back")
"""Notes in the lake: the days whose release did not pass its audit."""

DECISIONS = pa.schema(
    [(name, pa.string()) for name in ("queue_id", "decision", "person_key", "decided_by")] + [("decided_at", pa.timestamp("us"))]
)

BY_COUNTY_FROM = 500_000
"""Households from which a register of several counties is worked through county by county, unless a setting says otherwise."""

LOCK_WAIT_SECONDS = 3600.0
"""A run that the UI or the daemon starts waits this long for the run before it."""


def decisions(server: Server, as_of: date) -> Sequence[sa.Row[Any]]:
    """The stewards' answers that count on `as_of`; none before the first release."""
    engine = server.engine()
    try:
        with engine.connect() as connection:
            if connection.execute(sa.text("select to_regclass('ops.review_decision')")).scalar() is None:
                return []
            return connection.execute(sa.text(ANSWERS_UP_TO), {"as_of": as_of}).all()
    finally:
        engine.dispose()


def open_engine(settings: Settings) -> ComputeEngine:
    """The engine that `YIHU_ENGINE` names."""
    folder = settings.home / "tmp"
    if settings.engine == "spark":
        from resources.spark import SparkEngine  # pyspark is there in its own environment only

        return SparkEngine(folder, settings.spark_master)
    return Engine(folder, memory_limit=settings.engine_memory)


def place(table: str) -> tuple[str, str]:
    """Layer and folder of an engine table: `valid_x` is (`valid`, `x`), `person` is (`household`, `person`)."""
    prefix, _, rest = table.partition("_")
    return (prefix, rest) if prefix in ("valid", "matched") else (LAYER_OF[table], table)


class House(dg.ConfigurableResource):
    """Everything that an asset needs of the world outside, opened once for a run and closed after it."""

    _settings: Settings | None = PrivateAttr(default=None)
    _engine: ComputeEngine | None = PrivateAttr(default=None)
    _lake: Lake | None = PrivateAttr(default=None)
    _departments: Departments | None = PrivateAttr(default=None)
    _read: dict[str, date] = PrivateAttr(default_factory=dict)
    _open_services: ExitStack | None = PrivateAttr(default=None)
    _server: Server | None = PrivateAttr(default=None)
    _is_reading_ahead: bool = PrivateAttr(default=False)
    _stashed: dict[str, tuple[date, Path]] = PrivateAttr(default_factory=dict)
    _by_county: dict[date, bool] = PrivateAttr(default_factory=dict)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[House]:
        os.umask(0o077)
        settings = load_settings()
        with (
            run_lock(settings.home, wait_seconds=LOCK_WAIT_SECONDS),
            held_open(),
            ExitStack() as services,
        ):
            self._open_services, self._server = services, None
            self._settings = settings
            self._lake = Lake(settings.lake)
            self._engine = open_engine(settings)
            self._departments = Departments(settings, self._lake)
            self._read, self._is_reading_ahead = {}, False
            self._stashed, self._by_county = {}, {}
            try:
                yield self
            finally:
                shutil.rmtree(settings.home / "tmp" / "by_county", ignore_errors=True)
                self._departments.close()
                self._engine.close()

    @property
    def settings(self) -> Settings:
        return _open(self._settings)

    @property
    def engine(self) -> ComputeEngine:
        return _open(self._engine)

    @property
    def reading(self) -> House:
        """The same house with the engine's reader as its engine: for what is read out of the lake and computed no further."""
        if self.engine.reader is self.engine:
            return self
        other = House()
        other._settings, other._lake, other._departments = self._settings, self._lake, self._departments
        other._open_services, other._server, other._engine = self._open_services, self.server, self.engine.reader
        return other

    @property
    def lake(self) -> Lake:
        return _open(self._lake)

    @property
    def departments(self) -> Departments:
        return _open(self._departments)

    @property
    def server(self) -> Server:
        """The warehouse's PostgreSQL, started when first asked for and left as it was found."""
        if self._server is None:
            self._server = _open(self._open_services).enter_context(warehouse_server(self.settings.home, self.settings.warehouse_url))
        return self._server

    def contracts(self) -> tuple[Contract, ...]:
        return load_contracts()

    def read_ahead(self, selection: AbstractSet[dg.AssetKey] | None, as_of: date) -> None:
        """Begins, once a run, to read what the run is going to ask for; `selection` None means everything."""
        if self._is_reading_ahead:
            return
        self._is_reading_ahead = True
        asked = [c for c in self.contracts() if selection is None or dg.AssetKey(f"raw_{c.table}") in selection]
        self.departments.prefetch(asked, as_of)

    def use(self, table: str, as_of: date) -> str:
        """Makes `table` of the day readable on the engine under its own name, from the lake; returns the name.

        A table that this run reads already is left as it is.
        """
        if self._read.get(table) == as_of and self.engine.exists(table):
            return table
        layer, name = place(table)
        files = self.lake.files(layer, name, as_of)
        if files is None:
            raise dg.Failure(f"{table} has no day {as_of} in the lake: materialise {table} for {as_of} first, then this asset again")
        self.engine.parquet_view(table, files)
        self._read[table] = as_of
        return table

    def use_previous(self, table: str, as_of: date) -> str | None:
        """`previous_<table>`: the table's newest day before `as_of`, with `_as_of`; None (and no view) on a first day."""
        layer, name = place(table)
        day = self.lake.latest(layer, name, as_of)
        if day is None:
            return None
        self.engine.view(f"previous_{table}", f"select *, date '{day}' as _as_of from {self.lake.relation(layer, name, day)}")
        return f"previous_{table}"

    def use_decisions(self, as_of: date) -> None:
        """`review_decision`: what stewards had answered by the end of the day, from the warehouse."""
        answers = [dict(zip(DECISIONS.names, answer, strict=True)) for answer in decisions(self.server, as_of)]
        self.engine.from_arrow("review_decision", pa.Table.from_pylist(answers, DECISIONS))

    def is_by_county(self, as_of: date) -> bool:
        """Whether the day is worked through county by county (`YIHU_BY_COUNTY`): always the same for the same register."""
        if as_of not in self._by_county:
            files = self.lake.files("valid", f"{BASE_REGISTER}__households", as_of)
            asked = None if files is None or self.settings.by_county == "no" or self.settings.engine != "duckdb" else files
            counted = "select count(*), count(distinct substr(area_code, 1, 6)) from "
            households, counties = (0, 0) if asked is None else self.engine.rows(counted + parquet(asked))[0]
            self._by_county[as_of] = counties > 1 and (self.settings.by_county == "yes" or households >= BY_COUNTY_FROM)
        return self._by_county[as_of]

    def counties(self, as_of: date) -> list[str]:
        """The counties of the register's households, ascending; `household_county` on the engine says which household's is which."""
        for records in ("households", "members"):
            self.use(f"valid_{BASE_REGISTER}__{records}", as_of)
        if not self.engine.exists("household_county"):
            place_households(self.engine)
        return [str(county) for (county,) in self.engine.rows("select distinct county from household_county order by county")]

    def share(self, table: str) -> Path:
        """The engine's table as a file that other engines of this run read."""
        folder = self.settings.home / "tmp" / "by_county"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.engine.copy(f'select * from "{table}" order by 1', folder / f"{table}.parquet")
        return folder / f"{table}.parquet"

    def begin_stash(self, table: str, as_of: date) -> None:
        """Makes an empty place where the counties of a table can be put aside, until `keep` takes them into the lake."""
        folder = self.settings.home / "tmp" / "by_county" / table
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self._stashed[table] = (as_of, folder)

    def stash(self, engine: ComputeEngine, table: str, order: str, county: str) -> None:
        """Puts a county's rows of `engine`'s table aside; several engines may do so at once."""
        of_county = self._stashed[table][1] / f"county={county}"
        of_county.mkdir(mode=0o700)
        engine.copy(f'select * from "{table}" order by {order}', of_county / "part-0.parquet")

    def stashed(self, table: str, as_of: date) -> Path | None:
        """Where a table's counties lie that were put aside for the day."""
        day, folder = self._stashed.get(table, (None, None))
        return folder if day == as_of else None

    def use_stash(self, table: str) -> None:
        """`table` on the engine: all counties that were put aside."""
        self.engine.parquet_view(table, str(self._stashed[table][1] / "county=*" / "*.parquet"))

    def unstash(self, table: str) -> None:
        """Gives up what was put aside of a table."""
        _, folder = self._stashed.pop(table, (None, None))
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def forget(self, table: str) -> None:
        """The engine's table is not the lake's day any more: the next `use` reads the lake."""
        self._read.pop(table, None)

    def keep(self, table: str, as_of: date, order: str, county: str | None = None) -> Written:
        """Writes the engine's table or view `table` to its place in the lake, in the total order `order`; it is read from there then.

        What was put aside county by county is taken as it is; a day by county lays matched rows and persons by county too.
        """
        layer, name = place(table)
        stashed = self.stashed(table, as_of)
        if stashed is not None:
            del self._stashed[table]
            return self._kept(table, as_of, self.lake.adopt(layer, name, as_of, stashed))
        if (layer == "matched" or table == "person") and self.is_by_county(as_of):
            self.counties(as_of)
            self.engine.table(f"placed_{table}", placed(f'"{table}"', order))
            self.engine.drop(table)
            written = self.lake.spread(self.engine, layer, name, as_of, f'"placed_{table}"')
            self.engine.drop(f"placed_{table}")
            return self._kept(table, as_of, written.path)
        written = self.lake.write(self.engine, layer, name, as_of, f'select * from "{table}"', order, county)
        self._read_anew(table, as_of)
        return written

    def _kept(self, table: str, as_of: date, path: Path) -> Written:
        self._read_anew(table, as_of)
        rows = int(self.engine.scalar(f'select count(*) from "{table}"'))
        return Written(path, rows, tuple(self.lake.counties(*place(table), as_of)))

    def _read_anew(self, table: str, as_of: date) -> None:
        """The engine reads the table from the lake from now on."""
        self.forget(table)
        self.use(table, as_of)


def _open(part: Any) -> Any:
    if part is None:
        raise RuntimeError("the house is closed: use it inside a Dagster run, or `with House().yield_for_execution(…)`")
    return part
