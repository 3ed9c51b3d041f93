"""Who helps, with what, and was it enough: every table of two days is the same on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.engines.spark import SparkEngine
from tests.making import FLAGS, HOUSEHOLDS, make, remember
from tests.spark.twin import TwinEngine
from tests.support.county import CARRIED, PUBLISHED, SupportCounty

pytestmark = pytest.mark.long
DAYS = (date(2026, 11, 29), date(2026, 11, 30))
TABLES = (*CARRIED, *PUBLISHED, "case_progress", "follow_up_task")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YIHU_DRAFTS", "all")
        folder: Path = tmp_path_factory.mktemp("support")
        made = TwinEngine(Engine(folder / "duckdb"), SparkEngine(folder / "spark"))
        yield made
        made.duckdb.close()
        made.spark.close()


def test_both_engines_make_the_same_tables(twin: TwinEngine) -> None:
    county = SupportCounty(3, DAYS[-1], 60)
    county.facts.register(twin)  # type: ignore[arg-type]
    make(twin, (*HOUSEHOLDS, *FLAGS, *TABLES), DAYS[0])  # type: ignore[arg-type]
    remember(twin, DAYS[0], ("follow_up_task", *CARRIED))  # type: ignore[arg-type]
    make(twin, (*CARRIED, *PUBLISHED), DAYS[1])  # type: ignore[arg-type]
    assert twin.differences == []
    of_support = {table: twin.compared.get(table, 0) for table in PUBLISHED}
    assert min(of_support.values()) > 0, of_support
