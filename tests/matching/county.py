"""A hand-made register and hand-made records on a real engine, for the tests of matching.

Belongs here: rows in, outcomes out. Not here: any rule of matching.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import Contract, contract_for
from resources.engines.duckdb import Engine
from tests.making import remember, standing
from warehouse.graph.moment import day_moment
from warehouse.graph.runner import Runner

KEY = b"a key for tests only"
AS_OF = date(2026, 11, 19)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TYPES = {
    "text": "varchar",
    "integer": "bigint",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


def check_character(seventeen: str) -> str:
    """ISO 7064 MOD 11-2 by the book, beside the SQL."""
    return "10X98765432"[
        sum(int(digit) * weight for digit, weight in zip(seventeen, _WEIGHTS, strict=True)) % 11
    ]


def number(born: str = "19800101", sequence: int = 1, region: str = "612422") -> str:
    """A sound ID number that nobody has."""
    seventeen = f"{region}{born}{sequence:03d}"
    return seventeen + check_character(seventeen)


@dataclass(frozen=True)
class Member:
    member_id: str
    name: str | None
    id_number: str | None
    household_id: str = "H1"
    status: str = "1"


@dataclass(frozen=True)
class Record:
    id_number: str | None
    name: str | None
    key: str = ""


@dataclass(frozen=True)
class Answer:
    member_id: str | None
    outcome: str
    method: str | None
    agreement: str | None
    reason: str | None


class County:
    """A register on an engine; `match` says what became of records of a type."""

    def __init__(self, folder: Path, members: Iterable[Member] = (), as_of: date = AS_OF) -> None:
        self.engine, self.as_of = Engine(folder), as_of
        self.register(members)

    def deliver(self, contract: Contract, rows: Sequence[dict[str, Any]]) -> None:
        """Makes `valid_<table>` of `rows`; fields that a row lacks are null."""
        columns = ", ".join(f"{f.name} {_TYPES.get(f.type, f.type)}" for f in contract.fields)
        table = f"valid_{contract.table}"
        self.engine.execute(
            f'create or replace table "{table}" ({columns}, _batch_id varchar, _arrived_on date,'
            " _first_key varchar)"
        )
        if rows:
            names = list(dict.fromkeys(name for row in rows for name in row))
            values = ", ".join(
                f"({', '.join('?' for _ in names)}, date '{self.as_of}')" for _ in rows
            )
            parameters = [row.get(name) for row in rows for name in names]
            self.engine.execute(
                f'insert into "{table}" ({", ".join(names)}, _arrived_on) values {values}',
                parameters,
            )

    def register(self, members: Iterable[Member]) -> None:
        rows = [m.__dict__ for m in members]
        self.deliver(contract_for("members"), rows)
        self.deliver(
            contract_for("households"),
            [{"household_id": h} for h in sorted({str(r["household_id"]) for r in rows})],
        )
        self.build()

    def build(self) -> None:
        self.make("person", "person_key_map")
        for table in ("person", "person_key_map"):  # written out, as by a run that ends
            self.engine.table(f"{table}_written", f"select * from {table}")
            self.engine.view(table, f"select * from {table}_written")

    def make(self, *tables: str, types: Sequence[Contract] = ()) -> None:
        """Makes tables of the day; `types`: the record types that there are besides the
        register.
        """
        contracts = {
            c.table: c for c in (contract_for("members"), contract_for("households"), *types)
        }
        self.make_of(list(contracts.values()), *tables, beside=types)

    def make_of(
        self, contracts: Sequence[Contract], *tables: str, beside: Sequence[Contract] = ()
    ) -> None:
        """Makes tables of the day of just these record types."""
        Runner(self.engine, standing(self.engine, self.as_of), contracts, KEY).make(
            tables, day_moment(self.as_of), beside=beside
        )

    def next_day(self, as_of: date) -> None:
        """Keeps the day's map and queue as the day before's."""
        remember(
            self.engine,
            self.as_of,
            [t for t in ("person_key_map", "review_queue") if self.engine.exists(t)],
        )
        self.as_of = as_of
        self.build()

    def match(self, records: Sequence[Record], type_of: str = "temporary_aid") -> list[Answer]:
        contract = contract_for(type_of)
        is_certificate, key = type_of == "certificates", contract.record_key.name
        keys = [
            str(r.id_number) if is_certificate else r.key or f"R{i:05d}"
            for i, r in enumerate(records)
        ]
        rows = [
            (
                {key: k, "name": r.name}
                if is_certificate
                else {key: k, "id_number": r.id_number, "name": r.name}
            )
            for k, r in zip(keys, records, strict=True)
        ]
        self.deliver(contract, rows)
        self.build_matched(contract)
        found = self.engine.rows(
            "select record_id, member_id, outcome, method, name_agreement, reason from"
            f' "matched_{contract.table}"'
        )
        answers = {str(row[0]): Answer(*row[1:]) for row in found}
        return list(answers.values()) if is_certificate else [answers[k] for k in keys]

    def build_matched(self, contract: Contract) -> int:
        self.make(f"matched_{contract.table}", types=[contract])
        return int(self.engine.scalar(f'select count(*) from "matched_{contract.table}"'))

    def queue(self, type_of: str = "temporary_aid") -> list[dict[str, Any]]:
        """The open questions of one record type and of the register."""
        self.make("review_queue", "review_candidate", types=[contract_for(type_of)])
        return self.table("review_queue")

    def decide(self, *rows: tuple[str, str, str | None, str]) -> None:
        """Answers (queue_id, decision, person_key, steward), in the order in which they were
        given.
        """
        self.engine.execute(
            "create or replace table steward_row (queue_id varchar, decision varchar, person_key"
            " varchar, decided_by varchar, decided_at timestamp)"
        )
        for minute, row in enumerate(rows):
            self.engine.execute(
                "insert into steward_row values (?, ?, ?, ?, timestamp '2026-11-20"
                f" 08:{minute:02d}:00')",
                list(row),
            )
        rows_of = self.engine.arrow("select * from steward_row").read_all()
        standing(self.engine).sources = {"steward_decision": lambda as_of: rows_of}

    def quality(self, type_of: str = "temporary_aid") -> dict[str, Any]:
        self.make_of([contract_for(type_of)], "linkage_quality")
        return self.table("linkage_quality")[0]

    def table(self, name: str) -> list[dict[str, Any]]:
        columns = [column for column, _ in self.engine.columns(f'select * from "{name}"')]
        return [
            dict(zip(columns, row, strict=True))
            for row in self.engine.rows(f'select * from "{name}" order by all')
        ]

    def keys(self) -> dict[str, str]:
        return {
            str(m): str(k) for m, k in self.engine.rows("select member_id, person_key from person")
        }
