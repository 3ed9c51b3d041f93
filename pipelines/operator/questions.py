"""What departments say against each other, by hand: try one rule, open one that listed too many,
propose issues.

Belongs here: these commands. Not here: the rules (`warehouse.crosscheck_rules`), the models.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from expectations.contract import contract_for, load_contracts
from expectations.engine import literal
from expectations.errors import OK
from pipelines.command_line.typed import UsageError, ask_for
from pipelines.operator.decisions import administered, maker
from pipelines.operator.summary import table
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import Settings
from warehouse.database.actor import acting_as
from warehouse.graph.inputs import LakeInputs
from warehouse.graph.registry import layer_and_folder
from warehouse.graph.runner import Runner
from warehouse.graph.under import made_moment
from warehouse.schema.lake import CONTRADICTION_ALIAS, OPENING

EXAMPLES = 3
PRIVATE = 0o600
OPEN = "insert into ops.opening (code, opens_on, reason) values (:code, :opens_on, :reason)"


@dataclass(frozen=True)
class Looking:
    """The newest day of the lake, to be computed on without publishing."""

    engine: Engine
    lake: Lake
    day: date
    runner: Runner

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.engine.rows(sql)

    def use(self, *tables: str) -> None:
        """Has the engine read kept tables of the day."""
        for name in tables:
            self.runner.use(name, self.day)


@contextmanager
def _looking(settings: Settings, needs: str) -> Iterator[Looking]:
    engine, lake = Engine(settings.home / "tmp"), Lake(settings.lake)
    try:
        days = [day for day in lake.days(*layer_and_folder(needs)) if day <= settings.as_of]
        if not days:
            raise UsageError(f"the lake has no {needs} up to {settings.as_of}:", "make sync first")
        nothing = {
            "contradiction_alias": lambda day: CONTRADICTION_ALIAS.arrow.empty_table(),
            "opening": lambda day: OPENING.arrow.empty_table(),
        }
        runner = Runner(engine, LakeInputs(lake, nothing), load_contracts())
        yield Looking(engine, lake, max(days), runner)
    finally:
        engine.close()


TRIED = """
with held as (
    select distinct h.household_id, h.member_id
    from crosscheck_{code} as h
    left join crosscheck_doubt as d on d.household_id = h.household_id and d.code = {quoted}
    left join crosscheck_member as m on m.member_id = h.member_id
    where d.household_id is null and not coalesce(m.has_conflict, false)
)
"""
BY_TOWN = """
select coalesce(w.town_name, ''), coalesce(w.town_code, ''), count(*),
    count(distinct h.household_id)
from held as h left join household as w on w.household_id = h.household_id
group by 1, 2 order by 3 desc, 2
"""
SOME = """
select h.household_id, coalesce(h.member_id, ''), r.records, r.record_id
from (select * from held order by household_id, member_id limit {examples}) as h
inner join crosscheck_{code} as r
    on r.household_id = h.household_id
    and coalesce(r.member_id, '') = coalesce(h.member_id, '')
order by 1, 2, 3, 4
"""


def try_rule(settings: Settings, arguments: argparse.Namespace) -> int:
    """Tries one rule on the newest day: rows by town, three examples. Publishes nothing."""
    with _looking(settings, "household_indicator") as looking:
        moment = made_moment(looking.lake, looking.engine, looking.day)
        rules = moment.further.crosscheck.rules
        code = _known(arguments.code, rules)
        rule, made = rules[code], f"crosscheck_{code.lower()}"
        looking.runner.make([made, "crosscheck_doubt", "crosscheck_member"], moment)
        looking.use("household")
        held = TRIED.format(code=code.lower(), quoted=literal(code))
        towns = looking.rows(held + BY_TOWN)
        some = looking.rows(held + SOME.format(code=code.lower(), examples=EXAMPLES))
    print(f"{code} {rule.chinese} ({rule.name}), {looking.day}, asked of {rule.owner}")
    print(rule.question)
    print("a question, no reason to stop, lower or refuse anything (不得据此停发、减发)\n")
    header = ["town", "code", "rows", "households"]
    total = ["all", "", str(sum(n for *_, n, _ in towns)), str(sum(n for *_, n in towns))]
    print(table(header, [[str(cell) for cell in row] for row in towns] + [total]))
    if some:
        print()
        print(
            table(["household", "member", "records", "record"], [list(map(str, r)) for r in some])
        )
    return OK


def _known(code: str, known: Mapping[str, object]) -> str:
    if code.upper() not in known:
        raise UsageError(f"there is no rule {code}:", f"{', '.join(sorted(known))}")
    return code.upper()


def open_rule(settings: Settings, arguments: argparse.Namespace) -> int:
    """Lets a rule that listed too many go to the offices from a day on, in a person's name."""
    why = ask_for("WHY", arguments.why, "Why (recorded): ")
    with _looking(settings, "crosscheck_run") as looking:
        looking.use("crosscheck_run", "entitlement_run")
        waiting = looking.rows(
            "select distinct code from (select code, flooded_on from crosscheck_run union all"
            " select code, flooded_on from entitlement_run) where flooded_on is not null order by 1"
        )
        day = looking.day
    codes = [str(code) for (code,) in waiting]
    if arguments.code not in codes:
        raise UsageError(
            f"{arguments.code} does not wait for a steward:",
            f"those that do are {', '.join(codes) or 'none'}",
        )
    with administered(settings) as (server, engine):
        who = maker(server, engine, arguments.by)
        with acting_as(engine, who) as connection:
            named = {"code": arguments.code, "opens_on": day, "reason": why}
            connection.execute(sa.text(OPEN), named)
    print(f"{arguments.code} goes to the offices from {day} on; now run: make sync AS_OF={day}")
    return OK


