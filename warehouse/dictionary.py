"""The data dictionary, `docs/dictionary.md`:
every record type's fields from the contracts, every view's columns from the schema.

Belongs here: turning declarations into Markdown. Not here: the declarations. `python -m
warehouse.dictionary` writes it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from expectations.contract import Contract, Field, load_contracts
from warehouse.schema.declared import ADDED, VIEWS, Column, View
from warehouse.schema.lake import OWN
from warehouse.schema.periodic import PERIODIC
from warehouse.schema.tables import METADATA, RELEASE, SOURCE_STATUS

DICTIONARY = Path(__file__).parents[1] / "docs" / "dictionary.md"
HEAD = """# Data dictionary

Made from the contracts (`expectations/contracts/`), the indicator catalogue \
and the warehouse's schema by
`python -m warehouse.dictionary`; a test fails when it is behind. \
The same texts are comments in the database (`\\d+ yihu.household`).
"""
RELEASE_COLUMNS = tuple(
    name
    for name in (*RELEASE.columns.keys(), "is_current")
    if not name.startswith(
        (
            "withdrawn",
            "pruned",
            "row_",
            "changed",
            "published_by",
            "following_version",
            "access_seal",
            "catalogue_version",
        )
    )
)


def _table(header: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    names = header.split()
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return (
        lines
        + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        + [""]
    )


def _row(column: Column, key: tuple[str, ...]) -> tuple[str, ...]:
    return (f"`{column.name}`", column.type, "yes" if column.name in key else "", column.meaning)


def _view(view: View, added: tuple[Column, ...] = ADDED) -> list[str]:
    lines = [f"### yihu.{view.name}", "", view.meaning, ""]
    return lines + _table(
        "column type key meaning", [_row(column, view.key) for column in view.shown(added)]
    )


def _sql_table(table: sa.Table, names: list[str] | None = None) -> list[tuple[str, ...]]:
    columns = [column for column in table.columns if names is None or column.name in names]
    return [
        (
            f"`{column.name}`",
            _type(column),
            "yes" if column.primary_key else "",
            column.comment or "",
        )
        for column in columns
    ]


def _type(column: sa.Column[object]) -> str:
    return (
        str(column.type.compile()).lower() if not str(column.type).startswith("ARRAY") else "text[]"
    )


def _meaning(field: Field) -> str:
    codes = "; ".join(f"{code.code} {code.meaning}".strip() for code in field.codes)
    return (
        codes
        if codes and codes in field.meaning
        else ": ".join(part for part in (field.meaning, codes) if part)
    )


def _contract(contract: Contract) -> list[str]:
    lines = [f"### {contract.department}.{contract.records}", ""]
    rows = [
        (
            f"`{field.name}`",
            f"`{field.physical_name}`" if field.is_delivered else "",
            field.type,
            "yes" if field.required else "",
            field.classification,
            _meaning(field),
        )
        for field in contract.fields
    ]
    return lines + _table("field physical_name type required class meaning", rows)


def dictionary(contracts: Sequence[Contract] | None = None) -> str:
    """The whole dictionary as Markdown, over the repository's contracts by default."""
    lines = [HEAD, "## Views for consumers (schema `yihu`)", ""]
    for view in VIEWS:
        lines += _view(view)
    added = [_row(column, ()) for column in ADDED]
    lines += ["### yihu.source_status", "", "How fresh and how complete each record type is.", ""]
    lines += _table(
        "column type key meaning",
        [row for row in _sql_table(SOURCE_STATUS) if row[0] != "`release_id`"] + added,
    )
    lines += [
        "### yihu.release",
        "",
        (
            "The releases that can be read. Analysts see no totals: their counts leave by the one"
            " exit."
        ),
        "",
    ]
    release = {row[0]: row for row in _sql_table(RELEASE)} | {
        "`is_current`": ("`is_current`", "boolean", "", "the release that readers see")
    }
    lines += _table("column type key meaning", [release[f"`{name}`"] for name in RELEASE_COLUMNS])
    lines += [
        "## What the rhythms leave (schema `yihu`, a row per period, whatever release is read)",
        "",
    ]
    for view in PERIODIC:
        lines += _view(view, ())
    lines += ["## For operators and stewards (schemas `ops` and `vault`)", ""]
    for table in sorted(
        METADATA.tables.values(), key=lambda table: (str(table.schema), table.name)
    ):
        if table.schema in ("ops", "vault"):
            lines += [f"### {table.schema}.{table.name}", "", table.comment or "", ""]
            lines += _table("column type key meaning", _sql_table(table))
    lines += ["## What the lake keeps besides (`YIHU_HOME/lake`, for operators)", ""]
    for lake_table in OWN:
        lines += [f"### {lake_table.name}", "", lake_table.meaning, ""]
        rows = [(f"`{c.name}`", c.type, c.meaning) for c in lake_table.columns]
        lines += _table("column type meaning", rows)
    lines += ["## What departments deliver", ""]
    for contract in sorted(
        contracts or load_contracts(), key=lambda contract: (contract.department, contract.records)
    ):
        lines += _contract(contract)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    DICTIONARY.parent.mkdir(exist_ok=True)
    DICTIONARY.write_text(dictionary(), encoding="utf-8")
