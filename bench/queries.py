"""Questions that consumers ask, timed over a real connection with row security on: medians in milliseconds.

Belongs here: the clock. Not here: what there is to ask (`docs/query.md`).
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import sqlalchemy as sa

from resources.server import warehouse_server

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


def medians(home: Path, login: str = "yihu_reader") -> dict[str, float]:
    """The median of each question as `login` asks it."""
    found = {}
    with warehouse_server(home) as server:
        engine = server.engine(login)
        try:
            with engine.connect() as connection:
                row = connection.execute(sa.text("select household_id, town_code from yihu.warning_flag where level = 'red' limit 1")).one()
                for name, sql in QUESTIONS.items():
                    seconds = []
                    for _ in range(ROUNDS):
                        started = time.perf_counter()
                        connection.execute(sa.text(sql), {"household": row.household_id, "town": row.town_code}).all()
                        seconds.append(time.perf_counter() - started)
                    found[name] = statistics.median(seconds) * 1000
        finally:
            engine.dispose()
    return found
