"""Contracts written for a test, and deliveries read as a run reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from expectations.contract import Contract, read_contract
from resources.departments.errors import Fault
from resources.departments.tabular import Tabular, read_delivery
from resources.settings import Settings, load_settings

WHERE = ("_row", "_file", "_part", "_sheet", "_line", "_marks", "_numbers")


@dataclass(frozen=True)
class Column:
    """One column of a contract: `name: physical name`, and what differs from a required text."""

    name: str
    physical: str
    type: str = "text"
    required: bool = True
    role: str | None = None
    key: int | None = None


LOGICAL = {
    "text": "string",
    "integer": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "date",
}
IDENTITIES = ("id_number", "name")


def _property(column: Column) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": column.name,
        "physicalName": column.physical,
        "logicalType": LOGICAL.get(column.type, "number"),
        "physicalType": column.type,
        "required": column.required,
        "classification": "identity" if column.role in IDENTITIES else "internal",
    }
    if column.key is not None:
        written |= {"primaryKey": True, "primaryKeyPosition": column.key}
    if column.role is not None:
        written["customProperties"] = [{"property": "role", "value": column.role}]
    return written


def contract_of(
    folder: Path,
    columns: Sequence[Column],
    department: str = "housing",
    records: str = "houses",
    delivery: str = "snapshot",
    **server: Any,
) -> Contract:
    """A record type in files, as an ODCS file describes it."""
    said = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{department}.{records}",
        "name": records,
        "version": "1.0.0",
        "status": "active",
        "domain": department,
        "description": {"purpose": "a test's"},
        "servers": [
            {
                "server": "default",
                "type": "custom",
                "customProperties": [
                    {"property": name, "value": value}
                    for name, value in {"form": "file", **server}.items()
                ],
            }
        ],
        "schema": [
            {
                "name": records,
                "physicalName": f"{department}__{records}",
                "properties": [_property(c) for c in columns],
            }
        ],
        "customProperties": [{"property": "delivery", "value": delivery}],
    }
    path = folder / f"{records}.odcs.yaml"
    path.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return read_contract(path)


@dataclass(frozen=True)
class Read:
    """A delivery as it was read."""

    table: Tabular
    rows: list[dict[str, Any]]
    noted: list[dict[str, Any]]

    @property
    def cells(self) -> list[tuple[str | None, ...]]:
        return [tuple(cell for name, cell in row.items() if name not in WHERE) for row in self.rows]

    @property
    def marks(self) -> dict[int, list[str]]:
        """By line: what is wrong with its cells."""
        return {row["_line"]: row["_marks"] for row in self.rows if row["_marks"]}


Reader = Callable[..., Read]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"YIHU_HOME": str(tmp_path / "home")})


@pytest.fixture
def read(tmp_path: Path, settings: Settings) -> Reader:
    def reading(contract: Contract, *files: Path, **how: Any) -> Read:
        target = tmp_path / "batch"
        target.mkdir(exist_ok=True)
        table = read_delivery(contract, files, target, settings, **how)
        found = pq.read_table(target / "delivered.parquet").to_pylist()
        noted = pq.read_table(target / "notes.parquet").to_pylist()
        assert sorted(path.name for path in target.iterdir()) == [
            "delivered.parquet",
            "notes.parquet",
        ], "nothing is left behind"
        assert table.row_count == len(found)
        assert [row["_row"] for row in found] == list(range(1, len(found) + 1))
        assert sum(table.note_lines.values()) == len(noted)
        return Read(table, found, noted)

    return reading


@pytest.fixture
def refused(read: Reader) -> Callable[..., Fault]:
    """The fault for which a delivery is refused."""

    def refusing(contract: Contract, *files: Path, **how: Any) -> Fault:
        with pytest.raises(Fault) as caught:
            read(contract, *files, **how)
        assert "\n" not in caught.value.said + caught.value.next_step
        return caught.value

    return refusing


HOUSES = (
    Column("house_id", "房屋编号", role="record_key", key=1),
    Column("id_number", "身份证号", role="id_number"),
    Column("name", "户主姓名", role="name"),
    Column("grade", "鉴定等级"),
    Column("appraised_on", "鉴定时间", "date", required=False),
    Column("area", "建筑面积", "decimal(8,2)", required=False),
    Column("address", "地址", required=False),
)
HEADER = [column.physical for column in HOUSES]
ROWS: list[list[Any]] = [
    ["FW000001", "610921197001011016", "测甲", "A", "2026-05-03", "96", "青溪镇"],
    ["FW000002", "61092119700202103X", "测乙", "B", "2026-05-04", "88.5", "石门镇，一组"],
    ["FW000003", "610921197003031053", "测　丙", "C", "", "", ""],
]


@pytest.fixture
def houses(tmp_path: Path) -> Contract:
    return contract_of(tmp_path, HOUSES)


def expected(rows: Sequence[Sequence[Any]] = ROWS) -> list[tuple[str | None, ...]]:
    return [tuple(str(cell) if cell not in ("", None) else None for cell in row) for row in rows]
