"""The data contract of what is served (ODCS): every view of `yihu` with its columns, types, keys,
references and meanings, for whoever connects; `docs/served.odcs.yaml`.

Belongs here: turning the declarations into a contract. Not here: the declarations
(`warehouse.schema`), the departments' contracts (`expectations/contracts`), holding the views
against it (`yihu test-served`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from warehouse.layouts import NEWEST
from warehouse.schema.beside import BESIDE, KEYS, beside_columns
from warehouse.schema.comments import column_comment, refers_to, view_comment
from warehouse.schema.declared import ADDED, VIEWS, View
from warehouse.schema.lookups import IN_WORDS, LOOKUPS
from warehouse.schema.periodic import PERIODIC

CONTRACT = Path(__file__).parents[1] / "docs" / "served.odcs.yaml"
HEAD = """# What yihu serves, as a data contract (ODCS): made from the schema by `make docs`.
# `make test-served` holds the views of a warehouse against it.
"""
LOGICAL = {
    "text": "string",
    "integer": "integer",
    "bigint": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "timestamp with time zone": "timestamp",
    "text[]": "array",
    "jsonb": "object",
}

Columns = Iterable[tuple[str, str, str]]
"""Name, type and comment."""


def served_views() -> dict[str, tuple[str, tuple[str, ...], list[tuple[str, str, str]]]]:
    """Each view's comment, key and columns, in the order of the dictionary."""
    found = {view.name: _view(view, view.shown(ADDED)) for view in VIEWS}
    found |= {
        name: (view_comment(name, meaning), KEYS[name], beside_columns(name))
        for name, meaning in BESIDE.items()
    }
    found |= {view.name: _view(view, view.columns) for view in (*LOOKUPS, *IN_WORDS)}
    return found | {view.name: _view(view, view.shown(())) for view in PERIODIC}


def _view(view: View, columns: Any) -> tuple[str, tuple[str, ...], list[tuple[str, str, str]]]:
    # what also comes by the one exit comes out of a function, which forgets the digits of a number
    said = [
        (
            column.name,
            column.type if view.exit is None else column.type.partition("(")[0],
            column_comment(view.name, column.name, column.meaning, is_key=False),
        )
        for column in columns
    ]
    return view_comment(view.name, view.meaning), view.key, said


def _property(view: str, key: tuple[str, ...], name: str, kind: str, said: str) -> dict[str, Any]:
    logical = LOGICAL.get(kind, "number")
    made: dict[str, Any] = {"name": name, "logicalType": logical, "physicalType": kind}
    if logical == "array":
        made["items"] = {"logicalType": "string", "physicalType": "text"}
    if name in key:
        made |= {
            "primaryKey": True,
            "primaryKeyPosition": key.index(name) + 1,
            "required": True,
        }
    if said:
        made["description"] = said
    target = refers_to(view, name)
    if target is not None and target.count(".") == 2 and "," not in target:
        made["relationships"] = [{"type": "foreignKey", "to": target.removeprefix("yihu.")}]
    return made


def served_contract() -> str:
    """The whole contract as YAML."""
    schema = [
        {
            "name": view,
            "physicalName": view,
            "logicalType": "object",
            "physicalType": "view",
            "description": said,
            "properties": [_property(view, key, *column) for column in columns],
        }
        for view, (said, key, columns) in served_views().items()
    ]
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "yihu.served",
        "name": "yihu 一户",
        "version": NEWEST,
        "status": "active",
        "description": {
            "purpose": "One record per household and the lamps over it, as consumers read them.",
            "limitations": "A lamp starts an enquiry; it is never a finding. Names are masked.",
        },
        "servers": [
            {
                "server": "warehouse",
                "type": "postgres",
                "host": "localhost",
                "port": 5432,
                "database": "yihu",
                "schema": "yihu",
            }
        ],
        "schema": schema,
    }
    return HEAD + yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=100)
