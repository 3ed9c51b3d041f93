"""What the UI says about every asset: owners, tags, kinds, columns, and the files it is made from.

Belongs here: metadata that does not change from day to day. Not here: what a run found out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.contract import Contract, Field
from resources.settings import ROOT
from warehouse.model import model_path

# Code references are marked as beta; the pinned version has them, and the snapshot of all specs
# would show a change.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*CodeReference.*")

DAILY = dg.DailyPartitionsDefinition(
    start_date="2024-01-01", timezone="Asia/Shanghai", end_offset=1
)
"""A partition is a business day, `as_of`; today is allowed (a provisional release)."""

TO_THE_SERVER = dg.RetryPolicy(max_retries=1, delay=20)
"""What is written to PostgreSQL may pass on a second try: a lock, a server that restarts. A failure
that says that it is permanent is not tried again.
"""


def code_references(files: Mapping[str, Path]) -> dg.CodeReferencesMetadataValue:
    """Links from the UI to files of this checkout, by what they are."""
    return dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=label)
            for label, path in files.items()
        ]
    )


def contract_files(
    contract: Contract, module: str, model: str | None = None
) -> dg.CodeReferencesMetadataValue:
    """The contract, the module and (where there is one) the SQL template that a record
    type's asset is made from.
    """
    files = {"contract": contract.path, "asset": ROOT / "assets" / f"{module}.py"}
    if model is not None:
        files["SQL template"] = model_path(model)
    return code_references(files)


def _column(field: Field, name: str, otherwise: str) -> dg.TableColumn:
    """A column with its meaning, or else with what the other side calls it."""
    constraints = dg.TableColumnConstraints(
        nullable=not field.required, unique=field.role == "record_key"
    )
    return dg.TableColumn(
        name=name, type=field.type, description=field.meaning or otherwise, constraints=constraints
    )


def delivered_schema(contract: Contract) -> dg.TableSchema:
    """The columns as the department names them."""
    return dg.TableSchema(
        columns=[_column(f, f.physical_name, f"{f.name} from valid on") for f in contract.delivered]
    )


def contract_schema(
    contract: Contract, extra: Iterable[tuple[str, str, str]] = (), with_identities: bool = True
) -> dg.TableSchema:
    """The columns as yihu names them; `extra` are (name, type, description)."""
    columns = [
        _column(f, f.name, f"{f.physical_name} as delivered")
        for f in (contract.fields if with_identities else contract.unnamed)
    ]
    return dg.TableSchema(
        columns=columns + [dg.TableColumn(name=n, type=t, description=d) for n, t, d in extra]
    )


def department_asset(contract: Contract, layer: str, kinds: set[str]) -> dict[str, Any]:
    """What all three assets of a record type have in common.

    `valid` goes before the next `raw`, so that one record type is checked while the others are
    still being fetched.
    """
    return {
        "name": f"{layer}_{contract.table}",
        "partitions_def": DAILY,
        "group_name": contract.department,
        "owners": [f"team:{contract.department}"],
        "kinds": kinds,
        "tags": {"layer": layer, "department": contract.department, "cadence": contract.cadence},
        "op_tags": {"dagster/priority": "1" if layer == "valid" else "0"},
    }
