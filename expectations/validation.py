"""The verdict on one batch: which rows are bad and why, and whether the batch may join `valid`.

Belongs here: running the suites and judging. Not here: what happens to good and bad rows
(`warehouse.asof`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from expectations.drift import Drift
from expectations.engine import SqlEngine, literal, name, parquet
from expectations.rules import Rule, batch_rules, found_rules, row_rules
from expectations.suites import BatchViews, RuleResult, applicable, batch_views, gx_on, run_rules

PARTS_SHOWN = 5
SHARES_FROM = 20
"""Rows from which a share says something:
a smaller batch is rejected only where every row of it is bad.
"""


@dataclass(frozen=True)
class Verdict:
    """What validation found in a batch.

    `bad_rows` names an engine table with `_row` and `rules` (the critical row rules that the row
    broke, sorted).
    """

    rules: tuple[RuleResult, ...]
    bad_rows: str
    received: int
    bad_count: int
    is_rejected: bool
    reasons: tuple[str, ...]
    rejecting: tuple[RuleResult, ...] = ()
    """The rules that reject the batch, the one to name first in front."""

    def held_back(self, found: Sequence[tuple[RuleResult, str]]) -> Verdict:
        """The verdict with what further looks found:
        each rule's result, and why it rejects the batch where it does not hold.
        """
        broken = [
            (result, reason)
            for result, reason in found
            if not result.passed and result.severity == "critical"
        ]
        return replace(
            self,
            rules=(*self.rules, *(result for result, _ in found)),
            is_rejected=self.is_rejected or bool(broken),
            reasons=(*self.reasons, *(reason for _, reason in broken)),
            rejecting=(*self.rejecting, *(result for result, _ in broken)),
        )


def preload(kind: str = "duckdb") -> threading.Thread:
    """Starts importing GX for that kind of engine in the background:
    it costs seconds that fetching can use.
    """
    # Dagster queries through SQLAlchemy meanwhile, which must not meet its own ORM half imported by
    # the other thread.
    import_module("sqlalchemy.orm")
    thread = threading.Thread(target=gx_on, args=[kind], name="preload-gx", daemon=True)
    thread.start()
    return thread


def validate(
    engine: SqlEngine,
    contract: Contract,
    batch_manifest: dict[str, Any],
    rows_path: Path,
    history: Sequence[float] = (),
    drifts: Sequence[Drift] = (),
    day: date | None = None,
    rows_due: bool | None = None,
) -> Verdict:
    """Runs every rule of `contract` over a landed batch.

    `history` holds the rows per day of the last runs of the same delivery, for the volume rule;
    `drifts` what landing found; `day` is the day read, after which no row is updated; `rows_due`
    whether a batch without rows is refused (`batch_rules`). Views `valid_<table>` that stand in the
    engine serve the references between record types.
    """
    views = batch_views(engine, contract, parquet(rows_path))
    bad_rows = f"bad_{contract.table}"
    blocking = [drift for drift in drifts if drift.blocks]
    columns = RuleResult(
        "batch:columns", "critical", not blocking, True, len(contract.fields), len(blocking)
    )
    found_in_it = _found_rules(engine, contract, views, day)
    rules = applicable(
        engine,
        (
            *row_rules(contract),
            *found_in_it,
            *batch_rules(contract, batch_manifest, history, rows_due),
        ),
    )
    results = run_rules(engine, contract, views, rules)
    bad_count = _collect_bad_rows(engine, views, rules, results, bad_rows)
    share = _bad_share(contract, bad_count, views.delivered_count)
    found = (*results, columns, share)
    # Without a required column nearly every rule fails: the columns are the reason, the rest
    # follows.
    rejecting = (
        (columns,) if blocking else tuple(result for result in found if _rejects(result, rules))
    )
    reasons = tuple(drift.message for drift in blocking) or tuple(
        _reason(contract, result, rules) for result in rejecting
    )
    received = views.delivered_count
    verdict = Verdict(found, bad_rows, received, bad_count, bool(reasons), reasons, rejecting)
    shared = [_parts_share(contract, batch_manifest)] if batch_manifest.get("keys_twice") else []
    return verdict.held_back(shared)


def judge_rows(engine: SqlEngine, contract: Contract, rows: str) -> Verdict:
    """Runs the row rules alone over the relation `rows`, of typed rows as landed:
    a replay is no batch.
    """
    views = batch_views(engine, contract, rows)
    rules = applicable(engine, (*row_rules(contract), *_found_rules(engine, contract, views, None)))
    results = run_rules(engine, contract, views, rules)
    bad_rows = f"bad_{contract.table}"
    bad_count = _collect_bad_rows(engine, views, rules, results, bad_rows)
    return Verdict(tuple(results), bad_rows, views.delivered_count, bad_count, False, ())


def _found_rules(
    engine: SqlEngine, contract: Contract, views: BatchViews, day: date | None
) -> tuple[Rule, ...]:
    """The rules for what landing marked in these rows; nearly every batch has none."""
    batch = name(views.delivered)
    marked, folded = engine.rows(f"select count(_marked), count(_key_text) from {batch}")[0]
    marks = []
    if marked:
        marks = engine.rows(
            f"select distinct unnest(_marked) as mark from {batch} where _marked is not null order"
            " by mark"
        )
    return found_rules(contract, [str(mark) for (mark,) in marks], bool(folded), day)


def _collect_bad_rows(
    engine: SqlEngine,
    views: BatchViews,
    rules: Sequence[Rule],
    results: Sequence[RuleResult],
    table: str,
) -> int:
    """The rows that broke a critical row rule, each with every rule it broke;
    asks again only the rules that failed.
    """
    broken = {r.rule for r in results if r.could_run and not r.passed and r.severity == "critical"}
    selects = [
        f"select _row, {literal(rule.name)} as rule from"
        f" ({rule.query.format(batch=name(views.of(rule)))})"
        for rule in rules
        if rule.level == "row" and rule.name in broken
    ]
    if not selects:
        return engine.table(
            table, "select null::bigint as _row, null::varchar[] as rules where false"
        )
    return engine.table(
        table,
        f"select _row, list_sort(list(distinct rule)) as rules from ({' union all '.join(selects)})"
        " group by _row",
    )


def _bad_share(contract: Contract, bad: int, received: int) -> RuleResult:
    is_sound = (
        bad <= received * contract.max_bad_share
        if received >= SHARES_FROM
        else bad < max(received, 1)
    )
    return RuleResult("batch:bad_share", "critical", is_sound, True, received, bad)


def _parts_share(contract: Contract, manifest: Mapping[str, Any]) -> tuple[RuleResult, str]:
    """Keys in more than one part of a delivery: a part was sent twice, or is another month's."""
    count, files = int(manifest["keys_twice"]), list(manifest["twice_in"])
    more = len(files) - PARTS_SHOWN
    shown = ", ".join(files[:PARTS_SHOWN]) + (f" and {more} more" if more > 0 else "")
    reason = (
        f"{contract.table}: {count} keys stand in more than one of the parts {shown}; "
        "have each part sent once and for the same time, or open the gate"
    )
    rows = int(manifest.get("row_count") or 0)
    return RuleResult("batch:key_in_two_parts", "critical", False, True, rows, count), reason


def _rejects(result: RuleResult, rules: Sequence[Rule]) -> bool:
    if not result.could_run:
        return True
    is_row_rule = any(rule.name == result.rule and rule.level == "row" for rule in rules)
    return not result.passed and result.severity == "critical" and not is_row_rule


def _reason(contract: Contract, result: RuleResult, rules: Sequence[Rule]) -> str:
    if not result.could_run:
        return (
            f"{contract.table}: rule {result.rule} could not run; mend it in {contract.path.name},"
            " then run the day again"
        )
    texts = {
        "batch:not_empty": (
            "no rows where a full delivery is due, which is not believed the first time; ask the"
            " department for the whole extract: on a first read the next day that says the same is"
            " taken, else open the gate"
        ),
        "batch:total": (
            f"{result.element_count} rows where another total was announced; read the day again"
        ),
        "batch:bad_share": (
            f"{result.unexpected_count} of {result.element_count} rows are bad, more than the"
            " contract allows; send the department its correction file, or open the gate"
        ),
    }
    return (
        f"{contract.table}:"
        f""" {
            texts.get(
                result.rule, f"rule {result.rule} failed; correct the extract, or open the gate"
            )
        }"""
    )
