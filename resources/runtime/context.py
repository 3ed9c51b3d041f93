"""The house as one Dagster resource: settings, engine, lake, departments and warehouse of a run.

Belongs here: opening and closing them, and the names under which tables are read and kept. Not
here: what is computed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import sqlalchemy as sa
from pydantic import Field, PrivateAttr

from expectations.contract import BASE_REGISTER, Contract, load_contracts
from expectations.engine import name
from expectations.errors import YihuError
from resources.departments import Departments
from resources.engines.duckdb import ComputeEngine, Engine
from resources.lake import NO_COUNTY, Lake, Written
from resources.release_folders import complete_before_replacing
from resources.runtime.begin import begun
from resources.runtime.dagster_storage import pooled_sqlite
from resources.runtime.failures import failure
from resources.runtime.stopping import forget, listen, stop_here
from resources.server import Server, warehouse_server
from resources.settings import Settings, today
from warehouse.counties import placed
from warehouse.database.review import ANSWERS_UP_TO
from warehouse.graph.base import Base, base_of, computed_by, entry
from warehouse.graph.inputs import LakeInputs, MissingInput
from warehouse.graph.laying import BEFORE, NOW, differing
from warehouse.graph.moment import Moment, Touched, day_moment
from warehouse.graph.proof import Proof
from warehouse.graph.registry import key_of, layer_and_folder, order_of, stored_tables
from warehouse.graph.runner import Runner
from warehouse.graph.touched import TouchedSet, everybody, touch
from warehouse.graph.under import (
    MADE,
    Under,
    moment_under,
    note_of,
    under_in_lake,
    under_of_release,
)
from warehouse.layouts import NEWEST
from warehouse.migrations.run import upgrade
from warehouse.schema.lake import CONTRADICTION_ALIAS, OPENING, STEWARD_DECISION, types_of
from warehouse.sources import ledger_table

ALIASES = ("flags", "contradiction_alias")
"""Notes in the lake: the ids that contradictions of a day had before it was made again."""
OF_A_COUNTY = "substr(area_code, 1, 6)"
"""The county of a row that has an area."""

BY_COUNTY_FROM = 500_000
"""Households from which a register of several counties is worked through county by county,
unless a setting says otherwise.
"""

WORTH_FROM = 20_000
"""Households from which on a day is laid over the one before, unless a setting says otherwise."""


def decisions(server: Server, as_of: date) -> Sequence[sa.Row[Any]]:
    """The stewards' answers that count on `as_of`; none before the first release."""
    engine = server.engine()
    try:
        with engine.connect() as connection:
            if (
                connection.execute(sa.text("select to_regclass('ops.review_decision')")).scalar()
                is None
            ):
                return []
        # an older code's warehouse: its answers are read in this code's columns, before the release
        # brings it up to date
        upgrade(engine, server.passwords)
        with engine.connect() as connection:
            return connection.execute(sa.text(ANSWERS_UP_TO), {"as_of": as_of}).all()
    finally:
        engine.dispose()


def openings(server: Server) -> Sequence[sa.RowMapping]:
    """Which rules were opened by name, and from which day on."""
    engine = server.engine()
    try:
        with engine.connect() as connection:
            if connection.scalar(sa.text("select to_regclass('ops.opening')")) is None:
                return []
            asked = sa.text("select code, opens_on from ops.opening order by opening_id")
            return connection.execute(asked).mappings().all()
    finally:
        engine.dispose()


def open_engine(settings: Settings) -> ComputeEngine:
    """The engine that `YIHU_ENGINE` names."""
    folder = settings.home / "tmp"
    if settings.engine == "spark":
        from resources.engines.spark import (
            SparkEngine,
        )  # pyspark is there in its own environment only

        return SparkEngine(folder, settings.spark_master)
    return Engine(folder, memory_limit=settings.engine_memory)


