"""From drafts to what departments hold: numbers and names with their errors, keys, and the truth
beside it.

Belongs here: writing `base/<records>.parquet` and `truth/<records>.parquet`. Not here: drawing
(`people`, `health`, …), versions (`days`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from expectations.contract import Contract
from expectations.engine import literal
from sandbox.agreeing import NEVER, heads_after, register_ends
from sandbox.draft import Draft
from sandbox.economy import County
from sandbox.errors import TRAITS, applied, chosen, outcome
from sandbox.people import END, PLANTED, START, People
from sandbox.planting import Truth
from sandbox.rates import ErrorRates
from sandbox.shapes import SHAPES, first_number, household_id, key_of, member_id

BY_HOUSEHOLD = (
    *("cases", "field_results", "issues", "verdicts"),
    *("assignments", "visits", "measures", "assets"),
)
"""Record types that carry their household's number, and nobody's."""
_FIX = (
    "case when {day} is not null then ceil((date_diff('day', date '2020-01-01', ({day})::date) + 1"
    " + _phase) / {period}.0)::bigint end"
)
"""The first version after a day."""


def arrow(columns: dict[str, Any]) -> pa.Table:
    """Parallel numpy arrays as an Arrow table; NaT becomes null."""
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def load_people(
    connection: duckdb.DuckDBPyConnection, people: People, conflicts: np.ndarray
) -> None:
    """The table `people`: a row a person, strangers included, with whom else their records may be
    mistaken for.
    """
    size = len(people.name)
    table = arrow(
        {
            "person": np.arange(size),
            "household": people.household,
            "slot": people.slot,
            "id": people.number,
            "id_before": people.number_before,
            "changed_on": people.changed.astype("datetime64[D]"),
            "numbered_on": people.numbered.astype("datetime64[D]"),
            "name": people.name,
            "birth": people.birth.astype("datetime64[D]"),
            "relative": people.relative,
            "is_registered": np.arange(size) < people.registered,
            "is_conflict": conflicts,
        }
    )
    connection.register("people_draft", table)
    connection.execute(f"""
        create or replace table people as
        select p.*, case when is_registered then {member_id("household", "slot")} end as member_id,
            case when is_registered then {household_id("household")} end as household_id,
            nullif(p.relative, -1) as relative_person,
            coalesce(r.relative_name <> name, false) as has_relative, {TRAITS}
        from people_draft p
        left join (select person as relative_of, name as relative_name from people_draft) r
            on r.relative_of = p.relative
        order by person
        """)
    connection.unregister("people_draft")


def _lifecycle(period: int, rates: ErrorRates, fix_on: str) -> str:
    """Phase, correction, withdrawal and return of each record, drawn from its number."""
    span = int((END - START).astype(int))
    gone = f"(greatest(_born::date + 5, date '{START}' + (dice(_n, 0, 15) % {span})::int))"
    return f"""
        , phased as (select *, (dice(_n, 0, 12) % {period})::int as _phase from identified)
        , lived as (
            select *, {_FIX.format(day=fix_on, period=period)} as _fix_k,
                case when chance(_n, 14) < {rates.withdrawn}
                    then {_FIX.format(day=gone, period=period)} end as _gone_k,
                case when dice(_n, 0, 16) % 3 = 0 then (2 + dice(_n, 0, 17) % 8)::int end
                    as _back_days,
                _born + to_seconds(case when chance(_n, 18) < {rates.late}
                    then (dice(_n, 0, 19) % 72000)::bigint else 0 end) as _seen
            from phased
        )"""


def _typed(contract: Contract, draft: pa.Table) -> str:
    """The drafted columns in the contract's types: cents become decimals, exactly."""
    kinds = {field.name: field.type for field in contract.fields}
    columns = []
    for name in draft.column_names:
        kind = kinds.get(name, "")
        if kind.startswith("decimal"):
            columns.append(f'("{name}"::decimal(18,0) * 0.01::decimal(3,2))::{kind} as "{name}"')
        elif name.startswith("_"):
            columns.append(
                f'"{name}"::{"timestamp" if name in ("_born", "_closed") else "bigint"} as "{name}"'
            )
        else:
            columns.append(
                f'"{name}"::timestamp as "{name}"' if kind == "timestamp" else f'"{name}"'
            )
    return ", ".join(columns)


