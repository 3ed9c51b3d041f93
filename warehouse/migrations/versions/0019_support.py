"""Who helps, with what, and was it enough: its tables, what a case tells besides its stages, and
the officers' names

Revision: 0019, after 0018, 2026-11-28 08:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.schema.supported import SUPPORT
from warehouse.schema.tables import METADATA, STORE, sql_type

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

GAINED = (
    ("channel", "text", "how it was found: report; visit; comparison; petition; other"),
    (
        "green_channel",
        "boolean",
        "aid came first, the recognition steps afterwards (绿色通道)",
    ),
    (
        "report_id",
        "text",
        "the report that it grew out of: as delivered, else the newest of a member within the days"
        " before that the rules give",
    ),
    ("authorised_on", "date", "the household allowed its data to be compared (承诺授权)"),
    ("posted_until", "date", "end of the public notice (公示)"),
    ("objection", "boolean", "somebody objected while it was posted"),
    ("rejected_on", "date", "not recognised; the case ended without stages 6 to 8"),
    ("clearance", "text", "how the risk went: self; development; protection; natural"),
)
TASKS = (
    "What each red household needs, and whose task it is.",
    "What each red or monitored household needs, and whose task it is.",
)
FIRST = (
    *("responsibility", "responsibility_gap", "visit_coverage", "measure_gap", "support_received"),
    *("medical_ledger", "zero_employment", "special_group", "asset_ledger", "relapse", "watch"),
)
"""The tables that came with this revision."""


def upgrade() -> None:
    for view in SUPPORT:
        if view.name in FIRST:
            STORE[view.name].create(op.get_bind())
    METADATA.tables["vault.officer"].create(op.get_bind())
    for name, kind, meaning in GAINED:
        column: sa.Column[object] = sa.Column(name, sql_type(kind), comment=meaning)
        op.add_column("case_progress", column, schema="store")
    _say(*TASKS)


def downgrade() -> None:
    _say(*reversed(TASKS))
    for name, *_ in reversed(GAINED):
        op.drop_column("case_progress", name, schema="store")
    op.drop_table("officer", schema="vault")
    for name in reversed(FIRST):
        op.drop_table(name, schema="store")


def _say(before: str, now: str) -> None:
    op.create_table_comment("follow_up_task", now, existing_comment=before, schema="store")
