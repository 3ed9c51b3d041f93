"""`make sync`: the day's run, with everything that it needs, and the summary at its end.

Belongs here: the order of things and the exit status. Not here: what is computed.
"""

from __future__ import annotations

import os
import signal
import time
from argparse import Namespace
from datetime import date, timedelta

from expectations.errors import FAILED, OK
from pipelines.command_line.exits import INTERRUPTED, UNTOUCHED, complain
from pipelines.environment import BY_STAGE, prepare
from resources.settings import SHANGHAI, Settings, SettingsError, load_settings, today


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
    return sync(asked.first or None, asked.last or None, is_verbose=asked.verbose)


def sync(first: str | None = None, last: str | None = None, *, is_verbose: bool = False) -> int:
    """Runs the days one after the other and prints each release; returns the exit status."""
    settings = load_settings()
    days = days_of(settings, first, last)
    # what follows takes a while to import: a mistake in what was typed is said before
    from resources.runtime.lock import run_lock
    from resources.stand_ins import services

    _refuse_broken_rules(days)
    prepare(settings)
    # what is not yet, or no longer, a step ends like Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ[BY_STAGE] = "steps" if is_verbose else "stages"
    with run_lock(settings.home), services(settings) as running:
        return _run_days(running.settings, days, is_verbose=is_verbose)


def _refuse_broken_rules(days: list[date]) -> None:
    """Raises `RuleError` before anything is read."""
    from warehouse.following_rules import load_following
    from warehouse.scoring_rules import RuleError, load_rules

    try:
        for day in days:
            load_rules(day)
            load_following(day)
    except RuleError as error:
        error.add_note(UNTOUCHED)
        raise


def _run_days(settings: Settings, days: list[date], *, is_verbose: bool) -> int:
    from pipelines.automation.runs import run_day
    from pipelines.operator.summary import print_summary
    from resources.runtime.stopping import is_asked

    many = f" FROM={days[0]} TO={days[-1]}" if len(days) > 1 else ""
    for day in days:
        print(f"yihu: {day}, times in {SHANGHAI}", flush=True)
        started = time.monotonic()

        def summary(problem: list[str] | None) -> None:
            if problem is not None:
                one = len(problem) == 1
                complain(*([f"{problem[0]}. {UNTOUCHED}"] if one else [*problem, UNTOUCHED]))
            else:
                print_summary(settings, day, time.monotonic() - started, is_verbose=is_verbose)  # noqa: B023

        is_well = run_day(settings, day, f"make sync{many}", summary) is None
        if is_asked():
            if is_well and day != days[-1]:
                complain(f"stopped on request: {day} is done; make sync FROM={_next(day)} goes on")
            return OK if is_well and day == days[-1] else INTERRUPTED
        if not is_well:
            return FAILED
    return OK


def _next(day: date) -> date:
    return day + timedelta(days=1)
