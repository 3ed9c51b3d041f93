"""A home without any state, and the files of the other seven offices."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.settings import Settings, load_settings
from tests.trying.samples import write_samples


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the files that `samples` writes."""
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """As in a fresh clone: nothing was ever read.

    A trial keeps nothing, so that one home serves all.
    """
    return load_settings({"YIHU_HOME": str(tmp_path_factory.mktemp("fresh") / "home")})
