"""The warehouse of a county that was synced for real: no birth date, every view as of every day,
twenty questions, another key.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from resources.lake import Lake
from resources.server import Server, warehouse_server
from resources.settings import ROOT
from tests.views import READ_BY_ALL
from tests.whole.conftest import FIRST, SECOND, Synced, ask, asking, sync
from tests.whole.sweep import text_of
from warehouse.schema import METADATA

pytestmark = pytest.mark.slow

YEAR = r"(?<![0-9])((?:18|19|20)[0-9]{2})"
DATE = re.compile(
    YEAR + r"(?:([0-9]{2})([0-9]{2})|[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2}))(?![0-9])"
)
"""A day as people write it: 19740321, 1974-03-21, 1974/3/21, 1974年3月21日,
also inside a longer text.
"""
GROWN_UP = date(2010, 1, 1)
"""Born before: no day of the county's records is as early, so a date that is one's birthday is no
chance.
"""


def dates_in(text: str) -> set[date]:
    found = set()
    for year, month, day, parted_month, parted_day in DATE.findall(text):
        try:
            found.add(date(int(year), int(month or parted_month), int(day or parted_day)))
        except ValueError:
            continue
    return found


@pytest.fixture(scope="module")
def births(synced: Synced) -> dict[str, set[date]]:
    """Each household's birth dates, as its members' ID numbers tell them."""
    lake, person = Lake(synced.home / "lake"), ("household", "person")
    days = " union all ".join(
        f"select household_id, birth_on from {lake.relation(*person, day)}"
        for day in lake.days(*person)
    )
    found: dict[str, set[date]] = defaultdict(set)
    rows = duckdb.sql(f"select distinct household_id, birth_on from ({days})").fetchall()
    for household, born in rows:
        if born is not None:
            found[household].add(born)
    assert len(found) > 900
    return found


def test_dates_are_found_however_they_are_written() -> None:
    for text in ("19740321", "a 1974-03-21.", "1974/3/21", "1974年3月21日", '"1974.03.21"'):
        assert dates_in(text) == {date(1974, 3, 21)}
    assert dates_in("1174032112 1974-13-41") == set()


def test_no_birth_date_of_a_household_in_any_row_of_it(
    server: Server, births: dict[str, set[date]]
) -> None:
    names = [
        view.name
        for view in READ_BY_ALL
        if "household_id" in {column.name for column in view.columns}
    ]
    assert len(names) >= 9
    for name in names:
        for household, text in ask(
            server, f"select household_id, to_jsonb(v)::text from yihu.{name} as v"
        ):
            early = {born for born in births.get(household, set()) if born < GROWN_UP}
            assert not dates_in(text) & early, name


def test_no_birth_date_in_operations_and_in_the_release_folders(
    synced: Synced, server: Server, births: dict[str, set[date]]
) -> None:
    early = {born for dates in births.values() for born in dates if born < GROWN_UP}
    for table in METADATA.tables.values():
        if table.schema == "ops":
            rows = ask(server, f"select to_jsonb(t)::text from ops.{table.name} as t", None)
            assert not dates_in("\n".join(row[0] for row in rows)) & early, table.name
    for file in (synced.home / "lake" / "release").rglob("*.json"):
        assert not dates_in(file.read_text()) & early
    for file in (synced.home / "lake" / "release").rglob("*.parquet"):
        kinds = duckdb.sql(f"describe select * from '{file}'").fetchall()
        for name in [name for name, kind, *_ in kinds if kind == "DATE"]:
            days = {
                day for (day,) in duckdb.sql(f"select distinct \"{name}\" from '{file}'").fetchall()
            }
            assert not days & early, (file.name, name)
        if file.stem not in ("household_card", "warning_reason"):
            assert not dates_in(text_of(file)) & early, file.name


def listed(view: Any) -> str:
    """The columns that are kept and shown."""
    return ", ".join(f'"{column.name}"' for column in view.stored if not column.is_hidden)


def answers(connection: sa.Connection, view: Any) -> list[tuple[str, ...]]:
    rows = connection.exec_driver_sql(f'select {listed(view)} from yihu."{view.name}"').all()
    return sorted(tuple(plain(value) for value in row) for row in rows)


def plain(value: object) -> str:
    """A value as text that is the same out of the database and out of a file."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def test_every_view_as_of_every_day_is_that_days_folder(synced: Synced, server: Server) -> None:
    """`select yihu_as_of(day)` through all views, against the release's Parquet files, row by
    row.
    """
    for day in (FIRST, SECOND):
        folder = next((synced.home / "lake" / "release" / f"as_of={day}").glob("release=*"))
        with asking(server, "yihu_reader") as connection:
            release = connection.exec_driver_sql(f"select yihu_as_of('{day}')").scalar()
            assert folder.name == f"release={release}"
            for view in READ_BY_ALL:
                rows = duckdb.sql(
                    f"select {listed(view)} from '{folder}/{view.name}.parquet'"
                ).fetchall()
                assert answers(connection, view) == sorted(
                    tuple(plain(value) for value in row) for row in rows
                ), (day, view.name)
                assert connection.exec_driver_sql(
                    f"select distinct as_of, release_id from yihu.{view.name}"
                ).all() in (
                    [(day, release)],
                    [],
                )
            sources = connection.exec_driver_sql(
                "select count(*), min(as_of), max(release_id) from yihu.source_status"
            ).one()
            assert tuple(sources) == (18, day, release)


