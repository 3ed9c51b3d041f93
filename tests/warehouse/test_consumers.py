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
from warehouse.schema.lookups import IN_WORDS, LOOKUPS

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
    beside = {view.name for view in (*PERIODIC, *LOOKUPS, *IN_WORDS)}
    assert set(have) == {row["view"] for row in rows} | beside | further
    for view in further:
        named = [row["column"] for row in extra if row["view"] == view]
        texts = [column.name for column in VIEW[view].in_text]
        assert have[view] == [*named, *place_and_release(named), *texts], view
    for view in {row["view"] for row in rows}:
        named = [row["column"] for row in rows if row["view"] == view and "…" not in row["column"]]
        assert [column for column in have[view] if column in named] == named
        spread = len(load_indicators()) * (view == "household_indicator") + 8 * (
            view in ("case_progress", "area_ledger")
        )
        added = {"source_status": 12, "release": 1, "household": 5, "case_progress": 12}.get(
            view, 3 if view in ("area_ledger", "bulletin") else 4
        )
        lists = len(VIEW[view].in_text) if view in VIEW else 0
        assert len(have[view]) == len(named) + spread + added + lists


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


COMMENTS = """
select c.relname, a.attname, coalesce(col_description(c.oid, a.attnum), '')
from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'yihu'::regnamespace and c.relkind = 'v'
union all
select c.relname, '', coalesce(obj_description(c.oid), '') from pg_class as c
where c.relnamespace = 'yihu'::regnamespace and c.relkind = 'v'
order by 1, 2
"""


def test_every_view_and_column_says_what_it_is_in_both_languages(published: Warehouse) -> None:
    said = {(str(view), str(name)): str(text) for view, name, text in published.rows(COMMENTS)}
    assert said["household_indicator", "b01_household_size"].startswith("B01 家庭人口")
    chinese, english = re.compile("[\u4e00-\u9fff]"), re.compile("[a-z]{3}")
    assert [of for of, text in said.items() if not chinese.search(text)] == []
    assert [of for of, text in said.items() if not english.search(text)] == []


def test_keys_and_references_are_declared_and_hold(published: Warehouse) -> None:
    """As the comments say them: a key is one row's, and what a column refers to is there."""
    said = {(str(view), str(name)): str(text) for view, name, text in published.rows(COMMENTS)}
    keys: dict[str, list[str]] = {}
    for (view, column), text in said.items():
        if "; key" in text:
            keys.setdefault(view, []).append(column)
    views = {view for view, _ in said}
    assert set(keys) == views
    for view, columns in keys.items():
        listed = ", ".join(f'"{column}"' for column in columns)
        twice = f"select count(*) - count(distinct ({listed})) from yihu.{view}"
        assert published.one(twice) == 0, view
    dangling = {}
    for (view, column), text in said.items():
        target = re.search(r"; refers to yihu\.(\w+)\.(\w+)$", text)
        if target is not None and column != "rule_version":  # nobody scored these lamps
            lacking = (
                f'select count(distinct v."{column}") from yihu.{view} as v where v."{column}" is'
                f' not null and v."{column}" not in (select "{target[2]}" from yihu.{target[1]})'
            )
            if published.one(lacking):
                dangling[view, column] = published.one(lacking)
    assert dangling == {}


def test_lookups_are_for_everybody_and_red_in_words_for_its_readers(published: Warehouse) -> None:
    roles = ("yihu_reader", "yihu_area", "yihu_department", "yihu_analyst", "yihu_auditor")
    for role in roles:
        for view in LOOKUPS:
            assert published.one(f"select count(*) from yihu.{view.name}", role) > 0, view.name
    whole = published.rows("select * from yihu.red_with_reasons order by 1", "yihu_reader")
    red = published.rows(
        "select household_id from yihu.warning_flag where level = 'red' order by 1", "yihu_reader"
    )
    assert [row[0] for row in whole] == [row[0] for row in red]
    (one,) = published.rows(
        "select reasons_in_words, departments from yihu.red_with_reasons where household_id ="
        " 'H000000000'",
        "yihu_reader",
    )
    assert one[0].startswith("R04 个人医疗负担 personal medical max +16.00 (1; >= 1); R05 ")
    assert one[1].split(", ") == [
        department
        for (department,) in published.rows(
            "select distinct department from yihu.warning_reason where household_id ="
            " 'H000000000' and points > 0 and department is not null order by 1"
        )
    ]
    for role in ("yihu_department", "yihu_analyst", "yihu_auditor"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            published.rows("select * from yihu.red_with_reasons", role)
    assert published.rows("select * from yihu.red_with_reasons", "yihu_area") == []


def test_lists_have_their_text_beside_them(published: Warehouse) -> None:
    (row,) = published.rows(
        "select reasons, reasons_text from yihu.warning_flag where household_id = 'H000000000'",
        "yihu_reader",
    )
    assert row[1] == ", ".join(row[0])
    arrays = published.rows(
        "select table_name, column_name from information_schema.columns as a where table_schema ="
        " 'yihu' and data_type = 'ARRAY' and not exists (select from information_schema.columns"
        " as t where t.table_schema = 'yihu' and t.table_name = a.table_name and t.column_name ="
        " a.column_name || '_text')"
    )
    assert arrays == []


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
    for view in (view for view in VIEWS if "yihu_reader" in view.readers):
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
