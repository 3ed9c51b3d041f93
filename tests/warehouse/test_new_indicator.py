"""An indicator is a row of the catalogue, its SQL, the rule files from its day on, and a migration;
no earlier day changes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from resources.settings import ROOT
from tests.house.test_new_view import ROOMS, head_of
from tests.warehouse.conftest import Warehouse
from tests.warehouse.new_indicator import run

pytestmark = pytest.mark.slow

YESTERDAY = date(2027, 3, 1)
TODAY = YESTERDAY + timedelta(days=1)
TESTS = ("indicators", "following", "warehouse")
ROW = (
    f'R31,{TODAY},idle_count,闲散劳动力,risk,employment,persons,members,"active members neither'
    ' working nor in school"\n'
)
SQL = (
    (
        "warehouse/models/indicators/employment.sql",
        '        {{ members("working_now", "working_now") }} as working_now\n',
        (
            '        {{ members("working_now", "working_now") }} as working_now,\n        {{'
            ' members("working_now", "is_idle") }} as idle\n'
        ),
    ),
    (
        "warehouse/models/indicators/employment.sql",
        "    b.b16_business_net_income as r23_business_failure,\n",
        "    b.b16_business_net_income as r23_business_failure,\n    p.idle as r31_idle_count,\n",
    ),
    (
        "warehouse/models/indicators/active_member.sql",
        "R22 where working_now, R28,",
        "R22 where working_now, R28, R31 where is_idle,",
    ),
    (
        "warehouse/models/indicators/active_member.sql",
        "    labour_class = '2' as is_skilled,\n",
        (
            "    labour_class = '2' as is_skilled,\n    not working_now and student_status = '0' as"
            " is_idle,\n"
        ),
    ),
)
RULES = (
    ("scoring", "  S01:\n", "  R31:\n    - {when: value >= 2, points: 6}\n  S01:\n"),
    (
        "following",
        "\n# 监测对象",
        (
            "    R31: {need: job, department: rural_revitalisation, task: find work"
            " (就业帮扶)}\n\n# 监测对象"
        ),
    ),
)
MIGRATION = '''"""How many neither work nor learn

Revision: 9999, after {head}, 2027-02-20 15:00:00
"""

import sqlalchemy as sa
from alembic import op

from warehouse.catalogue import indicators_by_code
from warehouse.schema.declared import HOUSEHOLD_INDICATOR

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None
(COLUMN,) = (c for c in HOUSEHOLD_INDICATOR.stored if c.name == indicators_by_code()["R31"].column)


def upgrade() -> None:
    op.add_column("household_indicator",
        sa.Column(COLUMN.name, sa.Integer(), comment=COLUMN.meaning), schema="store")


def downgrade() -> None:
    op.drop_column("household_indicator", COLUMN.name, schema="store")
'''
MADE = ("assets/lineage.json", "docs/lineage.md")
"""What `python -m pipelines.development.lineage` writes anew besides: a minute's work, not done
here.
"""


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def copied(folder: Path) -> Path:
    """A checkout of one's own, as far as a day needs it."""
    leaving = shutil.ignore_patterns("__pycache__")
    for room in (*ROOMS, "docs", *(f"tests/{name}" for name in TESTS)):
        shutil.copytree(ROOT / room, folder / room, ignore=leaving)
    for file in ("tests/__init__.py", "tests/making.py"):
        shutil.copy2(ROOT / file, folder / file)
    return folder


def add_indicator(checkout: Path) -> None:
    """What somebody does who adds R31."""
    catalogue = checkout / "warehouse/rules/indicators.csv"
    catalogue.write_text(catalogue.read_text(encoding="utf-8") + ROW, encoding="utf-8")
    for path, old, new in SQL:
        edit(checkout / path, old, new)
    for kind, old, new in RULES:
        newest = max(catalogue.parent.glob(f"{kind}-*.yaml"))
        path = newest.with_name(f"{kind}-{TODAY}.yaml")
        begins = re.compile(r"^effective_from: .*$", re.MULTILINE)
        path.write_text(
            begins.sub(f"effective_from: {TODAY}", newest.read_text(encoding="utf-8")),
            encoding="utf-8",
        )
        edit(path, old, new)
    migrations = checkout / "warehouse/migrations"
    (migrations / "versions/9999_idle.py").write_text(
        MIGRATION.format(head=head_of(migrations)), encoding="utf-8"
    )