def test_a_release_folder_is_read_in_one_line(synced: Synced, server: Server) -> None:
    """docs/query.md, "Without a database": by DuckDB and by pandas."""
    folder = next((synced.home / "lake" / "release" / f"as_of={SECOND}").glob("release=*"))
    red = ask(server, "select count(*) from yihu.warning_flag where level = 'red'")[0][0]
    assert duckdb.sql(
        f"select count(*) from '{folder}/warning_flag.parquet' where level = 'red'"
    ).fetchone() == (red,)
    assert (pd.read_parquet(f"{folder}/warning_flag.parquet")["level"] == "red").sum() == red


QUESTIONS = re.findall(
    r"^## (\d+)\. (.*?)$.*?```sql\n(.*?)```",
    (ROOT / "docs" / "query.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
OF_DRAFTS = ("22", "23", "24", "26", "34")
"""Asked of record types that are read where `YIHU_DRAFTS` names them."""
MAY_BE_EMPTY = ("3", "7", "9", "10", "11", "12", "18", "25", "28", "29", *OF_DRAFTS)
"""Rare among a thousand households, or after two days; `tests/warehouse/test_consumers.py` has a
county that answers them.
"""


def test_twenty_questions_on_a_county(server: Server) -> None:
    """Each is answered, with what a county of a thousand households may have; examples are put in
    for the document's own.
    """
    red = ask(
        server,
        "select household_id, town_code from yihu.warning_flag where level = 'red' order by score"
        " desc limit 1",
    )[0]
    counts = dict(ask(server, "select level, count(*) from yihu.warning_flag group by 1"))
    found: dict[str, list[Any]] = {}
    for number, _, sql in QUESTIONS:
        asked = (
            sql.replace("H000000000", red.household_id)
            .replace("610921100", red.town_code)
            .replace("2026-11-19", FIRST.isoformat())
        )
        with asking(server, "yihu_reader") as connection:
            parts = [
                connection.exec_driver_sql(part.replace("%", "%%")).all()
                for part in asked.split(";")
                if part.strip()
            ]
        found[number] = max(parts, key=len)
        assert found[number] or number in MAY_BE_EMPTY, f"question {number} has no answer"
    assert {row.level: row.households for row in found["1"]} == counts
    assert {row.household_id for row in found["2"]} >= {red.household_id}
    assert len(found["4"]) == 1
    assert (
        0.98 * sum(counts.values())
        < sum(row.households for row in found["13"])
        <= sum(counts.values())
    )
    assert len(found["15"]) == 18
    assert [row.red for row in found["17"]][-1] == counts["red"]
    assert all(row.household_id == red.household_id for row in found["20"])
    assert len(found["21"]) == counts["red"]


@pytest.fixture(scope="module")
def rekeyed(synced: Synced) -> Iterator[tuple[Path, str, str]]:
    """A copy of the home as it was after the first day, its pseudonym key lost: docs/deploy.md,
    "The pseudonym key".
    """
    with tempfile.TemporaryDirectory(prefix="yihu-rekeyed-") as folder:
        home = Path(folder) / "home"
        subprocess.run(["cp", "-a", str(synced.after_first), str(home)], check=True)
        old = (home / "secrets" / "pseudonym_key").read_text().strip()
        with warehouse_server(home) as server, asking(server, None) as connection:
            connection.exec_driver_sql(
                "insert into ops.review_decision (queue_id, decision, person_key, reason) select"
                " queue_id, 'unregistered', candidates -> 0 ->> 'person_key', 'seen the papers'"
                " from ops.review_queue where record_id is not null and candidates is not null"
                " order by queue_id limit 1"
            )
            connection.commit()
        (home / "secrets" / "pseudonym_key").unlink()
        for holds_keys in (
            "matched",
            "household/person",
            "household/person_key_map",
            "household/review_queue",
        ):
            shutil.rmtree(home / "lake" / holds_keys)
            shutil.rmtree(home / "lake" / "changes" / holds_keys, ignore_errors=True)
        for day in (FIRST, SECOND):
            done = sync(home, day)
            assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        yield home, old, (home / "secrets" / "pseudonym_key").read_text().strip()


def keys(home: Path) -> dict[str, set[str]]:
    """Every person key of the lake, by the table that has it."""
    lake, found = Lake(home / "lake"), dict[str, set[str]]()
    for layer, table in lake.tables():
        for day in lake.days(layer, table) if layer in ("matched", "household") else ():
            rows = duckdb.sql(f"select * from {lake.relation(layer, table, day)}")
            if "person_key" in rows.columns:
                keys = rows.filter("person_key is not null").select("person_key").distinct()
                found.setdefault(table, set()).update(key for (key,) in keys.fetchall())
    return found


@pytest.mark.long
def test_another_pseudonym_key_over_a_whole_lake(
    synced: Synced, server: Server, rekeyed: tuple[Path, str, str]
) -> None:
    """Everybody has a new key, the same one everywhere; no lamp, no reason and no past day is
    different.
    """
    home, old, new = rekeyed
    assert old != new
    before, after = keys(synced.home), keys(home)
    assert set(after) == set(before)
    assert len(after) > 10
    for table, found in after.items():
        assert not found & set().union(*before.values()), table
        assert found <= after["person"], table
    with warehouse_server(home) as other:
        for view in (
            "warning_flag",
            "household",
            "household_member",
            "household_indicator",
            "follow_up_task",
            "flag_change",
        ):
            for day in (FIRST, SECOND):
                sql = (
                    f"select yihu_as_of('{day}')",
                    (
                        "select md5(string_agg((to_jsonb(v) - 'release_id')::text, '|' order by"
                        f" (to_jsonb(v) - 'release_id')::text)) from yihu.{view} as v"
                    ),
                )
                read = []
                for asked in (server, other):
                    with asking(asked, "yihu_reader") as connection:
                        connection.exec_driver_sql(sql[0])
                        read.append(connection.exec_driver_sql(sql[1]).scalar())
                assert read[0] == read[1], (view, day)
        vault = {row.person_key for row in ask(other, "select person_key from vault.person", None)}
        assert vault <= after["person"]
        answer = ask(
            other,
            "select queue_id, person_key, record_id, decided_by from ops.review_decision",
            None,
        )
        assert len(answer) == 1
        assert answer[0].record_id is not None
        assert answer[0].person_key in after["person"]
        ids = {row.queue_id for row in ask(other, "select queue_id from ops.review_queue", None)}
        was = {row.queue_id for row in ask(server, "select queue_id from ops.review_queue", None)}
        assert answer[0].queue_id not in was
        assert not ids & was
