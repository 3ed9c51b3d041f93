"""The audit of a release as it will be read:
on the engine's rows, and in the publishing transaction that these are what is read.

Belongs here: what must hold, and the gates that a named person can open. Not here: writing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.engine import SqlEngine
from expectations.idnumber import id_misshapen, somebodys
from warehouse.model import render
from warehouse.publication.content import FULL, Content, changed, duplicates
from warehouse.publication.wire import Wire
from warehouse.schema import VIEWS, Column, View

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
    """`findings`: a line for each gate in `closed`;
    `used`: the gates that were open and counted.
    """

    findings: tuple[str, ...]
    closed: tuple[str, ...]
    used: tuple[str, ...]
    households: int
    red: int
    yellow: int


HOLDS = ("flag_without_household", "household_without_flag", "reasons_not_score")
"""Models that count what must not be there."""


def before_writing(
    engine: SqlEngine, content: Content, register: str | None, person: str | None
) -> list[str]:
    """What holds of the release's rows on the engine;
    `tables_apart` says afterwards that a reader gets these very rows.
    """
    findings: list[str] = []
    for view in content.views:
        if content.tables[view.name].rows == 0:
            continue
        if found := duplicates(engine, view):
            findings.append(f"{view.name}: {found} keys stand twice or are empty")
        findings += _identities(engine, view, content.shape.of(view), person)
        findings += _record_numbers(engine, view, content.shape.of(view))
    for name in HOLDS:
        if name == "household_without_flag" and content.tables["warning_flag"].rows == 0:
            continue
        if found := engine.scalar(render(f"publication/{name}")):
            findings.append(f"{found} rows: {name.replace('_', ' ')}")
    if register is not None:
        lost = engine.scalar(
            f'select count(*) from "{register}" as r left join release_household as h using'
            " (household_id) where h.household_id is null"
        )
        if lost:
            findings.append(f"{lost} households of the register are not in the release")
    return findings


def _identities(
    engine: SqlEngine, view: View, of: Sequence[Column], person: str | None
) -> list[str]:
    """A line per column that holds what is an ID number by its form, date and check character.

    A department's record number may look like one by chance: in the evidence it counts where it is
    somebody's.
    """
    texts = [
        column
        for column in of
        if column.type in ("text", "text[]", "jsonb")
        and column.name not in ("area_code", "town_code")
    ]
    if not texts:
        return []
    select = render(
        "publication/identities",
        rows=changed(view),
        columns=texts,
        misshapen=id_misshapen("number"),
    )
    counts = dict(
        engine.rows(
            f"select column_name, count(*) from ({select}) group by column_name order by"
            " column_name"
        )
    )
    if counts.get("evidence") and person is not None:
        theirs = f'upper(number) in (select upper(id_number) from "{person}")'
        counts["evidence"] = engine.scalar(
            f"select count(*) from ({select}) where column_name = 'evidence' and {theirs}"
        )
    return [
        f"{view.name}.{name} holds {count} ID numbers" for name, count in counts.items() if count
    ]


PSEUDONYM = "^[0-9a-f]{64}$"
OUR_IDS = ("contradiction_id", "entitlement_id")
"""Made here: digits of a hash, which may be any; no numbers of anybody."""


def _record_numbers(engine: SqlEngine, view: View, of: Sequence[Column]) -> list[str]:
    """A line per column of record numbers that holds some that look like somebody's;
    landing lets none through.
    """
    columns = [
        column.name
        for column in of
        if column.type == "text" and column.name.endswith("_id") and column.name not in OUR_IDS
    ]
    if not columns:
        return []
    counts = ", ".join(
        f"count(*) filter (where not regexp_matches({c}, '{PSEUDONYM}') and {somebodys(c)})"
        for c in columns
    )
    found = engine.rows(f"select {counts} from {changed(view)}")[0]
    return [
        f"{view.name}.{c} holds {n} record numbers that look like somebody's"
        for c, n in zip(columns, found, strict=True)
        if n
    ]


def tables_apart(wire: Wire, content: Content) -> list[str]:
    """A line per table of which a reader of the new release would not get exactly
    the engine's rows.
    """
    findings: list[str] = []
    for view in VIEWS:
        rows, total = wire.rows(render("postgres/as_read", view=view.name))[0]
        table = content.tables[view.name]
        if rows != table.rows:
            findings.append(
                f"{view.name} has {rows} rows in the database and {table.rows} on the engine"
            )
        elif int(total) % FULL != table.sum:
            findings.append(f"{view.name} has other rows in the database than on the engine")
    return findings


def as_read(wire: Wire, previous: Previous | None, gates: Mapping[str, Any]) -> Verdict:
    """Reads the release's totals through `yihu`, as a reader will,
    and holds them against the last release's.
    """
    findings: list[str] = []
    households, red, yellow = wire.rows(render("postgres/totals"))[0]
    closed: list[str] = []
    used: list[str] = []
    for gate, said in _gates(wire, previous, int(households), int(red)).items():
        if gate in gates:
            used.append(gate)
        else:
            closed.append(gate)
            findings.append(
                f"gate {gate}: {said} (a named person can open it with a reason: make open-gate"
                f" GATE={gate} BY=… WHY=…)"
            )
    return Verdict(
        tuple(findings),
        tuple(closed),
        tuple(used),
        int(households),
        int(red),
        int(yellow),
    )


def _gates(wire: Wire, previous: Previous | None, households: int, red: int) -> dict[str, str]:
    held: dict[str, str] = {}
    if previous is None:
        return held
    lost = int(wire.scalar(render("postgres/households_lost", previous=previous.release_id)))
    if lost > max(SMALL, LOST_SHARE * previous.households):
        held["households_lost"] = (
            f"{lost} of {previous.households} households of release {previous.release_id} are gone"
        )
    apart = abs(red - previous.red)
    if apart > SMALL and max(red, previous.red) > RED_FACTOR * min(red, previous.red):
        held["red_jump"] = f"red went from {previous.red} to {red}"
    return held


def open_gates(wire: Wire, as_of: date) -> dict[str, str]:
    """The gates that somebody opened for this day, with who."""
    return {
        str(gate): str(who)
        for gate, who in wire.rows(
            "select gate, opened_by from ops.gate_opening where as_of = $1::text::date",
            as_of.isoformat(),
        )
    }