def days_of(checkout: Path, warehouse: Warehouse, *days: date) -> list[dict[str, Any]]:
    """The days as the code of the checkout makes them."""
    url = warehouse.url().render_as_string(hide_password=False)
    asked = [
        "-m",
        "tests.warehouse.new_indicator",
        str(warehouse.folder),
        url,
        *(day.isoformat() for day in days),
    ]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *asked],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: list[dict[str, Any]] = json.loads(done.stdout)
    return answer


def test_an_indicator_is_nine_files_and_leaves_earlier_days_alone(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    before = run(warehouse.folder, warehouse.url(), YESTERDAY)
    checkout = copied(tmp_path / "checkout")
    were = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}

    add_indicator(checkout)
    today, again = days_of(checkout, warehouse, TODAY, YESTERDAY)
    touched = sorted(
        str(path.relative_to(checkout))
        for path in checkout.rglob("*")
        if path.is_file() and were.get(path) != path.read_bytes()
    )

    assert (again["checksum"], again["release"], again["catalogue"]) == (
        before["checksum"],
        None,
        before["catalogue"],
    )
    assert (today["release"], today["catalogue"]) == (
        before["release"] + 1,
        before["catalogue"] + 1,
    )
    assert warehouse.rows(
        "select release_id, layout from yihu.release order by 1", "yihu_reader"
    ) == [(1, "0.2.0"), (2, "0.2.0")]

    seen = (
        "select count(*), count(r31_idle_count), max(r31_idle_count) from yihu.household_indicator"
    )
    households, known, most = warehouse.rows(seen, "yihu_reader")[0]
    assert households > known > 0
    assert most >= 2  # type: ignore[operator]
    scored = warehouse.one(
        "select count(*) from yihu.warning_reason where code = 'R31' and points = 6", "yihu_reader"
    )
    assert scored == len(today["explained"]) > 0
    assert today["tasks"] > 0
    assert all(
        "R31 idle count 闲散劳动力" in said and "from 来源 rural_revitalisation members" in said
        for said in today["explained"]
    )
    assert not any(
        "no record" in re.split("R31", said)[1].split("\n")[1] for said in today["explained"]
    )
    text, scored_before = again["tried"]
    assert "the candidate's catalogue has R31 besides" in text
    assert scored_before == scored
    share = "round((73 - cardinality(missing) - cardinality(stale)) / 73.0, 4) = coverage"
    assert warehouse.rows(
        f"select bool_and({share}) from yihu.household_indicator", "yihu_reader"
    ) == [(True,)]
    with warehouse.engine("yihu_reader").connect() as connection:
        connection.exec_driver_sql(f"select yihu.yihu_as_of('{YESTERDAY}')")
        assert connection.exec_driver_sql(seen).one()[:2] == (households, 0)
    columns = (
        "select column_name from information_schema.columns where table_name ="
        " 'household_indicator' and table_schema = 'yihu'"
    )
    assert warehouse.rows(f"{columns} order by ordinal_position")[-1] == ("r31_idle_count",)
    assert (
        "`r31_idle_count` | integer |  | R31 闲散劳动力, persons: active members neither working"
        f" nor in school; from {TODAY} on"
        in (checkout / "docs/dictionary.md").read_text(encoding="utf-8")
    )

    print(
        f"files touched by a new indicator: {len(touched) + len(MADE)}:"
        f" {', '.join([*touched, *MADE])}"
    )
    assert touched == [
        "docs/dictionary.md",
        "warehouse/migrations/versions/9999_idle.py",
        "warehouse/models/indicators/active_member.sql",
        "warehouse/models/indicators/employment.sql",
        f"warehouse/rules/following-{TODAY}.yaml",
        "warehouse/rules/indicators.csv",
        f"warehouse/rules/scoring-{TODAY}.yaml",
    ]
    assert len(touched) + len(MADE) <= 9
