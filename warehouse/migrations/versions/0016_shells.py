"""A household's row says whether its row of the base register is in force.

Revision: 0016, after 0015, 2026-11-27 22:00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MEANING = "its row of the base register is not in force, while members are"


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column("is_shell", sa.Boolean(), nullable=True, comment=MEANING)
    op.add_column("household", column, schema="store")


def downgrade() -> None:
    op.drop_column("household", "is_shell", schema="store")
