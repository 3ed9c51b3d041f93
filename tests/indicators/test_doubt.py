"""From the scoring version of 2026-11-25 on: what waits is not absent, and shells are computed. The
day before: as ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.indicators.facts import Facts
from tests.indicators.four import HOUSEHOLD, MEMBER
from tests.making import make_lamps
from warehouse.catalogue import load_indicators
from warehouse.explain import explain, read_lamp

BEFORE, FROM = date(2026, 11, 24), date(2026, 11, 25)
COLUMN = {indicator.code: indicator.column for indicator in load_indicators()}
OF_HOUSEHOLDS = [
    indicator.code for indicator in load_indicators() if "households" in indicator.sources
]


def home(facts: Facts, name: str, *people: dict[str, Any], **fields: Any) -> list[str]:
    """A household of adults of known numbers; `people` says what is different about each."""
    well = {"wage_income": Decimal(60000), "previous_net_income": Decimal(60000)}
    facts.household(name, **{**HOUSEHOLD, **well, **fields})
    return members(facts, name, *people)


def members(facts: Facts, name: str, *people: dict[str, Any]) -> list[str]:
    works = {
        "labour_class": "1",
        "working_now": True,
        "worked_before": True,
        "work_months": 12,
        "birth_on": date(1980, 3, 1),
    }
    return [
        facts.member(name, f"{name}-{n}", **{**MEMBER, **works, **person})
        for n, person in enumerate(people or ({},), 1)
    ]


def severe(facts: Facts, member: str) -> None:
    facts.add(
        "certificates", member, level="1", category="4", status="1", issued_on=date(2020, 1, 1)
    )


def enrolments(facts: Facts) -> None:
    one, other = home(facts, "one-waits", {}, {})
    facts.insure(other)
    facts.waits("enrolments", one, year=2026, status="1")

    one, _ = home(facts, "one-of-two", {}, {})
    facts.waits("enrolments", one, year=2026, status="1", outcome="unidentifiable")

    (one,) = home(facts, "nobody-left")
    facts.waits("enrolments", one, "one-of-two-2", year=2026, status="1")

    (one,) = home(facts, "no-number", {"birth_on": None})
    facts.waits("enrolments", one, year=2026, status="1")

    one, other = home(facts, "insured-and-asked", {}, {})
    facts.insure(one)
    facts.insure(other)
    facts.waits("enrolments", one, year=2025, status="1")

    (one,) = home(facts, "another-type")
    facts.waits("settlements", one, settled_at=datetime(2026, 7, 1), medical_type="21")


def subsidies(facts: Facts) -> None:
    for name, records in (
        ("certificate", "certificates"),
        ("subsidy", "disability_subsidies"),
        ("assistance", "assistance"),
    ):
        (one,) = home(facts, f"{name}-waits")
        severe(facts, one)
        facts.waits(records, one)

    (one,) = home(facts, "enrolment-waits")
    severe(facts, one)
    facts.waits("enrolments", one, year=2026, status="1")

    one, other = home(facts, "paid-and-asked", {}, {})
    for member in (one, other):
        severe(facts, member)
    facts.add("disability_subsidies", other, subsidy="nursing", month="202611", amount=Decimal(80))
    facts.waits("disability_subsidies", one, subsidy="nursing", month="202611", amount=Decimal(80))


def dibao(facts: Facts) -> None:
    poor = {"wage_income": Decimal(1000)}
    home(facts, "poor", **poor)
    home(facts, "moved-out", {}, {"status": "2"}, **poor)
    home(facts, "dead", {}, {"status": "3"}, wage_income=None)
    home(facts, "income-unknown", wage_income=None)
    home(facts, "on-a-list", **poor)
    home(facts, "rich-and-asked")
    facts.waits("assistance", "moved-out-2", scheme="dibao", started_on=date(2026, 1, 1))
    facts.waits(
        "assistance", "dead-2", "rich-and-asked-1", scheme="dibao", started_on=date(2026, 1, 1)
    )
    facts.waits("relief", "on-a-list-1", listed_on=date(2026, 11, 1))


def retrofits(facts: Facts) -> None:
    (one,) = home(facts, "its-dwelling")
    dwelling = facts.add("dwellings", one, grade="D", occupied=True, appraised_on=date(2026, 1, 1))
    project: dict[str, Any] = {"approved_on": date(2026, 1, 10), "outcome": "ambiguous"}
    facts.add("retrofits", None, dwelling_id=dwelling, finished_on=date(2026, 9, 1), **project)
    (one,) = home(facts, "late-project")
    dwelling = facts.add("dwellings", one, grade="A", occupied=True, appraised_on=date(2026, 1, 1))
    facts.add("retrofits", None, dwelling_id=dwelling, **project)
    home(facts, "no-dwelling")
    facts.add("retrofits", None, dwelling_id="nobody knows", **project)


def shells(facts: Facts) -> None:
    child, parent = members(
        facts,
        "shell",
        {"birth_on": date(2015, 5, 5), "dropout": True, "student_status": "2", "labour_class": "5"},
        {},
    )
    facts.insure(child)
    facts.insure(parent)
    dwelling = facts.add(
        "dwellings", parent, grade="A", occupied=True, appraised_on=date(2026, 1, 1)
    )
    facts.add(
        "retrofits",
        parent,
        dwelling_id=dwelling,
        approved_on=date(2024, 1, 1),
        finished_on=date(2025, 1, 1),
    )
    facts.add("assistance", parent, scheme="dibao", started_on=date(2026, 1, 1))
    facts.settlement(
        parent,
        datetime(2026, 7, 1),
        total_fee=Decimal(90000),
        in_scope=Decimal(80000),
        personal_paid=Decimal(60000),
    )
    members(facts, "left-shell", {"status": "3"}, {"status": "2"})


@dataclass(frozen=True)
class Days:
    """The same facts, scored on the last day of the version before and on the first of this one."""

    before: Engine
    now: Engine

    def values(self, household: str, *codes: str) -> tuple[Any, Any]:
        """The values of both days, a word for what has none."""
        before, now = (
            tuple(_value(engine, household, code) for code in codes)
            for engine in (self.before, self.now)
        )
        return (before, now) if len(codes) > 1 else (before[0], now[0])


def _value(engine: Engine, household: str, code: str) -> Any:
    column = COLUMN[code]
    lists = ", ".join(
        f"list_contains({name}, '{code}')" for name in ("missing", "not_applicable", "stale")
    )
    row = engine.rows(
        f"select {column}, {lists} from household_indicator where household_id = '{household}'"
    )[0]
    return next(
        (
            word
            for word, is_so in zip(("missing", "not_applicable", "stale"), row[1:], strict=True)
            if is_so
        ),
        row[0],
    )


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    facts = Facts()
    for plant in (enrolments, subsidies, dibao, retrofits, shells):
        plant(facts)
    made = Days(*(Engine(Path(tmp_path_factory.mktemp("doubt"))) for _ in range(2)))
    for engine, day in ((made.before, BEFORE), (made.now, FROM)):
        facts.register(engine)
        make_lamps(engine, day)
    yield made
    made.before.close()
    made.now.close()


@pytest.mark.parametrize(
    ("household", "before", "now"),
    [
        ("one-waits", (1, False), (0, True)),
        ("one-of-two", (2, False), (0, False)),
        ("nobody-left", (1, False), (0, False)),
        ("no-number", (0, "not_applicable"), (0, "not_applicable")),
        ("insured-and-asked", (0, True), (0, True)),
        ("another-type", (1, False), (1, False)),
    ],
)
def test_the_uninsured_leave_out_whom_an_enrolment_waits_for(
    days: Days, household: str, before: Any, now: Any
) -> None:
    """`one-of-two`: both are candidates, of two records."""
    assert days.values(household, "R06", "S08") == (before, now)


@pytest.mark.parametrize(
    ("household", "before", "now"),
    [
        ("certificate-waits", (1, False), (0, False)),
        ("subsidy-waits", (1, False), (0, False)),
        ("assistance-waits", (1, False), (0, False)),
        ("enrolment-waits", (1, False), (1, False)),
        ("paid-and-asked", (1, False), (0, True)),
    ],
)
def test_the_unpaid_leave_out_whom_a_record_of_theirs_waits_for(
    days: Days, household: str, before: Any, now: Any
) -> None:
    assert days.values(household, "R13", "S10") == (before, now)
    assert days.values(household, "R11")[0] == days.values(household, "R11")[1] > 0


@pytest.mark.parametrize(
    ("household", "before", "now"),
    [
        ("poor", True, True),
        ("moved-out", True, False),
        ("dead", "missing", False),
        ("income-unknown", "missing", "missing"),
        ("on-a-list", True, True),
        ("rich-and-asked", False, False),
    ],
)
def test_no_dibao_gap_where_assistance_waits_for_anybody_of_the_household(
    days: Days, household: str, before: Any, now: Any
) -> None:
    assert days.values(household, "R28") == (before, now)


def test_a_retrofit_is_its_dwellings_whatever_its_own_outcome(days: Days) -> None:
    assert days.values("its-dwelling", "R14", "S13") == (("D", False), ("not_applicable", True))
    assert days.values("late-project", "R15") == (0, 1)
    assert days.values("no-dwelling", "R15") == (0, 0)


def test_a_shell_was_as_without_an_active_member(days: Days) -> None:
    assert days.before.rows(
        "select level, score, f.area_code, member_count, is_shell from warning_flag as f inner join"
        " household using (household_id) where household_id = 'shell'"
    ) == [("none", 0, None, 0, True)]
    missing, not_applicable = days.before.rows(
        "select missing, not_applicable from household_indicator where household_id = 'shell'"
    )[0]
    assert (missing, not_applicable) == ([], [code for code in COLUMN if code != "B01"])


def test_a_shell_is_computed_from_its_members(days: Days) -> None:
    """What reads its register row is missing, whatever else is known; the dropout has a lamp."""
    (missing,) = days.now.rows(
        "select missing from household_indicator where household_id = 'shell'"
    )[0]
    assert missing == OF_HOUSEHOLDS
    assert {"R04", "R22", "R28", "S13", "S15"} <= set(missing)
    assert days.values("shell", "B01", "B03", "R06", "R18", "S06", "S08", "S12")[1] == (
        2,
        1,
        0,
        1,
        True,
        True,
        True,
    )
    flag = days.now.rows(
        "select level, is_hard, score, area_code, town_code, reasons from warning_flag where"
        " household_id = 'shell'"
    )
    assert flag == [("red", True, 31, "610921000000", "610921000", ["R18"])]
    points = dict(
        days.now.rows("select code, points from warning_reason where household_id = 'shell'")
    )
    assert sum(points.values()) == 31
    assert {"R18": 20, "S06": -2, "S08": -1}.items() <= points.items()
    members_of = days.now.rows(
        "select distinct area_code, town_code from household_member where household_id = 'shell'"
    )
    assert members_of == [("610921000000", "610921000")]
    assert days.now.rows(
        "select * exclude (head_name_masked) from household where household_id = 'shell'"
    ) == [("shell", "610921000000", "610921000", None, None, None, 2, "", "", False, True)]
    lamp = read_lamp(days.now, "shell", FROM)
    assert lamp is not None
    assert "R18 dropout count" in explain(lamp)


def test_a_shell_without_an_active_member_is_a_household_without_one(days: Days) -> None:
    for engine in (days.before, days.now):
        assert engine.rows(
            "select b01_household_size, missing, coverage from household_indicator where"
            " household_id = 'left-shell'"
        ) == [(0, [], 1)]
        assert engine.rows(
            "select level, score from warning_flag where household_id = 'left-shell'"
        ) == [("none", 0)]
    assert days.now.rows(
        "select area_code, member_count, is_shell from household where household_id = 'left-shell'"
    ) == [("610921000000", 0, True)]


def test_only_shells_are_marked(days: Days) -> None:
    for engine in (days.before, days.now):
        assert engine.rows("select household_id from household where is_shell order by 1") == [
            ("left-shell",),
            ("shell",),
        ]


def test_a_red_lamp_is_held_when_its_register_row_goes(tmp_path: Path) -> None:
    """What made it red cannot be seen in a shell."""
    from tests.making import remember

    engine, facts = Engine(tmp_path), Facts()
    home(facts, "dry", water_safe=False)
    facts.insure("dry-1")
    facts.register(engine)
    make_lamps(engine, FROM)
    assert engine.rows("select level, is_held from warning_flag") == [("red", False)]
    remember(engine, FROM)
    facts.rows["households"] = []
    facts.register(engine)
    make_lamps(engine, FROM + timedelta(days=1))
    assert engine.rows("select level, is_held, score, area_code from warning_flag") == [
        ("red", True, 0, "610921000000")
    ]
    engine.close()


@pytest.mark.parametrize(("others", "before", "county"), [
    (("610921100201",), None, "610921"),
    (("610921100201", "610922100201"), None, "000000"),
    (("610921100201", "610922100201"), "610922101001", "610922"),
    (("610921100201",), "610922000000", "610922"),
    (("610921100201",), "000000000000", "610921"),
])  # fmt: skip
def test_the_county_of_a_shell(
    tmp_path: Path, others: tuple[str, ...], before: str | None, county: str
) -> None:
    """The one that it was last known in; else the register's, where that has one."""
    from tests.making import standing

    engine, facts = Engine(tmp_path), Facts()
    for number, area in enumerate(others):
        home(facts, f"h{number}", area_code=area)
    members(facts, "shell")
    facts.register(engine)
    if before is not None:
        engine.table(
            "household_before_that", f"select 'shell' as household_id, '{before}' as area_code"
        )
        standing(engine, FROM).kept["household", BEFORE] = "household_before_that"
    make_lamps(engine, FROM)
    assert (
        engine.scalar("select area_code from household where household_id = 'shell'")
        == f"{county}000000"
    )
    engine.close()
