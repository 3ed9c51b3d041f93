"""What an operator is told of a source: an extract that was rejected,
what is set aside, what lies there, what to do

Revision: 0010, after 0008, 2026-11-27 15:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

STATE = "the first that holds of missing; incomplete; rejected; stale; ok"
COLUMNS = (
    ("placed", sa.BigInteger(), "of subject area: records tied to a village; null else"),
    ("unplaced", sa.BigInteger(), "of subject area: records whose area is none of the register's"),
    (
        "notes",
        sa.BigInteger(),
        "lines of today's batch that are no records: titles, totals, signatures; null without one",
    ),
    (
        "behind_window",
        sa.BigInteger(),
        "rows of today's batch that are dated later than the day; null without one",
    ),
    ("left_lying", sa.Integer(), "files in the department's folder that no contract takes"),
    (
        "rejected_batch",
        sa.Text(),
        "the newest rejected batch, while nothing newer was accepted; null unless rejected",
    ),
    ("rejected_on", sa.Date(), "its day"),
    ("rejected_rule", sa.Text(), "the rule that rejected it"),
    ("rejected_rows", sa.BigInteger(), "the rows that broke the rule"),
    ("next_step", sa.Text(), "what to do; null where nothing is to be done"),
)


def upgrade() -> None:
    op.alter_column(
        "source_status", "state", comment=STATE, existing_comment="ok; stale; missing", schema="ops"
    )
    for name, kind, comment in COLUMNS:
        op.add_column(
            "source_status", sa.Column(name, kind, nullable=True, comment=comment), schema="ops"
        )


def downgrade() -> None:
    for name, _, _ in reversed(COLUMNS):
        op.drop_column("source_status", name, schema="ops")
    op.alter_column(
        "source_status", "state", comment="ok; stale; missing", existing_comment=STATE, schema="ops"
    )
