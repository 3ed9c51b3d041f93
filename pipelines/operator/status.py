"""`make status`: is everything that yihu needs there and well, and what to do next?

Belongs here: looking, and saying. Not here: mending (but for the secrets of yihu's own logins,
`own_logins`).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from expectations.contract import load_contracts
from pipelines.automation.sizes import Growth, growth
from resources.lake import Lake
from resources.own_logins import has_warehouse, logins_of_nobody, logins_of_others, mended
from resources.runtime.alerts import alert_book
from resources.server import Server, ServerError, warehouse_server
from resources.settings import Settings, today
from warehouse.database.row_order import scattered, to_order
from warehouse.schema.walls import open_to_everybody
from warehouse.sources import message_and_next_step, next_step

LOW_DISK_GB = 5.0
LOW_DISK_DAYS = 14
MOST_DAYS = 3650
RELEASE = """
select release_id, as_of, is_provisional, households, red, yellow,
    published_at::timestamp(0) as published_at
from yihu.release where is_current
"""
WARNINGS_SHOWN = 10
"""Lines a source; the rest are counted."""


@dataclass(frozen=True)
class Finding:
    """One line of the answer: what was looked at, whether it is well, what was seen, what to do."""

    what: str
    is_well: bool
    seen: str
    next_step: str = ""
    is_warning: bool = False
    """To be read, not to be mended today."""

    @property
    def mark(self) -> str:
        return "-- " if self.is_warning else "ok " if self.is_well else "!! "


def status(settings: Settings) -> list[Finding]:
    """Everything that can be looked at; nothing is changed but secrets of yihu's own
    logins that let nobody in.
    """
    findings = [_data(settings), _disk(settings), *_beside(settings), _departments(settings)]
    try:
        with warehouse_server(settings.home, settings.warehouse_url) as server:
            findings.append(
                Finding(
                    "warehouse",
                    True,
                    (
                        "embedded PostgreSQL"
                        if server.is_embedded
                        else "PostgreSQL of one's own, answers"
                    ),
                )
            )
            findings.extend(_published(server))
            findings.extend(_logins(server))
    except ServerError as error:
        findings.append(Finding("warehouse", False, "does not answer", str(error)))
    findings.extend(sources(settings))
    findings.extend(_alerts(settings))
    return findings


def _logins(server: Server) -> list[Finding]:
    """The logins that yihu uses for its roles: one whose secret is wrong is mended here;
    and logins that are nobody's.
    """
    if not has_warehouse(server):
        return []
    roles = mended(server)
    seen = f"{len(server.passwords)} of yihu's own let in" + (
        f"; mended: {', '.join(roles)}" if roles else ""
    )
    findings = [Finding("logins", True, seen)]
    if nameless := logins_of_nobody(server):
        step = (
            f"make login LOGIN={nameless[0]} ROLE=… PERSON=… says whose it is; two of them count as"
            " two persons until then"
        )
        findings.append(
            Finding("logins", False, f"nobody says whose these are: {', '.join(nameless)}", step)
        )
    if shared := logins_of_others(server):
        step = (
            f"make login with another name for whom {shared[0]} is, then make revoke"
            f" LOGIN={shared[0]}: role and password are one for both"
        )
        seen = f"another county of this server has them too: {', '.join(shared)}"
        findings.append(Finding("logins", False, seen, step))
    return findings


def sources(settings: Settings) -> list[Finding]:
    """What the newest day of every source says, as the lake has it:
    also of a day that was not published.
    """
    lake = Lake(settings.lake)
    notes = (lake.latest_note("ledger", contract.table, date.max) for contract in load_contracts())
    return [finding for note in notes if note is not None for finding in _source(note)]


def _alerts(settings: Settings) -> list[Finding]:
    """What was told and is not over yet."""
    alerts = alert_book(settings.home, settings.alerts).open()
    return [
        Finding(
            f"alert of {alert.day}", False, alert.what, f"{alert.next_step}; make ui, {alert.where}"
        )
        for alert in alerts
    ]


def _data(settings: Settings) -> Finding:
    lake = Lake(settings.lake) if settings.lake.is_dir() else None
    days = set[date]()
    for layer, table in lake.tables() if lake else ():
        days.update(lake.days(layer, table) if lake and layer == "valid" else ())
    return Finding("data", True, f"{settings.home} ({len(days)} days in the lake)")


def _beside(settings: Settings) -> list[Finding]:
    """Days made anew that wait for the days above them."""
    line = Lake(settings.lake).beside() if settings.lake.is_dir() else None
    if line is None:
        return []
    newest = max(line.made)
    said = f"made anew, lies beside what later days rest on: {line.first} to {newest}"
    return [Finding("past days", True, said, f"make sync FROM={line.first}", is_warning=True)]


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free / 1e9
    found = growth(settings.home)
    is_well = free > LOW_DISK_GB and (found.days_left is None or found.days_left > LOW_DISK_DAYS)
    return Finding(
        "disk",
        is_well,
        f"{free:.1f} GB free; {_grown(found)}",
        "" if is_well else "make prune PLAN=yes says what can be given up; docs/lake.md",
    )


def _grown(found: Growth) -> str:
    """What there is, which part grows most, and how long the disk lasts."""
    sizes = sorted(found.sizes.items(), key=lambda part: -part[1])
    said = ", ".join(f"{part} {size / 1e6:,.0f} MB" for part, size in sizes if size >= 1e6)
    if found.most is not None:
        total = sum(found.a_day.values())
        said += (
            f"; {found.most} grow most, {found.a_day[found.most] / 1e6:,.1f} MB a day of"
            f" {total / 1e6:,.1f}"
        )
    if found.days_left is not None:
        full = today() + timedelta(days=min(found.days_left, MOST_DAYS))
        said += f"; at this pace the disk is full {_by(full, found.days_left)}"
    return said


def _by(full: date, days: int) -> str:
    return f"on {full}" if days <= MOST_DAYS else "in more than ten years"


def _departments(settings: Settings) -> Finding:
    named = [
        name
        for name, value in (
            ("gateway", settings.gateway_url),
            ("drop folder", settings.drop_dir),
            ("front-end database", settings.front_db_url),
        )
        if value is not None
    ]
    return Finding(
        "departments",
        True,
        f"{', '.join(named) or 'the sandbox (a synthetic county)'}; form {settings.form}",
    )


def _published(server: Server) -> list[Finding]:
    engine = server.engine()
    try:
        with engine.connect() as connection:
            if connection.execute(sa.text("select to_regclass('yihu.release')")).scalar() is None:
                return [Finding("release", False, "none yet", "make sync")]
            loose = [
                Finding(
                    door.what, True, door.allows, f"as a superuser, in this database: {door.close}"
                )
                for door in open_to_everybody(connection)
            ]
            loose += _row_order(connection)
            release = connection.execute(sa.text(RELEASE)).mappings().first()
            if release is None:
                return [*loose, Finding("release", False, "none yet", "make sync")]
    finally:
        engine.dispose()
    return [*loose, _release(dict(release))]


def _row_order(connection: sa.Connection) -> list[Finding]:
    """Tables whose rows an older yihu wrote; a town's login reads those slowly."""
    tables = scattered(connection)
    if not tables:
        return []
    seen = f"rows do not lie town by town, which makes a town's login wait: {', '.join(tables)}"
    step = f"as the database's owner, when nobody reads: {' '.join(map(to_order, tables))}"
    return [Finding("order of rows", True, seen, step, is_warning=True)]


