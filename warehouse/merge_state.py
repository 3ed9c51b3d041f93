"""One record type on one day while its as-of state is being made:
relations on the engine, counts, results.

Belongs here: what the makers of the state share. Not here: making it (`asof`), writing it down
(`ledger`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from expectations.casting import sql_type
from expectations.contract import Contract
from expectations.engine import SqlEngine, name
from warehouse.model import render

PARTS = ("accepted", "unchanged", "superseded", "withdrawn", "quarantined")
VALID_EXTRAS = (
    ("_batch_id", "varchar"),
    ("_arrived_on", "date"),
    ("_quarantined_at", "timestamp"),
    ("_is_conflict", "boolean"),
    ("_first_key", "varchar"),
)
WITHDRAWN_EXTRAS = (*VALID_EXTRAS, ("_withdrawn_at", "timestamp"))
QUARANTINE_COLUMNS = (
    ("batch_id", "varchar"),
    ("_row", "bigint"),
    ("record_key", "varchar"),
    ("rules", "varchar[]"),
    ("updated_at", "timestamp"),
    ("first_seen_on", "date"),
    ("last_seen_on", "date"),
    ("times_seen", "bigint"),
    ("raw", "varchar"),
    ("is_withdrawal", "boolean"),
)


class LakeFolder(Protocol):
    """What the as-of state needs of the lake; `resources.lake.Lake` is the one in use."""

    root: Path

    def table(self, layer: str, table: str) -> Path: ...
    def relation(self, layer: str, table: str, as_of: date, county: str | None = None) -> str: ...
    def version(self, layer: str, table: str, as_of: date) -> str | None: ...
    def days(self, layer: str, table: str) -> list[date]: ...
    def carry(self, engine: Any, layer: str, table: str, source: date, as_of: date) -> None: ...
    def write(
        self,
        engine: Any,
        layer: str,
        table: str,
        as_of: date,
        select: str,
        order_by: str,
        county: str | None = None,
        key: Sequence[str] = (),
    ) -> Any: ...
    def write_note(self, layer: str, table: str, as_of: date, note: dict[str, Any]) -> Path: ...
    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None: ...
    def remove_note(self, layer: str, table: str, as_of: date) -> None: ...
    def note_days(self, layer: str, table: str) -> list[date]: ...


def stored_rows(lake: LakeFolder, layer: str, table: str, day: date | None) -> str | None:
    """The rows of a day of a table as a relation; None where there is no day, or it was not
    written.
    """
    if day is None or lake.version(layer, table, day) is None:
        return None
    return lake.relation(layer, table, day)


@dataclass
class MergeState:
    """One record type on one day while it is being made:
    the relations that hold its state, and its counts.
    """

    engine: SqlEngine
    lake: LakeFolder
    contract: Contract
    as_of: date
    prior_day: date | None
    prior: dict[str, Any]
    known_from: date | None = None
    """The first day for which the source was read; None where this may be it."""
    valid: str = ""
    withdrawn: str = ""
    quarantine: str = ""
    steps: int = 0
    is_changed: bool = False
    new_keys: int = 0
    withdrawn_keys: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    replayed: dict[str, int] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    drift: list[str] = field(default_factory=list)
    rejected: dict[str, Any] | None = None
    accepted: dict[str, Any] | None = None
    """The manifest of the newest accepted batch of the day."""
    warnings: dict[str, dict[str, str]] = field(default_factory=dict)
    """What the day's accepted batches make worth telling, by key (`warned`)."""
    keys_folded: bool = False
    """Whether the state's keys are in the spelling that landing gives those of files and queries.
    """
    keys_checked: bool = False
    """Whether no key of the state looks like somebody's number."""
    made: list[str] = field(default_factory=list)

    @property
    def is_unknown(self) -> bool:
        """The day is before the first one for which the source was read."""
        return self.known_from is not None and self.as_of < self.known_from

    @property
    def key(self) -> str:
        return self.contract.record_key.name

    @property
    def key_before(self) -> str | None:
        """The key's field in the state before, where its ledger says it."""
        return self.prior.get("key")

    def relation(self, purpose: str) -> str:
        """A name of the engine for this day's use, dropped when the day is done."""
        relation = f"asof_{purpose}_{self.contract.table}"
        self.made.append(relation)
        return relation

    def model(self, model: str, **more: Any) -> str:
        fields = [f.name for f in self.contract.fields]
        as_of = f"date '{self.as_of.isoformat()}'"
        return render(
            model,
            fields=fields,
            key=self.key,
            updated=self.contract.by_role("updated_at").name,
            as_of=as_of,
            **more,
        )


def empty_select(columns: Sequence[tuple[str, str]]) -> str:
    """No rows, of these columns."""
    return (
        f"select {', '.join(f'null::{kind} as {name(column)}' for column, kind in columns)} where"
        " false"
    )


def state_columns(contract: Contract, extras: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns of a stored state: every contract field, and `extras`."""
    return [*((f.name, sql_type(f.type)) for f in contract.fields), *extras]
