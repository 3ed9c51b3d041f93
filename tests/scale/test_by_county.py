"""A province all at once and county by county: the same tables, row for row, on a day that has a
yesterday.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest

from assets.release import PUBLISHED
from bench.province import Province, make_province
from bench.references import by_hand, with_pandas
from bench.stage import run
from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from warehouse.graph.inputs import HELD_BACK, LakeInputs
from warehouse.graph.moment import Households, day_moment
from warehouse.graph.registry import layer_and_folder, stored_tables
from warehouse.graph.runner import Runner
from warehouse.matching import household_field
from warehouse.publication.content import prepare

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("by_county")]

FIRST = date(2026, 11, 19)
SECOND = FIRST + timedelta(days=1)
THIRD = SECOND + timedelta(days=1)
"""A day on which nothing happened, after one whose release was held back."""
DOUBTED = date(2026, 11, 25)
"""The first on which shells are computed, and what waits is not absent; more register rows are out
of force.
"""
PROVINCE = Province(counties=3, households=250, as_of=FIRST)
STAGES = ["matching", "lamps", "following"]
TABLES = (*(f"matched_{contract.table}" for contract in load_contracts()), *stored_tables())

MOVED = "cast(right(household_id, 2) as integer) = 7"
OUT_OF_FORCE = "cast(right(household_id, 2) as integer) = 8"
LOST = "cast(right(household_id, 2) as integer) = 6"
LEFT = "cast(right(household_id, 2) as integer) = 9"
CHANGED = {
    "rural_revitalisation__households": (
        f"""
        select * replace (case when {MOVED} then '610122' || substr(area_code, 7) else area_code end
            as area_code)
        from yesterday where not ({OUT_OF_FORCE}) and not ({LEFT})"""
    ),
    "rural_revitalisation__members": f"select * from yesterday where not ({LEFT})",
    # a retrofit of somebody else's house, in the next county; a reversal on somebody else's number
    "housing__retrofits": (
        "select * exclude (_place, _other) replace (case when _place % 3 = 0 then _other else"
        " dwelling_id end as dwelling_id) from (select *, row_number() over (order by project_id)"
        " as _place, first_value(dwelling_id) over (order by project_id desc) as _other from"
        " yesterday)"
    ),
    "health_insurance__settlements": (
        "select * exclude (_other) replace (case when reverses_id is not null then _other else"
        " id_number end as id_number) from (select *, first_value(id_number) over (order by"
        " settlement_id desc) as _other from yesterday)"
    ),
}
"""What happened overnight: households moved to another county, lost their register row, left;
records reach over the border.
"""

MAY_BE_EMPTY = {
    *("matched_emergency_management__casualties", "stopped_after_listing", "relapse", "watch"),
    *("responsibility", "responsibility_gap", "visit_coverage", "support_received"),
    *("asset_ledger", "issue_ledger", "issue_summary", "zero_employment"),
    "measure_gap",
}
"""What rests on a record type that the province does not read, or is too rare for it."""

LOSING = {"rural_revitalisation__households": f"select * from yesterday where not ({LOST})"}


@dataclass(frozen=True)
class Days:
    """Two homes with the same days."""

    at_once: Path
    by_county: Path


@contextmanager
def only(**settings: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.setenv("YIHU_HOME", "")
        patch.setenv("YIHU_AS_OF", "")
        yield


def overnight(lake: Lake, temp: Path, before: date, day: date, changed: Mapping[str, str]) -> None:
    """A day's `valid`: that of the day before, with what happened."""
    engine = Engine(temp)
    for contract in load_contracts():
        engine.view("yesterday", f"select * from {lake.relation('valid', contract.table, before)}")
        today = changed.get(contract.table, "select * from yesterday")
        # what is not as it was came today
        select = (
            f"select * replace (date '{day}' as _arrived_on) from ({today} except select * from"
            f" yesterday) union all ({today} intersect select * from yesterday)"
        )
        lake.write(engine, "valid", contract.table, day, select, contract.record_key.name)
        lake.write_note(
            "ledger", contract.table, day, lake.read_note("ledger", contract.table, before) or {}
        )
    engine.close()


