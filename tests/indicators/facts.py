"""Matched tables made by hand: what a test says about a few households, as the engine tables that
the indicators read.

Belongs here: shapes and defaults. Not here: what is true of a household (the tests), what follows
from it (`reading`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from expectations.contract import Contract, contract_for, load_contracts
from resources.engines.duckdb import Engine
from warehouse.matching import delivered_fields
from warehouse.schema.lake import REVIEW_QUEUE

LINK = {
    "record_id": pa.string(),
    "person_key": pa.string(),
    "member_id": pa.string(),
    "household_id": pa.string(),
    "outcome": pa.string(),
    "method": pa.string(),
    "name_agreement": pa.string(),
    "reason": pa.string(),
    "_arrived_on": pa.date32(),
}
PERSON = {
    "person_key": pa.string(),
    "member_id": pa.string(),
    "household_id": pa.string(),
    "status": pa.string(),
    "birth_on": pa.date32(),
    "id_state": pa.string(),
    "id_method": pa.string(),
    "name_masked": pa.string(),
    "_arrived_on": pa.date32(),
}
ARRIVED = date(2026, 11, 1)
Row = dict[str, Any]


def _arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        precision, scale = kind[8:-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    types = {
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }
    return types.get(kind, pa.string())


def columns_of(contract: Contract) -> dict[str, pa.DataType]:
    """The columns of `matched_<table>`."""
    fields = {
        field["name"]: _arrow_type(contract.field(field["delivered"]).type)
        for field in delivered_fields(contract)
    }
    extra = {"loss_yuan": pa.decimal128(18, 2)} if contract.records == "losses" else {}
    return {**fields, **extra, **LINK}


class Facts:
    """Rows by record type, and the state of each source; `register` puts them on an engine."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.persons: list[Row] = []
        self.queue: list[Row] = []
        self.states: dict[str, str] = {c.records: "ok" for c in load_contracts()}
        self._next = 0

    def household(self, household_id: str, **fields: Any) -> str:
        self.rows["households"].append(
            {
                "household_id": household_id,
                "record_id": household_id,
                "area_code": "610921100201",
                "household_type": "1",
                "monitor_class": "0",
                **fields,
            }
        )
        return household_id

    def member(
        self,
        household_id: str,
        member_id: str,
        birth_on: date | None = None,
        status: str = "1",
        id_state: str = "established",
        is_merged: bool = False,
        **fields: Any,
    ) -> str:
        """A member row and its row of the spine; `is_merged`: stewards merged it away, so the spine
        says moved out.
        """
        row = {
            "member_id": member_id,
            "household_id": household_id,
            "record_id": member_id,
            "relation": "06",
            "status": status,
            **fields,
        }
        self.rows["members"].append(row)
        self.persons.append(
            {
                "person_key": f"key-{member_id}",
                "member_id": member_id,
                "household_id": household_id,
                "status": "2" if is_merged else status,
                "birth_on": birth_on,
                "id_state": id_state,
                "name_masked": "徐*",
                "_arrived_on": ARRIVED,
            }
        )
        return member_id

    def add(
        self, records: str, member_id: str | None, record_id: str | None = None, **fields: Any
    ) -> str:
        """A department's record about a member (None: nobody found)."""
        self._next += 1
        contract = next(c for c in load_contracts() if c.records == records)
        record_id = record_id or f"{records[:3]}-{self._next:06d}"
        household = (
            {row["member_id"]: row["household_id"] for row in self.rows["members"]}
            if member_id
            else {}
        )
        self.rows[records].append(
            {
                **(
                    {} if contract.record_key.is_identity else {contract.record_key.name: record_id}
                ),
                "record_id": record_id,
                "member_id": member_id,
                "household_id": household.get(member_id),
                "outcome": "linked" if member_id else "unidentifiable",
                **fields,
            }
        )
        return record_id

    def waits(
        self, records: str, *candidates: str, outcome: str = "ambiguous", **fields: Any
    ) -> str:
        """A record that a steward is asked about: whom of these members is it about?"""
        record_id = self.add(records, None, **{"outcome": outcome, **fields})
        self.ask(records, record_id, *candidates)
        return record_id

    def ask(self, records: str, record_id: str, *candidates: str) -> None:
        """Has a record wait in the review queue."""
        keys = sorted(f"key-{member}" for member in candidates)
        asked = {
            "queue_id": f"q-{record_id}",
            "department": contract_for(records).department,
            "records": records,
        }
        self.queue.append(
            {**asked, "record_id": record_id, "candidate_count": len(keys), "candidates": keys}
        )

    def settlement(self, member_id: str | None, settled_at: datetime, **fields: Any) -> str:
        """Amounts not named are 0."""
        amounts = ("total_fee", "in_scope", "fund_paid", "critical_illness_paid", "personal_paid")
        return self.add(
            "settlements",
            member_id,
            settled_at=settled_at,
            **{"medical_type": "21", **{a: Decimal(0) for a in amounts}, **fields},
        )

    def insure(self, member_id: str, year: int = 2026) -> str:
        return self.add("enrolments", member_id, year=year, insurance_type="390", status="1")

    def register(self, engine: Engine) -> None:
        for contract in load_contracts():
            self._table(
                engine,
                f"matched_{contract.table}",
                columns_of(contract),
                self.rows[contract.records],
            )
        self._table(engine, "person", PERSON, self.persons)
        engine.from_arrow("review_queue", pa.Table.from_pylist(self.queue, REVIEW_QUEUE.arrow))
        states = [{"records": records, "state": state} for records, state in self.states.items()]
        self._table(
            engine,
            "source_status",
            {
                "department": pa.string(),
                "records": pa.string(),
                "state": pa.string(),
                "age_days": pa.int32(),
            },
            states,
        )

    @staticmethod
    def _table(engine: Engine, name: str, columns: dict[str, pa.DataType], rows: list[Row]) -> None:
        known = set(columns)
        for row in rows:
            assert set(row) <= known, f"{name} has no {set(row) - known}"
        defaults = {
            "outcome": "linked",
            "_arrived_on": ARRIVED,
            "updated_at": datetime(2026, 11, 1, 8),
        }
        arrays = [
            pa.array([row.get(c, defaults.get(c)) for row in rows], type=kind)
            for c, kind in columns.items()
        ]
        table = pa.table(arrays, schema=pa.schema(list(columns.items())))
        engine.from_arrow(name, table)
