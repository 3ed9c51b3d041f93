"""The one exit: no count under five leaves, and none can be worked out from ledger, bulletin and
rhythms taken together.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping

import pytest
import sqlalchemy as sa

from resources.server import Server
from tests.conftest import Show
from tests.warehouse.conftest import Warehouse, _given_up, make_warehouse
from tests.warehouse.made_counts import DAY, KEYS, MONTH, QUARTER, SPARSE, WEEK, County, Reader, Row
from warehouse.database.access import grant
from warehouse.schema import VIEW
from warehouse.schema.leaving import (
    THRESHOLD,
    counts_of,
    figures_of,
    leaving_views,
    public_function,
)
from warehouse.schema.periodic import PERIODIC

VIEWS_OF_COUNTS = {view.name: view for view in leaving_views()}
COUNTS = {name: counts_of(view) for name, view in VIEWS_OF_COUNTS.items()}
PERIODS = {
    "weekly_statistics": WEEK,
    "income_accounting": MONTH,
    "quarterly_supervision": QUARTER,
    "flag_accuracy": QUARTER,
}
RELEASE = f"""
insert into ops.release (release_id, as_of, is_provisional, published_at, rule_version,
    code_version, run_id, checksum, households, red,
  yellow, row_counts, changed_rows, published_by, layout, catalogue_version)
