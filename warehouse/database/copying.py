"""The rows of a whole warehouse as files, and back:
what a backup holds, and what a move carries over.

Belongs here: tables out and in, in one snapshot, whatever the two servers' versions and owners. Not
here: which roles there are afterwards (`warehouse.schema`), the rest of a home
(`pipelines.operator.backup`).

Only rows travel. Tables, functions, views and rights are made by the code of the revision that the
rows are of, so that what a server's own dump would carry along (owners, grants, large objects that
a stranger left) does not come with them.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from expectations.errors import YihuError
from warehouse.migrations.run import upgrade

SCHEMAS = ("store", "ops", "vault")
NOTE = "tables.json"
PIECE = 1 << 20
_TABLES = """
select n.nspname, c.relname, array_agg(a.attname::text order by a.attnum)
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid
where n.nspname = any(%s) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
  and a.attgenerated = '' and c.relname <> 'alembic_version'
group by 1, 2 order by 1, 2
"""
_REFERENCES = """
select c.conrelid::regclass::text, c.confrelid::regclass::text from pg_constraint as c
where c.contype = 'f' and c.connamespace::regnamespace::text = any(%s)
"""


class CopyError(YihuError):
    """The rows were not copied; says which table and what to do."""


def counts(engine: sa.Engine) -> dict[str, int]:
    """Rows by table, of every table that travels; none where there is no warehouse."""
    with _raw(engine) as connection:
        return {name: _count(connection, name) for name in _tables(connection)}


def copy_out(engine: sa.Engine, folder: Path) -> dict[str, int]:
    """Writes every table's rows into `folder`, as they were at one moment;
    returns the rows by table.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _raw(engine) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        tables, rows = _tables(connection), dict[str, int]()
        if not tables:
            raise CopyError("there is no warehouse yet:", "make sync")
        for name, columns in tables.items():
            rows[name] = _count(connection, name)
            with _private(folder / f"{name}.gz") as out, connection.cursor() as cursor:
                with cursor.copy(_copy(name, columns, "to stdout")) as lines:
                    for line in lines:
                        out.write(line)
        note = {"revision": _revision(connection), "columns": tables, "rows": rows}
    with os.fdopen(
        os.open(folder / NOTE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
    ) as file:
        json.dump(note, file, indent=1)
    return rows


def copy_in(engine: sa.Engine, folder: Path) -> dict[str, int]:
    """Makes the schema in an empty database and fills it from `folder`;
    returns the rows by table, as many as were written.

    Raises:
        CopyError: the database is not empty, or does not hold the same afterwards;
            nothing of it is to be used.
    """
    note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    if counts(engine):
        raise CopyError("the database has a warehouse already:", "name an empty one")
    upgrade(engine, to=str(note["revision"]))
    with _raw(engine) as connection:
        for name in _in_order(connection, list(note["columns"])):
            _fill(connection, name, note["columns"][name], folder / f"{name}.gz")
        _continue_numbers(connection)
        connection.commit()
    after = counts(engine)
    differing = sorted(name for name, rows in note["rows"].items() if after.get(name) != rows)
    if differing:
        raise CopyError(
            f"rows differ in {', '.join(differing)}:",
            "drop the database, create it again, and try again",
        )
    upgrade(engine)
    return after


def _fill(connection: psycopg.Connection, name: str, columns: list[str], file: Path) -> None:
    """Rows as they were: what a table does on an insert is not done again."""
    table = _quoted(name)
    connection.execute(sql.SQL("alter table {} disable trigger user").format(table))
    try:
        with gzip.open(file, "rb") as source, connection.cursor() as cursor:
            with cursor.copy(_copy(name, columns, "from stdin")) as target:
                while piece := source.read(PIECE):
                    target.write(piece)
    except (psycopg.Error, OSError, EOFError) as error:
        raise CopyError(
            f"{name} could not be filled ({type(error).__name__}):",
            f"is {file.name} whole?",
        ) from None
    connection.execute(sql.SQL("alter table {} enable trigger user").format(table))


def _continue_numbers(connection: psycopg.Connection) -> None:
    """Numbers that tables give go on where they were."""
    found = connection.execute(
        "select n.nspname || '.' || c.relname, a.attname from pg_attribute as a join pg_class as c"
        " on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace where"
        " a.attidentity <> '' and n.nspname = any(%s)",
        (list(SCHEMAS),),
    ).fetchall()
    for name, column in found:
        connection.execute(
            sql.SQL(
                "select setval(pg_get_serial_sequence({}, {}), (select coalesce(max({}), 0) + 1"
                " from {}), false)"
            ).format(sql.Literal(name), sql.Literal(column), sql.Identifier(column), _quoted(name))
        )


def _in_order(connection: psycopg.Connection, names: list[str]) -> list[str]:
    """The tables, each after those that it refers to."""
    refers: dict[str, set[str]] = {name: set() for name in names}
    for table, other in connection.execute(_REFERENCES, (list(SCHEMAS),)).fetchall():
        if table in refers and other != table:
            refers[table].add(other)
    done: list[str] = []
    while len(done) < len(names):
        ready = [name for name in names if name not in done and refers[name] <= set(done)]
        if not ready:
            raise CopyError("tables refer to each other in a circle:", "report it")
        done += ready
    return done


def _tables(connection: psycopg.Connection) -> dict[str, list[str]]:
    return {
        f"{schema}.{table}": columns
        for schema, table, columns in connection.execute(_TABLES, (list(SCHEMAS),)).fetchall()
    }


def _count(connection: psycopg.Connection, name: str) -> int:
    found = connection.execute(sql.SQL("select count(*) from {}").format(_quoted(name))).fetchone()
    return int(found[0]) if found else 0


def _revision(connection: psycopg.Connection) -> str:
    found = connection.execute("select version_num from ops.alembic_version").fetchone()
    if found is None:
        raise CopyError("the warehouse names no revision:", "report it")
    return str(found[0])


def _quoted(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))


def _copy(name: str, columns: list[str], direction: str) -> sql.Composed:
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    return sql.SQL("copy {} ({}) {}").format(_quoted(name), listed, sql.SQL(direction))


@contextmanager
def _private(path: Path) -> Iterator[gzip.GzipFile]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        os.fdopen(handle, "wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed,
    ):
        yield packed


@contextmanager
def _raw(engine: sa.Engine) -> Iterator[psycopg.Connection]:
    """The driver's own connection, since COPY is the driver's."""
    pooled = engine.raw_connection()
    try:
        connection = pooled.driver_connection
        if not isinstance(connection, psycopg.Connection):
            raise TypeError("rows are copied over psycopg: use a postgresql+psycopg address")
        yield connection
        connection.rollback()
    finally:
        pooled.close()
