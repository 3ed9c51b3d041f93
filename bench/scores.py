"""Scores against the truth: what each household's score is, what it would be under true links and
true facts, and why it differs.

`python -m bench.scores [--double-errors] [--households N] [--rules FILE]` makes counties, reads and
matches them, scores them, scores the truth, and prints the households that differ by kind of error.
Of the truth there are two: the whole one, and what of it is known: linked, or waiting with the
household as candidate. What is with nobody, in quarantine or waits for others cannot be told.

Belongs here: both scores and their comparison. Not here: the truth (`sandbox.truth`), who a record
is about (`bench.links`).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.astray import CANDIDATES, POINTS, kinds_of
from bench.links import KEY, bring, by_number, county_of, end_of
from expectations.contract import Contract, contract_for, load_contracts
from resources.engines.duckdb import Engine
from sandbox.county import County
from sandbox.rates import ErrorRates
from sandbox.truth import facts_on
from warehouse import identity
from warehouse.graph.engine_inputs import EngineInputs
from warehouse.graph.moment import Moment, day_moment
from warehouse.graph.runner import Runner
from warehouse.matching import type_parameters
from warehouse.schema.lake import REVIEW_QUEUE, SOURCE_STATUS
from warehouse.scoring_rules import load_candidate

AS_OF = date(2026, 11, 26)
ENOUGH = 0.995
"""The share of scores that must be what is known of the truth, at default errors."""
SEEDS = (20260101, 1, 7)
READ_BEFORE = (date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1))
"""A county in use: so often was everything read before."""
REGISTER = ("households", "members")
CARRIED = ("person_key_map", "review_queue")
LAMPS = ("household", "household_indicator", "warning_flag", "scored_point")


@dataclass(frozen=True)
class Unequal:
    """A household whose score is not the true one, and what of it explains that."""

    household_id: str
    score: float
    true_score: float
    points: tuple[str, ...]
    """Indicators whose points differ: `R06 5 (0)`."""
    kinds: tuple[str, ...]
    """What became of its records: `enrolments relative: waits for the member`."""

    def __str__(self) -> str:
        why = "; ".join(self.kinds) or "no record of it went astray"
        scores = f"{self.score:.2f}, truly {self.true_score:.2f}"
        return f"{self.household_id}: {scores}: {', '.join(self.points)}: {why}"


@dataclass
class Scores:
    """Counties' scores beside the true ones."""

    version: str
    households: int = 0
    unequal: list[Unequal] = field(default_factory=list)
    unequal_to_known: int = 0
    """Households whose score is not what the known part of the truth gives."""

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            self.version,
            self.households + other.households,
            [*self.unequal, *other.unequal],
            self.unequal_to_known + other.unequal_to_known,
        )

    @property
    def share(self) -> float:
        """Of the scores, those that are the true ones."""
        return 1 - len(self.unequal) / self.households if self.households else 1.0

    @property
    def share_of_known(self) -> float:
        """Of the scores, those that are what is known of the truth."""
        return 1 - self.unequal_to_known / self.households if self.households else 1.0

    @property
    def kinds(self) -> Counter[str]:
        """Unequal households by what explains them."""
        return Counter(kind for one in self.unequal for kind in one.kinds or ("nothing found",))

    def line(self) -> dict[str, Any]:
        """The figures by name, for a line of a benchmark."""
        return {
            "rules": self.version,
            "households": self.households,
            "equal": self.households - len(self.unequal),
            "share": round(self.share, 6),
            "share_of_known": round(self.share_of_known, 6),
            "kinds": dict(self.kinds.most_common()),
        }

    def __str__(self) -> str:
        equal = f"{self.households - len(self.unequal):,} of {self.households:,}"
        lines = [
            f"rules {self.version}: {equal} scores are the true ones ({self.share:.2%}); "
            f"{self.share_of_known:.2%} are what is known of the truth"
        ]
        kinds = sorted(self.kinds.items(), key=lambda pair: (-pair[1], pair[0]))
        lines += [f"{count:>6} {kind}" for kind, count in kinds]
        return "\n".join([*lines, *(f"! {one}" for one in self.unequal)])


def all_sources_read(engine: Engine) -> None:
    """`source_status`: every record type is there and fresh."""
    rows = [
        {"department": c.department, "records": c.records, "state": "ok", "age_days": 0}
        for c in load_contracts()
    ]
    engine.from_arrow("source_status", pa.Table.from_pylist(rows, SOURCE_STATUS.arrow))


