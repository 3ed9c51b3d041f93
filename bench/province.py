"""A province straight into the lake's `valid` layer: all record types, by SQL, a county at a time, in the memory of one county.

Belongs here: a crowd and its records, with shares taken from the sandbox's county (1 to 3 households in a hundred are red), and
the errors that matching must find. Not here: the sandbox's county with its known truth, deliveries and raw bytes (`sandbox`).

Every county has records of people who are registered in the next one, and a few people whose ID number both registers hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bench.matching import GIVEN, SURNAMES
from expectations.contract import Contract, load_contracts
from resources.engine import Engine, quoted
from resources.lake import Lake
from warehouse import identity

HOUSEHOLDS_PER_COUNTY = 104_500
ACROSS = 400
"""One record in so many is about somebody whom the next county's register has."""
IN_TWO = 500
"""One member in so many is in the next county's register too."""


KINDS = {"text": "varchar", "integer": "bigint"}


@dataclass(frozen=True)
class Province:
    """How many counties, how large, on which day."""

    counties: int
    households: int
    as_of: date

    def code(self, number: int) -> str:
        """Six digits: a prefecture for every twelve counties."""
        return str(610_021 + number // 12 * 100 + number % 12 + 100)


def make_province(lake: Lake, temp: Path, province: Province, memory: str = "4GB") -> int:
    """Writes every record type's `valid` of the day, a file a county, and the ledgers; returns the rows."""
    engine = Engine(temp / "generator", threads=2, memory_limit=memory)
    rows: dict[str, int] = {}
    try:
        for number in range(province.counties):
            _make_people(engine, temp, province, number)
        for number in range(province.counties):
            _use_people(engine, temp, province, number)
            for contract in load_contracts():
                written = _write(engine, lake, contract, province, number)
                rows[contract.table] = rows.get(contract.table, 0) + written
    finally:
        engine.close()
    for contract in load_contracts():
        _note(lake, contract, province.as_of, rows[contract.table])
    return sum(rows.values())


def people_file(temp: Path, number: int) -> Path:
    return temp / f"people-{number:03}.parquet"


def _u(salt: str, of: str = "i") -> str:
    """A number between 0 and 1 that is a function of the row and of what it is drawn for."""
    return f"((hash({of}, '{salt}', county) % 1000003) / 1000003.0)"


def _make_people(engine: Engine, temp: Path, province: Province, number: int) -> None:
    """The people of a county as its register has them: one to six a household, generations by their place in it."""
    letters = "substr('{0}', 1 + cast(hash({2}, {1}, county) % {3} as integer), 1)"
    surname = letters.format(SURNAMES, 1, "h", len(SURNAMES))
    given = " || ".join(letters.format(GIVEN, part, "i", len(GIVEN)) for part in (2, 3))
    engine.table(
        "household_drawn",
        f"""
        with drawn as (select h, '{province.code(number)}' as county, {_u("size", "h")} as s, {_u("hard", "h")} < 0.045 as is_hard
            from (select range as h from range({province.households})))
        select *, case when s < 0.10 then 1 when s < 0.30 then 2 when s < 0.52 then 3 when s < 0.77 then 4 when s < 0.92 then 5 else 6 end as size
        from drawn""",
    )
    seventeen = (
        "county || strftime(born, '%Y%m%d') || lpad(cast((row_number() over (partition by born order by i) - 1) % 1000 as varchar), 3, '0')"
    )
    engine.copy(
        f"""
        with placed as (
            select h * 6 + place as i, h, place, size, is_hard, county from household_drawn, unnest(range(1, size + 1)) as t(place)
        ),
        aged as (
            select *, case when place = 1 then 32 + {_u("age")} * 45 when place = 2 then 30 + {_u("age")} * 45
                when place in (3, 4) then 1 + {_u("age")} * 28 when place = 5 then 58 + {_u("age")} * 32 else {_u("age")} * 14 end as age
            from placed
        ),
        born as (
            select *, date '{province.as_of}' - cast(age * 365.25 as integer) as born, {surname} || {given} as name from aged
        ),
        numbered as (select *, {seventeen} as seventeen from born)
        select i, h, place, size, is_hard, county, age, name, seventeen || {identity.check_character("seventeen")} as id_number,
            'H' || county || lpad(cast(h as varchar), 7, '0') as household_id, 'M' || county || lpad(cast(i as varchar), 7, '0') as member_id
        from numbered order by i""",
        people_file(temp, number),
    )


def _use_people(engine: Engine, temp: Path, province: Province, number: int) -> None:
    """`person_drawn`: the county's people; `reached`: whom its departments' records are about, some of the next county."""
    own, after = (quoted(people_file(temp, n)) for n in (number, (number + 1) % province.counties))
    engine.table("household_drawn", f"select h, household_id, county, is_hard, size from read_parquet({own}) where place = 1")
    engine.table("person_drawn", f"select * from read_parquet({own})")
    somebody = "" if province.counties > 1 else " where false"
    engine.view("next_drawn", f"select * replace ('{province.code(number)}' as county) from read_parquet({after}){somebody}")
    engine.view(
        "reached",
        f"select * from person_drawn where i % {ACROSS} <> 0 union all select * from next_drawn where i % {ACROSS} = 0",
    )


ERROR = {
    0: "substr(id_number, 1, 6) || substr(id_number, 9, 9)",
    1: "substr(id_number, 1, 9) || substr(id_number, 11, 1) || substr(id_number, 10, 1) || substr(id_number, 12)",
    2: "replace(id_number, '0', 'O')",
    3: "' ' || substr(id_number, 1, 6) || '-' || substr(id_number, 7)",
    4: "substr(id_number, 1, 14) || cast((cast(substr(id_number, 15, 1) as integer) + 1) % 10 as varchar) || substr(id_number, 16)",
    5: "substr(id_number, 1, 15) || '000'",
    6: "'999999' || substr(id_number, 7)",
    7: "'44' || substr(id_number, 3)",
}
"""What departments do to a number, each in one record of 400."""


def _number(records: str) -> str:
    kinds = " ".join(f"when {kind} then {number}" for kind, number in ERROR.items())
    return f"case hash(i, '{records}', county) % 400 {kinds} else id_number end"


def _name(records: str) -> str:
    return (
        f"case hash(i, '{records}', county) % 400 when 11 then '王某某' when 12 then substr(name, 1, 1) || ' ' || substr(name, 2) "
        "when 13 then null when 14 then substr(name, 1, 1) || '?' else name end"
    )


def _day(back: str, as_of: date) -> str:
    return f"(date '{as_of}' - cast({back} as integer))"


def _write(engine: Engine, lake: Lake, contract: Contract, province: Province, number: int) -> int:
    fields, source = RECORDS[contract.records](province.as_of)
    code = province.code(number)
    key = contract.record_key.name
    given = {
        key: f"'{contract.records[:3].upper()}' || county || lpad(cast(i as varchar), 8, '0')",
        "updated_at": f"cast(date '{province.as_of}' - cast({_u('updated')} * 300 as integer) as timestamp)",
        **{f.name: _number(contract.records) for f in contract.fields if f.role in ("id_number", "head_id_number")},
        **{f.name: _name(contract.records) for f in contract.fields if f.role in ("name", "head_name")},
        **fields,
    }
    columns = ", ".join(f"cast({given.get(f.name, 'null')} as {KINDS.get(f.type, f.type)}) as {f.name}" for f in contract.fields)
    folder = lake.partition("valid", contract.table, province.as_of) / f"county={code}"
    folder.mkdir(parents=True, mode=0o700)
    ledger = "cast('b' as varchar) as _batch_id, cast(updated_at as date) as _arrived_on, null::timestamp as _quarantined_at, false as _is_conflict"
    select = f"select *, {ledger} from (select {columns} from ({source}))"
    return engine.copy(f"{select} order by {key}", folder / "part-0.parquet")


def _note(lake: Lake, contract: Contract, as_of: date, rows: int) -> None:
    day = as_of.isoformat()
    nothing: dict[str, Any] = {"today": None, "rejected": None, "failure": None, "rules": [], "drift": [], "no_good_version": 0}
    lake.write_note(
        "ledger",
        contract.table,
        as_of,
        {
            **{"table": contract.table, "department": contract.department, "records": contract.records, "as_of": day, "batch_id": "b"},
            **{"extract_date": day, "watermark": f"{day} 00:00:00", "state": "ok", "age_days": 0, "in_force": rows, "in_force_before": 0},
            **{"new_keys": rows, "withdrawn_keys": 0, "contract_version": contract.version, **nothing},
        },
    )


Made = tuple[Mapping[str, str], str]


def _households(as_of: date) -> Made:
    kind = _u("type")
    poor = f"(is_hard and {_u('poor')} < 0.30)"
    return {
        "household_id": "household_id",
        "area_code": "county || lpad(cast(100 + hash(h, county) % 12 as varchar), 3, '0') || lpad(cast(200 + hash(h, county, 1) % 14 as varchar), 3, '0')",
        "household_type": f"case when {kind} < 0.75 then '1' when {kind} < 0.95 then '2' else '3' end",
        "monitor_class": f"case when not is_hard then '0' when {kind} < 0.3 then '0' when {kind} < 0.6 then '2' else '3' end",
        "monitor_cleared": f"{_u('cleared')} < 0.7",
        "relocated": f"{_u('moved')} < 0.06",
        "farmland_mu": f"{_u('land')} * 12",
        "forest_mu": f"{_u('wood')} * 20",
        "water_safe": f"{_u('water')} > 0.0004",
        "wage_income": f"case when {poor} then 3000 * size * {_u('wage')} when {_u('job')} < 0.25 then 0 else 15000 * size * (0.6 + {_u('wage')}) end",
        "business_income": f"case when {poor} then 2500 * size * {_u('trade')} else 12000 * size * {_u('trade')} end",
        "business_expense": f"1500 * size * {_u('cost')}",
        "property_income": f"case when {_u('rent')} < 0.1 then 2000 * {_u('rents')} else 0 end",
        "transfer_income": f"2400 * size * {_u('transfer')} + case when {_u('job')} < 0.25 then 6000 * size else 0 end",
        "claims_income": "0",
        "previous_net_income": f"size * 26000 * (0.4 + {_u('before')} * 0.5)",
        "previous_business_net": f"9000 * size * {_u('trade')}",
        "microcredit": f"case when {_u('credit')} < 0.1 then '1' else '0' end",
        "cooperative_link": f"{_u('coop')} < 0.22",
        "measures_count": f"case when is_hard then 2 when {kind} > 0.9 then 1 else 0 end",
        "last_visit_on": _day(f"10 + {_u('visit')} * 60", as_of),
    }, "select *, h * 6 + 1 as i from person_drawn where place = 1"  # fmt: skip


def _members(as_of: date) -> Made:
    adult = "age between 18 and 64"
    source = f"select * from person_drawn union all select * from next_drawn where i % {IN_TWO} = 7"
    return {
        "member_id": f"case when i % {IN_TWO} = 7 and not starts_with(member_id, 'M' || county) then 'X' || county || member_id else member_id end",
        "household_id": "case when starts_with(member_id, 'M' || county) then household_id else 'H' || county || lpad(cast(h as varchar), 7, '0') end",
        "id_number": f"case when age < 1 and {_u('newborn')} < 0.3 then '999999' || substr(id_number, 7) else id_number end",
        "name": "name",
        "relation": "case place when 1 then '01' when 2 then '02' when 5 then '04' when 6 then '05' else '03' end",
        "resident_months": f"cast(12 * {_u('stay')} as integer)",
        "student_status": "case when age < 3 then '0' when age < 6 then '1' when age < 15 then '2' when age < 18 then '3' else '0' end",
        "dropout": f"age between 6 and 15 and {_u('dropout')} < 0.0003",
        "labour_class": f"case when age < 16 then '5' when age > 75 then '4' when age > 65 then '3' when {_u('labour')} < 0.12 then '2' "
        f"when {_u('labour')} > 0.97 then '4' else '1' end",
        "work_months": f"case when {adult} then cast(12 * {_u('work')} as integer) else 0 end",
        "working_now": f"{adult} and {_u('working')} < case when is_hard then 0.35 else 0.72 end",
        "worked_before": f"{adult} and {_u('working')} < 0.735",
        "public_post": f"{adult} and {_u('post')} < 0.015",
        "pension": "age >= 60",
        "education_self_pay": f"case when age between 16 and 22 then 9000 * {_u('school')} else 0 end",
        "status": f"case when {_u('status')} < 0.006 then '2' when {_u('status')} < 0.014 then '3' else '1' end",
    }, source  # fmt: skip


def _enrolments(as_of: date) -> Made:
    return {
        "year": str(as_of.year),
        "insurance_type": "'390'",
        "status": f"case when {_u('insured')} < 0.01 then '2' else '1' end",
        "paid_on": _day("200", as_of),
    }, f"select * from reached where {_u('enrolled')} < 0.975"  # fmt: skip


def _settlements(as_of: date) -> Made:
    total = f"(case when inpatient then 3000 + 12000 * {_u('fee', 'r')} + case when is_hard then 40000 * pow({_u('dear', 'r')}, 3) else 0 end else 60 + 400 * {_u('fee', 'r')} end)"
    source = f"""
        select *, hash(i, n) as r, n, {_u("ward", "hash(i, n)")} < 0.16 as inpatient, n = 4 and i % 40 = 0 as is_reversal
        from (select * from reached where {_u("ill")} < case when is_hard then 0.45 else 0.12 end),
            unnest(range(1, 2 + cast(hash(i, county) % 4 as integer))) as t(n)"""
    own = "'SET' || county || lpad(cast(i as varchar), 8, '0') || cast(n as varchar)"
    sign = "(case when is_reversal then -1 else 1 end)"
    fee = f"cast({total} as decimal(16,2))"
    return {
        "settlement_id": own,
        "settled_at": f"cast({_day(_u('when', 'r') + ' * 420', as_of)} as timestamp) + interval 9 hour",
        "medical_type": "case when inpatient then '21' else '11' end",
        "total_fee": f"{sign} * {fee}",
        "in_scope": f"{sign} * 0.9 * {fee}",
        "full_self_pay": f"{sign} * 0.1 * {fee}",
        "over_limit_self_pay": "0",
        "prior_self_pay": "0",
        "fund_paid": f"{sign} * 0.62 * {fee}",
        "pooled_paid": f"{sign} * 0.55 * {fee}",
        "critical_illness_paid": f"case when {fee} > 30000 then {sign} * 0.07 * {fee} else 0 end",
        "medical_aid_paid": "0",
        "personal_paid": f"{sign} * 0.38 * {fee}",
        "hospital_borne": "0",
        "reverses_id": "case when is_reversal then 'SET' || county || lpad(cast(i as varchar), 8, '0') || '3' end",
    }, source  # fmt: skip


def _some(share: float, hard: float, fields: Mapping[str, str], of: str = "reached", salt: str = "some") -> Made:
    return fields, f"select * from {of} where {_u(salt)} < case when is_hard then {hard} else {share} end"


def _certificates(as_of: date) -> Made:
    level = f"case when {_u('level')} < 0.10 then '1' when {_u('level')} < 0.28 then '2' when {_u('level')} < 0.62 then '3' else '4' end"
    return _some(0.025, 0.12, {
        "certificate_no": f"id_number || cast(1 + hash(i) % 7 as varchar) || {level}",
        "category": "cast(1 + hash(i) % 7 as varchar)",
        "level": level,
        "issued_on": _day(f"100 + {_u('issued')} * 2500", as_of),
        "status": "'1'",
    }, salt="disabled")  # fmt: skip


def _assistance(as_of: date) -> Made:
    scheme = _u("scheme")
    return _some(0.006, 0.25, {
        "scheme": f"case when {scheme} < 0.74 then 'dibao' when {scheme} < 0.76 then 'tekun' when {scheme} < 0.90 then 'edge' else 'rigid' end",
        "class": "'B'",
        "insured_persons": "size",
        "monthly_amount": "300 * size",
        "started_on": _day("400", as_of),
    }, "(select * from reached where place = 1)", "assisted")  # fmt: skip


def _subsidies(as_of: date) -> Made:
    _, source = _certificates(as_of)
    months = ", ".join(f"'{as_of.year}{month:02}'" for month in range(max(1, as_of.month - 2), as_of.month + 1))
    return {
        "payment_id": "'SUB' || county || lpad(cast(i as varchar), 8, '0') || month",
        "subsidy": "'nursing'",
        "month": "month",
        "amount": "120",
    }, f"select *, month from ({source} and {_u('level')} < 0.275), unnest([{months}]) as t(month)"  # fmt: skip


def _dwellings(as_of: date) -> Made:
    grade = _u("grade", "h")
    return {
        "dwelling_id": "'DWE' || county || lpad(cast(h as varchar), 8, '0')",
        "structure": "'brick'",
        "grade": f"case when {grade} < 0.0012 then 'D' when {grade} < 0.0040 then 'C' when {grade} < 0.45 then 'B' else 'A' end",
        "appraised_on": _day(f"200 + {_u('appraised')} * 1500", as_of),
        "occupied": "true",
    }, "select * from reached where place = 1"  # fmt: skip


def _retrofits(as_of: date) -> Made:
    return {
        "dwelling_id": "'DWE' || county || lpad(cast(h as varchar), 8, '0')",
        "approved_on": _day(f"100 + {_u('approved')} * 900", as_of),
        "finished_on": f"case when {_u('finished')} < 0.95 then {_day('50', as_of)} end",
        "subsidy_amount": "20000",
    }, f"select * from reached where place <= 2 and {_u('retrofit')} < 0.015"  # fmt: skip


def _losses(as_of: date) -> Made:
    damage = _u("damage")
    return _some(0.03, 0.12, {
        "event_id": "'E1'",
        "hazard": "'flood'",
        "house_damage": f"case when {damage} < 0.03 then '3' when {damage} < 0.08 then '2' when {damage} < 0.25 then '1' else '0' end",
        "loss_amount": f"0.2 + 2 * pow({_u('lost')}, 3)",
        "occurred_on": _day(f"{_u('flood')} * 500", as_of),
        "resolved_on": f"case when {_u('mended')} < 0.9 then date '{as_of}' - 5 end",
    }, "(select * from reached where place = 1)", "flooded")  # fmt: skip


def _casualties(as_of: date) -> Made:
    return _some(0.0003, 0.003, {"outcome": "'serious_injury'", "occurred_on": _day(f"{_u('hurt')} * 500", as_of)}, salt="casualty")


def _relief(as_of: date) -> Made:
    fields = {"season": "'2026-winter-spring'", "listed_on": _day("20", as_of)}
    return _some(0.001, 0.06, fields, "(select * from reached where place = 1)", "relief")


def _illnesses(as_of: date) -> Made:
    return _some(0.003, 0.055, {
        "disease_code": "'I63'",
        "diagnosed_on": _day(f"{_u('diagnosed')} * 900", as_of),
        "status": "'1'",
    }, salt="serious")  # fmt: skip


def _chronic(as_of: date) -> Made:
    return {
        "disease": f"case when {_u('disease')} < 0.7 then 'hypertension' when {_u('disease')} < 0.97 then 'diabetes_2' else 'severe_mental' end",
        "signed": f"{_u('signed')} < 0.93",
        "last_followup_on": _day(f"{_u('seen')} * 108", as_of),
    }, f"select * from reached where age > 45 and {_u('chronic')} < 0.28"  # fmt: skip


def _deaths(as_of: date) -> Made:
    return {"died_on": _day(f"{_u('died')} * 900", as_of)}, f"select * from reached where {_u('status')} between 0.0065 and 0.014"


def _temporary(as_of: date) -> Made:
    return _some(0.004, 0.08, {"aid_type": "'illness'", "amount": "1500", "paid_on": _day(f"{_u('aid')} * 500", as_of)}, salt="aid")


def _reports(as_of: date) -> Made:
    return _some(0.004, 0.06, {
        "channel": "'form'",
        "reported_at": f"cast({_day(_u('told') + ' * 400', as_of)} as timestamp)",
        "difficulty": "'illness'",
        "status": f"case when {_u('told')} < 0.06 then 'open' else 'closed' end",
    }, salt="report")  # fmt: skip


def _cases(as_of: date) -> Made:
    steps = ("verified", "compared", "reviewed", "approved", "recorded", "assisted", "cleared")
    return {
        "household_id": "household_id",
        "monitor_class": "'2'",
        "risk_types": "'illness,job'",
        "stage": f"case when {_u('stage')} < 0.6 then 8 else 7 end",
        "discovered_on": _day("300", as_of),
        **{f"{step}_on": _day(str(298 - 2 * place), as_of) for place, step in enumerate(steps)},
    }, f"select *, h as i from household_drawn where is_hard and {_u('case', 'h')} < 0.6"  # fmt: skip


RECORDS = {
    "households": _households,
    "members": _members,
    "enrolments": _enrolments,
    "settlements": _settlements,
    "certificates": _certificates,
    "assistance": _assistance,
    "temporary_aid": _temporary,
    "disability_subsidies": _subsidies,
    "deaths": _deaths,
    "dwellings": _dwellings,
    "retrofits": _retrofits,
    "losses": _losses,
    "casualties": _casualties,
    "relief": _relief,
    "serious_illnesses": _illnesses,
    "chronic_followups": _chronic,
    "reports": _reports,
    "cases": _cases,
}
"""What each record type says, beside its key, its number and its name, and of whom."""
