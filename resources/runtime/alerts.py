"""Alerts: what somebody has to know now, told once, through the sinks that the settings choose.

Belongs here: what is open (`YIHU_HOME/alerts.json`). Not here: one alert (`alert`), handing it over
(`resources.sinks`), what a run's outcome amounts to (`pipelines.automation.alerts`).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from resources.runtime.alert import Alert
from resources.settings import SHANGHAI, AlertSettings
from resources.sinks import AlertNotSent, Sink, email_sink, log_sink, webhook_sink

RUNS_KEPT = 500
SEAL_NOTE = "access_seal"


LONG_NUMBER = re.compile(r"[0-9]{10,}[0-9Xx]?")


def without_numbers(text: str) -> str:
    """The text with everything that could be an ID or telephone number taken out:
    a last guard, nobody should write one.
    """
    return LONG_NUMBER.sub("[number]", text)


@dataclass(frozen=True)
class Observation:
    """One thing that a run looked at: nothing in `alerts` means that it is well."""

    scope: str
    day: str
    alerts: tuple[Alert, ...] = ()
    is_state: bool = True
    """Speaks of the state of things, so that a day before the newest is no news;
    a failure is, whatever its day.
    """


@dataclass(frozen=True)
class SourceWarnings:
    """What a source warns of on a day; `lines`:
    what stands, by a key that stays the same while it does.
    """

    department: str
    records: str
    day: str
    lines: Mapping[str, str]

    @property
    def source(self) -> str:
        return f"{self.department}.{self.records}"


class AlertBook:
    """What is open, in a file; each trouble is told once, and again only after it was over."""

    def __init__(self, home: Path, sinks: Mapping[str, Sink]) -> None:
        self._home = home
        self._path = home / "alerts.json"
        self._sinks = sinks

    def take(
        self,
        run_id: str,
        seen: Sequence[Observation],
        warned: Sequence[SourceWarnings] = (),
        *,
        is_over: bool = True,
    ) -> list[Alert]:
        """Tells what is new in the outcome of a run, closes what is over, and of an outage tells
        that too; returns what was new. A run counts once.

        What a day warns of goes into its one digest, as far as it did not stand the day before;
        until the day is over (`is_over`) it waits.
        """
        with self._locked() as state:
            if run_id and run_id in state["runs"]:
                return []
            seal = noted_seal(self._home)
            before = dict(state["open"])
            new = [replace(alert, access_seal=seal) for look in seen for alert in _new(state, look)]
            over = _over(before, state["open"], seen, run_id)
            state["digests"] += [{**asdict(alert), "unsent": list(self._sinks)} for alert in over]
            for alert in new:
                state["open"][alert.scope] = {
                    **asdict(alert),
                    "since": _now(),
                    "unsent": list(self._sinks),
                }
            _note_warnings(state, warned)
            digest = (
                _digest(state, max((w.day for w in warned), default=""), run_id)
                if is_over
                else None
            )
            if digest is not None:
                state["digests"].append({**asdict(digest), "unsent": list(self._sinks)})
                new = [*new, digest]
            state["runs"] = [*state["runs"], run_id][-RUNS_KEPT:] if run_id else state["runs"]
            self._send(state)
            return new

    def open(self) -> list[Alert]:
        """What was told and is not over."""
        return [_alert(entry) for entry in _read(self._path)["open"].values()]

    def _send(self, state: dict[str, Any]) -> None:
        for entry in [*state["open"].values(), *state["digests"]]:
            for name in list(entry["unsent"]):
                sink = self._sinks.get(name)
                try:
                    if sink is not None:
                        sink(_alert(entry))
                    entry["unsent"].remove(name)
                except AlertNotSent as error:
                    print(f"yihu: {error}", file=sys.stderr)
        state["digests"] = [entry for entry in state["digests"] if entry["unsent"]]

    @contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        """The state, for one process at a time:
        the daemon and `make sync` may both have something to tell.
        """
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = _read(self._path)
            yield state
            work = self._path.with_suffix(".part")
            with os.fdopen(
                os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump(state, file, ensure_ascii=False, indent=1)
            os.replace(work, self._path)
        finally:
            os.close(lock)


def _read(path: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "open": {},
        "runs": [],
        "newest": {},
        "warned": {},
        "digests": [],
        "digested": "",
    }
    return {**empty, **json.loads(path.read_text(encoding="utf-8"))} if path.exists() else empty


def _alert(entry: Mapping[str, Any]) -> Alert:
    return Alert(
        **{name: value for name, value in entry.items() if name not in ("since", "unsent")}
    )


def _new(state: dict[str, Any], look: Observation) -> list[Alert]:
    """What of `look` is not open yet; forgets what is over.

    Of the state of things a day before the newest closes nothing; what failed on a day is over when
    that day went through, whichever day it is.
    """
    is_newest = look.day >= state["newest"].get(look.scope, "")
    if is_newest:
        state["newest"][look.scope] = look.day
    told = {alert.scope for alert in look.alerts}
    for scope, entry in list(state["open"].items()):
        is_of_it = scope == look.scope or scope.startswith(f"{look.scope}:")
        is_over = is_newest if look.is_state else entry["day"] == look.day
        if is_of_it and is_over and scope not in told:
            del state["open"][scope]
    alerts = look.alerts if is_newest or not look.is_state else ()
    return [
        replace(alert, what=without_numbers(alert.what), next_step=without_numbers(alert.next_step))
        for alert in alerts
        if state["open"].get(alert.scope, {}).get("fingerprint") != alert.fingerprint
    ]


def _over(
    before: Mapping[str, Any], now: Mapping[str, Any], seen: Sequence[Observation], run_id: str
) -> list[Alert]:
    """That what could not be read, or begun, is read again: said once."""
    day = max((look.day for look in seen), default="")
    told = []
    for scope, entry in before.items():
        if scope in now or entry["kind"] != "failure" or not _is_outage(scope):
            continue
        if any(alert.scope == scope for look in seen for alert in look.alerts):
            continue
        said = f"it is over, since {entry['since']}: {entry['what']}"
        told.append(
            Alert("over", scope, "over", entry["asset"], day, said, "nothing to do", run_id)
        )
    return told


def _is_outage(scope: str) -> bool:
    return scope == "start" or scope.startswith("outage:") or scope.endswith(":read")


def _note_warnings(state: dict[str, Any], warned: Sequence[SourceWarnings]) -> None:
    """Keeps what each source warns of, and of that what nobody was told yet.

    A day before the newest is no news.
    """
    for source in warned:
        old = state["warned"].get(source.source, {"day": "", "keys": [], "untold": {}})
        if source.day < old["day"]:
            continue
        untold = {
            key: line
            for key, line in source.lines.items()
            if key not in old["keys"] or key in old["untold"]
        }
        state["warned"][source.source] = {
            "day": source.day,
            "keys": sorted(source.lines),
            "untold": untold,
        }


def _digest(state: dict[str, Any], day: str, run_id: str) -> Alert | None:
    """The day's one digest of what nobody was told yet, department by department;
    None where there is nothing, or it was sent.
    """
    untold = {
        source: kept["untold"] for source, kept in sorted(state["warned"].items()) if kept["untold"]
    }
    if not untold or not day or day <= state["digested"]:
        return None
    lines, department = [], ""
    for source, told in untold.items():
        head, _, records = source.partition(".")
        lines += [head] if head != department else []
        lines += [f"  {records}: {without_numbers(line)}" for line in told.values()]
        department = head
        state["warned"][source]["untold"] = {}
    state["digested"] = day
    count = sum(map(len, untold.values()))
    said = (
        f"{count} warning{'s that were' if count > 1 else ' that was'} not there the day before\n"
        + "\n".join(lines)
    )
    next_step = (
        "read them with the departments; nothing was stopped. What stands on is in make status"
    )
    return Alert("warning", f"digest:{day}", day, "", day, said, next_step, run_id)


def _now() -> str:
    return datetime.now(SHANGHAI).isoformat(timespec="seconds")


def note_seal(home: Path, seal: str | None) -> None:
    """Keeps the access log's last seal for the next alert to take out."""
    if seal is not None:
        with os.fdopen(
            os.open(home / SEAL_NOTE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            "w",
            encoding="utf-8",
        ) as file:
            file.write(seal)


def noted_seal(home: Path) -> str:
    """The access log's last seal as it was noted; empty where none was."""
    path = home / SEAL_NOTE
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def seals_in_alerts(home: Path) -> list[tuple[str, str]]:
    """The seals that alerts took out, as `alerts.log` has them: when, and which."""
    path = home / "alerts.log"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    alerts = [json.loads(line) for line in lines if line.startswith("{")]
    return [
        (f"the alert of {alert.get('at')}", alert["access_seal"])
        for alert in alerts
        if alert.get("access_seal")
    ]


def alert_book(home: Path, settings: AlertSettings) -> AlertBook:
    """The book of `home` with the sinks that the settings choose."""
    makers: dict[str, Callable[[], Sink]] = {
        "log": lambda: log_sink(home),
        "webhook": lambda: webhook_sink(settings.webhook or ""),
        "email": lambda: email_sink(settings),
    }
    return AlertBook(home, {name: makers[name]() for name in settings.sinks})
