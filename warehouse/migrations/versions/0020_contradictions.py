"""What departments say against each other, what is to be mended, who is entitled to what, what is
not known; who was opened by name, other ids, what ended after a list, the rules that a release names

Revision: 0020, after 0019, 2026-11-28 08:30:00
"""

import sqlalchemy as sa
from alembic import op

from warehouse.schema.tables import CONTRADICTION_ALIAS, OPENING, STOPPED_AFTER_LISTING, STORE

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

VIEWS = (
    *("contradiction", "contradiction_accuracy", "issue_ledger", "issue_summary"),
    *("entitlement", "entitlement_edge", "known_gap", "known_gap_share"),
)
BESIDE = (OPENING, CONTRADICTION_ALIAS, STOPPED_AFTER_LISTING)
MEANING = "hash of the rules of contradictions, issues and entitlements in force on the day"


def upgrade() -> None:
    for table in (*(STORE[view] for view in VIEWS), *BESIDE):
        table.create(op.get_bind())
    column: sa.Column[str] = sa.Column("further_version", sa.Text(), comment=MEANING)
    op.add_column("release", column, schema="ops")


def downgrade() -> None:
    op.drop_column("release", "further_version", schema="ops")
    for table in reversed((*(STORE[view] for view in VIEWS), *BESIDE)):
        table.drop(op.get_bind())
