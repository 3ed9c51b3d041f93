"""What consumers have: the questions of docs/query.md, the client, the dictionary, the public
ledger, a dump that can be restored.
"""

from __future__ import annotations

import csv
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.settings import ROOT
from tests.warehouse.conftest import DAY, Warehouse, make_warehouse
from warehouse.catalogue import load_indicators
from warehouse.client import Warehouse as Client
from warehouse.dictionary import DICTIONARY, dictionary
from warehouse.migrations import downgrade, upgrade
from warehouse.schema import METADATA, PERIODIC, VIEW, VIEWS
from warehouse.schema.leaving import counts_of

QUESTIONS = re.findall(
    r"^## (\d+\. .*?)$.*?```sql\n(.*?)```",
    (ROOT / "docs" / "query.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize(
    ("question", "sql"), QUESTIONS, ids=[question for question, _ in QUESTIONS]
)
def test_questions(published: Warehouse, question: str, sql: str) -> None:
    with published.engine("yihu_reader").connect() as connection:
        answers = [
            connection.exec_driver_sql(part.replace("%", "%%")).all()
            for part in sql.split(";")
            if part.strip()
        ]
    if not question.startswith(
        ("6.", "8.")
    ):  # tests/whole/test_warehouse.py has a county that answers these
        assert all(answers), "no row answers it"


def test_there_are_twenty_questions() -> None:
    assert len(QUESTIONS) >= 20


def test_client_stays_on_one_release(released: Warehouse) -> None:
    with Client(released.url("yihu_reader")) as yihu:
        released.publish(date(2026, 11, 20), day=20, changed="n % 100 = 1")
        assert yihu.pandas("select distinct release_id from yihu.household").iloc[0, 0] == 1
        assert yihu.now().who().release_id == 2
        assert yihu.at(DAY).who().as_of == DAY
        assert (
            yihu.arrow(
                "select household_id, score, reasons from yihu.warning_flag order by 1"
            ).num_rows
            == 200
        )
        assert list(
            yihu.view("warning_flag", ["level"], "household_id = :id", {"id": "H000000000"})[
                "level"
            ]
        ) == ["red"]
        assert set(yihu.red_households("610921100")["code"]) >= {"R04", "R05"}
        with pytest.raises(KeyError):
            yihu.view("warning_flag", ["id_number"])
        assert yihu.who().role == "yihu_reader"


def test_dictionary_is_not_behind() -> None:
    assert DICTIONARY.read_text() == dictionary(), "run python -m warehouse.dictionary"


def place_and_release(named: list[str]) -> list[str]:
    """What every view adds to its own columns."""
    place = [column for column in ("area_code", "town_code") if column not in named]
    return [*place, "as_of", "release_id"]


def test_views_and_columns_are_the_designs(published: Warehouse, design: Path) -> None:
    """views.csv, with its two rows that stand for many columns written out; beside them what the
    rhythms leave.
    """
    with (design / "views.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["view"].startswith("(")]
    have: dict[str, list[str]] = {}
    for view, column in published.rows(
        "select table_name, column_name from information_schema.columns where table_schema = 'yihu'"
        " order by table_name, ordinal_position"
    ):
        have.setdefault(str(view), []).append(str(column))
    with (design / "views-extra.csv").open(encoding="utf-8") as file:
        extra = list(csv.DictReader(file))
    further = {view.name for view in VIEWS} - {row["view"] for row in rows}
    assert set(have) == {row["view"] for row in rows} | {view.name for view in PERIODIC} | further
    for view in further:
        named = [row["column"] for row in extra if row["view"] == view]
        assert have[view] == [*named, *place_and_release(named)], view
    for view in {row["view"] for row in rows}:
        named = [row["column"] for row in rows if row["view"] == view and "…" not in row["column"]]
        assert [column for column in have[view] if column in named] == named
        spread = len(load_indicators()) * (view == "household_indicator") + 8 * (
            view in ("case_progress", "area_ledger")
        )
        added = {"source_status": 12, "release": 1, "household": 5, "case_progress": 12}.get(
            view, 3 if view in ("area_ledger", "bulletin") else 4
        )
        assert len(have[view]) == len(named) + spread + added


def test_migrations_go_up_and_down(released: Warehouse) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    engine = released.engine()
    downgrade(engine, "0001")
    upgrade(engine)
    assert released.one("select count(*) from yihu.household", "yihu_reader") == 200
    options = {
        "include_schemas": True,
        "include_name": _ours,
        "compare_type": True,
        "version_table_schema": "ops",
    }
    with engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
        )
    downgrade(engine)
    assert (
        released.rows(
            "select 1 from information_schema.schemata where schema_name in ('yihu', 'store',"
            " 'ops', 'vault')"
        )
        == []
    )
    upgrade(engine)
    assert released.publish().release_id == 1


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return name in ("store", "ops", "vault") if kind == "schema" else name != "alembic_version"


def test_comments_are_in_the_database(published: Warehouse) -> None:
    comment = published.one("select col_description('yihu.household_indicator'::regclass, 2)")
    assert str(comment).startswith("B01 家庭人口")
    bare = published.rows(
        "select relname from pg_class where relnamespace = 'yihu'::regnamespace and"
        " obj_description(oid) is null"
    )
    assert bare == []


@pytest.mark.long  # make backup and make restore are what docs tell (test_backup)
def test_dump_restore_query(published: Warehouse, tmp_path: Path) -> None:
    """docs/deploy.md, "Backups": the same commands."""
    binaries = published.server.psql.parent
    dump = tmp_path / "yihu.dump"
    source = (
        published.server.url.set(database=published.database)
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
    )
    subprocess.run([binaries / "pg_dump", "--format=custom", f"--file={dump}", source], check=True)
    restored = make_warehouse(published.server, tmp_path)
    downgrade(restored.engine())
    target = restored.url().set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run(
        [binaries / "pg_restore", "--exit-on-error", f"--dbname={target}", dump], check=True
    )
    upgrade(restored.engine())
    for view in VIEWS:
        query = f"select md5(string_agg(v::text, '|' order by v::text)) from yihu.{view.name} as v"
        assert restored.rows(query, "yihu_reader") == published.rows(query, "yihu_reader")
    with pytest.raises(sa.exc.ProgrammingError):
        restored.rows("select * from store.household", "yihu_reader")
    assert restored.publish(date(2026, 11, 21)).release_id == 3


def test_public_counts_through_the_client(published: Warehouse) -> None:
    """The analyst's view, the function and the client give the same; no count under five, and
    counts of the county are there.
    """
    counts = list(counts_of(VIEW["area_ledger"]))
    with Client(published.url("yihu_reader")) as yihu:
        shown = yihu.public_ledger()
        assert len(shown) == len(yihu.view("area_ledger"))
        assert not [value for name in counts for value in shown[name].dropna() if value < 5]
        assert shown["households"].notna().all()
        assert len(yihu.public_bulletin()) == 5
        with pytest.raises(KeyError):
            yihu.public("household")
    with Client(published.url("yihu_analyst")) as yihu:
        assert (
            yihu.view("area_ledger").sort_values("area_code")["red"].isna().tolist()
            == shown["red"].isna().tolist()
        )
        assert yihu.who().role == "yihu_analyst"
