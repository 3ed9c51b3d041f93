"""One record type as its Open Data Contract (ODCS 3.1) describes it.

Belongs here: reading contract files into frozen dataclasses. Not here: checks (`suites`), casting (`landing`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

CONTRACTS = Path(__file__).parent / "contracts"

DRAFTS = "YIHU_DRAFTS"
BASE_REGISTER = "rural_revitalisation"

Delivery = Literal["full", "incremental"]


class ContractError(ValueError):
    """A contract file that cannot be used; the message names the file and what to mend."""


@dataclass(frozen=True)
class Code:
    code: str
    meaning: str


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
    """The default server's custom properties: `form` (api, file, sql), `format`, `encoding`, `headerRow`, …"""
    properties: dict[str, Any]
    """The contract's own custom properties."""
    path: Path

    @property
    def table(self) -> str:
        """`<department>__<records>`, the name of its tables and of its folder in the lake."""
        return f"{self.department}__{self.records}"

    @property
    def is_base_register(self) -> bool:
        """The register that every other record is matched to (乡村振兴局)."""
        return self.department == BASE_REGISTER

    def must_have(self, field: Field) -> bool:
        """Whether a row without a value in `field` is broken: a name is optional in department records, key and time never are."""
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
            raise ContractError(f"{self.path.name}: no field has the role {role}; add it to customProperties")
        return found

    def find_role(self, role: str) -> Field | None:
        return next((f for f in self.fields if f.role == role), None)

    def field(self, name: str) -> Field:
        for f in self.fields:
            if f.name == name:
                return f
        raise ContractError(f"{self.path.name}: no field {name}")


def _custom(entries: list[Any] | None) -> dict[str, Any]:
    return {entry.property: entry.value for entry in entries or []}


def _field(prop: SchemaProperty) -> Field:
    custom = _custom(prop.customProperties)
    return Field(
        name=str(prop.name),
        physical_name=str(prop.physicalName or prop.name),
        type=str(prop.physicalType),
        required=bool(prop.required),
        role=custom.get("role"),
        classification=str(prop.classification or "internal"),
        unit=custom.get("unit"),
        meaning=prop.description or "",
        codes=tuple(Code(str(c["code"]), str(c.get("meaning", ""))) for c in custom.get("codes", [])),
    )


def read_contract(path: Path) -> Contract:
    """The contract in `path`. Raises `ContractError` with the file's name and the reason."""
    text = path.read_text(encoding="utf-8")
    try:
        odcs = OpenDataContractStandard.from_string(text)
        raw = yaml.safe_load(text)
    except Exception as error:
        raise ContractError(f"{path}: not an ODCS 3.1 contract ({type(error).__name__}); run datacontract lint on it") from error
    if not odcs.schema_ or not odcs.schema_[0].properties:
        raise ContractError(f"{path}: schema is empty; describe at least one field")
    custom = _custom(odcs.customProperties)
    sla = {entry.property: entry.value for entry in odcs.slaProperties or []}
    servers = raw.get("servers") or [{}]
    server = {entry["property"]: entry["value"] for entry in servers[0].get("customProperties", [])}
    return Contract(
        department=str(odcs.domain),
        department_name=str(custom.get("departmentName", odcs.domain)),
        records=str(odcs.schema_[0].name),
        name=str(odcs.name),
        version=str(odcs.version),
        status=str(odcs.status or "active"),
        description=(odcs.description.purpose if odcs.description else "") or "",
        fields=tuple(_field(p) for p in odcs.schema_[0].properties),
        quality=tuple(raw["schema"][0].get("quality") or ()),
        delivery="full" if custom.get("delivery") == "full" else "incremental",
        cadence=str(custom.get("cadence", "daily")),
        stale_after_days=int(str(sla.get("staleAfter", 7))),
        overlap_days=int(custom.get("overlapDays", 1)),
        server=server,
        properties=custom,
        path=path,
    )


def load_contracts(folder: Path = CONTRACTS, status: str = "active") -> tuple[Contract, ...]:
    """Every contract of that status under `folder`, by department and record type; the base register first.

    The base register comes first since every other record is matched to it. Drafts that the setting `YIHU_DRAFTS` names are
    read as if they were active.
    """
    return _load_contracts(folder, status, drafts_read() if status == "active" else ())


def drafts_read() -> tuple[str, ...]:
    """The record types that the setting `YIHU_DRAFTS` names: this installation has agreed with the department on them."""
    return tuple(sorted({name.strip() for name in os.environ.get(DRAFTS, "").split(",") if name.strip()}))


@lru_cache(maxsize=16)
def _load_contracts(folder: Path, status: str, drafts: tuple[str, ...]) -> tuple[Contract, ...]:
    every = [read_contract(path) for path in sorted(folder.glob("*/*.odcs.yaml"))]
    contracts = [c for c in every if c.status == status or (c.status == "draft" and c.records in drafts)]
    return tuple(sorted(contracts, key=lambda c: (c.department != BASE_REGISTER, c.department, c.records)))


def contract_for(records: str, with_drafts: bool = False) -> Contract:
    """The contract of a record type by its name, as in the indicator catalogue; `with_drafts`: whether or not it is read."""
    for contract in (*load_contracts(), *(load_contracts(status="draft") if with_drafts else ())):
        if contract.records == records:
            return contract
    raise ContractError(f"no contract describes {records}; add expectations/contracts/<department>/{records}.odcs.yaml")