values (1, '{DAY}', false, now(), 'r', 'c', 'r', 'c', 0, 0, 0, '{{}}', '{{}}', 'test', 'l', 'c');
insert into ops.current_release (release_id) values (1)
"""


@pytest.fixture(scope="module")
def empty(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with _given_up(make_warehouse(server, tmp_path_factory.mktemp("leaving"))) as made:
        with made.engine().begin() as connection:
            for part in RELEASE.split(";"):
                connection.exec_driver_sql(part)
        yield made


def _stored(view: str, row: Row) -> Row:
    made = dict(row) | {"town_code": row["area_code"][:9] if len(row["area_code"]) >= 9 else None}
    if view in VIEW:
        return made | {"from_release": 1, "until_release": 2147483647, "row_hash": "\\x00"}
    return made | {VIEWS_OF_COUNTS[view].key[0]: str(PERIODS[view]), "counted_on": str(DAY)}


def _insert(connection: sa.Connection, county: County) -> None:
    for view, rows in county.tables.items():
        document = json.dumps([_stored(view, row) for row in rows])
        connection.execute(
            sa.text(
                f"insert into store.{view} select * from"
                f" jsonb_populate_recordset(null::store.{view}, cast(:rows as jsonb))"
            ),
            {"rows": document},
        )


def _published(connection: sa.Connection, county: County) -> dict[str, list[Row]]:
    """What leaves the house of a county, by view; nothing of it stays in the database."""
    with connection.begin() as transaction:
        _insert(connection, county)
        found = {
            view: [
                dict(row)
                for row in connection.execute(
                    sa.text(f"select * from yihu.public_{view}()")
                ).mappings()
            ]
            for view in county.tables
        }
        transaction.rollback()
    return found


def _small(published: Mapping[str, list[Row]]) -> list[Row]:
    return [
        row
        for view, rows in published.items()
        for row in rows
        for name in COUNTS[view]
        if row[name] is not None and row[name] < THRESHOLD
    ]


def _told_by_ranks(published: Mapping[str, list[Row]]) -> list[Row]:
    """A rank beside a hidden rate, or beside another area's hidden rate of the same measure: the
    gap tells it.
    """
    hidden = {
        (len(row["area_code"]), row["measure"])
        for row in published["bulletin"]
        if row["numerator"] is None or row["denominator"] is None
    }
    return [
        row
        for row in published["bulletin"]
        if row["rank"] is not None and (len(row["area_code"]), row["measure"]) in hidden
    ]


def _tells_yesterday(published: Mapping[str, list[Row]]) -> list[Row]:
    """Red of today, less who turned and with who turned back, is red of yesterday: as small as a
    count of its own.
    """
    rows = [row for view in ("area_ledger", "weekly_statistics") for row in published[view]]
    parts = ("red", "newly_red", "no_longer_red")
    shown = [row for row in rows if all(row[part] is not None for part in parts)]
    return [
        row for row in shown if row["red"] - row["newly_red"] + row["no_longer_red"] < THRESHOLD
    ]


def _try(warehouse: Warehouse, seeds: range) -> tuple[int, int]:
    """Counties one by one; returns how many counts were shown, and hidden."""
    shown = hidden = 0
    with warehouse.engine().connect() as connection:
        for seed in seeds:
            county = County(random.Random(seed)).make()
            published = _published(connection, county)
            assert not _small(published), seed
            assert not _told_by_ranks(published), seed
            assert not _tells_yesterday(published), seed
            reader = Reader(county, published, COUNTS)
            assert not reader.recovered(random.Random(seed)), seed
            shown += len(reader.shown)
            hidden += len(reader.truth) - len(reader.shown)
    return shown, hidden


@pytest.mark.parametrize(
    "counties", [range(4), pytest.param(range(4, 300), marks=pytest.mark.long)], ids=["4", "300"]
)
def test_no_hidden_count_is_recovered(empty: Warehouse, counties: range, show: Show) -> None:
    shown, hidden = _try(empty, counties)
    show(
        "counts of random counties",
        f"{len(counties)}: {shown} shown, {hidden} hidden, none of these recovered by an integer"
        " programme",
    )
    assert shown > hidden / 4


@pytest.mark.parametrize("careless", ["by view", "no other area", "ranks"])
def test_the_programme_recovers_what_a_careless_exit_hides(careless: str) -> None:
    """The control: hidden counts come back where only small ones are hidden, where views decide
    alone, where ranks stay.
    """
    found = 0
    for seed in range(2):
        county = County(random.Random(seed)).make()
        published: dict[str, list[Row]] = {}
        for view, rows in county.tables.items():
            published[view] = [dict(row) for row in rows]
            for row in published[view]:
                row.setdefault("rank", None)
                for name in COUNTS[view]:
                    is_small = row[name] is not None and row[name] < THRESHOLD
                    if is_small and (careless != "by view" or view == "area_ledger"):
                        row[name] = None
        if careless != "ranks":
            for row in published["bulletin"]:
                row["rank"] = None
        found += len(Reader(county, published, COUNTS).recovered(random.Random(seed), at_most=6))
    assert found > 4


@pytest.mark.parametrize("small", [0, 2, 4])
def test_what_is_hidden_beside_a_small_count_tells_nothing_of_it(
    empty: Warehouse, small: int
) -> None:
    """Were the smallest hidden first, whoever sees a shown one of 9 would know that two hidden ones
    of 13 are 4 and 9.
    """
    seen = set()
    others = [9, 9, 20, 30]
    with empty.engine().connect() as connection:
        for turn in range(len(others)):
            reds = [small, *others[turn:], *others[:turn]]
            shown = _published(connection, _county_of(reds))["area_ledger"]
            seen.add(tuple(row["area_code"] for row in shown if row["red"] is None))
    ((first, *beside),) = seen
    assert (first, len(beside)) == ("610921100", 1)


def _county_of(reds: list[int]) -> County:
    """A county whose towns differ in nothing but their red households."""
    plain = dict.fromkeys(COUNTS["area_ledger"], 1000)
    rows = [
        plain | {"area_code": f"610921{100 + n}", "area_level": "town", "red": red}
        for n, red in enumerate(reds)
    ]
    whole = {name: 1000 * len(reds) for name in COUNTS["area_ledger"]} | {"red": sum(reds)}
    made = County(random.Random(0))
    made.tables = {"area_ledger": [*rows, whole | {"area_code": "610921", "area_level": "county"}]}
    return made


def test_every_count_is_judged(empty: Warehouse) -> None:
    """What is a count comes from the declaration: an integer that is no key; every figure of a
    hidden row goes with it.
    """
    assert set(VIEWS_OF_COUNTS) == set(KEYS)
    for view in VIEWS_OF_COUNTS.values():
        integers = {
            column.name for column in view.stored if column.type in ("integer", "bigint")
        } - set(view.key)
        assert view.exit is not None
        assert set(counts_of(view)) | set(view.exit.not_counts) == integers
        assert set(figures_of(view)) >= set(view.exit.not_counts)
    assert {view.name for view in PERIODIC} - set(VIEWS_OF_COUNTS) == {"monthly_screening"}


def test_an_analyst_sees_what_leaves(empty: Warehouse) -> None:
    county = County(random.Random(5)).make()
    with empty.engine().connect() as connection, connection.begin() as transaction:
        _insert(connection, county)
        analyst = str(empty.url("yihu_analyst").username)
        for view in county.tables:
            leaves = connection.exec_driver_sql(
                f"select x::text from {public_function(VIEWS_OF_COUNTS[view])} as x order by 1"
            ).all()
            connection.exec_driver_sql(f'set local session authorization "{analyst}"')
            seen = connection.exec_driver_sql(
                f"select x::text from yihu.{view} as x order by 1"
            ).all()
            connection.exec_driver_sql("reset session authorization")
            assert seen == leaves
            assert leaves or view in SPARSE
        transaction.rollback()


def test_nobody_sees_a_count_of_an_area_above_the_grant(empty: Warehouse) -> None:
    """Not by the one exit either: of two hidden towns an officer knows the own one, and the
    county's row less all the others is the other one.
    """
    reds = [30, 20, 4, 9]
    town, county = "610921103", "610921"
    logins = {"of_town": [town], "of_county": [county], "of_nothing": []}
    for login, areas in logins.items():
        grant(empty.engine(), login, "yihu_area", password="pw")
        empty.server.passwords[login] = "pw"
        with empty.engine().begin() as connection:
            for area in areas:
                connection.exec_driver_sql(
                    f"insert into ops.area_grant (login, area_code) values ('{login}', '{area}')"
                )
    seen = {}
    with empty.engine().connect() as connection, connection.begin() as transaction:
        _insert(connection, _county_of(reds))
        for login in (*logins, str(empty.url("yihu_analyst").username)):
            connection.exec_driver_sql(f'set local session authorization "{login}"')
            rows = connection.exec_driver_sql(
                "select area_code, red from yihu.public_area_ledger()"
            )
            seen[login] = {str(area): red for area, red in rows}
            connection.exec_driver_sql("reset session authorization")
        transaction.rollback()
    *_, everything = seen.values()
    assert everything == {
        "610921100": 30,
        "610921101": 20,
        "610921102": None,
        town: None,
        county: 63,
    }
    assert seen["of_county"] == everything
    assert seen["of_town"] == {town: None}
    assert seen["of_nothing"] == {}


def test_a_release_tells_its_totals_to_who_sees_all(empty: Warehouse) -> None:
    """A total beside the one exit, less the areas that are shown, is the area that is not; and a
    county is above a town's grant.
    """
    totals = "select households, red, yellow from yihu.release"
    for login in ("yihu_analyst", "yihu_area", "yihu_department"):
        assert empty.rows(totals, login) == [(None, None, None)]
    for login in ("yihu_reader", "yihu_auditor"):
        assert empty.rows(totals, login) == [(0, 0, 0)]
