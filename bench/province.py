"""A province straight into the lake's `valid` layer: all record types, by SQL, a county at a time,
in the memory of one county.

Belongs here: a crowd and its records, with shares taken from the sandbox's county (1 to 3
households in a hundred are red), and the errors that matching must find. Not here: the sandbox's
county with its known truth, deliveries and raw bytes (`sandbox`).

Every county has records of people who are registered in the next one, and a few people whose ID
number both registers hold.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bench.matching import GIVEN, SURNAMES
from bench.records import RECORDS, drawn
from expectations.contract import Contract, load_contracts
from expectations.engine import parquet
from resources.engines.duckdb import Engine
from resources.lake import CountyWriter, Lake
from warehouse import identity
from warehouse.merge_state import QUARANTINE_COLUMNS, empty_select

HOUSEHOLDS_PER_COUNTY = 104_500
ACROSS = 400
"""One record in so many is about somebody whom the next county's register has."""


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
    """Writes every record type's `valid` of the day, a file a county, and the ledgers; returns the
    rows.
    """
    engine = Engine(temp / "generator", threads=2, memory_limit=memory)
    rows: dict[str, int] = {}
    try:
        for number in range(province.counties):
            _make_people(engine, temp, province, number)
        with ExitStack() as opened:
            writers = {
                contract.table: opened.enter_context(_writer(engine, lake, contract, province))
                for contract in load_contracts()
            }
            for number in range(province.counties):
                _use_people(engine, temp, province, number)
                for contract in load_contracts():
                    writer = writers[contract.table]
                    written = _write(engine, writer, contract, province, number)
                    rows[contract.table] = rows.get(contract.table, 0) + written
        for contract in load_contracts():
            lake.write(
                engine,
                "quarantine",
                contract.table,
                province.as_of,
                empty_select(QUARANTINE_COLUMNS),
                "_row",
            )
    finally:
        engine.close()
    for contract in load_contracts():
        _note(lake, contract, province.as_of, rows[contract.table])
    return sum(rows.values())


def people_file(temp: Path, number: int) -> Path:
    return temp / f"people-{number:03}.parquet"


def _make_people(engine: Engine, temp: Path, province: Province, number: int) -> None:
    """The people of a county as its register has them: one to six a household, generations by their
    place in it.
    """
    letters = "substr('{0}', 1 + cast(hash({2}, {1}, county) % {3} as integer), 1)"
    surname = letters.format(SURNAMES, 1, "h", len(SURNAMES))
    given = " || ".join(letters.format(GIVEN, part, "i", len(GIVEN)) for part in (2, 3))
    engine.table(
        "household_drawn",
        f"""
        with drawn as (select h, '{province.code(number)}' as county, {drawn("size", "h")} as s,
            {drawn("hard", "h")} < 0.045 as is_hard
            from (select range as h from range({province.households})))
        select *, case when s < 0.10 then 1 when s < 0.30 then 2 when s < 0.52 then 3
            when s < 0.77 then 4 when s < 0.92 then 5 else 6 end as size
        from drawn""",
    )
    seventeen = (
        "county || strftime(born, '%Y%m%d') || lpad(cast((row_number() over (partition by born"
        " order by i) - 1) % 1000 as varchar), 3, '0')"
    )
    engine.copy(
        f"""
        with placed as (
            select h * 6 + place as i, h, place, size, is_hard, county from household_drawn,
                unnest(range(1, size + 1)) as t(place)
        ),
        aged as (
            select *, case when place = 1 then 32 + {drawn("age")} * 45
                when place = 2 then 30 + {drawn("age")} * 45
                when place in (3, 4) then 1 + {drawn("age")} * 28
                    when place = 5 then 58 + {drawn("age")} * 32 else {drawn("age")} * 14 end as age
            from placed
        ),
        born as (
            select *, date '{province.as_of}' - cast(age * 365.25 as integer) as born,
                {surname} || {given} as name from aged
        ),
        numbered as (select *, {seventeen} as seventeen from born)
        select i, h, place, size, is_hard, county, age, name,
            seventeen || {identity.check_character("seventeen")} as id_number,
            'H' || county || lpad(cast(h as varchar), 7, '0') as household_id,
            'M' || county || lpad(cast(i as varchar), 7, '0') as member_id
        from numbered order by i""",
        people_file(temp, number),
    )


