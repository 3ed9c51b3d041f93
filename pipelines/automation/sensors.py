"""What starts a run besides the clock: a file in the drop folder, an urgent report (绿色通道);
and what ends in an alert.

Belongs here: when to run which day. Not here: how the departments are asked
(`resources.departments.watch`), what an alert says (`pipelines.automation.alerts`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.contract import Contract, load_contracts
from expectations.file_names import PatternError
from pipelines.automation.abandoned import going_on
from pipelines.automation.alerts import alert_after
from pipelines.automation.jobs import daily_sync
from pipelines.automation.sizes import note_sizes
from resources.departments import Departments, SourceError
from resources.departments.dropped import Delivery
from resources.departments.errors import Fault
from resources.departments.left import left_lying
from resources.departments.reading import form_of
from resources.departments.watch import (
    changed_keys,
    keys_in_force,
    short_digest,
    waiting_delivery,
    watermark,
)
from resources.departments.whole import sha256_of
from resources.departments.windows import Window
from resources.lake import Lake
from resources.runtime.begin import CAUSE
from resources.settings import SHANGHAI, Settings, load_settings

URGENT = ("reports", "losses")
"""Record types that do not wait for the night: citizens' reports and disaster losses."""
LATE_COMMITS = timedelta(minutes=10)
"""A department may commit a row a little after its `updated_at`:
each question reaches back that far.
"""
EVERY_SECONDS = 20


@dataclass(frozen=True)
class Found:
    """A whole delivery that nobody has read."""

    contract: Contract
    delivery: Delivery
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.contract.department}/{self.delivery.source}"


def _after(run_id: str, cursor: str | None) -> dg.SensorResult:
    """Nothing is asked for while a run goes on: the cursor stays, so what came meanwhile is seen
    then, unless that run read it.
    """
    return dg.SensorResult(
        skip_reason=dg.SkipReason(f"run {run_id[:8]} goes on; asked again when it is over"),
        cursor=cursor,
    )


def day_for(departments: Departments, contract: Contract, file_day: date, now: datetime) -> date:
    """The business day whose run reads the file and becomes the release that people see.

    Yesterday, as long as it still asks for the file (not run yet, extract rejected or unread); else
    today, provisionally: a day that is over stands on what was read for it, so that it comes out
    the same whenever it is run again.
    """
    today = now.astimezone(SHANGHAI).date()
    yesterday = today - timedelta(days=1)
    has_begun = any(
        departments.lake.read_note("ledger", c.table, today) is not None for c in load_contracts()
    )
    if (
        file_day > yesterday
        or has_begun
        or departments.stands(contract, yesterday, now) is not None
    ):
        return today
    return yesterday


def drop_folder_requests(
    settings: Settings, cursor: str | None, now: datetime
) -> tuple[list[dg.RunRequest], list[str], str]:
    """A run per department and period that came, why other files are left, and the new cursor.

    The cursor keeps each file's size, time and digest, so that a large one is not read every half
    minute, and what was asked for, so that two files of one department that came one after the
    other ask once each.
    """
    if settings.drop_dir is None:
        return [], ["no drop folder is named (YIHU_DROP_DIR)"], cursor or "{}"
    before: Mapping[str, Any] = json.loads(cursor) if cursor else {}
    digests: dict[str, list[Any]] = {}

    def digest(path: Path) -> str:
        # the cursor is kept where no person's number may stand: not even in a file's name
        name, stat = hashlib.sha256(os.fsencode(path)).hexdigest()[:16], path.lstat()
        known = before.get("digests", {}).get(name, [None, None, ""])
        fresh = known[:2] != [stat.st_size, stat.st_mtime_ns]
        digests[name] = [stat.st_size, stat.st_mtime_ns, sha256_of(path) if fresh else known[2]]
        return str(digests[name][2])

    departments = Departments(settings, Lake(settings.lake))
    found, notes = _look(departments, settings.drop_dir, digest, now)
    new = [f for f in found if before.get("asked", {}).get(f.name) != f.sha256]
    groups: dict[tuple[str, str, date], list[Found]] = {}
    for f in new:
        day = day_for(departments, f.contract, f.delivery.day, now)
        groups.setdefault((f.contract.department, f"{f.delivery.day:%Y%m%d}", day), []).append(f)
    requests = [
        dg.RunRequest(
            run_key=f"{department}:{period}:{_one_sha256(files)}",
            partition_key=day.isoformat(),
            tags={CAUSE: "drop folder: " + ", ".join(f.name for f in files)},
        )
        for (department, period, day), files in groups.items()
    ]
    return (
        requests,
        notes,
        json.dumps({"digests": digests, "asked": {f.name: f.sha256 for f in found}}),
    )


def _look(
    departments: Departments, folder: Path, digest: Callable[[Path], str], now: datetime
) -> tuple[list[Found], list[str]]:
    found: list[Found] = []
    notes: list[str] = []
    for contract in load_contracts():
        if _form(contract, departments.settings) != "file":
            continue
        try:
            today = now.astimezone(SHANGHAI).date()
            waiting = waiting_delivery(
                departments.settings, departments.store, contract, folder, today, digest
            )
        except (OSError, PatternError) as error:
            notes.append(
                f"{contract.department}: the folder cannot be read ({type(error).__name__})"
            )
            continue
        notes.extend(waiting.notes)
        if waiting.delivery is not None:
            found.append(Found(contract, waiting.delivery, waiting.sha256))
    return found, notes


