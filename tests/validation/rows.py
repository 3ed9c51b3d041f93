"""A good row of any record type, and for every rule the change that breaks it and nothing else."""

from __future__ import annotations

from typing import Any

from expectations.contract import Contract, Field
from expectations.rules import Rule
from tests.validation.batches import Row

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SPECIAL = {
    "area_code": "610921100001",
    "month": "202610",
    "season": "2026-winter-spring",
    "risk_types": "illness,job",
    "year": 2026,
}
AMOUNTS = (
    "total_fee",
    "full_self_pay",
    "over_limit_self_pay",
    "prior_self_pay",
    "in_scope",
    "fund_paid",
    "personal_paid",
    "hospital_borne",
)


def id_number(n: int) -> str:
    """The n-th sound ID number of somebody born on 1980-01-01."""
    first = f"61092119800101{n:03d}"
    check = sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True)) % 11
    return first + "10X98765432"[check]


def good_row(contract: Contract, n: int) -> Row:
    """A row that breaks no rule: every field filled but those whose emptiness says something."""
    row = {field.name: _value(contract, field, n) for field in contract.fields}
    empty = {"reverses_id", "ended_on", "resolved_on", "closed_at"}
    if contract.records == "cases" and n % 2:
        return row | {"stage": 8, "rejected_on": None}  # the whole way
    if contract.records == "cases" and n % 4 == 2:
        return (
            row
            | {"stage": 4}
            | dict.fromkeys(("approved_on", "recorded_on", "assisted_on", "cleared_on"))
        )  # not recognised
    empty |= {
        field.name
        for field in contract.fields
        if contract.records == "cases" and field.name.endswith("_on")
    } - {"discovered_on"}
    return {name: None if name in empty else value for name, value in row.items()}


def _value(contract: Contract, field: Field, n: int) -> Any:
    if field.role == "record_key":
        return id_number(n) + "11" if field.is_identity else f"{contract.records}-{n}"
    if field.role in ("id_number", "head_id_number"):
        return id_number(n)
    if field.name in SPECIAL:
        return SPECIAL[field.name]
    if field.codes:
        return field.codes[0].code
    if field.type == "text":
        return {"household_id": "households-1", "dwelling_id": "dwellings-1"}.get(
            field.name, "某某"
        )
    if field.type == "timestamp":
        return "2026-11-01T09:00:00+08:00"
    return {"integer": 1, "boolean": True, "date": "2026-10-01"}.get(field.type, 0)


OWN: dict[tuple[str, str], Row] = {
    ("households", "pattern:area_code"): {"area_code": "61092110000"},
    ("enrolments", "range:year"): {"year": 20261},
    ("settlements", "sum:total_fee_by_payer"): {"fund_paid": "0.01"},
    ("settlements", "sum:total_fee_by_scope"): {"in_scope": "-0.01"},
    ("settlements", "range:total_fee"): {
        name: "-5.00" if name in ("total_fee", "in_scope", "fund_paid") else 0 for name in AMOUNTS
    },
    ("settlements", "reversal:negates"): {
        "reverses_id": "settlements-before",
        **{
            name: "-4.99" if name in ("total_fee", "in_scope", "fund_paid") else 0
            for name in AMOUNTS
        },
    },
    ("settlements", "reference:reverses_id"): {"reverses_id": "nobody's"},
    ("certificates", "order:expires_on"): {"expires_on": "2026-09-30"},
    ("certificates", "id_structure:certificate_no"): {"certificate_no": "61092119800101001911"},
    ("certificates", "consistency:certificate_no"): {"level": "2"},
    ("assistance", "order:ended_on"): {"ended_on": "2026-09-30"},
    ("disability_subsidies", "pattern:month"): {"month": "202613"},
    ("retrofits", "order:started_on"): {"started_on": "2026-09-30"},
    ("retrofits", "order:finished_on"): {"finished_on": "2026-09-30"},
    ("losses", "order:resolved_on"): {"resolved_on": "2026-09-30"},
    ("relief", "order:ended_on"): {"ended_on": "2026-09-30"},
    ("relief", "pattern:season"): {"season": "winter"},
    ("reports", "order:closed_at"): {"closed_at": "2026-10-01T00:00:00+08:00"},
    ("reports", "consistency:closed_at"): {"status": "closed"},
    ("cases", "pattern:risk_types"): {"risk_types": "illness,illness,illness,job,job,job"},
    ("cases", "range:stage"): {"stage": 9},
    ("cases", "consistency:stage"): {"stage": 2},
    ("cases", "order:assisted_on"): {"assisted_on": "2026-09-30", "stage": 7, "cleared_on": None},
}


def breaking(contract: Contract, rule: Rule) -> Row:
    """What to change in a good row so that it breaks `rule` and no other critical rule."""
    if (contract.records, rule.name) in OWN:
        return OWN[contract.records, rule.name]
    kind, _, field = rule.name.partition(":")
    if kind == "order" and contract.records == "cases":
        return {field: "2026-09-30"}
    if kind == "range":
        return {field: 13 if field.endswith("_months") else -1}
    broken = {
        "type": "viel",
        "required": " \u3000",
        "codes": "zz",
        "id_structure": "61092119800101001",
        "reference": "nobody's",
    }
    return {field: broken[kind]}
