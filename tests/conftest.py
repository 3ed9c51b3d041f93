"""Shared fixtures. A test that is not marked slow gets nothing here that takes more than a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.engine import Engine
from resources.lake import Lake

DESIGN = Path(__file__).resolve().parents[2] / "shared" / "design"


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
    """The design's folder, where it is at hand; the test is skipped elsewhere."""
    if not DESIGN.is_dir():
        pytest.skip("the design is not at hand")
    return DESIGN
