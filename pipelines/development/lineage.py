"""Column lineage, read out of the SQL models with SQLGlot: `python -m
pipelines.development.lineage` writes `assets/lineage.json` and draws it.

Every model is run once over tables without a row, so that the SQL is the SQL of a day; each column
of an asset is then followed through the tables in between to the columns of the assets that it
comes from. Belongs here: reading and writing that. Not here: saying it in the UI
(`assets.lineage`), drawing it (`pipelines.development.lineage_page`).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from assets.lineage import FILE, Column, Lineage
from expectations.contract import Contract, Field, load_contracts
from resources.engines.duckdb import Engine
from warehouse.catalogue import load_catalogue
from warehouse.graph.engine_inputs import Nothing
from warehouse.graph.moment import day_moment
from warehouse.graph.reference import REFERENCES
from warehouse.graph.registry import is_of_type, makers, models, stored_tables
from warehouse.graph.runner import Runner
from warehouse.periodic_reports import PERIODIC_REPORTS

COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
DAY = max(date(2026, 11, 19), load_catalogue(date.max).effective_from)
"""The day whose models are read: every indicator has begun; another one has the same columns."""


class Recorder(Engine):
    """An engine that keeps the SQL of every model and reference table that is made on it,
    and of what columns it is made.
    """

    def __init__(self, temp_dir: Path) -> None:
        super().__init__(temp_dir)
        self.known: dict[str, tuple[str, ...]] = {}
        """The columns of every table that there is."""
        self.made: list[tuple[str, str, Mapping[str, tuple[str, ...]]]] = []
        """Name, SELECT, and the columns of each table that it reads."""

    def table(self, name: str, select: str) -> int:
        self._record(name, select)
        rows = super().table(name, select)
        self._know(name)
        return rows

    def view(self, name: str, select: str) -> None:
        self._record(name, select)
        super().view(name, select)
        self._know(name)

    def _know(self, name: str) -> None:
        self.known[name] = tuple(column for column, _ in self.columns(f'select * from "{name}"'))

    def _record(self, name: str, select: str) -> None:
        is_made = (
            name in makers()
            or name in REFERENCES
            or (is_of_type(name) and name.startswith("matched_"))
        )
        if is_made and not select.startswith("select * from ("):  # which is how an input is bound
            self.made.append(
                (
                    name,
                    select,
                    {
                        table: self.known[table]
                        for table in self.known
                        if table in select and table != name
                    },
                )
            )


def record_day(temp_dir: Path, contracts: tuple[Contract, ...]) -> Recorder:
    """Every model of a day and of the rhythms, over tables without a row."""
    engine = Recorder(temp_dir)
    runner = Runner(engine, Nothing(), contracts, b"a key that reads nobody")
    for contract in (
        contracts
    ):  # one by one, so that a record type's columns come from its own and the register's only
        runner.make(("person", "person_key_map", f"matched_{contract.table}"), day_moment(DAY))
    runner.make(stored_tables(), day_moment(DAY))
    for rhythm in PERIODIC_REPORTS:
        runner.make(
            (rhythm.name, *stored_tables()),
            replace(rhythm.moment(DAY, day_moment(DAY)), flag_days=(DAY,)),
        )
    return engine


BEFORE_INDICATORS = ("household_indicator", "household", "household_member")


def _say_what_decides(scope: Any, lookups: frozenset[str]) -> None:
    """Has a count name the conditions that decide what is counted,
    and a value that is looked up what it is looked up by.

    Neither stands in the column's own expression: `count(*) … where status = '1'` comes from
    `status`.
    """
    from sqlglot import exp

    select = scope.expression
    if not isinstance(select, exp.Select):
        return
    where = select.args.get("where")
    joins = {join.alias_or_name: join for join in select.args.get("joins") or []}
    parts = [part for part in (where, *joins.values()) if part is not None] or [
        part for part in (select.args.get("group"),) if part
    ]
    decides = [column for part in parts for column in part.find_all(exp.Column)]
    for projection in select.expressions:
        for count in list(projection.find_all(exp.Count)):
            count.replace(
                exp.Anonymous(
                    this="counted",
                    expressions=[c.copy() for c in (*count.find_all(exp.Column), *decides)],
                )
            )
        for column in list(projection.find_all(exp.Column)):
            join = joins.get(column.table)
            if join is not None and isinstance(join.this, exp.Table) and join.this.name in lookups:
                by = [c.copy() for c in join.find_all(exp.Column) if c.table != column.table]
                column.replace(exp.Anonymous(this="looked_up", expressions=[column.copy(), *by]))


def columns_read(
    select: str, schema: Mapping[str, tuple[str, ...]], lookups: frozenset[str]
) -> dict[str, frozenset[Column]]:
    """Which column of which table each column of the SELECT comes from.

    `lookups`: tables of the rules and the calendar.
    """
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope, traverse_scope

    kinds: dict[str, Any] = {
        table: dict.fromkeys(columns, "varchar") for table, columns in schema.items()
    }
    tree: Any = qualify(
        parse_one(select, dialect="duckdb"),
        schema=kinds,
        dialect="duckdb",
        validate_qualify_columns=False,
        identify=False,
        quote_identifiers=False,
    )
    for part in traverse_scope(tree):
        _say_what_decides(part, lookups)
    scope = build_scope(tree)
    found: dict[str, frozenset[Column]] = {}
    for column in tree.named_selects:
        node = lineage(column, tree, schema=kinds, dialect="duckdb", scope=scope, copy=False)
        leaves = (leaf for leaf in node.walk() if isinstance(leaf.expression, exp.Table))
        found[column] = frozenset(
            (leaf.expression.name, leaf.name.rpartition(".")[2]) for leaf in leaves
        )
    return found


def lineage_of(engine: Recorder, asset_names: frozenset[str]) -> Lineage:
    """Of each asset's columns the columns of other assets that they come from,
    through the tables in between.
    """
    between: dict[Column, frozenset[Column]] = {}
    found: dict[str, dict[str, tuple[Column, ...]]] = {}
    lookups: set[str] = set()
    for name, select, schema in engine.made:
        of_table: dict[str, frozenset[Column]] = {}
        for column, read in columns_read(select, schema, frozenset(lookups)).items():
            sources: set[Column] = set()
            for source in read:
                known = _known(name, source, found.get("household_indicator", {}))
                sources |= {known} if known[0] in asset_names else between.get(known, frozenset())
            of_table[column] = frozenset(sources)
        between |= {(name, column): sources for column, sources in of_table.items()}
        if name in asset_names:
            found[name] = {
                column: tuple(sorted(s for s in sources if s[0] != name))
                for column, sources in of_table.items()
            }
        elif not any(of_table.values()):
            lookups.add(name)
    return found


@lru_cache(maxsize=1)
def stands_for() -> Mapping[str, str]:
    """What models read under another name: earlier days of a table."""
    return {
        read.alias: read.table
        for model in models().values()
        for read in model.inputs
        if read.alias != read.table
    }


def _known(name: str, source: Column, indicators: Mapping[str, Any]) -> Column:
    """The asset that a table of the engine stands for:
    an earlier day of it, or the indicators before they are kept.
    """
    table, column = source
    if table == "indicator_state" and name not in BEFORE_INDICATORS:
        kept = (
            column
            if column in indicators
            else column.removesuffix("_codes")
            if column.endswith("_codes")
            else ""
        )
        return ("household_indicator", kept) if kept else source
    return stands_for().get(table, table), column


def digest_of(engine: Recorder) -> str:
    """Changes when a model, rule or contract changes what is computed;
    comments and layout do not count.
    """
    text = json.dumps(
        [(name, " ".join(COMMENT.sub("", select).split())) for name, select, _ in engine.made]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def make(contracts: tuple[Contract, ...], asset_names: frozenset[str]) -> dict[str, Any]:
    """What `assets/lineage.json` holds."""
    with tempfile.TemporaryDirectory(prefix="yihu-lineage-") as folder:
        engine = record_day(Path(folder), contracts)
        try:
            found, digest = lineage_of(engine, asset_names), digest_of(engine)
        finally:
            engine.close()
    for contract in contracts:
        found[f"valid_{contract.table}"] = {
            field.name: _as_delivered(contract, field) for field in contract.fields
        }
    tables = {
        name: {column: [list(source) for source in read] for column, read in columns.items()}
        for name, columns in sorted(found.items())
    }
    return {"digest": digest, "tables": tables}


def _as_delivered(contract: Contract, field: Field) -> tuple[Column, ...]:
    """The delivered columns that a field is read from;
    none for a constant, a sheet's name, a snapshot's update time.
    """
    read = contract.key_fields if field.derived == "key" else (field,)
    return tuple(
        (f"raw_{contract.table}", part.physical_name) for part in read if part.is_delivered
    )


def main() -> int:
    from assets.catalogue import all_assets
    from pipelines.development.lineage_page import write_page

    contracts = load_contracts()
    names = frozenset(key.to_user_string() for asset in all_assets(contracts) for key in asset.keys)
    made = make(contracts, names)
    lines = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(columns)}" for name, columns in made["tables"].items()
    )
    FILE.write_text(
        '{"digest": ' + json.dumps(made["digest"]) + ',\n "tables": {\n' + lines + "\n}}\n",
        encoding="utf-8",
    )
    write_page(made["tables"])
    print(
        f"{FILE}: {len(made['tables'])} assets, {sum(len(c) for c in made['tables'].values())}"
        " columns"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
