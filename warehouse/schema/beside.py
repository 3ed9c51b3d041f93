"""The two views that stand beside those of a release, over `ops`: how the sources stood, and which
releases there are.

Belongs here: their columns as consumers see them. Not here: their SQL (`reading`), the tables
behind them (`tables`).
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from warehouse.schema.comments import column_comment
from warehouse.schema.declared import ADDED
from warehouse.schema.tables import RELEASE, SOURCE_STATUS

BESIDE: Mapping[str, str] = {
    "source_status": "How fresh and how complete each record type is.",
    "release": "The releases that can be read. Analysts see no totals: their counts leave by the"
    " one exit.",
}
HIDDEN = (
    "withdrawn",
    "pruned",
    "row_",
    "changed",
    "published_by",
    "following_version",
    "further_version",
    "access_seal",
    "catalogue_version",
)
"""What columns of `ops.release` begin with that the view does not show."""
RELEASE_COLUMNS = tuple(
    str(name) for name in (*RELEASE.columns.keys(), "is_current") if not name.startswith(HIDDEN)
)
KEYS = {"source_status": ("department", "records"), "release": ("release_id",)}


def beside_columns(view: str) -> list[tuple[str, str, str]]:
    """Name, type and comment of the columns of one of them."""
    table = SOURCE_STATUS if view == "source_status" else RELEASE
    found = {
        str(column.name): (type_of(column), column.comment or "")
        for column in table.columns
        if view == "release" or column.name != "release_id"
    }
    if view == "release":
        found["is_current"] = ("boolean", "")
        found = {name: found[name] for name in RELEASE_COLUMNS}
    else:
        found |= {column.name: (column.type, column.meaning) for column in ADDED}
    return [
        (name, kind, column_comment(view, name, said, is_key=name in KEYS[view]))
        for name, (kind, said) in found.items()
    ]


def type_of(column: sa.Column[object]) -> str:
    """PostgreSQL's name of a column's type."""
    return column.type.compile(postgresql.dialect()).lower().replace(", ", ",")
