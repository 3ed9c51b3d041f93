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
from warehouse.schema.beside import BESIDE, beside_columns, type_of
from warehouse.schema.comments import column_comment, view_comment
from warehouse.schema.declared import ADDED, VIEWS, Column, View
from warehouse.schema.lake import OWN
from warehouse.schema.lookups import IN_WORDS, LOOKUPS
from warehouse.schema.periodic import PERIODIC
from warehouse.schema.tables import METADATA

DICTIONARY = Path(__file__).parents[1] / "docs" / "dictionary.md"
HEAD = """# Data dictionary

Made from the contracts (`expectations/contracts/`), the indicator catalogue \
and the warehouse's schema by
`python -m warehouse.dictionary`; a test fails when it is behind. \
The same texts are comments in the database (`\\d+ yihu.household`).
"""


def _table(header: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    names = header.split()
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return (
        lines
        + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        + [""]
    )


def _row(view: View, column: Column) -> tuple[str, ...]:
    is_key = column.name in view.key
    said = column_comment(view.name, column.name, column.meaning, is_key=False)
    return (f"`{column.name}`", column.type, "yes" if is_key else "", said)


def _view(view: View, columns: Sequence[Column]) -> list[str]:
    lines = [f"### yihu.{view.name}", "", view_comment(view.name, view.meaning), ""]
    return lines + _table("column type key meaning", [_row(view, column) for column in columns])


def _beside(name: str) -> list[str]:
    rows = [
        (f"`{column}`", kind, "yes" if "; key" in f"; {said}" else "", said)
        for column, kind, said in beside_columns(name)
    ]
    lines = [f"### yihu.{name}", "", view_comment(name, BESIDE[name]), ""]
    return lines + _table("column type key meaning", rows)


def _sql_table(table: sa.Table, names: list[str] | None = None) -> list[tuple[str, ...]]:
    columns = [column for column in table.columns if names is None or column.name in names]
    return [
        (
            f"`{column.name}`",
            type_of(column),
            "yes" if column.primary_key else "",
            column.comment or "",
        )
        for column in columns
    ]


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
        lines += _view(view, view.shown(ADDED))
    for name in BESIDE:
        lines += _beside(name)
    lines += [
        "## For looking up, and in words (schema `yihu`)",
        "",
        "What the codes of the other views mean, and the red households in one flat view.",
        "",
    ]
    for view in (*LOOKUPS, *IN_WORDS):
        lines += _view(view, view.columns)
    lines += [
        "## What the rhythms leave (schema `yihu`, a row per period, whatever release is read)",
        "",
    ]
    for view in PERIODIC:
        lines += _view(view, view.shown(()))
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