def deliver(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    draft: Draft,
    rates: ErrorRates,
    home: Path,
) -> None:
    """Writes the base and the truth of one department's records."""
    shape = SHAPES[draft.records]
    closed = (
        draft.closed
        if draft.closed is not None
        else np.full(len(draft), np.datetime64("NaT"), "datetime64[s]")
    )
    base = first_number(draft.records)
    own = base + np.arange(len(draft))
    table = arrow(
        {
            "_n": own,
            "_person": draft.person,
            "_source": own if draft.source is None else base + draft.source,
            "_born": draft.born.astype("datetime64[s]"),
            "_closed": np.maximum(
                closed.astype("datetime64[s]"),
                draft.born.astype("datetime64[s]") + np.timedelta64(3600, "s"),
            ),
            **draft.columns,
        }
    )
    if draft.records == "certificates" and "dies_on" not in draft.columns:
        table = table.append_column("dies_on", pa.nulls(len(draft), pa.date32()))
    connection.register("draft", table)
    is_certificate = draft.records == "certificates"
    # a corrected certificate would be another record: its number is its key
    corrects = 0.0 if is_certificate else rates.corrected
    fix = f"""case when kind <> 'none' and _person >= 0 and chance(_source, 13) < {corrects}
        then _born::date + 3 + (dice(_source, 0, 20) % 700)::int end"""
    number = "_number || category || level || suffix" if is_certificate else "_number"
    key = "_id" if is_certificate else key_of(shape.prefix, f"(_n - {base})")
    errs = (
        f"case when about.is_registered then {chosen(asdict(rates), is_certificate)} else"
        " 'none' end"
        if shape.id_field
        else "'none'"
    )
    whole = "id || category || level || suffix" if is_certificate else "id"
    connection.execute(f"""
        create or replace table known as
        with about as (
            select d.*, d._source as s, chance(d._source, 11) as luck, p.id as id_now, p.name,
                p.birth, p.relative_person,
                case when d._born::date < p.changed_on then p.id_before else p.id end as id,
                coalesce(d._born::date < p.changed_on, false) as is_former, p.is_registered,
                p.has_relative, p.has_dot, p.has_rare, p.has_variant, p.has_traditional
            from (select {_typed(contract, table)} from draft) d
                left join people p on p.person = d._person
        )
        select * replace (coalesce(is_registered, true) as is_registered), {errs} as kind from about
        """)
    connection.unregister("draft")
    connection.execute(f"""
        create or replace table wrong as
        with met as (
            select k.* exclude (kind), dice(k.s, 0, 10) % 1000000007 as roll, r.id as relative_id,
                o.id as other_id,
                case when kind = 'wrong_person'
                    and (o.name = k.name or o.id = k.id or o.birth > k._born::date) then 'none'
                    when kind = 'relative' and r.birth > k._born::date then 'none'
                        else kind end as kind
            from known k left join people r on r.person = k.relative_person
            left join people o on o.person = dice(k.s, 0, 9) % (select count(*) from people
                where is_registered)
            where kind <> 'none'
        ), written as (select *, {applied("number")} as _number, {applied("said_name")} as _name,
            {outcome()} as _outcome from met)
        select _n, kind, {number} as _id, _name, _outcome from written where kind <> 'none'
        """)
    connection.execute(f"""
        create or replace table delivered as
        with identified as (
            select k.* exclude (kind, luck, s, relative_person, has_relative, has_dot, has_rare,
                has_variant, has_traditional),
                coalesce(w.kind, 'none') as kind, coalesce(w._outcome, 'person') as _outcome,
                case when w.kind is null then {whole} else w._id end as _id,
                case when w.kind is null then name else w._name end as _name,
                {whole} as _id_fixed, name as _name_fixed
            from known k left join wrong w using (_n)
        ) {_lifecycle(shape.period, rates, fix)}
        select *, {key} as _key from lived
        {"qualify row_number() over (partition by _id order by _n) = 1" if is_certificate else ""}
        """)
    columns = [c for c in table.column_names if c not in ("_person", "_source")]
    kept = ", ".join(
        f'"{c}"' for c in [*columns, "_key", "_phase", "_fix_k", "_gone_k", "_back_days", "_seen"]
    )
    fixed = (
        "case when _fix_k is not null then _id_fixed end as _id_fixed, case when _fix_k is not null"
        " then _name_fixed end as _name_fixed"
    )
    write(
        connection,
        f"select {kept}, _id, _name, {fixed} from delivered order by _n",
        home / "base" / f"{draft.records}.parquet",
    )
    _write_truth(connection, contract, draft.records, home)


