"""A home whose name has an apostrophe, a blank, a percent sign and brackets: three days, each on
the one before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import ROOT, SettingsError, load_settings

FIRST = date(2026, 11, 19)


@pytest.mark.long
def test_three_days_in_a_home_with_an_odd_name(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="yihu-odd-"))
    home = folder / "the county's 100% [new] home"
    mine = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("YIHU_", "DAGSTER_HOME"))
    }
    settings = {"YIHU_HOME": str(home), "YIHU_SANDBOX_HOUSEHOLDS": "100", "YIHU_FORM": "mixed"}
    engine = Engine(tmp_path)
    try:
        for day in (FIRST + timedelta(days=n) for n in range(3)):
            environment = {**mine, **settings, "YIHU_AS_OF": day.isoformat()}
            done = subprocess.run(
                [sys.executable, "-m", "pipelines", "sync"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, (done.stdout + done.stderr).decode()[-2000:]
            lamps = Lake(home / "lake").relation("flags", "warning_flag", day)
            assert engine.scalar(f"select count(*) from {lamps}") > 0
    finally:
        engine.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", ["what?", "a%41b", "a\\b", "C:\\yihu", "a[1]\\"])
def test_a_name_that_reads_as_part_of_an_address_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"YIHU_HOME is .* address") as refused:
        load_settings({"YIHU_HOME": str(tmp_path / name)})
    assert "without ?, \\ and without %41" in str(refused.value)
    assert list(tmp_path.iterdir()) == [], "no folder is made of it"


@pytest.mark.parametrize("name", ["a b", "100%", "o'clock", "[new]", "50% off"])
def test_a_name_that_reads_as_itself_is_taken(tmp_path: Path, name: str) -> None:
    assert load_settings({"YIHU_HOME": str(tmp_path / name)}).home == tmp_path / name
