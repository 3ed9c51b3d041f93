"""The four households whose scores are known, with all their facts in all record types, whatever
the seed.

Belongs here: their rows, by physical facts and dates as of 2026-11-19 (they hold from 2026-11-15 to
2026-12-15). Not here: anybody drawn. No error, withdrawal or late commit touches them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expectations.contract import Contract
from expectations.engine import literal
from sandbox.idnumber import check_character

GOLDEN = {
    "xu": "H0000001",
    "jiang": "H0000002",
    "at_0.9_of_the_line": "H0000003",
    "well_off": "H0000004",
}
"""Household number by the name that the design gives it."""
GOLDEN_DAY = date(2026, 11, 19)

_FIRST = datetime(2024, 3, 5, 9, 30)
Row = dict[str, Any]


@dataclass(frozen=True)
class Member:
    """One planted person."""

    household: int
    slot: int
    name: str
    born: date
    male: bool
    relation: str
    facts: Row

    @property
    def member_id(self) -> str:
        return f"M{self.household:07d}-{self.slot:02d}"

    @property
    def number(self) -> str:
        region = "612422" if self.born < date(2000, 7, 1) else "610921"
        body = f"{region}{self.born:%Y%m%d}{997 if self.male else 998}"
        return body + check_character(body)


def _person(
    household: int, slot: int, name: str, born: str, male: bool, relation: str, **facts: Any
) -> Member:
    return Member(household, slot, name, date.fromisoformat(born), male, relation, facts)


_WORKS: Row = {"labour_class": "1", "working_now": True, "worked_before": True}
MEMBERS = (
    _person(1, 0, "徐德山", "1978-03-12", True, "01", labour_class="4", worked_before=True),
    _person(1, 1, "李秀珍", "1980-05-20", False, "02", labour_class="3"),
    _person(1, 2, "徐小燕", "2011-04-08", False, "03", student_status="2"),
    _person(1, 3, "徐小军", "2016-02-15", True, "03", student_status="2"),
    _person(2, 0, "蒋大明", "1974-06-11", True, "01", work_months=11, **_WORKS),
    _person(2, 1, "周桂香", "1976-08-03", False, "02", labour_class="1"),
    _person(2, 2, "蒋晓梅", "2002-01-25", False, "03", labour_class="4"),
    _person(
        2,
        3,
        "蒋晓兰",
        "2006-07-14",
        False,
        "03",
        student_status="4",
        education_self_pay=Decimal("9000.00"),
    ),
    _person(2, 4, "吴正芳", "1950-02-18", False, "04", pension=True),
    _person(3, 0, "唐建平", "1988-04-06", True, "01", work_months=12, **_WORKS),
    _person(3, 1, "何春梅", "1990-09-01", False, "02", work_months=4, **_WORKS),
    _person(3, 2, "唐子轩", "2018-03-21", True, "03", student_status="2"),
    _person(4, 0, "黄志强", "1984-02-09", True, "01", work_months=12, **_WORKS),
    _person(4, 1, "沈玉兰", "1986-05-30", False, "02", work_months=12, **_WORKS),
    _person(4, 2, "黄思雨", "2013-06-17", False, "03", student_status="2"),
    _person(4, 3, "黄思远", "2016-08-22", True, "03", student_status="2"),
)
_XU, _XU_WIFE, _JIANG_DAUGHTER, _WELL_OFF = MEMBERS[0], MEMBERS[1], MEMBERS[6], MEMBERS[12]
_MONEY = (
    "farmland_mu",
    "forest_mu",
    "wage_income",
    "business_income",
    "business_expense",
    "property_income",
    "transfer_income",
    "claims_income",
    "previous_net_income",
    "previous_business_net",
)


def _household(number: int, area: str, at: datetime, **facts: Any) -> Row:
    head = next(m for m in MEMBERS if m.household == number and m.slot == 0)
    row: Row = {
        "household_id": f"H{number:07d}",
        "head_id_number": head.number,
        "head_name": head.name,
        "area_code": area,
        "household_type": "1",
        "monitor_class": "0",
        "monitor_cleared": False,
        "relocated": False,
        "water_safe": True,
        "microcredit": "0",
        "cooperative_link": False,
        "measures_count": 0,
        "last_visit_on": None,
        "updated_at": at,
    }
    return (
        row
        | {name: Decimal(0) for name in _MONEY}
        | {k: Decimal(v) if k in _MONEY else v for k, v in facts.items()}
    )


def _households() -> list[Row]:
    xu: Row = {
        "household_type": "2",
        "business_income": 4000,
        "business_expense": 1000,
        "transfer_income": 12156,
        "previous_net_income": 42000,
        "previous_business_net": 3000,
        "measures_count": 2,
    }
    return [
        _household(1, "610921101203", _FIRST, **xu, last_visit_on=date(2024, 2, 27)),
        _household(
            1, "610921101203", datetime(2026, 11, 9, 18, 20), **xu, last_visit_on=date(2026, 11, 9)
        ),
        _household(
            2,
            "610921100205",
            _FIRST,
            wage_income=48000,
            transfer_income=1560,
            previous_net_income=49000,
        ),
        _household(3, "610921107202", _FIRST, wage_income=23760, previous_net_income=23760),
        _household(4, "610921100201", _FIRST, wage_income=150000, previous_net_income=150000),
    ]


def _members() -> list[Row]:
    usual: Row = {
        "resident_months": 12,
        "student_status": "0",
        "dropout": False,
        "labour_class": "5",
        "work_months": 0,
        "working_now": False,
        "worked_before": False,
        "public_post": False,
        "pension": False,
        "education_self_pay": Decimal(0),
        "status": "1",
        "updated_at": _FIRST,
    }
    return [
        {
            "member_id": m.member_id,
            "household_id": f"H{m.household:07d}",
            "id_number": m.number,
            "name": m.name,
            "relation": m.relation,
        }
        | usual
        | m.facts
        for m in MEMBERS
    ]


def _enrolments() -> list[Row]:
    return [
        {
            "enrolment_id": f"EN9{year % 100}{m.household:02d}{m.slot:02d}0",
            "id_number": m.number,
            "name": m.name,
            "year": year,
            "insurance_type": "390",
            "status": "1",
            "paid_on": date(year, 1, 12),
            "updated_at": (
                datetime(year, 1, 12, 15, 0) + timedelta(minutes=m.household * 10 + m.slot)
            ),
        }
        for year in (2025, 2026, 2027, 2028)
        for m in MEMBERS
    ]


def _inpatient(
    number: int, who: Member, at: datetime, total: int, in_scope: int, fund: int, critical: int
) -> Row:
    outside = Decimal(total - in_scope)
    return {
        "settlement_id": f"ST9{number:07d}",
        "id_number": who.number,
        "name": who.name,
        "settled_at": at,
        "medical_type": "21",
        "total_fee": Decimal(total),
        "full_self_pay": outside * Decimal("0.5"),
        "over_limit_self_pay": outside * Decimal("0.25"),
        "prior_self_pay": outside * Decimal("0.25"),
        "in_scope": Decimal(in_scope),
        "fund_paid": Decimal(fund),
        "pooled_paid": Decimal(fund - critical),
        "critical_illness_paid": Decimal(critical),
        "medical_aid_paid": Decimal(0),
        "personal_paid": Decimal(total - fund),
        "hospital_borne": Decimal(0),
        "reverses_id": None,
        "updated_at": at + timedelta(hours=20),
    }


def _illness(number: int, who: Member, code: str, on: date) -> Row:
    return {
        "case_id": f"SI9{number:07d}",
        "id_number": who.number,
        "name": who.name,
        "disease_code": code,
        "diagnosed_on": on,
        "status": "1",
        "updated_at": datetime(on.year, on.month, on.day, 17, 5) + timedelta(days=3),
    }


def _followup(on: date) -> Row:
    return {
        "followup_id": "CF90000001",
        "id_number": _XU_WIFE.number,
        "name": _XU_WIFE.name,
        "disease": "hypertension",
        "signed": True,
        "last_followup_on": on,
        "updated_at": datetime(on.year, on.month, on.day, 16, 40),
    }


def golden_rows(records: str) -> list[Row]:
    """Every version of the planted rows of a record type, by logical names."""
    tables: dict[str, list[Row]] = {
        "households": _households(),
        "members": _members(),
        "enrolments": _enrolments(),
        "settlements": [
            _inpatient(1, _XU, datetime(2026, 5, 22, 10, 12), 60000, 52000, 38000, 6000),
            _inpatient(
                2, _JIANG_DAUGHTER, datetime(2026, 4, 14, 11, 3), 95000, 80000, 55000, 12000
            ),
            _inpatient(3, _WELL_OFF, datetime(2026, 3, 18, 9, 41), 72000, 60000, 45000, 0),
        ],
        "serious_illnesses": [
            _illness(1, _XU, "N18", date(2025, 10, 9)),
            _illness(2, _JIANG_DAUGHTER, "D61", date(2026, 1, 20)),
        ],
        "chronic_followups": [_followup(date(2026, 4, 15)), _followup(date(2026, 10, 20))],
        "assistance": [
            {
                "assistance_id": "AS90000001",
                "scheme": "dibao",
                "applicant_id_number": _XU.number,
                "applicant_name": _XU.name,
                "class": "A",
                "insured_persons": 4,
                "monthly_amount": Decimal("1013.00"),
                "started_on": date(2026, 5, 1),
                "ended_on": None,
                "updated_at": datetime(2026, 5, 4, 10, 0),
            }
        ],
        "losses": [
            {
                "loss_id": "LS90000001",
                "event_id": "EV2026-08-20",
                "hazard": "flood",
                "head_id_number": _XU.number,
                "head_name": _XU.name,
                "house_damage": "2",
                "loss_amount": Decimal("2.20"),
                "occurred_on": date(2026, 8, 20),
                "resolved_on": None,
                "updated_at": datetime(2026, 8, 22, 14, 25),
            }
        ],
        "dwellings": [
            {
                "dwelling_id": "FW90000001",
                "owner_id_number": MEMBERS[4].number,
                "owner_name": MEMBERS[4].name,
                "structure": "砖混",
                "grade": "B",
                "appraised_on": date(2024, 5, 10),
                "occupied": True,
                "updated_at": datetime(2024, 5, 28, 11, 0),
            }
        ],
        "reports": [
            {
                "report_id": "RP90000001",
                "channel": "form",
                "reporter_id_number": MEMBERS[4].number,
                "reporter_name": MEMBERS[4].name,
                "reported_at": datetime(2026, 11, 15, 9, 8),
                "difficulty": "illness",
                "status": "open",
                "closed_at": None,
                "updated_at": datetime(2026, 11, 15, 9, 10),
            }
        ],
    }
    return tables.get(records, [])


def _arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        precision, scale = kind[8:-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }[kind]


def write_golden(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> None:
    """The planted rows of a record type as Parquet, in the contract's types."""
    schema = pa.schema([(field.name, _arrow_type(field.type)) for field in contract.fields])
    connection.register(
        "golden_rows", pa.Table.from_pylist(golden_rows(contract.records), schema=schema)
    )
    connection.execute(f"copy (select * from golden_rows) to {literal(path)} (format parquet)")
    connection.unregister("golden_rows")
    path.chmod(0o600)
