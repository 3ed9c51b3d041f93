"""What a run's outcome amounts to: alerts, made from its events,
the same for `make sync` and for the daemon's runs.

Belongs here: which event is worth an alert, what it says, what to do. Not here: telling it once,
and how (`resources.runtime.alerts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from resources.runtime.alert import Alert, Kind
from resources.runtime.alerts import Observation, SourceWarnings, alert_book
from resources.runtime.begin import DAILY_JOB, DAY, NotBegun, not_begun
from resources.runtime.failures import failed_with
from resources.settings import Settings, today

LOOKED_AT = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_UP_FOR_RETRY,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_SUCCESS,
}
BEGIN = "start"

AlertParts = tuple[Kind, str, str, str]
"""Kind, fingerprint, what, what to do."""
Facts = Mapping[str, Any]


def alert_after(
    settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun
) -> list[Alert]:
    """Tells what is new after a run, whoever ran it;
    asked twice for the same run, it tells nothing the second time.
    """
    events = [
        entry.dagster_event
        for entry in instance.all_logs(run.run_id, of_type=LOOKED_AT)
        if entry.dagster_event is not None
    ]
    if was_stopped(instance, run.run_id):
        return []  # a planned stop: the run that completes the day tells what there is
    day = run.tags.get(DAY) or today().isoformat()
    fresh = instance.get_run_by_id(run.run_id) or run
    seen = by_cause(
        observations_of(events, run.run_id, run.job_name, day, not_begun(fresh.tags)), day
    )
    # a day that is not over may say otherwise tonight: what it warns of is told with the day's own
    # run
    is_over = day < today().isoformat()
    return alert_book(settings.home, settings.alerts).take(
        run.run_id, seen, warned_in(events, day), is_over=is_over
    )


def was_stopped(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run ended since somebody asked it to: in the UI, by Ctrl-C, by SIGTERM."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status in (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.CANCELING):
        return run is not None
    failures = instance.all_logs(run_id, of_type={dg.DagsterEventType.RUN_FAILURE})
    return any(_is_interrupted(entry.dagster_event) for entry in failures)


def _is_interrupted(event: dg.DagsterEvent | None) -> bool:
    """Whether a run failed since a signal reached it between two steps."""
    data: Any = None if event is None else event.event_specific_data
    reason = getattr(data, "failure_reason", None)
    return reason is not None and reason.name == "UNEXPECTED_TERMINATION"


OUTAGE = "outage"
SOURCES_OF_AN_OUTAGE = 2
"""So many sources that fail by the same reason are one alert."""


def by_cause(seen: Sequence[Observation], day: str) -> list[Observation]:
    """The sources that could not be read by one cause become one observation of it."""
    alerts = [a for look in seen for a in look.alerts if _is_unread(look) and a.kind == "failure"]
    causes: dict[tuple[str, str], list[Alert]] = {}
    for alert in alerts:
        causes.setdefault((alert.fingerprint, alert.next_step), []).append(alert)
    outages = {}
    for (reason, next_step), of_it in causes.items():
        if len(of_it) >= SOURCES_OF_AN_OUTAGE:
            names = sorted(a.asset.removeprefix("raw_").replace("__", ".") for a in of_it)
            said = f"{len(names)} sources could not be read ({reason}): {', '.join(names)}"
            told = Alert(
                "failure",
                f"{OUTAGE}:{reason}",
                ",".join(names),
                "",
                day,
                said,
                next_step,
                of_it[0].run_id,
            )
            outages[told.scope] = told
            causes[reason, next_step] = []
    left = {alert.scope for of_it in causes.values() for alert in of_it}
    kept = [
        replace(look, alerts=tuple(a for a in look.alerts if a.scope in left or a not in alerts))
        for look in seen
    ]
    if not any(_is_unread(look) for look in seen):
        return kept
    return [*kept, Observation(OUTAGE, day, tuple(outages.values()))]


def _is_unread(look: Observation) -> bool:
    return look.scope.startswith("check:raw_") and look.scope.endswith(":read")


def warned_in(events: Sequence[dg.DagsterEvent], day: str) -> list[SourceWarnings]:
    """What each source that a run looked at warns of: the check `warning_rules` lists it."""
    found = []
    for event in events:
        if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        check = event.asset_check_evaluation_data
        department, _, records = (
            check.asset_key.to_user_string().removeprefix("valid_").partition("__")
        )
        if check.check_name == "warning_rules" and records:
            listed: Any = check.metadata["warnings"].value if "warnings" in check.metadata else []
            lines = {str(w["key"]): f"{w['said']} -> {w['next_step']}" for w in listed}
            found.append(SourceWarnings(department, records, day, lines))
    return found


def observations_of(
    events: Sequence[dg.DagsterEvent],
    run_id: str,
    job: str,
    day: str,
    without_begin: NotBegun | None = None,
) -> list[Observation]:
    """What a run looked at, in the order of its events; of a step that was tried again, the first
    failure where it did not go through in the end.
    """
    seen = {BEGIN: _begin(run_id, day, without_begin)} if job == DAILY_JOB else {}
    failed_steps = 0
    for event in events:
        kind = event.event_type
        if kind is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            look = _check(event, run_id, day)
        elif kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.STEP_UP_FOR_RETRY):
            failed_steps += 1
            look = _step(event, run_id, day)
        elif kind is dg.DagsterEventType.STEP_SUCCESS:
            look = Observation(f"step:{event.step_key}", day, (), is_state=False)
        else:
            failed = (
                kind is dg.DagsterEventType.RUN_FAILURE
                and not failed_steps
                and without_begin is None
            )
            look = Observation(
                f"job:{job}", day, tuple(_run(run_id, job, day)) if failed else (), is_state=False
            )
        if kind is dg.DagsterEventType.STEP_SUCCESS:
            seen[look.scope] = (
                look  # it went through on a second try, and nobody has to do anything
            )
        else:
            seen.setdefault(look.scope, look)
    return list(seen.values())


def _begin(run_id: str, day: str, without: NotBegun | None) -> Observation:
    """Whether the run could begin: a gateway that is not there stops it before its first step."""
    if without is None:
        return Observation(BEGIN, day)
    said = f"nothing was begun, the last release stands: {without.said}"
    told = Alert("failure", BEGIN, without.reason, "", day, said, without.next_step, run_id)
    return Observation(BEGIN, day, (told,))


def _step(event: dg.DagsterEvent, run_id: str, day: str) -> Observation:
    """A step that failed. What is said is an error of ours: of any other, whose text may quote a
    value, only the class is."""
    step = str(event.step_key)
    data = (
        event.step_failure_data
        if event.event_type is dg.DagsterEventType.STEP_FAILURE
        else event.step_retry_data
    )
    own = failed_with(data)
    error = data.error
    cause = error.cause if error is not None and error.cause is not None else error
    name = (cause.cls_name if cause is not None else None) or "an error"
    kind: Kind = "gate" if own is not None and own.kind == "gate" else "failure"
    said = own.message if own is not None else f"{step} failed with {name}"
    mend = own.next_step if own is not None else "open the run, look at the step's error, mend it"
    rest = f"; then: make sync AS_OF={day}. The last release stands untouched"
    next_step = mend if kind == "gate" else mend + rest
    told = Alert(
        kind,
        f"step:{step}:{day}",
        f"{name} {said}",
        step.removeprefix("make_"),
        day,
        said,
        next_step,
        run_id,
    )
    return Observation(f"step:{step}", day, (told,), is_state=False)


def _run(run_id: str, job: str, day: str) -> Iterator[Alert]:
    """A run that failed outside of its steps: its process was killed, or could not begin."""
    said = (
        f"{job} {day} ended without finishing (killed, or it could not start). The last release"
        " stands untouched"
    )
    yield Alert(
        "failure",
        f"job:{job}:{day}",
        "ended",
        "",
        day,
        said,
        f"make sync AS_OF={day}: it completes what was begun",
        run_id,
    )


def _check(event: dg.DagsterEvent, run_id: str, day: str) -> Observation:
    found = event.asset_check_evaluation_data
    asset, check = found.asset_key.to_user_string(), found.check_name
    scope = f"check:{asset}:{check}"
    facts = {name: value.value for name, value in found.metadata.items()}
    told = [] if found.passed else list(_alerts_of(asset, check, facts, found.severity))
    alerts = tuple(
        Alert(
            kind,
            f"{scope}:{part}" if part else scope,
            fingerprint,
            asset,
            day,
            what,
            next_step,
            run_id,
        )
        for part, (kind, fingerprint, what, next_step) in told
    )
    return Observation(scope, day, alerts)


def _alerts_of(
    asset: str, check: str, facts: Facts, severity: dg.AssetCheckSeverity
) -> Iterator[tuple[str, AlertParts]]:
    """What a failed check is worth; nothing where it is the day's usual business
    (quarantined rows, warnings).
    """
    made = ALERTS_OF_CHECKS.get(check)
    if made is not None:
        yield from made(asset, facts)
    elif severity is dg.AssetCheckSeverity.ERROR:
        counts = (
            ", ".join(
                f"{name} {value}" for name, value in facts.items() if isinstance(value, int | float)
            )
            or "see its metadata"
        )
        next_step = (
            "the numbers do not add up, which is a fault of yihu: keep the data as they are and"
            " call its maintainers"
        )
        yield "", ("failure", "failed", f"the check {check} of {asset} failed: {counts}", next_step)


def _unread(asset: str, facts: Facts) -> Iterator[tuple[str, AlertParts]]:
    said = str(facts.get("message", "could not be read"))
    next_step = f"{facts.get('next_step', 'see the check')}. The last good state is carried on"
    # the reason stays the same from day to day, the words do not
    yield "", ("failure", str(facts.get("reason", "failed")), said, next_step)


def _stale(asset: str, facts: Facts) -> Iterator[tuple[str, AlertParts]]:
    state, source = (
        str(facts.get("state", "stale")),
        asset.removeprefix("valid_").replace("__", "."),
    )
    if state == "missing":
        said = f"{source} was never read: indicators that need it are missing"
    else:
        said = (
            f"{source} is {facts.get('age_days')} days old, older than its contract allows: its"
            " indicators are stale, red lamps are held"
        )
    yield (
        "",
        (
            "stale",
            state,
            said,
            (
                "see the check `read` of its raw asset;"
                " ask the department for its extract, then make sync"
            ),
        ),
    )


def _rejected(asset: str, facts: Facts) -> Iterator[tuple[str, AlertParts]]:
    # a file that could not be used at all is told by the check `read`
    if "rejected" not in facts or str(facts.get("rule", "")).startswith("read:"):
        return
    batch, records = str(facts.get("rejected_batch", "")), asset.partition("__")[2]
    said = (
        f"the extract {batch} was rejected, the last good state is carried on: {facts['rejected']}"
    )
    next_step = (
        "have the department correct and resend it; if the extract is right as it is: "
        f"make open-gate RECORDS={records} BATCH={batch} BY=… WHY=…, then make sync"
    )
    yield "", ("gate", batch or str(facts["rejected"]), said, str(facts.get("what now", next_step)))


def _fell(asset: str, facts: Facts) -> Iterator[tuple[str, AlertParts]]:
    next_step = (
        "look at the outcomes and reasons of its matched asset, and ask the department what changed"
        " in its extract"
    )
    for source, said in facts.items():
        yield source, ("match_rate", "fell", f"{source}: {said}", next_step)


ALERTS_OF_CHECKS: Mapping[str, Callable[[str, Facts], Iterator[tuple[str, AlertParts]]]] = {
    "read": _unread,
    "fresh": _stale,
    "critical_rules": _rejected,
    "match_rate": _fell,
}
