"""The contracts are the record dictionary: they say what the design's `records.csv` says, field by
field.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from expectations.contract import ContractError, load_contracts, read_contract

FORMS = {
    "rural_revitalisation": ("sql", "incremental", "daily", 3),
    "health_insurance": ("api", "incremental", "daily", 7),
    "civil_affairs": ("api", "incremental", "daily", 7),
    "emergency_management": ("api", "incremental", "daily", 2),
    "citizen_reports": ("api", "incremental", "daily", 1),
    "health_commission": ("sql", "incremental", "weekly", 14),
    "disability_federation": ("file", "full", "monthly", 45),
    "housing": ("file", "full", "quarterly", 120),
    "monitoring": ("file", "full", "weekly", 14),
}


def test_every_field_is_as_in_the_design(design: Path) -> None:
    with (design / "records.csv").open(encoding="utf-8") as file:
        dictionary = list(csv.DictReader(file))
    known = {(r["department"], r["records"]) for r in dictionary}
    with (design / "records-extra.csv").open(encoding="utf-8") as file:
        gained = [r for r in csv.DictReader(file) if (r["department"], r["records"]) in known]
    assert {r["records"] for r in gained} >= {"cases", "reports"}
    gained = [r for r in gained if r["records"] in ("cases", "reports")]
    expected = [
        (r["department"], r["records"], r["field"], r["physical_name"], r["type"], r["unit"],
            r["required"] == "yes", r["role"],
         r["classification"], r["meaning"])
        for r in (*dictionary, *gained)
    ]  # fmt: skip
    found = [
        (c.department, c.records, f.name, f.physical_name, "string" if f.type == "text" else f.type,
            f.unit or "", f.required,
         f.role or "", f.classification, f.meaning)
        for c in load_contracts() for f in c.fields
    ]  # fmt: skip
    assert (len(dictionary), len(gained)) == (182, 10)
    assert sorted(found) == sorted(expected)


def test_each_department_delivers_as_agreed() -> None:
    for contract in load_contracts():
        assert (
            contract.server["form"],
            contract.delivery,
            contract.cadence,
            contract.stale_after_days,
        ) == FORMS[contract.department]


def test_the_base_register_comes_first() -> None:
    assert [c.records for c in load_contracts()][:2] == ["households", "members"]


def test_a_broken_contract_is_named_with_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "pupils.odcs.yaml"
    broken.write_text("kind: DataContract\nschema: nothing\n")
    with pytest.raises(ContractError, match=r"pupils\.odcs\.yaml.*datacontract lint"):
        read_contract(broken)
