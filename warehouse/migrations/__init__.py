"""Alembic migrations: how the tables came to be what they are,
up and down (`upgrade`, `downgrade`).
"""

from warehouse.migrations.run import downgrade, revision, upgrade

__all__ = ["downgrade", "revision", "upgrade"]
