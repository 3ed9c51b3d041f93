"""The stewards' answers: on which days each of them counts."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from resources.engines.duckdb import Engine
from tests.warehouse.conftest import Warehouse
from warehouse.database.review import ANSWERS_UP_TO

DECISIONS = "select queue_id, decision from ops.review_decision order by decision_id"
LONG_AGO = date(2022, 1, 1)
"""Before anybody runs these tests: what counts is the release that was there, not the clock."""


def _answer(warehouse: Warehouse, queue_id: str) -> None:
    warehouse.rows(f"insert into ops.review_queue (queue_id) values ('{queue_id}') returning 1")
    warehouse.rows(
        f"insert into ops.review_decision (queue_id, decision, reason) values ('{queue_id}',"
        " 'unregistered', 'asked') returning 1",
        "yihu_steward",
    )


RELEASE = """
insert into ops.release (release_id, as_of, is_provisional, published_at, rule_version,
    code_version, run_id, checksum,
  households, red, yellow, row_counts, changed_rows, published_by, layout,
  catalogue_version)
values ({number}, '{as_of}', false, now(), 'r', 'c', 'r', 'c', 0, 0, 0, '{{}}', '{{}}', 'test', 'l',
  'c');
insert into ops.current_release (release_id) values ({number})
    on conflict (slot) do update set release_id = excluded.release_id
"""


def _released(warehouse: Warehouse, as_of: date, number: int) -> None:
    """Readers see a release of that day from now on."""
    with warehouse.engine().begin() as connection:
        connection.exec_driver_sql(RELEASE.format(number=number, as_of=as_of))


def _counting(warehouse: Warehouse, as_of: date) -> set[str]:
    with warehouse.engine().connect() as connection:
        return {row[0] for row in connection.execute(sa.text(ANSWERS_UP_TO), {"as_of": as_of})}


def test_an_answer_counts_from_the_day_that_the_steward_saw(warehouse: Warehouse) -> None:
    """So the next run uses it, whichever day that is for, and the days before come out as they
    were.
    """
    _answer(warehouse, "before any release")
    for day, asked in enumerate(("of the first day", "of the second day", "of the third day")):
        _released(warehouse, LONG_AGO + timedelta(days=day), day + 1)
        _answer(warehouse, asked)
    assert [_counting(warehouse, LONG_AGO + timedelta(days=n)) for n in (-1, 0, 1, 2, 3)] == [
        set(),
        {"of the first day"},
        {"of the first day", "of the second day"},
        {"of the first day", "of the second day", "of the third day"},
        {"of the first day", "of the second day", "of the third day"},
    ]
    assert len(_counting(warehouse, date.today() + timedelta(days=1))) == 4, (
        "by its own date where no release was there"
    )


def test_an_answer_goes_with_its_question_to_another_id(warehouse: Warehouse) -> None:
    """Where a question was asked under an id that depended on how number and name were spelt."""
    warehouse.publish()
    for queue_id in ("former", "other"):
        _answer(warehouse, queue_id)

    def respelt(engine: Engine, tables: dict[str, str]) -> None:
        engine.table(
            "moved",
            "select * from (values ('former', 'now'), ('nobodys', 'else')) as t(former_id,"
            " queue_id)",
        )

    for _ in range(2):
        warehouse.publish(after=respelt, extras={"respelt": "moved"})
        assert warehouse.rows(DECISIONS) == [("now", "unregistered"), ("other", "unregistered")]
