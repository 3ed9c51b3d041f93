"""`make sync`: the day's run, with everything that it needs, and the summary at its end.

Belongs here: the order of things and the exit status. Not here: what is computed.
"""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Callable
from datetime import date, timedelta

from expectations.contract import load_contracts
from expectations.errors import FAILED, OK
from pipelines.command_line.exits import UNTOUCHED, complain
from pipelines.environment import prepare
from pipelines.operator.services import services
from resources.runtime.lock import run_lock
from resources.settings import Settings, SettingsError, load_settings, today
from warehouse.following_rules import load_following
from warehouse.scoring_rules import RuleError, load_rules


def days_of(settings: Settings, first: str | None, last: str | None) -> list[date]:
    """The days to run, upward: `FROM` to `TO`, or the one day of the settings.
    Raises `SettingsError`.
    """
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


def run(asked: Namespace) -> int:
    """`yihu sync`."""
    if asked.full:
        os.environ["YIHU_FULL"] = "yes"
    return sync(asked.first or None, asked.last or None)


def sync(first: str | None = None, last: str | None = None) -> int:
    """Runs the days one after the other and prints each release; returns the exit status."""
    settings = load_settings()
    days = days_of(settings, first, last)
    _refuse_broken_rules(days)
    prepare(settings)
    with run_lock(settings.home), services(settings) as running:
        return _run_days(running.settings, days, running.bring_to)


def _refuse_broken_rules(days: list[date]) -> None:
    """Raises `RuleError` before anything is read."""
    try:
        for day in days:
            load_rules(day)
            load_following(day)
    except RuleError as error:
        error.add_note(UNTOUCHED)
        raise


def _run_days(settings: Settings, days: list[date], bring_to: Callable[[date], None]) -> int:
    from pipelines.automation.alerts import alert_before
    from pipelines.automation.runs import (
        run_day,
    )  # Dagster costs seconds to import: mistakes in the settings are said before that
    from pipelines.operator.summary import print_summary
    from resources.departments import SourceError, preflight

    for day in days:
        try:
            bring_to(day)
            preflight(settings, load_contracts(), day)
            alert_before(settings, day, None)
        except SourceError as error:
            alert_before(settings, day, error)
            complain(f"{error}. {UNTOUCHED}")
            return error.exit_status
        started = time.monotonic()
        problem = run_day(settings, day)
        if problem is not None:
            complain(*problem, UNTOUCHED)
            return FAILED
        print_summary(settings, day, time.monotonic() - started)
    return OK
