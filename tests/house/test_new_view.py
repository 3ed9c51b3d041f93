"""A published view is its SQL with a head, its declaration, and a migration: three files, and
everything follows.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resources.settings import ROOT

ROOMS = ("expectations", "warehouse", "resources", "assets", "pipelines")
MODEL = """{#-
Red households of each town.

table: town_red
kept: flags
publishes: town_red
grain: area
key: area_code
order: area_code
same day: household_place, warning_flag
-#}
select
    substr(p.village, 1, 9) as area_code,
    substr(p.village, 1, 9) as town_code,
    cast(count(*) as integer) as red
from household_place as p
inner join warning_flag as f on f.household_id = p.household_id
where f.level = 'red'
group by substr(p.village, 1, 9)
"""
DECLARATION = """
TOWN_RED = View(
    "town_red",
    ("area_code",),
    columns("area_code | text | a town: 9 digits", "red | integer | households"),
    "Red households of each town.",
    since="0.2.0",
)
"""
MIGRATION = '''"""Red households of each town

Revision: 9999, after {head}, 2026-11-27 15:00:00
"""

from alembic import op

from warehouse.schema.tables import STORE

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    STORE["town_red"].create(op.get_bind())


def downgrade() -> None:
    op.drop_table("town_red", schema="store")
'''
ASKED = """
from datetime import date
from pathlib import Path
import sys
from alembic.script import ScriptDirectory
from assets.catalogue import all_assets
from assets.release import published_in
from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from warehouse.catalogue import load_catalogue
from warehouse.graph.moment import day_moment
from warehouse.graph.registry import inputs_of, published_tables
from warehouse.graph.runner import Runner
from warehouse.graph.engine_inputs import Nothing
from warehouse.schema import METADATA
from warehouse.schema.lake import types_of
from warehouse.schema.shape import shape_of

assert "town_red" in published_tables()
assert inputs_of("town_red") == {"household", "warning_flag"}
contracts = load_contracts()
(step,) = [asset for asset in all_assets(contracts) if "town_red" in {key.to_user_string() for key
    in asset.keys}]
assert step.op.name == "make_following"
(release,) = [asset for asset in all_assets(contracts) if asset.op.name == "release"]
assert "town_red" in {key.to_user_string() for key in release.dependency_keys}
assert "store.town_red" in METADATA.tables
engine = Engine(Path(sys.argv[1]))
Runner(engine, Nothing(), contracts).make(["town_red"], day_moment(date(2026, 11, 19)))
made = {name: kind.lower() for name, kind in engine.columns("select * from town_red")}
assert made == dict(types_of("town_red")), made
catalogue = load_catalogue(date(2026, 11, 19))
assert "town_red" in shape_of("0.2.0", catalogue).columns
assert "town_red" not in shape_of("0.1.0", catalogue).columns
assert "town_red" not in published_in(shape_of("0.1.0", catalogue))
assert ScriptDirectory("warehouse/migrations").get_heads() == ["9999"]
print("all of it")
"""


def head_of(migrations: Path) -> str:
    from alembic.script import ScriptDirectory

    (head,) = ScriptDirectory(str(migrations)).get_heads()
    return str(head)


@pytest.mark.slow
def test_a_view_is_three_files(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}

    (copy / "warehouse/models/following/town_red.sql").write_text(MODEL, encoding="utf-8")
    declared = copy / "warehouse/schema/declared.py"
    text = declared.read_text(encoding="utf-8")
    declared.write_text(
        text.replace("\nVIEWS = (\n", f"{DECLARATION}\nVIEWS = (\n    TOWN_RED,\n"),
        encoding="utf-8",
    )
    migrations = copy / "warehouse/migrations"
    (migrations / "versions/9999_town_red.py").write_text(
        MIGRATION.format(head=head_of(migrations)), encoding="utf-8"
    )

    touched = sorted(
        str(path.relative_to(copy))
        for path in copy.rglob("*")
        if path.is_file() and before.get(path) != path.read_bytes()
    )
    touched = [name for name in touched if "__pycache__" not in name]
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(tmp_path / "engine")],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "all of it", done.stdout + done.stderr
    print(f"files touched by a new view: {len(touched)}: {', '.join(touched)}")
    assert touched == [
        "warehouse/migrations/versions/9999_town_red.py",
        "warehouse/models/following/town_red.sql",
        "warehouse/schema/declared.py",
    ]
