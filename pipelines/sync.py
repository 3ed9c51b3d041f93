"""`make sync`: the day's run, with everything that it needs, and the summary at its end.

Belongs here: the order of things and the exit status. Not here: what is computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta

from expectations.contract import load_contracts
from pipelines.environment import prepare
from pipelines.exits import BAD_SETTINGS, FAILED, LOCKED, OK, complain
from pipelines.services import ServiceError, services
from resources.lock import RunLocked, run_lock
from resources.settings import Settings, SettingsError, load_settings, today
from warehouse.following_rules import load_following
from warehouse.scoring_rules import RuleError, load_rules


def days_of(settings: Settings, first: str | None, last: str | None) -> list[date]:
    """The days to run, upward: `FROM` to `TO`, or the one day of the settings. Raises `SettingsError`."""
    if first is None and last is None:
        return [settings.as_of]
    problems, found = [], []
    for name, text in (("FROM", first), ("TO", last)):
        try:
            found.append(date.fromisoformat(text) if text else today() - timedelta(days=1))
        except ValueError:
            problems.append(f"{name} is {text!r}, which is no date: write it as YYYY-MM-DD")
    if not problems and first is None:
        problems.append("TO is given without FROM: name the first day too")
    elif not problems and found[0] > found[1]:
        problems.append(f"FROM ({found[0]}) is after TO ({found[1]}): exchange them")
    elif not problems and found[1] > today():
        problems.append(f"TO is {found[1]}, which is after today ({today()})")
    if problems:
        raise SettingsError(problems)
    return [found[0] + timedelta(days=n) for n in range((found[1] - found[0]).days + 1)]


def sync(first: str | None = None, last: str | None = None) -> int:
    """Runs the days one after the other and prints each release; returns the exit status."""
    try:
        settings = load_settings()
        days = days_of(settings, first, last)
        for day in days:  # a broken rule file is refused before anything is read
            load_rules(day)
            load_following(day)
    except SettingsError as error:
        complain(*error.problems)
        return BAD_SETTINGS
    except RuleError as error:
        complain(*str(error).splitlines(), "The last release stands untouched.")
        return BAD_SETTINGS
    prepare(settings)
    try:
        with run_lock(settings.home):
            with services(settings) as running:
                return _run_days(running.settings, days, running.bring_to)
    except RunLocked as error:
        complain(str(error))
        return LOCKED
    except ServiceError as error:
        complain(str(error))
        return FAILED


def _run_days(settings: Settings, days: list[date], bring_to: Callable[[date], None]) -> int:
    from pipelines.alerts import alert_before
    from pipelines.runs import run_day  # Dagster costs seconds to import: mistakes in the settings are said before that
    from pipelines.summary import print_summary
    from resources.departments import SourceError, preflight

    for day in days:
        try:
            bring_to(day)
            preflight(settings, load_contracts(), day)
            alert_before(settings, day, None)
        except SourceError as error:
            alert_before(settings, day, error)
            complain(f"{error}. The last release stands untouched.")
            return FAILED
        started = time.monotonic()
        problem = run_day(settings, day)
        if problem is not None:
            complain(*problem, "The last release stands untouched.")
            return FAILED
        print_summary(settings, day, time.monotonic() - started)
    return OK
