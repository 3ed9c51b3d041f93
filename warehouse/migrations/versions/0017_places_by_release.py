"""The index by place knows the versions too:
a login's areas are found without a look at what was closed

Revision: 0017, after 0016, 2026-11-28 05:50:00
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

VERSIONED = (
    "household",
    "household_member",
    "household_indicator",
    "warning_flag",
    "warning_reason",
    "flag_change",
    "verify_item",
    "follow_up_task",
    "case_progress",
    "area_ledger",
    "bulletin",
    "household_card",
)
PLACE = ["town_code", "area_code"]


def upgrade() -> None:
    for table in VERSIONED:
        columns = [*PLACE, "until_release", "from_release"]
        op.create_index(f"{table}_place_idx", table, columns, unique=False, schema="store")
        op.drop_index(f"{table}_town_code_area_code_idx", table_name=table, schema="store")


def downgrade() -> None:
    for table in VERSIONED:
        op.create_index(
            f"{table}_town_code_area_code_idx", table, PLACE, unique=False, schema="store"
        )
        op.drop_index(f"{table}_place_idx", table_name=table, schema="store")