def read_county(engine: Engine, county: County, as_of: date, before: Iterable[date] = ()) -> Runner:
    """Puts the day as reading and matching leave it on the engine: matched rows, persons, the
    queue.

    `before`: the days on which everything was read before, so that numbers of then are known, and
    what is in quarantine today stands as it was.
    """
    contracts, inputs = load_contracts(), EngineInputs(engine, as_of)
    runner = Runner(engine, inputs, contracts, KEY)
    for day in sorted(before):
        inputs.as_of = day
        _read(engine, county, contracts, day)
        runner.make(CARRIED, day_moment(day))
        inputs.keep(CARRIED)
    inputs.as_of = as_of
    _read(engine, county, contracts, as_of)
    matched = [f"matched_{contract.table}" for contract in contracts]
    runner.make(("person", *CARRIED, "review_candidate", *matched), day_moment(as_of))
    all_sources_read(engine)
    return runner


def _read(engine: Engine, county: County, contracts: Iterable[Contract], day: date) -> None:
    """`valid_<table>` of a day: what came, and of what is quarantined the version that stands."""
    for contract in contracts:
        table, key = f"valid_{contract.table}", contract.record_key.name
        was_read = engine.exists(table)
        if was_read:
            engine.table("stood", f"select * from {table}")
        bring(engine, county, contract, end_of(day))
        if was_read:
            truth = f"truth_{contract.records}"
            quarantined = f"select record_key from {truth} where expects = 'quarantined'"
            stands = f"select * from stood where {key} in ({quarantined})"
            engine.execute(f"insert into {table} by name {stands}")


def read_truth(engine: Engine, county: County, as_of: date) -> Runner:
    """The same of true links and true facts: no number is wrong, no version broken, nobody
    twice.
    """
    until, contracts = end_of(as_of), load_contracts()
    engine.table("pseudonym_pad", identity.pad_select(KEY))
    for records in REGISTER:
        _bring_facts(engine, county, contract_for(records), until)
        facts = f"select * exclude (true_member_id, true_household_id) from facts_{records}"
        engine.table(f"valid_{contract_for(records).table}", facts)
    runner = Runner(engine, EngineInputs(engine, as_of), contracts, KEY)
    register = [f"matched_{contract_for(records).table}" for records in REGISTER]
    runner.make(("person", *register), day_moment(as_of))
    for contract in contracts:
        if contract in by_number(contracts):
            _bring_facts(engine, county, contract, until)
            engine.table(f"matched_{contract.table}", _linked(contract))
        elif contract.records not in REGISTER:
            bring(engine, county, contract, until)
            runner.make([f"matched_{contract.table}"], day_moment(as_of))
    engine.from_arrow("review_queue", REVIEW_QUEUE.arrow.empty_table())
    all_sources_read(engine)
    return runner


def _bring_facts(engine: Engine, county: County, contract: Contract, until: datetime) -> None:
    facts = county.connection().execute(facts_on(county, contract.records, until))
    engine.from_arrow("facts_now", facts.to_arrow_table())
    arrived = f"date '{until.date()}' as _arrived_on, null::varchar as _first_key"
    engine.table(f"facts_{contract.records}", f"select *, {arrived} from facts_now")
    engine.drop("facts_now")


def _linked(contract: Contract) -> str:
    """The facts of a record type as matched rows, each with whom it is truly about."""
    of_type = type_parameters(contract)
    fields = [f"r.{one['delivered']} as {one['name']}" for one in of_type["fields"]]
    amounts = [f"{one['expression']} as {one['name']}" for one in of_type["amounts"]]
    return f"""
        with r as (
            select v.*, {of_type["record_id"]} as _record_id
            from facts_{contract.records} as v
        )
        select
            r._record_id as record_id,
            {", ".join(fields)},
            cast(null as varchar) as person_key,
            r.true_member_id as member_id,
            r.true_household_id as household_id,
            case when r.true_member_id is null then 'unregistered' else 'linked' end as outcome,
            'exact' as method,
            'same' as name_agreement,
            cast(null as varchar) as reason,
            {"".join(f"{amount}, " for amount in amounts)}
            r._arrived_on
        from r"""


