"""One small county for all tests of the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.county import County


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """2,000 households of seed 7."""
    home: Path = tmp_path_factory.mktemp("sandbox")
    return County(home / "county", 2000, 7).make()
