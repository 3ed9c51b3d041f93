"""One load of the front-end database at a time, whoever started it."""

from __future__ import annotations

import fcntl
import threading
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from sandbox import frontdb
from sandbox.county import County


def test_a_load_waits_for_one_that_outlived_its_run(tmp_path: Path) -> None:
    county = County(tmp_path / "county", 120, 6).make()
    url = f"sqlite:///{tmp_path / 'front.sqlite'}"
    with (county.home / ".front-db.lock").open("w") as orphan:
        fcntl.flock(orphan, fcntl.LOCK_EX)
        loading = threading.Thread(target=frontdb.load, args=(county, url, date(2026, 11, 10)))
        loading.start()
        loading.join(0.3)
        assert loading.is_alive()
        assert not (tmp_path / "front.sqlite").exists()
    loading.join(30)
    engine = sa.create_engine(url)
    assert sa.inspect(engine).has_table("rural_revitalisation__members")
    engine.dispose()
