"""What a department knows at a moment: each record's latest version, as a function of (seed,
moment).

Belongs here: when versions come, are committed late, withdrawn, returned, broken and mended. No
version depends on another, so that any day can be asked for by itself. Not here: what the fields
say (`shapes`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from expectations.contract import Contract
from expectations.engine import parquet
from sandbox.rates import ErrorRates
from sandbox.shapes import SHAPES, Shape

EPOCH = datetime(2020, 1, 1)
"""Days are counted from here."""


def connect(seed: int, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A connection in memory with the sandbox's dice; hashed twice, since the last bits of one
    combined hash go together.
    """
    connection = duckdb.connect(":memory:", config={"threads": threads} if threads else {})
    connection.execute(f"""
        create macro dice(a, b, salt)
            as (hash(hash(a::bigint, b::bigint, salt::bigint, {int(seed)}::bigint)) >> 1)::bigint;
        create macro chance(a, salt) as (dice(a, 0, salt) % 1000000000)::double / 1000000000;
        create macro written_at(n, k, phase, period) as
            timestamp '2020-01-01' + to_seconds((k * period - phase)::bigint * 86400
                + (dice(n, k, 1) % 86400)::bigint);
        """)
    return connection


def _late(rates: ErrorRates) -> str:
    """How long after its `updated_at` version k is committed: mostly at once."""
    return (
        f"to_seconds(case when dice(n, k, 2) % 1000000 < {int(rates.late * 1e6)} then (dice(n, k,"
        " 3) % 72000)::bigint else 0 end)"
    )


def late_macro(connection: duckdb.DuckDBPyConnection, rates: ErrorRates) -> None:
    """Adds `lateness(n, k)`."""
    connection.execute(f"create or replace macro lateness(n, k) as {_late(rates)}")


def _literal(moment: datetime) -> str:
    return f"timestamp '{moment.isoformat(sep=' ')}'"


def _columns(contract: Contract, shape: Shape) -> list[str]:
    """Each field as it stands at the version, broken where the version is."""
    columns = []
    for field in contract.fields:
        if field.name == "updated_at":
            columns.append("u as updated_at")
            continue
        if field.name in (shape.id_field, shape.name_field):
            which = "_id" if field.name == shape.id_field else "_name"
            value = f"case when k >= _fix_k then {which}_fixed else {which} end"
        elif field.role == "record_key" and field.name not in shape.fields:
            value = "_key"
        else:
            value = shape.fields.get(field.name, field.name)
        arms = [
            f"when {number} then {'null' if broken.is_misfit else broken.value}"
            for number, broken in enumerate(shape.breaks, start=1)
            if broken.field == field.name
        ]
        columns.append(
            f'case _broken {" ".join(arms)} else {value} end as "{field.name}"'
            if arms
            else f'{value} as "{field.name}"'
        )
    return columns


def state_sql(
    contract: Contract,
    base: Path,
    planted: Path,
    rates: ErrorRates,
    until: datetime,
    since: datetime | None = None,
) -> str:
    """A SELECT of the latest version of each record by `until`, where that was written after
    `since`.

    Columns: the contract's fields by logical names and types (a text that does not fit is null),
    `_op` (U or D) and `_broken` (number of the break in the shape, 0 where sound), unordered.
    `until` and `since` are naive, Asia/Shanghai.
    """
    shape = SHAPES[contract.records]
    period = shape.period
    day = (until - EPOCH).days
    moment = _literal(until)
    after = f"where updated_at > {_literal(since)}" if since is not None else ""
    chance = f"dice(n, k, 4) % 1000000 < {int(rates.broken * 1e6)}" if shape.breaks else "false"
    broken = f"{chance} and not {shape.sound}"
    fields = ", ".join(_columns(contract, shape))
    window = "" if since is None else f"where u > {_literal(since)}"
    names = ", ".join(f'"{field.name}"' for field in contract.fields)
    return f"""
with reached as (
    select *, _n as n, floor(({day} + _phase) / {period}.0)::bigint as k0
    from {parquet(base)} where _seen <= {moment}
), committed as (
    -- what was brought to its end meanwhile cannot be late: two versions would share one updated_at
    select *, case when written_at(n, k0, _phase, {period}) + case
            when _closed between written_at(n, k0, _phase, {period})
                and written_at(n, k0, _phase, {period}) + interval 20 hour
            then interval 0 hour else lateness(n, k0) end <= {moment} then k0 else k0 - 1 end as k1
                from reached
), versioned as (
    select *, case when written_at(n, k1, _phase, {period}) <= _born + interval 2 day then -1
        when _gone_k is null or k1 < _gone_k then k1
        when _back_days is not null and k1 > _gone_k then k1 else _gone_k end as k
    from committed
), timed as (
    select *, case when k < 0 then _born else written_at(n, k, _phase, {period}) end as u0
        from versioned
), withdrawn as (
    select *, _gone_k is not null and k = _gone_k
        and (_back_days is null or u0 + to_days(_back_days::int) > {moment}) as is_gone,
        {broken} as is_broken, (1 + dice(n, k, 6) % 5)::int as mended_after,
        dice(n, k, 7) % 2 = 0 as is_mended from timed
), brought as (
    select *, greatest(
            case when _gone_k is not null and k = _gone_k
                and not is_gone then u0 + to_days(_back_days::int) else u0 end,
            case when not is_gone and is_broken and is_mended
                and u0 + to_days(mended_after) <= {moment}
                then u0 + to_days(mended_after) else u0 end,
            case when not is_gone and _closed <= {moment} then _closed else u0 end) as u
    from withdrawn
), told as (
    select *,
        case when is_broken and not is_gone and not (is_mended and u >= u0 + to_days(mended_after))
        then 1 + dice(n, k, 5) % {max(1, len(shape.breaks))} else 0 end::int as _broken
    from brought {window}
), planted as (
    select * from {parquet(planted)} where updated_at <= {moment}
    qualify row_number() over (partition by "{contract.record_key.name}"
        order by updated_at desc) = 1
)
select {fields}, case when is_gone then 'D' else 'U' end as _op, _broken from told
union all by name
select {names}, 'U' as _op, 0 as _broken from planted {after}
"""


def end_of(day: datetime) -> datetime:
    """The last moment of the day."""
    return datetime(day.year, day.month, day.day) + timedelta(days=1, microseconds=-1)