def _use_people(engine: Engine, temp: Path, province: Province, number: int) -> None:
    """`person_drawn`: the county's people; `reached`: whom its departments' records are about, some
    of the next county.
    """
    own, after = (parquet(people_file(temp, n)) for n in (number, (number + 1) % province.counties))
    engine.table(
        "household_drawn",
        f"select h, household_id, county, is_hard, size from {own} where place = 1",
    )
    engine.table("person_drawn", f"select * from {own}")
    somebody = "" if province.counties > 1 else " where false"
    engine.view(
        "next_drawn",
        f"select * replace ('{province.code(number)}' as county) from {after}{somebody}",
    )
    engine.view(
        "reached",
        f"select * from person_drawn where i % {ACROSS} <> 0 union all select * from next_drawn"
        f" where i % {ACROSS} = 0",
    )


ERROR = {
    0: "substr(id_number, 1, 6) || substr(id_number, 9, 9)",
    1: (
        "substr(id_number, 1, 9) || substr(id_number, 11, 1) || substr(id_number, 10, 1) ||"
        " substr(id_number, 12)"
    ),
    2: "replace(id_number, '0', 'O')",
    3: "' ' || substr(id_number, 1, 6) || '-' || substr(id_number, 7)",
    4: (
        "substr(id_number, 1, 14) || cast((cast(substr(id_number, 15, 1) as integer) + 1) % 10 as"
        " varchar) || substr(id_number, 16)"
    ),
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
        f"case hash(i, '{records}', county) % 400 when 11 then '王某某' when 12 then substr(name,"
        " 1, 1) || ' ' || substr(name, 2) when 13 then null when 14 then substr(name, 1, 1) || '?'"
        " else name end"
    )


def _writer(
    engine: Engine, lake: Lake, contract: Contract, province: Province
) -> AbstractContextManager[CountyWriter]:
    key = contract.record_key.name
    return lake.writing(engine, "valid", contract.table, province.as_of, key, (key,))


def _write(
    engine: Engine, writer: CountyWriter, contract: Contract, province: Province, number: int
) -> int:
    fields, source = RECORDS[contract.records](province.as_of)
    code = province.code(number)
    key = contract.record_key.name
    given = {
        key: f"'{contract.records[:3].upper()}' || county || lpad(cast(i as varchar), 8, '0')",
        "updated_at": (
            f"cast(date '{province.as_of}' - cast({drawn('updated')} * 300 as integer) as"
            " timestamp)"
        ),
        **{
            f.name: _number(contract.records)
            for f in contract.fields
            if f.role in ("id_number", "head_id_number")
        },
        **{
            f.name: _name(contract.records)
            for f in contract.fields
            if f.role in ("name", "head_name")
        },
        **fields,
    }
    columns = ", ".join(
        f"cast({given.get(f.name, 'null')} as {KINDS.get(f.type, f.type)}) as {f.name}"
        for f in contract.fields
    )
    ledger = (
        "cast('b' as varchar) as _batch_id, cast(updated_at as date) as _arrived_on,"
        " null::timestamp as _quarantined_at, false as _is_conflict"
    )
    select = f"select *, {ledger} from (select {columns} from ({source}))"
    return writer.add(engine, code, f"({select})")


def _note(lake: Lake, contract: Contract, as_of: date, rows: int) -> None:
    day = as_of.isoformat()
    nothing: dict[str, Any] = {
        "today": None,
        "rejected": None,
        "failure": None,
        "rules": [],
        "drift": [],
        "no_good_version": 0,
    }
    lake.write_note(
        "ledger",
        contract.table,
        as_of,
        {
            **{
                "table": contract.table,
                "department": contract.department,
                "records": contract.records,
                "as_of": day,
                "batch_id": "b",
            },
            **{
                "extract_date": day,
                "watermark": f"{day} 00:00:00",
                "state": "ok",
                "age_days": 0,
                "in_force": rows,
                "in_force_before": 0,
            },
            **{
                "new_keys": rows,
                "withdrawn_keys": 0,
                "contract_version": contract.version,
                **nothing,
            },
        },
    )
