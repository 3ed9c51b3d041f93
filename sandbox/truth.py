"""What the truth says of each record on a day: whom it is about, and where matching must put it.

Belongs here: reading `truth/*.parquet` for tests and benchmarks. Not here: writing it (`delivery`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb
import pyarrow as pa

from expectations.contract import Contract
from expectations.engine import parquet
from sandbox.delivery import BY_HOUSEHOLD

if TYPE_CHECKING:
    from sandbox.county import County

OUTCOMES = (
    "linked",
    "unregistered",
    "ambiguous",
    "unidentifiable",
    "placed",
    "quarantined",
    "withdrawn",
    "any",
)


class _County(Protocol):
    home: Path

    def connection(self) -> duckdb.DuckDBPyConnection: ...
    def contract(self, records: str) -> Contract: ...
    def state(self, records: str, until: datetime, since: datetime | None = None) -> str: ...


def _register(county: _County, until: datetime) -> str:
    """CTEs: `register`, a row a number in force, with how many rows and active rows have it, and
    whose the only one is.
    """
    members = county.state("members", until)
    truth = county.home / "truth" / "members.parquet"
    return f"""
        rows_in_force as (
            select s.member_id, s.household_id, s.status, s._broken, t.person,
                case when s.updated_at >= t.numbered_at or t.numbered_at is null then t.number
                    when t.changed_on is not null then t.number_before end as number
            from ({members}) s left join {parquet(truth)} t on t.record_key = s.member_id
                where s._op = 'U'
        ), counted as (
            select number, count(*) as row_count, count(*) filter (status = '1') as active,
                bool_or(_broken > 0) as is_broken,
                case when count(*) filter (status = '1') = 1 then max(member_id)
                    filter (status = '1')
                    when count(*) filter (status = '1') = 0
                        and count(*) = 1 then max(member_id) end as member_id
            from rows_in_force where number is not null group by number
        ), register as (
            select c.*, r.household_id from counted c left join rows_in_force r using (member_id)
        )"""


def truth_on(
    county: _County, records: str, until: datetime, register_until: datetime | None = None
) -> pa.Table:
    """A row a record that a full read up to `until` brings (planted households apart).

    Columns: record_key, op, is_broken, updated_at, person, true_member_id, true_household_id,
    error_kind (as of that version), expects (see OUTCOMES; `any` where it depends on what was known
    before), expects_member_id, expects_household_id (where `linked`). `register_until` is the
    register's moment where it is another: a record that came by an older file is matched to the
    register of today.
    """
    register_until = register_until or until
    contract = county.contract(records)
    key = contract.record_key.name
    state = county.state(records, until)
    truth = county.home / "truth" / f"{records}.parquet"
    people = county.home / "truth" / "people.parquet"
    if records in ("households", "members", *BY_HOUSEHOLD):
        where = "t.household_id" if records != "households" else f"s.{key}"
        is_of_area = str(contract.subject == "area").lower()
        select = f"""
            with homes as (select household_id from ({county.state("households", register_until)})
                where _op = 'U')
            select s.{key} as record_key, s._op as op, s._broken > 0 as is_broken, s.updated_at,
                t.household_id as true_household_id,
                'none' as error_kind,
                case when s._op = 'D' then 'withdrawn' when s._broken > 0 then 'quarantined'
                    when {is_of_area} then 'placed'
                    when h.household_id is null then 'unregistered' else 'linked' end as expects,
                {where} as expects_household_id
            from ({state}) s join {parquet(truth)} t on t.record_key = s.{key}
            left join homes h on h.household_id = {where} order by record_key"""
        return county.connection().execute(select).to_arrow_table()
    select = f"""
        with {_register(county, register_until)},
        told as (
            select s.{key} as record_key, s._op as op, s._broken > 0 as is_broken, s.updated_at,
                t.person, t.member_id, t.household_id, t.is_former,
                coalesce(s.updated_at >= t.fixed_at, false) as is_fixed,
                t.error_kind, t.outcome, t.delivered_number, t.fits,
                case when t.is_former then p.number_before else p.number end as number
            from ({state}) s join {parquet(truth)} t on t.record_key = s.{key}
            left join {parquet(people)} p on p.person = t.person
        ), current as (
            select *, case when is_fixed then 'none' else error_kind end as kind,
                case when is_fixed then 'person'
                    when error_kind = 'unregistered' then 'unregistered' else outcome end as destiny
                        from told
        ), asked as (
            select *, kind = 'swap' and destiny = 'ambiguous' as fits_others,
                case when destiny = 'person' or fits_others then number end as own_number,
                case when destiny = 'ambiguous' and not fits_others then substr(delivered_number,
                    1, 18) end as other_number from current
        ), rival as (
            select f.record_key, count(*) as rivals
            from (select record_key, own_number, unnest(fits) as number from asked
                where fits_others) f
            join register g on g.number = f.number where f.number <> f.own_number
                group by f.record_key
        ), looked_up as (
            select c.*, r.member_id as found_member_id, r.household_id as found_household_id,
                r.is_broken as is_register_broken,
                r.number is not null as is_there, o.number is not null as is_other_there,
                coalesce(o.is_broken, false) as is_other_broken,
                coalesce(v.rivals, 0) as rivals, kind <> 'old15'
                    and right(coalesce(own_number, other_number, c.number), 3) = '000' as is_clipped
            from asked c left join register r on r.number = c.own_number
                left join register o on o.number = c.other_number
            left join rival v on v.record_key = c.record_key
        ), judged as (
            select *, case when op = 'D' then 'withdrawn'
                when is_broken or destiny = 'quarantined' then 'quarantined'
                -- what ends in 000 counts under its owner's own name only
                when is_clipped and (destiny = 'unregistered' or other_number is not null
                    or kind = 'name_empty') then 'unidentifiable'
                when is_clipped and destiny = 'person' and not is_there
                    and not is_former then 'unidentifiable'
                when is_other_broken then 'any'
                when destiny = 'ambiguous' and kind in ('relative', 'wrong_person')
                    and not is_other_there then 'unregistered'
                when fits_others and is_there and not is_register_broken
                    and rivals > 0 then 'ambiguous'
                when destiny <> 'person' and not fits_others then destiny
                when is_register_broken or (is_former and not is_there) then 'any'
                when not is_there then if(kind in ('lookalike', 'swap'), 'unidentifiable',
                    'unregistered')
                when found_member_id is null then 'ambiguous' else 'linked' end as expects
            from looked_up
        )
        select record_key, op, is_broken, updated_at, person, member_id as true_member_id,
            household_id as true_household_id,
            kind as error_kind, expects,
            case when expects = 'linked' then found_member_id end as expects_member_id,
            case when expects = 'linked' then found_household_id end as expects_household_id
        from judged order by record_key"""
    return county.connection().execute(select).to_arrow_table()


def facts_on(county: County, records: str, until: datetime) -> str:
    """A SELECT of what a department knows at a moment, had no version been broken; planted ones
    apart.

    Columns: the contract's fields as they stand, and of whom the record truly is: true_member_id,
    true_household_id. Of the register, each person's own row.
    """
    key = county.contract(records).record_key.name
    whole = replace(county, rates=replace(county.rates, broken=0.0))
    truth = parquet(county.home / "truth" / f"{records}.parquet")
    member_id = "cast(null as varchar)" if records == "households" else "t.member_id"
    own = "where t.error_kind not in ('conflict', 'moved_from')" if records == "members" else ""
    return f"""
        with delivered as (from ({county.state(records, until)}) where _op = 'U'),
        sound as (
            from delivered where _broken = 0
            union all by name
            from ({whole.state(records, until)})
            where {key} in (select {key} from delivered where _broken > 0)
        )
        select
            s.* exclude (_op, _broken),
            {member_id} as true_member_id,
            t.household_id as true_household_id
        from sound as s inner join {truth} as t on t.record_key = s.{key} {own}"""
