"""Questions that consumers ask, timed over a real connection with row security on: medians in milliseconds.

Belongs here: the clock. Not here: what there is to ask (`docs/query.md`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from resources.server import Server, warehouse_server
from warehouse.schema.roles import AREA

ROUNDS = 30
QUESTIONS = {
    "household_by_id": "select * from yihu.household as h join yihu.warning_flag as f using (household_id) where h.household_id = :household",
    "town_red_list_with_reasons": (
        "select f.household_id, f.score, r.code, r.points, r.value from yihu.warning_flag as f join yihu.warning_reason as r "
        "using (household_id) where f.level = 'red' and f.town_code = :town order by f.score desc, f.household_id, r.points desc"
    ),
    "county_ledger": "select * from yihu.area_ledger where area_level in ('county', 'town') order by area_code",
    "levels_by_town": "select town_code, level, count(*) from yihu.warning_flag group by 1, 2",
}


LOGINS = ("yihu_reader", "yihu_area")
"""Row security lets the one see everything; the other is granted the county for as long as it asks, and every row is compared."""


def medians(home: Path, login: str = "yihu_reader") -> dict[str, float]:
    """The median of each question as `login` asks it, in milliseconds."""
    with warehouse_server(home) as server, _granted(server, login):
        engine = server.engine(login)
        try:
            with engine.connect() as connection:
                return {name: _median(connection, sql, _example(connection)) for name, sql in QUESTIONS.items()}
        finally:
            engine.dispose()


def _example(connection: sa.Connection) -> dict[str, str]:
    row = connection.execute(sa.text("select household_id, town_code from yihu.warning_flag where level = 'red' limit 1")).one()
    return {"household": row.household_id, "town": row.town_code}


def _median(connection: sa.Connection, sql: str, example: dict[str, str]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        connection.execute(sa.text(sql), example).all()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000


@contextmanager
def _granted(server: Server, login: str) -> Iterator[None]:
    """`yihu_area` with the counties that there are, and without them afterwards."""
    if login != AREA:
        yield
        return
    administrator = server.engine()
    try:
        with administrator.begin() as connection:
            added = connection.scalars(
                sa.text(
                    "insert into ops.area_grant (login, area_code) select distinct :login, left(area_code, 6) from store.household"
                    " where area_code is not null on conflict do nothing returning area_code"
                ),
                {"login": login},
            ).all()
        yield
        with administrator.begin() as connection:
            connection.execute(
                sa.text("delete from ops.area_grant where login = :login and area_code = any(:areas)"),
                {"login": login, "areas": list(added)},
            )
    finally:
        administrator.dispose()
