"""An index by place on every table, by which a login's areas are found without touching another row

Revision: 0006, after 0005, 2026-11-27 14:50:00
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BY_TOWN = (
    "household",
    "household_member",
    "household_indicator",
    "flag_change",
    "verify_item",
    "follow_up_task",
    "case_progress",
    "area_ledger",
    "weekly_statistics",
    "monthly_screening",
    "income_accounting",
    "quarterly_supervision",
    "flag_accuracy",
)
"""Tables that had an index by town only."""
BY_NOTHING = ("warning_flag", "warning_reason", "bulletin", "household_card")


def upgrade() -> None:
    for table in (*BY_TOWN, *BY_NOTHING):
        op.create_index(
            f"{table}_town_code_area_code_idx",
            table,
            ["town_code", "area_code"],
            unique=False,
            schema="store",
        )
    for table in BY_TOWN:
        op.drop_index(f"{table}_town_code_idx", table_name=table, schema="store")


def downgrade() -> None:
    for table in BY_TOWN:
        op.create_index(
            f"{table}_town_code_idx", table, ["town_code"], unique=False, schema="store"
        )
    for table in (*BY_NOTHING, *BY_TOWN):
        op.drop_index(f"{table}_town_code_area_code_idx", table_name=table, schema="store")
