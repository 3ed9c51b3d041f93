"""`make backup` and `make restore`: the same warehouse, lake and logins afterwards, readable by
their owner alone.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from pipelines.operator.backup import BackupError, backup, restore
from resources.server import Server
from resources.settings import Settings, load_settings
from tests.views import READ_BY_ALL
from tests.warehouse.conftest import Warehouse, make_warehouse
from warehouse.database.access import grant
from warehouse.database.copying import CopyError
from warehouse.migrations import upgrade
from warehouse.migrations.run import downgrade
from warehouse.schema.logins import SETTINGS

KEPT = (
    "ops.release",
    "ops.current_release",
    "ops.area_grant",
    "ops.gate_opening",
    "ops.review_decision",
    "ops.access_log",
    "vault.person",
)


def digest(warehouse: Warehouse, relation: str, login: str | None = None) -> object:
    return warehouse.rows(
        f"select count(*), md5(string_agg(t::text, '|' order by t::text)) from {relation} as t",
        login,
    )


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = load_settings({"YIHU_HOME": str(tmp_path / "home")})
    (settings.lake / "raw" / "x").mkdir(parents=True)
    (settings.lake / "raw" / "x" / "page.json").write_text("{}")
    return settings


def address(warehouse: Warehouse) -> str:
    return warehouse.url().set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.usefixtures("stranger")
def test_everything_comes_back(
    published: Warehouse, other_server: Server, home: Settings, tmp_path: Path
) -> None:
    source = replace(home, warehouse_url=address(published))
    grant(
        published.engine(),
        "carol",
        "yihu_auditor",
        [],
        password="pw-carol",
        person="Carol of the office",
    )
    made = backup(source, tmp_path / "out")
    assert {path.stat().st_mode & 0o077 for path in (made, *made.rglob("*"))} == {0}
    target = make_warehouse(other_server, tmp_path)
    downgrade(target.engine())
    empty = replace(
        load_settings({"YIHU_HOME": str(tmp_path / "empty")}), warehouse_url=address(target)
    )
    said = restore(empty, made)
    assert said[-1] == "Now: make status"
    target.server.passwords["carol"] = "pw-carol"
    assert target.one("select count(*) from yihu.household", "yihu_reader") != 0
    settings = "select array_to_string(rolconfig, ' ') from pg_roles where rolname = 'carol'"
    assert target.one(settings, "carol") == " ".join(
        f"{name}={value}" for name, value in SETTINGS.items()
    )
    for view in READ_BY_ALL:
        assert digest(target, f"yihu.{view.name}", "yihu_reader") == digest(
            published, f"yihu.{view.name}", "yihu_reader"
        )
    for table in KEPT:
        assert digest(target, table) == digest(published, table), table
    assert (empty.lake / "raw" / "x" / "page.json").read_text() == "{}"
    assert (empty.home / "secrets" / "pseudonym_key").read_bytes() == home.pseudonym_key
    assert {path.stat().st_mode & 0o077 for path in empty.home.rglob("*")} == {0}
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        target.rows("select * from store.household", "yihu_area")
    newest = int(str(published.one("select max(release_id) from ops.release")))
    assert target.publish(date(2026, 11, 21)).release_id == newest + 1
    with pytest.raises(BackupError, match="has a lake already"):
        restore(empty, made)
    again = replace(
        load_settings({"YIHU_HOME": str(tmp_path / "third")}), warehouse_url=address(target)
    )
    with pytest.raises(CopyError, match="has a warehouse already"):
        restore(again, made)


def test_a_damaged_backup_is_not_restored(
    published: Warehouse, home: Settings, tmp_path: Path
) -> None:
    made = backup(replace(home, warehouse_url=address(published)), tmp_path / "out")
    spoilt = tmp_path / "spoilt"
    shutil.copytree(made, spoilt)
    rows = spoilt / "warehouse" / "store.household.gz"
    rows.write_bytes(rows.read_bytes()[:-1])
    empty = load_settings({"YIHU_HOME": str(tmp_path / "empty")})
    with pytest.raises(BackupError, match="missing or damaged"):
        restore(empty, spoilt)
    (spoilt / "backup.json").unlink()
    with pytest.raises(BackupError, match="no backup"):
        restore(empty, spoilt)
    assert not (empty.home / "lake").exists()


def test_nothing_to_back_up_and_no_place_for_it(home: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="inside YIHU_HOME"):
        backup(home, home.home / "backups")
    with TemporaryDirectory(prefix="yihu-test-") as folder:
        alone = load_settings({"YIHU_HOME": folder})
        with pytest.raises(CopyError, match="no warehouse yet"):
            backup(alone, tmp_path / "out")


def test_a_backup_of_an_older_revision_is_brought_up(published: Warehouse, tmp_path: Path) -> None:
    """Rows of the revision that they are of go in first; the upgrade follows."""
    from warehouse.database.copying import NOTE, copy_in, copy_out

    old = make_warehouse(published.server, tmp_path)
    downgrade(old.engine())
    upgrade(old.engine(), to="0004")
    copy_out(old.engine(), tmp_path / "rows")
    assert '"0004"' in (tmp_path / "rows" / NOTE).read_text()
    new = make_warehouse(published.server, tmp_path)
    downgrade(new.engine())
    copy_in(new.engine(), tmp_path / "rows")
    assert new.one("select count(*) from yihu.household", "yihu_reader") == 0