@pytest.fixture(scope="module")
def days() -> Iterator[Days]:
    folder = Path(mkdtemp(prefix="yihu-scale-"))
    made = Days(folder / "at_once", folder / "by_county")
    try:
        make_province(Lake(made.at_once / "lake"), folder / "temp", PROVINCE)
        with only(YIHU_BY_COUNTY="no"):
            assert run(made.at_once, FIRST, STAGES)["failed"] == []
        overnight(Lake(made.at_once / "lake"), folder / "temp", FIRST, SECOND, CHANGED)
        for part in ("lake", "secrets"):
            shutil.copytree(made.at_once / part, made.by_county / part)
        with only(YIHU_BY_COUNTY="no"):
            assert run(made.at_once, SECOND, STAGES)["failed"] == []
        with only(YIHU_BY_COUNTY="yes"):
            assert run(made.by_county, SECOND, STAGES)["failed"] == []
        for home, by_county in ((made.at_once, "no"), (made.by_county, "yes")):
            Lake(home / "lake").write_note(
                *HELD_BACK, SECOND, {"run_id": "a release that did not pass"}
            )
            for before, day, changed in ((SECOND, THIRD, {}), (THIRD, DOUBTED, LOSING)):
                overnight(Lake(home / "lake"), folder / "temp", before, day, changed)
                with only(YIHU_BY_COUNTY=by_county):
                    assert run(home, day, STAGES)["failed"] == []
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read(home: Path, table: str, day: date = SECOND) -> str:
    return Lake(home / "lake").relation(*layer_and_folder(table), day)


@pytest.mark.parametrize("day", [SECOND, THIRD, DOUBTED])
def test_every_table_is_the_same(days: Days, engine: Engine, day: date) -> None:
    differing = {}
    for table in TABLES:
        one, other = (read(home, table, day) for home in (days.at_once, days.by_county))
        both = (
            f"select count(*) from ((from {one} except all from {other}) union all (from {other}"
            f" except all from {one}))"
        )
        if found := engine.scalar(both):
            differing[table] = found
    assert differing == {}
    empty = {
        table
        for table in TABLES
        if not engine.scalar(f"select count(*) from {read(days.at_once, table, day)}")
    }
    assert empty <= MAY_BE_EMPTY


@pytest.mark.parametrize("home", ["at_once", "by_county"])
def test_what_a_held_back_day_hid_is_told_on_the_next(
    days: Days, engine: Engine, home: str
) -> None:
    """Nothing happened on the third day; its readers come from the first."""
    lake = getattr(days, home)
    due = f"""
        select count(*)
            from {read(lake, "warning_flag", THIRD)}
                as t full join {read(lake, "warning_flag", FIRST)} as b using (household_id)
        where coalesce(t.level, 'none') <> coalesce(b.level, 'none')"""
    told = engine.scalar(f"select count(*) from {read(lake, 'flag_change', THIRD)}")
    assert told == engine.scalar(due) > 0


def test_the_release_is_the_same(days: Days, engine: Engine, tmp_path: Path) -> None:
    checksums = set()
    for home in (days.at_once, days.by_county):
        for table in PUBLISHED:
            engine.view(table, f"select * from {read(home, table)}")
        folder = tmp_path / home.name
        folder.mkdir()
        checksums.add(prepare(engine, {table: table for table in PUBLISHED}, folder).checksum)
    assert len(checksums) == 1


def test_what_reaches_over_the_border_was_there(days: Days, engine: Engine) -> None:
    """Else the two would be the same for want of a difference."""
    home = days.by_county
    moved = engine.scalar(
        f"select count(*) from {read(home, 'household')} where {MOVED} and substr(area_code, 1, 6)"
        " <> substr(household_id, 2, 6)"
    )
    assert moved > 0
    assert (
        engine.scalar(f"select count(*) from {read(home, 'household')} where area_code is null") > 0
    )
    assert (
        engine.scalar(f"select count(*) from {read(home, 'flag_change')} where to_level = 'none'")
        > 0
    )
    lent = "s.household_id is not null and substr(s.household_id, 2, 6) <> substr(s.{key}, 4, 6)"
    for table, key in (
        ("matched_health_insurance__settlements", "record_id"),
        ("matched_health_insurance__enrolments", "record_id"),
    ):
        assert (
            engine.scalar(
                f"select count(*) from {read(home, table)} as s where {lent.format(key=key)}"
            )
            > 0
        )
    settlements = ("matched", "health_insurance__settlements", SECOND)
    counties = Lake(home / "lake").counties(*settlements)
    assert counties == ["000000", "610121", "610122", "610123"]


