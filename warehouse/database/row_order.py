"""Where the rows of a table lie: town by town, as a town's login reads them, or as an older yihu
left them.

Belongs here: finding tables whose rows lie otherwise. Not here: writing them in order
(`publication.rows`).
"""

from __future__ import annotations

import sqlalchemy as sa

LARGE = 100_000
"""Rows under which it makes no difference that anybody feels."""
IN_ORDER = 0.5
"""How far the order of towns and the order on disk agree, from 0 to 1: a table that many days were
added to, each in order, is well above it.
"""
SCATTERED = """
select c.relname from pg_stats as s
join pg_class as c on c.relname = s.tablename and c.relnamespace = 'store'::regnamespace
join pg_class as i
    on i.relname = c.relname || '_place_idx' and i.relnamespace = 'store'::regnamespace
where s.schemaname = 'store' and s.attname = 'town_code'
    and c.reltuples > :large and abs(s.correlation) < :in_order
order by 1
"""


def scattered(connection: sa.Connection, large: int = LARGE) -> list[str]:
    """The tables of `store` whose towns lie on all pages, by the planner's last look at them."""
    asked = {"large": large, "in_order": IN_ORDER}
    return [str(name) for name in connection.scalars(sa.text(SCATTERED), asked)]


def to_order(table: str) -> str:
    """What the owner says to lay a table's rows town by town; nobody reads it meanwhile."""
    return f"cluster store.{table} using {table}_place_idx; analyze store.{table};"
