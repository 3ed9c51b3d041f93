"""Links against the sandbox's truth: precision, recall, and a table of error kind by outcome.

Belongs here: counting. Recall is taken over the records whose number and name, as delivered, determine one registered
person under passes 1 to 4 (the truth says which); every other record must end in its right outcome or in the queue.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, load_contracts
from resources.engine import Engine
from sandbox.county import County
from sandbox.rates import ErrorRates
from tests.matching.county import AS_OF, KEY
from warehouse import identity
from warehouse.matching import build_matched, build_person, household_field
from warehouse.review import build_review_queue

UNTIL = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 23, 59, 59, 999999)
NOT_IN_FORCE = ("quarantined", "withdrawn")
ENOUGH = 0.9996


@dataclass
class Counted:
    """What matching made of the truth; keys are error kind, expected outcome, outcome, method."""

    links: int = 0
    right_links: int = 0
    determined: int = 0
    found: int = 0
    kinds: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right_links / self.links

    @property
    def recall(self) -> float:
        return self.found / self.determined

    def __str__(self) -> str:
        lines = [f"links {self.links:,}  precision {self.precision:.6f}  determined {self.determined:,}  recall {self.recall:.6f}"]
        lines += [
            f"{kind:18} {expects:14} {outcome:14} {method:12} {n:9,}" for (kind, expects, outcome, method), n in sorted(self.kinds.items())
        ]
        lines += [f"WRONG {' '.join(map(str, what))}: {n:,}" for what, n in sorted(self.wrong.items())]
        return "\n".join(lines)


def bring(engine: Engine, county: County, contract: Contract) -> None:
    """`valid_<table>` and `truth_<records>` of the day, as a first full read leaves them."""
    state = county.connection().execute(county.state(contract.records, UNTIL)).to_arrow_table()
    engine.connection.register("state_now", state)
    engine.connection.register("truth_now", county.truth(contract.records, UNTIL))
    engine.table(f"truth_{contract.records}", "select * from truth_now")
    columns = ", ".join(f"s.{f.name}" for f in contract.fields)
    engine.table(
        f"valid_{contract.table}",
        f"""select {columns}, date '{AS_OF}' as _arrived_on from state_now as s
            inner join truth_now as t on t.record_key = s.{contract.record_key.name}
            where t.expects not in {NOT_IN_FORCE}""",
    )
    for name in ("state_now", "truth_now"):
        engine.connection.unregister(name)


def count(county: County, folder: Path) -> tuple[Counted, Engine]:
    engine, counted = Engine(folder), Counted()
    contracts = load_contracts()
    for contract in contracts:
        bring(engine, county, contract)
    build_person(engine, AS_OF, KEY)
    engine.connection.register("truth_now", county.truth("members"))
    engine.table("member_person", "select record_key as member_id, person from truth_now")
    for contract in contracts:
        build_matched(engine, contract, AS_OF, KEY)
        if household_field(contract) is None:
            _compare(engine, contract, counted)
    build_review_queue(engine, contracts, AS_OF)
    return counted, engine


def _compare(engine: Engine, contract: Contract, counted: Counted) -> None:
    record = identity.pseudonym(f"'{contract.records}|' || t.record_key") if contract.record_key.is_identity else "t.record_key"
    rows: list[tuple[Any, ...]] = engine.rows(
        f"""
        select t.error_kind, t.expects, m.outcome, coalesce(m.method, ''), coalesce(m.reason, ''),
            coalesce(m.member_id = t.expects_member_id, false) as is_expected,
            coalesce(own.person = t.person, m.member_id = t.expects_member_id, false) as is_right, count(*)
        from truth_{contract.records} as t
        inner join "matched_{contract.table}" as m on m.record_id = {record}
        left join member_person as own on own.member_id = m.member_id
        group by all
        """
    )
    for kind, expects, outcome, method, reason, is_expected, is_right, n in rows:
        counted.kinds[kind, expects, outcome, method] += n
        if outcome == "linked":
            counted.links += n
            counted.right_links += n if is_right else 0
        if expects == "linked":
            counted.determined += n
            counted.found += n if is_expected else 0
        if expects not in ("any", outcome) or (outcome == "linked" and not is_right):
            counted.wrong[contract.records, kind, expects, outcome, reason] += n


@pytest.mark.slow
@pytest.mark.parametrize(("rates", "seed"), [(ErrorRates(), 1), (ErrorRates().doubled(), 2)], ids=["as they are", "doubled"])
def test_links_against_the_truth(tmp_path: Path, rates: ErrorRates, seed: int) -> None:
    county = County(tmp_path / "county", households=600, seed=seed, rates=rates).make()
    counted, _ = count(county, tmp_path / "engine")
    print(counted)
    assert counted.precision >= ENOUGH, str(counted)
    assert counted.recall >= ENOUGH, str(counted)
    assert sum(counted.wrong.values()) <= counted.links * (1 - ENOUGH), str(counted)