def _release(release: dict[str, Any]) -> Finding:
    is_recent = release["as_of"] >= today() - timedelta(days=1)
    seen = (
        f"{release['release_id']} as of"
        f" {release['as_of']}{' (provisional)' if release['is_provisional'] else ''}, published"
        f" {release['published_at']}: {release['households']:,} households, {release['red']:,} red,"
        f" {release['yellow']:,} yellow"
    )
    return Finding(
        "release", is_recent, seen, "" if is_recent else "make sync: yesterday is not published yet"
    )


def _source(ledger: dict[str, Any]) -> list[Finding]:
    """What an operator has to know of a source:
    its state, why the newest read failed, what it warns of.
    """
    what = f"{ledger['department']} {ledger['records']}"
    found = []
    if ledger["state"] != "ok" or ledger["failure"]:
        found.append(Finding(what, False, _state(ledger), next_step(ledger) or ""))
    warnings = ledger.get("warnings") or []
    found += [
        Finding(what, True, w["said"], w["next_step"], is_warning=True)
        for w in warnings[:WARNINGS_SHOWN]
    ]
    if len(warnings) > WARNINGS_SHOWN:
        more = (
            f"and {len(warnings) - WARNINGS_SHOWN} more warnings: the check warning_rules of"
            f" valid_{ledger['table']} lists them"
        )
        found.append(Finding(what, True, more, is_warning=True))
    return found


def _state(ledger: dict[str, Any]) -> str:
    """The state in words; a rejected extract with batch, day, rule, rows and reasons,
    and how old what stands is.
    """
    rejection, failure, age = ledger.get("rejection"), ledger["failure"], ledger["age_days"]
    said = [str(ledger["state"])]
    if rejection is not None:
        rows = "" if rejection["rows"] is None else f", {rejection['rows']:,} rows"
        said.append(
            f"{rejection['batch_id'] or 'a file'} of {rejection['day']} was refused by"
            f" {rejection['rule']}{rows}"
        )
        said += rejection["reasons"]
    elif failure is not None:
        said.append(message_and_next_step(failure)[0])
    late = " (later than its contract allows)" if ledger.get("is_late") else ""
    said.append(
        "never read"
        if age is None
        else f"what stands is of {ledger['extract_date'][:10]}, {age} days old{late}"
    )
    return f"{ledger['as_of']}: " + "; ".join(said)


def print_status(findings: list[Finding]) -> bool:
    """A line a finding; True when all is well."""
    width = max(len(f.what) for f in findings)
    for finding in findings:
        print(f"{finding.mark} {finding.what.ljust(width)}  {finding.seen}")
        if finding.next_step:
            print(f"    {''.ljust(width)}  -> {finding.next_step}")
    return all(finding.is_well for finding in findings)
