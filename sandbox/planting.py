"""Contradictions planted at a rate, with their truth: for every rule some households in which two
records cannot both be right, and which of them is wrong, or none.

Belongs here: choosing the households, and what each rule's plant changes. Not here: mending what
nobody planted (`agreeing`), the answers of offices (`answers`).

A plant changes a clean household only: nobody in it dies, is disabled, monitored, assisted or in
trouble but for the plant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sandbox.agreeing import joined, lasting
from sandbox.draft import Array, Draft
from sandbox.economy import County
from sandbox.people import PLANTED, People

Day = np.datetime64
BEGAN, RECENT, LATE = Day("2025-12-15"), Day("2026-08-20"), Day("2026-10-25")
"""Days of what is planted: the contradictions stand from the end of November 2026 to the middle of
December.
"""
GROWN = 16
CONFIRMED = 0.75
"""Of the plants; in the others both records are right, for a reason."""
STAGES = ("discovered", "verified", "compared", "reviewed", "approved", "recorded")
NO_DAY = Day("NaT", "D")


@dataclass(frozen=True)
class Family:
    """A clean household, by the indexes of its people."""

    ordinal: int
    head: int
    other: int
    child: int
    """-1 where it has none of 8 to 13."""
    elder: int
    """-1 where it has none of 71 to 85."""
    everybody: tuple[int, ...]
    grown: tuple[int, ...]
    """Those of 16 and more."""


@dataclass(frozen=True)
class Truth:
    """What is true of one plant."""

    code: str
    ordinal: int
    person: int
    """-1 where it is the household's."""
    wrong: str
    """department.records, empty where both are right."""


