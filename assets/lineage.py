"""Which columns each column of an asset comes from, as the UI shows it: read from `lineage.json`.

Belongs here: the file, and the metadata made of it when the definitions load. Not here: how it is
found out (`pipelines.development.lineage`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg

FILE = Path(__file__).with_name("lineage.json")

Column = tuple[str, str]
"""An asset and one of its columns."""
Lineage = dict[str, dict[str, tuple[Column, ...]]]


@lru_cache(maxsize=1)
def _read() -> Mapping[str, Mapping[str, list[list[str]]]]:
    tables: Mapping[str, Mapping[str, list[list[str]]]] = json.loads(
        FILE.read_text(encoding="utf-8")
    )["tables"]
    return tables


def lineage_metadata(asset: str) -> dict[str, Any]:
    """`dagster/column_lineage` of the asset;
    nothing where no model is known, as for a contract that was added since.
    """
    columns = _read().get(asset)
    if columns is None:
        return {}
    deps = {
        column: [dg.TableColumnDep(table, source) for table, source in read]
        for column, read in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}
