"""Shared fixtures. A test that is not marked slow gets nothing here that takes more than a
second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.kinds import kind_of

DESIGN = Path(__file__).with_name("design")
"""The tables of the design that the code is held against, brought along."""
ORIGINAL = Path(__file__).resolve().parents[2] / "shared" / "design"
"""Where the design itself is at hand."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine of its own for each test."""
    opened = Engine(tmp_path / "tmp")
    yield opened
    opened.close()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake for each test."""
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="session")
def design() -> Path:
    """The design's tables; as they are in the design itself, where that is at hand."""
    for table in DESIGN.glob("*.csv") if ORIGINAL.is_dir() else ():
        assert table.read_bytes() == (ORIGINAL / table.name).read_bytes(), f"copy {table.name} anew"
    return DESIGN


if "YIHU_TEST_MUTATION" in os.environ:
    from hypothesis import Phase, settings

    settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate])
    settings.load_profile("mutation")

TOGETHER = ("extraction", "warehouse", "whole")
"""Folders whose tests share something made once a session: they run one after the other in one
process.
"""

APART = ("test_days", "test_nineteenth", "test_matrix")
"""Files of those folders that share nothing dear with the others, and take a while: they may run in
another process.
"""

Show = Callable[[str, str], None]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.parent.name
        item.add_marker(getattr(pytest.mark, kind_of(f"{folder}/{item.path.name}")))
        if folder in TOGETHER:
            is_apart = item.path.stem in APART or item.get_closest_marker("long")
            group = item.path.stem if is_apart else folder
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Show:
    """Has a title and a text printed when all tests are done, in whichever process the test ran."""
    return lambda title, text: record_property("shown", [title, text])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests found out: figures and tables, for people to read."""
    # a test's last report holds all that it and its fixtures recorded
    reports = [
        report
        for outcome in ("", "error")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "teardown"
    ]
    texts: dict[str, list[str]] = {}
    for title, text in [
        value for report in reports for name, value in report.user_properties if name == "shown"
    ]:
        texts.setdefault(title, []).append(text)
    for title, lines in texts.items():
        terminalreporter.section(title, sep="-")
        terminalreporter.write_line("\n".join(lines))
