"""Extracts for analysts: what each holds, and the key of its pseudonyms

Revision: 0007, after 0006, 2026-11-27 15:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "extract",
        sa.Column("name", sa.Text(), nullable=False, comment="what analysts call it"),
        sa.Column("release_id", sa.Integer(), nullable=False, comment="the release that it is of"),
        sa.Column(
            "columns",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="of household, household_indicator and warning_flag",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="what it is for"),
        sa.Column("made_by", sa.Text(), server_default=sa.text("session_user"), nullable=False),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "pseudonym_key",
            sa.LargeBinary(),
            nullable=False,
            comment="of this extract alone: no pseudonym is found again in another",
        ),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("extract_says_why_check")),
        sa.CheckConstraint("length(pseudonym_key) >= 32", name=op.f("extract_long_key_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("extract_pkey")),
        schema="vault",
        comment="Extracts for analysts: households under pseudonyms, in groups of five at least.",
    )


def downgrade() -> None:
    op.drop_table("extract", schema="vault")
