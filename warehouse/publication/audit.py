"""The audit of a release as it will be read: in the publishing transaction, through the views, before anybody sees it.

Belongs here: what must hold, and the gates that a named person can open. Not here: writing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.idnumber import id_misshapen
from warehouse.model import SqlEngine, render
from warehouse.publication.content import Content, changed, duplicates
from warehouse.publication.wire import Wire
from warehouse.schema import VIEWS, View

RED_FACTOR = 1.5
LOST_SHARE = 0.01
SMALL = 20
"""Gates look only at changes of more than this many households: small counties jump."""

GATES = {
    "households_lost": "households of the last release are gone",
    "red_jump": "red is out of bounds",
}


@dataclass(frozen=True)
class Previous:
    """The release that readers see now."""

    release_id: int
    households: int
    red: int


@dataclass(frozen=True)
class Verdict:
    """`findings`: what does not hold; `used`: the gates that would have held it back and were open."""

    findings: tuple[str, ...]
    used: tuple[str, ...]
    households: int
    red: int
    yellow: int


def before_writing(engine: SqlEngine, content: Content, register: str | None, person: str | None) -> list[str]:
    """What the engine can say alone: keys and ID numbers of the rows to add, households of the register."""
    findings: list[str] = []
    for view in VIEWS:
        if content.counts[view.name] == 0:
            continue
        if found := duplicates(engine, view):
            findings.append(f"{view.name}: {found} keys stand twice or are empty")
        rows = changed(view) if engine.exists(f"differs_{view.name}") else Content.rows(view)
        findings += _identities(engine, view, rows, person)
    if register is not None:
        lost = engine.scalar(
            f'select count(*) from "{register}" as r left join release_household as h using (household_id) where h.household_id is null'
        )
        if lost:
            findings.append(f"{lost} households of the register are not in the release")
    return findings


def _identities(engine: SqlEngine, view: View, rows: str, person: str | None) -> list[str]:
    """A line per column that holds what is an ID number by its form, date and check character."""
    texts = [
        column for column in view.stored if column.type in ("text", "text[]", "jsonb") and column.name not in ("area_code", "town_code")
    ]
    select = render("publication/identities", rows=rows, columns=texts, person=person, misshapen=id_misshapen("number"))
    return [f"{view.name}.{name} holds {count} ID numbers" for name, count in engine.rows(select)]


def as_read(wire: Wire, content: Content, previous: Previous | None, gates: Mapping[str, Any]) -> Verdict:
    """Reads the release through `yihu`, as a reader will; the session's release is the new one."""
    findings: list[str] = []
    for view in VIEWS:
        rows = wire.scalar(f'select count(*) from yihu."{view.name}"')
        if rows != content.counts[view.name]:
            findings.append(f"{view.name} has {rows} rows in the database and {content.counts[view.name]} on the engine")
    for name in ("flag_without_household", "household_without_flag", "reasons_not_score"):
        if name == "household_without_flag" and content.counts["warning_flag"] == 0:
            continue
        found = wire.scalar(render(f"publication/{name}"))
        if found:
            findings.append(f"{found} rows: {name.replace('_', ' ')}")
    households, red, yellow = wire.rows(render("publication/totals"))[0]
    shut: list[str] = []
    used: list[str] = []
    for gate, said in _gates(wire, previous, int(households), int(red)).items():
        (used if gate in gates else shut).append(gate)
        if gate not in gates:
            findings.append(f"gate {gate}: {said} (a named person can open it with a reason: make open-gate GATE={gate} BY=… WHY=…)")
    return Verdict(tuple(findings), tuple(used), int(households), int(red), int(yellow))


def _gates(wire: Wire, previous: Previous | None, households: int, red: int) -> dict[str, str]:
    held: dict[str, str] = {}
    if previous is None:
        return held
    lost = int(wire.scalar(render("publication/households_lost", previous=previous.release_id)))
    if lost > max(SMALL, LOST_SHARE * previous.households):
        held["households_lost"] = f"{lost} of {previous.households} households of release {previous.release_id} are gone"
    apart = abs(red - previous.red)
    if apart > SMALL and max(red, previous.red) > RED_FACTOR * min(red, previous.red):
        held["red_jump"] = f"red went from {previous.red} to {red}"
    return held


def open_gates(wire: Wire, as_of: date) -> dict[str, str]:
    """The gates that somebody opened for this day, with who."""
    return {
        str(gate): str(who)
        for gate, who in wire.rows("select gate, opened_by from ops.gate_opening where as_of = $1::text::date", as_of.isoformat())
    }
