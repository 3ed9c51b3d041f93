"""The views of `yihu` and the functions, made anew by every upgrade;
the tables behind them belong to the migrations.

Belongs here: SQL that can be dropped and made again. Not here: how a view reads (`reading`), who
may use it (`roles`).
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from expectations.engine import literal
from warehouse.schema import extracting, leaving, reading
from warehouse.schema.declared import ADDED, VIEWS, Column, View
from warehouse.schema.periodic import PERIODIC

FUNCTIONS = tuple(
    Path(__file__).with_name(f"{name}.sql")
    for name in ("functions", "reading", "looking", "deciding")
)
SCHEMAS = ("yihu", reading.SCHEMA, "store", "ops", "vault")
SCHEMA_COMMENTS = {
    "yihu": "For consumers: views over the current release; names and columns stable.",
    reading.SCHEMA: (
        "Behind the views of yihu: functions that gather the rows of a session's own areas or"
        " departments."
    ),
    "store": "For the publisher: one table per view, rows versioned by release.",
    "ops": (
        "For operators and auditors: releases, sources, validation, queue, grants, access; no"
        " identities."
    ),
    "vault": "For stewards, through functions that are logged: identities.",
}
PUBLIC_AS_OF = """
create or replace function public.yihu_as_of(day date) returns integer
language sql as $$ select yihu.yihu_as_of(day) $$
"""


def _comments(view: View, added: tuple[Column, ...] = ADDED) -> list[str]:
    rows = [f'comment on view yihu."{view.name}" is {literal(view.meaning)}']
    for column in view.shown(added):
        if column.meaning:
            rows.append(
                f'comment on column yihu."{view.name}"."{column.name}" is {literal(column.meaning)}'
            )
    return rows


def statements() -> list[str]:
    """Everything in order: functions, views, comments."""
    made = [
        f"comment on schema {name} is {literal(text)}" for name, text in SCHEMA_COMMENTS.items()
    ]
    made += [file.read_text(encoding="utf-8") for file in FUNCTIONS]
    made += leaving.statements(
        [(view, ADDED) for view in VIEWS] + [(view, ()) for view in PERIODIC]
    )
    made += extracting.statements()
    made += reading.statements(VIEWS, PERIODIC)
    made += [comment for view in VIEWS for comment in _comments(view)]
    made += [comment for view in PERIODIC for comment in _comments(view, ())]
    made.append(
        "comment on view yihu.source_status is 'How fresh and how complete each record type is.'"
    )
    made.append("comment on view yihu.release is 'The releases that can be read.'")
    return made


OWN_VIEWS = (
    "select schemaname, viewname from pg_views where schemaname = any(:schemas) order by 1, 2"
)
OWN_FUNCTIONS = """
select p.oid::regprocedure::text from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
where n.nspname = any(:schemas) order by 1
"""


def drop_programs(connection: sa.Connection) -> None:
    """Drops the views, the functions and their triggers, and with them the grants on them; the
    policies that use them go first (`roles`).
    """
    schemas = {"schemas": list(SCHEMAS)}
    for schema, name in connection.execute(sa.text(OWN_VIEWS), schemas).all():
        connection.exec_driver_sql(f'drop view if exists {schema}."{name}" cascade')
    connection.exec_driver_sql("drop function if exists public.yihu_as_of(date)")
    for signature in connection.scalars(sa.text(OWN_FUNCTIONS), schemas).all():
        connection.exec_driver_sql(f"drop function if exists {signature} cascade")


def make_programs(connection: sa.Connection) -> None:
    """Makes them; `yihu_as_of` without its schema too, where the schema `public` may be written."""
    for statement in statements():
        connection.exec_driver_sql(statement.replace("%", "%%"))
    if connection.scalar(sa.text("select has_schema_privilege('public', 'create')")):
        connection.exec_driver_sql(PUBLIC_AS_OF)
