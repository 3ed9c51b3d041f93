"""How the tables that no single department owns become assets: made together on the engine, kept one by one in the lake.

Belongs here: the one way in which such assets are built. Not here: which there are (`household`, `flags`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from assets.described import DAILY, code_references
from assets.lineage import lineage_metadata
from resources.house import House
from warehouse.schema import VIEW

Check = Callable[[House, date], dg.AssetCheckResult]


@dataclass(frozen=True)
class Table:
    """One table of the lake, which is one asset."""

    name: str
    description: str
    order: str
    """The columns that order its rows totally."""
    model: Path
    """The SQL file (or module) that it is made from."""
    county: str | None = None
    """An expression over its columns that gives the county, for its folder."""
    checks: tuple[tuple[str, str, Check], ...] = ()
    """Name, description and function of each asset check."""
    shown: Callable[[House, date], dict[str, Any]] | None = None
    """Further metadata of a day: pictures, and figures that the UI draws over time. Called after the checks."""


def tables_asset(
    name: str,
    group: str,
    deps: Sequence[str],
    tables: Sequence[Table],
    make: Callable[[House, date], None],
    layer: str | None = None,
) -> dg.AssetsDefinition:
    """One step that makes `tables` on the engine with `make`, writes each to the lake and checks what was written.

    `layer` is told where the group, which the graph is drawn by, is another.
    """
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
            metadata={"dagster/code_references": code_references({"SQL": table.model}), **lineage_metadata(table.name)},
        )
        for table in tables
    ]
    check_specs = [
        dg.AssetCheckSpec(check, asset=table.name, description=description) for table in tables for check, description, _ in table.checks
    ]

    @dg.multi_asset(name=f"make_{name}", specs=specs, check_specs=check_specs)
    def made(context: dg.AssetExecutionContext, house: House) -> Iterator[dg.MaterializeResult]:
        started, as_of = time.monotonic(), date.fromisoformat(context.partition_key)
        make(house, as_of)
        for table in tables:
            written = house.keep(table.name, as_of, table.order, table.county)
            context.log.info(f"{time.monotonic() - started:6.1f} s  {table.name}: {written.rows:,} rows")
            checked = [check(house, as_of) for _, _, check in table.checks]
            yield dg.MaterializeResult(
                asset_key=table.name,
                metadata={
                    "dagster/row_count": written.rows,
                    "dagster/column_schema": _columns(house, table.name),
                    "counties": len(written.counties),
                    **(table.shown(house, as_of) if table.shown else {}),
                    **lineage_metadata(table.name),
                },
                check_results=checked,
            )

    return made


def _columns(house: House, table: str) -> dg.TableSchema:
    columns = house.engine.columns(f'select * from "{table}"')
    meanings = {column.name: column.meaning for column in VIEW[table].stored} if table in VIEW else {}
    carried = "carried for the next step; never published"
    return dg.TableSchema(
        columns=[dg.TableColumn(name, kind.lower(), carried if name.startswith("_") else meanings.get(name)) for name, kind in columns]
    )


def counted(table: str, name: str, sql: str) -> Check:
    """A check that passes where `sql` counts no row; the count is its metadata."""

    def check(house: House, _: date) -> dg.AssetCheckResult:
        found = int(house.engine.scalar(sql) or 0)
        return dg.AssetCheckResult(check_name=name, asset_key=table, passed=found == 0, metadata={"rows": found})

    return check