def test_a_shell_lies_in_the_county_that_it_was_last_known_in(days: Days, engine: Engine) -> None:
    """Who lost the register row before shells were computed was nowhere then, so of several
    counties none is known.
    """
    for home in (days.at_once, days.by_county):
        places = f"""
            select {LOST} as was_known, substr(area_code, 1, 6) = '000000' as is_nowhere,
                right(area_code, 6) = '000000', count(*) > 0
            from {read(home, "household", DOUBTED)} where is_shell group by all order by 1"""
        assert engine.rows(places) == [(False, True, True, True), (True, False, True, True)]
        scored = (
            f"select count(*) from {read(home, 'warning_flag', DOUBTED)} where level <> 'none' and"
            " right(area_code, 6) = '000000'"
        )
        assert engine.scalar(scored) > 0


def test_who_is_in_two_counties_is_found(days: Days, engine: Engine) -> None:
    """The number is in two registers: a question for a steward, with both people, and a mark on
    both households.
    """
    asked = engine.rows(f"""
        select q.queue_id, count(distinct substr(p.household_id, 2, 6)),
            count(*) filter (where h.has_conflict), count(*)
        from {read(days.by_county, "review_queue")} as q
        join {read(days.by_county, "person")} as p on list_contains(q.candidates, p.person_key)
        join {read(days.by_county, "household")} as h using (household_id)
        where q.reason = 'register_conflict' and q.records = 'members' group by 1""")
    assert any(counties == 2 and marked == people == 2 for _, counties, marked, people in asked)


def test_links_are_those_of_who_wrote_them_by_hand(
    days: Days, engine: Engine, tmp_path: Path
) -> None:
    """Another telling of how a record finds its person, as one script."""
    by_hand.links_of(days.by_county / "lake", SECOND, tmp_path)
    differing = {}
    for contract in load_contracts():
        links = "outcome" if household_field(contract) else "outcome, member_id, household_id"
        # what is keyed by a pseudonym has another key there
        key = "updated_at" if contract.record_key.is_identity else "record_id"
        one, other = (
            read(days.by_county, f"matched_{contract.table}"),
            f"'{tmp_path}/{contract.records}.parquet'",
        )
        unlike = (
            f"select count(*) from (select {key}, {links} from {one} except all select {key},"
            f" {links} from {other})"
        )
        if found := engine.scalar(unlike):
            differing[contract.records] = found
    assert differing == {}


@pytest.mark.parametrize("reference", [by_hand.lamps_of, with_pandas.lamps])
def test_scores_are_those_of_who_wrote_them_by_hand(
    days: Days, engine: Engine, tmp_path: Path, reference: Callable[[Path, date, Path], None]
) -> None:
    """Two more tellings of the same rules: one SQL script, and data frames."""
    reference(days.by_county / "lake", SECOND, tmp_path)
    (counts,) = engine.rows(
        f"""
        select count(*), count(*) filter (a.score is distinct from b.score),
            count(*) filter (a.level is distinct from b.level and not a.is_held)
        from {read(days.by_county, "warning_flag")} as a
            join '{tmp_path}/warning_flag.parquet' as b using (household_id)"""
    )
    in_register = engine.scalar(
        f"select count(*) from {read(days.by_county, 'household')} where area_code is not null"
    )
    assert counts == (in_register, 0, 0)


@pytest.mark.parametrize(("day", "digits"), [(SECOND, "'3', '7'"), (DOUBTED, "'3', '6', '8'")])
def test_a_set_of_households_is_made_as_the_whole_is(
    days: Days, engine: Engine, day: date, digits: str
) -> None:
    """What `make explain RECOMPUTE=yes` rests on: with what reaches over from other households,
    with who moved, with shells.
    """
    lake = Lake(days.by_county / "lake")
    chosen = engine.rows(
        f"select household_id from {read(days.by_county, 'warning_flag', day)} where"
        f" right(household_id, 1) in ({digits})"
    )
    scope = Households(frozenset(household for (household,) in chosen))
    runner = Runner(engine, LakeInputs(lake, {}), load_contracts())
    tables = ("household_indicator", "warning_flag", "warning_reason")
    runner.make(tables, day_moment(day), scope)
    for table in tables:
        stored_day = read(days.by_county, table, day)
        columns = ", ".join(column for column, _ in engine.columns(f"select * from {stored_day}"))
        stored = f"(select {columns} from {stored_day} where right(household_id, 1) in ({digits}))"
        made = f"(select {columns} from {table})"
        unlike = (
            f"select count(*) from ((from {stored} except all from {made}) union all (from {made}"
            f" except all from {stored}))"
        )
        assert engine.scalar(unlike) == 0, table
        assert engine.scalar(f"select count(*) from {table}") > 0, table
