"""Alembic's environment: the connection comes from `warehouse.migrations.run`,
the target from `warehouse.schema`.
"""

from collections.abc import Mapping
from typing import Any

from alembic import context

from warehouse.schema import METADATA

OURS = {"store", "ops", "vault"}


def include_name(name: str | None, kind: str, parents: Mapping[Any, str | None]) -> bool:
    """The warehouse's schemas; not Alembic's own table."""
    if kind == "schema":
        return name in OURS
    return not (kind == "table" and name == "alembic_version")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_schemas=True,
    include_name=include_name,
    version_table_schema="ops",
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
