"""The layout of a release, and the catalogue of indicators in force on its day

Revision: 0015, after 0014, 2026-11-27 21:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = (
    ("layout", "0.1.0", "the layout of its tables and columns: the version that it was counted by"),
    (
        "catalogue_version",
        "2021-01-01-57a2e2d9",
        "hash of the catalogue of indicators in force on the day",
    ),
)
"""Name, what every release had until now, meaning."""
COVERAGE = (
    "share of the 72 indicators that are ok or not_applicable",
    "share of the day's indicators that are ok or not_applicable",
)
INDICATORS = (
    "The 72 indicators of each household; null is missing or not applicable, the lists say which.",
    "The indicators of each household; null is missing or not applicable, the lists say which.",
)


def upgrade() -> None:
    for name, until_now, meaning in COLUMNS:
        op.add_column(
            "release", sa.Column(name, sa.Text(), nullable=True, comment=meaning), schema="ops"
        )
        op.execute(f"update ops.release set {name} = '{until_now}'")
        op.alter_column("release", name, nullable=False, schema="ops")
    _say(*COVERAGE, *INDICATORS)


def downgrade() -> None:
    for name, _, _ in reversed(COLUMNS):
        op.drop_column("release", name, schema="ops")
    _say(*reversed(COVERAGE), *reversed(INDICATORS))


def _say(coverage_before: str, coverage: str, indicators_before: str, indicators: str) -> None:
    kind = sa.Numeric(5, 4)
    for table in ("household_indicator", "warning_flag"):
        op.alter_column(
            table,
            "coverage",
            existing_type=kind,
            comment=coverage,
            existing_comment=coverage_before,
            schema="store",
        )
    op.create_table_comment(
        "household_indicator", indicators, existing_comment=indicators_before, schema="store"
    )
