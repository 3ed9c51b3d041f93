"""Links against the truth: precision and recall as `matching.md` counts them, and every wrong or
missed link.

`python -m bench.links [--double-errors] [--households N]` makes a county, matches what a first full
read of every record type brings, and prints the table of error kind by outcome and each record that
did not end where it must.

Belongs here: counting, over matched tables beside the sandbox's truth. Tests and `python -m bench`
use it too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any

from expectations.contract import Contract, load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from sandbox.county import County
from sandbox.rates import ErrorRates
from warehouse import identity
from warehouse.graph.engine_inputs import EngineInputs
from warehouse.graph.moment import day_moment
from warehouse.graph.runner import Runner
from warehouse.matching import household_field

KEY = b"a key for benchmarks only"
AS_OF = date(2026, 11, 19)
ENOUGH = 0.9996
"""What precision and recall must reach, both."""
NOT_IN_FORCE = ("quarantined", "withdrawn")


@dataclass(frozen=True)
class Misplaced:
    """A record that did not end where it must: by keys (a certificate by its pseudonym), without an
    identity.
    """

    records: str
    record_id: str
    error_kind: str
    expects: str
    expects_member_id: str | None
    outcome: str
    member_id: str | None
    reason: str | None

    def __str__(self) -> str:
        expected, got = (
            f"{self.expects} {self.expects_member_id or ''}".strip(),
            f"{self.outcome} {self.member_id or self.reason or ''}".strip(),
        )
        return (
            f"{self.records} {self.record_id} ({self.error_kind}): expected {expected}, got {got}"
        )


@dataclass
class Linkage:
    """What matching made of the truth.

    `kinds`: error kind, expected outcome, outcome, method → records.
    """

    links: int = 0
    right_links: int = 0
    determined: int = 0
    """Records whose number and name, as delivered, determine one registered person under passes 1
    to 4.
    """
    found: int = 0
    kinds: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    misplaced: list[Misplaced] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right_links / self.links if self.links else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.determined if self.determined else 1.0

    @property
    def is_enough(self) -> bool:
        return self.precision >= ENOUGH and self.recall >= ENOUGH

    def line(self) -> dict[str, Any]:
        """The figures by name, for a line of a benchmark."""
        return {
            "linked": self.links,
            "wrong": self.links - self.right_links,
            "precision": round(self.precision, 6),
            "determined": self.determined,
            "recall": round(self.recall, 6),
            "misplaced": [str(record) for record in self.misplaced],
        }

    def __str__(self) -> str:
        wrong, missed = self.links - self.right_links, self.determined - self.found
        lines = [
            f"{self.links:,} links, {wrong} wrong: precision {self.precision:.6f}",
            (
                f"{self.determined:,} records determine a person, {missed} missed: recall"
                f" {self.recall:.6f}"
            ),
            f"{'error kind':<18} {'expected':<14} {'outcome':<14} {'method':<12} {'records':>10}",
        ]
        lines += [
            f"{kind:<18} {wanted:<14} {got:<14} {how:<12} {n:>10,}"
            for (kind, wanted, got, how), n in sorted(self.kinds.items())
        ]
        lines += [
            f"not where they must be: {len(self.misplaced)}",
            *(f"! {record}" for record in self.misplaced),
        ]
        return "\n".join(lines)


def by_number(contracts: Iterable[Contract]) -> list[Contract]:
    """The record types that an ID number ties to a person."""
    return [contract for contract in contracts if household_field(contract) is None]


def count_links(engine: Engine, linkage: Linkage, contract: Contract) -> None:
    """Adds a record type: its `matched_<table>` beside `truth_<records>`, and `member_person` for
    who a member is.
    """
    record = (
        identity.pseudonym(f"'{contract.records}|' || record_key")
        if contract.record_key.is_identity
        else "record_key"
    )
    judged: list[tuple[Any, ...]] = engine.rows(f"""
        with told as (select *, {record} as record_id from truth_{contract.records}),
        judged as (
            select m.record_id, t.error_kind, t.expects, t.expects_member_id, m.outcome,
                m.member_id, m.method, m.reason,
                coalesce(m.outcome = 'linked' and m.member_id = t.expects_member_id, false)
                    as is_expected,
                m.outcome = 'linked'
                    and coalesce(own.person = t.person, m.member_id = t.expects_member_id, false)
                        as is_right
            from told as t
            inner join "matched_{contract.table}" as m on m.record_id = t.record_id
            left join member_person as own on own.member_id = m.member_id
        ),
        marked as (
            select *, (outcome = 'linked' and not is_right)
                or (expects = 'linked' and not is_expected)
                    or expects not in ('any', outcome) as is_misplaced
            from judged
        )
        select error_kind, expects, outcome, coalesce(method, ''), is_expected, is_right,
            is_misplaced,
            case when is_misplaced then record_id end,
            case when is_misplaced then expects_member_id end,
            case when is_misplaced then member_id end, case when is_misplaced then reason end,
            count(*)
        from marked group by all order by all
        """)
    for (
        kind,
        expects,
        outcome,
        method,
        is_expected,
        is_right,
        is_misplaced,
        record_id,
        wanted,
        member_id,
        reason,
        n,
    ) in judged:
        linkage.kinds[kind, expects, outcome, method] += n
        linkage.links += n if outcome == "linked" else 0
        linkage.right_links += n if is_right else 0
        linkage.determined += n if expects == "linked" else 0
        linkage.found += n if expects == "linked" and is_expected else 0
        if is_misplaced:
            linkage.misplaced.append(
                Misplaced(
                    contract.records, record_id, kind, expects, wanted, outcome, member_id, reason
                )
            )


def _use_truth(
    engine: Engine,
    county: County,
    contract: Contract,
    until: datetime,
    register_until: datetime | None = None,
) -> None:
    engine.from_arrow(
        f"truth_{contract.records}", county.truth(contract.records, until, register_until)
    )


def _use_members(engine: Engine, county: County) -> None:
    engine.from_arrow("member_truth", county.truth("members"))
    engine.table("member_person", "select record_key as member_id, person from member_truth")


def links_of_home(home: Path, county: County, as_of: date) -> Linkage:
    """What a synced home made of the day: of every record type that comes day by day."""
    linkage, lake = Linkage(), Lake(home / "lake")
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        engine.table(
            "pseudonym_pad",
            identity.pad_select((home / "secrets" / "pseudonym_key").read_bytes().strip()),
        )
        _use_members(engine, county)
        for contract in by_number(load_contracts()):
            if contract.delivery == "incremental":
                _use_truth(engine, county, contract, end_of(as_of))
                engine.view(
                    f"matched_{contract.table}",
                    f"select * from {lake.relation('matched', contract.table, as_of)}",
                )
                count_links(engine, linkage, contract)
        engine.close()
    return linkage


def bring(engine: Engine, county: County, contract: Contract, until: datetime) -> None:
    """`valid_<table>` and `truth_<records>` of a moment, as a first full read leaves them."""
    _use_truth(engine, county, contract, until)
    engine.from_arrow(
        "state_now",
        county.connection().execute(county.state(contract.records, until)).to_arrow_table(),
    )
    columns = ", ".join(f"s.{f.name}" for f in contract.fields)
    engine.table(
        f"valid_{contract.table}",
        f"""select {columns}, date '{until.date()}' as _arrived_on, null::varchar as _first_key
            from state_now as s
            inner join truth_{contract.records} as t on t.record_key = s.{contract.record_key.name}
            where t.expects not in {NOT_IN_FORCE}""",
    )
    engine.drop("state_now")


def match_county(engine: Engine, county: County, as_of: date, key: bytes) -> Linkage:
    """Matches what a first full read of every record type brings on a day, and counts."""
    linkage, contracts = Linkage(), load_contracts()
    register = [contract for contract in contracts if household_field(contract) is not None]
    for contract in register:
        bring(engine, county, contract, end_of(as_of))
    runner, moment = Runner(engine, EngineInputs(engine, as_of), contracts, key), day_moment(as_of)
    runner.make(("person", "person_key_map"), moment)
    _use_members(engine, county)
    for contract in register:
        runner.make([f"matched_{contract.table}"], moment)
    for contract in by_number(contracts):
        bring(engine, county, contract, end_of(as_of))
        runner.make([f"matched_{contract.table}"], moment)
        count_links(engine, linkage, contract)
    return linkage


def end_of(day: date) -> datetime:
    return datetime.combine(day, clock(23, 59, 59, 999999))


def county_of(
    home: Path, households: int, seed: int = 20260101, rates: ErrorRates | None = None
) -> County:
    return County(home / "sandbox", households, seed, rates or ErrorRates()).make()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.links")
    parser.add_argument("--households", type=int, default=104_000)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--double-errors", action="store_true", help="every error twice as often")
    parser.add_argument(
        "--json",
        action="store_true",
        help="one line: the figures, and what did not end where it must",
    )
    options = parser.parse_args()
    rates = ErrorRates().doubled() if options.double_errors else ErrorRates()
    with tempfile.TemporaryDirectory(prefix="yihu-links-") as folder:
        started = time.monotonic()
        county = county_of(Path(folder), options.households, options.seed, rates)
        made = time.monotonic() - started
        engine = Engine(Path(folder) / "spill", threads=2)
        linkage = match_county(engine, county, AS_OF, KEY)
        engine.close()
    if options.json:
        print(
            json.dumps(
                {
                    "bench": "links.doubled" if options.double_errors else "links.as_they_are",
                    **linkage.line(),
                },
                ensure_ascii=False,
            )
        )
        return 0 if linkage.is_enough else 1
    print(
        f"{options.households:,} households, error rates"
        f" {'doubled' if options.double_errors else 'as they are'}, seed {options.seed}"
    )
    print(linkage)
    print(
        f"county made in {made:.0f} s, matched and counted in"
        f" {time.monotonic() - started - made:.0f} s"
    )
    return 0 if linkage.is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