class RunContext(dg.ConfigurableResource):
    """Everything that an asset needs of the world outside,
    opened once for a run and closed after it.
    """

    lock_wait_seconds: float = Field(
        default=12 * 3600.0,
        description="How long a run that the UI or the daemon starts waits for the one before it.",
    )

    _settings: Settings | None = PrivateAttr(default=None)
    _engine: ComputeEngine | None = PrivateAttr(default=None)
    _lake: Lake | None = PrivateAttr(default=None)
    _departments: Departments | None = PrivateAttr(default=None)
    _runner: Runner | None = PrivateAttr(default=None)
    _open_services: ExitStack | None = PrivateAttr(default=None)
    _server: Server | None = PrivateAttr(default=None)
    _is_reading_ahead: bool = PrivateAttr(default=False)
    _moments: dict[date, Moment] = PrivateAttr(default_factory=dict)
    _more: dict[str, Contract] = PrivateAttr(default_factory=dict)
    _by_county: dict[date, bool] = PrivateAttr(default_factory=dict)
    _instance: dg.DagsterInstance | None = PrivateAttr(default=None)
    _run: dg.DagsterRun | None = PrivateAttr(default=None)
    _begun: date | None = PrivateAttr(default=None)
    """The day that this run makes."""
    _written: dict[tuple[str, date], str | None] = PrivateAttr(default_factory=dict)
    """What this run wrote ahead of its step, and which version of the day that is."""
    _bases: dict[date, Base] = PrivateAttr(default_factory=dict)
    _touched: dict[date, TouchedSet] = PrivateAttr(default_factory=dict)
    _differing: dict[tuple[str, date], str | None] = PrivateAttr(default_factory=dict)
    """The tables whose difference from the day before is on the engine, and of which version."""
    _proofs: dict[date, Proof] = PrivateAttr(default_factory=dict)
    _made: dict[date, dict[str, Any]] = PrivateAttr(default_factory=dict)
    """What each kept table of a day was made from and by."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[RunContext]:
        os.umask(0o077)
        with (
            begun(context, self.lock_wait_seconds) as settings,
            pooled_sqlite(),
            ExitStack() as services,
        ):
            self._open_services, self._server = services, None
            self._settings = settings
            self._lake = Lake(settings.lake)
            self._engine = open_engine(settings)
            self._departments = Departments(settings, self._lake)
            self._runner, self._is_reading_ahead = None, False
            self._by_county, self._written, self._moments = {}, {}, {}
            self._bases, self._touched, self._differing = {}, {}, {}
            self._proofs, self._made = {}, {}
            self._begun, self._instance, self._run = None, context.instance, context.run
            forget()
            try:
                yield self
            finally:
                shutil.rmtree(settings.home / "tmp" / "by_county", ignore_errors=True)
                self._departments.close()
                if self._begun is not None:
                    self.settle_day(self._begun)
                self._engine.close()
                self._lake.move_in()

    @property
    def settings(self) -> Settings:
        return _open(self._settings)

    @property
    def engine(self) -> ComputeEngine:
        return _open(self._engine)

    @property
    def reading(self) -> RunContext:
        """The same house with the engine's reader as its engine:
        for what is read out of the lake and computed no further.
        """
        if self.engine.reader is self.engine:
            return self
        other = RunContext()
        other._settings, other._lake, other._departments = (
            self._settings,
            self._lake,
            self._departments,
        )
        other._open_services, other._server, other._engine = (
            self._open_services,
            self.server,
            self.engine.reader,
        )
        return other

    @property
    def lake(self) -> Lake:
        return _open(self._lake)

    def begin_day(self, as_of: date) -> None:
        """A step of the day begins, where nobody has asked the run to stop; a day that later days
        rest on is made beside them.
        """
        stop_here(self._instance, self._run)
        listen()
        if self._begun is None:
            try:
                self.lake.begin(as_of, layer_and_folder("warning_flag"))
            except YihuError as error:
                raise failure(error) from None
            self._begun = as_of

    def settle_day(self, as_of: date) -> None:
        """What a release is made of has been kept: a day that was made anew takes its place, where
        every day above it has been made too.
        """
        expected = {layer_and_folder(table) for table in stored_tables()}
        expected |= {(layer, c.table) for c in load_contracts() for layer in ("valid", "matched")}
        temp = self.settings.home / "tmp"
        self.lake.settle(
            self.engine,
            as_of,
            layer_and_folder("warning_flag"),
            expected,
            lambda lake, day: complete_before_replacing(temp, lake, day),
        )

    @property
    def departments(self) -> Departments:
        return _open(self._departments)

    @property
    def server(self) -> Server:
        """The warehouse's PostgreSQL, started when first asked for and left as it was found."""
        if self._server is None:
            self._server = _open(self._open_services).enter_context(
                warehouse_server(self.settings.home, self.settings.warehouse_url)
            )
        return self._server

    def contracts(self) -> tuple[Contract, ...]:
        return (*load_contracts(), *self._more.values())

    def know(self, contract: Contract) -> None:
        """Makes tables of this record type too, where no contract file that is installed
        describes it.
        """
        if contract.table not in {known.table for known in self.contracts()}:
            self._more[contract.table] = contract
        self.runner.know(contract)

    def read_ahead(self, selection: AbstractSet[dg.AssetKey] | None, as_of: date) -> None:
        """Begins, once a run, to read what the run is going to ask for;
        `selection` None means everything.
        """
        if self._is_reading_ahead:
            return
        self._is_reading_ahead = True
        asked = [
            c
            for c in self.contracts()
            if selection is None or dg.AssetKey(f"raw_{c.table}") in selection
        ]
        self.departments.prefetch(asked, as_of)

    @property
    def runner(self) -> Runner:
        """What binds and makes tables on the engine, one for the run."""
        if self._runner is None:
            self._runner = Runner(
                self.engine,
                LakeInputs(self.lake, self.sources),
                self.contracts(),
                self.settings.pseudonym_key,
                sampling_key=self.settings.sampling_key,
            )
        return self._runner

    @property
    def sources(self) -> Mapping[str, Callable[[date], pa.Table]]:
        """What comes from neither the lake nor the rules."""
        return {
            "steward_decision": self._decisions,
            "source_ledger": self._ledgers,
            "contradiction_alias": self.aliases,
            "opening": self._openings,
        }

    def moment(self, as_of: date) -> Moment:
        """The day, read once a run: under what its release names,
        or under what is in force on it; with the day that it is laid over.
        """
        if as_of not in self._moments:
            try:
                under = self._released_under(as_of)
                moment = day_moment(as_of) if under is None else moment_under(as_of, under)
            except YihuError as error:
                raise failure(error) from None
            self._bases[as_of] = self._base_of(moment)
            self._moments[as_of] = replace(moment, base=self._bases[as_of].on)
        return self._moments[as_of]

    def _base_of(self, moment: Moment) -> Base:
        if self.settings.full == "yes":
            return Base(None, "it was asked for")
        if self.settings.engine != "duckdb":
            return Base(None, f"on {self.settings.engine} every day is")
        if self.settings.full == "auto" and (few := self._households(moment.as_of)) < WORTH_FROM:
            return Base(None, f"that costs less for {few:,} households")
        return base_of(self.lake, moment.as_of, self.contracts(), self._computed_by(moment))

    def _households(self, as_of: date) -> int:
        """The households of the register."""
        layer, folder = layer_and_folder(f"valid_{BASE_REGISTER}__households")
        if self.lake.version(layer, folder, as_of) is None:
            return 0
        register = self.lake.relation(layer, folder, as_of)
        return int(self.engine.scalar(f"select count(*) from {register}"))

    def _computed_by(self, moment: Moment) -> dict[str, str]:
        return computed_by(moment, self.contracts(), self.settings.pseudonym_key)

    def in_full(self, as_of: date, why: str) -> None:
        """From here on the day is made in full."""
        self._moments[as_of] = replace(self.moment(as_of), base=None)
        self._bases[as_of] = Base(None, why)
        self._touched[as_of] = everybody(why)

    def base_said(self, as_of: date) -> str:
        """The day that a day is laid over, or why it is made in full."""
        on = self.moment(as_of).base
        return f"in full: {self._bases[as_of].why_none}" if on is None else f"laid over {on}"

    def proof(self, as_of: date) -> Proof:
        """What the day's proof came to so far."""
        return self._proofs.setdefault(as_of, Proof())

    def touched(self, as_of: date) -> TouchedSet:
        """Whom the day touches; found once a run, when everything is matched."""
        if as_of not in self._touched:
            moment = self.moment(as_of)
            if moment.base is None:
                self._touched[as_of] = everybody(self._bases[as_of].why_none)
            else:
                known = {
                    table
                    for (table, on), version in self._differing.items()
                    if on == as_of and version == self.lake.version(*layer_and_folder(table), on)
                }
                try:
                    found = touch(self.runner, moment, known)
                except MissingInput as error:
                    found = everybody(str(error))
                self._touched[as_of] = found
                if found.why_all:
                    self.in_full(as_of, found.why_all)
        return self._touched[as_of]

    def scope(self, as_of: date) -> Touched | None:
        """The households that a day is made for; None where it is made in full."""
        return None if self.touched(as_of).why_all else Touched((as_of, id(self)))

    def note_differing(self, table: str, as_of: date) -> None:
        """What differs in the table, as it lies in the lake now, is on the engine."""
        self._differing[table, as_of] = self.lake.version(*layer_and_folder(table), as_of)

    def _released_under(self, as_of: date) -> Under | None:
        """What the day's release names; one without lamps in the lake was never
        released from here.
        """
        if self.lake.version(*layer_and_folder("warning_flag"), as_of) is None:
            return None
        engine = self.server.engine()
        try:
            with engine.connect() as connection:
                return under_of_release(connection, as_of)
        finally:
            engine.dispose()

    def note_made(self, as_of: date) -> None:
        """Notes in the lake under what the day's tables were made, and from what."""
        touched = self._touched.get(as_of)
        self.lake.write_note(
            *MADE,
            as_of,
            {
                **note_of(self.moment(as_of)),
                "is_provisional": as_of >= today(),
                "touched": None if touched is None else str(touched),
                "tables": self._entries(as_of),
            },
        )

    def _entries(self, as_of: date) -> dict[str, Any]:
        if as_of not in self._made:
            noted = self.lake.read_note(*MADE, as_of) or {}
            self._made[as_of] = dict(noted.get("tables") or {})
        return self._made[as_of]

    def _note_entry(self, table: str, as_of: date) -> None:
        by = self._computed_by(self.moment(as_of))
        self._entries(as_of)[table] = entry(self.lake, table, as_of, self.contracts(), by)

    def made_in(self, as_of: date) -> str:
        """The layout that the day's lamps in the lake were made in."""
        under = under_in_lake(self.lake, self.engine, as_of)
        return NEWEST if under is None else under.layout

    def make(self, tables: Iterable[str], moment: Moment, beside: Sequence[Contract] = ()) -> None:
        """Makes tables on the engine, from what they declare;
        a day that is missing in the lake is a failure that names it.
        """
        try:
            self.runner.make(tables, moment, beside=beside)
        except MissingInput as error:
            raise failure(error) from None

    def use(self, table: str, as_of: date) -> str:
        """Makes `table` of the day readable on the engine under its own name, from the lake;
        returns the name.
        """
        try:
            return self.runner.use(table, as_of)
        except MissingInput as error:
            raise failure(error) from None

    def _decisions(self, as_of: date) -> pa.Table:
        """What stewards had answered by the end of the day, from the warehouse."""
        columns = STEWARD_DECISION.arrow
        answers = [
            dict(zip(columns.names, answer, strict=True))
            for answer in decisions(self.server, as_of)
        ]
        return pa.Table.from_pylist(answers, columns)

    def aliases(self, as_of: date) -> pa.Table:
        """The ids of contradictions that days up to `as_of` had before they were made again."""
        days = [day for day in self.lake.note_days(*ALIASES) if day <= as_of]
        rows = [
            {"old_id": old, "contradiction_id": new, "as_of": day}
            for day in days
            for old, new in (self.lake.read_note(*ALIASES, day) or {}).items()
        ]
        newest = {row["old_id"]: row for row in rows}
        return pa.Table.from_pylist(list(newest.values()), CONTRADICTION_ALIAS.arrow)

    def _openings(self, as_of: date) -> pa.Table:
        """What was opened by name, from the warehouse; nothing before the first release."""
        rows = [dict(row) for row in openings(self.server)]
        return pa.Table.from_pylist(rows, OPENING.arrow)

    def _ledgers(self, as_of: date) -> pa.Table:
        """What the day's ledgers say of each record type."""
        return ledger_table(
            self.lake.read_note("ledger", contract.table, as_of) for contract in self.contracts()
        )

    def is_by_county(self, as_of: date) -> bool:
        """Whether the day is worked through county by county (`YIHU_BY_COUNTY`):
        always the same for the same register.
        """
        if as_of not in self._by_county:
            register = ("valid", f"{BASE_REGISTER}__households", as_of)
            asked = (
                self.settings.by_county != "no"
                and self.settings.engine == "duckdb"
                and self.lake.version(*register) is not None
            )
            counted = "select count(*), count(distinct substr(area_code, 1, 6)) from "
            households, counties = (
                self.engine.rows(counted + self.lake.relation(*register))[0] if asked else (0, 0)
            )
            self._by_county[as_of] = counties > 1 and (
                self.settings.by_county == "yes" or households >= BY_COUNTY_FROM
            )
        return self._by_county[as_of]

    def share(self, table: str) -> Path:
        """The engine's table as a file that other engines of this run read."""
        folder = self.settings.home / "tmp" / "by_county"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.engine.copy(f"select * from {name(table)} order by 1", folder / f"{table}.parquet")
        return folder / f"{table}.parquet"

    def note_written(self, tables: Iterable[str], as_of: date) -> None:
        """These tables of the day lie in the lake already: this run wrote them ahead."""
        for table in tables:
            self._note_entry(table, as_of)
            self._written[table, as_of] = self.lake.version(*layer_and_folder(table), as_of)

    def is_written(self, table: str, as_of: date) -> bool:
        """Whether this run wrote the table of the day ahead of its step,
        and nobody has written it since.
        """
        return (table, as_of) in self._written and self._written[table, as_of] == self.lake.version(
            *layer_and_folder(table), as_of
        )

    def keep(
        self, table: str, as_of: date, select: str | None = None, *, is_anew: bool = False
    ) -> Written:
        """Writes the engine's table or view `table`, or `select`, to its place in the lake, in its
        total order; it is read from there then.

        A day by county lays matched rows and persons by county too; what was written ahead of its
        step stands, unless it is made anew.
        """
        layer, folder = layer_and_folder(table)
        if is_anew or not self.is_written(table, as_of):
            rows = select or f"select * from {name(table)}"
            if (layer == "matched" or table == "person") and self.is_by_county(as_of):
                self._lay_by_county(table, as_of, rows)
            else:
                county = (
                    OF_A_COUNTY if layer != "matched" and "area_code" in types_of(table) else None
                )
                written = self.lake.write(
                    self.engine,
                    layer,
                    folder,
                    as_of,
                    rows,
                    order_of(table),
                    county,
                    key_of(table),
                )
                self.runner.use(table, as_of)
                self._note_entry(table, as_of)
                return written
            self._note_entry(table, as_of)
        self.runner.use(table, as_of)
        rows_there = int(self.engine.scalar(f"select count(*) from {name(table)}"))
        path = self.lake.folder(layer, folder, as_of) or self.lake.table(layer, folder)
        return Written(path, rows_there, tuple(self.lake.counties(layer, folder, as_of)))

    def keep_difference(self, table: str, as_of: date) -> None:
        """Writes a table of the day as what differs from the day that it is laid over, which is
        on the engine; it is read from the lake then.
        """
        layer, folder = layer_and_folder(table)
        base = self.moment(as_of).base
        assert base is not None
        version = self.lake.version(layer, folder, base)
        assert version is not None
        rows = f"select * exclude (_side) from {name(differing(table))} where _side = "
        has_county = layer != "matched" and "area_code" in types_of(table)
        self.lake.write_difference(
            self.engine,
            layer,
            folder,
            as_of,
            base=base,
            base_version=version,
            came=f"{rows} '{NOW}'",
            went=f"{rows} '{BEFORE}'",
            key=key_of(table),
            order_by=order_of(table),
            county=OF_A_COUNTY if has_county else None,
        )
        self.runner.use(table, as_of)

    def _lay_by_county(self, table: str, as_of: date, select: str) -> None:
        layer, folder = layer_and_folder(table)
        self.runner.make(["household_county"], self.moment(as_of))
        laid = f"placed_{table}"
        self.engine.table(laid, placed(f"({select})"))
        self.runner.drop(table)
        found = self.engine.rows(f"select distinct _county from {laid} order by 1")
        day = (layer, folder, as_of, order_of(table), key_of(table))
        with self.lake.writing(self.engine, *day) as writer:
            for code in [str(code) for (code,) in found] or [NO_COUNTY]:
                rows = f"(select * exclude (_county) from {laid} where _county = '{code}')"
                writer.add(self.engine, code, rows)
        self.engine.drop(laid)


def _open(part: Any) -> Any:
    if part is None:
        raise RuntimeError(
            "the house is closed: use it inside a Dagster run, or `with"
            " House().yield_for_execution(…)`"
        )
    return part
