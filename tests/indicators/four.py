"""The four households of the design (flags.md), as matched facts on 2026-11-19."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.indicators.facts import Facts

AS_OF = date(2026, 11, 19)
ZERO = Decimal(0)

HOUSEHOLD: dict[str, Any] = {
    "monitor_cleared": False,
    "relocated": False,
    "farmland_mu": ZERO,
    "forest_mu": ZERO,
    "water_safe": True,
    "wage_income": ZERO,
    "business_income": ZERO,
    "business_expense": ZERO,
    "property_income": ZERO,
    "transfer_income": ZERO,
    "claims_income": ZERO,
    "previous_net_income": ZERO,
    "previous_business_net": ZERO,
    "microcredit": "0",
    "cooperative_link": False,
    "measures_count": 0,
}
MEMBER: dict[str, Any] = {
    "resident_months": 12,
    "student_status": "0",
    "dropout": False,
    "labour_class": "5",
    "work_months": 0,
    "working_now": False,
    "worked_before": False,
    "public_post": False,
    "pension": False,
    "education_self_pay": ZERO,
}


def born(age: int) -> date:
    return date(AS_OF.year - age, 3, 1)


def _member(facts: Facts, household: str, name: str, age: int, **fields: Any) -> str:
    member = facts.member(household, f"{household}-{name}", born(age), **{**MEMBER, **fields})
    facts.insure(member)
    return member


def _pay(
    facts: Facts, member: str, total: int, in_scope: int, fund: int, critical: int, personal: int
) -> None:
    facts.settlement(
        member,
        datetime(2026, 7, 1, 10),
        total_fee=Decimal(total),
        in_scope=Decimal(in_scope),
        fund_paid=Decimal(fund),
        critical_illness_paid=Decimal(critical),
        personal_paid=Decimal(personal),
    )


def _ill(facts: Facts, member: str) -> None:
    facts.add(
        "serious_illnesses", member, disease_code="C50", diagnosed_on=date(2026, 6, 1), status="1"
    )


def xu(facts: Facts) -> None:
    facts.household(
        "xu",
        **{
            **HOUSEHOLD,
            "household_type": "2",
            "business_income": Decimal(4000),
            "business_expense": Decimal(1000),
            "transfer_income": Decimal(12156),
            "previous_net_income": Decimal(42000),
            "previous_business_net": Decimal(3000),
            "measures_count": 2,
            "last_visit_on": AS_OF - timedelta(days=10),
        },
    )
    head = _member(facts, "xu", "head", 48, relation="01", labour_class="4", worked_before=True)
    wife = _member(facts, "xu", "wife", 46, relation="02", labour_class="3")
    _member(facts, "xu", "daughter", 15, relation="03", student_status="2")
    _member(facts, "xu", "son", 10, relation="03", student_status="2")
    _pay(facts, head, 60000, 52000, 38000, 6000, 22000)
    _ill(facts, head)
    facts.add(
        "chronic_followups",
        wife,
        disease="hypertension",
        signed=True,
        last_followup_on=AS_OF - timedelta(days=30),
    )
    scheme: dict[str, Any] = {"scheme": "dibao", "class": "A", "started_on": date(2026, 5, 1)}
    facts.add("assistance", head, **scheme)
    facts.add(
        "losses",
        head,
        house_damage="2",
        loss_amount=Decimal("2.2"),
        loss_yuan=Decimal(22000),
        occurred_on=date(2026, 8, 20),
        hazard="flood",
    )


def jiang(facts: Facts) -> None:
    facts.household(
        "jiang",
        **{
            **HOUSEHOLD,
            "wage_income": Decimal(48000),
            "transfer_income": Decimal(1560),
            "previous_net_income": Decimal(49000),
        },
    )
    head = _member(
        facts,
        "jiang",
        "head",
        52,
        relation="01",
        labour_class="1",
        working_now=True,
        work_months=11,
        worked_before=True,
    )
    _member(facts, "jiang", "wife", 50, relation="02", labour_class="1")
    ill = _member(facts, "jiang", "elder", 24, relation="03", labour_class="4")
    _member(
        facts,
        "jiang",
        "younger",
        20,
        relation="03",
        student_status="4",
        education_self_pay=Decimal(9000),
    )
    _member(facts, "jiang", "mother", 76, relation="04", pension=True)
    _pay(facts, ill, 95000, 80000, 55000, 12000, 40000)
    _ill(facts, ill)
    facts.add(
        "reports",
        head,
        channel="form",
        reported_at=datetime(2026, 11, 15, 9),
        difficulty="illness",
        status="open",
    )
    facts.add("dwellings", head, grade="B", occupied=True, appraised_on=date(2024, 5, 10))


def near_line(facts: Facts) -> None:
    facts.household(
        "near",
        **{**HOUSEHOLD, "wage_income": Decimal(23760), "previous_net_income": Decimal(23760)},
    )
    working = {"labour_class": "1", "working_now": True, "worked_before": True}
    _member(facts, "near", "a", 40, relation="01", work_months=12, **working)
    _member(facts, "near", "b", 38, relation="02", work_months=4, **working)
    _member(facts, "near", "c", 8, relation="03", student_status="2")


def well_off(facts: Facts) -> None:
    facts.household(
        "well",
        **{**HOUSEHOLD, "wage_income": Decimal(150000), "previous_net_income": Decimal(150000)},
    )
    working = {"labour_class": "1", "working_now": True, "worked_before": True, "work_months": 12}
    head = _member(facts, "well", "a", 42, relation="01", **working)
    _member(facts, "well", "b", 40, relation="02", **working)
    _member(facts, "well", "c", 12, relation="03", student_status="2")
    _member(facts, "well", "d", 9, relation="03", student_status="2")
    _pay(facts, head, 72000, 60000, 45000, 0, 27000)


def four_households() -> Facts:
    facts = Facts()
    for plant in (xu, jiang, near_line, well_off):
        plant(facts)
    return facts
