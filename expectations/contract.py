"""One record type as its Open Data Contract (ODCS 3.1) describes it:
what it means, how its department writes and delivers it.

Belongs here: the frozen dataclasses of a contract, and finding contracts. Not here: reading a
contract's file (`contract_file`), forms of dates and numbers (`writing`), checks (`suites`),
casting (`landing`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from expectations.errors import ConfigurationError

CONTRACTS = Path(__file__).parent / "contracts"

DRAFTS, EVERY_DRAFT = "YIHU_DRAFTS", "all"
BASE_REGISTER = "rural_revitalisation"
REGISTER_RECORDS = ("households", "members")
"""What of that department is the register; its loans or assets are records like any other's."""

Delivery = Literal["full", "incremental", "snapshot"]
Subject = Literal["household", "person", "area"]
Source = Literal["sheet", "file"]

PERIODS = ("year", "quarter", "month", "term", "period")
"""Names of fields that say for which time a row is,
besides dates and fields of the role `event_time`.
"""


class ContractError(ConfigurationError):
    """A contract file that cannot be used; the message names the file and what to mend."""


@dataclass(frozen=True)
class Code:
    code: str
    meaning: str
    written: tuple[str, ...] = ()
    """Words that stand for the code in what the department delivers;
    the meaning is one of them in any case.
    """


@dataclass(frozen=True)
class Field:
    """One field of a record type, as in the record dictionary."""

    name: str
    physical_name: str
    type: str
    """`text`, `integer`, `boolean`, `date`, `timestamp` or `decimal(p,s)`."""
    required: bool
    role: str | None
    classification: str
    unit: str | None
    meaning: str
    codes: tuple[Code, ...]
    written: tuple[str, ...] = ()
    """Forms in which the department writes dates or numbers,
    besides those that can mean one thing only (`writing`).
    """
    blanks: tuple[str, ...] = ()
    """Texts that stand for an empty cell."""
    zero: tuple[str, ...] = ()
    """Texts that stand for the number 0."""
    blank: str | None = None
    """What an empty cell means, null where it means that nothing is known."""
    constant: str | None = None
    """The value of every row, where the delivery has no such column."""
    source: Source | None = None
    """Where the value is taken from instead of a column:
    the sheet's name or the file's (property `from`).
    """
    codes_complete: bool = True
    """False for a drafted list (`complete: no`):
    other words are kept as text, and nothing reads the field as a code.
    """
    derived: Literal["key", "updated_at"] | None = None
    """What yihu makes: the one key of a composite one, the update time of a snapshot's row."""
    is_staff_number: bool = False
    """Names an officer (`holds: staff_number`): published as a pseudonym where it looks like
    somebody's number, since many are telephone numbers.
    """
    key_position: int | None = None
    """The field's place in the primary key, from 1; null where it is no part of it."""

    @property
    def is_delivered(self) -> bool:
        """Whether the delivery has a column of this field."""
        return self.constant is None and self.source is None and self.derived is None

    @property
    def holds_number(self) -> bool:
        """A number as a person reads it off a card:
        an ID number, or a record key that is classed identity (a certificate's).
        """
        return self.role in ("id_number", "head_id_number") or (
            self.role == "record_key" and self.is_identity and self.derived is None
        )

    @property
    def is_period(self) -> bool:
        """Whether the field says for which time a row is."""
        return (
            self.role == "event_time" or self.type in ("date", "timestamp") or self.name in PERIODS
        )

    @property
    def is_identity(self) -> bool:
        """An ID number, a name, a certificate number: stays in raw, valid, quarantine and vault."""
        return self.classification == "identity"