def compare(runner: Runner, truth: Runner, moment: Moment) -> Scores:
    """Scores both under the rules of the moment, on what `read_county` and `read_truth` put
    there.
    """
    engine = runner.engine
    runner.make(LAMPS, moment)
    with known_facts(runner, truth):
        truth.make(LAMPS, moment)
        known = _beside(runner, truth)
    truth.make(LAMPS, moment)
    households = _beside(runner, truth)
    differing = {
        str(h): (float(ours), float(theirs)) for h, ours, theirs in households if ours != theirs
    }
    engine.from_arrow("unequal", pa.table({"household_id": pa.array([*differing], pa.string())}))
    points = truth.engine.arrow("select household_id, code, points from scored_point").read_all()
    engine.from_arrow("true_scored_point", points)
    told: dict[str, dict[str, str]] = {household: {} for household in differing}
    for household, code, ours, theirs in engine.rows(POINTS):
        told[household][code] = f"{code} {ours:.0f} ({theirs:.0f})"
    kinds = kinds_of(runner, truth, {household: set(codes) for household, codes in told.items()})
    return Scores(
        moment.rules.version,
        len(households),
        [
            Unequal(h, *scores, tuple(told[h].values()), tuple(sorted(kinds[h])))
            for h, scores in differing.items()
        ],
        sum(ours != theirs for _, ours, theirs in known),
    )


def _beside(runner: Runner, truth: Runner) -> list[tuple[Any, ...]]:
    """The score and the true one of each household that has one in truth."""
    engine = runner.engine
    for table in ("warning_flag", "facts_households"):
        rows = truth.engine.arrow(f"select * from {table}").read_all()
        engine.from_arrow(f"true_{table}", rows)
    return engine.rows("""
        select t.household_id, coalesce(f.score, 0), t.score
        from true_warning_flag as t
        inner join true_facts_households as h on h.household_id = t.household_id
        left join warning_flag as f on f.household_id = t.household_id
        where t.level <> 'none'
        order by 1
        """)


@contextmanager
def known_facts(runner: Runner, truth: Runner) -> Iterator[None]:
    """Leaves the truth with the records that are linked or wait with their household as
    candidate.
    """
    engine, contracts = runner.engine, by_number(load_contracts())
    engine.table("candidate_member", CANDIDATES)
    candidates = engine.arrow("select record_id, household_id from candidate_member").read_all()
    truth.engine.from_arrow("candidate_household", candidates)
    for contract in contracts:
        table = f"matched_{contract.table}"
        linked = engine.arrow(f"select record_id from {table} where outcome = 'linked'").read_all()
        truth.engine.from_arrow("linked", linked)
        truth.engine.table(f"whole_{table}", f"select * from {table}")
        truth.engine.table(
            table,
            f"""
            select w.*
            from whole_{table} as w
            where w.record_id in (select record_id from linked) or exists (
                from candidate_household as c
                where c.record_id = w.record_id and c.household_id = w.household_id
            )
            """,
        )
    yield
    for contract in contracts:
        table = f"matched_{contract.table}"
        truth.engine.table(table, f"select * from whole_{table}")


def measure(
    home: Path,
    county: County,
    as_of: date,
    before: Sequence[date] = (),
    rules: Sequence[Path] = (),
) -> list[Scores]:
    """A county's scores of a day beside the true ones: under the rules in force, then under
    `rules`.
    """
    engine, true_engine = Engine(home / "spill", threads=2), Engine(home / "true_spill", threads=2)
    runner = read_county(engine, county, as_of, before)
    truth = read_truth(true_engine, county, as_of)
    moments = [day_moment(as_of)]
    moments += [day_moment(as_of, load_candidate(path, as_of)) for path in rules]
    found = [compare(runner, truth, moment) for moment in moments]
    engine.close()
    true_engine.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scores")
    add = parser.add_argument
    add("--households", type=int, default=2000)
    add("--seeds", type=int, nargs="+", default=list(SEEDS), help="a county each; counted together")
    add("--as-of", type=date.fromisoformat, default=AS_OF)
    add("--double-errors", action="store_true", help="every error twice as often")
    add("--first-read", action="store_true", help="nothing was read before")
    add(
        "--rules",
        type=Path,
        nargs="*",
        default=[],
        help="scoring files to try beside the one in force",
    )
    add("--json", action="store_true", help="a line of figures for each")
    asked = parser.parse_args()
    rates = ErrorRates().doubled() if asked.double_errors else ErrorRates()
    before = () if asked.first_read else READ_BEFORE
    started, found = time.monotonic(), list[Scores]()
    for seed in asked.seeds:
        with tempfile.TemporaryDirectory(prefix="yihu-scores-") as folder:
            county = county_of(Path(folder), asked.households, seed, rates)
            made = measure(Path(folder), county, asked.as_of, before, asked.rules)
        found = [one + other for one, other in zip(found, made, strict=True)] if found else made
    for scores in found:
        line = json.dumps({"bench": "scores", **scores.line()}, ensure_ascii=False)
        print(line if asked.json else scores)
    if not asked.json:
        print(f"in {time.monotonic() - started:.0f} s")
    return 0 if found[0].share_of_known >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
