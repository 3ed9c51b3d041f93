"""One cheap question before a run: is the gateway there, and does it know us?

Belongs here: what stops a run before it starts. Not here: what one record type's source does wrong:
that is its own failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from expectations.contract import Contract
from resources.departments.departments import Departments
from resources.departments.errors import Fault, SourceError
from resources.departments.reading import ApiReader, form_of
from resources.departments.retry import Budget, RetryPolicy
from resources.departments.windows import Window, until_of
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings

FATAL = ("unreachable", "unauthorised", "login_page", "not_configured", "certificate", "reset")
"""What says that no record type will come, if several of them meet it."""

ASKED = 3
"""Record types that have to meet it, of as many departments as there are."""

SHORT = RetryPolicy(
    connect_timeout=2.0,
    read_timeout=3.0,
    page_deadline=3.0,
    drip_after=2.0,
    attempts=3,
    windows=1,
    budget=3.0,
    first_wait=0.3,
    page_rows=1,
)


def preflight(
    settings: Settings,
    contracts: Iterable[Contract],
    as_of: date,
    now: datetime | None = None,
    departments: Departments | None = None,
) -> None:
    """Returns when there is nothing to ask the gateway for, or when it answers; raises
    `SourceError` when no read can succeed.
    """
    now = now or datetime.now(SHANGHAI)
    departments = departments or Departments(settings, Lake(settings.lake))
    asked = [
        c
        for c in contracts
        if _comes_by_api(c, settings) and departments.stands(c, as_of, now) is None
    ]
    error: SourceError | None = None
    for contract in _spread(asked)[:ASKED]:
        try:
            _ask(ApiReader(settings, departments.store, SHORT), contract, as_of, now)
            return
        except Fault as fault:
            if fault.reason not in FATAL:
                return
            error = fault.as_error(contract.department, contract.records, as_of)
            if fault.reason == "not_configured":
                break
    if error is not None:
        raise error


def _ask(reader: ApiReader, contract: Contract, as_of: date, now: datetime) -> None:
    until = until_of(as_of, now)
    parameters = {**Window(until - timedelta(seconds=1), until).parameters, "limit": "1"}
    client = reader.client(contract, SHORT)
    budget = Budget(SHORT)
    attempt = 0
    try:
        while True:
            try:
                client.page(parameters)
                return
            except Fault as fault:
                attempt += 1
                if fault.remedy != "again" or fault.reason not in FATAL:
                    raise
                # an announced wait is the record type's own affair and would take too long here
                fault.wait = None
                budget.wait(fault, attempt, 0.0)
    finally:
        client.close()


def _comes_by_api(contract: Contract, settings: Settings) -> bool:
    try:
        return form_of(contract, settings) == "api"
    except Fault:
        return False


def _spread(contracts: list[Contract]) -> list[Contract]:
    """One record type a department first, so that one department's trouble is not taken
    for the gateway's.
    """
    firsts = {contract.department: contract for contract in reversed(contracts)}
    return sorted(contracts, key=lambda c: firsts[c.department] is not c)
