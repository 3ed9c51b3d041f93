"""`make status`: is everything that yihu needs there and well, and what to do next?

Belongs here: looking, and saying. Not here: mending (but for the secrets of yihu's own logins, `own_logins`).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from pipelines.own_logins import has_warehouse, logins_of_nobody, mended
from resources.alerts import alert_book
from resources.server import Server, ServerError, warehouse_server
from resources.settings import Settings, today

LOW_DISK_GB = 5.0
RELEASE = """
select release_id, as_of, is_provisional, households, red, yellow, published_at::timestamp(0) as published_at
from yihu.release where is_current
"""
SOURCES = "select department, records, state, age_days, quarantined from yihu.source_status order by department, records"


@dataclass(frozen=True)
class Finding:
    """One line of the answer: what was looked at, whether it is well, what was seen, what to do."""

    what: str
    is_well: bool
    seen: str
    next_step: str = ""


def status(settings: Settings) -> list[Finding]:
    """Everything that can be looked at; nothing is changed but secrets of yihu's own logins that let nobody in."""
    findings = [_data(settings), _disk(settings), _departments(settings)]
    try:
        with warehouse_server(settings.home, settings.warehouse_url) as server:
            findings.append(Finding("warehouse", True, "embedded PostgreSQL" if server.is_embedded else "PostgreSQL of one's own, answers"))
            findings.extend(_published(server))
            findings.extend(_logins(server))
    except ServerError as error:
        findings.append(Finding("warehouse", False, "does not answer", str(error)))
    findings.extend(_alerts(settings))
    return findings


def _logins(server: Server) -> list[Finding]:
    """The logins that yihu uses for its roles: one whose secret is wrong is mended here; and logins that are nobody's."""
    if not has_warehouse(server):
        return []
    roles = mended(server)
    seen = f"{len(server.passwords)} of yihu's own let in" + (f"; mended: {', '.join(roles)}" if roles else "")
    findings = [Finding("logins", True, seen)]
    if nameless := logins_of_nobody(server):
        step = f"make login LOGIN={nameless[0]} ROLE=… PERSON=… says whose it is; two of them count as two persons until then"
        findings.append(Finding("logins", False, f"nobody says whose these are: {', '.join(nameless)}", step))
    return findings


def _alerts(settings: Settings) -> list[Finding]:
    """What was told and is not over yet."""
    alerts = alert_book(settings.home, settings.alerts).open()
    return [Finding(f"alert of {alert.day}", False, alert.what, f"{alert.next_step}; make ui, {alert.where}") for alert in alerts]


def _data(settings: Settings) -> Finding:
    days = len({p.name for p in settings.lake.glob("valid/*/as_of=*")}) if settings.lake.is_dir() else 0
    return Finding("data", True, f"{settings.home} ({days} days in the lake)")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free / 1e9
    return Finding("disk", free > LOW_DISK_GB, f"{free:.1f} GB free", "free some space, or `make prune`" if free <= LOW_DISK_GB else "")


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
    return Finding("departments", True, f"{', '.join(named) or 'the sandbox (a synthetic county)'}; form {settings.form}")


def _published(server: Server) -> list[Finding]:
    engine = server.engine()
    try:
        with engine.connect() as connection:
            if connection.execute(sa.text("select to_regclass('yihu.release')")).scalar() is None:
                return [Finding("release", False, "none yet", "make sync")]
            release = connection.execute(sa.text(RELEASE)).mappings().first()
            if release is None:
                return [Finding("release", False, "none yet", "make sync")]
            sources = connection.execute(sa.text(SOURCES)).mappings().all()
    finally:
        engine.dispose()
    return [_release(dict(release)), *(_source(dict(source)) for source in sources if source["state"] != "ok")]


def _release(release: dict[str, Any]) -> Finding:
    is_recent = release["as_of"] >= today() - timedelta(days=1)
    seen = (
        f"{release['release_id']} as of {release['as_of']}{' (provisional)' if release['is_provisional'] else ''}, published "
        f"{release['published_at']}: {release['households']:,} households, {release['red']:,} red, {release['yellow']:,} yellow"
    )
    return Finding("release", is_recent, seen, "" if is_recent else "make sync: yesterday is not published yet")


def _source(source: dict[str, Any]) -> Finding:
    never = source["state"] == "missing"
    seen = "never read" if never else f"stale: {source['age_days']} days old"
    step = "see the check `read` of its raw asset in `make ui`; ask the department for its extract, then make sync"
    return Finding(f"{source['department']} {source['records']}", False, seen, step)


def print_status(findings: list[Finding]) -> bool:
    """A line a finding; True when all is well."""
    width = max(len(f.what) for f in findings)
    for finding in findings:
        print(f"{'ok ' if finding.is_well else '!! '} {finding.what.ljust(width)}  {finding.seen}")
        if finding.next_step:
            print(f"    {''.ljust(width)}  -> {finding.next_step}")
    return all(finding.is_well for finding in findings)
