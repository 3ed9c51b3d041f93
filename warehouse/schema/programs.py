"""The views of `yihu` and the functions, made anew by every upgrade; the tables behind them belong to the migrations.

Belongs here: SQL that can be dropped and made again. Not here: how a view reads (`reading`), who may use it (`roles`).
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from warehouse.schema import reading
from warehouse.schema.declared import ADDED, VIEWS, Column, View
from warehouse.schema.periodic import PERIODIC

FUNCTIONS = Path(__file__).with_name("functions.sql")
SCHEMAS = ("yihu", reading.SCHEMA, "store", "ops", "vault")
SCHEMA_COMMENTS = {
    "yihu": "For consumers: views over the current release; names and columns stable.",
    reading.SCHEMA: "Behind the views of yihu: functions that gather the rows of a session's own areas or departments.",
    "store": "For the publisher: one table per view, rows versioned by release.",
    "ops": "For operators and auditors: releases, sources, validation, queue, grants, access; no identities.",
    "vault": "For stewards, through functions that are logged: identities.",
}
FUNCTION_NAMES = (
    *reading.FUNCTION_NAMES,
    "yihu.current_release()",
    "yihu.current_as_of()",
    "yihu.yihu_as_of(date)",
    "yihu.granted_areas()",
    "yihu.granted_departments()",
    "yihu.reveal(text)",
    "ops.log_access(text, text, text, integer)",
    "ops.name_record()",
    "vault.need_reason(text)",
    "vault.person_of(text, text)",
    "vault.find_person(text, text)",
    "vault.quarantine_rows(text, text, text)",
    "vault.candidates(text, text)",
)
PUBLIC_AS_OF = """
create or replace function public.yihu_as_of(day date) returns integer language sql as $$ select yihu.yihu_as_of(day) $$
"""

BEHIND_VIEWS = """
select p.oid::regprocedure::text from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname = :schema
"""


def _comments(view: View, added: tuple[Column, ...] = ADDED) -> list[str]:
    rows = [f'comment on view yihu."{view.name}" is {_literal(view.meaning)}']
    for column in (*view.stored, *added):
        if column.meaning:
            rows.append(f'comment on column yihu."{view.name}"."{column.name}" is {_literal(column.meaning)}')
    return rows


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def statements() -> list[str]:
    """Everything in order: functions, views, comments."""
    made = [f"comment on schema {name} is {_literal(text)}" for name, text in SCHEMA_COMMENTS.items()]
    made.append(FUNCTIONS.read_text(encoding="utf-8"))
    made += reading.statements(VIEWS, PERIODIC)
    made += [comment for view in VIEWS for comment in _comments(view)]
    made += [comment for view in PERIODIC for comment in _comments(view, ())]
    made.append("comment on view yihu.source_status is 'How fresh and how complete each record type is.'")
    made.append("comment on view yihu.release is 'The releases that can be read.'")
    return made


def drop_programs(connection: sa.Connection) -> None:
    """Drops the views and functions, and with them the grants on them; the policies that use them go first (`roles`)."""
    names = connection.scalars(sa.text("select table_name from information_schema.views where table_schema = 'yihu' order by 1"))
    for name in names.all():
        connection.exec_driver_sql(f'drop view yihu."{name}" cascade')
    for name in connection.scalars(sa.text(BEHIND_VIEWS), {"schema": reading.SCHEMA}).all():
        connection.exec_driver_sql(f"drop function {name} cascade")
    connection.exec_driver_sql("drop function if exists public.yihu_as_of(date)")
    for name in FUNCTION_NAMES:
        connection.exec_driver_sql(f"drop function if exists {name} cascade")


def make_programs(connection: sa.Connection) -> None:
    """Makes them; `yihu_as_of` without its schema too, where the schema `public` may be written."""
    for statement in statements():
        connection.exec_driver_sql(statement.replace("%", "%%"))
    if connection.scalar(sa.text("select has_schema_privilege('public', 'create')")):
        connection.exec_driver_sql(PUBLIC_AS_OF)
