"""An attacker who may log in and never sees a row: what plans, estimates, counters and errors tell
of other people's households.

Belongs here: the questions, the tools, and the classifier that makes a guess of what a tool says.
Not here: who is attacked (`test_oracle`).

A pair is a household that the login may not see and something that may be true of it. Each tool
asks the database of the pair, and of the same household with a value that nobody has; what it says
becomes numbers. The best cut through one of these numbers is chosen on one half of the pairs and
judged on the other, both ways: 200 guesses, of which chance gets 100 right.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

NOBODY_HAS = "no-such-value"
TIMES = ("Time",)
"""Parts of a plan that are a clock's: `clock` reads a better one."""


@dataclass(frozen=True)
class Pair:
    """A household, something said of it, and whether that is true."""

    view: str
    household_id: str
    column: str
    value: str
    is_true: bool

    def claim(self, value: str | None = None) -> str:
        return f"household_id = '{self.household_id}' and {self.column} = '{value or self.value}'"


Numbers = dict[str, float]
Tool = Callable[[psycopg.Connection, Pair, str], Numbers]
"""What a connection finds out about a pair with a claim of the tool's making."""


def halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Two halves with as many true ones in each, in no order that anything else has."""
    true, false = ([pair for pair in pairs if pair.is_true is kind] for kind in (True, False))
    for group in (true, false):
        random.Random(7).shuffle(group)
    return true[::2] + false[::2], true[1::2] + false[1::2]


def score(connection: psycopg.Connection, tool: Tool, pairs: Sequence[Pair]) -> int:
    """Right guesses of 200: the cut is chosen on each half and judged on the other."""
    in_turn = random.Random(3).sample(
        list(pairs), len(pairs)
    )  # whatever drifts while one asks is no answer
    seen = {pair: _numbers(connection, tool, pair) for pair in in_turn}
    one, other = halves(pairs)
    return sum(
        _judged(_cut(seen, known), seen, asked) for known, asked in ((one, other), (other, one))
    )


def _numbers(connection: psycopg.Connection, tool: Tool, pair: Pair) -> Numbers:
    """What the tool says, and how that differs from what it says of a value that nobody has."""
    found = tool(connection, pair, pair.claim())
    idle = tool(connection, pair, pair.claim(NOBODY_HAS))
    return found | {
        f"{name} beyond nobody's": found.get(name, -1.0) - idle.get(name, -1.0)
        for name in found.keys() | idle.keys()
    }


@dataclass(frozen=True)
class Cut:
    """A guess: true where the number `name` is above `above` (or not above it)."""

    name: str
    above: float
    is_true_above: bool

    def says(self, numbers: Numbers) -> bool:
        return (numbers.get(self.name, -1.0) > self.above) == self.is_true_above


def _cut(seen: Mapping[Pair, Numbers], pairs: Sequence[Pair]) -> Cut | None:
    """The cut that is right most often; None where no number differs."""
    best: tuple[int, Cut] | None = None
    all_true = sum(pair.is_true for pair in pairs)
    for name in sorted({name for pair in pairs for name in seen[pair]}):
        ordered = sorted((seen[pair].get(name, -1.0), pair.is_true) for pair in pairs)
        below, true_below = 0, 0
        for (value, is_true), (following, _) in itertools.pairwise(ordered):
            below, true_below = below + 1, true_below + is_true
            if value == following:
                continue
            right_above = (below - true_below) + (all_true - true_below)
            for right, is_true_above in ((right_above, True), (len(pairs) - right_above, False)):
                if best is None or right > best[0]:
                    best = right, Cut(name, value, is_true_above)
    return best[1] if best else None


def _judged(cut: Cut | None, seen: Mapping[Pair, Numbers], pairs: Sequence[Pair]) -> int:
    return sum((cut.says(seen[pair]) if cut else True) == pair.is_true for pair in pairs)


def plan_numbers(plan: Any) -> Numbers:
    """Every number of a plan, by its path; node types and strategies as counts of each."""
    made: Numbers = {}
    for path, value in _leaves(plan, ""):
        key = path.rpartition("/")[2]
        if any(part in path for part in TIMES):
            continue
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            made[path] = float(value)
        elif key in ("Node Type", "Strategy", "Index Name", "Join Type"):
            made[f"{key}={value}"] = made.get(f"{key}={value}", 0.0) + 1
    return made


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, f"{path}/{name}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _leaves(part, f"{path}/{place}")
    else:
        yield path, value


FORCED = ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan")
SETTINGS: dict[str, dict[str, str]] = {
    "as it comes": {},
    "no sequential scan": {"enable_seqscan": "off"},
    "no index scan": {"enable_indexscan": "off"},
    "no bitmap scan": {"enable_bitmapscan": "off"},
    "sequential scans": dict.fromkeys(FORCED, "off"),
    "no hash and no merge join": {"enable_hashjoin": "off", "enable_mergejoin": "off"},
    "parallel": {
        "parallel_setup_cost": "0",
        "parallel_tuple_cost": "0",
        "min_parallel_table_scan_size": "0",
    },
}


def _asked(
    connection: psycopg.Connection, settings: Mapping[str, str], *statements: str
) -> list[list[tuple[Any, ...]]]:
    """The answers of statements in one transaction under settings, sent together; nothing of it
    stays.
    """
    sets = [f"set local {name} = {value}" for name, value in settings.items()]
    cursor = connection.execute(
        "; ".join(["begin", *sets, *statements, "rollback"])  # type: ignore[arg-type]
    )
    answers = []
    while True:
        if cursor.description is not None:
            answers.append(cursor.fetchall())
        if not cursor.nextset():
            return answers


def _explained(
    connection: psycopg.Connection, sql: str, options: str, settings: Mapping[str, str]
) -> Numbers:
    ((answer,),) = _asked(connection, settings, f"explain ({options}, format json) {sql}")
    return plan_numbers(answer[0])


def plan_under(settings: Mapping[str, str]) -> Tool:
    return lambda connection, pair, claim: _explained(
        connection,
        f"select 1 from yihu.{pair.view} where {claim}",
        "analyze, buffers, verbose",
        settings,
    )


def estimates(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    made = _explained(connection, f"select 1 from yihu.{pair.view} where {claim}", "costs", {})
    alone = claim.partition(" and ")[2]
    return made | {
        f"{path} of the value": value
        for path, value in _explained(
            connection, f"select 1 from yihu.{pair.view} where {alone}", "costs", {}
        ).items()
    }


def limit_steps(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """Where a forced scan stops: at the first row that is claimed, or goes on past it; and how far
    it goes from one own row to the next.
    """
    made: Numbers = {}
    for name, order in (("any", ""), ("by key", " order by household_id")):
        sql = (
            f"select 1 from yihu.{pair.view} where ({claim}) or household_id >"
            f" '{pair.household_id}'{order} limit 1"
        )
        found = _explained(connection, sql, "analyze, buffers", dict.fromkeys(FORCED, "off"))
        made |= {f"{name}{path}": value for path, value in found.items()}
    return made | _beside(connection, pair, claim)


def _beside(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """What lies between the session's own rows on both sides of the household: a scan that stops at
    the one before it, and one that goes on to the next.
    """
    if NOBODY_HAS in claim:
        return {}  # nothing of the claim is in it
    sql = f"select count(*) from yihu.{pair.view} where household_id < '{pair.household_id}'"
    ((before,),) = _asked(connection, {}, sql)[0]
    near, far = (
        _explained(
            connection,
            f"select 1 from yihu.{pair.view} limit {rows}",
            "analyze, buffers",
            dict.fromkeys(FORCED, "off"),
        )
        for rows in (before, before + 1)
    )
    return {
        f"beside{path}": far.get(path, -1.0) - near.get(path, -1.0)
        for path in far.keys() | near.keys()
    }


def own_subplan(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """A subplan of one's own beside the claim: how often it runs, a cheap and a dear one."""
    made: Numbers = {}
    for name, part in (
        ("once", "(select count(*) from generate_series(1, 3)) >= 0"),
        (
            "for each row",
            f"(select count(*) from generate_series(1, length(t.{pair.column}))) >= 0",
        ),
    ):
        sql = f"select 1 from yihu.{pair.view} as t where {claim} and {part}"
        made |= {
            f"{name}{path}": value
            for path, value in _explained(connection, sql, "analyze, buffers", {}).items()
        }
    return made