@dataclass(frozen=True)
class Contract:
    """A record type: its fields, its checks, and how its department delivers it."""

    department: str
    department_name: str
    records: str
    name: str
    version: str
    status: str
    """`active`; a `draft` is agreed with nobody yet, and nothing is read for it."""
    description: str
    fields: tuple[Field, ...]
    quality: tuple[dict[str, Any], ...]
    """The `quality` entries of the schema object (GX expectations), as they stand in the file."""
    delivery: Delivery
    cadence: str
    stale_after_days: int
    overlap_days: int
    server: dict[str, Any]
    """The default server's custom properties:
    `form` (api, file, sql), `format`, `encoding`, `headerRow`, …
    """
    properties: dict[str, Any]
    """The contract's own custom properties."""
    path: Path

    @property
    def delivered(self) -> tuple[Field, ...]:
        """The fields that have a column of their own in the delivery."""
        return tuple(field for field in self.fields if field.is_delivered)

    @property
    def key_fields(self) -> tuple[Field, ...]:
        """The parts of the key in their order; the record key alone where it is one field."""
        parts = sorted(
            (f for f in self.fields if f.key_position is not None),
            key=lambda f: f.key_position or 0,
        )
        return tuple(parts) if self.record_key.derived else (self.record_key,)

    @property
    def is_snapshot(self) -> bool:
        """Whether the department delivers everything, and no update time: a row that differs counts
        as updated on the extract's day.
        """
        return self.delivery == "snapshot"

    @property
    def is_full(self) -> bool:
        """Whether a delivery holds every row that is in force."""
        return self.delivery in ("full", "snapshot")

    @property
    def subject(self) -> Subject:
        """What a record is about; by default what its roles say."""
        said = self.properties.get("subject")
        if said in ("household", "person", "area"):
            return said
        by_household = self.find_role("household_id") or (self.record_key.name == "household_id")
        return "household" if by_household else "person"

    @property
    def unnamed(self) -> tuple[Field, ...]:
        """The fields that leave raw, valid and quarantine:
        no identities, and no record number that is published as a pseudonym.
        """
        return tuple(
            f
            for f in self.fields
            if not f.is_identity and not (f.role == "record_key" and self.is_pseudonymous)
        )

    @property
    def is_pseudonymous(self) -> bool:
        """Whether its record numbers are published as pseudonyms only:
        always where the key is an identity.
        """
        return self.record_key.is_identity or self.properties.get("published") == "pseudonym"

    @property
    def max_bad_share(self) -> float:
        """The share of bad rows above which a batch is rejected (from 20 rows)."""
        return float(self.properties.get("maxBadShare", 0.05))

    @property
    def max_withdrawn_share(self) -> float | None:
        """The share of the state in force that a full delivery may lack; null (off) by default
        where the key says for which time a row is.
        """
        if "maxWithdrawnShare" in self.properties:
            return float(self.properties["maxWithdrawnShare"])
        return None if any(part.is_period for part in self.key_fields) else 0.2

    @property
    def max_vanished(self) -> float:
        """The share of rows with a value above which an optional column may not vanish."""
        return float(self.properties.get("maxVanished", 0.5))

    @property
    def table(self) -> str:
        """`<department>__<records>`, the name of its tables and of its folder in the lake."""
        return f"{self.department}__{self.records}"

    @property
    def is_base_register(self) -> bool:
        """The register that every other record is matched to (乡村振兴局)."""
        return self.department == BASE_REGISTER and self.records in REGISTER_RECORDS

    def must_have(self, field: Field) -> bool:
        """Whether a row without a value in `field` is broken: a name is optional in department
        records, key and time never are.
        """
        if field.role in ("record_key", "updated_at"):
            return True
        return field.required and (field.role != "name" or self.is_base_register)

    @property
    def record_key(self) -> Field:
        return self.by_role("record_key")

    def by_role(self, role: str) -> Field:
        """The field with that role; raises `ContractError` where there is none."""
        found = self.find_role(role)
        if found is None:
            raise ContractError(
                f"{self.path.name}: no field has the role {role}",
                "add it to customProperties",
            )
        return found

    def find_role(self, role: str) -> Field | None:
        return next((f for f in self.fields if f.role == role), None)

    def field(self, name: str) -> Field:
        for f in self.fields:
            if f.name == name:
                return f
        raise ContractError(
            f"{self.path.name}: no field {name}",
            "add it to the schema's properties",
        )


def read_contract(path: Path) -> Contract:
    """The contract in `path`.

    Raises `ContractError` with the file's name, what is wrong and what to write.
    """
    from expectations.contract_file import parsed  # it makes what is declared here

    return parsed(path)


def load_contracts(folder: Path = CONTRACTS, status: str = "active") -> tuple[Contract, ...]:
    """Every contract of that status under `folder`, by department and record type;
    the base register first.

    The base register comes first since every other record is matched to it. Drafts that the setting
    `YIHU_DRAFTS` names are read as if they were active.
    """
    return _load_contracts(folder, status, drafts_read() if status == "active" else ())


def drafts_read() -> tuple[str, ...]:
    """The record types that the setting `YIHU_DRAFTS` names (`all`: every one):
    this installation has agreed with the department on them.
    """
    return drafts_named(os.environ.get(DRAFTS))


def drafts_named(setting: str | None) -> tuple[str, ...]:
    """The names in the setting's text, without a record type twice."""
    return tuple(sorted({name.strip() for name in (setting or "").split(",") if name.strip()}))


@lru_cache(maxsize=16)
def _load_contracts(folder: Path, status: str, drafts: tuple[str, ...]) -> tuple[Contract, ...]:
    every = [read_contract(path) for path in sorted(folder.glob("*/*.odcs.yaml"))]
    contracts = [c for c in every if c.status == status or _is_agreed(c, drafts)]
    return tuple(
        sorted(contracts, key=lambda c: (c.department != BASE_REGISTER, c.department, c.records))
    )


def _is_agreed(contract: Contract, drafts: tuple[str, ...]) -> bool:
    is_named = contract.records in drafts or EVERY_DRAFT in drafts
    return contract.status == "draft" and is_named


def contract_for(records: str, with_drafts: bool = False) -> Contract:
    """The contract of a record type by its name, as in the indicator catalogue; `with_drafts`:
    whether or not it is read.
    """
    for contract in (*load_contracts(), *(load_contracts(status="draft") if with_drafts else ())):
        if contract.records == records:
            return contract
    raise ContractError(
        f"no contract describes {records}",
        f"add expectations/contracts/<department>/{records}.odcs.yaml",
    )