@dataclass
class Planted:
    """Everything that is changed."""

    truth: list[Truth] = field(default_factory=list)
    household: dict[int, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    """By ordinal − 1."""
    member: dict[int, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    died: dict[int, np.datetime64] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Records besides, by type: person, born, ends, and their columns."""
    without: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Persons of whom nothing is told in a record type."""
    dwelling: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Of the household's dwelling, by its ordinal."""

    def add(self, records: str, person: int, born: np.datetime64, **columns: Any) -> None:
        self.rows[records].append({"person": person, "born": born, **columns})

    def case(self, family: Family, until: str, began: np.datetime64 = BEGAN, **said: Any) -> None:
        """A case that has come as far as `recorded`, `assisted` or `cleared`."""
        days = {f"{stage}_on": began + 3 * step for step, stage in enumerate(STAGES)}
        recorded = days["recorded_on"]
        days["assisted_on"] = recorded + 20 if until in ("assisted", "cleared") else NO_DAY
        days["cleared_on"] = recorded + 220 if until == "cleared" else NO_DAY
        ordinal = {"ordinal": family.ordinal, "monitor_class": "3", "risk_types": "other"}
        self.add("cases", -1, began + 20, **{**ordinal, **days, **said})

    def watched(self, family: Family, until: str, **said: Any) -> None:
        """The same, and the register says so too."""
        self.case(family, until, **said)
        row = self.household[family.ordinal - 1]
        row |= {"monitor_class": "3", "monitor_cleared": until == "cleared", "measures_count": 2}

    def idle(self, family: Family, labour: str = "4") -> None:
        """Nobody can work, nobody does."""
        for person in family.grown:
            self.member[person] |= {"labour_class": labour, "working_now": False, "work_months": 0,
                                    "public_post": False, "worked_before": False}  # fmt: skip
        self.household[family.ordinal - 1] |= {"wage_income": 0}

    def poor(self, family: Family, yuan: int) -> None:
        """So much income a head."""
        row = self.household[family.ordinal - 1]
        nothing = ("wage_income", "business_income", "business_expense", "property_income")
        row |= dict.fromkeys(nothing, 0)
        row["transfer_income"] = yuan * 100 * len(family.everybody)

    def silent(self, family: Family, *records: str) -> None:
        for record_type in records:
            self.without[record_type] |= set(family.everybody)

    def award(self, person: int, scheme: str, persons: int) -> None:
        self.add("assistance", person, BEGAN, scheme=scheme, insured_persons=persons,
                 started_on=BEGAN, ended_on=NO_DAY, monthly_amount=30000,
                 **{"class": "B" if scheme == "dibao" else ""})  # fmt: skip

    def certificate(self, person: int, level: str) -> None:
        self.without["certificates"].add(person)
        self.add("certificates", person, BEGAN, category="4", level=level, issued_on=BEGAN,
                 expires_on=NO_DAY, status="1", suffix="", dies_on=NO_DAY)  # fmt: skip

    def paid(self, person: int, subsidy: str) -> None:
        for month in ("202609", "202610", "202611", "202612"):
            on = Day(f"{month[:4]}-{month[4:]}-05")
            self.add("disability_subsidies", person, on, subsidy=subsidy, month=month, amount=8000)

    def house(self, family: Family, grade: str, appraised: np.datetime64 = BEGAN) -> None:
        said = {"grade": grade, "occupied": True, "appraised_on": appraised, "owner": family.head}
        self.dwelling[family.ordinal] = said

    def loss(self, family: Family, damage: str, on: np.datetime64) -> None:
        said = {"event_id": "EVPLANTED", "hazard": "flood", "loss_amount": 50}
        days = {"occurred_on": on, "resolved_on": NO_DAY}
        self.add("losses", family.head, on + 1, house_damage=damage, **said, **days)


Plant = Callable[[Planted, Family], None]


def _member(who: str, **said: Any) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        p.member[getattr(f, who)] |= said

    return plant


def _household(**said: Any) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        p.household[f.ordinal - 1] |= said

    return plant


def _x08(p: Planted, f: Family) -> None:
    for person in f.grown:
        p.member[person] |= {"public_post": True}


def _x13(p: Planted, f: Family) -> None:
    p.idle(f, "1")
    p.household[f.ordinal - 1] |= {"wage_income": 2_000_000}


def _x14(p: Planted, f: Family) -> None:
    p.member[f.head] |= {"working_now": True, "work_months": 2, "labour_class": "1"}
    p.household[f.ordinal - 1] |= {"wage_income": 999_000_000}


def _both(one: Plant, other: Plant) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        one(p, f)
        other(p, f)

    return plant


def _cleared(more: Plant) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        p.watched(f, "cleared")
        more(p, f)

    return plant


def _uninsured(p: Planted, f: Family) -> None:
    p.without["enrolments"].add(f.other)


def _report(difficulty: str, closed: np.datetime64 | None) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        at = LATE.astype("datetime64[s]")
        ends = {} if closed is None else {"ends": closed.astype("datetime64[s]")}
        p.add("reports", f.head, LATE, channel="form", reported_at=at, difficulty=difficulty,
              closed_at=ends.get("ends", Day("NaT", "s")), **ends)  # fmt: skip
        if closed is not None:
            p.household[f.ordinal - 1] |= {"water_safe": False}

    return plant


def _new(risk: str, more: Plant) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        p.case(f, "discovered", LATE, risk_types=risk,
               **{f"{stage}_on": NO_DAY for stage in STAGES[1:]})  # fmt: skip
        more(p, f)

    return plant


def _nothing(*records: str) -> Plant:
    return lambda p, f: p.silent(f, *records)


def _no_pupil(p: Planted, f: Family) -> None:
    for person in f.everybody:
        p.member[person] |= {"student_status": "0", "dropout": False}


def _all_able(p: Planted, f: Family) -> None:
    for person in (f.head, f.other):
        p.member[person] |= {"labour_class": "1", "student_status": "0"}


def _not_out_of_work(p: Planted, f: Family) -> None:
    for person in f.everybody:
        p.member[person] |= {"worked_before": False}


def _grade(grade: str) -> Plant:
    return lambda p, f: p.house(f, grade)


def _died(who: str, on: str, more: Plant) -> Plant:
    def plant(p: Planted, f: Family) -> None:
        p.died[getattr(f, who)] = Day(on)
        more(p, f)

    return plant


def _x46(p: Planted, f: Family) -> None:
    p.add("deaths", f.other, RECENT + 5, died_on=RECENT)
    p.without["settlements"].add(f.other)


def _x49(p: Planted, f: Family) -> None:
    p.without["settlements"].add(f.other)
    p.add("settlements", f.other, LATE, settled_at=LATE.astype("datetime64[s]"), medical_type="11",
          reverses=-1)  # fmt: skip


def _x45(p: Planted, f: Family) -> None:
    for kind in ("310", "390"):
        p.add("enrolments", f.head, BEGAN + 40, year=2026, insurance_type=kind, status="1",
              paid_on=BEGAN + 39)  # fmt: skip


def _x50(p: Planted, f: Family) -> None:
    p.award(f.head, "tekun", 1)
    p.member[f.head] |= {"working_now": True, "work_months": 9, "labour_class": "1"}


def _x51(p: Planted, f: Family) -> None:
    p.award(f.head, "edge", 2)
    p.award(f.head, "rigid", 2)


def _x52(p: Planted, f: Family) -> None:
    p.award(f.other, "dibao", 9)
    p.idle(f, "3")
    p.poor(f, 5000)


def _x53(p: Planted, f: Family) -> None:
    p.idle(f)
    p.poor(f, 6000)
    p.household[f.ordinal - 1] |= {"household_type": "2"}


def _x54(p: Planted, f: Family) -> None:
    p.certificate(f.head, "2")
    p.member[f.head] |= {"labour_class": "1"}


def _x55(p: Planted, f: Family) -> None:
    p.without["certificates"].add(f.head)
    p.paid(f.head, "nursing")


def _x56(p: Planted, f: Family) -> None:
    p.certificate(f.head, "4")
    p.paid(f.head, "living")


def _x58(p: Planted, f: Family) -> None:
    p.house(f, "C", RECENT)
    p.add("retrofits", f.head, BEGAN, dwelling_of=f.ordinal, approved_on=BEGAN - 200,
          started_on=BEGAN - 150, finished_on=BEGAN, subsidy_amount=2_000_000,
          ends=BEGAN.astype("datetime64[s]"))  # fmt: skip


def _x59(p: Planted, f: Family) -> None:
    p.loss(f, "3", RECENT)
    p.house(f, "B", RECENT + 20)


def _x65(p: Planted, f: Family) -> None:
    p.award(f.other, "tekun", len(f.everybody))
    p.member[f.other] |= {"working_now": False, "work_months": 0, "labour_class": "4"}
    p.without["enrolments"].add(f.other)


def _x66(p: Planted, f: Family) -> None:
    p.house(f, "D")
    p.household[f.ordinal - 1] |= {"relocated": True}


def _x28(p: Planted, f: Family) -> None:
    p.idle(f, "3")
    p.poor(f, 6500)


PLANTS: Mapping[str, tuple[str, str, Plant]] = {
    "X01": ("other", "members", _member("other", student_status="3", working_now=True,
                                        work_months=9, labour_class="1")),
    "X02": ("child", "members", _member("child", working_now=True, work_months=4)),
    "X03": ("child", "members", _member("child", labour_class="1")),
    "X04": ("elder", "members", _member("elder", public_post=True)),
    "X05": ("elder", "members", _member("elder", labour_class="1", working_now=False,
                                        work_months=0)),
    "X06": ("head", "members", _member("head", labour_class="4", student_status="0",
                                       working_now=True, work_months=9)),
    "X07": ("head", "members", _member("head", labour_class="5", student_status="0",
                                       working_now=False, work_months=9)),
    "X08": ("", "members", _x08),
    "X09": ("", "members", _member("head", relation="06")),
    "X10": ("other", "members", _member("other", relation="04")),
    "X11": ("", "households", _household(farmland_mu=25_000)),
    "X12": ("", "households", _both(
        lambda p, f: p.member[f.head].update(
            working_now=True, work_months=9, labour_class="1"),
        _household(wage_income=0))),
    "X13": ("", "households", _x13),
    "X14": ("", "households", _x14),
    "X15": ("child", "members", _member("child", student_status="2", dropout=True)),
    "X16": ("child", "members", _member("child", student_status="0", dropout=False)),
    "X17": ("", "households", _household(microcredit="1")),
    "X18": ("", "households", _both(
        lambda p, f: p.watched(f, "assisted", monitor_class="2"),
        _household(household_type="2", monitor_class="2"))),
    "X21": ("", "cases", lambda p, f: p.watched(f, "assisted", monitor_class="1")),
    "X22": ("", "cases", _both(
        lambda p, f: p.watched(f, "assisted"), _household(monitor_cleared=True))),
    "X23": ("", "households", _both(
        lambda p, f: p.case(f, "assisted"), _household(measures_count=2))),
    "X24": ("", "dwellings", _cleared(_grade("D"))),
    "X25": ("", "households", _cleared(_household(water_safe=False))),
    "X26": ("", "members", _cleared(_member("child", student_status="0", dropout=True))),
    "X27": ("", "enrolments", _cleared(_uninsured)),
    "X28": ("", "households", _cleared(_x28)),
    "X29": ("", "cases", _cleared(_both(
        lambda p, f: p.idle(f), lambda p, f: p.poor(f, 15000)))),
    "X30": ("", "reports", _cleared(_report("other", None))),
    "X31": ("", "losses", _cleared(lambda p, f: p.loss(f, "2", BEGAN))),
    "X32": ("", "cases", lambda p, f: p.watched(f, "cleared", cleared_on=BEGAN + 100)),
    "X35": ("", "households", _both(
        lambda p, f: p.watched(f, "assisted"), _household(measures_count=0))),
    "X36": ("", "cases", _both(
        lambda p, f: p.watched(f, "assisted"), _household(visited_on=BEGAN))),
    "X37": ("", "cases", _new("illness", _nothing("settlements", "serious_illnesses",
                                                  "chronic_followups"))),
    "X38": ("", "cases", _new("disability", _nothing("certificates"))),
    "X39": ("", "cases", _new("schooling", _no_pupil)),
    "X40": ("", "cases", _new("labour", _all_able)),
    "X41": ("", "cases", _new("housing", _grade("B"))),
    "X42": ("", "cases", _new("water", _household(water_safe=True))),
    "X43": ("", "cases", _new("disaster", _nothing("losses", "relief", "casualties"))),
    "X44": ("", "cases", _new("job", _not_out_of_work)),
    "X45": ("head", "enrolments", _x45),
    "X46": ("other", "members", _x46),
    "X47": ("head", "assistance", _died("head", "2026-07-01",
                                        lambda p, f: p.award(f.head, "tekun", 1))),
    "X48": ("other", "disability_subsidies", _died("other", "2026-07-01",
                                                   lambda p, f: p.paid(f.other, "nursing"))),
    "X49": ("other", "settlements", _died("other", "2026-07-01", _x49)),
    "X50": ("head", "assistance", _x50),
    "X51": ("head", "assistance", _x51),
    "X52": ("", "assistance", _x52),
    "X53": ("", "assistance", _x53),
    "X54": ("head", "members", _x54),
    "X55": ("head", "disability_subsidies", _x55),
    "X56": ("head", "disability_subsidies", _x56),
    "X57": ("", "assistance", _both(
        lambda p, f: p.award(f.head, "dibao", 2),
        lambda p, f: p.household[f.ordinal - 1].update(
            transfer_income=2_000_000 * len(f.everybody)))),
    "X58": ("", "dwellings", _x58),
    "X59": ("", "dwellings", _x59),
    "X60": ("", "reports", _report("water", LATE + 5)),
    "X61": ("other", "enrolments", _died("other", "2025-11-01", lambda p, f: p.add(
        "enrolments", f.other, BEGAN + 40, year=2026, insurance_type="390", status="1",
        paid_on=BEGAN + 39))),
    "X62": ("other", "certificates", _died("other", "2026-05-01",
                                           lambda p, f: p.certificate(f.other, "3"))),
    "X63": ("other", "members", _died("other", "2026-07-01",
                                      lambda p, f: p.without["deaths"].add(f.other))),
    "X64": ("head", "assistance", _died("head", "2026-07-01",
                                        lambda p, f: p.award(f.head, "edge", 3))),
    "X65": ("", "enrolments", _x65),
    "X66": ("", "dwellings", _x66),
    "X67": ("other", "casualties", lambda p, f: p.add(
        "casualties", f.other, RECENT + 2, event_id="EVPLANTED", outcome="death",
        occurred_on=RECENT)),
}  # fmt: skip
"""By rule: whose it is (empty: the household's), the record type that is wrong where one is, and
what is changed.
"""
DEPARTMENTS = {
    **dict.fromkeys(("members", "households"), "rural_revitalisation"), "cases": "monitoring",
    **dict.fromkeys(("dwellings", "retrofits"), "housing"), "reports": "citizen_reports",
    **dict.fromkeys(("losses", "casualties"), "emergency_management"),
    **dict.fromkeys(("enrolments", "settlements"), "health_insurance"),
    **dict.fromkeys(("assistance", "disability_subsidies"), "civil_affairs"),
    "certificates": "disability_federation",
}  # fmt: skip


def clean_families(county: County) -> list[Family]:
    """Households of whom nobody dies or is in trouble, with two grown people, in order."""
    people, n = county.people, county.people.registered
    there, age, home = lasting(people), people.age[:n], people.household[:n]
    usual = (county.trouble == 0) & (county.household["household_type"] == "1")
    usual &= county.household["monitor_class"] == "0"
    usual[:PLANTED] = False
    of_home: dict[int, list[int]] = defaultdict(list)
    for person in range(n):
        of_home[int(home[person])].append(person)
    found = []
    for ordinal, persons in of_home.items():
        if not usual[ordinal - 1] or not all(there[person] for person in persons):
            continue
        grown = [p for p in persons if 25 <= age[p] <= 58]
        heads = [p for p in grown if people.relation[p] == "01"]
        spouses = [p for p in grown if people.relation[p] == "02"]
        if not heads or not spouses or people.birth[spouses[0]] <= people.birth[heads[0]]:
            continue
        child = next((p for p in persons if 8 <= age[p] <= 13), -1)
        elder = next((p for p in persons if 71 <= age[p] <= 85), -1)
        old_enough = tuple(p for p in persons if age[p] >= GROWN)
        found.append(
            Family(ordinal, heads[0], spouses[0], child, elder, tuple(persons), old_enough)
        )
    return found


NEEDS_CHILD = ("X02", "X03", "X15", "X16", "X26")
NEEDS_ELDER = ("X04", "X05")
NEEDS_NO_CHILD = ("X08", "X13", "X28", "X29", "X39", "X40", "X52", "X53")


def _fits(code: str, family: Family) -> bool:
    if code in NEEDS_CHILD:
        return family.child >= 0
    if code in NEEDS_ELDER:
        return family.elder >= 0
    if code in NEEDS_NO_CHILD:
        is_large = len(family.grown) >= 3 or code != "X08"
        is_small = len(family.everybody) <= 3 or code != "X40"
        return family.child < 0 and family.elder < 0 and is_large and is_small
    return True


def planted(rng: np.random.Generator, county: County, rate: float) -> Planted:
    """Plants every rule in `rate` of the households, at least in one."""
    made = Planted()
    if rate <= 0:
        return made
    free = clean_families(county)
    rng.shuffle(free)
    for code, (who, records, plant) in PLANTS.items():
        for _ in range(max(1, round(rate * county.count))):
            family = next((f for f in free if _fits(code, f)), None)
            if family is None:
                break
            free.remove(family)
            plant(made, family)
            is_wrong = rng.random() < CONFIRMED
            wrong = f"{DEPARTMENTS[records]}.{records}" if is_wrong else ""
            person = getattr(family, who) if who else -1
            made.truth.append(Truth(code, family.ordinal, person, wrong))
    return made


def with_deaths(people: People, made: Planted) -> People:
    """The people, some of whom have died."""
    died = people.died.copy()
    for person, on in made.died.items():
        died[person] = on
    return replace(people, died=died)


def in_register(county: County, made: Planted) -> County:
    """The register as it is told."""
    household = {name: values.copy() for name, values in county.household.items()}
    household["visited_on"] = np.full(county.count, NO_DAY)
    member = {name: values.copy() for name, values in county.member.items()}
    for columns, changed in ((household, made.household), (member, made.member)):
        for index, said in changed.items():
            for name, value in said.items():
                columns[name][index] = value
    return replace(county, household=household, member=member)


def in_draft(draft: Draft, county: County, made: Planted) -> Draft:
    """One record type as it is told: without some, with others."""
    gone = made.without.get(draft.records, set())
    if gone:
        keep = ~np.isin(draft.person, list(gone))
        ends = None if draft.closed is None else draft.closed[keep]
        columns = {name: values[keep] for name, values in draft.columns.items()}
        draft = replace(draft, person=draft.person[keep], born=draft.born[keep], columns=columns,
                        closed=ends, source=None)  # fmt: skip
        if "reverses" in draft.columns:
            draft = _without_reversals(draft)
    if draft.records == "dwellings":
        draft = _dwellings(draft, county, made)
    rows = made.rows.get(draft.records, [])
    return joined([draft, _of_rows(draft, rows)]) if rows else draft


def in_retrofits(draft: Draft, county: County, made: Planted, dwellings: Draft) -> Draft:
    """Retrofits, none of a planted dwelling but the planted ones."""
    known = dwellings.person < county.people.registered
    home = np.where(known, county.people.household[dwellings.person], 0)
    place = {int(ordinal): number for number, ordinal in reversed(list(enumerate(home)))}
    theirs = np.isin(home, list(made.dwelling))
    which = draft.columns["dwelling"]
    keep = ~theirs[np.maximum(which, 0)] | (which < 0)
    ends = None if draft.closed is None else draft.closed[keep]
    columns = {name: values[keep] for name, values in draft.columns.items()}
    draft = replace(draft, person=draft.person[keep], born=draft.born[keep], columns=columns,
                    closed=ends)  # fmt: skip
    for row in made.rows["retrofits"]:
        row["dwelling"] = place.get(row.pop("dwelling_of", -1), row.get("dwelling", -1))
    return in_draft(draft, county, made)


def _without_reversals(draft: Draft) -> Draft:
    """Places have moved, so nothing is undone any more."""
    own = draft.columns["reverses"] < 0
    columns = {name: values[own] for name, values in draft.columns.items()}
    return replace(draft, person=draft.person[own], born=draft.born[own], columns=columns)


def _dwellings(draft: Draft, county: County, made: Planted) -> Draft:
    columns = {name: values.copy() for name, values in draft.columns.items()}
    known = draft.person < county.people.registered
    home = np.where(known, county.people.household[draft.person], 0)
    for ordinal, said in made.dwelling.items():
        owner = said.pop("owner", -1)
        (places,) = np.nonzero(home == ordinal)
        if not len(places):
            made.add("dwellings", owner, said["appraised_on"] + 5, **said)
        for number, place in enumerate(places):
            columns["occupied"][place] = number == 0
            if number == 0:
                for name, value in said.items():
                    columns[name][place] = value
    return replace(draft, columns=columns)


def _of_rows(draft: Draft, rows: list[dict[str, Any]]) -> Draft:
    """The planted rows; what one does not say is as in the first drawn one."""
    ends = [row.get("ends", Day("NaT", "s")) for row in rows]
    columns: dict[str, Array] = {}
    for name, values in draft.columns.items():
        given = [row.get(name, values[0]) for row in rows]
        if values.dtype.kind == "M":
            columns[name] = np.array(given, values.dtype)
        else:
            columns[name] = np.array(given)
    born = np.array([row["born"].astype("datetime64[s]") for row in rows])
    person = np.array([row["person"] for row in rows])
    return Draft(draft.records, person, born, columns, closed=np.array(ends))
