"""Two counties as facts of matched rows, kept as they were when 0.1.0 made their lamps:
`first_layout.json.gz`.

Belongs here: reading them. Not here: what 0.1.0 made of them (`test_layouts`).
"""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.indicators.facts import Facts

FILE = Path(__file__).with_name("first_layout.json.gz")
KINDS = {"n": Decimal, "d": date.fromisoformat, "t": datetime.fromisoformat, "s": str}
"""A number, a day, a time or a text: the letter before what JSON has as text."""


def _value(said: Any) -> Any:
    return KINDS[said[0]](said[1:]) if isinstance(said, str) else said


def counties() -> list[Facts]:
    """The county of each day."""
    made = []
    for said in json.loads(gzip.decompress(FILE.read_bytes())):
        facts = Facts()
        facts.persons = [
            {name: _value(value) for name, value in row.items()} for row in said["persons"]
        ]
        for records, rows in said["rows"].items():
            facts.rows[records] = [
                {name: _value(value) for name, value in row.items()} for row in rows
            ]
        made.append(facts)
    return made
