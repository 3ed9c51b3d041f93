"""The sweep for identities: which files a run wrote outside the places where they may be, and
whether one holds any.

Belongs here: looking. Not here: which runs are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

ALLOWED = ("raw", "valid", "withdrawn", "quarantine")
"""The lake's layers that may hold raw identifying values."""


def written(home: Path) -> Iterator[Path]:
    """Files outside the places where identities may be."""
    for file in home.rglob("*"):
        place = file.relative_to(home).parts
        layers = [part for part in place[1:4] if part != "changes"]
        if layers[:1] == ["beside"]:
            layers = layers[2:]
        allowed = place[0] in ("sandbox", "postgres", "secrets") or (
            place[0] == "lake" and layers[:1] != [] and layers[0] in ALLOWED
        )
        if file.is_file() and not allowed:
            yield file


def text_of(file: Path) -> str:
    """What a file says; Parquet is read first, anything else is taken as it is."""
    if file.suffix != ".parquet":
        return file.read_bytes().decode("utf-8", errors="ignore")
    columns = [
        name
        for name, kind, *_ in duckdb.sql(f"describe select * from '{file}'").fetchall()
        if "VARCHAR" in kind
    ]
    text = " || ' ' || ".join(f"coalesce(\"{c}\"::varchar, '')" for c in columns) or "''"
    return "\n".join(row for (row,) in duckdb.sql(f"select {text} from '{file}'").fetchall())


def holds(text: str, wanted: Iterable[str]) -> bool:
    """Whether a text holds one of the identities, as it is or as JSON escapes it."""
    return any(one in text or one.encode("unicode_escape").decode() in text for one in wanted)
