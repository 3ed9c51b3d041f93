"""Days as a run makes them: laid over the day before, at once and by county, they are the day in
full, table for table; the proof finds a planted fault, and the day is made in full.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from bench.province import Province, make_province
from bench.stage import run
from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.incremental.days import unlike
from tests.scale.test_by_county import only, overnight
from warehouse.graph import touched
from warehouse.graph.registry import laid_over, layer_and_folder
from warehouse.graph.under import MADE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("incremental")]

FIRST = date(2026, 11, 20)
SECOND = FIRST + timedelta(days=1)
SUNDAY = SECOND + timedelta(days=1)
STAGES = ["matching", "lamps", "following"]
TABLES = (
    *(f"matched_{contract.table}" for contract in load_contracts()),
    *("person", "person_key_map", "linkage_quality", "review_queue", "source_status"),
    *laid_over(),
    *("flag_change", "case_progress", "area_ledger", "bulletin"),
)
ONE_IN = 40
MOVED = f"hash(household_id) % {ONE_IN} = 7"
CHANGED = {
    "rural_revitalisation__households": (
        f"""
        select * replace (
            case when {MOVED} then '610122' || substr(area_code, 7) else area_code end as area_code,
            case when hash(household_id) % {ONE_IN} = 3 then 0 else wage_income end as wage_income
        )
        from yesterday where hash(household_id) % 200 <> 11"""
    ),
    "rural_revitalisation__members": (
        "select * replace (case when hash(member_id) % 150 = 5 then null else id_number end as"
        " id_number) from yesterday where hash(member_id) % 170 <> 9"
    ),
    "housing__retrofits": (
        "select * exclude (_other) replace (case when hash(project_id) % 3 = 0 then _other else"
        " dwelling_id end as dwelling_id) from (select *, first_value(dwelling_id) over (order by"
        " project_id desc) as _other from yesterday)"
    ),
    "health_insurance__settlements": (
        "select * exclude (_other) replace (case when reverses_id is not null then _other else"
        " id_number end as id_number) from (select *, first_value(id_number) over (order by"
        f" settlement_id desc) as _other from yesterday) where hash(settlement_id) % {ONE_IN} <> 1"
    ),
}
ON_SUNDAY = {
    "rural_revitalisation__households": (
        f"select * replace (case when hash(household_id) % {ONE_IN} = 5 then 0 else wage_income end"
        " as wage_income) from yesterday"
    ),
}
WAYS: Mapping[str, Mapping[str, str]] = {
    "full": {"YIHU_FULL": "yes", "YIHU_BY_COUNTY": "no"},
    "laid": {"YIHU_FULL": "no", "YIHU_BY_COUNTY": "no"},
    "by_county": {"YIHU_FULL": "no", "YIHU_BY_COUNTY": "yes"},
}


@contextmanager
def homes() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="yihu-incremental-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copied(source: Path, target: Path) -> Path:
    for part in ("lake", "secrets"):
        shutil.copytree(source / part, target / part)
    return target


@pytest.fixture(scope="module")
def days() -> Iterator[Path]:
    """A folder of homes: the same two days in each way."""
    with homes() as folder:
        base = folder / "base"
        make_province(Lake(base / "lake"), folder / "temp", Province(2, 150, FIRST))
        with only(**WAYS["full"]):
            assert run(base, FIRST, STAGES)["failed"] == []
        overnight(Lake(base / "lake"), folder / "temp", FIRST, SECOND, CHANGED)
        for way in ("full", "laid"):
            with only(**WAYS[way]):
                assert run(copied(base, folder / way), SECOND, STAGES)["failed"] == []
        yield folder


@pytest.fixture(scope="module")
def by_county(days: Path) -> Path:
    """The same folder, with a home whose days are worked through county by county."""
    home = copied(days / "base", days / "by_county")
    for day, full in ((FIRST, "yes"), (SECOND, "no")):
        with only(**{**WAYS["by_county"], "YIHU_FULL": full}):
            assert run(home, day, STAGES)["failed"] == []
    return days


def told(home: Path, day: date) -> str:
    return str((Lake(home / "lake").read_note(*MADE, day) or {})["touched"])


def differing(engine: Engine, one: Path, other: Path, day: date) -> dict[str, int]:
    found = {}
    for table in TABLES:
        of = [Lake(home / "lake").relation(*layer_and_folder(table), day) for home in (one, other)]
        if rows := unlike(engine, f"select * from {of[0]}", f"select * from {of[1]}"):
            found[table] = rows
    return found


def test_every_table_is_that_of_a_full_run(days: Path, engine: Engine) -> None:
    assert told(days / "full", SECOND) == "in full: it was asked for"
    assert "households touched (records" in told(days / "laid", SECOND)
    assert differing(engine, days / "full", days / "laid", SECOND) == {}


@pytest.mark.long
def test_every_table_by_county_is_that_of_a_full_run(by_county: Path, engine: Engine) -> None:
    assert "households touched (records" in told(by_county / "by_county", SECOND)
    assert differing(engine, by_county / "full", by_county / "by_county", SECOND) == {}


def test_the_proof_finds_a_planted_fault(
    days: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(days, engine, "laid", monkeypatch)


@pytest.mark.long
def test_the_proof_finds_a_planted_fault_by_county(
    by_county: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(by_county, engine, "by_county", monkeypatch)


def planted(days: Path, engine: Engine, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Sunday everything is proved: households that the register touches were left out."""
    home = copied(days / way, days / f"planted-{way}")
    full = copied(days / "full", days / f"sunday-{way}")
    for one in (home, full):
        overnight(Lake(one / "lake"), days / "temp", SECOND, SUNDAY, ON_SUNDAY)
    with only(**WAYS["full"]):
        assert run(full, SUNDAY, STAGES)["failed"] == []
    selects = touched._selects

    def less(*given: Any) -> Iterator[tuple[str, str]]:
        return (found for found in selects(*given) if "rural_revitalisation" not in found[1])

    monkeypatch.setattr(touched, "_selects", less)
    with only(**WAYS[way]):
        done = run(home, SUNDAY, STAGES)
    assert done["failed"] == []
    assert done["failed_checks"] == ["incremental_equals_full"]
    assert told(home, SUNDAY) == "in full: the proof found other rows"
    assert differing(engine, full, home, SUNDAY) == {}
