"""The views of `yihu` and the functions, made anew by every upgrade;
the tables behind them belong to the migrations.

Belongs here: SQL that can be dropped and made again. Not here: how a view reads (`reading`), who
may use it (`roles`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from expectations.engine import literal
from warehouse.schema import extracting, leaving, lookups, reading
from warehouse.schema.beside import BESIDE, beside_columns
from warehouse.schema.comments import column_comment, view_comment
from warehouse.schema.declared import ADDED, VIEWS, Column, View
from warehouse.schema.lookups import IN_WORDS, LOOKUPS
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


def _comments(view: View, columns: Iterable[Column]) -> list[str]:
    said = [
        (
            column.name,
            column_comment(view.name, column.name, column.meaning, is_key=column.name in view.key),
        )
        for column in columns
    ]
    return _commented(view.name, view_comment(view.name, view.meaning), said)


def _commented(view: str, meaning: str, columns: Iterable[tuple[str, str]]) -> list[str]:
    rows = [f'comment on view yihu."{view}" is {literal(meaning)}']
    rows += [
        f'comment on column yihu."{view}"."{column}" is {literal(said)}'
        for column, said in columns
        if said
    ]
    return rows


def _beside() -> list[str]:
    """The comments of the views that stand beside those of a release."""
    made = [comment for view in (*LOOKUPS, *IN_WORDS) for comment in _comments(view, view.columns)]
    for name, meaning in BESIDE.items():
        made += _commented(
            name, view_comment(name, meaning), [(c, said) for c, _, said in beside_columns(name)]
        )
    return made


@lru_cache(maxsize=1)
def statements() -> tuple[str, ...]:
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
    made += lookups.statements()
    made += [comment for view in VIEWS for comment in _comments(view, view.shown(ADDED))]
    made += [comment for view in PERIODIC for comment in _comments(view, view.shown(()))]
    made += _beside()
    return tuple(made)


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