OVERDUE_CASES = """
select 'protection' as theme, c.area_code, c.household_id, null as contradiction_id,
    'monitoring' as owner
from case_progress as c where c.is_overdue and c.area_code is not null
"""
OVERDUE_TASKS = """
select 'protection' as theme, t.area_code, t.household_id, null as contradiction_id,
    t.department as owner
from follow_up_task as t
where t.closed_on is null and t.due_on < {day} and t.area_code is not null
"""
CONFIRMED = """
select 'data' as theme, c.area_code, c.household_id, c.contradiction_id, c.owner
from contradiction as c
inner join crosscheck_verdict as v on v.contradiction_id = c.contradiction_id
where c.state = 'confirmed' and date_diff('day', v.checked_on, {day}) > {days}
    and c.area_code is not null
"""
KNOWN = (
    "select household_id, contradiction_id, theme, owner from issue_ledger where step <> 'proved'"
)


def propose_issues(settings: Settings, arguments: argparse.Namespace) -> int:
    """Writes what is late as issues to take over: overdue cases and tasks, contradictions that were
    confirmed and still stand. Enters nothing.
    """
    with _looking(settings, "contradiction") as looking:
        moment = made_moment(looking.lake, looking.engine, looking.day)
        rules = moment.further.issues
        looking.use("case_progress", "follow_up_task", "contradiction", "issue_ledger")
        looking.runner.make(["crosscheck_verdict"], moment)
        day = f"date '{looking.day}'"
        parts = [part.format(day=day, days=rules.confirmed_days)
                 for part in (OVERDUE_CASES, OVERDUE_TASKS, CONFIRMED)]  # fmt: skip
        proposed = looking.rows(
            f"select distinct * from ({' union all '.join(parts)}) order by all"
        )
        known = {tuple(row) for row in looking.rows(KNOWN)}
        due_on = looking.day + timedelta(days=rules.term_days)
    new = [row for row in proposed if (row[2], row[3], row[0], row[4]) not in known]
    path = Path(arguments.out)
    _write(path, new, looking.day, due_on)
    counted = Counter(str(row[4]) for row in new)
    print(f"{path}: {len(new)} issues to look at and take over; nothing was entered")
    print(table(["owner", "issues"], [[owner, str(n)] for owner, n in sorted(counted.items())]))
    return OK


def _write(path: Path, rows: Sequence[tuple[Any, ...]], found: date, due: date) -> None:
    """The rows under the headings of `supervision.issues`, in a private file."""
    names = [field.physical_name for field in contract_for("issues", with_drafts=True).delivered]
    path.touch(PRIVATE)
    path.chmod(PRIVATE)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for number, (theme, area, household, contradiction, owner) in enumerate(rows, 1):
            writer.writerow(
                {
                    "issue_id": f"P{found:%Y%m%d}-{number:05d}",
                    "source": "comparison" if contradiction else "self_check",
                    "theme": theme,
                    "area_code": area,
                    "household_id": household,
                    "contradiction_id": contradiction,
                    "owner": owner,
                    "found_on": found,
                    "due_on": due,
                    "updated_at": f"{found} 08:00:00",
                }
            )