def _write_truth(
    connection: duckdb.DuckDBPyConnection, contract: Contract, records: str, home: Path
) -> None:
    """Whom each record is about, which error it carries, and until when."""
    shape = SHAPES[records]
    extra = (
        f"p.member_id, case when d.ordinal > 0 then {household_id('d.ordinal')} end as household_id"
        if records in BY_HOUSEHOLD
        else "p.member_id, p.household_id"
    )
    repaired = _repairable(connection)
    write(
        connection,
        f"""
        with {repaired}
        select _key as record_key, {extra}, d._person as person,
            case when not d.is_registered then 'unregistered' else kind end as error_kind,
            case when kind in ('lookalike', 'swap') and r.n is null then 'ambiguous'
                else _outcome end as outcome,
            case when r.n is null then f.fits end as fits,
            is_former, case when kind <> 'none' then _id end as delivered_number,
            case when kind <> 'none' then _name end as delivered_name, _born as born_at,
            _fix_k as fixed_version,
            case when _fix_k is not null then written_at(d._n, _fix_k, _phase, {shape.period}) end
                as fixed_at
        from delivered d left join people p on p.person = d._person
            left join repairable r on r.n = d._n
        left join fitting f on f.n = d._n
        order by d._n
        """,
        home / "truth" / f"{records}.parquet",
    )


def _repairable(connection: duckdb.DuckDBPyConnection) -> str:
    """CTEs: the slips that lead back to one registered number only, and the numbers that the others
    fit.

    A letter leads to one; swaps are tried all.
    """
    weights = "[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]"
    return f"""
        slips as (select _n as n, kind, substr(_id, 1, 18) as slip from delivered
            where kind in ('lookalike', 'swap')),
        tried as (
            select n, substr(slip, 1, i - 1) || substr(slip, i + 1, 1) || substr(slip, i, 1)
                || substr(slip, i + 2) as number
            from slips, range(1, 18) as t(i) where kind = 'swap'
        ), sound as (
            select distinct n, number from tried
            where substr(number, 1, 17) ~ '^[0-9]{{17}}$'
                and substr(number, 18, 1) = substr('10X98765432',
                1 + list_sum(list_transform(range(1, 18),
                    lambda i: substr(number, i, 1)::int * {weights}[i]))::int % 11, 1)
        ), fitting as (
            select n, list(number order by number) as fits from sound
                where number in (select id from people where is_registered) group by n
        ), repairable as (
            select n from slips where kind = 'lookalike' union all select n from fitting
                where len(fits) = 1
        )"""


