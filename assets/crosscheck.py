"""What departments say against each other, how often each rule was right, and who is asked.

Belongs here: the assets, and what must hold of them. Not here: the conditions
(`models/crosscheck`), the rules (`warehouse/rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets.tables import Check, Table, tables_asset, with_others
from expectations.contract import Contract
from expectations.engine import literal
from resources.runtime.context import ALIASES, RunContext
from warehouse.crosscheck import spans_since
from warehouse.crosscheck_rules import Crosscheck, load_crosscheck
from warehouse.graph.registry import layer_and_folder, maker, stored_tables
from warehouse.schema.lake import declared

BEFORE = "contradiction_before"
"""What an earlier run of the day had."""
COUNTED = """
select r.code, coalesce(s.state, 'missing') as state, coalesce(l.is_listed, true) as is_listed,
    count(c.contradiction_id) as found,
    count(c.contradiction_id) filter (where h.household_id is null) as stray
from (values {codes}) as r(code)
left join crosscheck_state as s on s.code = r.code
left join crosscheck_listing as l on l.code = r.code
left join contradiction as c on c.code = r.code
left join household as h on h.household_id = c.household_id
group by r.code, s.state, l.is_listed order by 1
"""
UNKNOWN = """
select distinct v.contradiction_id from matched_supervision__verdicts as v
left join contradiction_span as s on s.contradiction_id = v.contradiction_id
left join contradiction_alias as a on a.old_id = v.contradiction_id
where s.contradiction_id is null and a.old_id is null and v.checked_on > {since} order by 1
"""
MOST_NAMED = 20


def of_family(rules: Crosscheck, family: str) -> Check:
    """The check of one family: its rows are of households that are there; its counts."""
    codes = [code for code, rule in sorted(rules.rules.items()) if rule.family == family]

    def check(house: RunContext, as_of: date) -> dg.AssetCheckResult:
        house.make(["crosscheck_state", "crosscheck_listing"], house.moment(as_of))
        listed = ", ".join(f"({literal(code)})" for code in codes)
        rows = house.engine.rows(COUNTED.format(codes=listed))
        waiting = [code for code, _, is_listed, _, _ in rows if not is_listed]
        not_run = [f"{code} ({state})" for code, state, *_ in rows if state != "ok"]
        return dg.AssetCheckResult(
            check_name=family,
            asset_key="contradiction",
            passed=sum(stray for *_, stray in rows) == 0,
            metadata={
                **{str(code): int(found) for code, _, _, found, _ in rows},
                "wait_for_a_steward": ", ".join(waiting) or "none",
                "not_run": ", ".join(not_run) or "none",
            },
        )

    return check


def keep_before(house: RunContext, as_of: date) -> None:
    """Keeps what an earlier run of the day had, to find its ids again."""
    place = layer_and_folder("contradiction")
    if house.lake.version(*place, as_of) is None:
        house.engine.drop(BEFORE)
        return
    columns = "contradiction_id, code, household_id, member_id"
    house.engine.table(BEFORE, f"select {columns} from {house.lake.relation(*place, as_of)}")


def said(house: RunContext, as_of: date) -> dict[str, Any]:
    """What is told of the day: other ids, and verdicts about ids that nobody here ever had."""
    house.make(["crosscheck_verdict"], house.moment(as_of))
    unknown = [
        str(contradiction)
        for (contradiction,) in house.engine.rows(UNKNOWN.format(since=spans_since(as_of)))
    ]
    return {
        "verdicts_unknown": len(unknown),
        "unknown": ", ".join(unknown[:MOST_NAMED]) or "none",
        "ids_replaced": _note_aliases(house, as_of),
    }


def _note_aliases(house: RunContext, as_of: date) -> int:
    """Notes which ids of an earlier run of the day are other ones now; returns how many."""
    if not house.engine.exists(BEFORE):
        return 0
    replaced = house.engine.rows(
        f"select b.contradiction_id, c.contradiction_id from {BEFORE} as b join contradiction as c"
        " on c.code = b.code and c.household_id = b.household_id"
        " and coalesce(c.member_id, '') = coalesce(b.member_id, '')"
        " where c.contradiction_id <> b.contradiction_id"
    )
    if not replaced:
        return 0
    newer = {str(old): str(new) for old, new in replaced}
    noted = house.lake.read_note(*ALIASES, as_of) or {}
    followed = {old: newer.get(new, new) for old, new in noted.items()} | newer
    kept = {old: new for old, new in followed.items() if old != new}
    house.lake.write_note(*ALIASES, as_of, kept)
    return len(newer)


def _tables() -> list[Table]:
    """The checks of `contradiction` look at the others, which are kept before it."""
    rules = load_crosscheck(date.max)
    checks = tuple(
        (family, f"Rules of the family {family}: rows per rule; all of known households.", check)
        for family in rules.families
        for check in [of_family(rules, family)]
    )
    kept = ("contradiction_span", "crosscheck_run", "contradiction_list", "stopped_after_listing")
    return [
        *(Table(name, declared()[name].meaning) for name in kept),
        Table(
            "contradiction",
            "What departments say against each other (信息比对): a question to a named office,"
            " never a finding.",
            checks=checks,
            shown=said,
            before=keep_before,
        ),
    ]


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The step that makes them."""
    tables = with_others("crosscheck", _tables())
    others = [
        Table(name, declared()[name].meaning)
        for name in stored_tables()
        if maker(name).name.startswith(("issues/", "entitlement/", "known_gap/"))
    ]
    return [tables_asset("crosscheck", "crosscheck", [*tables, *others], contracts, layer="flags")]
