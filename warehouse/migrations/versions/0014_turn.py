"""The turn of whoever writes: a table that is locked, and on which no consumer has a right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turn",
        sa.Column(
            "slot",
            sa.Boolean(),
            nullable=False,
            comment="never a row: the table is locked by whoever writes",
        ),
        sa.PrimaryKeyConstraint("slot"),
        schema="ops",
        comment="Whose turn it is to write.",
    )


def downgrade() -> None:
    op.drop_table("turn", schema="ops")