def _form(contract: Contract, settings: Settings) -> str | None:
    try:
        return form_of(contract, settings)
    except Fault:
        return None


def _one_sha256(files: list[Found]) -> str:
    """The file's own, or one for all that came together."""
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("".join(sorted(f.sha256 for f in files)).encode()).hexdigest()


@dg.sensor(
    job=daily_sync,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "A whole new file in the drop folder: runs yesterday if it still asks for it, else today as"
        " a provisional release."
    ),
)
def drop_folder_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    settings = load_settings()
    run_id = going_on(context.instance, settings, daily_sync.name)
    if run_id is not None:
        return _after(run_id, context.cursor)
    requests, notes, cursor = drop_folder_requests(settings, context.cursor, datetime.now(SHANGHAI))
    left = [f"{item.department or 'drop folder'}: {item.line}" for item in left_lying(settings)]
    said = "; ".join([*notes, *left]) or "no file that was not read yet"
    for note in notes:
        context.log.info(note)
    return dg.SensorResult(
        run_requests=requests, skip_reason=None if requests else dg.SkipReason(said), cursor=cursor
    )


@dataclass(frozen=True)
class News:
    """New rows of one record type in its window: how many, and digests of all keys seen in it."""

    records: str
    count: int
    until: datetime
    seen: tuple[str, ...]


def news_of(
    departments: Departments, contract: Contract, before: Mapping[str, Any], now: datetime
) -> News | None:
    """The records of one type that no state holds and no run was asked for yet;
    None where it was never read.

    A change of a record that is known (a report closed) is not urgent. Raises `SourceError`.
    """
    today = now.astimezone(SHANGHAI).date()
    reached = watermark(departments.lake, contract, today)
    if reached is None:
        return None
    # between two questions only the time since the last one is asked for, with some overlap; after
    # a run what it read is known
    since = max(reached, datetime.fromisoformat(before["until"])) if "until" in before else reached
    keys = changed_keys(
        departments.settings,
        departments.store,
        contract,
        Window(min(since, now) - LATE_COMMITS, now),
    )
    seen = tuple(sorted(short_digest(key) for key in keys))
    if not seen:
        return News(contract.records, 0, now, ())
    known = {short_digest(key) for key in keys_in_force(departments.lake, contract, today)} | set(
        before.get("seen", ())
    )
    return News(contract.records, len(set(seen) - known), now, seen)


@dg.sensor(
    job=daily_sync,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "绿色通道: a new citizens' report or disaster loss runs today at once, as a provisional"
        " release."
    ),
)
def urgent_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    settings = load_settings()
    run_id = going_on(context.instance, settings, daily_sync.name)
    if run_id is not None:
        return _after(run_id, context.cursor)
    return urgent_result(settings, context.cursor, datetime.now(SHANGHAI))


def urgent_result(settings: Settings, cursor: str | None, now: datetime) -> dg.SensorResult:
    """Asks for each urgent record type; one run of today for all that is new."""
    departments = Departments(settings, Lake(settings.lake))
    before: dict[str, Any] = json.loads(cursor) if cursor else {}
    said, new = [], []
    for contract in load_contracts():
        if contract.records not in URGENT:
            continue
        try:
            news = news_of(departments, contract, before.get(contract.records, {}), now)
        except SourceError as error:
            said.append(str(error))
            continue
        if news is None:
            said.append(f"{contract.records} was never read: the first daily_sync begins")
            continue
        said.append(f"{contract.records}: {news.count} new")
        before[contract.records] = {"until": news.until.isoformat(), "seen": news.seen}
        if news.count:
            new.append(news)
    requests = [_urgent_request(new, now)] if new else []
    reason = None if requests else dg.SkipReason("; ".join(said))
    return dg.SensorResult(run_requests=requests, skip_reason=reason, cursor=json.dumps(before))


def _urgent_request(new: list[News], now: datetime) -> dg.RunRequest:
    digest = hashlib.sha256(
        json.dumps([[news.records, *news.seen] for news in new]).encode()
    ).hexdigest()
    today = now.astimezone(SHANGHAI).date().isoformat()
    cause = "urgent: " + ", ".join(f"{news.count} new {news.records}" for news in new)
    return dg.RunRequest(
        run_key=f"urgent:{today}:{digest}",
        partition_key=today,
        tags={CAUSE: cause, "dagster/priority": "10"},
    )


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitor_all_code_locations=True,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Alerts from a run that went through: a source that failed or turned stale, a rejected"
        " extract, a match rate that fell."
    ),
)
def alerts_after_success(context: dg.RunStatusSensorContext) -> None:
    settings = load_settings()
    alert_after(settings, context.instance, context.dagster_run)
    note_sizes(settings.home)


@dg.run_failure_sensor(
    monitor_all_code_locations=True,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Alerts from a run that failed, one per failure.",
)
def alerts_after_failure(context: dg.RunFailureSensorContext) -> None:
    alert_after(load_settings(), context.instance, context.dagster_run)


sensors = [drop_folder_sensor, urgent_sensor, alerts_after_success, alerts_after_failure]
