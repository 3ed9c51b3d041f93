"""`make move-warehouse`: everything goes along, the next release follows there, and nothing is
overwritten.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.operator.moving import move_warehouse
from resources.server import Server
from resources.settings import load_settings
from tests.views import READ_BY_ALL
from tests.warehouse.conftest import Warehouse, make_warehouse
from warehouse.database.copying import CopyError
from warehouse.migrations.run import downgrade


@pytest.mark.usefixtures("stranger")
@pytest.mark.long  # rows travel as in a backup (test_backup)
def test_the_whole_warehouse_moves(
    published: Warehouse, other_server: Server, tmp_path: Path
) -> None:
    target = make_warehouse(other_server, tmp_path)
    downgrade(target.engine())
    source, empty = (
        w.url().set(drivername="postgresql").render_as_string(hide_password=False)
        for w in (published, target)
    )
    settings = replace(load_settings({"YIHU_HOME": str(tmp_path / "home")}), warehouse_url=source)
    said = move_warehouse(settings, empty)
    assert "as many as before" in said[0]
    for view in READ_BY_ALL:
        query = f"select md5(string_agg(v::text, '|' order by v::text)) from yihu.{view.name} as v"
        assert target.rows(query, "yihu_reader") == published.rows(query, "yihu_reader")
    for table in (
        "ops.release",
        "ops.area_grant",
        "ops.gate_opening",
        "ops.review_decision",
        "ops.access_log",
        "vault.person",
    ):
        query = f"select md5(string_agg(t::text, '|' order by t::text)) from {table} as t"
        assert target.rows(query) == published.rows(query), table
    newest = int(str(published.one("select max(release_id) from ops.release")))
    assert target.publish(date(2026, 11, 21)).release_id == newest + 1
    with pytest.raises(CopyError, match="has a warehouse already"):
        move_warehouse(settings, empty)
    assert list((tmp_path / "home").glob("yihu-move-*")) == []