def joined(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """The claim met by way of a join, a lateral, a prepared statement's generic plan."""
    sql = (
        f"select 1 from (values ('{pair.household_id}')) as v (id) cross join lateral (select 1"
        f" from yihu.{pair.view} where household_id = v.id and {claim.partition(' and ')[2]} limit"
        " 1) as t"
    )
    made = _explained(
        connection, sql, "analyze, buffers", {"enable_hashjoin": "off", "enable_mergejoin": "off"}
    )
    ((answer,),) = _asked(
        connection,
        {"plan_cache_mode": "force_generic_plan"},
        "deallocate all",
        f"prepare peek (text) as select 1 from yihu.{pair.view} where household_id = $1 and"
        f" {claim}",
        f"explain (analyze, buffers, format json) execute peek ('{pair.household_id}')",
    )
    return made | {f"prepared{path}": value for path, value in plan_numbers(answer[0]).items()}


COUNTERS = """
select relname, coalesce(seq_scan, 0), coalesce(seq_tup_read, 0), coalesce(idx_scan, 0),
    coalesce(idx_tup_fetch, 0)
from pg_stat_xact_all_tables where schemaname in ('store', 'ops', 'vault', 'yihu')
"""


def counters(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """`pg_stat_xact`, and the session's locks, after the query in one transaction; with scans as
    they come and forced.
    """
    made: Numbers = {}
    for kind, settings in (("", {}), ("forced ", dict.fromkeys(FORCED, "off"))):
        before, _, tables, ((calls,),), ((locks,),) = _asked(
            connection,
            settings,
            COUNTERS,
            f"select 1 from yihu.{pair.view} where {claim} limit 1",
            COUNTERS,
            "select coalesce(sum(calls), 0) from pg_stat_xact_user_functions",
            "select count(*) from pg_locks where pid = pg_backend_pid()",
        )
        # what other transactions of the session left is still in the counters
        old = {table: counts for table, *counts in before}
        for table, *counts in tables:
            for place, (count, was) in enumerate(zip(counts, old.get(table, [0] * 4), strict=True)):
                made[f"{kind}{table} {place}"] = float(count - was)
        made |= {f"{kind}functions": float(calls), f"{kind}locks": float(locks)}
    return made


def errors(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """Conditions that fail on the row that is claimed: whether they do."""
    said = claim.partition(" and ")[2]
    made: Numbers = {}
    for name, sql in {
        "divided": (
            f"select 1 from yihu.{{0}} where household_id = '{{1}}' and 1 / (case when {said} then"
            " 0 else 1 end) > 0"
        ),
        "cast": (
            f"select 1 from yihu.{{0}} where household_id = '{{1}}' and (case when {said} then 'x'"
            " else '1' end)::integer > 0"
        ),
        "or": (
            f"select 1 from yihu.{{0}} where ({claim}) or 1 / (case when household_id = '{{1}}'"
            " then 0 else 1 end) > 1"
        ),
        "index": (
            f"select (array[1])[1 / (case when {said} then 0 else 1 end)] from yihu.{{0}} where"
            " household_id = '{1}'"
        ),
    }.items():
        try:
            connection.execute(
                sql.format(pair.view, pair.household_id)  # type: ignore[arg-type]
            ).fetchall()
            made[name] = 0.0
        except psycopg.Error as error:
            made[name] = float(int(error.sqlstate or "1", 36))
    return made


def clock(connection: psycopg.Connection, pair: Pair, claim: str) -> Numbers:
    """How long it takes: the least of some rounds, as it comes and with a dear condition beside the
    claim.
    """
    made: Numbers = {}
    for name, part in (
        ("plain", ""),
        ("dear", " and (select count(*) from generate_series(1, 20000)) > 0"),
    ):
        seconds = []
        for _ in range(7):
            began = time.perf_counter()
            connection.execute(
                f"select 1 from yihu.{pair.view} where {claim}{part}"  # type: ignore[arg-type]
            ).fetchall()
            seconds.append(time.perf_counter() - began)
        made[name] = min(seconds)
    return made


TOOLS: dict[str, Tool] = {
    **{f"plan, {name}": plan_under(settings) for name, settings in SETTINGS.items()},
    "estimates": estimates,
    "LIMIT steps": limit_steps,
    "own subplan": own_subplan,
    "join, lateral, generic plan": joined,
    "pg_stat_xact": counters,
    "errors": errors,
}
"""What the attacker has at hand; the clock is for the nightly tests."""
SHARPEST = ("plan, as it comes", "LIMIT steps", "pg_stat_xact")
"""One for each way of telling: plans, where a scan stops, counters."""
