"""Links against the truth: precision and recall as `matching.md` counts them, and every wrong or missed link.

Belongs here: reading a synced home beside the sandbox's truth. Tests and benchmarks use it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import duckdb
from duckdb.sqltypes import VARCHAR

from expectations.contract import load_contracts
from sandbox.county import County
from sandbox.rates import ErrorRates
from sandbox.truth import truth_on


@dataclass(frozen=True)
class Links:
    """What became of one record type's records.

    `linked` of which `wrong`; `determined` (number and name as delivered fit one registered person under passes 1 to 4)
    of which `found`; `table`: error kind, expected outcome, outcome, rows; `listed`: a record of each wrong or missed kind.
    """

    records: str
    linked: int
    wrong: int
    determined: int
    found: int
    table: tuple[tuple[str, str, str, int], ...]
    listed: tuple[str, ...]


def links_of(home: Path, county: County, records: str, as_of: date, until: datetime) -> Links:
    """Compares `matched` of the day with the truth of one record type that an ID number ties to a person."""
    contract = next(c for c in load_contracts() if c.records == records)
    connection = duckdb.connect()
    connection.register("truth_rows", truth_on(county, records, until))
    matched = f"read_parquet('{home}/lake/matched/{contract.table}/as_of={as_of}/county=*/*.parquet', hive_partitioning = false)"
    valid = f"read_parquet('{home}/lake/valid/{contract.table}/as_of={as_of}/county=*/*.parquet', hive_partitioning = false)"
    key = contract.record_key.name
    if contract.record_key.is_identity:
        secret = (home / "secrets" / "pseudonym_key").read_bytes().strip()
        connection.create_function("record_id_of", _pseudonym(secret, records), [VARCHAR], VARCHAR)
        connection.execute(f"create table keyed as select {key} as record_key, record_id_of({key}) as record_id from {valid}")
    else:
        connection.execute(f"create table keyed as select {key} as record_key, {key} as record_id from {valid}")
    connection.execute(
        f"create table matched as select k.record_key as record_id, m.outcome, m.member_id from {matched} m join keyed k using (record_id)"
    )
    connection.execute(
        "create table judged as select t.record_key, t.error_kind, t.expects, t.true_member_id, t.expects_member_id, m.outcome, m.member_id "
        "from truth_rows t join matched m on m.record_id = t.record_key where t.expects not in ('withdrawn', 'quarantined', 'any')"
    )
    linked, wrong, determined, found = connection.execute(
        """
        select count(*) filter (outcome = 'linked'),
            count(*) filter (outcome = 'linked' and member_id is distinct from coalesce(expects_member_id, true_member_id)),
            count(*) filter (expects = 'linked'),
            count(*) filter (expects = 'linked' and outcome = 'linked' and member_id = expects_member_id)
        from judged
        """
    ).fetchone() or (0, 0, 0, 0)
    table = connection.execute("select error_kind, expects, outcome, count(*) from judged group by all order by all").fetchall()
    listed = connection.execute(
        "select record_key || ' (' || error_kind || '): expected ' || expects || ' ' || coalesce(expects_member_id, '-') || ', is ' || outcome "
        "|| ' ' || coalesce(member_id, '-') from judged where (expects = 'linked' and member_id is distinct from expects_member_id) "
        "or (expects <> 'linked' and outcome = 'linked') order by 1 limit 40"
    ).fetchall()
    return Links(records, linked, wrong, determined, found, tuple(table), tuple(text for (text,) in listed))


def _pseudonym(secret: bytes, records: str) -> Callable[[str], str]:
    def record_id_of(key: str) -> str:
        return hmac.new(secret, f"{records}|{key}".encode(), hashlib.sha256).hexdigest()

    return record_id_of


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59, 999999))


def county_of(home: Path, households: int, seed: int = 20260101, rates: ErrorRates | None = None) -> County:
    return County(home / "sandbox", households, seed, rates or ErrorRates()).make()
