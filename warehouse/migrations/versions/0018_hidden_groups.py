"""What an extract hides beside its small groups: towns that the ledger hides, groups that a
difference would tell

Revision: 0018, after 0017, 2026-11-28 06:20:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column(
            "hidden_towns",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="towns that are left out, since the one exit hides them",
        ),
        sa.Column(
            "also_hidden",
            postgresql.JSONB(),
            server_default="[]",
            nullable=False,
            comment="facts of groups that are left out, since a difference would tell a small one",
        ),
    ):
        op.add_column("extract", column, schema="vault")


def downgrade() -> None:
    for name in ("also_hidden", "hidden_towns"):
        op.drop_column("extract", name, schema="vault")
