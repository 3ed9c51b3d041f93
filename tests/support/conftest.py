"""Every optional record type is read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def every_draft() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YIHU_DRAFTS", "all")
        yield
