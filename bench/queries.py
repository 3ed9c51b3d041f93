"""Questions that consumers ask, timed over a real connection as each kind of login: medians in
milliseconds.

Belongs here: the clock, and a month of versions for it to pass over. Not here: what there is to ask
(`docs/query.md`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from resources.server import Server, warehouse_server
from warehouse.schema import OPEN, VIEWS
from warehouse.schema.roles import AREA, READER

ROUNDS = 30
QUESTIONS = {
    "household_by_id": (
        "select * from yihu.household as h join yihu.warning_flag as f using (household_id) where"
        " h.household_id = :household"
    ),
    "town_red_list_with_reasons": (
        "select f.household_id, f.score, r.code, r.points, r.value from yihu.warning_flag as f join"
        " yihu.warning_reason as r using (household_id) where f.level = 'red' and f.town_code ="
        " :town order by f.score desc, f.household_id, r.points desc"
    ),
    "county_ledger": (
        "select * from yihu.area_ledger where area_level in ('county', 'town') order by area_code"
    ),
    "levels_by_town": "select town_code, level, count(*) from yihu.warning_flag group by 1, 2",
}
LOGINS = {"all": READER, "county": AREA, "town": AREA}
"""Who asks: one that sees everything, one of a county, one of a town."""
RELEASES, SHARE = 28, 100
"""A month of versions: releases before the first, in each of which one household of so many was
another.
"""


def medians(home: Path) -> Iterator[dict[str, str | float]]:
    """A line for each login, day and question: the median as it asks it, in milliseconds; now, and
    as of the first day.
    """
    with warehouse_server(home) as server:
        _age(server)
        first = _scalar(
            server,
            "select min(as_of) from ops.release where pruned_at is null and withdrawn_at is null",
        )
        example = _example(server)
        for who, role in LOGINS.items():
            area = {"county": example["town"][:6], "town": example["town"]}.get(who)
            with _granted(server, role, area):
                for day in (None, first):
                    yield from _asked(server, who, role, day, example)


def _asked(
    server: Server, who: str, role: str, day: date | None, example: dict[str, str]
) -> Iterator[dict[str, str | float]]:
    engine = server.engine(role)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("select yihu.yihu_as_of(:day)"), {"day": day})
            for name, sql in QUESTIONS.items():
                median = round(_median(connection, sql, example), 2)
                yield {
                    "question": name,
                    "login": who,
                    "as_of": str(day or "now"),
                    "milliseconds": median,
                }
    finally:
        engine.dispose()


def _age(server: Server) -> None:
    """Puts a month of versions into the tables, all closed before the first release: what every
    question has to pass over.
    """
    with server.engine().begin() as connection:
        for view in VIEWS:
            if "household_id" not in {column.name for column in view.columns}:
                continue
            names = ", ".join(f't."{column.name}"' for column in view.stored)
            columns = ", ".join(f'"{column.name}"' for column in view.stored)
            connection.execute(
                sa.text(
                    f'insert into store."{view.name}" ({columns}, from_release, until_release,'
                    f' row_hash) select {names}, -n, 1 - n, t.row_hash from store."{view.name}" as'
                    f" t, generate_series(1, {RELEASES}) as n where t.until_release = {OPEN} and"
                    f" abs(hashtext(t.household_id)) % {SHARE} = n on conflict do nothing"
                )
            )
            connection.exec_driver_sql(f'analyze store."{view.name}"')


def _scalar(server: Server, sql: str) -> date:
    with server.engine().connect() as connection:
        return connection.scalars(sa.text(sql)).one()


def _example(server: Server) -> dict[str, str]:
    with server.engine().connect() as connection:
        row = connection.execute(
            sa.text(
                "select household_id, town_code from yihu.warning_flag where level = 'red' limit 1"
            )
        ).one()
    return {"household": row.household_id, "town": row.town_code}


def _median(connection: sa.Connection, sql: str, example: dict[str, str]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        connection.execute(sa.text(sql), example).all()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000


@contextmanager
def _granted(server: Server, role: str, area: str | None) -> Iterator[None]:
    """yihu's own login in the role with an area, and without it afterwards."""
    if area is None:
        yield
        return
    named = {"login": server.url_of(role).username, "area": area}
    administrator = server.engine()
    try:
        with administrator.begin() as connection:
            connection.execute(
                sa.text(
                    "insert into ops.area_grant (login, area_code) values (:login, :area) on"
                    " conflict do nothing"
                ),
                named,
            )
        yield
        with administrator.begin() as connection:
            connection.execute(
                sa.text("delete from ops.area_grant where login = :login and area_code = :area"),
                named,
            )
    finally:
        administrator.dispose()
