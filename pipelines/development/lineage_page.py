"""`docs/lineage.md`: where every table and every column comes from, drawn from
`assets/lineage.json`.

Belongs here: Mermaid and Markdown. Not here: how lineage is found out (`lineage`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from resources.settings import ROOT

PAGE = ROOT / "docs" / "lineage.md"
Tables = Mapping[str, Mapping[str, Sequence[Sequence[str]]]]

DEPARTMENTS_LAYERS = ("raw_", "valid_", "matched_")
OPENING = """# Where every column comes from

Read out of the SQL models with SQLGlot by `uv run python -m pipelines.development.lineage`, \
which writes this page and `assets/lineage.json`; a
test fails when they are behind. Each asset has the same as \
`dagster/column_lineage` in its definition.

What decides that a row is there at all (joins, filters, counts of rows) is no column's value, \
so it is not shown here.

## Tables

A record type is one box: its three assets (`raw_`, `valid_`, `matched_`) have the same columns, \
but for identities, which end at
`valid_`. An arrow: at least one column of the one comes from a column of the other.

"""


def node(asset: str) -> str:
    """The box in which an asset is drawn: a record type's three are one."""
    for prefix in DEPARTMENTS_LAYERS:
        if asset.startswith(prefix):
            return asset.removeprefix(prefix)
    return asset


def arrows(tables: Tables) -> list[tuple[str, str]]:
    """From box to box, without what stays within one."""
    found = {
        (node(source), node(table))
        for table, columns in tables.items()
        for read in columns.values()
        for source, _ in read
    }
    return sorted((source, target) for source, target in found if source != target)


def flowchart(drawn: Sequence[tuple[str, str]]) -> str:
    """Boxes by department and arrows between them, as Mermaid."""
    boxes = sorted({box for pair in drawn for box in pair})
    departments = sorted({box.partition("__")[0] for box in boxes if "__" in box})
    lines = ["```mermaid", "flowchart LR"]
    for department in departments:
        own = [box for box in boxes if box.startswith(f"{department}__")]
        lines += [
            f"  subgraph {department}",
            *(f'    {box}["{box.partition("__")[2]}"]' for box in own),
            "  end",
        ]
    lines += [f"  {box}" for box in boxes if "__" not in box]
    return "\n".join([*lines, *(f"  {source} --> {target}" for source, target in drawn), "```"])


def _sources(read: Sequence[Sequence[str]]) -> str:
    by_asset: dict[str, list[str]] = {}
    for asset, column in read:
        by_asset.setdefault(asset, []).append(column)
    return (
        "; ".join(f"`{asset}`: {', '.join(columns)}" for asset, columns in by_asset.items())
        or "the rules, the calendar or a count"
    )


def _columns(table: str, columns: Mapping[str, Sequence[Sequence[str]]]) -> str:
    shown = {name: read for name, read in columns.items() if not name.startswith("_")}
    rows = [f"| {name} | {_sources(read)} |" for name, read in shown.items()]
    return "\n".join([f"### {table}", "", "| column | comes from |", "|---|---|", *rows])


def page(tables: Tables) -> str:
    """The whole page: the departments and the household, then what is made of these,
    then every column.
    """
    own = {
        name: columns for name, columns in tables.items() if not name.startswith(DEPARTMENTS_LAYERS)
    }
    drawn = arrows(
        {
            **own,
            **{name: columns for name, columns in tables.items() if name.startswith("matched_")},
        }
    )
    to_indicators = [pair for pair in drawn if pair[1] in ("household_indicator", "person")]
    others = [
        pair
        for pair in drawn
        if pair[1] not in ("household_indicator", "person")
        and "__" not in pair[0]
        and "__" not in pair[1]
    ]
    parts = [
        OPENING + "From the departments to the indicators:\n\n" + flowchart(to_indicators),
        "From the indicators to what is published, and to the rhythms:\n\n" + flowchart(others),
        (
            "## Columns\n\nOf the tables that no single department owns; columns that are never"
            " published are left out."
        ),
        *(_columns(table, columns) for table, columns in own.items()),
    ]
    return "\n\n".join(parts) + "\n"


def write_page(tables: Tables, path: Path = PAGE) -> None:
    path.write_text(page(tables), encoding="utf-8")
