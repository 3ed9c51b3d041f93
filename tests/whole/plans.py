"""What the engine makes of every statement of a run: joins that look at every pair of rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.engines.duckdb import Engine

EVERY_PAIR = ("BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN")
"""Operators whose cost is the product of both sides. The engine takes the second for small tables
of its own accord, unless it is told not to.
"""


@contextmanager
def every_pair(patch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """The tables made within it by such a join, each with its statement."""
    found: list[tuple[str, str]] = []

    def seen(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
        connection.execute("set nested_loop_join_threshold = 0; set merge_join_threshold = 0")
        try:
            plan = connection.execute(f"explain {select}").fetchall()[0][1]
        finally:
            connection.execute("reset nested_loop_join_threshold; reset merge_join_threshold")
        if any(operator in plan for operator in EVERY_PAIR):
            found.append((name, select))

    table, copied = Engine.table, Engine._copied

    def watched_table(self: Engine, name: str, select: str) -> int:
        made = table(self, name, select)
        if name not in select:
            seen(self.connection, name, select)
        return made

    def watched_copy(
        connection: duckdb.DuckDBPyConnection, select: str, path: Path, *rest: Any
    ) -> int:
        seen(connection, path.name, select)
        return copied(connection, select, path, *rest)

    patch.setattr(Engine, "table", watched_table)
    patch.setattr(Engine, "_copied", staticmethod(watched_copy))
    yield found
    patch.undo()