def write(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> None:
    """One Parquet file of mode 0600."""
    connection.execute(
        f"copy ({select}) to {literal(path)} (format parquet, compression snappy, row_group_size"
        " 61440)"
    )
    path.chmod(0o600)


def write_planted(
    connection: duckdb.DuckDBPyConnection, truth: Sequence[Truth], home: Path
) -> None:
    """What is true of each contradiction that was planted."""
    table = pa.table(
        {
            "code": pa.array([one.code for one in truth], pa.string()),
            "ordinal": pa.array([one.ordinal for one in truth], pa.int64()),
            "person": pa.array([one.person for one in truth], pa.int64()),
            "wrong": pa.array([one.wrong or None for one in truth], pa.string()),
        }
    )
    connection.register("planted_truth", table)
    write(
        connection,
        f"""
        select t.code, {household_id("t.ordinal")} as household_id, p.member_id, t.wrong,
            case when t.wrong is null then 'explained' else 'confirmed' end as verdict
        from planted_truth t left join people p on p.person = t.person order by 1, 2
        """,
        home / "truth" / "contradictions.parquet",
    )
    connection.unregister("planted_truth")


def deliver_households(
    connection: duckdb.DuckDBPyConnection,
    county: County,
    contract: Contract,
    rates: ErrorRates,
    home: Path,
    clears_on: np.ndarray | None = None,
) -> None:
    """Writes base and truth of the register's households; `_n` counts their ordinals. `clears_on`:
    the day from which each is cleared, where that is not from the first.
    """
    rng = np.random.default_rng([county.count, 3])
    seldom = replace(rates, withdrawn=rates.withdrawn / 20)
    base = first_number("households")
    ordinal = np.arange(PLANTED, county.count)
    born = np.datetime64("2020-06-01", "s") + rng.integers(0, 1400 * 86400, len(ordinal)).astype(
        "timedelta64[s]"
    )
    columns = {name: values[PLANTED:] for name, values in county.household.items()}
    columns.setdefault("visited_on", np.full(len(ordinal), NEVER))
    clears = np.full(county.count, NEVER) if clears_on is None else clears_on
    table = arrow(
        {
            "_n": base + ordinal + 1,
            "_born": born,
            "_closed": (clears[PLANTED:] + 3).astype("datetime64[s]"),
            "clears_on": clears[PLANTED:],
            "area_code": county.area[PLANTED:],
            **columns,
        }
    )
    connection.register("draft", table)
    drafted = ", ".join(f'd."{name}"' for name in table.column_names)
    connection.execute(f"""
        create or replace table delivered as
        with typed as (select {_typed(contract, table)} from draft),
        identified as (
            select {drafted}, p.person as _person,
                case when p.changed_on is not null then p.id_before else p.id end as _id,
                p.name as _name, p.id as _id_fixed, p.name as _name_fixed, p.changed_on
            from typed d join people p on p.household = d._n - {base} and p.slot = 0
        ) {_lifecycle(100, seldom, "changed_on")}
        select *, {household_id(f"(_n - {base})")} as _key from lived
        """)
    connection.unregister("draft")
    write(
        connection,
        "select * exclude (_person, changed_on) from delivered order by _seen, _n",
        home / "base" / "households.parquet",
    )
    write(
        connection,
        "select _key as record_key, _key as household_id, 'none' as error_kind from delivered order"
        " by 1",
        home / "truth" / "households.parquet",
    )


def register_rows(
    rng: np.random.Generator, county: County, rates: ErrorRates
) -> dict[str, np.ndarray]:
    """Which person each row of the register is about: everybody once, and those it has twice.

    `how` is main, moved_from (an old row of status 2 beside the true one) or conflict (two active
    rows).
    """
    people, n = county.people, county.people.registered
    free = np.isnat(people.numbered[:n])
    dice = rng.random(n)
    twice = np.flatnonzero(free & (dice < rates.register_conflict))
    moved = np.flatnonzero(
        free
        & (dice >= rates.register_conflict)
        & (dice < rates.register_conflict + rates.register_moved)
    )
    left = free & (rng.random(n) < rates.register_moved_out) & (people.relation[:n] != "01")
    elsewhere = rng.integers(PLANTED + 1, county.count + 1, len(twice) + len(moved))
    person = np.concatenate([np.arange(n), twice, moved])
    how = np.concatenate(
        [np.full(n, "main"), np.full(len(twice), "conflict"), np.full(len(moved), "moved_from")]
    )
    same = np.append(np.zeros(n, bool), elsewhere == people.household[person[n:]])
    household = np.append(people.household[:n], elsewhere)
    slot = np.append(people.slot[:n], 50 + np.arange(len(elsewhere)) % 50)
    status = np.where(
        how == "moved_from",
        "2",
        np.where(np.append(left, np.zeros(len(elsewhere), bool)), "2", "1"),
    )
    keep = ~same
    return {
        "person": person[keep],
        "how": how[keep],
        "household": household[keep],
        "slot": slot[keep],
        "status": status[keep],
    }


def deliver_members(
    connection: duckdb.DuckDBPyConnection,
    county: County,
    rows: dict[str, np.ndarray],
    contract: Contract,
    rates: ErrorRates,
    home: Path,
    agrees: bool = False,
) -> None:
    """Writes base and truth of the register's members. `agrees`: a household whose head died has
    another one, and a death is written down soon.
    """
    people, person = county.people, rows["person"]
    moved_on, after = np.full(people.registered, NEVER), people.relation[: people.registered]
    closed = np.full(people.registered, np.datetime64("NaT", "s"))
    if agrees:
        after, moved_on = heads_after(people)
        closed = register_ends(people, moved_on)
    columns = {name: values[person] for name, values in county.member.items()}
    relation = np.where(rows["how"] == "main", columns["relation"], "06")
    table = arrow(
        {
            "_n": first_number("members") + np.arange(len(person)),
            "_person": person,
            "_born": people.entered[person].astype("datetime64[s]"),
            "_closed": closed[person],
            "moved_on": np.where(rows["how"] == "main", moved_on[person], NEVER),
            "relation_after": after[person],
            "keeps_sound": agrees & (rows["how"] == "main") & (after[person] == "01"),
            **(columns | {"relation": relation}),
            "household": rows["household"],
            "slot": rows["slot"],
            "status": rows["status"],
            "how": rows["how"],
            "died_on": people.died[person].astype("datetime64[D]"),
        }
    )
    connection.register("draft", table)
    drafted = ", ".join(f'd."{name}"' for name in table.column_names)
    seldom = replace(rates, withdrawn=rates.withdrawn / 20)
    untidy = f"chance(d._n, 8) < {rates.register_format}"
    connection.execute(f"""
        create or replace table delivered as
        with typed as (select {_typed(contract, table)} from draft),
        identified as (
            select {drafted},
                case when p.changed_on is not null then p.id_before
                    when p.numbered_on is not null
                        then case dice(d._n, 0, 7) % 3
                            when 0 then '999999' || strftime(p.birth, '%Y%m%d') || '0000' end
                    when {untidy} and p.id like '%X' then replace(p.id, 'X', 'x')
                        when {untidy} then ' ' || p.id
                    else p.id end as _id,
                p.name as _name, p.id as _id_fixed, p.name as _name_fixed, p.numbered_on,
                p.changed_on, p.member_id
            from typed d join people p on p.person = d._person
        ) {
        _lifecycle(
            100,
            seldom,
            "case when numbered_on is not null then greatest(numbered_on, _born::date + 3) end",
        )
    }
        select *, {member_id("household", "slot")} as _key from lived
        qualify row_number() over (partition by household, slot order by _n) = 1
        """)
    connection.unregister("draft")
    write(
        connection,
        "select * exclude (_person, numbered_on, changed_on, member_id, how) from delivered order"
        " by _seen, _n",
        home / "base" / "members.parquet",
    )
    kind = """case when how <> 'main' then how when p.changed_on is not null then 'changed_number'
        when p.numbered_on is not null then 'newborn' when status = '2' then 'moved_out'
            else 'none' end"""
    write(
        connection,
        f"""
        select d._key as record_key, d.member_id as member_id,
            {household_id("d.household")} as household_id,
            d._person as person, {kind} as error_kind,
            p.is_conflict, p.id as number, p.id_before as number_before, p.name as name,
            d._born as born_at, d.numbered_on, d.changed_on,
            case when _fix_k is not null then written_at(d._n, _fix_k, _phase, 100) end
                as numbered_at
        from delivered d join people p on p.person = d._person order by record_key
        """,
        home / "truth" / "members.parquet",
    )
