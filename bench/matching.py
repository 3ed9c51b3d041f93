"""`python -m bench.matching`: matching by itself, and beside it a bare DuckDB query for the same
passes. One JSON line each.

`--people` and `--records` say how much (a county by default: 311,000 people, 1.3 million records in
one type); `--numbers 20000000` times normalising, checking and joining numbers alone, as in the
issue that asked for it.

Belongs here: a crowd made by SQL, and clocks. Not here: rules (`warehouse.matching`), the sandbox's
county.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

from expectations.contract import contract_for, load_contracts
from resources.engines.duckdb import Engine
from warehouse import identity
from warehouse.graph.engine_inputs import EngineInputs
from warehouse.graph.moment import day_moment
from warehouse.graph.runner import Runner

KEY = b"a key for benchmarks only"
AS_OF = date(2026, 11, 19)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英玉兰建国志华文斌梅红波"


def make_people(engine: Engine, people: int) -> None:
    """`valid_rural_revitalisation__members` and `…households`: three to a household, a sound number
    each.
    """
    seventeen = (
        "case when i % 3 = 0 then '610921' else '612422' end || strftime(date '1936-01-01' +"
        " cast((i * 7919) % 32000 as integer), '%Y%m%d') || lpad(cast((i // 32000) % 1000 as"
        " varchar), 3, '0')"
    )
    letters = "substr('{0}', 1 + cast(hash(i, {1}) % {2} as integer), 1)"
    name = " || ".join(
        (
            letters.format(SURNAMES, 1, len(SURNAMES)),
            *(letters.format(GIVEN, part, len(GIVEN)) for part in (2, 3)),
        )
    )
    fields = {
        "member_id": "'M' || lpad(cast(i as varchar), 9, '0')",
        "household_id": "'H' || lpad(cast(i // 3 as varchar), 9, '0')",
        "id_number": f"seventeen || {identity.check_character('seventeen')}",
        "name": name,
        "status": "'1'",
    }
    contract = contract_for("members")
    columns = ", ".join(
        f"{fields.get(f.name, f'null::{_kind(f.type)}')} as {f.name}" for f in contract.fields
    )
    engine.table(
        f"valid_{contract.table}",
        f"select {columns}, 'b' as _batch_id, date '2026-11-19' as _arrived_on, null::varchar as"
        f" _first_key from (select i, {seventeen} as seventeen from range({people}) as t(i))",
    )
    contract = contract_for("households")
    columns = ", ".join(
        "household_id" if f.name == "household_id" else f"null::{_kind(f.type)} as {f.name}"
        for f in contract.fields
    )
    members = "select distinct household_id from valid_rural_revitalisation__members"
    engine.table(
        f"valid_{contract.table}",
        f"select {columns}, 'b' as _batch_id, date '2026-11-19' as _arrived_on, null::varchar as"
        f" _first_key from ({members})",
    )


def make_records(engine: Engine, records: int, people: int) -> None:
    """`valid_health_insurance__settlements`: one record in twelve carries an error, each kind as
    often.
    """
    contract = contract_for("settlements")
    number = """case kind
        when 0 then substr(id_number, 1, 6) || substr(id_number, 9, 9)
        when 1 then substr(id_number, 1, 9) || substr(id_number, 11, 1) || substr(id_number, 10, 1)
            || substr(id_number, 12)
        when 2 then replace(id_number, '0', 'O')
        when 3 then ' ' || substr(id_number, 1, 6) || '-' || substr(id_number, 7)
        when 4 then substr(id_number, 1, 14)
            || cast((cast(substr(id_number, 15, 1) as integer) + 1) % 10 as varchar)
            || substr(id_number, 16)
        when 5 then substr(id_number, 1, 15) || '000'
        else id_number end"""
    name = (
        "case kind when 6 then '王某某' when 7 then substr(name, 1, 1) || ' ' || substr(name, 2)"
        " when 8 then null when 9 then substr(name, 1, 1) || '?' else name end"
    )
    fields = {
        "settlement_id": "'S' || lpad(cast(r as varchar), 10, '0')",
        "id_number": number,
        "name": name,
        "personal_paid": "r % 9999",
    }
    columns = ", ".join(
        f"cast({fields.get(f.name, 'null')} as {_kind(f.type)}) as {f.name}"
        for f in contract.fields
    )
    engine.table(
        f"valid_{contract.table}",
        f"""select {columns}, 'b' as _batch_id, date '2026-11-19' as _arrived_on,
        null::varchar as _first_key from (
            select r, hash(r) % 120 as kind, m.id_number, m.name from range({records}) as t(r)
            inner join valid_rural_revitalisation__members as m on m.member_id = 'M'
                || lpad(cast((r * 7919) % {people} as varchar), 9, '0'))""",
    )
    for other in load_contracts():
        if not engine.exists(f"valid_{other.table}"):
            nothing = ", ".join(f"null::{_kind(f.type)} as {f.name}" for f in other.fields)
            engine.table(
                f"valid_{other.table}",
                f"select {nothing}, null::varchar as _batch_id, null::date as _arrived_on,"
                " null::varchar as _first_key where false",
            )


def bare(engine: Engine) -> None:
    """The same passes as one plain query over the same tables: the join, and no check, no queue, no
    agreement of names.
    """
    engine.table(
        "bare",
        """
        select v.settlement_id, v.personal_paid, m.member_id, m.household_id
        from (select *, upper(replace(replace(trim(id_number), '-', ''), ' ', '')) as number
            from valid_health_insurance__settlements) as v
        left join valid_rural_revitalisation__members as m on m.id_number = v.number
        """,
    )


def numbers(engine: Engine, count: int) -> tuple[float, float]:
    """Seconds to normalise, check and join `count` numbers to a spine as large: with the
    expressions of the house, and bare.
    """
    digits = (
        "'612422' || strftime(date '1936-01-01' + cast((i * 7919) % 32000 as integer), '%Y%m%d') ||"
        " lpad(cast((i // 32000) % 1000 as varchar), 3, '0')"
    )
    engine.table(
        "given",
        f"select d || {identity.check_character('d')} as number from (select {digits} as d from"
        f" range({count}) as t(i))",
    )
    shaped = (
        f"select {identity.shaped('c')} as number, {identity.form('c')} as form from (select"
        f" {identity.cleaned('number')} as c from given)"
    )
    expected = f"select *, {identity.check_character('number')} as expected from ({shaped})"
    problem = identity.problem("number", "form", "date '2026-11-19'", "expected")
    house = f"""
        select count(*) filter (where s.number is not null and c.problem is null)
        from (select number, {problem} as problem from ({expected})) as c
            left join given as s on s.number = c.number"""
    integer = "cast(left(number, 17) as bigint)"
    total = " + ".join(
        f"(({integer} // {10 ** (16 - i)}) % 10) * {w}" for i, w in enumerate(identity.WEIGHTS)
    )
    plain = f"""
        select count(*) filter (where s.number is not null and c.fits) from (
            select number, length(number) = 18 and right(number, 1) = substr('10X98765432',
                1 + ({total}) % 11, 1)
                and try_cast(substr(number, 7, 4) || '-' || substr(number, 11, 2) || '-'
                    || substr(number, 13, 2) as date) between '1900-01-01' and '2026-11-19' as fits
            from (select upper(trim(number)) as number from given)
        ) as c left join given as s on s.number = c.number"""
    return _seconds(lambda: engine.rows(house)), _seconds(lambda: engine.rows(plain))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=311_000)
    parser.add_argument("--records", type=int, default=1_300_000)
    parser.add_argument("--numbers", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "spill", threads=2)
        if arguments.numbers:
            house, plain = numbers(engine, arguments.numbers)
            _say(
                step="numbers",
                rows=arguments.numbers,
                seconds=house,
                bare_seconds=plain,
                ratio=house / plain,
            )
            return
        make_people(engine, arguments.people)
        make_records(engine, arguments.records, arguments.people)
        people, settlements, every = arguments.people, contract_for("settlements"), load_contracts()
        runner = Runner(engine, EngineInputs(engine, AS_OF), every, KEY)

        def made(*tables: str) -> float:
            """Seconds to make tables, computed now."""

            def work() -> None:
                runner.make(tables, day_moment(AS_OF))
                for table in tables:  # a view is computed when it is written out
                    engine.table("written_out", f'select * from "{table}"')

            return _seconds(work)

        spine = made("person", "person_key_map")
        _say(step="person", rows=people, seconds=spine)
        _say(
            step="matched_members",
            rows=people,
            seconds=made(f"matched_{contract_for('members').table}"),
        )
        matched, plain = made(f"matched_{settlements.table}"), _seconds(lambda: bare(engine))
        _say(
            step="matched",
            rows=arguments.records,
            seconds=matched,
            bare_seconds=plain,
            ratio=(spine + matched) / plain,
        )
        others = [c for c in every if c.records not in ("settlements", "members")]
        _say(
            step="matched_empty_types",
            rows=0,
            types=len(others),
            seconds=made(*(f"matched_{c.table}" for c in others)),
        )
        _say(
            step="review_queue",
            seconds=made("review_queue", "review_candidate"),
            rows=engine.scalar("select count(*) from review_queue"),
        )
        _say(step="linkage_quality", rows=len(every), seconds=made("linkage_quality"))


def _kind(declared: str) -> str:
    return {"text": "varchar", "integer": "bigint"}.get(declared, declared)


def _seconds(work: object) -> float:
    started = time.monotonic()
    assert callable(work)
    work()
    return time.monotonic() - started


def _say(**fields: object) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    shown = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in fields.items()
    }
    print(json.dumps({"bench": "matching", **shown, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
