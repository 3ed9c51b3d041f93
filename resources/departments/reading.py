"""What the three forms of delivery have in common: one read of one record type for one day.

Belongs here: what a reader gets and gives back, and the API reader. Not here: files (`files`),
databases (`sql`), days (`departments`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from expectations.contract import Contract
from resources.departments.api import ApiClient
from resources.departments.batches import BatchStore, Form, Manifest
from resources.departments.errors import Fault
from resources.departments.retry import RetryPolicy
from resources.departments.windows import stamp, window_of
from resources.settings import SHANGHAI, Settings


@dataclass(frozen=True)
class Task:
    """One record type, one day, upon the state of the latest earlier day."""

    contract: Contract
    as_of: date
    now: datetime
    ledger: dict[str, Any] | None


@dataclass(frozen=True)
class Reading:
    """What a reader found: the batches that the day stands on,
    or none if there is nothing that the state has not.
    """

    batches: tuple[Manifest, ...]
    is_new: bool
    notes: tuple[str, ...] = ()
    """What was seen and left for next time."""
    requests: int = 0
    unread: tuple[str, ...] = ()
    """What lies there and nothing will read; it does not ask for the day again."""
    left_lying: int | None = None
    """Files in the department's folder that no contract takes; None of what does not come by file.
    """


class Reader(Protocol):
    """One form of delivery. `read` raises `Fault`."""

    def read(self, task: Task) -> Reading: ...


def form_of(contract: Contract, settings: Settings) -> Form:
    """The form in which a record type comes:
    the one that `YIHU_FORM` sets for all, or its contract's.

    With `mixed`, a form whose place is not named (no drop folder, no front-end database) comes from
    the gateway that is.
    """
    form = str(contract.server.get("form", "api")) if settings.form == "mixed" else settings.form
    places = {"file": settings.drop_dir, "sql": settings.front_db_url}
    if (
        settings.form == "mixed"
        and places.get(form, form) is None
        and settings.gateway_url is not None
    ):
        form = "api"
    match form:
        case "api" | "file" | "sql":
            return form
    raise Fault(
        "none",
        "form",
        f"the contract names the form {form!r}",
        "write api, file or sql in the contract's servers",
    )


def fetched_at() -> str:
    return stamp(datetime.now(SHANGHAI))


class ApiReader:
    """Reads a window from the exchange platform into a new batch of the day."""

    def __init__(self, settings: Settings, store: BatchStore, policy: RetryPolicy) -> None:
        self._settings = settings
        self._store = store
        self._patience = policy

    def client(self, contract: Contract, policy: RetryPolicy | None = None) -> ApiClient:
        settings = self._settings
        if settings.gateway_url is None:
            raise Fault(
                "none",
                "not_configured",
                "no gateway is named for the API",
                "set YIHU_GATEWAY_URL, YIHU_GATEWAY_SID and YIHU_GATEWAY_KEY",
            )
        return ApiClient(
            settings.gateway_url,
            settings.gateway_sid,
            settings.gateway_key,
            contract.department,
            contract.records,
            policy or self._patience,
        )

    def read(self, task: Task) -> Reading:
        contract = task.contract
        window = window_of(contract, task.as_of, task.now, task.ledger)
        batch_id = self._store.next_id(contract.table, contract.records, task.as_of)
        client = self.client(contract)
        work = self._store.begin(contract.table, batch_id)
        try:
            pages = client.fetch(window, work)
            if not pages.rows and window.since is None:
                # on a first read an empty answer is not believed before it came twice
                work = self._store.begin(contract.table, batch_id, anew=True)
                pages = client.fetch(window, work)
        except Fault as fault:
            fault.requests = client.requests
            # pages stay for the next run only where it can go on behind them
            if fault.remedy != "again" or fault.reason == "repeated_page":
                self._store.drop(work)
            raise
        finally:
            client.close()
        manifest = Manifest(
            batch_id=batch_id,
            table=contract.table,
            department=contract.department,
            records=contract.records,
            form="api",
            format="json",
            # an answer says itself what is withdrawn; what it lacks has not changed
            delivery="incremental",
            source=f"{contract.department}/{contract.records}",
            since=stamp(window.since) if window.since else None,
            until=stamp(window.until),
            extract_date=task.as_of.isoformat(),
            row_count=pages.rows,
            total=pages.total,
            sha256=pages.digest.hexdigest(),
            fetched_at=fetched_at(),
            contract_version=contract.version,
            files=pages.files,
            encoding="utf-8",
            columns=list(pages.columns),
        )
        same = self._store.same(manifest)
        if same is not None:
            self._store.drop(work)
            return Reading((same,), False, requests=client.requests)
        pages.finish()
        return Reading((self._store.commit(work, manifest),), True, requests=client.requests)
