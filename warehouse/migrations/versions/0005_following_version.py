"""The rules of what follows that a release was made under

Revision: 0005, after 0004, 2026-11-22 05:50:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "release",
        sa.Column(
            "following_version",
            sa.Text(),
            nullable=True,
            comment="hash of the rules of what follows in force on the day",
        ),
        schema="ops",
    )


def downgrade() -> None:
    op.drop_column("release", "following_version", schema="ops")
