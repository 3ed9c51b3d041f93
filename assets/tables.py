"""How the tables that no single department owns become assets:
made together on the engine, kept one by one in the lake.

Belongs here: the one way in which such assets are built. Not here: which there are (`household`,
`flags`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from assets import laying
from assets.by_county import made_by_county
from assets.described import DAILY, code_references
from assets.lineage import lineage_metadata
from expectations.contract import Contract
from resources.lake import Written
from resources.runtime.context import RunContext
from warehouse.graph import registry
from warehouse.model import model_path
from warehouse.schema.lake import declared

Check = Callable[[RunContext, date], dg.AssetCheckResult]


@dataclass(frozen=True)
class Table:
    """One table of the lake, which is one asset."""

    name: str
    description: str
    checks: tuple[tuple[str, str, Check], ...] = ()
    """Name, description and function of each asset check."""
    shown: Callable[[RunContext, date], dict[str, Any]] | None = None
    """Further metadata of a day: pictures, and figures that the UI draws over time.
    Called after the checks.
    """
    before: Callable[[RunContext, date], None] | None = None
    """What is looked at of an earlier run of the day before the tables are made."""


def with_others(folder: str, tables: Sequence[Table]) -> list[Table]:
    """`tables`, and those that `models/<folder>` publishes besides,
    which have no checks of their own here.
    """
    known = {table.name for table in tables}
    others = [
        table
        for table in registry.published_tables()
        if registry.maker(table).name.startswith(f"{folder}/") and table not in known
    ]
    return [*tables, *(Table(table, declared()[table].meaning) for table in others)]


def depends_on(tables: Sequence[str], contracts: Sequence[Contract]) -> list[str]:
    """What a step that makes `tables` depends on, as their models declare:
    other kept tables of the day.
    """
    found: set[str] = set()
    known = {contract.table for contract in contracts}
    for table in tables:
        for read in registry.inputs_of(table):
            layer = read.removesuffix(registry.EVERY_TYPE)
            if registry.is_of_type(read) and layer == read and read.partition("_")[2] not in known:
                continue  # optional, and nobody reads it
            found.update(
                [read] if layer == read else (f"{layer}{contract.table}" for contract in contracts)
            )
    return sorted(found - set(tables))


def tables_asset(
    name: str,
    group: str,
    tables: Sequence[Table],
    contracts: Sequence[Contract],
    layer: str | None = None,
) -> dg.AssetsDefinition:
    """One step that makes `tables` on the engine,
    writes each to the lake and checks what was written.

    `layer` is told where the group, which the graph is drawn by, is another.
    """
    names = [table.name for table in tables]
    deps = depends_on(names, contracts)
    specs = [
        dg.AssetSpec(
            table.name,
            deps=deps,
            group_name=group,
            owners=["team:yihu"],
            kinds={"duckdb", "parquet"},
            tags={"layer": layer or group},
            partitions_def=DAILY,
            description=table.description,
            metadata={
                "dagster/code_references": code_references(
                    {"SQL": model_path(registry.maker(table.name).name)}
                ),
                "dagster/column_schema": _columns(table.name),
                **lineage_metadata(table.name),
            },
        )
        for table in tables
    ]
    check_specs = [
        dg.AssetCheckSpec(check, asset=table.name, description=description)
        for table in tables
        for check, description, _ in table.checks
    ]
    if name in laying.PROVED:
        check_specs.append(
            dg.AssetCheckSpec(laying.CHECK, asset=laying.PROVED[name], description=laying.SAYS)
        )

    @dg.multi_asset(name=f"make_{name}", specs=specs, check_specs=check_specs)
    def made(
        context: dg.AssetExecutionContext, house: RunContext
    ) -> Iterator[dg.MaterializeResult]:
        started, as_of = time.monotonic(), date.fromisoformat(context.partition_key)
        house.begin_day(as_of)
        for table in tables:
            if table.before is not None:
                table.before(house, as_of)
        if not made_by_county(house, as_of, names, ahead=_selected(context)):
            laying.make_tables(house, as_of, name, names)
        for table in tables:
            written = house.keep(table.name, as_of)
            context.log.info(
                f"{time.monotonic() - started:6.1f} s  {table.name}: {written.rows:,} rows"
            )
            checked = [check(house, as_of) for _, _, check in table.checks]
            if table.name == laying.PROVED.get(name):
                checked.append(laying.check_result(house, as_of, name))
            yield dg.MaterializeResult(
                asset_key=table.name,
                metadata=_of_the_day(house, as_of, table, written),
                data_version=_version(house, table.name, as_of),
                check_results=checked,
            )
        house.note_made(as_of)

    return made


def _selected(context: dg.AssetExecutionContext) -> list[str]:
    """The kept tables that the run makes too."""
    selected = context.run.asset_selection
    return [
        table
        for table in registry.stored_tables()
        if not selected or dg.AssetKey(table) in selected
    ]


def _of_the_day(house: RunContext, as_of: date, table: Table, written: Written) -> dict[str, Any]:
    """What a run found out about a table; nothing where it is the day before's."""
    if written.changed == 0:
        return {}
    more = table.shown(house, as_of) if table.shown else {}
    return {"dagster/row_count": written.rows, "counties": len(written.counties), **more}


def _version(house: RunContext, table: str, as_of: date) -> dg.DataVersion | None:
    """The version of the day's rows: the same as long as they are."""
    version = house.lake.version(*registry.layer_and_folder(table), as_of)
    return None if version is None else dg.DataVersion(version)


def _columns(table: str) -> dg.TableSchema:
    found = declared()[table]
    columns = [
        dg.TableColumn(column.name, found.types[column.name].lower(), column.meaning or None)
        for column in found.columns
    ]
    return dg.TableSchema(columns=columns)


def counted(table: str, name: str, sql: str) -> Check:
    """A check that passes where `sql` counts no row; the count is its metadata."""

    def check(house: RunContext, _: date) -> dg.AssetCheckResult:
        found = int(house.engine.scalar(sql) or 0)
        return dg.AssetCheckResult(
            check_name=name, asset_key=table, passed=found == 0, metadata={"rows": found}
        )

    return check
